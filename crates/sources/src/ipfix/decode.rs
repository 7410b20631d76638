//! Records to columns.
//!
//! The loops run over one column at a time: `chunks` of the record length, the field at the front of each. No value enum, no
//! allocation a record; bounds are settled once a set, because the rows are cut to whole records first.

use weir_record::kinds::{Form, NatEventColumns};

use super::blocks::{Stepped, expand, special_forms};
use super::compile::{Content, EventFrom, Kind, Layout, Nat, Read, Slot, Step, flow_codes};
use super::limits::RECORD_BYTES;
use super::natevent::{Code, Event, action_of, form_of};
use super::parser::{Fault, VARIABLE, u16_at};
use super::times::{begins, fill_time};

const V4_HEAD: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/// No address.
pub(super) const NONE: [u8; 16] = [0; 16];
const V4_NONE: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0];

/// What surrounds a set: the times in its message's header and the number of its source.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Export time, ms.
    pub export_ms: i64,
    /// v9: uptime, ms.
    pub uptime_ms: Option<u32>,
    /// Number of the source, for the `source` column.
    pub source: u32,
    /// True if remote ends are wanted.
    pub remotes: bool,
}

/// What became of the records of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records in the set.
    pub records: u64,
    /// Rows made.
    pub rows: u64,
    /// Records that are no NAT event (natEvent 0, firewall events that are not about mappings, flows that were not translated).
    pub ignored: u64,
    /// Records with an event number that has no meaning in the exporter's profile.
    pub unknown: u64,
    /// Records without an inside or public address, or with an impossible port block.
    pub incomplete: u64,
    /// Notices by the order of [`Event::NOTICES`].
    pub notices: [u64; 4],
    /// Rows whose remote end was known and not asked for.
    pub remotes_dropped: u64,
}

/// Fixed-length rows.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    data: &'a [u8],
    stride: usize,
    pub(super) count: usize,
}

impl<'a> Rows<'a> {
    /// The bytes from `offset` on in each row; at least as many as a field there has.
    pub(super) fn at(self, offset: usize) -> impl Iterator<Item = &'a [u8]> {
        self.data.get(offset..).unwrap_or_default().chunks(self.stride.max(1)).take(self.count)
    }

    /// One row.
    pub(super) fn row(self, row: usize) -> &'a [u8] {
        self.data.get(row * self.stride..(row + 1) * self.stride).unwrap_or_default()
    }
}

pub(super) fn uint(bytes: &[u8], kind: Kind) -> u64 {
    let len = match kind {
        Kind::U8 => 1,
        Kind::U16 => 2,
        Kind::Uint(n) => usize::from(n),
        Kind::V4 | Kind::V6 => 0,
    };
    bytes.get(..len).unwrap_or_default().iter().fold(0, |v, b| (v << 8) | u64::from(*b))
}

/// An integer in a row.
pub(super) fn uint_at(row: &[u8], read: Read) -> u64 {
    uint(row.get(read.offset..).unwrap_or_default(), read.kind)
}

fn v4(b: &[u8; 4]) -> [u8; 16] {
    let [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11] = V4_HEAD;
    [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, b[0], b[1], b[2], b[3]]
}

fn address(bytes: &[u8], kind: Kind) -> [u8; 16] {
    match kind {
        Kind::V4 => bytes.first_chunk::<4>().map_or(NONE, v4),
        Kind::V6 => bytes.first_chunk::<16>().map_or(NONE, |b| *b),
        _ => NONE,
    }
}

fn is_none(a: &[u8; 16]) -> bool {
    *a == NONE || *a == V4_NONE
}

fn fill_u8(out: &mut Vec<u8>, rows: Rows<'_>, read: Option<Read>) {
    match read {
        None => out.resize(out.len() + rows.count, 0),
        Some(Read { offset, kind: Kind::U8 }) => out.extend(rows.at(offset).map(|c| c.first().copied().unwrap_or(0))),
        Some(Read { offset, kind }) => out.extend(rows.at(offset).map(|c| u8::try_from(uint(c, kind)).unwrap_or(u8::MAX))),
    }
}

fn fill_u16(out: &mut Vec<u16>, rows: Rows<'_>, read: Option<Read>) {
    match read {
        None => out.resize(out.len() + rows.count, 0),
        Some(Read { offset, kind: Kind::U16 }) => {
            out.extend(rows.at(offset).map(|c| c.first_chunk::<2>().map_or(0, |b| u16::from_be_bytes(*b))));
        }
        Some(Read { offset, kind }) => out.extend(rows.at(offset).map(|c| u16::try_from(uint(c, kind)).unwrap_or(u16::MAX))),
    }
}

fn fill_address(out: &mut Vec<[u8; 16]>, rows: Rows<'_>, reads: &[Read]) {
    let start = out.len();
    let Some((first, others)) = reads.split_first() else {
        out.resize(start + rows.count, NONE);
        return;
    };
    match first.kind {
        Kind::V4 => out.extend(rows.at(first.offset).map(|c| c.first_chunk::<4>().map_or(NONE, v4))),
        kind => out.extend(rows.at(first.offset).map(|c| address(c, kind))),
    }
    for other in others {
        let column = out.get_mut(start..).unwrap_or_default();
        for (cell, bytes) in column.iter_mut().zip(rows.at(other.offset)) {
            if is_none(cell) {
                *cell = address(bytes, other.kind);
            }
        }
    }
}

/// Buffers that live as long as the source, so that a set needs no allocation of its own.
#[derive(Debug, Default)]
pub struct Scratch {
    codes: Vec<Code>,
    numbers: Vec<u8>,
    rows: Vec<u8>,
    /// The data sets of the message at hand.
    pub(super) parts: Vec<super::work::Part>,
    /// Buffers for records of sets that are read together.
    pub(super) joined: Vec<Vec<u8>>,
}

/// Number of whole records in a set.
pub fn count(layout: &Layout, body: &[u8]) -> (u32, Option<Fault>) {
    match layout {
        Layout::Fixed(length) if *length > RECORD_BYTES => (0, Some(Fault::RecordShort)),
        Layout::Fixed(length) => {
            let n = body.len() / (*length).max(1);
            (u32::try_from(n).unwrap_or(u32::MAX), (n == 0 && !is_padding(body)).then_some(Fault::RecordShort))
        }
        Layout::Walk { min, steps, .. } => {
            let (mut at, mut n) = (0, 0u32);
            while body.len().saturating_sub(at) >= *min && !is_padding(body.get(at..).unwrap_or_default()) {
                match record_end(steps, body, at) {
                    Some(end) => at = end,
                    None => return (n, Some(Fault::RecordShort)),
                }
                n += 1;
            }
            (n, None)
        }
    }
}

/// Padding is zero bytes, shorter than any record, and at most 7 of them (RFC 7011 section 3.3.1); v9 pads to four bytes.
fn is_padding(rest: &[u8]) -> bool {
    rest.len() < 8 && rest.iter().all(|b| *b == 0)
}

/// Where a value begins, how long it is, and where the next one begins.
fn value(step: &Step, body: &[u8], at: usize) -> Option<(usize, usize)> {
    if step.length != VARIABLE {
        return Some((at, usize::from(step.length)));
    }
    match *body.get(at)? {
        255 => Some((at + 3, usize::from(u16_at(body, at + 1)?))),
        n => Some((at + 1, usize::from(n))),
    }
}

fn record_end(steps: &[Step], body: &[u8], mut at: usize) -> Option<usize> {
    for step in steps {
        let (from, len) = value(step, body, at)?;
        at = from + len;
    }
    (at <= body.len()).then_some(at)
}

/// Copies the values that matter out of each record into rows of fixed length.
fn flatten(steps: &[Step], row: usize, body: &[u8], count: usize, out: &mut Vec<u8>) {
    out.clear();
    out.resize(count * row, 0);
    let mut at = 0;
    for cells in out.chunks_mut(row) {
        for step in steps {
            let Some((from, len)) = value(step, body, at) else { return };
            at = from + len;
            if let (Some(slot), Some(bytes)) = (step.slot, body.get(from..at)) {
                put(cells, slot, bytes);
            }
        }
    }
}

fn put(cells: &mut [u8], slot: Slot, bytes: &[u8]) {
    let mut buffer = [0u8; 16];
    let (width, good) = match slot.content {
        Content::Uint => (8, bytes.len() <= 8),
        Content::V4 => (4, bytes.len() == 4),
        Content::V6 => (16, bytes.len() == 16),
        Content::AddressText => {
            buffer = text_address(bytes);
            (16, false)
        }
    };
    if good {
        let tail = buffer.get_mut(width - bytes.len()..width).unwrap_or_default();
        tail.copy_from_slice(bytes);
    }
    if let (Some(target), Some(source)) = (cells.get_mut(slot.offset..slot.offset + width), buffer.get(..width)) {
        target.copy_from_slice(source);
    }
}

/// The address in a text such as `LSN-Host@10.10.10.101`: what stands after the last `@`, brackets allowed.
fn text_address(bytes: &[u8]) -> [u8; 16] {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim_end_matches('\0');
    let tail = text.rsplit('@').next().unwrap_or_default().trim_matches(['[', ']']);
    tail.parse::<weir_base::net::Addr16>().map_or(NONE, |a| a.0)
}

/// Decodes the records of a set into `out`. `records` is what [`count`] said.
pub fn decode(
    layout: &Layout,
    nat: &Nat,
    body: &[u8],
    records: u32,
    context: &Context,
    scratch: &mut Scratch,
    out: &mut NatEventColumns,
) -> Tally {
    let count = records as usize;
    let mut tally = Tally { records: u64::from(records), ..Tally::default() };
    if count == 0 {
        return tally;
    }
    let mut flat = std::mem::take(&mut scratch.rows);
    let rows = match layout {
        Layout::Fixed(length) => Rows { data: body.get(..count * length).unwrap_or_default(), stride: *length, count },
        Layout::Walk { steps, row, .. } => {
            flatten(steps, *row, body, count, &mut flat);
            Rows { data: &flat, stride: *row, count }
        }
    };
    match &nat.event {
        EventFrom::Flow => {
            for code in flow_codes() {
                scratch.codes.clear();
                scratch.codes.resize(count, code);
                columns(nat, rows, context, (&scratch.codes, None), out, &mut tally);
            }
            // Both passes saw the same records.
            tally.ignored /= 2;
            tally.incomplete /= 2;
        }
        EventFrom::Template(code) => {
            scratch.codes.clear();
            scratch.codes.resize(count, *code);
            begins(nat, rows, context, &scratch.codes, out);
            columns(nat, rows, context, (&scratch.codes, None), out, &mut tally);
        }
        EventFrom::Field(read) => {
            scratch.numbers.clear();
            fill_u8(&mut scratch.numbers, rows, Some(*read));
            scratch.codes.clear();
            scratch.codes.extend(scratch.numbers.iter().map(|n| nat.codes[usize::from(*n)]));
            if scratch.codes.contains(&0) {
                other_events(nat, &scratch.numbers, &mut tally);
            }
            if scratch.codes.iter().any(|c| *c != 0) {
                begins(nat, rows, context, &scratch.codes, out);
                columns(nat, rows, context, (&scratch.codes, None), out, &mut tally);
            }
        }
    }
    scratch.rows = flat;
    tally
}

fn other_events(nat: &Nat, numbers: &[u8], tally: &mut Tally) {
    for event in numbers.iter().map(|n| nat.events[usize::from(*n)]) {
        match event {
            Event::None => tally.ignored += 1,
            Event::Unknown => tally.unknown += 1,
            event => {
                if let Some(at) = Event::NOTICES.iter().position(|n| *n == event) {
                    tally.notices[at] += 1;
                }
            }
        }
    }
}

/// What the rows are events of, and when, where that is not the time of the event.
pub(super) type Coded<'a> = (&'a [Code], Option<&'a [i64]>);

pub(super) fn columns(
    nat: &Nat,
    rows: Rows<'_>,
    context: &Context,
    (codes, times): Coded<'_>,
    out: &mut NatEventColumns,
    tally: &mut Tally,
) {
    let start = out.len();
    match times {
        Some(times) => out.time.extend_from_slice(times),
        None => fill_time(&mut out.time, rows, nat, codes, context),
    }
    out.action.extend(codes.iter().map(|c| action_of(*c)));
    out.form.extend(codes.iter().map(|c| form_of(*c)));
    fill_u8(&mut out.protocol, rows, nat.protocol);
    out.source.resize(start + rows.count, context.source);
    fill_address(&mut out.public_address, rows, &nat.public);
    fill_u16(&mut out.public_port, rows, nat.public_port);
    out.public_port_last.extend_from_within_of(&out.public_port, start);
    fill_address(&mut out.inside_address, rows, &nat.inside);
    fill_u16(&mut out.inside_port, rows, nat.inside_port);
    if context.remotes {
        out.with_remotes(start);
        fill_address(&mut out.remote_address, rows, &nat.remote);
        fill_remote_port(&mut out.remote_port, rows, &nat.remote_port);
        out.remote_tag.resize(start + rows.count, 0);
    } else if out.has_remotes() {
        out.with_remotes(start + rows.count);
    }
    let special = |c: &Code| !matches!(form_of(*c), x if x == Form::Session as u8);
    let expanded = if codes.iter().any(special) { special_forms(nat, rows, codes, start, out) } else { Vec::new() };
    let sessions = !nat.remote.is_empty() && !context.remotes;
    let dropped = keep_good(nat, codes, start, out, tally, &expanded);
    let made = out.len() - start;
    tally.rows += made as u64;
    if sessions {
        let session = |f: &&u8| **f == Form::Session as u8;
        tally.remotes_dropped += out.form.get(start..).unwrap_or_default().iter().filter(session).count() as u64;
    }
    debug_assert!(dropped <= rows.count);
}

/// `extend_from_within` from another vector of the same length before.
trait ExtendFrom {
    fn extend_from_within_of(&mut self, other: &[u16], start: usize);
}

impl ExtendFrom for Vec<u16> {
    fn extend_from_within_of(&mut self, other: &[u16], start: usize) {
        self.extend_from_slice(other.get(start..).unwrap_or_default());
    }
}

fn fill_remote_port(out: &mut Vec<u16>, rows: Rows<'_>, reads: &[Read]) {
    let start = out.len();
    fill_u16(out, rows, reads.first().copied());
    for other in reads.iter().skip(1) {
        for (cell, bytes) in out.get_mut(start..).unwrap_or_default().iter_mut().zip(rows.at(other.offset)) {
            if *cell == 0 {
                *cell = u16::try_from(uint(bytes, other.kind)).unwrap_or(u16::MAX);
            }
        }
    }
}

/// Removes rows that are no mapping event or not complete, appends the ports of stepped blocks; gives the number of rows removed.
fn keep_good(nat: &Nat, codes: &[Code], start: usize, out: &mut NatEventColumns, tally: &mut Tally, stepped: &[Stepped]) -> usize {
    let inferred = nat.firewall || nat.event == EventFrom::Flow;
    let inside = out.inside_address.get(start..).unwrap_or_default();
    let public = out.public_address.get(start..).unwrap_or_default();
    let mut good = Vec::new();
    let mut bad = 0;
    for (i, ((code, inside), public)) in codes.iter().zip(inside).zip(public).enumerate() {
        let incomplete = is_none(inside) || is_none(public);
        let untranslated = inferred && (incomplete || inside == public);
        if *code != 0 && !incomplete && !untranslated {
            continue;
        }
        if good.is_empty() {
            good.resize(codes.len(), true);
        }
        set(&mut good, i, false);
        bad += 1;
        match (*code, untranslated) {
            (0, _) => {}
            (_, true) => tally.ignored += 1,
            (_, false) => tally.incomplete += 1,
        }
    }
    for block in stepped {
        if good.is_empty() || good.get(block.row - start) == Some(&true) {
            expand(out, block);
        }
    }
    if bad > 0 {
        good.resize(out.len() - start, true);
        compact(out, start, &good);
    }
    bad
}

/// Sets a cell, if there is one.
pub(super) fn set<T>(column: &mut [T], at: usize, value: T) {
    if let Some(cell) = column.get_mut(at) {
        *cell = value;
    }
}

fn compact(out: &mut NatEventColumns, start: usize, good: &[bool]) {
    fn keep<T: Copy>(column: &mut Vec<T>, start: usize, good: &[bool]) {
        let mut to = start;
        for (i, good) in good.iter().enumerate() {
            if let Some(value) = column.get(start + i).copied().filter(|_| *good) {
                set(column, to, value);
                to += 1;
            }
        }
        column.truncate(to);
    }
    keep(&mut out.time, start, good);
    keep(&mut out.action, start, good);
    keep(&mut out.form, start, good);
    keep(&mut out.protocol, start, good);
    keep(&mut out.source, start, good);
    keep(&mut out.public_address, start, good);
    keep(&mut out.public_port, start, good);
    keep(&mut out.public_port_last, start, good);
    keep(&mut out.inside_address, start, good);
    keep(&mut out.inside_port, start, good);
    keep(&mut out.remote_address, start, good);
    keep(&mut out.remote_port, start, good);
    keep(&mut out.remote_tag, start, good);
}
