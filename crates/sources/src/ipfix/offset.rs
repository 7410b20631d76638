//! The clock offset of an exporter: export header time minus arrival time, with a minimum filter over five minutes.
//!
//! A header says a whole second `h`; the true time of export lies in `[h, h + 1000)` ms, and the datagram then travelled for some time
//! of zero or more. With `v = h - arrival` of each datagram the offset `o` (exporter minus us) obeys
//!
//! - `o >= v`, because the cut and the travel both make `v` smaller; so `o >= max(v)`: the minimum filter on delay;
//! - `o < v + 1000 + travel`; with the travel of the datagrams near zero, `o < min(v) + 1000`.
//!
//! A busy exporter sends all through the second, the two bounds meet and the offset is known to some milliseconds. One that sends at
//! one fixed phase of the second leaves up to a second between them: the middle is taken and half the width stated as error.

use std::collections::VecDeque;

use weir_base::time::Millis;

use super::limits::{OFFSET_STEP_MS, OFFSET_WINDOW_MS};

#[derive(Clone, Copy, Debug)]
struct Step {
    number: i64,
    max: i64,
    min: i64,
}

/// What is known about an exporter's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The exporter's clock minus ours, in milliseconds.
    pub offset_ms: i64,
    /// How far the truth may be from it, in milliseconds.
    pub error_ms: i64,
    /// How far the exporter's clock is ahead of ours, at least and at most, in milliseconds, however long its datagrams travel: the best of
    /// them was cut by less than a second.
    pub ahead_ms: (i64, i64),
}

/// Estimator of one exporter's offset. Bounded: one step every ten seconds of the window.
#[derive(Clone, Debug, Default)]
pub struct Offset {
    steps: VecDeque<Step>,
}

impl Offset {
    /// An estimator that has seen nothing.
    pub fn new() -> Offset {
        Offset::default()
    }

    /// Takes a datagram into account.
    pub fn observe(&mut self, export_ms: i64, arrival: Millis) {
        let (v, number) = (export_ms.saturating_sub(arrival.0), arrival.0.div_euclid(OFFSET_STEP_MS));
        match self.steps.back_mut() {
            // A wall clock of ours that steps back goes on in the newest step, so that the window cannot grow.
            Some(step) if number <= step.number => {
                step.max = step.max.max(v);
                step.min = step.min.min(v);
            }
            _ => {
                self.steps.push_back(Step { number, max: v, min: v });
                let oldest = number - OFFSET_WINDOW_MS / OFFSET_STEP_MS;
                while self.steps.front().is_some_and(|s| s.number <= oldest) {
                    self.steps.pop_front();
                }
            }
        }
    }

    /// As [`Offset::observe`]; `anew` forgets what was seen before, because the exporter restarted and may have set its clock.
    pub fn observe_after(&mut self, anew: bool, export_ms: i64, arrival: Millis) {
        if anew {
            self.steps.clear();
        }
        self.observe(export_ms, arrival);
    }

    /// The least and the most of export time minus arrival over the window, ms; none before a second step of it has begun.
    pub fn range(&self) -> Option<(i64, i64)> {
        let min = self.steps.iter().map(|s| s.min).min()?;
        let max = self.steps.iter().map(|s| s.max).max()?;
        (self.steps.len() > 1).then_some((min, max))
    }

    /// The estimate over the window.
    pub fn estimate(&self) -> Option<Estimate> {
        let max = self.steps.iter().map(|s| s.max).max()?;
        let min = self.steps.iter().map(|s| s.min).min()?;
        let room = min.saturating_add(1000).saturating_sub(max).max(0);
        Some(Estimate { offset_ms: max.saturating_add(room / 2), error_ms: room / 2, ahead_ms: (max, max.saturating_add(999)) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_single_header_leaves_half_a_second_of_doubt() {
        let mut o = Offset::new();
        assert_eq!(o.estimate(), None);
        o.observe(10_000, Millis(10_400));
        assert_eq!(o.estimate(), Some(Estimate { offset_ms: 100, error_ms: 500, ahead_ms: (-400, 599) }));
    }

    #[test]
    fn a_delayed_datagram_does_not_move_a_settled_estimate() {
        let mut o = Offset::new();
        for ms in 0..3_000 {
            o.observe((ms / 1000) * 1000, Millis(ms - 7_000));
        }
        let settled = o.estimate().unwrap();
        assert!((settled.offset_ms - 7_000).abs() <= 1, "{settled:?}");
        o.observe(3_000, Millis(3_000 - 7_000 + 20_000));
        assert_eq!(o.estimate().unwrap().offset_ms, 7_000);
    }

    #[test]
    fn old_steps_leave_the_window() {
        let mut o = Offset::new();
        o.observe(50_000, Millis(0));
        for i in 1..=40 {
            o.observe(i * 10_000, Millis(i * 10_000));
        }
        assert!(o.estimate().unwrap().offset_ms < 1_000);
        assert!(o.steps.len() <= 30);
    }

    proptest! {
        #[test]
        fn the_truth_lies_within_the_stated_error(
            truth in -100_000i64..100_000,
            sends in prop::collection::vec((0i64..200_000, 0i64..5), 1..200),
        ) {
            let mut o = Offset::new();
            let mut sends = sends;
            sends.sort_unstable();
            for (ours, travel) in sends {
                let theirs = ours + truth;
                o.observe(theirs.div_euclid(1000) * 1000, Millis(ours + travel));
            }
            let e = o.estimate().unwrap();
            // The travel of up to 5 ms is the one thing a one-way measurement cannot see.
            prop_assert!((e.offset_ms - truth).abs() <= e.error_ms + 6, "{e:?} {truth}");
        }
    }
}
