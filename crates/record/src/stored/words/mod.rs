//! The word index of a file of log lines: which blocks of 2,048 rows may hold a word. It may say yes where the answer is no, one time in a
//! thousand; it never says no where the answer is yes. Byte by byte: `docs/formats/words.md`. Everything in it can be made again from the file.

pub(crate) mod fuzz;
#[cfg(test)]
mod tests;
mod token;

pub use token::{Word, features};

use super::FormatError;
use super::bytes::Cursor;
use super::limits::{WORDS_A_BLOCK, WORDS_A_SET, WORDS_A_SET_MOST, WORDS_A_STRETCH, WORDS_STRETCH_BLOCKS};

/// Rows of one block: those of a page of short texts.
pub const BLOCK_ROWS: u64 = 2_048;

/// The texts of a line that are indexed, and searched.
pub const TEXTS: [&str; 5] = ["host", "app", "msgid", "data", "line"];

const VERSION: u8 = 1;
/// Bits behind each item: it is somewhere else's by accident one time in 2 to this power.
const PRECISION: u32 = 10;
/// Low bits of a pair that are its block within the stretch.
const BLOCK_BITS: u32 = 20;
/// Slots in which lately seen features are remembered, so that a template's words are not sorted 2,048 times.
const SEEN: usize = 4_096;

/// One entry of the table that holds an index.
pub type Entry = (Vec<u8>, Vec<u8>);

/// Key of the set of a stretch in which a feature is, or of the set before.
pub fn key(stretch: u32, feature: u64) -> [u8; 8] {
    let mut key = [0; 8];
    let (head, tail) = key.split_at_mut(4);
    head.copy_from_slice(&stretch.to_be_bytes());
    tail.copy_from_slice(&((feature >> 32) as u32).to_be_bytes());
    key
}

/// A feature in a block: sorted by feature, then by block.
fn pack(feature: u64, block: u32) -> u64 {
    feature >> BLOCK_BITS << BLOCK_BITS | u64::from(block)
}

/// What a file's table is told to belong to, so that a table under another's name says nothing.
pub fn owner(file: &str) -> u64 {
    file.bytes().fold(0, |hash, byte| token::mix(hash ^ u64::from(byte)))
}

/// Builds the index of a file, row by row. What is finished comes out in the order of keys.
pub struct Builder {
    owner: u64,
    seen: Vec<u64>,
    /// Features of the open block, some more than once; none once there are too many.
    block: Option<Vec<u64>>,
    rows: u64,
    /// Pairs of the open stretch.
    pairs: Vec<u64>,
    stretch: u32,
    first_block: u32,
    blocks: u32,
}

impl Builder {
    /// Of an empty file of this name.
    pub fn new(file: &str) -> Builder {
        let block = Some(Vec::new());
        Builder { owner: owner(file), seen: unseen(), block, rows: 0, pairs: Vec::new(), stretch: 0, first_block: 0, blocks: 0 }
    }

    /// Takes the next row's texts in; gives the entries that are complete by then.
    pub fn row<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Vec<Entry> {
        for text in texts {
            let (seen, block) = (&mut self.seen, &mut self.block);
            let Some(held) = block else { break };
            features(text, |feature| {
                let slot = seen.get_mut(feature as usize % SEEN);
                if slot.is_some_and(|slot| std::mem::replace(slot, feature) != feature) {
                    held.push(feature);
                }
            });
            if held.len() > WORDS_A_BLOCK * 2 {
                held.sort_unstable();
                held.dedup();
                if held.len() > WORDS_A_BLOCK {
                    *block = None;
                }
            }
        }
        self.rows += 1;
        if self.rows.is_multiple_of(BLOCK_ROWS) { self.end_block() } else { Vec::new() }
    }

    /// The rest of the entries.
    pub fn finish(mut self) -> Vec<Entry> {
        let mut out = if self.rows.is_multiple_of(BLOCK_ROWS) { Vec::new() } else { self.end_block() };
        out.extend(self.end_stretch());
        out
    }

    fn end_block(&mut self) -> Vec<Entry> {
        self.seen = unseen();
        let Some(mut block) = self.block.replace(Vec::new()) else {
            // A stretch of its own that may hold everything.
            let mut out = self.end_stretch();
            self.blocks = 1;
            let set = encode(self.owner, self.first_block, 1, None);
            out.push((key(self.stretch, 0).to_vec(), set));
            self.next_stretch();
            return out;
        };
        block.sort_unstable();
        block.dedup();
        let mut out = Vec::new();
        if self.pairs.len() + block.len() > WORDS_A_STRETCH || self.blocks >= WORDS_STRETCH_BLOCKS {
            out = self.end_stretch();
        }
        self.pairs.extend(block.iter().map(|feature| pack(*feature, self.blocks)));
        self.blocks += 1;
        out
    }

    fn end_stretch(&mut self) -> Vec<Entry> {
        if self.blocks == 0 {
            return Vec::new();
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.sort_unstable();
        let mut out = Vec::new();
        let mut rest = pairs.as_slice();
        let mut first = 0;
        loop {
            // Pairs of one key stay together.
            let least = WORDS_A_SET.min(rest.len());
            let last = least.checked_sub(1).and_then(|i| rest.get(i)).map(|p| p >> 32);
            let end = least + rest.iter().skip(least).take_while(|p| Some(**p >> 32) == last).count();
            let (set, after) = rest.split_at(end);
            // So many of one key are nobody's words: they are made to collide.
            let set = Some(set).filter(|set| set.len() <= WORDS_A_SET_MOST);
            out.push((key(self.stretch, first).to_vec(), encode(self.owner, self.first_block, self.blocks, set)));
            rest = after;
            match rest.first() {
                Some(next) => first = *next,
                None => break,
            }
        }
        self.next_stretch();
        out
    }

    fn next_stretch(&mut self) {
        self.first_block += self.blocks;
        (self.blocks, self.stretch) = (0, self.stretch + 1);
    }
}

/// Slots that hold what can never be looked up there.
fn unseen() -> Vec<u64> {
    (1..=SEEN as u64).collect()
}

/// Where a pair stands among `count` in a set: even over `count` × 2^[`PRECISION`].
fn place(pair: u64, count: u32) -> u64 {
    let range = u128::from(count) << PRECISION;
    ((u128::from(token::mix(pair)) * range) >> 64) as u64
}

/// A Golomb-Rice coded set. `None` stands for everything.
fn encode(owner: u64, first_block: u32, blocks: u32, pairs: Option<&[u64]>) -> Vec<u8> {
    let mut out = vec![VERSION, u8::from(pairs.is_none())];
    out.extend(owner.to_le_bytes());
    out.extend(first_block.to_le_bytes());
    out.extend(blocks.to_le_bytes());
    let pairs = pairs.unwrap_or_default();
    let count = u32::try_from(pairs.len()).unwrap_or(u32::MAX);
    out.extend(count.to_le_bytes());
    let mut places: Vec<u64> = pairs.iter().map(|p| place(*p, count)).collect();
    places.sort_unstable();
    let (mut held, mut bits, mut before) = (0u64, 0u32, 0u64);
    let mut put = |value: u64, width: u32| {
        held |= value << bits;
        bits += width;
        while bits >= 8 {
            out.push(held as u8);
            (held, bits) = (held >> 8, bits - 8);
        }
    };
    for at in places {
        let delta = at - std::mem::replace(&mut before, at);
        let mut ones = delta >> PRECISION;
        while ones > 0 {
            let some = ones.min(32) as u32;
            put((1 << some) - 1, some);
            ones -= u64::from(some);
        }
        put(0, 1);
        put(delta & ((1 << PRECISION) - 1), PRECISION);
    }
    put(0, 7);
    out
}

/// One set of an index, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The file it belongs to: [`owner`] of its name.
    pub owner: u64,
    /// First block of its stretch in the file.
    pub first_block: u32,
    /// Blocks of its stretch.
    pub blocks: u32,
    /// Sorted places; none: everything may be here.
    places: Option<Vec<u64>>,
}

impl Set {
    /// Reads a value of the table.
    ///
    /// # Errors
    /// If the bytes are no such set.
    pub fn decode(bytes: &[u8]) -> Result<Set, FormatError> {
        let mut cursor = Cursor(bytes);
        let [version, all] = cursor.array()?;
        if version != VERSION {
            return Err(FormatError::Version(u16::from(version)));
        }
        let owner = u64::from_le_bytes(cursor.array()?);
        let first_block = u32::from_le_bytes(cursor.array()?);
        let blocks = u32::from_le_bytes(cursor.array()?);
        let count = u32::from_le_bytes(cursor.array()?);
        if all > 1 || (all == 1 && count > 0) || blocks > WORDS_STRETCH_BLOCKS {
            return Err(FormatError::Field("the head of a set of words"));
        }
        if count as usize > WORDS_A_SET_MOST || (count as usize).saturating_mul(PRECISION as usize + 1) > cursor.0.len() * 8 {
            return Err(FormatError::Field("the number of words"));
        }
        let places = if all == 1 { None } else { Some(places(cursor.0, count)?) };
        Ok(Set { owner, first_block, blocks, places })
    }

    /// True if the block, counted from the first of the stretch, may hold the feature.
    pub fn may_hold(&self, feature: u64, block: u32) -> bool {
        let Some(places) = &self.places else { return true };
        let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
        count > 0 && places.binary_search(&place(pack(feature, block), count)).is_ok()
    }
}

fn places(bytes: &[u8], count: u32) -> Result<Vec<u64>, FormatError> {
    let mut bits = bytes.iter().flat_map(|byte| (0..8).map(move |i| u64::from(byte >> i & 1)));
    let mut out = Vec::with_capacity(count as usize);
    let mut at = 0u64;
    for _ in 0..count {
        let mut delta = 0;
        while bits.next().ok_or(FormatError::Short)? == 1 {
            delta += 1 << PRECISION;
        }
        for i in 0..PRECISION {
            delta += bits.next().ok_or(FormatError::Short)? << i;
        }
        at += delta;
        out.push(at);
    }
    Ok(out)
}
