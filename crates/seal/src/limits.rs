//! Limits of this crate, each with its unit.

/// Hashes in a full tile and entries in a full bundle (C2SP tlog-tiles).
pub const TILE_WIDTH: usize = 256;

/// Highest tile level a path may name (C2SP tlog-tiles). A log of 64-bit size needs levels 0 to 7.
pub const TILE_LEVEL_MAX: u8 = 63;

/// Longest log entry, in bytes: its length is a 16-bit number in a bundle.
pub const ENTRY_BYTES: usize = 65_535;

/// Longest signed note, in bytes.
pub const NOTE_BYTES: usize = 1_000_000;

/// Most signatures in one note. Verifiers must accept at least 16; post-quantum ones are nearly 5 kB each.
pub const NOTE_SIGNATURES: usize = 100;

/// Longest key name or log origin, in bytes.
pub const NAME_BYTES: usize = 255;

/// Longest name of a record kind, in bytes.
pub const KIND_BYTES: usize = 64;

/// Longest relative file path in an entry, in bytes.
pub const PATH_BYTES: usize = 255;

/// Longest program version text in an entry, in bytes.
pub const PROGRAM_BYTES: usize = 64;

/// Block of a file that has one digest, in bytes.
pub const DIGEST_BLOCK_BYTES: usize = 65_536;

/// Longest file with a digest sidecar, in bytes (1 TiB).
pub const FILE_BYTES: u64 = 1 << 40;

/// Rows whose salts come from one nonce. Part of the format: see `rows`.
pub const SALT_BLOCK_ROWS: u64 = 256;

/// Longest canonical row, in bytes.
pub const ROW_BYTES: usize = 1 << 20;
