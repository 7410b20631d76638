//! The transparency log of Weir, as bytes in and bytes out: the Merkle tree of RFC 6962, the broader one over rows, C2SP tiles, signed notes and checkpoints, the
//! log's entries, and the two digests an entry commits to (the ciphertext file, checkable by anyone, and the rows, checkable with the
//! key). Nothing here does I/O, reads a clock or knows what a record is: from `weir-base`, `weir-record` and this crate an outsider can
//! build a verifier. The formats, byte by byte, are in `docs/formats/log.md`.

pub mod broad;
pub mod checkpoint;
pub mod entry;
pub mod filedigest;
pub mod fuzz;
pub mod limits;
pub mod merkle;
pub mod note;
pub mod rows;
#[cfg(test)]
mod test_hex;
mod text;
pub mod tile;
mod unit_id;

pub use merkle::Hash;
pub use unit_id::UnitId;
