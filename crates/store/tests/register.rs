//! The register of sources: an entry that does not read, such as one of an earlier version, stops the start.

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::{Group, RecordSink, SourceDesc, StatePut};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig, StoreError};
use weir_testkit::{SimClock, SimDisk};

fn open(disk: &SimDisk) -> Result<Arc<Store>, StoreError> {
    let clock: Arc<dyn Clock> = Arc::new(SimClock::new(Millis(1_795_312_800_000)));
    let (store, _) = Store::open(disk.shared(), None, Box::new(MemoryCatalog::default()), clock, &Secret([7; 32]), StoreConfig::default())?;
    Ok(store)
}

/// Opens the store, does something, and stops it.
fn run(disk: &SimDisk, what: impl FnOnce(&Store)) {
    let store = open(disk).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    what(&store);
    tasks.stop().raise();
    store.stop().unwrap();
    tasks.join();
}

#[test]
fn an_entry_of_another_form_is_refused_and_no_number_is_given_twice() {
    let disk = SimDisk::new();
    let desc = |name: &str| SourceDesc { name: name.into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
    let mut first = 0;
    run(&disk, |store| first = store.register(&desc("one")).unwrap().number);
    run(&disk, |store| {
        assert_eq!(store.register(&desc("one")).unwrap().number, first);
        let (key, mut value) = store.state("registry").into_iter().find(|(key, _)| key.starts_with(b"source/")).unwrap();
        // The version of the form of batches.
        value[3] = 0;
        store.commit(Group { state: vec![StatePut { key, value: Some(value) }], ..Group::new("registry") }).unwrap();
    });
    let said = open(&disk).err().unwrap().to_string();
    assert!(said.contains("the register of sources") && said.contains("another version of the form of batches"), "{said}");
}
