//! Limits of the DHCP source, each with its unit.

/// Lease files.
pub const FILES: usize = 64;

/// Addresses remembered of one file, leased now or before. More are counted and not kept.
pub const LEASES_MAX: usize = 1 << 19;

/// Longest line of a lease file, in bytes.
pub const LINE_BYTES: usize = 16_384;

/// Bytes of a Kea file taken in one look; a group follows each.
pub const READ_BYTES: usize = 256 << 10;

/// Largest file of dnsmasq, which is read as a whole, in bytes.
pub const WHOLE_BYTES: u64 = 64 << 20;

/// How often a file is looked at, in milliseconds.
pub const LOOK_MS: u64 = 500;

/// How often the source says that it has everything while nothing happens, in milliseconds.
pub const HEARTBEAT_MS: i64 = 5_000;

/// How long after an acknowledgement its line may reach the file, in milliseconds.
pub const WRITE_MS: i64 = 1_000;

/// How long after its end a lease is remembered, so that its old lines are not taken for new ones, in milliseconds (30 days).
pub const FORGET_MS: i64 = 30 * 86_400_000;

/// Leases ended or forgotten in one look.
pub const TICK_LEASES: usize = 4_096;

/// Longest name of a client: hardware address, DUID or client id, in bytes.
pub const CLIENT_BYTES: usize = 400;
