//! Snapshot files: written beside, then renamed; the newest counts, the older go.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use weir_base::disk::{DiskFile, SharedDisk};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::limits::STATE_CHUNK_BYTES;
use weir_record::stored::state::{self as codec, StateEntry};
use weir_record::stored::wal::{self as frames, Container, FRAME_HEADER_BYTES, FileKey, FrameHeader, HEADER_BYTES, Header};

use super::{FOLDER, Inner, Owner, StateError, at};
use crate::keyring::Keyring;

fn path(number: u64) -> PathBuf {
    Path::new(FOLDER).join(format!("{number:010}.state"))
}

fn numbers(disk: &SharedDisk) -> Result<Vec<u64>, StateError> {
    let entries = disk.list(Path::new(FOLDER)).map_err(at(Path::new(FOLDER)))?;
    let mut numbers: Vec<u64> = entries.iter().filter_map(|entry| entry.name.strip_suffix(".state")?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Loads the newest snapshot and removes what a crash left beside it.
pub(super) fn open(disk: &SharedDisk, keyring: &Keyring) -> Result<Inner, StateError> {
    let folder = Path::new(FOLDER);
    let tidy = || -> io::Result<()> {
        disk.create_dir(folder)?;
        for entry in disk.list(folder)?.iter().filter(|entry| entry.name.ends_with(".tmp")) {
            disk.remove(&folder.join(&entry.name))?;
        }
        // Also makes sure that the newest name, once seen, stays.
        disk.sync_dir(folder)
    };
    tidy().map_err(at(folder))?;
    let Some(&newest) = numbers(disk)?.last() else {
        remove_older(disk, keyring, u64::MAX)?;
        return Ok(Inner { next_number: 1, ..Inner::default() });
    };
    let inner = load(disk, keyring, newest)?;
    remove_older(disk, keyring, newest)?;
    Ok(inner)
}

fn load(disk: &SharedDisk, keyring: &Keyring, number: u64) -> Result<Inner, StateError> {
    let path = path(number);
    let damaged = |why: String| StateError::Damaged { path: path.display().to_string(), why };
    let wrapping = keyring.get(&KeyId::state(number)).ok_or(StateError::KeyMissing(number))?;
    let file = disk.open(&path, false).map_err(at(&path))?;
    let len = file.len().map_err(at(&path))?;
    let mut head = vec![0; HEADER_BYTES.min(usize::try_from(len).unwrap_or(HEADER_BYTES))];
    file.read_exact_at(&mut head, 0).map_err(at(&path))?;
    let header = Header::decode(Container::State, &head).map_err(|e| damaged(e.to_string()))?;
    if header.file != number || header.first_group == 0 {
        return Err(damaged("it belongs to another number".to_owned()));
    }
    let key = header.key(&wrapping).map_err(|e| damaged(e.to_string()))?;
    let mut reader = Reader { file: file.as_ref(), key: &key, len, offset: HEADER_BYTES as u64, frame: 0, entries: 0 };
    let mut owners = BTreeMap::new();
    while !reader.frame(&mut owners).map_err(at(&path))?.map_err(damaged)? {}
    Ok(Inner { owners, applied: header.first_group - 1, snapshot_bytes: len, next_number: number + 1, ..Inner::default() })
}

struct Reader<'a> {
    file: &'a dyn DiskFile,
    key: &'a FileKey,
    len: u64,
    offset: u64,
    frame: u64,
    entries: u64,
}

impl Reader<'_> {
    /// Reads one frame into `owners`; true at the end. The inner error says what is damaged.
    fn frame(&mut self, owners: &mut BTreeMap<String, Owner>) -> io::Result<Result<bool, String>> {
        let mut head = [0; FRAME_HEADER_BYTES];
        let start = self.offset + FRAME_HEADER_BYTES as u64;
        if start > self.len {
            return Ok(Err("it ends too early".to_owned()));
        }
        self.file.read_exact_at(&mut head, self.offset)?;
        let header = match FrameHeader::decode(&head) {
            Ok(header) if header.number == self.frame && header.body_bytes as u64 <= self.len - start => header,
            Ok(_) => return Ok(Err(format!("frame {} is not whole", self.frame))),
            Err(e) => return Ok(Err(e.to_string())),
        };
        let mut body = vec![0; header.body_bytes];
        self.file.read_exact_at(&mut body, start)?;
        let groups = match frames::open_frame(self.key, &header, &mut body) {
            Ok(groups) if groups.first == self.entries => groups,
            Ok(_) => return Ok(Err("entries are missing".to_owned())),
            Err(e) => return Ok(Err(e.to_string())),
        };
        for (_, bytes) in groups.iter() {
            match codec::decode(bytes) {
                Ok(entry) => owners.entry(entry.owner.to_owned()).or_default().put(entry.key, Some(entry.value)),
                Err(e) => return Ok(Err(e.to_string())),
            }
        }
        self.frame += 1;
        self.entries = groups.end();
        self.offset += header.frame_bytes() as u64;
        let end = groups.count == 0;
        if end && self.offset != self.len {
            return Ok(Err("bytes are left after its end".to_owned()));
        }
        Ok(Ok(end))
    }
}

/// Writes the frozen map as snapshot `next_number`; durable on return. Returns its size in bytes.
pub(super) fn write(disk: &SharedDisk, keyring: &Keyring, frozen: &Inner) -> Result<u64, StateError> {
    let number = frozen.next_number;
    let wrapping = keyring.get_or_create(&[KeyId::state(number)])?.pop().ok_or(StateError::KeyMissing(number))?;
    let (header, key) = Header::new(Container::State, number, frozen.applied + 1, &wrapping);
    let (to, folder) = (path(number), Path::new(FOLDER));
    let new = to.with_extension("state.tmp");
    let write = || -> io::Result<u64> {
        if disk.exists(&new)? {
            disk.remove(&new)?;
        }
        let file = disk.create(&new)?;
        file.write_at(&header.encode(), 0)?;
        let mut writer =
            Writer { file: file.as_ref(), key: &key, offset: HEADER_BYTES as u64, frame: 0, entries: 0, chunk: Vec::new(), bytes: 0 };
        for (name, owner) in &frozen.owners {
            for (entry_key, value) in super::in_order(&owner.entries) {
                let entry = StateEntry { owner: name, key: entry_key, value };
                writer.push(codec::encode(&entry).map_err(io::Error::other)?)?;
            }
        }
        let len = writer.finish()?;
        file.sync()?;
        disk.rename(&new, &to)?;
        disk.sync_dir(folder)?;
        Ok(len)
    };
    write().map_err(|e| {
        // Room is scarce when this fails; the next try makes the file anew.
        let _ = disk.remove(&new);
        at(&to)(e)
    })
}

struct Writer<'a> {
    file: &'a dyn DiskFile,
    key: &'a FileKey,
    offset: u64,
    frame: u64,
    entries: u64,
    chunk: Vec<Vec<u8>>,
    bytes: usize,
}

impl Writer<'_> {
    fn push(&mut self, entry: Vec<u8>) -> io::Result<()> {
        self.bytes += entry.len() + 4;
        self.chunk.push(entry);
        if self.bytes >= STATE_CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = frames::encode_frame(self.key, self.frame, self.entries, &self.chunk).map_err(io::Error::other)?;
        self.file.write_at(&bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        self.frame += 1;
        self.entries += self.chunk.len() as u64;
        self.chunk.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Writes what is left and the empty frame that ends the file.
    fn finish(mut self) -> io::Result<u64> {
        if !self.chunk.is_empty() {
            self.flush()?;
        }
        self.flush()?;
        Ok(self.offset)
    }
}

/// Destroys the keys of snapshots older than `number` and removes them; keys without a file go too.
pub(super) fn remove_older(disk: &SharedDisk, keyring: &Keyring, number: u64) -> Result<(), StateError> {
    let folder = Path::new(FOLDER);
    let keys: Vec<KeyId> = keyring.ids().into_iter().filter(|id| id.number("state").is_some_and(|n| n != number)).collect();
    keyring.destroy(&keys)?;
    let older: Vec<u64> = numbers(disk)?.into_iter().filter(|n| *n < number).collect();
    for number in &older {
        let path = path(*number);
        disk.remove(&path).map_err(at(&path))?;
    }
    if older.is_empty() { Ok(()) } else { disk.sync_dir(folder).map_err(at(folder)) }
}
