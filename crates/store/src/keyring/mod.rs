//! The keyring: one file of two fixed slots that holds every key of the store.
//!
//! A change writes one slot, syncs, writes the other, syncs, and only then counts. The file has its full size from the first day, so a full
//! disk stops neither a new key nor an erasure. No slot is written unless the other is known to be whole.

pub mod master;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use weir_base::crypto::Secret;
use weir_base::disk::{Disk, DiskFile, SharedDisk};
use weir_base::task::lock;
use weir_record::stored::FormatError;
use weir_record::stored::keyring::{self as codec, Keys, Slot};
use weir_record::stored::limits::{SLOT_BYTES, SLOT_BYTES_MAX, SLOT_BYTES_MIN};

pub use master::{MasterKeyError, check_master_key_mode, master_key};
pub use weir_record::stored::keyring::{KeyId, KeyIdError};

/// The keyring's file in the data folder.
pub const FILE: &str = "keyring";
const NEW: &str = "keyring.tmp";

/// Why the keyring did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is none.
    #[error("there is no keyring in the data folder: restore the file `keyring`, or start with an empty folder")]
    Absent,
    /// There is one already.
    #[error("there is a keyring already: it is never overwritten")]
    Exists,
    /// Both slots are unusable.
    #[error(
        "both slots of the keyring are damaged (first: {0}; second: {1}): restore the file `keyring`; without it the records stay unreadable"
    )]
    Damaged(FormatError, FormatError),
    /// The slots are whole but of another master key.
    #[error("master.key does not fit the keyring: put the master.key of this data folder back")]
    WrongMaster,
    /// No room for more keys.
    #[error("the keyring is full: {keys} keys are in it and {more} more do not fit in {bytes} bytes: let old days expire")]
    Full {
        /// Keys in it.
        keys: usize,
        /// Keys that were to be added.
        more: usize,
        /// Bytes a slot has for keys.
        bytes: usize,
    },
    /// The disk failed. Whether the change will be there after a restart is not known.
    #[error("the keyring could not be {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The disk's error.
        source: io::Error,
    },
}

fn io_error(what: &'static str) -> impl FnOnce(io::Error) -> KeyringError {
    move |source| KeyringError::Io { what, source }
}

struct Writer {
    file: Box<dyn DiskFile>,
    /// Highest generation that may be on the disk.
    generation: u64,
    /// The slot to write first: the one that may be broken.
    first: usize,
    /// True after a change that failed: the disk may hold more or fewer keys than are handed out.
    doubtful: bool,
}

/// The keys. All methods may be called from several threads; reading does not wait for the disk.
pub struct Keyring {
    slot_key: Secret,
    slot_bytes: usize,
    keys: RwLock<Arc<Keys>>,
    writer: Mutex<Writer>,
}

impl Keyring {
    /// Makes an empty keyring of slots of the default size.
    pub fn create(disk: &SharedDisk, master: &Secret) -> Result<Keyring, KeyringError> {
        Keyring::create_with(disk, master, SLOT_BYTES)
    }

    /// Makes an empty keyring of two slots of `slot_bytes` each. It is there whole or not at all.
    pub fn create_with(disk: &SharedDisk, master: &Secret, slot_bytes: usize) -> Result<Keyring, KeyringError> {
        let make = io_error("made");
        if exists(disk.as_ref())? {
            return Err(KeyringError::Exists);
        }
        let slot_key = codec::slot_key(master);
        let empty = Slot { generation: 1, keys: Keys::new() };
        let write = || -> io::Result<()> {
            if disk.exists(Path::new(NEW))? {
                disk.remove(Path::new(NEW))?;
            }
            let file = disk.create(Path::new(NEW))?;
            for slot in 0..2 {
                let bytes = codec::encode(&empty, slot_bytes, &slot_key).map_err(io::Error::other)?;
                file.write_at(&bytes, slot * slot_bytes as u64)?;
            }
            file.sync()?;
            disk.rename(Path::new(NEW), Path::new(FILE))?;
            disk.sync_dir(Path::new(""))
        };
        write().map_err(make)?;
        Keyring::open(disk, master)
    }

    /// Opens the keyring: the higher good generation counts, and the other slot is mended before anything else happens.
    pub fn open(disk: &SharedDisk, master: &Secret) -> Result<Keyring, KeyringError> {
        if !exists(disk.as_ref())? {
            return Err(KeyringError::Absent);
        }
        let file = disk.open(Path::new(FILE), true).map_err(io_error("opened"))?;
        // What an earlier process wrote and did not sync must not be taken for durable.
        file.sync().map_err(io_error("synced"))?;
        disk.sync_dir(Path::new("")).map_err(io_error("synced"))?;
        let len = file.len().map_err(io_error("read"))?;
        let slot_bytes = usize::try_from(len / 2).unwrap_or(usize::MAX);
        if len % 2 != 0 || !(SLOT_BYTES_MIN..=SLOT_BYTES_MAX).contains(&slot_bytes) {
            let wrong = FormatError::Field("the file's length is not that of two slots");
            return Err(KeyringError::Damaged(wrong, wrong));
        }
        let slot_key = codec::slot_key(master);
        let read = |slot: u64| -> Result<Slot, FormatError> {
            let mut bytes = vec![0; slot_bytes];
            // A slot that cannot be read is as bad as a damaged one: the other exists for that.
            file.read_exact_at(&mut bytes, slot * slot_bytes as u64).map_err(|_| FormatError::Short)?;
            codec::decode(&bytes, &slot_key)
        };
        let (slot, mend) = choose(read(0), read(1))?;
        let first = mend.first().copied().unwrap_or(0);
        let writer = Writer { file, generation: slot.generation, first, doubtful: false };
        let ring = Keyring { slot_key, slot_bytes, keys: RwLock::new(Arc::new(slot.keys.clone())), writer: Mutex::new(writer) };
        {
            let mut writer = lock(&ring.writer);
            for slot_no in mend {
                ring.put(&mut writer, slot_no, &slot)?;
            }
            writer.first = 0;
        }
        Ok(ring)
    }

    /// Opens the keyring, or makes one where there is none.
    pub fn open_or_create(disk: &SharedDisk, master: &Secret) -> Result<Keyring, KeyringError> {
        if exists(disk.as_ref())? { Keyring::open(disk, master) } else { Keyring::create(disk, master) }
    }

    /// The key of this id, if there is one.
    pub fn get(&self, id: &KeyId) -> Option<Secret> {
        self.snapshot().get(id).cloned()
    }

    /// All ids, sorted.
    pub fn ids(&self) -> Vec<KeyId> {
        self.snapshot().keys().cloned().collect()
    }

    /// Bytes of a slot used by keys, and bytes there are for them.
    pub fn fill(&self) -> (usize, usize) {
        (codec::map_bytes(&self.snapshot()), codec::room(self.slot_bytes))
    }

    /// The keys of these ids in the same order; those that do not exist yet are made, all in one change that is durable on return.
    pub fn get_or_create(&self, ids: &[KeyId]) -> Result<Vec<Secret>, KeyringError> {
        let have = |keys: &Keys| ids.iter().map(|id| keys.get(id).cloned()).collect::<Option<Vec<_>>>();
        if let Some(found) = have(&self.snapshot()) {
            return Ok(found);
        }
        let mut writer = lock(&self.writer);
        let mut keys = Keys::clone(&self.snapshot());
        let before = keys.len();
        for id in ids {
            keys.entry(id.clone()).or_insert_with(Secret::random);
        }
        let (more, bytes) = (keys.len() - before, codec::room(self.slot_bytes));
        if codec::map_bytes(&keys) > bytes {
            return Err(KeyringError::Full { keys: before, more, bytes });
        }
        self.change(&mut writer, keys)?;
        Ok(have(&self.snapshot()).unwrap_or_default())
    }

    /// Destroys the keys of these ids; ids without a key are passed over. On return no slot holds them.
    ///
    /// After an error the keys are not handed out any more, but may be back after a restart: call again until it is confirmed.
    pub fn destroy(&self, ids: &[KeyId]) -> Result<(), KeyringError> {
        let mut writer = lock(&self.writer);
        let mut keys = Keys::clone(&self.snapshot());
        let before = keys.len();
        for id in ids {
            keys.remove(id);
        }
        // After a failed change a key that is not handed out may still be on the disk.
        if keys.len() == before && !writer.doubtful {
            return Ok(());
        }
        // A key that may be gone from the disk must not be used for anything new, whether or not this succeeds.
        self.show(&keys);
        self.change(&mut writer, keys)
    }

    fn show(&self, keys: &Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys.clone());
    }

    fn snapshot(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes both slots, and only then lets the new map be seen.
    fn change(&self, writer: &mut Writer, keys: Keys) -> Result<(), KeyringError> {
        let slot = Slot { generation: writer.generation + 1, keys };
        writer.generation = slot.generation;
        writer.doubtful = true;
        for slot_no in [writer.first, 1 - writer.first] {
            writer.first = slot_no;
            self.put(writer, slot_no, &slot)?;
        }
        writer.first = 0;
        writer.doubtful = false;
        self.show(&slot.keys);
        Ok(())
    }

    fn put(&self, writer: &mut Writer, slot_no: usize, slot: &Slot) -> Result<(), KeyringError> {
        let what = "written";
        let bytes = codec::encode(slot, self.slot_bytes, &self.slot_key).map_err(|e| io_error(what)(io::Error::other(e)))?;
        writer.file.write_at(&bytes, (slot_no * self.slot_bytes) as u64).map_err(io_error(what))?;
        writer.file.sync().map_err(io_error(what))
    }
}

/// True if the data folder has a keyring.
pub fn exists(disk: &dyn Disk) -> Result<bool, KeyringError> {
    disk.exists(Path::new(FILE)).map_err(io_error("looked for"))
}

/// The slot that counts, and the slots to write again, in order.
///
/// Where both are whole but differ, the newer one was never confirmed, and after a failed sync it may be in memory only: it is written again
/// before the older one, which is surely on the disk, is touched.
fn choose(a: Result<Slot, FormatError>, b: Result<Slot, FormatError>) -> Result<(Slot, Vec<usize>), KeyringError> {
    match (a, b) {
        (Ok(a), Ok(b)) if a == b => Ok((a, vec![])),
        (Ok(a), Ok(b)) if a.generation >= b.generation => Ok((a, vec![0, 1])),
        (Ok(_), Ok(b)) => Ok((b, vec![1, 0])),
        (Ok(a), Err(_)) => Ok((a, vec![1])),
        (Err(_), Ok(b)) => Ok((b, vec![0])),
        (Err(FormatError::Sealed), Err(_)) | (Err(_), Err(FormatError::Sealed)) => Err(KeyringError::WrongMaster),
        (Err(a), Err(b)) => Err(KeyringError::Damaged(a, b)),
    }
}
