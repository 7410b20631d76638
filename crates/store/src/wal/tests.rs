use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use weir_base::crypto::Secret;
use weir_base::disk::read;
use weir_record::stored::wal::{FrameHeader, HEADER_BYTES};
use weir_testkit::{Fault, Rates, Rng, SimDisk, each_seed, runs};

use super::begun::assert_no_key_without_file;
use super::*;

pub(super) const LIMITS: WalLimits = WalLimits { file_bytes: 1_500, total_bytes: 1 << 20 };
pub(super) type Opened = (Wal, Recovered, Vec<(u64, Vec<u8>)>);

pub(super) fn keyring(disk: &SimDisk) -> Result<Arc<Keyring>, KeyringError> {
    let (shared, master) = (disk.shared(), Secret([1; 32]));
    let there = crate::keyring::exists(disk)?;
    Ok(Arc::new(if there { Keyring::open(&shared, &master)? } else { Keyring::create_with(&shared, &master, 8_192)? }))
}

pub(super) fn open_with(disk: &SimDisk, limits: WalLimits) -> Result<Opened, WalError> {
    let mut seen = Vec::new();
    let (wal, recovered) = Wal::open(&disk.shared(), &keyring(disk)?, limits, 1, &mut |n, bytes| seen.push((n, bytes.to_vec())))?;
    Ok((wal, recovered, seen))
}

fn open(disk: &SimDisk) -> Opened {
    open_with(disk, LIMITS).unwrap()
}

pub(super) fn group(n: u64) -> Vec<u8> {
    format!("group {n} {}", "x".repeat((n % 7 * 40) as usize)).into_bytes()
}

/// A log with groups `1..=n`, one a frame, in one file or several.
pub(super) fn filled(n: u64, limits: WalLimits) -> SimDisk {
    let disk = SimDisk::new();
    let (wal, ..) = open_with(&disk, limits).unwrap();
    for i in 1..=n {
        assert_eq!(wal.append(&[group(i)]).unwrap(), i..i + 1);
    }
    disk.crash(n);
    disk
}

pub(super) fn numbers(seen: &[(u64, Vec<u8>)]) -> Vec<u64> {
    assert!(seen.iter().all(|(n, bytes)| *bytes == group(*n)), "a group came back changed");
    seen.iter().map(|(n, _)| *n).collect()
}

const ONE_FILE: WalLimits = WalLimits { file_bytes: 1 << 20, total_bytes: 1 << 20 };

#[test]
fn groups_come_back_in_order_over_several_files() {
    let disk = filled(30, LIMITS);
    let (wal, recovered, seen) = open(&disk);
    assert_eq!((numbers(&seen), recovered), ((1..=30).collect(), Recovered { groups: 30, ..Recovered::default() }));
    assert!(wal.size().files > 3);
    assert_eq!(wal.append::<Vec<u8>>(&[]).unwrap(), 31..31);
    assert_eq!(wal.append(&[group(31), group(32), group(33)]).unwrap(), 31..34);
    disk.crash(2);
    assert_eq!(numbers(&open(&disk).2).len(), 33);
}

#[test]
fn a_dropped_file_is_gone_with_its_key() {
    let disk = filled(30, LIMITS);
    let (wal, ..) = open(&disk);
    let before = wal.size();
    assert_eq!(wal.drop_through(0).unwrap(), 0);
    let gone = wal.drop_through(20).unwrap();
    assert!(gone > 1 && wal.size().files == before.files - gone && wal.size().bytes < before.bytes);
    assert_eq!(keyring(&disk).unwrap().ids().len(), wal.size().files);
    // The newest file stays until there is a newer one: it tells where numbers go on.
    wal.drop_through(30).unwrap();
    assert_eq!(wal.size().files, 1);
    wal.rotate().unwrap();
    wal.rotate().unwrap();
    assert_eq!((wal.drop_through(30).unwrap(), wal.size().files), (1, 1));
    disk.crash(3);
    let (wal, recovered, seen) = open(&disk);
    assert_eq!((seen.len(), recovered, wal.next_group()), (0, Recovered::default(), 31));
    assert_eq!(wal.append(&[group(31)]).unwrap(), 31..32);
}

#[test]
fn a_torn_last_frame_is_cut_kept_aside_and_reported_until_confirmed() {
    let disk = filled(3, ONE_FILE);
    let path = file_path(1);
    let whole = read(&disk, &path, 1 << 20).unwrap();
    let last = whole.len() - FRAME_HEADER_BYTES - codec::body_bytes([group(3).len()].into_iter()) - 6;
    let offset = (last as u64).next_multiple_of(8);
    disk.damage(&path, |bytes| bytes[whole.len() - 20] ^= 1);
    let (wal, recovered, seen) = open(&disk);
    let cut = Cut { file: 1, offset, bytes: whole.len() as u64 - offset, confirmed: false };
    assert_eq!((numbers(&seen), &recovered.cuts), (vec![1, 2], &vec![cut]));
    assert!(recovered.damage.is_empty() && recovered.missing.is_empty());
    // What was cut is all there, with its key.
    let aside = read(&disk, &Path::new("wal/aside").join(format!("0000000001-{offset}.cut")), 1 << 20).unwrap();
    assert_eq!(&aside[HEADER_BYTES + 24..HEADER_BYTES + 40], &whole[offset as usize + 24..offset as usize + 40]);
    let wrapping = keyring(&disk).unwrap().get(&KeyId::new("aside/1").unwrap()).unwrap();
    let key = Header::decode(Container::Wal, &aside).unwrap().key(&wrapping).unwrap();
    let good = &whole[HEADER_BYTES..];
    let head = FrameHeader::decode(good).unwrap();
    let mut body = good[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + head.body_bytes].to_vec();
    assert_eq!(codec::open_frame(&key, &head, &mut body).unwrap().first, 1);
    // The number is free again, and the report stays until it is on record.
    assert_eq!(wal.append(&[group(3)]).unwrap(), 3..4);
    disk.crash(1);
    let (wal, recovered, seen) = open(&disk);
    assert_eq!((numbers(&seen), recovered.cuts), (vec![1, 2, 3], vec![cut]));
    wal.confirm_cuts().unwrap();
    wal.rotate().unwrap();
    wal.drop_through(3).unwrap();
    disk.crash(1);
    let (wal, recovered, _) = open(&disk);
    assert_eq!((recovered.cuts, wal.asides().unwrap()), (vec![], vec![Cut { confirmed: true, ..cut }]));
    wal.remove_aside(1).unwrap();
    disk.crash(1);
    assert!(open(&disk).0.asides().unwrap().is_empty());
    assert_eq!(keyring(&disk).unwrap().get(&KeyId::new("aside/1").unwrap()), None);
}

#[test]
fn a_cut_on_a_full_disk_is_reported_and_stays_where_it_is() {
    let disk = filled(3, ONE_FILE);
    disk.damage(&file_path(1), |bytes| bytes.truncate(bytes.len() - 30));
    disk.set_capacity(Some(disk.used()));
    let (wal, recovered, seen) = open(&disk);
    assert_eq!((numbers(&seen), recovered.cuts.len()), (vec![1, 2], 1));
    assert!(matches!(wal.append(&[group(3)]), Err(WalError::Full(_))));
    disk.set_capacity(None);
    assert_eq!(wal.append(&[group(3)]).unwrap(), 3..4);
    disk.crash(1);
    let (_, recovered, seen) = open(&disk);
    assert_eq!((numbers(&seen), recovered.damage, recovered.missing), (vec![1, 2, 3], vec![], vec![]));
}

#[test]
fn damage_in_the_midst_is_named_and_what_follows_is_delivered() {
    let disk = filled(9, ONE_FILE);
    let path = file_path(1);
    let len = read(&disk, &path, 1 << 20).unwrap().len();
    let (mut lost, mut named) = (BTreeSet::new(), 0);
    for i in (HEADER_BYTES..len - 400).step_by(61) {
        disk.damage(&path, |bytes| bytes[i] ^= 0x10);
        let (_, recovered, seen) = open(&disk);
        let got = numbers(&seen);
        let gone: Vec<u64> = (1..=9).filter(|n| !got.contains(n)).collect();
        // A byte of padding harms nothing.
        assert_eq!((recovered.damage.len(), recovered.missing.len(), gone.len()), (gone.len(), gone.len(), gone.len()));
        if let [damage] = recovered.damage[..] {
            assert!(damage.file == 1 && damage.offset <= i as u64 && (i as u64) < damage.offset + damage.bytes);
            assert_eq!(recovered.missing.first(), Some(&(gone[0]..gone[0] + 1)));
            named += 1;
            lost.insert(gone[0]);
        }
        assert!(recovered.cuts.is_empty());
        disk.damage(&path, |bytes| bytes[i] ^= 0x10);
    }
    assert!(named > 15 && lost.len() > 5, "{named} {lost:?}");
}

#[test]
fn zeros_after_the_last_frame_are_no_damage() {
    for zeros in [1, 8, 5_000] {
        let disk = filled(3, ONE_FILE);
        disk.damage(&file_path(1), |bytes| bytes.resize(bytes.len() + zeros, 0));
        let (_, recovered, seen) = open(&disk);
        assert_eq!((numbers(&seen), recovered), (vec![1, 2, 3], Recovered { groups: 3, ..Recovered::default() }));
    }
}

#[test]
fn a_damaged_header_names_the_file_and_numbers_are_not_given_twice() {
    let disk = filled(30, LIMITS);
    let whole = open(&disk).2.len();
    disk.damage(&file_path(2), |bytes| bytes[50] ^= 1);
    let (_, recovered, seen) = open(&disk);
    assert_eq!((recovered.damage.len(), recovered.damage[0].file, recovered.damage[0].offset), (1, 2, 0));
    let missing: u64 = recovered.missing.iter().map(|range| range.end - range.start).sum();
    assert_eq!(numbers(&seen).len() as u64 + missing, whole as u64);
    // The newest file's header: only the caller knows how far numbers went.
    let newest = *disk
        .files()
        .iter()
        .filter_map(|(path, _)| path.to_str()?.strip_prefix("wal/")?.strip_suffix(".wal")?.parse().ok())
        .collect::<Vec<u64>>()
        .last()
        .unwrap();
    disk.damage(&file_path(newest), |bytes| bytes[50] ^= 1);
    let (wal, ..) = Wal::open(&disk.shared(), &keyring(&disk).unwrap(), LIMITS, 31, &mut |_, _| ()).unwrap();
    assert_eq!(wal.append(&[group(31)]).unwrap(), 31..32);
    disk.crash(1);
    assert_eq!(numbers(&open(&disk).2).last(), Some(&31));
}

#[test]
fn a_failed_sync_ends_the_file_and_voids_what_it_left() {
    each_seed("failed sync", 60, |seed| {
        let disk = filled(2, ONE_FILE);
        disk.crash(seed);
        let (wal, ..) = open_with(&disk, ONE_FILE).unwrap();
        wal.append(&[group(3)]).unwrap();
        disk.fail_at(disk.operations() + 1, if seed % 2 == 0 { Fault::NoEffect } else { Fault::WithEffect });
        assert!(matches!(wal.append(&[b"never promised"]), Err(WalError::Io { .. })));
        assert_eq!(wal.append(&[group(4)]).unwrap(), 4..5);
        assert_eq!(wal.size().files, 3);
        disk.crash(seed);
        let (_, recovered, seen) = open_with(&disk, ONE_FILE).unwrap();
        assert_eq!((numbers(&seen), recovered), (vec![1, 2, 3, 4], Recovered { groups: 4, ..Recovered::default() }));
    });
}

#[test]
fn a_full_disk_gives_full_and_goes_on_in_the_same_file_when_there_is_room() {
    let disk = filled(1, ONE_FILE);
    let (wal, ..) = open_with(&disk, ONE_FILE).unwrap();
    wal.append(&[group(2)]).unwrap();
    let files = wal.size().files;
    disk.set_capacity(Some(disk.used() + 4_096));
    assert!(matches!(wal.append(&[vec![7; 20_000]]), Err(WalError::Full(_))));
    assert_eq!(wal.append(&[group(3)]).unwrap(), 3..4);
    assert!(matches!(wal.append(&[vec![7; 20_000]]), Err(WalError::Full(_))));
    disk.set_capacity(None);
    assert_eq!(wal.append(&[group(4)]).unwrap(), 4..5);
    assert_eq!(wal.size().files, files);
    // No frame number is used twice under one key: it is the nonce.
    let bytes = read(&disk, &file_path(2), 1 << 20).unwrap();
    let (mut at, mut frames) = (HEADER_BYTES, Vec::new());
    while let Some(Ok(head)) = bytes.get(at..).filter(|rest| !rest.is_empty()).map(FrameHeader::decode) {
        frames.push(head.number);
        at += head.frame_bytes();
    }
    assert_eq!(frames, [0, 2, 4]);
    disk.crash(1);
    let (_, recovered, seen) = open(&disk);
    assert_eq!((numbers(&seen), recovered), (vec![1, 2, 3, 4], Recovered { groups: 4, ..Recovered::default() }));
}

/// After a failed sync and the program's death the kernel may still show the frame that the disk does not have. Once a start has handed it out, it must
/// stay.
#[test]
fn what_a_start_hands_out_is_on_the_disk() {
    let mut handed_out = 0;
    each_seed("handed out", 80, |seed| {
        let disk = filled(2, ONE_FILE);
        disk.crash(seed);
        let (wal, ..) = open_with(&disk, ONE_FILE).unwrap();
        wal.append(&[group(3)]).unwrap();
        let op = disk.operations();
        disk.fail_at(op + 1, Fault::NoEffect);
        disk.fail_at(op + 2, Fault::NoEffect);
        wal.append(&[group(4)]).unwrap_err();
        disk.restart();
        let seen = numbers(&open(&disk).2);
        handed_out += u32::from(seen.len() == 4);
        disk.crash(seed);
        assert_eq!(numbers(&open(&disk).2), seen);
    });
    assert!(handed_out > 10, "{handed_out}");
}

#[test]
fn limits_are_kept() {
    let disk = SimDisk::new();
    let (wal, ..) = open_with(&disk, WalLimits { file_bytes: 2_000, total_bytes: 5_000 }).unwrap();
    let mut n = 1;
    let error = loop {
        match wal.append(&[group(n)]) {
            Ok(_) => n += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, WalError::Full(why) if why.contains("of 5000 bytes")), "{error}");
    assert!(wal.size().bytes <= 5_000 && n > 10);
    wal.drop_through(n - 1).unwrap();
    assert_eq!(wal.append(&[group(n)]).unwrap(), n..n + 1);
    let large = wal.append(&[vec![0; Wal::frame_room()]]).unwrap_err();
    assert!(matches!(large, WalError::TooLarge { .. }));
    assert!(disk.files().iter().all(|(path, bytes)| path.extension().is_none_or(|end| end != "wal") || bytes.len() <= 2_000));
}

#[test]
fn a_keyring_that_is_not_this_logs_is_refused_and_nothing_is_removed() {
    let cases: [(&[u64], Option<u64>); 4] =
        [(&[1, 2], None), (&[2], Some(2)), (&[1, 2, 3, 4, 5, 6, 7, 8, 9], Some(99)), (&[1, 3], Some(3))];
    for (gone, refused) in cases {
        let disk = filled(30, LIMITS);
        let before = disk.files().len();
        let newest = (before - 1) as u64;
        let ids: Vec<KeyId> = gone.iter().map(|n| KeyId::wal(*n)).collect();
        keyring(&disk).unwrap().destroy(&ids).unwrap();
        match (open_with(&disk, LIMITS), refused) {
            (Ok((_, recovered, seen)), None) => {
                assert_eq!((recovered.removed, recovered.missing), (gone.len() as u64, vec![]));
                assert_eq!(numbers(&seen).last(), Some(&30));
            }
            (Err(WalError::KeyMissing { file }), Some(want)) => {
                assert_eq!(file, want.min(newest));
                assert_eq!(disk.files().len(), before);
            }
            (other, _) => panic!("{gone:?}: {:?}", other.map(|o| o.1)),
        }
    }
}

#[test]
fn a_read_error_while_opening_is_an_error_and_loses_nothing() {
    let disk = filled(6, LIMITS);
    drop(open(&disk));
    let start = disk.reads();
    drop(open(&disk));
    let reads = disk.reads() - start;
    assert!(reads > 20);
    for k in 0..reads {
        disk.fail_read_at(disk.reads() + k);
        let first = open_with(&disk, LIMITS);
        disk.heal();
        if let Ok((_, recovered, seen)) = first {
            // A slot of the keyring may be unreadable: there are two.
            assert!(k < 12 && seen.len() == 6 && recovered.cuts.is_empty(), "read {k}");
        }
        let (_, recovered, seen) = open(&disk);
        assert_eq!((numbers(&seen), recovered), ((1..=6).collect(), Recovered { groups: 6, ..Recovered::default() }), "read {k}");
    }
}

/// What was submitted and what was promised, to compare a recovery with.
#[derive(Default)]
struct Model {
    promised: BTreeMap<u64, Vec<u8>>,
    tried: BTreeSet<(u64, Vec<u8>)>,
    dropped: u64,
    serial: u64,
}

impl Model {
    fn check(&mut self, wal: &Wal, recovered: &Recovered, seen: Vec<(u64, Vec<u8>)>) {
        assert!(recovered.damage.is_empty() && recovered.missing.is_empty(), "{recovered:?}");
        assert!(seen.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0), "order");
        let got: BTreeMap<u64, Vec<u8>> = seen.into_iter().collect();
        for (n, bytes) in self.promised.range(self.dropped + 1..) {
            assert_eq!(got.get(n), Some(bytes), "promised group {n} was lost");
        }
        for (n, bytes) in got {
            if self.promised.get(&n) != Some(&bytes) {
                assert!(!self.promised.contains_key(&n), "group {n} is another");
                assert!(self.tried.contains(&(n, bytes.clone())), "group {n} was never submitted");
                // Handed out by a recovery: from here on it must stay.
                self.promised.insert(n, bytes);
            }
        }
        let next = self.promised.last_key_value().map_or(1, |(n, _)| n + 1);
        assert_eq!(wal.next_group(), next, "numbers go on without holes");
    }

    fn act(&mut self, wal: &Wal, disk: &SimDisk, rng: &mut Rng) {
        match rng.below(12) {
            0 => drop(wal.rotate()),
            1 | 2 => {
                self.dropped = self.dropped.max(rng.below(wal.next_group()));
                drop(wal.drop_through(self.dropped));
            }
            3 => disk.set_capacity(if rng.coin() { Some(disk.used() + rng.below(3) * 4_096) } else { None }),
            4 => drop(wal.confirm_cuts()),
            _ => {
                let groups: Vec<Vec<u8>> = (0..1 + rng.below(3))
                    .map(|_| {
                        self.serial += 1;
                        let mut bytes = self.serial.to_le_bytes().to_vec();
                        bytes.resize(8 + rng.below(700) as usize, self.serial as u8);
                        bytes
                    })
                    .collect();
                let first = wal.next_group();
                self.tried.extend((first..).zip(groups.iter().cloned()));
                if let Ok(range) = wal.append(&groups) {
                    assert_eq!(range, first..first + groups.len() as u64);
                    self.promised.extend(range.zip(groups));
                }
            }
        }
    }
}

fn random_run(seed: u64, rates: Rates) {
    let mut rng = Rng::new(seed);
    let disk = SimDisk::new();
    let mut model = Model::default();
    for _life in 0..6 {
        disk.fail_by_chance(rng.next_u64(), rates);
        if let Ok((wal, recovered, seen)) = open_with(&disk, LIMITS) {
            model.check(&wal, &recovered, seen);
            for _ in 0..rng.below(25) {
                model.act(&wal, &disk, &mut rng);
            }
        }
        if disk.is_off() || rng.coin() {
            disk.crash(rng.next_u64())
        } else {
            disk.restart()
        }
        disk.heal();
        assert_no_key_without_file(&disk);
    }
    disk.set_capacity(None);
    let (wal, recovered, seen) = open(&disk);
    model.check(&wal, &recovered, seen);
}

#[test]
fn random_runs_with_power_cuts() {
    each_seed("wal power", runs(5), |seed| random_run(seed, Rates { error: 0, power_off: 15 }));
}

#[test]
fn random_runs_with_errors_and_power_cuts() {
    each_seed("wal errors", runs(5), |seed| random_run(seed, Rates { error: 40, power_off: 10 }));
}

/// A fixed course, with every operation failing in every manner, then a crash, recovery failing at every operation, and a crash again.
#[test]
fn every_step_may_fail() {
    for k in 0..75 {
        for (n, fault) in [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter].into_iter().enumerate() {
            let disk = SimDisk::new();
            let mut model = Model::default();
            let mut rng = Rng::new(k);
            disk.fail_at(k, fault);
            if let Ok((wal, recovered, seen)) = open_with(&disk, LIMITS) {
                model.check(&wal, &recovered, seen);
                for step in 0..9u64 {
                    let groups = [rng.bytes(300), rng.bytes(step as usize)];
                    let first = wal.next_group();
                    model.tried.extend((first..).zip(groups.iter().cloned()));
                    if wal.append(&groups).is_ok() {
                        model.promised.extend((first..).zip(groups));
                    }
                    if step == 6 {
                        model.dropped = 4;
                        drop(wal.drop_through(4));
                    }
                }
            }
            disk.crash(k * 4 + n as u64);
            assert_no_key_without_file(&disk);
            let start = disk.operations();
            for j in 0..12 {
                disk.fail_at(start + j * 2, fault);
                if let Ok((wal, recovered, seen)) = open_with(&disk, LIMITS) {
                    model.check(&wal, &recovered, seen);
                }
                disk.crash(k * 100 + j);
                assert_no_key_without_file(&disk);
            }
            let (wal, recovered, seen) = open(&disk);
            model.check(&wal, &recovered, seen);
        }
    }
}

#[test]
fn the_same_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let disk: SharedDisk = Arc::new(weir_base::disk::RealDisk::new(&dir.path().join("data")).unwrap());
    let master = crate::keyring::master_key(disk.as_ref()).unwrap();
    for life in 0..3u64 {
        let ring = Arc::new(Keyring::open_or_create(&disk, &master).unwrap());
        let mut seen = Vec::new();
        let (wal, recovered) = Wal::open(&disk, &ring, LIMITS, 1, &mut |n, bytes| seen.push((n, bytes.to_vec()))).unwrap();
        let first = life * 20 + 1;
        assert_eq!((numbers(&seen).last().copied().unwrap_or(0), recovered.cuts.len(), recovered.damage.len()), (first - 1, 0, 0));
        for n in first..first + 20 {
            assert_eq!(wal.append(&[group(n)]).unwrap(), n..n + 1);
        }
        assert!(wal.drop_through(first + 8).unwrap() > 0);
        assert_eq!(ring.ids().len(), wal.size().files);
    }
}
