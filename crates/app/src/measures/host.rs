//! The logs of the machine Weir runs on as a measure.

use weir_measure::{Context, Description, Title};
use weir_record::Kind;
use weir_sources::host;
use weir_sources::host::config::Settings;

use super::source::Source;

/// The source.
pub struct Host {
    settings: Settings,
}

impl Host {
    /// A source with these settings.
    pub fn new(settings: &Settings) -> Host {
        Host { settings: settings.clone() }
    }
}

impl Source for Host {
    type Running = ();

    fn describe(&self) -> Description {
        Description {
            name: "host",
            title: Title { en: "Maintenance logs and sign-ins of the machine Weir runs on", zh: "本机系统维护日志与登录记录" },
            obligations: &["7.3"],
            kinds: &[
                Kind::Maintenance,
                Kind::MaintenanceText,
                Kind::Authentication,
                Kind::NatEvent,
                Kind::RadiusSession,
                Kind::Binding,
                Kind::Gap,
            ],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        host::start(&self.settings, &context.sink, &context.ids, &context.clock, &context.tasks)?;
        Ok(("follows the logs of this machine", ()))
    }
}
