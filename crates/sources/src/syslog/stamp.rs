//! Times in log lines: RFC 3339 (RFC 5424 section 6.2.3), RFC 3164 section 4.1.2, and what devices write instead.
//!
//! Nothing here knows what time it is: a [`Stamp`] says what the line says, and [`Stamp::resolve`] puts in what is missing.

use weir_base::time::Millis;
use weir_record::kinds::line_flags;

use super::limits::{AHEAD_MS, BEHIND_MS};

mod plain;

const DAY_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// What a month's name has behind its first three letters.
const LONG_MONTHS: [&str; 12] = ["uary", "ruary", "ch", "il", "", "e", "y", "ust", "tember", "ober", "ember", "ember"];

/// A time as a line states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Year, where stated.
    pub year: Option<i32>,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Milliseconds of the day.
    pub ms: i64,
    /// It states no fraction of a second.
    pub whole: bool,
    /// Minutes east of UTC, where stated.
    pub zone: Option<i32>,
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
pub fn days(year: i32, month: u8, day: u8) -> i64 {
    // Years that begin in March have their leap day at the end: 153 days in each five months.
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year of an instant, in UTC.
fn year_of(ms: i64) -> i32 {
    let day = ms.div_euclid(DAY_MS);
    // The estimate is at most one off.
    let mut year = 1970 + i32::try_from(day.div_euclid(366)).unwrap_or(0);
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    year
}

impl Stamp {
    /// The instant, and what had to be inferred for it. `zone` is minutes east of UTC where the line names none. An instant that cannot
    /// be (far ahead of `arrival`, or a month behind it) is given up for that of arrival.
    pub fn resolve(&self, arrival: Millis, zone: i32) -> (Millis, u16) {
        let mut flags = 0;
        if self.zone.is_none() {
            flags |= line_flags::ZONE_INFERRED;
        }
        let east = i64::from(self.zone.unwrap_or(zone)) * 60_000;
        let at = |year: i32| Millis(days(year, self.month, self.day) * DAY_MS + self.ms - east);
        let time = match self.year {
            Some(year) => at(year),
            None => {
                flags |= line_flags::YEAR_INFERRED;
                let year = year_of(arrival.0 + east);
                // A line of 31 December may arrive in January, and one of 1 January before our clock's new year.
                let nearest = [year - 1, year, year + 1].map(at).into_iter().min_by_key(|t| t.since(arrival).abs());
                nearest.unwrap_or(arrival)
            }
        };
        let ahead = time.since(arrival);
        if (-BEHIND_MS..=AHEAD_MS).contains(&ahead) { (time, flags) } else { (arrival, line_flags::ARRIVAL) }
    }
}

/// A time of day.
#[derive(Clone, Copy)]
struct Clock {
    ms: i64,
    whole: bool,
}

/// A cursor over the beginning of a text.
struct At<'a>(&'a str);

impl<'a> At<'a> {
    fn digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let (mut n, mut value) = (0, 0);
        let bytes = self.0.as_bytes();
        while let Some(digit) = bytes.get(n).filter(|b| n < most && b.is_ascii_digit()) {
            value = value * 10 + i64::from(digit - b'0');
            n += 1;
        }
        if n < least {
            return None;
        }
        self.0 = self.0.get(n..)?;
        Some(value)
    }

    /// One of some characters of ASCII.
    fn one(&mut self, wanted: &[char]) -> Option<char> {
        let c = self.0.bytes().next().map(char::from).filter(|c| c.is_ascii() && wanted.contains(c))?;
        self.0 = self.0.get(1..)?;
        Some(c)
    }

    /// `Nov`, or `November` as Huawei's CGN writes it.
    fn month(&mut self) -> Option<u8> {
        let word = self.0.get(..3)?;
        let month = MONTHS.iter().position(|m| word.eq_ignore_ascii_case(m))?;
        let rest = LONG_MONTHS.get(month).and_then(|long| self.0.get(3..)?.strip_prefix(*long));
        self.0 = rest.filter(|r| r.starts_with(' ')).or_else(|| self.0.get(3..))?;
        u8::try_from(month + 1).ok()
    }

    fn spaces(&mut self) -> Option<()> {
        let rest = self.0.trim_start_matches(' ');
        (rest.len() < self.0.len()).then(|| self.0 = rest)
    }

    /// `HH:MM:SS` with a fraction of any length behind `.`, `,` or `:`.
    fn clock(&mut self) -> Option<Clock> {
        let hour = self.digits(1, 2)?;
        self.one(&[':'])?;
        let minute = self.digits(2, 2)?;
        self.one(&[':'])?;
        let second = self.digits(2, 2)?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (mut ms, mut whole) = ((hour * 3_600 + minute * 60 + second.min(59)) * 1_000, true);
        let mut fraction = At(self.0);
        if fraction.one(&['.', ',', ':']).is_some() && fraction.0.starts_with(|c: char| c.is_ascii_digit()) {
            let digits = fraction.0.bytes().take_while(u8::is_ascii_digit).count();
            let thousandths = |sum, (digit, weight)| sum + i64::from(u8::saturating_sub(digit, b'0')) * weight;
            ms += fraction.0.bytes().take(digits).zip([100, 10, 1]).fold(0, thousandths);
            self.0 = fraction.0.get(digits..)?;
            whole = false;
        }
        Some(Clock { ms, whole })
    }

    /// `Z`, `+08:00`, `+0800`, or a name of a zone that says its offset beyond doubt.
    fn zone(&mut self) -> Option<i32> {
        if self.one(&['Z', 'z']).is_some() {
            return Some(0);
        }
        let mut at = At(self.0);
        let sign = at.sign()?;
        let hour = at.digits(2, 2)?;
        at.one(&[':']);
        let minute = at.digits(2, 2)?;
        self.0 = at.0;
        (hour <= 18 && minute < 60).then(|| sign * i32::try_from(hour * 60 + minute).unwrap_or(0))
    }

    fn sign(&mut self) -> Option<i32> {
        self.one(&['+', '-']).map(|c| if c == '-' { -1 } else { 1 })
    }

    /// `+06` and `+8`, as Cisco writes them where a zone has no name; nothing of the time may follow.
    fn hours(&mut self) -> Option<i32> {
        let mut at = At(self.0);
        let sign = at.sign()?;
        let hour = at.digits(1, 2).filter(|h| *h <= 18)?;
        let ends = at.0.is_empty() || at.0.starts_with(' ') || at.0.starts_with(": ");
        ends.then(|| {
            self.0 = at.0;
            sign * i32::try_from(hour * 60).unwrap_or(0)
        })
    }

    /// A zone after a space: an offset, `UTC`, `GMT`, or `UTC+8`-like; other names are stepped over and not believed.
    fn spaced_zone(&mut self) -> Option<i32> {
        let mut at = At(self.0);
        at.one(&[' '])?;
        for name in ["UTC", "GMT"] {
            if let Some(rest) = at.0.strip_prefix(name) {
                let mut zone = At(rest);
                if let Some(offset) = zone.zone().or_else(|| zone.hours()) {
                    self.0 = zone.0;
                    return Some(offset);
                }
                if rest.starts_with([' ', ':']) || rest.is_empty() {
                    self.0 = rest;
                    return Some(0);
                }
            }
        }
        let offset = at.zone().or_else(|| at.hours())?;
        self.0 = at.0;
        Some(offset)
    }
}

fn checked(year: Option<i64>, month: i64, day: i64, clock: Clock, zone: Option<i32>) -> Option<Stamp> {
    let year = year.map(i32::try_from).transpose().ok()?.filter(|y| (1970..=9999).contains(y));
    let (month, day) = (u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    let leap = year.is_none_or(|y| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0);
    let last = match month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then_some(Stamp { year, month, day, ms: clock.ms, whole: clock.whole, zone })
}

/// `2026-11-22T10:00:00.123+08:00` (RFC 3339), also with a space for `T`, slashes for dashes, or without a zone. Gives the rest too.
pub fn rfc3339(text: &str) -> Option<(Stamp, &str)> {
    plain::read(text).or_else(|| loose(text))
}

/// The same, a sign at a time.
fn loose(text: &str) -> Option<(Stamp, &str)> {
    let mut at = At(text);
    let year = at.digits(4, 4)?;
    let separator = at.one(&['-', '/'])?;
    let month = at.digits(1, 2)?;
    at.one(&[separator])?;
    let day = at.digits(1, 2)?;
    at.one(&['T', 't', ' '])?;
    let clock = at.clock()?;
    let zone = at.zone().or_else(|| at.spaced_zone());
    Some((checked(Some(year), month, day, clock, zone)?, at.0))
}

/// `Nov 22 10:00:00` (RFC 3164), also with a year before or after the time, a fraction, a zone, and Cisco's `*` or `.` before it.
/// Gives the rest too.
pub fn rfc3164(text: &str) -> Option<(Stamp, &str)> {
    let mut at = At(text);
    at.one(&['*', '.']);
    let leading_year = {
        let mut try_at = At(at.0);
        try_at.digits(4, 4).filter(|_| try_at.spaces().is_some()).inspect(|_| at.0 = try_at.0)
    };
    let month = at.month()?;
    at.spaces()?;
    let day = at.digits(1, 2)?;
    at.spaces()?;
    let mut year = leading_year;
    let mut try_at = At(at.0);
    if year.is_none()
        && let Some(found) = try_at.digits(4, 4)
        && try_at.spaces().is_some()
    {
        year = Some(found);
        at.0 = try_at.0;
    }
    let clock = at.clock()?;
    let mut zone = at.zone().or_else(|| at.spaced_zone());
    // A year after the time, as H3C writes it.
    let mut try_at = At(at.0);
    if year.is_none()
        && try_at.spaces().is_some()
        && let Some(found) = try_at.digits(4, 4).filter(|y| (1990..2200).contains(y))
        && (try_at.0.is_empty() || try_at.0.starts_with([' ', ':']))
    {
        year = Some(found);
        at.0 = try_at.0;
        zone = zone.or_else(|| at.spaced_zone());
    }
    Some((checked(year, i64::from(month), day, clock, zone)?, at.0))
}

/// `11/22/2026:10:00:00 GMT`, as NetScaler writes it by default. Gives the rest too.
pub fn netscaler(text: &str) -> Option<(Stamp, &str)> {
    let mut at = At(text);
    let month = at.digits(2, 2)?;
    at.one(&['/'])?;
    let day = at.digits(2, 2)?;
    at.one(&['/'])?;
    let year = at.digits(4, 4)?;
    at.one(&[':'])?;
    let clock = at.clock()?;
    let zone = at.spaced_zone();
    Some((checked(Some(year), month, day, clock, zone)?, at.0))
}

/// Any of the forms.
pub fn find(text: &str) -> Option<(Stamp, &str)> {
    rfc3339(text).or_else(|| rfc3164(text)).or_else(|| netscaler(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CST: i32 = 480;

    fn told(text: &str, arrival: &str) -> Option<(String, u16, String)> {
        let (stamp, rest) = find(text)?;
        let (time, flags) = stamp.resolve(arrival.parse().unwrap(), CST);
        Some((time.to_rfc3339(), flags, rest.to_owned()))
    }

    #[test]
    fn forms_of_time() {
        use line_flags::{ARRIVAL, YEAR_INFERRED as Y, ZONE_INFERRED as Z};
        let now = "2026-11-22T10:00:05+08:00";
        for (text, want, flags, rest) in [
            ("2026-11-22T02:00:00Z h", "2026-11-22T10:00:00.000+08:00", 0, " h"),
            ("2026-11-22T10:00:00.123456+08:00", "2026-11-22T10:00:00.123+08:00", 0, ""),
            ("2026-11-22 10:00:00 h", "2026-11-22T10:00:00.000+08:00", Z, " h"),
            ("2026/11/22 10:00:00.5 h", "2026-11-22T10:00:00.500+08:00", Z, " h"),
            ("Nov 22 10:00:00 h a:", "2026-11-22T10:00:00.000+08:00", Y | Z, " h a:"),
            ("Nov  2 10:00:00 h", "2026-11-02T10:00:00.000+08:00", Y | Z, " h"),
            ("*Nov 22 10:00:00.250: %SYS", "2026-11-22T10:00:00.250+08:00", Y | Z, ": %SYS"),
            ("Nov 22 10:00:00.250 UTC: %SYS", "2026-11-22T18:00:00.250+08:00", Y, ": %SYS"),
            ("Nov 22 2026 10:00:00 h", "2026-11-22T10:00:00.000+08:00", Z, " h"),
            ("Nov 22 10:00:00 2026 h", "2026-11-22T10:00:00.000+08:00", Z, " h"),
            ("Nov 22 10:00:00:123 2026 h", "2026-11-22T10:00:00.123+08:00", Z, " h"),
            ("2026 Nov 22 10:00:00 h", "2026-11-22T10:00:00.000+08:00", Z, " h"),
            ("2026 November 22 10:00:00 h", "2026-11-22T10:00:00.000+08:00", Z, " h"),
            ("Nov 22 08:00:00.5 +06: exec[1]:", "2026-11-22T10:00:00.500+08:00", Y, ": exec[1]:"),
            ("Nov 22 03:00:00 UTC+1: %SYS", "2026-11-22T10:00:00.000+08:00", Y, ": %SYS"),
            ("Nov 22 09:30:00 UTC+07:30: %SYS", "2026-11-22T10:00:00.000+08:00", Y, ": %SYS"),
            ("Nov 22 10:00:00 -1x h", "2026-11-22T10:00:00.000+08:00", Y | Z, " -1x h"),
            ("Nov 22 2026 10:00:00+08:00 h", "2026-11-22T10:00:00.000+08:00", 0, " h"),
            ("11/22/2026:02:00:00 GMT ns", "2026-11-22T10:00:00.000+08:00", 0, " ns"),
            ("Jan 1 00:00:00 h", "2026-11-22T10:00:05.000+08:00", ARRIVAL, " h"),
            ("1970-01-01T00:00:00Z h", "2026-11-22T10:00:05.000+08:00", ARRIVAL, " h"),
        ] {
            assert_eq!(told(text, now), Some((want.to_owned(), flags, rest.to_owned())), "{text}");
        }
        for bad in ["", "Nov 31 10:00:00", "Nov 22 24:00:00", "Nox 22 10:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "Nov 22"] {
            assert_eq!(find(bad).map(|(s, _)| s), None, "{bad}");
        }
    }

    #[test]
    fn the_year_turns() {
        let year = |text: &str, arrival: &str| told(text, arrival).unwrap().0.get(..4).unwrap().to_owned();
        assert_eq!(year("Dec 31 23:59:59 h", "2027-01-01T00:00:01+08:00"), "2026");
        assert_eq!(year("Jan  1 00:00:01 h", "2026-12-31T23:59:59+08:00"), "2027");
        assert_eq!(year("Feb 29 10:00:00 h", "2028-03-01T00:00:00+08:00"), "2028");
    }

    proptest! {
        #[test]
        fn what_the_clock_writes_is_read_back(ms in 0i64..4_000_000_000_000) {
            let text = Millis(ms).to_rfc3339();
            let (stamp, rest) = rfc3339(&text).unwrap();
            prop_assert_eq!(rest, "");
            prop_assert_eq!(stamp.resolve(Millis(ms), 0), (Millis(ms), 0));
        }

        #[test]
        fn times_of_one_form_are_read_as_any(
            ms in 0i64..4_000_000_000_000, digits in 0usize..8, zone in "Z|[+-][01][0-9]:[0-6][0-9]", at in 0usize..40, byte in "[-0-9:.,TZ+ x]", behind in "[ x0:]?"
        ) {
            let head = Millis(ms).to_rfc3339();
            let head = head.get(..19).unwrap();
            let fraction = if digits == 0 { String::new() } else { format!(".{}", "1234567".get(..digits).unwrap()) };
            let text = format!("{head}{fraction}{zone}{behind}");
            let hour: u8 = zone.get(1..3).map_or(0, |hour| hour.parse().unwrap());
            let minute: u8 = zone.get(4..).map_or(0, |minute| minute.parse().unwrap());
            prop_assert_eq!(plain::read(&text).is_some(), hour <= 18 && minute < 60, "{}", text);
            let mut changed = text.clone();
            if at < text.len() {
                changed.replace_range(at..=at, &byte);
            }
            for text in [&text, &changed] {
                if let Some(found) = plain::read(text) {
                    prop_assert_eq!(Some(found), loose(text));
                }
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = find(&text);
        }
    }
}
