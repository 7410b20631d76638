//! Limits of this crate, each with its unit.

/// Most rows one batch may carry.
pub const BATCH_ROWS: usize = 1 << 20;

/// Most batches one group may carry.
pub const GROUP_BATCHES: usize = 256;

/// Most state changes one group may carry.
pub const GROUP_STATE_PUTS: usize = 65_536;

/// Longest encoded group, in bytes.
pub const GROUP_BYTES: usize = 64 << 20;

/// Longest text or bytes value in a record, in bytes. Longer input is cut by the source and marked.
pub const VALUE_BYTES: usize = 65_535;
