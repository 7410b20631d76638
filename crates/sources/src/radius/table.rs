//! Where sessions and NASes lie: the maps, their indexes, and how a change is taken back.

use std::collections::{BTreeSet, HashMap};

use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{RadiusSession, Sort};

use super::limits::{CLOSED_MS, SAME_EVENT_MS};
use super::normalise::digest;
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
    pub facts: RadiusSession,
    /// Changes with every change in memory; not stored.
    pub version: u64,
}

impl Session {
    /// True when both are found by the same NAS, port and addresses.
    fn is_found_as(&self, other: &Session) -> bool {
        let by = |s: &RadiusSession| {
            let delegated = (s.delegated_prefix, s.delegated_prefix_bits);
            (s.realm, s.framed_ipv4, s.framed_ipv6, delegated, s.nas_port)
        };
        let (a, b) = (&self.facts, &other.facts);
        self.nas == other.nas && by(a) == by(b) && a.nas_port_id == b.nas_port_id && a.other_addresses == b.other_addresses
    }

    /// True when it holds every address that `facts` name.
    pub(super) fn shares(&self, facts: &RadiusSession) -> bool {
        addresses(facts).all(|a| addresses(&self.facts).any(|b| a == b))
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

/// What a group of messages changed: for storing it, and for taking it back.
#[derive(Debug, Default)]
pub struct Undo {
    /// Session, what it was before, version after (none when it was removed).
    sessions: Vec<(Key, Option<Box<Session>>, Option<u64>)>,
    nas: Vec<(Key, Option<Nas>, u64)>,
    marks: Vec<(Key, Mark)>,
}

impl Undo {
    /// Sessions that changed, each once.
    pub fn sessions(&self) -> BTreeSet<Key> {
        self.sessions.iter().map(|(k, _, _)| *k).collect()
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
        self.sessions.iter().any(|(k, _, _)| k == key)
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

type AddressKey = (u32, [u8; 16], u8);

/// Sessions and NASes, at most `capacity` of each.
#[derive(Debug)]
pub struct Table {
    capacity: usize,
    missed_interims: i64,
    version: u64,
    sessions: HashMap<Key, Session, MixState>,
    nas: HashMap<Key, Nas, MixState>,
    by_nas: BTreeSet<(Key, Key)>,
    by_address: BTreeSet<(AddressKey, Key)>,
    /// By the digest of NAS and port.
    by_port: BTreeSet<(Key, Key)>,
    deadlines: BTreeSet<(Millis, Key)>,
}

impl Table {
    /// An empty table. An open session's deadline is `missed_interims` of its intervals after it was last heard.
    pub fn new(capacity: usize, missed_interims: u32) -> Table {
        Table {
            capacity,
            missed_interims: i64::from(missed_interims),
            version: 0,
            sessions: HashMap::default(),
            nas: HashMap::default(),
            by_nas: BTreeSet::new(),
            by_address: BTreeSet::new(),
            by_port: BTreeSet::new(),
            deadlines: BTreeSet::new(),
        }
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
        self.by_nas.len()
    }

    /// A session.
    pub fn get(&self, key: &Key) -> Option<&Session> {
        self.sessions.get(key)
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
        at(&self.by_nas, nas)
    }

    /// Open sessions that hold an address of these facts.
    pub fn at_addresses(&self, facts: &RadiusSession) -> Vec<Key> {
        addresses(facts).flat_map(|a| at(&self.by_address, a)).collect()
    }

    /// Open sessions on the same port of the same NAS.
    pub fn at_port(&self, session: &Session) -> Vec<Key> {
        port(session).into_iter().flat_map(|p| at(&self.by_port, p)).collect()
    }

    /// The session something must be done about first, and when.
    pub fn first_due(&self) -> Option<(Millis, Key)> {
        self.deadlines.first().copied()
    }

    /// Stores or removes a session and notes how to take that back.
    pub fn change(&mut self, key: Key, session: Option<Session>, undo: &mut Undo) {
        let after = session.is_some();
        let before = self.set(key, session);
        undo.sessions.push((key, before.map(Box::new), after.then_some(self.version)));
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

    /// Replaces a session and keeps the indexes true. Returns what was there.
    pub fn set(&mut self, key: Key, session: Option<Session>) -> Option<Session> {
        self.version += 1;
        let before = self.sessions.remove(&key);
        // An update of an open session moves its deadline and, nearly always, nothing else.
        let same = before.as_ref().zip(session.as_ref()).is_some_and(|(old, new)| old.open && new.open && old.is_found_as(new));
        let (was, is) = (before.as_ref().map(|s| self.deadline(s)), session.as_ref().map(|s| self.deadline(s)));
        if was != is {
            was.map(|at| self.deadlines.remove(&(at, key)));
            is.map(|at| self.deadlines.insert((at, key)));
        }
        if let Some(old) = before.as_ref().filter(|old| old.open && !same) {
            self.by_nas.remove(&(old.nas, key));
            for a in addresses(&old.facts) {
                self.by_address.remove(&(a, key));
            }
            if let Some(p) = port(old) {
                self.by_port.remove(&(p, key));
            }
        }
        if let Some(mut new) = session {
            new.version = self.version;
            if new.open && !same {
                self.by_nas.insert((new.nas, key));
                self.by_address.extend(addresses(&new.facts).map(|a| (a, key)));
                self.by_port.extend(port(&new).map(|p| (p, key)));
            }
            self.sessions.insert(key, new);
        }
        before
    }

    /// When something must be done about a session though nothing comes: an open one missed its updates, a closed one is forgotten.
    fn deadline(&self, s: &Session) -> Millis {
        match (s.open, s.interim_ms) {
            (true, 0) => Millis(i64::MAX),
            (true, ms) => s.heard_arrived.plus(ms.saturating_mul(self.missed_interims)),
            (false, _) => s.heard_arrived.plus(CLOSED_MS),
        }
    }

    /// Takes changes back whose records were not kept. Returns the sessions whose stored state must be written anew, because something
    /// later was built on what is taken back.
    pub fn undo(&mut self, undo: Undo) -> BTreeSet<Key> {
        let mut rewrite = BTreeSet::new();
        for (key, before, after) in undo.sessions.into_iter().rev() {
            if self.sessions.get(&key).map(|s| s.version) != after {
                rewrite.insert(key);
                continue;
            }
            // The version goes back too, so that an earlier change of the same group finds what it left.
            let version = before.as_ref().map_or(0, |b| b.version);
            self.set(key, before.map(|b| *b));
            if let Some(s) = self.sessions.get_mut(&key) {
                s.version = version;
            }
        }
        for (key, mark) in undo.marks {
            if let Some(s) = self.sessions.get_mut(&key) {
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

fn at<I: Ord + Copy>(index: &BTreeSet<(I, Key)>, at: I) -> impl Iterator<Item = Key> + '_ {
    index.range((at, [0; 16])..=(at, [0xff; 16])).map(|(_, session)| *session)
}

/// What only one session of a realm can hold. Framed-IPv6-Prefix is not among it: hosts behind one access point share it.
fn addresses(facts: &RadiusSession) -> impl Iterator<Item = AddressKey> {
    let realm = facts.realm;
    let alone = facts.names().into_iter().filter(|n| n.sort != Sort::Framed);
    alone.map(move |n| (realm, n.prefix.addr.0, n.prefix.bits))
}

fn port(session: &Session) -> Option<Key> {
    let f = &session.facts;
    let number = f.nas_port.map(u32::to_be_bytes);
    let name = f.nas_port_id.as_deref();
    let named = number.is_some() || name.is_some();
    named.then(|| digest(&[b"port", &session.nas, number.as_ref().map_or(&[], |n| n), name.unwrap_or_default().as_bytes()]))
}
