//! Which keys a run may hold. Whoever asks many questions asks most runs in vain: who has a session now has none that began last week. Once a run was asked as often as
//! reading all of it is worth, it is read, and keys it does not hold cost one look into memory from then on. A run never changes, so neither does this.

use crate::limits::{FILTER_KEY_BITS, FILTER_PROBES};

/// Bits of a block: a line of the processor's cache, in words.
const WORDS: usize = 8;

/// Spreads the bits of a hash once more: its upper ones choose the block.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A blocked Bloom filter of hashes: it never says no of what it holds, and yes of one in a hundred that it does not.
pub(super) struct Filter {
    blocks: Vec<[u64; WORDS]>,
}

impl Filter {
    /// Bytes of one for so many keys.
    pub(super) fn bytes(keys: u64) -> usize {
        Filter::blocks(keys) * size_of::<[u64; WORDS]>()
    }

    /// An empty one for so many keys.
    pub(super) fn of(keys: u64) -> Filter {
        Filter { blocks: vec![[0; WORDS]; Filter::blocks(keys)] }
    }

    fn blocks(keys: u64) -> usize {
        usize::try_from(keys).unwrap_or(usize::MAX).saturating_mul(FILTER_KEY_BITS).div_ceil(WORDS * 64).max(1)
    }

    /// Its block, and the bits in it: nine of the hash for each.
    fn place(&self, hash: u64) -> (usize, [(usize, u64); FILTER_PROBES]) {
        let block = ((u128::from(hash) * self.blocks.len() as u128) >> 64) as usize;
        let mut bits = hash.wrapping_mul(ODD).rotate_left(27);
        let probes = std::array::from_fn(|_| {
            let bit = bits as usize % (WORDS * 64);
            bits >>= 9;
            (bit / 64, 1u64 << (bit % 64))
        });
        (block, probes)
    }

    /// Takes the hash of a key in.
    pub(super) fn insert(&mut self, hash: u64) {
        let (block, probes) = self.place(hash);
        if let Some(words) = self.blocks.get_mut(block) {
            probes.iter().for_each(|(word, bit)| words[*word] |= bit);
        }
    }

    /// False if it was not taken in.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let (block, probes) = self.place(hash);
        self.blocks.get(block).is_some_and(|words| probes.iter().all(|(word, bit)| words[*word] & bit != 0))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use weir_base::hash::MixState;

    use super::*;

    #[test]
    fn it_holds_what_it_took_in_and_little_else() {
        for keys in [0u64, 1, 100, 20_000] {
            let mut filter = Filter::of(keys);
            let state = MixState::default();
            let hash = |n: u64| state.hash_one([&[5u8; 12][..], &n.to_be_bytes()].concat());
            (0..keys).for_each(|n| filter.insert(hash(n)));
            assert!((0..keys).all(|n| filter.may_hold(hash(n))));
            let wrong = (keys..keys + 10_000).filter(|n| filter.may_hold(hash(*n))).count();
            assert!(wrong <= 250, "{keys}: {wrong} of 10,000");
            assert!(keys < 100 || Filter::bytes(keys) <= 2 * keys as usize, "{keys}: {}", Filter::bytes(keys));
        }
    }
}
