use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::merkle::ProofError;

/// A log in memory, as the files a store would keep.
#[derive(Clone, Default)]
struct Log {
    files: BTreeMap<String, Vec<u8>>,
    size: u64,
    root: Hash,
}

impl Log {
    fn read(&self, path: &TilePath) -> Result<Vec<u8>, String> {
        self.files.get(&path.to_string()).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn grow(&mut self, entries: &[Vec<u8>]) {
        let appended = append(self.size, entries, &|path| self.read(path)).unwrap();
        if self.size > 0 {
            assert_eq!(appended.old_root, self.root);
        }
        for (path, bytes) in appended.tiles {
            let before = self.files.insert(path.to_string(), bytes);
            assert_eq!(before, None, "{path} was written twice");
        }
        (self.size, self.root) = (appended.size, appended.root);
    }

    fn of(sizes: &[usize]) -> Log {
        let mut log = Log { root: merkle::empty_root(), ..Log::default() };
        for size in sizes {
            log.grow(&entries(log.size, *size));
        }
        log
    }

    fn verify(&self) -> Result<u64, Damage<String>> {
        let mut seen = 0;
        verify_log(self.size, &self.root, &|path| self.read(path), &mut |index, entry| {
            assert_eq!((index, entry), (seen, entry_bytes(seen).as_slice()));
            seen += 1;
        })?;
        Ok(seen)
    }
}

fn entry_bytes(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn entries(first: u64, count: usize) -> Vec<Vec<u8>> {
    (first..).take(count).map(entry_bytes).collect()
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|i| merkle::leaf_hash(&entry_bytes(i))).collect()
}

#[test]
fn paths_read_and_write() {
    for (text, kind, index, width) in [
        ("tile/0/000", TileKind::Hashes(0), 0, 256),
        ("tile/0/x001/x234/067", TileKind::Hashes(0), 1_234_067, 256),
        ("tile/0/x001/x234/067.p/1", TileKind::Hashes(0), 1_234_067, 1),
        ("tile/63/999.p/255", TileKind::Hashes(63), 999, 255),
        ("tile/1/x001/000", TileKind::Hashes(1), 1_000, 256),
        ("tile/entries/x001/x000/000", TileKind::Entries, 1_000_000, 256),
        ("tile/entries/x018/x446/x744/x073/x709/x551/615.p/9", TileKind::Entries, u64::MAX, 9),
    ] {
        let path: TilePath = text.parse().unwrap();
        assert_eq!((path.kind(), path.index(), path.width()), (kind, index, width), "{text}");
        assert_eq!(path.to_string(), text);
        assert_eq!(path.is_partial(), width < 256);
    }
}

#[test]
fn malformed_paths_are_refused() {
    let bad = "tile tile/ tile/0 tile/0/ tile/0/0 tile/0/00 tile/0/0000 tile/0/x000 tile/0/x000/001 tile/0/001/000 tile/0/x01/000 \
               tile/00/000 tile/64/000 tile/-1/000 tile/+1/000 tile/0/000.p/0 tile/0/000.p/256 tile/0/000.p/01 tile/0/000.p/ tile/0/000.p \
               tile/0/000/ tile/0/000.p/1/ tile/0/000.p/1.p/1 /tile/0/000 tile/Entries/000 tile/0/x001//000 tile/0/+01 tile/0/x+01/000 \
               tile/0/x018/x446/x744/x073/x709/x551/616 tile/0/x001/x018/x446/x744/x073/x709/x551/616 tile/0/\u{661}00";
    for path in bad.split_whitespace().chain(["", " tile/0/000", "tile/0/000\n"]) {
        assert_eq!(path.parse::<TilePath>(), Err(TilePathError), "{path:?}");
    }
}

/// The example of the specification: a tree of 70,000 entries.
#[test]
fn the_tiles_of_70_000_entries() {
    let log = Log::of(&[70_000]);
    let count = |prefix: &str| log.files.keys().filter(|p| p.starts_with(prefix) && !p.contains(".p/")).count();
    assert_eq!((count("tile/0/"), count("tile/1/"), count("tile/2/"), count("tile/entries/")), (273, 1, 0, 273));
    let partial: Vec<&str> = log.files.keys().map(String::as_str).filter(|p| p.contains(".p/")).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]);
    assert_eq!(log.root, merkle::root(&leaves(70_000)));
    assert_eq!(log.verify(), Ok(70_000));

    let read = |path: &TilePath| log.read(path);
    assert_eq!(root(70_000, &read).unwrap(), log.root);
    let all = leaves(70_000);
    for index in [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
        let proof = inclusion_proof(index, 70_000, &read).unwrap();
        assert_eq!(proof, merkle::inclusion_proof(&all, index).unwrap(), "{index}");
        assert_eq!(entry(index, 70_000, &read).unwrap(), entry_bytes(index));
    }
    for old in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000] {
        assert_eq!(consistency_proof(old, 70_000, &read).unwrap(), merkle::consistency_proof(&all, old).unwrap(), "{old}");
    }
}

#[test]
fn a_tree_of_256_has_one_full_tile_and_one_above_it() {
    let log = Log::of(&[256]);
    let names: Vec<&String> = log.files.keys().collect();
    assert_eq!(names, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(log.files["tile/0/000"], leaves(256).concat());
    assert_eq!(log.files["tile/1/000.p/1"], log.root);
}

#[test]
fn an_empty_log_has_no_tiles() {
    let none: [&[u8]; 0] = [];
    let appended = append(0, &none, &|_| Err("nothing is to be read")).unwrap();
    assert_eq!((appended.tiles.len(), appended.size, appended.root), (0, 0, merkle::empty_root()));
    assert_eq!(Log { root: merkle::empty_root(), ..Log::default() }.verify(), Ok(0));
    assert_eq!(entry(0, 0, &|_| Err("nothing")), Err(TileError::Proof(ProofError::OutOfRange { inner: 0, size: 0 })));
}

#[test]
fn appending_nothing_writes_nothing() {
    let mut log = Log::of(&[300]);
    let before = log.files.clone();
    log.grow(&[]);
    assert_eq!(log.files, before);
}

#[test]
fn entries_up_to_65_535_bytes() {
    let longest = vec![7; 65_535];
    let appended = append(0, std::slice::from_ref(&longest), &|_| Err(())).unwrap();
    let bundle = &appended.tiles.iter().find(|(p, _)| p.kind() == TileKind::Entries).unwrap().1;
    assert_eq!(decode_bundle(bundle).unwrap(), [longest.as_slice()]);
    let error = append(0, &[vec![], vec![7; 65_536]], &|_| Err(())).unwrap_err();
    assert_eq!(error, TileError::EntryTooLong { position: 1, bytes: 65_536 });
    assert_eq!(append(u64::MAX, &[vec![]], &|_| Err(())).unwrap_err(), TileError::Full);
}

#[test]
fn bundles_read_and_write() {
    for (bytes, want) in [
        (&b""[..], Ok(vec![])),
        (b"\0\0", Ok(vec![&b""[..]])),
        (b"\0\x01a\0\x02bc", Ok(vec![&b"a"[..], b"bc"])),
        (b"\0", Err(BundleError::CutShort { entry: 0 })),
        (b"\0\x01", Err(BundleError::CutShort { entry: 0 })),
        (b"\0\x01a\0\x03bc", Err(BundleError::CutShort { entry: 1 })),
        (b"\0\x01a\x01", Err(BundleError::CutShort { entry: 1 })),
    ] {
        assert_eq!(decode_bundle(bytes), want, "{bytes:?}");
    }
    assert_eq!(decode_bundle(&[0; 512]).unwrap().len(), 256);
    assert_eq!(decode_bundle(&[0; 514]), Err(BundleError::TooMany));
}

/// Old partial tiles may be deleted once a wider one is there: the wider one serves.
#[test]
fn a_wider_tile_stands_in_for_a_narrower_one() {
    let (old, new) = (Log::of(&[300]), Log::of(&[600]));
    let read = |path: &TilePath| {
        let wider = TilePath::in_tree(path.kind(), path.index(), 600).unwrap();
        new.read(&wider)
    };
    assert_eq!(root(300, &read).unwrap(), old.root);
    assert_eq!(inclusion_proof(299, 300, &read).unwrap(), merkle::inclusion_proof(&leaves(300), 299).unwrap());
    let appended = append(300, &entries(300, 1), &read).unwrap();
    assert_eq!((appended.old_root, appended.root), (old.root, merkle::root(&leaves(301))));
    for (path, bytes) in appended.tiles {
        assert_eq!(Log::of(&[301]).read(&path).unwrap(), bytes, "{path}");
    }
}

#[test]
fn a_log_is_not_continued_on_damaged_ground() {
    let good = Log::of(&[300]);
    for (file, at, path) in [("tile/entries/001.p/44", 5, "tile/entries/001.p/44"), ("tile/0/001.p/44", 0, "tile/entries/001.p/44")] {
        let mut bad = good.clone();
        bad.files.get_mut(file).unwrap()[at] ^= 1;
        let error = append(300, &entries(300, 1), &|path| bad.read(path)).unwrap_err();
        let why = "its entries do not hash to the level 0 tile";
        assert_eq!(error, TileError::Malformed { path: path.parse().unwrap(), why });
    }
    // A changed node higher up shows in the old root.
    let mut bad = good.clone();
    bad.files.get_mut("tile/1/000.p/1").unwrap()[0] ^= 1;
    assert_ne!(append(300, &entries(300, 1), &|path| bad.read(path)).unwrap().old_root, good.root);
    for length in [0, 31, 43 * 32, 44 * 32 + 1, 257 * 32] {
        let mut bad = good.clone();
        bad.files.get_mut("tile/0/001.p/44").unwrap().resize(length, 0);
        let error = append(300, &entries(300, 1), &|path| bad.read(path)).unwrap_err();
        assert!(matches!(error, TileError::Malformed { path, .. } if path.to_string() == "tile/0/001.p/44"), "{length}: {error}");
    }
    let error = append(300, &entries(300, 1), &|_| Err("gone")).unwrap_err();
    assert!(matches!(error, TileError::Read { error: "gone", .. }));
}

/// The files that belong to a log's size, and no left-over partial ones.
fn current_files(log: &Log) -> Vec<TilePath> {
    let paths = log.files.keys().map(|p| p.parse::<TilePath>().unwrap());
    paths.filter(|p| TilePath::in_tree(p.kind(), p.index(), log.size) == Some(*p)).collect()
}

#[test]
fn every_changed_tile_is_named() {
    for good in [Log::of(&[1]), Log::of(&[256]), Log::of(&[100, 500]), Log::of(&[65_536, 700])] {
        let files = current_files(&good);
        // The largest log has some 500 files; a prime step keeps every level and the right edge among those tried.
        let step = if files.len() > 100 { 37 } else { 1 };
        let last = files.len().saturating_sub(12);
        let tried = files.iter().enumerate().filter(|(i, _)| i % step == 0 || *i >= last).map(|(_, f)| f);
        for path in tried.filter(|p| p.kind() != TileKind::Entries) {
            let length = good.files[&path.to_string()].len();
            for at in [0, length / 2, length - 1] {
                let mut bad = good.clone();
                bad.files.get_mut(&path.to_string()).unwrap()[at] ^= 1;
                assert_eq!(bad.verify(), Err(Damage::Hashes { path: *path }), "{path} byte {at} of a log of {}", good.size);
            }
        }
    }
}

#[test]
fn every_changed_entry_is_named() {
    let good = Log::of(&[100, 500]);
    for index in 0..600u64 {
        let path = TilePath::in_tree(TileKind::Entries, index / 256, 600).unwrap();
        let mut bad = good.clone();
        let bundle = bad.files.get_mut(&path.to_string()).unwrap();
        let before: usize = (index / 256 * 256..index).map(|i| entry_bytes(i).len() + 2).sum();
        bundle[before + 2] ^= 1;
        assert_eq!(bad.verify(), Err(Damage::Entry { index, path }));
    }
}

#[test]
fn missing_cut_and_lengthened_tiles_are_named() {
    let good = Log::of(&[100, 500]);
    for path in current_files(&good) {
        let name = path.to_string();
        let mut bad = good.clone();
        bad.files.remove(&name);
        let error = TileError::Read { path, error: "no such file".to_owned() };
        assert_eq!(bad.verify(), Err(Damage::Tile(error)), "{name}");
        for change in [-1i64, -32, 1, 32] {
            let mut bad = good.clone();
            let file = bad.files.get_mut(&name).unwrap();
            file.resize((file.len() as i64 + change) as usize, 0);
            let found = bad.verify().unwrap_err();
            assert!(matches!(found, Damage::Tile(TileError::Malformed { path: p, .. }) if p == path), "{name} {change}: {found}");
        }
    }
}

#[test]
fn another_history_is_told_from_damage() {
    let mut log = Log::of(&[600]);
    log.root = Log::of(&[599]).root;
    assert_eq!(log.verify(), Err(Damage::Root { size: 600 }));
}

#[test]
fn damage_needs_no_huge_memory_and_hostile_sizes_do_not_overflow() {
    let log = Log::of(&[600]);
    for size in [601, 1 << 40, u64::MAX] {
        let found = verify_log(size, &log.root, &|path| log.read(path), &mut |_, _| ());
        assert!(matches!(found, Err(Damage::Tile(TileError::Read { .. }))), "{size}");
        assert!(inclusion_proof(size - 1, size, &|path| log.read(path)).is_err());
        assert!(consistency_proof(size / 2 + 1, size, &|path| log.read(path)).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a log grows, it ends with the same tiles, roots and proofs as the definitions give.
    #[test]
    fn growth_in_any_steps(steps in prop::collection::vec(0usize..400, 1..8), seed in any::<u64>()) {
        let log = Log::of(&steps);
        let size: u64 = steps.iter().map(|s| *s as u64).sum();
        let all = leaves(size);
        prop_assert_eq!(log.root, merkle::root(&all));
        prop_assert_eq!(log.verify(), Ok(size));
        for path in current_files(&log) {
            let want: Vec<Hash> = match path.kind() {
                TileKind::Entries => continue,
                TileKind::Hashes(level) => {
                    let span = 256u64.pow(u32::from(level)) as usize;
                    let first = path.index() as usize * 256;
                    (first..first + usize::from(path.width())).map(|i| merkle::root(&all[i * span..(i + 1) * span])).collect()
                }
            };
            prop_assert_eq!(&log.files[&path.to_string()], &want.concat());
        }
        if size > 0 {
            let at = 1 + seed % size;
            let index = seed / 7 % at;
            let read = |path: &TilePath| {
                // A checkpoint may not have been made at this size: the tiles of the whole log serve.
                log.read(&TilePath::in_tree(path.kind(), path.index(), size).unwrap())
            };
            let tree = &all[..at as usize];
            prop_assert_eq!(root(at, &read).unwrap(), merkle::root(tree));
            prop_assert_eq!(inclusion_proof(index, at, &read).unwrap(), merkle::inclusion_proof(tree, index).unwrap());
            prop_assert_eq!(consistency_proof(index, at, &read).unwrap(), merkle::consistency_proof(tree, index).unwrap());
        }
    }

    #[test]
    fn bundles_come_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..256)) {
        let mut bundle = Vec::new();
        entries.iter().for_each(|e| push_entry(&mut bundle, e).unwrap());
        prop_assert_eq!(decode_bundle(&bundle).unwrap(), entries);
    }

    #[test]
    fn paths_come_back(index in any::<u64>(), level in 0u8..64, entries in any::<bool>(), size in any::<u64>()) {
        let kind = if entries { TileKind::Entries } else { TileKind::Hashes(level) };
        for path in [Some(TilePath::full(kind, index)), TilePath::partial_of(kind, size)].into_iter().flatten() {
            prop_assert_eq!(path.to_string().parse::<TilePath>(), Ok(path));
        }
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..600)) {
        crate::fuzz::fuzz_bundle(&data);
    }
}
