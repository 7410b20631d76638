//! Limits of the source, each with its unit. Those of lines are the engine's (`syslog/limits.rs`).

/// Bytes of one journal entry's fields that are kept while it is read; longer fields are passed over, so that a core dump does no harm.
pub const FIELD_BYTES: usize = 65_536;

/// Bytes of a field's name.
pub const NAME_BYTES: usize = 64;

/// Fields of an entry that are looked at.
pub const FIELDS: usize = 512;

/// Bytes read at once.
pub const READ_BYTES: usize = 65_536;

/// Entries after which a group is handed over.
pub const BATCH_ROWS: usize = 2_048;

/// Time between looks at a file that has nothing new, and between tries, in milliseconds.
pub const LOOK_MS: u64 = 200;

/// Rotated audit logs that are looked at for the place that was reached (`audit.log.1` and on).
pub const ROTATED: u32 = 999;

/// Bytes of an audit line; longer ones are cut and marked.
pub const AUDIT_BYTES: usize = 32_768;

/// Bytes of a cursor.
pub const CURSOR_BYTES: usize = 512;

/// Bytes of what journalctl says on standard error that are read.
pub const TOLD_BYTES: u64 = 4_096;

/// Bytes of them that are shown.
pub const TOLD_LINE_BYTES: usize = 200;

/// Looks ([`LOOK_MS`] each) after which a journal with which something was wrong is asked about again.
pub const PROBE_LOOKS: u32 = 25;
