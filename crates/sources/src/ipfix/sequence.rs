//! Sequence numbers of one exporter and observation domain: what is lost, late, doubled, or started anew.
//!
//! IPFIX counts data records (RFC 7011 section 3.1), NetFlow v9 counts packets (RFC 3954 section 5.1), both modulo 2^32. The tracker is
//! pure: it is shown each message and says whether to keep it; now and then it is asked which gap records to write.
//!
//! A hole in the numbers opens a gap. A datagram that was only late fills the hole, and the gap is amended by a record with the same id
//! and the count that remains. New gaps are written at most once a second; holes that open in between join one gap.
//!
//! Told apart by: a duplicate has a number and a checksum seen lately. A late datagram has an older export time than the newest. A
//! restarted exporter begins its numbers anew with a later (or a very different) export time; v9 says so itself with its uptime.

use std::collections::VecDeque;

use weir_base::time::Millis;
use weir_record::Id;

use super::limits::{
    BOOT_JITTER_MS, GAP_INTERVAL_MS, GAP_JOIN_MS, GAPS_UNWRITTEN, HOLES, LATE_HEADER_MS, RACE_UNITS, RECENT, REORDER_MS, RESTARTS,
    SEQUENCE_BACK, SEQUENCE_JUMP, UNUSABLE_MS,
};

/// What the sequence number of an exporter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Data records before this message.
    Records,
    /// Messages before this one.
    Messages,
    /// Nothing usable.
    None,
}

/// What is known of a message before its sets are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Sequence number.
    pub sequence: u32,
    /// Export time, ms.
    pub export_ms: i64,
    /// v9: uptime, ms.
    pub uptime_ms: Option<u32>,
    /// Checksum of the whole message.
    pub checksum: u32,
    /// Arrival by our clock.
    pub arrival: Millis,
}

/// What to do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take it.
    Take,
    /// The same datagram came before: drop it.
    Duplicate,
    /// The exporter started anew: forget its templates, then take it.
    Restarted,
}

/// How many units a message carried: not exact when it holds a set whose template is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

impl Units {
    /// An exact count.
    pub fn exact(n: u32) -> Units {
        Units { min: n, max: n }
    }
}

/// A gap record to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GapNote {
    /// Id of the gap.
    pub id: Id,
    /// 0 for the first record of a gap, then 1, 2, …
    pub amendment: u32,
    /// Export time of the last message before, ms.
    pub start: i64,
    /// Export time of the first message after, ms, to the end of its second.
    pub end: i64,
    /// Units lost; `None` when unknown.
    pub lost: Option<u64>,
    /// Reason word.
    pub reason: &'static str,
}

#[derive(Clone, Debug)]
struct Hole {
    from: u32,
    len: u32,
    gap: u64,
    opened: Millis,
}

#[derive(Clone, Debug)]
struct Gap {
    key: u64,
    id: Option<Id>,
    amendment: u32,
    start: i64,
    end: i64,
    lost: u64,
    unknown: bool,
    dirty: bool,
    reason: &'static str,
}

impl Gap {
    fn is_unwritten(&self) -> bool {
        self.id.is_none() && self.dirty && (self.lost > 0 || self.unknown)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Newest {
    export_ms: i64,
    uptime_ms: Option<u32>,
}

/// The tracker.
#[derive(Debug)]
pub struct Sequence {
    counting: Counting,
    next: Option<u32>,
    // How much further than `next` the true next number may be.
    slack: u32,
    newest: Option<Newest>,
    holes: Vec<Hole>,
    gaps: Vec<Gap>,
    last_key: u64,
    recent: VecDeque<(u32, u32)>,
    flushed: Option<Millis>,
    restarts: VecDeque<Millis>,
    unusable_until: Option<Millis>,
    lost: u64,
    current: Option<Arrived>,
    late: bool,
    // The last message may have left the number where it was.
    stood: bool,
    // When the last message came that was in order.
    ordered: Option<Millis>,
}

impl Sequence {
    /// A tracker that has seen nothing.
    pub fn new(counting: Counting) -> Sequence {
        Sequence {
            counting,
            next: None,
            slack: 0,
            newest: None,
            holes: Vec::new(),
            gaps: Vec::new(),
            last_key: 0,
            recent: VecDeque::with_capacity(RECENT),
            flushed: None,
            restarts: VecDeque::new(),
            unusable_until: None,
            lost: 0,
            current: None,
            late: false,
            stood: false,
            ordered: None,
        }
    }

    /// Units known to be lost and not made good since.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Newest export time seen, ms.
    pub fn newest_ms(&self) -> Option<i64> {
        self.newest.map(|n| n.export_ms)
    }

    /// When the last message came whose number followed on. What an exporter announced later, it announced after a restart that its
    /// numbers did not show at once.
    pub fn ordered_until(&self) -> Option<Millis> {
        self.ordered
    }

    /// True while sequence numbers say nothing about loss.
    pub fn unusable(&self) -> bool {
        self.counting == Counting::None || self.unusable_until.is_some()
    }

    /// Judges a message. [`Verdict::Take`] and [`Verdict::Restarted`] must be followed by [`Sequence::took`].
    pub fn judge(&mut self, m: Arrived) -> Verdict {
        self.current = Some(m);
        self.late = false;
        let unusable = self.unusable_at(m.arrival);
        let Some(next) = self.next.filter(|_| !unusable) else {
            return Verdict::Take;
        };
        let ahead = m.sequence.wrapping_sub(next) as i32;
        // The ring is only looked through when the number does not move on; after a message that may have carried nothing, it need not.
        if ahead < 0 || self.stood || self.uptime_fell(&m) {
            if self.recent.contains(&(m.sequence, m.checksum)) {
                return Verdict::Duplicate;
            }
            if ahead != 0 && self.is_restart(&m, ahead) {
                return self.restart(m);
            }
            self.late = ahead < 0;
        }
        Verdict::Take
    }

    /// Counts a message that was taken.
    pub fn took(&mut self, units: Units) {
        let Some(m) = self.current.take() else { return };
        let units = match self.counting {
            Counting::Records => units,
            Counting::Messages => Units::exact(1),
            Counting::None => return self.advance_time(&m),
        };
        if self.unusable_until.is_some() {
            return self.advance_time(&m);
        }
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((m.sequence, m.checksum));
        if self.late {
            self.fill(m.sequence, units.min);
            return;
        }
        if let Some(next) = self.next {
            let ahead = m.sequence.wrapping_sub(next);
            if ahead > self.slack {
                self.open(next.wrapping_add(self.slack), ahead - self.slack, &m);
            }
        }
        self.next = Some(m.sequence.wrapping_add(units.min));
        self.slack = units.max.saturating_sub(units.min);
        self.stood = units.min == 0;
        self.ordered = Some(m.arrival);
        self.advance_time(&m);
    }

    fn unusable_at(&mut self, now: Millis) -> bool {
        if self.unusable_until.is_some_and(|until| now >= until) {
            // Try again from here; what was lost meanwhile is covered by the gap written when judging stopped.
            self.unusable_until = None;
            self.next = None;
            self.restarts.clear();
        }
        self.unusable()
    }

    fn advance_time(&mut self, m: &Arrived) {
        if self.newest.is_none_or(|n| m.export_ms >= n.export_ms || n.export_ms - m.export_ms > LATE_HEADER_MS) {
            self.newest = Some(Newest { export_ms: m.export_ms, uptime_ms: m.uptime_ms });
        }
        if let Some(gap) = self.gaps.last_mut().filter(|g| g.reason == "sequence-unusable") {
            gap.end = gap.end.max(second_end(m.export_ms));
            gap.dirty = true;
        }
    }

    /// The exporter's uptime is lower than it was, and not because the datagram is late or the 32-bit counter (49.7 days) went round.
    fn uptime_fell(&self, m: &Arrived) -> bool {
        let Some((newest, (now, then))) = self.newest.and_then(|n| Some((n, (m.uptime_ms?, n.uptime_ms?)))) else { return false };
        let expected = (then as i64 + (m.export_ms - newest.export_ms)) as u32;
        let error = i64::from(now.wrapping_sub(expected) as i32);
        (now.wrapping_sub(then) as i32) < 0 && error < -BOOT_JITTER_MS
    }

    fn is_restart(&self, m: &Arrived, ahead: i32) -> bool {
        let Some(newest) = self.newest else { return false };
        if self.uptime_fell(m) {
            return true;
        }
        if ahead > 0 {
            return false;
        }
        let behind = newest.export_ms - m.export_ms;
        let back = ahead.unsigned_abs();
        // A late datagram was exported earlier. A few units back with a later header are two threads of an exporter racing each other.
        let later = behind < 0 && (m.sequence == 0 || back > RACE_UNITS);
        back > SEQUENCE_BACK || behind > LATE_HEADER_MS || later
    }

    fn restart(&mut self, m: Arrived) -> Verdict {
        self.restarts.push_back(m.arrival);
        while self.restarts.front().is_some_and(|t| m.arrival.since(*t) > UNUSABLE_MS) || self.restarts.len() > RESTARTS {
            self.restarts.pop_front();
        }
        let start = self.newest_ms().unwrap_or(m.export_ms);
        self.close_holes();
        self.recent.clear();
        self.next = None;
        self.slack = 0;
        self.newest = None;
        if self.restarts.len() >= RESTARTS {
            self.unusable_until = Some(m.arrival.plus(UNUSABLE_MS));
            self.gap(start, &m, 0, true, "sequence-unusable");
            return Verdict::Take;
        }
        self.gap(start, &m, 0, true, "exporter-restart");
        Verdict::Restarted
    }

    /// A new transport session of an exporter that has been here before (TCP): its numbers begin anew, what happened between is unknown.
    pub fn resume(&mut self, last_export_ms: i64, m: &Arrived) {
        self.gap(last_export_ms, m, 0, true, "transport-session");
    }

    /// Marks a stretch as lost in unknown number, for a reason outside the sequence numbers.
    pub fn mark(&mut self, start: i64, end: i64, reason: &'static str) {
        self.push_gap(start, second_end(end), 0, true, reason);
    }

    fn open(&mut self, from: u32, len: u32, m: &Arrived) {
        let start = self.newest_ms().unwrap_or(m.export_ms);
        if len > SEQUENCE_JUMP {
            self.gap(start, m, 0, true, "sequence-jump");
            return;
        }
        self.lost += u64::from(len);
        let gap = self.gap(start, m, u64::from(len), self.slack > 0, "sequence");
        if self.holes.len() >= HOLES {
            self.holes.remove(0);
        }
        self.holes.push(Hole { from, len, gap, opened: m.arrival });
    }

    fn gap(&mut self, start: i64, m: &Arrived, lost: u64, unknown: bool, reason: &'static str) -> u64 {
        self.push_gap(start.min(m.export_ms), second_end(start.max(m.export_ms)), lost, unknown, reason)
    }

    /// Joins a gap of the same reason and the same moment that is not written yet, or begins one. What an exporter held back and sends at
    /// once is told apart by its own header times: one wide gap would make hours unknown.
    fn push_gap(&mut self, start: i64, end: i64, lost: u64, unknown: bool, reason: &'static str) -> u64 {
        let crowded = self.gaps.iter().filter(|g| g.id.is_none()).count() >= GAPS_UNWRITTEN;
        let joins = |g: &&mut Gap| g.id.is_none() && g.reason == reason && (crowded || (start - g.start).abs() < GAP_JOIN_MS);
        if let Some(gap) = self.gaps.iter_mut().rev().find(joins) {
            gap.start = gap.start.min(start);
            gap.end = gap.end.max(end);
            gap.lost += lost;
            gap.unknown |= unknown;
            return gap.key;
        }
        self.last_key += 1;
        let key = self.last_key;
        self.gaps.push(Gap { key, id: None, amendment: 0, start, end, lost, unknown, dirty: true, reason });
        key
    }

    /// A late message: what it brings was counted as lost.
    fn fill(&mut self, sequence: u32, units: u32) {
        let mut filled = Vec::new();
        let mut rest = Vec::with_capacity(self.holes.len() + 1);
        for hole in self.holes.drain(..) {
            // Positions relative to the hole, so that wrapping around 2^32 does not matter.
            let begin = i64::from(sequence.wrapping_sub(hole.from) as i32);
            let from = begin.clamp(0, i64::from(hole.len)) as u32;
            let to = (begin + i64::from(units)).clamp(0, i64::from(hole.len)) as u32;
            if to <= from {
                rest.push(hole);
                continue;
            }
            filled.push((hole.gap, to - from));
            for (a, b) in [(0, from), (to, hole.len)] {
                if b > a {
                    rest.push(Hole { from: hole.from.wrapping_add(a), len: b - a, ..hole.clone() });
                }
            }
        }
        self.holes = rest;
        for (key, n) in filled {
            self.lost = self.lost.saturating_sub(u64::from(n));
            if let Some(gap) = self.gaps.iter_mut().find(|g| g.key == key) {
                gap.lost = gap.lost.saturating_sub(u64::from(n));
                gap.dirty = true;
            }
        }
    }

    /// A set could be counted only now, because its template came after it: where its message was late, the hole it left is filled by
    /// that many records more.
    pub fn counted(&mut self, sequence: u32, records: u32) {
        if self.counting == Counting::Records && !self.holes.is_empty() {
            self.fill(sequence, records);
        }
    }

    fn close_holes(&mut self) {
        self.holes.clear();
    }

    /// The gap records that are due at `now`; all that are not written yet with `force`.
    pub fn flush(&mut self, now: Millis, force: bool, mut new_id: impl FnMut() -> Id) -> Vec<GapNote> {
        self.holes.retain(|h| now.since(h.opened) < REORDER_MS);
        if self.gaps.is_empty() || (!force && self.flushed.is_some_and(|t| (0..GAP_INTERVAL_MS).contains(&now.since(t)))) {
            return Vec::new();
        }
        let mut out = Vec::new();
        for gap in self.gaps.iter_mut().filter(|g| g.dirty) {
            gap.dirty = false;
            // Filled before it was written: nobody needs to hear of it.
            if gap.id.is_none() && gap.lost == 0 && !gap.unknown {
                continue;
            }
            let amendment = if gap.id.is_some() { gap.amendment + 1 } else { 0 };
            let id = *gap.id.get_or_insert_with(&mut new_id);
            gap.amendment = amendment;
            let lost = (!gap.unknown).then_some(gap.lost);
            out.push(GapNote { id, amendment, start: gap.start, end: gap.end, lost, reason: gap.reason });
        }
        if !out.is_empty() {
            self.flushed = Some(now);
        }
        let (holes, unusable) = (&self.holes, self.unusable_until.is_some());
        self.gaps.retain(|g| holes.iter().any(|h| h.gap == g.key) || (unusable && g.reason == "sequence-unusable"));
        out
    }

    /// True if a gap waits to be written.
    pub fn is_dirty(&self) -> bool {
        self.gaps.iter().any(|g| g.dirty)
    }

    /// True if something is known to be lost and no gap record says so yet.
    pub fn has_unwritten_gap(&self) -> bool {
        self.gaps.iter().any(Gap::is_unwritten)
    }

    /// What must survive a restart of ours.
    pub fn saved(&self) -> Saved {
        Saved {
            next: self.next.filter(|_| self.slack == 0),
            export_ms: self.newest_ms(),
            uptime_ms: self.newest.and_then(|n| n.uptime_ms),
            lost: self.lost,
            gap: self.gaps.iter().filter(|g| g.is_unwritten()).map(|g| (g.start, g.end)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
        }
    }

    /// Goes on where an earlier run of ours left off. Holes it had not written down yet become a gap of unknown count; what the
    /// exporter sent while we were away shows as a hole in the numbers at the next message.
    pub fn restore(&mut self, saved: &Saved) {
        self.next = saved.next;
        self.newest = saved.export_ms.map(|export_ms| Newest { export_ms, uptime_ms: saved.uptime_ms });
        self.lost = saved.lost;
        if let Some((start, end)) = saved.gap {
            self.push_gap(start, end, 0, true, "sequence");
        }
    }
}

fn second_end(ms: i64) -> i64 {
    ms.saturating_add(999)
}

/// The part of a tracker that is kept with the records it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Next number expected, when it is exactly known.
    pub next: Option<u32>,
    /// Newest export time, ms.
    pub export_ms: Option<i64>,
    /// Its uptime (v9), ms.
    pub uptime_ms: Option<u32>,
    /// Units lost so far.
    pub lost: u64,
    /// First and last export time, ms, of gaps not written down yet.
    pub gap: Option<(i64, i64)>,
}
