//! Limits of this crate, each with its unit.

/// Size at which a file of the write-ahead log is followed by the next, in bytes.
pub const WAL_FILE_BYTES: u64 = 256 << 20;

/// Size of the whole write-ahead log, in bytes; beyond it nothing is taken in until files are dropped.
pub const WAL_TOTAL_BYTES: u64 = 8 << 30;

/// Bytes read at once while looking for the next good frame after damage.
pub const WAL_SEARCH_BYTES: usize = 1 << 20;

/// Longest `master.key` file, in bytes.
pub const MASTER_KEY_FILE_BYTES: u64 = 4_096;
