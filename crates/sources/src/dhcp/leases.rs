//! The leases of one file: lines in, session events out. Pure; time is passed in.
//!
//! Lines come again: Kea writes its file anew now and then, and at a start all of it is read. So every line is held against what is known of its
//! address, and one that says nothing new makes nothing. Ended leases stay for a while for the same reason.

use std::collections::BTreeMap;

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;
use weir_record::sink::StatePut;

use super::limits::{FORGET_MS, TICK_LEASES};

/// Acct-Status-Type of what happens to a lease.
const START: u8 = 1;
const STOP: u8 = 2;
const INTERIM: u8 = 3;

/// Keys of leases in the state begin with this.
pub const STATE_TAG: u8 = b'l';
const VERSION: u8 = 1;

/// Where an acknowledgement came through, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Via {
    /// The relay agent, else the server.
    pub nas: Option<Addr16>,
    /// Agent Circuit ID (RFC 3046 section 3.1): the port of the relay agent that the client is behind.
    pub circuit: Option<String>,
}

/// What a line or a message says of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The address, or the prefix that is delegated.
    pub prefix: Prefix,
    /// Who has it: the text that becomes an opaque id.
    pub client: String,
    /// When the server last acknowledged it; none where the file does not say.
    pub acknowledged: Option<Millis>,
    /// Until when it counts; none for ever.
    pub expires: Option<Millis>,
    /// False when it was released, declined or taken back.
    pub active: bool,
    /// Where it came through; nothing in lease files.
    pub via: Via,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lease {
    session: Id,
    client: Id,
    start: Millis,
    certain: bool,
    /// When it was last acknowledged, or seen.
    heard: Millis,
    expires: Option<Millis>,
    /// When it ended; none while it is open.
    ended: Option<Millis>,
}

/// Rows and state changes that came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Out {
    /// Session events.
    pub rows: Vec<RadiusSession>,
    /// Changes of the state, in order.
    pub state: Vec<StatePut>,
    /// Lines whose address did not fit into the table.
    pub overflow: u64,
}

/// The leases.
#[derive(Debug)]
pub struct Leases {
    source: u32,
    realm: u32,
    server: Option<String>,
    capacity: usize,
    leases: BTreeMap<Prefix, Lease>,
}

impl Leases {
    /// An empty table of a source; `server` names the DHCP server in records.
    pub fn new(source: u32, realm: u32, server: Option<&str>, capacity: usize) -> Leases {
        Leases { source, realm, server: server.map(str::to_owned), capacity, leases: BTreeMap::new() }
    }

    /// Leases remembered, open or ended.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// What is leased now.
    pub fn open(&self) -> impl Iterator<Item = Prefix> {
        self.leases.iter().filter(|(_, l)| l.ended.is_none()).map(|(p, _)| *p)
    }

    /// Puts back what the state held; false for an entry that does not read, which is dropped.
    pub fn load(&mut self, key: &[u8], value: &[u8]) -> bool {
        let Some((prefix, lease)) = decode(key, value) else { return false };
        self.leases.insert(prefix, lease);
        true
    }

    /// Takes a line. `client` is the opaque id of its client, `new` the id of a session that begins; `now` stands in for times the file does
    /// not tell. `fresh` says that the line was written just now, and not found in a file that was there before us.
    pub fn take(&mut self, line: &Line, client: Id, new: Id, now: Millis, fresh: bool, out: &mut Out) {
        let before = out.rows.len();
        self.line(line, client, new, now, fresh, out);
        for row in out.rows.iter_mut().skip(before) {
            row.arrived = now;
            // An end that the next client's acknowledgement shows was not told through the same place.
            if row.status != STOP {
                (row.nas_address, row.nas_port_id) = (line.via.nas, line.via.circuit.clone());
            }
        }
    }

    fn line(&mut self, line: &Line, client: Id, new: Id, now: Millis, fresh: bool, out: &mut Out) {
        let time = line.acknowledged.unwrap_or(now).min(now);
        let known = self.leases.get(&line.prefix).cloned();
        if !line.active {
            let ends = |l: &&Lease| l.ended.is_none() && l.client == client && time >= l.heard;
            if let Some(lease) = known.as_ref().filter(ends) {
                // The line tells which lease it was, not when it was given back: that was just now, or not later than it would have ended.
                let end = lease.expires.map_or(now, |t| t.min(now)).max(lease.heard);
                self.end(line.prefix, lease.clone(), end, "lease-released", out);
            }
            return;
        }
        let same = |l: &Lease| l.client == client && l.expires == line.expires;
        match known {
            Some(l) if time < l.heard => {}
            // A file that does not say when says something new only by another expiry.
            Some(l) if line.acknowledged.is_none() && l.ended.is_none() && same(&l) => {}
            _ if line.acknowledged.is_none() && line.expires.is_some_and(|t| t <= now) => {}
            Some(l) if time == l.heard && l.client == client && (l.ended.is_some() || l.expires == line.expires) => {}
            // Told of an end that was not the end: the same client goes on within its time.
            Some(l) if l.client == client && l.ended.is_none() && l.expires.is_none_or(|t| time <= t) => {
                let lease = Lease { heard: time, expires: line.expires, ..l };
                out.rows.push(self.row(line.prefix, &lease, INTERIM, time));
                self.keep(line.prefix, lease, out);
            }
            other => {
                if let Some(l) = other.filter(|l| l.ended.is_none()) {
                    let end = l.expires.map_or(time, |t| t.min(time)).max(l.heard);
                    let over = l.expires.is_some_and(|t| t <= time);
                    self.end(line.prefix, l, end, if over { "lease-expired" } else { "lease-passed-on" }, out);
                } else if self.leases.len() >= self.capacity && !self.leases.contains_key(&line.prefix) {
                    out.overflow += 1;
                    return;
                }
                let lease = Lease { session: new, client, start: time, certain: fresh, heard: time, expires: line.expires, ended: None };
                out.rows.push(self.row(line.prefix, &lease, START, time));
                self.keep(line.prefix, lease, out);
            }
        }
    }

    /// Ends open leases that `listed` does not hold: a file that is written as a whole no longer has them.
    pub fn only(&mut self, listed: &dyn Fn(&Prefix) -> bool, now: Millis, out: &mut Out) {
        let gone: Vec<Prefix> = self.leases.iter().filter(|(p, l)| l.ended.is_none() && !listed(p)).map(|(p, _)| *p).collect();
        for prefix in gone {
            let Some(lease) = self.leases.get(&prefix).cloned() else { continue };
            let end = lease.expires.map_or(now, |t| t.min(now)).max(lease.heard);
            self.end(prefix, lease, end, "lease-released", out);
        }
    }

    /// Ends leases whose time is over, and forgets those that ended long ago. True if more is due at once.
    pub fn tick(&mut self, now: Millis, out: &mut Out) -> bool {
        let over = |l: &Lease| l.ended.is_none() && l.expires.is_some_and(|t| t < now);
        let old = |l: &Lease| l.ended.is_some_and(|t| now.since(t) > FORGET_MS);
        let due: Vec<Prefix> = self.leases.iter().filter(|(_, l)| over(l) || old(l)).map(|(p, _)| *p).take(TICK_LEASES).collect();
        for prefix in &due {
            let Some(lease) = self.leases.get(prefix).cloned() else { continue };
            match lease.expires.filter(|_| lease.ended.is_none()) {
                // Until then the server gave the address to nobody else: that is known, not inferred.
                Some(end) => self.end(*prefix, lease, end, "lease-expired", out),
                None => {
                    self.leases.remove(prefix);
                    out.state.push(StatePut { key: key(*prefix), value: None });
                }
            }
        }
        due.len() == TICK_LEASES
    }

    fn end(&mut self, prefix: Prefix, lease: Lease, end: Millis, reason: &str, out: &mut Out) {
        out.rows.push(RadiusSession { reason: Some(reason.to_owned()), ..self.row(prefix, &lease, STOP, end) });
        self.keep(prefix, Lease { ended: Some(end), ..lease }, out);
    }

    fn keep(&mut self, prefix: Prefix, lease: Lease, out: &mut Out) {
        out.state.push(StatePut { key: key(prefix), value: Some(encode(&lease)) });
        self.leases.insert(prefix, lease);
    }

    fn row(&self, prefix: Prefix, lease: &Lease, status: u8, time: Millis) -> RadiusSession {
        let mut row = RadiusSession {
            time,
            arrived: time,
            source: self.source,
            realm: self.realm,
            status,
            session: lease.session,
            subscriber: Some(lease.client),
            caller: Some(lease.client),
            nas_identifier: self.server.clone(),
            start: Some(lease.start),
            start_certain: u8::from(lease.certain),
            ..RadiusSession::default()
        };
        match (prefix.bits, prefix.addr.is_v4()) {
            (128, true) => row.framed_ipv4 = Some(prefix.addr),
            (128, false) => row.framed_ipv6 = Some(prefix.addr),
            (bits, _) => (row.delegated_prefix, row.delegated_prefix_bits) = (Some(prefix.addr), Some(bits)),
        }
        row
    }
}

fn key(prefix: Prefix) -> Vec<u8> {
    [&[STATE_TAG][..], &prefix.addr.0, &[prefix.bits]].concat()
}

/// Version 1: version u8, session, client, start i64, certain u8, heard i64, then expiry and end, i64 each, i64::MAX for none; big-endian.
fn encode(l: &Lease) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend(l.session.0);
    out.extend(l.client.0);
    out.extend(l.start.0.to_be_bytes());
    out.push(u8::from(l.certain));
    for time in [Some(l.heard), l.expires, l.ended] {
        out.extend(time.map_or(i64::MAX, |t| t.0).to_be_bytes());
    }
    out
}

fn decode(key: &[u8], value: &[u8]) -> Option<(Prefix, Lease)> {
    let (tag, key) = key.split_first()?;
    let (address, bits) = key.split_first_chunk::<16>()?;
    let &[bits] = bits else { return None };
    let mut at = value;
    let [version] = take(&mut at)?;
    let (session, client) = (Id(take(&mut at)?), Id(take(&mut at)?));
    let start = Millis(i64::from_be_bytes(take(&mut at)?));
    let [certain] = take(&mut at)?;
    let mut time = || Some(i64::from_be_bytes(take(&mut at)?));
    let (heard, expires, ended) = (Millis(time()?), time()?, time()?);
    let some = |ms: i64| (ms != i64::MAX).then_some(Millis(ms));
    let lease = Lease { session, client, start, certain: certain != 0, heard, expires: some(expires), ended: some(ended) };
    (*tag == STATE_TAG && version == VERSION && bits <= 128 && at.is_empty()).then(|| (Prefix::new(Addr16(*address), bits), lease))
}

fn take<const N: usize>(at: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = at.split_first_chunk::<N>()?;
    *at = tail;
    Some(*head)
}
