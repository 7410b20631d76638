//! NAT mappings of devices that never tell of the end: it is inferred, and marked, when the public end goes to another host or when the
//! mapping's time is over. Pure; time is passed in.

use std::collections::{BTreeSet, HashMap};

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, NatEvent};

use super::limits::OPEN_MAPPINGS;

/// Source, public address and port, protocol.
type Key = (u32, Addr16, u16, u8);

/// Mappings that are open as far as known.
#[derive(Debug, Default)]
pub struct Mappings {
    open: HashMap<Key, (Millis, Addr16, u16)>,
    due: BTreeSet<(Millis, Key)>,
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

    /// A mapping begins, or another connection uses it: what must be recorded.
    pub fn begin(&mut self, event: NatEvent, life_ms: i64, out: &mut Vec<NatEvent>) {
        let key = (event.source, event.public_address, event.public_port, event.protocol);
        let inside = (event.inside_address, event.inside_port);
        match self.open.get(&key).copied() {
            Some((until, address, port)) if (address, port) == inside => {
                // Another connection through the same mapping: it lives on.
                self.due.remove(&(until, key));
                self.follow(key, event.time.plus(life_ms).max(until), inside);
                return;
            }
            Some((until, address, port)) => {
                self.due.remove(&(until, key));
                out.push(gone(&event, address, port, event.time));
            }
            None => {}
        }
        self.follow(key, event.time.plus(life_ms), inside);
        out.push(event);
    }

    fn follow(&mut self, key: Key, until: Millis, (address, port): (Addr16, u16)) {
        if self.open.len() < OPEN_MAPPINGS || self.open.contains_key(&key) {
            self.open.insert(key, (until, address, port));
            self.due.insert((until, key));
        }
    }

    /// Ends what has lived its time, at most `limit` mappings.
    pub fn tick(&mut self, now: Millis, limit: usize, out: &mut Vec<NatEvent>) {
        for _ in 0..limit {
            let Some((until, key)) = self.due.first().copied().filter(|(until, _)| *until <= now) else { return };
            self.due.remove(&(until, key));
            let Some((_, address, port)) = self.open.remove(&key) else { continue };
            let (source, public_address, public_port, protocol) = key;
            let event =
                NatEvent { source, public_address, public_port, public_port_last: public_port, protocol, form: 1, ..NatEvent::default() };
            out.push(gone(&event, address, port, until));
        }
    }
}

fn gone(like: &NatEvent, inside_address: Addr16, inside_port: u16, time: Millis) -> NatEvent {
    let none = (Addr16::NONE, 0, 0);
    let (remote_address, remote_port, remote_tag) = none;
    NatEvent { time, action: Action::Gone as u8, inside_address, inside_port, remote_address, remote_port, remote_tag, ..like.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_inferred() {
        let event = |time: i64, inside: &str| NatEvent {
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
            ..NatEvent::default()
        };
        let (mut mappings, mut out) = (Mappings::default(), Vec::new());
        mappings.begin(event(100, "192.168.1.5"), 1_000, &mut out);
        mappings.begin(event(200, "192.168.1.5"), 1_000, &mut out);
        mappings.begin(event(300, "192.168.1.6"), 1_000, &mut out);
        mappings.tick(Millis(1_299), 9, &mut out);
        mappings.tick(Millis(1_300), 9, &mut out);
        let shown: Vec<_> = out.iter().map(|e| (e.action, e.time.0, e.inside_address.to_string())).collect();
        let five = || "192.168.1.5".to_owned();
        let six = || "192.168.1.6".to_owned();
        assert_eq!(shown, [(1, 100, five()), (Action::Gone as u8, 300, five()), (1, 300, six()), (Action::Gone as u8, 1_300, six())]);
        assert!(mappings.is_empty());
    }
}
