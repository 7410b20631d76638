//! Reading a file's rows: all of them or a range, all columns or some, without loading the file.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::{Schema, SchemaRef};
use weir_base::crypto::Secret;

use super::ParquetFailure;
use super::map::{PageMap, Spot, within};
use super::page::{Dictionary, PageDecryptor, read_page};
use crate::kind::Kind;
use crate::limits::READ_ROWS;

/// A file, or anything else that bytes can be read from at an offset.
pub trait Source: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// The `len` bytes at `offset`; fewer only at the end.
    fn read_range(&self, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// True if there are no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

impl Source for &[u8] {
    fn len(&self) -> io::Result<u64> {
        Ok(<[u8]>::len(self) as u64)
    }

    fn read_range(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        Ok(within(self, offset, len).to_vec())
    }
}

impl Source for Vec<u8> {
    fn len(&self) -> io::Result<u64> {
        Ok(Vec::len(self) as u64)
    }

    fn read_range(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        Ok(within(self, offset, len).to_vec())
    }
}

/// Which rows and columns to read.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Rows, counted from the start of the file; all if absent.
    pub rows: Option<Range<u64>>,
    /// Positions of the columns in the kind's field table, in the order wanted; all if absent.
    pub columns: Option<Vec<usize>>,
}

/// All rows of a file in memory.
///
/// # Errors
/// As [`open`] and [`Batches`].
pub fn read(kind: Kind, file: &[u8], key: &Secret) -> Result<Vec<RecordBatch>, ParquetFailure> {
    read_from(kind, &file, key, &Select::default())
}

/// The selected rows and columns of a file.
///
/// # Errors
/// As [`open`] and [`Batches`].
pub fn read_from(kind: Kind, source: &dyn Source, key: &Secret, select: &Select) -> Result<Vec<RecordBatch>, ParquetFailure> {
    open(kind, source, key, select)?.collect()
}

/// The selected rows and columns of a file, batch by batch (at most [`READ_ROWS`] rows each), holding one batch and its pages in memory.
///
/// # Errors
/// A wrong key or changed bytes ([`ParquetFailure::Sealed`]), a cut file ([`ParquetFailure::Short`]), another kind
/// ([`ParquetFailure::Kind`]), a row or column that is not there ([`ParquetFailure::Absent`]).
pub fn open<'a>(kind: Kind, source: &'a dyn Source, key: &Secret, select: &Select) -> Result<Batches<'a>, ParquetFailure> {
    open_at(kind, source, Arc::new(map(kind, source, key)?), key, select)
}

/// The map of a file of `kind`: for those who read several parts of one file with [`open_at`].
///
/// # Errors
/// As [`open`].
pub fn map(kind: Kind, source: &dyn Source, key: &Secret) -> Result<PageMap, ParquetFailure> {
    PageMap::of_kind(kind, &|offset, len| source.read_range(offset, len), source.len()?, key)
}

/// [`open`] of a file whose map is known: its footer is not read.
///
/// # Errors
/// As [`open`].
pub fn open_at<'a>(
    kind: Kind,
    source: &'a dyn Source,
    map: Arc<PageMap>,
    key: &Secret,
    select: &Select,
) -> Result<Batches<'a>, ParquetFailure> {
    let fields = kind.spec().fields.len();
    let columns = select.columns.clone().unwrap_or_else(|| (0..fields).collect());
    if columns.iter().any(|c| *c >= fields) {
        return Err(ParquetFailure::Absent("column"));
    }
    let rows = select.rows.clone().unwrap_or(0..map.rows());
    if rows.start > rows.end || rows.end > map.rows() {
        return Err(ParquetFailure::Absent("row"));
    }
    let all = kind.schema();
    let schema = Arc::new(Schema::new(columns.iter().filter_map(|c| all.fields().get(*c).cloned()).collect::<Vec<_>>()));
    let decryptor = PageDecryptor::new(kind, key, map.unique);
    let columns = columns.into_iter().map(|column| OneColumn { column, ..OneColumn::default() }).collect();
    Ok(Batches { source, map, decryptor, schema, rows, columns })
}

/// An iterator over the batches of a file. After an error it ends.
pub struct Batches<'a> {
    source: &'a dyn Source,
    map: Arc<PageMap>,
    decryptor: PageDecryptor,
    schema: SchemaRef,
    rows: Range<u64>,
    columns: Vec<OneColumn>,
}

/// Where one column stands.
#[derive(Default)]
struct OneColumn {
    column: usize,
    /// The dictionary of a row group, by the group's ordinal.
    dictionary: Option<(u16, Dictionary)>,
    /// The last page read: the next batch may begin within it.
    last: Option<(Spot, ArrayRef)>,
}

impl Batches<'_> {
    /// Rows still to come.
    pub fn rows_left(&self) -> u64 {
        self.rows.end - self.rows.start
    }

    /// The columns of the batches.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The map of the whole file.
    pub fn map(&self) -> &PageMap {
        &self.map
    }

    fn batch(&mut self, rows: Range<u64>) -> Result<RecordBatch, ParquetFailure> {
        let (source, map, decryptor) = (self.source, &self.map, &self.decryptor);
        let columns = self.columns.iter_mut().map(|c| c.read(source, map, decryptor, &rows)).collect::<Result<Vec<_>, _>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(usize::try_from(rows.end - rows.start).ok());
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| ParquetFailure::Format("the columns do not fit together"))
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch, ParquetFailure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows.is_empty() {
            return None;
        }
        // To the next multiple, so that batches and pages end together.
        let step = READ_ROWS as u64;
        let end = (self.rows.start / step * step).saturating_add(step).min(self.rows.end);
        let batch = self.batch(self.rows.start..end);
        self.rows.start = if batch.is_ok() { end } else { self.rows.end };
        Some(batch)
    }
}

impl OneColumn {
    fn read(
        &mut self,
        source: &dyn Source,
        map: &PageMap,
        decryptor: &PageDecryptor,
        rows: &Range<u64>,
    ) -> Result<ArrayRef, ParquetFailure> {
        let spots: Vec<Spot> = map.spots(self.column, rows.clone()).collect();
        let mut pieces: Vec<ArrayRef> = Vec::with_capacity(spots.len());
        let mut next = rows.start;
        for run in spots.chunk_by(|a, b| a.at.offset.checked_add(u64::from(a.at.length)) == Some(b.at.offset)) {
            let [first, ..] = run else { continue };
            let len: usize = run.iter().map(|s| s.at.length as usize).sum();
            let mut bytes = self.fetch(source, first, run, len)?;
            for spot in run {
                let page = self.page(source, decryptor, spot, first, &mut bytes)?;
                let from = next.checked_sub(spot.first_row).filter(|_| next < spot.range().end).ok_or(GAP)?;
                let to = rows.end.min(spot.range().end);
                let length = usize::try_from(to - next).map_err(|_| GAP)?;
                pieces.push(page.slice(usize::try_from(from).map_err(|_| GAP)?, length));
                next = to;
            }
        }
        if next != rows.end {
            return Err(GAP);
        }
        match pieces.as_slice() {
            [one] => Ok(Arc::clone(one)),
            many => {
                let parts: Vec<&dyn Array> = many.iter().map(AsRef::as_ref).collect();
                concat(&parts).map_err(|_| ParquetFailure::Format("the pages of a column"))
            }
        }
    }

    /// The bytes of pages that lie one after the other, in one read; none when the one page is at hand.
    fn fetch(&self, source: &dyn Source, first: &Spot, run: &[Spot], len: usize) -> Result<Vec<u8>, ParquetFailure> {
        let at_hand = self.last.as_ref().is_some_and(|(spot, _)| [*spot] == run);
        let bytes = if at_hand { Vec::new() } else { source.read_range(first.at.offset, len)? };
        if at_hand || bytes.len() == len { Ok(bytes) } else { Err(ParquetFailure::Short) }
    }

    fn page(
        &mut self,
        source: &dyn Source,
        decryptor: &PageDecryptor,
        spot: &Spot,
        first: &Spot,
        bytes: &mut [u8],
    ) -> Result<ArrayRef, ParquetFailure> {
        if let Some((_, page)) = self.last.as_ref().filter(|(at, _)| at == spot) {
            return Ok(Arc::clone(page));
        }
        if let Some(place) = spot.dictionary.filter(|_| self.dictionary.as_ref().is_none_or(|(group, _)| *group != spot.group)) {
            let mut bytes = source.read_range(place.offset, place.length as usize)?;
            self.dictionary = Some((spot.group, decryptor.dictionary(spot, &mut bytes)?));
        }
        let dictionary = self.dictionary.as_ref().filter(|(group, _)| *group == spot.group).map(|(_, d)| d);
        let from = usize::try_from(spot.at.offset - first.at.offset).map_err(|_| ParquetFailure::Short)?;
        let bytes = bytes.get_mut(from..from.saturating_add(spot.at.length as usize)).ok_or(ParquetFailure::Short)?;
        let page = read_page(decryptor, spot, bytes, dictionary)?;
        self.last = Some((*spot, Arc::clone(&page)));
        Ok(page)
    }
}

const GAP: ParquetFailure = ParquetFailure::Format("rows are missing between pages");
