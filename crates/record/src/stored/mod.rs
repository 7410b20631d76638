//! Byte codecs of the store's own files: write-ahead log, keyring, stage, state snapshot, sorted tables, word index. Bytes in, bytes out, so that a
//! verifier needs no store. Integers are little-endian.

mod bytes;
pub(crate) mod fuzz;
pub mod keyring;
pub mod limits;
pub mod logkey;
pub mod stage;
pub mod state;
pub mod table;
pub mod wal;
pub mod words;

/// Why bytes are not what they should be. Never carries the bytes themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes end before the structure does.
    #[error("it ends too early")]
    Short,
    /// The first bytes are not those of this format.
    #[error("it is not a file of this kind")]
    Magic,
    /// Written by another version.
    #[error("version {0} of the format is not known to this program: use the version that wrote it, or a later one")]
    Version(u16),
    /// A checksum does not match.
    #[error("its checksum is wrong")]
    Checksum,
    /// The ciphertext does not authenticate.
    #[error("it does not decrypt: the key is wrong or the bytes were changed")]
    Sealed,
    /// A field has a value it may not have.
    #[error("a field is wrong: {0}")]
    Field(&'static str),
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
}
