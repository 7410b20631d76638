//! The form of time that nearly all lines of RFC 5424 have, read where each digit must stand: `2026-11-22T10:00:00.123+08:00`, or `Z` at its end.

use super::{Clock, Stamp, checked};

/// Bytes before the fraction.
const HEAD: usize = "2026-11-22T10:00:00".len();

/// A time of just this form and what follows it. None for any other: it may be a time all the same.
pub(super) fn read(text: &str) -> Option<(Stamp, &str)> {
    let bytes = text.as_bytes();
    let head: &[u8; HEAD] = bytes.first_chunk()?;
    let two = |at: usize| Some(pair(*head.get(at)?, *head.get(at + 1)?));
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let marks = [head[4], head[7], head[10], head[13], head[16]] == *b"--T::";
    // What is no digit made a number beyond all bounds.
    if !marks || year > 9_999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (milli, at) = fraction(bytes)?;
    let (zone, end) = zone(bytes, at)?;
    let clock = Clock { ms: i64::from((hour * 3_600 + minute * 60 + second) * 1_000 + milli), whole: at == HEAD };
    Some((checked(Some(i64::from(year)), i64::from(month), i64::from(day), clock, Some(zone))?, text.get(end..)?))
}

/// More than any two digits say.
const NONE: u32 = 10_000;

fn pair(tens: u8, ones: u8) -> u32 {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    if tens > 9 || ones > 9 { NONE } else { u32::from(tens) * 10 + u32::from(ones) }
}

/// Milliseconds of a fraction, and where it ends; the digits behind the third count for nothing.
fn fraction(bytes: &[u8]) -> Option<(u32, usize)> {
    if bytes.get(HEAD) != Some(&b'.') {
        return Some((0, HEAD));
    }
    let digits = bytes.get(HEAD + 1..)?;
    let (mut milli, mut weight, mut count) = (0, 100, 0);
    while let Some(digit) = digits.get(count).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
        milli += u32::from(digit) * weight;
        weight /= 10;
        count += 1;
    }
    (count > 0).then_some((milli, HEAD + 1 + count))
}

/// Minutes east of UTC, and where the zone ends.
fn zone(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
    match bytes.get(at..)? {
        [b'Z', ..] => Some((0, at + 1)),
        [sign @ (b'+' | b'-'), a, b, b':', c, d, ..] => {
            let (hour, minute) = (pair(*a, *b), pair(*c, *d));
            let east = i32::try_from(hour * 60 + minute).ok().filter(|_| hour <= 18 && minute < 60)?;
            Some((if *sign == b'-' { -east } else { east }, at + 6))
        }
        _ => None,
    }
}
