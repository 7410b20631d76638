//! Where sessions and NASes lie, and how a change is taken back.

use std::collections::{BTreeSet, HashMap};

use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::time::Millis;

use super::facts::Facts;
use super::limits::SAME_EVENT_MS;
use super::places::{Due, Places, addresses};
use super::state::Key;

/// When a message of one status was seen, and what it looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When it happened.
    pub time: Millis,
    /// When it arrived.
    pub arrived: Millis,
    /// True when `time` is an Event-Timestamp.
    pub stamped: bool,
    /// [`Message::fingerprint`](super::message::Message::fingerprint).
    pub fingerprint: [u8; 16],
}

impl Mark {
    pub(super) fn near(&self, other: &Mark) -> bool {
        self.time.since(other.time).abs() <= SAME_EVENT_MS
    }

    fn copy_of(&self, other: &Mark, within_ms: i64) -> bool {
        self.fingerprint == other.fingerprint && self.arrived.since(other.arrived).abs() <= within_ms
    }

    pub(super) fn same_event(&self, other: &Mark, within_ms: i64) -> bool {
        // Two Event-Timestamps settle it: a retransmission keeps its own.
        self.near(other) || (!(self.stamped && other.stamped) && self.copy_of(other, within_ms))
    }
}

/// A block of public ports a session holds, or one public port that is forwarded to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// IP protocol number, 0 for all.
    pub protocol: u8,
    /// Public address.
    pub public: Addr16,
    /// Inside address.
    pub inside: Addr16,
    /// First port.
    pub first: u16,
    /// Last port, inclusive.
    pub last: u16,
    /// The inside port of a forwarded port; `None` for a block.
    pub inside_port: Option<u16>,
}

impl Block {
    /// True when both are the same public ports in the same way.
    pub fn same_end(&self, other: &Block) -> bool {
        let end = |b: &Block| (b.protocol, b.public, b.first, b.last, b.inside_port.is_some());
        end(self) == end(other)
    }
}

/// One session.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its NAS.
    pub nas: Key,
    /// Open as far as known.
    pub open: bool,
    /// Its end was inferred.
    pub inferred: bool,
    /// Its end was inferred from a message that tells of something else: a reboot, another holder of its address, port or id.
    pub displaced: bool,
    /// The Start seen last.
    pub start: Option<Mark>,
    /// The Stop seen last.
    pub stop: Option<Mark>,
    /// The Interim-Update seen last.
    pub interim: Option<Mark>,
    /// When it ended; meaningless while open.
    pub ended: Millis,
    /// Time of its newest event, by the NAS.
    pub heard: Millis,
    /// When something of it last arrived.
    pub heard_arrived: Millis,
    /// Expected rhythm of interim updates in milliseconds; 0 for none.
    pub interim_ms: i64,
    /// Port blocks it holds.
    pub blocks: Vec<Block>,
    /// What an inferred end repeats: ids, addresses, port. Counters are not kept.
    pub facts: Facts,
    /// Changes with every change in memory; not stored.
    pub version: u64,
    /// What an update told of it may be stored apart; not stored itself.
    pub updated: bool,
}

impl Session {
    /// True when it holds every address that `facts` name.
    pub(super) fn shares(&self, facts: &Facts) -> bool {
        self.facts.names_alike(facts) || addresses(facts).all(|a| addresses(&self.facts).any(|b| a == b))
    }

    /// True when `new` is this open session and says nothing new but when it was heard of.
    fn only_moved(&self, new: &Session) -> bool {
        let still = |s: &Session| (s.nas, s.open, s.inferred, s.displaced, s.start, s.stop, s.ended);
        self.open
            && new.open
            && still(self) == still(new)
            && self.blocks == new.blocks
            && self.facts.session == new.facts.session
            && (self.facts.start, self.facts.start_certain) == (new.facts.start, new.facts.start_certain)
            && self.facts.names_alike(&new.facts)
    }
}

/// One NAS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nas {
    /// The Accounting-On seen last.
    pub on: Option<Mark>,
    /// The Accounting-Off seen last.
    pub off: Option<Mark>,
    /// When it last spoke of a session before `on`.
    pub word: Option<Millis>,
    /// Changes with every change in memory; not stored.
    pub version: u64,
}

/// One change of a session.
#[derive(Debug)]
struct Change {
    key: Key,
    before: Option<Box<Session>>,
    /// Version after it; none when it was removed.
    after: Option<u64>,
    /// An update that moved nothing but the times of an open session.
    moved: bool,
}

/// What a group changed of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The session.
    pub key: Key,
    /// Nothing but the times of an open session.
    pub moved: bool,
    /// What an earlier update told of it may be stored apart.
    pub updated: bool,
}

/// What a group of messages changed: for storing it, and for taking it back.
#[derive(Debug, Default)]
pub struct Undo {
    sessions: Vec<Change>,
    nas: Vec<(Key, Option<Nas>, u64)>,
    marks: Vec<(Key, Mark)>,
}

impl Undo {
    /// Sessions that changed, each once, in the order of their keys.
    pub fn sessions(&self) -> Vec<Changed> {
        let changed = |c: &Change| Changed { key: c.key, moved: c.moved, updated: c.before.as_ref().is_some_and(|s| s.updated) };
        let mut all: Vec<Changed> = self.sessions.iter().map(changed).collect();
        all.sort_unstable_by_key(|c| c.key);
        all.dedup_by(|later, kept| {
            let same = later.key == kept.key;
            if same {
                (kept.moved, kept.updated) = (kept.moved && later.moved, kept.updated || later.updated);
            }
            same
        });
        all
    }

    /// NASes that changed, each once.
    pub fn nas(&self) -> BTreeSet<Key> {
        self.nas.iter().map(|(k, _, _)| *k).collect()
    }

    /// Changes so far: what bounds the size of a group.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.nas.len()
    }

    /// True when nothing changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True when this session changed.
    pub fn has_session(&self, key: &Key) -> bool {
        self.sessions.iter().any(|c| c.key == *key)
    }

    /// True when this NAS changed.
    pub fn has_nas(&self, key: &Key) -> bool {
        self.nas.iter().any(|(k, _, _)| k == key)
    }

    /// Notes which message a change came from.
    pub(super) fn mark(&mut self, key: Key, mark: Mark) {
        self.marks.push((key, mark));
    }
}

/// A session in the table, and where it waits for time to pass.
#[derive(Debug)]
struct Slot {
    session: Box<Session>,
    due: Option<Due>,
}

/// Sessions and NASes, at most `capacity` of each.
#[derive(Debug)]
pub struct Table {
    capacity: usize,
    version: u64,
    sessions: HashMap<Key, Slot, MixState>,
    nas: HashMap<Key, Nas, MixState>,
    places: Places,
}

impl Table {
    /// An empty table. An open session's deadline is `missed_interims` of its intervals after it was last heard.
    pub fn new(capacity: usize, missed_interims: u32) -> Table {
        let (sessions, nas) = (HashMap::default(), HashMap::default());
        Table { capacity, version: 0, sessions, nas, places: Places::new(missed_interims) }
    }

    /// Sessions held, open and closed.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Open sessions.
    pub fn open(&self) -> usize {
        self.places.open()
    }

    /// A session.
    pub fn get(&self, key: &Key) -> Option<&Session> {
        self.sessions.get(key).map(|slot| &*slot.session)
    }

    /// A NAS.
    pub fn nas(&self, key: &Key) -> Option<&Nas> {
        self.nas.get(key)
    }

    /// All NASes, in no order.
    pub fn all_nas(&self) -> impl Iterator<Item = (&Key, &Nas)> {
        self.nas.iter()
    }

    /// True when a session of this key can be stored.
    pub fn has_room(&self, key: &Key) -> bool {
        self.sessions.len() < self.capacity || self.sessions.contains_key(key)
    }

    /// Open sessions of a NAS.
    pub fn of_nas(&self, nas: Key) -> impl Iterator<Item = Key> + '_ {
        self.places.of_nas(nas)
    }

    /// Where sessions are found besides by their keys.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// A session about which something must be done by `now`: an open one missed its updates, a closed one is to be forgotten.
    pub fn due(&mut self, now: Millis) -> Option<Key> {
        while let Some((due, key)) = self.places.first_due(now) {
            let mut slot = self.sessions.get_mut(&key);
            // An open session that was heard of meanwhile waits anew.
            let is = self.places.wait(key, Some(due), slot.as_deref().map(|slot| &*slot.session), false);
            if let Some(slot) = &mut slot {
                slot.due = is;
            }
            if is.is_some_and(|is| is.is_by(now)) {
                return Some(key);
            }
        }
        None
    }

    /// Stores or removes a session and notes how to take that back.
    pub fn change(&mut self, key: Key, mut session: Option<Session>, undo: &mut Undo) {
        let moved = self.get(&key).zip(session.as_ref()).is_some_and(|(old, new)| old.only_moved(new));
        if let Some(session) = &mut session {
            session.updated = moved;
        }
        let after = session.is_some();
        let before = self.set(key, session.map(Box::new));
        undo.sessions.push(Change { key, before, after: after.then_some(self.version), moved });
    }

    /// Forgets the closed session that would be forgotten next. False when there is none.
    pub fn forget_one(&mut self, undo: &mut Undo) -> bool {
        let first = self.places.first_closed();
        if let Some(key) = first {
            self.change(key, None, undo);
        }
        first.is_some()
    }

    /// Stores a NAS if there is room for it.
    pub fn change_nas(&mut self, key: Key, mut nas: Nas, undo: &mut Undo) {
        if self.nas.len() < self.capacity || self.nas.contains_key(&key) {
            self.version += 1;
            nas.version = self.version;
            let before = self.nas.insert(key, nas);
            undo.nas.push((key, before, self.version));
        }
    }

    /// Replaces a session and keeps the places true. Returns what was there.
    pub fn set(&mut self, key: Key, session: Option<Box<Session>>) -> Option<Box<Session>> {
        self.version += 1;
        let old = self.sessions.get(&key);
        self.places.moved(key, old.map(|slot| &*slot.session), session.as_deref());
        let due = self.places.wait(key, old.and_then(|slot| slot.due), session.as_deref(), true);
        let Some(mut session) = session else { return self.sessions.remove(&key).map(|slot| slot.session) };
        session.version = self.version;
        match self.sessions.get_mut(&key) {
            Some(slot) => {
                slot.due = due;
                Some(std::mem::replace(&mut slot.session, session))
            }
            None => self.sessions.insert(key, Slot { session, due }).map(|slot| slot.session),
        }
    }

    /// Takes changes back whose records were not kept. Returns the sessions whose stored state must be written anew, because something
    /// later was built on what is taken back.
    pub fn undo(&mut self, undo: Undo) -> BTreeSet<Key> {
        let mut rewrite = BTreeSet::new();
        for Change { key, before, after, .. } in undo.sessions.into_iter().rev() {
            if self.get(&key).map(|s| s.version) != after {
                rewrite.insert(key);
                continue;
            }
            // The version goes back too, so that an earlier change of the same group finds what it left.
            let version = before.as_ref().map_or(0, |b| b.version);
            self.set(key, before);
            if let Some(slot) = self.sessions.get_mut(&key) {
                slot.session.version = version;
            }
        }
        for (key, mark) in undo.marks {
            if let Some(s) = self.sessions.get_mut(&key).map(|slot| &mut slot.session) {
                for slot in [&mut s.start, &mut s.stop, &mut s.interim] {
                    slot.take_if(|m| *m == mark);
                }
            }
        }
        for (key, before, version) in undo.nas.into_iter().rev() {
            if self.nas.get(&key).is_some_and(|n| n.version == version) {
                match before {
                    Some(before) => drop(self.nas.insert(key, before)),
                    None => drop(self.nas.remove(&key)),
                }
            }
        }
        rewrite
    }
}
