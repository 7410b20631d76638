//! Leases out of log lines: who held which inside address. A lease is a session of its hardware address. Pure; time is passed in.

use std::collections::{BTreeSet, HashMap, VecDeque};

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use super::limits::{INQUIRIES, INQUIRY_MS, LEASES};

const START: u8 = 1;
const STOP: u8 = 2;
const INTERIM: u8 = 3;

/// Realm, and the inside address or the prefix that is delegated.
pub type Key = (u32, Prefix);

/// An address somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Weir's id of the session.
    pub session: Id,
    /// Opaque id of the hardware address.
    pub holder: Id,
    /// When it began, as far as known.
    pub start: Millis,
    /// When it ends unless it is renewed.
    pub until: Millis,
    /// The source that told last.
    pub source: u32,
}

/// One message about a lease.
#[derive(Clone, Debug)]
pub struct Told {
    /// What is leased.
    pub key: Key,
    /// Who to; none where a release does not say.
    pub holder: Option<Id>,
    /// When.
    pub time: Millis,
    /// When it arrived.
    pub received: Millis,
    /// For how long, in milliseconds.
    pub life_ms: i64,
    /// Who told.
    pub source: u32,
    /// The server's name.
    pub host: Option<String>,
}

/// All leases that are followed.
#[derive(Debug, Default)]
pub struct Leases {
    held: HashMap<Key, Lease>,
    due: BTreeSet<(Millis, Key)>,
    changed: BTreeSet<Key>,
    /// What clients asked about that they say they hold, by who told, oldest first.
    inquiries: VecDeque<(u32, Key, Option<Id>, Millis)>,
}

fn row(lease: &Lease, key: Key, status: u8, time: Millis, received: Millis) -> RadiusSession {
    let mut row = RadiusSession {
        time,
        arrived: received,
        source: lease.source,
        realm: key.0,
        status,
        session: lease.session,
        subscriber: Some(lease.holder),
        caller: Some(lease.holder),
        start: Some(lease.start),
        start_certain: 1,
        ..RadiusSession::default()
    };
    match (key.1.bits, key.1.addr.is_v4()) {
        (128, true) => row.framed_ipv4 = Some(key.1.addr),
        (128, false) => row.framed_ipv6 = Some(key.1.addr),
        (bits, _) => (row.delegated_prefix, row.delegated_prefix_bits) = (Some(key.1.addr), Some(bits)),
    }
    row
}

impl Leases {
    /// Leases that are followed.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn set(&mut self, key: Key, lease: Option<Lease>) -> Option<Lease> {
        self.changed.insert(key);
        let before = match lease {
            Some(lease) => {
                self.due.insert((lease.until, key));
                self.held.insert(key, lease)
            }
            None => self.held.remove(&key),
        };
        if let Some(old) = &before
            && self.held.get(&key).is_none_or(|now| now.until != old.until)
        {
            self.due.remove(&(old.until, key));
        }
        before
    }

    fn inferred(lease: &Lease, key: Key, time: Millis, received: Millis, reason: &str) -> RadiusSession {
        let time = time.max(lease.start);
        RadiusSession { inferred: 1, reason: Some(reason.to_owned()), ..row(lease, key, STOP, time, received) }
    }

    /// A client asked about an address that it says it holds (DHCPINFORM): the answer that follows grants nothing.
    pub fn inquiry(&mut self, told: &Told) {
        if self.inquiries.len() >= INQUIRIES {
            self.inquiries.pop_front();
        }
        self.inquiries.push_back((told.source, told.key, told.holder, told.received));
    }

    /// True when this answers an inquiry, which is answered once.
    fn is_answer(&mut self, told: &Told) -> bool {
        while self.inquiries.front().is_some_and(|(.., at)| told.received.since(*at) > INQUIRY_MS) {
            self.inquiries.pop_front();
        }
        let of = |(source, key, holder, _): &(u32, Key, Option<Id>, Millis)| {
            *source == told.source && *key == told.key && (holder.is_none() || *holder == told.holder)
        };
        let found = self.inquiries.iter().position(of);
        found.is_some_and(|at| self.inquiries.remove(at).is_some())
    }

    /// An address was leased, or its lease renewed.
    pub fn lease(&mut self, told: &Told, rows: &mut Vec<RadiusSession>) {
        if self.is_answer(told) {
            return;
        }
        let (Some(holder), key) = (told.holder, told.key) else { return };
        let until = told.time.plus(told.life_ms);
        let named = |mut r: RadiusSession| {
            r.nas_identifier.clone_from(&told.host);
            r
        };
        match self.held.get(&key).cloned() {
            Some(lease) if lease.holder == holder => {
                let lease = Lease { until: until.max(lease.until), source: told.source, ..lease };
                rows.push(named(row(&lease, key, INTERIM, told.time.max(lease.start), told.received)));
                self.set(key, Some(lease));
                return;
            }
            // A line that came late tells of somebody who held it before.
            Some(lease) if told.time < lease.start => return,
            Some(lease) => rows.push(Self::inferred(&lease, key, told.time, told.received, "address-used-again")),
            None => {}
        }
        let lease = Lease { session: Id::random(), holder, start: told.time, until, source: told.source };
        rows.push(named(row(&lease, key, START, told.time, told.received)));
        // One too many is recorded but not followed: its end is not inferred.
        if self.held.len() < LEASES || self.held.contains_key(&key) {
            self.set(key, Some(lease));
        }
    }

    /// A lease ended.
    pub fn release(&mut self, told: &Told, rows: &mut Vec<RadiusSession>) {
        let Some(lease) = self.held.get(&told.key).filter(|l| told.holder.is_none_or(|h| h == l.holder)).cloned() else { return };
        if told.time < lease.start {
            return;
        }
        let mut stop = row(&lease, told.key, STOP, told.time, told.received);
        stop.nas_identifier.clone_from(&told.host);
        rows.push(stop);
        self.set(told.key, None);
    }

    /// Ends what was not renewed, at most `limit` leases.
    pub fn tick(&mut self, now: Millis, limit: usize, rows: &mut Vec<RadiusSession>) {
        for _ in 0..limit {
            let Some((until, key)) = self.due.first().copied().filter(|(until, _)| *until <= now) else { return };
            self.due.remove(&(until, key));
            if let Some(lease) = self.set(key, None) {
                rows.push(Self::inferred(&lease, key, until, now, "lease-expired"));
            }
        }
    }

    /// State changes since the last call: `l`, realm u32, address 16, of a prefix its length u8 → session 16, holder 16, start i64, until i64, source u32; integers
    /// big-endian.
    pub fn changes(&mut self, out: &mut dyn FnMut(Vec<u8>, Option<Vec<u8>>)) {
        for key in std::mem::take(&mut self.changed) {
            let mut name = vec![b'l'];
            name.extend(key.0.to_be_bytes());
            name.extend(key.1.addr.0);
            name.extend((key.1.bits < 128).then_some(key.1.bits));
            let value = self.held.get(&key).map(|l| {
                let mut bytes = Vec::with_capacity(52);
                bytes.extend(l.session.0);
                bytes.extend(l.holder.0);
                bytes.extend(l.start.0.to_be_bytes());
                bytes.extend(l.until.0.to_be_bytes());
                bytes.extend(l.source.to_be_bytes());
                bytes
            });
            out(name, value);
        }
    }

    /// True when something changed since [`Leases::changes`].
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Everything is written again: an earlier group was not kept.
    pub fn rewrite(&mut self) {
        self.changed.extend(self.held.keys().copied());
    }

    /// Takes back what an earlier run left.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (realm, rest) = key.strip_prefix(b"l")?.split_at_checked(4)?;
        let (address, bits) = rest.split_first_chunk::<16>()?;
        let bits = match bits {
            [] => 128,
            [bits] if *bits < 128 => *bits,
            _ => return None,
        };
        let key = (u32::from_be_bytes(realm.try_into().ok()?), Prefix::new(Addr16(*address), bits));
        let part = |from: usize, n: usize| value.get(from..from + n);
        let lease = Lease {
            session: Id(part(0, 16)?.try_into().ok()?),
            holder: Id(part(16, 16)?.try_into().ok()?),
            start: Millis(i64::from_be_bytes(part(32, 8)?.try_into().ok()?)),
            until: Millis(i64::from_be_bytes(part(40, 8)?.try_into().ok()?)),
            source: u32::from_be_bytes(part(48, 4)?.try_into().ok()?),
        };
        if value.len() != 52 || self.held.len() >= LEASES {
            return None;
        }
        self.set(key, Some(lease));
        self.changed.remove(&key);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(holder: u8, time: i64, life: i64) -> Told {
        Told {
            key: (1, "192.168.1.9".parse().unwrap()),
            holder: (holder > 0).then_some(Id([holder; 16])),
            time: Millis(time),
            received: Millis(time + 1),
            life_ms: life,
            source: 7,
            host: Some("dhcp1".to_owned()),
        }
    }

    fn shown(rows: &[RadiusSession]) -> Vec<(u8, i64, u8, u8)> {
        rows.iter().map(|r| (r.status, r.time.0, r.inferred, r.subscriber.map_or(0, |s| s.0[0]))).collect()
    }

    #[test]
    fn a_lease_is_a_session_of_its_hardware_address() {
        let (mut leases, mut rows) = (Leases::default(), Vec::new());
        leases.lease(&told(1, 100, 50), &mut rows);
        leases.lease(&told(1, 120, 50), &mut rows);
        leases.tick(Millis(169), 10, &mut rows);
        assert_eq!(shown(&rows), [(START, 100, 0, 1), (INTERIM, 120, 0, 1)]);
        assert_eq!(rows[0].session, rows[1].session);
        leases.lease(&told(2, 160, 50), &mut rows);
        leases.release(&told(1, 165, 0), &mut rows);
        leases.release(&told(0, 170, 0), &mut rows);
        assert_eq!(shown(&rows[2..]), [(STOP, 160, 1, 1), (START, 160, 0, 2), (STOP, 170, 0, 2)]);
        leases.lease(&told(3, 200, 50), &mut rows);
        leases.tick(Millis(260), 10, &mut rows);
        assert_eq!(shown(&rows[6..]), [(STOP, 250, 1, 3)]);
        assert!(leases.is_empty());
    }

    #[test]
    fn an_answer_to_who_says_he_has_an_address_is_no_lease() {
        let (mut leases, mut rows) = (Leases::default(), Vec::new());
        // Somebody claims the address of another; the server answers, and grants nothing.
        leases.lease(&told(1, 100, 5_000), &mut rows);
        leases.inquiry(&told(2, 200, 0));
        leases.lease(&told(2, 201, 5_000), &mut rows);
        assert_eq!(shown(&rows), [(START, 100, 0, 1)]);
        // The holder's own renewal meanwhile counts; the inquiry is answered once, and only by who was asked, and soon.
        leases.inquiry(&told(2, 300, 0));
        leases.lease(&told(1, 301, 5_000), &mut rows);
        leases.lease(&Told { source: 8, ..told(1, 302, 5_000) }, &mut rows);
        leases.lease(&told(2, 303, 5_000), &mut rows);
        assert_eq!(shown(&rows[1..]), [(INTERIM, 301, 0, 1), (INTERIM, 302, 0, 1)]);
        leases.lease(&told(2, 304, 5_000), &mut rows);
        assert_eq!(shown(&rows[3..]), [(STOP, 304, 1, 1), (START, 304, 0, 2)]);
        leases.inquiry(&told(2, 400, 0));
        leases.lease(&told(2, 402 + INQUIRY_MS, 5_000), &mut rows);
        assert_eq!(shown(&rows[5..]), [(INTERIM, 402 + INQUIRY_MS, 0, 2)]);
        (0..10_000).for_each(|_| leases.inquiry(&told(2, 500, 0)));
        assert_eq!(leases.inquiries.len(), INQUIRIES);
    }

    #[test]
    fn leases_come_back_after_a_restart() {
        let (mut leases, mut rows, mut state) = (Leases::default(), Vec::new(), Vec::new());
        leases.lease(&told(1, 100, 50), &mut rows);
        leases.changes(&mut |k, v| state.push((k, v.unwrap())));
        assert!(!leases.is_changed());
        let mut again = Leases::default();
        assert_eq!(again.restore(&state[0].0, &state[0].1), Some(()));
        assert!(!again.is_changed());
        again.tick(Millis(151), 10, &mut rows);
        assert_eq!(shown(&rows[1..]), [(STOP, 150, 1, 1)]);
        for cut in 0..state[0].1.len() {
            assert_eq!(again.restore(&state[0].0, &state[0].1[..cut]), None);
        }
    }

    /// A prefix is delegated beside the address of the same host; neither ends the other, and both come back.
    #[test]
    fn addresses_and_prefixes_are_leases_of_their_own() {
        let (mut leases, mut rows, mut state) = (Leases::default(), Vec::new(), Vec::new());
        let of = |text: &str, time: i64| Told { key: (1, text.parse().unwrap()), ..told(1, time, 50) };
        leases.lease(&of("2001:db8:aa00::", 100), &mut rows);
        leases.lease(&of("2001:db8:aa00::/56", 101), &mut rows);
        assert_eq!(shown(&rows), [(START, 100, 0, 1), (START, 101, 0, 1)]);
        assert_eq!((rows[0].framed_ipv6, rows[0].delegated_prefix), (Some("2001:db8:aa00::".parse().unwrap()), None));
        let delegated = (rows[1].framed_ipv6, rows[1].delegated_prefix, rows[1].delegated_prefix_bits);
        assert_eq!(delegated, (None, Some("2001:db8:aa00::".parse().unwrap()), Some(56)));
        leases.changes(&mut |k, v| state.push((k, v.unwrap())));
        let mut again = Leases::default();
        assert!(state.iter().all(|(k, v)| again.restore(k, v).is_some()) && again.len() == 2);
        // No prefix is so long, and no key.
        assert_eq!(again.restore(&[&state[1].0[..], &[129]].concat(), &state[1].1), None);
        assert_eq!(again.restore(&[&state[0].0[..], &[1]].concat(), &state[0].1), None);
        again.release(&of("2001:db8:aa00::/56", 120), &mut rows);
        again.tick(Millis(160), 9, &mut rows);
        assert_eq!(shown(&rows[2..]), [(STOP, 120, 0, 1), (STOP, 150, 1, 1)]);
    }
}
