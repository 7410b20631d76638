//! Mappings whose open row is sealed and whose end is not: the open table. And the ends whose beginning has not come (yet): orphans.

use std::collections::HashMap;

use weir_base::time::Millis;

use crate::limits::ORPHAN_MS;
use crate::nat::mapping::{Mapping, RowRef};
use crate::spankey::EndKey;

/// One open mapping and the row that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The mapping, without an end.
    pub mapping: Mapping,
    /// Its open row.
    pub row: RowRef,
}

/// All open mappings, found by the first of their keys.
#[derive(Clone, Debug, Default)]
pub struct OpenTable {
    by_key: HashMap<EndKey, Vec<Open>>,
    /// For mappings with several keys (port blocks): every further key, and the first one.
    more_keys: HashMap<EndKey, Vec<EndKey>>,
    len: usize,
}

impl OpenTable {
    /// Open mappings.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when nothing is open.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a mapping.
    pub fn insert(&mut self, open: Open) {
        let keys = open.mapping.keys();
        let Some((first, more)) = keys.split_first() else { return };
        self.by_key.entry(*first).or_default().push(open);
        for key in more {
            let firsts = self.more_keys.entry(*key).or_default();
            if !firsts.contains(first) {
                firsts.push(*first);
            }
        }
        self.len += 1;
    }

    /// Takes the mapping of this open row out.
    pub fn remove(&mut self, key: &EndKey, row: RowRef) -> Option<Open> {
        let list = self.by_key.get_mut(key)?;
        let at = list.iter().position(|o| o.row == row)?;
        let open = list.swap_remove(at);
        if list.is_empty() {
            self.by_key.remove(key);
            for more in open.mapping.keys().iter().skip(1) {
                if let Some(firsts) = self.more_keys.get_mut(more) {
                    firsts.retain(|k| k != key);
                    if firsts.is_empty() {
                        self.more_keys.remove(more);
                    }
                }
            }
        }
        self.len -= 1;
        Some(open)
    }

    /// Open mappings stored under exactly this first key.
    pub fn at(&self, key: &EndKey) -> &[Open] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// Open mappings that any of these keys finds.
    pub fn find(&self, keys: &[EndKey]) -> Vec<Open> {
        let mut firsts: Vec<EndKey> = keys.to_vec();
        firsts.extend(keys.iter().filter_map(|k| self.more_keys.get(k)).flatten());
        firsts.sort_unstable();
        firsts.dedup();
        firsts.iter().flat_map(|k| self.at(k)).copied().collect()
    }

    /// All open mappings, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Open> {
        self.by_key.values().flatten()
    }
}

/// Ends seen without a beginning, kept for a while because datagrams overtake each other.
#[derive(Clone, Debug, Default)]
pub struct Orphans {
    by_key: HashMap<EndKey, Vec<(Mapping, Millis)>>,
}

impl Orphans {
    /// Remembers an end, seen at `now`.
    pub fn insert(&mut self, mapping: Mapping, now: Millis) {
        if let Some(key) = mapping.keys().first() {
            self.by_key.entry(*key).or_default().push((mapping, now));
        }
    }

    /// The end that belongs to a mapping opened at `open`, if one has come before it.
    pub fn matching(&self, open: &Mapping) -> Option<Mapping> {
        let key = open.keys().first().copied()?;
        let list = self.by_key.get(&key)?;
        list.iter().map(|(m, _)| *m).filter(|m| joins(open, m)).min_by_key(|m| m.end)
    }

    /// Forgets an end that found its beginning.
    pub fn remove(&mut self, open: &Mapping) {
        let Some(key) = open.keys().first().copied() else { return };
        let Some(found) = self.matching(open) else { return };
        if let Some(list) = self.by_key.get_mut(&key) {
            list.retain(|(m, _)| *m != found);
        }
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &(Mapping, Millis)> {
        self.by_key.values().flatten()
    }

    /// Forgets what is too old to be overtaken.
    pub fn expire(&mut self, now: Millis) {
        self.by_key.retain(|_, list| {
            list.retain(|(_, seen)| now.since(*seen) < ORPHAN_MS);
            !list.is_empty()
        });
    }
}

fn joins(open: &Mapping, end: &Mapping) -> bool {
    let same = (open.source, open.form, open.protocol, open.first, open.last, open.inside, open.inside_port, open.remote)
        == (end.source, end.form, end.protocol, end.first, end.last, end.inside, end.inside_port, end.remote);
    let (Some(start), Some(stop)) = (open.start, end.end) else { return false };
    same && stop >= start && stop.since(start) < ORPHAN_MS
}
