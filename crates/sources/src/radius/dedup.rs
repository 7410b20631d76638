//! Packets on their way and packets just answered, so that a retransmission (RFC 2866 section 3: same identifier and authenticator, same
//! sender) is neither recorded twice nor left without its answer. Pure and bounded.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use weir_base::hash::MixState;
use weir_base::time::Millis;

use super::limits::{ANSWERED_MS, ANSWERED_PACKETS, IN_FLIGHT_PACKETS};

/// What makes two datagrams the same packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PacketKey {
    /// The sender.
    pub from: SocketAddr,
    /// Identifier.
    pub identifier: u8,
    /// Request Authenticator.
    pub authenticator: [u8; 16],
}

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Never seen: take it. It counts as on its way now.
    New,
    /// On its way to the log: its answer will come.
    InFlight,
    /// Its records are durable: answer again.
    Answered,
    /// Too much is on its way: drop it, its NAS sends it again.
    Busy,
}

/// The memory.
#[derive(Debug, Default)]
pub struct Dedup {
    /// `None` while on its way, else when it was answered.
    packets: HashMap<PacketKey, Option<Millis>, MixState>,
    answered: VecDeque<(Millis, PacketKey)>,
    in_flight: usize,
}

impl Dedup {
    /// Judges a datagram that arrived at `now`.
    pub fn see(&mut self, key: PacketKey, now: Millis) -> Seen {
        self.forget(now);
        match self.packets.get(&key) {
            Some(None) => Seen::InFlight,
            Some(Some(_)) => Seen::Answered,
            None if self.in_flight >= IN_FLIGHT_PACKETS => Seen::Busy,
            None => {
                self.packets.insert(key, None);
                self.in_flight += 1;
                Seen::New
            }
        }
    }

    /// The packet's records are durable and its answer goes out.
    pub fn answered(&mut self, key: PacketKey, now: Millis) {
        if let Some(slot @ None) = self.packets.get_mut(&key) {
            *slot = Some(now);
            self.in_flight -= 1;
            self.answered.push_back((now, key));
        }
    }

    /// The packet's records were not kept, or it is not to be answered: its next copy is new.
    pub fn dropped(&mut self, key: &PacketKey) {
        if let Some(None) = self.packets.get(key) {
            self.packets.remove(key);
            self.in_flight -= 1;
        }
    }

    /// Packets on their way.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    fn forget(&mut self, now: Millis) {
        while let Some((at, key)) = self.answered.front() {
            // A clock set back must not keep entries for ever, so the count bounds them as well.
            if now.since(*at) <= ANSWERED_MS && self.answered.len() <= ANSWERED_PACKETS {
                return;
            }
            self.packets.remove(key);
            self.answered.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> PacketKey {
        let mut authenticator = [0; 16];
        authenticator[..4].copy_from_slice(&n.to_be_bytes());
        PacketKey { from: "192.0.2.1:1024".parse().unwrap(), identifier: 7, authenticator }
    }

    #[test]
    fn a_packet_is_new_once() {
        let mut d = Dedup::default();
        let (a, b) = (key(1), key(2));
        assert_eq!(d.see(a, Millis(0)), Seen::New);
        assert_eq!(d.see(a, Millis(1)), Seen::InFlight);
        assert_eq!(d.see(b, Millis(1)), Seen::New);
        d.answered(a, Millis(2));
        d.dropped(&b);
        assert_eq!(d.in_flight(), 0);
        assert_eq!(d.see(a, Millis(3)), Seen::Answered);
        assert_eq!(d.see(b, Millis(3)), Seen::New, "its records were not kept");
        assert_eq!(d.see(a, Millis(2 + ANSWERED_MS)), Seen::Answered);
        assert_eq!(d.see(a, Millis(3 + ANSWERED_MS)), Seen::New, "forgotten");
    }

    #[test]
    fn both_memories_are_bounded() {
        let mut d = Dedup::default();
        let limit = u32::try_from(IN_FLIGHT_PACKETS).unwrap();
        for n in 0..limit {
            assert_eq!(d.see(key(n), Millis(0)), Seen::New);
        }
        assert_eq!(d.see(key(limit), Millis(0)), Seen::Busy);
        assert_eq!(d.see(key(0), Millis(0)), Seen::InFlight);
        d.answered(key(0), Millis(0));
        assert_eq!(d.see(key(limit), Millis(0)), Seen::New);
        let mut d = Dedup::default();
        for n in 0..2 * u32::try_from(ANSWERED_PACKETS).unwrap() {
            d.see(key(n), Millis(0));
            d.answered(key(n), Millis(0));
        }
        assert!(d.packets.len() <= ANSWERED_PACKETS + 1, "{}", d.packets.len());
    }
}
