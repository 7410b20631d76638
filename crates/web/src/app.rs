//! What all requests share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::time::Millis;
use weir_identity::desk::Desk;

use crate::backend::Backend;
use crate::gate::host::Names;
use crate::gate::rate::Rates;
use crate::metrics::Metrics;
use crate::model::problem::Problem;
use crate::notices::Notices;
use crate::oidc::Providers;
use crate::pool::Pool;
use crate::settings::Times;

/// What all requests share. The fields are read by handlers.
pub struct Shared {
    /// The program.
    pub backend: Arc<dyn Backend>,
    /// Who may do what.
    pub desk: Arc<Desk>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Threads for what may block.
    pub work: Pool,
    /// Threads for sign-ins: checking a password costs memory.
    pub sign_ins: Pool,
    /// Threads for exports.
    pub exports: Pool,
    /// Threads for statements: one may take a minute, and nothing else waits for it.
    pub statements: Pool,
    /// Rates of addresses and sessions.
    pub rates: Rates,
    /// What was last known of whether the program is ready: 0 when nobody asked yet, 1 yes, 2 no.
    pub ready: AtomicU8,
    /// Counts.
    pub metrics: Metrics,
    /// What of the HTTP side needs a person.
    pub notices: Arc<Notices>,
    /// OpenID providers.
    pub providers: Providers,
    /// Names it is reached by.
    pub names: Names,
    /// The program's version.
    pub version: String,
    /// How long things may take.
    pub times: Times,
}

/// [`Shared`], by reference.
#[derive(Clone)]
pub struct App(pub Arc<Shared>);

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Now.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Runs something that may block, on a thread of the pool.
    ///
    /// # Errors
    /// Its own, and that no thread is free.
    pub async fn run<T: Send + 'static, E: Into<Box<Problem>> + Send + 'static>(
        &self,
        job: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Box<Problem>> {
        let app = self.clone();
        self.work.run(move || job(&app)).await?.map_err(Into::into)
    }

    /// The same for a step of a sign-in.
    ///
    /// # Errors
    /// Its own, and that no thread is free.
    pub async fn run_sign_in<T: Send + 'static, E: Into<Box<Problem>> + Send + 'static>(
        &self,
        job: impl FnOnce(&App) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Box<Problem>> {
        let app = self.clone();
        self.sign_ins.run(move || job(&app)).await?.map_err(Into::into)
    }
}

/// Tells a job on a thread that the request it works for is there no more: the connection was closed, and the handler dropped.
#[derive(Debug, Default)]
pub struct Gone(Arc<AtomicBool>);

impl Gone {
    /// The flag, for the job.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The connection a request came on.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// When it was opened, on the monotonic clock.
    pub since: Duration,
}
