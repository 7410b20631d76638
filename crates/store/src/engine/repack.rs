//! Repacking: units of one kind and day go into one file, back to back; rows, order and roots stay.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::parquet;
use weir_record::{Id, Kind};
use weir_seal::entry::{Entry, Heartbeat, Part, Repack};
use weir_seal::filedigest::DigestBuilder;

use super::{Store, StoreError};
use crate::catalog::{Change, UnitMeta};
use crate::commit::Plan;
use crate::words::{self, WordsWriter};
use crate::{fence, unit};

/// Units that go into one file at most: what a log entry can name.
const PARTS: usize = 480;

/// Rows that go into one file at most: they are in memory once while it is written. Units of that size stay alone.
const ROWS: u64 = 2 << 20;

/// What a run of repacking did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RepackReport {
    /// New files.
    pub files: usize,
    /// Units that moved into them.
    pub units: usize,
}

impl Store {
    /// Repacks what was sealed before `before`: of each kind and day, files of one unit each go together.
    pub fn repack(&self, before: Millis) -> Result<RepackReport, StoreError> {
        let mut report = RepackReport::default();
        for group in self.candidates(before) {
            report.files += 1;
            report.units += group.len();
            self.repack_group(&group)?;
        }
        Ok(report)
    }

    /// Groups of two or more units, each still in a file of its own.
    fn candidates(&self, before: Millis) -> Vec<Vec<UnitMeta>> {
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
        sealed.units.iter().for_each(|u| *uses.entry(&u.file).or_default() += 1);
        let mut by: BTreeMap<(Kind, Day), Vec<Vec<UnitMeta>>> = BTreeMap::new();
        for unit in sealed.units.iter().filter(|u| u.sealed < before && uses.get(&*u.file) == Some(&1)) {
            let groups = by.entry((unit.kind, unit.day)).or_default();
            let rows = groups.last().map_or(0, |g| g.iter().map(|u| u.rows).sum::<u64>());
            match groups.last_mut() {
                Some(group) if group.len() < PARTS && rows + unit.rows <= ROWS => group.push(unit.clone()),
                _ => groups.push(vec![unit.clone()]),
            }
        }
        by.into_values().flatten().filter(|g| g.len() > 1).collect()
    }

    fn repack_group(&self, units: &[UnitMeta]) -> Result<(), StoreError> {
        let Some(first) = units.first() else { return Ok(()) };
        let (kind, day) = (first.kind, first.day);
        let key = unit::day_key(&self.keyring, kind, day)?;
        let mut batches = Vec::new();
        let mut moved = Vec::new();
        let mut row = 0;
        let name = Id::random();
        let file: Arc<str> = format!("segments/{day}/{}/{name}.parquet", kind.name()).into();
        for unit in units {
            batches.extend(self.read_unit(unit)?);
            moved.push(UnitMeta { file: Arc::clone(&file), first_row: row, ..unit.clone() });
            row += unit.rows;
        }
        let written = parquet::write(kind, &batches, &key).map_err(|e| StoreError::Internal(e.to_string()))?;
        let mut digest = DigestBuilder::new(self.config.sm3);
        digest.update(&written.bytes);
        let sidecar = digest.finish();
        let sealed_at = self.clock.now();
        let entry = Entry::Repack(Repack {
            kind: kind.name().to_owned(),
            kind_version: u32::from(kind.spec().version),
            day,
            sealed: sealed_at,
            file: file.to_string(),
            size: written.bytes.len() as u64,
            file_root: sidecar.root(),
            file_root_sm3: sidecar.root_sm3(),
            parts: moved.iter().map(|u| Part { entry: u.entry, first_row: u.first_row, rows: u.rows }).collect(),
            drops: units.iter().map(|u| u.file.to_string()).collect(),
        });
        // One commit at a time, and never while it is open whether the last one happened.
        let mut cycle = lock(&self.cycle);
        self.committer.settle()?;
        if cycle.is_unsettled() {
            return Ok(());
        }
        let files = unit::stage_files(&self.disk, &file, name, &written.bytes, &sidecar.encode())?;
        let open = self.index.read().unwrap_or_else(PoisonError::into_inner).open.len() as u64;
        let beat_at = sealed_at.max(Millis(0));
        let beat = Heartbeat { time: beat_at, sequenced: cycle.through, open };
        let internal = |e: weir_seal::entry::EntryError| StoreError::Internal(e.to_string());
        let entries = vec![entry.encode().map_err(internal)?, Entry::Heartbeat(beat).encode().map_err(internal)?];
        let removes = units.iter().flat_map(|u| [PathBuf::from(&*u.file), PathBuf::from(format!("{}.digests", u.file))]).collect();
        // Whoever searches words of the new file waits until they are there.
        let wording = (kind == words::KIND).then(|| lock(&self.wording));
        let (committed, gone) = {
            let _moving = lock(&self.moving);
            cycle.beat = None;
            let committed = self.committer.commit(&Plan { entries, files, removes })?;
            (committed, self.moved(&moved, kind))
        };
        // As long as the catalog does not know of it, the next start throws the old tables away.
        gone?;
        if kind == words::KIND
            && let Err(e) = WordsWriter::write(&self.files, (&file, day), batches.iter())
        {
            *lock(&self.flags.trouble) = Some(e.to_string());
        }
        drop(wording);
        if kind == Kind::NatMapping {
            self.make_fences(&moved, &batches, &written.map)?;
        }
        let change = Change { units: moved, log_size: Some(committed.size), ..Change::default() };
        self.catalog.apply(&change).map_err(StoreError::Catalog)?;
        if kind == words::KIND {
            self.files.remove(&units.iter().map(|u| words::words_file(&u.file)).collect::<Vec<_>>());
        }
        cycle.indexed = committed.size;
        cycle.beat = Some(beat_at);
        Ok(())
    }

    /// Everybody who asks finds the units in the new file from now on. Their fence tables name pages of files that are gone, so these go first, for good.
    fn moved(&self, moved: &[UnitMeta], kind: Kind) -> io::Result<()> {
        let remove = |unit: &UnitMeta| match self.disk.remove(fence::fence_file(unit.unit).as_ref()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        };
        let gone = match kind {
            Kind::NatMapping => {
                moved.iter().map(remove).fold(Ok(()), io::Result::and).and_then(|()| self.disk.sync_dir(fence::FENCES.as_ref()))
            }
            _ => Ok(()),
        };
        let mut sealed = self.sealed.write().unwrap_or_else(PoisonError::into_inner);
        moved.iter().for_each(|u| sealed.insert(u.clone()));
        gone
    }

    /// Fence tables of units that moved, one by one, so that questions get in between.
    fn make_fences(&self, moved: &[UnitMeta], batches: &[RecordBatch], map: &parquet::PageMap) -> Result<(), StoreError> {
        let rows = concat_batches(&Kind::NatMapping.schema(), batches).map_err(|e| StoreError::Internal(e.to_string()))?;
        for unit in moved {
            let (from, len) = (usize::try_from(unit.first_row).unwrap_or(0), usize::try_from(unit.rows).unwrap_or(0));
            let _one_at_a_time = lock(&self.moving);
            if let Err(e) = fence::write_fences(&self.files, unit, &rows.slice(from, len), map, unit.first_row) {
                // Without a table the first question makes one.
                *lock(&self.flags.trouble) = Some(e.to_string());
                self.files.remove(&[fence::fence_file(unit.unit)]);
            }
        }
        Ok(())
    }
}
