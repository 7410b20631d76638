//! Everything here that grows has its limit, with its unit.

/// Subscribers of one plan, all realms together.
pub const SUBSCRIBERS_MAX: u32 = 300_000;
/// Length of one run in milliseconds: port hold times are kept as 32-bit milliseconds since the run began.
pub const RUN_MS_MAX: i64 = 40 * weir_base::time::DAY_MS;
/// Events per simulated second.
pub const RATE_MAX: u32 = 5_000_000;
/// Mappings open at one moment.
pub const OPEN_MAPPINGS_MAX: usize = 8_000_000;
/// Bytes of one export datagram: below an Ethernet frame less IPv6 and UDP headers.
pub const DATAGRAM_BYTES: usize = 1_400;
/// Bytes of one RADIUS packet (RFC 2865 section 3).
pub const RADIUS_BYTES: usize = 4_096;
/// RADIUS requests without an answer at one moment, a NAS; the identifier has eight bits.
pub const RADIUS_WINDOW_MAX: usize = 256;
/// RADIUS requests waiting for room in the window, a NAS.
pub const RADIUS_QUEUE: usize = 65_536;
/// Events of one forum: they are read back in one view, with room for twice as many.
pub const FORUM_EVENTS: u64 = 45_000;
/// Datagrams a reordering window may hold back.
pub const REORDER_MAX: u32 = 4_096;
/// Lines of a truth file the checker loads.
pub const TRUTH_LINES_MAX: u64 = 30_000_000;
/// Bytes of one line of a truth file.
pub const TRUTH_LINE_BYTES: usize = 16_384;
/// Wrong answers a report shows in full.
pub const SHOWN_WRONG: usize = 20;
/// Questions handed to the asker at once.
pub const BATCH: usize = 256;
/// Answers with several holders that wait until the ids in them are known.
pub const LATER: usize = 100_000;
