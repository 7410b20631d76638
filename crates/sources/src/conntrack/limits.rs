//! Limits of the conntrack source, each with its unit.

/// Network namespaces watched at once.
pub const NAMESPACES: usize = 64;

/// Longest name of a namespace, in bytes (a file name).
pub const NAMESPACE_BYTES: usize = 255;

/// Translated connections followed at once in one namespace. More are counted and their events lost.
pub const CONNECTIONS_MAX: usize = 1 << 20;

/// Receive buffer asked of the kernel for events, in bytes.
pub const RECEIVE_BUFFER: usize = 16 << 20;

/// Largest netlink datagram read, in bytes: the kernel sends one message an event and fills a page or two when it dumps.
pub const DATAGRAM_BYTES: usize = 128 << 10;

/// Reads in a row before rows are handed over.
pub const READS: usize = 4_096;

/// Rows after which a group is handed to the sink. A change of state goes with each.
pub const BATCH_ROWS: usize = 16_384;

/// Longest time rows wait for a batch to fill, in milliseconds.
pub const BATCH_WAIT_MS: i64 = 20;

/// How often the source says that nothing was lost while nothing happens, in milliseconds.
pub const HEARTBEAT_MS: i64 = 2_000;

/// Longest wait for an event before the time is looked at, in milliseconds.
pub const TICK_MS: i64 = 250;

/// Time between tries to open a namespace, or to hand over what was not kept, in milliseconds.
pub const RETRY_MS: u64 = 1_000;

/// How long the kernel may take for one piece of a dump, in milliseconds.
pub const DUMP_WAIT_MS: i64 = 5_000;

/// Shortest time between two dumps after losses, in milliseconds: under a flood one dump must not follow the other.
pub const RESYNC_MS: i64 = 1_000;

/// Dumps that the kernel may interrupt before one is taken as failed.
pub const DUMP_TRIES: usize = 8;
