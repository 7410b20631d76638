//! Application events as a measure.

use weir_measure::{Context, Description, Resource, Title};
use weir_record::Kind;
use weir_sources::events::config::Settings;
use weir_sources::events::server::{Needs, Server, Times};

use super::source::Source;
use crate::ports::Ports;

/// The source.
pub struct Events {
    settings: Settings,
}

impl Events {
    /// A source with these settings.
    pub fn new(settings: &Settings) -> Events {
        Events { settings: settings.clone() }
    }
}

impl Source for Events {
    type Running = Server;

    fn describe(&self) -> Description {
        Description {
            name: "events",
            title: Title { en: "Sign-ins of applications' users", zh: "应用系统用户登录、退出记录" },
            obligations: &["7.3"],
            kinds: &[Kind::Authentication, Kind::Binding, Kind::Malformed, Kind::Raw],
            holds: self.settings.clear.iter().chain(&self.settings.tls).map(|a| Resource::Tcp(*a)).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String> {
        let needs = Needs { sink: &context.sink, ids: &context.ids, clock: &context.clock, tasks: context.tasks.as_ref() };
        let server = Server::start(self.settings.clone(), Times::default(), &needs)?;
        Ok(("takes events in", server))
    }

    fn ports(&self, server: &Self::Running, ports: &mut Ports) {
        ports.events.extend(&server.clear);
        ports.events_tls.extend(&server.tls);
    }
}
