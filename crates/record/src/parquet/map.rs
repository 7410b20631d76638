//! Where the pages of a file are: what one needs, beside the key, to read a page without the footer.

use std::io;
use std::ops::Range;

use weir_base::crypto::Secret;

use super::ParquetFailure;
use super::footer::{Footer, ReadAt};
use super::module::UNIQUE_BYTES;
use crate::kind::Kind;
use crate::limits::{ORDINALS, PAGE_BYTES, PAGE_ROWS_MAX};

/// Some bytes of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub length: u32,
}

/// One page: both its modules, header and data, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Where its header module begins in the file.
    pub offset: u64,
    /// Bytes of both modules as stored.
    pub length: u32,
    /// Its first row, counted from the start of its row group.
    pub first_row: u32,
}

/// The pages of one column in one row group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Both modules of the dictionary, if the column has one.
    pub dictionary: Option<Span>,
    /// Ordinal of the first page in `pages`: 0 but in a map that was cut.
    pub first_page: u16,
    /// Row of the row group at which the last page ends.
    pub end_row: u32,
    /// The pages, in order.
    pub pages: Vec<Page>,
}

/// One row group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its ordinal in the file.
    pub ordinal: u16,
    /// Its first row, counted from the start of the file.
    pub first_row: u64,
    /// Its rows.
    pub rows: u32,
    /// Its columns, in the order of the kind's fields.
    pub columns: Vec<Column>,
}

/// Where the pages of a file, or of a part of it, are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageMap {
    /// The file's unique part of the associated data.
    pub unique: [u8; UNIQUE_BYTES],
    /// The row groups, in order.
    pub groups: Vec<Group>,
}

/// One page with all that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Ordinal of the row group.
    pub group: u16,
    /// Position of the column.
    pub column: u16,
    /// Ordinal of the page in its column and row group.
    pub page: u16,
    /// Where its bytes are.
    pub at: Span,
    /// Its first row, counted from the start of the file.
    pub first_row: u64,
    /// Its rows.
    pub rows: u32,
    /// The dictionary of its column and row group, if there is one.
    pub dictionary: Option<Span>,
}

impl Spot {
    /// The rows of the page, counted from the start of the file.
    pub fn range(&self) -> Range<u64> {
        self.first_row..self.first_row + u64::from(self.rows)
    }
}

impl Group {
    fn spot(&self, column: usize, page: usize) -> Option<Spot> {
        let pages = self.columns.get(column)?;
        let here = pages.pages.get(page)?;
        let end = pages.pages.get(page + 1).map_or(pages.end_row, |next| next.first_row);
        Some(Spot {
            group: self.ordinal,
            column: u16::try_from(column).ok()?,
            page: pages.first_page.checked_add(u16::try_from(page).ok()?)?,
            at: Span { offset: here.offset, length: here.length },
            first_row: self.first_row.checked_add(u64::from(here.first_row))?,
            rows: end.checked_sub(here.first_row)?,
            dictionary: pages.dictionary,
        })
    }
}

impl PageMap {
    /// Rows from the start of the file to the end of this map.
    pub fn rows(&self) -> u64 {
        self.groups.last().map_or(0, |g| g.first_row + u64::from(g.rows))
    }

    /// End of the last page in the file, in bytes.
    pub fn end(&self) -> u64 {
        let pages = self.groups.iter().flat_map(|g| &g.columns).filter_map(|c| c.pages.last());
        pages.map(|p| p.offset.saturating_add(u64::from(p.length))).max().unwrap_or(0)
    }

    /// The page of `column` that holds `row`, counted from the start of the file.
    pub fn locate(&self, row: u64, column: usize) -> Option<Spot> {
        let after = self.groups.partition_point(|g| g.first_row <= row);
        let group = self.groups.get(after.checked_sub(1)?)?;
        let inside = u32::try_from(row - group.first_row).ok().filter(|r| *r < group.rows)?;
        let pages = &group.columns.get(column)?.pages;
        let after = pages.partition_point(|p| p.first_row <= inside);
        group.spot(column, after.checked_sub(1)?).filter(|spot| spot.range().contains(&row))
    }

    /// The pages of `column` that hold any of `rows`, in order.
    pub fn spots(&self, column: usize, rows: Range<u64>) -> impl Iterator<Item = Spot> {
        let (start, end) = (rows.start, rows.end);
        let groups = self.groups.iter().filter(move |g| touches(&rows, g.first_row, g.rows));
        let spots = groups.flat_map(move |g| {
            let pages = g.columns.get(column).map_or(&[][..], |c| &c.pages);
            // Binary search, because a look-up asks for one page among thousands.
            let from = u32::try_from(start.saturating_sub(g.first_row)).unwrap_or(u32::MAX);
            let first = pages.partition_point(|p| p.first_row <= from).saturating_sub(1);
            (first..pages.len()).map_while(move |p| g.spot(column, p).filter(|s| s.first_row < end))
        });
        spots.filter(|s| s.rows > 0)
    }

    /// The part of the map that covers `rows`, with the ordinals of the whole: small enough to be kept beside an index entry.
    pub fn cut(&self, rows: Range<u64>) -> PageMap {
        let groups = self.groups.iter().filter(|g| touches(&rows, g.first_row, g.rows));
        let groups = groups.map(|group| {
            let columns = (0..group.columns.len()).map(|c| cut_column(group, c, &rows)).collect();
            Group { ordinal: group.ordinal, first_row: group.first_row, rows: group.rows, columns }
        });
        PageMap { unique: self.unique, groups: groups.collect() }
    }

    /// The map of a whole file, rebuilt from its footer and offset indexes.
    ///
    /// `read` reads so many bytes at an offset (fewer only at the end of the file); `len` is the file's length in bytes.
    ///
    /// # Errors
    /// If the file cannot be read, is cut, does not decrypt under `key`, or is not as this program writes it.
    pub fn from_file(read: &dyn Fn(u64, usize) -> io::Result<Vec<u8>>, len: u64, key: &Secret) -> Result<PageMap, ParquetFailure> {
        Footer::load(read, len, key)?.map(read)
    }

    /// [`PageMap::from_file`] of a file in memory.
    pub fn from_bytes(file: &[u8], key: &Secret) -> Result<PageMap, ParquetFailure> {
        PageMap::from_file(&|offset, len| Ok(within(file, offset, len).to_vec()), file.len() as u64, key)
    }

    /// [`PageMap::from_file`], and that the file holds `kind`.
    pub(super) fn of_kind(kind: Kind, read: &ReadAt<'_>, len: u64, key: &Secret) -> Result<PageMap, ParquetFailure> {
        let footer = Footer::load(read, len, key)?;
        footer.check_kind(kind)?;
        footer.map(read)
    }

    /// That offsets, rows and lengths make sense, so that nothing is sized by a false number later.
    pub(super) fn check(&self) -> Result<(), ParquetFailure> {
        let bad = ParquetFailure::Format;
        let mut next = self.groups.first().map_or(0, |g| g.first_row);
        for group in &self.groups {
            if group.first_row < next || usize::from(group.ordinal) >= ORDINALS {
                return Err(bad("the order of row groups"));
            }
            next = group.first_row.checked_add(u64::from(group.rows)).ok_or(bad("the rows of a row group"))?;
            group.columns.iter().try_for_each(|column| check_column(column, group.rows))?;
        }
        Ok(())
    }
}

fn check_column(column: &Column, rows: u32) -> Result<(), ParquetFailure> {
    let bad = ParquetFailure::Format;
    if usize::from(column.first_page) + column.pages.len() > ORDINALS || column.end_row > rows {
        return Err(bad("the pages of a column"));
    }
    let ends = column.pages.iter().skip(1).map(|p| p.first_row).chain([column.end_row]);
    for (page, end) in column.pages.iter().zip(ends) {
        let held = end.checked_sub(page.first_row).ok_or(bad("the order of pages"))?;
        if held as usize > PAGE_ROWS_MAX || page.length as usize > PAGE_BYTES || page.offset.checked_add(u64::from(page.length)).is_none() {
            return Err(bad("the size of a page"));
        }
    }
    match column.dictionary {
        Some(d) if d.length as usize > PAGE_BYTES => Err(bad("the size of a dictionary")),
        _ => Ok(()),
    }
}

fn touches(rows: &Range<u64>, first: u64, count: u32) -> bool {
    rows.start < first.saturating_add(u64::from(count)) && first < rows.end
}

fn cut_column(group: &Group, column: usize, rows: &Range<u64>) -> Column {
    let Some(whole) = group.columns.get(column) else { return Column::default() };
    let from = u32::try_from(rows.start.saturating_sub(group.first_row)).unwrap_or(u32::MAX);
    let to = u32::try_from(rows.end.saturating_sub(group.first_row)).unwrap_or(u32::MAX);
    let first = whole.pages.partition_point(|p| p.first_row <= from).saturating_sub(1);
    let last = whole.pages.partition_point(|p| p.first_row < to).max(first);
    let pages = whole.pages.get(first..last).unwrap_or_default().to_vec();
    let end_row = whole.pages.get(last).map_or(whole.end_row, |p| p.first_row);
    let first_page = whole.first_page.saturating_add(u16::try_from(first).unwrap_or(u16::MAX));
    Column { dictionary: whole.dictionary, first_page, end_row, pages }
}

/// The bytes of `file` at `offset`, fewer at its end.
pub(super) fn within(file: &[u8], offset: u64, len: usize) -> &[u8] {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(file.len());
    file.get(start..start.saturating_add(len).min(file.len())).unwrap_or_default()
}
