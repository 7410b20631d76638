//! The logs of the machine Weir runs on as a measure.

use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, StartError, State, Title};
use weir_record::Kind;
use weir_sources::host;
use weir_sources::host::config::Settings;

/// The measure.
pub struct Host {
    settings: Settings,
    running: Mutex<Option<Context>>,
}

impl Host {
    /// A measure with these settings.
    pub fn new(settings: &Settings) -> Host {
        Host { settings: settings.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Host {
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

    fn start(&self, context: &Context) -> Result<(), StartError> {
        host::start(&self.settings, &context.sink, &context.ids, &context.clock, &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some(context.clone());
        context.health.set(State::Running, "follows the logs of this machine", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref())
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of this machine's logs exists yet", DrillOutcome::NotDone, now);
        drill
    }

    fn stop(&self) {
        if let Some(context) = lock(&self.running).take() {
            context.tasks.stop().raise();
            context.tasks.join();
            context.health.set(State::Stopped, "stopped", context.clock.now());
        }
    }
}

impl super::register::Listens for Host {
    fn ports(&self, _: &mut crate::ports::Ports) {}
}
