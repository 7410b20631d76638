//! Limits of this crate, each with its unit.

/// Memory of one SQL statement, in bytes.
pub const SQL_MEMORY_BYTES: usize = 512 << 20;

/// NAT events not sealed yet that are shown at most: they are made readable in memory.
pub const LIVE_NAT_EVENTS: usize = 1 << 20;

/// The same where the program may hold little.
pub const SQL_MEMORY_BYTES_MIN: usize = 64 << 20;

/// By how much the program's memory may grow while a statement runs, in bytes; beyond it the statement is ended.
pub const SQL_GROWTH_BYTES: u64 = 1 << 30;

/// Rows that steps of one statement keep at once: the first table of a join, those of a window.
pub const SQL_HELD_ROWS: u64 = 20_000_000;

/// Rows that pass from one step of a statement to the next at once.
pub const SQL_BATCH_ROWS: usize = 8_192;

/// Bytes that pass at once.
pub const SQL_BATCH_BYTES: u64 = 128 << 20;

/// Pairs of rows that a join holds against each other between two looks whether it may go on.
pub const SQL_PAIRS: usize = 1 << 23;

/// Rows that pass to a join at once at least, however many pairs that makes.
pub const SQL_PAIR_ROWS: usize = 16;

/// Stack of a statement's thread, in bytes: plans are trees. It is taken as far as it is used.
pub const SQL_STACK_BYTES: usize = 256 << 20;

/// Words and signs of a statement, without commas and values: a deep one is a deep tree.
pub const SQL_WORDS: usize = 2_000;

/// How often it is looked at whether a statement may go on, in milliseconds.
pub const SQL_LOOK_MS: u64 = 50;

/// How long is waited for a statement that has to end, in milliseconds; one that takes longer keeps its place until it has ended.
pub const SQL_GRACE_MS: u64 = 3_000;

/// Bytes of the rows that a statement returns at most.
pub const SQL_ANSWER_BYTES: usize = 32 << 20;

/// Longest statement, in bytes.
pub const STATEMENT_BYTES: usize = 64 << 10;

/// Rows a statement returns at most.
pub const SQL_ROWS: usize = 100_000;

/// Rows of one batch of a view.
pub const VIEW_ROWS: u64 = 65_536;

/// Words of one search.
pub const SEARCH_WORDS: usize = 16;

/// Longest word of a search, in bytes.
pub const SEARCH_WORD_BYTES: usize = 256;

/// Senders and programs that lines which no dialect understands are counted by at most; lines of more are counted together.
pub const UNRECOGNISED_GROUPS: usize = 16_384;

/// Longest example of one of them, in characters; the rest is left out.
pub const EXAMPLE_CHARS: usize = 1_000;

/// Rows of log lines that are looked at at once.
pub const SEARCH_ROWS: u64 = 8_192;
