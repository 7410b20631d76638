//! Input that is no accounting: recorded as `malformed` with its bytes, but only so many a minute for each reason. The rest of a minute is
//! counted, and the count is recorded when the minute is over. Pure; time is passed in.

use std::collections::BTreeMap;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Malformed, Raw, shape};

use super::limits::{MALFORMED_COPY_BYTES, NOISE_RECORDS_PER_MINUTE, SHAPE_BYTES};

const MINUTE_MS: i64 = 60_000;

/// One bad input.
#[derive(Clone, Copy, Debug)]
pub struct Bad<'a> {
    /// When it arrived.
    pub time: Millis,
    /// Number of the source, 0 for a stranger.
    pub source: u32,
    /// The sender.
    pub peer: Addr16,
    /// A short, stable name of what is wrong.
    pub reason: &'static str,
    /// Where it went wrong, in bytes.
    pub offset: usize,
    /// The input.
    pub bytes: &'a [u8],
}

/// Counts by reason. Reasons are names in this program's text, so their number is bounded.
#[derive(Debug, Default)]
pub struct Noise {
    minute: i64,
    counts: BTreeMap<&'static str, (u32, u64)>,
}

impl Noise {
    /// Rows for a bad input; `None` when this minute has had enough of its reason.
    pub fn record(&mut self, bad: &Bad<'_>, id: Id, rest: &mut Vec<Malformed>) -> Option<(Malformed, Raw)> {
        rest.extend(self.tick(bad.time));
        let (written, counted) = self.counts.entry(bad.reason).or_default();
        if *written >= NOISE_RECORDS_PER_MINUTE {
            *counted += 1;
            return None;
        }
        *written += 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let malformed = Malformed {
            time: bad.time,
            source: bad.source,
            peer: bad.peer,
            reason: bad.reason.to_owned(),
            offset: number(bad.offset),
            length: number(bad.bytes.len()),
            shape: shape(bad.bytes, SHAPE_BYTES),
            count: 1,
            raw: Some(id),
        };
        let copy = bad.bytes.get(..bad.bytes.len().min(MALFORMED_COPY_BYTES)).unwrap_or_default();
        Some((malformed, Raw { time: bad.time, id, source: bad.source, reason: "malformed".to_owned(), bytes: copy.to_vec() }))
    }

    /// When a minute is over: one row for each reason of which more came than was recorded.
    pub fn tick(&mut self, now: Millis) -> Vec<Malformed> {
        let minute = now.0.div_euclid(MINUTE_MS);
        if minute == self.minute {
            return Vec::new();
        }
        let end = Millis((self.minute + 1).saturating_mul(MINUTE_MS) - 1);
        self.minute = minute;
        let full = std::mem::take(&mut self.counts).into_iter().filter(|(_, (_, counted))| *counted > 0);
        full.map(|(reason, (_, count))| Malformed { time: end, reason: reason.to_owned(), count, ..Malformed::default() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_not_written() {
        let mut noise = Noise::default();
        let bad = |t: i64, reason| Bad { time: Millis(t), source: 0, peer: Addr16::v4([192, 0, 2, 9]), reason, offset: 1, bytes: b"bob@1" };
        let (mut written, mut rest) = (0, Vec::new());
        for i in 0..100 {
            written += u32::from(noise.record(&bad(60_000 + i, "a"), Id([1; 16]), &mut rest).is_some());
        }
        let one = noise.record(&bad(60_500, "b"), Id([2; 16]), &mut rest).unwrap();
        assert_eq!((written, rest.len()), (NOISE_RECORDS_PER_MINUTE, 0));
        assert_eq!((one.0.shape.as_str(), one.0.raw, one.1.id), ("aaa@9", Some(Id([2; 16])), Id([2; 16])));
        assert!(noise.tick(Millis(119_999)).is_empty());
        let counted = noise.tick(Millis(120_000));
        assert_eq!(counted.len(), 1);
        assert_eq!((counted[0].reason.as_str(), counted[0].count, counted[0].time), ("a", 80, Millis(119_999)));
        assert!(noise.record(&bad(120_001, "a"), Id([3; 16]), &mut rest).is_some(), "a new minute");
        assert!(noise.tick(Millis(120_002)).is_empty());
    }
}
