//! A sealed unit's rows as an encrypted Parquet file, and back.
//!
//! The code here writes the file; the `parquet` crate parses its footer once the footer has authenticated. Everything else is read by the code here:
//! one page can be decoded from its bytes, its place and the key alone ([`read_page`]), and no byte of a file is believed, sized or
//! allocated for before its tag was checked. Byte by byte: `docs/formats/unit.md`.

mod array;
mod direct;
mod encoding;
mod footer;
pub(crate) mod fuzz;
pub mod layout;
mod map;
mod mapcodec;
mod module;
mod packed;
mod page;
mod read;
mod thrift;
mod write;

#[cfg(test)]
mod tests;

pub use map::{Column, Group, Page, PageMap, Span, Spot};
pub use page::{Dictionary, PageDecryptor, read_page};
pub use read::{Batches, Select, Source, map, open, open_at, read, read_from};
pub use write::{Tried, Written, write, write_as, write_tried};

use crate::kind::Kind;

/// Why a unit's file cannot be written or read. Never carries bytes of the file.
#[derive(Debug, thiserror::Error)]
pub enum ParquetFailure {
    /// A batch to be written does not have the columns of its kind.
    #[error("a batch does not have the columns of {0}: this is a bug of the caller")]
    Batch(Kind),
    /// The file's encoder failed.
    #[error("the file could not be encoded: {0}")]
    Encode(String),
    /// The bytes could not be read.
    #[error("the file could not be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file ends too early.
    #[error("the file is cut short: restore it from a copy")]
    Short,
    /// It is not an encrypted Parquet file.
    #[error("it is not an encrypted Parquet file")]
    NotEncrypted,
    /// A part of the file does not authenticate.
    #[error("{0} does not decrypt: the key is wrong or the bytes were changed")]
    Sealed(&'static str),
    /// The file holds another kind, or another version of the kind.
    #[error("the file holds {is:?}, not {want}")]
    Kind {
        /// What was asked for.
        want: Kind,
        /// What the file says it holds.
        is: String,
    },
    /// A part of the file is not as this program writes it, although it authenticates.
    #[error("the file is not as this program writes it: {0}")]
    Format(&'static str),
    /// Something is over its limit.
    #[error("{what} is {is}, at most {most} is allowed")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How large it is.
        is: u64,
        /// How large it may be.
        most: u64,
    },
    /// The question names a row, page or column that the file does not have.
    #[error("the file has no such {0}")]
    Absent(&'static str),
}
