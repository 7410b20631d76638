//! The newest rows of a kind, newest first, masked: for those who read backwards, page by page.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{SortOptions, concat_batches, filter_record_batch, sort_to_indices, take_record_batch};
use arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use weir_base::time::Millis;
use weir_store::engine::Store;

use crate::QueryError;
use crate::mask::{self, Mask};
use crate::rows::{Wanted, live};

/// A page.
#[derive(Debug)]
pub struct Newest {
    /// Its rows, newest first, as the view shows them.
    pub rows: RecordBatch,
    /// There are older ones: all of them lie before the oldest of these.
    pub more: bool,
}

/// The newest rows, at most `limit`, of one source where one is named. Rows of one moment are never parted by the end of a page, unless a whole page
/// is of one moment.
///
/// # Errors
/// The kind has no view, or no sources; the store.
pub fn newest(store: &Arc<Store>, wanted: Wanted, source: Option<u32>, limit: usize) -> Result<Newest, QueryError> {
    read(store, wanted, source, limit)?.done(limit, true)
}

/// The same for who reads no page after it: so many rows as there are, whatever their moments.
///
/// # Errors
/// As [`newest`].
pub fn last(store: &Arc<Store>, wanted: Wanted, source: Option<u32>, limit: usize) -> Result<RecordBatch, QueryError> {
    read(store, wanted, source, limit)?.done(limit, false).map(|page| page.rows)
}

fn read(store: &Arc<Store>, wanted: Wanted, source: Option<u32>, limit: usize) -> Result<Page, QueryError> {
    mask::schema(wanted.kind)?;
    let spec = wanted.kind.spec();
    let source = match source {
        None => None,
        Some(number) => {
            let none =
                || QueryError::Statement { what: format!("rows of {} have no source", spec.name), todo: "leave out the source".to_owned() };
            Some((spec.index("source").ok_or_else(none)?, number))
        }
    };
    let mut page = Page {
        kept: RecordBatch::new_empty(wanted.kind.schema()),
        time: spec.index(spec.time).unwrap_or(0),
        wanted,
        source,
        most: limit + 1,
    };
    // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
    for batch in live(store, wanted.kind)? {
        page.add(&batch)?;
    }
    let mut units = store.units_of(wanted.kind, wanted.from, wanted.to);
    units.sort_by_key(|u| std::cmp::Reverse(u.last));
    for unit in units {
        if page.oldest().is_some_and(|oldest| unit.last < oldest) {
            break;
        }
        for batch in store.read_unit(&unit)? {
            page.add(&batch)?;
        }
    }
    Ok(page)
}

/// The newest rows so far.
struct Page {
    kept: RecordBatch,
    time: usize,
    wanted: Wanted,
    source: Option<(usize, u32)>,
    most: usize,
}

impl Page {
    fn times(&self, batch: &RecordBatch) -> Vec<i64> {
        batch.column(self.time).as_primitive::<TimestampMillisecondType>().values().to_vec()
    }

    /// The oldest row kept, once the page is full.
    fn oldest(&self) -> Option<Millis> {
        (self.kept.num_rows() >= self.most).then(|| self.times(&self.kept).last().copied().map(Millis)).flatten()
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let internal = |e: arrow::error::ArrowError| QueryError::Internal(e.to_string());
        let sources = self.source.map(|(column, number)| (batch.column(column).as_primitive::<UInt32Type>().values(), number));
        let oldest = self.oldest();
        let wanted = |row: usize, t: i64| {
            let inside = Millis(t) >= self.wanted.from && Millis(t) <= self.wanted.to && oldest.is_none_or(|o| Millis(t) >= o);
            inside && sources.as_ref().is_none_or(|(values, number)| values.get(row) == Some(number))
        };
        let keep: BooleanArray = self.times(batch).into_iter().enumerate().map(|(row, t)| Some(wanted(row, t))).collect();
        if keep.true_count() == 0 {
            return Ok(());
        }
        let fitting = filter_record_batch(batch, &keep).map_err(internal)?;
        let all = concat_batches(&self.kept.schema(), [&self.kept, &fitting]).map_err(internal)?;
        let order = SortOptions { descending: true, nulls_first: false };
        let indices = sort_to_indices(all.column(self.time), Some(order), Some(self.most)).map_err(internal)?;
        self.kept = take_record_batch(&all, &indices).map_err(internal)?;
        Ok(())
    }

    fn done(self, limit: usize, pages: bool) -> Result<Newest, QueryError> {
        let times = self.times(&self.kept);
        let more = times.len() > limit;
        let mut end = times.len().min(limit);
        if more && pages {
            // What is of the moment at which the page ends is left to the next one.
            let next = times.get(limit);
            let whole = times.iter().take_while(|t| Some(*t) != next).count();
            end = if whole == 0 { limit } else { whole };
        }
        Ok(Newest { rows: Mask::new().apply(self.wanted.kind, &self.kept.slice(0, end))?, more })
    }
}
