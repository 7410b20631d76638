//! Lists: rows of one kind in a span of time, newest unit last, masked, batch by batch.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMillisecondType;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_store::catalog::UnitMeta;
use weir_store::engine::{Store, UnitReader};

use crate::QueryError;
use crate::limits::{LIVE_NAT_EVENTS, VIEW_ROWS};
use crate::mask::{self, Mask};

/// What rows are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Their kind.
    pub kind: Kind,
    /// Earliest value of the kind's time column.
    pub from: Millis,
    /// Latest value.
    pub to: Millis,
    /// Rows not sealed yet too.
    pub unsealed: bool,
}

impl Wanted {
    /// All rows of a kind.
    pub fn all(kind: Kind) -> Wanted {
        Wanted { kind, from: Millis(i64::MIN), to: Millis(i64::MAX), unsealed: true }
    }
}

/// Masked batches, read as they are asked for.
pub struct Rows {
    store: Arc<Store>,
    mask: Arc<Mask>,
    wanted: Wanted,
    units: std::vec::IntoIter<UnitMeta>,
    /// The unit that is read, and its rows that were not.
    open: Option<(UnitReader, Range<u64>)>,
    ready: Vec<RecordBatch>,
    live: bool,
}

impl Rows {
    /// Begins a list.
    pub fn new(store: &Arc<Store>, mask: &Arc<Mask>, wanted: Wanted) -> Result<Rows, QueryError> {
        mask::schema(wanted.kind)?;
        // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
        let ready = if wanted.unsealed { live(store, wanted.kind)? } else { Vec::new() };
        let units = store.units_of(wanted.kind, wanted.from, wanted.to);
        Ok(Rows { store: Arc::clone(store), mask: Arc::clone(mask), wanted, units: units.into_iter(), open: None, ready, live: true })
    }

    /// The next rows of the unit that is open, some at a time: a unit may hold millions.
    fn piece(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        while let Some((reader, rest)) = &mut self.open {
            let rows = rest.start..rest.end.min(rest.start + VIEW_ROWS);
            rest.start = rows.end;
            let read = if rows.is_empty() { None } else { Some(reader.rows(rows, None)) };
            let Some(read) = read else {
                self.open = None;
                return Ok(None);
            };
            let masked = read?.iter().map(|batch| self.masked(batch)).collect::<Result<Vec<_>, _>>()?;
            let Some(first) = masked.first() else { continue };
            return arrow::compute::concat_batches(&first.schema(), &masked).map(Some).map_err(|e| QueryError::Internal(e.to_string()));
        }
        Ok(None)
    }

    fn masked(&self, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
        let time = self.wanted.kind.spec().index(self.wanted.kind.spec().time).unwrap_or(0);
        let times = batch.column(time).as_primitive::<TimestampMillisecondType>().values();
        let inside = |t: &i64| Millis(*t) >= self.wanted.from && Millis(*t) <= self.wanted.to;
        if times.iter().all(inside) {
            return self.mask.apply(self.wanted.kind, batch);
        }
        let keep: BooleanArray = times.iter().map(|t| Some(inside(t))).collect();
        let batch = filter_record_batch(batch, &keep).map_err(|e| QueryError::Internal(e.to_string()))?;
        self.mask.apply(self.wanted.kind, &batch)
    }
}

/// Rows of a kind that are durable and not sealed; NAT events are shown once they are sealed as mappings.
///
/// # Errors
/// [`QueryError::Statement`] for NAT events when there are too many to be shown.
pub(crate) fn live(store: &Store, kind: Kind) -> Result<Vec<RecordBatch>, QueryError> {
    if kind == Kind::NatEvent && store.live_nat_events() > LIVE_NAT_EVENTS {
        let what = "more NAT events wait to be sealed than are shown at once".to_owned();
        let todo = "look one address up, or ask for nat_mapping: they are sealed within a minute".to_owned();
        return Err(QueryError::Statement { what, todo });
    }
    Ok(if kind == Kind::NatMapping { Vec::new() } else { store.live_batches(kind) })
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.piece() {
                Ok(None) => {}
                Ok(Some(batch)) => return Some(Ok(batch)),
                Err(e) => return Some(Err(e)),
            }
            if !self.live
                && let Some(batch) = self.ready.pop()
            {
                return Some(self.masked(&batch));
            }
            let Some(unit) = self.units.next() else {
                if !self.live {
                    return None;
                }
                // Units are done: now what is not sealed, oldest first.
                self.live = false;
                self.ready.reverse();
                continue;
            };
            match self.store.follow_unit(&unit) {
                Ok((reader, unit)) => self.open = Some((reader, unit.first_row..unit.first_row + unit.rows)),
                Err(e) => return Some(Err(e.into())),
            }
        }
    }
}
