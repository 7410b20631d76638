//! Limits of this crate, each with its unit.

/// Size at which a file of the write-ahead log is followed by the next, in bytes.
pub const WAL_FILE_BYTES: u64 = 256 << 20;

/// Size of the whole write-ahead log, in bytes; beyond it nothing is taken in until files are dropped.
pub const WAL_TOTAL_BYTES: u64 = 8 << 30;

/// Bytes read at once while looking for the next good frame after damage.
pub const WAL_SEARCH_BYTES: usize = 1 << 20;

/// Longest `master.key` file, in bytes.
pub const MASTER_KEY_FILE_BYTES: u64 = 4_096;

/// How long an end without a beginning waits for a beginning that was overtaken, in milliseconds.
pub const ORPHAN_MS: i64 = 120_000;

/// The same where more of them wait than there is room for, at least.
pub const ORPHAN_MS_MIN: i64 = 1_000;

/// How far the beginning that an end tells may lie from the creation that was seen and still be the same, in milliseconds: both may be in whole seconds, or
/// one of them.
pub const TOLD_MS: i64 = 1_000;

/// Longest tile or bundle of the log, in bytes: 256 entries with their lengths.
pub const TILE_FILE_BYTES: u64 = 256 * (65_535 + 2);

/// Free bytes a commit wants beside its own files: for two checkpoints and the folders.
pub const COMMIT_SPARE_BYTES: u64 = 64 << 10;

/// Gaps kept apart in memory for one source; older ones are joined beyond that.
pub const GAPS_A_SOURCE: usize = 1 << 17;

/// Bytes of keys and values one owner may have in the state map.
pub const STATE_OWNER_BYTES: u64 = 256 << 20;

/// Bytes of keys and values of all owners in the state map.
pub const STATE_TOTAL_BYTES: u64 = 512 << 20;

/// Counted for an entry of the state map beside its key and value, in bytes.
pub const STATE_ENTRY_BYTES: u64 = 64;

/// Changes of the state that are not in a snapshot before one is due, in bytes, or the size of the last snapshot if that is more.
pub const SNAPSHOT_CHANGE_BYTES: u64 = 16 << 20;

/// Age of the oldest change that is not in a snapshot before one is due, in milliseconds.
pub const SNAPSHOT_AGE_MS: u64 = 600_000;

/// Longest `weir.lock` file that is read, in bytes.
pub const LOCK_FILE_BYTES: u64 = 64;

/// Units that the catalog is given at once at a start.
pub const CATALOG_UNITS: usize = 1 << 13;

/// Units that the catalog did not take before nothing more is sealed.
pub const OWED_UNITS: usize = 1 << 16;

/// Sources in the register.
pub const SOURCES: usize = 65_536;

/// Realms in the register.
pub const REALMS: usize = 4_096;

/// Levels of the span index.
pub const LEVELS: usize = 7;

/// Longest span of each level but the last, in milliseconds: one minute, then eight times the one before.
pub const LEVEL_MS: [i64; LEVELS - 1] = [60_000, 480_000, 3_840_000, 30_720_000, 245_760_000, 1_966_080_000];

/// Blocks of addresses that sessions had, of each source one, and prefixes wider than a block: with more nothing is known of any address, and a question about one that
/// nobody has reads the history.
pub const LENT_BLOCKS: usize = 1 << 18;
/// See [`LENT_BLOCKS`].
pub const LENT_WIDE: usize = 1 << 10;

/// Width of a wide bucket, in milliseconds: that of the first level without one. Once it is over, the runs of levels with narrower buckets are gathered: half a year has
/// a quarter of a million minutes.
pub const WIDE_MS: i64 = LEVEL_MS[2];

/// Spans of runs that are gathered into one, at most: a network whose runs have more has as many as it has large ones.
pub const GATHERED_SPANS: u64 = 1 << 18;

/// Wide buckets that are gathered with one checkpoint, at most.
pub const GATHERED_BUCKETS: usize = 32;

/// Spans kept in memory before they are written as runs.
pub const SPANS_IN_MEMORY: usize = 1 << 20;

/// Runs of one bucket before they are merged into one.
pub const RUNS_A_BUCKET: usize = 4;

/// Entries looked at in one run for one key before the answer must be "too many".
pub const SPANS_A_KEY: usize = 512;

/// Rows of one seal cycle; more are sealed at once. A mapping that begins in one unit and ends in another takes twice the bytes, so units are long.
pub const CYCLE_ROWS: usize = 24 << 20;

/// Threads that make units of different kinds at once, at most: lines as they are shown, lines as they came and their words are three such works.
pub const SEALING_THREADS: usize = 3;

/// Bytes in memory of one seal cycle without NAT events, which have a size of their own; beyond them it is sealed at once. Sealing holds a sorted copy of
/// all of it (whose memory stays for the next cycle, where it needs it), the files and word indexes that are made of it, and pages of as many kinds as it has threads, so this is what bounds memory where lines
/// and sessions come fast.
pub const CYCLE_BYTES: usize = 192 << 20;

/// Bytes the store may hold in memory when nobody says otherwise.
pub const MEMORY_BYTES: u64 = 2 << 30;

/// What memory is divided by for the bytes of one seal cycle: one generation fills while another is sealed, and sealing makes columns of it, pages, a
/// file and its index.
pub const CYCLE_PART: usize = 6;

/// Bytes that sealing and the queue's thread hold whatever the size of a cycle.
pub const CYCLE_BESIDE_BYTES: usize = 120 << 20;

/// Bytes of one seal cycle, at least: what must be held whatever the limit.
pub const CYCLE_BYTES_MIN: usize = 8 << 20;

/// Bytes of the groups waiting to be written, at most and at least.
pub const QUEUE_BYTES: usize = 64 << 20;
/// See [`QUEUE_BYTES`].
pub const QUEUE_BYTES_MIN: usize = 8 << 20;

/// Bytes that an open mapping, an open session, one that has ended lately, and a span of the index take in memory, roughly.
pub const OPEN_MAPPING_BYTES: usize = 160;
/// An end that waits for its beginning, likewise.
pub const ORPHAN_BYTES: usize = 240;
/// See [`OPEN_MAPPING_BYTES`].
pub const SESSION_BYTES: usize = 1_000;
/// See [`OPEN_MAPPING_BYTES`].
pub const ENDED_SESSION_BYTES: usize = 400;
/// See [`OPEN_MAPPING_BYTES`].
pub const INDEX_SPAN_BYTES: usize = 288;

/// Groups waiting to be written.
pub const QUEUE_GROUPS: usize = 4_096;

/// Groups written with one sync.
pub const GROUPS_A_SYNC: usize = 1_024;

/// Bytes written with one sync.
pub const BYTES_A_SYNC: usize = 16 << 20;

/// How far outside its own time a unit's whole mappings may lie before they go to the span index, in milliseconds.
pub const WINDOW_SLACK_MS: i64 = 5_000;

/// How far back a unit answers for mappings that began before it, in lengths of the unit: so many units more are asked about one moment.
pub const REACH_UNITS: i64 = 7;

/// The same in milliseconds, at most: units that had to wait do not reach back for ever.
pub const REACH_MS: i64 = 480_000;

/// How far back a key day may lie before sealing, in days; older rows take that day.
pub const KEY_DAYS_BACK: i32 = 190;

/// Rows that go into the index at once: questions wait no longer than that takes.
pub const INDEX_ROWS: usize = 4_096;

/// Rows whose leaves are hashed at once.
pub const LEAF_ROWS: usize = 256;

/// The same of rows with texts: more, as sixteen of as many blocks are hashed together; whole blocks of salts.
pub const TEXT_LEAF_ROWS: usize = 512;

/// Bytes of a table that are handed to its file at once.
pub const TABLE_WRITE_BYTES: usize = 256 << 10;

/// Ended sessions that are remembered at most, so that late events of theirs are known to be late; fewer where they would take an eighth of the memory.
pub const ENDED_SESSIONS: usize = 1 << 19;

/// How long an ended session is remembered after the row that ended it was sealed, in milliseconds: an hour longer than the source that
/// gives one id to all events of a session.
pub const ENDED_MS: i64 = 7 * 3_600_000;

/// A Start that is later than its session's end by more than this many milliseconds is another login. NASes count whole seconds, and so
/// does Acct-Delay-Time.
pub const SAME_EVENT_MS: i64 = 2_500;

/// Changes of address within one session that late events may still correct.
pub const STRETCHES_A_SESSION: usize = 16;

/// Addresses and prefixes named by events of one moment, or by the ends of one session.
pub const NAMES_A_SESSION: usize = 64;

/// Units and runs that a shelf keeps open: a file or two each.
pub const SHELF_UNITS: usize = 16;
/// See [`SHELF_UNITS`]: more than the buckets of one moment have.
pub const SHELF_RUNS: usize = 64;

/// Bytes of blocks of tables on a shelf that were asked for lately; twice as many are held. Who has a session is looked for in every run of a moment, address by
/// address in no order: the runs of some 20,000 sessions fit.
pub const SHELF_BLOCK_BYTES: usize = 8 << 20;

/// Bytes of all filters of runs on a shelf: those of some five million keys.
pub const SHELF_FILTER_BYTES: usize = 8 << 20;

/// Bits of a filter for each key, and how many of them a key sets.
pub const FILTER_KEY_BITS: usize = 12;
/// See [`FILTER_KEY_BITS`].
pub const FILTER_PROBES: usize = 6;

/// Entries of a run that are read in the time in which it is asked for one key, about.
pub const FILTER_WORTH: u64 = 16;

/// Entries of a fence table that a shelf keeps decoded, of each unit.
pub const SHELF_FENCES: usize = 8;

/// Bytes of decoded pages on a shelf that were asked for lately. Beyond them, by what one unit has for a question at most, those go that were not asked for since the
/// last time: about twice as many are held, few enough to stay near the processor. A question needs some hundred kilobytes of them, and the next one the same.
pub const SHELF_BYTES: usize = 2 << 20;

/// Threads that answer many questions at once, at most: whoever else is at work needs processors, too.
pub const MANY_THREADS: usize = 4;

/// Questions that are worth a thread of their own.
pub const MANY_LEAST: usize = 64;

/// Questions of so many milliseconds are answered from address to address, one such time after the other: a shelf holds the units of that time.
pub const MANY_SPAN_MS: i64 = 600_000;

/// A question about a longer time than this is one about all time there are records of, in milliseconds.
pub const EVER_MS: i64 = 366 * 86_400_000;

/// Runs of a bucket that one merge reads at once, each an open file.
pub const MERGED_RUNS: usize = 64;

/// Ports about which one question asks again, because something of them may be on its way into the index: more of them at one moment is a network that loses much.
pub const BEGINNINGS_ASKED: usize = 32;
