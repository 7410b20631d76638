//! Sets of a stretch, made the plain way: what the quick way is compared with.

use super::stretch::Head;
use super::{Entry, PRECISION, VERSION, key, place};
use crate::stored::limits::{WORDS_A_SET, WORDS_A_SET_MOST};

/// The entries of a stretch with these pairs.
pub(super) fn entries(head: Head, mut pairs: Vec<u64>) -> Vec<Entry> {
    pairs.sort_unstable();
    let mut out = Vec::new();
    let mut rest = pairs.as_slice();
    let mut first = 0;
    loop {
        let least = WORDS_A_SET.min(rest.len());
        let last = least.checked_sub(1).and_then(|i| rest.get(i)).map(|p| p >> 32);
        let end = least + rest.iter().skip(least).take_while(|p| Some(**p >> 32) == last).count();
        let (set, after) = rest.split_at(end);
        let set = Some(set).filter(|set| set.len() <= WORDS_A_SET_MOST);
        out.push((key(head.stretch, first).to_vec(), encode(head, set)));
        rest = after;
        match rest.first() {
            Some(next) => first = *next,
            None => return out,
        }
    }
}

fn encode(head: Head, pairs: Option<&[u64]>) -> Vec<u8> {
    let mut out = vec![VERSION, u8::from(pairs.is_none())];
    out.extend(head.owner.to_le_bytes());
    out.extend(head.first_block.to_le_bytes());
    out.extend(head.blocks.to_le_bytes());
    let pairs = pairs.unwrap_or_default();
    let count = u32::try_from(pairs.len()).unwrap();
    out.extend(count.to_le_bytes());
    let mut places: Vec<u32> = pairs.iter().map(|p| u32::try_from(place(*p, count)).unwrap()).collect();
    places.sort_unstable();
    out.extend(rice(&places));
    out
}

/// The code of places, bit by bit.
pub(super) fn rice(places: &[u32]) -> Vec<u8> {
    let (mut bits, mut before) = (Vec::new(), 0);
    for at in places {
        let delta = at - std::mem::replace(&mut before, *at);
        bits.extend((0..delta >> PRECISION).map(|_| true));
        bits.push(false);
        bits.extend((0..PRECISION).map(|i| delta >> i & 1 == 1));
    }
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |all, bit| all << 1 | u8::from(*bit))).collect()
}
