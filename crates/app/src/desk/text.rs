//! A log line as it came: opened one at a time, with a reason, by who may. That it was opened is durable in the ledger before it is shown.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use weir_base::time::Millis;
use weir_record::column::bytes16;
use weir_record::kind::Record;
use weir_record::kinds::MaintenanceText;
use weir_record::{Id, Kind};
use weir_store::engine::{Store, StoreError};
use weir_web::backend::{Caller, Outcome};
use weir_web::model::record::{OpenText, Text};

use super::asking::{commit, reason};
use super::problem;
use crate::fail::Failure;
use crate::socket::ops::Service;
use crate::views;

/// Opens a line.
pub fn open(service: &Service, caller: &Caller, id: &str, open: &OpenText) -> Outcome<Text> {
    let why = reason(&open.reason)?;
    let none =
        || problem::not_found("there is no such line at this time", "take id and time from the line's record, columns text and time");
    let id: Id = id.parse().map_err(|_| none())?;
    let time: Millis = open
        .time
        .parse()
        .map_err(|_| problem::field("time", "this is no time", "write it as the record shows it, e.g. 2026-11-22T10:00:00.123Z"))?;
    let found = find(&service.store, id, time)
        .map_err(|e| problem::of(&Failure::new(format!("the line cannot be read ({e})"), "run `weir verify`")))?;
    let target = format!("{id} {}: {why}", time.to_rfc3339());
    let count = found.as_ref().map(|_| 1);
    commit(service, &[views::asked(service.clock.now(), &caller.actor, "text", &target, count)])?;
    let line = found.ok_or_else(none)?;
    Ok(Text { text: String::from_utf8_lossy(&line).into_owned() })
}

/// The line among what is not sealed, then in the units whose rows are of that time.
fn find(store: &Arc<Store>, id: Id, time: Millis) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(column) = MaintenanceText::SPEC.index("id") else { return Ok(None) };
    let row = |batch: &RecordBatch, column: usize| {
        let ids = batch.column(column).as_fixed_size_binary();
        (0..ids.len()).find(|row| bytes16(ids, *row) == id.0)
    };
    let line = |batch: &RecordBatch| row(batch, column).map(|at| MaintenanceText::row(batch.columns(), at).bytes);
    if let Some(found) = store.live_batches(Kind::MaintenanceText).iter().find_map(line) {
        return Ok(Some(found));
    }
    for unit in store.units_of(Kind::MaintenanceText, time, time) {
        // The ids alone first.
        if !store.read_columns(&unit, Some(vec![column]))?.iter().any(|batch| row(batch, 0).is_some()) {
            continue;
        }
        if let Some(found) = store.read_unit(&unit)?.iter().find_map(line) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
