//! The kernel's connection tracking as a measure.

use std::sync::Mutex;

use weir_base::crypto::Secret;
use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, StartError, State, Title};
use weir_record::Kind;
use weir_sources::conntrack::config::Settings;
use weir_sources::conntrack::watch;

/// The measure.
pub struct Conntrack {
    settings: Settings,
    /// Fingerprints of remote ends, where a policy makes them.
    key: Secret,
    running: Mutex<Option<Context>>,
}

impl Conntrack {
    /// A measure with these settings.
    pub fn new(settings: &Settings, key: &Secret) -> Conntrack {
        Conntrack { settings: settings.clone(), key: key.clone(), running: Mutex::new(None) }
    }
}

impl Measure for Conntrack {
    fn describe(&self) -> Description {
        Description {
            name: "conntrack",
            title: Title { en: "NAT mappings of Linux machines from the kernel", zh: "Linux 内核连接跟踪地址转换记录" },
            obligations: &["8.2", "8.3", "10.3"],
            kinds: &[Kind::NatEvent, Kind::NatMapping, Kind::Gap, Kind::Malformed, Kind::Raw],
            holds: Vec::new(),
        }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        watch::start(&self.settings, &context.sink, &context.clock, Some(&self.key), &context.tasks).map_err(StartError)?;
        *lock(&self.running) = Some(context.clone());
        context.health.set(State::Running, "hears the kernel", context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        super::register::health_of(lock(&self.running).as_ref())
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step("no drill of connection tracking exists yet", DrillOutcome::NotDone, now);
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

impl super::register::Listens for Conntrack {
    fn ports(&self, _: &mut crate::ports::Ports) {}
}
