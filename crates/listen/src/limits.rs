//! Limits, each with its unit.

/// Longest PEM file, in bytes.
pub const PEM_BYTES: u64 = 1 << 20;

/// Time between looks at the stop flag, in milliseconds.
pub const TICK_MS: u64 = 250;

/// How long open requests may take once the program stops, in milliseconds.
pub const STOP_MS: u64 = 5_000;
