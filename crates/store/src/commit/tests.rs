use std::collections::{BTreeMap, BTreeSet};

use weir_base::crypto::Secret;
use weir_seal::entry::Entry;
use weir_seal::tile::verify_log;
use weir_testkit::{Fault, Rates, Rng, SimDisk, each_seed, runs};

use super::*;

const ORIGIN: &str = "test.invalid/log";
const FAULTS: [Fault; 4] = [Fault::NoEffect, Fault::WithEffect, Fault::PowerOffBefore, Fault::PowerOffAfter];

fn keyring(disk: &SimDisk) -> Result<Keyring, KeyringError> {
    let (shared, master) = (disk.shared(), Secret([1; 32]));
    if crate::keyring::exists(disk)? { Keyring::open(&shared, &master) } else { Keyring::create_with(&shared, &master, 4_096) }
}

fn open_as(disk: &SimDisk, origin: &str) -> Result<(Committer, CommitRecovery), CommitError> {
    let identity = LogIdentity { origin, program: "weir-0.0.1", now: Millis(1_795_312_800_000) };
    Committer::open(&disk.shared(), &keyring(disk)?, &identity)
}

fn open(disk: &SimDisk) -> Committer {
    open_as(disk, ORIGIN).unwrap().0
}

fn content(name: &str) -> Vec<u8> {
    name.repeat(300).into_bytes()
}

fn staged(disk: &SimDisk, name: &str) -> io::Result<()> {
    let path = Path::new(STAGE).join(name);
    if disk.exists(&path)? {
        disk.remove(&path)?;
    }
    let file = disk.create(&path)?;
    file.write_at(&content(name), 0)?;
    file.sync()
}

/// A plan of `fill` plain entries, then one for each file, which names it.
fn plan(fill: usize, files: &[&str], removes: &[&str]) -> Plan {
    let mut entries: Vec<Vec<u8>> = (0..fill).map(|i| format!("fill {i}").into_bytes()).collect();
    entries.extend(files.iter().map(|name| format!("unit {name}").into_bytes()));
    entries.extend(removes.iter().map(|name| format!("gone {name}").into_bytes()));
    let place = |name: &str| Path::new("units/deep").join(name);
    let files = files.iter().map(|name| (Path::new(STAGE).join(name), place(name))).collect();
    Plan { entries, files, removes: removes.iter().map(|name| place(name)).collect() }
}

/// The judge: the stored log agrees with its checkpoint throughout, is published, and every file an entry speaks of is in its place and whole,
/// and no other is. Returns the entries.
fn judge(disk: &SimDisk, committer: &Committer) -> Vec<Vec<u8>> {
    let current = disk::read(disk, Path::new(CURRENT), 1 << 20).unwrap();
    assert_eq!(disk::read(disk, Path::new(CHECKPOINT), 1 << 20).unwrap(), current, "published");
    assert_eq!(committer.checkpoint(), current);
    let (head, _) = Checkpoint::open(&current, ORIGIN, committer.verifying_key()).unwrap();
    assert_eq!((head.size, head.root), (committer.size(), committer.root()));
    let mut entries = Vec::new();
    verify_log(head.size, &head.root, &|path| read_tile(disk, path), &mut |_, bytes| entries.push(bytes.to_vec())).unwrap();
    let mut want = BTreeSet::new();
    for entry in &entries[1..] {
        let text = std::str::from_utf8(entry).unwrap();
        match text.split_once(' ').unwrap() {
            ("unit", name) => assert!(want.insert(name.to_owned())),
            ("gone", name) => assert!(want.remove(name)),
            _ => {}
        }
    }
    let files: BTreeMap<_, _> = disk.files().into_iter().filter(|(path, _)| path.starts_with("units")).collect();
    let names: BTreeSet<String> = files.keys().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, want, "files in place");
    assert!(files.iter().all(|(path, bytes)| *bytes == content(&path.file_name().unwrap().to_string_lossy())), "files whole");
    entries
}

fn stage_is_empty(disk: &SimDisk) -> bool {
    disk.list(Path::new(STAGE)).unwrap().is_empty()
}

#[test]
fn a_log_begins_grows_and_is_found_again() {
    let disk = SimDisk::new();
    let (committer, report) = open_as(&disk, ORIGIN).unwrap();
    assert!(report.begun);
    let genesis = Entry::decode(&committer.read_entry(0).unwrap()).unwrap();
    assert!(matches!(&genesis, Entry::Genesis(g) if g.origin == ORIGIN && g.log_key == *committer.verifying_key()));
    staged(&disk, "a").unwrap();
    staged(&disk, "b").unwrap();
    let done = committer.commit(&plan(300, &["a", "b"], &[])).unwrap();
    assert_eq!((done.first_index, done.size, done.root, &done.checkpoint), (1, 303, committer.root(), &committer.checkpoint()));
    committer.commit(&plan(0, &[], &["a"])).unwrap();
    assert!(stage_is_empty(&disk));
    disk.crash(1);
    let (committer, report) = open_as(&disk, ORIGIN).unwrap();
    assert_eq!(report, CommitRecovery::default());
    let entries = judge(&disk, &committer);
    let mut seen = Vec::new();
    committer.entries(250..304, &mut |index, bytes| seen.push((index, bytes.to_vec()))).unwrap();
    assert_eq!(seen, (250..304).map(|i| (i, entries[i as usize].clone())).collect::<Vec<_>>());
    assert_eq!(committer.read_entry(303).unwrap(), b"gone a");
    assert!(committer.read_entry(304).is_err() && committer.entries(0..305, &mut |_, _| ()).is_err());
}

#[test]
fn a_log_knows_the_roots_it_had() {
    let disk = SimDisk::new();
    let committer = open(&disk);
    let mut had = vec![(0, empty_root()), (committer.size(), committer.root())];
    for fill in [1, 2, 252, 1, 3, 255, 256, 600, 1] {
        committer.commit(&plan(fill, &[], &[])).unwrap();
        had.push((committer.size(), committer.root()));
        for (size, root) in &had {
            assert_eq!(committer.root_at(*size).unwrap(), Some(*root), "{size} of {}", committer.size());
        }
        assert_eq!(committer.root_at(committer.size() + 1).unwrap(), None);
    }
}

#[test]
fn what_does_not_fit_together_is_refused_with_advice() {
    let disk = SimDisk::new();
    drop(open(&disk));
    let said = |disk: &SimDisk, origin: &str| open_as(disk, origin).err().map(|e| e.to_string()).unwrap_or_default();
    let other = said(&disk, "other.invalid/log");
    assert!(other.contains("set the origin to test.invalid/log"), "{other}");
    for (path, advice) in [(KEY, "put it back"), (CURRENT, "restore the `log` folder"), ("log/tile/0/000.p/1", "log/tile/0/000.p/1")] {
        let disk = SimDisk::new();
        drop(open(&disk));
        disk.remove(Path::new(path)).unwrap();
        let before = disk.files().len();
        assert!(said(&disk, ORIGIN).contains(advice), "{path}: {}", said(&disk, ORIGIN));
        assert_eq!(disk.files().len(), before, "nothing was begun anew");
    }
    for path in [KEY, CURRENT, "log/tile/0/000.p/1"] {
        let disk = SimDisk::new();
        drop(open(&disk));
        disk.damage(Path::new(path), |bytes| bytes[20] ^= 1);
        assert!(open_as(&disk, ORIGIN).is_err(), "{path}");
    }
    keyring(&disk).unwrap().destroy(&[crate::keyring::KeyId::log(1)]).unwrap();
    assert!(said(&disk, ORIGIN).contains("log/1"));
}

#[test]
fn a_plan_that_breaks_a_rule_changes_nothing() {
    let disk = SimDisk::new();
    let committer = open(&disk);
    staged(&disk, "a").unwrap();
    committer.commit(&plan(0, &["a"], &[])).unwrap();
    staged(&disk, "a").unwrap();
    staged(&disk, "b").unwrap();
    let before = disk.operations();
    let one = |from: &str, to: &str| Plan { entries: vec![vec![1]], files: vec![(from.into(), to.into())], removes: vec![] };
    let remove = |path: &str| Plan { entries: vec![vec![1]], files: vec![], removes: vec![path.into()] };
    let twice = Plan { files: vec![("stage/b".into(), "u/1".into()), ("stage/b".into(), "u/2".into())], ..one("", "") };
    let bad = [
        Plan::default(),
        Plan { entries: vec![vec![0; 65_536]], ..Plan::default() },
        one("stage/a", "units/deep/a"),
        one("stage/none", "u/x"),
        one("elsewhere/b", "u/x"),
        one("stage/b/c", "u/x"),
        one("stage/9.stage", "u/x"),
        one("stage/b", "log/current"),
        one("stage/b", "wal/x"),
        one("stage/b", "state/x"),
        one("stage/b", "x"),
        one("stage/b", "../x"),
        one("stage/b", "/etc/x"),
        remove("log/checkpoint"),
        remove("keyring"),
        twice,
    ];
    for plan in bad {
        assert!(matches!(committer.commit(&plan), Err(CommitError::Refused(_))), "{plan:?}");
    }
    assert_eq!((disk.operations(), committer.size()), (before, 2));
}

#[test]
fn a_full_disk_refuses_the_commit_and_keeps_the_staged_files() {
    let disk = SimDisk::new();
    let committer = open(&disk);
    staged(&disk, "a").unwrap();
    for spare in [0, 4_096, 65_536] {
        disk.set_capacity(Some(disk.used() + spare));
        assert!(matches!(committer.commit(&plan(20, &["a"], &[])), Err(CommitError::Full { .. })));
    }
    disk.set_capacity(None);
    assert_eq!(committer.commit(&plan(20, &["a"], &[])).unwrap().size, 22);
    judge(&disk, &committer);
}

#[test]
fn a_log_changed_behind_its_back_is_noticed() {
    let disk = SimDisk::new();
    let (one, two) = (open(&disk), open(&disk));
    two.commit(&plan(1, &[], &[])).unwrap();
    assert!(matches!(one.commit(&plan(1, &[], &[])), Err(CommitError::Diverged | CommitError::NotCommitted(_))));
    judge(&disk, &two);
}

#[test]
fn old_partial_tiles_go() {
    let disk = SimDisk::new();
    let committer = open(&disk);
    for i in 0..530 {
        committer.commit(&plan(1, &[], &[])).unwrap();
        if i % 97 == 0 {
            judge(&disk, &committer);
        }
    }
    judge(&disk, &committer);
    let tiles: Vec<PathBuf> = disk.files().into_iter().map(|(path, _)| path).filter(|path| path.starts_with("log/tile")).collect();
    // Two full tiles and two full bundles, and partial ones of this and the last commit.
    assert!(tiles.len() <= 4 + 6, "{tiles:?}");
    disk.crash(1);
    judge(&disk, &open(&disk));
}

/// The ground for the fault runs: 252 entries, files `a` and `b` in place, `c` and `d` staged. The next commit crosses a tile's end.
fn ground() -> (SimDisk, Committer, Plan) {
    let disk = SimDisk::new();
    let committer = open(&disk);
    staged(&disk, "a").unwrap();
    staged(&disk, "b").unwrap();
    committer.commit(&plan(249, &["a", "b"], &[])).unwrap();
    staged(&disk, "c").unwrap();
    staged(&disk, "d").unwrap();
    (disk, committer, plan(9, &["c", "d"], &["a"]))
}

/// Whoever reads the published checkpoint, also right after a crash and before any recovery, finds every tile and new file it speaks of.
fn published_is_whole(disk: &SimDisk, committer: &Committer) {
    let note = disk::read(disk, Path::new(CHECKPOINT), 1 << 20).unwrap();
    let (head, _) = Checkpoint::open(&note, ORIGIN, committer.verifying_key()).unwrap();
    verify_log(head.size, &head.root, &|path| read_tile(disk, path), &mut |_, bytes| {
        if let Some(name) = bytes.strip_prefix(b"unit ").filter(|name| *name != b"a") {
            let path = Path::new("units/deep").join(std::str::from_utf8(name).unwrap());
            assert!(disk.exists(&path).unwrap(), "{} is published and not in its place", path.display());
        }
    })
    .unwrap();
}

/// A swap whose last sync fails, and then the power goes while it is being settled: nothing may be removed before the swap is durable.
#[test]
fn two_failures_in_a_row() {
    for k in 0..45 {
        for j in 0..30 {
            let (disk, committer, next) = ground();
            let op = disk.operations() + k;
            disk.fail_at(op, Fault::NoEffect);
            disk.fail_at(op + 1 + j, Fault::PowerOffBefore);
            let done = committer.commit(&next).is_ok();
            disk.crash(k * 100 + j);
            published_is_whole(&disk, &committer);
            let size = judge(&disk, &open(&disk)).len();
            assert!(size == 264 || (size == 252 && !done), "operations {k} and {j} later");
        }
    }
}

#[test]
fn every_step_may_fail_and_the_log_is_before_or_after() {
    let (disk, committer, next) = ground();
    let start = disk.operations();
    committer.commit(&next).unwrap();
    let steps = disk.operations() - start;
    assert!(steps > 30, "{steps}");
    let (mut before, mut after) = (0, 0);
    for k in 0..steps {
        for (n, fault) in FAULTS.into_iter().enumerate() {
            for retry in [false, true] {
                let (disk, committer, next) = ground();
                disk.fail_at(disk.operations() + k, fault);
                let mut result = committer.commit(&next).map(|_| ());
                if retry && !disk.is_off() && matches!(result, Err(CommitError::NotCommitted(_))) {
                    result = committer.commit(&next).map(|_| ());
                    assert!(result.is_ok(), "step {k}, {fault:?}: one failure, the second try succeeds");
                    judge(&disk, &committer);
                }
                disk.crash(k * 8 + n as u64);
                published_is_whole(&disk, &committer);
                // The recovery may be hit too.
                disk.fail_at(disk.operations() + k % 17, fault);
                drop(open_as(&disk, ORIGIN));
                disk.crash(k * 9 + n as u64);
                let committer = open(&disk);
                let entries = judge(&disk, &committer);
                assert!(stage_is_empty(&disk));
                let size = entries.len();
                match result {
                    Ok(()) => assert_eq!(size, 264, "step {k}, {fault:?}: a commit that was told done is there"),
                    Err(CommitError::NotCommitted(_)) if !disk.is_off() => assert_eq!(size, 252, "step {k}, {fault:?}"),
                    Err(CommitError::Unsettled { size: told, .. }) => assert!(told == 264 && (size == 252 || size == 264)),
                    Err(other) => panic!("step {k}, {fault:?}: {other}"),
                }
                before += u32::from(size == 252);
                after += u32::from(size == 264);
                staged(&disk, "e").unwrap();
                committer.commit(&plan(1, &["e"], &["b"])).unwrap();
                judge(&disk, &committer);
            }
        }
    }
    assert!(before > 20 && after > 20, "{before} {after}");
}

#[test]
fn the_first_start_may_fail_at_every_step() {
    let disk = SimDisk::new();
    drop(open(&disk));
    for k in 0..disk.operations() {
        for (n, fault) in FAULTS.into_iter().enumerate() {
            let disk = SimDisk::new();
            disk.fail_at(k, fault);
            let first = open_as(&disk, ORIGIN).ok().map(|(committer, _)| committer.checkpoint());
            disk.crash(k * 4 + n as u64);
            let committer = open(&disk);
            assert_eq!(judge(&disk, &committer).len(), 1);
            assert!(first.is_none_or(|first| first == committer.checkpoint()), "step {k}, {fault:?}");
        }
    }
}

#[test]
fn a_commit_that_cannot_be_settled_blocks_the_next_until_it_is() {
    let (disk, committer, next) = ground();
    let start = disk.operations();
    // Everything fails from the sync after the swap's rename on: create, write, sync and rename before it succeed.
    let mut swap = None;
    for k in 0..40 {
        let (disk, committer, next) = ground();
        for op in k..200 {
            disk.fail_at(disk.operations() + op, Fault::NoEffect);
        }
        if matches!(committer.commit(&next), Err(CommitError::Unsettled { .. })) {
            swap = Some(k);
            break;
        }
    }
    for op in swap.unwrap() + 4..200 {
        disk.fail_at(start + op, Fault::NoEffect);
    }
    assert!(matches!(committer.commit(&next), Err(CommitError::Unsettled { size: 264, .. })));
    assert!(matches!(committer.commit(&plan(1, &[], &[])), Err(CommitError::Unsettled { .. })));
    assert!(committer.settle().is_err());
    disk.heal();
    committer.settle().unwrap();
    assert_eq!(judge(&disk, &committer).len(), 264);
    committer.commit(&plan(1, &[], &[])).unwrap();
}

/// Commits under random faults, restarts and crashes; recoveries are hit too.
fn random_run(seed: u64, rates: Rates) {
    let mut rng = Rng::new(seed);
    let disk = SimDisk::new();
    // Entries told done, and those that may be there after them.
    let mut sure: Vec<Vec<u8>> = Vec::new();
    let mut maybe: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut serial = 0;
    for life in 0..5 {
        if life < 4 {
            disk.fail_by_chance(rng.next_u64(), rates);
        }
        if let Ok((committer, _)) = open_as(&disk, ORIGIN) {
            let entries = judge_if_readable(&disk, &committer);
            assert!(entries.get(1..).unwrap_or_default().starts_with(&sure), "a commit was lost");
            let rest = entries[1 + sure.len()..].to_vec();
            assert!(rest.is_empty() || maybe.contains(&rest), "entries that were never committed, or half a commit");
            sure.extend(rest);
            maybe.clear();
            for _ in 0..rng.below(6) {
                serial += 1;
                let (name, fill) = (format!("f{serial}"), rng.below(60) as usize);
                if staged(&disk, &name).is_err() {
                    continue;
                }
                let next = plan(fill, &[&name], &[]);
                match committer.commit(&next) {
                    Ok(_) => {
                        sure.extend(next.entries);
                        maybe.clear();
                    }
                    Err(CommitError::Unsettled { .. }) => {
                        maybe.push(next.entries.clone());
                        if committer.settle().is_ok() {
                            if committer.size() == 1 + (sure.len() + next.entries.len()) as u64 {
                                sure.extend(next.entries);
                            }
                            maybe.clear();
                        } else {
                            break;
                        }
                    }
                    Err(_) => {}
                }
            }
        }
        if disk.is_off() || rng.coin() { disk.crash(rng.next_u64()) } else { disk.restart() }
    }
    disk.heal();
    let committer = open(&disk);
    judge(&disk, &committer);
    assert!(stage_is_empty(&disk));
}

fn judge_if_readable(disk: &SimDisk, committer: &Committer) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    if disk.is_off() {
        return entries;
    }
    committer.entries(0..committer.size(), &mut |_, bytes| entries.push(bytes.to_vec())).unwrap();
    judge(disk, committer)
}

#[test]
fn random_runs_with_power_cuts() {
    each_seed("commit power", runs(5), |seed| random_run(seed, Rates { error: 0, power_off: 6 }));
}

#[test]
fn random_runs_with_errors_and_power_cuts() {
    each_seed("commit errors", runs(5), |seed| random_run(seed, Rates { error: 15, power_off: 4 }));
}

#[test]
fn the_same_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let disk: SharedDisk = Arc::new(disk::RealDisk::new(dir.path()).unwrap());
    let identity = LogIdentity { origin: ORIGIN, program: "weir-0.0.1", now: Millis(1) };
    for life in 0..3u64 {
        let ring = Keyring::open_or_create(&disk, &Secret([1; 32])).unwrap();
        let (committer, report) = Committer::open(&disk, &ring, &identity).unwrap();
        assert_eq!((committer.size(), report.begun), (1 + life * 201, life == 0));
        let name = format!("f{life}");
        disk::write_new(disk.as_ref(), &Path::new(STAGE).join(&name), &content(&name)).unwrap();
        committer.commit(&plan(200, &[&name], &[])).unwrap();
        let place = Path::new("units/deep").join(&name);
        assert_eq!(disk::read(disk.as_ref(), &place, 1 << 20).unwrap(), content(&name));
        let read = |path: &TilePath| read_tile(disk.as_ref(), path);
        verify_log(committer.size(), &committer.root(), &read, &mut |_, _| ()).unwrap();
    }
}
