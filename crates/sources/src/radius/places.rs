//! Where sessions are found besides by their keys: by NAS, address and port, and by when something must be done about them.

use std::collections::BTreeSet;

use weir_base::time::Millis;
use weir_record::kinds::Sort;

use super::facts::Facts;
use super::limits::CLOSED_MS;
use super::state::Key;
use super::table::Session;

type AddressKey = (u32, [u8; 16], u8);
type PortKey = (Key, Option<u32>, Option<String>);

/// Where a session waits for time to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    open: bool,
    at: Millis,
}

impl Due {
    /// True when it is due by then.
    pub(super) fn is_by(&self, now: Millis) -> bool {
        self.at <= now
    }
}

/// Open sessions by what they hold, and all sessions by what time brings.
#[derive(Debug)]
pub struct Places {
    missed_interims: i64,
    by_nas: BTreeSet<(Key, Key)>,
    by_address: BTreeSet<(AddressKey, Key)>,
    by_port: BTreeSet<(PortKey, Key)>,
    /// Open sessions, no later than the update they must not miss. An update does not move them: they are looked at when their time comes.
    waiting: BTreeSet<(Millis, Key)>,
    /// Closed sessions by when they are forgotten.
    closed: BTreeSet<(Millis, Key)>,
}

impl Places {
    pub(super) fn new(missed_interims: u32) -> Places {
        Places {
            missed_interims: i64::from(missed_interims),
            by_nas: BTreeSet::new(),
            by_address: BTreeSet::new(),
            by_port: BTreeSet::new(),
            waiting: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    /// Open sessions.
    pub fn open(&self) -> usize {
        self.by_nas.len()
    }

    /// Open sessions of a NAS.
    pub fn of_nas(&self, nas: Key) -> impl Iterator<Item = Key> + '_ {
        at(&self.by_nas, nas)
    }

    /// Open sessions that hold an address of these facts.
    pub fn at_addresses(&self, facts: &Facts) -> Vec<Key> {
        addresses(facts).flat_map(|a| at(&self.by_address, a)).collect()
    }

    /// Open sessions on the same port of the same NAS.
    pub fn at_port(&self, session: &Session) -> Vec<Key> {
        let Some(port) = port(session) else { return Vec::new() };
        let range = (port.clone(), [0; 16])..=(port, [0xff; 16]);
        self.by_port.range(range).map(|(_, session)| *session).collect()
    }

    /// What is due first by `now`.
    pub(super) fn first_due(&self, now: Millis) -> Option<(Due, Key)> {
        let first = |set: &BTreeSet<(Millis, Key)>, open| set.first().map(|(at, key)| (Due { open, at: *at }, *key));
        [first(&self.waiting, true), first(&self.closed, false)]
            .into_iter()
            .flatten()
            .filter(|(due, _)| due.is_by(now))
            .min_by_key(|(due, _)| due.at)
    }

    /// The closed session that is forgotten next.
    pub(super) fn first_closed(&self) -> Option<Key> {
        self.closed.first().map(|(_, key)| *key)
    }

    /// A session came, changed or went.
    pub(super) fn moved(&mut self, key: Key, old: Option<&Session>, new: Option<&Session>) {
        // An update of an open session nearly always changes nothing it is found by.
        if old.zip(new).is_some_and(|(old, new)| old.open && new.open && is_found_as(old, new)) {
            return;
        }
        if let Some(old) = old.filter(|s| s.open) {
            self.by_nas.remove(&(old.nas, key));
            for a in addresses(&old.facts) {
                self.by_address.remove(&(a, key));
            }
            if let Some(p) = port(old) {
                self.by_port.remove(&(p, key));
            }
        }
        if let Some(new) = new.filter(|s| s.open) {
            self.by_nas.insert((new.nas, key));
            self.by_address.extend(addresses(&new.facts).map(|a| (a, key)));
            self.by_port.extend(port(new).map(|p| (p, key)));
        }
    }

    /// Where a session waits now that waited there before. An open one that waits for an earlier moment may stay there if it is `lazy`.
    pub(super) fn wait(&mut self, key: Key, was: Option<Due>, session: Option<&Session>, lazy: bool) -> Option<Due> {
        let is = session.and_then(|s| self.deadline(s));
        if was == is || (lazy && was.zip(is).is_some_and(|(was, is)| was.open && is.open && was.at <= is.at)) {
            return was;
        }
        if let Some(was) = was {
            self.set(was.open).remove(&(was.at, key));
        }
        if let Some(is) = is {
            self.set(is.open).insert((is.at, key));
        }
        is
    }

    fn set(&mut self, open: bool) -> &mut BTreeSet<(Millis, Key)> {
        if open { &mut self.waiting } else { &mut self.closed }
    }

    /// When something must be done about a session though nothing comes.
    fn deadline(&self, s: &Session) -> Option<Due> {
        let at = match (s.open, s.interim_ms) {
            (true, 0) => return None,
            (true, ms) => s.heard_arrived.plus(ms.saturating_mul(self.missed_interims)),
            (false, _) => s.heard_arrived.plus(CLOSED_MS),
        };
        Some(Due { open: s.open, at })
    }
}

/// True when both are found by the same NAS, port and addresses.
fn is_found_as(a: &Session, b: &Session) -> bool {
    let by = |f: &Facts| (f.framed_ipv4, f.framed_ipv6, f.delegated_prefix, f.delegated_prefix_bits, f.nas_port);
    let (f, g) = (&a.facts, &b.facts);
    let named = || by(f) == by(g) && f.nas_port_id == g.nas_port_id && f.other_addresses == g.other_addresses;
    a.nas == b.nas && f.realm == g.realm && (f.names_alike(g) || named())
}

fn at<I: Ord + Copy>(index: &BTreeSet<(I, Key)>, at: I) -> impl Iterator<Item = Key> + '_ {
    index.range((at, [0; 16])..=(at, [0xff; 16])).map(|(_, session)| *session)
}

/// What only one session of a realm can hold. Framed-IPv6-Prefix is not among it: hosts behind one access point share it.
pub(super) fn addresses(facts: &Facts) -> impl Iterator<Item = AddressKey> {
    let realm = facts.realm;
    let alone = facts.names().into_iter().filter(|n| n.sort != Sort::Framed);
    alone.map(move |n| (realm, n.prefix.addr.0, n.prefix.bits))
}

fn port(session: &Session) -> Option<PortKey> {
    let f = &session.facts;
    (f.nas_port.is_some() || f.nas_port_id.is_some()).then(|| (session.nas, f.nas_port, f.nas_port_id.clone()))
}
