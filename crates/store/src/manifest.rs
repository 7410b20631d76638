//! What the catalog says of the index, kept beside the index too: when the catalog is lost, the units come back from the log, and this says which runs
//! and which snapshot there are, and which sources translate to which public addresses.
//!
//! The file is a table (`docs/formats/table.md`) under the index key of the day that its name begins with, days since 1970 in UTC+8. Keys: `i`: how far the index is complete;
//! `l`: the root of the log there; `p` + public address + source: a pool; `r` + file: a run; `v`: the version of all this. It is written with each checkpoint of the index, before what it no longer names goes; one that names a file that is gone, or that is of
//! another log, says nothing.

use std::path::Path;

use weir_base::time::Day;
use weir_record::Id;
use weir_record::stored::keyring::KeyId;
use weir_seal::Hash;

use crate::catalog::{IndexState, RunMeta};
use crate::engine::StoreError;
use crate::index::IndexFiles;
use crate::table::{Stats, TableReader, TableWriter};

/// Folder of the files.
pub const FOLDER: &str = "index/state";

/// From 3 on there are runs of wide buckets, which a program that knows 2 would look for in vain; else they are the same.
const VERSION: u8 = 3;
const READ: [u8; 2] = [2, VERSION];

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// How far the index is complete, and its snapshot.
    pub index: IndexState,
    /// Root of the log when it had as many entries.
    pub root: Hash,
    /// All runs.
    pub runs: Vec<RunMeta>,
    /// Sources that were seen to translate to a public address.
    pub pools: Vec<(u32, [u8; 16])>,
}

/// The root of a log at a size.
pub type RootAt<'a> = &'a dyn Fn(u64) -> Result<Option<Hash>, StoreError>;

/// Writes it durably under the index key of `day`; those of before go.
///
/// # Errors
/// If it cannot be written.
pub fn write(files: &IndexFiles, manifest: &Manifest, day: Day) -> Result<(), StoreError> {
    let name = format!("{}-{}.tbl", day.0, Id::random());
    let mut writer = TableWriter::create(&files.disk, &Path::new(FOLDER).join(&name), &files.key(day)?)?;
    for (key, value) in manifest.entries() {
        writer.push(&key, &value)?;
    }
    writer.finish()?;
    let others = files.disk.list(Path::new(FOLDER))?.into_iter().filter(|file| file.name != name);
    files.remove(&others.map(|file| format!("{FOLDER}/{}", file.name)).collect::<Vec<_>>());
    Ok(())
}

/// The latest that names only files that are there, of the log whose root at a size is `root_at`, none beyond its end. One of another log, or of more of it
/// than there is, goes: the log was restored from a copy.
///
/// # Errors
/// If the folder or the log cannot be read.
pub fn latest(files: &IndexFiles, root_at: RootAt<'_>) -> Result<Option<Manifest>, StoreError> {
    let mut all = Vec::new();
    for file in files.disk.list(Path::new(FOLDER))? {
        let Some(manifest) = read(files, &file.name) else { continue };
        if root_at(manifest.index.entries)? != Some(manifest.root) {
            files.remove(&[format!("{FOLDER}/{}", file.name)]);
            continue;
        }
        let mut named = manifest.runs.iter().map(|run| &run.file).chain(manifest.index.snapshot.iter().map(|(file, _)| file));
        if named.all(|file| files.disk.exists(file.as_ref()).unwrap_or(false)) {
            all.push(manifest);
        }
    }
    Ok(all.into_iter().max_by_key(|manifest| manifest.index.entries))
}

/// None where it does not read: the index is made again then.
fn read(files: &IndexFiles, name: &str) -> Option<Manifest> {
    let (day, _) = name.rsplit_once('-')?;
    let key = files.keyring.get(&KeyId::index(Day(day.parse().ok()?)).ok()?)?;
    let table = TableReader::open(&files.disk, &Path::new(FOLDER).join(name), &key).ok()?;
    let mut entries = Vec::new();
    let each = &mut |key: &[u8], value: &[u8]| {
        entries.push((key.to_vec(), value.to_vec()));
        true
    };
    table.range(&[], &[0xff; 40], &mut Stats::default(), each).ok()?;
    Manifest::of(&entries)
}

type Entry = (Vec<u8>, Vec<u8>);

impl Manifest {
    fn entries(&self) -> Vec<Entry> {
        let tagged = |tag: u8, rest: &[&[u8]]| [&[tag][..], &rest.concat()].concat();
        let (file, day) = self.index.snapshot.as_ref().map_or(("", 0), |(file, day)| (file.as_str(), day.0));
        let state = [&self.index.entries.to_le_bytes()[..], &day.to_le_bytes(), file.as_bytes()].concat();
        let mut out = vec![(vec![b'i'], state), (vec![b'l'], self.root.to_vec()), (vec![b'v'], vec![VERSION])];
        out.extend(self.pools.iter().map(|(source, address)| (tagged(b'p', &[address, &source.to_be_bytes()]), Vec::new())));
        for run in &self.runs {
            let value = [&[run.level][..], &run.bucket.to_le_bytes(), &run.day.0.to_le_bytes()].concat();
            out.push((tagged(b'r', &[run.file.as_bytes()]), value));
        }
        out.sort();
        out
    }

    fn of(entries: &[Entry]) -> Option<Manifest> {
        let (mut manifest, mut version, mut state, mut root) = (Manifest::default(), false, false, false);
        for (key, value) in entries {
            let (tag, rest) = key.split_first()?;
            match tag {
                b'i' => {
                    let (complete, value) = value.split_first_chunk::<8>()?;
                    let (day, file) = value.split_first_chunk::<4>()?;
                    let file = std::str::from_utf8(file).ok()?;
                    let snapshot = (!file.is_empty()).then(|| (file.to_owned(), Day(i32::from_le_bytes(*day))));
                    manifest.index = IndexState { entries: u64::from_le_bytes(*complete), snapshot };
                    state = true;
                }
                b'l' => {
                    manifest.root = value.as_slice().try_into().ok()?;
                    root = true;
                }
                b'p' => {
                    let (address, source) = rest.split_first_chunk::<16>()?;
                    manifest.pools.push((u32::from_be_bytes(source.try_into().ok()?), *address));
                }
                b'r' => {
                    let (level, value) = value.split_first()?;
                    let (bucket, day) = value.split_first_chunk::<8>()?;
                    let day = Day(i32::from_le_bytes(day.try_into().ok()?));
                    let file = std::str::from_utf8(rest).ok()?.to_owned();
                    manifest.runs.push(RunMeta { level: *level, bucket: i64::from_le_bytes(*bucket), file, day });
                }
                b'v' => version = READ.iter().any(|known| *value == [*known]),
                _ => return None,
            }
        }
        (version && state && root).then_some(manifest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use weir_base::crypto::Secret;
    use weir_base::disk::SharedDisk;
    use weir_testkit::SimDisk;

    use super::*;
    use crate::keyring::Keyring;

    fn files() -> IndexFiles {
        let disk: SharedDisk = SimDisk::new().shared();
        disk.create_dir(Path::new(FOLDER)).unwrap();
        let keyring = Arc::new(Keyring::open_or_create(&disk, &Secret([7; 32])).unwrap());
        IndexFiles { disk, keyring }
    }

    fn some(entries: u64) -> Manifest {
        let run = |n: u8| RunMeta { level: n, bucket: -i64::from(n), file: format!("index/runs/{n}"), day: Day(i32::from(n)) };
        Manifest {
            index: IndexState { entries, snapshot: Some(("index/open/a.tbl".into(), Day(-3))) },
            root: [entries as u8; 32],
            runs: (0..5).map(run).collect(),
            pools: vec![(7, [1; 16]), (2, [9; 16])],
        }
    }

    fn touch(files: &IndexFiles, manifest: &Manifest) {
        for file in manifest.runs.iter().map(|run| &run.file).chain(manifest.index.snapshot.iter().map(|(file, _)| file)) {
            let path = Path::new(file);
            files.disk.create_dir(path.parent().unwrap()).unwrap();
            if !files.disk.exists(path).unwrap() {
                files.disk.create(path).unwrap();
            }
        }
    }

    /// The latest for a log of this size, whose root at a size is that of [`some`].
    fn latest(files: &IndexFiles, log_size: u64) -> Option<Manifest> {
        super::latest(files, &|size| Ok((size <= log_size).then_some([size as u8; 32]))).unwrap()
    }

    #[test]
    fn the_latest_that_names_what_is_there_counts() {
        let files = files();
        assert_eq!(latest(&files, 100), None);
        let first = some(9);
        touch(&files, &first);
        write(&files, &first, Day(20_000)).unwrap();
        assert_eq!(latest(&files, 9), Some(first));
        let second = Manifest { index: IndexState { entries: 12, snapshot: None }, ..some(12) };
        write(&files, &second, Day(20_001)).unwrap();
        assert_eq!(files.disk.list(Path::new(FOLDER)).unwrap().len(), 1, "those of before are gone");
        assert_eq!(latest(&files, 12), Some(second));
        files.disk.remove(Path::new("index/runs/3")).unwrap();
        assert_eq!(latest(&files, 12), None, "a run is missing");
        touch(&files, &some(1));
        assert_eq!(latest(&files, 11), None, "the log is shorter");
        assert_eq!(latest(&files, 100), None, "and it stays unknown when the log has grown again");
        write(&files, &some(9), Day(20_000)).unwrap();
        assert_eq!(super::latest(&files, &|_| Ok(Some([8; 32]))).unwrap(), None, "of another log");
        assert_eq!(latest(&files, 100), None, "and it goes");
        write(&files, &some(9), Day(20_000)).unwrap();
        assert!(super::latest(&files, &|_| Err(StoreError::Stopped)).is_err());
        assert_eq!(latest(&files, 100), Some(some(9)), "a log that does not read says nothing against it");
    }

    #[test]
    fn what_is_damaged_or_of_another_version_says_nothing() {
        let good = some(9).entries();
        assert_eq!(Manifest::of(&good), Some(some(9)));
        let with = |key: &[u8], value: &[u8]| {
            let mut all: Vec<Entry> = good.iter().filter(|(k, _)| k != key).cloned().collect();
            all.push((key.to_vec(), value.to_vec()));
            Manifest::of(&all)
        };
        assert_eq!(with(b"v", &[2]), Some(some(9)), "the version before says the same");
        for (key, value) in [
            (&b"v"[..], &[VERSION + 1][..]),
            (b"v", &[1]),
            (b"v", &[]),
            (b"i", &[0; 11]),
            (b"i", &[0xff; 20]),
            (b"l", &[0; 31]),
            (b"l", &[0; 33]),
            (b"p", &[]),
            (b"p123", &[]),
            (b"r\xff", &[0; 13]),
            (b"rx", &[0; 12]),
            (b"rx", &[0; 14]),
            (b"x", &[]),
            (b"", &[]),
        ] {
            assert_eq!(with(key, value), None, "{key:?} {value:?}");
        }
        for missing in [b'i', b'l', b'v'] {
            let rest: Vec<Entry> = good.iter().filter(|(key, _)| *key != [missing]).cloned().collect();
            assert_eq!((rest.len(), Manifest::of(&rest)), (good.len() - 1, None), "{missing} is not there");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read(
            entries in 0u64..u64::MAX,
            root: Hash,
            snapshot in proptest::option::of(("[a-z/]{1,40}", any::<i32>())),
            runs in proptest::collection::btree_map("[a-z/0-9]{1,60}", (any::<u8>(), any::<i64>(), any::<i32>()), 0..40),
            pools in proptest::collection::btree_set((any::<[u8; 16]>(), any::<u32>()), 0..40),
        ) {
            let manifest = Manifest {
                index: IndexState { entries, snapshot: snapshot.map(|(file, day)| (file, Day(day))) },
                root,
                runs: runs.into_iter().map(|(file, (level, bucket, day))| RunMeta { level, bucket, file, day: Day(day) }).collect(),
                pools: pools.into_iter().map(|(address, source)| (source, address)).collect(),
            };
            prop_assert_eq!(Manifest::of(&manifest.entries()), Some(manifest));
        }
    }
}
