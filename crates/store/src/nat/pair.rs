//! Pairs events into mappings. Pure: the same code serves sealing and look-ups in what is not sealed yet.

use weir_base::time::Millis;
use weir_record::kinds::{RowType, flags};

use crate::limits::TOLD_MS;
use crate::nat::event::Event;
use crate::nat::mapping::{Mapping, RowRef};
use crate::nat::open::{OpenTable, Orphans};

/// What pairing needs to know besides the events.
pub struct Context<'a> {
    /// Mappings already open.
    pub open: &'a OpenTable,
    /// Ends whose beginning had not come.
    pub orphans: &'a Orphans,
    /// True if the source is known to have lost something between the two instants of its own clock.
    pub lost_between: &'a dyn Fn(u32, Millis, Millis) -> bool,
    /// True if the source gives one public port to several hosts towards different remotes.
    pub overloads: &'a dyn Fn(u32) -> bool,
}

/// A mapping that pairing found, and the row that will say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paired {
    /// The mapping.
    pub mapping: Mapping,
    /// The row to write for it.
    pub row_type: RowType,
    /// The sealed open row that it closes.
    pub open: Option<RowRef>,
}

#[derive(Clone, Copy)]
struct Item {
    mapping: Mapping,
    row: Option<RowRef>,
    /// Only its end, which is still to come, tells of it.
    told: bool,
}

/// Pairs the events of one public end of one exporter, in time order.
pub fn pair_end(group: &[Event], cx: &Context<'_>, out: &mut Vec<Paired>) {
    if !group.is_empty() {
        Group::new(group, cx).run(group, out);
    }
}

/// Pairs all events. They are sorted in place first; events of equal time keep the order they came in.
pub fn pair(events: &mut [Event], cx: &Context<'_>) -> Vec<Paired> {
    events.sort_by_key(Event::sort_key);
    let mut out = Vec::with_capacity(events.len() / 2 + 1);
    for group in events.chunk_by(Event::same_end) {
        Group::new(group, cx).run(group, &mut out);
    }
    out
}

struct Group<'a> {
    cx: &'a Context<'a>,
    items: Vec<Item>,
    /// Ends in this group for which no beginning was found.
    early: Vec<Mapping>,
    /// Ends already used, so that a repeated one is told apart from a second one.
    used: Vec<Event>,
}

impl<'a> Group<'a> {
    fn new(group: &[Event], cx: &'a Context<'a>) -> Group<'a> {
        let first = group[0];
        let table = Mapping::opened(&first).first_key().into_iter().flat_map(|key| cx.open.at(&key));
        let same = |m: &Mapping| {
            (m.source, m.form, m.protocol, m.first, m.last) == (first.source, first.form, first.protocol, first.first, first.last)
        };
        let mut items: Vec<Item> =
            table.filter(|o| same(&o.mapping)).map(|o| Item { mapping: o.mapping, row: Some(o.row), told: false }).collect();
        items.sort_by_key(|i| i.mapping.start);
        Group { cx, items, early: Vec::new(), used: Vec::new() }
    }

    fn run(mut self, group: &[Event], out: &mut Vec<Paired>) {
        for e in group {
            if e.create { self.create(e, out) } else { self.delete(e, out) }
        }
        for end in self.early {
            out.push(Paired { mapping: end, row_type: RowType::Close, open: None });
        }
        for item in self.items {
            // What was only told was seen too: its end is that of what was seen.
            if item.row.is_some() || item.told {
                continue;
            }
            match self.cx.orphans.matching(&item.mapping) {
                // Its end came before it, and told of it.
                Some(end) if end.start.is_some() => {}
                Some(end) => out.push(whole(item.mapping, end.end)),
                None => out.push(Paired { mapping: item.mapping, row_type: RowType::Open, open: None }),
            }
        }
    }

    fn create(&mut self, e: &Event, out: &mut Vec<Paired>) {
        if e.inferred {
            return self.told(e, out);
        }
        if self.items.iter().any(|i| !i.told && i.mapping.start == Some(e.time) && i.mapping.same_inside(e)) {
            return;
        }
        let opened = Mapping::opened(e);
        if let Some(item) = self.items.iter_mut().rev().find(|i| i.told && i.mapping.same_inside(e)) {
            *item = Item { mapping: opened, row: None, told: false };
            return;
        }
        if let Some(at) = self.early.iter().position(|m| m.end == Some(e.time) && m.same_inside(e)) {
            out.push(whole(opened, self.early.remove(at).end));
            return;
        }
        if !(self.cx.overloads)(e.source) {
            self.infer_ends(e, out);
        }
        self.items.push(Item { mapping: opened, row: None, told: false });
    }

    /// An end that is still to come tells that it began: the same as the creation, where that was seen.
    fn told(&mut self, e: &Event, out: &mut Vec<Paired>) {
        let same = |i: &Item| i.mapping.same_inside(e) && i.mapping.start.is_some_and(|start| near(start, e.time));
        if e.inside.is_none() || self.items.iter().any(same) {
            return;
        }
        if !(self.cx.overloads)(e.source) {
            self.infer_ends(e, out);
        }
        self.items.push(Item { mapping: Mapping::told(e), row: None, told: true });
    }

    /// The port went to another host and something was lost in between: what was open before has ended by now.
    fn infer_ends(&mut self, e: &Event, out: &mut Vec<Paired>) {
        let cx = self.cx;
        self.items.retain(|item| {
            let start = item.mapping.start.unwrap_or(e.time);
            let gone = !item.told && !item.mapping.same_inside(e) && start < e.time && (cx.lost_between)(e.source, start, e.time);
            if gone {
                let mapping = Mapping { end: Some(e.time), flags: item.mapping.flags | flags::END_INFERRED, ..item.mapping };
                out.push(close(mapping, item.row));
            }
            !gone
        });
    }

    fn delete(&mut self, e: &Event, out: &mut Vec<Paired>) {
        if self.used.iter().any(|u| u.time == e.time && (u.inside, u.inside_port, u.remote) == (e.inside, e.inside_port, e.remote)) {
            return;
        }
        self.used.push(*e);
        let fits = |i: &Item| i.mapping.start.is_some_and(|s| s <= e.time) && (e.inside.is_none() || i.mapping.same_inside(e));
        let seen = self.items.iter().position(|i| !i.told && fits(i));
        match seen.or_else(|| self.items.iter().position(|i| i.told && !e.inferred && fits(i))) {
            Some(at) => {
                let item = self.items.remove(at);
                if item.told && self.cx.orphans.holds(&Mapping { end: Some(e.time), ..item.mapping }) {
                    return;
                }
                let unseen = if e.inferred { flags::END_INFERRED } else { 0 };
                out.push(close(Mapping { end: Some(e.time), flags: item.mapping.flags | unseen, ..item.mapping }, item.row));
            }
            // Nobody saw it, and nothing is open: there is nothing to say.
            None if e.inferred => {}
            None => self.early.push(Mapping::closed(e)),
        }
    }
}

/// True if a beginning that an end tells may be this creation.
pub(super) fn near(start: Millis, told: Millis) -> bool {
    start.since(told).abs() <= TOLD_MS
}

fn whole(opened: Mapping, end: Option<Millis>) -> Paired {
    Paired { mapping: Mapping { end, ..opened }, row_type: RowType::Whole, open: None }
}

fn close(mapping: Mapping, row: Option<RowRef>) -> Paired {
    Paired { mapping, row_type: if row.is_some() { RowType::Close } else { RowType::Whole }, open: row }
}

#[cfg(test)]
mod tests;
