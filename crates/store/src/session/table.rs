//! Sessions that are open, and those that have ended lately. The same code serves sealing, rebuilding and look-ups in what is not sealed yet.
//!
//! An ended session is remembered for some hours, so that an update or a Start that comes after its Stop is known to be late; until then it lies
//! there as the bytes of the snapshot, a third of what it takes otherwise. What is forgotten, and when, depends on nothing but the sealed rows, when
//! they were sealed and the memory there is: rebuilding forgets the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_base::hash::MixState;
use weir_base::net::Prefix;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use crate::limits::{ENDED_MS, ENDED_SESSIONS};
use crate::session::codec;
use crate::session::known::{Known, step};
use crate::session::span::SessionSpan;

/// Open sessions and ended ones.
#[derive(Clone, Debug)]
pub struct SessionTable {
    sessions: HashMap<Id, Kept, MixState>,
    by_prefix: HashMap<Prefix, Holders, MixState>,
    /// Ended ones in the order in which they ended, and when the row that ended each was sealed.
    ended: BTreeMap<u64, (Id, Millis)>,
    next: u64,
    limit: usize,
    keep_ms: i64,
}

/// A session in the table.
#[derive(Clone, Debug)]
enum Kept {
    Open(Box<Known>),
    /// Ended: what [`codec::encode`] makes of it.
    Ended(Box<[u8]>),
}

impl Kept {
    fn read(&self) -> Option<(Cow<'_, Known>, Option<Ended>)> {
        match self {
            Kept::Open(known) => Some((Cow::Borrowed(&**known), None)),
            // Cannot fail: the bytes are our own.
            Kept::Ended(bytes) => codec::decode(bytes).map(|(known, ended)| (Cow::Owned(known), ended)),
        }
    }

    fn into_known(self) -> Option<(Known, Option<Ended>)> {
        match self {
            Kept::Open(known) => Some((*known, None)),
            Kept::Ended(bytes) => codec::decode(&bytes),
        }
    }
}

/// Who has or had a prefix: nearly always one.
#[derive(Clone, Debug)]
enum Holders {
    One(Id),
    Many(BTreeSet<Id>),
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
        let (sessions, by_prefix, ended) = (HashMap::default(), HashMap::default(), BTreeMap::new());
        SessionTable { sessions, by_prefix, ended, next: 0, limit, keep_ms }
    }

    /// Remembers at most so many ended sessions from now on.
    pub fn limit_ended(&mut self, limit: usize) {
        self.limit = limit.min(ENDED_SESSIONS);
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
    pub fn get(&self, id: Id) -> Option<Cow<'_, Known>> {
        self.sessions.get(&id).and_then(Kept::read).map(|(known, _)| known)
    }

    /// Ids of sessions that have or had an address of this prefix.
    pub fn ids_at(&self, prefix: Prefix) -> impl Iterator<Item = Id> {
        let (one, many) = match self.by_prefix.get(&prefix) {
            Some(Holders::One(id)) => (Some(*id), None),
            Some(Holders::Many(ids)) => (None, Some(ids)),
            None => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }

    /// All sessions, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, Known>, Option<Ended>)> {
        self.sessions.values().filter_map(Kept::read)
    }

    /// All sessions as the snapshot keeps them, in the order of their ids.
    pub fn encoded(&self) -> impl Iterator<Item = (Id, Cow<'_, [u8]>)> {
        let mut all: Vec<_> = self.sessions.iter().collect();
        all.sort_unstable_by_key(|(id, _)| **id);
        all.into_iter().map(|(id, kept)| match kept {
            Kept::Open(known) => (*id, Cow::Owned(codec::encode(known, None))),
            Kept::Ended(bytes) => (*id, Cow::Borrowed(&**bytes)),
        })
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
            self.hold(prefix, id);
        }
        self.put(id, known, ended);
    }

    /// Takes an event in that was sealed at `sealed`; what must be written down goes to `out`.
    pub fn apply(&mut self, row: &RadiusSession, sealed: Millis, out: &mut Vec<SessionSpan>) {
        let id = row.session;
        let (before, was) = self.sessions.remove(&id).and_then(Kept::into_known).unzip();
        let was = was.flatten();
        let had: Vec<Prefix> = before.iter().flat_map(Known::prefixes).collect();
        let known = step(before, row, out);
        let has: Vec<Prefix> = known.iter().flat_map(Known::prefixes).collect();
        // Nearly always it has what it had.
        for prefix in had.iter().filter(|p| !has.contains(p)) {
            self.leave(*prefix, id);
        }
        for prefix in has.iter().filter(|p| !had.contains(p)) {
            self.hold(*prefix, id);
        }
        let is = known.as_ref().filter(|k| k.has_ended()).map(|_| was.unwrap_or(Ended { number: self.next, sealed }));
        if was != is {
            was.map(|ended| self.ended.remove(&ended.number));
        }
        if let Some(known) = known {
            self.put(id, known, is);
        }
        self.expire(sealed);
    }

    fn put(&mut self, id: Id, known: Known, ended: Option<Ended>) {
        let kept = match ended {
            Some(ended) => {
                self.ended.insert(ended.number, (id, ended.sealed));
                self.next = self.next.max(ended.number + 1);
                Kept::Ended(codec::encode(&known, Some(ended)).into())
            }
            None => Kept::Open(Box::new(known)),
        };
        self.sessions.insert(id, kept);
    }

    fn expire(&mut self, sealed: Millis) {
        while let Some((_, (id, since))) = self.ended.first_key_value() {
            if sealed.since(*since) <= self.keep_ms && self.ended.len() <= self.limit {
                return;
            }
            let id = *id;
            if self.take(id).is_none() {
                self.ended.pop_first();
            }
        }
    }

    fn take(&mut self, id: Id) -> Option<()> {
        let (known, ended) = self.sessions.remove(&id)?.into_known()?;
        for prefix in known.prefixes() {
            self.leave(prefix, id);
        }
        self.ended.remove(&ended?.number).map(drop)
    }

    fn hold(&mut self, prefix: Prefix, id: Id) {
        let holders = self.by_prefix.entry(prefix).or_insert(Holders::One(id));
        match holders {
            Holders::One(one) if *one == id => {}
            Holders::One(one) => *holders = Holders::Many(BTreeSet::from([*one, id])),
            Holders::Many(ids) => drop(ids.insert(id)),
        }
    }

    fn leave(&mut self, prefix: Prefix, id: Id) {
        let gone = match self.by_prefix.get_mut(&prefix) {
            Some(Holders::One(one)) => *one == id,
            Some(Holders::Many(ids)) => {
                ids.remove(&id);
                ids.is_empty()
            }
            None => false,
        };
        if gone {
            self.by_prefix.remove(&prefix);
        }
    }
}
