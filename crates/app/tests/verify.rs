//! `weir verify` on real data folders: good ones, folders of a running program, folders with a commit half done, and every way to tamper with
//! each file. Each tampering is found and named, or stands in a list here of what is harmless by design.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
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
use weir_record::stored::keyring::KeyId;
use weir_record::stored::stage::{self, Stage};
use weir_record::{Id, Kind};
use weir_store::catalog::SqliteCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::keyring::{Keyring, master};

const T0: i64 = 1_795_312_800_000;

/// A clock moved by hand.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis((self.0.load(Ordering::SeqCst) - T0) as u64)
    }
}

/// Numbers without a pattern that an encoding could use.
fn mix(port: u16, salt: u64) -> i64 {
    let mut x = (u64::from(port) + 1 + (salt << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x >> 20) as i64
}

struct Rig {
    store: Arc<Store>,
    tasks: Option<Tasks>,
    clock: Arc<Hand>,
    source: u32,
}

impl Rig {
    fn open(data: &Path, now: i64) -> Rig {
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
    fn send(&self, count: u16) {
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

    fn minute(&self) {
        self.clock.0.fetch_add(60_000, Ordering::SeqCst);
    }

    fn seal(&self, count: u16) {
        self.send(count);
        self.minute();
        self.store.seal_now().unwrap();
    }

    fn end(mut self, tidy: bool) {
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
fn build(data: &Path) {
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

struct Told {
    code: i32,
    json: Value,
}

impl Told {
    fn list(&self, name: &str) -> Vec<String> {
        let text = |f: &Value, key: &str| f[key].as_str().unwrap().to_owned();
        self.json[name]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{}: {} [{}]", text(f, "where"), text(f, "what"), text(f, "hint")))
            .collect()
    }

    fn names(&self, list: &str, word: &str) -> bool {
        self.list(list).iter().any(|f| f.contains(word))
    }

    fn assert_good(&self, what: &str) {
        assert_eq!((self.code, self.list("problems")), (0, vec![]), "{what}");
        assert_eq!(self.json["ok"], Value::Bool(true), "{what}");
    }

    fn assert_bad(&self, what: &str, word: &str) {
        assert_eq!((self.code, &self.json["ok"]), (1, &Value::Bool(false)), "{what}: {}", self.json);
        assert!(self.names("problems", word), "{what}: {word} is not named in {:#?}", self.list("problems"));
    }
}

fn verify(data: &Path) -> Told {
    let out = Command::new(env!("CARGO_BIN_EXE_weir")).args(["verify", "--json", "--data"]).arg(data).output().unwrap();
    let json = serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    Told { code: out.status.code().unwrap(), json }
}

fn files(root: &Path) -> Vec<String> {
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

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}

/// Files that are no evidence: they are rebuilt, or hold nothing.
fn is_disposable(file: &str) -> bool {
    file.starts_with("index/") || file.starts_with("catalog.sqlite") || file == "weir.lock"
}

/// An older, narrower form of a tile: whoever read the last checkpoint may still want it.
fn is_old_form(root: &Path, file: &str) -> bool {
    let Some((folder, width)) = file.rsplit_once(".p/") else { return false };
    let width: u16 = width.parse().unwrap();
    let widest = fs::read_dir(root.join(format!("{folder}.p")))
        .unwrap()
        .map(|e| e.unwrap().file_name().to_str().unwrap().parse::<u16>().unwrap())
        .max();
    widest.is_some_and(|w| width < w) || root.join(folder).exists()
}

fn with_change(path: &Path, change: impl FnOnce(&mut Vec<u8>), then: impl FnOnce()) {
    let good = fs::read(path).unwrap();
    let mut bad = good.clone();
    change(&mut bad);
    fs::write(path, &bad).unwrap();
    then();
    fs::write(path, &good).unwrap();
}

#[test]
fn a_good_folder_is_good_and_all_of_it_was_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let before: BTreeMap<String, Vec<u8>> =
        files(dir.path()).into_iter().map(|f| (f.clone(), fs::read(dir.path().join(f)).unwrap())).collect();
    let told = verify(dir.path());
    told.assert_good("as built");
    assert_eq!(told.list("warnings"), Vec::<String>::new());
    let count = |name: &str| told.json["checked"][name].as_u64().unwrap();
    assert!(count("log_entries") > 10 && count("units") > count("files") && count("rows") > 20_000, "{}", told.json);
    assert!(count("wal_groups") >= 2 && count("state_entries") > 0 && count("keys") > 3, "{}", told.json);
    assert_eq!((count("side_entries"), count("files_without_key")), (2, 0));
    let after: BTreeMap<String, Vec<u8>> =
        files(dir.path()).into_iter().map(|f| (f.clone(), fs::read(dir.path().join(f)).unwrap())).collect();
    assert!(before == after, "verify wrote something");
    // The program goes on with what was verified, and both ways to end it leave a good folder.
    Rig::open(dir.path(), T0 + 2_000_000).end(false);
    verify(dir.path()).assert_good("after a start");
    Rig::open(dir.path(), T0 + 3_000_000).end(true);
    verify(dir.path()).assert_good("after a stop");
}

#[test]
fn what_is_no_data_folder_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    for data in [dir.path().to_owned(), dir.path().join("nowhere")] {
        let out = Command::new(env!("CARGO_BIN_EXE_weir")).args(["verify", "--data"]).arg(&data).output().unwrap();
        assert_eq!(out.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&out.stderr).contains("--data"));
    }
    assert!(!dir.path().join("nowhere").exists());
}

/// What may be named instead of the file itself: a changed master key is first seen at the keyring.
fn names_for(file: &str) -> Vec<&str> {
    if file == "master.key" { vec!["master.key", "keyring"] } else { vec![file] }
}

#[test]
fn one_changed_byte_anywhere_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let mut seen = 0;
    for file in files(dir.path()).iter().filter(|f| !is_disposable(f)) {
        let path = dir.path().join(file);
        let len = fs::read(&path).unwrap().len();
        for at in [0, 1, len / 3, len / 2, len.saturating_sub(9), len - 1] {
            // The random mark of the side ledger is a name, not evidence.
            if file == "side/ledger" && at < 16 {
                continue;
            }
            with_change(
                &path,
                |bytes| bytes[at] ^= 0x10,
                || {
                    let (told, what) = (verify(dir.path()), format!("{file}, byte {at} of {len}"));
                    seen += 1;
                    // One slot of the keyring is enough, and a changed length in the newest frame looks like one that was being written.
                    let list = if told.code == 0 { "warnings" } else { "problems" };
                    assert!(
                        told.code == 1 || file == "keyring" || file.starts_with("wal/") || file == "side/ledger",
                        "{what}: {}",
                        told.json
                    );
                    assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
                },
            );
        }
    }
    assert!(seen > 100, "{seen}");
    verify(dir.path()).assert_good("after all was put back");
}

#[test]
fn a_cut_a_missing_and_a_grown_file_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    for file in files(dir.path()).iter().filter(|f| !is_disposable(f)) {
        let path = dir.path().join(file);
        let len = fs::read(&path).unwrap().len();
        for keep in [len / 2, len.saturating_sub(9)] {
            with_change(
                &path,
                |bytes| bytes.truncate(keep),
                || {
                    let (told, what) = (verify(dir.path()), format!("{file} cut to {keep} of {len}"));
                    let list = if told.code == 0 { "warnings" } else { "problems" };
                    assert!(told.code == 1 || file.starts_with("wal/") || file == "side/ledger", "{what}: {}", told.json);
                    assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
                },
            );
        }
        with_change(
            &path,
            |bytes| bytes.extend(*b"something"),
            || {
                let (told, what) = (verify(dir.path()), format!("{file} grown"));
                let list = if told.code == 0 { "warnings" } else { "problems" };
                // Void bytes behind a frame, and an entry of the side ledger that was never finished.
                assert!(told.code == 1 || file.starts_with("wal/") || file == "side/ledger", "{what}: {}", told.json);
                assert!(names_for(file).iter().any(|n| told.names(list, n)), "{what}: {:#?}", told.list(list));
            },
        );
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let told = verify(dir.path());
        fs::write(&path, good).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        if file == "side/ledger" || is_old_form(dir.path(), file) {
            // Nothing tells that it was there: docs/verify.md.
            told.assert_good(file);
        } else {
            told.assert_bad(&format!("{file} removed"), file);
        }
    }
    verify(dir.path()).assert_good("after all was put back");
}

#[test]
fn disposable_files_may_change_and_go() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let all: Vec<String> = files(dir.path()).into_iter().filter(|f| is_disposable(f)).collect();
    assert!(all.iter().any(|f| f.starts_with("index/")) && all.iter().any(|f| f.starts_with("catalog")), "{all:?}");
    for file in all {
        fs::write(dir.path().join(&file), b"x").unwrap();
        verify(dir.path()).assert_good(&file);
        fs::remove_file(dir.path().join(&file)).unwrap();
    }
    verify(dir.path()).assert_good("without index and catalog");
}

fn segments(data: &Path) -> Vec<PathBuf> {
    files(data).iter().filter(|f| f.ends_with(".parquet")).map(|f| data.join(f)).collect()
}

fn digests(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.digests", file.display()))
}

fn swap(a: &Path, b: &Path) {
    let (x, y) = (fs::read(a).unwrap(), fs::read(b).unwrap());
    fs::write(a, y).unwrap();
    fs::write(b, x).unwrap();
}

#[test]
fn segments_that_are_swapped_added_or_damaged_in_one_block() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let all = segments(dir.path());
    let name = |p: &Path| p.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned();
    let (a, b) = (&all[0], &all[1]);
    swap(a, b);
    let told = verify(dir.path());
    told.assert_bad("swapped", &name(a));
    told.assert_bad("swapped", &name(b));
    swap(&digests(a), &digests(b));
    let told = verify(dir.path());
    told.assert_bad("swapped with digests", &name(a));
    told.assert_bad("swapped with digests", &name(b));
    swap(a, b);
    swap(&digests(a), &digests(b));
    verify(dir.path()).assert_good("swapped back");

    let stray = a.with_file_name("0123456789abcdef0123456789abcdef.parquet");
    fs::copy(a, &stray).unwrap();
    fs::copy(digests(a), digests(&stray)).unwrap();
    let told = verify(dir.path());
    assert_eq!(told.list("problems").iter().filter(|p| p.contains("stray")).count(), 2, "{}", told.json);
    told.assert_bad("stray", &name(&stray));
    fs::remove_file(&stray).unwrap();
    fs::remove_file(digests(&stray)).unwrap();

    let large = all.iter().max_by_key(|p| fs::metadata(p).unwrap().len()).unwrap();
    assert!(fs::metadata(large).unwrap().len() > 65_536);
    with_change(
        large,
        |bytes| bytes[65_600] ^= 1,
        || verify(dir.path()).assert_bad("second block", &format!("{} from byte 65536", name(large))),
    );
    // The sidecar alone is bad: the file beside it is whole, and both are said.
    with_change(&digests(a), |bytes| bytes[30] ^= 1, || verify(dir.path()).assert_bad("sidecar", "the file beside it is whole"));
}

#[test]
fn an_older_checkpoint_is_found_alone_and_with_all_that_hangs_on_it() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let (current, published) = (dir.path().join("log/current"), dir.path().join("log/checkpoint"));
    let old = fs::read(&current).unwrap();
    let rig = Rig::open(dir.path(), T0 + 3_000_000);
    rig.seal(3);
    rig.end(false);
    let new = fs::read(&current).unwrap();
    verify(dir.path()).assert_good("before");
    fs::write(&published, &old).unwrap();
    verify(dir.path()).assert_bad("published set back", "older checkpoint");
    fs::write(&current, &old).unwrap();
    let told = verify(dir.path());
    told.assert_bad("both set back", "holds more than the checkpoint");
    told.assert_bad("both set back", "no entry of the log names it");
    fs::write(&published, &new).unwrap();
    verify(dir.path()).assert_bad("current set back", "the log was set back");
    fs::write(&current, &new).unwrap();
    verify(dir.path()).assert_good("after");
}

#[test]
fn an_edited_entry_is_named_and_all_others_are_judged() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let size: u64 = fs::read_to_string(dir.path().join("log/current")).unwrap().lines().nth(1).unwrap().parse().unwrap();
    let bundle = dir.path().join(format!("log/tile/entries/000.p/{size}"));
    let tile = dir.path().join(format!("log/tile/0/000.p/{size}"));
    let good = fs::read(&bundle).unwrap();
    let at = good.windows(6).position(|w| w == b"\nrows ").unwrap() + 6;
    let edit = |bytes: &mut Vec<u8>| bytes[at] = if bytes[at] == b'9' { b'8' } else { bytes[at] + 1 };
    with_change(&bundle, edit, || {
        let told = verify(dir.path());
        told.assert_bad("edited", "entry 1");
        told.assert_bad("edited", "log/tile/entries");
        // What the edited entry says is judged too.
        told.assert_bad("edited", "rows; it has");
    });
    // With the leaf made to fit, the root does not.
    with_change(&bundle, edit, || {
        let bytes = fs::read(&bundle).unwrap();
        let entries = weir_seal::tile::decode_bundle(&bytes).unwrap();
        let leaves: Vec<u8> = entries.iter().flat_map(|e| weir_seal::merkle::leaf_hash(e)).collect();
        with_change(
            &tile,
            |bytes| *bytes = leaves,
            || verify(dir.path()).assert_bad("edited with its tile", "not with the checkpoint's root"),
        );
    });
}

#[test]
fn modes_keys_and_erased_days() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let key = dir.path().join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    verify(dir.path()).assert_bad("mode", "others may use it");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    with_change(&key, |bytes| *bytes = [&[b'a'; 64][..], b"\n"].concat(), || verify(dir.path()).assert_bad("key", "does not fit"));

    let disk: SharedDisk = Arc::new(RealDisk::new(dir.path()).unwrap());
    let ring = Keyring::open(&disk, &master::master_key(disk.as_ref()).unwrap()).unwrap();
    let day = Millis(T0).day();
    ring.destroy(&[KeyId::kind("nat_mapping", day).unwrap()]).unwrap();
    let told = verify(dir.path());
    told.assert_good("erased");
    assert!(
        told.json["checked"]["files_without_key"].as_u64().unwrap() > 0 && told.names("warnings", &format!("kind/nat_mapping/{day}")),
        "{}",
        told.json
    );
    // Without the key the file itself is still held to the log.
    let file = segments(dir.path()).into_iter().find(|p| p.to_str().unwrap().contains("nat_mapping")).unwrap();
    with_change(&file, |bytes| bytes[40] ^= 1, || verify(dir.path()).assert_bad("erased and changed", "block 0"));
    // Somebody destroys the key of a file of the write-ahead log that is still needed.
    let newest = ring.ids().iter().filter_map(|id| id.number("wal")).max().unwrap();
    ring.destroy(&[KeyId::wal(newest)]).unwrap();
    verify(dir.path()).assert_bad("wal key", "the keyring has no key for it");
}

#[test]
fn a_commit_that_happened_and_is_not_applied_counts() {
    let dir = tempfile::tempdir().unwrap();
    let (data, before) = (dir.path().join("data"), dir.path().join("before"));
    build(&data);
    let rig = Rig::open(&data, T0 + 3_000_000);
    rig.seal(4);
    rig.send(6);
    copy(&data, &before);
    rig.minute();
    rig.store.seal_now().unwrap();
    rig.end(false);
    verify(&before).assert_good("before the commit");
    let old: Vec<String> = files(&before);
    let added = |start: &str| files(&data).into_iter().filter(|f| f.starts_with(start) && !old.contains(f)).collect::<Vec<_>>();
    let note = fs::read(data.join("log/current")).unwrap();
    let size = String::from_utf8_lossy(&note).lines().nth(1).unwrap().to_owned();
    fs::create_dir_all(before.join("stage")).unwrap();
    let mut pending = Stage { checkpoint: note.clone(), ..Stage::default() };
    for file in added("log/tile/") {
        pending.tiles.push((file.strip_prefix("log/").unwrap().to_owned(), fs::read(data.join(&file)).unwrap()));
    }
    for (i, file) in added("segments/").into_iter().enumerate() {
        let staged = format!("stage/file{i}");
        fs::copy(data.join(&file), before.join(&staged)).unwrap();
        pending.moves.push((staged, file));
    }
    assert!(pending.moves.len() >= 4 && pending.tiles.len() >= 2);
    let file = before.join(format!("stage/{size}.stage"));
    fs::write(&file, stage::encode(&pending).unwrap()).unwrap();
    let told = verify(&before);
    told.assert_good("staged, not swapped");
    assert!(told.names("warnings", "never counted"));
    fs::write(before.join("log/current"), &note).unwrap();
    let told = verify(&before);
    told.assert_good("swapped, not applied");
    assert_eq!(told.list("warnings").len(), usize::from(told.names("warnings", "stage")), "{}", told.json);
    with_change(&before.join("stage/file0"), |b| b[9] ^= 1, || verify(&before).assert_bad("staged file", &pending.moves[0].1));
    with_change(&file, |b| b[90] ^= 1, || verify(&before).assert_bad("stage", &format!("stage/{size}.stage")));
    // Half applied: some tiles and files are in place.
    let (path, bytes) = &pending.tiles[0];
    fs::create_dir_all(before.join("log").join(path).parent().unwrap()).unwrap();
    fs::write(before.join("log").join(path), bytes).unwrap();
    fs::rename(before.join(&pending.moves[0].0), before.join(&pending.moves[0].1)).unwrap();
    verify(&before).assert_good("half applied");
    Rig::open(&before, T0 + 4_000_000).end(true);
    verify(&before).assert_good("after the start that finished it");
}

#[test]
fn beside_a_program_that_seals_and_repacks_everything_is_good() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let rig = Rig::open(dir.path(), T0 + 3_000_000);
    let runs = std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            for round in 0..40u16 {
                rig.send(round);
                rig.seal(50);
                if round % 4 == 3 {
                    rig.store.repack(rig.clock.now()).unwrap();
                }
            }
        });
        let mut runs = 0;
        while !work.is_finished() || runs == 0 {
            verify(dir.path()).assert_good(&format!("run {runs}"));
            runs += 1;
        }
        runs
    });
    assert!(runs > 0);
    rig.end(true);
    verify(dir.path()).assert_good("after the stop");
}
