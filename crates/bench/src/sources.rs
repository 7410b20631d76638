//! The sources under measurement, started as `weir` starts them.

use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use std::io::Write;

use weir_base::clock::Clock;
use weir_base::task::Tasks;
use weir_identity::Identity;
use weir_record::sink::{Done, Group, RecordSink, SinkError, SourceDesc, SourceHandle, SubjectIds};
use weir_sources::{ipfix, radius, syslog};
use weir_store::engine::Store;

use crate::shared::Outcome;

/// Owner of the identity index in the store's state.
const IDENTITY: &str = "identity";
/// The secret that the measured NASes share with us.
pub const SECRET: &str = "a secret for measuring only";

/// One exporter, and a network of them; the times in the corpus are those of its making, so the exporter's clock is not judged by them.
const IPFIX: &str = r#"
listen = ["127.0.0.1:0"]
[[exporters]]
name = "nat"
prefix = "127.0.0.11"
realm = "bench"
profile = "rfc8158"
clock = "trust"
[[exporters]]
prefix = "127.1.0.0/16"
realm = "bench"
profile = "rfc8158"
clock = "trust"
"#;
/// Keeps the remote ends of sessions.
pub const KEPT: &str = "[[remotes]]\nfrom = \"2000-01-01\"\npolicy = \"keep\"\n";
const SYSLOG: &str = "listen_tcp = [\"127.0.0.1:0\"]\nrealm = \"bench\"\n";

/// The IPFIX source's settings, and what is added to them.
pub fn ipfix_settings(more: &str) -> Outcome<ipfix::config::Settings> {
    let config: ipfix::config::Config = toml::from_str(&format!("{IPFIX}{more}"))?;
    Ok(config.check().map_err(|problems| format!("{problems:?}"))?)
}

/// The syslog source's settings.
pub fn syslog_settings() -> Outcome<syslog::config::Settings> {
    let config: syslog::config::Config = toml::from_str(SYSLOG)?;
    Ok(config.check().map_err(|problems| format!("{problems:?}"))?)
}

/// Index entries of new ids ride in the group that carries their bindings, as they do in `weir`.
struct Front {
    store: Arc<Store>,
    identity: Arc<Identity>,
}

impl Front {
    fn prepare(&self, mut group: Group, done: Done) -> (Group, Done) {
        if group.bindings.is_empty() {
            return (group, done);
        }
        let puts = self.identity.puts_for(&group.bindings);
        group.other_state.extend(puts.into_iter().map(|put| (IDENTITY.to_owned(), put)));
        let (identity, bindings) = (Arc::clone(&self.identity), group.bindings.clone());
        let confirmed: Done = Box::new(move |result| {
            if result.is_ok() {
                identity.confirm(&bindings);
            }
            done(result);
        });
        (group, confirmed)
    }
}

impl RecordSink for Front {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        self.store.register(desc)
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        self.store.realm(name)
    }

    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.store.state(owner)
    }

    fn submit(&self, group: Group, done: Done) {
        let (group, done) = self.prepare(group, done);
        self.store.submit(group, done);
    }

    fn try_submit(&self, group: Group, done: Done) {
        let (group, done) = self.prepare(group, done);
        self.store.try_submit(group, done);
    }
}

/// What sources hand their groups to, and what gives out ids.
pub fn front(store: &Arc<Store>) -> Outcome<(Arc<dyn RecordSink>, Arc<dyn SubjectIds>)> {
    let identity = Arc::new(Identity::open(&store.identity_key()?, store.state(IDENTITY))?);
    let ids: Arc<dyn SubjectIds> = Arc::clone(&identity) as Arc<dyn SubjectIds>;
    Ok((Arc::new(Front { store: Arc::clone(store), identity }), ids))
}

/// Where they listen.
pub struct Listening {
    /// NAT events over IPFIX, UDP.
    pub ipfix: SocketAddr,
    /// RADIUS accounting, UDP.
    pub radius: SocketAddr,
    /// Log lines, TCP.
    pub syslog: SocketAddr,
}

/// Starts all three under `tasks`.
pub fn start(store: &Arc<Store>, data: &Path, clock: &Arc<dyn Clock>, tasks: &Tasks) -> Outcome<Listening> {
    let (sink, ids) = front(store)?;
    let remotes = if std::env::var_os(crate::serve::REMOTES).is_some() { KEPT } else { "" };
    let ipfix = ipfix::server::Server::start(ipfix_settings(remotes)?, &sink, clock, None, tasks)?;
    let radius = start_radius(data, &sink, &ids, clock, tasks)?;
    let settings = syslog_settings()?;
    let needs = syslog::server::Needs { sink: &sink, ids: &ids, clock, key: None, tasks };
    let syslog = syslog::server::Server::start(settings, &needs)?;
    let first = |all: &[SocketAddr]| all.first().copied().ok_or("a source does not listen");
    Ok(Listening { ipfix: first(ipfix.udp())?, radius: first(radius.addresses())?, syslog: first(&syslog.tcp)? })
}

fn start_radius(
    data: &Path,
    sink: &Arc<dyn RecordSink>,
    ids: &Arc<dyn SubjectIds>,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Outcome<radius::server::Server> {
    let secret = data.join("bench-secret");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&secret)?;
    writeln!(file, "{SECRET}")?;
    let client = radius::config::ClientConfig {
        addresses: vec!["127.0.0.0/8".to_owned()],
        secret_file: Some(secret),
        ..radius::config::ClientConfig::default()
    };
    let bounded = std::env::var_os(crate::serve::MEMORY).is_some();
    let config = radius::config::Config {
        listen: vec!["127.0.0.1:0".to_owned()],
        // Where memory is what is measured, as many as the program remembers by itself.
        sessions_max: if bounded { radius::config::Config::default().sessions_max } else { 1_000_000 },
        clients: vec![client],
        ..radius::config::Config::default()
    };
    let settings = config.check().map_err(|problems| format!("{problems:?}"))?;
    let (clients, _) = settings.load_clients(data).map_err(|all| all.join("; "))?;
    let (sink, ids, clock) = (Arc::clone(sink), Arc::clone(ids), Arc::clone(clock));
    Ok(radius::server::Server::start(&settings, clients, sink, ids, clock, tasks)?)
}
