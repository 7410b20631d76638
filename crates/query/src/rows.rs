//! Lists: rows of one kind in a span of time, newest unit last, masked, batch by batch.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::TimestampMillisecondType;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_store::catalog::UnitMeta;
use weir_store::engine::Store;

use crate::QueryError;
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
    ready: Vec<RecordBatch>,
    live: bool,
}

impl Rows {
    /// Begins a list.
    pub fn new(store: &Arc<Store>, mask: &Arc<Mask>, wanted: Wanted) -> Result<Rows, QueryError> {
        mask::schema(wanted.kind)?;
        let fits = |u: &UnitMeta| u.kind == wanted.kind && u.first <= wanted.to && u.last >= wanted.from;
        // What is not sealed is taken first, so that a unit sealed meanwhile is at worst seen once too often, never missed.
        let ready = if wanted.unsealed { live(store, wanted.kind) } else { Vec::new() };
        let units: Vec<UnitMeta> = store.units().into_iter().filter(fits).collect();
        Ok(Rows { store: Arc::clone(store), mask: Arc::clone(mask), wanted, units: units.into_iter(), ready, live: true })
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
pub(crate) fn live(store: &Store, kind: Kind) -> Vec<RecordBatch> {
    if kind == Kind::NatMapping { Vec::new() } else { store.live_batches(kind) }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
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
            match self.store.read_unit(&unit) {
                Ok(batches) => {
                    let mut out = Vec::new();
                    for batch in &batches {
                        match self.masked(batch) {
                            Ok(b) => out.push(b),
                            Err(e) => return Some(Err(e)),
                        }
                    }
                    let Some(first) = out.first() else { continue };
                    return Some(arrow::compute::concat_batches(&first.schema(), &out).map_err(|e| QueryError::Internal(e.to_string())));
                }
                Err(e) => return Some(Err(e.into())),
            }
        }
    }
}
