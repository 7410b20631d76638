//! Lines that stand whole quarters of an hour beside our clock: their zone is not the one that is configured, or that they state.

use weir_base::time::Millis;

use super::config::ClockMode;
use super::limits::{QUARTER_MS, ZONE_DRIFT_MS, ZONE_QUARTERS};
use crate::ipfix::offset::Offset;
use crate::ipfix::stream::clock_trouble;

/// By how many minutes a clock is off when that is a wrong zone: a whole number of quarters of an hour, and not none.
pub fn minutes_off(offset_ms: i64) -> Option<i64> {
    let quarters = offset_ms.saturating_add(QUARTER_MS / 2).div_euclid(QUARTER_MS);
    let near = offset_ms.saturating_sub(quarters.saturating_mul(QUARTER_MS)).abs() <= ZONE_DRIFT_MS;
    (quarters != 0 && quarters.abs() <= ZONE_QUARTERS && near).then_some(quarters * 15)
}

/// How far the times of a sender's lines are from those of their arrival.
#[derive(Clone, Debug, Default)]
pub(super) struct Distance {
    /// Of lines that came as datagrams, which wait nowhere.
    datagrams: Offset,
    /// Of lines over a stream. They may have waited in a queue for hours, each for another time: what they have in common is no delay.
    streams: Offset,
    /// The last line named no zone.
    inferred: bool,
}

impl Distance {
    /// Learns of a line that says when it was written.
    pub fn observe(&mut self, time: i64, received: Millis, stream: bool, inferred: bool) {
        self.inferred = inferred;
        if stream { self.streams.observe(time, received) } else { self.datagrams.observe(time, received) }
    }

    /// The offset of its clock, ms, as far as it can be told.
    pub fn offset_ms(&self) -> Option<i64> {
        self.datagrams.estimate().map(|e| e.offset_ms).or_else(|| {
            let (least, most) = self.streams.range()?;
            let same = most.saturating_sub(least) <= 2 * ZONE_DRIFT_MS && minutes_off(least) == minutes_off(most);
            match minutes_off(most) {
                _ if !same => None,
                Some(_) => Some(most),
                // By no zone: said too, so that a zone that was mended is known to be.
                None => (most.abs() <= ZONE_DRIFT_MS).then_some(0),
            }
        })
    }

    /// What is wrong with its clock, or with the zone that its lines are read in, and what to do. `zone` is that zone, minutes east of UTC.
    pub fn trouble(&self, clock: ClockMode, zone: i32) -> Option<String> {
        let ms = self.offset_ms()?;
        let Some(minutes) = minutes_off(ms) else {
            return clock_trouble(ms).filter(|_| clock == ClockMode::Measured);
        };
        let (hours, side) = (minutes.abs() as f64 / 60.0, if minutes < 0 { "behind" } else { "ahead of" });
        let todo = if self.inferred {
            let right = i64::from(zone) + minutes;
            let (sign, right) = (if right < 0 { '-' } else { '+' }, right.abs());
            format!(
                "they name no zone and are read as {}: set zone = \"{sign}{:02}:{:02}\" in its entry",
                text(zone),
                right / 60,
                right % 60
            )
        } else {
            "they name a zone that is not theirs: set the zone, or the clock, of the device".to_owned()
        };
        Some(format!("its lines are {hours} h {side} our clock: {todo}"))
    }
}

fn text(zone: i32) -> String {
    let (sign, minutes) = (if zone < 0 { '-' } else { '+' }, zone.abs());
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const T: i64 = 1_795_000_000_000;

    #[test]
    fn whole_quarters_of_an_hour_are_a_zone_and_nothing_else_is() {
        for (ms, minutes) in [
            (0, None),
            (-59_000, None),
            (-8 * HOUR, Some(-480)),
            (-8 * HOUR - 59_000, Some(-480)),
            (-8 * HOUR - 61_000, None),
            (5 * HOUR + 45 * 60_000 + 1_000, Some(345)),
            (15 * 60_000, Some(15)),
            (450_000, None),
            (27 * HOUR, None),
            (i64::MIN, None),
            (i64::MAX, None),
        ] {
            assert_eq!(minutes_off(ms), minutes, "{ms}");
        }
    }

    #[test]
    fn a_wrong_zone_is_told_with_the_right_one() {
        let mut seen = Distance::default();
        assert_eq!(seen.trouble(ClockMode::Trust, 480), None);
        seen.observe(T - 8 * HOUR, Millis(T + 20), false, true);
        let told = seen.trouble(ClockMode::Trust, 480).unwrap();
        assert!(told.contains("8 h behind") && told.contains("read as +08:00: set zone = \"+00:00\""), "{told}");
        seen.observe(T - 8 * HOUR + 500, Millis(T + 520), false, false);
        assert!(seen.trouble(ClockMode::Trust, 480).unwrap().contains("of the device"));
        let mut west = Distance::default();
        west.observe(T + 9 * HOUR + HOUR / 2, Millis(T), false, true);
        assert!(west.trouble(ClockMode::Trust, -540).unwrap().contains("zone = \"+00:30\""));
    }

    #[test]
    fn a_clock_that_drifts_is_told_where_it_is_measured() {
        let mut seen = Distance::default();
        seen.observe(T - 5_000, Millis(T), false, true);
        assert_eq!(seen.trouble(ClockMode::Trust, 480), None);
        assert!(seen.trouble(ClockMode::Measured, 480).unwrap().contains("ms off ours"));
    }

    #[test]
    fn lines_that_waited_say_nothing_of_a_zone() {
        // A queue of hours that is sent within a minute: each line is older by another time.
        let mut queue = Distance::default();
        (0..60).for_each(|n| queue.observe(T - 8 * HOUR + n * 480_000, Millis(T + n * 1_000), true, true));
        assert_eq!((queue.offset_ms(), queue.trouble(ClockMode::Trust, 480)), (None, None));
        // Lines as they are written, eight hours behind.
        let mut live = Distance::default();
        live.observe(T - 8 * HOUR, Millis(T), true, true);
        assert_eq!(live.offset_ms(), None, "one line may be old");
        (1..60).for_each(|n| live.observe(T - 8 * HOUR + n * 1_000, Millis(T + n * 1_000 + 30), true, true));
        assert!(live.trouble(ClockMode::Trust, 480).unwrap().contains("+00:00"));
    }
}
