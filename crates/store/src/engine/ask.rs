//! Look-up of one kind: who held a public end, which session held an address. A bounded number of pages whatever the history.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use weir_base::net::{Addr16, Prefix};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::flags;

use super::{Store, StoreError};
use crate::catalog::{RunMeta, UnitMeta};
use crate::fence::{UnitLookup, Wanted};
use crate::gaps::KnownGap;
use crate::index::Planned;
use crate::limits::{BEGINNINGS_ASKED, REACH_MS};
use crate::nat::event::Event;
use crate::nat::mapping::Mapping;
use crate::nat::open::{Open, OpenTable, Orphans};
use crate::nat::pair::{Context, pair};
use crate::session::known::{Known, step};
use crate::session::merge::merge;
use crate::session::span::SessionSpan;
use crate::shelf::Shelf;
use crate::spankey::EndKey;
use crate::table::{Stats, TableError};

/// What memory says about one public end, and what must be read from disk.
struct Recall {
    events: Vec<Event>,
    open: Vec<Open>,
    /// Of those that wait, the ends of what the events are about.
    orphans: Orphans,
    /// A unit may be going over into the index.
    publishing: bool,
    stored: Vec<crate::index::Stored>,
    runs: Vec<Arc<RunMeta>>,
    units: Vec<UnitMeta>,
}

/// Public address, first port, protocol.
type Port = (Addr16, u16, u8);

impl Store {
    /// Every mapping of this public end that may overlap `from..=to` by the exporters' own clocks, from all exporters, and what was read.
    pub fn mappings(
        &self,
        public: Addr16,
        port: Option<u16>,
        protocol: Option<u8>,
        from: Millis,
        to: Millis,
    ) -> Result<(Vec<Mapping>, Stats), StoreError> {
        self.mappings_with(&Shelf::default(), public, port, protocol, (from, to))
    }

    /// The same with what is at hand from questions before.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn mappings_with(
        &self,
        shelf: &Shelf,
        public: Addr16,
        port: Option<u16>,
        protocol: Option<u8>,
        (from, to): (Millis, Millis),
    ) -> Result<(Vec<Mapping>, Stats), StoreError> {
        shelf.tidy();
        let mut stats = Stats::default();
        let (mut found, publishing) = self.overlapping(shelf, (public, port, protocol), (from, to), &mut stats)?;
        // Without a unit on its way, an end within what is asked about is what it seems, or the whole was found beside it.
        let unsure = |m: &Mapping| is_inferred(m) && m.end.is_some_and(|end| publishing || end > to);
        if found.iter().any(unsure) {
            self.look_for_beginnings(&mut found, &unsure, shelf, (from, to), &mut stats);
        }
        Ok((found, stats))
    }

    /// What memory, index and units say, each mapping once; and whether a unit may have been going over into the index.
    fn overlapping(
        &self,
        shelf: &Shelf,
        (public, port, protocol): (Addr16, Option<u16>, Option<u8>),
        (from, to): (Millis, Millis),
        stats: &mut Stats,
    ) -> Result<(Vec<Mapping>, bool), StoreError> {
        let keys = EndKey::questions(public, port, protocol);
        let mut tries = 0;
        loop {
            if tries > 0 {
                // While units move they lie nowhere.
                drop(lock(&self.moving));
            }
            let recall = self.recall((public, port), &keys, from, to)?;
            match self.read_mappings(&recall, shelf, ((public, port), &keys), (from, to), stats) {
                Ok(mut all) => {
                    all.extend(self.pair_live(&recall));
                    all.retain(|m| m.public == public && m.covers(port, protocol) && overlaps(m, from, to));
                    return Ok((distinct(all), recall.publishing));
                }
                // A file went because runs were merged or units repacked since memory was asked: ask again.
                Err(StoreError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound && tries < 3 => tries += 1,
                Err(StoreError::Table(e)) if e.is_not_found() && tries < 3 => tries += 1,
                Err(e) => return Err(e),
            }
        }
    }

    fn recall(&self, (public, port): (Addr16, Option<u16>), keys: &[EndKey], from: Millis, to: Millis) -> Result<Recall, TableError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut events = Vec::new();
        for generation in live.sealing.as_deref().into_iter().chain([&live.current]) {
            events.extend(generation.nat.at(public, port, keys));
        }
        let Planned { stored, runs, .. } = index.spans.plan(keys, from, to).checked()?;
        let orphans = index.orphans.of(events.iter().filter_map(|e| Mapping::opened(e).first_key()));
        let open = index.open.find(keys);
        Ok(Recall { events, open, orphans, publishing: live.sealing.is_some(), stored, runs, units: sealed.nat_units(from, to) })
    }

    fn read_mappings(
        &self,
        recall: &Recall,
        shelf: &Shelf,
        ((public, port), keys): ((Addr16, Option<u16>), &[EndKey]),
        (from, to): (Millis, Millis),
        stats: &mut Stats,
    ) -> Result<Vec<Mapping>, StoreError> {
        let mut found: Vec<Mapping> = recall.stored.iter().filter_map(|s| Mapping::decode(&s.payload)).collect();
        let stored = self.files.read_runs(&recall.runs, shelf, keys, (from, to), stats)?;
        found.extend(stored.iter().filter_map(|s| Mapping::decode(&s.payload)));
        if let Some(port) = port {
            for unit in &recall.units {
                let Some(key) = shelf.key_id(unit.kind, unit.day).and_then(|id| self.keyring.get(&id)) else { continue };
                let (lookup, wanted) = (UnitLookup { files: &self.files, key, unit }, Wanted { addr: public, port, from, to });
                let rows = self.rows_in(&lookup, wanted, shelf, stats)?;
                found.extend(rows);
            }
        }
        Ok(found)
    }

    /// An end may have come before its beginning, or twice, and then tells less than is known. And while a unit goes over into the index, an end may still be among the events when what it ended is no longer among what is open: then it seems to have no
    /// beginning, and to have held the port at any moment before. Asked about the moment of the end, the unit or the index tells the whole mapping, which takes
    /// its place.
    fn look_for_beginnings(
        &self,
        found: &mut Vec<Mapping>,
        unsure: &dyn Fn(&Mapping) -> bool,
        shelf: &Shelf,
        (from, to): (Millis, Millis),
        stats: &mut Stats,
    ) {
        let ends = found.iter().filter(|m| unsure(m)).filter_map(|m| Some(((m.public, m.first, m.protocol), m.end?)));
        let ends: BTreeSet<_> = ends.collect();
        let mut asked: Vec<(Port, (Millis, Millis))> = Vec::new();
        for (port, end) in ends {
            match asked.last_mut() {
                Some((last, span)) if *last == port && end.since(span.0) <= REACH_MS => span.1 = end,
                _ => asked.push((port, (end, end))),
            }
        }
        // Where there are more, or something does not read, they stay what they seem: nobody is hidden.
        for ((public, port, protocol), span) in asked.into_iter().take(BEGINNINGS_ASKED) {
            let Ok((then, _)) = self.overlapping(shelf, (public, Some(port), Some(protocol)), span, stats) else { continue };
            for whole in then.iter().filter(|m| !is_inferred(m)) {
                let before = found.len();
                found.retain(|m| !(unsure(m) && is_end_of(m, whole)));
                if found.len() < before && overlaps(whole, from, to) {
                    found.push(*whole);
                }
            }
        }
        *found = distinct(std::mem::take(found));
    }

    /// Events not sealed yet, paired with what is open.
    fn pair_live(&self, recall: &Recall) -> Vec<Mapping> {
        if recall.events.is_empty() {
            return recall.open.iter().map(|o| o.mapping).collect();
        }
        let mut open = OpenTable::default();
        recall.open.iter().for_each(|o| open.insert(*o));
        let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner);
        let overloading = self.overloading();
        let context = Context {
            open: &open,
            orphans: &recall.orphans,
            lost_between: &|source, from, to| gaps.any(source, from, to),
            overloads: &|source| overloading.get(&source).copied().unwrap_or(false),
        };
        let mut events = recall.events.clone();
        let paired = pair(&mut events, &context);
        let closed: BTreeSet<_> = paired.iter().filter_map(|p| p.open).collect();
        let mut found: Vec<Mapping> = paired.into_iter().map(|p| p.mapping).collect();
        found.extend(recall.open.iter().filter(|o| !closed.contains(&o.row)).map(|o| o.mapping));
        found
    }

    /// Sessions that may have had this address in `from..=to`, in one realm or in all, and what was read.
    pub fn sessions(&self, realm: Option<u32>, address: Addr16, from: Millis, to: Millis) -> Result<(Vec<SessionSpan>, Stats), StoreError> {
        self.sessions_with(&Shelf::default(), realm, address, (from, to))
    }

    /// The same with what is at hand from questions before.
    ///
    /// # Errors
    /// If something cannot be read.
    pub fn sessions_with(
        &self,
        shelf: &Shelf,
        realm: Option<u32>,
        address: Addr16,
        (from, to): (Millis, Millis),
    ) -> Result<(Vec<SessionSpan>, Stats), StoreError> {
        shelf.tidy();
        let mut stats = Stats::default();
        let mut tries = 0;
        let found = loop {
            match self.read_sessions(shelf, address, (from, to), &mut stats) {
                // A file went because runs were merged since memory was asked: ask again.
                Err(StoreError::Table(e)) if e.is_not_found() && tries < 3 => tries += 1,
                other => break other?,
            }
        };
        let wanted = |s: &SessionSpan| {
            s.prefix.contains(address)
                && realm.is_none_or(|r| r == s.session.realm)
                && s.since <= to
                && s.until.is_none_or(|until| until >= from)
        };
        let mut found = merge(found);
        found.retain(wanted);
        Ok((found, stats))
    }

    fn read_sessions(
        &self,
        shelf: &Shelf,
        address: Addr16,
        (from, to): (Millis, Millis),
        stats: &mut Stats,
    ) -> Result<Vec<SessionSpan>, StoreError> {
        let (mut found, keys, Planned { stored, runs, .. }) = self.recall_sessions(address, from, to)?;
        found.extend(stored.iter().filter_map(|s| SessionSpan::decode(&s.payload)));
        let stored = self.files.read_runs(&runs, shelf, &keys, (from, to), stats)?;
        found.extend(stored.iter().filter_map(|s| SessionSpan::decode(&s.payload)));
        Ok(found)
    }

    /// What memory says of an address, what it is found by, and what must be read from disk.
    fn recall_sessions(&self, address: Addr16, from: Millis, to: Millis) -> Result<(Vec<SessionSpan>, Vec<EndKey>, Planned), TableError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let generations: Vec<_> = live.sealing.as_deref().into_iter().chain([&live.current]).collect();
        // Whole addresses, and prefixes of every length that a session ever had.
        let mut lengths = BTreeSet::from([128]);
        if !address.is_v4() {
            lengths.extend(&index.lengths);
            generations.iter().for_each(|g| lengths.extend(g.lengths()));
        }
        let prefixes: Vec<Prefix> = lengths.into_iter().rev().map(|bits| Prefix::new(address, bits)).collect();
        let keys: Vec<EndKey> = prefixes.iter().map(|p| EndKey::session(*p)).collect();
        let mut ids: BTreeSet<Id> = prefixes.iter().flat_map(|p| index.sessions.ids_at(*p)).collect();
        for g in &generations {
            ids.extend(prefixes.iter().flat_map(|p| g.session_ids_at(*p)));
        }
        let mut found = Vec::new();
        for id in ids {
            let mut known = index.sessions.get(id).map(Cow::into_owned);
            let mut rows: Vec<_> = generations.iter().flat_map(|g| g.session_rows(id)).collect();
            rows.sort_by_key(|r| r.time);
            for row in rows {
                known = step(known, &row, &mut found);
            }
            found.extend(known.iter().flat_map(Known::spans));
        }
        let mut planned = index.spans.plan(&keys, from, to).checked()?;
        // What was written to runs was sealed, and what was sealed is known.
        if index.lent.nobody(address) {
            planned.runs.clear();
        }
        Ok((found, keys, planned))
    }

    /// The sources whose sessions ever named this address or a prefix around it. None when only [`Store::sessions`] can tell.
    pub fn lenders(&self, address: Addr16) -> Option<BTreeSet<u32>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.index.read().unwrap_or_else(PoisonError::into_inner).lent.sources(address)?;
        for generation in live.sealing.as_deref().into_iter().chain([&live.current]) {
            for bits in std::iter::once(&128).chain(generation.lengths()) {
                let ids = generation.session_ids_at(Prefix::new(address, *bits));
                all.extend(ids.into_iter().flat_map(|id| generation.session_rows(id)).map(|row| row.source));
            }
        }
        Some(all)
    }

    /// Losses of a source that overlap the span by its own clock.
    pub fn gaps_between(&self, source: u32, from: Millis, to: Millis) -> Vec<KnownGap> {
        self.gaps.read().unwrap_or_else(PoisonError::into_inner).between(source, from, to)
    }

    /// Sources known to translate to this public address: `true` where configuration says so, else they were seen to.
    pub fn sources_for(&self, public: Addr16) -> Vec<(u32, bool)> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let mut seen: BTreeSet<u32> = sealed.pools.get(&public).into_iter().flatten().copied().collect();
        for generation in live.sealing.as_deref().into_iter().chain([&live.current]) {
            seen.extend(generation.nat.sources_of(public));
        }
        let configured: BTreeSet<u32> =
            lock(&self.registry).sources().filter(|s| s.pools.iter().any(|p| p.contains(public))).map(|s| s.entry.number).collect();
        seen.retain(|s| !configured.contains(s));
        configured.into_iter().map(|s| (s, true)).chain(seen.into_iter().map(|s| (s, false))).collect()
    }
}

/// Its beginning is not known.
fn is_inferred(mapping: &Mapping) -> bool {
    mapping.flags & flags::START_INFERRED != 0
}

fn overlaps(mapping: &Mapping, from: Millis, to: Millis) -> bool {
    mapping.start.is_none_or(|start| start <= to) && mapping.end.is_none_or(|end| end >= from)
}

/// An end without a beginning is that of a whole mapping. Who held what it ended may not stand in it.
fn is_end_of(end: &Mapping, whole: &Mapping) -> bool {
    let inside = |m: &Mapping| (m.inside, m.inside_port, m.remote);
    let place = |m: &Mapping| (m.source, m.form, m.protocol, m.public, m.first, m.last, m.end);
    place(end) == place(whole) && (end.inside.is_none() || inside(end) == inside(whole))
}

/// Both tell of one end.
fn same_end(a: &Mapping, b: &Mapping) -> bool {
    (a.source, a.inside, a.inside_port, a.first, a.end) == (b.source, b.inside, b.inside_port, b.first, b.end)
}

/// One mapping may be found on several ways; an end whose beginning came later is told twice, and an end that came twice may tell of what is known.
fn distinct(mut found: Vec<Mapping>) -> Vec<Mapping> {
    found.sort_by_key(|m| (m.source, m.form, m.first, m.protocol, m.inside, m.inside_port, m.start, m.end));
    found.dedup();
    // How its beginning is known: seen, told by its end, not at all.
    let rank = |m: &Mapping| match m.flags {
        f if f & flags::START_INFERRED != 0 => 2,
        f if f & flags::START_TOLD != 0 => 1,
        _ => 0,
    };
    let better: Vec<Mapping> = found.iter().filter(|m| rank(m) < 2 && m.end.is_some()).copied().collect();
    found.retain(|m| rank(m) == 0 || !better.iter().any(|b| rank(b) < rank(m) && same_end(b, m)));
    found
}
