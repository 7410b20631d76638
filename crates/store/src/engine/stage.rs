//! From a generation to units that lie in `stage/`: the second step of a seal cycle. Kinds are made side by side; the disk and the keyring are asked by
//! one thread and in one order.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;
use std::thread::available_parallelism;

use arrow::array::RecordBatch;
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::stored::words::Entry;
use weir_record::{Kind, column};

use super::{Store, StoreError};
use crate::days::by_day;
use crate::limits::SEALING_THREADS;
use crate::live::Generation;
use crate::nat::pair::Context;
use crate::side::side_by_side;
use crate::table::TableError;
use crate::unit::{MadeUnit, PlannedUnit, StagedUnit};
use crate::words;

/// What is to be made of a unit.
enum Job<'a> {
    File(&'a PlannedUnit),
    Words(&'a PlannedUnit),
}

/// What was made.
enum Made {
    File(Result<Box<MadeUnit>, StoreError>),
    Words(Result<Vec<Entry>, TableError>),
}

impl Store {
    pub(super) fn sweep_stage(&self) {
        for entry in self.disk.list(Path::new("stage")).unwrap_or_default() {
            if entry.name.ends_with(".parquet") || entry.name.ends_with(".digests") {
                // What stays is swept at the next start.
                let _ = self.disk.remove(&Path::new("stage").join(entry.name));
            }
        }
    }

    /// Everything in a generation as units. Mappings are most of what there is where there are any: they are made first, and alone, one day after the other.
    pub(super) fn stage_all(&self, generation: &Generation, sealed_at: Millis) -> Result<Vec<StagedUnit>, StoreError> {
        let mut staged = Vec::new();
        for (day, rows) in self.nat_rows(generation, sealed_at) {
            let unit = PlannedUnit::new(&self.keyring, Kind::NatMapping, day, rows)?;
            let made = unit.make(sealed_at, self.config.sm3)?;
            staged.push(unit.stage(&self.disk, made)?);
        }
        let mappings = staged.len();
        let threads = available_parallelism().map_or(1, usize::from).min(SEALING_THREADS);
        let planned = self.planned(generation, sealed_at, threads)?;
        let mut jobs: Vec<Job<'_>> = planned.iter().map(Job::File).collect();
        jobs.extend(planned.iter().filter(|unit| unit.kind() == words::KIND).map(Job::Words));
        let made = side_by_side(jobs, threads, "store-sealing", &|job| match job {
            Job::File(unit) => Made::File(unit.make(sealed_at, self.config.sm3).map(Box::new)),
            Job::Words(unit) => Made::Words(words::made(&unit.file(), unit.rows())),
        });
        let (mut files, mut indexes) = (Vec::new(), Vec::new());
        for made in made {
            match made {
                Made::File(made) => files.push(made?),
                Made::Words(made) => indexes.push(made),
            }
        }
        let mut indexes = indexes.into_iter();
        for (unit, file) in planned.into_iter().zip(files) {
            let index = if unit.kind() == words::KIND { indexes.next() } else { None };
            let words = index.and_then(|made| made.inspect_err(|e| *lock(&self.flags.trouble) = Some(e.to_string())).ok());
            staged.push(StagedUnit { words, ..unit.stage(&self.disk, *file)? });
        }
        // In the log they stand by kind and day, however large they are.
        staged.get_mut(mappings..).unwrap_or_default().sort_by_key(|unit| (unit.kind, unit.entry.day));
        Ok(staged)
    }

    /// The rows of each kind but mappings, sorted and by key day, with keys; the largest first.
    fn planned(&self, generation: &Generation, sealed_at: Millis, threads: usize) -> Result<Vec<PlannedUnit>, StoreError> {
        let mut kinds: Vec<_> = generation.batches.iter().filter(|(kind, _)| !kind.spec().transient).collect();
        kinds.sort_by_key(|(_, batches)| Reverse(batches.iter().map(column::memory).sum::<usize>()));
        let days = side_by_side(kinds, threads, "store-sealing", &|(kind, batches)| (*kind, by_day(*kind, batches, sealed_at)));
        let mut planned = Vec::new();
        for (kind, days) in days {
            for (day, rows) in days? {
                planned.push(PlannedUnit::new(&self.keyring, kind, day, rows)?);
            }
        }
        Ok(planned)
    }

    /// Pairs events and sorts the mappings by public address, port, start; one batch a key day.
    fn nat_rows(&self, generation: &Generation, sealed_at: Millis) -> BTreeMap<Day, RecordBatch> {
        // Memory that nobody needs for a whole cycle is given back.
        let room = std::mem::take(&mut *lock(&self.room_for_rows));
        if generation.nat.is_empty() {
            return BTreeMap::new();
        }
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        // A copy, because the writer takes gaps in meanwhile. The index is written by this thread alone.
        let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner).clone();
        let overloading = self.overloading();
        let context = Context {
            open: &index.open,
            orphans: &index.orphans,
            lost_between: &|source, from, to| gaps.any(source, from, to),
            overloads: &|source| overloading.get(&source).copied().unwrap_or(false),
        };
        crate::nat::seal::mappings(&generation.nat, &context, sealed_at, room)
    }
}
