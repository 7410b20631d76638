//! One block before encryption: entries whose keys leave out what they share with the key before, restart points where a key is whole,
//! then the offsets of the restart points and their number.
//!
//! An entry: bytes shared with the key before, bytes that follow, bytes of the value (each a variable-length integer), key rest, value.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::{Place, TableError, damaged};
use crate::stored::limits::{TABLE_KEY_BYTES, TABLE_RESTART_ENTRIES};

pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A block under construction.
#[derive(Default)]
pub(super) struct BlockBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    since_restart: usize,
    entries: usize,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl BlockBuilder {
    /// Bytes the finished block will have.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + (self.restarts.len() + 1) * 4
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Entries so far.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// The first key.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        let restart = self.is_empty() || self.since_restart == TABLE_RESTART_ENTRIES;
        let shared = if restart { 0 } else { key.iter().zip(&self.last).take_while(|(a, b)| a == b).count() };
        if self.is_empty() {
            self.first = key.to_vec();
        }
        if restart {
            self.restarts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
            self.since_restart = 0;
        }
        self.since_restart += 1;
        self.entries += 1;
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, (key.len() - shared) as u64);
        put(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(key.get(shared..).unwrap_or_default());
        self.bytes.extend_from_slice(value);
        self.last.clear();
        self.last.extend_from_slice(key);
    }

    /// The block's bytes; the builder is empty afterwards.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut out = std::mem::take(&mut self.bytes);
        self.restarts.iter().for_each(|r| out.extend(r.to_le_bytes()));
        out.extend(u32::try_from(self.restarts.len()).unwrap_or(u32::MAX).to_le_bytes());
        *self = BlockBuilder::default();
        out
    }
}

/// Bytes of a key of our tables, about: room for a stretch of them is made at once.
const USUAL_KEY_BYTES: usize = 32;

/// One entry: where its key lies in its stretch, and its value in the block.
struct Entry {
    key: Range<u32>,
    value: Range<u32>,
}

/// What it costs to have a stretch decoded, about.
const STRETCH_BYTES: usize = TABLE_RESTART_ENTRIES * (USUAL_KEY_BYTES + size_of::<Entry>());

fn part<'a>(bytes: &'a [u8], at: &Range<u32>) -> Option<&'a [u8]> {
    bytes.get(at.start as usize..at.end as usize)
}

/// The entries between two restart points, keys whole.
#[derive(Default)]
pub(super) struct Stretch {
    keys: Vec<u8>,
    entries: Vec<Entry>,
}

impl Stretch {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Key and value of an entry; `block` is the one the stretch is of.
    pub(super) fn entry<'a>(&'a self, block: &'a Block, at: usize) -> Option<(&'a [u8], &'a [u8])> {
        let entry = self.entries.get(at)?;
        Some((part(&self.keys, &entry.key)?, part(&block.plain, &entry.value)?))
    }

    /// How many entries stand before the first whose key does not satisfy `low`.
    pub(super) fn partition_point(&self, low: &dyn Fn(&[u8]) -> bool) -> usize {
        self.entries.partition_point(|e| low(part(&self.keys, &e.key).unwrap_or_default()))
    }
}

/// A decrypted block. Stretches are decoded when they are asked for, once.
pub(super) struct Block {
    plain: Vec<u8>,
    restarts: Vec<u32>,
    entries_end: usize,
    stretches: Vec<OnceLock<Arc<Stretch>>>,
}

impl Block {
    pub(super) fn parse(plain: Vec<u8>) -> Result<Block, TableError> {
        let bad = || damaged("the restart points of a block");
        let (body, count) = plain.split_last_chunk::<4>().ok_or_else(bad)?;
        let count = usize::try_from(u32::from_le_bytes(*count)).map_err(|_| bad())?;
        let entries_end = count.checked_mul(4).and_then(|len| body.len().checked_sub(len)).ok_or_else(bad)?;
        let table = body.get(entries_end..).unwrap_or_default();
        let restarts: Vec<u32> = table.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        let rising = restarts.windows(2).all(|w| matches!(w, [a, b] if a < b));
        let within = restarts.last().is_none_or(|last| (*last as usize) < entries_end);
        let begins = restarts.first().is_none_or(|first| *first == 0) && (entries_end == 0 || count > 0);
        let stretches = (0..count).map(|_| OnceLock::new()).collect();
        if rising && within && begins { Ok(Block { plain, restarts, entries_end, stretches }) } else { Err(bad()) }
    }

    /// Bytes it takes in memory with all its stretches decoded, about.
    pub(super) fn weight(&self) -> usize {
        self.plain.len() + self.stretches.len() * STRETCH_BYTES
    }

    /// Stretches between restart points.
    pub(super) fn runs(&self) -> usize {
        self.restarts.len()
    }

    /// The entries of a stretch: at least one.
    pub(super) fn run(&self, run: usize) -> Result<Arc<Stretch>, TableError> {
        let bad = || damaged("an entry of a block");
        let known = self.stretches.get(run).ok_or_else(bad)?;
        if let Some(stretch) = known.get() {
            return Ok(Arc::clone(stretch));
        }
        let stretch = Arc::new(self.decode(run)?);
        Ok(Arc::clone(known.get_or_init(|| stretch)))
    }

    fn decode(&self, run: usize) -> Result<Stretch, TableError> {
        let bad = || damaged("an entry of a block");
        let at = |place: usize| u32::try_from(place).map_err(|_| bad());
        let mut out = Stretch::default();
        let start = self.restarts.get(run).map(|r| *r as usize).ok_or_else(bad)?;
        let end = self.restarts.get(run + 1).map_or(self.entries_end, |r| *r as usize);
        let bytes = self.plain.get(start..end).ok_or_else(bad)?;
        let mut left = bytes;
        out.keys.reserve(TABLE_RESTART_ENTRIES * USUAL_KEY_BYTES);
        out.entries.reserve(TABLE_RESTART_ENTRIES);
        let mut before = 0..0;
        while !left.is_empty() {
            let (shared, rest, value) = head(&mut left).ok_or_else(bad)?;
            let (suffix, after) = left.split_at_checked(rest).ok_or_else(bad)?;
            let (_, after) = after.split_at_checked(value).ok_or_else(bad)?;
            if shared > before.len() || shared + rest > TABLE_KEY_BYTES {
                return Err(bad());
            }
            let begin = out.keys.len();
            out.keys.extend_from_within(before.start..before.start + shared);
            out.keys.extend_from_slice(suffix);
            before = begin..out.keys.len();
            left = after;
            let value_end = start + (bytes.len() - left.len());
            out.entries.push(Entry { key: at(begin)?..at(before.end)?, value: at(value_end - value)?..at(value_end)? });
        }
        if out.entries.is_empty() { Err(bad()) } else { Ok(out) }
    }

    /// The key at a restart point.
    pub(super) fn first_key(&self, run: usize) -> Result<&[u8], TableError> {
        let bad = || damaged("an entry of a block");
        let start = self.restarts.get(run).map(|r| *r as usize).ok_or_else(bad)?;
        let mut left = self.plain.get(start..self.entries_end).ok_or_else(bad)?;
        let (shared, rest, _) = head(&mut left).ok_or_else(bad)?;
        if shared == 0 { left.get(..rest).ok_or_else(bad) } else { Err(bad()) }
    }
}

fn head(left: &mut &[u8]) -> Option<(usize, usize, usize)> {
    let mut number = || usize::try_from(take(left)?).ok();
    Some((number()?, number()?, number()?))
}

impl Place {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16);
        put(&mut out, self.number);
        put(&mut out, self.offset);
        put(&mut out, u64::from(self.length));
        out
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Option<Place> {
        let place = Place { number: take(&mut bytes)?, offset: take(&mut bytes)?, length: u32::try_from(take(&mut bytes)?).ok()? };
        bytes.is_empty().then_some(place)
    }
}
