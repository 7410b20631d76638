//! Keys of the span index: what a question asks for, as bytes that sort.

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

/// Ports of one small granule of a port block.
pub const GRANULE_SMALL: u16 = 64;
/// Ports of one large granule.
pub const GRANULE_LARGE: u16 = 1024;

/// Bytes of an [`EndKey`].
pub const END_KEY_BYTES: usize = 20;

/// What can be asked for: an exact public end, a granule of ports, a whole address, or an address or prefix of a session.
///
/// Bytes: tag (1), address (16), port, granule number or prefix bits (2, big-endian), protocol (1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndKey(pub [u8; END_KEY_BYTES]);

const EXACT: u8 = 1;
const SMALL: u8 = 2;
const LARGE: u8 = 3;
const WHOLE: u8 = 4;
const SESSION: u8 = 5;

/// Protocols whose mappings have ports or what stands for them (RFC 5508 section 3, RFC 6888 section 3, RFC 7857): those of a question that names none, and 0 for mappings of all.
const PORTED: [u8; 8] = [6, 17, 1, 0, 58, 132, 33, 136];

impl EndKey {
    fn new(tag: u8, addr: Addr16, number: u16, protocol: u8) -> EndKey {
        let mut key = [0; END_KEY_BYTES];
        key[0] = tag;
        key[1..17].copy_from_slice(&addr.0);
        key[17..19].copy_from_slice(&number.to_be_bytes());
        key[19] = protocol;
        EndKey(key)
    }

    /// One public address, port and protocol.
    pub fn exact(addr: Addr16, port: u16, protocol: u8) -> EndKey {
        EndKey::new(EXACT, addr, port, protocol)
    }

    /// The address of a key, and all the rest of it in one number.
    pub fn parts(&self) -> (Addr16, u32) {
        let mut address = [0; 16];
        address.copy_from_slice(&self.0[1..17]);
        (Addr16(address), u32::from_be_bytes([self.0[0], self.0[17], self.0[18], self.0[19]]))
    }

    /// A whole public address.
    pub fn whole(addr: Addr16) -> EndKey {
        EndKey::new(WHOLE, addr, 0, 0)
    }

    /// An address or prefix that a session had.
    pub fn session(prefix: Prefix) -> EndKey {
        EndKey::new(SESSION, prefix.addr, u16::from(prefix.bits), 0)
    }

    /// The keys under which a range of ports is stored: as few granules as cover it.
    pub fn of_range(addr: Addr16, first: u16, last: u16) -> Vec<EndKey> {
        if first == 0 && last == u16::MAX {
            return vec![EndKey::whole(addr)];
        }
        let (first, last) = (u32::from(first), u32::from(last.max(first)));
        let (small, large) = (u32::from(GRANULE_SMALL), u32::from(GRANULE_LARGE));
        let mut keys = Vec::new();
        let mut at = first - first % small;
        while at <= last {
            let whole_large = at % large == 0 && at >= first && at + large - 1 <= last;
            let (tag, step) = if whole_large { (LARGE, large) } else { (SMALL, small) };
            keys.push(EndKey::new(tag, addr, (at / step) as u16, 0));
            at += step;
        }
        keys
    }

    /// Every key under which something holding this public end may be stored.
    pub fn questions(addr: Addr16, port: Option<u16>, protocol: Option<u8>) -> Vec<EndKey> {
        let mut keys = vec![EndKey::whole(addr)];
        if let Some(port) = port {
            keys.push(EndKey::new(SMALL, addr, port / GRANULE_SMALL, 0));
            keys.push(EndKey::new(LARGE, addr, port / GRANULE_LARGE, 0));
            let protocols: &[u8] = match protocol {
                Some(0) => &[0],
                Some(p) => &[p, 0],
                None => &PORTED,
            };
            keys.extend(protocols.iter().map(|p| EndKey::exact(addr, port, *p)));
        }
        keys
    }
}

/// Key of one stored span: what it is found by, its start, and a number that makes it unique. Sorts by key, then start.
pub fn span_key(key: &EndKey, start: Millis, number: u32) -> [u8; END_KEY_BYTES + 12] {
    let mut out = [0; END_KEY_BYTES + 12];
    out[..END_KEY_BYTES].copy_from_slice(&key.0);
    out[END_KEY_BYTES..END_KEY_BYTES + 8].copy_from_slice(&sortable(start));
    out[END_KEY_BYTES + 8..].copy_from_slice(&number.to_be_bytes());
    out
}

/// An instant as bytes that sort like it.
pub fn sortable(time: Millis) -> [u8; 8] {
    ((time.0 as u64) ^ (1 << 63)).to_be_bytes()
}

/// The instant that [`sortable`] wrote.
pub fn from_sortable(bytes: [u8; 8]) -> Millis {
    Millis((u64::from_be_bytes(bytes) ^ (1 << 63)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_port_of_a_range_is_asked_for(first in any::<u16>(), len in 0u16..5000, port in any::<u16>()) {
            let last = first.saturating_add(len);
            let addr = Addr16::v4([203, 0, 113, 7]);
            let stored = EndKey::of_range(addr, first, last);
            prop_assert!(stored.len() <= 70);
            let asked = EndKey::questions(addr, Some(port), Some(6));
            let found = stored.iter().any(|k| asked.contains(k));
            prop_assert!(found || port < first || port > last);
            // A granule may hold ports beside the range, never ones further than a small granule away.
            prop_assert!(!found || (u32::from(port) + 64 > u32::from(first) && u32::from(port) < u32::from(last) + 64));
        }

        #[test]
        fn starts_sort(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(sortable(Millis(a)).cmp(&sortable(Millis(b))), a.cmp(&b));
            prop_assert_eq!(from_sortable(sortable(Millis(a))), Millis(a));
        }
    }

    #[test]
    fn a_whole_address_is_one_key() {
        let addr = Addr16::v4([203, 0, 113, 7]);
        assert_eq!(EndKey::of_range(addr, 0, u16::MAX), [EndKey::whole(addr)]);
        assert_eq!(EndKey::of_range(addr, 1024, 2047).len(), 1);
    }
}
