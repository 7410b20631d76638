//! Which addresses sessions ever had, by source: a question about an address that nobody here ever had reads no history for it.
//!
//! IPv4 is known to the address, 256 to a block; of IPv6 it is known which /48 something of it lay in, because a session there has a prefix of any length.

use std::collections::{BTreeSet, HashMap};

use weir_base::hash::MixState;
use weir_base::net::{Addr16, Prefix};

use crate::limits::{LENT_BLOCKS, LENT_WIDE};

/// Bits of a block of IPv4 and of IPv6 addresses.
const V4_BITS: u8 = 120;
const V6_BITS: u8 = 48;

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Lent {
    blocks: HashMap<Prefix, Vec<(u32, [u8; 32])>, MixState>,
    /// Prefixes wider than a block.
    wide: BTreeSet<(u32, Prefix)>,
    count: usize,
}

fn block_of(address: Addr16) -> Prefix {
    Prefix::new(address, if address.is_v4() { V4_BITS } else { V6_BITS })
}

/// The bits of a block that a prefix covers.
fn hosts_of(prefix: Prefix) -> [u8; 32] {
    let mut hosts = [0; 32];
    if prefix.addr.is_v4() {
        let first = usize::from(prefix.addr.0[15]);
        for host in first..first + (1 << (128 - prefix.bits)) {
            if let Some(byte) = hosts.get_mut(host / 8) {
                *byte |= 1 << (host % 8);
            }
        }
    }
    hosts
}

impl Lent {
    /// True when there are more than are kept: nothing is known of any address.
    fn is_full(&self) -> bool {
        self.count >= LENT_BLOCKS || self.wide.len() >= LENT_WIDE
    }

    /// Learns that a session of this source had the prefix.
    pub fn learn(&mut self, source: u32, prefix: Prefix) {
        let block = block_of(prefix.addr);
        if prefix.bits < block.bits { self.add(source, prefix, [0; 32]) } else { self.add(source, block, hosts_of(prefix)) }
    }

    /// Adds what a snapshot kept: a block and its addresses, one bit each, the first in the lowest bit of the first byte; or a wider prefix.
    pub fn add(&mut self, source: u32, block: Prefix, hosts: [u8; 32]) {
        if self.is_full() {
            return;
        }
        if block.bits < block_of(block.addr).bits {
            self.wide.insert((source, block));
            return;
        }
        let sources = self.blocks.entry(block).or_default();
        if let Some((_, had)) = sources.iter_mut().find(|(known, _)| *known == source) {
            had.iter_mut().zip(hosts).for_each(|(had, new)| *had |= new);
        } else {
            sources.push((source, hosts));
            self.count += 1;
        }
    }

    /// All of it, by first address, bits and source.
    pub fn in_order(&self) -> Vec<(u32, Prefix, [u8; 32])> {
        let blocks = self.blocks.iter().flat_map(|(block, sources)| sources.iter().map(|(source, hosts)| (*source, *block, *hosts)));
        let mut all: Vec<_> = blocks.chain(self.wide.iter().map(|(source, prefix)| (*source, *prefix, [0; 32]))).collect();
        all.sort_unstable_by_key(|(source, block, _)| (block.addr, block.bits, *source));
        all
    }

    /// True when no session ever had this address or a prefix around it.
    pub fn nobody(&self, address: Addr16) -> bool {
        let here = self.blocks.get(&block_of(address)).map_or(&[][..], Vec::as_slice);
        let host = usize::from(address.0[15]);
        let had = |(_, hosts): &(u32, [u8; 32])| !address.is_v4() || hosts[host / 8] >> (host % 8) & 1 == 1;
        !self.is_full() && !here.iter().any(had) && !self.wide.iter().any(|(_, p)| p.contains(address))
    }

    /// The sources whose sessions had this address or a prefix around it. None when only the sessions themselves can tell.
    pub fn sources(&self, address: Addr16) -> Option<BTreeSet<u32>> {
        if self.is_full() {
            return None;
        }
        let mut found: BTreeSet<u32> = self.wide.iter().filter(|(_, p)| p.contains(address)).map(|(source, _)| *source).collect();
        let Some(sources) = self.blocks.get(&block_of(address)) else { return Some(found) };
        if !address.is_v4() {
            return None;
        }
        let host = usize::from(address.0[15]);
        found.extend(sources.iter().filter(|(_, hosts)| hosts[host / 8] >> (host % 8) & 1 == 1).map(|(source, _)| *source));
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn address(text: &str) -> Addr16 {
        text.parse::<std::net::IpAddr>().unwrap().into()
    }

    #[test]
    fn ipv4_is_known_to_the_address_and_ipv6_to_the_block() {
        let mut lent = Lent::default();
        for (source, text) in [
            (1, "203.0.113.7/32"),
            (1, "203.0.113.7/32"),
            (2, "203.0.113.8/31"),
            (3, "198.51.0.0/16"),
            (3, "198.51.0.0/16"),
            (4, "2001:db8:7:1::/64"),
            (5, "2001:db8:8000::/33"),
        ] {
            lent.learn(source, prefix(text));
        }
        assert_eq!(lent.in_order().len(), 5);
        for (text, told) in [
            ("203.0.113.7", Some(vec![1])),
            ("203.0.113.8", Some(vec![2])),
            ("203.0.113.9", Some(vec![2])),
            ("203.0.113.10", Some(vec![])),
            ("203.0.114.7", Some(vec![])),
            ("198.51.255.255", Some(vec![3])),
            ("198.52.0.0", Some(vec![])),
            ("2001:db8:7:2::1", None),
            ("2001:db8:8::1", Some(vec![])),
            ("2001:db8:8001::1", Some(vec![5])),
        ] {
            assert_eq!(lent.nobody(address(text)), told.as_ref().is_some_and(Vec::is_empty), "{text}");
            assert_eq!(lent.sources(address(text)).map(Vec::from_iter), told, "{text}");
        }
    }

    #[test]
    fn with_more_blocks_than_are_kept_nothing_is_known() {
        let mut lent = Lent::default();
        for n in 0..LENT_BLOCKS as u32 + 1 {
            lent.learn(1, Prefix::new(Addr16::v4((n << 8).to_be_bytes()), 128));
        }
        assert_eq!((lent.count, lent.sources(address("192.0.2.1"))), (LENT_BLOCKS, None));
    }

    proptest! {
        #[test]
        fn what_was_lent_is_told_and_comes_back_as_it_is_kept(
            all in prop::collection::vec((0u32..3, any::<[u8; 2]>(), 16u8..=32, any::<bool>()), 0..40),
            asked in any::<[u8; 2]>(),
        ) {
            let (mut lent, mut again, mut had) = (Lent::default(), Lent::default(), Vec::new());
            for (source, [c, d], bits, v6) in all {
                let p = if v6 { Prefix::new(Addr16([c, d, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), bits) } else { Prefix::new(Addr16::v4([192, 0, c, d]), 96 + bits) };
                had.push((source, p));
                lent.learn(source, p);
            }
            lent.in_order().into_iter().for_each(|(source, block, hosts)| again.add(source, block, hosts));
            prop_assert_eq!(lent.in_order(), again.in_order());
            for at in [Addr16::v4([192, 0, asked[0], asked[1]]), Addr16([asked[0], asked[1], 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])] {
                let truth: BTreeSet<u32> = had.iter().filter(|(_, p)| p.contains(at)).map(|(source, _)| *source).collect();
                let told = lent.sources(at);
                prop_assert_eq!(&told, &again.sources(at));
                prop_assert!(told.as_ref().is_none_or(|told| *told == truth), "{:?} {:?}", told, truth);
                prop_assert!(!at.is_v4() || told.is_some());
            }
        }
    }
}
