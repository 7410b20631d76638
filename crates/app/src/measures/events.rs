//! Application events as a measure.

use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, Resource, StartError, State, Title};
use weir_record::Kind;
use weir_sources::events::config::Settings;
use weir_sources::events::server::{Needs, Server, Times};

/// The measure.
pub struct Events {
    settings: Settings,
    running: Mutex<Option<(Context, Server)>>,
}

impl Events {
    /// A measure with these settings.
    pub fn new(settings: &Settings) -> Events {
        Events { settings: settings.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Events {
    fn describe(&self) -> Description {
        Description {
            name: "events",
            title: Title { en: "Sign-ins of applications' users", zh: "应用系统用户登录、退出记录" },
            obligations: &["7.3"],
            kinds: &[Kind::Authentication, Kind::Binding, Kind::Malformed, Kind::Raw],
            holds: self.settings.clear.iter().chain(&self.settings.tls).map(|a| Resource::Tcp(*a)).collect(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let needs = Needs { sink: &context.sink, ids: &context.ids, clock: &context.clock, tasks: context.tasks.as_ref() };
        let server = Server::start(self.settings.clone(), Times::default(), &needs).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), server));
        context.health.set(State::Running, "takes events in", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref().map(|(context, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of application events exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for Events {
    fn ports(&self, ports: &mut crate::ports::Ports) {
        if let Some((_, server)) = lock(&self.running).as_ref() {
            ports.events.extend(&server.clear);
            ports.events_tls.extend(&server.tls);
        }
    }
}
