//! Syslog as a measure.

use weir_base::crypto::Secret;
use weir_measure::{Context, Description, Resource, Title};
use weir_record::Kind;
use weir_sources::syslog::config::Settings;
use weir_sources::syslog::server::{Needs, Server};

use super::source::Source;
use crate::ports::Ports;

/// The source.
pub struct Syslog {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
}

impl Syslog {
    /// A source with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Syslog {
        Syslog { settings: settings.clone(), key: key.clone() }
    }
}

impl Source for Syslog {
    type Running = Server;

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

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let needs =
            Needs { sink: &context.sink, ids: &context.ids, clock: &context.clock, key: Some(&self.key), tasks: context.tasks.as_ref() };
        let server = Server::start(self.settings.clone(), &needs)?;
        Ok(("takes lines in", server))
    }

    fn ports(&self, server: &Self::Running, ports: &mut Ports) {
        ports.syslog_udp.extend(&server.udp);
        ports.syslog_tcp.extend(&server.tcp);
        ports.syslog_tls.extend(&server.tls);
        ports.syslog_relp.extend(&server.relp);
    }
}
