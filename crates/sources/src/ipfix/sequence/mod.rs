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

mod gaps;

use std::collections::VecDeque;

use weir_base::time::Millis;
use weir_record::Id;

use self::gaps::{Gap, Hole, Waits, second_end};
use super::limits::{BOOT_JITTER_MS, LATE_HEADER_MS, RACE_UNITS, RECENT, RESTARTS, SEQUENCE_BACK, UNUSABLE_MS};

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
    /// Of what is not sure, so many are in sets that wait for their template; the rest is never counted.
    pub waiting: u32,
    /// Sets that wait.
    pub sets: u32,
}

impl Units {
    /// An exact count.
    pub fn exact(n: u32) -> Units {
        Units { min: n, max: n, waiting: 0, sets: 0 }
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
    waits: VecDeque<Waits>,
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
            waits: VecDeque::new(),
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

    /// True if a message with this number follows on, or is the first.
    pub fn expects(&self, sequence: u32) -> bool {
        self.next.is_none_or(|next| next == sequence)
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
            self.wait_for(m.sequence.wrapping_add(units.min), units);
            return;
        }
        let (end, mut slack) = (m.sequence.wrapping_add(units.min), units.max.saturating_sub(units.min));
        self.next = match self.next {
            // A template in this message told how much the one before carried.
            Some(next) if (next.wrapping_sub(end) as i32) > 0 => {
                slack = slack.saturating_sub(next.wrapping_sub(end));
                Some(next)
            }
            Some(next) => {
                self.pass(next, m.sequence.wrapping_sub(next), &m);
                Some(end)
            }
            None => Some(end),
        };
        self.slack = slack;
        self.wait_for(end, units);
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
