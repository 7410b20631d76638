//! DHCP lease files as a measure.

use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, StartError, State, Title};
use weir_record::Kind;
use weir_sources::dhcp::config::Settings;
use weir_sources::dhcp::follow;

/// The measure.
pub struct Dhcp {
    settings: Settings,
    running: Mutex<Option<Context>>,
}

impl Dhcp {
    /// A measure with these settings.
    pub fn new(settings: &Settings) -> Dhcp {
        Dhcp { settings: settings.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Dhcp {
    fn describe(&self) -> Description {
        Description {
            name: "dhcp",
            title: Title { en: "Address leases from DHCP servers", zh: "DHCP 地址租约记录" },
            obligations: &["7.3", "10.3"],
            kinds: &[Kind::RadiusSession, Kind::Binding, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        follow::start(&self.settings, &context.sink, &context.ids, &context.clock, &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some(context.clone());
        context.health.set(State::Running, "follows the lease files", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref())
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of DHCP leases exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for Dhcp {
    fn ports(&self, _: &mut crate::ports::Ports) {}
}
