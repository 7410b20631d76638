//! Deterministic NAT as a measure: it records the configurations; look-ups compute from them.

use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, StartError, State, Title};
use weir_record::Kind;
use weir_sources::detnat::config::Settings;
use weir_sources::detnat::history;

/// The measure.
pub struct Detnat {
    settings: Settings,
    running: Mutex<Option<Context>>,
}

impl Detnat {
    /// A measure with these settings.
    pub fn new(settings: &Settings) -> Detnat {
        Detnat { settings: settings.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Detnat {
    fn describe(&self) -> Description {
        Description {
            name: "detnat",
            title: Title { en: "Deterministic NAT from dated configurations", zh: "确定性地址转换（按配置计算）" },
            obligations: &["8.2", "10.3"],
            kinds: &[Kind::NatConfig],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        history::record(&self.settings, &context.sink, context.clock.now()).map_err(StartError)?;
        *lock(&self.running) = Some(context.clone());
        context.health.set(State::Running, "its configurations are recorded", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref())
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of deterministic NAT exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for Detnat {
    fn ports(&self, _: &mut crate::ports::Ports) {}
}
