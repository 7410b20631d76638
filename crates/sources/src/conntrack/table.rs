//! The translated connections of one namespace: what was told of each, and what a dump of the kernel's table says against it. Pure.
//!
//! A mapping begins with the first connection that uses it and ends with the last: without the remote end several connections of one inside
//! port look alike. What the table holds also lies in the source's state, so that a restart knows what was open.
//!
//! A *pass* is one comparison with a dump: entries nobody told of were *found*, connections the dump does not show are *gone*. Events that
//! came meanwhile count more than the dump.

use std::collections::HashMap;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, Form, NatEvent};
use weir_record::sink::StatePut;

use super::message::{Connection, Ends, What};
use crate::radius::normalise::digest;

/// What names a connection: a digest of its original tuple and its zone.
pub type Key = [u8; 16];

/// Keys of connections in the state begin with this.
pub const STATE_TAG: u8 = b'c';
const VERSION: u8 = 1;

/// A mapping as it is recorded: what a policy does to the remote end has been done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Told {
    /// IANA protocol number.
    pub protocol: u8,
    /// Public address.
    pub public: Addr16,
    /// Public port or ICMP id.
    pub public_port: u16,
    /// Inside address.
    pub inside: Addr16,
    /// Inside port or ICMP id.
    pub inside_port: u16,
    /// Remote address, when it is kept.
    pub remote: Addr16,
    /// Remote port, when it is kept.
    pub remote_port: u16,
    /// Fingerprint of the remote end, when that is kept.
    pub remote_tag: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    told: Told,
    id: u32,
    start: Millis,
    /// The last pass that saw it.
    seen: u32,
}

/// A connection of a dump that nobody told of.
#[derive(Clone, Copy, Debug)]
struct Found {
    told: Told,
    id: u32,
    start: Option<Millis>,
}

/// Rows and state changes that came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Out {
    /// Events.
    pub rows: Vec<NatEvent>,
    /// Changes of the state, in order.
    pub state: Vec<StatePut>,
    /// Connections that did not fit into the table.
    pub overflow: u64,
    /// Connections whose source was not translated.
    pub untranslated: u64,
}

/// What a pass showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Connections nobody had told of.
    pub found: u64,
    /// The earliest begin among them, where the kernel knows it.
    pub earliest: Option<Millis>,
    /// Connections that were gone.
    pub gone: u64,
}

/// The table.
#[derive(Debug)]
pub struct Table {
    source: u32,
    capacity: usize,
    connections: HashMap<Key, Known>,
    mappings: HashMap<Told, u32>,
    pass: u32,
    found: Option<HashMap<Key, Found>>,
}

impl Table {
    /// An empty table for at most `capacity` connections of a source.
    pub fn new(source: u32, capacity: usize) -> Table {
        Table { source, capacity, connections: HashMap::new(), mappings: HashMap::new(), pass: 0, found: None }
    }

    /// Connections followed.
    pub fn len(&self) -> usize {
        self.connections.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// True when no further connection fits.
    pub fn is_full(&self) -> bool {
        self.connections.len() >= self.capacity
    }

    /// Puts back what the state held; false for an entry of another version, which is dropped.
    pub fn load(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some(key) = key.strip_prefix(&[STATE_TAG]).and_then(|k| Key::try_from(k).ok()) else { return false };
        let Some(known) = decode(value) else { return false };
        *self.mappings.entry(known.told).or_default() += 1;
        self.connections.insert(key, known);
        true
    }

    /// Takes a message. `told` says what is recorded of its ends; `arrived` stands in for times the kernel does not tell.
    pub fn take(&mut self, c: &Connection, told: impl FnOnce(&Ends) -> Told, arrived: Millis, out: &mut Out) {
        let Some(ends) = c.translated() else {
            out.untranslated += u64::from(c.what != What::Update);
            return;
        };
        let key = key(c);
        match c.what {
            What::Update => {}
            What::New => self.new_connection(key, c, told(&ends), arrived, out),
            What::Destroy => self.destroyed(key, c, told(&ends), arrived, out),
            What::Entry => self.entry(key, c, told(&ends), arrived, out),
        }
    }

    fn new_connection(&mut self, key: Key, c: &Connection, told: Told, arrived: Millis, out: &mut Out) {
        let time = c.event.or(c.start).unwrap_or(arrived);
        if let Some(found) = &mut self.found {
            found.remove(&key);
        }
        match self.connections.get_mut(&key) {
            Some(known) if known.id == c.id => known.seen = self.pass,
            // The same ends again under another number: the end of the one before was lost.
            Some(_) => {
                self.close(key, time, Action::Gone, out);
                self.open(key, Known { told, id: c.id, start: time, seen: self.pass }, true, out);
            }
            None => self.open(key, Known { told, id: c.id, start: time, seen: self.pass }, true, out),
        }
    }

    fn destroyed(&mut self, key: Key, c: &Connection, told: Told, arrived: Millis, out: &mut Out) {
        let time = c.stop.or(c.event).unwrap_or(arrived);
        if let Some(found) = self.found.as_mut().and_then(|f| f.remove(&key)) {
            let (start, seen) = (found.start.or(c.start), found.start.or(c.start).is_some());
            self.open(key, Known { told: found.told, id: found.id, start: start.unwrap_or(time), seen: self.pass }, seen, out);
        }
        match self.connections.get(&key) {
            Some(known) if known.id == c.id => self.close(key, time, Action::Delete, out),
            Some(_) => {}
            // Nobody told of it. While others hold the same mapping, it neither began nor ended here.
            None if self.mappings.contains_key(&told) => {}
            None => {
                if let Some(start) = c.start {
                    out.rows.push(self.event(&told, start.min(time), Action::Create));
                }
                out.rows.push(self.event(&told, time, Action::Delete));
            }
        }
    }

    fn entry(&mut self, key: Key, c: &Connection, told: Told, arrived: Millis, out: &mut Out) {
        // One that is going has been told of, or will be.
        if c.dying {
            return;
        }
        let pass = self.pass;
        match self.connections.get_mut(&key) {
            Some(known) if known.id == c.id => {
                known.seen = pass;
                return;
            }
            Some(_) => self.close(key, c.start.unwrap_or(arrived), Action::Gone, out),
            None => {}
        }
        let Some(found) = &mut self.found else { return };
        if found.len() + self.connections.len() < self.capacity {
            found.insert(key, Found { told, id: c.id, start: c.start });
        } else {
            out.overflow += 1;
        }
    }

    /// Begins a comparison with a dump; one under way is given up.
    pub fn begin_pass(&mut self) {
        self.pass = self.pass.wrapping_add(1);
        self.found = Some(HashMap::new());
    }

    /// Ends the comparison: the dump is read, and every event that came before its end has been taken. What is gone ended before `now`.
    pub fn end_pass(&mut self, now: Millis, out: &mut Out) -> Shown {
        let mut shown = Shown::default();
        let Some(found) = self.found.take() else { return shown };
        let gone: Vec<Key> = self.connections.iter().filter(|(_, k)| k.seen != self.pass).map(|(key, _)| *key).collect();
        shown.gone = gone.len() as u64;
        for key in gone {
            self.close(key, now, Action::Gone, out);
        }
        shown.found = found.len() as u64;
        for (key, f) in found {
            shown.earliest = match (shown.earliest, f.start) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            self.open(key, Known { told: f.told, id: f.id, start: f.start.unwrap_or(now), seen: self.pass }, f.start.is_some(), out);
        }
        shown
    }

    fn open(&mut self, key: Key, known: Known, start_seen: bool, out: &mut Out) {
        if self.connections.len() >= self.capacity {
            out.overflow += 1;
            return;
        }
        let users = self.mappings.entry(known.told).or_default();
        *users += 1;
        if *users == 1 {
            // An end without a beginning is how a mapping is recorded whose begin nobody saw; from here on it is known.
            if !start_seen {
                out.rows.push(self.event(&known.told, known.start.plus(-1), Action::Delete));
            }
            out.rows.push(self.event(&known.told, known.start, Action::Create));
        }
        out.state.push(put(key, Some(encode(&known))));
        self.connections.insert(key, known);
    }

    fn close(&mut self, key: Key, time: Millis, action: Action, out: &mut Out) {
        let Some(known) = self.connections.remove(&key) else { return };
        out.state.push(put(key, None));
        let users = self.mappings.get(&known.told).copied().unwrap_or(1);
        if users > 1 {
            self.mappings.insert(known.told, users - 1);
            return;
        }
        self.mappings.remove(&known.told);
        out.rows.push(self.event(&known.told, time.max(known.start), action));
    }

    fn event(&self, told: &Told, time: Millis, action: Action) -> NatEvent {
        NatEvent {
            time,
            action: action as u8,
            form: Form::Session as u8,
            protocol: told.protocol,
            source: self.source,
            public_address: told.public,
            public_port: told.public_port,
            public_port_last: told.public_port,
            inside_address: told.inside,
            inside_port: told.inside_port,
            remote_address: told.remote,
            remote_port: told.remote_port,
            remote_tag: told.remote_tag,
        }
    }
}

fn key(c: &Connection) -> Key {
    let t = &c.original;
    let ports = [t.source_port.to_be_bytes(), t.destination_port.to_be_bytes(), c.zone.to_be_bytes()].concat();
    digest(&[&t.source.0, &t.destination.0, &[t.protocol], &ports])
}

fn put(key: Key, value: Option<Vec<u8>>) -> StatePut {
    StatePut { key: [&[STATE_TAG][..], &key].concat(), value }
}

/// Version 1: version u8, id u32, start i64, protocol u8, public address and port, inside address and port, remote address and port, tag
/// u64; big-endian.
fn encode(known: &Known) -> Vec<u8> {
    let t = &known.told;
    let mut out = vec![VERSION];
    out.extend(known.id.to_be_bytes());
    out.extend(known.start.0.to_be_bytes());
    out.push(t.protocol);
    for (address, port) in [(t.public, t.public_port), (t.inside, t.inside_port), (t.remote, t.remote_port)] {
        out.extend(address.0);
        out.extend(port.to_be_bytes());
    }
    out.extend(t.remote_tag.to_be_bytes());
    out
}

fn decode(value: &[u8]) -> Option<Known> {
    let mut at = value;
    let [version] = take(&mut at)?;
    let id = u32::from_be_bytes(take(&mut at)?);
    let start = Millis(i64::from_be_bytes(take(&mut at)?));
    let [protocol] = take(&mut at)?;
    let mut end = || Some((Addr16(take(&mut at)?), u16::from_be_bytes(take(&mut at)?)));
    let ((public, public_port), (inside, inside_port), (remote, remote_port)) = (end()?, end()?, end()?);
    let remote_tag = u64::from_be_bytes(take(&mut at)?);
    let told = Told { protocol, public, public_port, inside, inside_port, remote, remote_port, remote_tag };
    (version == VERSION && at.is_empty()).then_some(Known { told, id, start, seen: 0 })
}

fn take<const N: usize>(at: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = at.split_first_chunk::<N>()?;
    *at = tail;
    Some(*head)
}
