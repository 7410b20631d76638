//! Checkpoints, entries, commits that are half done, and a program that goes on.

use std::fs;

use weir_base::clock::Clock;
use weir_record::stored::stage::{self, Stage};

use crate::rig::{Rig, T0, build, copy, files, verify, with_change};

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
fn files_of_entries_of_another_version_are_no_strays() {
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    let size: u64 = fs::read_to_string(dir.path().join("log/current")).unwrap().lines().nth(1).unwrap().parse().unwrap();
    let bundle = dir.path().join(format!("log/tile/entries/000.p/{size}"));
    let older = |bytes: &mut Vec<u8>| {
        let head = b"weir/entry/v";
        let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(head)).collect();
        places.iter().for_each(|at| bytes[at + head.len()] = b'1');
    };
    with_change(&bundle, older, || {
        let told = verify(dir.path());
        told.assert_bad("of another version", "weir/entry/v1");
        assert!(told.names("warnings", "not known whether"), "{}", told.json);
        assert!(!told.names("problems", "stray"), "{}", told.json);
        assert!(!told.names("problems", "is not there"), "{}", told.json);
        // Nobody knows what is sealed, so no group of the write-ahead log is called missing.
        assert!(told.names("warnings", "it is not known whether groups 1 to"), "{}", told.json);
        assert!(!told.names("problems", "missing"), "{}", told.json);
    });
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
