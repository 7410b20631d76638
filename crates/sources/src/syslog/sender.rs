//! What is known of one sender: its counts, how far its lines reach, and what is wrong with it.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{SourceCounters, SourceHandle, SourceNo};

use super::act::Made;
use super::config::Rule;
use super::engine::Origin;
use super::zones::Distance;

/// What is wrong with a sender whose mappings are not all followed.
const UNFOLLOWED: &str =
    "more NAT mappings whose end nobody tells are open than are followed: ends will be missing; a shorter mapping_time helps";

/// What is wrong with a sender whose connection was closed for what it sent.
const UNFRAMED: &str = "a connection sent what is no frame (RFC 6587, RELP) and was closed: what it wrote behind is kept as a cut line as far as it was read; see its malformed records";

/// What could not be framed last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unframed {
    pub(super) peer: Addr16,
    pub(super) connection: u64,
    pub(super) at: Millis,
}

/// A sender.
pub(super) struct Sender {
    pub(super) rule: Arc<Rule>,
    pub(super) handle: SourceHandle,
    pub(super) distance: Distance,
    pub(super) counts: SourceCounters,
    pub(super) touched: bool,
    /// It has told of NAT events.
    pub(super) nat: bool,
    /// More of its mappings without an end were open than are followed.
    pub(super) unfollowed: bool,
    /// One of its connections was closed because nobody could tell where lines begin, and no newer one has brought a whole line since.
    pub(super) unframed: Option<Unframed>,
    /// Newest time of its lines over a stream, by its own clock.
    pub(super) newest: Option<Millis>,
    /// Since when lines may be missing: a connection ended then.
    pub(super) cut: Option<Millis>,
    /// It stands for those of one entry who are too many: nobody can say how far their lines reach.
    pub(super) many: bool,
}

impl Sender {
    /// A line came whose time is `time`, and `stamped` where it says so itself, by a zone that is ours if `inferred`. Keeps in mind how far the lines reach; a gap when some may be missing
    /// since a connection ended.
    pub(super) fn heard(&mut self, from: &Origin, stamped: Option<Millis>, inferred: bool, time: Millis) -> Option<Gap> {
        self.touched = true;
        self.counts.messages += 1;
        self.counts.last_seen = Some(from.received);
        self.counts.duplicates += u64::from(from.perhaps_double);
        if let Some(time) = stamped {
            self.counts.last_header = self.counts.last_header.max(Some(time));
            // Of many together nobody can say whose clock that is.
            if !self.many {
                self.distance.observe(time.0, from.received, from.stream.is_some(), inferred);
            }
        }
        // Of many together nobody can say how far they reach.
        if from.stream.is_none() || self.many {
            return None;
        }
        self.newest = self.newest.max(Some(time));
        let since = self.cut.take().filter(|_| self.nat)?;
        Some(Gap {
            time: from.received,
            id: Id::random(),
            source: self.handle.number,
            start: since.min(time),
            end: time.max(since),
            lost: None,
            unit: "lines".to_owned(),
            reason: "connection-ended".to_owned(),
            ..Gap::default()
        })
    }

    /// A whole line came: over a connection that is newer than the one that could not be framed, that one's trouble is over.
    pub(super) fn framed(&mut self, from: &Origin) {
        let newer = |u: &Unframed| u.peer == from.peer && from.stream.is_some_and(|connection| connection > u.connection);
        if self.unframed.as_ref().is_some_and(newer) {
            self.unframed = None;
        }
    }

    /// What is wrong with it, when the reason lies in what it sends.
    pub(super) fn trouble(&self) -> Option<String> {
        let unframed = || self.unframed.map(|u| format!("{UNFRAMED} (last at {})", u.at.to_rfc3339()));
        let clock = || self.distance.trouble(self.rule.clock, self.rule.zone);
        self.unfollowed.then(|| UNFOLLOWED.to_owned()).or_else(clock).or_else(unframed)
    }

    /// Counts what came of a line; its number when the line told of NAT.
    pub(super) fn count(&mut self, made: Option<Made>) -> Option<SourceNo> {
        self.counts.unrecognised += u64::from(made.is_none());
        let made = made.unwrap_or_default();
        self.counts.records += 1 + made.rows;
        self.counts.destinations_dropped += made.dropped;
        // Entries of a line that no rule understands, or whose values cannot be, count as lines do.
        self.counts.unrecognised += made.missed;
        if made.unfollowed > 0 {
            self.counts.lost += made.unfollowed;
            self.unfollowed = true;
        }
        self.nat |= made.nat;
        made.nat.then_some(self.handle.number)
    }
}
