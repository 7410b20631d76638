//! Questions, records, statements and exports from the desk. Each is durable in the ledger before its answer leaves.

use serde_json::Value;
use weir_base::time::Millis;
use weir_query::mask::{self, Mask};
use weir_query::newest::newest;
use weir_query::only::Only;
use weir_query::rows::{Rows, Wanted};
use weir_record::Kind;
use weir_web::backend::{Caller, Outcome, Part};
use weir_web::model::lookup::{Answers, Ask, Question};
use weir_web::model::record::{Column, Export, KindShape, Records, RecordsQuery, Table};
use weir_web::model::words::Words as About;

use super::problem;
use crate::ask::{self, Asker};
use crate::fail::Failure;
use crate::ledger::{self, Asked};
use crate::limits::{DESK_QUESTIONS, DESK_ROWS, EXPORT_PART_BYTES, EXPORT_ROWS, REASON_CHARS, REASON_CHARS_MIN, RECORDS_DEFAULT};
use crate::socket::ops::{Service, shown};
use crate::views::Narrowed;
use crate::words::Words;
use crate::{rows, statements, view, views};

impl From<Question> for Words {
    fn from(q: Question) -> Words {
        Words { public: q.public, protocol: q.protocol, at: q.at, remote: q.remote, skew: q.skew }
    }
}

/// Makes what was asked durable, or gives no answer.
pub fn commit(service: &Service, asked: &[Asked]) -> Outcome<()> {
    ledger::commit(&service.store, service.front.as_ref(), asked).map_err(|f| problem::unavailable(&f))
}

/// A reason in words.
pub fn reason(text: &str) -> Outcome<&str> {
    let text = text.trim();
    let good = (REASON_CHARS_MIN..=REASON_CHARS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good {
        Ok(text)
    } else {
        Err(problem::field("reason", "a reason is needed", format!("write why, in {REASON_CHARS_MIN} to {REASON_CHARS} characters")))
    }
}

/// Answers questions, one record of the ledger each, all in one commit.
pub fn ask(service: &Service, caller: &Caller, ask: &Ask) -> Outcome<Answers> {
    if !(1..=DESK_QUESTIONS).contains(&ask.questions.len()) {
        return Err(problem::field("questions", "there are too few or too many questions", format!("ask 1 to {DESK_QUESTIONS} at once")));
    }
    if !["operate", "security-event", "drill"].contains(&ask.purpose.as_str()) {
        return Err(problem::field("purpose", "the purpose is not known", "write operate, security-event or drill"));
    }
    let view = view::now(&service.store, &service.front, &service.known);
    let asker = Asker { actor: caller.actor.clone(), purpose: ask.purpose.clone() };
    let now = service.clock.now();
    let (mut answers, mut asked) = (Vec::with_capacity(ask.questions.len()), Vec::with_capacity(ask.questions.len()));
    for question in &ask.questions {
        let outcome = ask::answer(&service.store, &view, &service.origin, &asker, &Words::from(question.clone()), now);
        asked.push(outcome.asked);
        answers.push(match outcome.answer {
            Ok(answer) => {
                let mut value = shown(&answer, ask.explain, outcome.read);
                // As the command line shows it: the summary is for terminals.
                if let Some(fields) = value.as_object_mut() {
                    fields.remove("summary");
                    fields.insert("reason_zh".to_owned(), About::of(answer.reason.clone()).zh.into());
                }
                value
            }
            Err(f) => serde_json::json!({
                "error": { "what": About::of(problem::with_fields(&f.what)), "todo": About::of(problem::with_fields(&f.todo)) }
            }),
        });
    }
    commit(service, &asked)?;
    Ok(Answers { answers })
}

/// A table's remark: names of code are set off by backticks there, which are for pages alone.
fn words(doc: &str) -> About {
    About::of(doc.replace('`', ""))
}

/// Kinds that have a view; the ledger's alone for who may read the ledger.
pub fn kinds(ledger: bool) -> Vec<KindShape> {
    let shape = |kind: Kind| {
        let spec = kind.spec();
        let seen = mask::schema(kind).ok()?;
        let fields = spec.fields.iter().filter(|f| seen.field_with_name(f.name).is_ok());
        let column =
            |f: &weir_record::Field| Column { name: f.name.into(), doc: words(f.doc), unit: f.unit.into(), class: f.class.name().into() };
        let searchable = kind == Kind::Maintenance;
        Some(KindShape { name: spec.name.into(), doc: words(spec.doc), columns: fields.map(column).collect(), searchable })
    };
    mask::kinds().filter(|k| ledger || *k != Kind::Question).filter_map(shape).collect()
}

fn wanted(caller: &Caller, kind: &str, from: Option<&str>, to: Option<&str>) -> Outcome<Wanted> {
    let wanted = views::wanted(kind, from, to).map_err(|f| problem::of(&f))?;
    views::open_to(wanted.kind, caller.ledger).map_err(|f| problem::not_allowed(&f))?;
    Ok(wanted)
}

/// A page of rows, newest first.
pub fn records(service: &Service, caller: &Caller, query: &RecordsQuery) -> Outcome<Records> {
    let limit = query.limit.map_or(RECORDS_DEFAULT, |n| n as usize);
    if !(1..=DESK_ROWS).contains(&limit) {
        return Err(problem::field("limit", "the limit is out of range", format!("write 1 to {DESK_ROWS}")));
    }
    let wanted = wanted(caller, &query.kind, query.from.as_deref(), query.to.as_deref())?;
    let mut target = views::target(&query.kind, &query.from, &query.to);
    let only = Only { source: query.source, unrecognised: query.unrecognised.unwrap_or(false) };
    let narrowed = Narrowed { words: query.words.as_deref(), only };
    target.push_str(&narrowed.target());
    let found = match narrowed.is_search() {
        false => page(service, wanted, query.source, limit),
        true => search(service, wanted, &narrowed, limit),
    };
    let count = found.as_ref().ok().map(|r| r.rows.len() as u64);
    commit(service, &[views::asked(service.clock.now(), &caller.actor, "records", &target, count)])?;
    found.map_err(|f| problem::of(&f))
}

fn page(service: &Service, wanted: Wanted, source: Option<u32>, limit: usize) -> Result<Records, Failure> {
    let page = newest(&service.store, wanted, source, limit).map_err(views::failure)?;
    let columns = page.rows.schema().fields().iter().map(|f| f.name().clone()).collect();
    Ok(Records { columns, rows: rows::objects(std::slice::from_ref(&page.rows)), more: page.more })
}

fn search(service: &Service, wanted: Wanted, narrowed: &Narrowed<'_>, limit: usize) -> Result<Records, Failure> {
    // One more than shown tells whether there are more.
    let found = views::search(&service.store, wanted, narrowed, limit + 1)?;
    let list = |name: &str| found.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let columns = list("columns").iter().filter_map(|c| c.as_str().map(str::to_owned)).collect();
    let mut rows = list("rows");
    rows.reverse();
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Records { columns, rows, more })
}

/// A statement over the masking views.
pub fn sql(service: &Service, caller: &Caller, statement: &str, gone: &dyn Fn() -> bool) -> Outcome<Table> {
    let found = statements::run(service, &caller.actor, caller.ledger, statement, gone);
    let value = found.map_err(|r| if r.later { problem::unavailable(&r.failure) } else { problem::of(&r.failure) })?;
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Table {
        columns: list(&value, "columns").iter().filter_map(|c| c.as_str().map(str::to_owned)).collect(),
        rows: list(&value, "rows"),
        cut: value.get("cut") == Some(&Value::Bool(true)),
    })
}

fn export_asked(now: Millis, caller: &Caller, export: &Export) -> Asked {
    let target = format!("{} as {}: {}", views::target(&export.kind, &export.from, &export.to), export.format, export.reason.trim());
    Asked { purpose: "export".to_owned(), ..views::asked(now, &caller.actor, "export", &target, None) }
}

/// Checks an export; its begin is in the ledger on return.
pub fn export_begin(service: &Service, caller: &Caller, export: &Export) -> Outcome<()> {
    reason(&export.reason)?;
    if !matches!(export.format.as_str(), "csv" | "jsonl") {
        return Err(problem::field("format", "the format is not known", "write csv or jsonl"));
    }
    wanted(caller, &export.kind, export.from.as_deref(), export.to.as_deref())?;
    commit(service, &[export_asked(service.clock.now(), caller, export).begun(0)])
}

/// Streams it. The ledger has its end with the rows that went out, also when its reader went away.
pub fn export(service: &Service, caller: &Caller, export: &Export, part: &mut Part<'_>) -> Outcome<u64> {
    let wanted = wanted(caller, &export.kind, export.from.as_deref(), export.to.as_deref())?;
    let (mut rows, result) = (0, stream(service, wanted, export.format == "csv", part));
    let answer = match &result {
        Ok((count, true)) => {
            rows = *count;
            "rows"
        }
        Ok((count, false)) => {
            rows = *count;
            "failed"
        }
        Err(_) => "failed",
    };
    let now = service.clock.now();
    commit(service, &[export_asked(now, caller, export).ended(now, answer, rows)])?;
    result.map(|(count, _)| count).map_err(|f| problem::of(&f))
}

/// Rows that went out, and whether all did.
fn stream(service: &Service, wanted: Wanted, csv: bool, part: &mut Part<'_>) -> Result<(u64, bool), Failure> {
    let columns: Vec<String> = mask::schema(wanted.kind).map_err(views::failure)?.fields().iter().map(|f| f.name().clone()).collect();
    let mut out = if csv { line(columns.iter().map(|c| Value::String(c.clone()))) } else { Vec::new() };
    let (mut gone, mut waiting) = (0, 0);
    for batch in Rows::new(&service.store, &std::sync::Arc::new(Mask::new()), wanted).map_err(views::failure)? {
        let batch = batch.map_err(views::failure)?;
        // Some rows at a time: a unit may hold millions.
        for at in (0..batch.num_rows()).step_by(EXPORT_ROWS) {
            let len = (batch.num_rows() - at).min(EXPORT_ROWS);
            for object in rows::objects(&[batch.slice(at, len)]) {
                if csv {
                    out.extend(line(columns.iter().map(|c| object.get(c).cloned().unwrap_or(Value::Null))));
                } else {
                    out.extend(object.to_string().into_bytes());
                    out.push(b'\n');
                }
            }
            waiting += len as u64;
            if out.len() >= EXPORT_PART_BYTES {
                if !part(&out) {
                    return Ok((gone, false));
                }
                gone += std::mem::take(&mut waiting);
                out.clear();
            }
        }
    }
    let whole = out.is_empty() || part(&out);
    Ok((if whole { gone + waiting } else { gone }, whole))
}

/// A line of CSV (RFC 4180).
fn line(cells: impl Iterator<Item = Value>) -> Vec<u8> {
    let mut out = String::new();
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(',');
        }
        let text = match cell {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        if text.contains([',', '"', '\n', '\r']) {
            out.push_str(&format!("\"{}\"", text.replace('"', "\"\"")));
        } else {
            out.push_str(&text);
        }
    }
    out.push_str("\r\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let cells = [Value::Null, Value::from(7), Value::from("a,\"b\""), Value::from("c\nd")];
        assert_eq!(String::from_utf8(line(cells.into_iter())).unwrap(), ",7,\"a,\"\"b\"\"\",\"c\nd\"\r\n");
    }

    #[test]
    fn a_reason_has_words() {
        assert_eq!(reason(" why so ").unwrap(), "why so");
        for bad in ["", "  x ", "a\nb c d", &"x".repeat(201)] {
            assert_eq!(reason(bad).unwrap_err().field.as_deref(), Some("reason"));
        }
        assert!(reason("为什么要").is_ok());
    }

    #[test]
    fn every_kind_with_a_view_has_its_columns() {
        let all = kinds(true);
        assert!(all.iter().all(|k| !k.columns.is_empty() && !k.doc.en.is_empty()));
        assert_eq!(all.iter().filter(|k| k.searchable).count(), 1);
        assert!(all.iter().any(|k| k.name == "question" && k.columns.iter().all(|c| c.name != "target")));
        assert!(!all.iter().any(|k| k.name == "binding" || k.name == "raw"));
        assert!(all.iter().flat_map(|k| k.columns.iter().map(|c| &c.doc).chain([&k.doc])).all(|d| d.zh != d.en && !d.en.contains('`')));
        assert!(!kinds(false).iter().any(|k| k.name == "question"));
    }
}
