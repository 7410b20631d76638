//! RADIUS accounting as a measure.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use weir_measure::{Context, Description, Resource, Title};
use weir_record::Kind;
use weir_sources::radius::clients::Clients;
use weir_sources::radius::config::Settings;
use weir_sources::radius::follow;
use weir_sources::radius::server::Server;

use super::source::Source;
use crate::fail::Failure;
use crate::ports::Ports;

/// The source.
pub struct Radius {
    settings: Settings,
    clients: Clients,
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
        Ok(Radius { settings, clients })
    }
}

impl Source for Radius {
    type Running = Vec<SocketAddr>;

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

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let (sink, ids, clock) = (context.sink.clone(), context.ids.clone(), context.clock.clone());
        let server = Server::start(&self.settings, self.clients.clone(), sink.clone(), ids.clone(), clock.clone(), &context.tasks);
        let server = server?;
        follow::start(&self.settings, &sink, &ids, &clock, &context.tasks)?;
        Ok(("takes accounting in", server.addresses().to_vec()))
    }

    fn ports(&self, addresses: &Self::Running, ports: &mut Ports) {
        ports.radius.extend(addresses);
    }
}
