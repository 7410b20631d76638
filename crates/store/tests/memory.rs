//! What the store may hold in memory bounds what it holds, however much comes. A file of its own: the kernel counts a whole process.

use std::fs;
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::crypto::Secret;
use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::{Action, Form, NatEvent, NatEventColumns};
use weir_record::sink::{Group, RecordSink, SourceDesc};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig};

/// The store's share of the smallest `store.memory_bytes`.
const MEMORY: u64 = 256 << 20;
/// Events: without a bound they would wait together, and their rows be made at once.
const EVENTS: u64 = 5_000_000;
const A_GROUP: u64 = 20_000;

/// The most memory this process has held so far, in bytes.
fn most() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Mappings of 64 addresses that live for a while: each is created, and deleted a thousand events later.
fn events(source: u32, from: u64, begin: Millis) -> NatEventColumns {
    let mut columns = NatEventColumns::default();
    for number in from..from + A_GROUP {
        let mapping = if number % 2 == 0 { number } else { number.saturating_sub(1_001) };
        let port = 1_024 + (mapping / 64 % 60_000) as u16;
        columns.push(&NatEvent {
            time: begin.plus(number as i64 / 100),
            action: if number % 2 == 0 { Action::Create as u8 } else { Action::Delete as u8 },
            form: Form::Session as u8,
            protocol: 6,
            source,
            public_address: Addr16::v4([203, 0, 113, (mapping % 64) as u8]),
            public_port: port,
            public_port_last: port,
            inside_address: Addr16::v4([100, 64, (mapping >> 8) as u8, mapping as u8]),
            inside_port: port,
            ..NatEvent::default()
        });
    }
    columns
}

#[test]
fn more_comes_than_fits_and_the_store_keeps_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let disk: SharedDisk = Arc::new(RealDisk::new(folder.path()).unwrap());
    // Nothing but memory is a reason to seal.
    let config = StoreConfig { unit_seconds: 3_600, unit_rows: usize::MAX, memory_bytes: MEMORY, ..StoreConfig::default() };
    let catalog = Box::new(MemoryCatalog::default());
    let (store, _) = Store::open(disk, Some(folder.path()), catalog, Arc::clone(&clock), &Secret([7; 32]), config).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    let desc = SourceDesc { name: "cgn".into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
    let source = store.register(&desc).unwrap().number;
    let (before, begin) = (most(), clock.now().plus(-(EVENTS as i64) / 100));
    for from in (0..EVENTS).step_by(A_GROUP as usize) {
        let batch = events(source, from, begin).into_batch();
        store.submit(
            Group { batches: vec![(Kind::NatEvent, batch)], ..Group::new("ipfix") },
            Box::new(|kept| assert!(kept.is_ok(), "{kept:?}")),
        );
    }
    tasks.stop().raise();
    store.stop().unwrap();
    tasks.join();
    let (grown, health) = (most() - before, store.health());
    assert_eq!((health.waiting_rows, health.sealed_rows >= EVENTS / 2), (0, true), "{health:?}");
    assert!(health.log_size > 6, "it was sealed in several cycles: {health:?}");
    assert!(grown < MEMORY, "{} MB, and {} MB were allowed", grown >> 20, MEMORY >> 20);
}
