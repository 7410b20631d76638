//! Limits of deterministic NAT, each with its unit.

/// Configurations, past and present.
pub const RULES: usize = 4_096;

/// Address ranges on one side of one configuration.
pub const RANGES: usize = 256;

/// Addresses on one side of one configuration (2^24: a whole 10.0.0.0/8).
pub const ADDRESSES: u64 = 1 << 24;

/// Longest text of one side, in bytes.
pub const SIDE_BYTES: usize = 16_384;

/// First port that subscribers get when the configuration names none.
pub const FIRST_PORT: u16 = 1_024;
