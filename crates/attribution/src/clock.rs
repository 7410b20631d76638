//! The moment in a source's own time, and the tolerance around it.

use std::rc::Rc;

use weir_base::time::Millis;

use crate::answer::{ClockBasis, ClockNote};
use crate::facts::SourceFact;
use crate::limits::{OFFSET_ERROR_MS, OFFSET_JOINS_MS, SKEW_MS_MAX};
use crate::question::Question;

/// A moment and the time around it that counts, by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub from: Millis,
    pub at: Millis,
    pub to: Millis,
}

impl Window {
    /// What the asker's skew allows.
    pub fn of(question: &Question) -> Window {
        let skew = skew_of(question);
        Window { from: question.at.plus(-skew), at: question.at, to: question.at.plus(skew) }
    }
}

/// A source and how the question is put to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceClock {
    pub number: u32,
    pub fact: Rc<SourceFact>,
    /// The offset in use.
    pub offset_ms: i64,
    pub basis: ClockBasis,
    /// Too far off to join the tolerance.
    pub degraded: bool,
    /// How far the source's clock is ahead of ours, at least and at most, ms.
    ahead: (i64, i64),
    window: Window,
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
        let degraded = offset_ms.unsigned_abs() > OFFSET_JOINS_MS.unsigned_abs();
        // Sources state the time of sending in whole seconds, so an offset may be known to a second only.
        let error = |ms: i64| ms.clamp(offset_ms.saturating_sub(OFFSET_ERROR_MS), offset_ms.saturating_add(OFFSET_ERROR_MS));
        let known = fact.ahead_ms.filter(|_| basis == ClockBasis::Measured).unwrap_or((offset_ms, offset_ms));
        let (least, most) = (error(known.0.min(offset_ms)), error(known.1.max(offset_ms)));
        // An offset that joins widens the window to its own side only: to the other side lies what was true long before or after the moment.
        let ahead = if degraded { (least, most) } else { (least.min(0), most.max(0)) };
        SourceClock { number, fact: Rc::new(fact), offset_ms, basis, degraded, ahead, window: Window::of(question) }
    }

    /// The same source, asked about another time.
    pub fn aimed(&self, window: Window) -> SourceClock {
        SourceClock { window, ..self.clone() }
    }

    /// The moment in the source's time.
    pub fn asked_at(&self) -> Millis {
        if self.degraded { self.window.at.plus(self.offset_ms) } else { self.window.at }
    }

    /// First instant of the window.
    pub fn from(&self) -> Millis {
        self.window.from.plus(self.ahead.0)
    }

    /// Last instant of the window.
    pub fn to(&self) -> Millis {
        self.window.to.plus(self.ahead.1)
    }

    /// True when `first..=last` touches the window.
    pub fn touches(&self, first: Option<Millis>, last: Option<Millis>) -> bool {
        first.is_none_or(|t| t <= self.to()) && last.is_none_or(|t| t >= self.from())
    }

    /// True when `first..=last` holds the moment itself, wherever the clock's offset puts it; the asker's skew does not matter here.
    pub fn covers(&self, first: Option<Millis>, last: Option<Millis>) -> bool {
        let at = self.window.at;
        first.is_some_and(|t| t <= at.plus(self.ahead.0)) && last.is_none_or(|t| t >= at.plus(self.ahead.1))
    }

    /// When, by our clock, that may have been which the source says of `first..=last`: the part within the window, and, where it need not
    /// have reached the window at all, how far before or after it may have been.
    pub fn when(&self, first: Option<Millis>, last: Option<Millis>) -> Window {
        let (least, most) = (self.ahead.0.saturating_neg(), self.ahead.1.saturating_neg());
        let (first, last) = (first.unwrap_or(Millis(i64::MIN)), last.unwrap_or(Millis(i64::MAX)));
        let from = first.plus(most).max(self.window.from.min(last.plus(most)));
        let to = last.plus(least).min(self.window.to.max(first.plus(least))).max(from);
        Window { from, at: self.window.at.max(first.plus(most)).min(last.plus(least)).max(from).min(to), to }
    }

    /// True when the source has sent something later than the window.
    pub fn spoke_later(&self) -> bool {
        self.fact.last_header.is_some_and(|t| t > self.to())
    }

    pub fn note(&self, question: &Question) -> ClockNote {
        let joined = if self.degraded { 0 } else { self.offset_ms.saturating_abs() };
        ClockNote {
            source: self.fact.name.clone(),
            offset_ms: self.offset_ms,
            basis: self.basis,
            asked_at: self.asked_at(),
            tolerance_ms: skew_of(question) + joined,
            degraded: self.degraded,
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;

    use super::*;

    fn question(skew_ms: i64) -> Question {
        Question { public: Addr16::NONE, port: None, protocol: None, at: Millis(100_000), remote: None, skew_ms }
    }

    fn clock(offset: Option<i64>, trust: bool) -> SourceClock {
        SourceClock::new(
            1,
            SourceFact { offset_ms: offset, ahead_ms: offset.map(|ms| (ms, ms.saturating_add(999))), trust, ..SourceFact::default() },
            &question(500),
        )
    }

    #[test]
    fn small_offsets_join_the_tolerance_to_their_side_and_large_ones_move_the_moment() {
        for (offset, trust, asked_at, tolerance, degraded, from, to) in [
            (None, false, 100_000, 500, false, 99_500, 100_500),
            (Some(0), false, 100_000, 500, false, 99_500, 101_499),
            (Some(1_900), false, 100_000, 2_400, false, 99_500, 103_399),
            (Some(-1_900), false, 100_000, 2_400, false, 97_600, 100_500),
            (Some(-900), false, 100_000, 1_400, false, 98_600, 100_599),
            (Some(2_000), false, 100_000, 2_500, false, 99_500, 103_499),
            (Some(2_001), false, 102_001, 500, true, 101_501, 103_500),
            (Some(-1_800_000), false, -1_700_000, 500, true, -1_700_500, -1_698_501),
            (Some(-1_800_000), true, 100_000, 500, false, 99_500, 100_500),
        ] {
            let clock = clock(offset, trust);
            let note = clock.note(&question(500));
            assert_eq!((note.asked_at, note.tolerance_ms, note.degraded), (Millis(asked_at), tolerance, degraded), "{offset:?} {trust}");
            assert_eq!((clock.from(), clock.to()), (Millis(from), Millis(to)), "{offset:?} {trust}");
        }
        for extreme in [i64::MIN, i64::MAX] {
            let clock = clock(Some(extreme), false);
            assert!(clock.from() <= clock.to() && clock.degraded);
        }
    }

    #[test]
    fn what_a_source_says_is_looked_for_elsewhere_only_where_it_may_have_been() {
        let ms = |t: i64| Some(Millis(t));
        for (offset, first, last, from, at, to) in [
            (None, None, None, 99_500, 100_000, 100_500),
            (None, ms(99_900), ms(100_100), 99_900, 100_000, 100_100),
            (None, ms(99_000), ms(99_700), 99_500, 99_700, 99_700),
            (None, ms(100_200), None, 100_200, 100_200, 100_500),
            // Ahead by 0 to 1.999 s: what ended at 100.2 by that clock may have ended long before the window.
            (Some(1_000), None, ms(100_200), 98_201, 100_000, 100_200),
            (Some(1_000), None, ms(101_499), 99_500, 100_000, 100_500),
            (Some(1_000), ms(102_400), None, 100_401, 100_401, 102_400),
            // Behind by 0.001 to 1 s.
            (Some(-1_000), None, ms(99_000), 99_000, 100_000, 100_000),
            // Off by an hour: by our clock from 100.0 to 100.2 s, or up to a second before.
            (Some(3_600_000), ms(3_700_000), ms(3_700_200), 99_201, 100_000, 100_200),
        ] {
            let found = clock(offset, false).when(first, last);
            assert_eq!((found.from.0, found.at.0, found.to.0), (from, at, to), "{offset:?} {first:?} {last:?}");
        }
    }
}
