//! Limits of the IPFIX source, each with its unit.

/// Most exporters known at one time.
pub const EXPORTERS: usize = 4096;

/// Most observation domains (source ids in v9) an exporter may use.
pub const DOMAINS: usize = 256;

/// Most templates an exporter may have announced in one domain.
pub const TEMPLATES: usize = 1024;

/// Most fields in a template.
pub const TEMPLATE_FIELDS: usize = 512;

/// Longest record that is decoded, in bytes; a fixed-length template with longer records is kept but its records are malformed.
pub const RECORD_BYTES: usize = 65_535;

/// A template that was neither announced nor used for so long is forgotten, in milliseconds.
pub const TEMPLATE_LIFE_MS: i64 = 24 * 3_600_000;

/// Bytes of sets with an unknown template kept for an exporter, contents and bookkeeping.
pub const PENDING_BYTES: usize = 64 << 20;

/// Time a set with an unknown template is kept, in milliseconds.
pub const PENDING_MS: i64 = 30 * 60_000;

/// How long after a gap opened a late datagram still amends it, in milliseconds of arrival time.
pub const REORDER_MS: i64 = 10_000;

/// How far behind the newest export header a late datagram may be before it is taken for a restarted exporter, in milliseconds.
pub const LATE_HEADER_MS: i64 = 30_000;

/// Most holes in a sequence that can still be filled at one time; the oldest is closed when there are more.
pub const HOLES: usize = 256;

/// Datagrams remembered to recognise duplicates.
pub const RECENT: usize = 512;

/// A jump forward by more units than this (records in IPFIX, packets in v9) is not counted: how many were lost is unknown.
pub const SEQUENCE_JUMP: u32 = 1 << 28;

/// A step back by more units than this cannot be a late datagram.
pub const SEQUENCE_BACK: u32 = 1 << 20;

/// Steps back of up to so many units with a later export time are not taken for a restart.
pub const RACE_UNITS: u32 = 256;

/// Shortest time between two new gap records of one exporter and domain, in milliseconds.
pub const GAP_INTERVAL_MS: i64 = 1_000;

/// Holes whose header times lie closer than this join one gap, in milliseconds.
pub const GAP_JOIN_MS: i64 = 1_000;

/// Gaps of one exporter and domain that wait to be written; beyond that they join.
pub const GAPS_UNWRITTEN: usize = 256;

/// Restarts in [`UNUSABLE_MS`] after which sequence numbers are taken as unusable.
pub const RESTARTS: usize = 8;

/// See [`RESTARTS`]; also how long sequence numbers are then not judged, in milliseconds.
pub const UNUSABLE_MS: i64 = 60_000;

/// Clock difference up to which a restart is not assumed from the start time in v9 headers, in milliseconds.
pub const BOOT_JITTER_MS: i64 = 10_000;

/// Window of the clock offset estimate, in milliseconds.
pub const OFFSET_WINDOW_MS: i64 = 300_000;

/// Length of one step of that window, in milliseconds.
pub const OFFSET_STEP_MS: i64 = 10_000;

/// Time over which the lateness of an exporter's events is kept, in milliseconds; once to twice as long.
pub const LATENESS_WINDOW_MS: i64 = 300_000;

/// Longest lateness believed, in milliseconds: what is older than that when it is sent is dated wrongly.
pub const LATENESS_MAX_MS: i64 = 600_000;

/// `malformed` records written a minute and exporter; more are counted, and the count is recorded when the minute ends.
pub const MALFORMED_PER_MINUTE: u32 = 60;

/// Raw bytes kept with a `malformed` record, in bytes.
pub const RAW_BYTES: usize = 1_500;

/// Raw records written when sets with an unknown template are given up, a minute and exporter.
pub const RAW_PER_MINUTE: u32 = 60;

/// Largest datagram, in bytes.
pub const DATAGRAM_BYTES: usize = 65_535;

/// Receive buffer asked of the kernel for a UDP socket, in bytes.
pub const SOCKET_BUFFER: usize = 64 << 20;

/// Rows after which a batch is handed to the sink.
pub const BATCH_ROWS: usize = 32_768;

/// Longest time rows wait for a batch to fill, in milliseconds.
pub const BATCH_WAIT_MS: i64 = 20;

/// How long a socket that was read empty is left alone while rows wait for a batch, in milliseconds: datagrams then come many with a call. A receive
/// buffer of the kernel's default (212,992 bytes) holds what 1.5 million events a second send in twice that.
pub const GATHER_MS: u64 = 2;

/// Time between looks at what is due: gaps, sets that waited too long, drops of the kernel, in milliseconds.
pub const TICK_MS: i64 = 250;

/// Time between tries to hand over what was not kept (disk full), in milliseconds.
pub const RETRY_MS: u64 = 500;

/// Reads in a row before a socket's thread looks at anything else.
pub const READS: usize = 16;

/// TCP connections at one time.
pub const CONNECTIONS: usize = 256;

/// Configured exporters.
pub const CONFIG_EXPORTERS: usize = 65_536;

/// Rows that the port blocks with a step (portRangeStepSize above 1) of one set may become.
pub const BLOCK_ROWS: usize = 65_536;

/// Longest that a mapping lasted whose end tells when it began, in milliseconds: a clock that was set in between would tell of years.
pub const TOLD_BACK_MS: i64 = 31 * 86_400_000;
