//! Drills: a measure proves itself with harmless data through its real entrance, and real records come of it.

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::random;
use weir_base::task::Stop;
use weir_base::time::Millis;

use crate::limits::{DRILL_STEPS, WHY_BYTES};

/// What a drill is given.
pub struct DrillContext {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Raised when the drill must end early.
    pub stop: Stop,
    /// Marks the drill. Known to its runner only: nothing on the wire that others could send marks a drill.
    pub nonce: [u8; 16],
}

impl DrillContext {
    /// A context with a nonce that was never used.
    pub fn new(clock: Arc<dyn Clock>, stop: Stop) -> DrillContext {
        DrillContext { clock, stop, nonce: random() }
    }
}

/// What a drill showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrillOutcome {
    /// The measure does what it says.
    Passed,
    /// It does not.
    Failed,
    /// The drill could not be carried out, which is no proof either way.
    NotDone,
}

impl DrillOutcome {
    /// The word in records and output.
    pub fn name(self) -> &'static str {
        match self {
            DrillOutcome::Passed => "passed",
            DrillOutcome::Failed => "failed",
            DrillOutcome::NotDone => "not-done",
        }
    }
}

/// The result of a drill, built step by step. The first step that does not pass decides; a drill without a step is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillResult {
    /// When it began.
    pub start: Millis,
    /// When its last step ended.
    pub end: Millis,
    /// Each step: what was tried, and what came of it.
    pub steps: Vec<(String, DrillOutcome)>,
}

impl DrillResult {
    /// A drill that begins.
    pub fn begin(now: Millis) -> DrillResult {
        DrillResult { start: now, end: now, steps: Vec::new() }
    }

    /// Adds a step; true when it passed, so that the next one is worth trying. Beyond [`DRILL_STEPS`] only steps that do not pass are kept.
    pub fn step(&mut self, what: &str, outcome: DrillOutcome, now: Millis) -> bool {
        self.end = self.end.max(now);
        if self.steps.len() < DRILL_STEPS || (outcome != DrillOutcome::Passed && self.outcome() == DrillOutcome::Passed) {
            self.steps.push((what.chars().take(WHY_BYTES / 4).collect(), outcome));
        }
        outcome == DrillOutcome::Passed
    }

    /// What the drill showed.
    pub fn outcome(&self) -> DrillOutcome {
        let decided = self.steps.iter().map(|(_, outcome)| *outcome).find(|o| *o != DrillOutcome::Passed);
        decided.unwrap_or(if self.steps.is_empty() { DrillOutcome::NotDone } else { DrillOutcome::Passed })
    }

    /// The step that decided, in words.
    pub fn why(&self) -> String {
        let decided = self.steps.iter().find(|(_, outcome)| *outcome != DrillOutcome::Passed);
        match decided {
            Some((what, outcome)) => format!("{}: {what}", outcome.name()),
            None if self.steps.is_empty() => "not-done: no step was tried".to_owned(),
            None => format!("passed: {} steps", self.steps.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DrillOutcome::{Failed, NotDone, Passed};

    #[test]
    fn the_first_step_that_does_not_pass_decides() {
        for (steps, want, why) in [
            (&[][..], NotDone, "no step"),
            (&[Passed], Passed, "1 steps"),
            (&[Passed, Failed, NotDone], Failed, "step 1"),
            (&[Passed, NotDone, Failed], NotDone, "step 1"),
            (&[Failed, Passed], Failed, "step 0"),
        ] {
            let mut drill = DrillResult::begin(Millis(5));
            for (at, outcome) in steps.iter().enumerate() {
                assert_eq!(drill.step(&format!("step {at}"), *outcome, Millis(6 + at as i64)), *outcome == Passed);
            }
            assert_eq!(drill.outcome(), want);
            assert!(drill.why().contains(why), "{}", drill.why());
            assert_eq!((drill.start, drill.end), (Millis(5), Millis(5 + steps.len() as i64)));
        }
    }

    #[test]
    fn a_late_failure_is_kept_though_the_list_is_full() {
        let mut drill = DrillResult::begin(Millis(0));
        (0..2 * DRILL_STEPS).for_each(|_| {
            drill.step("again", Passed, Millis(1));
        });
        assert_eq!((drill.steps.len(), drill.outcome()), (DRILL_STEPS, Passed));
        drill.step("the last", Failed, Millis(2));
        drill.step("and more", Failed, Millis(3));
        assert_eq!((drill.steps.len(), drill.outcome(), drill.why()), (DRILL_STEPS + 1, Failed, "failed: the last".to_owned()));
    }
}
