//! The index: what is open, and spans that no sealed unit answers by itself.

mod spans;

use std::collections::BTreeSet;
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
use crate::limits::SPANS_A_KEY;
use crate::nat::columns::Columns;
use crate::nat::mapping::{Mapping, RowRef};
use crate::nat::open::{Open, OpenTable, Orphans};
use crate::session::lent::Lent;
use crate::session::span::SessionSpan;
use crate::session::table::SessionTable;
use crate::shelf::Shelf;
use crate::spankey::{END_KEY_BYTES, EndKey, span_key};
use crate::table::{Stats, TableError, TableReader, TableWriter};

pub use spans::{Planned, Spans, Stored};
use spans::{earliest, start_of, too_many};

/// Folder of the runs.
pub const RUNS: &str = "index/runs";

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
        let run = RunMeta { level, bucket, file, day };
        match crate::table::merge(&readers, writer) {
            Ok(()) => Ok(run),
            Err(e) => {
                self.remove(&[run.file]);
                Err(e)
            }
        }
    }

    /// Reads all of a run.
    pub fn check(&self, run: &RunMeta) -> Result<(), TableError> {
        let last = [0xff; END_KEY_BYTES + 12];
        self.open(&run.file, run.day)?.range(&[], &last, &mut Stats::default(), &mut |_, _| true)
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
