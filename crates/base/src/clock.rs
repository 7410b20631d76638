//! The clock. This is the only file that reads it; everything else is handed the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::time::Millis;

/// A source of wall-clock and monotonic time. The simulated one lives in the test kit.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Millis;
    /// Time since some fixed point in this process; never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[allow(clippy::disallowed_methods)]
    pub fn new() -> SystemClock {
        SystemClock { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }
}
