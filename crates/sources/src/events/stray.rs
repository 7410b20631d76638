//! Lines that are no events, and callers without a token: recorded, but only so many a minute for each reason.

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Malformed, Raw};

use super::limits::STRAYS;
use crate::radius::noise::{Bad, Noise};

/// Rows about bad input.
#[derive(Debug, Default)]
pub struct Rows {
    /// The reasons.
    pub malformed: Vec<Malformed>,
    /// The bytes.
    pub raw: Vec<Raw>,
}

impl Rows {
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.malformed.is_empty() && self.raw.is_empty()
    }

    fn extend(&mut self, more: Rows) {
        self.malformed.extend(more.malformed);
        self.raw.extend(more.raw);
    }
}

/// What is counted, and what waits for a group.
#[derive(Debug, Default)]
pub struct Stray {
    noise: Noise,
    waiting: Rows,
}

impl Stray {
    /// Takes one bad input down: its rows go into `rows`, if this minute has not had enough of its reason.
    pub fn note(&mut self, source: u32, peer: Addr16, time: Millis, reason: &'static str, bytes: &[u8], rows: &mut Rows) {
        let bad = Bad { time, source, peer, reason, offset: 0, bytes };
        if let Some((malformed, raw)) = self.noise.record(&bad, Id::random(), &mut rows.malformed) {
            rows.malformed.push(malformed);
            rows.raw.push(raw);
        }
    }

    /// The same for a caller that is nobody here: its row waits for the next tick.
    pub fn stranger(&mut self, peer: Addr16, time: Millis, reason: &'static str) {
        let mut rows = Rows::default();
        self.note(0, peer, time, reason, b"", &mut rows);
        self.back(rows);
    }

    /// Puts rows back that were not kept; beyond the limit they go.
    pub fn back(&mut self, rows: Rows) {
        self.waiting.extend(rows);
        self.waiting.malformed.truncate(STRAYS);
        self.waiting.raw.truncate(STRAYS);
    }

    /// What is due at `now`.
    pub fn take(&mut self, now: Millis) -> Rows {
        self.waiting.malformed.extend(self.noise.tick(now));
        std::mem::take(&mut self.waiting)
    }
}
