//! Tables on a disk: durable when finished, never half there, merged without loss.

use std::collections::BTreeMap;
use std::path::Path;

use weir_base::crypto::Secret;
use weir_testkit::{Fault, Rng, SimDisk, each_seed};

use super::*;

fn write(disk: &SharedDisk, path: &str, key: &Secret, entries: &[Pair]) -> Result<(), TableError> {
    let mut writer = TableWriter::create(disk, Path::new(path), key)?;
    for (k, v) in entries {
        writer.push(k, v)?;
    }
    writer.finish()
}

fn read(disk: &SharedDisk, path: &str, key: &Secret) -> Result<Vec<Pair>, TableError> {
    let mut out = Vec::new();
    let mut stats = Stats::default();
    TableReader::open(disk, Path::new(path), key)?.range(&[], &[0xff; 40], &mut stats, &mut |k, v| {
        out.push((k.to_vec(), v.to_vec()));
        true
    })?;
    Ok(out)
}

fn entries(rng: &mut Rng, most: u64) -> Vec<Pair> {
    let mut map = BTreeMap::new();
    for _ in 0..rng.below(most) {
        map.insert(rng.below(5_000).to_be_bytes().to_vec(), vec![rng.below(4) as u8; rng.below(60) as usize]);
    }
    map.into_iter().collect()
}

#[test]
fn what_is_finished_survives_a_power_cut() {
    each_seed("table-crash", 40, |seed| {
        let (sim, key, mut rng) = (SimDisk::new(), Secret::random(), Rng::new(seed));
        let disk = sim.shared();
        let want = entries(&mut rng, 30_000);
        write(&disk, "index/runs/a.tbl", &key, &want).unwrap();
        sim.crash(seed);
        assert_eq!(read(&disk, "index/runs/a.tbl", &key).unwrap(), want);
    });
}

#[test]
fn what_is_not_finished_is_no_table() {
    let key = Secret::random();
    let want: Vec<Pair> = (0..20_000u64).map(|i| (i.to_be_bytes().to_vec(), vec![1; 30])).collect();
    let clean = SimDisk::new();
    write(&clean.shared(), "a.tbl", &key, &want).unwrap();
    for op in 0..clean.operations() {
        for fault in [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter] {
            let sim = SimDisk::new();
            let disk = sim.shared();
            sim.fail_at(op, fault);
            let result = write(&disk, "a.tbl", &key, &want);
            assert!(result.is_err(), "operation {op}, {fault:?}");
            sim.crash(op);
            // Either nothing that opens, or all of it.
            if let Ok(got) = read(&disk, "a.tbl", &key) {
                assert_eq!(got, want, "operation {op}, {fault:?}");
            }
        }
    }
}

#[test]
fn a_merge_holds_every_entry_once() {
    each_seed("table-merge", 40, |seed| {
        let (sim, mut rng) = (SimDisk::new(), Rng::new(seed));
        let disk = sim.shared();
        let mut want = Vec::new();
        let mut readers = Vec::new();
        for i in 0..rng.below(6) {
            let (key, part) = (Secret::random(), entries(&mut rng, 2_000));
            write(&disk, &format!("{i}.tbl"), &key, &part).unwrap();
            readers.push(TableReader::open(&disk, Path::new(&format!("{i}.tbl")), &key).unwrap());
            want.extend(part);
        }
        want.sort();
        want.dedup();
        let key = Secret::random();
        merge(&readers, TableWriter::create(&disk, Path::new("all.tbl"), &key).unwrap()).unwrap();
        assert_eq!(read(&disk, "all.tbl", &key).unwrap(), want);
        assert_eq!(TableReader::open(&disk, Path::new("all.tbl"), &key).unwrap().entries(), want.len() as u64);
    });
}

#[test]
fn a_missing_file_and_a_wrong_key_are_told_apart() {
    let sim = SimDisk::new();
    let (disk, key) = (sim.shared(), Secret::random());
    let missing = TableReader::open(&disk, Path::new("none.tbl"), &key).err().unwrap();
    assert!(missing.is_not_found());
    write(&disk, "a.tbl", &key, &[(b"k".to_vec(), b"v".to_vec())]).unwrap();
    let wrong = TableReader::open(&disk, Path::new("a.tbl"), &Secret::random()).err().unwrap();
    assert!(!wrong.is_not_found() && wrong.to_string().contains("does not decrypt"), "{wrong}");
    assert!(matches!(TableWriter::create(&disk, Path::new("a.tbl"), &key), Err(TableError::Io(_))));
}

#[test]
fn a_question_reads_a_counted_number_of_blocks() {
    let sim = SimDisk::new();
    let (disk, key) = (sim.shared(), Secret::random());
    let all: Vec<Pair> = (0..50_000u64).map(|i| (i.to_be_bytes().to_vec(), vec![7; 24])).collect();
    write(&disk, "a.tbl", &key, &all).unwrap();
    for i in [0u64, 1, 777, 25_000, 49_999] {
        let reader = TableReader::open(&disk, Path::new("a.tbl"), &key).unwrap();
        let mut stats = Stats::default();
        let got = reader.seek_le(&i.to_be_bytes(), &mut stats).unwrap();
        assert_eq!(got, Some(all[i as usize].clone()));
        assert_eq!(stats.pages, 3, "trailer with root, one index block, one block of entries");
        assert!(stats.bytes <= 3 * 5_000, "{stats:?}");
    }
}
