//! The simulator is only worth something if it really loses things, and never what was synced.

use std::io;
use std::path::Path;

use weir_base::disk::{Disk, read, replace};

use super::*;
use crate::runs::each_seed;

fn put(disk: &SimDisk, path: &str, bytes: &[u8], sync: bool, sync_dir: bool) {
    let file = disk.create(Path::new(path)).unwrap();
    file.write_at(bytes, 0).unwrap();
    if sync {
        file.sync().unwrap();
    }
    if sync_dir {
        disk.sync_dir(Path::new("")).unwrap();
    }
}

/// How many of 200 crashes leave the file whole, torn or absent.
fn outcomes(sync: bool, sync_dir: bool) -> [u32; 3] {
    let (mut seen, want) = ([0; 3], vec![7; 3_000]);
    each_seed("outcomes", 200, |seed| {
        let disk = SimDisk::new();
        put(&disk, "f", &want, sync, sync_dir);
        disk.crash(seed);
        match read(&disk, Path::new("f"), 10_000) {
            Ok(got) if got == want => seen[0] += 1,
            Ok(_) => seen[1] += 1,
            Err(_) => seen[2] += 1,
        }
    });
    seen
}

#[test]
fn a_store_that_forgets_to_sync_is_caught() {
    assert_eq!(outcomes(true, true), [200, 0, 0], "everything synced: nothing may be lost");
    for (sync, sync_dir) in [(false, false), (false, true), (true, false)] {
        let [whole, torn, absent] = outcomes(sync, sync_dir);
        assert!(whole > 10 && torn + absent > 10, "sync {sync}, sync_dir {sync_dir}: {whole} {torn} {absent}");
        assert_eq!(torn > 10, !sync, "only unsynced bytes tear");
        assert_eq!(absent > 10, !sync_dir, "only unsynced names vanish");
    }
}

#[test]
fn replace_is_old_or_new_and_a_hasty_one_is_not() {
    let mut broken = 0;
    each_seed("replace", 300, |seed| {
        let disk = SimDisk::new();
        replace(&disk, Path::new("f"), &[1; 2_000]).unwrap();
        disk.fail_at(disk.operations() + seed % 5, if seed & 8 == 0 { Fault::PowerOffBefore } else { Fault::PowerOffAfter });
        let done = replace(&disk, Path::new("f"), &[2; 2_000]).is_ok();
        disk.crash(seed);
        let got = read(&disk, Path::new("f"), 10_000).unwrap();
        assert!(got == [2; 2_000] || (got == [1; 2_000] && !done));
        // The same without the sync before the rename.
        put(&disk, "g.tmp", &[3; 2_000], false, false);
        disk.rename(Path::new("g.tmp"), Path::new("f")).unwrap();
        disk.sync_dir(Path::new("")).unwrap();
        disk.crash(seed);
        broken += u32::from(read(&disk, Path::new("f"), 10_000).unwrap() != [3; 2_000]);
    });
    assert!(broken > 30, "{broken}");
}

#[test]
fn sectors_are_whole_and_writes_may_be_reordered() {
    let (mut reordered, mut partial) = (0, 0);
    each_seed("sectors", 400, |seed| {
        let disk = SimDisk::new();
        put(&disk, "f", &[0; 2_048], true, true);
        let file = disk.open(Path::new("f"), true).unwrap();
        file.write_at(&[1; 2_048], 0).unwrap();
        file.write_at(&[2; 2_048], 0).unwrap();
        disk.crash(seed);
        let got = read(&disk, Path::new("f"), 10_000).unwrap();
        assert_eq!(got.len(), 2_048);
        for sector in got.chunks(512) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
        }
        reordered += u32::from(got.iter().all(|byte| *byte == 1));
        partial += u32::from(got[0] != got[2_047]);
    });
    assert!(reordered > 10 && partial > 50, "{reordered} {partial}");
}

#[test]
fn a_failed_sync_loses_pages_for_good() {
    let (mut lost, mut lied) = (0, 0);
    each_seed("fsync", 200, |seed| {
        let disk = SimDisk::new();
        put(&disk, "f", &[0; 512], true, true);
        disk.crash(seed);
        let file = disk.open(Path::new("f"), true).unwrap();
        file.write_at(&[1; 512], 0).unwrap();
        disk.fail_at(disk.operations(), Fault::NoEffect);
        file.sync().unwrap_err();
        let seen = read(&disk, Path::new("f"), 512).unwrap()[0];
        file.sync().unwrap();
        disk.crash(seed);
        let kept = read(&disk, Path::new("f"), 512).unwrap()[0];
        lost += u32::from(kept == 0);
        lied += u32::from(kept == 0 && seen == 1);
    });
    assert!(lost > 30 && lied > 10, "{lost} {lied}");
}

#[test]
fn a_full_disk_stops_a_write_partway_but_not_an_overwrite() {
    let disk = SimDisk::new();
    put(&disk, "ring", &[0; 8_192], true, true);
    disk.set_capacity(Some(16_384));
    let file = disk.create(Path::new("f")).unwrap();
    let error = file.write_at(&[1; 20_000], 100).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!((file.len().unwrap(), disk.used(), disk.free_bytes().unwrap()), (8_192, 16_384, Some(0)));
    disk.open(Path::new("ring"), true).unwrap().write_at(&[2; 8_192], 0).unwrap();
    assert_eq!(disk.create(Path::new("g")).err().unwrap().kind(), io::ErrorKind::StorageFull);
    // A length without bytes takes no room, so bytes written into it later can still be refused.
    file.set_len(100_000).unwrap();
    assert_eq!(file.write_at(&[1], 50_000).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.remove(Path::new("f")).unwrap();
    assert_eq!(disk.used(), 8_192);
}

#[test]
fn faults_hit_the_operation_they_name() {
    for (fault, there) in [(Fault::NoEffect, false), (Fault::WithEffect, true)] {
        let disk = SimDisk::new();
        disk.create_dir(Path::new("d")).unwrap();
        assert_eq!(disk.operations(), 1);
        disk.fail_at(1, fault);
        assert!(disk.create(Path::new("d/f")).is_err());
        assert_eq!(disk.exists(Path::new("d/f")).unwrap(), there);
        assert_eq!(disk.create(Path::new("d/f")).is_ok(), !there);
        disk.fail_read_at(disk.reads());
        assert!(disk.open(Path::new("d/f"), false).is_err());
        let old = disk.open(Path::new("d/f"), false).unwrap();
        disk.restart();
        assert!(old.len().is_err(), "a file of the old process is dead");
        disk.fail_at(disk.operations(), Fault::PowerOffBefore);
        assert!(disk.sync_dir(Path::new("d")).is_err());
        assert!(disk.is_off() && disk.list(Path::new("d")).is_err());
    }
}

#[test]
fn a_rename_across_folders_never_loses_the_file() {
    let mut both = 0;
    each_seed("rename", 200, |seed| {
        let disk = SimDisk::new();
        disk.create_dir(Path::new("a")).unwrap();
        disk.create_dir(Path::new("b")).unwrap();
        disk.create(Path::new("a/f")).unwrap();
        disk.sync_dir(Path::new("a")).unwrap();
        disk.rename(Path::new("a/f"), Path::new("b/f")).unwrap();
        if seed % 3 == 0 {
            disk.sync_dir(Path::new("a")).unwrap();
        }
        disk.crash(seed);
        let (old, new) = (disk.exists(Path::new("a/f")).unwrap(), disk.exists(Path::new("b/f")).unwrap());
        assert!(old || new);
        both += u32::from(old && new);
    });
    assert!(both > 10, "{both}");
}
