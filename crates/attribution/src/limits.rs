//! Limits of this crate, each with its unit.

/// Offset of a source's clock, in milliseconds either way, that joins the tolerance. With more the question is translated.
pub const OFFSET_JOINS_MS: i64 = 2_000;

/// How much less exactly than that a measured offset may be known, in milliseconds: times of sending are whole seconds.
pub const OFFSET_ERROR_MS: i64 = 1_100;

/// Largest uncertainty an asker may state, in milliseconds (ten minutes). A tolerance is never widened by hours.
pub const SKEW_MS_MAX: i64 = 600_000;

/// The uncertainty used when the asker states none, in milliseconds.
pub const SKEW_MS_DEFAULT: i64 = 2_000;

/// How long a record may wait inside an exporter before it is sent, in milliseconds: a message lost up to so long after the window may have
/// carried an event of the window.
pub const EXPORT_WAIT_MS: i64 = 1_000;

/// Most candidates listed in one answer; how many more there are is counted.
pub const CANDIDATES_MAX: usize = 64;

/// Most gaps named in one answer; how many more there are is counted.
pub const GAPS_MAX: usize = 64;

/// Longest question text (an address and a port), in bytes.
pub const TEXT_BYTES_MAX: usize = 64;
