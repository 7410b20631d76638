//! The pairs of one stretch, cut into sets in their order and written as Golomb-Rice coded places. Pairs are numbers without any pattern, so that
//! those that begin alike are few; of those only the ones are sorted among which a set ends.

use weir_base::sort::by_digits;

use super::{Entry, PRECISION, VERSION, key, place};
use crate::stored::limits::{WORDS_A_SET, WORDS_A_SET_MOST};

/// Pairs are kept apart by so many of their upper bits.
const PART_BITS: u32 = 8;
/// Pairs of a part are taken apart by at most so many more. Not by all that make a key: pairs of one key stay together.
const BUCKET_BITS: u32 = 10;
/// Pairs that begin alike, about.
const BUCKET: usize = 256;

/// Pairs under construction.
pub(super) struct Pairs {
    parts: Vec<Vec<u64>>,
    count: usize,
}

impl Pairs {
    pub(super) fn new() -> Pairs {
        Pairs { parts: vec![Vec::new(); 1 << PART_BITS], count: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds some.
    pub(super) fn extend(&mut self, pairs: impl Iterator<Item = u64>) {
        for pair in pairs {
            if let Some(part) = self.parts.get_mut((pair >> (64 - PART_BITS)) as usize) {
                part.push(pair);
                self.count += 1;
            }
        }
    }

    /// The entries of the stretch they are of; none are left.
    pub(super) fn entries(&mut self, head: Head) -> Vec<Entry> {
        self.count = 0;
        let mut sets = Sets { head, set: Vec::new(), last: 0, out: Vec::new(), coder: Coder::default() };
        let mut apart = Vec::new();
        for part in &mut self.parts {
            let ends = take_apart(part, &mut apart);
            // What was long is given back as soon as it is done with.
            *part = Vec::new();
            let mut from = 0;
            for end in ends {
                sets.take(apart.get_mut(from..end).unwrap_or_default());
                from = end;
            }
        }
        sets.finish()
    }
}

/// Puts the numbers of a part, whose upper bits are the same, in the order of some more; gives where each of those ends.
fn take_apart(part: &[u64], out: &mut Vec<u64>) -> Vec<usize> {
    let bits = (part.len() / BUCKET).next_power_of_two().trailing_zeros().min(BUCKET_BITS);
    let bucket = |number: u64| (number << PART_BITS >> (63 - bits) >> 1) as usize;
    let mut ends = vec![0; 1 << bits];
    for number in part {
        if let Some(count) = ends.get_mut(bucket(*number)) {
            *count += 1;
        }
    }
    let mut before = 0;
    for end in &mut ends {
        before += std::mem::replace(end, before);
    }
    out.clear();
    out.resize(part.len(), 0);
    for number in part {
        let Some(at) = ends.get_mut(bucket(*number)) else { continue };
        if let Some(slot) = out.get_mut(*at) {
            *slot = *number;
        }
        *at += 1;
    }
    ends
}

/// What is the same in all sets of a stretch.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) owner: u64,
    pub(super) stretch: u32,
    pub(super) first_block: u32,
    pub(super) blocks: u32,
}

struct Sets {
    head: Head,
    /// Pairs of the open set.
    set: Vec<u64>,
    /// The last of them, if there are enough of them.
    last: u64,
    out: Vec<Entry>,
    coder: Coder,
}

impl Sets {
    /// Takes numbers that are higher than those before.
    fn take(&mut self, bucket: &mut [u64]) {
        if self.set.len() + bucket.len() < WORDS_A_SET {
            self.set.extend_from_slice(bucket);
            return;
        }
        bucket.sort_unstable();
        for pair in bucket {
            // Pairs of one key stay together.
            if self.set.len() >= WORDS_A_SET && self.last >> 32 != *pair >> 32 {
                self.end();
            }
            // A set that is too large is never written, so no more of it is kept than says so.
            if self.set.len() <= WORDS_A_SET_MOST {
                self.set.push(*pair);
            }
            self.last = *pair;
        }
    }

    fn end(&mut self) {
        let first = if self.out.is_empty() { 0 } else { self.set.iter().copied().min().unwrap_or(0) };
        // So many of one key are nobody's words: they are made to collide.
        let set = Some(self.set.as_slice()).filter(|set| set.len() <= WORDS_A_SET_MOST);
        self.out.push((key(self.head.stretch, first).to_vec(), self.coder.encode(self.head, set)));
        self.set.clear();
    }

    fn finish(mut self) -> Vec<Entry> {
        if !self.set.is_empty() || self.out.is_empty() {
            self.end();
        }
        self.out
    }
}

/// Writes sets.
#[derive(Default)]
pub(super) struct Coder {
    places: Vec<u32>,
    room: Vec<u32>,
}

impl Coder {
    /// A Golomb-Rice coded set. `None` stands for everything.
    pub(super) fn encode(&mut self, head: Head, pairs: Option<&[u64]>) -> Vec<u8> {
        let all = pairs.is_none();
        let pairs = pairs.unwrap_or_default();
        let mut out = Vec::with_capacity(32 + pairs.len() * (PRECISION as usize + 3) / 8);
        out.extend([VERSION, u8::from(all)]);
        out.extend(head.owner.to_le_bytes());
        out.extend(head.first_block.to_le_bytes());
        out.extend(head.blocks.to_le_bytes());
        let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
        out.extend(count.to_le_bytes());
        self.places.clear();
        // A set is never so large that its places are longer.
        self.places.extend(pairs.iter().map(|pair| place(*pair, count) as u32));
        by_digits(&mut self.places, &mut self.room, u64::from(count) << PRECISION, |place| u64::from(*place));
        rice(&self.places, &mut out);
        out
    }
}

/// What each differs by from the one before: in unary what is above the precision, then the rest.
fn rice(places: &[u32], out: &mut Vec<u8>) {
    let (mut held, mut bits, mut before) = (0u64, 0u32, 0u32);
    let mut put = |value: u64, width: u32| {
        held |= value << bits;
        bits += width;
        if bits >= 32 {
            out.extend_from_slice(&(held as u32).to_le_bytes());
            (held, bits) = (held >> 32, bits - 32);
        }
    };
    for at in places {
        let delta = at - std::mem::replace(&mut before, *at);
        let mut ones = delta >> PRECISION;
        while ones > 16 {
            put((1 << 16) - 1, 16);
            ones -= 16;
        }
        let rest = u64::from(delta) & ((1 << PRECISION) - 1);
        put(rest << (ones + 1) | ((1 << ones) - 1), ones + 1 + PRECISION);
    }
    out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;

    proptest::proptest! {
        #[test]
        fn entries_are_those_of_a_plain_sort(
            count in 0usize..30_000, alike in 0u32..56, seed in 1u64.., many in 0usize..3_000
        ) {
            let mut pairs: Vec<u64> = (0..count as u64).map(|n| super::super::token::mix(n ^ seed)).collect();
            // Some that begin alike.
            pairs.extend((0..many as u64).map(|n| seed << alike | n));
            let head = Head { owner: 9, stretch: 2, first_block: 3, blocks: 4 };
            let mut held = Pairs::new();
            held.extend(pairs.iter().copied());
            proptest::prop_assert_eq!(held.len(), pairs.len());
            proptest::prop_assert_eq!(held.entries(head), reference::entries(head, pairs));
            proptest::prop_assert_eq!(held.len(), 0);
        }
    }

    #[test]
    fn pairs_of_one_key_are_a_set_until_they_are_too_many() {
        for many in [WORDS_A_SET_MOST - 1, WORDS_A_SET_MOST, WORDS_A_SET_MOST + 1, 3 * WORDS_A_SET_MOST] {
            let of = |key: u64, count: usize| (0..count as u64).map(move |n| key << 32 | n);
            let pairs: Vec<u64> =
                of(7, 5).chain(of(0x8000_0007, WORDS_A_SET)).chain(of(0x8000_0009, many)).chain(of(u64::MAX >> 32, 3)).collect();
            let head = Head { owner: 9, stretch: 2, first_block: 3, blocks: 4 };
            let mut held = Pairs::new();
            held.extend(pairs.iter().rev().copied());
            let got = held.entries(head);
            assert_eq!(got, reference::entries(head, pairs), "{many}");
            let everything = got.iter().filter(|(_, set)| set[1] == 1).count();
            assert_eq!(everything, usize::from(many > WORDS_A_SET_MOST), "{many}");
        }
    }

    #[test]
    fn far_apart_and_close_places_are_coded_as_before() {
        for places in [vec![], vec![0], vec![0, 0, 1], vec![70_000, 70_000 + (33 << 10), 1 << 26], (0..999).map(|n| n * 16_384).collect()] {
            let mut out = Vec::new();
            rice(&places, &mut out);
            assert_eq!(out, reference::rice(&places), "{places:?}");
        }
    }
}
