//! The kernel's connection tracking as a measure.

use weir_base::crypto::Secret;
use weir_measure::{Context, Description, Title};
use weir_record::Kind;
use weir_sources::conntrack::config::Settings;
use weir_sources::conntrack::watch;

use super::source::Source;

/// The source.
pub struct Conntrack {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
}

impl Conntrack {
    /// A source with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Conntrack {
        Conntrack { settings: settings.clone(), key: key.clone() }
    }
}

impl Source for Conntrack {
    type Running = ();

    fn describe(&self) -> Description {
        Description {
            name: "conntrack",
            title: Title { en: "NAT mappings of Linux machines from the kernel", zh: "Linux 内核连接跟踪地址转换记录" },
            obligations: &["8.2", "8.3", "10.3"],
            kinds: &[Kind::NatEvent, Kind::NatMapping, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        watch::start(&self.settings, &context.sink, &context.clock, Some(&self.key), &context.tasks)?;
        Ok(("hears the kernel", ()))
    }
}
