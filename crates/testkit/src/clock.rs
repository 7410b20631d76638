//! A clock that stands still until it is moved.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::time::Millis;

/// A clock moved by hand. The wall clock may jump; the monotonic one only advances.
#[derive(Debug)]
pub struct SimClock {
    wall: AtomicI64,
    monotonic_ms: AtomicU64,
}

impl SimClock {
    /// A clock whose wall time is `now` and whose monotonic time is zero.
    pub fn new(now: Millis) -> SimClock {
        SimClock { wall: AtomicI64::new(now.0), monotonic_ms: AtomicU64::new(0) }
    }

    /// Lets `ms` milliseconds pass on both clocks.
    pub fn advance(&self, ms: u64) {
        self.wall.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the wall clock, as an operator or a time server would; the monotonic clock does not move.
    pub fn jump(&self, now: Millis) {
        self.wall.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Millis {
        Millis(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_moves_only_the_wall_clock() {
        let clock = SimClock::new(Millis(1_000));
        clock.advance(500);
        clock.jump(Millis(7));
        assert_eq!((clock.now(), clock.monotonic()), (Millis(7), Duration::from_millis(500)));
    }
}
