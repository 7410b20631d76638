//! Syslog as a measure.

use std::sync::Mutex;

use weir_base::crypto::Secret;
use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, Resource, StartError, State, Title};
use weir_record::Kind;
use weir_sources::syslog::config::Settings;
use weir_sources::syslog::server::{Needs, Server};

/// The measure.
pub struct Syslog {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
    running: Mutex<Option<(Context, Server)>>,
}

impl Syslog {
    /// A measure with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Syslog {
        Syslog { settings: settings.clone(), key: key.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Syslog {
    fn describe(&self) -> Description {
        let s = &self.settings;
        let tcp = s.tcp.iter().chain(&s.tls).chain(&s.relp).map(|a| Resource::Tcp(*a));
        Description {
            name: "syslog",
            title: Title {
                en: "Maintenance logs, sign-ins, NAT mappings and leases from syslog",
                zh: "系统维护日志、登录、地址转换与租约 (syslog)",
            },
            obligations: &["7.3", "8.2", "10.3"],
            kinds: &[
                Kind::Maintenance,
                Kind::MaintenanceText,
                Kind::Authentication,
                Kind::NatEvent,
                Kind::RadiusSession,
                Kind::Binding,
                Kind::Gap,
                Kind::Malformed,
                Kind::Raw,
            ],
            holds: s.udp.iter().map(|a| Resource::Udp(*a)).chain(tcp).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let needs =
            Needs { sink: &context.sink, ids: &context.ids, clock: &context.clock, key: Some(&self.key), tasks: context.tasks.as_ref() };
        let server = Server::start(self.settings.clone(), &needs).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), server));
        context.health.set(State::Running, "takes lines in", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref().map(|(context, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of syslog exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for Syslog {
    fn ports(&self, ports: &mut crate::ports::Ports) {
        if let Some((_, server)) = lock(&self.running).as_ref() {
            ports.syslog_udp.extend(&server.udp);
            ports.syslog_tcp.extend(&server.tcp);
            ports.syslog_tls.extend(&server.tls);
            ports.syslog_relp.extend(&server.relp);
        }
    }
}
