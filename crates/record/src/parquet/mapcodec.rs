//! Page maps as bytes: version (1 byte), the file's unique bytes (8), then variable-length integers (7 bits a byte, least significant
//! first): number of row groups; each its ordinal, first row, rows, number of columns; each column a form byte (1: has a dictionary,
//! 2: pages of equal rows, 4: pages without gaps), dictionary offset and length, first page's ordinal, end row, number of pages, offset of
//! the first page, its first row; rows a page if they are equal; then for each page: its length as the difference from the length before
//! (zigzag), the gap before it unless there are none, its rows unless they are equal.

use super::ParquetFailure;
use super::map::{Column, Group, Page, PageMap, Span};
use crate::limits::ORDINALS;

const VERSION: u8 = 1;
const DICTIONARY: u8 = 1;
const EQUAL: u8 = 2;
const CLOSE: u8 = 4;

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Where a page ends in the file.
fn end(page: &Page) -> u64 {
    page.offset.saturating_add(u64::from(page.length))
}

/// Rows a page when all pages but the last have the same.
fn equal_rows(column: &Column) -> Option<u32> {
    let first = column.pages.first()?;
    let step = column.pages.get(1)?.first_row.checked_sub(first.first_row)?;
    let same = column.pages.windows(2).all(|w| matches!(w, [a, b] if b.first_row.checked_sub(a.first_row) == Some(step)));
    same.then_some(step)
}

impl PageMap {
    /// The map as bytes: about two bytes a page.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend(self.unique);
        put(&mut out, self.groups.len() as u64);
        for group in &self.groups {
            put(&mut out, u64::from(group.ordinal));
            put(&mut out, group.first_row);
            put(&mut out, u64::from(group.rows));
            put(&mut out, group.columns.len() as u64);
            group.columns.iter().for_each(|column| encode_column(column, &mut out));
        }
        out
    }

    /// Undoes [`PageMap::encode`].
    ///
    /// # Errors
    /// [`ParquetFailure::Short`] and [`ParquetFailure::Format`]; nothing is allocated that the bytes do not pay for.
    pub fn decode(bytes: &[u8]) -> Result<PageMap, ParquetFailure> {
        let mut cursor = Cursor(bytes);
        if cursor.byte()? != VERSION {
            return Err(ParquetFailure::Format("the version of a page map"));
        }
        let (unique, rest) = cursor.0.split_first_chunk().ok_or(ParquetFailure::Short)?;
        cursor.0 = rest;
        let mut map = PageMap { unique: *unique, groups: Vec::new() };
        for _ in 0..cursor.count()? {
            let ordinal = cursor.number()?;
            let first_row = cursor.number()?;
            let rows = cursor.number()?;
            let count = cursor.count()?;
            let columns = (0..count).map(|_| decode_column(&mut cursor)).collect::<Result<_, _>>()?;
            map.groups.push(Group { ordinal, first_row, rows, columns });
        }
        if !cursor.0.is_empty() {
            return Err(ParquetFailure::Format("bytes are left over after a page map"));
        }
        map.check()?;
        Ok(map)
    }
}

fn encode_column(column: &Column, out: &mut Vec<u8>) {
    let equal = equal_rows(column);
    let close = column.pages.windows(2).all(|w| matches!(w, [a, b] if end(a) == b.offset));
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    out.push(flag(column.dictionary.is_some(), DICTIONARY) | flag(equal.is_some(), EQUAL) | flag(close, CLOSE));
    if let Some(dictionary) = column.dictionary {
        put(out, dictionary.offset);
        put(out, u64::from(dictionary.length));
    }
    put(out, u64::from(column.first_page));
    put(out, u64::from(column.end_row));
    put(out, column.pages.len() as u64);
    let Some(first) = column.pages.first() else { return };
    put(out, first.offset);
    put(out, u64::from(first.first_row));
    if let Some(step) = equal {
        put(out, u64::from(step));
    }
    let mut before = Page { offset: first.offset, length: 0, first_row: first.first_row };
    for (i, page) in column.pages.iter().enumerate() {
        put(out, zigzag(i64::from(page.length) - i64::from(before.length)));
        if i > 0 {
            if !close {
                // Wrapping: an offset that goes back is kept as it is, and found by `check`'s own rules when read.
                put(out, page.offset.wrapping_sub(end(&before)));
            }
            if equal.is_none() {
                put(out, u64::from(page.first_row.wrapping_sub(before.first_row)));
            }
        }
        before = *page;
    }
}

fn decode_column(cursor: &mut Cursor<'_>) -> Result<Column, ParquetFailure> {
    let bad = || ParquetFailure::Format("a number in a page map");
    let form = cursor.byte()?;
    if form > (DICTIONARY | EQUAL | CLOSE) {
        return Err(ParquetFailure::Format("the form of a column in a page map"));
    }
    let dictionary = match form & DICTIONARY {
        0 => None,
        _ => Some(Span { offset: cursor.number()?, length: cursor.number()? }),
    };
    let mut column = Column { dictionary, first_page: cursor.number()?, end_row: cursor.number()?, pages: Vec::new() };
    let count = cursor.count()?;
    if count > ORDINALS {
        return Err(ParquetFailure::Limit { what: "the number of pages", is: count as u64, most: ORDINALS as u64 });
    }
    if count == 0 {
        return Ok(column);
    }
    let mut before = Page { offset: cursor.number()?, length: 0, first_row: cursor.number()? };
    let step = if form & EQUAL == 0 { None } else { Some(cursor.number::<u32>()?) };
    column.pages.reserve_exact(count);
    for i in 0..count {
        let raw: u64 = cursor.number()?;
        let delta = (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed();
        let length = i64::from(before.length).checked_add(delta).and_then(|l| u32::try_from(l).ok()).ok_or_else(bad)?;
        let mut page = Page { offset: before.offset, length, first_row: before.first_row };
        if i > 0 {
            let gap: u64 = if form & CLOSE == 0 { cursor.number()? } else { 0 };
            let rows: u32 = step.map_or_else(|| cursor.number(), Ok)?;
            page.offset = end(&before).wrapping_add(gap);
            page.first_row = before.first_row.checked_add(rows).ok_or_else(bad)?;
        }
        column.pages.push(page);
        before = page;
    }
    Ok(column)
}

struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, ParquetFailure> {
        let (first, rest) = self.0.split_first().ok_or(ParquetFailure::Short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Result<T, ParquetFailure> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return T::try_from(value).map_err(|_| ParquetFailure::Format("a number in a page map"));
            }
        }
        Err(ParquetFailure::Format("a number in a page map"))
    }

    /// A count of things that take at least one byte each.
    fn count(&mut self) -> Result<usize, ParquetFailure> {
        let count: usize = self.number()?;
        if count > self.0.len() { Err(ParquetFailure::Short) } else { Ok(count) }
    }
}
