//! Records, SQL, exports and keys: what people may see beside answers, and what the ledger says of it.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use serde_json::{Value, json};
use weir_base::time::{Day, Millis};
use weir_query::QueryError;
use weir_query::mask::{self, Mask};
use weir_query::newest::last;
use weir_query::only::Only;
use weir_query::rows::{Rows, Wanted};
use weir_query::search::{Sought, Words};
use weir_query::sql::watch::During;
use weir_record::Kind;
use weir_store::engine::Store;

use crate::fail::Failure;
use crate::ledger::Asked;
use crate::limits::RECORDS_MAX;
use crate::rows;

/// What a view that did not answer says to a person.
pub fn failure(error: QueryError) -> Failure {
    match error {
        QueryError::Statement { what, todo } => Failure::usage(what, todo),
        QueryError::Ended(why) => Failure::new(why.what(), why.todo()),
        QueryError::NoView(kind) => {
            Failure::usage(format!("{kind} has no view"), "its keys are held only by an approved case or the person's own access")
        }
        QueryError::Io(e) => Failure::new(format!("the file system said: {e}"), "name a new file in a folder that exists and has room"),
        other => Failure::sentence(other),
    }
}

/// The rows that the words of a command ask for.
pub fn wanted(kind: &str, from: Option<&str>, to: Option<&str>) -> Result<Wanted, Failure> {
    let names = || mask::kinds().map(Kind::name).collect::<Vec<_>>().join(", ");
    let kind =
        kind.parse::<Kind>().map_err(|_| Failure::usage("there is no such record kind", format!("the kinds with a view: {}", names())))?;
    mask::schema(kind).map_err(failure)?;
    let time = |what: &str, text: Option<&str>, otherwise: i64| match text {
        None => Ok(Millis(otherwise)),
        Some(text) => text.parse::<Millis>().map_err(|e| Failure::usage(format!("{what} is not a time"), e.to_string())),
    };
    let (from, to) = (time("--from", from, i64::MIN)?, time("--to", to, i64::MAX)?);
    if from > to {
        return Err(Failure::usage("--from is after --to", "give as --from the earlier moment, or leave one of the two out"));
    }
    Ok(Wanted { kind, from, to, unsealed: true })
}

/// Refuses the ledger to whoever may not read it: who asked what stands in its open columns too.
pub fn open_to(kind: Kind, ledger: bool) -> Result<(), Failure> {
    match kind == Kind::Question && !ledger {
        true => Err(Failure::new("question has no view for this account", "the ledger is read by who may read it, on its own page")),
        false => Ok(()),
    }
}

/// The words again, for the ledger.
pub fn target(kind: &str, from: &Option<String>, to: &Option<String>) -> String {
    format!("{kind} from {} to {}", from.as_deref().unwrap_or("the begin"), to.as_deref().unwrap_or("now"))
}

/// What a list is narrowed to, beside its span.
#[derive(Clone, Copy, Debug, Default)]
pub struct Narrowed<'a> {
    /// Words that must all be in a line.
    pub words: Option<&'a str>,
    /// One source, and lines that no dialect understands.
    pub only: Only,
}

impl Narrowed<'_> {
    /// The same in words, for the ledger.
    pub fn target(&self) -> String {
        let mut out = self.only.source.map(|number| format!(" source {number}")).unwrap_or_default();
        out.push_str(if self.only.unrecognised { " unrecognised" } else { "" });
        out.push_str(&self.words.map(|words| format!(" match {words}")).unwrap_or_default());
        out
    }

    /// True where it is a search in log lines.
    pub fn is_search(&self) -> bool {
        self.words.is_some() || self.only.unrecognised
    }
}

/// The number of the source that a person names, by its name or its number.
pub fn source(store: &Store, text: &str) -> Result<u32, Failure> {
    let all = store.sources();
    let number = text.parse::<u32>().ok();
    let found = all.iter().find(|s| s.name == text).or_else(|| all.iter().find(|s| Some(s.number) == number));
    found
        .map(|s| s.number)
        .ok_or_else(|| Failure::usage("there is no source that --source names", "write a name that `weir sources` shows"))
}

/// The newest rows of the span, narrowed, oldest of them first.
pub fn list(store: &Arc<Store>, wanted: Wanted, narrowed: &Narrowed<'_>, limit: usize) -> Result<Value, Failure> {
    if narrowed.is_search() {
        return search(store, wanted, narrowed, limit);
    }
    match narrowed.only.source {
        None => records(store, wanted, limit),
        Some(_) if !(1..=RECORDS_MAX).contains(&limit) => Err(beyond()),
        Some(number) => {
            let found = last(store, wanted, Some(number), limit).map_err(failure)?;
            let columns: Vec<String> = found.schema().fields().iter().map(|f| f.name().clone()).collect();
            let mut rows = rows::objects(&[found]);
            rows.reverse();
            Ok(json!({ "columns": columns, "rows": rows }))
        }
    }
}

/// A limit that is none.
pub fn beyond() -> Failure {
    Failure::usage("--limit is out of range", format!("write 1 to {RECORDS_MAX}"))
}

/// What the ledger says of an act that is not a look-up; `rows` is none when it failed.
pub fn asked(time: Millis, actor: &str, act: &'static str, target: &str, rows: Option<u64>) -> Asked {
    let answer = if rows.is_some() { "rows" } else { "failed" };
    let purpose = if act == "sql" { "sql" } else { "operate" };
    Asked {
        time,
        actor: actor.to_owned(),
        purpose: purpose.to_owned(),
        act,
        target: target.to_owned(),
        answer: answer.to_owned(),
        rows: rows.unwrap_or(0),
    }
}

/// The newest rows of the span, oldest of them first.
pub fn records(store: &Arc<Store>, mut wanted: Wanted, limit: usize) -> Result<Value, Failure> {
    if !(1..=RECORDS_MAX).contains(&limit) {
        return Err(beyond());
    }
    // Units are read from the one on that holds the first row to be shown.
    let mut units = store.units_of(wanted.kind, Millis(i64::MIN), wanted.to);
    units.sort_by_key(|u| u.last);
    let mut rows = 0;
    if let Some(first) = units.iter().rev().find(|u| {
        rows += u.rows;
        rows >= limit as u64
    }) {
        wanted.from = wanted.from.max(first.first);
    }
    let mut kept: Vec<RecordBatch> = Vec::new();
    let mut count = 0;
    for batch in Rows::new(store, &Arc::new(Mask::new()), wanted).map_err(failure)? {
        let batch = batch.map_err(failure)?;
        count += batch.num_rows();
        kept.push(batch);
        while kept.first().is_some_and(|first| count - first.num_rows() >= limit) {
            count -= kept.remove(0).num_rows();
        }
    }
    let schema = mask::schema(wanted.kind).map_err(failure)?;
    let columns: Vec<&String> = schema.fields().iter().map(|f| f.name()).collect();
    let mut objects = rows::objects(&kept);
    objects.drain(..objects.len().saturating_sub(limit));
    Ok(json!({ "columns": columns, "rows": objects }))
}

/// The newest lines of the span that hold all words, or that no dialect understands, oldest of them first.
pub fn search(store: &Arc<Store>, wanted: Wanted, narrowed: &Narrowed<'_>, limit: usize) -> Result<Value, Failure> {
    if wanted.kind != Kind::Maintenance {
        return Err(match narrowed.words {
            Some(_) => Failure::usage("--match searches log lines only", "give maintenance as --kind"),
            None => Failure::usage("--unrecognised is of log lines only", "give maintenance as --kind"),
        });
    }
    if !(1..=RECORDS_MAX).contains(&limit) {
        return Err(beyond());
    }
    let words = narrowed.words.map(Words::parse).transpose().map_err(|e| Failure::usage("--match cannot be searched for", e))?;
    let sought = Sought { words: words.as_ref(), only: narrowed.only, from: wanted.from, to: wanted.to, limit };
    let found = weir_query::search::lines(store, &sought).map_err(failure)?;
    let schema = found.rows.schema();
    let columns: Vec<&String> = schema.fields().iter().map(|f| f.name()).collect();
    Ok(json!({ "columns": columns, "rows": rows::objects(std::slice::from_ref(&found.rows)), "scanned": found.scanned }))
}

/// A statement over the masking views; the ledger's is among them for who may read the ledger.
pub fn sql(
    store: &Arc<Store>,
    statement: &str,
    ledger: bool,
    during: &During<'_>,
    place: Box<dyn Any + Send>,
) -> Result<Value, QueryError> {
    let answer = weir_query::sql::run(store, statement, &|kind| open_to(kind, ledger).is_ok(), during, place)?;
    let columns: Vec<&String> = answer.schema.fields().iter().map(|f| f.name()).collect();
    Ok(json!({ "columns": columns, "rows": rows::objects(&answer.batches), "cut": answer.cut }))
}

/// Plain Parquet of the masking view in a new file; the rows written.
pub fn export(store: &Arc<Store>, wanted: Wanted, out: &Path) -> Result<u64, Failure> {
    if !out.is_absolute() {
        return Err(Failure::usage("the file's path is not absolute", "write the whole path, from /"));
    }
    weir_query::export::export(store, wanted, out, &mut |_| ()).map_err(failure)
}

/// The key of a kind and a day as hex digits.
pub fn key(store: &Store, kind: &str, day: &str) -> Result<String, Failure> {
    let kind = kind.parse::<Kind>().map_err(|e| Failure::usage(e, "docs/records.md lists them"))?;
    let day = day.parse::<Day>().map_err(|_| Failure::usage("--day is not a day", "write it as 2026-11-22"))?;
    // Whose keys a view may not hold, an operator may not have either: that takes two persons.
    mask::schema(kind).map_err(failure)?;
    let key = store
        .day_key(kind, day)
        .ok_or_else(|| Failure::new(format!("there is no key of {kind} on {day}"), "nothing of that day is sealed, or it is erased"))?;
    Ok(key.0.iter().map(|b| format!("{b:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_ends_before_it_begins_is_wrong_usage() {
        let (early, late) = ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.001Z");
        for (from, to) in [(Some(early), Some(late)), (Some(early), Some(early)), (Some(late), None), (None, Some(early)), (None, None)] {
            assert!(wanted("nat_mapping", from, to).is_ok(), "{from:?} {to:?}");
        }
        let refused = wanted("nat_mapping", Some(late), Some(early)).unwrap_err();
        assert_eq!((refused.code, refused.what.as_str()), (crate::fail::USAGE, "--from is after --to"));
    }
}
