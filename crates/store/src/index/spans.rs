//! Spans that no sealed unit answers by itself, in memory and in runs.
//!
//! A span lies in a level by how long before its sealing it began, and in a bucket of that level by when it was sealed (never before its own
//! end). So whatever covers an instant T lies, in each level, in the bucket of T or in the one after it, however late it came.

#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_base::time::{Day, Millis};

use super::{IndexFiles, RUNS};
use crate::catalog::RunMeta;
use crate::limits::{EVER_MS, LEVEL_MS, LEVELS, RUNS_A_BUCKET, SPANS_A_KEY, WIDE_MS};
use crate::spankey::{END_KEY_BYTES, EndKey, from_sortable, span_key};
use crate::table::TableError;

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

pub(super) fn too_many() -> TableError {
    TableError::Other("too many mappings of one port, or sessions of one address: the answer would not be complete".to_owned())
}

/// Set in the level of a run of a wide bucket: that of all its spans is the rest of the number.
const WIDE: u8 = 1 << 7;

/// The earliest start of what reaches `from`: in every level but the last a span is never longer than the level is wide.
pub(super) fn earliest(level: u8, from: Millis) -> Millis {
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
    /// Files of runs that did not read: they stay as they are.
    passed: BTreeSet<String>,
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
    pub fn drop_runs(&mut self, runs: &[RunMeta]) {
        for run in runs {
            let Entry::Occupied(mut there) = self.runs.entry((run.level, run.bucket)) else { continue };
            there.get_mut().retain(|known| known.file != run.file);
            if there.get().is_empty() {
                there.remove();
            }
        }
    }

    /// Leaves a run out of all merges from now on.
    pub fn pass_over(&mut self, run: &RunMeta) {
        self.passed.insert(run.file.clone());
    }

    /// Those of a bucket that may be merged.
    fn readable(&self, runs: &[Arc<RunMeta>]) -> impl Iterator<Item = RunMeta> {
        runs.iter().filter(|run| !self.passed.contains(&run.file)).map(|run| RunMeta::clone(run))
    }

    /// Empties the memory; the runs written from it must be in already.
    pub fn clear_memory(&mut self) {
        self.memory.clear();
        self.in_memory = 0;
    }

    /// Buckets with too many runs.
    pub fn crowded(&self) -> Vec<(Bucket, Vec<RunMeta>)> {
        let many = self.runs.iter().filter(|(_, runs)| runs.len() > RUNS_A_BUCKET);
        let readable = many.map(|(bucket, runs)| (*bucket, self.readable(runs).collect::<Vec<_>>()));
        readable.filter(|(_, runs)| runs.len() > RUNS_A_BUCKET).collect()
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
                    Some((first, some)) if *first == of => some.extend(self.readable(runs)),
                    Some((_, some)) if some.len() > 1 => break,
                    _ => found = Some((of, self.readable(runs).collect())),
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

pub(super) fn start_of(key: &[u8]) -> Millis {
    let bytes = key.get(END_KEY_BYTES..END_KEY_BYTES + 8).and_then(|b| b.try_into().ok()).unwrap_or_default();
    from_sortable(bytes)
}
