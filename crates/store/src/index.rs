//! The index: what is open, and spans that no sealed unit answers by itself.
//!
//! A span lies in a level by how long before its sealing it began, and in a bucket of that level by when it was sealed (never before its own
//! end). So whatever covers an instant T lies, in each level, in the bucket of T or in the one after it, however late it came.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::disk::SharedDisk;
use weir_base::time::{Day, Millis};
use weir_record::Id;
use weir_record::kinds::{Gap, RadiusSession, RowType, flags};
use weir_record::stored::keyring::KeyId;

use crate::catalog::RunMeta;
use crate::gaps::Gaps;
use crate::keyring::Keyring;
use crate::limits::{EVER_MS, LEVEL_MS, LEVELS, RUNS_A_BUCKET, SPANS_A_KEY, WIDE_MS};
use crate::nat::columns::Columns;
use crate::nat::mapping::{Mapping, RowRef};
use crate::nat::open::{Open, OpenTable, Orphans};
use crate::session::lent::Lent;
use crate::session::span::SessionSpan;
use crate::session::table::SessionTable;
use crate::shelf::Shelf;
use crate::spankey::{END_KEY_BYTES, EndKey, from_sortable, span_key};
use crate::table::{Stats, TableError, TableReader, TableWriter};

/// Folder of the runs.
pub const RUNS: &str = "index/runs";

/// A span as the index keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// When it began (or is thought to have).
    pub start: Millis,
    /// When it ended.
    pub end: Millis,
    /// A mapping's or a session's bytes.
    pub payload: Vec<u8>,
}

/// What memory says of a question to the span index.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// Spans in memory.
    pub stored: Vec<Stored>,
    /// Runs that must be read too.
    pub runs: Vec<Arc<RunMeta>>,
    /// False where there are too many to look through.
    pub whole: bool,
}

impl Planned {
    /// An error where the answer would not be complete.
    pub fn checked(self) -> Result<Planned, TableError> {
        if self.whole { Ok(self) } else { Err(too_many()) }
    }
}

fn too_many() -> TableError {
    TableError::Other("too many mappings of one port, or sessions of one address: the answer would not be complete".to_owned())
}

/// Set in the level of a run of a wide bucket: that of all its spans is the rest of the number.
const WIDE: u8 = 1 << 7;

/// The earliest start of what reaches `from`: in every level but the last a span is never longer than the level is wide.
fn earliest(level: u8, from: Millis) -> Millis {
    let level = level & !WIDE;
    if usize::from(level) + 1 < LEVELS { from.plus(-width(level)) } else { Millis(i64::MIN) }
}

/// The wide bucket around one, where there is one: levels of short spans have many buckets.
fn wide(of: Bucket) -> Option<Bucket> {
    let narrow = of.0 & WIDE == 0 && width(of.0) < WIDE_MS;
    narrow.then(|| (of.0 | WIDE, of.1.saturating_mul(width(of.0)).div_euclid(WIDE_MS)))
}

type Bucket = (u8, i64);
type InMemory = BTreeMap<[u8; END_KEY_BYTES + 12], (Millis, Vec<u8>)>;

/// Spans, in memory and in runs.
#[derive(Clone, Default)]
pub struct Spans {
    memory: BTreeMap<Bucket, InMemory>,
    in_memory: usize,
    number: u32,
    runs: BTreeMap<Bucket, Vec<Arc<RunMeta>>>,
    /// By level, the wide bucket before which no narrow run is to be gathered.
    gathered: BTreeMap<u8, i64>,
}

fn width(level: u8) -> i64 {
    LEVEL_MS.get(usize::from(level)).copied().unwrap_or(i64::MAX)
}

fn bucket_of(level: u8, time: Millis) -> i64 {
    if usize::from(level) + 1 >= LEVELS { 0 } else { time.0.div_euclid(width(level)) }
}

impl Spans {
    /// Adds a span that was sealed at `sealed`.
    pub fn insert(&mut self, key: &EndKey, start: Millis, end: Millis, sealed: Millis, payload: Vec<u8>) {
        let placed = sealed.max(end);
        let age = placed.since(start);
        let level = LEVEL_MS.iter().position(|w| age <= *w).unwrap_or(LEVELS - 1) as u8;
        self.number = self.number.wrapping_add(1);
        let bucket = self.memory.entry((level, bucket_of(level, placed))).or_default();
        bucket.insert(span_key(key, start, self.number), (end, payload));
        self.in_memory += 1;
    }

    /// Spans in memory.
    pub fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// Buckets that may hold what covers any instant of the span.
    fn buckets(from: Millis, to: Millis) -> Vec<Bucket> {
        let mut buckets = Vec::with_capacity(5 * LEVELS);
        for level in 0..LEVELS as u8 {
            let last = bucket_of(level, to.plus(if usize::from(level) + 1 < LEVELS { width(level) } else { 0 }));
            buckets.extend((bucket_of(level, from)..=last).map(|b| (level, b)));
            if width(level) < WIDE_MS {
                let last = to.plus(width(level)).0.div_euclid(WIDE_MS);
                buckets.extend((from.0.div_euclid(WIDE_MS)..=last).map(|b| (level | WIDE, b)));
            }
        }
        buckets
    }

    /// All that hold anything.
    fn buckets_there_are(&self) -> Vec<Bucket> {
        let all: BTreeSet<Bucket> = self.memory.keys().chain(self.runs.keys()).copied().collect();
        all.into_iter().collect()
    }

    /// Spans in memory that overlap `from..=to`, and the runs that must be read too.
    pub fn plan(&self, keys: &[EndKey], from: Millis, to: Millis) -> Planned {
        let (mut found, mut runs, mut whole) = (Vec::new(), Vec::new(), true);
        let buckets = if to.0.saturating_sub(from.0) > EVER_MS { self.buckets_there_are() } else { Spans::buckets(from, to) };
        for bucket in buckets {
            if let Some(memory) = self.memory.get(&bucket) {
                for key in keys {
                    let (first, last) = (span_key(key, earliest(bucket.0, from), 0), span_key(key, to, u32::MAX));
                    let mut seen = 0;
                    for (k, (end, payload)) in memory.range(first..=last).rev().take(SPANS_A_KEY) {
                        if *end >= from {
                            found.push(Stored { start: start_of(k), end: *end, payload: payload.clone() });
                        }
                        seen += 1;
                    }
                    whole &= seen < SPANS_A_KEY;
                }
            }
            runs.extend(self.runs.get(&bucket).into_iter().flatten().cloned());
        }
        Planned { stored: found, runs, whole }
    }

    /// All runs.
    pub fn runs(&self) -> impl Iterator<Item = &RunMeta> {
        self.runs.values().flatten().map(Arc::as_ref)
    }

    /// Puts runs in that the catalog knows.
    pub fn add_runs(&mut self, runs: Vec<RunMeta>) {
        for run in runs {
            if let Some((level, bucket)) = wide((run.level, run.bucket)) {
                self.gathered.entry(level).and_modify(|gathered| *gathered = bucket.min(*gathered));
            }
            self.runs.entry((run.level, run.bucket)).or_default().push(Arc::new(run));
        }
    }

    /// Takes runs out.
    pub fn drop_runs(&mut self, files: &BTreeSet<String>) {
        self.runs.retain(|_, runs| {
            runs.retain(|r| !files.contains(&r.file));
            !runs.is_empty()
        });
    }

    /// Empties the memory; the runs written from it must be in already.
    pub fn clear_memory(&mut self) {
        self.memory.clear();
        self.in_memory = 0;
    }

    /// Buckets with too many runs.
    pub fn crowded(&self) -> Vec<(Bucket, Vec<RunMeta>)> {
        let crowded = self.runs.iter().filter(|(_, runs)| runs.len() > RUNS_A_BUCKET);
        crowded.map(|(bucket, runs)| (*bucket, runs.iter().map(|run| RunMeta::clone(run)).collect())).collect()
    }

    /// Runs of narrow buckets, by the wide one around them, the first of those that were over at that moment and have more than one.
    pub fn scattered(&self, now: Millis) -> Option<(Bucket, Vec<RunMeta>)> {
        let next = |level: u8| {
            let (this, over) = (level | WIDE, now.0.div_euclid(WIDE_MS));
            let from = self.gathered.get(&this).map_or(i64::MIN, |wide| wide.saturating_mul(WIDE_MS).div_euclid(width(level)));
            let mut found: Option<(Bucket, Vec<RunMeta>)> = None;
            for ((_, bucket), runs) in self.runs.range((level, from)..=(level, i64::MAX)) {
                let Some(of) = wide((level, *bucket)).filter(|(_, wide)| *wide < over) else { break };
                match &mut found {
                    Some((first, some)) if *first == of => some.extend(runs.iter().map(|run| RunMeta::clone(run))),
                    Some((_, some)) if some.len() > 1 => break,
                    _ => found = Some((of, runs.iter().map(|run| RunMeta::clone(run)).collect())),
                }
            }
            found.filter(|(_, some)| some.len() > 1)
        };
        (0..LEVELS as u8).filter(|level| width(*level) < WIDE_MS).find_map(next)
    }

    /// The runs around a wide bucket, and around those before it, are as they are to stay.
    pub fn gathered(&mut self, (level, bucket): Bucket) {
        self.gathered.insert(level, bucket.saturating_add(1));
    }

    /// Writes what is in memory as runs under the index key of `day`. Durable on return.
    pub fn write_runs(&self, files: &IndexFiles, day: Day) -> Result<Vec<RunMeta>, TableError> {
        let mut out = Vec::new();
        for ((level, bucket), memory) in &self.memory {
            let (file, mut writer) = files.create(RUNS, day)?;
            for (key, (end, payload)) in memory {
                writer.push(key, &value(*end, payload))?;
            }
            writer.finish()?;
            out.push(RunMeta { level: *level, bucket: *bucket, file, day });
        }
        Ok(out)
    }
}

fn value(end: Millis, payload: &[u8]) -> Vec<u8> {
    let mut out = end.0.to_le_bytes().to_vec();
    out.extend(payload);
    out
}

fn start_of(key: &[u8]) -> Millis {
    let bytes = key.get(END_KEY_BYTES..END_KEY_BYTES + 8).and_then(|b| b.try_into().ok()).unwrap_or_default();
    from_sortable(bytes)
}

/// Where index files lie and how they are opened.
#[derive(Clone)]
pub struct IndexFiles {
    /// The data folder.
    pub disk: SharedDisk,
    /// The keys.
    pub keyring: Arc<Keyring>,
}

impl IndexFiles {
    /// Begins a table under a new random name.
    pub fn create(&self, folder: &str, day: Day) -> Result<(String, TableWriter), TableError> {
        let file = format!("{folder}/{}.tbl", Id::random());
        let key = self.key(day)?;
        Ok((file.clone(), TableWriter::create(&self.disk, Path::new(&file), &key)?))
    }

    /// Opens a table.
    pub fn open(&self, file: &str, day: Day) -> Result<TableReader, TableError> {
        TableReader::open(&self.disk, Path::new(file), &self.key(day)?)
    }

    /// The index key of a day, made at first use.
    pub fn key(&self, day: Day) -> Result<weir_base::crypto::Secret, TableError> {
        let id = KeyId::index(day).map_err(|e| TableError::Other(e.to_string()))?;
        let keys = self.keyring.get_or_create(&[id]).map_err(|e| TableError::Other(e.to_string()))?;
        keys.into_iter().next().ok_or_else(|| TableError::Other("the keyring gave no index key".to_owned()))
    }

    /// Spans of these runs that overlap `from..=to`.
    pub fn read_runs(
        &self,
        runs: &[Arc<RunMeta>],
        shelf: &Shelf,
        keys: &[EndKey],
        span: (Millis, Millis),
        stats: &mut Stats,
    ) -> Result<Vec<Stored>, TableError> {
        let (hashes, mut found) = (shelf.hashes(keys), Vec::new());
        for run in runs {
            self.read_run(run, shelf, (keys, &hashes), span, (&mut found, stats))?;
        }
        Ok(found)
    }

    fn read_run(
        &self,
        run: &Arc<RunMeta>,
        shelf: &Shelf,
        (keys, hashes): (&[EndKey], &[u64]),
        (from, to): (Millis, Millis),
        (found, stats): (&mut Vec<Stored>, &mut Stats),
    ) -> Result<(), TableError> {
        let open = shelf.run(self, run)?;
        for (number, key) in keys.iter().enumerate() {
            if !open.may_hold(self, run, hashes.get(number).copied(), stats) {
                continue;
            }
            let (first, last) = (span_key(key, earliest(run.level, from), 0), span_key(key, to, u32::MAX));
            let mut seen = 0;
            open.table().range_back(&first, &last, stats, &mut |k, v| {
                let Some((end, payload)) = v.split_first_chunk::<8>() else { return false };
                let end = Millis(i64::from_le_bytes(*end));
                if end >= from {
                    found.push(Stored { start: start_of(k), end, payload: payload.to_vec() });
                }
                seen += 1;
                seen < SPANS_A_KEY
            })?;
            if seen >= SPANS_A_KEY {
                return Err(too_many());
            }
        }
        Ok(())
    }

    /// Merges runs of one bucket into one.
    pub fn merge(&self, runs: &[RunMeta], level: u8, bucket: i64, day: Day) -> Result<RunMeta, TableError> {
        let readers = runs.iter().map(|r| self.open(&r.file, r.day)).collect::<Result<Vec<_>, _>>()?;
        let (file, writer) = self.create(RUNS, day)?;
        crate::table::merge(&readers, writer)?;
        Ok(RunMeta { level, bucket, file, day })
    }

    /// Removes files of the index that nobody names any more.
    pub fn remove(&self, files: &[String]) {
        for file in files {
            // A file that stays is only space: the next start sweeps it.
            let _ = self.disk.remove(&PathBuf::from(file));
        }
    }
}

/// All that sealed rows say beyond what their units answer by themselves.
#[derive(Clone, Default)]
pub struct Index {
    /// Open mappings.
    pub open: OpenTable,
    /// Ends without a beginning.
    pub orphans: Orphans,
    /// Open sessions, and those that ended lately.
    pub sessions: SessionTable,
    /// Lengths of all prefixes that sessions ever had: what a question for an address has to ask for.
    pub lengths: BTreeSet<u8>,
    /// Addresses that sessions ever had, by source.
    pub lent: Lent,
    /// Spans.
    pub spans: Spans,
}

impl Index {
    /// Takes a sealed NAT row in.
    pub fn apply_nat(
        &mut self,
        at: RowRef,
        (row_type, mapping): &(RowType, Mapping),
        window: (Millis, Millis),
        sealed: Millis,
        gaps: &Gaps,
    ) {
        if matches!(row_type, RowType::Open | RowType::Reopened) {
            self.open.insert(Open { mapping: *mapping, row: at });
            return;
        }
        if mapping.flags & flags::START_TOLD != 0 {
            self.orphans.insert(*mapping, sealed);
        } else if *row_type == RowType::Whole {
            self.orphans.leave(&Mapping { end: None, ..*mapping });
        } else if mapping.flags & flags::START_INFERRED != 0 {
            self.orphans.insert(*mapping, sealed);
        }
        // A mapping is found as a span before it is no longer found as open.
        if needs_span(mapping, window) {
            self.span(mapping, sealed, gaps);
        }
        if *row_type == RowType::Close {
            self.open.remove(mapping);
        }
    }

    fn span(&mut self, mapping: &Mapping, sealed: Millis, gaps: &Gaps) {
        let Some(end) = mapping.end.or(mapping.start) else { return };
        // Where the beginning is lost, it lies in the last loss before the end, or was never told.
        let guess = || gaps.last_before(mapping.source, end).map_or(end, |gap| gap.start);
        let start = mapping.start.unwrap_or_else(guess).min(end);
        for key in mapping.keys() {
            self.spans.insert(&key, start, end, sealed, mapping.encode());
        }
    }

    /// Takes a sealed RADIUS event in.
    pub fn apply_session(&mut self, row: &RadiusSession, sealed: Millis) {
        let mut written: Vec<SessionSpan> = Vec::new();
        for name in row.names() {
            self.lengths.insert(name.prefix.bits);
            self.lent.learn(row.source, name.prefix);
        }
        self.sessions.apply(row, sealed, &mut written);
        for span in written {
            let Some(until) = span.until else { continue };
            self.spans.insert(&EndKey::session(span.prefix), span.since.min(until), until, sealed, span.encode());
        }
    }
}

/// True for a mapping that has ended and that its unit alone does not answer for: outside the unit's window, or not found by one exact port.
pub fn needs_span(m: &Mapping, window: (Millis, Millis)) -> bool {
    let within = m.start.is_some_and(|start| start >= window.0) && m.end.is_some_and(|end| end <= window.1);
    !m.is_exact() || !within || m.flags != 0
}

/// Rows of a NAT unit that mean something to the index; all others their unit answers for by itself. `orphans` is the latest end that waits for its
/// beginning: a mapping that ended by then may be the one.
pub fn telling(rows: &Columns<'_>, window: (Millis, Millis), orphans: Option<Millis>) -> Vec<usize> {
    let silent = |i: usize| {
        let (start, end) = (rows.start(i), rows.end(i));
        rows.is_plain(i) && start >= window.0 && end <= window.1 && orphans.is_none_or(|latest| end > latest)
    };
    (0..rows.len()).filter(|i| !silent(*i)).collect()
}

/// Gaps in a batch go straight into memory.
pub fn apply_gaps(gaps: &mut Gaps, rows: &[Gap]) {
    rows.iter().for_each(|g| gaps.apply(g));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(level: u8, bucket: i64, name: usize) -> RunMeta {
        RunMeta { level, bucket, file: name.to_string(), day: Day(3) }
    }

    #[test]
    fn a_moment_is_looked_for_in_the_wide_buckets_around_it() {
        for at in [0, 1, WIDE_MS - 60_001, WIDE_MS - 60_000, WIDE_MS - 1, WIDE_MS, -1, -WIDE_MS] {
            let asked = Spans::buckets(Millis(at), Millis(at));
            for (level, reach) in [(0, 60_000), (1, 480_000)] {
                // What covers it was placed then, or as much later as its spans are long.
                for placed in [at, at + 1, at + reach / 2, at + reach] {
                    let of = wide((level, bucket_of(level, Millis(placed)))).unwrap();
                    assert!(asked.contains(&of), "{at} {level} {placed}");
                    assert_eq!(of, (level | WIDE, placed.div_euclid(WIDE_MS)), "{at} {level} {placed}");
                }
            }
        }
        assert_eq!([wide((2, 7)), wide((6, 0)), wide((WIDE, 7))], [None; 3]);
        assert_eq!([earliest(WIDE, Millis(0)), earliest(WIDE | 1, Millis(0))], [Millis(-60_000), Millis(-480_000)]);
    }

    #[test]
    fn what_is_scattered_is_told_bucket_by_bucket_until_it_is_gathered() {
        let mut spans = Spans::default();
        let minutes = [0, 1, 63, 64, 128, 129, 130, 192, 193];
        spans.add_runs(minutes.iter().enumerate().map(|(name, minute)| run(0, *minute, name)).collect());
        spans.add_runs(vec![run(1, 0, 20), run(1, 7, 21), run(1, 8, 22), run(2, 0, 23), run(2, 0, 24)]);
        let files = |found: Option<(Bucket, Vec<RunMeta>)>| {
            found.map(|(wide, runs)| (wide, runs.into_iter().map(|run| run.file).collect::<Vec<_>>()))
        };
        let now = Millis(3 * WIDE_MS + 120_000);
        let mut told = Vec::new();
        while let Some((wide, runs)) = files(spans.scattered(now)) {
            spans.gathered(wide);
            told.push((wide, runs.join(" ")));
        }
        let want = [((WIDE, 0), "0 1 2"), ((WIDE, 2), "4 5 6"), ((WIDE | 1, 0), "20 21")];
        assert_eq!(told, want.map(|(wide, runs)| (wide, runs.to_owned())));
        // One that comes later is told with what is there.
        spans.drop_runs(&["4", "5", "6"].map(str::to_owned).into());
        spans.add_runs(vec![run(WIDE, 2, 30), run(0, 131, 31)]);
        assert_eq!(spans.scattered(now), None, "one alone");
        spans.add_runs(vec![run(0, 130, 32)]);
        assert_eq!(files(spans.scattered(now)), Some(((WIDE, 2), vec!["32".to_owned(), "31".to_owned()])));
    }

    #[test]
    fn an_answer_that_would_not_be_complete_is_none() {
        let (mut spans, key) = (Spans::default(), EndKey::exact("203.0.113.1".parse().unwrap(), 53, 17));
        let at = Millis(1_795_312_800_000);
        for n in 1..=SPANS_A_KEY {
            spans.insert(&key, at, at.plus(60_000), at.plus(60_000), vec![n as u8]);
            let planned = spans.plan(&[key], at, at.plus(60_000));
            assert_eq!((planned.stored.len(), planned.checked().is_ok()), (n, n < SPANS_A_KEY));
        }
    }
}
