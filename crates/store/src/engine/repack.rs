//! Repacking: units of one kind and day go into one file, back to back; rows, order and roots stay.

use std::collections::BTreeMap;
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

use super::cycle::CycleState;
use super::owed::Begun;
use super::{Store, StoreError};
use crate::catalog::UnitMeta;
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

/// Units on their way into one file.
pub(super) struct Moving {
    /// Of what they are.
    pub(super) kind: Kind,
    /// The units, as they lie after it.
    pub(super) units: Vec<UnitMeta>,
    /// The files in which they lay.
    pub(super) old: Vec<Arc<str>>,
}

impl Store {
    /// Repacks what was sealed before `before`: of each kind and day, files of one unit each go together.
    pub fn repack(&self, before: Millis) -> Result<RepackReport, StoreError> {
        let mut report = RepackReport::default();
        self.make_ready(&mut lock(&self.cycle))?;
        for group in self.candidates(before) {
            if self.repack_group(&group)? {
                report.files += 1;
                report.units += group.len();
            }
        }
        Ok(report)
    }

    /// One move at a time: what became of the last one is known, and the catalog knows it too.
    fn make_ready(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        self.settle(cycle)?;
        self.pay_all(cycle)
    }

    /// Groups of two or more units, each still in a file of its own.
    fn candidates(&self, before: Millis) -> Vec<Vec<UnitMeta>> {
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let mut by: BTreeMap<(Kind, Day), Vec<Vec<UnitMeta>>> = BTreeMap::new();
        for unit in sealed.units.alone(before) {
            let groups = by.entry((unit.kind, unit.day)).or_default();
            let rows = groups.last().map_or(0, |g| g.iter().map(|u| u.rows).sum::<u64>());
            match groups.last_mut() {
                Some(group) if group.len() < PARTS && rows + unit.rows <= ROWS => group.push(unit),
                _ => groups.push(vec![unit]),
            }
        }
        by.into_values().flatten().filter(|g| g.len() > 1).collect()
    }

    /// False if they lie elsewhere by now.
    fn repack_group(&self, units: &[UnitMeta]) -> Result<bool, StoreError> {
        let Some(first) = units.first() else { return Ok(false) };
        let (kind, day) = (first.kind, first.day);
        let key = unit::day_key(&self.keyring, kind, day)?;
        let mut batches = Vec::new();
        let mut moved = Vec::new();
        let mut row = 0;
        let name = Id::random();
        let file: Arc<str> = unit::unit_file(day, kind, name).into();
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
        let mut cycle = lock(&self.cycle);
        self.make_ready(&mut cycle)?;
        if !self.lie_there(units) {
            return Ok(false);
        }
        let files = unit::stage_files(&self.disk, &file, name, &written.bytes, &sidecar.encode()).inspect_err(|_| self.sweep_stage())?;
        let open = self.index.read().unwrap_or_else(PoisonError::into_inner).open.len() as u64;
        let beat_at = sealed_at.max(Millis(0));
        let beat = Heartbeat { time: beat_at, sequenced: cycle.through, open };
        let internal = |e: weir_seal::entry::EntryError| StoreError::Internal(e.to_string());
        let entries = vec![entry.encode().map_err(internal)?, Entry::Heartbeat(beat).encode().map_err(internal)?];
        let removes = units.iter().flat_map(|u| [PathBuf::from(&*u.file), PathBuf::from(format!("{}.digests", u.file))]).collect();
        // Whoever searches words of the new file waits until they are there.
        let wording = (kind == words::KIND).then(|| lock(&self.wording));
        let moving = Moving { kind, units: moved.clone(), old: units.iter().map(|u| Arc::clone(&u.file)).collect() };
        self.commit_move(&mut cycle, moving, &Plan { entries, files, removes })?;
        cycle.beat = Some(beat_at);
        self.pay(&mut cycle)?;
        // What follows is made by the first question that needs it where this does not get to it.
        if kind == words::KIND
            && let Err(e) = WordsWriter::write(&self.files, (&file, day), batches.iter())
        {
            *lock(&self.flags.trouble) = Some(e.to_string());
        }
        drop(wording);
        if kind == Kind::NatMapping {
            self.make_fences(&moved, &batches, &written.map)?;
        }
        Ok(true)
    }

    fn lie_there(&self, units: &[UnitMeta]) -> bool {
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        units.iter().all(|unit| sealed.units.get(unit.entry).is_some_and(|now| now.file == unit.file))
    }

    /// From the commit until the register says so the units lie nowhere.
    fn commit_move(&self, cycle: &mut CycleState, moving: Moving, plan: &Plan) -> Result<(), StoreError> {
        let _moving = lock(&self.moving);
        cycle.beat = None;
        match self.committer.commit(plan) {
            Ok(committed) => {
                self.moved(cycle, moving, committed.size);
                Ok(())
            }
            Err(e) => Err(self.failed(cycle, Begun::Move(moving), e)),
        }
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
