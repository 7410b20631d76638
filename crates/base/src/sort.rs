//! Sorting by the digits of numbers: each pass counts and moves, and compares nothing.

/// Bits of a number by which is sorted at once.
pub const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts by a number of at most `most`, digit by digit from the lowest on; what has one number stays in the order it came. `room` is written over, and is
/// worth keeping for the next time.
pub fn by_digits<T: Copy>(items: &mut Vec<T>, room: &mut Vec<T>, most: u64, number: impl Fn(&T) -> u64) {
    room.clear();
    room.extend_from_slice(items);
    let mut shift = 0;
    while shift < u64::BITS && most >> shift > 0 {
        let digit = |item: &T| (number(item) >> shift) as usize % DIGITS;
        let mut at = [0usize; DIGITS];
        items.iter().for_each(|item| at[digit(item)] += 1);
        let mut before = 0;
        for slot in &mut at {
            before += std::mem::replace(slot, before);
        }
        for item in items.iter() {
            let at = &mut at[digit(item)];
            if let Some(slot) = room.get_mut(*at) {
                *slot = *item;
            }
            *at += 1;
        }
        std::mem::swap(items, room);
        shift += DIGIT_BITS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn as_a_stable_sort(count in 0usize..3_000, bits in 0u32..=64, seed: u64) {
            let most = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
            let mut items: Vec<(u64, usize)> = (0..count).map(|n| ((n as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) & most, n)).collect();
            let mut want = items.clone();
            want.sort_by_key(|(number, _)| *number);
            by_digits(&mut items, &mut Vec::new(), most, |(number, _)| *number);
            proptest::prop_assert_eq!(items, want);
        }
    }
}
