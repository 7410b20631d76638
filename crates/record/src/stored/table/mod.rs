//! A sorted table that is written once and never changed: entries (key, value) in key order, in encrypted blocks of about 4 KiB, under a
//! tree of index blocks with one root.
//!
//! Byte by byte: `docs/formats/table.md`. A block is sealed with AES-256-GCM under a key of the table's own, its number is the nonce, its
//! level the associated data: a changed, moved or swapped block does not open. Equal keys are allowed and keep their order.

mod block;
mod builder;
pub(crate) mod fuzz;
mod reader;

#[cfg(test)]
mod tests;

use std::io;

use weir_base::crypto::{Aead, NONCE_BYTES, Secret, TAG_BYTES};

use super::FormatError;
use super::bytes::Cursor as Bytes;

pub use builder::Builder;
pub use reader::{BlockSource, Cursor, Pair, Table};

const MAGIC: &[u8; 8] = b"WEIRTABL";
const VERSION: u16 = 2;
/// Bytes of the trailer that stand in the clear: magic, version, zero, table id.
const CLEAR: usize = 28;
/// Bytes of the trailer that are encrypted: entries, blocks, root offset, root length, root level.
const HIDDEN: usize = 32;
/// Bytes of the trailer: clear part, hidden part with its tag, CRC-32 of both.
pub const TRAILER_BYTES: usize = CLEAR + HIDDEN + TAG_BYTES + 4;
/// The number that stands for the trailer in its nonce; blocks count from 0 and never get there.
const TRAILER_NUMBER: u64 = u64::MAX;

/// What reading cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Blocks or pages read.
    pub pages: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Stats {
    /// Both together.
    pub fn plus(self, other: Stats) -> Stats {
        Stats { pages: self.pages + other.pages, bytes: self.bytes + other.bytes }
    }
}

/// Why a table cannot be written or read. Never carries keys or values.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The bytes are not those of a sound table under this key.
    #[error("a table is damaged: {0}; delete the index folder, it is rebuilt at the next start")]
    Format(#[from] FormatError),
    /// Keys were pushed out of order: a bug of the caller.
    #[error("the keys of a table were not in order")]
    Order,
    /// Something beside the table failed.
    #[error("{0}")]
    Other(String),
}

impl TableError {
    /// True if there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, TableError::Io(e) if e.kind() == io::ErrorKind::NotFound)
    }

    /// True if there is a file and it is no sound table.
    pub fn is_damage(&self) -> bool {
        matches!(self, TableError::Format(_))
    }
}

fn damaged(what: &'static str) -> TableError {
    TableError::Format(FormatError::Field(what))
}

/// The key of one table, which opens under its own name alone.
fn table_key(index_key: &Secret, name: &str, id: &[u8; 16]) -> Aead {
    let mut info = b"weir/table/v2".to_vec();
    info.extend(id);
    info.extend(name.as_bytes());
    index_key.derive(&info).aead()
}

fn nonce(number: u64) -> [u8; NONCE_BYTES] {
    let mut out = [0; NONCE_BYTES];
    let (head, _) = out.split_at_mut(8);
    head.copy_from_slice(&number.to_le_bytes());
    out
}

/// Where a block is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    number: u64,
    offset: u64,
    length: u32,
}

/// What the trailer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trailer {
    id: [u8; 16],
    entries: u64,
    /// Blocks; the root is the last of them.
    blocks: u64,
    root_offset: u64,
    root_length: u32,
    /// 0 when the root holds entries itself.
    root_level: u32,
}

impl Trailer {
    fn encode(&self, key: &Aead) -> Vec<u8> {
        let mut clear = MAGIC.to_vec();
        clear.extend(VERSION.to_le_bytes());
        clear.extend([0, 0]);
        clear.extend(self.id);
        let mut hidden = Vec::with_capacity(HIDDEN + TAG_BYTES);
        hidden.extend(self.entries.to_le_bytes());
        hidden.extend(self.blocks.to_le_bytes());
        hidden.extend(self.root_offset.to_le_bytes());
        hidden.extend(self.root_length.to_le_bytes());
        hidden.extend(self.root_level.to_le_bytes());
        key.seal(nonce(TRAILER_NUMBER), &clear, &mut hidden);
        let mut out = clear;
        out.extend(hidden);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out
    }

    /// The trailer and the table's key. The checksum tells damage from a wrong key.
    fn decode(bytes: &[u8], index_key: &Secret, name: &str) -> Result<(Trailer, Aead), FormatError> {
        let (body, crc) = bytes.split_last_chunk::<4>().ok_or(FormatError::Short)?;
        let (clear, hidden) = body.split_at_checked(CLEAR).ok_or(FormatError::Short)?;
        let mut cursor = Bytes(clear);
        cursor.magic(MAGIC)?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return Err(FormatError::Checksum);
        }
        cursor.version(VERSION)?;
        if cursor.u16()? != 0 {
            return Err(FormatError::Field("what must be zero"));
        }
        let id = cursor.array()?;
        let key = table_key(index_key, name, &id);
        let mut hidden = hidden.to_vec();
        let plain = key.open(nonce(TRAILER_NUMBER), clear, &mut hidden).map_err(|_| FormatError::Sealed)?;
        let mut cursor = Bytes(plain);
        let (entries, blocks, root_offset) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
        let trailer = Trailer { id, entries, blocks, root_offset, root_length: cursor.u32()?, root_level: cursor.u32()? };
        cursor.end()?;
        Ok((trailer, key))
    }
}
