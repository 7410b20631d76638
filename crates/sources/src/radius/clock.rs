//! How far a NAS's clock is from ours. Pure.
//!
//! A message that its NAS sends now, about now, carries the NAS's clock cut to whole seconds, and arrives a little later. So every sample is
//! the true offset or less, and the largest of some minutes is the best guess.

use weir_base::time::Millis;

use super::limits::OFFSET_WINDOW_MS;

/// The largest sample of the last one to two windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OffsetWindow {
    window: i64,
    current: Option<i64>,
    previous: Option<i64>,
}

impl OffsetWindow {
    /// Adds a sample: NAS time less ours, in milliseconds, taken at `now`.
    pub fn add(&mut self, now: Millis, sample: i64) {
        let window = now.0.div_euclid(OFFSET_WINDOW_MS);
        if window != self.window {
            self.previous = self.current.filter(|_| window == self.window + 1);
            self.current = None;
            self.window = window;
        }
        self.current = self.current.max(Some(sample));
    }

    /// The offset in milliseconds, if there was a sample.
    pub fn value(&self) -> Option<i64> {
        self.current.max(self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_the_last_windows() {
        let mut o = OffsetWindow::default();
        assert_eq!(o.value(), None);
        for (at, sample, want) in [
            (0, -900, -900),
            (1, -100, -100),
            (2, -700, -100),
            (OFFSET_WINDOW_MS, -800, -100),
            (2 * OFFSET_WINDOW_MS, -3000, -800),
            (5 * OFFSET_WINDOW_MS, -4000, -4000),
        ] {
            o.add(Millis(at), sample);
            assert_eq!(o.value(), Some(want), "at {at}");
        }
    }
}
