//! More comes in minutes than the write-ahead log may hold: what is sealed makes room in time.

mod rig;

use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::crypto::Secret;
use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::OperatorAction;
use weir_record::sink::{Group, RecordSink, StatePut};
use weir_store::catalog::Catalog;
use weir_store::engine::{Store, StoreConfig};

use rig::{Harm, Shared};

/// What the log may hold, and groups of which it holds a fifth at most.
const MOST: u64 = 4 << 20;
const GROUPS: u32 = 320;
const GROUP_BYTES: usize = 64 << 10;
/// Groups from one seal to the next.
const CYCLE: u32 = 8;

/// A group with state, which a snapshot has to hold before its file may go; long before the time of one.
fn group(number: u32) -> Group {
    let put = StatePut { key: number.to_le_bytes().to_vec(), value: Some(vec![7; 16]) };
    let row = OperatorAction { time: Millis(1_795_000_000_000), detail: "x".repeat(GROUP_BYTES), ..OperatorAction::default() };
    Group { batches: vec![(Kind::OperatorAction, OperatorAction::batch(&[row]))], state: vec![put], ..Group::new("lines") }
}

#[test]
fn what_is_sealed_makes_room_in_the_log_before_it_is_full_whatever_the_catalog_takes() {
    [false, true].into_iter().for_each(filled);
}

fn filled(fails: bool) {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let disk: SharedDisk = Arc::new(RealDisk::new(folder.path()).unwrap());
    let config = StoreConfig { unit_seconds: 3_600, wal_bytes: MOST, ..StoreConfig::default() };
    let catalog = Shared::default();
    let (store, _) = Store::open(disk, Some(folder.path()), Box::new(catalog.clone()), clock, &Secret([7; 32]), config).unwrap();
    let tasks = weir_base::task::Tasks::new(weir_base::task::Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    catalog.harm(if fails { Harm::NoEffect } else { Harm::None });
    for number in 0..GROUPS {
        store.commit(group(number)).unwrap_or_else(|e| panic!("group {number}: {e}"));
        if number % CYCLE == CYCLE - 1 {
            assert_eq!(store.seal_now().is_err(), fails);
        }
    }
    catalog.harm(Harm::None);
    tasks.stop().raise();
    store.stop().unwrap();
    tasks.join();
    assert_eq!(catalog.load().unwrap().units.len(), store.units().len());
}
