//! IPFIX and NetFlow v9 as a measure.

use std::net::SocketAddr;
use std::sync::Mutex;

use weir_base::crypto::Secret;
use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, Resource, StartError, State, Title};
use weir_record::Kind;
use weir_sources::ipfix::config::Settings;
use weir_sources::ipfix::server::Server;

/// Where it runs: its context, and the UDP and TCP addresses it listens on.
type Running = (Context, Vec<SocketAddr>, Vec<SocketAddr>);

/// The measure.
pub struct Ipfix {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
    running: Mutex<Option<Running>>,
}

impl Ipfix {
    /// A measure with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Ipfix {
        Ipfix { settings: settings.clone(), key: key.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Ipfix {
    fn describe(&self) -> Description {
        let udp = self.settings.udp.iter().map(|a| Resource::Udp(*a));
        let tcp = self.settings.tcp.iter().map(|a| Resource::Tcp(*a));
        Description {
            name: "ipfix",
            title: Title { en: "NAT mappings from IPFIX and NetFlow v9", zh: "IPFIX / NetFlow v9 地址转换记录" },
            obligations: &["8.2", "8.3", "10.3"],
            kinds: &[Kind::NatEvent, Kind::NatMapping, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: udp.chain(tcp).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let server =
            Server::start(self.settings.clone(), &context.sink, &context.clock, Some(&self.key), &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), server.udp().to_vec(), server.tcp().to_vec()));
        context.health.set(State::Running, "takes NAT events in", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref().map(|(context, _, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of NAT events exists yet", DrillOutcome::NotDone, now);
        drill
    }

    fn stop(&self) {
        if let Some((context, _, _)) = lock(&self.running).take() {
            context.tasks.stop().raise();
            context.tasks.join();
            context.health.set(State::Stopped, "stopped", context.clock.now());
        }
    }
}

impl super::register::Listens for Ipfix {
    fn ports(&self, ports: &mut crate::ports::Ports) {
        if let Some((_, udp, tcp)) = lock(&self.running).as_ref() {
            ports.ipfix_udp.extend(udp);
            ports.ipfix_tcp.extend(tcp);
        }
    }
}
