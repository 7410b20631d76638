//! DHCP leases, from files and from interfaces, as a measure.

use weir_measure::{Context, Description, Title};
use weir_record::Kind;
use weir_sources::dhcp::book::Needs;
use weir_sources::dhcp::config::Settings;
use weir_sources::dhcp::{capture, follow};

use super::source::Source;

/// The source.
pub struct Dhcp {
    settings: Settings,
}

impl Dhcp {
    /// A source with these settings.
    pub fn new(settings: &Settings) -> Dhcp {
        Dhcp { settings: settings.clone() }
    }
}

impl Source for Dhcp {
    type Running = ();

    fn describe(&self) -> Description {
        Description {
            name: "dhcp",
            title: Title { en: "Address leases from DHCP servers", zh: "DHCP 地址租约记录" },
            obligations: &["7.3", "10.3"],
            kinds: &[Kind::RadiusSession, Kind::Binding, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let (sink, ids, clock) = (context.sink.clone(), context.ids.clone(), context.clock.clone());
        let needs = Needs { sink, ids, clock };
        follow::start(&self.settings, &needs, &context.tasks)?;
        capture::start(&self.settings, &needs, &context.tasks)?;
        Ok(match (self.settings.files.is_empty(), self.settings.captures.is_empty()) {
            (false, true) => ("follows the lease files", ()),
            (true, _) => ("listens for acknowledgements", ()),
            (false, false) => ("follows the lease files and listens for acknowledgements", ()),
        })
    }
}
