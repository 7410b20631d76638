//! Sessions that are open, and those that have ended lately. The same code serves sealing, rebuilding and look-ups in what is not sealed yet.
//!
//! An ended session is remembered for some hours, so that an update or a Start that comes after its Stop is known to be late. What is
//! forgotten, and when, depends on nothing but the sealed rows and when they were sealed: rebuilding forgets the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_base::net::Prefix;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use crate::limits::{ENDED_MS, ENDED_SESSIONS};
use crate::session::known::{Known, step};
use crate::session::span::SessionSpan;

/// Open sessions and ended ones.
#[derive(Clone, Debug)]
pub struct SessionTable {
    sessions: HashMap<Id, Kept>,
    by_prefix: HashMap<Prefix, BTreeSet<Id>>,
    /// Ended ones in the order in which they ended.
    ended: BTreeMap<u64, Id>,
    next: u64,
    limit: usize,
    keep_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    known: Known,
    /// For an ended one: its number in the order of endings, and when the row that ended it was sealed.
    ended: Option<Ended>,
}

/// How an ended session is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its number in the order in which sessions ended.
    pub number: u64,
    /// When the row that ended it was sealed.
    pub sealed: Millis,
}

impl Default for SessionTable {
    fn default() -> SessionTable {
        SessionTable::with_limits(ENDED_SESSIONS, ENDED_MS)
    }
}

impl SessionTable {
    /// A table that remembers at most so many ended sessions, each at most so many milliseconds.
    pub fn with_limits(limit: usize, keep_ms: i64) -> SessionTable {
        let (sessions, by_prefix, ended) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        SessionTable { sessions, by_prefix, ended, next: 0, limit, keep_ms }
    }

    /// Open sessions.
    pub fn open(&self) -> usize {
        self.sessions.len() - self.ended.len()
    }

    /// Ended sessions that are remembered.
    pub fn ended(&self) -> usize {
        self.ended.len()
    }

    /// What is known of this session.
    pub fn get(&self, id: Id) -> Option<&Known> {
        self.sessions.get(&id).map(|k| &k.known)
    }

    /// Ids of sessions that have or had an address of this prefix.
    pub fn ids_at(&self, prefix: Prefix) -> impl Iterator<Item = Id> {
        self.by_prefix.get(&prefix).into_iter().flatten().copied()
    }

    /// All sessions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Known, Option<Ended>)> {
        self.sessions.values().map(|k| (&k.known, k.ended))
    }

    /// Lengths of the prefixes in it.
    pub fn lengths(&self) -> impl Iterator<Item = u8> {
        self.by_prefix.keys().map(|p| p.bits)
    }

    /// Puts a session in, as a snapshot had it.
    pub fn insert(&mut self, known: Known, ended: Option<Ended>) {
        let id = known.session.id;
        self.take(id);
        for prefix in known.prefixes() {
            self.by_prefix.entry(prefix).or_default().insert(id);
        }
        if let Some(ended) = ended {
            self.ended.insert(ended.number, id);
            self.next = self.next.max(ended.number + 1);
        }
        self.sessions.insert(id, Kept { known, ended });
    }

    /// Takes an event in that was sealed at `sealed`; what must be written down goes to `out`.
    pub fn apply(&mut self, row: &RadiusSession, sealed: Millis, out: &mut Vec<SessionSpan>) {
        let before = self.take(row.session);
        let ended = before.as_ref().and_then(|k| k.ended);
        if let Some(known) = step(before.map(|k| k.known), row, out) {
            let ended = known.has_ended().then(|| ended.unwrap_or(Ended { number: self.next, sealed }));
            self.insert(known, ended);
        }
        self.expire(sealed);
    }

    fn expire(&mut self, sealed: Millis) {
        while let Some((_, id)) = self.ended.first_key_value() {
            let old = self.sessions.get(id).and_then(|k| k.ended).is_none_or(|e| sealed.since(e.sealed) > self.keep_ms);
            if !old && self.ended.len() <= self.limit {
                return;
            }
            let id = *id;
            if self.take(id).is_none() {
                self.ended.pop_first();
            }
        }
    }

    fn take(&mut self, id: Id) -> Option<Kept> {
        let kept = self.sessions.remove(&id)?;
        for prefix in kept.known.prefixes() {
            if let Some(ids) = self.by_prefix.get_mut(&prefix) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_prefix.remove(&prefix);
                }
            }
        }
        if let Some(ended) = kept.ended {
            self.ended.remove(&ended.number);
        }
        Some(kept)
    }
}
