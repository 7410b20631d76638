//! How late an exporter is with its events: the most that an event's time lay before the time of its message, over five to ten minutes.
//!
//! A lost message may have told of events as old as that, so a gap begins so much before the last message that came, and evidence says
//! nothing of the time so shortly before the newest message.

use weir_base::time::Millis;

use super::limits::{LATENESS_MAX_MS, LATENESS_WINDOW_MS};

/// The largest lateness of the last one to two windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    window: i64,
    current: i64,
    previous: i64,
}

impl Lateness {
    /// What an earlier run had measured.
    pub fn restored(now: Millis, ms: i64) -> Lateness {
        Lateness { window: now.0.div_euclid(LATENESS_WINDOW_MS), current: ms.clamp(0, LATENESS_MAX_MS), previous: 0 }
    }

    /// Takes a message into account that arrived at `now` and whose oldest event lies `ms` before its time of sending. An event dated later
    /// than its message is not late; one dated longer ago than the limit is dated wrongly, not late.
    pub fn observe(&mut self, now: Millis, ms: i64) {
        let window = now.0.div_euclid(LATENESS_WINDOW_MS);
        if window != self.window {
            self.previous = if window == self.window + 1 { self.current } else { 0 };
            (self.window, self.current) = (window, 0);
        }
        if ms <= LATENESS_MAX_MS {
            self.current = self.current.max(ms);
        }
    }

    /// The lateness in milliseconds.
    pub fn ms(&self) -> i64 {
        self.current.max(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_the_last_windows() {
        let mut late = Lateness::default();
        for (at, ms, want) in [
            (0, -300, 0),
            (1, 700, 700),
            (2, 200, 700),
            (LATENESS_WINDOW_MS, 100, 700),
            (2 * LATENESS_WINDOW_MS, 50, 100),
            (2 * LATENESS_WINDOW_MS + 1, LATENESS_MAX_MS + 1, 100),
            (2 * LATENESS_WINDOW_MS + 2, LATENESS_MAX_MS, LATENESS_MAX_MS),
            (9 * LATENESS_WINDOW_MS, 5, 5),
        ] {
            late.observe(Millis(at), ms);
            assert_eq!(late.ms(), want, "at {at}");
        }
        assert_eq!(Lateness::restored(Millis(7), 900).ms(), 900);
        assert_eq!(Lateness::restored(Millis(7), -1).ms(), 0);
    }
}
