//! A fast keyed hash for tables in memory. Keys are public ends and hosts, exporters, their streams and templates: what an exporter may choose freely is
//! small, tables of it have limits, and the random key makes it useless to choose them so that they collide.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes [`Mix`] hashers with one random key.
#[derive(Clone, Debug)]
pub struct MixState(u64);

impl Default for MixState {
    fn default() -> MixState {
        MixState(RandomState::new().hash_one(0u8) | 1)
    }
}

impl BuildHasher for MixState {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        Mix(self.0)
    }
}

/// Folds the product of each eight bytes with an odd number.
#[derive(Clone, Copy, Debug)]
pub struct Mix(u64);

impl Mix {
    /// A hasher with a key that is the same in every run, for fingerprints that outlive one.
    pub fn of(key: u64) -> Mix {
        Mix(key | 1)
    }

    fn take(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(ODD);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        // Once more, so that the upper bits, by which tables choose, depend on all of the key.
        let product = u128::from(self.0) * u128::from(ODD);
        (product as u64) ^ ((product >> 64) as u64)
    }

    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|w| self.take(u64::from_le_bytes(*w)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.take(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, n: u8) {
        self.take(u64::from(n));
    }

    fn write_u16(&mut self, n: u16) {
        self.take(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.take(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.take(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.take(n as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn neighbours_spread_and_keys_differ() {
        let state = MixState::default();
        let low: HashSet<u64> = (0..4_096u32).map(|n| state.hash_one(n) & 0xfff).collect();
        let high: HashSet<u64> = (0..4_096u32).map(|n| state.hash_one(n) >> 52).collect();
        // 4,096 balls in 4,096 bins leave about 37 % of them empty.
        assert!(low.len() > 2_300 && high.len() > 2_300, "{} {}", low.len(), high.len());
        assert_ne!(state.hash_one([1u8; 16]), state.hash_one([2u8; 16]));
        assert_eq!(state.hash_one([1u8; 16]), state.hash_one([1u8; 16]));
    }
}
