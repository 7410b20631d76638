//! Limits of the RADIUS source, each with its unit.

/// Shortest packet in bytes: the header alone (RFC 2865 section 3).
pub const PACKET_MIN_BYTES: usize = 20;
/// Longest packet in bytes (RFC 2865 section 3).
pub const PACKET_MAX_BYTES: usize = 4096;
/// Most attributes in one packet. Real accounting packets carry 20 to 60; a packet of empty attributes could carry 2,038.
pub const ATTRIBUTES_MAX: usize = 512;
/// Most IP-Port-Range and IP-Port-Forwarding-Map attributes used from one message, together.
pub const PORT_RANGES_MAX: usize = 64;
/// Most IPv6 prefixes of one sort used from one message.
pub const PREFIXES_MAX: usize = 8;
/// Most broken attributes named in one malformed record.
pub const PROBLEMS_MAX: usize = 8;
/// Longest text kept of one attribute in bytes: one attribute cannot carry more (RFC 2865 section 5), detail files could.
pub const TEXT_MAX_BYTES: usize = 253;

/// Longest secret in bytes.
pub const SECRET_MAX_BYTES: usize = 1024;
/// Most clients of one source.
pub const CLIENTS_MAX: usize = 16_384;

/// Packets taken from the socket before they are handed to the sink as one group, about.
pub const BATCH_PACKETS: usize = 1_024;
/// Packets handed to the sink and not yet durable. More are dropped unanswered: their NAS sends them again.
pub const IN_FLIGHT_PACKETS: usize = 16_384;
/// Answered packets remembered so that a retransmission is answered again at once.
pub const ANSWERED_PACKETS: usize = 65_536;
/// How long an answered packet is remembered, in milliseconds.
pub const ANSWERED_MS: i64 = 30_000;

/// Sessions followed at once. One more is recorded but not followed: nothing is inferred about it.
pub const SESSIONS_MAX: usize = 1_000_000;
/// Port blocks and forwarded ports followed of one session.
pub const SESSION_BLOCKS_MAX: usize = 64;
/// How long a closed session is remembered so that its late or repeated packets are told from new ones, in milliseconds.
pub const CLOSED_MS: i64 = 6 * 3_600_000;
/// Closed sessions or expired entries dropped from the state in one tick.
pub const TICK_CHANGES: usize = 4_096;
/// Sessions that one message (Accounting-On, say) may close in one group; the rest follow in the next groups.
pub const CLOSE_BATCH: usize = 4_096;
/// An update without an Event-Timestamp that comes within this many milliseconds of a message that ended its session (a reboot, another
/// holder of its address) was sent before that: NASes and relays send again what was not answered.
pub const LATE_UPDATE_MS: i64 = 300_000;
/// Event times of one event told twice may differ by this many milliseconds: Acct-Delay-Time and Event-Timestamp count whole seconds,
/// and the packet travels.
pub const SAME_EVENT_MS: i64 = 2_500;
/// The same packet but for its delay counts as a retransmission when it comes within this many milliseconds of the first, even where the
/// NAS's delays do not add up.
pub const RETRANSMIT_MS: i64 = 300_000;
/// The same for Accounting-On and -Off, which look alike at every reboot: shorter than a reboot takes, in milliseconds.
pub const REBOOT_MS: i64 = 60_000;
/// An Event-Timestamp further ahead of arrival than this many milliseconds is not believed (25 hours: a wrong zone is still shown as
/// an offset).
pub const EVENT_AHEAD_MS: i64 = 25 * 3_600_000;
/// An Event-Timestamp before this instant, in milliseconds since the Unix epoch, is a clock never set (2001-09-09).
pub const EVENT_FIRST_MS: i64 = 1_000_000_000_000;
/// Longest Acct-Delay-Time believed, in seconds (30 days).
pub const DELAY_MAX_S: u32 = 30 * 86_400;

/// Malformed records written a minute for all noise of one reason; the rest is counted and the count recorded.
pub const NOISE_RECORDS_PER_MINUTE: u32 = 20;
/// Bytes of a bad packet kept in its malformed record.
pub const MALFORMED_COPY_BYTES: usize = 512;

/// Bytes of a bad input whose shape is shown.
pub const SHAPE_BYTES: usize = 64;

/// Longest block of a detail file, in bytes.
pub const DETAIL_BLOCK_BYTES: usize = 65_536;
/// Bytes read from a detail file at once.
pub const DETAIL_READ_BYTES: usize = 256 * 1024;
/// Blocks of a detail file in one group.
pub const DETAIL_BATCH_BLOCKS: usize = 512;
/// Detail files followed at once in one folder.
pub const DETAIL_FILES_MAX: usize = 4_096;

/// Longest encoded state entry in bytes: five texts of 1,012 bytes (253 octets, each escaped), 21 further prefixes of at most 46 bytes, 64
/// port blocks of 41 bytes, and the rest.
pub const STATE_ENTRY_BYTES: usize = 10_240;
/// Sessions whose state is written anew in one group after a group was refused.
pub const REWRITE_BATCH: usize = 4_096;

/// NASes that get a source number of their own; the messages of more count for the listener.
pub const NAS_MAX: usize = 16_384;
/// Rows for which room is kept from one group to the next.
pub const SPARE_ROWS: usize = 4_096;
/// NASes whose keys are kept at hand.
pub const NAS_KEYS: usize = 1_024;
/// Longest source name in bytes.
pub const SOURCE_NAME_BYTES: usize = 128;
/// Bindings kept for the next group when theirs was not kept.
pub const BINDINGS_PENDING: usize = 65_536;
/// Gaps kept for the next group when theirs was not kept.
pub const GAPS_PENDING: usize = 1_024;
/// Window over which a NAS clock's offset is taken, in milliseconds.
pub const OFFSET_WINDOW_MS: i64 = 300_000;

/// How much an Event-Timestamp (RFC 2869 section 5.3) is cut by at most, in milliseconds.
pub const STAMP_CUT_MS: i64 = 999;
/// State changes after which a group is closed though more packets wait.
pub const GROUP_CHANGES: usize = 16_384;
/// Bytes of one read: a datagram of any length, or several of one length that the kernel joined.
pub const DATAGRAM_BYTES: usize = 65_536;
/// How long a socket's thread waits for a datagram before it looks at the time, in milliseconds.
pub const READ_TIMEOUT_MS: i64 = 200;
/// With so many packets on their way to the log, a socket's thread lets more come before it reads.
pub const GATHER_PACKETS: usize = 64;
/// How long it lets them come, in milliseconds.
pub const GATHER_MS: u64 = 1;
/// Answers sent with one call.
pub const ANSWERS_A_CALL: usize = 64;
/// Longest answer that is joined with others of its length to one sender, in bytes: it fits into every path, and 64 of them into one call.
pub const JOINED_BYTES: usize = 1_000;
/// How long answers wait for room in the socket, in milliseconds; then they are lost, and their packets come again.
pub const ANSWER_WAIT_MS: i64 = 100;
/// How often the kernel's drop counter is read, in milliseconds.
pub const DROPS_EVERY_MS: i64 = 10_000;
/// How long a file must be quiet before it is deleted, in milliseconds.
pub const DETAIL_GRACE_MS: i64 = 2_000;
/// How long the position in a file is kept after it was last read, in milliseconds (40 days).
pub const DETAIL_FORGET_MS: i64 = 40 * 86_400_000;
/// Bytes at a file's begin by which it is known.
pub const DETAIL_HEAD_BYTES: u32 = 256;
/// How long to wait at the end of all detail files before looking again, in milliseconds.
pub const DETAIL_WAIT_MS: u64 = 500;
