//! The word index of a file of log lines: which blocks of 2,048 rows may hold a word. It may say yes where the answer is no, one time in a
//! thousand; it never says no where the answer is yes. Byte by byte: `docs/formats/words.md`. Everything in it can be made again from the file.

mod distinct;
pub(crate) mod fuzz;
#[cfg(test)]
mod reference;
mod scan;
mod stretch;
#[cfg(test)]
mod tests;
mod token;

pub use token::{Word, features};

use self::distinct::Distinct;
use self::scan::Scanner;
use self::stretch::{Coder, Head, Pairs};
use super::FormatError;
use super::bytes::Cursor;
use super::limits::{WORDS_A_BLOCK, WORDS_A_SET_MOST, WORDS_A_STRETCH, WORDS_STRETCH_BLOCKS};

/// Rows of one block: those of a page of short texts.
pub const BLOCK_ROWS: u64 = 2_048;

/// The texts of a line that are indexed, and searched.
pub const TEXTS: [&str; 5] = ["host", "app", "msgid", "data", "line"];

const VERSION: u8 = 1;
/// Bits behind each item: it is somewhere else's by accident one time in 2 to this power.
const PRECISION: u32 = 10;
/// Low bits of a pair that are its block within the stretch.
const BLOCK_BITS: u32 = 20;

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
    scanner: Scanner,
    /// Features of the open block.
    block: Distinct,
    /// They are too many: the block may hold everything.
    crowded: bool,
    rows: u64,
    /// Pairs of the open stretch.
    pairs: Pairs,
    stretch: u32,
    first_block: u32,
    blocks: u32,
}

impl Builder {
    /// Of an empty file of this name.
    pub fn new(file: &str) -> Builder {
        let (scanner, block, pairs) = (Scanner::new(), Distinct::new(), Pairs::new());
        Builder { owner: owner(file), scanner, block, crowded: false, rows: 0, pairs, stretch: 0, first_block: 0, blocks: 0 }
    }

    /// Takes the next row's texts in; gives the entries that are complete by then.
    pub fn row<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Vec<Entry> {
        for text in texts {
            if self.crowded {
                break;
            }
            self.scanner.features(text, |feature| self.block.insert(feature));
            self.crowded = self.block.numbers().len() > WORDS_A_BLOCK;
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
        self.scanner.clear();
        let mut out = Vec::new();
        if std::mem::take(&mut self.crowded) {
            // A stretch of its own that may hold everything.
            out = self.end_stretch();
            self.blocks = 1;
            let set = Coder::default().encode(self.head(), None);
            out.push((key(self.stretch, 0).to_vec(), set));
            self.next_stretch();
        } else {
            let features = self.block.numbers();
            if self.pairs.len() + features.len() > WORDS_A_STRETCH || self.blocks >= WORDS_STRETCH_BLOCKS {
                out = self.end_stretch();
            }
            let block = self.blocks;
            self.pairs.extend(self.block.numbers().iter().map(|feature| pack(*feature, block)));
            self.blocks += 1;
        }
        self.block.clear();
        out
    }

    fn end_stretch(&mut self) -> Vec<Entry> {
        if self.blocks == 0 {
            return Vec::new();
        }
        let out = self.pairs.entries(self.head());
        self.next_stretch();
        out
    }

    fn head(&self) -> Head {
        Head { owner: self.owner, stretch: self.stretch, first_block: self.first_block, blocks: self.blocks }
    }

    fn next_stretch(&mut self) {
        self.first_block += self.blocks;
        (self.blocks, self.stretch) = (0, self.stretch + 1);
    }
}

/// Where a pair stands among `count` in a set: even over `count` × 2^[`PRECISION`].
fn place(pair: u64, count: u32) -> u64 {
    let range = u128::from(count) << PRECISION;
    ((u128::from(token::mix(pair)) * range) >> 64) as u64
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
