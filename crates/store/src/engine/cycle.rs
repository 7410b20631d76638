//! The seal cycle: everything that is durable and not sealed becomes units, in one commit.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use weir_base::task::{Stop, give_way, lock};
use weir_base::time::{Day, Millis};
use weir_record::Kind;
use weir_record::kinds::NatMappingColumns;
use weir_record::spare::Spare;
use weir_seal::entry::{Entry, Heartbeat};

use super::owed::{Begun, Owed};
use super::{Store, StoreError};
use crate::catalog::{Change, IndexState, RunMeta, UnitMeta};
use crate::commit::Plan;
use crate::limits::INDEX_ROWS;
use crate::manifest::{self, Manifest};
use crate::nat::columns::Columns;
use crate::nat::mapping::RowRef;
use crate::session::rows::SessionRows;
use crate::unit::{self, StagedUnit};
use crate::words::write_made;

/// What one cycle did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SealReport {
    /// Units sealed.
    pub units: usize,
    /// Rows sealed.
    pub rows: u64,
    /// Entries of the log now.
    pub size: u64,
}

#[derive(Default)]
pub(super) struct CycleState {
    /// When the last index checkpoint was written, monotonic.
    pub(super) flushed: Duration,
    /// Entries of the log that the index in memory holds.
    pub(super) indexed: u64,
    /// Time of the log's last heartbeat: where the next unit's window begins. None when it has to be read.
    pub(super) beat: Option<Millis>,
    /// Snapshot file that the catalog names.
    pub(super) snapshot: Option<(String, Day)>,
    /// Files of the index that go once neither the catalog nor the manifest names them.
    pub(super) gone: Vec<String>,
    /// The last group that is sealed.
    pub(super) through: u64,
    /// What follows from the log and did not happen yet.
    pub(super) owed: Owed,
    /// Runs of an index that was made at the start: the next checkpoint names them, and nothing before it does.
    pub(super) made: Vec<RunMeta>,
}

/// Units on their way into the log.
pub(super) struct Sealing {
    staged: Vec<StagedUnit>,
    window: (Millis, Millis),
    sealed_at: Millis,
    through: u64,
}

/// Time between two index checkpoints: what a start after a crash has to read again.
const FLUSH_EVERY: Duration = Duration::from_secs(600);

/// Time between two repackings.
const REPACK_EVERY: Duration = Duration::from_secs(3_600);

/// A part of what the write-ahead log may hold: beyond it a cycle writes the state too, so that files of the log can go.
const WAL_CROWDED: u64 = 4;

/// Units younger than this are left alone, in milliseconds: questions about now find them where they were sealed.
const REPACK_AGE_MS: i64 = 300_000;

impl Store {
    pub(super) fn run_sealer(&self, stop: &Stop) {
        give_way();
        let mut last = self.clock.monotonic();
        let mut repacked = last;
        while !stop.is_raised() {
            let due = Duration::from_secs(self.config.unit_seconds.max(1));
            let left = due.saturating_sub(self.clock.monotonic().saturating_sub(last));
            let woken = self.sleep(left.min(Duration::from_millis(500)));
            if stop.is_raised() {
                return;
            }
            if !woken && self.clock.monotonic().saturating_sub(last) < due {
                continue;
            }
            last = self.clock.monotonic();
            let mut done = self.seal_now().map(drop);
            if done.is_ok() && last.saturating_sub(repacked) >= REPACK_EVERY {
                repacked = last;
                done = self.repack(self.clock.now().plus(-REPACK_AGE_MS)).map(drop);
            }
            if let Err(e) = done {
                *lock(&self.flags.trouble) = Some(e.to_string());
            }
        }
    }

    /// Waits until somebody wants a cycle; true if so.
    fn sleep(&self, most: Duration) -> bool {
        let held = lock(&self.wake.0);
        let (mut held, _) = self.wake.1.wait_timeout_while(held, most, |wanted| !*wanted).unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *held)
    }

    pub(super) fn wake_sealer(&self) {
        *lock(&self.wake.0) = true;
        self.wake.1.notify_all();
    }

    pub(super) fn wake_sealer_if_due(&self) {
        let due = self.is_due(&self.live.read().unwrap_or_else(PoisonError::into_inner).current);
        if due {
            self.wake_sealer();
        }
    }

    /// Seals everything that is durable now, or writes a heartbeat when there is nothing. On error nothing is lost: it stays in the
    /// write-ahead log and the next cycle tries again.
    pub fn seal_now(&self) -> Result<SealReport, StoreError> {
        let mut cycle = lock(&self.cycle);
        self.settle(&mut cycle)?;
        self.pay_some(&mut cycle)?;
        self.begin_cycle();
        let sealed_at = self.clock.now();
        let beat = cycle.beat.take().map_or_else(|| self.last_beat(), |beat| Ok(Some(beat)))?;
        let generation = self.live.read().unwrap_or_else(PoisonError::into_inner).sealing.clone();
        let Some(generation) = generation else { return Err(StoreError::Internal("no generation to seal".to_owned())) };
        let window = unit::window_of(beat, sealed_at);
        let staged = self.stage_all(&generation, sealed_at);
        let through = generation.last_group;
        drop(generation);
        let staged = staged.inspect_err(|_| self.sweep_stage())?;
        let report = self.commit_units(&mut cycle, Sealing { staged, window, sealed_at, through });
        // Memory stays bounded and the disk is cleared where it is the catalog that failed.
        let after = if report.is_ok() || !cycle.owed.is_told() { self.after_cycle(&mut cycle) } else { Ok(()) };
        let report = report?;
        after?;
        Ok(report)
    }

    /// Time of the heartbeat that the log ends with, or of its beginning.
    fn last_beat(&self) -> Result<Option<Millis>, StoreError> {
        let (size, mut beat) = (self.committer.size(), None);
        self.committer.entries(size.saturating_sub(1)..size, &mut |_, bytes| match Entry::decode(bytes) {
            Ok(Entry::Heartbeat(last)) => beat = Some(last.time),
            Ok(Entry::Genesis(genesis)) => beat = Some(genesis.time),
            _ => {}
        })?;
        Ok(beat)
    }

    /// What came so far becomes the generation to seal; a failed earlier cycle's generation is sealed first, alone.
    fn begin_cycle(&self) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.sealing.is_none() {
            let mut current = std::mem::take(&mut live.current);
            let spare = current.nat.close();
            live.current.last_group = current.last_group;
            live.sealing = Some(Arc::new(current));
            drop(live);
            drop(spare);
            self.room.1.notify_all();
        }
    }

    /// Which sources give one public port to several hosts, by their profile.
    pub(super) fn overloading(&self) -> HashMap<u32, bool> {
        lock(&self.registry).sources().map(|s| (s.entry.number, s.entry.profile.contains("overload"))).collect()
    }

    fn commit_units(&self, cycle: &mut CycleState, sealing: Sealing) -> Result<SealReport, StoreError> {
        let mut plan = Plan::default();
        for unit in &sealing.staged {
            plan.entries.push(unit.encoded()?);
            plan.files.extend(unit.files.iter().cloned());
        }
        let open = self.index.read().unwrap_or_else(PoisonError::into_inner).open.len() as u64;
        let heartbeat = Entry::Heartbeat(Heartbeat { time: sealing.sealed_at.max(Millis(0)), sequenced: sealing.through, open });
        plan.entries.push(heartbeat.encode().map_err(|e| StoreError::Internal(e.to_string()))?);
        match self.committer.commit(&plan) {
            Ok(committed) => {
                let report = self.finish(cycle, &sealing, committed.size)?;
                self.keep_room(sealing);
                Ok(report)
            }
            Err(e) => Err(self.failed(cycle, Begun::Seal(sealing), e)),
        }
    }

    /// The memory of rows is kept for the next ones; of mappings that of the largest unit.
    fn keep_room(&self, sealing: Sealing) {
        let (mappings, others): (Vec<_>, Vec<_>) = sealing.staged.into_iter().partition(|unit| unit.kind == Kind::NatMapping);
        let spare = Spare::default();
        others.into_iter().for_each(|unit| spare.keep(unit.rows));
        *lock(&self.spare) = spare;
        let mappings = mappings.into_iter().map(|unit| unit.rows);
        let Some(rows) = mappings.max_by_key(RecordBatch::num_rows) else { return };
        let used = rows.num_rows();
        let room = NatMappingColumns::reuse(rows);
        // What a peak took is given back after it.
        if room.room() <= used.saturating_mul(4) {
            *lock(&self.room_for_rows) = room;
        }
    }

    /// The commit happened: what follows can only be repeated, never undone, so memory comes first.
    pub(super) fn finish(&self, cycle: &mut CycleState, sealing: &Sealing, size: u64) -> Result<SealReport, StoreError> {
        let mut change = Change { log_size: Some(size), ..Change::default() };
        let first_index = size - sealing.staged.len() as u64 - 1;
        let metas: Vec<UnitMeta> =
            (first_index..).zip(&sealing.staged).filter_map(|(index, unit)| unit::meta_of(index, &unit.entry, sealing.window)).collect();
        for (meta, unit) in metas.iter().zip(&sealing.staged) {
            let written = match unit.kind {
                Kind::NatMapping => crate::fence::write_fences(&self.files, meta, &unit.rows, &unit.map, 0),
                _ => unit.words.as_ref().map_or(Ok(()), |words| Ok(write_made(&self.files, (&meta.file, meta.day), words)?)),
            };
            if let Err(e) = written {
                // The first question that needs the table makes it again.
                *lock(&self.flags.trouble) = Some(e.to_string());
            }
        }
        let rows = metas.iter().map(|m| m.rows).sum();
        self.publish(&metas, &sealing.staged, &mut change, sealing.sealed_at);
        cycle.indexed = size;
        cycle.through = sealing.through;
        cycle.beat = Some(sealing.sealed_at.max(Millis(0)));
        cycle.owed.tell(change);
        self.flags.sealed_rows.fetch_add(rows, Ordering::Relaxed);
        // What the log has it has, whatever the catalog takes.
        let paid = self.pay(cycle);
        self.drop_wal(sealing.through)?;
        paid?;
        Ok(SealReport { units: metas.len(), rows, size })
    }

    /// The sealed rows go into the index, then the generation goes out. In between a mapping is found both ways, which says the same thing twice; and a
    /// session's events are told twice, of which all but the first time says nothing new. The writer waits for none of it.
    fn publish(&self, metas: &[UnitMeta], staged: &[StagedUnit], change: &mut Change, sealed_at: Millis) {
        change.units.extend(metas.iter().cloned());
        for (meta, unit) in metas.iter().zip(staged).filter(|(meta, _)| meta.kind == Kind::NatMapping) {
            let pools = super::pools_of(&unit.rows);
            {
                let mut sealed = self.sealed.write().unwrap_or_else(PoisonError::into_inner);
                sealed.learn_pools(pools, change);
                sealed.insert(meta.clone());
            }
            self.index_nat(meta, &unit.rows);
        }
        for (meta, unit) in metas.iter().zip(staged).filter(|(meta, _)| meta.kind == Kind::RadiusSession) {
            self.index_sessions(meta, &unit.rows);
        }
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let mut sealed = self.sealed.write().unwrap_or_else(PoisonError::into_inner);
        for meta in metas.iter().filter(|meta| meta.kind != Kind::NatMapping) {
            sealed.insert(meta.clone());
        }
        sealed.last_sealed = Some(sealed_at);
        let done = live.sealing.take();
        // With the events that say so: until now whoever paired them needed the ends.
        self.index.write().unwrap_or_else(PoisonError::into_inner).orphans.let_go();
        drop((live, sealed));
        self.index.write().unwrap_or_else(PoisonError::into_inner).orphans.expire(sealed_at);
        // Millions of rows take a while to let go of. Nobody else holds them but a look-up under way.
        let room = done.and_then(Arc::into_inner).map(|generation| generation.nat.into_room());
        self.live.write().unwrap_or_else(PoisonError::into_inner).current.nat.reuse(room.unwrap_or_default());
        self.room.1.notify_all();
    }

    /// Takes a NAT unit's rows into the index, some at a time. Ends of what is found in the unit itself are first, so that at no moment a mapping is
    /// found nowhere.
    fn index_nat(&self, meta: &UnitMeta, rows: &RecordBatch) {
        let orphans = self.index.read().unwrap_or_else(PoisonError::into_inner).orphans.latest();
        let rows = Columns::of(rows);
        for some in crate::index::telling(&rows, meta.window, orphans).chunks(INDEX_ROWS) {
            let some: Vec<_> = some.iter().filter_map(|row| Some((row_ref(meta, *row), rows.get(*row)?))).collect();
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner);
            some.iter().for_each(|(at, row)| index.apply_nat(*at, row, meta.window, meta.sealed, &gaps));
        }
    }

    /// Takes a unit's RADIUS events into the index, some at a time.
    fn index_sessions(&self, meta: &UnitMeta, rows: &RecordBatch) {
        let rows = SessionRows::of(rows);
        for from in (0..rows.len()).step_by(INDEX_ROWS) {
            let some: Vec<_> = (from..rows.len().min(from + INDEX_ROWS)).map(|row| rows.row(row)).collect();
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            some.iter().for_each(|row| index.apply_session(row, meta.sealed));
        }
    }

    /// Takes a unit's rows into the index. Also the path of rebuilding.
    pub(super) fn index_rows(&self, index: &mut crate::index::Index, meta: &UnitMeta, rows: &RecordBatch) {
        match meta.kind {
            Kind::NatMapping => {
                let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner);
                let rows = Columns::of(rows);
                for row in crate::index::telling(&rows, meta.window, index.orphans.latest()) {
                    let Some(told) = rows.get(row) else { continue };
                    index.apply_nat(row_ref(meta, row), &told, meta.window, meta.sealed, &gaps);
                }
            }
            Kind::RadiusSession => {
                let rows = SessionRows::of(rows);
                for row in 0..rows.len() {
                    index.apply_session(&rows.row(row), meta.sealed);
                }
            }
            _ => {}
        }
    }

    /// Files of the write-ahead log whose rows are sealed and whose state is in a snapshot go.
    fn drop_wal(&self, through: u64) -> Result<(), StoreError> {
        self.wal.rotate()?;
        // Files stay until their state is in a snapshot: where much comes that would be more than the log may hold before the time of one.
        let size = self.wal.size();
        let crowded = size.bytes >= size.most / WAL_CROWDED;
        if self.state.is_due(self.clock.monotonic()) || crowded {
            self.state.snapshot(self.clock.monotonic())?;
        }
        let through = through.min(self.state.durable_through());
        self.wal.drop_through(through)?;
        Ok(())
    }

    fn after_cycle(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        self.count_held();
        let spans = self.index.read().unwrap_or_else(PoisonError::into_inner).spans.in_memory();
        let old = self.clock.monotonic().saturating_sub(cycle.flushed) >= FLUSH_EVERY;
        if (old || spans >= self.spans_in_memory()) && !self.flags.full.load(Ordering::SeqCst) {
            self.flush(cycle)?;
        }
        Ok(())
    }

    /// Writes an index checkpoint: the spans in memory as runs, the open tables as a snapshot.
    pub fn flush_index(&self) -> Result<(), StoreError> {
        let mut cycle = lock(&self.cycle);
        self.flush(&mut cycle)
    }

    pub(super) fn flush(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        let day = self.clock.now().day();
        let (runs, snapshot) = {
            // A copy, because the writer takes gaps in meanwhile, and acknowledges nothing while it waits.
            let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner).clone();
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            (index.spans.write_runs(&self.files, day)?, crate::snapshot::write(&self.files, &index, &gaps, day)?)
        };
        let state = IndexState { entries: cycle.indexed, snapshot: Some((snapshot.clone(), day)) };
        {
            let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
            index.spans.add_runs(runs.clone());
            index.spans.clear_memory();
        }
        cycle.gone.extend(cycle.snapshot.replace((snapshot, day)).map(|(file, _)| file));
        cycle.flushed = self.clock.monotonic();
        let runs = std::mem::take(&mut cycle.made).into_iter().chain(runs).collect();
        cycle.owed.tell(Change { runs, index: Some(state.clone()), ..Change::default() });
        let paid = self.pay(cycle);
        let merged = if paid.is_ok() { self.merge_crowded(cycle, day).and_then(|()| self.gather_runs(cycle)) } else { Ok(()) };
        self.write_manifest(state, day)?;
        if cycle.owed.is_told() {
            self.files.remove(&std::mem::take(&mut cycle.gone));
        }
        paid?;
        merged
    }

    /// What the catalog knows of the index, beside the index: a catalog that is lost does not cost it.
    fn write_manifest(&self, index: IndexState, day: Day) -> Result<(), StoreError> {
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let pools = sealed.pools.iter().flat_map(|(address, sources)| sources.iter().map(|source| (*source, address.0))).collect();
        drop(sealed);
        let runs = self.index.read().unwrap_or_else(PoisonError::into_inner).spans.runs().cloned().collect();
        let Some(root) = self.committer.root_at(index.entries)? else {
            return Err(StoreError::Internal("the index has more of the log than there is".to_owned()));
        };
        manifest::write(&self.files, &Manifest { index, root, runs, pools }, day)
    }
}

fn row_ref(meta: &UnitMeta, row: usize) -> RowRef {
    RowRef { entry: meta.entry, row: u32::try_from(row).unwrap_or(u32::MAX) }
}
