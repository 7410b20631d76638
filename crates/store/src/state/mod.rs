//! The state map: what sources must remember across a restart. Changes come inside groups of the write-ahead log; a snapshot holds all of it
//! up to one group, so that older files of the log can go.

mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_base::disk::SharedDisk;
use weir_base::hash::MixState;
use weir_base::task::lock;
use weir_record::sink::StatePut;
use weir_record::stored::FormatError;
use weir_record::stored::state::{self as codec, StateEntry};

use crate::keyring::{Keyring, KeyringError};
use crate::limits::{SNAPSHOT_AGE_MS, SNAPSHOT_CHANGE_BYTES, STATE_ENTRY_BYTES, STATE_OWNER_BYTES, STATE_TOTAL_BYTES};

/// The folder of snapshots in the data folder.
pub const FOLDER: &str = "state";

/// How large the state may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLimits {
    /// Bytes of one owner.
    pub owner_bytes: u64,
    /// Bytes of all owners.
    pub total_bytes: u64,
}

impl Default for StateLimits {
    fn default() -> StateLimits {
        StateLimits { owner_bytes: STATE_OWNER_BYTES, total_bytes: STATE_TOTAL_BYTES }
    }
}

/// Why the state map did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A change would break a limit. Nothing changed.
    #[error("the state of {owner} would take {bytes} bytes, at most {most} are allowed: it must forget something first")]
    Full {
        /// Whose state, or `all owners`.
        owner: String,
        /// Bytes it would take.
        bytes: u64,
        /// Bytes it may take.
        most: u64,
    },
    /// A name, key or value is too long.
    #[error("a state change is refused: {0}")]
    Refused(#[from] FormatError),
    /// The newest snapshot cannot be used.
    #[error("{path} is damaged ({why}): restore it; if you move it away, sources begin without what they remembered")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A snapshot is there but its key is not, and that cannot be an unfinished removal.
    #[error("the keyring has no key for state snapshot {0}: the keyring is older than the snapshot; put the right `keyring` back")]
    KeyMissing(u64),
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The disk failed, or is full.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// The disk's error.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.display().to_string();
    move |source| StateError::Io { path, source }
}

type Entries = HashMap<Arc<[u8]>, Arc<[u8]>, MixState>;

/// Entries in the order of their keys.
fn in_order(entries: &Entries) -> impl Iterator<Item = (&Arc<[u8]>, &Arc<[u8]>)> {
    let mut all: Vec<_> = entries.iter().collect();
    all.sort_unstable_by_key(|(key, _)| *key);
    all.into_iter()
}

/// One owner's entries. Shared with a snapshot that is being written; a change meanwhile copies the map, not the values.
#[derive(Clone, Debug, Default)]
struct Owner {
    entries: Arc<Entries>,
    bytes: u64,
}

fn cost(key: usize, value: usize) -> u64 {
    key as u64 + value as u64 + STATE_ENTRY_BYTES
}

impl Owner {
    fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let entries = Arc::make_mut(&mut self.entries);
        let old = match value {
            Some(value) => {
                self.bytes += cost(key.len(), value.len());
                match entries.get_mut(key) {
                    Some(slot) => Some(std::mem::replace(slot, value.into())),
                    None => entries.insert(key.into(), value.into()),
                }
            }
            None => entries.remove(key),
        };
        self.bytes -= old.map_or(0, |old| cost(key.len(), old.len()));
    }
}

#[derive(Clone, Debug, Default)]
struct Inner {
    owners: BTreeMap<String, Owner>,
    /// Highest group whose changes are in the map.
    applied: u64,
    /// First group with changes that are in no durable snapshot.
    first_change: Option<u64>,
    /// The same of the snapshot that is being written: not durable either until it is.
    in_flight: Option<u64>,
    /// Bytes of the changes since the last snapshot was begun.
    changed: u64,
    /// Bytes of the newest durable snapshot.
    snapshot_bytes: u64,
    /// When the newest snapshot was made, or the map opened.
    snapshot_at: Duration,
    next_number: u64,
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.owners.values().map(|owner| owner.bytes).sum()
    }
}

/// The state map. All methods may be called from several threads.
pub struct StateMap {
    disk: SharedDisk,
    keyring: Arc<Keyring>,
    limits: StateLimits,
    inner: Mutex<Inner>,
    writing: Mutex<()>,
}

impl StateMap {
    /// Opens the newest snapshot. The caller then applies the groups after [`StateMap::applied`] from the write-ahead log. `now` is monotonic.
    pub fn open(disk: &SharedDisk, keyring: &Arc<Keyring>, limits: StateLimits, now: Duration) -> Result<StateMap, StateError> {
        let mut inner = snapshot::open(disk, keyring)?;
        inner.snapshot_at = now;
        let (disk, keyring) = (Arc::clone(disk), Arc::clone(keyring));
        Ok(StateMap { disk, keyring, limits, inner: Mutex::new(inner), writing: Mutex::new(()) })
    }

    /// Says whether these changes of one owner keep the limits. Ask before the group is written: what is durable must apply.
    pub fn check(&self, owner: &str, puts: &[StatePut]) -> Result<(), StateError> {
        let mut most = 0;
        for put in puts {
            let value = put.value.as_deref().unwrap_or_default();
            codec::check(&StateEntry { owner, key: &put.key, value })?;
            most += cost(put.key.len(), value.len());
        }
        let inner = lock(&self.inner);
        let there = inner.owners.get(owner);
        let now = there.map_or(0, |owner| owner.bytes);
        if now + most <= self.limits.owner_bytes && inner.bytes() + most <= self.limits.total_bytes {
            // It fits even if nothing of it takes the place of anything.
            return Ok(());
        }
        // The last change of a key counts.
        let mut last: HashMap<&[u8], Option<usize>, MixState> = HashMap::with_capacity_and_hasher(puts.len(), MixState::default());
        for put in puts {
            last.insert(&put.key, put.value.as_ref().map(Vec::len));
        }
        let (mut more, mut less) = (0, 0);
        for (key, value) in last {
            more += value.map_or(0, |len| cost(key.len(), len));
            less += there.and_then(|owner| owner.entries.get(key)).map_or(0, |old| cost(key.len(), old.len()));
        }
        for (name, is, most) in [(owner, now, self.limits.owner_bytes), ("all owners", inner.bytes(), self.limits.total_bytes)] {
            let bytes = (is + more).saturating_sub(less);
            if more > less && bytes > most {
                return Err(StateError::Full { owner: name.to_owned(), bytes, most });
            }
        }
        Ok(())
    }

    /// Applies the changes of a durable group. Groups come in order; one that is in the map already is passed over.
    pub fn apply(&self, group: u64, owner: &str, puts: &[StatePut]) {
        self.apply_all(group, puts.iter().map(|put| (owner, put)));
    }

    /// As [`StateMap::apply`], for a group that changes the state of several owners.
    pub fn apply_all<'p>(&self, group: u64, puts: impl Iterator<Item = (&'p str, &'p StatePut)>) {
        let mut inner = lock(&self.inner);
        if group <= inner.applied {
            return;
        }
        inner.applied = group;
        for (owner, put) in puts {
            inner.first_change.get_or_insert(group);
            inner.changed += cost(put.key.len(), put.value.as_ref().map_or(0, Vec::len));
            if !inner.owners.contains_key(owner) {
                inner.owners.insert(owner.to_owned(), Owner::default());
            }
            if let Some(owner) = inner.owners.get_mut(owner) {
                owner.put(&put.key, put.value.as_deref());
            }
        }
    }

    /// What an owner has, in key order.
    pub fn get(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let entries = lock(&self.inner).owners.get(owner).map(|owner| Arc::clone(&owner.entries)).unwrap_or_default();
        in_order(&entries).map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
    }

    /// Bytes the map takes by its own count.
    pub fn bytes(&self) -> u64 {
        lock(&self.inner).bytes()
    }

    /// Highest group whose changes are in the map.
    pub fn applied(&self) -> u64 {
        lock(&self.inner).applied
    }

    /// Highest group up to which the write-ahead log is not needed for the state any more.
    pub fn durable_through(&self) -> u64 {
        let inner = lock(&self.inner);
        inner.in_flight.or(inner.first_change).map_or(inner.applied, |group| group - 1)
    }

    /// True when a snapshot should be written: much has changed, or something changed long ago. `now` is monotonic.
    pub fn is_due(&self, now: Duration) -> bool {
        let inner = lock(&self.inner);
        let old = now.saturating_sub(inner.snapshot_at) >= Duration::from_millis(SNAPSHOT_AGE_MS);
        inner.first_change.is_some() && (old || inner.changed > SNAPSHOT_CHANGE_BYTES.max(inner.snapshot_bytes))
    }

    /// Writes a snapshot of the map as it is now, then removes older ones and destroys their keys. Does nothing when nothing changed since the
    /// last. Changes go on meanwhile. `now` is monotonic.
    pub fn snapshot(&self, now: Duration) -> Result<(), StateError> {
        let _one_at_a_time = lock(&self.writing);
        let frozen = {
            let mut inner = lock(&self.inner);
            if inner.first_change.is_none() {
                return Ok(());
            }
            let frozen = inner.clone();
            (inner.in_flight, inner.changed) = (inner.first_change.take(), 0);
            frozen
        };
        let written = snapshot::write(&self.disk, &self.keyring, &frozen);
        let mut inner = lock(&self.inner);
        inner.in_flight = None;
        match written {
            Ok(bytes) => {
                (inner.snapshot_bytes, inner.snapshot_at) = (bytes, now);
                inner.next_number = frozen.next_number + 1;
            }
            Err(error) => {
                inner.first_change = frozen.first_change;
                inner.changed += frozen.changed;
                return Err(error);
            }
        }
        drop(inner);
        snapshot::remove_older(&self.disk, &self.keyring, frozen.next_number)
    }
}
