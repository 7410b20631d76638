//! Limits of the syslog source, each with its unit.

/// Longest line that is kept whole, in bytes; a longer one is cut here and marked. RFC 5425 section 4.3.1 asks for 8,192.
pub const LINE_BYTES: usize = 32_768;

/// Longest frame that octet counting may announce, in bytes. What announces more is no frame.
pub const FRAME_BYTES: usize = 1 << 20;

/// Digits of the longest octet count.
pub const COUNT_DIGITS: usize = 7;

/// Longest header of a RELP frame (transaction number, command, length), in bytes.
pub const RELP_HEADER_BYTES: usize = 64;

/// Connections at one time, over TCP, TLS and RELP together.
pub const CONNECTIONS: usize = 1_024;

/// Bytes read from a connection at once.
pub const READ_BYTES: usize = 65_536;

/// Reads in a row before a thread looks at anything else.
pub const READS: usize = 16;

/// Bytes that wait to be written to one connection (TLS records, RELP answers); a peer that reads nothing is cut off beyond them.
pub const WRITE_BYTES: usize = 1 << 20;

/// A TLS connection whose handshake is not done after so long is closed, in milliseconds.
pub const HANDSHAKE_MS: i64 = 10_000;

/// Largest datagram, in bytes.
pub const DATAGRAM_BYTES: usize = 65_535;

/// Receive buffer asked of the kernel for a UDP socket, in bytes.
pub const SOCKET_BUFFER: usize = 16 << 20;

/// Most senders that are a source of their own; lines of more are kept under one source an entry of the configuration.
pub const SENDERS: usize = 4_096;

/// Most sender entries in the configuration.
pub const CONFIG_SENDERS: usize = 4_096;

/// Most characters of the structured data and of each header field that are kept.
pub const HEADER_CHARS: usize = 255;

/// Most structured data that is kept, in bytes.
pub const DATA_BYTES: usize = 8_192;

/// Time of a line further from its arrival than this is not believed, in milliseconds (ahead).
pub const AHEAD_MS: i64 = 26 * 3_600_000;

/// The same, behind: lines may have waited in a relay.
pub const BEHIND_MS: i64 = 30 * 86_400_000;

/// Lines of one sender, over all its connections, that are remembered to tell a possible double.
pub const DOUBLES: usize = 2_048;

/// The same of all senders together: some 60 bytes each.
pub const DOUBLES_ALL: usize = 1 << 20;

/// Lines of one sender that were answered and are remembered through a restart, to tell a possible double: twice the window of librelp.
pub const ANSWERED: usize = 256;

/// Rows after which a group is handed to the sink.
pub const BATCH_ROWS: usize = 8_192;

/// Bytes of lines after which a group is handed to the sink.
pub const BATCH_BYTES: usize = 8 << 20;

/// Longest time rows wait for a group to fill, in milliseconds.
pub const BATCH_WAIT_MS: i64 = 20;

/// Groups on their way to the log at one time; beyond them nothing is read.
pub const GROUPS_AHEAD: usize = 16;

/// Time between looks at what is due, in milliseconds.
pub const TICK_MS: i64 = 250;

/// Longest time between notes of the moment up to which everything is kept, in milliseconds.
pub const STAND_MS: i64 = 60_000;

/// Time between tries to hand over what was not kept, in milliseconds.
pub const RETRY_MS: u64 = 500;

/// `malformed` records written a minute and reason; more are counted.
pub const MALFORMED_PER_MINUTE: u32 = 60;

/// Raw bytes kept with a `malformed` record, in bytes.
pub const RAW_BYTES: usize = 2_048;

/// Beginning of a malformed input whose shape is kept, in bytes.
pub const SHAPE_BYTES: usize = 64;

/// Largest dialect file, in bytes.
pub const DIALECT_BYTES: u64 = 1 << 20;

/// Most dialect files in the configuration.
pub const DIALECT_FILES: usize = 64;

/// Most rules of one dialect.
pub const RULES: usize = 1_024;

/// Most parts of one pattern.
pub const PATTERN_PARTS: usize = 64;

/// Steps that matching one pattern may take; a line that needs more does not match.
pub const MATCH_STEPS: usize = 1_024;

/// Longest name of a zone behind an IPv6 address, in bytes: twice what Linux gives an interface.
pub const ZONE_BYTES: usize = 32;

/// Longest DHCP unique identifier, in bytes (RFC 8415 section 11.1: two of type and 128).
pub const DUID_PAIRS: usize = 130;

/// Shortest run of pairs of hexadecimal digits that is taken for one in text that no dialect knows: eight may be an IPv6 address.
pub const DUID_SURE: usize = 9;

/// Longest name before the `@` of a mail address, in bytes (RFC 5321 section 4.5.3.1.1).
pub const MAIL_NAME_BYTES: usize = 64;

/// Longest account between quotes, in bytes.
pub const QUOTED_BYTES: usize = 256;

/// Most keys (`name=value`) that are read from one line.
pub const PAIRS: usize = 256;

/// Most values of one line that are replaced in its redacted form.
pub const REDACTIONS: usize = 512;

/// Entries of one line whose addresses are looked for amid letters.
pub const GLUED_ENTRIES: usize = 64;

/// How far behind `curl` its option `-uNAME:SECRET` is looked for, in bytes.
pub const OPTION_BYTES: usize = 256;

/// Leases followed at one time.
pub const LEASES: usize = 262_144;

/// Inquiries about addresses that wait for their answers: a server answers one after the other.
pub const INQUIRIES: usize = 1_024;

/// How long one waits, in milliseconds.
pub const INQUIRY_MS: i64 = 5_000;

/// NAT mappings without an end that are followed at one time.
pub const OPEN_MAPPINGS: usize = 262_144;

/// Topics of RouterOS in front of a message, in bytes.
pub const TOPICS_BYTES: usize = 64;

/// Most changes of followed leases and mappings that one tick makes.
pub const TICK_CHANGES: usize = 4_096;

/// Entries of one NAT line (Cisco puts several into a datagram); those beyond are counted as not understood.
pub const NAT_ENTRIES: usize = 1_024;

/// What zones differ by, in milliseconds.
pub const QUARTER_MS: i64 = 15 * 60_000;

/// How far from whole quarters of an hour the times of lines may be that stand by another zone, in milliseconds: travel, and a clock that drifts.
pub const ZONE_DRIFT_MS: i64 = 60_000;

/// Most quarters of an hour between two zones (UTC-12 to UTC+14).
pub const ZONE_QUARTERS: i64 = 26 * 4;
