//! What the log has and the rest does not know yet: a commit of which it is not known whether it happened, and what the catalog did not take. The catalog
//! never says that it knows the log up to a place without all that comes before.

use std::io;
use std::sync::PoisonError;

use weir_base::task::lock;
use weir_record::Kind;

use super::cycle::{CycleState, Sealing};
use super::repack::Moving;
use super::{Store, StoreError};
use crate::catalog::Change;
use crate::commit::CommitError;
use crate::fence::{self, fence_file};
use crate::limits::OWED_UNITS;
use crate::words::{self, words_file};

/// What a commit is of.
pub(super) enum Begun {
    /// Units.
    Seal(Sealing),
    /// A file into which units move.
    Move(Moving),
}

/// What follows from commits that happened, and did not happen yet.
#[derive(Default)]
pub(super) struct Owed {
    /// A commit of which it is not known whether it happened, and the size of the log if it did.
    unsettled: Option<(Begun, u64)>,
    /// What the catalog does not know.
    change: Change,
    /// Fence tables that name pages of files that are gone. As long as the catalog does not know of the move, the next start throws them away.
    tables: Vec<String>,
}

impl Owed {
    /// The catalog is to know this, after all that it does not know yet.
    pub(super) fn tell(&mut self, change: Change) {
        self.change.then(change);
    }

    /// True if the catalog knows everything.
    pub(super) fn is_told(&self) -> bool {
        self.change.is_empty()
    }
}

impl Store {
    /// Finds out what became of a commit that failed midway. One that happened is finished, of another nothing stays.
    pub(super) fn settle(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        // From here on the old files of units that move may be gone.
        let nowhere = matches!(cycle.owed.unsettled, Some((Begun::Move(_), _))).then(|| lock(&self.moving));
        self.committer.settle()?;
        match cycle.owed.unsettled.take() {
            None => Ok(()),
            Some((_, size)) if self.committer.size() < size => {
                self.sweep_stage();
                Ok(())
            }
            Some((Begun::Seal(sealing), size)) => self.finish(cycle, &sealing, size).map(drop),
            Some((Begun::Move(moving), size)) => {
                self.moved(cycle, moving, size);
                drop(nowhere);
                self.pay(cycle)
            }
        }
    }

    /// A commit failed. What was begun is kept where it may have happened.
    pub(super) fn failed(&self, cycle: &mut CycleState, begun: Begun, error: CommitError) -> StoreError {
        match error {
            CommitError::Unsettled { size, .. } => cycle.owed.unsettled = Some((begun, size)),
            _ => self.sweep_stage(),
        }
        error.into()
    }

    /// Tells the catalog what it does not know; what it does not take stays owed.
    pub(super) fn pay(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        if !cycle.owed.tables.is_empty() {
            let _one_at_a_time = lock(&self.moving);
            self.drop_tables(cycle)?;
        }
        self.catalog.apply(&cycle.owed.change).map_err(StoreError::Catalog)?;
        cycle.owed.change = Change::default();
        Ok(())
    }

    /// The same, where there is anything to tell.
    pub(super) fn pay_all(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        if cycle.owed.is_told() { Ok(()) } else { self.pay(cycle) }
    }

    /// Nothing more is sealed when the catalog did not take very much: what comes then stays in the write-ahead log until it does.
    pub(super) fn pay_some(&self, cycle: &mut CycleState) -> Result<(), StoreError> {
        if cycle.owed.change.units.len() < OWED_UNITS { Ok(()) } else { self.pay(cycle) }
    }

    /// The commit of a repack happened: everybody who asks finds the units in the new file from now on. Their fence tables name pages of files that are
    /// gone, so these go first, for good. The caller holds `moving`.
    pub(super) fn moved(&self, cycle: &mut CycleState, moving: Moving, size: u64) {
        let Moving { kind, units, old } = moving;
        if kind == Kind::NatMapping {
            cycle.owed.tables.extend(units.iter().map(|unit| fence_file(unit.unit)));
            if let Err(e) = self.drop_tables(cycle) {
                // Until they go, questions of these units fail, and the catalog is told nothing.
                *lock(&self.flags.trouble) = Some(e.to_string());
            }
        }
        let mut sealed = self.sealed.write().unwrap_or_else(PoisonError::into_inner);
        units.iter().for_each(|unit| sealed.insert(unit.clone()));
        drop(sealed);
        cycle.indexed = size;
        cycle.owed.tell(Change { units, log_size: Some(size), ..Change::default() });
        if kind == words::KIND {
            self.files.remove(&old.iter().map(|file| words_file(file)).collect::<Vec<_>>());
        }
    }

    fn drop_tables(&self, cycle: &mut CycleState) -> io::Result<()> {
        for table in &cycle.owed.tables {
            match self.disk.remove(table.as_ref()) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        self.disk.sync_dir(fence::FENCES.as_ref())?;
        cycle.owed.tables.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use weir_base::crypto::Secret;
    use weir_base::time::{Day, Millis};
    use weir_record::Id;
    use weir_testkit::{SimClock, SimDisk};

    use super::*;
    use crate::catalog::{Catalog, Content, MemoryCatalog, UnitMeta};
    use crate::engine::StoreConfig;

    #[derive(Clone, Default)]
    struct Failing(Arc<(AtomicBool, MemoryCatalog)>);

    impl Catalog for Failing {
        fn load(&self) -> Result<Content, String> {
            self.0.1.load()
        }
        fn apply(&self, change: &Change) -> Result<(), String> {
            if self.0.0.load(Ordering::Relaxed) { Err("the catalog failed".to_owned()) } else { self.0.1.apply(change) }
        }
        fn clear(&self) -> Result<(), String> {
            self.0.1.clear()
        }
    }

    #[test]
    fn where_very_much_is_owed_nothing_is_sealed_until_it_is_told() {
        let (catalog, clock) = (Failing::default(), Arc::new(SimClock::new(Millis(1_795_312_800_000))));
        let boxed = Box::new(catalog.clone());
        let (store, _) = Store::open(SimDisk::new().shared(), None, boxed, clock, &Secret([7; 32]), StoreConfig::default()).unwrap();
        let unit = UnitMeta {
            entry: 1,
            kind: Kind::NatMapping,
            day: Day(20_000),
            unit: Id([3; 16]),
            file: "segments/x".into(),
            first_row: 0,
            rows: 9,
            first: Millis(1),
            last: Millis(2),
            window: (Millis(1), Millis(2)),
            sealed: Millis(3),
        };
        catalog.0.0.store(true, Ordering::Relaxed);
        for (units, grows) in [(OWED_UNITS - 1, 1), (1, 0), (0, 0)] {
            lock(&store.cycle).owed.tell(Change { units: vec![unit.clone(); units], ..Change::default() });
            let size = store.committer.size();
            assert!(store.seal_now().is_err());
            assert_eq!(store.committer.size(), size + grows, "{units}");
        }
        catalog.0.0.store(false, Ordering::Relaxed);
        let sealed = store.seal_now().unwrap();
        let told = catalog.load().unwrap();
        assert_eq!((told.units.since(0, Kind::ALL), told.log_size), (vec![unit], sealed.size));
    }
}
