//! H3C's binary flow log as a measure.

use std::net::SocketAddr;
use std::sync::Mutex;

use weir_base::crypto::Secret;
use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, Resource, StartError, State, Title};
use weir_record::Kind;
use weir_sources::h3c::config::Settings;
use weir_sources::h3c::server;

/// Where it runs: its context, and the addresses it listens on.
type Running = (Context, Vec<SocketAddr>);

/// The measure.
pub struct H3c {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
    running: Mutex<Option<Running>>,
}

impl H3c {
    /// A measure with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> H3c {
        H3c { settings: settings.clone(), key: key.clone(), running: Mutex::new(None) }
    }
}

impl Measure for H3c {
    fn describe(&self) -> Description {
        Description {
            name: "h3c",
            title: Title { en: "NAT mappings from H3C's binary flow log", zh: "H3C 二进制流日志地址转换记录" },
            obligations: &["8.2", "8.3", "10.3"],
            kinds: &[Kind::NatEvent, Kind::NatMapping, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: self.settings.udp.iter().map(|a| Resource::Udp(*a)).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let bound =
            server::start(self.settings.clone(), &context.sink, &context.clock, Some(&self.key), &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), bound));
        context.health.set(State::Running, "takes NAT events in", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref().map(|(context, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of flow logs exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for H3c {
    fn ports(&self, ports: &mut crate::ports::Ports) {
        if let Some((_, bound)) = lock(&self.running).as_ref() {
            ports.h3c_udp.extend(bound);
        }
    }
}
