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
use crate::nat::pack::{Events, Packed, Tail};
use crate::nat::pair::{Context, pair_end};
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
    days: BTreeMap<Day, NatMappingColumns>,
    rows: usize,
}

impl Days {
    fn push(&mut self, public: Addr16, port: u16, row: &Row) {
        let day = key_day(Millis(row.end), self.sealed);
        let rows = self.rows;
        let to = self.days.entry(day).or_insert_with(|| with_capacity(rows));
        to.public_address.push(public.0);
        to.public_port.push(port);
        to.start.push(row.start);
        to.duration.push(row.start.abs_diff(row.end.max(row.start)));
        to.public_port_more.push(row.tail.more);
        to.protocol.push(row.tail.protocol);
        to.form.push(row.tail.form);
        to.row_type.push(row.row_type as u8);
        to.flags.push(row.flags);
        to.inside_address.push(row.inside.0);
        to.inside_port.push(row.inside_port);
        to.source.push(row.tail.source);
        to.remote_address.push(row.remote.address.0);
        to.remote_port.push(row.remote.port);
        to.remote_tag.push(row.remote.tag);
    }
}

fn with_capacity(rows: usize) -> NatMappingColumns {
    NatMappingColumns {
        public_address: Vec::with_capacity(rows),
        public_port: Vec::with_capacity(rows),
        start: Vec::with_capacity(rows),
        duration: Vec::with_capacity(rows),
        public_port_more: Vec::with_capacity(rows),
        protocol: Vec::with_capacity(rows),
        form: Vec::with_capacity(rows),
        row_type: Vec::with_capacity(rows),
        flags: Vec::with_capacity(rows),
        inside_address: Vec::with_capacity(rows),
        inside_port: Vec::with_capacity(rows),
        source: Vec::with_capacity(rows),
        remote_address: Vec::with_capacity(rows),
        remote_port: Vec::with_capacity(rows),
        remote_tag: Vec::with_capacity(rows),
    }
}

/// Pairs the events of these batches of `nat_event`; gives the rows of each key day, sorted.
pub fn mappings(batches: &[RecordBatch], cx: &Context<'_>, sealed: Millis) -> BTreeMap<Day, RecordBatch> {
    let Some(events) = Events::of(batches) else { return plain(batches, cx, sealed) };
    let mut days = Days { sealed, days: BTreeMap::new(), rows: events.sorted.len() * 5 / 8 };
    let mut rows: Vec<Row> = Vec::new();
    let mut slow = Slow::default();
    let mut open = cx.open.of_address(Addr16::NONE);
    let mut address = None;
    for end in events.sorted.chunk_by(|a, b| a.end() == b.end()) {
        let first = &end[0];
        let public = events.public(first);
        if address != Some(first.address()) {
            address = Some(first.address());
            open = cx.open.of_address(public);
        }
        rows.clear();
        for same in end.chunk_by(|a, b| a.place == b.place) {
            if !straight(&events, same, open, cx, &mut rows) {
                slow.run(&events, same, cx, &mut rows);
            }
        }
        if !rows.is_sorted_by_key(Row::key) {
            rows.sort_by_key(Row::key);
        }
        rows.iter().for_each(|row| days.push(public, first.port(), row));
    }
    drop(events);
    days.days.into_iter().map(|(day, columns)| (day, columns.into_batch())).collect()
}

/// Tells the plain story of one public end: what was open ends, then creates and deletes in turn, each delete of the mapping before it. False, and
/// nothing is told, when the story is any other.
fn straight(events: &Events, same: &[Packed], open: OpenOf<'_>, cx: &Context<'_>, rows: &mut Vec<Row>) -> bool {
    let (tail, port) = (events.tail(&same[0]), same[0].port());
    let form = Form::from_u8(tail.form).unwrap_or(Form::Session);
    let key = EndKey::exact(events.public(&same[0]), port, tail.protocol);
    if !is_exact(form, port, port.saturating_add(tail.more)) || cx.orphans.has(&key) {
        return false;
    }
    let mut before = open.at(&key);
    let (held, more) = (before.next(), before.next());
    if more.is_some() {
        return false;
    }
    let told = rows.len();
    if tell(events, same, tail, held, rows).is_none() {
        rows.truncate(told);
        return false;
    }
    true
}

fn tell(events: &Events, same: &[Packed], tail: Tail, held: Option<Open>, rows: &mut Vec<Row>) -> Option<()> {
    let mut left = same;
    let mut last = i64::MIN;
    if let Some(held) = held {
        let (first, rest) = same.split_first()?;
        let (event, open) = (events.event(first), held.mapping);
        let fits = !event.create
            && !event.inferred
            && (open.source, open.form, open.first, open.last) == (event.source, event.form, event.first, event.last)
            && open.same_inside(&event);
        let start = open.start.filter(|start| fits && *start <= event.time)?;
        last = event.time.0;
        rows.push(Row { flags: open.flags, ..row(events, first, tail, RowType::Close, start.0, last) });
        left = rest;
    }
    let mut pairs = left.chunks_exact(2);
    for pair in &mut pairs {
        let (create, delete) = (&pair[0], &pair[1]);
        let (start, end) = (events.time(create), events.time(delete));
        // Two ends of one instant may be one that was told twice.
        if !create.create || delete.create || delete.inferred() || !create.same_inside(delete) || end <= last {
            return None;
        }
        last = end;
        rows.push(row(events, create, tail, RowType::Whole, start, end));
    }
    match pairs.remainder() {
        [] => {}
        [create] if create.create => {
            let start = events.time(create);
            rows.push(row(events, create, tail, RowType::Open, start, start));
        }
        _ => return None,
    }
    Some(())
}

fn row(events: &Events, event: &Packed, tail: Tail, row_type: RowType, start: i64, end: i64) -> Row {
    let (inside, remote) = (events.inside(event), events.remote(event));
    Row { start, end, tail, row_type, flags: 0, inside, inside_port: event.inside_port, remote }
}

/// Buffers for the ends with another story.
#[derive(Default)]
struct Slow {
    events: Vec<Event>,
    paired: Vec<super::pair::Paired>,
}

impl Slow {
    fn run(&mut self, events: &Events, same: &[Packed], cx: &Context<'_>, rows: &mut Vec<Row>) {
        self.events.clear();
        self.events.extend(same.iter().map(|e| events.event(e)));
        self.paired.clear();
        pair_end(&self.events, cx, &mut self.paired);
        rows.extend(self.paired.iter().map(|p| row_of(&p.mapping, p.row_type)));
    }
}

fn row_of(m: &Mapping, row_type: RowType) -> Row {
    let (start, end) = (m.start.or(m.end).unwrap_or_default().0, m.end.or(m.start).unwrap_or_default().0);
    let tail = Tail { more: m.last.saturating_sub(m.first), protocol: m.protocol, form: m.form as u8, source: m.source };
    Row { start, end, tail, row_type, flags: m.flags, inside: m.inside, inside_port: m.inside_port, remote: m.remote }
}

/// The same without packing, for generations that do not fit it.
fn plain(batches: &[RecordBatch], cx: &Context<'_>, sealed: Millis) -> BTreeMap<Day, RecordBatch> {
    let mut events: Vec<Event> = batches.iter().flat_map(crate::nat::event::events).collect();
    let mut rows: Vec<(Addr16, u16, Row)> =
        super::pair::pair(&mut events, cx).iter().map(|p| (p.mapping.public, p.mapping.first, row_of(&p.mapping, p.row_type))).collect();
    rows.sort_by_key(|(public, port, row)| (*public, *port, row.key()));
    let mut days = Days { sealed, days: BTreeMap::new(), rows: 0 };
    rows.iter().for_each(|(public, port, row)| days.push(*public, *port, row));
    days.days.into_iter().map(|(day, columns)| (day, columns.into_batch())).collect()
}

#[cfg(test)]
mod tests;
