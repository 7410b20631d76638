//! Finds moments in text, in the ways people and programs write them.

use weir_base::time::Millis;

use super::scan::{Cursor, is_word};

/// A moment found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The moment. Of a time without seconds the middle of its minute.
    pub at: Millis,
    /// Where it stands.
    pub span: (usize, usize),
    /// A zone stood beside it.
    pub zoned: bool,
    /// A year stood in it.
    pub dated: bool,
    /// It names no seconds.
    pub minute: bool,
    /// What was assumed.
    pub assumed: Vec<String>,
}

/// What a text without a zone or a year is read by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The zone of times that name none, e.g. `+08:00`.
    pub zone: String,
    /// Now: a time without a year lies before it.
    pub now: Millis,
}

/// Why a text that looks like a moment is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// Day and month may be read two ways.
    DayOrMonth,
    /// The zone's name means several zones.
    Zone,
    /// No such day or hour.
    NoSuch,
}

impl Unclear {
    /// What to do, in words.
    pub fn words(self) -> &'static str {
        match self {
            Unclear::DayOrMonth => "day and month may be read two ways: write the date as 2026-11-22",
            Unclear::Zone => "the zone's name has several meanings: write it as +08:00",
            Unclear::NoSuch => "there is no such day or hour: write it as 2026-11-22 10:00:00",
        }
    }
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Zones with a name of one meaning, or of one that is meant here.
const ZONES: &[(&str, &str)] = &[
    ("Z", "+00:00"),
    ("UTC", "+00:00"),
    ("GMT", "+00:00"),
    ("CST", "+08:00"),
    ("HKT", "+08:00"),
    ("SGT", "+08:00"),
    ("JST", "+09:00"),
    ("KST", "+09:00"),
    ("MSK", "+03:00"),
    ("CET", "+01:00"),
    ("CEST", "+02:00"),
    ("EET", "+02:00"),
    ("EEST", "+03:00"),
    ("EST", "-05:00"),
    ("EDT", "-04:00"),
    ("CDT", "-05:00"),
    ("MST", "-07:00"),
    ("MDT", "-06:00"),
    ("PST", "-08:00"),
    ("PDT", "-07:00"),
    ("AEST", "+10:00"),
    ("AEDT", "+11:00"),
];
const UNCLEAR_ZONES: &[&str] = &["IST", "AST", "BST", "ECT"];

/// The parts of a moment as they stood.
#[derive(Clone, Debug, Default)]
struct Parts {
    year: Option<u32>,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: Option<u32>,
    milli: u32,
    /// 12 more hours, or midnight at 12.
    half: Option<bool>,
}

/// Every moment in the text, in its order, and the first thing that looked like one.
pub fn find(text: &str, basis: &Basis) -> (Vec<Moment>, Option<Unclear>) {
    let bytes = text.as_bytes();
    let (mut found, mut unclear, mut at) = (Vec::new(), None, 0);
    while at < bytes.len() && found.len() < 8 {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i)).copied().unwrap_or(b' ');
        let here = bytes.get(at).copied().unwrap_or(b' ');
        let begins = (here.is_ascii_digit() && !before.is_ascii_alphanumeric() && before != b'.')
            || (here.is_ascii_alphabetic() && !is_word(before));
        match begins.then(|| moment_at(text, at, basis)).flatten() {
            Some(Ok(moment)) => {
                at = moment.span.1.max(at + 1);
                found.push(moment);
            }
            Some(Err(why)) => {
                unclear = unclear.or(Some(why));
                at += 1;
            }
            None => at += 1,
        }
    }
    (found, unclear)
}

/// A text that is one moment and nothing else.
pub fn whole(text: &str, basis: &Basis) -> Result<Moment, Option<Unclear>> {
    let text = text.trim().trim_matches(['[', ']', '"', '\'']);
    if let Some(at) = epoch(text) {
        return Ok(moment(at, (0, text.len()), true, true));
    }
    let (found, unclear) = find(text, basis);
    found.into_iter().next().ok_or(unclear)
}

/// Seconds, milliseconds or microseconds since 1970, where they lie between 2001 and 2100.
pub fn epoch(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 || (text.contains('.') && fraction.is_empty()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let milli: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let ms = match whole.len() {
        10 => number * 1_000 + milli,
        13 => number,
        16 => number / 1_000,
        _ => return None,
    };
    (1_000_000_000_000..4_102_444_800_000).contains(&ms).then_some(Millis(ms))
}

fn moment(at: Millis, span: (usize, usize), zoned: bool, dated: bool) -> Moment {
    Moment { at, span, zoned, dated, minute: false, assumed: Vec::new() }
}

fn moment_at(text: &str, at: usize, basis: &Basis) -> Option<Result<Moment, Unclear>> {
    let forms = [year_first, compact, day_first, month_name, slashes];
    let (parts, cursor) = forms
        .iter()
        .find_map(|form| {
            let mut cursor = Cursor::new(text, at);
            match form(&mut cursor) {
                Some(Ok(parts)) => Some(Ok((parts, cursor))),
                Some(Err(why)) => Some(Err(why)),
                None => None,
            }
        })?
        .map_or_else(|why| (Err(why), Cursor::new(text, at)), |(parts, cursor)| (Ok(parts), cursor));
    Some(parts.and_then(|parts| finish(parts, cursor, at, basis)))
}

fn finish(mut parts: Parts, mut cursor: Cursor<'_>, from: usize, basis: &Basis) -> Result<Moment, Unclear> {
    half(&mut cursor, &mut parts);
    let mut zone = zone(&mut cursor)?;
    if parts.year.is_none() {
        // `Nov 22 10:00:00 CST 2026`, `Nov 22 10:00:00 2026`.
        let ahead = cursor.clone();
        cursor.spaces();
        match cursor.digits(4, 4).filter(|y| (1990..2100).contains(y) && !cursor.at_word() && cursor.peek() != Some(b':')) {
            Some(year) => parts.year = Some(year),
            None => cursor = ahead,
        }
    }
    let zoned = zone.is_some();
    let mut assumed = Vec::new();
    if let Some((_, true)) = &zone {
        assumed.push("CST is taken for China Standard Time, +08:00".to_owned());
    }
    let offset = zone.take().map_or_else(|| basis.zone.clone(), |(offset, _)| offset);
    if !zoned {
        assumed.push(format!("the time names no zone: {offset} is taken"));
    }
    let dated = parts.year.is_some();
    let minute = parts.second.is_none();
    let at = match parts.year {
        Some(year) => parts.at(year, &offset).ok_or(Unclear::NoSuch)?,
        None => {
            let (at, year) = parts.latest(&offset, basis.now).ok_or(Unclear::NoSuch)?;
            assumed.push(format!("the time names no year: {year} is taken"));
            at
        }
    };
    if minute {
        assumed.push("the time names no seconds: the whole minute is asked about".to_owned());
    }
    if parts.second == Some(60) {
        assumed.push("a second 60 is asked about as the second before it".to_owned());
    }
    Ok(Moment { at, span: (from, cursor.at), zoned, dated, minute, assumed })
}

impl Parts {
    fn at(&self, year: u32, offset: &str) -> Option<Millis> {
        let hour = match (self.half, self.hour) {
            (Some(true), h @ 1..=11) => h + 12,
            (Some(false), 12) => 0,
            (_, h) => h,
        };
        // Of a minute without seconds its middle.
        let second = self.second.unwrap_or(30).min(59);
        let (month, day, minute, milli) = (self.month, self.day, self.minute, self.milli);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}{offset}").parse().ok()
    }

    /// The latest year in which it does not lie more than a day ahead.
    fn latest(&self, offset: &str, now: Millis) -> Option<(Millis, u32)> {
        let this: u32 = now.to_rfc3339().get(..4)?.parse().ok()?;
        [this + 1, this, this - 1, this - 2, this - 3, this - 4]
            .into_iter()
            .find_map(|year| self.at(year, offset).filter(|at| at.since(now) <= 86_400_000).map(|at| (at, year)))
    }
}

/// `10:00:00.123`, `10时00分00秒`, `10:00`.
fn clock(cursor: &mut Cursor<'_>, parts: &mut Parts) -> Option<()> {
    for (word, afternoon) in [("上午", false), ("凌晨", false), ("早上", false), ("下午", true), ("晚上", true), ("中午", true)]
    {
        if cursor.word(word) {
            parts.half = Some(afternoon);
            cursor.spaces();
            break;
        }
    }
    parts.hour = cursor.digits(1, 2)?;
    if cursor.word("时") || cursor.word("点") {
        parts.minute = cursor.digits(1, 2).filter(|_| cursor.word("分")).unwrap_or(0);
        parts.second = cursor.digits(1, 2).filter(|_| cursor.word("秒"));
        return Some(());
    }
    if !cursor.byte(b':') {
        return None;
    }
    parts.minute = cursor.digits(2, 2)?;
    let ahead = cursor.clone();
    match cursor.byte(b':').then(|| cursor.digits(2, 2)).flatten() {
        Some(second) => parts.second = Some(second),
        None => *cursor = ahead,
    }
    let ahead = cursor.clone();
    if parts.second.is_some() && (cursor.byte(b'.') || cursor.byte(b',')) {
        match cursor.fraction() {
            // `10:00:00,203.0.113.7` goes on with an address.
            Some(milli) if cursor.peek() != Some(b'.') => parts.milli = milli,
            _ => *cursor = ahead,
        }
    }
    (parts.hour <= 24 && parts.minute < 60 && parts.second.is_none_or(|s| s <= 60)).then_some(())
}

fn half(cursor: &mut Cursor<'_>, parts: &mut Parts) {
    let ahead = cursor.clone();
    cursor.spaces();
    match [("AM", false), ("PM", true), ("am", false), ("pm", true)].iter().find(|(word, _)| cursor.word(word)) {
        Some((_, afternoon)) if !cursor.at_word() => parts.half = Some(*afternoon),
        _ => *cursor = ahead,
    }
}

/// The zone behind a time: its offset, and whether it is the CST that is taken for China's.
fn zone(cursor: &mut Cursor<'_>) -> Result<Option<(String, bool)>, Unclear> {
    let ahead = cursor.clone();
    cursor.spaces();
    let bracket = cursor.byte(b'(');
    for name in UNCLEAR_ZONES {
        if cursor.clone().whole_word(name) {
            return Err(Unclear::Zone);
        }
    }
    for (name, offset) in ZONES {
        let mut after = cursor.clone();
        if after.word(name) && !after.peek().is_some_and(|b| b.is_ascii_alphanumeric()) {
            *cursor = after;
            // `UTC+8`, `GMT+0800`.
            let named = signed(&mut cursor.clone()).filter(|_| matches!(*name, "UTC" | "GMT"));
            if named.is_some() {
                let _ = signed(cursor);
            }
            if bracket {
                cursor.byte(b')');
            }
            return Ok(Some((named.unwrap_or_else(|| (*offset).to_owned()), *name == "CST")));
        }
    }
    for name in ["北京时间", "中国标准时间"] {
        if cursor.word(name) {
            return Ok(Some(("+08:00".to_owned(), false)));
        }
    }
    match signed(cursor) {
        Some(offset) => Ok(Some((offset, false))),
        None => {
            *cursor = ahead;
            Ok(None)
        }
    }
}

/// `+08:00`, `+0800`, `+08`, `+8`.
fn signed(cursor: &mut Cursor<'_>) -> Option<String> {
    let start = cursor.clone();
    let sign = cursor.take(|b| b == b'+' || b == b'-')?;
    let hours = cursor.digits(1, 2);
    let minutes = {
        let colon = cursor.clone();
        cursor.byte(b':');
        cursor.digits(2, 2).or_else(|| {
            *cursor = colon;
            Some(0)
        })
    };
    match (hours, minutes) {
        (Some(h), Some(m)) if h <= 14 && m < 60 && !cursor.at_word() => Some(format!("{}{h:02}:{m:02}", char::from(sign))),
        _ => {
            *cursor = start;
            None
        }
    }
}

type Read = Option<Result<Parts, Unclear>>;

/// `2026-11-22T10:00:00`, `2026/11/22 10:00:00`, `2026年11月22日 10时00分00秒`.
fn year_first(cursor: &mut Cursor<'_>) -> Read {
    let mut parts = Parts { year: Some(cursor.digits(4, 4).filter(|y| (1990..2100).contains(y))?), ..Parts::default() };
    let separator = if cursor.word("年") { b'n' } else { cursor.take(|b| matches!(b, b'-' | b'/' | b'.'))? };
    cursor.spaces();
    parts.month = cursor.digits(1, 2)?;
    let second = if separator == b'n' { cursor.word("月") } else { cursor.byte(separator) };
    cursor.spaces();
    parts.day = cursor.digits(1, 2).filter(|_| second)?;
    if separator == b'n' {
        let _ = cursor.word("日") || cursor.word("号");
    }
    between(cursor);
    clock(cursor, &mut parts)?;
    Some(Ok(parts))
}

/// What stands between a date and its time.
fn between(cursor: &mut Cursor<'_>) {
    if !(cursor.byte(b'T') || cursor.byte(b't') || cursor.byte(b':') || cursor.byte(b'_') || cursor.byte(b'-')) {
        cursor.byte(b',');
        cursor.spaces();
        // `2026-11-22 at 10:00:00`.
        if cursor.word("at ") {
            cursor.spaces();
        }
    }
}

/// `20261122T100000`, `20261122100000`, `20261122 10:00:00`.
fn compact(cursor: &mut Cursor<'_>) -> Read {
    let mut parts = Parts { year: Some(cursor.digits(4, 4).filter(|y| (1990..2100).contains(y))?), ..Parts::default() };
    parts.month = cursor.digits(2, 2).filter(|m| (1..=12).contains(m))?;
    parts.day = cursor.digits(2, 2).filter(|d| (1..=31).contains(d))?;
    let spaced = cursor.byte(b'T') || cursor.byte(b' ') || cursor.byte(b'-');
    let mut colons = cursor.clone();
    if spaced && clock(&mut colons, &mut parts).is_some() {
        *cursor = colons;
        return Some(Ok(parts));
    }
    parts.hour = cursor.digits(2, 2).filter(|h| *h < 24)?;
    parts.minute = cursor.digits(2, 2).filter(|m| *m < 60)?;
    parts.second = Some(cursor.digits(2, 2).filter(|s| *s <= 60)?);
    if cursor.at_word() && cursor.peek() != Some(b'Z') {
        return None;
    }
    let ahead = cursor.clone();
    match cursor.byte(b'.').then(|| cursor.fraction()).flatten() {
        Some(milli) => parts.milli = milli,
        None => *cursor = ahead,
    }
    Some(Ok(parts))
}

fn month(cursor: &mut Cursor<'_>) -> Option<u32> {
    let word = cursor.letters()?;
    let short = word.get(..3)?.to_ascii_lowercase();
    let number = MONTHS.iter().position(|m| *m == short)?;
    let long = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let fits = word.len() == 3 || long.get(number).is_some_and(|l| l.starts_with(&word.to_ascii_lowercase()));
    fits.then_some(number as u32 + 1)
}

/// `22/Nov/2026:10:00:00`, `22 Nov 2026 10:00:00`, `22-Nov-2026 10:00:00`.
fn day_first(cursor: &mut Cursor<'_>) -> Read {
    let mut parts = Parts { day: cursor.digits(1, 2)?, ..Parts::default() };
    cursor.take(|b| matches!(b, b'/' | b'-' | b' '))?;
    parts.month = month(cursor)?;
    cursor.take(|b| matches!(b, b'/' | b'-' | b' ' | b','))?;
    cursor.spaces();
    parts.year = Some(cursor.digits(4, 4).filter(|y| (1990..2100).contains(y))?);
    between(cursor);
    clock(cursor, &mut parts)?;
    Some(Ok(parts))
}

/// `Nov 22 10:00:00`, `Nov  2 2026 10:00:00`, `November 22, 2026, 10:00:00`.
fn month_name(cursor: &mut Cursor<'_>) -> Read {
    let mut parts = Parts { month: month(cursor)?, ..Parts::default() };
    cursor.take(|b| b == b' ')?;
    cursor.spaces();
    parts.day = cursor.digits(1, 2).filter(|d| (1..=31).contains(d))?;
    let ahead = cursor.clone();
    cursor.byte(b',');
    cursor.spaces();
    match cursor.digits(4, 4).filter(|y| (1990..2100).contains(y)) {
        Some(year) => parts.year = Some(year),
        None => *cursor = ahead,
    }
    between(cursor);
    clock(cursor, &mut parts)?;
    Some(Ok(parts))
}

/// `22/11/2026 10:00:00` where only one reading is a date.
fn slashes(cursor: &mut Cursor<'_>) -> Read {
    let first = cursor.digits(1, 2)?;
    let separator = cursor.take(|b| matches!(b, b'/' | b'-' | b'.'))?;
    let second = cursor.digits(1, 2)?;
    if !cursor.byte(separator) {
        return None;
    }
    let mut parts = Parts { year: Some(cursor.digits(4, 4).filter(|y| (1990..2100).contains(y))?), ..Parts::default() };
    between(cursor);
    clock(cursor, &mut parts)?;
    (parts.day, parts.month) = match (first, second) {
        (13..=31, 1..=12) => (first, second),
        (1..=12, 13..=31) => (second, first),
        (1..=12, same) if same == first => (first, second),
        (1..=12, 1..=12) => return Some(Err(Unclear::DayOrMonth)),
        _ => return Some(Err(Unclear::NoSuch)),
    };
    Some(Ok(parts))
}
