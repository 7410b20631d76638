//! H3C's binary flow log as a measure.

use std::net::SocketAddr;

use weir_base::crypto::Secret;
use weir_measure::{Context, Description, Resource, Title};
use weir_record::Kind;
use weir_sources::h3c::config::Settings;
use weir_sources::h3c::server;

use super::source::Source;
use crate::ports::Ports;

/// The source.
pub struct H3c {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
}

impl H3c {
    /// A source with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> H3c {
        H3c { settings: settings.clone(), key: key.clone() }
    }
}

impl Source for H3c {
    type Running = Vec<SocketAddr>;

    fn describe(&self) -> Description {
        Description {
            name: "h3c",
            title: Title { en: "NAT mappings from H3C's binary flow log", zh: "H3C 二进制流日志地址转换记录" },
            obligations: &["8.2", "8.3", "10.3"],
            kinds: &[Kind::NatEvent, Kind::NatMapping, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: self.settings.udp.iter().map(|a| Resource::Udp(*a)).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let bound = server::start(self.settings.clone(), &context.sink, &context.clock, Some(&self.key), &context.tasks)?;
        Ok(("takes NAT events in", bound))
    }

    fn ports(&self, bound: &Self::Running, ports: &mut Ports) {
        ports.h3c_udp.extend(bound);
    }
}
