//! Numbers for the public addresses of a generation, and which exporters speak of each.

use std::collections::HashMap;
use std::hash::BuildHasher;

use weir_base::hash::MixState;
use weir_base::net::Addr16;

use crate::nat::number::Numbers;

/// Numbers in the order the addresses come first. Nearly all are IPv4, and a batch brings thousands of them after others had the processor's cache: so little memory is
/// looked at as can be.
#[derive(Debug, Default)]
pub struct Publics {
    addresses: Vec<Addr16>,
    /// The exporter that spoke of each first.
    sources: Vec<u32>,
    /// All others of each, in order, where there are any.
    others: HashMap<u32, Vec<u32>, MixState>,
    /// True once an event of each came that is about more than one port.
    wide: Vec<bool>,
    /// IPv4 addresses and their numbers plus one, by hash; 0 where nothing is.
    v4: Vec<(u32, u32)>,
    in_v4: usize,
    state: MixState,
    /// Other addresses, and their numbers here.
    v6: Numbers<u128>,
    of_v6: Vec<u32>,
}

impl Publics {
    /// The number of an address that an exporter speaks of.
    pub fn of(&mut self, address: &[u8; 16], source: u32) -> u32 {
        let number = match v4(address) {
            Some(short) => self.of_v4(short, source),
            None => self.of_v6(address, source),
        };
        if self.sources[number as usize] != source {
            let others = self.others.entry(number).or_default();
            if let Err(at) = others.binary_search(&source) {
                others.insert(at, source);
            }
        }
        number
    }

    /// An event came that is about more than one port of the address.
    pub fn set_wide(&mut self, number: u32) {
        self.wide[number as usize] = true;
    }

    /// True if a question for one port of the address has to look at events of others.
    pub fn is_wide(&self, number: u32) -> bool {
        self.wide.get(number as usize).copied().unwrap_or(false)
    }

    fn of_v4(&mut self, address: u32, source: u32) -> u32 {
        if self.in_v4 * 2 >= self.v4.len() {
            self.grow();
        }
        let at = self.slot(address);
        if self.v4[at].1 == 0 {
            self.in_v4 += 1;
            self.v4[at] = (address, self.add(Addr16::v4(address.to_be_bytes()), source) + 1);
        }
        self.v4[at].1 - 1
    }

    fn of_v6(&mut self, address: &[u8; 16], source: u32) -> u32 {
        let number = self.v6.of(u128::from_be_bytes(*address)) as usize;
        if number == self.of_v6.len() {
            let new = self.add(Addr16(*address), source);
            self.of_v6.push(new);
        }
        self.of_v6[number]
    }

    fn add(&mut self, address: Addr16, source: u32) -> u32 {
        self.addresses.push(address);
        self.sources.push(source);
        self.wide.push(false);
        self.addresses.len() as u32 - 1
    }

    /// Where an address is, or would be. The table is never full.
    fn slot(&self, address: u32) -> usize {
        let mask = self.v4.len() - 1;
        let mut at = self.state.hash_one(address) as usize & mask;
        while self.v4[at].1 != 0 && self.v4[at].0 != address {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let old = std::mem::take(&mut self.v4);
        self.v4 = vec![(0, 0); (old.len() * 2).max(1 << 6)];
        for (address, number) in old.into_iter().filter(|(_, number)| *number != 0) {
            let at = self.slot(address);
            self.v4[at] = (address, number);
        }
    }

    /// The number of an address that came already.
    pub fn find(&self, address: &Addr16) -> Option<u32> {
        match v4(&address.0) {
            Some(_) if self.v4.is_empty() => None,
            Some(short) => self.v4[self.slot(short)].1.checked_sub(1),
            None => self.v6.find(&u128::from_be_bytes(address.0)).map(|number| self.of_v6[number as usize]),
        }
    }

    /// All addresses, by number.
    pub fn addresses(&self) -> &[Addr16] {
        &self.addresses
    }

    /// Exporters that speak of the address of a number.
    pub fn sources(&self, number: u32) -> Vec<u32> {
        let others = self.others.get(&number).into_iter().flatten();
        self.sources.get(number as usize).into_iter().chain(others).copied().collect()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let others = self.others.capacity() * 64;
        self.addresses.capacity() * 21 + others + self.v4.len() * 8 + self.v6.bytes() + self.of_v6.capacity() * 4
    }
}

fn v4(address: &[u8; 16]) -> Option<u32> {
    let (_, last) = address.split_last_chunk::<4>()?;
    Addr16(*address).is_v4().then_some(u32::from_be_bytes(*last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_address_keeps_its_number_and_its_exporters(
            said in prop::collection::vec((any::<bool>(), 0u8..40, 0u32..4), 0..400),
        ) {
            let mut publics = Publics::default();
            let mut want: Vec<(Addr16, Vec<u32>)> = Vec::new();
            let address = |v6: bool, n: u8| if v6 { Addr16([n; 16]) } else { Addr16::v4([203, 0, 113, n]) };
            for (v6, n, source) in said {
                let address = address(v6, n);
                let number = publics.of(&address.0, source) as usize;
                if number == want.len() {
                    want.push((address, Vec::new()));
                }
                prop_assert_eq!(want[number].0, address);
                if !want[number].1.contains(&source) {
                    want[number].1.push(source);
                }
            }
            prop_assert_eq!(publics.addresses(), want.iter().map(|(address, _)| *address).collect::<Vec<_>>());
            for (number, (address, sources)) in (0..).zip(&mut want) {
                prop_assert_eq!(publics.find(address), Some(number));
                let got = publics.sources(number);
                prop_assert_eq!(got[0], sources[0]);
                sources[1..].sort_unstable();
                prop_assert_eq!(&got, sources);
            }
            prop_assert_eq!(publics.find(&Addr16::v4([1, 2, 3, 4])), None);
            prop_assert_eq!(publics.find(&Addr16([99; 16])), None);
        }
    }

    #[test]
    fn many_addresses() {
        let mut publics = Publics::default();
        let address = |n: u32| Addr16::v4((n * 7_919).to_be_bytes());
        for n in 0..100_000 {
            assert_eq!(publics.of(&address(n).0, 1), n);
        }
        (0..100_000).for_each(|n| assert_eq!(publics.find(&address(n)), Some(n)));
        publics.set_wide(7);
        assert_eq!((publics.is_wide(6), publics.is_wide(7), publics.sources(7)), (false, true, vec![1]));
        assert!(publics.bytes() > 100_000 * 20);
    }
}
