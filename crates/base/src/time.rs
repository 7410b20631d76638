//! Instants, UTC+8 days and durations.
//!
//! All stored instants are milliseconds since the Unix epoch in UTC. The law counts days in China Standard Time, which has had no
//! daylight saving since 1991, so a day here is a fixed UTC+8 day.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::Offset;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 86_400_000;
const CST_MS: i64 = 8 * 3_600_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

/// A UTC+8 day: days since 1970-01-01 counted in UTC+8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Why a text is not an instant, a day or a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} is not understood: {hint}")]
pub struct TimeError {
    what: &'static str,
    text: String,
    hint: &'static str,
}

impl Millis {
    /// The UTC+8 day this instant lies in.
    pub fn day(self) -> Day {
        Day((self.0.saturating_add(CST_MS)).div_euclid(DAY_MS) as i32)
    }

    /// The instant `ms` milliseconds later (earlier when negative), saturating.
    pub fn plus(self, ms: i64) -> Millis {
        Millis(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant, negative when this one is earlier.
    pub fn since(self, earlier: Millis) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 text in UTC+8 with milliseconds, e.g. `2026-11-22T10:00:00.123+08:00`.
    pub fn to_rfc3339(self) -> String {
        let Ok(ts) = Timestamp::from_millisecond(self.0) else {
            return format!("out-of-range:{}", self.0);
        };
        let at = Offset::constant(8).to_datetime(ts);
        let date = [i32::from(at.year()), i32::from(at.month()), i32::from(at.day())];
        let time = [i32::from(at.hour()), i32::from(at.minute()), i32::from(at.second()), i32::from(at.millisecond())];
        // Answers have many: by hand it takes a fraction of what a pattern does.
        let mut text = String::with_capacity("2026-11-22T10:00:00.123+08:00".len());
        for (number, (width, behind)) in
            date.into_iter().chain(time).zip([(4, "-"), (2, "-"), (2, "T"), (2, ":"), (2, ":"), (2, "."), (3, "+08:00")])
        {
            digits(&mut text, number, width);
            text.push_str(behind);
        }
        text
    }
}

/// A number in so many decimal digits; one below zero after its sign.
fn digits(text: &mut String, number: i32, width: u32) {
    if number < 0 {
        text.push('-');
    }
    let number = number.unsigned_abs();
    for place in (0..width).rev() {
        text.push(char::from(b'0' + (number / 10_u32.pow(place) % 10) as u8));
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl FromStr for Millis {
    type Err = TimeError;

    /// RFC 3339 with a zone (`Z` or `+08:00`); a fraction of up to nine digits is cut to milliseconds.
    fn from_str(text: &str) -> Result<Millis, TimeError> {
        text.parse::<Timestamp>().map(|ts| Millis(ts.as_millisecond())).map_err(|_| TimeError {
            what: "time",
            text: text.to_owned(),
            hint: "write it as 2026-11-22T10:00:00.123+08:00, with the zone",
        })
    }
}

impl Day {
    /// The first instant of the day.
    pub fn start(self) -> Millis {
        Millis(i64::from(self.0) * DAY_MS - CST_MS)
    }

    /// The first instant after the day.
    pub fn end(self) -> Millis {
        self.plus(1).start()
    }

    /// The day `days` later (earlier when negative).
    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start().to_rfc3339();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}

impl FromStr for Day {
    type Err = TimeError;

    /// A calendar date, `2026-11-22`.
    fn from_str(text: &str) -> Result<Day, TimeError> {
        format!("{text}T00:00:00+08:00").parse::<Millis>().map(Millis::day).map_err(|_| TimeError {
            what: "day",
            text: text.to_owned(),
            hint: "write it as 2026-11-22",
        })
    }
}

/// A duration from text such as `2s`, `150ms`, `5m`, `1h`, `30d`, in milliseconds.
pub fn parse_duration_ms(text: &str) -> Result<i64, TimeError> {
    let err = || TimeError { what: "duration", text: text.to_owned(), hint: "write it as 150ms, 2s, 5m, 1h or 30d" };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(err)?;
    let number: i64 = text[..split].parse().map_err(|_| err())?;
    let unit = match &text[split..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return Err(err()),
    };
    number.checked_mul(unit).filter(|ms| *ms <= crate::limits::DURATION_MS_MAX).ok_or_else(err)
}

/// The shortest text for a duration that [`parse_duration_ms`] reads back.
pub fn format_duration_ms(ms: i64) -> String {
    for (unit, name) in [(DAY_MS, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms != 0 && ms % unit == 0 {
            return format!("{}{name}", ms / unit);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_turn_at_midnight_in_utc_plus_8() {
        let late: Millis = "2026-11-22T23:59:59.999+08:00".parse().unwrap();
        assert_eq!(late.day().to_string(), "2026-11-22");
        assert_eq!(late.plus(1).day(), late.day().plus(1));
        assert_eq!(late.day().start().to_string(), "2026-11-22T00:00:00.000+08:00");
        assert_eq!(Millis(-1).day(), Day(0));
    }

    #[test]
    fn instants_read_and_write() {
        for (text, ms) in [
            ("2026-11-22T10:00:00.123+08:00", 1_795_312_800_123),
            ("2026-11-22T02:00:00.123Z", 1_795_312_800_123),
            ("2026-11-22T02:00:00.1239Z", 1_795_312_800_123),
            ("1970-01-01T00:00:00Z", 0),
        ] {
            assert_eq!(text.parse::<Millis>().unwrap(), Millis(ms), "{text}");
        }
        for bad in ["2026-11-22T10:00:00", "2026-11-22", "now", "", "2026-13-01T00:00:00Z"] {
            assert!(bad.parse::<Millis>().is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_are_written_as_a_pattern_writes_them() {
        let zone = jiff::tz::TimeZone::fixed(Offset::constant(8));
        let far = (-62_167_219_200_000..253_402_207_200_000).step_by(7_919_000_000_123);
        for ms in far.chain((1_795_312_800_000..1_795_312_801_000).step_by(7)).chain([0, -1, -62_167_248_000_000, 951_753_599_999]) {
            let pattern = Timestamp::from_millisecond(ms).unwrap().to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
            assert_eq!(Millis(ms).to_rfc3339(), pattern, "{ms}");
        }
        assert!(Millis(i64::MAX).to_rfc3339().starts_with("out-of-range"));
        assert!(Millis(-70_000_000_000_000).to_rfc3339().starts_with('-'));
    }

    #[test]
    fn durations_read_and_write() {
        for (text, ms) in [("2s", 2_000), ("150ms", 150), ("5m", 300_000), ("1h", 3_600_000), ("30d", 30 * DAY_MS)] {
            assert_eq!(parse_duration_ms(text).unwrap(), ms);
            assert_eq!(format_duration_ms(ms), text);
        }
        for bad in ["", "2", "s", "2x", "-1s", "99999999999999999999s", "9999d"] {
            assert!(parse_duration_ms(bad).is_err(), "{bad}");
        }
        assert_eq!(format_duration_ms(0), "0ms");
    }
}
