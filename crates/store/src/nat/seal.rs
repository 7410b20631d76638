//! From the events of a generation to the columns of the mappings that are sealed, sorted by public address, port, start. Nearly every public end
//! has the plain story create, delete, create, delete: it is told here without a detour; any other one by [`super::pair`].

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use weir_base::net::Addr16;
use weir_base::time::{Day, Millis};
use weir_record::kinds::{Form, NatMappingColumns, RowType};

use crate::nat::event::{Event, is_exact};
use crate::nat::mapping::{Mapping, Remote};
use crate::nat::open::{Open, OpenOf};
use crate::nat::pack::{NatEvents, PARTS, Packed, Tail};
use crate::nat::pair::{Context, near, pair_end};
use crate::nat::sort::Sorting;
use crate::spankey::EndKey;
use crate::unit::key_day;

/// A row on its way into the columns. Its public address and first port are those of the end under way.
#[derive(Clone, Copy, Debug)]
struct Row {
    start: i64,
    end: i64,
    tail: Tail,
    row_type: RowType,
    flags: u8,
    inside: Addr16,
    inside_port: u16,
    remote: Remote,
}

impl Row {
    /// How rows of one public address and port are sorted.
    fn key(&self) -> (i64, u8, u32) {
        (self.start, self.tail.protocol, self.tail.source)
    }
}

/// Rows of each key day.
struct Days {
    sealed: Millis,
    /// The day of the row before, and its rows.
    day: Day,
    rows: NatMappingColumns,
    others: BTreeMap<Day, NatMappingColumns>,
}

impl Days {
    fn new(sealed: Millis, room: NatMappingColumns) -> Days {
        Days { sealed, day: sealed.day(), rows: room, others: BTreeMap::new() }
    }

    /// The rows of each day that has any.
    fn batches(mut self) -> BTreeMap<Day, RecordBatch> {
        self.others.insert(self.day, self.rows);
        self.others.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(day, rows)| (day, rows.into_batch())).collect()
    }

    fn push(&mut self, public: Addr16, port: u16, row: &Row) {
        let day = key_day(Millis(row.end), self.sealed);
        if day != self.day {
            let rows = std::mem::replace(&mut self.rows, self.others.remove(&day).unwrap_or_default());
            self.others.insert(std::mem::replace(&mut self.day, day), rows);
        }
        let to = &mut self.rows;
        to.public_address.extend_from_slice(&public.0);
        to.public_port.push(port);
        to.start.push(row.start);
        to.duration.push(row.start.abs_diff(row.end.max(row.start)));
        to.public_port_more.push(row.tail.more);
        to.protocol.push(row.tail.protocol);
        to.form.push(row.tail.form);
        to.row_type.push(row.row_type as u8);
        to.flags.push(row.flags);
        to.inside_address.extend_from_slice(&row.inside.0);
        to.inside_port.push(row.inside_port);
        to.source.push(row.tail.source);
        to.push_remote(&row.remote.address.0, row.remote.port, row.remote.tag);
    }
}

/// Pairs these events; gives the rows of each key day, sorted. `room` is memory for them, of an earlier unit.
pub fn mappings(events: &NatEvents, cx: &Context<'_>, sealed: Millis, room: NatMappingColumns) -> BTreeMap<Day, RecordBatch> {
    let mut days = Days::new(sealed, room);
    days.rows.reserve(events.len() * 5 / 8);
    let (mut work, mut sorting) = (Work::default(), Sorting::default());
    let ranks = events.tail_ranks();
    for address in events.addresses() {
        let public = events.address(address);
        let of = Of { events, public, open: cx.open.of_address(public), cx };
        for part in 0..PARTS {
            let sorted = events.sorted(address, part, &ranks, &mut sorting);
            for end in sorted.chunk_by(|a, b| a.port == b.port) {
                of.end(end, &mut work);
                work.rows.iter().for_each(|row| days.push(public, end[0].port, row));
            }
        }
    }
    days.batches()
}

/// Buffers that are used again.
#[derive(Default)]
struct Work {
    rows: Vec<Row>,
    slow: Vec<Event>,
    paired: Vec<super::pair::Paired>,
}

/// The events of one public address.
struct Of<'a> {
    events: &'a NatEvents,
    public: Addr16,
    open: OpenOf<'a>,
    cx: &'a Context<'a>,
}

impl Of<'_> {
    /// The rows of the ends with one first port.
    fn end(&self, end: &[Packed], work: &mut Work) {
        work.rows.clear();
        for same in end.chunk_by(Packed::same_end) {
            if !self.straight(same, &mut work.rows) {
                self.slow(same, work);
            }
        }
        if !work.rows.is_sorted_by_key(Row::key) {
            work.rows.sort_by_key(Row::key);
        }
    }

    fn slow(&self, same: &[Packed], work: &mut Work) {
        work.slow.clear();
        work.slow.extend(same.iter().map(|e| self.events.event(self.public, e)));
        work.paired.clear();
        pair_end(&work.slow, self.cx, &mut work.paired);
        work.rows.extend(work.paired.iter().map(|p| row_of(&p.mapping, p.row_type)));
    }

    /// Tells the plain story of one public end: what was open ends, then creates and deletes in turn, each delete of the mapping before it. False,
    /// and nothing is told, when the story is any other.
    fn straight(&self, same: &[Packed], rows: &mut Vec<Row>) -> bool {
        let (tail, port) = (self.events.tail(&same[0]), same[0].port);
        let form = Form::from_u8(tail.form).unwrap_or(Form::Session);
        let key = EndKey::exact(self.public, port, tail.protocol);
        if !is_exact(form, port, port.saturating_add(tail.more)) || self.cx.orphans.has(&key) {
            return false;
        }
        let mut before = self.open.at(&key);
        let (held, more) = (before.next(), before.next());
        if more.is_some() {
            return false;
        }
        let told = rows.len();
        if self.tell(same, tail, held, rows).is_some() {
            return true;
        }
        rows.truncate(told);
        let seen = self.without_told(same, held);
        if seen.is_some_and(|seen| self.tell(&seen, tail, held, rows).is_some()) {
            return true;
        }
        rows.truncate(told);
        false
    }

    /// A story without what its ends tell again: when what was seen to begin began. None when nothing is told, or something that was not seen.
    fn without_told(&self, same: &[Packed], held: Option<Open>) -> Option<Vec<Packed>> {
        same.iter().find(|e| e.told())?;
        let mut open = held.map(|h| h.mapping);
        let mut seen = Vec::with_capacity(same.len());
        for e in same {
            let event = self.events.event(self.public, e);
            if e.told() {
                open.filter(|o| o.same_inside(&event) && o.start.is_some_and(|start| near(start, event.time)))?;
                continue;
            }
            open = event.create.then(|| Mapping::opened(&event));
            seen.push(*e);
        }
        Some(seen)
    }

    fn tell(&self, same: &[Packed], tail: Tail, held: Option<Open>, rows: &mut Vec<Row>) -> Option<()> {
        let mut left = same;
        let mut last = i64::MIN;
        if let Some(held) = held {
            let (first, rest) = same.split_first()?;
            let (event, open) = (self.events.event(self.public, first), held.mapping);
            let fits = !event.create
                && !event.inferred
                && (open.source, open.form, open.first, open.last) == (event.source, event.form, event.first, event.last)
                && open.same_inside(&event);
            let start = open.start.filter(|start| fits && *start <= event.time)?;
            last = event.time.0;
            rows.push(Row { flags: open.flags, ..self.row(first, tail, RowType::Close, start.0, last) });
            left = rest;
        }
        let mut pairs = left.chunks_exact(2);
        for pair in &mut pairs {
            let (create, delete) = (&pair[0], &pair[1]);
            let (start, end) = (self.events.time(create), self.events.time(delete));
            // Two ends of one instant may be one that was told twice.
            if !create.create() || delete.create() || delete.inferred() || !create.same_inside(delete) || end <= last {
                return None;
            }
            last = end;
            rows.push(self.row(create, tail, RowType::Whole, start, end));
        }
        match pairs.remainder() {
            [] => {}
            [create] if create.create() => {
                let start = self.events.time(create);
                rows.push(self.row(create, tail, RowType::Open, start, start));
            }
            _ => return None,
        }
        Some(())
    }

    fn row(&self, event: &Packed, tail: Tail, row_type: RowType, start: i64, end: i64) -> Row {
        let (inside, remote) = (self.events.inside(event), self.events.remote(event));
        Row { start, end, tail, row_type, flags: 0, inside, inside_port: event.inside_port, remote }
    }
}

fn row_of(m: &Mapping, row_type: RowType) -> Row {
    let (start, end) = (m.start.or(m.end).unwrap_or_default().0, m.end.or(m.start).unwrap_or_default().0);
    let tail = Tail { more: m.last.saturating_sub(m.first), protocol: m.protocol, form: m.form as u8, source: m.source };
    Row { start, end, tail, row_type, flags: m.flags, inside: m.inside, inside_port: m.inside_port, remote: m.remote }
}

#[cfg(test)]
mod tests;
