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

/// Interfaces listened on.
pub const CAPTURES: usize = 16;

/// Longest name of an interface in bytes (`IFNAMSIZ` less its end).
pub const INTERFACE_BYTES: usize = 15;

/// VLAN tags before an IPv4 packet.
pub const VLAN_TAGS: usize = 2;

/// Longest frame taken, in bytes. Frames are no longer than the interface's MTU and some.
pub const FRAME_BYTES: usize = 65_600;

/// Receive buffer asked for, in bytes; the kernel gives at most net.core.rmem_max.
pub const RECEIVE_BUFFER: usize = 4 << 20;

/// Frames read before what they told is handed over.
pub const READS: usize = 1_024;

/// Longest wait for a frame, in milliseconds.
pub const TICK_MS: i64 = 500;

/// How long until an interface that could not be listened on is tried again, in milliseconds.
pub const RETRY_MS: u64 = 1_000;

/// For so long the same acknowledgement is taken for the same one on its way through a relay, in milliseconds.
pub const COPY_MS: i64 = 500;

/// Acknowledgements remembered for that.
pub const COPIES: usize = 1_024;

/// Bad lines of one file that are remembered as told.
pub const TOLD_LINES: usize = 4_096;
