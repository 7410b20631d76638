//! Limits of imports, each with its unit.

/// Longest record, with all the lines a quoted value may have, in bytes.
pub const RECORD_BYTES: usize = 1 << 20;

/// Columns of a table.
pub const COLUMNS: usize = 512;

/// Longest value that is kept, in bytes.
pub const VALUE_BYTES: usize = 1_012;

/// Past sessions in one group.
pub const GROUP_SESSIONS: usize = 1_000;

/// How far back a session may have ended, in days: the floor of 184 days and the 7 after which it would be erased at once.
pub const DAYS_BACK: i32 = 190;
