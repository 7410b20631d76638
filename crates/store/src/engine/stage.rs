//! From a generation to units that lie in `stage/`: the second step of a seal cycle. Kinds are made side by side; the disk and the keyring are asked by
//! one thread and in one order.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{OnceLock, PoisonError};
use std::thread::available_parallelism;

use arrow::array::RecordBatch;
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::spare::Spare;
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

/// Name of the threads beside the sealer's own.
const THREADS: &str = "store-sealing";

/// A unit on its way: what is made of it, each by whoever gets to it.
struct Making {
    unit: PlannedUnit,
    file: OnceLock<Result<MadeUnit, StoreError>>,
    /// Of lines alone.
    words: OnceLock<Result<Vec<Entry>, TableError>>,
}

/// One thing to make of a unit.
enum Job<'m> {
    File(&'m Making),
    Words(&'m Making),
}

impl Making {
    fn of(unit: PlannedUnit) -> Making {
        Making { unit, file: OnceLock::new(), words: OnceLock::new() }
    }

    fn make_file(&self, sealed_at: Millis, sm3: bool) {
        self.file.get_or_init(|| self.unit.make(sealed_at, sm3));
    }

    fn make_words(&self) {
        self.words.get_or_init(|| words::made(&self.unit.file(), self.unit.rows()));
    }
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
        // What is left of it once rows lie where they are sealed from was not needed, and is given back.
        let spare = std::mem::take(&mut *lock(&self.spare));
        let spare = if generation.batches.is_empty() { Spare::default() } else { spare };
        let mut staged = Vec::new();
        for (day, rows) in self.nat_rows(generation, sealed_at) {
            let unit = PlannedUnit::new(&self.keyring, Kind::NatMapping, day, rows)?;
            let made = unit.make(sealed_at, self.config.sm3)?;
            staged.push(unit.stage(&self.disk, made)?);
        }
        let threads = available_parallelism().map_or(1, usize::from).min(SEALING_THREADS);
        let units: Vec<Making> = self.planned(generation, sealed_at, threads, &spare)?.into_iter().map(Making::of).collect();
        drop(spare);
        let mut jobs: Vec<Job<'_>> = units.iter().map(Job::File).collect();
        jobs.extend(units.iter().filter(|making| making.unit.kind() == words::KIND).map(Job::Words));
        let size = |(Job::File(making) | Job::Words(making)): &Job<'_>| column::memory(making.unit.rows());
        side_by_side(jobs, threads, THREADS, &size, &|job| match job {
            Job::File(making) => making.make_file(sealed_at, self.config.sm3),
            Job::Words(making) => making.make_words(),
        });
        for Making { unit, file, words } in units {
            let made = file.into_inner().ok_or_else(|| StoreError::Internal("a unit was not made".to_owned()))?;
            let unit = unit.stage(&self.disk, made?)?;
            // Without an index the first search makes it.
            let words = words.into_inner().and_then(|made| made.inspect_err(|e| *lock(&self.flags.trouble) = Some(e.to_string())).ok());
            staged.push(StagedUnit { words, ..unit });
        }
        Ok(staged)
    }

    /// The rows of each kind but mappings, sorted and by key day, with keys.
    fn planned(&self, generation: &Generation, sealed_at: Millis, threads: usize, spare: &Spare) -> Result<Vec<PlannedUnit>, StoreError> {
        let kinds: Vec<_> = generation.batches.iter().filter(|(kind, _)| !kind.spec().transient).collect();
        let size = |(_, batches): &(&Kind, &Vec<RecordBatch>)| batches.iter().map(column::memory).sum();
        let days = side_by_side(kinds, threads, THREADS, &size, &|(kind, batches)| (*kind, by_day(*kind, batches, sealed_at, spare)));
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
