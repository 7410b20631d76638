//! Data folders as the store makes them, and the judgement of the binary on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use weir_base::clock::Clock;
use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Action, Form, Gap, NatEvent, NatEventColumns};
use weir_record::sink::{Group, RecordSink, SourceDesc, StatePut};
use weir_record::{Id, Kind};
use weir_store::catalog::SqliteCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::keyring::master;

pub const T0: i64 = 1_795_312_800_000;

/// A clock moved by hand.
pub struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis((self.0.load(Ordering::SeqCst) - T0) as u64)
    }
}

/// Numbers without a pattern that an encoding could use.
pub fn mix(port: u16, salt: u64) -> i64 {
    let mut x = (u64::from(port) + 1 + (salt << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x >> 20) as i64
}

pub struct Rig {
    pub store: Arc<Store>,
    tasks: Option<Tasks>,
    pub clock: Arc<Hand>,
    source: u32,
}

impl Rig {
    pub fn open(data: &Path, now: i64) -> Rig {
        let disk: SharedDisk = Arc::new(RealDisk::new(data).unwrap());
        let key = master::master_key(disk.as_ref()).unwrap();
        let catalog = SqliteCatalog::open(&data.join("catalog.sqlite")).unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(now)));
        let config = StoreConfig { unit_seconds: 3_600, sm3: true, ..StoreConfig::default() };
        let shared: Arc<dyn Clock> = clock.clone();
        let (store, _) = Store::open(disk, Some(data), Box::new(catalog), shared, &key, config).unwrap();
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
        store.start(&tasks).unwrap();
        let desc = SourceDesc { name: "cgn".into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
        let source = store.register(&desc).unwrap().number;
        Rig { store, tasks: Some(tasks), clock, source }
    }

    /// `count` mappings that open and close, one that stays open, and a gap.
    pub fn send(&self, count: u16) {
        let now = self.clock.now().0;
        let event = |action: Action, port: u16, time: i64| NatEvent {
            time: Millis(time),
            action: action as u8,
            form: Form::Session as u8,
            protocol: 6,
            source: self.source,
            public_address: Addr16::v4([203, 0, 113, 7]),
            public_port: port,
            public_port_last: port,
            inside_address: Addr16::v4([100, 64, mix(port, 1) as u8, mix(port, 2) as u8]),
            inside_port: mix(port, 3) as u16,
            ..NatEvent::default()
        };
        let mut columns = NatEventColumns::default();
        for port in 1..=count {
            columns.push(&event(Action::Create, port, now + mix(port, 4) % 9_973));
            columns.push(&event(Action::Delete, port, now + 10_000 + mix(port, 5) % 19_997));
        }
        columns.push(&event(Action::Create, (now % 5_000) as u16 + 60_000, now + 3));
        let gap = Gap {
            time: Millis(now),
            id: Id::random(),
            source: self.source,
            start: Millis(now - 5),
            end: Millis(now),
            unit: "records".into(),
            ..Gap::default()
        };
        let group = Group {
            batches: vec![(Kind::NatEvent, columns.into_batch()), (Kind::Gap, Gap::batch(&[gap]))],
            state: vec![StatePut { key: b"last".to_vec(), value: Some(now.to_le_bytes().to_vec()) }],
            ..Group::new("ipfix")
        };
        self.store.commit(group).unwrap();
    }

    pub fn minute(&self) {
        self.clock.0.fetch_add(60_000, Ordering::SeqCst);
    }

    pub fn seal(&self, count: u16) {
        self.send(count);
        self.minute();
        self.store.seal_now().unwrap();
    }

    pub fn end(mut self, tidy: bool) {
        if let Some(tasks) = self.tasks.take() {
            tasks.stop().raise();
            if tidy {
                self.store.stop().unwrap()
            } else {
                self.store.abandon()
            }
            tasks.join();
        }
    }
}

/// Two runs of the program: sealed, repacked and live records, a state snapshot, an index, a side ledger.
pub fn build(data: &Path) {
    let rig = Rig::open(data, T0);
    (0..3).for_each(|i| rig.seal(20 + i));
    rig.end(true);
    let rig = Rig::open(data, T0 + 400_000);
    rig.seal(30);
    rig.store.repack(rig.clock.now()).unwrap();
    // A unit of several blocks, so that damage has a place.
    rig.seal(20_000);
    rig.seal(5);
    rig.send(40);
    // Twice as much, so that half of the file never ends where a frame does.
    rig.send(90);
    let mut side = vec![7u8; 16];
    for text in ["one", "another"] {
        let sealed = rig.store.ledger_seal(text.as_bytes()).unwrap();
        side.extend((sealed.len() as u32).to_le_bytes());
        side.extend(sealed);
    }
    rig.end(false);
    fs::create_dir_all(data.join("side")).unwrap();
    fs::write(data.join("side/ledger"), side).unwrap();
}

pub struct Told {
    pub code: i32,
    pub json: Value,
}

impl Told {
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
        self.json[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{}: {} [{}]", text(f, "where"), text(f, "what"), text(f, "hint")))
            .collect()
    }

    pub fn names(&self, list: &str, word: &str) -> bool {
        self.list(list).iter().any(|f| f.contains(word))
    }

    pub fn assert_good(&self, what: &str) {
        assert_eq!((self.code, self.list("problems")), (0, vec![]), "{what}");
        assert_eq!(self.json["ok"], Value::Bool(true), "{what}");
    }

    pub fn assert_bad(&self, what: &str, word: &str) {
        assert_eq!((self.code, &self.json["ok"]), (1, &Value::Bool(false)), "{what}: {}", self.json);
        assert!(self.names("problems", word), "{what}: {word} is not named in {:#?}", self.list("problems"));
    }
}

pub fn verify(data: &Path) -> Told {
    let out = Command::new(env!("CARGO_BIN_EXE_weir")).args(["verify", "--json", "--data"]).arg(data).output().unwrap();
    let json = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    Told { code: out.status.code().unwrap(), json }
}

pub fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, at: &Path, out: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(at).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() { walk(root, &path, out) } else { out.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()) }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out
}

pub fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}

/// Files that are no evidence: they are rebuilt, or hold nothing.
pub fn is_disposable(file: &str) -> bool {
    file.starts_with("index/") || file.starts_with("catalog.sqlite") || file == "weir.lock"
}

/// An older, narrower form of a tile: whoever read the last checkpoint may still want it.
pub fn is_old_form(root: &Path, file: &str) -> bool {
    let Some((folder, width)) = file.rsplit_once(".p/") else { return false };
    let width: u16 = width.parse().unwrap();
    let widest = fs::read_dir(root.join(format!("{folder}.p")))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_str().unwrap().parse::<u16>().unwrap())
        .max();
    widest.is_some_and(|w| width < w) || root.join(folder).exists()
}

pub fn with_change(path: &Path, change: impl FnOnce(&mut Vec<u8>), then: impl FnOnce()) {
    let good = fs::read(path).unwrap();
    let mut bad = good.clone();
    change(&mut bad);
    fs::write(path, &bad).unwrap();
    then();
    fs::write(path, &good).unwrap();
}

pub fn segments(data: &Path) -> Vec<PathBuf> {
    files(data).iter().filter(|f| f.ends_with(".parquet")).map(|f| data.join(f)).collect()
}

pub fn digests(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.digests", file.display()))
}

pub fn swap(a: &Path, b: &Path) {
    let (x, y) = (fs::read(a).unwrap(), fs::read(b).unwrap());
    fs::write(a, y).unwrap();
    fs::write(b, x).unwrap();
}
