//! DHCP lease files as a measure.

use weir_measure::{Context, Description, Title};
use weir_record::Kind;
use weir_sources::dhcp::config::Settings;
use weir_sources::dhcp::follow;

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
        follow::start(&self.settings, &context.sink, &context.ids, &context.clock, &context.tasks)?;
        Ok(("follows the lease files", ()))
    }
}
