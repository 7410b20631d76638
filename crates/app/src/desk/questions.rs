//! The ledger, read: its entries, and what one of them asked. Both are entries themselves.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use weir_base::time::Millis;
use weir_query::rows::Wanted;
use weir_record::column::bytes16;
use weir_record::kind::Record;
use weir_record::kinds::Question;
use weir_record::{Id, Kind};
use weir_store::catalog::UnitMeta;
use weir_store::engine::{Store, StoreError};
use weir_web::backend::{Caller, Outcome};
use weir_web::model::ledger::{Ledger, LedgerEntry, LedgerQuery, Opened};

use super::asking::{commit, reason};
use super::problem;
use crate::fail::Failure;
use crate::limits::{DESK_ROWS, RECORDS_DEFAULT};
use crate::socket::ops::Service;
use crate::views;

fn damaged(e: &StoreError) -> Box<weir_web::model::problem::Problem> {
    problem::of(&Failure::new(format!("the ledger cannot be read ({e})"), "run `weir verify`"))
}

/// Entries, newest first.
pub fn list(service: &Service, caller: &Caller, query: &LedgerQuery) -> Outcome<Ledger> {
    let limit = query.limit.map_or(RECORDS_DEFAULT, |n| n as usize);
    if !(1..=DESK_ROWS).contains(&limit) {
        return Err(problem::field("limit", "the limit is out of range", format!("write 1 to {DESK_ROWS}")));
    }
    let wanted = views::wanted(Kind::Question.name(), query.from.as_deref(), query.to.as_deref()).map_err(|f| problem::of(&f))?;
    let mut kept: Vec<Question> = Vec::new();
    let fits = |q: &Question| {
        q.time >= wanted.from
            && q.time <= wanted.to
            && query.actor.as_ref().is_none_or(|a| *a == q.actor)
            && query.act.as_ref().is_none_or(|a| *a == q.act)
    };
    each(&service.store, wanted, |batch, rest| {
        kept.extend(Question::rows(batch).into_iter().filter(fits));
        kept.sort_by_key(|q| std::cmp::Reverse((q.time, q.id.0)));
        kept.dedup_by_key(|q| q.id);
        kept.truncate(limit + 1);
        // Units follow by their newest row: older ones cannot push a row out any more.
        kept.len() <= limit || kept.last().is_none_or(|oldest| rest >= oldest.time)
    })
    .map_err(|e| damaged(&e))?;
    let more = kept.len() > limit;
    kept.truncate(limit);
    let target = format!("{} actor {} act {}", views::target("ledger", &query.from, &query.to), word(&query.actor), word(&query.act));
    commit(service, &[views::asked(service.clock.now(), &caller.actor, "ledger-read", &target, Some(kept.len() as u64))])?;
    Ok(Ledger { entries: kept.into_iter().map(|q| entry(service, q)).collect(), more })
}

fn word(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("any")
}

fn entry(service: &Service, q: Question) -> LedgerEntry {
    LedgerEntry {
        display: display(service, &q.actor),
        id: q.id.to_string(),
        time: q.time.to_rfc3339(),
        actor: q.actor,
        purpose: q.purpose,
        act: q.act,
        answer: q.answer,
        rows: q.rows,
        offline: q.offline != 0,
    }
}

/// The name of who asked, while the account exists.
fn display(service: &Service, actor: &str) -> Option<String> {
    let desk = || service.desk.as_ref();
    match actor.split_once(':')? {
        ("uid", _) => service.access.display(actor),
        ("account", id) => desk()?.display(id.parse().ok()?),
        ("token", id) => desk()?.display(desk()?.account_of_token(id.parse().ok()?)?),
        _ => None,
    }
}

/// Goes through the batches of the ledger: what is not sealed first, then unit by unit, those with the newest rows first. `take` is told how new the
/// rows of the units to come are at most, and says whether it wants more.
fn each(store: &Arc<Store>, wanted: Wanted, mut take: impl FnMut(&RecordBatch, Millis) -> bool) -> Result<(), StoreError> {
    let live = store.live_batches(Kind::Question);
    let mut units: Vec<UnitMeta> = store.units_of(Kind::Question, wanted.from, wanted.to);
    units.sort_by_key(|u| std::cmp::Reverse(u.last));
    let newest = units.first().map_or(Millis(i64::MIN), |u| u.last);
    let mut go_on = live.iter().fold(true, |_, batch| take(batch, newest));
    for (i, unit) in units.iter().enumerate() {
        if !go_on {
            break;
        }
        let rest = units.get(i + 1).map_or(Millis(i64::MIN), |u| u.last);
        for batch in store.read_unit(unit)? {
            go_on = take(&batch, rest);
        }
    }
    Ok(())
}

/// What one entry asked. That it was opened, and why, is an entry before it is shown.
pub fn open(service: &Service, caller: &Caller, id: &str, why: &str) -> Outcome<Opened> {
    let why = reason(why)?;
    let none = || problem::not_found("there is no such entry in the ledger", "look at the list again");
    let id: Id = id.parse().map_err(|_| none())?;
    let found = find(&service.store, id).map_err(|e| damaged(&e))?;
    let target = format!("{id}: {why}");
    let count = found.as_ref().map(|_| 1);
    commit(service, &[views::asked(service.clock.now(), &caller.actor, "ledger-open", &target, count)])?;
    let question = found.ok_or_else(none)?;
    let plain = service.store.ledger_open(&question.target).map_err(|e| damaged(&e))?;
    Ok(Opened { target: String::from_utf8_lossy(&plain).into_owned() })
}

fn find(store: &Arc<Store>, id: Id) -> Result<Option<Question>, StoreError> {
    let Some(column) = Question::SPEC.index("id") else { return Ok(None) };
    let row = |batch: &RecordBatch, column: usize| {
        let ids = batch.column(column).as_fixed_size_binary();
        (0..batch.num_rows()).find(|row| bytes16(ids, *row) == id.0)
    };
    for batch in store.live_batches(Kind::Question) {
        if let Some(row) = row(&batch, column) {
            return Ok(Some(Question::row(batch.columns(), row)));
        }
    }
    for unit in store.units_since(0, &[Kind::Question]).into_iter().rev() {
        // The ids alone first.
        if !store.read_columns(&unit, Some(vec![column]))?.iter().any(|batch| row(batch, 0).is_some()) {
            continue;
        }
        for batch in store.read_unit(&unit)? {
            if let Some(row) = row(&batch, column) {
                return Ok(Some(Question::row(batch.columns(), row)));
            }
        }
    }
    Ok(None)
}
