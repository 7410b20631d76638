//! What tests of the whole store on a simulated disk share; each uses some of it.
#![allow(dead_code)]

use std::sync::{Arc, Mutex};

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::{Action, Form, NatEvent, NatEventColumns};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc};
use weir_store::catalog::{Catalog, Change, Content, MemoryCatalog};
use weir_store::engine::{OpenReport, Store, StoreConfig, StoreError};
use weir_store::nat::mapping::Mapping;
use weir_testkit::{SimClock, SimDisk};

/// When it begins.
pub const T0: i64 = 1_795_312_800_000;

/// How a catalog fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Harm {
    /// Not at all.
    #[default]
    None,
    /// A change does not happen.
    NoEffect,
    /// A change happens, and it is said that it did not.
    WithEffect,
}

/// A catalog that outlives the store, as a file would, and that fails as long as it is told to.
#[derive(Clone, Default)]
pub struct Shared(Arc<MemoryCatalog>, Arc<Mutex<Harm>>);

impl Shared {
    pub fn harm(&self, harm: Harm) {
        *self.1.lock().unwrap() = harm;
    }

    /// Back to what it was, as SQLite after a power cut.
    pub fn back_to(&self, content: Content) {
        let Content { units, runs, pools, index, log_size } = content;
        self.0.clear().unwrap();
        let change =
            Change { units: units.since(0, Kind::ALL), runs, pools, index: Some(index), log_size: Some(log_size), ..Change::default() };
        self.0.apply(&change).unwrap();
    }
}

impl Catalog for Shared {
    fn load(&self) -> Result<Content, String> {
        self.0.load()
    }
    fn apply(&self, change: &Change) -> Result<(), String> {
        let harm = *self.1.lock().unwrap();
        if harm != Harm::NoEffect {
            self.0.apply(change)?;
        }
        if harm == Harm::None { Ok(()) } else { Err("the catalog failed: simulated".to_owned()) }
    }
    fn clear(&self) -> Result<(), String> {
        self.0.clear()
    }
}

/// A store on a simulated disk, with one exporter.
pub struct Rig {
    pub disk: SimDisk,
    pub clock: Arc<SimClock>,
    pub catalog: Shared,
    master: Secret,
    store: Option<(Arc<Store>, Tasks)>,
    pub source: u32,
    /// What the next store may hold.
    pub memory_bytes: u64,
}

impl Rig {
    pub fn new() -> Rig {
        let clock = Arc::new(SimClock::new(Millis(T0)));
        let memory_bytes = StoreConfig::default().memory_bytes;
        Rig { disk: SimDisk::new(), clock, catalog: Shared::default(), master: Secret([7; 32]), store: None, source: 0, memory_bytes }
    }

    pub fn open(&mut self) -> Result<OpenReport, StoreError> {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let config = StoreConfig { unit_seconds: 3600, memory_bytes: self.memory_bytes, ..StoreConfig::default() };
        let (store, report) = Store::open(self.disk.shared(), None, Box::new(self.catalog.clone()), clock, &self.master, config)?;
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
        store.start(&tasks).unwrap();
        self.store = Some((store, tasks));
        Ok(report)
    }

    pub fn register(&mut self) -> Result<(), SinkError> {
        let desc = SourceDesc { name: "cgn".into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
        self.source = self.store().register(&desc)?.number;
        Ok(())
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store.as_ref().unwrap().0
    }

    /// Ends the threads without leaving anything tidy behind.
    pub fn drop_store(&mut self) {
        if let Some((store, tasks)) = self.store.take() {
            tasks.stop().raise();
            store.abandon();
            tasks.join();
        }
    }

    pub fn crash(&mut self, seed: u64) {
        self.disk.crash(seed);
        self.drop_store();
    }

    pub fn send(&self, events: &[NatEvent]) -> Result<(), SinkError> {
        let mut columns = NatEventColumns::default();
        events.iter().for_each(|e| columns.push(e));
        let group = Group {
            batches: vec![(Kind::NatEvent, columns.into_batch())],
            evidence: events.iter().map(|e| (e.source, e.time)).collect(),
            ..Group::new("ipfix")
        };
        self.store().commit(group).map(drop)
    }

    pub fn holders(&self, port: u16, at: i64) -> Vec<Addr16> {
        let (found, _) = self.store().mappings(public(), Some(port), Some(6), Millis(at), Millis(at)).unwrap();
        found.iter().map(|m: &Mapping| m.inside).collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.drop_store();
    }
}

pub fn public() -> Addr16 {
    Addr16::v4([203, 0, 113, 7])
}

pub fn inside(host: u8) -> Addr16 {
    Addr16::v4([100, 64, 0, host])
}

pub fn event(source: u32, action: Action, port: u16, host: u8, time: i64) -> NatEvent {
    NatEvent {
        time: Millis(time),
        action: action as u8,
        form: Form::Session as u8,
        protocol: 6,
        source,
        public_address: public(),
        public_port: port,
        public_port_last: port,
        inside_address: inside(host),
        inside_port: 5_000 + port,
        ..NatEvent::default()
    }
}
