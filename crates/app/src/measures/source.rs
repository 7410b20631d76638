//! What every source does as a measure: it starts with its settings, listens somewhere, and stops with its threads.

use std::sync::Mutex;

use weir_base::task::lock;
use weir_measure::{Context, Description, DrillContext, DrillOutcome, DrillResult, Health, Measure, StartError, State};

use super::register::{Listens, health_of};
use crate::ports::Ports;

/// A source of records.
pub trait Source: Send + Sync {
    /// What it keeps while it runs: where it listens, if it does.
    type Running: Send;

    /// What it states about itself.
    fn describe(&self) -> Description;

    /// Starts it. Gives what to say of it while it is well, and what it keeps.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn start(&self, context: &Context) -> Result<(&'static str, Self::Running), String>;

    /// Adds where it listens, with the ports the kernel chose.
    fn ports(&self, _running: &Self::Running, _ports: &mut Ports) {}
}

/// A source as a measure.
pub struct Collect<S: Source> {
    source: S,
    running: Mutex<Option<(Context, S::Running)>>,
}

impl<S: Source> Collect<S> {
    /// A measure that does not run yet.
    pub fn new(source: S) -> Collect<S> {
        Collect { source, running: Mutex::new(None) }
    }
}

impl<S: Source> Measure for Collect<S> {
    fn describe(&self) -> Description {
        self.source.describe()
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let (well, running) = self.source.start(context).map_err(StartError)?;
        *lock(&self.running) = Some((context.clone(), running));
        context.health.set(State::Running, well, context.clock.now());
        Ok(())
    }

    fn health(&self) -> Health {
        health_of(lock(&self.running).as_ref().map(|(context, _)| context))
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let now = context.clock.now();
        let mut drill = DrillResult::begin(now);
        drill.step(&format!("no drill of {} exists yet", self.source.describe().name), DrillOutcome::NotDone, now);
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

impl<S: Source> Listens for Collect<S> {
    fn ports(&self, ports: &mut Ports) {
        if let Some((_, running)) = lock(&self.running).as_ref() {
            self.source.ports(running, ports);
        }
    }
}
