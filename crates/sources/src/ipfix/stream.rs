//! What is known of one exporter in one observation domain: its templates, its sequence, its clock, its counters.

use std::sync::Arc;

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Gap, OperatorAction};
use weir_record::sink::{SourceCounters, SourceHandle};

use super::config::{ClockMode, Rule};
use super::decode::Tally;
use super::lateness::Lateness;
use super::natevent::Event;
use super::offset::{Estimate, Offset};
use super::out::Out;
use super::parser::Version;
use super::sequence::{Counting, Saved, Sequence};
use super::template::Templates;

const MINUTE_MS: i64 = 60_000;
/// Clock difference above which a source is not well, ms.
const OFFSET_TROUBLE_MS: i64 = 2_000;

/// Says that a clock is off by so much, when it is.
pub fn clock_trouble(offset_ms: i64) -> Option<String> {
    (offset_ms.abs() > OFFSET_TROUBLE_MS).then(|| format!("its clock is {offset_ms} ms off ours: set its NTP, or ours"))
}

/// Counts since they were last added to the source's counters.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages.
    pub messages: u64,
    /// Rows made.
    pub records: u64,
    /// Inputs not understood.
    pub malformed: u64,
    /// Records understood and not kept.
    pub ignored: u64,
    /// Duplicates dropped.
    pub duplicates: u64,
    /// Remote ends dropped.
    pub destinations_dropped: u64,
}

/// What the counters of a source say beside its counts.
pub struct Standing<'a> {
    /// Its numbers.
    pub sequence: &'a Sequence,
    /// Its clock against ours.
    pub offset: &'a Offset,
    /// Whether its clock is measured.
    pub clock: ClockMode,
    /// When something last came.
    pub seen: Option<Millis>,
}

impl Standing<'_> {
    fn estimate(&self) -> Option<Estimate> {
        self.offset.estimate().filter(|_| self.clock == ClockMode::Measured)
    }

    /// Says that its clock is off.
    pub fn clock_trouble(&self) -> Option<String> {
        self.estimate().and_then(|e| clock_trouble(e.offset_ms))
    }

    /// Adds to the source's counters.
    pub fn publish(&self, counts: &Counts, trouble: Option<String>, handle: &SourceHandle) {
        let (estimate, header) = (self.estimate(), self.sequence.newest_ms().map(Millis));
        handle.count(|c: &mut SourceCounters| {
            c.messages += counts.messages;
            c.records += counts.records;
            c.malformed += counts.malformed;
            c.ignored += counts.ignored;
            c.duplicates += counts.duplicates;
            c.destinations_dropped += counts.destinations_dropped;
            c.lost = self.sequence.lost();
            c.last_seen = self.seen.or(c.last_seen);
            c.last_header = header.or(c.last_header);
            c.offset_ms = estimate.map(|e| e.offset_ms);
            c.ahead_ms = estimate.map(|e| e.ahead_ms);
            c.trouble = trouble;
        });
    }
}

/// One exporter in one observation domain.
pub struct Stream {
    /// Its entry in the register, and its counters.
    pub handle: SourceHandle,
    /// How it is read.
    pub rule: Arc<Rule>,
    /// Its version.
    pub version: Version,
    /// Its templates.
    pub templates: Templates,
    /// Its sequence numbers.
    pub sequence: Sequence,
    /// Its clock.
    pub offset: Offset,
    /// How late it tells of events.
    pub lateness: Lateness,
    /// Counts not yet added.
    pub counts: Counts,
    /// When something last came.
    pub seen: Option<Millis>,
    /// Something changed since its state was last written.
    pub touched: bool,
    /// Why it is not well, when the reason lies in what it sends.
    pub trouble: Option<&'static str>,
    name: String,
    notices: [u64; 4],
    notices_written: Option<Millis>,
}

impl Stream {
    /// A stream that has seen nothing.
    pub fn new(handle: SourceHandle, name: String, rule: Arc<Rule>, version: Version) -> Stream {
        let counting = rule.counting.unwrap_or(standard(version));
        let templates = Templates::new(version, rule.profile);
        Stream {
            handle,
            version,
            templates,
            sequence: Sequence::new(counting),
            offset: Offset::new(),
            lateness: Lateness::default(),
            counts: Counts::default(),
            seen: None,
            touched: true,
            trouble: None,
            name,
            notices: [0; 4],
            notices_written: None,
            rule,
        }
    }

    /// The word for what its sequence numbers count.
    pub fn unit(&self) -> &'static str {
        match self.rule.counting.unwrap_or(standard(self.version)) {
            Counting::Records => "records",
            Counting::Messages => "packets",
            Counting::None => "datagrams",
        }
    }

    /// Adds what became of a set.
    pub fn tally(&mut self, tally: &Tally) {
        self.counts.records += tally.rows;
        self.counts.ignored += tally.ignored;
        self.counts.destinations_dropped += tally.remotes_dropped;
        for (sum, n) in self.notices.iter_mut().zip(tally.notices) {
            *sum += n;
        }
    }

    /// Writes gap records that are due.
    pub fn flush_gaps(&mut self, now: Millis, force: bool, out: &mut Out) {
        let (source, unit, late) = (self.handle.number, self.unit(), self.lateness.ms());
        for note in self.sequence.flush(now, force, Id::random) {
            self.touched = true;
            // What waits for its template is counted in records whatever the sequence numbers count.
            let unit = if note.reason == UNKNOWN_TEMPLATE { "records" } else { unit };
            out.gaps.push(Gap {
                time: now,
                id: note.id,
                amendment: note.amendment,
                source,
                start: Millis(note.start).plus(-late),
                end: Millis(note.end),
                lost: note.lost,
                unit: unit.to_owned(),
                reason: note.reason.to_owned(),
            });
        }
    }

    /// Writes notices, at most once a minute.
    pub fn flush_notices(&mut self, now: Millis, force: bool, out: &mut Out) {
        let due = force || self.notices_written.is_none_or(|t| !(0..MINUTE_MS).contains(&now.since(t)));
        if !due || self.notices == [0; 4] {
            return;
        }
        for (event, n) in Event::NOTICES.into_iter().zip(std::mem::take(&mut self.notices)) {
            if let Some(action) = event.notice().filter(|_| n > 0) {
                let detail = format!("source {}: {n} events (RFC 8158)", self.name);
                let (actor, action, result) = ("weir".to_owned(), action.to_owned(), "ok".to_owned());
                out.notices.push(OperatorAction { time: now, actor, action, detail, result });
            }
        }
        self.notices_written = Some(now);
    }

    /// Adds the counts to the source's counters.
    pub fn publish(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        let standing = Standing { sequence: &self.sequence, offset: &self.offset, clock: self.rule.clock, seen: self.seen };
        let unusable = self.sequence.unusable() && self.rule.counting != Some(Counting::None);
        let numbers = "its sequence numbers do not follow the standard: set `sequence` of this exporter, or ask its vendor";
        let first = self.trouble.map(str::to_owned).or_else(|| standing.clock_trouble());
        standing.publish(&counts, first.or_else(|| unusable.then(|| numbers.to_owned())), &self.handle);
    }

    /// The state value: format 1, version, presence bits (1 next, 2 export time, 4 uptime, 8 gap, 16 waiting sets, 32
    /// lateness), lost, then what is present; big-endian.
    pub fn state(&self, waiting_since: Option<i64>) -> Vec<u8> {
        let s = self.sequence.saved();
        let late = Some(self.lateness.ms()).filter(|ms| *ms > 0);
        let bits =
            [s.next.is_some(), s.export_ms.is_some(), s.uptime_ms.is_some(), s.gap.is_some(), waiting_since.is_some(), late.is_some()];
        let present = bits.iter().enumerate().fold(0u8, |sum, (i, on)| sum | (u8::from(*on) << i));
        let mut out = vec![1, self.version.number() as u8, present];
        out.extend(s.lost.to_be_bytes());
        out.extend(s.next.into_iter().flat_map(u32::to_be_bytes));
        out.extend(s.export_ms.into_iter().flat_map(i64::to_be_bytes));
        out.extend(s.uptime_ms.into_iter().flat_map(u32::to_be_bytes));
        out.extend(s.gap.into_iter().flat_map(|(a, b)| [a, b]).flat_map(i64::to_be_bytes));
        out.extend(waiting_since.into_iter().flat_map(i64::to_be_bytes));
        out.extend(late.into_iter().flat_map(i64::to_be_bytes));
        out
    }
}

/// The reason word of sets whose template never came.
pub const UNKNOWN_TEMPLATE: &str = "unknown-template";

fn standard(version: Version) -> Counting {
    match version {
        Version::Ipfix => Counting::Records,
        Version::V9 => Counting::Messages,
    }
}

/// A state value read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Version.
    pub version: Version,
    /// Sequence.
    pub saved: Saved,
    /// Export time of the oldest set that waited for its template, ms: those sets are gone.
    pub waiting_since: Option<i64>,
    /// How late it told of events, ms.
    pub late_ms: i64,
}

/// Reads a value that [`Stream::state`] wrote; `None` for another format.
pub fn restore(value: &[u8]) -> Option<Restored> {
    let mut at = 0;
    let mut take = |n: usize| {
        let bytes = value.get(at..at + n)?;
        at += n;
        Some(bytes.iter().fold(0u64, |v, b| (v << 8) | u64::from(*b)))
    };
    if take(1)? != 1 {
        return None;
    }
    let version = Version::from_number(take(1)? as u16)?;
    let present = take(1)?;
    let lost = take(8)?;
    let mut maybe = |bit: u64, n: usize| if present & bit == 0 { Some(None) } else { take(n).map(Some) };
    let next = maybe(1, 4)?.map(|v| v as u32);
    let export_ms = maybe(2, 8)?.map(|v| v as i64);
    let uptime_ms = maybe(4, 4)?.map(|v| v as u32);
    let gap = match (maybe(8, 8)?, maybe(8, 8)?) {
        (Some(a), Some(b)) => Some((a as i64, b as i64)),
        _ => None,
    };
    let waiting_since = maybe(16, 8)?.map(|v| v as i64);
    let late_ms = maybe(32, 8)?.map_or(0, |v| v as i64);
    Some(Restored { version, saved: Saved { next, export_ms, uptime_ms, lost, gap }, waiting_since, late_ms })
}
