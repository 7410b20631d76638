//! Look-up of one kind: who held a public end, which session held an address. A bounded number of pages whatever the history.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::PoisonError;

use weir_base::net::{Addr16, Prefix};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::flags;

use super::{Store, StoreError};
use crate::catalog::UnitMeta;
use crate::fence::{UnitLookup, Wanted, fence_file, write_fences};
use crate::gaps::KnownGap;
use crate::nat::event::Event;
use crate::nat::mapping::Mapping;
use crate::nat::open::{Open, OpenTable};
use crate::nat::pair::{Context, pair};
use crate::session::known::{Known, step};
use crate::session::merge::merge;
use crate::session::span::SessionSpan;
use crate::shelf::Shelf;
use crate::spankey::EndKey;
use crate::table::Stats;

/// What memory says about one public end, and what must be read from disk.
struct Recall {
    events: Vec<Event>,
    open: Vec<Open>,
    stored: Vec<crate::index::Stored>,
    runs: Vec<crate::catalog::RunMeta>,
    units: Vec<UnitMeta>,
}

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
        let keys = EndKey::questions(public, port, protocol);
        let mut stats = Stats::default();
        let mut tries = 0;
        loop {
            if tries > 0 {
                // While units move they lie nowhere.
                drop(lock(&self.moving));
            }
            let recall = self.recall((public, port), &keys, from, to);
            match self.read_mappings(&recall, shelf, (public, port), (from, to), &mut stats) {
                Ok(mut found) => {
                    found.extend(self.pair_live(&recall));
                    let overlaps = |m: &Mapping| m.start.is_none_or(|s| s <= to) && m.end.is_none_or(|e| e >= from);
                    found.retain(|m| m.public == public && m.covers(port, protocol) && overlaps(m));
                    let mut whole = Vec::new();
                    for mapping in distinct(found) {
                        if !self.began_later(&mapping, to, shelf, &mut stats)? {
                            whole.push(mapping);
                        }
                    }
                    return Ok((whole, stats));
                }
                // A file went because runs were merged or units repacked since memory was asked: ask again.
                Err(StoreError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound && tries < 3 => tries += 1,
                Err(StoreError::Table(e)) if e.is_not_found() && tries < 3 => tries += 1,
                Err(e) => return Err(e),
            }
        }
    }

    fn recall(&self, (public, port): (Addr16, Option<u16>), keys: &[EndKey], from: Millis, to: Millis) -> Recall {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner);
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut events = Vec::new();
        for generation in live.sealing.as_deref().into_iter().chain([&live.current]) {
            events.extend(generation.nat.at(public, port, keys));
        }
        let (stored, runs) = index.spans.plan(keys, from, to);
        Recall { events, open: index.open.find(keys), stored, runs, units: sealed.nat_units(from, to) }
    }

    fn read_mappings(
        &self,
        recall: &Recall,
        shelf: &Shelf,
        (public, port): (Addr16, Option<u16>),
        (from, to): (Millis, Millis),
        stats: &mut Stats,
    ) -> Result<Vec<Mapping>, StoreError> {
        let keys: Vec<EndKey> = EndKey::questions(public, port, None);
        let mut found: Vec<Mapping> = recall.stored.iter().filter_map(|s| Mapping::decode(&s.payload)).collect();
        for run in &recall.runs {
            let stored = self.files.read_run(run, shelf, &keys, (from, to), stats)?;
            found.extend(stored.iter().filter_map(|s| Mapping::decode(&s.payload)));
        }
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

    /// Rows of one unit. Its fence table is made where it is not there, and again where it does not read, as after a crash or a failure of the disk.
    fn rows_in(&self, lookup: &UnitLookup<'_>, wanted: Wanted, shelf: &Shelf, stats: &mut Stats) -> Result<Vec<Mapping>, StoreError> {
        let mut find = || lookup.find(wanted, shelf, stats).inspect_err(|_| shelf.forget(lookup.unit));
        match find() {
            Err(StoreError::Table(e)) if e.is_not_found() || e.is_damage() => {}
            other => return other,
        }
        // Where the unit moved meanwhile its file is not there either, and the question is asked again.
        let _one_at_a_time = lock(&self.moving);
        self.ensure_fences(lookup.unit)?;
        match find() {
            // Not half of one that somebody else was making, then.
            Err(StoreError::Table(e)) if e.is_damage() => {
                self.files.remove(&[fence_file(lookup.unit.unit)]);
                self.ensure_fences(lookup.unit)?;
                find()
            }
            other => other,
        }
    }

    /// True of an end without a beginning whose beginning is known after all. While a unit goes over into the index, an end may still be among the events when
    /// what it ended is no longer among what is open; asked about the moment of the end, the unit or the index tells the whole mapping.
    fn began_later(&self, mapping: &Mapping, to: Millis, shelf: &Shelf, stats: &mut Stats) -> Result<bool, StoreError> {
        let inferred = |m: &Mapping| m.flags & flags::START_INFERRED != 0;
        let Some(end) = mapping.end.filter(|end| inferred(mapping) && *end > to) else { return Ok(false) };
        let (then, read) = self.mappings_with(shelf, mapping.public, Some(mapping.first), Some(mapping.protocol), (end, end))?;
        *stats = stats.plus(read);
        Ok(!then.iter().any(|m| inferred(m) && same_end(m, mapping)))
    }

    /// Events not sealed yet, paired with what is open.
    fn pair_live(&self, recall: &Recall) -> Vec<Mapping> {
        let mut open = OpenTable::default();
        recall.open.iter().for_each(|o| open.insert(*o));
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner);
        let overloading = self.overloading();
        let context = Context {
            open: &open,
            orphans: &index.orphans,
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

    /// The fence table can be thrown away: it is made again from the unit.
    fn ensure_fences(&self, unit: &UnitMeta) -> Result<(), StoreError> {
        if self.disk.exists(fence_file(unit.unit).as_ref())? {
            return Ok(());
        }
        if self.day_key(unit.kind, unit.day).is_none() {
            return Ok(());
        }
        let reader = self.open_unit(unit)?;
        let batches = reader.rows(unit.first_row..unit.first_row + unit.rows, None)?;
        let rows = arrow::compute::concat_batches(&unit.kind.schema(), &batches).map_err(|e| StoreError::Internal(e.to_string()))?;
        write_fences(&self.files, unit, &rows, reader.map(), unit.first_row)
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
        let (mut found, keys, stored, runs) = self.recall_sessions(address, from, to);
        let mut stats = Stats::default();
        found.extend(stored.iter().filter_map(|s| SessionSpan::decode(&s.payload)));
        for run in &runs {
            let stored = self.files.read_run(run, shelf, &keys, (from, to), &mut stats)?;
            found.extend(stored.iter().filter_map(|s| SessionSpan::decode(&s.payload)));
        }
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

    /// What memory says of an address, what it is found by, and what must be read from disk.
    fn recall_sessions(
        &self,
        address: Addr16,
        from: Millis,
        to: Millis,
    ) -> (Vec<SessionSpan>, Vec<EndKey>, Vec<crate::index::Stored>, Vec<crate::catalog::RunMeta>) {
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
        let (stored, mut runs) = index.spans.plan(&keys, from, to);
        // What was written to runs was sealed, and what was sealed is known.
        if index.lent.nobody(address) {
            runs.clear();
        }
        (found, keys, stored, runs)
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
