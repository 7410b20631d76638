//! Mappings whose open row is sealed and whose end is not: the open table. And the ends whose beginning has not come (yet): orphans.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::Form;

use crate::limits::{ORPHAN_MS, ORPHAN_MS_MIN, TOLD_MS};
use crate::nat::mapping::{Mapping, Remote, RowRef};
use crate::spankey::EndKey;
use weir_base::hash::MixState;

/// One open mapping and the row that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The mapping, without an end.
    pub mapping: Mapping,
    /// Its open row.
    pub row: RowRef,
}

/// An open mapping as it is kept: millions of them are open in a large network. Its public address is where it is found.
#[derive(Clone, Debug)]
struct Held {
    inside: Addr16,
    /// [`NO_START`] where its beginning was not seen.
    start: Millis,
    entry: u64,
    row: u32,
    source: u32,
    first: u16,
    last: u16,
    inside_port: u16,
    form: Form,
    protocol: u8,
    flags: u8,
    remote: Option<Box<Remote>>,
}

/// A time that no mapping began at, instead of one that is not known: of eight bytes in each of millions.
const NO_START: Millis = Millis(i64::MIN);

impl Held {
    fn of(open: &Open) -> Held {
        let m = &open.mapping;
        Held {
            inside: m.inside,
            start: m.start.unwrap_or(NO_START),
            entry: open.row.entry,
            row: open.row.row,
            source: m.source,
            first: m.first,
            last: m.last,
            inside_port: m.inside_port,
            form: m.form,
            protocol: m.protocol,
            flags: m.flags,
            remote: (m.remote != Remote::default()).then(|| Box::new(m.remote)),
        }
    }

    fn open(&self, public: Addr16) -> Open {
        let mapping = Mapping {
            form: self.form,
            protocol: self.protocol,
            source: self.source,
            public,
            first: self.first,
            last: self.last,
            inside: self.inside,
            inside_port: self.inside_port,
            remote: self.remote.as_deref().copied().unwrap_or_default(),
            start: Some(self.start).filter(|start| *start != NO_START),
            end: None,
            flags: self.flags,
        };
        Open { mapping, row: RowRef { entry: self.entry, row: self.row } }
    }
}

/// What stands under one key: nearly always one mapping.
#[derive(Clone, Debug)]
enum Slot {
    One(Held),
    More(Vec<Held>),
}

impl Slot {
    fn all(&self) -> &[Held] {
        match self {
            Slot::One(held) => std::slice::from_ref(held),
            Slot::More(list) => list,
        }
    }
}

// Millions of them: each byte counts.
const _: () = assert!(size_of::<(u32, Slot)>() <= 72);

/// The open mappings of one public address, by the rest of their first key. Sealing goes from address to address, so it works in one of these
/// at a time, and that fits into a processor's cache.
type OfAddress = HashMap<u32, Slot, MixState>;

/// All open mappings, found by the first of their keys.
#[derive(Clone, Debug, Default)]
pub struct OpenTable {
    by_address: HashMap<Addr16, OfAddress, MixState>,
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
        let Some(first) = open.mapping.first_key() else { return };
        let (address, rest) = first.parts();
        let slots = self.by_address.entry(address).or_default();
        let held = Held::of(&open);
        match slots.entry(rest) {
            Entry::Vacant(slot) => {
                slot.insert(Slot::One(held));
            }
            Entry::Occupied(mut slot) => match slot.get_mut() {
                Slot::More(list) => list.push(held),
                Slot::One(one) => {
                    let one = one.clone();
                    slot.insert(Slot::More(vec![one, held]));
                }
            },
        }
        if !open.mapping.is_exact() {
            for key in open.mapping.keys().into_iter().skip(1) {
                let firsts = self.more_keys.entry(key).or_default();
                if !firsts.contains(&first) {
                    firsts.push(first);
                }
            }
        }
        self.len += 1;
    }

    /// Takes the mapping out that this one ends: the same ends, exporter and beginning.
    pub fn remove(&mut self, ended: &Mapping) -> Option<Open> {
        let first = ended.first_key()?;
        let (address, rest) = first.parts();
        let slots = self.by_address.get_mut(&address)?;
        let slot = slots.get_mut(&rest)?;
        let at = slot.all().iter().position(|h| {
            let open = h.open(address).mapping;
            (open.form, open.protocol, open.source, open.first, open.last, open.inside, open.inside_port, open.remote, open.start)
                == (
                    ended.form,
                    ended.protocol,
                    ended.source,
                    ended.first,
                    ended.last,
                    ended.inside,
                    ended.inside_port,
                    ended.remote,
                    ended.start,
                )
        })?;
        let held = match slot {
            Slot::More(list) if list.len() > 1 => Some(list.swap_remove(at)),
            _ => None,
        };
        let held = match held {
            Some(held) => held,
            None => {
                let gone = match slots.remove(&rest)? {
                    Slot::One(held) => held,
                    Slot::More(mut list) => list.pop()?,
                };
                if slots.is_empty() {
                    self.by_address.remove(&address);
                }
                self.forget_more(&first, ended);
                gone
            }
        };
        self.len -= 1;
        Some(held.open(address))
    }

    fn forget_more(&mut self, first: &EndKey, mapping: &Mapping) {
        if mapping.is_exact() {
            return;
        }
        for more in mapping.keys().iter().skip(1) {
            if let Some(firsts) = self.more_keys.get_mut(more) {
                firsts.retain(|k| k != first);
                if firsts.is_empty() {
                    self.more_keys.remove(more);
                }
            }
        }
    }

    /// Open mappings stored under exactly this first key.
    pub fn at<'a>(&'a self, key: &EndKey) -> impl Iterator<Item = Open> + use<'a> {
        let (address, rest) = key.parts();
        let slot = self.by_address.get(&address).and_then(|slots| slots.get(&rest));
        slot.map_or(&[][..], Slot::all).iter().map(move |h| h.open(address))
    }

    /// The open mappings of one address, for many questions about it.
    pub fn of_address(&self, address: Addr16) -> OpenOf<'_> {
        OpenOf { address, slots: self.by_address.get(&address) }
    }

    /// Open mappings that any of these keys finds.
    pub fn find(&self, keys: &[EndKey]) -> Vec<Open> {
        let mut firsts: Vec<EndKey> = keys.to_vec();
        firsts.extend(keys.iter().filter_map(|k| self.more_keys.get(k)).flatten());
        firsts.sort_unstable();
        firsts.dedup();
        firsts.iter().flat_map(|k| self.at(k)).collect()
    }

    /// All open mappings with the rest of their first key, by address and key. Of all of them together only the addresses are put in order.
    pub fn in_order(&self) -> impl Iterator<Item = (u32, Open)> {
        let mut addresses: Vec<Addr16> = self.by_address.keys().copied().collect();
        addresses.sort_unstable();
        addresses.into_iter().flat_map(move |address| {
            let slots = self.by_address.get(&address).into_iter().flatten();
            let mut slots: Vec<(u32, &Slot)> = slots.map(|(rest, slot)| (*rest, slot)).collect();
            slots.sort_unstable_by_key(|(rest, _)| *rest);
            slots.into_iter().flat_map(move |(rest, slot)| slot.all().iter().map(move |held| (rest, held.open(address))))
        })
    }
}

/// See [`OpenTable::of_address`].
#[derive(Clone, Copy)]
pub struct OpenOf<'a> {
    address: Addr16,
    slots: Option<&'a OfAddress>,
}

impl<'a> OpenOf<'a> {
    /// Open mappings stored under exactly this first key, which is of this address.
    pub fn at(&self, key: &EndKey) -> impl Iterator<Item = Open> + use<'a> {
        let (slot, address) = (self.slots.and_then(|slots| slots.get(&key.parts().1)), self.address);
        slot.map_or(&[][..], Slot::all).iter().map(move |h| h.open(address))
    }
}

/// Ends seen without a creation, kept for a while because datagrams overtake each other. Some told when they began: a creation that comes after all adds nothing.
#[derive(Clone, Debug, Default)]
pub struct Orphans {
    by_key: HashMap<EndKey, Vec<Waiting>, MixState>,
    len: usize,
    /// Keys of those that go.
    leaving: Vec<EndKey>,
    /// How many may wait; none: as many as come.
    most: Option<usize>,
}

/// An end that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    mapping: Mapping,
    /// When it was seen.
    seen: Millis,
    /// Its beginning is found: it goes with [`Orphans::let_go`].
    leaves: bool,
}

impl Orphans {
    /// At most so many wait: with more, all wait a shorter time. Where more than half of what a device says is lost, ends without a beginning come by the hundred thousand.
    pub fn limit(&mut self, most: usize) {
        self.most = Some(most);
    }

    /// Those of some keys alone.
    #[must_use]
    pub fn of(&self, keys: impl Iterator<Item = EndKey>) -> Orphans {
        let mut some = Orphans::default();
        if !self.is_empty() {
            // Each key once: many events are of one.
            let keys: BTreeSet<EndKey> = keys.collect();
            some.by_key = keys.into_iter().filter_map(|key| Some((key, self.by_key.get(&key)?.clone()))).collect();
            some.len = some.by_key.values().map(Vec::len).sum();
        }
        some
    }

    /// Ends that wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when none waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The latest of the ends.
    pub fn latest(&self) -> Option<Millis> {
        self.by_key.values().flatten().filter(|w| !w.leaves).filter_map(|w| w.mapping.end).max()
    }

    /// True if an end of this key waits.
    pub fn has(&self, key: &EndKey) -> bool {
        !self.by_key.is_empty() && self.by_key.contains_key(key)
    }

    /// Remembers an end, seen at `now`.
    pub fn insert(&mut self, mapping: Mapping, now: Millis) {
        if let Some(key) = mapping.first_key() {
            // Nearly always the only one.
            self.by_key.entry(key).or_insert_with(|| Vec::with_capacity(1)).push(Waiting { mapping, seen: now, leaves: false });
            self.len += 1;
        }
    }

    /// The end that belongs to a mapping opened at `open`, if one has come before it.
    pub fn matching(&self, open: &Mapping) -> Option<Mapping> {
        if self.by_key.is_empty() {
            return None;
        }
        let list = self.by_key.get(&open.first_key()?)?;
        list.iter().map(|w| w.mapping).filter(|m| joins(open, m)).min_by_key(|m| m.end)
    }

    /// True if just this was told already: an end that came twice.
    pub fn holds(&self, told: &Mapping) -> bool {
        !self.by_key.is_empty()
            && told.first_key().and_then(|key| self.by_key.get(&key)).is_some_and(|list| list.iter().any(|w| w.mapping == *told))
    }

    /// An end found its beginning, and goes with [`Orphans::let_go`]: as long as the events that say so are at hand, whoever pairs them needs it.
    pub fn leave(&mut self, open: &Mapping) {
        if self.by_key.is_empty() {
            return;
        }
        let Some((key, list)) = open.first_key().and_then(|key| Some((key, self.by_key.get_mut(&key)?))) else { return };
        let found = list.iter().filter(|w| !w.leaves && joins(open, &w.mapping)).min_by_key(|w| w.mapping.end).map(|w| w.mapping);
        if let Some(found) = found {
            list.iter_mut().filter(|w| w.mapping == found).for_each(|w| w.leaves = true);
            self.leaving.push(key);
        }
    }

    /// Forgets the ends that found their beginnings.
    pub fn let_go(&mut self) {
        for key in std::mem::take(&mut self.leaving) {
            let Some(list) = self.by_key.get_mut(&key) else { continue };
            let before = list.len();
            list.retain(|w| !w.leaves);
            self.len -= before - list.len();
            if list.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// All of them and when they were seen, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (Mapping, Millis)> {
        self.by_key.values().flatten().map(|w| (w.mapping, w.seen))
    }

    /// Forgets what is too old to be overtaken.
    pub fn expire(&mut self, now: Millis) {
        let mut wait = ORPHAN_MS;
        loop {
            self.forget(|seen| now.since(seen) >= wait);
            if self.most.is_none_or(|most| self.len <= most) || wait <= ORPHAN_MS_MIN {
                return;
            }
            wait /= 2;
        }
    }

    fn forget(&mut self, old: impl Fn(Millis) -> bool) {
        self.by_key.retain(|_, list| {
            list.retain(|w| !old(w.seen));
            !list.is_empty()
        });
        self.len = self.by_key.values().map(Vec::len).sum();
        if self.by_key.capacity() > 4 * self.by_key.len() {
            self.by_key.shrink_to_fit();
        }
    }
}

fn joins(open: &Mapping, end: &Mapping) -> bool {
    let same = (open.source, open.form, open.protocol, open.first, open.last, open.inside, open.inside_port, open.remote)
        == (end.source, end.form, end.protocol, end.first, end.last, end.inside, end.inside_port, end.remote);
    let (Some(start), Some(stop)) = (open.start, end.end) else { return false };
    let near = match end.start {
        Some(told) => start.plus(TOLD_MS) >= told,
        None => stop.since(start) < ORPHAN_MS,
    };
    same && stop >= start && near
}
