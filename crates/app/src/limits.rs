//! Limits of the program, each with its unit.

/// Longest configuration file, in bytes.
pub const CONFIG_BYTES: u64 = 4 << 20;

/// Most problems of a configuration that are listed; how many more there are is counted.
pub const CONFIG_PROBLEMS: usize = 200;

/// Most entries of one list in the configuration.
pub const CONFIG_LIST: usize = 65_536;

/// Longest origin of the log, in bytes.
pub const ORIGIN_BYTES: usize = 128;

/// Longest time rows wait until they are sealed, in milliseconds.
pub const SEAL_EVERY_MS: i64 = 60_000;

/// Smallest write-ahead log that can be asked for, in bytes.
pub const WAL_BYTES_MIN: u64 = 64 << 20;

/// Smallest memory that can be asked for, in bytes.
pub const MEMORY_BYTES_MIN: u64 = 512 << 20;

/// Most that may be configured as the memory of the program, in bytes; at a start the machine's own is the most.
pub const MEMORY_BYTES_MAX: u64 = 1 << 40;

/// Memory that is taken at most when nobody says how much, in bytes.
pub const MEMORY_AUTO_MAX: u64 = 4 << 30;

/// Of it what the program itself takes: its code, its threads, what sources and the desk hold, in bytes.
pub const PROGRAM_BYTES: u64 = 128 << 20;

/// Rows of one sealed unit at most.
pub const UNIT_ROWS_MAX: usize = 32 << 20;

/// Longest request or answer on the socket, in bytes.
pub const LINE_BYTES: usize = 4 << 20;

/// Requests of one connection answered together: their ledger records share one commit.
pub const BATCH_REQUESTS: usize = 1_024;

/// Questions in one request.
pub const REQUEST_QUESTIONS: usize = 4_096;

/// Largest file of questions, in bytes.
pub const BATCH_BYTES: u64 = 256 << 20;

/// Questions of a file handed over at once, at most: those about one time and address share what is read for them.
pub const BATCH_QUESTIONS: usize = 25_000;

/// Candidates of one answer of a file at most; the rest are counted. So a part's answers fit into a line, however many share an address.
pub const BATCH_CANDIDATES: usize = 16;

/// Parts of a file that are answered together, where they follow each other at once: what is read for one is at hand for all.
pub const BATCH_TOGETHER: usize = 4;

/// Bytes of a part of a file, at most, as long as a line is no longer: as a request it is half as long again.
pub const BATCH_PART_BYTES: usize = 2 << 20;

/// Batches of questions under way at once.
pub const BATCHES: usize = 16;

/// How long a batch waits for its next part, in milliseconds.
pub const BATCH_IDLE_MS: i64 = 600_000;

/// Connections to the socket at once.
pub const CONNECTIONS: usize = 64;

/// How long a thread of the socket waits before it looks whether the program stops, in milliseconds.
pub const SOCKET_WAIT_MS: u64 = 200;

/// How long a command waits for an answer from the program, in seconds.
pub const ANSWER_WAIT_S: u64 = 300;

/// Longest path that fits the address of a Unix socket on every Unix, in bytes.
pub const SOCKET_PATH_BYTES: usize = 100;

/// Rows that `weir records` shows unless asked for more.
pub const RECORDS_DEFAULT: usize = 100;

/// Rows that `weir records` shows at most.
pub const RECORDS_MAX: usize = 100_000;

/// Size of the side ledger that off-line questions are written to, in bytes; more are refused until the program has taken them over.
pub const SIDE_LEDGER_BYTES: u64 = 16 << 20;

/// Longest entry of the side ledger, in bytes.
pub const SIDE_ENTRY_BYTES: usize = 64 << 10;

/// Question rows of one group when the side ledger is taken over.
pub const SIDE_GROUP_ROWS: usize = 4_096;

/// Longest purpose or other word of a request, in bytes.
pub const WORD_BYTES: usize = 64;

/// Records of the program's own that wait for room on a full disk.
pub const ACTIONS_WAITING: usize = 1_024;

/// How often the program looks at its own health, in milliseconds.
pub const WATCH_MS: u64 = 1_000;

/// How often it says so, in milliseconds.
pub const HEALTH_LINE_MS: i64 = 60_000;

/// How far before its registration a source's first records may begin to count as covered, in milliseconds (one day).
pub const COVER_BACK_MS: i64 = 86_400_000;

/// How long after a source's registration its earliest records are looked for, in milliseconds.
pub const COVER_LEARN_MS: i64 = 60_000;

/// Difference of a source's clock from what is known of it that is kept, in milliseconds.
pub const CLOCK_SAME_MS: u64 = 100;

/// A single measure of a clock is known to less than this, in milliseconds: times of sending are whole seconds.
pub const CLOCK_SECOND_MS: i64 = 1_000;

/// Changes of one source's clock that are kept; the oldest are joined.
pub const CLOCK_ENTRIES: usize = 4_096;

/// How long before a moment a measure of a clock counts for it, in milliseconds.
pub const CLOCK_BEFORE_MS: i64 = 10_000;

/// How long after it, in milliseconds: a clock that was set back shows after the five minutes of its minimum filter.
pub const CLOCK_AFTER_MS: i64 = 310_000;

/// How long `weir simulate` waits at most until the program has all it sent, in milliseconds.
pub const SETTLE_MS: u64 = 10_000;

/// How often it looks, in milliseconds.
pub const SETTLE_STEP_MS: u64 = 50;

/// How far before the end of the run an exporter's records may reach to count as complete, in milliseconds: headers say whole seconds.
pub const SETTLED_MS: i64 = 1_500;

/// How long a gap that a late datagram has filled may stand before it is amended, in milliseconds.
pub const DETOUR_MS: u64 = 1_500;

/// Lines that `weir dialect test` reads.
pub const SAMPLE_LINES: usize = 1_000_000;

/// Past sessions of one request of an import.
pub const IMPORT_SESSIONS: usize = 500;

/// Bad lines of an import that are listed; how many more there are is counted.
pub const IMPORT_BAD_LINES: usize = 50;

/// Sessions that the preview of an import shows.
pub const IMPORT_PREVIEW: usize = 10;

/// Lines read of what somebody pastes.
pub const PASTE_LINES: usize = 1_000;

/// Longest line of what somebody pastes, in bytes.
pub const PASTE_LINE_BYTES: usize = 8_192;

/// Questions in one request of the desk.
pub const DESK_QUESTIONS: usize = 1_000;

/// Rows of one page of the desk's lists.
pub const DESK_ROWS: usize = 1_000;

/// Inputs not understood that the desk shows of a source.
pub const DESK_MALFORMED: usize = 100;

/// Gaps that the overview shows.
pub const DESK_GAPS: usize = 50;

/// Rows of gaps looked through for them: an amendment is a row too.
pub const DESK_GAP_ROWS: usize = 400;

/// How long the list of gaps stands until it is read anew, in milliseconds.
pub const DESK_GAPS_MS: i64 = 10_000;

/// Notices of sources that the overview shows; how many more there are is said.
pub const DESK_NOTICES: usize = 20;

/// Time between two samples of the counters, in milliseconds.
pub const SAMPLE_MS: i64 = 10_000;

/// Samples kept: 24 hours.
pub const SAMPLES: usize = 8_641;

/// Points of a source's small chart, a minute each.
pub const SPARK_POINTS: usize = 60;

/// A source that has sent nothing for so long is silent, in milliseconds.
pub const SILENT_MS: i64 = 300_000;

/// Points of the overview's chart at most.
pub const SERIES_POINTS: usize = 360;

/// Longest reason that is taken, in characters.
pub const REASON_CHARS: usize = 200;

/// Shortest reason that is taken, in characters.
pub const REASON_CHARS_MIN: usize = 4;

/// Changes of settings in one request.
pub const SETTING_CHANGES: usize = 64;

/// Longest value of a setting that the desk takes, in bytes.
pub const SETTING_BYTES: usize = 64 << 10;

/// Largest file of settings changed at the desk, in bytes.
pub const SETTINGS_BYTES: u64 = 1 << 20;

/// Accounts of the socket that the configuration may name.
pub const SOCKET_UIDS: usize = 1_024;

/// Statements of SQL under way at once, of the desk and of the socket.
pub const SQL_STATEMENTS: usize = 4;

/// Shortest time that a statement of SQL may be given, in milliseconds.
pub const SQL_MS_MIN: i64 = 1_000;

/// Longest time that a statement of SQL may be given, in milliseconds: a command waits somewhat longer ([`ANSWER_WAIT_S`]).
pub const SQL_MS_MAX: i64 = 240_000;

/// Rows of an export that are written out at once.
pub const EXPORT_ROWS: usize = 4_096;

/// Bytes of an export handed over at once, and somewhat more.
pub const EXPORT_PART_BYTES: usize = 64 << 10;

/// Longest cell of a table that is not the last of its row, in characters.
pub const CELL_CHARS: usize = 80;
