//! The moment in a source's own time, and the tolerance around it.

use weir_base::time::Millis;

use crate::answer::{ClockBasis, ClockNote};
use crate::facts::SourceFact;
use crate::limits::{OFFSET_JOINS_MS, SKEW_MS_MAX};
use crate::question::Question;

/// A source and how the question is put to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceClock {
    pub number: u32,
    pub fact: SourceFact,
    /// The offset in use.
    pub offset_ms: i64,
    pub basis: ClockBasis,
    /// The moment in the source's time.
    pub asked_at: Millis,
    /// Either way, ms.
    pub tolerance_ms: i64,
    /// Too far off to join the tolerance.
    pub degraded: bool,
}

/// The skew of a question within its limits, ms.
pub(crate) fn skew_of(question: &Question) -> i64 {
    question.skew_ms.clamp(0, SKEW_MS_MAX)
}

impl SourceClock {
    pub fn new(number: u32, fact: SourceFact, question: &Question) -> SourceClock {
        let (offset_ms, basis) = match (fact.trust, fact.offset_ms) {
            (true, _) => (0, ClockBasis::Trusted),
            (false, Some(ms)) => (ms, ClockBasis::Measured),
            (false, None) => (0, ClockBasis::Unmeasured),
        };
        let off = i64::try_from(offset_ms.unsigned_abs()).unwrap_or(i64::MAX);
        let (skew, degraded) = (skew_of(question), off > OFFSET_JOINS_MS);
        let (asked_at, tolerance_ms) = if degraded { (question.at.plus(offset_ms), skew) } else { (question.at, skew + off) };
        SourceClock { number, fact, offset_ms, basis, asked_at, tolerance_ms, degraded }
    }

    /// First instant of the window.
    pub fn from(&self) -> Millis {
        self.asked_at.plus(-self.tolerance_ms)
    }

    /// Last instant of the window.
    pub fn to(&self) -> Millis {
        self.asked_at.plus(self.tolerance_ms)
    }

    /// True when `first..=last` touches the window.
    pub fn touches(&self, first: Option<Millis>, last: Option<Millis>) -> bool {
        first.is_none_or(|t| t <= self.to()) && last.is_none_or(|t| t >= self.from())
    }

    /// True when `first..=last` holds the moment itself, wherever the clock's offset puts it; the asker's skew does not matter here.
    pub fn covers(&self, first: Option<Millis>, last: Option<Millis>) -> bool {
        let own = if self.degraded { 0 } else { self.offset_ms.saturating_abs() };
        first.is_some_and(|t| t <= self.asked_at.plus(-own)) && last.is_none_or(|t| t >= self.asked_at.plus(own))
    }

    /// True when the source has sent something later than the window.
    pub fn spoke_later(&self) -> bool {
        self.fact.last_header.is_some_and(|t| t > self.to())
    }

    pub fn note(&self) -> ClockNote {
        ClockNote {
            source: self.fact.name.clone(),
            offset_ms: self.offset_ms,
            basis: self.basis,
            asked_at: self.asked_at,
            tolerance_ms: self.tolerance_ms,
            degraded: self.degraded,
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;

    #[test]
    fn small_offsets_join_the_tolerance_and_large_ones_move_the_moment() {
        let question = Question { public: Addr16::NONE, port: None, protocol: None, at: Millis(100_000), remote: None, skew_ms: 500 };
        for (offset, trust, asked_at, tolerance, degraded) in [
            (None, false, 100_000, 500, false),
            (Some(0), false, 100_000, 500, false),
            (Some(1_900), false, 100_000, 2_400, false),
            (Some(-1_900), false, 100_000, 2_400, false),
            (Some(2_000), false, 100_000, 2_500, false),
            (Some(2_001), false, 102_001, 500, true),
            (Some(-1_800_000), false, -1_700_000, 500, true),
            (Some(-1_800_000), true, 100_000, 500, false),
            (Some(i64::MIN), false, i64::MIN + 100_000, 500, true),
            (Some(i64::MAX), false, i64::MAX, 500, true),
        ] {
            let clock = SourceClock::new(1, SourceFact { offset_ms: offset, trust, ..SourceFact::default() }, &question);
            assert_eq!((clock.asked_at, clock.tolerance_ms, clock.degraded), (Millis(asked_at), tolerance, degraded), "{offset:?} {trust}");
            assert!(clock.from() <= clock.to());
        }
    }
}
