//! The desk's start: addresses are bound first, so that a wrong setting is told before anything runs; then one thread with a small runtime.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use weir_base::clock::Clock;
use weir_base::task::{Stop, Tasks};
use weir_identity::desk::{Desk, Origin};
use weir_listen::{Caps, Listener, bind, serve};

use crate::app::{App, Shared};
use crate::backend::Backend;
use crate::client::Client;
use crate::console;
use crate::gate::host::Names;
use crate::gate::outer::outer;
use crate::gate::rate::Rates;
use crate::limits::{CONNECTIONS, DESK_TICK_MS, EXPORTS, SIGN_INS, SIGN_INS_WAIT, STATEMENTS, STOP_MS, WORK, WORK_WAITS};
use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::oidc::Providers;
use crate::pool::Pool;
use crate::routes;
use crate::settings::{self, Settings, Tls};
use crate::talk::DeskTalk;
use crate::tls::acme::{Acme, Wanted};
use crate::tls::files::Files;
use crate::tls::{Certificates, acceptor, own};

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

/// Who looks after the certificate.
enum Keeper {
    Nobody,
    Files(Files),
    Acme(Box<Acme>),
}

impl Server {
    /// Binds the sockets.
    ///
    /// # Errors
    /// A sentence that says what could not be had and what to do.
    pub fn bind(settings: Settings) -> Result<Bound, String> {
        if let Some(wrong) = settings::wrong(&settings).into_iter().next() {
            return Err(wrong);
        }
        let bound: Result<Vec<_>, _> = settings.listen.iter().map(|address| bind("the desk", *address)).collect();
        let (listeners, addresses) = bound?.into_iter().unzip();
        Ok(Bound { settings, listeners, addresses })
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
        if let Some(url) = &self.settings.url {
            return vec![url.clone()];
        }
        let scheme = if self.settings.tls == Tls::Clear { "http" } else { "https" };
        let at = |host: String, port| Origin { scheme: scheme.to_owned(), host, port }.to_string();
        let names = self.settings.names.iter().map(|n| n.to_ascii_lowercase());
        let mut all: Vec<String> =
            names.flat_map(|n| self.addresses.iter().map(move |a| (n.clone(), a.port()))).map(|(n, p)| at(n, p)).collect();
        for address in &self.addresses {
            let here = address.ip().is_loopback() || address.ip().is_unspecified();
            all.extend(here.then(|| at("localhost".to_owned(), address.port())));
            all.extend((!address.ip().is_unspecified()).then(|| at(address.ip().to_string(), address.port())));
        }
        all.dedup();
        all
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// What is wrong with a certificate, a file of authorities, or the machine, and what to do.
    pub fn start(self, backend: Arc<dyn Backend>, desk: Arc<Desk>, clock: Arc<dyn Clock>, tasks: &Tasks) -> Result<Running, String> {
        let certificates = Arc::new(Certificates::default());
        let asks_others = matches!(self.settings.tls, Tls::Acme { .. }) || !desk.settings().providers.is_empty();
        let client = asks_others.then(|| Client::new(&self.settings.ca_file)).transpose()?;
        let (keeper, fingerprint) = self.keeper(&certificates, client.as_ref(), clock.as_ref())?;
        let tls = if self.settings.tls == Tls::Clear { None } else { Some(acceptor(&certificates)?) };
        let url = self.origins().into_iter().next().unwrap_or_default();
        let secure = tls.is_some() || self.settings.url.is_some();
        let app = App(Arc::new(Shared {
            providers: Providers::new(&desk.settings().providers, client),
            backend,
            desk,
            clock,
            work: Pool::new(WORK, WORK_WAITS),
            sign_ins: Pool::new(SIGN_INS, SIGN_INS_WAIT),
            exports: Pool::new(EXPORTS, 0),
            statements: Pool::new(STATEMENTS, 0),
            rates: Rates::default(),
            ready: AtomicU8::new(0),
            metrics: Metrics::default(),
            notices: Arc::new(Notices::default()),
            names: Names::new(&self.names(), secure, self.settings.url.is_some()),
            version: self.settings.version.clone(),
            times: self.settings.times,
        }));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            // Names are looked up on such threads too.
            .max_blocking_threads(WORK + SIGN_INS + EXPORTS + STATEMENTS + 8)
            .build()
            .map_err(|e| format!("no runtime for the desk: {e}"))?;
        let listeners: Vec<Listener> = self.listeners.into_iter().map(|l| (l, tls.clone())).collect();
        let body = move |stop: &Stop| {
            runtime.block_on(run(listeners, app, (keeper, certificates), stop));
            runtime.shutdown_timeout(Duration::from_millis(STOP_MS));
        };
        tasks.spawn("desk", body).map_err(|e| format!("no thread for the desk: {e}"))?;
        Ok(Running { addresses: self.addresses, url, fingerprint })
    }

    /// The configured names, and that of the URL.
    fn names(&self) -> Vec<String> {
        let url = self.settings.url.as_deref().and_then(Origin::parse).map(|o| o.host);
        self.settings.names.iter().cloned().chain(url).collect()
    }

    fn keeper(&self, certificates: &Certificates, client: Option<&Client>, clock: &dyn Clock) -> Result<(Keeper, Option<String>), String> {
        let settings = &self.settings;
        let names = own::names(&settings.names, &settings.listen);
        match &settings.tls {
            Tls::Clear => Ok((Keeper::Nobody, None)),
            Tls::Own => {
                let (certified, fingerprint) = own::ensure(&settings.folder, &names, clock.now())?;
                certificates.show(certified);
                Ok((Keeper::Nobody, Some(fingerprint)))
            }
            Tls::Files { certificate, key } => {
                let (files, certified) = Files::open(certificate.clone(), key.clone())?;
                certificates.show(certified);
                Ok((Keeper::Files(files), None))
            }
            Tls::Acme { directory, contact } => {
                let client = client.ok_or("there is no client to ask the ACME authority with")?.clone();
                // Until the authority has given one; what is kept replaces it at once.
                certificates.show(own::temporary(&names, clock.now())?);
                let wanted = Wanted {
                    directory: directory.clone(),
                    contact: contact.clone(),
                    names: settings.names.clone(),
                    folder: settings.folder.clone(),
                };
                Ok((Keeper::Acme(Box::new(Acme::open(wanted, client, certificates)?)), None))
            }
        }
    }
}

/// All routes, with what every request passes.
fn router(app: &App) -> Router {
    routes::all()
        .router(app)
        .fallback(console::serve)
        .method_not_allowed_fallback(console::other_method)
        .layer(from_fn_with_state(app.clone(), outer))
        .with_state(app.clone())
}

/// The thread.
async fn run(listeners: Vec<Listener>, app: App, (keeper, certificates): (Keeper, Arc<Certificates>), stop: &Stop) {
    let keeping = tokio::spawn(keep(keeper, certificates, app.clone()));
    let ticking = tokio::spawn(tick(app.clone()));
    let caps = Caps { connections: CONNECTIONS, handshake: app.times.handshake };
    serve(listeners, DeskTalk::new(router(&app), app), caps, stop, || ()).await;
    keeping.abort();
    ticking.abort();
}

/// Ends what has ended in the desk.
async fn tick(app: App) {
    loop {
        sleep(Duration::from_millis(DESK_TICK_MS)).await;
        let now = app.now();
        // What could not be made durable is due at the next tick again.
        let _ = app.run(move |app| app.desk.tick(now)).await;
    }
}

/// Looks after the certificate.
async fn keep(keeper: Keeper, certificates: Arc<Certificates>, app: App) {
    match keeper {
        Keeper::Nobody => {}
        Keeper::Files(mut files) => loop {
            sleep(app.times.files).await;
            let (certificates, looking) = (Arc::clone(&certificates), app.clone());
            let looked = spawn_blocking(move || {
                files.look(&certificates, &looking.notices, looking.now());
                files
            });
            let Ok(looked) = looked.await else { return };
            files = looked;
        },
        Keeper::Acme(mut acme) => loop {
            if acme.due() <= app.now() {
                acme.renew(&certificates, &app.notices, app.now()).await;
            }
            sleep(app.times.acme).await;
        },
    }
}
