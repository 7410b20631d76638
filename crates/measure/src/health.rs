//! How a measure is, since when, and why. Every change is told, so that it becomes a record.

use std::fmt;
use std::sync::Mutex;

use weir_base::task::{Ended, lock};
use weir_base::time::Millis;
use weir_record::kinds::OperatorAction;

use crate::limits::WHY_BYTES;

/// How a measure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does its work.
    Running,
    /// It does part of its work, or less well than it should.
    Degraded,
    /// It does nothing.
    Stopped,
}

impl State {
    /// The word in records and output.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "running",
            State::Degraded => "degraded",
            State::Stopped => "stopped",
        }
    }
}

/// A state, since when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub state: State,
    /// Since when it is so. Another reason for the same state does not change it.
    pub since: Millis,
    /// Why, in words that say what to do where something can be done. Free of personal data.
    pub why: String,
}

/// A change of state or of its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The measure.
    pub measure: &'static str,
    /// How it was.
    pub before: State,
    /// When it changed.
    pub at: Millis,
    /// How it is now.
    pub now: Health,
}

impl Change {
    /// The change as a record.
    pub fn action(&self) -> OperatorAction {
        OperatorAction {
            time: self.at,
            actor: "weir".to_owned(),
            action: "measure-state".to_owned(),
            detail: format!("{}: {} to {}: {}", self.measure, self.before.name(), self.now.state.name(), self.now.why),
            result: "ok".to_owned(),
        }
    }
}

/// Hears of every change, in order. It may read the cell's health; it must not change it.
pub type OnChange = Box<dyn Fn(&Change) + Send + Sync>;

/// The health of one measure, shared by its threads and those who ask.
pub struct HealthCell {
    measure: &'static str,
    health: Mutex<Health>,
    // Held over a change and its telling, so that changes are told in the order in which they happen, while `get` stays free. True once a
    // thread of the measure failed.
    telling: Mutex<bool>,
    on_change: OnChange,
}

impl fmt::Debug for HealthCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCell").field("measure", &self.measure).field("health", &self.get()).finish_non_exhaustive()
    }
}

impl HealthCell {
    /// A cell of a measure that has not started.
    pub fn new(measure: &'static str, now: Millis, on_change: OnChange) -> HealthCell {
        let health = Health { state: State::Stopped, since: now, why: "not started yet".to_owned() };
        HealthCell { measure, health: Mutex::new(health), telling: Mutex::new(false), on_change }
    }

    /// How the measure is.
    pub fn get(&self) -> Health {
        lock(&self.health).clone()
    }

    /// Sets the state and its reason; true when that changed anything. A reason longer than [`WHY_BYTES`] is cut. Nothing changes any more
    /// once a thread of the measure failed: whoever looked at it just before must not call it well again.
    pub fn set(&self, state: State, why: &str, now: Millis) -> bool {
        let failed = lock(&self.telling);
        !*failed && self.change(state, why, now)
    }

    fn change(&self, state: State, why: &str, now: Millis) -> bool {
        let why = cut(why);
        let change = {
            let mut health = lock(&self.health);
            if health.state == state && health.why == why {
                return false;
            }
            let before = health.state;
            let since = if before == state { health.since } else { now };
            *health = Health { state, since, why: why.to_owned() };
            Change { measure: self.measure, before, at: now, now: health.clone() }
        };
        (self.on_change)(&change);
        true
    }

    /// A thread of the measure ended. After a panic the measure is stopped; an ordinary end changes nothing by itself.
    pub fn ended(&self, ended: &Ended, now: Millis) -> bool {
        if ended.panic.is_none() {
            return false;
        }
        let mut failed = lock(&self.telling);
        // The panic's own text may quote input, so it goes to nobody.
        let why = format!("its thread {} failed: restart weir and report the fault", ended.name);
        let first = !std::mem::replace(&mut *failed, true);
        first && self.change(State::Stopped, &why, now)
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(WHY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
