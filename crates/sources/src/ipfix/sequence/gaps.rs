//! Holes in the numbers, and the gap records that tell of them.

use weir_base::time::Millis;
use weir_record::Id;

use super::super::limits::{GAP_INTERVAL_MS, GAP_JOIN_MS, GAPS_UNWRITTEN, HOLES, REORDER_MS, SEQUENCE_JUMP};
use super::{Arrived, GapNote, Sequence, Units};

#[derive(Clone, Debug)]
pub(super) struct Hole {
    from: u32,
    len: u32,
    gap: u64,
    opened: Millis,
}

/// Numbers after a message with sets that wait for their template: those of the sets' records, or lost.
#[derive(Clone, Debug)]
struct Unsure {
    from: u32,
    len: u32,
    /// Export times of the messages around, ms.
    pub(super) start: i64,
    end: i64,
}

/// A message of which sets wait for their template. There are no more of these than sets that wait, which are bounded.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    /// Its number and the records that could be counted at once.
    at: u32,
    /// Sets that still wait.
    left: u32,
    /// Records of those that do not wait any more.
    counted: u32,
    /// Uncertainty that stays, see [`Units`].
    rest: u32,
    unsure: Vec<Unsure>,
}

#[derive(Clone, Debug)]
pub(super) struct Gap {
    key: u64,
    pub(super) id: Option<Id>,
    amendment: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    lost: u64,
    unknown: bool,
    pub(super) dirty: bool,
    pub(super) reason: &'static str,
}

impl Gap {
    pub(super) fn is_unwritten(&self) -> bool {
        self.id.is_none() && self.dirty && (self.lost > 0 || self.unknown)
    }
}

impl Sequence {
    pub(super) fn open(&mut self, from: u32, len: u32, vague: bool, m: &Arrived) {
        let start = self.newest_ms().unwrap_or(m.export_ms);
        if len > SEQUENCE_JUMP {
            self.gap(start, m, 0, true, "sequence-jump");
            return;
        }
        self.lost += u64::from(len);
        let gap = self.gap(start, m, u64::from(len), vague, "sequence");
        self.hole(from, len, gap, m.arrival);
    }

    fn hole(&mut self, from: u32, len: u32, gap: u64, opened: Millis) {
        if self.holes.len() >= HOLES {
            self.holes.remove(0);
        }
        self.holes.push(Hole { from, len, gap, opened });
    }

    pub(super) fn gap(&mut self, start: i64, m: &Arrived, lost: u64, unknown: bool, reason: &'static str) -> u64 {
        self.push_gap(start.min(m.export_ms), second_end(start.max(m.export_ms)), lost, unknown, reason)
    }

    /// Joins a gap of the same reason and the same moment that is not written yet, or begins one. What an exporter held back and sends at
    /// once is told apart by its own header times: one wide gap would make hours unknown.
    pub(super) fn push_gap(&mut self, start: i64, end: i64, lost: u64, unknown: bool, reason: &'static str) -> u64 {
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

    /// Passes from the number expected to that of the message that came, `ahead` further: what lies between is lost, or belongs to sets
    /// that wait for their template.
    pub(super) fn pass(&mut self, next: u32, ahead: u32, m: &Arrived) {
        let unsure = ahead.min(self.slack);
        if unsure > 0
            && let Some(waits) = self.waits.iter_mut().rev().find(|w| w.at == next)
        {
            let start = self.newest.map_or(m.export_ms, |n| n.export_ms);
            waits.unsure.push(Unsure { from: next, len: unsure, start, end: m.export_ms });
        }
        if ahead > self.slack {
            // Sets that wait are told of by themselves; what can never be counted makes the count unknown.
            let vague = self.slack > 0 && self.waits.iter().rev().find(|w| w.at == next).is_none_or(|w| w.rest > 0);
            self.open(next.wrapping_add(self.slack), ahead - self.slack, vague, m);
        }
    }

    /// Sets of the message that ends at this number, as far as it could be counted, wait for their template.
    pub(super) fn wait_for(&mut self, at: u32, units: Units) {
        if units.sets > 0 {
            let rest = units.max.saturating_sub(units.min).saturating_sub(units.waiting);
            self.waits.push_back(Waits { at, left: units.sets, counted: 0, rest, unsure: Vec::new() });
        }
    }

    /// A late message: what it brings was counted as lost, or held for possible.
    pub(super) fn fill(&mut self, sequence: u32, units: u32) {
        let mut filled = Vec::new();
        let mut rest = Vec::with_capacity(self.holes.len() + 1);
        for hole in self.holes.drain(..) {
            let (n, left) = without((hole.from, hole.len), sequence, units);
            if n > 0 {
                filled.push((hole.gap, n));
            }
            rest.extend(left.into_iter().map(|(from, len)| Hole { from, len, ..hole.clone() }));
        }
        self.holes = rest;
        for (key, n) in filled {
            self.lost = self.lost.saturating_sub(u64::from(n));
            if let Some(gap) = self.gaps.iter_mut().find(|g| g.key == key) {
                gap.lost = gap.lost.saturating_sub(u64::from(n));
                gap.dirty = true;
            }
        }
        for waits in self.waits.iter_mut().filter(|w| !w.unsure.is_empty()) {
            let left =
                |u: Unsure| without((u.from, u.len), sequence, units).1.into_iter().map(move |(from, len)| Unsure { from, len, ..u });
            waits.unsure = std::mem::take(&mut waits.unsure).into_iter().flat_map(left).collect();
        }
    }

    /// A set could be counted only now, because its template came after it. `at` is its message's number and what could be counted of
    /// that at once.
    pub fn counted(&mut self, at: u32, records: u32, now: Millis) {
        let Some(i) = self.waits.iter().position(|w| w.at == at) else { return };
        let waits = &mut self.waits[i];
        let from = at.wrapping_add(waits.counted);
        // Which of the message's numbers are the set's does not matter.
        waits.counted = waits.counted.saturating_add(records);
        waits.left -= 1;
        self.fill(from, records);
        if self.waits[i].left > 0 {
            return;
        }
        let Some(done) = self.waits.remove(i) else { return };
        if self.next == Some(at) {
            self.next = Some(at.wrapping_add(done.counted));
            self.slack = done.rest;
        }
        for u in done.unsure {
            self.lost += u64::from(u.len);
            let gap = self.push_gap(u.start, second_end(u.end), u64::from(u.len), done.rest > 0, "sequence");
            self.hole(u.from, u.len, gap, now);
        }
    }

    /// A set's template did not come: what may have been lost after its message is lost in unknown number.
    pub fn gave_up(&mut self, at: u32, reason: &'static str) {
        let Some(i) = self.waits.iter().position(|w| w.at == at) else { return };
        self.waits[i].left -= 1;
        for u in std::mem::take(&mut self.waits[i].unsure) {
            self.push_gap(u.start, second_end(u.end), 0, true, reason);
        }
        if self.waits[i].left == 0 {
            self.waits.remove(i);
        }
    }

    pub(super) fn close_holes(&mut self) {
        self.holes.clear();
        self.waits.clear();
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
}

/// What is left of a range of numbers without another, and how many go. Positions are relative to the range, so that wrapping around 2^32
/// does not matter.
fn without(range: (u32, u32), sequence: u32, units: u32) -> (u32, Vec<(u32, u32)>) {
    let (first, len) = range;
    let begin = i64::from(sequence.wrapping_sub(first) as i32);
    let from = begin.clamp(0, i64::from(len)) as u32;
    let to = (begin + i64::from(units)).clamp(0, i64::from(len)) as u32;
    if to <= from {
        return (0, vec![range]);
    }
    let left = [(0, from), (to, len)].into_iter().filter(|(a, b)| b > a);
    (to - from, left.map(|(a, b)| (first.wrapping_add(a), b - a)).collect())
}

/// The end of an instant's second.
pub(super) fn second_end(ms: i64) -> i64 {
    ms.saturating_add(999)
}
