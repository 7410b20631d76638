//! Reading a table block by block, with every block counted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use weir_base::crypto::{Aead, Secret, TAG_BYTES};
use weir_base::lately::{Held, Lately};
use weir_base::task::lock;

use super::block::{Block, Stretch};
use super::builder::level_aad;
use super::{Place, Stats, TRAILER_BYTES, TableError, Trailer, damaged, nonce};
use crate::stored::FormatError;
use crate::stored::limits::{TABLE_AT_HAND_BYTES, TABLE_BLOCK_BYTES, TABLE_LEVELS, TABLE_VALUE_BYTES};

/// An entry: key and value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Where a table's bytes come from.
pub trait BlockSource {
    /// The `len` bytes at `offset`; fewer only at the end.
    fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;
}

impl BlockSource for Vec<u8> {
    fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let end = start.saturating_add(len).min(self.len());
        Ok(self.get(start..end).unwrap_or_default().to_vec())
    }
}

/// Blocks by number and level: both were authenticated when they were read.
type AtHand = Lately<(u64, usize), Arc<Block>>;

/// An open table: trailer, root and the blocks asked for lately are in memory, everything else is read when it is asked for.
pub struct Table<S> {
    source: S,
    key: Aead,
    trailer: Trailer,
    root: Block,
    opening: Stats,
    counted: AtomicBool,
    /// One question asks for several keys that lie beside each other.
    at_hand: Mutex<AtHand>,
    /// True when somebody else sees to how much is at hand.
    shared: bool,
}

/// A block of at least this much is read with the trailer, so that a small root costs no read of its own.
const TAIL_BYTES: usize = TABLE_BLOCK_BYTES + TABLE_BLOCK_BYTES / 8 + TRAILER_BYTES;

fn exactly<S: BlockSource>(source: &S, offset: u64, len: usize) -> Result<Vec<u8>, TableError> {
    let bytes = source.read(offset, len)?;
    if bytes.len() == len { Ok(bytes) } else { Err(FormatError::Short.into()) }
}

impl<S: BlockSource> Table<S> {
    /// Opens the table of `len` bytes in `source` that was written under `index_key` and this name.
    ///
    /// # Errors
    /// [`TableError::Format`] says what is wrong: not a table, cut, changed, another key, or the table of another name.
    pub fn open(source: S, len: u64, index_key: &Secret, name: &str) -> Result<Table<S>, TableError> {
        let tail_len = usize::try_from(len).unwrap_or(usize::MAX).min(TAIL_BYTES);
        let mut tail = exactly(&source, len - tail_len as u64, tail_len)?;
        let mut opening = Stats { pages: 1, bytes: tail_len as u64 };
        let at = tail_len.checked_sub(TRAILER_BYTES).ok_or(FormatError::Short)?;
        let (trailer, key) = Trailer::decode(tail.get(at..).unwrap_or_default(), index_key, name)?;
        let root_end = trailer.root_offset.checked_add(u64::from(trailer.root_length));
        if root_end.and_then(|end| end.checked_add(TRAILER_BYTES as u64)) != Some(len) {
            return Err(damaged("the length of the file"));
        }
        if trailer.root_level as usize >= TABLE_LEVELS || trailer.blocks == 0 {
            return Err(damaged("the height of the tree"));
        }
        let root_len = check_length(trailer.root_length)?;
        let sealed = match at.checked_sub(root_len) {
            Some(start) => {
                tail.truncate(at);
                tail.split_off(start)
            }
            None => {
                opening.pages += 1;
                opening.bytes += root_len as u64;
                exactly(&source, trailer.root_offset, root_len)?
            }
        };
        let root = open_block(&key, trailer.blocks - 1, trailer.root_level as usize, sealed)?;
        Ok(Table { source, key, trailer, root, opening, counted: AtomicBool::new(false), at_hand: Mutex::default(), shared: false })
    }

    /// The same table for somebody who asks it and others many questions: blocks stay at hand, measured in bytes by `held`, until they were not asked for from one
    /// [`Table::age`] to the next.
    #[must_use]
    pub fn keeping(self, held: &Held) -> Table<S> {
        Table { at_hand: Mutex::new(Lately::sharing(held)), shared: true, ..self }
    }

    /// Blocks go that were not asked for since the last time.
    pub fn age(&self) {
        lock(&self.at_hand).age();
    }

    /// Entries.
    pub fn entries(&self) -> u64 {
        self.trailer.entries
    }

    /// Index levels above the entries.
    pub fn levels(&self) -> usize {
        self.trailer.root_level as usize
    }

    /// A place to read from, standing nowhere yet. What opening the table cost is counted with its first cursor.
    pub fn cursor<'a>(&'a self, stats: &'a mut Stats) -> Cursor<'a, S> {
        if !self.counted.swap(true, Ordering::Relaxed) {
            stats.pages += self.opening.pages;
            stats.bytes += self.opening.bytes;
        }
        Cursor { table: self, stats, root: Spot::default(), below: Vec::new() }
    }

    /// The last entry whose key is not above `key`.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn seek_le(&self, key: &[u8], stats: &mut Stats) -> Result<Option<Pair>, TableError> {
        let mut cursor = self.cursor(stats);
        if !cursor.seek_le(key)? {
            return Ok(None);
        }
        Ok(cursor.entry().map(|(k, v)| (k.to_vec(), v.to_vec())))
    }

    /// Entries with `first <= key <= last`, ascending, until `each` returns false.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn range(
        &self,
        first: &[u8],
        last: &[u8],
        stats: &mut Stats,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), TableError> {
        let mut cursor = self.cursor(stats);
        let mut here = first <= last && cursor.seek_ge(first)?;
        while here {
            match cursor.entry() {
                Some((key, value)) if key <= last && each(key, value) => here = cursor.next()?,
                _ => break,
            }
        }
        Ok(())
    }

    /// Entries with `first <= key <= last`, descending, until `each` returns false.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn range_back(
        &self,
        first: &[u8],
        last: &[u8],
        stats: &mut Stats,
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), TableError> {
        let mut cursor = self.cursor(stats);
        let mut here = first <= last && cursor.seek_le(last)?;
        while here {
            match cursor.entry() {
                Some((key, value)) if key >= first && each(key, value) => here = cursor.prev()?,
                _ => break,
            }
        }
        Ok(())
    }
}

fn check_length(length: u32) -> Result<usize, FormatError> {
    // One value may fill a block beyond its usual size.
    let most = TABLE_BLOCK_BYTES + TABLE_VALUE_BYTES + TABLE_BLOCK_BYTES;
    let is = usize::try_from(length).unwrap_or(usize::MAX);
    if is > most { Err(FormatError::Limit { what: "a block of a table", is: u64::from(length), most: most as u64 }) } else { Ok(is) }
}

fn open_block(key: &Aead, number: u64, level: usize, mut sealed: Vec<u8>) -> Result<Block, TableError> {
    if sealed.len() < TAG_BYTES {
        return Err(FormatError::Short.into());
    }
    let len = key.open(nonce(number), &level_aad(level), &mut sealed).map_err(|_| FormatError::Sealed)?.len();
    sealed.truncate(len);
    Block::parse(sealed)
}

/// A position in one block: the stretch between two restart points, and the entry in it. Nowhere yet without a stretch.
#[derive(Default)]
struct Spot {
    run: usize,
    stretch: Option<Arc<Stretch>>,
    at: usize,
}

impl Spot {
    fn load(&mut self, block: &Block, run: usize) -> Result<&Stretch, TableError> {
        if self.run != run {
            self.stretch = None;
        }
        self.run = run;
        match &mut self.stretch {
            Some(stretch) => Ok(stretch),
            none => Ok(none.insert(block.run(run)?)),
        }
    }

    fn entry<'a>(&'a self, block: &'a Block) -> Option<(&'a [u8], &'a [u8])> {
        self.stretch.as_ref()?.entry(block, self.at)
    }

    /// To the last entry whose key satisfies `low` (keys that do stand before those that do not).
    fn find_last(&mut self, block: &Block, low: &dyn Fn(&[u8]) -> bool) -> Result<bool, TableError> {
        let (mut from, mut to) = (0, block.runs());
        while from < to {
            let middle = from + (to - from) / 2;
            if low(block.first_key(middle)?) { from = middle + 1 } else { to = middle }
        }
        let Some(run) = from.checked_sub(1) else { return Ok(false) };
        self.at = self.load(block, run)?.partition_point(low).checked_sub(1).ok_or(damaged("the order of keys"))?;
        Ok(true)
    }

    fn first(&mut self, block: &Block) -> Result<bool, TableError> {
        if block.runs() == 0 {
            return Ok(false);
        }
        self.load(block, 0)?;
        self.at = 0;
        Ok(true)
    }

    fn last(&mut self, block: &Block) -> Result<bool, TableError> {
        let Some(run) = block.runs().checked_sub(1) else { return Ok(false) };
        self.at = self.load(block, run)?.len() - 1;
        Ok(true)
    }

    fn next(&mut self, block: &Block) -> Result<bool, TableError> {
        if self.stretch.as_ref().is_some_and(|stretch| self.at + 1 < stretch.len()) {
            self.at += 1;
            return Ok(true);
        }
        if self.run + 1 >= block.runs() {
            return Ok(false);
        }
        self.load(block, self.run + 1)?;
        self.at = 0;
        Ok(true)
    }

    fn prev(&mut self, block: &Block) -> Result<bool, TableError> {
        if let Some(before) = self.at.checked_sub(1) {
            self.at = before;
            return Ok(true);
        }
        let Some(run) = self.run.checked_sub(1) else { return Ok(false) };
        self.at = self.load(block, run)?.len() - 1;
        Ok(true)
    }
}

/// A position in a table.
pub struct Cursor<'a, S> {
    table: &'a Table<S>,
    stats: &'a mut Stats,
    root: Spot,
    /// Blocks below the root, down to the entries.
    below: Vec<(Arc<Block>, Spot)>,
}

/// Which entry of a block to stand at.
#[derive(Clone, Copy)]
enum At<'k> {
    First,
    Last,
    /// The last that is not above.
    NotAbove(&'k [u8]),
    /// The last that is below.
    Below(&'k [u8]),
}

impl At<'_> {
    fn place(self, spot: &mut Spot, block: &Block) -> Result<bool, TableError> {
        match self {
            At::First => spot.first(block),
            At::Last => spot.last(block),
            At::NotAbove(key) => spot.find_last(block, &|k| k <= key),
            At::Below(key) => spot.find_last(block, &|k| k < key),
        }
    }
}

impl<S: BlockSource> Cursor<'_, S> {
    /// The entry here; none before the first seek, after a step beyond either end or after an error.
    pub fn entry(&self) -> Option<(&[u8], &[u8])> {
        let (block, spot) = match self.below.last() {
            Some((block, spot)) => (block.as_ref(), spot),
            None => (&self.table.root, &self.root),
        };
        if self.below.len() != self.table.levels() {
            return None;
        }
        spot.entry(block)
    }

    /// To the last entry whose key is not above `key`; false if there is none.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn seek_le(&mut self, key: &[u8]) -> Result<bool, TableError> {
        self.seek(At::NotAbove(key))
    }

    /// To the first entry whose key is not below `key`; false if there is none.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn seek_ge(&mut self, key: &[u8]) -> Result<bool, TableError> {
        if self.seek(At::Below(key))? { self.next() } else { self.seek(At::First) }
    }

    /// To the first entry; false if there is none.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn first(&mut self) -> Result<bool, TableError> {
        self.seek(At::First)
    }

    /// To the last entry; false if there is none.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn last(&mut self) -> Result<bool, TableError> {
        self.seek(At::Last)
    }

    /// One entry on; false at the end.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    #[allow(clippy::should_implement_trait)] // A step may fail and lends its entry: no iterator.
    pub fn next(&mut self) -> Result<bool, TableError> {
        self.step(Spot::next, At::First)
    }

    /// One entry back; false at the start.
    ///
    /// # Errors
    /// If a block on the way cannot be read or is damaged.
    pub fn prev(&mut self) -> Result<bool, TableError> {
        self.step(Spot::prev, At::Last)
    }

    fn seek(&mut self, at: At<'_>) -> Result<bool, TableError> {
        self.below.clear();
        if !at.place(&mut self.root, &self.table.root)? {
            self.leave();
            return Ok(false);
        }
        self.descend(at)
    }

    /// Forgets the position.
    fn leave(&mut self) {
        self.below.clear();
        self.root = Spot::default();
    }

    /// From an index entry down to the entries.
    fn descend(&mut self, at: At<'_>) -> Result<bool, TableError> {
        while self.below.len() < self.table.levels() {
            let level = self.table.levels() - self.below.len() - 1;
            let (parent, spot) = match self.below.last() {
                Some((block, spot)) => (block.as_ref(), spot),
                None => (&self.table.root, &self.root),
            };
            let (_, value) = spot.entry(parent).ok_or(damaged("an index block"))?;
            let place = Place::decode(value).ok_or(damaged("an index entry"))?;
            let block = self.fetch(place, level)?;
            let mut spot = Spot::default();
            if !at.place(&mut spot, &block)? {
                return Err(damaged("the order of blocks"));
            }
            self.below.push((block, spot));
        }
        Ok(true)
    }

    fn fetch(&mut self, place: Place, level: usize) -> Result<Arc<Block>, TableError> {
        let mut at_hand = lock(&self.table.at_hand);
        if let Some(block) = at_hand.get((place.number, level)) {
            return Ok(block);
        }
        let trailer = &self.table.trailer;
        let end = place.offset.checked_add(u64::from(place.length));
        if place.number >= trailer.blocks || end.is_none_or(|end| end > trailer.root_offset) {
            return Err(damaged("the place of a block"));
        }
        let sealed = exactly(&self.table.source, place.offset, check_length(place.length)?)?;
        self.stats.pages += 1;
        self.stats.bytes += u64::from(place.length);
        let block = Arc::new(open_block(&self.table.key, place.number, level, sealed)?);
        if !self.table.shared && at_hand.held().get() >= TABLE_AT_HAND_BYTES {
            at_hand.age();
            at_hand.held().begin();
        }
        at_hand.put((place.number, level), Arc::clone(&block), block.weight());
        Ok(block)
    }

    fn step(&mut self, step: fn(&mut Spot, &Block) -> Result<bool, TableError>, at: At<'_>) -> Result<bool, TableError> {
        if self.entry().is_none() {
            return Ok(false);
        }
        loop {
            let moved = match self.below.last_mut() {
                Some((block, spot)) => step(spot, block)?,
                None => step(&mut self.root, &self.table.root)?,
            };
            if moved {
                return self.descend(at);
            }
            if self.below.pop().is_none() {
                self.leave();
                return Ok(false);
            }
        }
    }
}
