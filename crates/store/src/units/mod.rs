//! Sealed units, by kind and log entry, in little memory: half a year has a quarter of a million of each kind, and all of them are at hand as long as the program
//! runs.
//!
//! What the units of one commit have in common stands once, times lie near to when it was sealed, and units that lie in one file share its name. A unit for which that is
//! not so (an import of last year, one that was told out of order) is kept as it is.

mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_base::time::{Day, Millis};
use weir_record::{Id, Kind};

use crate::catalog::UnitMeta;
use names::Names;

/// What units that were sealed together have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Commit {
    /// The log entry of the one that was taken in first.
    entry: u64,
    sealed: Millis,
    window: (Millis, Millis),
}

/// A unit, beside its commit: its entry is so many after the commit's, its day so many after that of its sealing, the earliest and latest times are milliseconds
/// after it was sealed.
#[derive(Clone, Copy, Debug)]
struct Row {
    unit: [u8; 16],
    commit: u32,
    entry: i16,
    day: i16,
    first: i32,
    last: i32,
    first_row: u32,
    rows: u32,
    file: u32,
}

/// In place of the number of a row's file: the unit is kept elsewhere now.
const GONE: u32 = u32::MAX;

/// Where a unit of a kind stands, for ever: the number of its row, or its entry where it is kept as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At(u64);

impl At {
    /// Before all others.
    pub const FIRST: At = At(0);
    /// After all others.
    pub const LAST: At = At(u64::MAX);
}

/// Set in a place that is an entry.
const ODD: u64 = 1 << 63;

/// The units.
#[derive(Clone, Debug, Default)]
pub struct Units {
    commits: Vec<Commit>,
    kinds: BTreeMap<Kind, Vec<Row>>,
    names: Names,
    odd: BTreeMap<u64, UnitMeta>,
    len: usize,
    /// The greatest entry of all.
    last: Option<u64>,
}

impl Units {
    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When the last one was sealed.
    pub fn last_sealed(&self) -> Option<Millis> {
        let last = |rows: &Vec<Row>| {
            let row = rows.iter().rev().find(|row| row.file != GONE)?;
            Some((self.entry(row), self.sealed(row)))
        };
        let odd = self.odd.last_key_value().map(|(entry, unit)| (*entry, unit.sealed));
        self.kinds.values().filter_map(last).chain(odd).max_by_key(|(entry, _)| *entry).map(|(_, sealed)| sealed)
    }

    /// The name of a file as the units share it, or a new one.
    pub fn name(&self, file: &str) -> Arc<str> {
        self.names.get(file).unwrap_or_else(|| file.into())
    }

    /// The unit of a log entry.
    pub fn get(&self, entry: u64) -> Option<UnitMeta> {
        if let Some(unit) = self.odd.get(&entry) {
            return Some(unit.clone());
        }
        let (kind, at) = self.find(entry)?;
        self.kinds.get(&kind)?.get(at).map(|row| self.meta(kind, row))
    }

    /// The unit of a kind that stands there.
    pub fn at(&self, kind: Kind, at: At) -> Option<UnitMeta> {
        if at.0 & ODD != 0 {
            return self.odd.get(&(at.0 & !ODD)).cloned();
        }
        let row = self.kinds.get(&kind)?.get(at.0 as usize)?;
        if row.file == GONE { self.odd.get(&self.entry(row)).cloned() } else { Some(self.meta(kind, row)) }
    }

    /// Takes a unit in, or what has changed of it; where it stands.
    pub fn insert(&mut self, mut unit: UnitMeta) -> At {
        unit.file = self.names.take(&unit.file);
        // As they are read and sealed: it need not be looked for.
        if self.last.is_none_or(|last| last < unit.entry) {
            self.last = Some(unit.entry);
            self.len += 1;
            return self.append(unit);
        }
        if let Some(there) = self.odd.get_mut(&unit.entry) {
            self.names.give(&there.file);
            let at = At(unit.entry | ODD);
            *there = unit;
            return at;
        }
        match self.find(unit.entry) {
            Some((kind, at)) => self.replace(kind, at, unit),
            None => {
                self.len += 1;
                self.append(unit)
            }
        }
    }

    /// All units of a kind, and where they stand.
    pub fn each(&self, kind: Kind) -> impl Iterator<Item = (At, UnitMeta)> {
        let rows = self.kinds.get(&kind).into_iter().flatten().enumerate().filter(|(_, row)| row.file != GONE);
        let rows = rows.map(move |(at, row)| (At(at as u64), self.meta(kind, row)));
        let odd = self.odd.values().filter(move |unit| unit.kind == kind);
        rows.chain(odd.map(|unit| (At(unit.entry | ODD), unit.clone())))
    }

    /// Units of a kind that hold rows of times from `from` to `to`, by log entry.
    pub fn of(&self, kind: Kind, from: Millis, to: Millis) -> Vec<UnitMeta> {
        let fits = |row: &&Row| {
            let sealed = self.sealed(row);
            row.file != GONE && sealed.plus(row.first.into()) <= to && sealed.plus(row.last.into()) >= from
        };
        let rows = self.kinds.get(&kind).into_iter().flatten().filter(fits).map(|row| self.meta(kind, row));
        let odd = self.odd.values().filter(|unit| unit.kind == kind && unit.first <= to && unit.last >= from);
        in_order(rows.chain(odd.cloned()).collect())
    }

    /// Units of some kinds from a log entry on, by log entry.
    pub fn since(&self, entry: u64, kinds: &[Kind]) -> Vec<UnitMeta> {
        let mut all: Vec<UnitMeta> =
            self.odd.range(entry..).map(|(_, unit)| unit).filter(|unit| kinds.contains(&unit.kind)).cloned().collect();
        for (kind, rows) in self.kinds.iter().filter(|(kind, _)| kinds.contains(kind)) {
            let from = rows.partition_point(|row| self.entry(row) < entry);
            all.extend(rows.iter().skip(from).filter(|row| row.file != GONE).map(|row| self.meta(*kind, row)));
        }
        in_order(all)
    }

    /// Units that have a file for themselves and were sealed before that moment, by kind and log entry.
    pub fn alone(&self, before: Millis) -> Vec<UnitMeta> {
        let fits = |row: &&Row| row.file != GONE && self.names.uses(row.file) == 1 && self.sealed(row) < before;
        let rows = self.kinds.iter().flat_map(|(kind, rows)| rows.iter().filter(fits).map(|row| self.meta(*kind, row)));
        let odd = self.odd.values().filter(|unit| unit.sealed < before && self.names.uses_of(&unit.file) == 1);
        let mut all: Vec<UnitMeta> = rows.chain(odd.cloned()).collect();
        all.sort_by_key(|unit| (unit.kind, unit.entry));
        all
    }

    /// Lets go of memory that is there for more of them.
    pub fn shrink(&mut self) {
        self.commits.shrink_to_fit();
        self.kinds.values_mut().for_each(Vec::shrink_to_fit);
    }

    fn entry(&self, row: &Row) -> u64 {
        self.commits.get(row.commit as usize).map_or(0, |commit| commit.entry.saturating_add_signed(row.entry.into()))
    }

    fn sealed(&self, row: &Row) -> Millis {
        self.commits.get(row.commit as usize).map_or(Millis(0), |commit| commit.sealed)
    }

    fn meta(&self, kind: Kind, row: &Row) -> UnitMeta {
        let sealed = self.sealed(row);
        UnitMeta {
            entry: self.entry(row),
            kind,
            day: Day(sealed.day().0 + i32::from(row.day)),
            unit: Id(row.unit),
            file: self.names.at(row.file),
            first_row: row.first_row.into(),
            rows: row.rows.into(),
            first: sealed.plus(row.first.into()),
            last: sealed.plus(row.last.into()),
            window: self.commits.get(row.commit as usize).map_or((sealed, sealed), |commit| commit.window),
            sealed,
        }
    }

    /// The row of an entry, where it has one.
    fn find(&self, entry: u64) -> Option<(Kind, usize)> {
        let of = |(kind, rows): (&Kind, &Vec<Row>)| {
            rows.last().filter(|last| self.entry(last) >= entry)?;
            let at = rows.binary_search_by_key(&entry, |row| self.entry(row)).ok()?;
            (rows.get(at)?.file != GONE).then_some((*kind, at))
        };
        self.kinds.iter().find_map(of)
    }

    /// A row of what fits beside this commit.
    fn row(&self, commit: usize, unit: &UnitMeta) -> Option<Row> {
        let of = self.commits.get(commit).filter(|of| of.sealed == unit.sealed && of.window == unit.window)?;
        let after = |time: Millis| i32::try_from(time.0.checked_sub(unit.sealed.0)?).ok();
        Some(Row {
            unit: unit.unit.0,
            commit: u32::try_from(commit).ok()?,
            entry: i16::try_from(unit.entry.checked_signed_diff(of.entry)?).ok()?,
            day: i16::try_from(unit.day.0.checked_sub(unit.sealed.day().0)?).ok()?,
            first: after(unit.first)?,
            last: after(unit.last)?,
            first_row: u32::try_from(unit.first_row).ok()?,
            rows: u32::try_from(unit.rows).ok()?,
            file: self.names.number(&unit.file)?,
        })
    }

    fn append(&mut self, unit: UnitMeta) -> At {
        let last = self.kinds.get(&unit.kind).and_then(|rows| rows.last());
        let row = if last.is_none_or(|last| self.entry(last) < unit.entry) { self.last_row(&unit) } else { None };
        let Some(row) = row else { return self.keep(unit) };
        let rows = self.kinds.entry(unit.kind).or_default();
        rows.push(row);
        At(rows.len() as u64 - 1)
    }

    /// A row beside the last commit, or beside one of its own.
    fn last_row(&mut self, unit: &UnitMeta) -> Option<Row> {
        let row = self.commits.len().checked_sub(1).and_then(|last| self.row(last, unit));
        if row.is_some() {
            return row;
        }
        self.commits.push(Commit { entry: unit.entry, sealed: unit.sealed, window: unit.window });
        let row = self.row(self.commits.len() - 1, unit);
        if row.is_none() {
            self.commits.pop();
        }
        row
    }

    fn replace(&mut self, kind: Kind, at: usize, unit: UnitMeta) -> At {
        let Some(was) = self.kinds.get(&kind).and_then(|rows| rows.get(at)).copied() else { return self.keep(unit) };
        let now = self.row(was.commit as usize, &unit).filter(|_| unit.kind == kind);
        self.names.give_number(was.file);
        let gone = Row { file: GONE, ..was };
        if let Some(row) = self.kinds.get_mut(&kind).and_then(|rows| rows.get_mut(at)) {
            *row = now.unwrap_or(gone);
        }
        if now.is_some() { At(at as u64) } else { self.keep(unit) }
    }

    fn keep(&mut self, unit: UnitMeta) -> At {
        let at = At(unit.entry | ODD);
        self.odd.insert(unit.entry, unit);
        at
    }
}

impl FromIterator<UnitMeta> for Units {
    fn from_iter<I: IntoIterator<Item = UnitMeta>>(units: I) -> Units {
        let mut all = Units::default();
        for unit in units {
            all.insert(unit);
        }
        all
    }
}

fn in_order(mut units: Vec<UnitMeta>) -> Vec<UnitMeta> {
    if !units.is_sorted_by_key(|unit| unit.entry) {
        units.sort_unstable_by_key(|unit| unit.entry);
    }
    units
}
