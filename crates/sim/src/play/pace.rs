//! Pacing by datagrams: UDP has no back-pressure.

use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::task::Stop;

/// Datagrams that may leave back to back.
const BURST: f64 = 16.0;

/// A token bucket.
pub struct Pace<'a> {
    rate: f64,
    tokens: f64,
    last: Duration,
    clock: &'a dyn Clock,
    never: Stop,
}

impl<'a> Pace<'a> {
    /// At most `rate` datagrams a second; 0 for no limit.
    pub fn new(rate: u32, clock: &'a dyn Clock) -> Pace<'a> {
        Pace { rate: f64::from(rate), tokens: BURST, last: clock.monotonic(), clock, never: Stop::new() }
    }

    /// Waits until one more datagram may leave.
    pub fn take(&mut self) {
        if self.rate <= 0.0 {
            return;
        }
        if self.tokens < 1.0 {
            self.refill();
        }
        while self.tokens < 1.0 {
            // A wait has a cost of its own: several tokens are waited for at once.
            let seconds = (BURST / 2.0 - self.tokens) / self.rate;
            self.never.wait(Duration::from_secs_f64(seconds.max(0.000_1)));
            self.refill();
        }
        self.tokens -= 1.0;
    }

    fn refill(&mut self) {
        let now = self.clock.monotonic();
        let gained = now.saturating_sub(self.last).as_secs_f64() * self.rate;
        self.last = now;
        self.tokens = (self.tokens + gained).min(BURST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use weir_base::task::lock;
    use weir_base::time::Millis;

    use super::*;

    /// Every look at this clock takes a millisecond.
    struct Steps(Mutex<Duration>);

    impl Clock for Steps {
        fn now(&self) -> Millis {
            Millis(0)
        }
        fn monotonic(&self) -> Duration {
            let mut at = lock(&self.0);
            *at += Duration::from_millis(1);
            *at
        }
    }

    #[test]
    fn the_rate_is_kept_by_the_clock() {
        let clock = Steps(Mutex::new(Duration::ZERO));
        let mut pace = Pace::new(8_000, &clock);
        for _ in 0..8_000 {
            pace.take();
        }
        let took = *lock(&clock.0);
        assert!((998..1_010).contains(&took.as_millis()), "8,000 datagrams at 8,000 a second: {took:?}");
        let mut free = Pace::new(0, &clock);
        let before = *lock(&clock.0);
        (0..1_000).for_each(|_| free.take());
        assert_eq!(*lock(&clock.0), before);
    }
}
