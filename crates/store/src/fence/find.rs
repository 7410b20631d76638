//! Ended mappings of one public end in one unit, read cell by cell: of each column that is needed the page, and of it the rows that are meant.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::RowType;

use super::{Fence, Known, crossers, fence_key, own};
use crate::catalog::UnitMeta;
use crate::engine::StoreError;
use crate::index::{IndexFiles, needs_span};
use crate::nat::columns::{Row, at, cells};
use crate::nat::mapping::Mapping;
use crate::shelf::{OpenUnit, Shelf};
use crate::table::Stats;

/// Ended mappings of one exact public end in one sealed unit, read page by page.
pub struct UnitLookup<'a> {
    /// Where index files lie.
    pub files: &'a IndexFiles,
    /// The day key of the unit.
    pub key: Secret,
    /// The unit.
    pub unit: &'a UnitMeta,
}

/// What is asked for: a public end and a time.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Public address.
    pub addr: Addr16,
    /// Public port.
    pub port: u16,
    /// Earliest end.
    pub from: Millis,
    /// Latest start.
    pub to: Millis,
}

/// Key of an entry in a fence table: that of its first row, and the row.
fn entry_key(wanted: Wanted, start: Millis, row: [u8; 4]) -> [u8; 30] {
    let mut key = [0; 30];
    key[..26].copy_from_slice(&fence_key(&wanted.addr.0, wanted.port, start));
    key[26..].copy_from_slice(&row);
    key
}

impl UnitLookup<'_> {
    /// Rows of mappings that have ended and overlap what is wanted, if the unit answers for them.
    pub fn find(&self, wanted: Wanted, shelf: &Shelf, stats: &mut Stats) -> Result<Vec<Mapping>, StoreError> {
        let open = shelf.unit(self.files, self.unit)?;
        let first = entry_key(wanted, self.unit.window.0, [0; 4]);
        let last = entry_key(wanted, wanted.to, [0xff; 4]);
        let mut found = Vec::new();
        // Nearly all that a unit closes began in it: most units that closed later have nothing to say, and say so with one block.
        let own = own(self.unit.window);
        let earlier = wanted.to < own.begin && !open.is_at_hand(&first, &last);
        if earlier && !crossers::may_hold(open.table(), (wanted.addr, wanted.port), wanted.to, own, stats)? {
            return Ok(found);
        }
        for fence in open.fences(&first, &last, stats)? {
            Page { lookup: self, fence: &fence, open: &open, stats }.find(wanted, &mut found)?;
        }
        Ok(found)
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged(format!("the index of unit {} is damaged: delete the index folder, it is rebuilt", self.unit.unit))
    }
}

/// The rows of one fence under inspection.
struct Page<'a, 'b> {
    lookup: &'a UnitLookup<'a>,
    fence: &'a Fence,
    open: &'a OpenUnit,
    stats: &'b mut Stats,
}

impl Page<'_, '_> {
    fn find(&mut self, wanted: Wanted, found: &mut Vec<Mapping>) -> Result<(), StoreError> {
        let (Ok(start), Ok(end)) = (usize::try_from(self.fence.rows.start), usize::try_from(self.fence.rows.end)) else {
            return Err(self.lookup.damaged());
        };
        let (mut low, mut high) = (0, end.checked_sub(start).ok_or_else(|| self.lookup.damaged())?);
        // Rows of one end stand together, those of one address too.
        let public = self.column(at::PUBLIC, low, high)?;
        let addresses = public.addresses();
        narrow(&mut low, &mut high, |i| addresses.at(i).cmp(&wanted.addr.0));
        if low == high {
            return Ok(());
        }
        let ports = self.column(at::PORT, low, high)?;
        let (ports, base) = (ports.numbers::<UInt16Type>(|b| u16::from_le_bytes(head(b))), low);
        narrow(&mut low, &mut high, |i| ports.at(i - base).cmp(&wanted.port));
        if low == high {
            return Ok(());
        }
        let end = |row: usize| (addresses.at(low + row), ports.at(low - base + row));
        self.overlapping(wanted, (low, high), &end, found)
    }

    /// Of the rows of one end those that overlap; `end` tells their public address and port.
    fn overlapping(
        &mut self,
        wanted: Wanted,
        (low, high): (usize, usize),
        end: &dyn Fn(usize) -> (Known, u16),
        found: &mut Vec<Mapping>,
    ) -> Result<(), StoreError> {
        let start = self.column(at::START, low, high)?;
        let starts = start.numbers::<TimestampMillisecondType>(|b| i64::from_le_bytes(head(b)));
        let began = |i: &usize| starts.at(*i) <= wanted.to.0;
        // In units after the moment there is often none that began before it: that is known without the next page.
        if !(0..high - low).any(|i| began(&i)) {
            return Ok(());
        }
        let duration = self.column(at::DURATION, low, high)?;
        let lasts = duration.numbers::<UInt64Type>(|b| u64::from_le_bytes(head(b)));
        let lasted = |i: &usize| starts.at(*i).saturating_add_unsigned(lasts.at(*i)) >= wanted.from.0;
        let mut rows = (0..high - low).filter(began).filter(lasted).peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut of = |index: usize| self.column(index, low, high);
        let (more, protocol, form, row_type) = (of(at::MORE)?, of(at::PROTOCOL)?, of(at::FORM)?, of(at::ROW_TYPE)?);
        let (flags, inside, inside_port, source) = (of(at::FLAGS)?, of(at::INSIDE)?, of(at::INSIDE_PORT)?, of(at::SOURCE)?);
        let (remote, remote_port, tag) = (of(at::REMOTE)?, of(at::REMOTE_PORT)?, of(at::TAG)?);
        for i in rows {
            let (public, port) = end(i);
            let row = Row {
                public,
                port,
                start: starts.at(i),
                duration: lasts.at(i),
                more: more.u16(i),
                protocol: protocol.u8(i),
                form: form.u8(i),
                row_type: row_type.u8(i),
                flags: flags.u8(i),
                inside: inside.addresses().at(i),
                inside_port: inside_port.u16(i),
                source: source.u32(i),
                remote: remote.addresses().at(i),
                remote_port: remote_port.u16(i),
                tag: tag.u64(i),
            };
            let Some((row_type, m)) = row.says() else { continue };
            let ended = matches!(row_type, RowType::Whole | RowType::Close);
            let overlaps = m.start.is_some_and(|s| s <= wanted.to) && m.end.is_some_and(|e| e >= wanted.from);
            if ended && overlaps && !needs_span(&m, self.lookup.unit.window) {
                found.push(m);
            }
        }
        Ok(())
    }

    /// Rows `low..high` of a column, counted from the first row of the fence.
    fn column(&mut self, index: usize, low: usize, high: usize) -> Result<Column, StoreError> {
        if let Some(known) = self.fence.constants.get(index).and_then(Option::as_ref) {
            return Ok(Column::One(*known));
        }
        let mut at = self.fence.rows.start + low as u64;
        let end = self.fence.rows.start + high as u64;
        let mut parts = Vec::new();
        while at < end {
            let spot = self.fence.map.locate(at, index).ok_or_else(|| self.lookup.damaged())?;
            let page = self.open.page(self.lookup.files, &self.lookup.key, self.fence.map.unique, &spot, self.stats)?;
            let until = spot.range().end.min(end);
            let (skip, len) = ((at - spot.first_row) as usize, (until - at) as usize);
            if skip + len > page.len() {
                return Err(self.lookup.damaged());
            }
            if parts.is_empty() && until == end {
                return Ok(Column::Many(page, skip));
            }
            parts.push(page.slice(skip, len));
            at = until;
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        arrow::compute::concat(&parts).map(|joined| Column::Many(joined, 0)).map_err(|_| self.lookup.damaged())
    }
}

/// Some rows of a column.
enum Column {
    /// All have this value.
    One(Known),
    /// They stand in a page from this row on.
    Many(ArrayRef, usize),
}

/// Its cells.
enum Cells<'a, T> {
    One(T),
    Many(&'a [T]),
}

impl<T: Copy> Cells<'_, T> {
    /// # Panics
    /// Beyond the rows that were asked for.
    #[inline]
    fn at(&self, row: usize) -> T {
        match self {
            Cells::One(known) => *known,
            Cells::Many(cells) => cells[row],
        }
    }
}

impl Column {
    /// Of a column of that type; `known` reads one of it.
    fn numbers<T: ArrowPrimitiveType>(&self, known: impl Fn(&Known) -> T::Native) -> Cells<'_, T::Native> {
        match self {
            Column::One(value) => Cells::One(known(value)),
            Column::Many(page, skip) => Cells::Many(&page.as_primitive::<T>().values()[*skip..]),
        }
    }

    fn addresses(&self) -> Cells<'_, Known> {
        match self {
            Column::One(value) => Cells::One(*value),
            Column::Many(page, skip) => Cells::Many(&cells(page)[*skip..]),
        }
    }

    fn u8(&self, row: usize) -> u8 {
        self.numbers::<UInt8Type>(|b| b[0]).at(row)
    }

    fn u16(&self, row: usize) -> u16 {
        self.numbers::<UInt16Type>(|b| u16::from_le_bytes(head(b))).at(row)
    }

    fn u32(&self, row: usize) -> u32 {
        self.numbers::<UInt32Type>(|b| u32::from_le_bytes(head(b))).at(row)
    }

    fn u64(&self, row: usize) -> u64 {
        self.numbers::<UInt64Type>(|b| u64::from_le_bytes(head(b))).at(row)
    }
}

/// The bytes of a shorter value.
fn head<const N: usize>(value: &Known) -> [u8; N] {
    std::array::from_fn(|i| value[i])
}

/// Narrows a stretch of sorted rows to those that are equal.
fn narrow(low: &mut usize, high: &mut usize, order: impl Fn(usize) -> Ordering) {
    let (from, to) = (*low, *high);
    let bound = |within: &dyn Fn(Ordering) -> bool| {
        let (mut a, mut b) = (from, to);
        while a < b {
            let middle = a + (b - a) / 2;
            if within(order(middle)) { a = middle + 1 } else { b = middle }
        }
        a
    };
    *low = bound(&|o| o == Ordering::Less);
    *high = bound(&|o| o != Ordering::Greater);
}
