//! The small commands that ask the running program and show what it says.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};

use crate::cli::{AskArgs, DeskCommand, ExportArgs, KeyCommand, RecordsArgs, SealArgs, SourcesArgs, SqlArgs};
use crate::fail::Failure;
use crate::ledger::Asked;
use crate::socket::client::Client;
use crate::{offline, output, rows, side, views};

fn ask(data: &Path, request: Value) -> Result<Value, Failure> {
    Client::connect(data)?.call(request)
}

const DONE: Result<ExitCode, Failure> = Ok(ExitCode::SUCCESS);

/// `weir seal --now`.
pub fn seal(args: &SealArgs) -> Result<ExitCode, Failure> {
    let done = ask(&args.ask.data.data, json!({ "op": "seal" }))?;
    if args.ask.json {
        output::json(&done)?;
    } else {
        output::line(&format!("{} rows sealed in {} units; the log has {} entries", done["rows"], done["units"], done["log_size"]))?;
    }
    DONE
}

/// `weir sources`.
pub fn sources(args: &SourcesArgs) -> Result<ExitCode, Failure> {
    if args.unrecognised {
        return unrecognised(args);
    }
    let args = &args.ask;
    let all = ask(&args.data.data, json!({ "op": "sources" }))?;
    if args.json {
        output::json(&all)?;
        return DONE;
    }
    let columns =
        ["name", "kind", "realm", "peer", "messages", "records", "unrecognised", "malformed", "lost", "last_seen", "offset_ms", "trouble"];
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    output::text(&rows::table(&columns, all.as_array().map_or(&[], Vec::as_slice)))?;
    DONE
}

/// `weir sources --unrecognised`.
fn unrecognised(args: &SourcesArgs) -> Result<ExitCode, Failure> {
    let mut answer = ask(&args.ask.data.data, json!({ "op": "unrecognised", "from": args.from, "to": args.to, "limit": args.limit }))?;
    let cut = std::mem::take(&mut answer["cut"]) == json!(true);
    show_rows(&answer, args.ask.json, |columns, _| columns)?;
    if cut {
        eprintln!("weir: there are more senders and programs than these {}: --limit shows more", args.limit);
    }
    if let Some(further) = answer["further"].as_u64().filter(|n| *n > 0) {
        eprintln!("weir: {further} lines more are of further programs, which are not told apart: ask for a shorter span");
    }
    DONE
}

/// `weir measures`.
pub fn measures(args: &AskArgs) -> Result<ExitCode, Failure> {
    let all = ask(&args.data.data, json!({ "op": "measures" }))?;
    if args.json {
        output::json(&all)?;
        return DONE;
    }
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let clauses = |m: &Value| {
        m["obligations"].as_array().map_or(String::new(), |all| all.iter().map(|o| text(o, "id")).collect::<Vec<_>>().join(" "))
    };
    let drill = |m: &Value| m["last_drill"].as_str().unwrap_or("never").to_owned();
    let cells: Vec<Vec<String>> = all
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|m| vec![text(m, "name"), text(m, "state"), text(m, "since"), clauses(m), drill(m), text(m, "why")])
        .collect();
    output::text(&output::table(&["measure", "state", "since", "clauses", "last drill", "why"], &cells))?;
    DONE
}

/// Rows as a table or as a list.
fn show_rows(answer: &Value, json: bool, ordered: fn(Vec<String>, &[Value]) -> Vec<String>) -> Result<ExitCode, Failure> {
    let list = answer["rows"].as_array().cloned().unwrap_or_default();
    if json {
        output::json(&list)?;
    } else {
        let columns: Vec<String> =
            answer["columns"].as_array().map_or(Vec::new(), |all| all.iter().filter_map(|c| c.as_str().map(str::to_owned)).collect());
        output::text(&rows::table(&ordered(columns, &list), &list))?;
    }
    if answer["cut"] == json!(true) {
        eprintln!("weir: there are more rows than these {}: add a LIMIT or a WHERE", list.len());
    }
    DONE
}

/// `weir records`.
pub fn records(args: &RecordsArgs) -> Result<ExitCode, Failure> {
    let request = json!({
        "op": "records", "kind": args.kind, "from": args.from, "to": args.to, "limit": args.limit, "match": args.words, "source": args.source,
        "unrecognised": args.unrecognised,
    });
    show_rows(&ask(&args.ask.data.data, request)?, args.ask.json, rows::longest_last)
}

/// `weir sql`.
pub fn sql(args: &SqlArgs) -> Result<ExitCode, Failure> {
    show_rows(&ask(&args.ask.data.data, json!({ "op": "sql", "statement": args.statement }))?, args.ask.json, |columns, _| columns)
}

/// `weir export`.
pub fn export(args: &ExportArgs) -> Result<ExitCode, Failure> {
    // The program has a working folder of its own.
    let out =
        std::path::absolute(&args.out).map_err(|e| Failure::new(format!("the file's path is not usable ({e})"), "write the whole path"))?;
    let request = json!({ "op": "export", "kind": args.kind, "from": args.from, "to": args.to, "out": out });
    let done = ask(&args.ask.data.data, request)?;
    if args.ask.json {
        output::json(&done)?
    } else {
        output::line(&format!("{} rows in {}", done["rows"], out.display()))?
    }
    DONE
}

/// `weir desk link --first`.
pub fn desk(command: &DeskCommand) -> Result<ExitCode, Failure> {
    let DeskCommand::Link(args) = command;
    let done = ask(&args.ask.data.data, json!({ "op": "desk-link" }))?;
    if args.ask.json {
        output::json(&done)?;
        return DONE;
    }
    output::line(done["link"].as_str().unwrap_or_default())?;
    if let Some(login) = done["login"].as_str() {
        eprintln!("It gives the account {login} new factors, once: its password, second factors and tokens end when it is used.");
    }
    DONE
}

/// `weir key show`: through the program where it runs, else off line with the side ledger.
pub fn key(command: &KeyCommand) -> Result<ExitCode, Failure> {
    let KeyCommand::Show { kind, day, ask: args } = command;
    let key = match Client::connect(&args.data.data) {
        Ok(mut client) => client.call(json!({ "op": "key", "kind": kind, "day": day }))?.as_str().unwrap_or_default().to_owned(),
        Err(_) => key_off_line(&args.data.data, kind, day)?,
    };
    if args.json {
        output::json(&json!({ "kind": kind, "day": day, "key": key }))?
    } else {
        output::line(&key)?
    }
    DONE
}

fn key_off_line(data: &Path, kind: &str, day: &str) -> Result<String, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (opened, _) = offline::open(data, &clock)?;
    let result = views::key(&opened.store, kind, day);
    let rows = result.as_ref().ok().map(|_| 1);
    let asked = Asked { purpose: "key".into(), ..views::asked(clock.now(), &offline::actor(), "key-show", &format!("{kind} {day}"), rows) };
    side::append(&opened.store, opened.disk.as_ref(), &asked)?;
    result
}
