//! RADIUS accounting as a measure.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, Resource, StartError, State, Title};
use weir_record::Kind;
use weir_sources::radius::clients::Clients;
use weir_sources::radius::config::Settings;
use weir_sources::radius::follow;
use weir_sources::radius::server::Server;

use crate::fail::Failure;

/// The measure.
pub struct Radius {
    settings: Settings,
    clients: Clients,
    running: Mutex<Option<(Context, Vec<SocketAddr>)>>,
}

impl Radius {
    /// Reads the secrets of the clients; those that were made lie in `secrets` then.
    pub fn new(settings: &Settings, data: &Path, secrets: &mut Vec<PathBuf>) -> Result<Radius, Failure> {
        let failed = |all: Vec<String>| Failure::new(all.join("\n"), "mend the secret files named above, then start again");
        let mut settings = settings.clone();
        let loopback = |c: &weir_sources::radius::config::ClientSettings| c.prefixes.iter().all(|p| p.addr.ip().is_loopback());
        let unnamed: Vec<usize> =
            (0..settings.clients.len()).filter(|i| settings.clients.get(*i).is_some_and(|c| c.secret_file.is_none())).collect();
        // All senders on this machine share one secret: they can read each other's anyway.
        if let Some(first) = unnamed.iter().find(|i| settings.clients.get(**i).is_some_and(loopback)).copied() {
            let mut one = settings.clone();
            one.clients = settings.clients.get(first).cloned().into_iter().collect();
            let (_, made) = one.load_clients(data).map_err(failed)?;
            for c in settings.clients.iter_mut().filter(|c| c.secret_file.is_none() && loopback(c)) {
                c.secret_file = made.first().cloned();
            }
            secrets.extend(made);
        }
        let (clients, made) = settings.load_clients(data).map_err(failed)?;
        secrets.extend(made);
        Ok(Radius { settings, clients, running: Mutex::new(None) })
    }
}

impl Measure for Radius {
    fn describe(&self) -> Description {
        let sockets = self.settings.listen.iter().map(|a| Resource::Udp(*a));
        let files = self.settings.detail.iter().filter(|d| d.delete).map(|d| Resource::File(d.path.clone()));
        Description {
            name: "radius",
            title: Title { en: "Login and logout records from RADIUS accounting", zh: "RADIUS 计费登录与退出记录" },
            obligations: &["7.3", "8.2", "10.3"],
            kinds: &[Kind::RadiusSession, Kind::Binding, Kind::NatEvent, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: sockets.chain(files).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let (sink, ids, clock) = (context.sink.clone(), context.ids.clone(), context.clock.clone());
        let server = Server::start(&self.settings, self.clients.clone(), sink.clone(), ids.clone(), clock.clone(), &context.tasks);
        let server = server.map_err(StartError)?;
        follow::start(&self.settings, &sink, &ids, &clock, &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), server.addresses().to_vec()));
        context.health.set(State::Running, "takes accounting in", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref().map(|(context, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of RADIUS accounting exists yet", DrillOutcome::NotDone, now);
        drill
    }

    fn stop(&self) {
        if let Some((context, _)) = lock(&self.running).take() {
            context.tasks.stop().raise();
            context.tasks.join();
            context.health.set(State::Stopped, "stopped", context.clock.now());
        }
    }
}

impl super::register::Listens for Radius {
    fn ports(&self, ports: &mut crate::ports::Ports) {
        if let Some((_, addresses)) = lock(&self.running).as_ref() {
            ports.radius.extend(addresses);
        }
    }
}
