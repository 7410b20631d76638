//! The desk as configured: persons and accounts from the store's state, the HTTP side on threads of its own, and the link that makes the first account.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use weir_base::clock::Clock;
use weir_base::task::{Stop, Tasks};
use weir_identity::desk::{self as people, Cost, Desk, Origin, Provider};
use weir_record::kinds::OperatorAction;
use weir_record::sink::RecordSink;
use weir_web::backend::Backend;
use weir_web::settings::Times;
use weir_web::{Bound, Running, Server};

use super::Office;
use crate::ask::DEMO_ORIGIN;
use crate::config::{DeskSettings, ProviderSettings, Settings};
use crate::fail::Failure;

/// The file with the link that makes the first account.
pub const LINK: &str = "desk-link";
/// The folder for the desk's certificate and ACME account.
const FOLDER: &str = "desk";

/// Sockets that are bound, and the accounts.
pub struct Prepared {
    /// Persons, accounts, sessions, approvals.
    pub desk: Arc<Desk>,
    bound: Bound,
}

/// A desk that runs.
pub struct Started {
    /// Where it listens.
    pub running: Running,
    /// Its accounts.
    pub desk: Arc<Desk>,
    tasks: Tasks,
}

/// What the HTTP side is told, for a data folder.
pub fn web_settings(settings: &DeskSettings, data: &Path) -> weir_web::Settings {
    weir_web::Settings {
        listen: settings.listen.clone(),
        tls: settings.tls.clone(),
        names: settings.names.clone(),
        url: settings.url.clone(),
        folder: data.join(FOLDER),
        ca_file: settings.ca_file.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        times: Times::default(),
    }
}

/// What is wrong with the files that the configuration of the desk names.
pub fn check_files(settings: &DeskSettings, data: &Path) -> Vec<String> {
    if !settings.enabled {
        return Vec::new();
    }
    let mut out: Vec<String> = weir_web::check_files(&web_settings(settings, data)).into_iter().collect();
    out.extend(settings.providers.iter().enumerate().filter_map(|(i, p)| {
        let why = secret(p).err()?;
        Some(format!("desk.providers[{i}].client_secret_file {why}"))
    }));
    out
}

/// What the HTTP side has against settings that are otherwise right.
pub fn check_settings(settings: &DeskSettings, data: &Path) -> Vec<String> {
    if settings.enabled { weir_web::wrong(&web_settings(settings, data)) } else { Vec::new() }
}

fn secret(provider: &ProviderSettings) -> Result<String, String> {
    let Some(file) = &provider.secret_file else { return Ok(String::new()) };
    let bytes = weir_listen::pem::read(file, true)?;
    String::from_utf8(bytes)
        .map(|t| t.trim().to_owned())
        .map_err(|_| format!("{} is not text: write the secret that the provider gave into it, and nothing else", file.display()))
}

fn failed(what: impl Into<String>) -> Failure {
    Failure::sentence(what.into())
}

/// Persons, accounts and approvals, from the store's state. They are there with the console off too: what needs two persons, and what is written
/// into the ledger, is the same then.
///
/// # Errors
/// The state is not understood.
pub fn people(
    settings: &Settings,
    origins: Vec<Origin>,
    providers: Vec<Provider>,
    sink: &Arc<dyn RecordSink>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Desk>, Failure> {
    let own = people::Settings {
        origins,
        providers,
        idle_ms: settings.desk.idle_ms,
        session_ms: settings.desk.session_ms,
        cost: Cost::default(),
        title: settings.origin.clone(),
        demo: settings.origin == DEMO_ORIGIN,
        ..people::Settings::default()
    };
    Desk::open(Arc::clone(sink), own, clock.now()).map(Arc::new).map_err(|e| failed(e.to_string()))
}

impl Prepared {
    /// Binds the sockets and reads the accounts; none when the desk is switched off.
    ///
    /// # Errors
    /// What could not be had; the program runs without the desk then.
    pub fn new(settings: &Settings, data: &Path, sink: &Arc<dyn RecordSink>, clock: &Arc<dyn Clock>) -> Result<Option<Prepared>, Failure> {
        if !settings.desk.enabled {
            return Ok(None);
        }
        let own = &settings.desk;
        let mut providers = Vec::new();
        for p in &own.providers {
            let secret = secret(p).map_err(failed)?;
            providers.push(Provider {
                name: p.name.clone(),
                title: p.title.clone(),
                issuer: p.issuer.clone(),
                client: p.client.clone(),
                secret,
            });
        }
        let bound = Server::bind(web_settings(own, data)).map_err(failed)?;
        let origins = bound.origins().iter().filter_map(|o| Origin::parse(o)).collect();
        Ok(Some(Prepared { desk: people(settings, origins, providers, sink, clock)?, bound }))
    }

    /// Starts the HTTP side. A fault in one of its threads ends the desk, is recorded, and ends nothing else.
    ///
    /// # Errors
    /// What could not be had.
    pub fn start(self, office: &Arc<Office>, clock: &Arc<dyn Clock>, told: &Sender<OperatorAction>) -> Result<Started, Failure> {
        let (told, at, rest) = (told.clone(), Arc::clone(clock), Stop::new());
        let raise = rest.clone();
        let tasks = Tasks::new(rest, move |end| {
            if end.panic.is_some() {
                let what =
                    Failure::new(format!("the thread {} of the desk failed: the desk is stopped, records go on", end.name), "start again");
                eprintln!("{} {}", at.now(), what.what);
                let _ = told.send(super::ended(at.now(), &what));
                raise.raise();
            }
        });
        let backend: Arc<dyn Backend> = Arc::clone(office) as Arc<dyn Backend>;
        let running = self.bound.start(backend, Arc::clone(&self.desk), Arc::clone(clock), &tasks).map_err(|e| {
            tasks.stop().raise();
            failed(e)
        })?;
        Ok(Started { running, desk: self.desk, tasks })
    }
}

impl Started {
    /// The link that makes the first account, while there is none.
    pub fn link(&self, clock: &dyn Clock) -> Option<String> {
        self.desk.setup_link(clock.now()).map(|token| format!("{}/#/welcome/{token}", self.running.url))
    }

    /// Writes the link for the owner's eyes alone, or takes the file away when there is nothing to make any more.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_link(&self, data: &Path, clock: &dyn Clock) -> Result<bool, Failure> {
        let path = data.join(LINK);
        let Some(link) = self.link(clock) else {
            let _ = fs::remove_file(&path);
            return Ok(false);
        };
        let tmp = data.join("desk-link.tmp");
        let write = || {
            let _ = fs::remove_file(&tmp);
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tmp)?;
            file.write_all(format!("{link}\n").as_bytes())?;
            fs::rename(&tmp, &path)
        };
        write()
            .map(|()| true)
            .map_err(|e| Failure::new(format!("{} cannot be written ({e})", path.display()), "make room in the data folder"))
    }

    /// Takes the link's file away once somebody used it.
    pub fn forget_link(&self, data: &Path) {
        if !self.desk.is_empty() {
            let _ = fs::remove_file(data.join(LINK));
        }
    }

    /// Stops the HTTP side and waits for it.
    pub fn stop(&self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}
