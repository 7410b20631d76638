//! The catalog follows the log: what was sealed and moved since it was written, or all of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_record::Kind;
use weir_seal::entry::Entry;

use super::StoreError;
use super::recover::OpenReport;
use crate::catalog::{Catalog, Change, Content, UnitMeta};
use crate::commit::Committer;
use crate::fence::fence_file;
use crate::index::IndexFiles;
use crate::limits::CATALOG_UNITS;
use crate::unit::{meta_of, window_of};
use crate::units::Units;

/// What the log tells of units.
struct Told<'a> {
    units: &'a mut Units,
    /// Entries of those that the catalog does not know as they are.
    changed: BTreeSet<u64>,
    /// Those that moved last.
    moved: Vec<u64>,
    sealed_through: u64,
}

/// Brings the catalog up to the log's size; also finds the last group that is sealed.
pub(super) fn catch_up(
    committer: &Committer,
    catalog: &dyn Catalog,
    files: &IndexFiles,
    report: &mut OpenReport,
) -> Result<(Content, u64), StoreError> {
    let mut content = catalog.load().or_else(|e| {
        report.notes.push(format!("the catalog is rebuilt from the log: {e}"));
        catalog.clear().map(|()| Content::default()).map_err(StoreError::Catalog)
    })?;
    let ahead = content.log_size > committer.size();
    if ahead || (content.log_size == UNDER_WAY && !content.units.is_empty()) {
        let why = if ahead { "ahead of the log: was that restored from a copy?" } else { "written in part: its writing was cut short" };
        report.notes.push(format!("the catalog is rebuilt, as it is {why}"));
        catalog.clear().map_err(StoreError::Catalog)?;
        content = Content::default();
    }
    let mut told = Told { units: &mut content.units, changed: BTreeSet::new(), moved: Vec::new(), sealed_through: 0 };
    // Every commit of rows ends with a heartbeat that names the last sealed group: the last entry that the catalog knew is one, or all is read.
    let from = content.log_size.saturating_sub(1);
    told.read(committer, from)?;
    if told.sealed_through == 0 && from > 0 {
        told.read(committer, 0)?;
    }
    let Told { changed, moved, sealed_through, .. } = told;
    content.units.shrink();
    // The last of these may have been cut short while fence tables still named pages of the files before: the first question makes them again.
    let moved = moved.iter().filter_map(|entry| content.units.get(*entry)).filter(|u| u.kind == Kind::NatMapping);
    let tables: Vec<String> = moved.map(|u| fence_file(u.unit)).collect();
    files.remove(&tables);
    write(catalog, &content.units, &changed.into_iter().collect::<Vec<_>>(), committer.size())?;
    Ok((content, sealed_through))
}

/// Size of the log in a catalog of which a part is written: what it says of units may be of a log that is not here any more when the rest would be.
const UNDER_WAY: u64 = 0;

/// A part at a time, the log's size with the last.
fn write(catalog: &dyn Catalog, units: &Units, changed: &[u64], size: u64) -> Result<(), StoreError> {
    let (most, last) = changed.split_at(changed.len().saturating_sub(1) / CATALOG_UNITS * CATALOG_UNITS);
    let change = |entries: &[u64], log_size: u64| {
        let units: Vec<UnitMeta> = entries.iter().filter_map(|entry| units.get(*entry)).collect();
        catalog.apply(&Change { units, log_size: Some(log_size), ..Change::default() }).map_err(StoreError::Catalog)
    };
    most.chunks(CATALOG_UNITS).try_for_each(|some| change(some, UNDER_WAY))?;
    change(last, size)
}

impl Told<'_> {
    /// Reads the log's entries from `from` on.
    fn read(&mut self, committer: &Committer, from: u64) -> Result<(), StoreError> {
        let (mut wrong, mut beat) = (None, None);
        committer.entries(from..committer.size(), &mut |index, bytes| match Entry::decode(bytes) {
            Ok(Entry::Unit(unit)) => {
                let known = self.units.get(index).is_some();
                if let Some(meta) = meta_of(index, &unit, window_of(beat, unit.sealed)).filter(|_| !known) {
                    self.put(meta);
                }
            }
            Ok(Entry::Repack(repack)) => {
                let file: Arc<str> = repack.file.as_str().into();
                let parts = repack.parts.iter().filter_map(|part| Some((part, self.units.get(part.entry)?)));
                let units = parts.map(|(part, unit)| UnitMeta { file: Arc::clone(&file), first_row: part.first_row, ..unit });
                let units: Vec<UnitMeta> = units.collect();
                self.moved = units.iter().map(|unit| unit.entry).collect();
                units.into_iter().for_each(|unit| self.put(unit));
            }
            Ok(Entry::Heartbeat(last)) => {
                self.sealed_through = self.sealed_through.max(last.sequenced);
                beat = Some(last.time);
            }
            Ok(Entry::Genesis(genesis)) => beat = Some(genesis.time),
            Err(e) => wrong = Some(format!("entry {index} of the log: {e}")),
        })?;
        wrong.map_or(Ok(()), |wrong| Err(StoreError::Damaged(wrong)))
    }

    fn put(&mut self, unit: UnitMeta) {
        self.changed.insert(unit.entry);
        self.units.insert(unit);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use weir_base::time::Millis;
    use weir_record::Id;

    use super::*;
    use crate::catalog::MemoryCatalog;

    /// Takes so many changes.
    struct Short(MemoryCatalog, AtomicUsize);

    impl Catalog for Short {
        fn load(&self) -> Result<Content, String> {
            self.0.load()
        }

        fn apply(&self, change: &Change) -> Result<(), String> {
            let left = self.1.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            left.map_err(|_| "the disk is full".to_owned()).and_then(|_| self.0.apply(change))
        }

        fn clear(&self) -> Result<(), String> {
            self.0.clear()
        }
    }

    #[test]
    fn a_catalog_says_how_far_it_goes_once_all_of_it_is_written() {
        let at = Millis(1_795_312_800_000);
        let mut units = Units::default();
        let count = 2 * CATALOG_UNITS as u64 + 1;
        for entry in 0..count {
            let (kind, file) = (Kind::NatMapping, "segments/x.parquet".into());
            let times = (at, at, (at, at), at);
            let (first, last, window, sealed) = times;
            units.insert(UnitMeta {
                entry,
                kind,
                day: at.day(),
                unit: Id([1; 16]),
                file,
                first_row: entry,
                rows: 1,
                first,
                last,
                window,
                sealed,
            });
        }
        let changed: Vec<u64> = (0..count).collect();
        for parts in 0..=3 {
            let catalog = Short(MemoryCatalog::default(), AtomicUsize::new(parts));
            let before = Change { log_size: Some(7), ..Change::default() };
            catalog.0.apply(&before).unwrap();
            assert_eq!(write(&catalog, &units, &changed, count).is_ok(), parts == 3);
            let content = catalog.load().unwrap();
            let (size, written) =
                [(7, 0), (UNDER_WAY, CATALOG_UNITS), (UNDER_WAY, 2 * CATALOG_UNITS), (count, 2 * CATALOG_UNITS + 1)][parts];
            assert_eq!((content.log_size, content.units.len()), (size, written), "{parts}");
        }
        // Few go at once.
        let catalog = Short(MemoryCatalog::default(), AtomicUsize::new(1));
        write(&catalog, &units, &changed[..CATALOG_UNITS], 9).unwrap();
        assert_eq!(catalog.load().unwrap().log_size, 9);
    }
}
