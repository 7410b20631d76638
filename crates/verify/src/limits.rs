//! Limits of the verifier, each with its unit.

/// Problems, and warnings, that are listed one by one; how many more there are is counted.
pub const FINDINGS: usize = 1_000;

/// Versions of log entries that are told one by one where this program reads another.
pub const OTHER_VERSIONS: usize = 16;

/// Longest checkpoint that is read, in bytes.
pub const NOTE_BYTES: u64 = 1_000_000;

/// Longest tile or bundle that is read, in bytes: 256 entries of 65,535 bytes, each behind a 2-byte length.
pub const TILE_BYTES: u64 = 256 * (65_535 + 2);

/// Longest sidecar that is read, in bytes: a file of 1 TiB with two digests of 32 bytes for each 64 KiB.
pub const SIDECAR_BYTES: u64 = 24 + 64 * (1 << 24);

/// Longest master key file, wrapped signing key and side ledger that are read, in bytes.
pub const SMALL_FILE_BYTES: u64 = 32 << 20;

/// Longest entry of the side ledger, in bytes.
pub const SIDE_ENTRY_BYTES: usize = 64 << 10;

/// How often a part is judged again because the running program changed it meanwhile.
pub const TRIES: usize = 8;

/// Bytes read at once where a frame is looked for.
pub const SEARCH_BYTES: usize = 1 << 16;

/// Deepest folder below `log/tile` and `segments` that is looked into.
pub const DEPTH: usize = 12;

/// Rows whose leaves are made and hashed together.
pub const LEAF_ROWS: usize = 256;

/// Files that are told by name when it is not known whether they belong to the folder.
pub const UNNAMED: usize = 8;
