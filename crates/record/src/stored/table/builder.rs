//! Writing a table from front to back.

use std::io;

use weir_base::crypto::{Aead, Secret, random};

use super::block::BlockBuilder;
use super::{Place, TableError, Trailer, nonce, table_key};
use crate::stored::FormatError;
use crate::stored::limits::{TABLE_BLOCK_BYTES, TABLE_KEY_BYTES, TABLE_VALUE_BYTES};

/// Writes a table; bytes go to `write` in order, block by block.
pub struct Builder<W: FnMut(&[u8]) -> io::Result<()>> {
    write: W,
    key: Aead,
    trailer: Trailer,
    block_bytes: usize,
    /// Bytes written.
    offset: u64,
    /// The open block of each level; level 0 holds entries.
    levels: Vec<BlockBuilder>,
    last: Vec<u8>,
}

impl<W: FnMut(&[u8]) -> io::Result<()>> Builder<W> {
    /// An empty table with an id of its own, encrypted under a key derived from `index_key`, that id and the table's name, under which alone it opens.
    pub fn new(index_key: &Secret, name: &str, write: W) -> Builder<W> {
        Builder::with((index_key, name), random(), write, TABLE_BLOCK_BYTES)
    }

    /// With blocks of another size, so that a test reaches many levels with few entries.
    #[cfg(test)]
    pub(super) fn with_block_bytes(index_key: &Secret, name: &str, write: W, block_bytes: usize) -> Builder<W> {
        Builder::with((index_key, name), random(), write, block_bytes)
    }

    /// With a chosen id. An id is used once: it makes the key that the blocks' numbers are nonces of.
    pub(super) fn with((index_key, name): (&Secret, &str), id: [u8; 16], write: W, block_bytes: usize) -> Builder<W> {
        let trailer = Trailer { id, ..Trailer::default() };
        let levels = vec![BlockBuilder::default()];
        Builder { write, key: table_key(index_key, name, &trailer.id), trailer, block_bytes, offset: 0, levels, last: Vec::new() }
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.trailer.entries
    }

    /// Appends an entry; its key is not lower than the one before.
    ///
    /// # Errors
    /// [`TableError::Order`]; a key or value over its limit; what `write` says.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), TableError> {
        if self.trailer.entries > 0 && key < self.last.as_slice() {
            return Err(TableError::Order);
        }
        limit("a table's key", key.len(), TABLE_KEY_BYTES)?;
        limit("a table's value", value.len(), TABLE_VALUE_BYTES)?;
        self.add(0, key, value)?;
        self.trailer.entries += 1;
        self.last.clear();
        self.last.extend(key);
        Ok(())
    }

    /// Writes what is open, the root and the trailer; returns the table's length in bytes.
    ///
    /// # Errors
    /// What `write` says.
    pub fn finish(mut self) -> Result<u64, TableError> {
        let mut level = 0;
        // A block is closed only when the next entry needs room, so every level that has a level above holds something.
        while level + 1 < self.levels.len() {
            self.close(level)?;
            level += 1;
        }
        let root = self.seal(level)?;
        self.trailer.blocks = root.number + 1;
        self.trailer.root_offset = root.offset;
        self.trailer.root_length = root.length;
        self.trailer.root_level = u32::try_from(level).unwrap_or(u32::MAX);
        let trailer = self.trailer.encode(&self.key);
        self.emit(&trailer)?;
        Ok(self.offset)
    }

    fn add(&mut self, level: usize, key: &[u8], value: &[u8]) -> Result<(), TableError> {
        if self.levels.len() == level {
            self.levels.push(BlockBuilder::default());
        }
        // An index block of one entry would only add a level.
        let least = if level == 0 { 1 } else { 2 };
        let room = |b: &BlockBuilder| b.entries() < least || b.len() + key.len() + value.len() <= self.block_bytes;
        let full = self.levels.get(level).is_some_and(|b| !room(b));
        if full {
            self.close(level)?;
        }
        if let Some(block) = self.levels.get_mut(level) {
            block.push(key, value);
        }
        Ok(())
    }

    /// Writes the open block of a level and names it in the level above.
    fn close(&mut self, level: usize) -> Result<(), TableError> {
        let first = self.levels.get(level).map(|b| b.first().to_vec()).unwrap_or_default();
        let place = self.seal(level)?;
        self.add(level + 1, &first, &place.encode())
    }

    fn seal(&mut self, level: usize) -> Result<Place, TableError> {
        let mut block = self.levels.get_mut(level).map(BlockBuilder::finish).unwrap_or_default();
        let number = self.trailer.blocks;
        self.trailer.blocks += 1;
        self.key.seal(nonce(number), &level_aad(level), &mut block);
        let length = u32::try_from(block.len()).unwrap_or(u32::MAX);
        let place = Place { number, offset: self.offset, length };
        self.emit(&block)?;
        Ok(place)
    }

    fn emit(&mut self, bytes: &[u8]) -> Result<(), TableError> {
        (self.write)(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// Associated data of a block: its level.
pub(super) fn level_aad(level: usize) -> [u8; 4] {
    u32::try_from(level).unwrap_or(u32::MAX).to_le_bytes()
}

fn limit(what: &'static str, is: usize, most: usize) -> Result<(), FormatError> {
    if is > most { Err(FormatError::Limit { what, is: is as u64, most: most as u64 }) } else { Ok(()) }
}
