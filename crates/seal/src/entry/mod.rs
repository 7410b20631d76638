//! What the log says: one entry an act (genesis, unit, repack, heartbeat), as a few lines of ASCII that a person can read.
//!
//! There is exactly one text for each entry: fixed line order, one space, decimals without leading zeros, LF, nothing left over. So an
//! entry that decodes encodes to the same bytes. No entry holds personal data.

mod lines;
mod read;
mod write;

use weir_base::time::{Day, Millis};

use crate::merkle::Hash;
use crate::note::VerifyingKey;
use crate::unit_id::UnitId;

/// First line of every entry.
const VERSION_LINE: &str = "weir/entry/v2";

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The first entry.
    Genesis(Genesis),
    /// Rows of one kind and day were sealed.
    Unit(Unit),
    /// Sealed units were put together in one new file.
    Repack(Repack),
    /// There was nothing to seal.
    Heartbeat(Heartbeat),
}

/// The first entry: which log this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The log's name, as in its checkpoints.
    pub origin: String,
    /// The key that signs its checkpoints.
    pub log_key: VerifyingKey,
    /// The program that began the log, such as `weir-0.1.0`: 1 to 64 printable characters without spaces.
    pub program: String,
    /// When it began, not before 1970.
    pub time: Millis,
}

/// A sealed unit: rows of one kind and one key day, committed to twice (rows and file).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Name of the record kind: `a`–`z`, `0`–`9`, `_`, starting with a letter, at most 64 characters.
    pub kind: String,
    /// Version of the kind, which fixes its canonical row bytes.
    pub kind_version: u32,
    /// The UTC+8 day whose key encrypts the rows.
    pub day: Day,
    /// Random id of the unit.
    pub unit: UnitId,
    /// When it was sealed, not before 1970.
    pub sealed: Millis,
    /// Rows in the unit, 1 or more.
    pub rows: u64,
    /// Earliest event time of its rows.
    pub first: Millis,
    /// Latest event time of its rows, not before `first`.
    pub last: Millis,
    /// Root of the canonical rows: see [`crate::rows`].
    pub rows_root: Hash,
    /// The file that holds the rows, relative to the data folder: see [`is_segment_path`].
    pub file: String,
    /// Length of the file in bytes, 1 or more.
    pub size: u64,
    /// Root of the file's block digests: see [`crate::filedigest`].
    pub file_root: Hash,
    /// The same with SM3, where it is kept.
    pub file_root_sm3: Option<Hash>,
    /// Row of the file at which the unit starts; 0 for a file of its own.
    pub first_row: u64,
    /// True if the rows lie in the kind's sort order.
    pub sorted: bool,
}

/// Sealed units of one kind and day in one new file; their rows, order and roots stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repack {
    /// Name of the record kind, as in [`Unit`].
    pub kind: String,
    /// Version of the kind.
    pub kind_version: u32,
    /// The UTC+8 day whose key encrypts the rows.
    pub day: Day,
    /// When it was sealed, not before 1970.
    pub sealed: Millis,
    /// The new file, relative to the data folder.
    pub file: String,
    /// Length of the new file in bytes, 1 or more.
    pub size: u64,
    /// Root of the new file's block digests.
    pub file_root: Hash,
    /// The same with SM3, where it is kept.
    pub file_root_sm3: Option<Hash>,
    /// Which units lie where, 1 or more: back to back from row 0, each unit once.
    pub parts: Vec<Part>,
    /// Files that are not needed once this entry is in a checkpoint, 1 or more, each once, never the new one.
    pub drops: Vec<String>,
}

/// One unit within a repacked file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index in the log of the unit's own `unit` entry.
    pub entry: u64,
    /// Row of the new file at which the unit starts.
    pub first_row: u64,
    /// Rows in the unit, 1 or more.
    pub rows: u64,
}

/// A sign of life when there was nothing to seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// When, not before 1970.
    pub time: Millis,
    /// Groups sequenced so far in the life of the log.
    pub sequenced: u64,
    /// Mappings that are open now.
    pub open: u64,
}

/// Why bytes are not an entry, or an entry cannot be written. Lines count from 1. Values are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than a bundle can hold.
    #[error("the entry has {bytes} bytes; an entry has at most 65535: split it (for a repack, take fewer files at once)")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not ASCII lines that end with LF.
    #[error("an entry is printable ASCII in lines that end with a single line feed")]
    NotLines,
    /// Not this version.
    #[error(
        "the entry is of version {found}: this program reads weir/entry/v2. Use the program that wrote the folder, or begin a new folder (before 0.1.0 no later program reads an older one's)"
    )]
    UnknownVersion {
        /// Its first line.
        found: String,
    },
    /// No version.
    #[error("the entry's first line names no version: it must be weir/entry/v2")]
    NoVersion,
    /// Not a type known here.
    #[error("unknown entry type: this program reads genesis, unit, repack and heartbeat, a newer one may be needed")]
    UnknownType,
    /// Another line stands where `key` must stand.
    #[error("line {line} must start with {key:?} and a space: lines have a fixed order and none may be left out or added")]
    Line {
        /// The line.
        line: usize,
        /// The key that must stand there.
        key: &'static str,
    },
    /// A value is not of its form.
    #[error("the value of {key:?} on line {line} is not {form}")]
    Value {
        /// The line.
        line: usize,
        /// The key of the value.
        key: &'static str,
        /// What it must be.
        form: &'static str,
    },
    /// Something stands after the last line.
    #[error("line {line} is one too many")]
    Extra {
        /// The line.
        line: usize,
    },
    /// A field holds a value that has no text, such as a path with a line feed.
    #[error("the entry has a value that does not survive writing and reading")]
    NotCanonical,
}

impl Entry {
    /// The name of the entry's type, its second line.
    pub fn type_name(&self) -> &'static str {
        match self {
            Entry::Genesis(_) => "genesis",
            Entry::Unit(_) => "unit",
            Entry::Repack(_) => "repack",
            Entry::Heartbeat(_) => "heartbeat",
        }
    }

    /// The entry as bytes, at most [`crate::limits::ENTRY_BYTES`].
    ///
    /// # Errors
    /// [`EntryError::TooLong`], or the error that decoding would give for a field out of its form: what encodes can be decoded.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let bytes = write::text(self).into_bytes();
        // Entries are few, and one that cannot be read back would spoil the log for ever.
        if Entry::decode(&bytes)? == *self { Ok(bytes) } else { Err(EntryError::NotCanonical) }
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// An [`EntryError`] that names the line; unknown versions, types and lines are refused.
    pub fn decode(bytes: &[u8]) -> Result<Entry, EntryError> {
        read::entry(bytes)
    }
}

/// True for a path an entry may name: `segments/` and one or more parts of letters, digits, `.`, `_`, `-`, none of them empty or
/// starting with a dot, at most 255 bytes.
pub fn is_segment_path(path: &str) -> bool {
    let good = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    path.len() <= crate::limits::PATH_BYTES && path.strip_prefix("segments/").is_some_and(|rest| rest.split('/').all(good))
}

#[cfg(test)]
mod tests;
