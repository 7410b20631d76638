//! IPFIX and NetFlow v9 as a measure.

use std::net::SocketAddr;

use weir_base::crypto::Secret;
use weir_measure::{Context, Description, Resource, Title};
use weir_record::Kind;
use weir_sources::ipfix::config::Settings;
use weir_sources::ipfix::server::Server;

use super::source::Source;
use crate::ports::Ports;

/// The source.
pub struct Ipfix {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
}

impl Ipfix {
    /// A source with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Ipfix {
        Ipfix { settings: settings.clone(), key: key.clone() }
    }
}

impl Source for Ipfix {
    type Running = (Vec<SocketAddr>, Vec<SocketAddr>);

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

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let server = Server::start(self.settings.clone(), &context.sink, &context.clock, Some(&self.key), &context.tasks)?;
        Ok(("takes NAT events in", (server.udp().to_vec(), server.tcp().to_vec())))
    }

    fn ports(&self, (udp, tcp): &Self::Running, ports: &mut Ports) {
        ports.ipfix_udp.extend(udp);
        ports.ipfix_tcp.extend(tcp);
    }
}
