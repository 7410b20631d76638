//! Fence tables: which page of a NAT unit holds which public ends, so that a look-up reads a few columns of one page and never the unit's footer.
//! Columns that have one value in all rows of a page are told in the table itself, and then not read at all.

mod crossers;

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, RecordBatch, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::column::{UTC, bytes16};
use weir_record::field::Type;
use weir_record::kinds::RowType;
use weir_record::parquet::{self, PageMap};
use weir_record::{Id, Kind};

use crossers::Own;

use crate::catalog::UnitMeta;
use crate::engine::StoreError;
use crate::index::{IndexFiles, needs_span};
use crate::limits::{REACH_MS, REACH_UNITS, WINDOW_SLACK_MS};
use crate::nat::mapping::{Columns, Mapping};
use crate::shelf::{OpenUnit, Shelf};
use crate::spankey::sortable;
use crate::table::{Stats, TableWriter};

/// Folder of the tables.
pub const FENCES: &str = "index/units";

/// When the unit that has this window was opened, and for how long: the window reaches back from there ([`REACH_UNITS`], [`REACH_MS`]). Roughly, where the window was not
/// kept: what comes of it is only which units are asked twice.
fn own(window: (Millis, Millis)) -> Own {
    let long = window.1.since(window.0) - 2 * WINDOW_SLACK_MS;
    let length = (long / (REACH_UNITS + 1)).max(long - REACH_MS).max(0);
    Own { begin: window.1.plus(-WINDOW_SLACK_MS - length), length }
}

/// Columns of a NAT mapping that a look-up has no use for.
const UNREAD: [&str; 2] = ["ref_entry", "ref_row"];

/// Key of a row.
fn fence_key(addr: &[u8; 16], port: u16, start: Millis) -> [u8; 26] {
    let mut key = [0; 26];
    key[..16].copy_from_slice(addr);
    key[16..18].copy_from_slice(&port.to_be_bytes());
    key[18..].copy_from_slice(&sortable(start));
    key
}

/// Where a unit's fence table lies.
pub fn fence_file(unit: Id) -> String {
    format!("{FENCES}/{unit}.tbl")
}

/// The value that all rows of a column have, little-endian; none if they differ.
fn constant(column: &ArrayRef, ty: Type) -> Option<Vec<u8>> {
    fn one<T: Copy + PartialEq, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Option<Vec<u8>> {
        let (first, rest) = values.split_first()?;
        // The last value differs first in sorted columns.
        (rest.last().is_none_or(|v| v == first) && rest.iter().all(|v| v == first)).then(|| bytes(*first).to_vec())
    }
    match ty {
        Type::U8 => one(column.as_primitive::<UInt8Type>().values(), u8::to_le_bytes),
        Type::U16 => one(column.as_primitive::<UInt16Type>().values(), u16::to_le_bytes),
        Type::U32 => one(column.as_primitive::<UInt32Type>().values(), u32::to_le_bytes),
        Type::U64 => one(column.as_primitive::<UInt64Type>().values(), u64::to_le_bytes),
        Type::Time => one(column.as_primitive::<TimestampMillisecondType>().values(), i64::to_le_bytes),
        Type::Id | Type::Addr => {
            let column = column.as_fixed_size_binary();
            let bytes = &column.value_data()[column.offset() * 16..(column.offset() + column.len()) * 16];
            one(bytes.as_chunks::<16>().0, |v| v)
        }
        Type::Text | Type::Bytes => None,
    }
}

/// A column of so many rows of one value; none if the bytes are not of the type's length.
fn repeated(ty: Type, bytes: &[u8], rows: usize) -> Option<ArrayRef> {
    Some(match ty {
        Type::U8 => Arc::new(UInt8Array::from(vec![u8::from_le_bytes(bytes.try_into().ok()?); rows])),
        Type::U16 => Arc::new(UInt16Array::from(vec![u16::from_le_bytes(bytes.try_into().ok()?); rows])),
        Type::U32 => Arc::new(UInt32Array::from(vec![u32::from_le_bytes(bytes.try_into().ok()?); rows])),
        Type::U64 => Arc::new(UInt64Array::from(vec![u64::from_le_bytes(bytes.try_into().ok()?); rows])),
        Type::Time => Arc::new(TimestampMillisecondArray::from(vec![i64::from_le_bytes(bytes.try_into().ok()?); rows]).with_timezone(UTC)),
        Type::Id | Type::Addr => {
            let values = vec![<[u8; 16]>::try_from(bytes).ok()?; rows];
            Arc::new(FixedSizeBinaryArray::new(16, Buffer::from_vec(values.into_flattened()), None))
        }
        Type::Text | Type::Bytes => return None,
    })
}

/// One entry of a table: rows of the file, the values of columns that have only one, and where the pages of the others are.
pub(crate) struct Fence {
    rows: std::ops::Range<u64>,
    constants: Vec<Option<Vec<u8>>>,
    map: PageMap,
}

impl Fence {
    fn of(rows: std::ops::Range<u64>, columns: &[ArrayRef], map: &PageMap) -> Fence {
        let fields = Kind::NatMapping.spec().fields;
        let constants: Vec<_> = fields.iter().zip(columns).map(|(field, column)| constant(column, field.ty)).collect();
        let mut map = map.cut(rows.clone());
        for group in &mut map.groups {
            for ((column, known), field) in group.columns.iter_mut().zip(&constants).zip(fields) {
                if known.is_some() || UNREAD.contains(&field.name) {
                    *column = parquet::Column::default();
                }
            }
        }
        Fence { rows, constants, map }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = self.rows.start.to_le_bytes().to_vec();
        out.extend(self.rows.end.to_le_bytes());
        let mask = self.constants.iter().enumerate().filter(|(_, c)| c.is_some()).fold(0u32, |mask, (i, _)| mask | 1 << i);
        out.extend(mask.to_le_bytes());
        self.constants.iter().flatten().for_each(|c| out.extend(c));
        out.extend(self.map.encode());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Fence> {
        let (start, bytes) = bytes.split_first_chunk::<8>()?;
        let (end, bytes) = bytes.split_first_chunk::<8>()?;
        let (mask, mut bytes) = bytes.split_first_chunk::<4>()?;
        let mask = u32::from_le_bytes(*mask);
        let mut constants = Vec::new();
        for (i, field) in Kind::NatMapping.spec().fields.iter().enumerate() {
            let known = if mask & 1 << i == 0 {
                None
            } else {
                let (value, rest) = bytes.split_at_checked(field.ty.fixed_len()?)?;
                bytes = rest;
                Some(value.to_vec())
            };
            constants.push(known);
        }
        Some(Fence { rows: u64::from_le_bytes(*start)..u64::from_le_bytes(*end), constants, map: PageMap::decode(bytes).ok()? })
    }
}

/// Writes the fence table of a NAT unit: first public end of each page → what the page holds. `rows` are the unit's own rows, which lie in the
/// file from `first_row` on.
pub fn write_fences(files: &IndexFiles, unit: &UnitMeta, rows: &RecordBatch, map: &PageMap, first_row: u64) -> Result<(), StoreError> {
    let path = fence_file(unit.unit);
    if files.disk.exists(path.as_ref())? {
        files.disk.remove(path.as_ref())?;
    }
    let mut writer = TableWriter::create(&files.disk, path.as_ref(), &files.key(unit.sealed.day())?)?;
    let (addrs, ports) = (rows.column(0).as_fixed_size_binary(), rows.column(1).as_primitive::<UInt16Type>());
    let starts = rows.column(2).as_primitive::<TimestampMillisecondType>();
    let end = first_row + rows.num_rows() as u64;
    // A column of one value has longer pages than others, the public address too: the shortest pages are what a look-up reads.
    let shortest = (0..rows.num_columns()).max_by_key(|column| map.spots(*column, first_row..end).count()).unwrap_or(0);
    for spot in map.spots(shortest, first_row..end) {
        let cut = spot.range().start.max(first_row)..spot.range().end.min(end);
        let row = usize::try_from(cut.start - first_row).unwrap_or(0);
        let len = usize::try_from(cut.end - cut.start).unwrap_or(0);
        let key = fence_key(&bytes16(addrs, row), ports.value(row), Millis(starts.value(row)));
        let columns: Vec<ArrayRef> = rows.columns().iter().map(|c| c.slice(row, len)).collect();
        // Two pages may begin with the same end and start: the later one is found from the earlier.
        let mut unique = key.to_vec();
        unique.extend(u32::try_from(row).unwrap_or(u32::MAX).to_be_bytes());
        writer.push(&unique, &Fence::of(cut, &columns, map).encode())?;
    }
    crossers::write(&mut writer, own(unit.window), rows)?;
    writer.finish()?;
    Ok(())
}

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

impl UnitLookup<'_> {
    /// Rows of mappings that have ended and overlap what is wanted, if the unit answers for them.
    pub fn find(&self, wanted: Wanted, shelf: &Shelf, stats: &mut Stats) -> Result<Vec<Mapping>, StoreError> {
        let open = shelf.unit(self.files, self.unit)?;
        let mut first = fence_key(&wanted.addr.0, wanted.port, self.unit.window.0).to_vec();
        first.extend([0; 4]);
        let mut last = fence_key(&wanted.addr.0, wanted.port, wanted.to).to_vec();
        last.extend([0xff; 4]);
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
        match self.constant("public_address") {
            Some(known) if known == wanted.addr.0 => {}
            Some(_) => return Ok(()),
            None => {
                let addrs = self.column("public_address", low, high)?;
                let addrs = addrs.as_fixed_size_binary();
                narrow(&mut low, &mut high, |i| addrs.value(i).cmp(&wanted.addr.0));
            }
        }
        if low == high {
            return Ok(());
        }
        let ports = self.column("public_port", low, high)?;
        let ports = ports.as_primitive::<UInt16Type>().values();
        let base = low;
        narrow(&mut low, &mut high, |i| ports[i - base].cmp(&wanted.port));
        if low == high {
            return Ok(());
        }
        self.overlapping(wanted, low, high, found)
    }

    /// Of the rows of one end those that overlap.
    fn overlapping(&mut self, wanted: Wanted, low: usize, high: usize, found: &mut Vec<Mapping>) -> Result<(), StoreError> {
        let (start, duration) = (self.column("start", low, high)?, self.column("duration", low, high)?);
        let (starts, lasts) = (start.as_primitive::<TimestampMillisecondType>(), duration.as_primitive::<UInt64Type>());
        let overlaps =
            |i: usize| starts.value(i) <= wanted.to.0 && starts.value(i).saturating_add_unsigned(lasts.value(i)) >= wanted.from.0;
        if !(0..high - low).any(overlaps) {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(Kind::NatMapping.spec().fields.len());
        for field in Kind::NatMapping.spec().fields {
            columns.push(match field.name {
                "start" => Arc::clone(&start),
                "duration" => Arc::clone(&duration),
                name if UNREAD.contains(&name) => {
                    repeated(field.ty, &vec![0; field.ty.fixed_len().unwrap_or(0)], high - low).ok_or_else(|| self.lookup.damaged())?
                }
                name => self.column(name, low, high)?,
            });
        }
        let rows = RecordBatch::try_new(Kind::NatMapping.schema(), columns).map_err(|_| self.lookup.damaged())?;
        let rows = Columns::of(&rows);
        for (row_type, m) in (0..high - low).filter(|row| overlaps(*row)).filter_map(|row| rows.get(row)) {
            let ended = matches!(row_type, RowType::Whole | RowType::Close);
            let overlaps = m.start.is_some_and(|s| s <= wanted.to) && m.end.is_some_and(|e| e >= wanted.from);
            if ended && overlaps && !needs_span(&m, self.lookup.unit.window) {
                found.push(m);
            }
        }
        Ok(())
    }

    /// The value that a column has in all rows, if it is one.
    fn constant(&self, name: &str) -> Option<&[u8]> {
        let index = Kind::NatMapping.spec().index(name)?;
        self.fence.constants.get(index)?.as_deref()
    }

    /// Rows `low..high` of a column, counted from the first row of the fence.
    fn column(&mut self, name: &str, low: usize, high: usize) -> Result<ArrayRef, StoreError> {
        let index = Kind::NatMapping.spec().index(name).unwrap_or(0);
        let field = &Kind::NatMapping.spec().fields[index];
        if let Some(known) = self.fence.constants.get(index).and_then(Option::as_ref) {
            return repeated(field.ty, known, high - low).ok_or_else(|| self.lookup.damaged());
        }
        let mut at = self.fence.rows.start + low as u64;
        let end = self.fence.rows.start + high as u64;
        let mut parts = Vec::with_capacity(1);
        while at < end {
            let spot = self.fence.map.locate(at, index).ok_or_else(|| self.lookup.damaged())?;
            let page = self.open.page(self.lookup.files, &self.lookup.key, self.fence.map.unique, &spot, self.stats)?;
            let until = spot.range().end.min(end);
            let (skip, len) = ((at - spot.first_row) as usize, (until - at) as usize);
            if skip + len > page.len() {
                return Err(self.lookup.damaged());
            }
            parts.push(page.slice(skip, len));
            at = until;
        }
        match parts.as_slice() {
            [one] => Ok(Arc::clone(one)),
            many => {
                let many: Vec<&dyn Array> = many.iter().map(AsRef::as_ref).collect();
                arrow::compute::concat(&many).map_err(|_| self.lookup.damaged())
            }
        }
    }
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
