use std::collections::BTreeMap;

use weir_base::crypto::Secret;
use weir_base::disk::Disk;
use weir_testkit::{Fault, Rates, Rng, SimDisk, each_seed, runs};

use super::*;

const LIMITS: StateLimits = StateLimits { owner_bytes: 4_000, total_bytes: 6_000 };

fn keyring(disk: &SimDisk) -> Result<Arc<Keyring>, KeyringError> {
    let (shared, master) = (disk.shared(), Secret([1; 32]));
    let there = crate::keyring::exists(disk)?;
    Ok(Arc::new(if there { Keyring::open(&shared, &master)? } else { Keyring::create_with(&shared, &master, 4_096)? }))
}

fn try_open(disk: &SimDisk) -> Result<StateMap, StateError> {
    StateMap::open(&disk.shared(), &keyring(disk)?, LIMITS, Duration::ZERO)
}

fn open(disk: &SimDisk) -> StateMap {
    try_open(disk).unwrap()
}

fn put(key: &str, value: Option<&str>) -> StatePut {
    StatePut { key: key.into(), value: value.map(Into::into) }
}

fn texts(state: &StateMap, owner: &str) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    state.get(owner).into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

#[test]
fn a_snapshot_holds_all_up_to_its_group() {
    let disk = SimDisk::new();
    let state = open(&disk);
    assert_eq!((state.durable_through(), state.applied()), (0, 0));
    state.apply(1, "ipfix", &[put("b", Some("1")), put("a", Some("2")), put("gone", Some("3"))]);
    state.apply(2, "radius", &[put("a", Some("4"))]);
    state.apply(3, "ipfix", &[put("gone", None), put("b", Some("5"))]);
    state.apply(3, "ipfix", &[put("b", Some("an old group is passed over"))]);
    state.apply(4, "radius", &[]);
    assert_eq!((state.durable_through(), state.applied()), (0, 4));
    state.snapshot(Duration::ZERO).unwrap();
    assert_eq!(state.durable_through(), 4);
    state.apply(5, "radius", &[]);
    assert_eq!(state.durable_through(), 5);
    state.apply(6, "radius", &[put("later", Some("x"))]);
    assert_eq!(state.durable_through(), 5);
    disk.crash(1);
    let state = open(&disk);
    assert_eq!((state.durable_through(), state.applied()), (4, 4));
    assert_eq!(texts(&state, "ipfix"), [("a".into(), "2".into()), ("b".into(), "5".into())]);
    assert_eq!((texts(&state, "radius"), state.get("nobody")), (vec![("a".into(), "4".into())], vec![]));
}

#[test]
fn old_snapshots_go_with_their_keys() {
    let disk = SimDisk::new();
    let state = open(&disk);
    for group in 1..5 {
        state.apply(group, "o", &[put("k", Some(&group.to_string()))]);
        state.snapshot(Duration::ZERO).unwrap();
        state.snapshot(Duration::ZERO).unwrap();
        let names: Vec<String> = disk.list(Path::new(FOLDER)).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [format!("{group:010}.state")]);
        assert_eq!(keyring(&disk).unwrap().ids().len(), 1);
    }
}

#[test]
fn limits_are_told_before_anything_is_durable() {
    let disk = SimDisk::new();
    let state = open(&disk);
    let big = "x".repeat(1_800);
    let two = [put("a", Some(&big)), put("b", Some(&big))];
    state.check("o", &two).unwrap();
    state.apply(1, "o", &two);
    assert_eq!(state.bytes(), 2 * (1 + 1_800 + 64));
    let error = state.check("o", &[put("c", Some(&big))]).unwrap_err();
    assert!(matches!(&error, StateError::Full { owner, bytes: 5_595, most: 4_000 } if owner == "o"), "{error}");
    state.check("o", &[put("a", None), put("c", Some(&big))]).unwrap();
    state.check("o", &[put("c", Some(&big)), put("c", Some("small"))]).unwrap();
    state.check("o", &[put("a", Some("small"))]).unwrap();
    state.check("p", &[put("a", Some(&big))]).unwrap();
    assert!(matches!(state.check("p", &two), Err(StateError::Full { owner, .. }) if owner == "all owners"));
    assert!(matches!(state.check(&"o".repeat(65), &[put("a", Some(""))]), Err(StateError::Refused(_))));
    state.apply(2, "o", &[put("a", None), put("b", None)]);
    assert_eq!(state.bytes(), 0);
}

#[test]
fn a_snapshot_is_due_by_size_or_by_age() {
    let disk = SimDisk::new();
    let (state, late) = (open(&disk), Duration::from_millis(SNAPSHOT_AGE_MS));
    assert!(!state.is_due(late), "nothing changed");
    state.apply(1, "o", &[put("a", Some("x"))]);
    assert!(!state.is_due(late / 2) && state.is_due(late));
    state.snapshot(late).unwrap();
    let mib = "x".repeat(1 << 20);
    for group in 2..18 {
        assert!(!state.is_due(late));
        state.apply(group, "o", &[put("a", Some(&mib))]);
    }
    assert!(state.is_due(late));
}

#[test]
fn many_entries_take_several_frames() {
    let disk = SimDisk::new();
    let state = StateMap::open(&disk.shared(), &keyring(&disk).unwrap(), StateLimits::default(), Duration::ZERO).unwrap();
    let puts: Vec<StatePut> = (0..5_000u32).map(|i| StatePut { key: i.to_be_bytes().to_vec(), value: Some(vec![i as u8; 700]) }).collect();
    state.apply(1, "o", &puts);
    state.snapshot(Duration::ZERO).unwrap();
    let again = open(&disk);
    assert_eq!((again.get("o"), again.bytes()), (state.get("o"), state.bytes()));
}

#[test]
fn a_damaged_snapshot_is_named_and_not_passed_over() {
    let disk = SimDisk::new();
    let state = open(&disk);
    state.apply(1, "o", &[put("a", Some("x")), put("b", Some("y"))]);
    state.snapshot(Duration::ZERO).unwrap();
    let path = Path::new("state/0000000001.state");
    let len = weir_base::disk::read(&disk, path, 1 << 20).unwrap().len();
    for i in (0..len).filter(|i| ![132, 133, 134, 135].contains(i)) {
        disk.damage(path, |bytes| bytes[i] ^= 1);
        let opened = try_open(&disk);
        disk.damage(path, |bytes| bytes[i] ^= 1);
        match opened {
            Err(StateError::Damaged { path, .. }) => assert!(path.ends_with(".state")),
            Ok(state) => assert_eq!(texts(&state, "o").len(), 2, "padding, byte {i}"),
            Err(other) => panic!("byte {i}: {other}"),
        }
    }
    for cut in 0..len {
        let mut whole = Vec::new();
        disk.damage(path, |bytes| {
            whole.clone_from(bytes);
            bytes.truncate(cut);
        });
        assert!(matches!(try_open(&disk), Err(StateError::Damaged { .. })) || cut > len - 8, "cut {cut}");
        disk.damage(path, |bytes| *bytes = whole);
    }
    keyring(&disk).unwrap().destroy(&[weir_record::stored::keyring::KeyId::state(1)]).unwrap();
    assert!(matches!(try_open(&disk), Err(StateError::KeyMissing(1))));
}

/// Random changes, snapshots, faults, restarts and crashes: what `durable_through` promises is in the map after a restart, and replaying the groups
/// after it gives exactly the model.
fn random_run(seed: u64) {
    let mut rng = Rng::new(seed);
    let disk = SimDisk::new();
    // The write-ahead log of this test: every group, never lost.
    let mut log: Vec<(u64, String, Vec<StatePut>)> = Vec::new();
    let mut promised = 0;
    for life in 0..5 {
        if life < 4 {
            disk.fail_by_chance(rng.next_u64(), Rates { error: 60, power_off: 20 });
        }
        if let Ok(state) = try_open(&disk) {
            // What was promised as durable is not in the log any more.
            for (group, owner, puts) in log.iter().filter(|(group, ..)| *group > promised) {
                state.apply(*group, owner, puts);
            }
            let mut model: BTreeMap<(String, Vec<u8>), Vec<u8>> = BTreeMap::new();
            for (_, owner, puts) in &log {
                for put in puts {
                    let key = (owner.clone(), put.key.clone());
                    drop(match &put.value {
                        Some(value) => model.insert(key, value.clone()),
                        None => model.remove(&key),
                    });
                }
            }
            for owner in ["a", "b"] {
                let want: Vec<_> = model.iter().filter(|((o, _), _)| o == owner).map(|((_, k), v)| (k.clone(), v.clone())).collect();
                assert_eq!(state.get(owner), want);
            }
            for _ in 0..rng.below(20) {
                if rng.below(3) == 0 {
                    drop(state.snapshot(Duration::ZERO));
                    assert!(state.durable_through() >= promised || state.applied() < promised);
                    promised = promised.max(state.durable_through());
                    continue;
                }
                let owner = if rng.coin() { "a" } else { "b" };
                let puts: Vec<StatePut> = (0..rng.below(4))
                    .map(|_| StatePut { key: vec![rng.below(6) as u8], value: rng.coin().then(|| rng.bytes(20)) })
                    .collect();
                let group = log.len() as u64 + 1;
                state.apply(group, owner, &puts);
                log.push((group, owner.to_owned(), puts));
            }
        }
        if disk.is_off() || rng.coin() { disk.crash(rng.next_u64()) } else { disk.restart() }
    }
}

#[test]
fn random_runs() {
    each_seed("state", runs(5), random_run);
}

#[test]
fn every_step_of_a_snapshot_may_fail() {
    for k in 0..24 {
        for (n, fault) in [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter].into_iter().enumerate() {
            let disk = SimDisk::new();
            let state = open(&disk);
            state.apply(1, "o", &[put("a", Some("1"))]);
            state.snapshot(Duration::ZERO).unwrap();
            state.apply(2, "o", &[put("a", Some("2"))]);
            disk.fail_at(disk.operations() + k, fault);
            drop(state.snapshot(Duration::ZERO));
            let through = state.durable_through();
            disk.crash(k * 4 + n as u64);
            let state = open(&disk);
            assert!(state.applied() >= through, "step {k}, {fault:?}");
            assert_eq!(texts(&state, "o"), [("a".to_owned(), state.applied().to_string())]);
            state.apply(2, "o", &[put("a", Some("2"))]);
            state.snapshot(Duration::ZERO).unwrap();
            disk.crash(k);
            assert_eq!(texts(&open(&disk), "o"), [("a".to_owned(), "2".to_owned())]);
        }
    }
}

/// A disk that looks at the promise at every sync.
struct Watch {
    disk: SimDisk,
    state: std::sync::OnceLock<std::sync::Weak<StateMap>>,
    seen: Mutex<Vec<u64>>,
}

impl Disk for Watch {
    fn create(&self, path: &Path) -> io::Result<Box<dyn weir_base::disk::DiskFile>> {
        self.disk.create(path)
    }
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn weir_base::disk::DiskFile>> {
        self.disk.open(path, write)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<weir_base::disk::Entry>> {
        self.disk.list(dir)
    }
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }
    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.remove_dir(dir)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        if let Some(state) = self.state.get().and_then(std::sync::Weak::upgrade) {
            lock(&self.seen).push(state.durable_through());
        }
        self.disk.sync_dir(dir)
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
    fn free_bytes(&self) -> io::Result<Option<u64>> {
        self.disk.free_bytes()
    }
}

#[test]
fn nothing_is_promised_while_a_snapshot_is_being_written() {
    let disk = SimDisk::new();
    let watch = Arc::new(Watch { disk: disk.clone(), state: Default::default(), seen: Mutex::default() });
    let shared: SharedDisk = watch.clone();
    let state = Arc::new(StateMap::open(&shared, &keyring(&disk).unwrap(), LIMITS, Duration::ZERO).unwrap());
    drop(watch.state.set(Arc::downgrade(&state)));
    state.apply(1, "o", &[]);
    state.apply(2, "o", &[put("a", Some("x"))]);
    state.apply(3, "o", &[]);
    state.snapshot(Duration::ZERO).unwrap();
    assert_eq!((lock(&watch.seen).clone(), state.durable_through()), (vec![1], 3));
}
