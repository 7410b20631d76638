//! The desk's start: addresses are bound first, so that a wrong setting is told before anything runs; then one thread with a small runtime.

use std::net::SocketAddr;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::task::Tasks;
use weir_identity::desk::Desk;

use crate::backend::Backend;
use crate::limits::LISTENERS;
use crate::settings::{Settings, Tls};

/// The desk's HTTP side.
#[derive(Debug)]
pub struct Server;

/// Sockets that are bound and not served yet: what is asked of the desk's own settings (its origins) is known from here on.
#[derive(Debug)]
pub struct Bound {
    settings: Settings,
    listeners: Vec<std::net::TcpListener>,
    addresses: Vec<SocketAddr>,
}

/// A running server.
#[derive(Clone, Debug)]
pub struct Running {
    /// Where it listens, with the ports the kernel chose.
    pub addresses: Vec<SocketAddr>,
    /// Where a person goes, e.g. `https://desk.example.cn:8443`.
    pub url: String,
    /// SHA-256 of the desk's own certificate, where it shows one: a person compares it once with what the browser shows.
    pub fingerprint: Option<String>,
}

impl Server {
    /// Binds the sockets.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn bind(settings: Settings) -> Result<Bound, String> {
        let _ = (LISTENERS, Tls::Clear);
        Err(format!("not yet: {settings:?}"))
    }

    /// Binds and starts.
    ///
    /// # Errors
    /// As [`Server::bind`] and [`Bound::start`].
    pub fn start(
        settings: Settings,
        backend: Arc<dyn Backend>,
        desk: Arc<Desk>,
        clock: Arc<dyn Clock>,
        tasks: &Tasks,
    ) -> Result<Running, String> {
        Server::bind(settings)?.start(backend, desk, clock, tasks)
    }
}

impl Bound {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The origins under which browsers reach it, most public first: what passkeys are bound to.
    pub fn origins(&self) -> Vec<String> {
        Vec::new()
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// What is wrong with a certificate, a file of authorities, or the machine, and what to do.
    pub fn start(self, backend: Arc<dyn Backend>, desk: Arc<Desk>, clock: Arc<dyn Clock>, tasks: &Tasks) -> Result<Running, String> {
        let _ = (backend, desk, clock, tasks, self.settings, self.listeners, self.addresses);
        Err("not yet".into())
    }
}
