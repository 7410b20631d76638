//! Limits of this crate, each with its unit.

/// Most values whose id is remembered. Beyond it a value gets a new id each time, with its binding: records stay attributable one by one,
/// but no longer as those of one subscriber. About 80 bytes of memory each.
pub const ENTRIES_MAX: usize = 2_097_152;

/// Bytes of a blind index: HMAC-SHA-256 cut to 128 bits.
pub const INDEX_BYTES: usize = 16;
