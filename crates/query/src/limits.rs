//! Limits of this crate, each with its unit.

/// Memory of one SQL statement, in bytes.
pub const SQL_MEMORY_BYTES: usize = 512 << 20;

/// Longest statement, in bytes.
pub const STATEMENT_BYTES: usize = 64 << 10;

/// Rows a statement returns at most.
pub const SQL_ROWS: usize = 100_000;

/// Rows of one batch of a view.
pub const VIEW_ROWS: usize = 65_536;

/// Words of one search.
pub const SEARCH_WORDS: usize = 16;

/// Longest word of a search, in bytes.
pub const SEARCH_WORD_BYTES: usize = 256;

/// Rows of log lines that are looked at at once.
pub const SEARCH_ROWS: u64 = 8_192;
