use std::collections::BTreeSet;
use std::path::Path;

use weir_base::disk::{Disk, read};
use weir_testkit::{Fault, Rates, Rng, SimDisk, each_seed, runs};

use super::*;

const SLOT: usize = 4_096;
const FAULTS: [Fault; 4] = [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter];

fn master() -> Secret {
    Secret([9; 32])
}

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn fresh(disk: &SimDisk) -> Keyring {
    Keyring::create_with(&disk.shared(), &master(), SLOT).unwrap()
}

fn slots(disk: &SimDisk) -> [Result<Slot, FormatError>; 2] {
    let bytes = read(disk, Path::new(FILE), 1 << 20).unwrap();
    let (a, b) = bytes.split_at(SLOT);
    [a, b].map(|slot| codec::decode(slot, &codec::slot_key(&master())))
}

#[test]
fn keys_stay_and_go() {
    let disk = SimDisk::new();
    let ring = fresh(&disk);
    assert!(matches!(Keyring::create_with(&disk.shared(), &master(), SLOT), Err(KeyringError::Exists)));
    let keys = ring.get_or_create(&[id("a"), id("b"), id("a")]).unwrap();
    assert!(keys[0] == keys[2] && keys[0] != keys[1]);
    let before = disk.operations();
    assert_eq!(ring.get_or_create(&[id("b"), id("a")]).unwrap(), [keys[1].clone(), keys[0].clone()]);
    ring.destroy(&[id("none")]).unwrap();
    assert_eq!(disk.operations(), before, "nothing to change, nothing written");
    ring.destroy(&[id("a"), id("none")]).unwrap();
    assert_eq!((ring.get(&id("a")), ring.get(&id("b")), ring.ids()), (None, Some(keys[1].clone()), vec![id("b")]));
    disk.crash(1);
    assert_eq!(Keyring::open_or_create(&disk.shared(), &master()).unwrap().get(&id("b")), Some(keys[1].clone()));
    assert!(matches!(Keyring::open(&disk.shared(), &Secret([8; 32])), Err(KeyringError::WrongMaster)));
    assert!(matches!(Keyring::open(&SimDisk::new().shared(), &master()), Err(KeyringError::Absent)));
}

#[test]
fn either_slot_may_die() {
    for broken in 0..2 {
        let disk = SimDisk::new();
        let key = fresh(&disk).get_or_create(&[id("a")]).unwrap();
        disk.damage(Path::new(FILE), |bytes| bytes[broken * SLOT + 100] ^= 1);
        let ring = Keyring::open(&disk.shared(), &master()).unwrap();
        assert_eq!(ring.get(&id("a")).as_ref(), key.first());
        assert!(slots(&disk).iter().all(Result::is_ok), "the other slot was mended");
    }
    let disk = SimDisk::new();
    drop(fresh(&disk));
    disk.damage(Path::new(FILE), |bytes| bytes.fill(7));
    let error = Keyring::open(&disk.shared(), &master()).err().unwrap().to_string();
    assert!(error.contains("restore the file `keyring`"), "{error}");
    disk.damage(Path::new(FILE), |bytes| bytes.truncate(5_000));
    assert!(matches!(Keyring::open(&disk.shared(), &master()), Err(KeyringError::Damaged(..))));
}

#[test]
fn a_full_disk_stops_neither_a_key_nor_an_erasure() {
    let disk = SimDisk::new();
    let ring = fresh(&disk);
    disk.set_capacity(Some(disk.used()));
    ring.get_or_create(&[id("a"), id("b")]).unwrap();
    ring.destroy(&[id("a")]).unwrap();
    disk.crash(5);
    assert_eq!(Keyring::open(&disk.shared(), &master()).unwrap().ids(), [id("b")]);
}

#[test]
fn a_full_keyring_says_so_and_lets_keys_go() {
    let disk = SimDisk::new();
    let ring = fresh(&disk);
    let ids: Vec<KeyId> = (100..190).map(KeyId::wal).collect();
    ring.get_or_create(&ids).unwrap();
    let more: Vec<KeyId> = (200..220).map(KeyId::wal).collect();
    let error = ring.get_or_create(&more).unwrap_err();
    assert!(matches!(error, KeyringError::Full { keys: 90, more: 20, bytes: 4_040 }), "{error}");
    assert_eq!((ring.ids().len(), ring.fill()), (90, (4 + 90 * 40, 4_040)));
    ring.destroy(&ids[..20]).unwrap();
    ring.get_or_create(&more).unwrap();
}

/// Every operation of making, adding and erasing, failing in every manner, then a crash.
#[test]
fn every_step_may_fail() {
    for k in 0..40 {
        for (n, fault) in FAULTS.into_iter().enumerate() {
            let disk = SimDisk::new();
            disk.fail_at(k, fault);
            let (mut kept, mut erased) = (None, false);
            let result = (|| -> Result<(), KeyringError> {
                let ring = Keyring::create_with(&disk.shared(), &master(), SLOT)?;
                kept = ring.get_or_create(&[id("keep")])?.pop();
                let gone = ring.get_or_create(&[id("gone")])?.pop();
                ring.destroy(&[id("gone")])?;
                erased = true;
                assert_ne!(kept, gone);
                Ok(())
            })();
            let failed_late = result.is_err();
            disk.crash(k * 4 + n as u64);
            let shared = disk.shared();
            if !exists(disk_ref(&disk)).unwrap() {
                assert!(kept.is_none(), "a keyring that gave a key stays (operation {k}, {fault:?})");
                continue;
            }
            let ring = Keyring::open(&shared, &master()).unwrap();
            assert!(kept.is_none() || ring.get(&id("keep")) == kept, "operation {k}, {fault:?}");
            assert!(!erased || ring.get(&id("gone")).is_none());
            let [a, b] = slots(&disk).map(Result::unwrap);
            assert_eq!(a, b);
            assert!(!erased || !a.keys.contains_key(&id("gone")));
            assert!(failed_late || erased);
        }
    }
}

/// After a failed sync and the program's death the kernel may show a slot that the disk does not have: mending must not touch the other first.
#[test]
fn mending_survives_a_slot_that_is_in_memory_only() {
    each_seed("mending", 200, |seed| {
        let disk = SimDisk::new();
        let kept = fresh(&disk).get_or_create(&[id("keep")]).unwrap();
        disk.crash(seed);
        let ring = Keyring::open(&disk.shared(), &master()).unwrap();
        disk.fail_at(disk.operations() + 1, Fault::NoEffect);
        ring.get_or_create(&[id("more")]).unwrap_err();
        disk.restart();
        disk.fail_at(disk.operations() + seed % 7, if seed & 8 == 0 { Fault::PowerOffBefore } else { Fault::PowerOffAfter });
        drop(Keyring::open(&disk.shared(), &master()));
        disk.crash(seed);
        assert_eq!(Keyring::open(&disk.shared(), &master()).unwrap().get(&id("keep")).as_ref(), kept.first());
    });
}

fn disk_ref(disk: &SimDisk) -> &dyn Disk {
    disk
}

/// Random changes under random faults, with restarts and crashes: what was confirmed holds, and nothing unconfirmed takes another value.
#[test]
fn random_runs() {
    each_seed("keyring", runs(5), |seed| {
        let mut rng = Rng::new(seed);
        let disk = SimDisk::new();
        drop(fresh(&disk));
        let mut sure = Keys::new();
        let mut unsure: BTreeSet<KeyId> = BTreeSet::new();
        for _ in 0..4 {
            let rates = Rates { error: 40, power_off: 20 };
            disk.fail_by_chance(rng.next_u64(), rates);
            let Ok(ring) = Keyring::open(&disk.shared(), &master()) else {
                disk.crash(rng.next_u64());
                continue;
            };
            for _ in 0..rng.below(12) {
                let ids: Vec<KeyId> = (0..1 + rng.below(3)).map(|_| KeyId::wal(rng.below(8))).collect();
                if rng.coin() {
                    match ring.get_or_create(&ids) {
                        Ok(keys) => {
                            for (id, key) in ids.into_iter().zip(keys) {
                                unsure.remove(&id);
                                assert!(sure.insert(id, key.clone()).is_none_or(|old| old == key), "a key changed");
                            }
                        }
                        Err(_) => unsure.extend(ids.into_iter().filter(|id| !sure.contains_key(id))),
                    }
                } else if ring.destroy(&ids).is_ok() {
                    assert!(disk.is_off() || slots(&disk).iter().flatten().all(|slot| ids.iter().all(|id| !slot.keys.contains_key(id))));
                    ids.iter().for_each(|id| drop((sure.remove(id), unsure.remove(id))));
                } else {
                    unsure.extend(ids.iter().filter(|id| sure.remove(id).is_some()).cloned().collect::<Vec<_>>());
                }
            }
            if disk.is_off() || rng.coin() { disk.crash(rng.next_u64()) } else { disk.restart() }
        }
        disk.heal();
        if disk.is_off() {
            disk.crash(rng.next_u64());
        }
        let ring = Keyring::open(&disk.shared(), &master()).unwrap();
        for (id, key) in &sure {
            assert_eq!(ring.get(id).as_ref(), Some(key), "a confirmed key was lost");
        }
        for id in ring.ids() {
            assert!(sure.contains_key(&id) || unsure.contains(&id), "a destroyed key came back");
        }
    });
}

#[test]
fn a_destroyed_key_is_nowhere_in_the_file() {
    let disk = SimDisk::new();
    let ring = fresh(&disk);
    let before = read(&disk, Path::new(FILE), 1 << 20).unwrap();
    ring.get_or_create(&(0..80).map(KeyId::wal).collect::<Vec<_>>()).unwrap();
    let full = read(&disk, Path::new(FILE), 1 << 20).unwrap();
    ring.destroy(&(0..80).map(KeyId::wal).collect::<Vec<_>>()).unwrap();
    let after = read(&disk, Path::new(FILE), 1 << 20).unwrap();
    for [old, new] in [[&before, &full], [&full, &after]] {
        let same = old.chunks(64).zip(new.chunks(64)).filter(|(old, new)| old == new).count();
        assert_eq!(same, 0, "every part of both slots was written anew");
    }
}
