//! The trait.

use std::path::PathBuf;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::task::Tasks;
use weir_record::sink::{RecordSink, SubjectIds};

use crate::describe::Description;
use crate::drill::{DrillContext, DrillResult};
use crate::health::{Health, HealthCell};

/// What a measure is given when it starts.
#[derive(Clone)]
pub struct Context {
    /// Where its records go.
    pub sink: Arc<dyn RecordSink>,
    /// Account → opaque id.
    pub ids: Arc<dyn SubjectIds>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Its threads, and with them its stop flag. A group of its own, so that it can be stopped alone.
    pub tasks: Arc<Tasks>,
    /// Its health.
    pub health: Arc<HealthCell>,
    /// A folder of its own below the data folder. Nothing personal goes there in the clear.
    pub folder: PathBuf,
}

/// Why a measure did not start. The text names the key or file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// A protective measure: one running technical duty of the unit. Its configuration was read and checked before it was made.
pub trait Measure: Send + Sync {
    /// What it is. The same before and after the start.
    fn describe(&self) -> Description;

    /// Opens what it holds, starts its threads and returns. On an error nothing of it keeps running.
    fn start(&self, context: &Context) -> Result<(), StartError>;

    /// How it is.
    fn health(&self) -> Health;

    /// Proves itself through its real entrance and waits for the proof. Called while it runs.
    fn drill(&self, context: &DrillContext) -> DrillResult;

    /// Stops, hands over what it still has, and returns when its threads have ended. Stopping twice does nothing.
    fn stop(&self);
}

#[cfg(test)]
mod tests;
