//! Limits of this crate, each with its unit.

/// Longest thread name the kernel keeps, in bytes.
pub const THREAD_NAME_BYTES: usize = 15;

/// Longest time span a duration string may name, in milliseconds (400 days).
pub const DURATION_MS_MAX: i64 = 400 * 86_400_000;
