//! The blind index in memory.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Mutex;

use weir_base::crypto::{Mac, Secret};
use weir_base::hash::MixState;
use weir_base::task::lock;
use weir_base::time::{Day, Millis};
use weir_record::Id;
use weir_record::kinds::{Binding, IdType};
use weir_record::sink::{Resolved, StatePut, SubjectIds};

use crate::entry::{self, Entry, Index, StateError};
use crate::limits::{ENTRIES_MAX, INDEX_BYTES};

/// The key of the blind index is derived from the identity secret with this context.
const KEY_INFO: &[u8] = b"weir identity blind index v1";

/// Stands where the blind index has the type of a value, and is none.
const DIGEST: u8 = 0xff;

/// Account → opaque id. Shared by all sources.
pub struct Identity {
    mac: Mac,
    limit: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<Index, Entry, MixState>,
    unremembered: u64,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("entries", &self.len()).field("unremembered", &self.unremembered()).finish_non_exhaustive()
    }
}

impl Identity {
    /// An index under `secret`, filled with the entries that [`Identity::puts_for`] once made. An entry told twice counts with its later
    /// day.
    ///
    /// # Errors
    /// [`StateError`] when an entry is not understood or there are more than [`ENTRIES_MAX`].
    pub fn open(secret: &Secret, state: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Identity, StateError> {
        Identity::open_limited(secret, state, ENTRIES_MAX)
    }

    /// As [`Identity::open`] with another limit of entries.
    pub fn open_limited(
        secret: &Secret,
        state: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        limit: usize,
    ) -> Result<Identity, StateError> {
        let mut table = Table::default();
        for (key, value) in state {
            let (index, new) = (entry::decode_key(&key)?, entry::decode(&value)?);
            let kept = table.entries.entry(index).or_insert(new);
            if new.bound > kept.bound {
                *kept = new;
            }
            if table.entries.len() > limit {
                return Err(StateError::Full);
            }
        }
        Ok(Identity { mac: Mac::new(&secret.derive(KEY_INFO)), limit, table: Mutex::new(table) })
    }

    /// Values whose id is remembered.
    pub fn len(&self) -> usize {
        lock(&self.table).entries.len()
    }

    /// True when no value has an id yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Times an id was given out and not remembered, because the index was full. Anything but 0 is a reason to say that it is degraded.
    pub fn unremembered(&self) -> u64 {
        lock(&self.table).unremembered
    }

    /// The index entries of these bindings: they must become durable in the very group that carries the bindings. Bindings of ids that
    /// are not remembered have none.
    pub fn puts_for(&self, bindings: &[Binding]) -> Vec<StatePut> {
        let indexes: Vec<Index> = bindings.iter().map(|b| self.index(b.realm, b.id_type, &b.value)).collect();
        let table = lock(&self.table);
        let mut last = HashMap::<Index, (usize, Day)>::with_capacity(indexes.len());
        for (at, (index, binding)) in indexes.iter().zip(bindings).enumerate() {
            let Some(known) = table.entries.get(index).filter(|e| e.id == binding.id) else { continue };
            // A binding told twice, or an older one that comes late, must not turn the day back.
            let day = binding.time.day().max(known.bound.unwrap_or(binding.time.day()));
            let slot = last.entry(*index).or_insert((at, day));
            if day > slot.1 {
                *slot = (at, day);
            }
        }
        let mut puts: Vec<(usize, StatePut)> = last
            .into_iter()
            .filter_map(|(index, (at, day))| {
                let known = table.entries.get(&index)?;
                Some((at, StatePut { key: index.to_vec(), value: Some(entry::encode(known.id, known.since, day)) }))
            })
            .collect();
        puts.sort_by_key(|(at, _)| *at);
        puts.into_iter().map(|(_, put)| put).collect()
    }

    /// A group that carried these bindings, and their index entries, is durable. Only now are they no longer repeated.
    pub fn confirm(&self, bindings: &[Binding]) {
        let indexes: Vec<Index> = bindings.iter().map(|b| self.index(b.realm, b.id_type, &b.value)).collect();
        let mut table = lock(&self.table);
        for (index, binding) in indexes.iter().zip(bindings) {
            if let Some(entry) = table.entries.get_mut(index).filter(|e| e.id == binding.id) {
                entry.bound = entry.bound.max(Some(binding.time.day()));
            }
        }
    }

    /// Forgets ids whose last record is erased, and gives the removals, under the keys of [`Identity::puts_for`]. A value gets a new id
    /// when it comes again. The caller commits the removals; until they are durable a restart brings the entries back, and forgetting
    /// again is harmless.
    pub fn forget(&self, ids: &[Id]) -> Vec<StatePut> {
        let ids: HashSet<Id> = ids.iter().copied().collect();
        let mut table = lock(&self.table);
        let mut gone: Vec<Index> = table.entries.iter().filter(|(_, e)| ids.contains(&e.id)).map(|(index, _)| *index).collect();
        gone.sort_unstable();
        for index in &gone {
            table.entries.remove(index);
        }
        gone.into_iter().map(|index| StatePut { key: index.to_vec(), value: None }).collect()
    }

    /// Realm and type have a fixed length and stand before the value, so that no two inputs give the same bytes.
    fn index(&self, realm: u32, id_type: u8, value: &str) -> Index {
        let digest = self.mac.of(&[&realm.to_be_bytes(), &[id_type], value.as_bytes()]);
        let mut out = [0; INDEX_BYTES];
        out.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        out
    }
}

impl SubjectIds for Identity {
    /// A binding comes with the id until [`Identity::confirm`] was told of one of this UTC+8 day or a later one. A clock that steps back
    /// makes no binding for the older day: the newer day's outlives the older day's records.
    fn resolve(&self, realm: u32, id_type: IdType, value: &str, now: Millis) -> Resolved {
        let index = self.index(realm, id_type as u8, value);
        let mut table = lock(&self.table);
        let fresh = || Entry { id: Id::random(), since: now, bound: None };
        let entry = match table.entries.get(&index) {
            Some(entry) => *entry,
            None if table.entries.len() < self.limit => *table.entries.entry(index).or_insert_with(fresh),
            None => {
                table.unremembered += 1;
                fresh()
            }
        };
        drop(table);
        let due = entry.bound.is_none_or(|day| day < now.day());
        let binding = || Binding { time: now, id: entry.id, realm, id_type: id_type as u8, value: value.to_owned(), since: entry.since };
        Resolved { id: entry.id, binding: due.then(binding) }
    }

    fn digest(&self, realm: u32, value: &[u8]) -> Id {
        let digest = self.mac.of(&[&realm.to_be_bytes(), &[DIGEST], value]);
        Id(digest.first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
