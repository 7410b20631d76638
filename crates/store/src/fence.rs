//! Fence tables: which page of a NAT unit holds which public ends, so that a look-up reads a few columns of one page and never the unit's footer.
//! Columns that have one value in all rows of a page are told in the table itself, and then not read at all.

mod crossers;
mod find;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::time::Millis;
use weir_record::column::bytes16;
use weir_record::field::Type;
use weir_record::parquet::{self, PageMap};
use weir_record::{Id, Kind};

pub use find::{UnitLookup, Wanted};

use crossers::Own;

use crate::catalog::UnitMeta;
use crate::engine::StoreError;
use crate::index::IndexFiles;
use crate::limits::{REACH_MS, REACH_UNITS, WINDOW_SLACK_MS};
use crate::nat::columns::at;
use crate::spankey::sortable;
use crate::table::TableWriter;

/// Folder of the tables.
pub const FENCES: &str = "index/units";

/// When the unit that has this window was opened, and for how long: the window reaches back from there ([`REACH_UNITS`], [`REACH_MS`]). Roughly, where the window was not
/// kept: what comes of it is only which units are asked twice.
fn own(window: (Millis, Millis)) -> Own {
    let long = window.1.since(window.0) - 2 * WINDOW_SLACK_MS;
    let length = (long / (REACH_UNITS + 1)).max(long - REACH_MS).max(0);
    Own { begin: window.1.plus(-WINDOW_SLACK_MS - length), length }
}

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

/// A value, little-endian; zero behind its end.
type Known = [u8; 16];

/// The value that all rows of a column have; none if they differ.
fn constant(column: &ArrayRef, ty: Type) -> Option<Known> {
    fn one<T: Copy + PartialEq, const N: usize>(values: &[T], bytes: impl Fn(T) -> [u8; N]) -> Option<Known> {
        let (first, rest) = values.split_first()?;
        // The last value differs first in sorted columns.
        (rest.last().is_none_or(|v| v == first) && rest.iter().all(|v| v == first)).then(|| known(&bytes(*first)))
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

fn known(bytes: &[u8]) -> Known {
    let mut value = [0; 16];
    value.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    value
}

/// One entry of a table: rows of the file, the values of columns that have only one, and where the pages of the others are.
pub(crate) struct Fence {
    rows: std::ops::Range<u64>,
    constants: Vec<Option<Known>>,
    map: PageMap,
}

impl Fence {
    fn of(rows: std::ops::Range<u64>, columns: &[ArrayRef], map: &PageMap) -> Fence {
        let fields = Kind::NatMapping.spec().fields;
        let constants: Vec<_> = fields.iter().zip(columns).map(|(field, column)| constant(column, field.ty)).collect();
        let mut map = map.cut(rows.clone());
        for group in &mut map.groups {
            for (i, (column, known)) in group.columns.iter_mut().zip(&constants).enumerate() {
                // Columns behind these name an older row: a look-up has no use for them.
                if known.is_some() || i > at::TAG {
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
        for (known, field) in self.constants.iter().zip(Kind::NatMapping.spec().fields) {
            out.extend(known.iter().flat_map(|known| &known[..field.ty.fixed_len().unwrap_or(0)]));
        }
        out.extend(self.map.encode());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Fence> {
        let (start, bytes) = bytes.split_first_chunk::<8>()?;
        let (end, bytes) = bytes.split_first_chunk::<8>()?;
        let (mask, mut bytes) = bytes.split_first_chunk::<4>()?;
        let mask = u32::from_le_bytes(*mask);
        let mut constants = Vec::with_capacity(Kind::NatMapping.spec().fields.len());
        for (i, field) in Kind::NatMapping.spec().fields.iter().enumerate() {
            let value = if mask & 1 << i == 0 {
                None
            } else {
                let (value, rest) = bytes.split_at_checked(field.ty.fixed_len()?)?;
                bytes = rest;
                Some(known(value))
            };
            constants.push(value);
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
