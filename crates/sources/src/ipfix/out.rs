//! What a collector has made since the last group: columns, rarer rows, state changes, evidence.

use std::collections::BTreeMap;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Gap, Malformed, NatEventColumns, OperatorAction, Raw, shape};
use weir_record::limits::VALUE_BYTES;
use weir_record::sink::{Group, SourceNo, StatePut};
use weir_record::{Id, Kind};

use super::limits::{MALFORMED_PER_MINUTE, RAW_BYTES, RAW_PER_MINUTE};

/// The owner name of this source's state.
pub const OWNER: &str = "ipfix";

const SHAPE_BYTES: usize = 64;
const MINUTE_MS: i64 = 60_000;

/// The pieces of the next group.
#[derive(Debug, Default)]
pub struct Out {
    /// NAT events.
    pub events: NatEventColumns,
    /// Gaps.
    pub gaps: Vec<Gap>,
    /// Input not understood.
    pub malformed: Vec<Malformed>,
    /// Raw copies.
    pub raw: Vec<Raw>,
    /// Notices: exhaustion, quota, threshold.
    pub notices: Vec<OperatorAction>,
    /// State changes by key; the last one counts.
    pub state: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Newest header time by source.
    pub evidence: BTreeMap<SourceNo, Millis>,
}

impl Out {
    /// True if something waits to be written.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.rare_rows() == 0 && self.state.is_empty() && self.evidence.is_empty()
    }

    /// Rows that are not NAT events.
    pub fn rare_rows(&self) -> usize {
        self.gaps.len() + self.malformed.len() + self.raw.len() + self.notices.len()
    }

    /// The group, leaving nothing behind. Columns are moved, not copied.
    pub fn take(&mut self) -> Group {
        let taken = std::mem::take(self);
        // The next batch will be about as long: one allocation a column instead of a dozen while it grows.
        self.events = with_capacity(taken.events.len(), taken.events.remote_port.len());
        let mut group = Group::new(OWNER);
        if !taken.events.is_empty() {
            group.batches.push((Kind::NatEvent, taken.events.into_batch()));
        }
        add(&mut group, Kind::Gap, &taken.gaps);
        add(&mut group, Kind::Malformed, &taken.malformed);
        add(&mut group, Kind::Raw, &taken.raw);
        add(&mut group, Kind::OperatorAction, &taken.notices);
        group.state = taken.state.into_iter().map(|(key, value)| StatePut { key, value }).collect();
        group.evidence = taken.evidence.into_iter().collect();
        group
    }
}

fn add<R: Record>(group: &mut Group, kind: Kind, rows: &[R]) {
    if !rows.is_empty() {
        group.batches.push((kind, R::batch(rows)));
    }
}

fn with_capacity(n: usize, remotes: usize) -> NatEventColumns {
    NatEventColumns {
        time: Vec::with_capacity(n),
        action: Vec::with_capacity(n),
        form: Vec::with_capacity(n),
        protocol: Vec::with_capacity(n),
        source: Vec::with_capacity(n),
        public_address: Vec::with_capacity(n),
        public_port: Vec::with_capacity(n),
        public_port_last: Vec::with_capacity(n),
        inside_address: Vec::with_capacity(n),
        inside_port: Vec::with_capacity(n),
        remote_address: Vec::with_capacity(remotes),
        remote_port: Vec::with_capacity(remotes),
        remote_tag: Vec::with_capacity(remotes),
    }
}

/// A thing that was not understood.
#[derive(Clone, Copy, Debug)]
pub struct Bad<'a> {
    /// When it came.
    pub at: Millis,
    /// Number of the source, 0 when unknown.
    pub source: SourceNo,
    /// Who sent it.
    pub peer: Addr16,
    /// Reason word.
    pub reason: &'static str,
    /// Byte position of the trouble.
    pub offset: usize,
    /// The input.
    pub bytes: &'a [u8],
    /// How many records are like this.
    pub count: u64,
}

/// How much of an exporter's bad input is written out in a minute; the rest is counted, and the count is written when the minute is over.
#[derive(Debug, Default)]
pub struct Budget {
    peer: Addr16,
    minute: i64,
    malformed: u32,
    raw: u32,
    over: BTreeMap<(SourceNo, &'static str), (u64, u32)>,
}

impl Budget {
    /// The budget of one sender; of all that are not ours, when it is [`Addr16::NONE`].
    pub fn new(peer: Addr16) -> Budget {
        Budget { peer, ..Budget::default() }
    }

    /// Writes a `malformed` row and its raw copy, or counts it.
    pub fn malformed(&mut self, bad: Bad<'_>, out: &mut Out) {
        self.roll(bad.at, out);
        let length = u32::try_from(bad.bytes.len()).unwrap_or(u32::MAX);
        if self.malformed >= MALFORMED_PER_MINUTE {
            let over = self.over.entry((bad.source, bad.reason)).or_default();
            *over = (over.0 + bad.count, length);
            return;
        }
        self.malformed += 1;
        let id = Id::random();
        let copy = bad.bytes.get(..RAW_BYTES).unwrap_or(bad.bytes);
        out.malformed.push(Malformed {
            time: bad.at,
            source: bad.source,
            peer: bad.peer,
            reason: bad.reason.to_owned(),
            offset: u32::try_from(bad.offset).unwrap_or(u32::MAX),
            length,
            shape: shape(bad.bytes, SHAPE_BYTES),
            count: bad.count,
            raw: Some(id),
        });
        out.raw.push(Raw { time: bad.at, id, source: bad.source, reason: "malformed".to_owned(), bytes: copy.to_vec() });
    }

    /// Keeps the bytes of a set whose template never came, as far as the minute allows; the gap tells of all of them.
    pub fn unknown_template(&mut self, at: Millis, source: SourceNo, bytes: &[u8], out: &mut Out) {
        self.roll(at, out);
        if self.raw < RAW_PER_MINUTE {
            self.raw += 1;
            let bytes = bytes.get(..VALUE_BYTES).unwrap_or(bytes).to_vec();
            out.raw.push(Raw { time: at, id: Id::random(), source, reason: "unknown-template".to_owned(), bytes });
        }
    }

    /// Begins a new minute when it is time: writes what was only counted in the old one.
    pub fn roll(&mut self, now: Millis, out: &mut Out) {
        let minute = now.0.div_euclid(MINUTE_MS);
        if minute != self.minute {
            self.settle(now, out);
            (self.minute, self.malformed, self.raw) = (minute, 0, 0);
        }
    }

    /// Writes what was only counted.
    pub fn settle(&mut self, now: Millis, out: &mut Out) {
        let peer = self.peer;
        for ((source, reason), (count, length)) in std::mem::take(&mut self.over) {
            let reason = reason.to_owned();
            out.malformed.push(Malformed { time: now, source, peer, reason, length, count, ..Malformed::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_bounded_and_its_count_is_written() {
        let (mut budget, mut out) = (Budget::default(), Out::default());
        let bad = |at| Bad { at: Millis(at), source: 3, peer: Addr16::NONE, reason: "set-length", offset: 4, bytes: &[0; 2_000], count: 1 };
        let flood = u64::from(MALFORMED_PER_MINUTE) + 1_000;
        for _ in 0..flood {
            budget.malformed(bad(0), &mut out);
        }
        assert_eq!((out.malformed.len(), out.raw.len()), (MALFORMED_PER_MINUTE as usize, MALFORMED_PER_MINUTE as usize));
        assert!(out.raw.iter().all(|r| r.bytes.len() == RAW_BYTES));
        budget.roll(Millis(MINUTE_MS), &mut out);
        assert_eq!(out.malformed.iter().map(|m| m.count).sum::<u64>(), flood);
        assert_eq!(out.malformed.last().map(|m| m.raw), Some(None));
        budget.roll(Millis(2 * MINUTE_MS), &mut out);
        assert_eq!(out.malformed.len(), MALFORMED_PER_MINUTE as usize + 1, "the count is written once");
    }
}
