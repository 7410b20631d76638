//! Limits of this crate, each with its unit.

/// Offset of a source's clock, in milliseconds either way, that joins the tolerance. With more the question is translated.
pub const OFFSET_JOINS_MS: i64 = 2_000;

/// How much more a source's clock may be ahead than its measured offset says, in milliseconds: the export time (RFC 7011 section 3.1, RFC
/// 3954 section 5.1) and the Event-Timestamp (RFC 2869 section 5.3) that it is measured by are whole seconds, cut off.
pub const OFFSET_STEP_MS: i64 = 999;

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
