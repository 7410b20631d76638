//! Reading sealed rows, and those that are not sealed yet; what it costs is counted.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use arrow::array::RecordBatch;
use weir_base::crypto::Secret;
use weir_base::disk::DiskFile;
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::Kind;
use weir_record::parquet::{self, PageMap, ParquetFailure, Select, Source};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::words::TEXTS;

use super::{Store, StoreError};
use crate::catalog::UnitMeta;
use crate::table::{Stats, TableError};
use crate::words::{WordsWriter, candidates};

impl Store {
    /// All sealed units by log entry.
    pub fn units(&self) -> Vec<UnitMeta> {
        self.units_since(0, Kind::ALL)
    }

    /// Sealed units of some kinds from a log entry on, by log entry.
    pub fn units_since(&self, entry: u64, kinds: &[Kind]) -> Vec<UnitMeta> {
        self.sealed.read().unwrap_or_else(PoisonError::into_inner).units.since(entry, kinds)
    }

    /// Sealed units of a kind that hold rows of times from `from` to `to`, by log entry.
    pub fn units_of(&self, kind: Kind, from: Millis, to: Millis) -> Vec<UnitMeta> {
        self.sealed.read().unwrap_or_else(PoisonError::into_inner).units.of(kind, from, to)
    }

    /// A sealed unit where it lies now: while units move it waits until they have.
    pub fn unit(&self, entry: u64) -> Option<UnitMeta> {
        drop(lock(&self.moving));
        self.sealed.read().unwrap_or_else(PoisonError::into_inner).units.get(entry)
    }

    /// The day key of a kind, if there is one.
    pub fn day_key(&self, kind: Kind, day: Day) -> Option<Secret> {
        self.keyring.get(&KeyId::kind(kind.name(), day).ok()?)
    }

    /// All rows of a sealed unit.
    pub fn read_unit(&self, unit: &UnitMeta) -> Result<Vec<RecordBatch>, StoreError> {
        self.read_columns(unit, None)
    }

    /// Some columns of a sealed unit's rows, by position in the kind's field table.
    pub fn read_columns(&self, unit: &UnitMeta, columns: Option<Vec<usize>>) -> Result<Vec<RecordBatch>, StoreError> {
        let (reader, unit) = self.follow_unit(unit)?;
        reader.rows(unit.first_row..unit.first_row + unit.rows, columns)
    }

    /// Opens a sealed unit where it lies now, and says where: it may have been repacked since it was listed.
    pub fn follow_unit(&self, unit: &UnitMeta) -> Result<(UnitReader, UnitMeta), StoreError> {
        match self.open_unit(unit) {
            Err(StoreError::Io(e)) if e.kind() == io::ErrorKind::NotFound => match self.unit(unit.entry) {
                Some(now) if now.file != unit.file => Ok((self.open_unit(&now)?, now)),
                _ => Err(StoreError::Io(e)),
            },
            opened => Ok((opened?, unit.clone())),
        }
    }

    /// Opens the file in which a sealed unit lies.
    pub fn open_unit(&self, unit: &UnitMeta) -> Result<UnitReader, StoreError> {
        let Some(key) = self.day_key(unit.kind, unit.day) else {
            return Err(StoreError::Damaged(format!("the key of {} on {} is gone: those rows are erased", unit.kind, unit.day)));
        };
        let file = UnitFile { file: self.disk.open(Path::new(&*unit.file), false)?, pages: AtomicU64::new(0), bytes: AtomicU64::new(0) };
        let map = parquet::map(unit.kind, &file, &key).map_err(|e| damaged(&unit.file, &e))?;
        Ok(UnitReader { kind: unit.kind, name: Arc::clone(&unit.file), file, map: Arc::new(map), key })
    }

    /// Rows of a kind that are durable and not sealed.
    pub fn live_batches(&self, kind: Kind) -> Vec<RecordBatch> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.sealing.as_deref().into_iter().chain([&live.current]).flat_map(|g| g.rows_of(kind)).collect()
    }

    /// Rows of the unit's file before `until`, counted from its start, among which are all that may hold every one of the features of words; in
    /// order, and apart. A word index that is missing or damaged is made again; where that fails all rows are named.
    ///
    /// # Errors
    /// If the unit's file is not there: it was repacked meanwhile ([`Store::unit`] says where to), or lost.
    pub fn word_rows(&self, unit: &UnitMeta, until: u64, features: &[u64], stats: &mut Stats) -> Result<Vec<Range<u64>>, StoreError> {
        let place = (&*unit.file, unit.day);
        if features.is_empty() || self.day_key(unit.kind, unit.day).is_none() {
            return Ok(std::iter::once(0..until).collect());
        }
        if let Ok(rows) = candidates(&self.files, place, until, features, stats) {
            return Ok(rows);
        }
        let _one_at_a_time = lock(&self.wording);
        // Somebody else may have made it meanwhile.
        if let Ok(rows) = candidates(&self.files, place, until, features, stats) {
            return Ok(rows);
        }
        let reader = self.open_unit(unit)?;
        let made = self.make_words(unit, &reader);
        *stats = stats.plus(reader.stats());
        match made.and_then(|()| candidates(&self.files, place, until, features, stats)) {
            Ok(rows) => Ok(rows),
            Err(e) => {
                *lock(&self.flags.trouble) = Some(format!("the word index of {} cannot be made, searches read all of it: {e}", unit.file));
                Ok(std::iter::once(0..until).collect())
            }
        }
    }

    fn make_words(&self, unit: &UnitMeta, reader: &UnitReader) -> Result<(), TableError> {
        let columns = TEXTS.iter().filter_map(|name| unit.kind.spec().index(name)).collect();
        let select = Select { rows: None, columns: Some(columns) };
        let other = |e: ParquetFailure| TableError::Other(e.to_string());
        let mut writer = WordsWriter::create(&self.files, &unit.file, unit.day)?;
        let batches = parquet::open_at(unit.kind, &reader.file, Arc::clone(&reader.map), &reader.key, &select).map_err(other)?;
        for rows in batches {
            writer.push(&rows.map_err(other)?)?;
        }
        writer.finish()
    }
}

fn damaged(file: &str, e: &ParquetFailure) -> StoreError {
    StoreError::Damaged(format!("{file}: {e}"))
}

/// An open file of sealed rows.
pub struct UnitReader {
    kind: Kind,
    name: Arc<str>,
    file: UnitFile,
    map: Arc<PageMap>,
    key: Secret,
}

impl UnitReader {
    /// Rows, counted from the start of the file, and some of their columns, by position in the kind's field table.
    ///
    /// # Errors
    /// If they cannot be read or are damaged.
    pub fn rows(&self, rows: Range<u64>, columns: Option<Vec<usize>>) -> Result<Vec<RecordBatch>, StoreError> {
        let select = Select { rows: Some(rows), columns };
        let batches = parquet::open_at(self.kind, &self.file, Arc::clone(&self.map), &self.key, &select);
        batches.and_then(Iterator::collect).map_err(|e| damaged(&self.name, &e))
    }

    /// Where its pages are.
    pub fn map(&self) -> &PageMap {
        &self.map
    }

    /// What was read of it: its footer, and pages; those that lie beside each other count once.
    pub fn stats(&self) -> Stats {
        Stats { pages: self.file.pages.load(Ordering::Relaxed), bytes: self.file.bytes.load(Ordering::Relaxed) }
    }
}

/// A unit's file, read by range.
struct UnitFile {
    file: Box<dyn DiskFile>,
    pages: AtomicU64,
    bytes: AtomicU64,
}

impl Source for UnitFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_range(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let n = self.file.read_at(&mut bytes, offset)?;
        bytes.truncate(n);
        self.pages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}
