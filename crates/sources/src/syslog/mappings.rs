//! NAT mappings of devices that never tell of the end: it is inferred, and marked, when the public end goes to another host or when the
//! mapping's time is over. Pure; time is passed in.

use std::collections::{BTreeMap, BTreeSet};

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, NatEvent};

use super::limits::OPEN_MAPPINGS;

/// A mapping: all that its end must repeat, or the store pairs the two with nothing. The public end stands first, so that those of one lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: u32,
    public: Addr16,
    first: u16,
    last: u16,
    protocol: u8,
    form: u8,
    inside: Addr16,
    inside_port: u16,
    remote: Addr16,
    remote_port: u16,
    tag: u64,
}

/// Bytes of a key in the state.
const KEY_BYTES: usize = 1 + 4 + 16 + 2 + 2 + 1 + 1 + 16 + 2 + 16 + 2 + 8;

impl Key {
    fn of(e: &NatEvent) -> Key {
        Key {
            source: e.source,
            public: e.public_address,
            first: e.public_port,
            last: e.public_port_last,
            protocol: e.protocol,
            form: e.form,
            inside: e.inside_address,
            inside_port: e.inside_port,
            remote: e.remote_address,
            remote_port: e.remote_port,
            tag: e.remote_tag,
        }
    }

    /// The lowest key with this public end.
    fn lowest(self) -> Key {
        Key { inside: Addr16([0; 16]), inside_port: 0, remote: Addr16([0; 16]), remote_port: 0, tag: 0, ..self }
    }

    fn same_public(&self, other: &Key) -> bool {
        self.lowest() == other.lowest()
    }

    fn gone(self, time: Millis) -> NatEvent {
        NatEvent {
            time,
            action: Action::Gone as u8,
            form: self.form,
            protocol: self.protocol,
            source: self.source,
            public_address: self.public,
            public_port: self.first,
            public_port_last: self.last,
            inside_address: self.inside,
            inside_port: self.inside_port,
            remote_address: self.remote,
            remote_port: self.remote_port,
            remote_tag: self.tag,
        }
    }

    fn bytes(self) -> Vec<u8> {
        let mut out = vec![b'm'];
        out.extend(self.source.to_be_bytes());
        out.extend(self.public.0);
        out.extend(self.first.to_be_bytes());
        out.extend(self.last.to_be_bytes());
        out.extend([self.protocol, self.form]);
        out.extend(self.inside.0);
        out.extend(self.inside_port.to_be_bytes());
        out.extend(self.remote.0);
        out.extend(self.remote_port.to_be_bytes());
        out.extend(self.tag.to_be_bytes());
        out
    }

    fn read(bytes: &[u8]) -> Option<Key> {
        let mut rest = bytes.strip_prefix(b"m").filter(|_| bytes.len() == KEY_BYTES)?;
        Some(Key {
            source: u32::from_be_bytes(part(&mut rest)?),
            public: Addr16(part(&mut rest)?),
            first: u16::from_be_bytes(part(&mut rest)?),
            last: u16::from_be_bytes(part(&mut rest)?),
            protocol: u8::from_be_bytes(part(&mut rest)?),
            form: u8::from_be_bytes(part(&mut rest)?),
            inside: Addr16(part(&mut rest)?),
            inside_port: u16::from_be_bytes(part(&mut rest)?),
            remote: Addr16(part(&mut rest)?),
            remote_port: u16::from_be_bytes(part(&mut rest)?),
            tag: u64::from_be_bytes(part(&mut rest)?),
        })
    }
}

fn part<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_at_checked(N)?;
    *rest = tail;
    head.try_into().ok()
}

/// Mappings that are open as far as known.
#[derive(Debug, Default)]
pub struct Mappings {
    open: BTreeMap<Key, Millis>,
    due: BTreeSet<(Millis, Key)>,
    changed: BTreeSet<Key>,
}

impl Mappings {
    /// Mappings that are followed.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn set(&mut self, key: Key, until: Option<Millis>) {
        let before = match until {
            Some(until) => self.open.insert(key, until),
            None => self.open.remove(&key),
        };
        if let Some(before) = before {
            self.due.remove(&(before, key));
        }
        self.due.extend(until.map(|until| (until, key)));
        self.changed.insert(key);
    }

    /// A mapping begins, or another connection uses it: what must be recorded. A public end that goes to another host ends what that end had before,
    /// unless the device gives one to several (`overload`). False when there are too many to follow this one: it is recorded, and its end will not be.
    pub fn begin(&mut self, event: NatEvent, life_ms: i64, overload: bool, out: &mut Vec<NatEvent>) -> bool {
        let key = Key::of(&event);
        let until = event.time.plus(life_ms);
        if let Some(before) = self.open.get(&key).copied() {
            self.set(key, Some(until.max(before)));
            return true;
        }
        if !overload {
            let others = self.open.range(key.lowest()..).map(|(k, _)| *k).take_while(|k| k.same_public(&key));
            let ended: Vec<Key> = others.filter(|k| (k.inside, k.inside_port) != (key.inside, key.inside_port)).collect();
            for other in ended {
                self.set(other, None);
                out.push(other.gone(event.time));
            }
        }
        out.push(event);
        let room = self.open.len() < OPEN_MAPPINGS;
        if room {
            self.set(key, Some(until));
        }
        room
    }

    /// Ends what has lived its time, at most `limit` mappings.
    pub fn tick(&mut self, now: Millis, limit: usize, out: &mut Vec<NatEvent>) {
        for _ in 0..limit {
            let Some((until, key)) = self.due.first().copied().filter(|(until, _)| *until <= now) else { return };
            self.set(key, None);
            out.push(key.gone(until));
        }
    }

    /// State changes since the last call: `m`, source u32, public 16, first u16, last u16, protocol u8, form u8, inside 16, its port u16, remote 16, its
    /// port u16, tag u64 → until i64; integers big-endian.
    pub fn changes(&mut self, mut out: impl FnMut(Vec<u8>, Option<Vec<u8>>)) {
        for key in std::mem::take(&mut self.changed) {
            out(key.bytes(), self.open.get(&key).map(|until| until.0.to_be_bytes().to_vec()));
        }
    }

    /// Everything is written again: an earlier group was not kept.
    pub fn rewrite(&mut self) {
        self.changed.extend(self.open.keys().copied());
    }

    /// Takes back what an earlier run left.
    pub fn restore(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let key = Key::read(key)?;
        let until = Millis(i64::from_be_bytes(value.try_into().ok()?));
        if self.open.len() >= OPEN_MAPPINGS {
            return None;
        }
        self.set(key, Some(until));
        self.changed.remove(&key);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: u8 = Action::Gone as u8;

    fn event(time: i64, inside: &str, remote: &str, tag: u64) -> NatEvent {
        NatEvent {
            time: Millis(time),
            action: 1,
            form: 1,
            protocol: 6,
            source: 3,
            public_address: "203.0.113.7".parse().unwrap(),
            public_port: 1024,
            public_port_last: 1024,
            inside_address: inside.parse().unwrap(),
            inside_port: 50_000,
            remote_address: if remote.is_empty() { Addr16::NONE } else { remote.parse().unwrap() },
            remote_tag: tag,
            ..NatEvent::default()
        }
    }

    fn shown(out: &[NatEvent]) -> Vec<(u8, i64, String, String, u64)> {
        let remote = |e: &NatEvent| if e.remote_address.is_none() { String::new() } else { e.remote_address.to_string() };
        out.iter().map(|e| (e.action, e.time.0, e.inside_address.to_string(), remote(e), e.remote_tag)).collect()
    }

    fn row(action: u8, time: i64, inside: &str, remote: &str, tag: u64) -> (u8, i64, String, String, u64) {
        (action, time, inside.to_owned(), remote.to_owned(), tag)
    }

    const FIVE: &str = "192.168.1.5";
    const SIX: &str = "192.168.1.6";

    #[test]
    fn ends_are_inferred() {
        let (mut mappings, mut out) = (Mappings::default(), Vec::new());
        for (time, inside) in [(100, FIVE), (200, FIVE), (300, SIX)] {
            assert!(mappings.begin(event(time, inside, "", 0), 1_000, false, &mut out));
        }
        mappings.tick(Millis(1_299), 9, &mut out);
        mappings.tick(Millis(1_300), 9, &mut out);
        assert_eq!(
            shown(&out),
            [row(1, 100, FIVE, "", 0), row(GONE, 300, FIVE, "", 0), row(1, 300, SIX, "", 0), row(GONE, 1_300, SIX, "", 0)]
        );
        assert!(mappings.is_empty());
    }

    /// Of kept or fingerprinted remote ends each is a mapping of its own, and the end that is inferred carries it.
    #[test]
    fn each_remote_is_recorded_and_ended() {
        for (a, b) in [(("192.0.2.1", 0), ("192.0.2.2", 0)), (("", 7), ("", 8))] {
            let (mut mappings, mut out) = (Mappings::default(), Vec::new());
            mappings.begin(event(100, FIVE, a.0, a.1), 1_000, false, &mut out);
            mappings.begin(event(200, FIVE, b.0, b.1), 1_000, false, &mut out);
            mappings.begin(event(400, FIVE, a.0, a.1), 1_000, false, &mut out);
            assert_eq!(shown(&out), [row(1, 100, FIVE, a.0, a.1), row(1, 200, FIVE, b.0, b.1)]);
            mappings.begin(event(500, SIX, a.0, a.1), 1_000, false, &mut out);
            let mut ended = shown(&out)[2..4].to_vec();
            ended.sort();
            assert_eq!(ended, [row(GONE, 500, FIVE, a.0, a.1), row(GONE, 500, FIVE, b.0, b.1)]);
            assert_eq!(mappings.len(), 1);
        }
    }

    #[test]
    fn a_device_that_shares_ports_ends_nobody_elses() {
        let (mut mappings, mut out) = (Mappings::default(), Vec::new());
        mappings.begin(event(100, FIVE, "192.0.2.1", 0), 1_000, true, &mut out);
        mappings.begin(event(200, SIX, "192.0.2.2", 0), 1_000, true, &mut out);
        assert_eq!(shown(&out), [row(1, 100, FIVE, "192.0.2.1", 0), row(1, 200, SIX, "192.0.2.2", 0)]);
        mappings.tick(Millis(1_150), 9, &mut out);
        assert_eq!(shown(&out)[2..], [row(GONE, 1_100, FIVE, "192.0.2.1", 0)]);
    }

    #[test]
    fn mappings_come_back_after_a_restart() {
        let (mut mappings, mut out, mut state) = (Mappings::default(), Vec::new(), Vec::new());
        mappings.begin(event(100, FIVE, "192.0.2.1", 9), 1_000, false, &mut out);
        mappings.changes(|k, v| state.push((k, v.unwrap())));
        let mut again = Mappings::default();
        assert_eq!(again.restore(&state[0].0, &state[0].1), Some(()));
        again.changes(|_, _| panic!("nothing changed"));
        again.tick(Millis(1_100), 9, &mut out);
        assert_eq!(shown(&out)[1..], [row(GONE, 1_100, FIVE, "192.0.2.1", 9)]);
        let mut taken = Vec::new();
        again.changes(|k, v| taken.push((k, v)));
        assert_eq!(taken, [(state[0].0.clone(), None)]);
        for cut in 0..state[0].0.len() {
            assert_eq!(again.restore(&state[0].0[..cut], &state[0].1), None);
        }
        assert_eq!(again.restore(&state[0].0, &state[0].1[1..]), None);
    }
}
