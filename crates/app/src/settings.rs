//! `weir settings`: over the socket, as the desk does it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{CheckArgs, SettingsCommand};
use crate::fail::{FAILED, Failure};
use crate::output;
use crate::socket::client::Client;

type Changes = BTreeMap<String, Option<String>>;

/// Runs the command.
pub fn run(command: &SettingsCommand) -> Result<ExitCode, Failure> {
    match command {
        SettingsCommand::List(args) => list(&args.data.data, args.json),
        SettingsCommand::Check(args) => {
            let checked = call(&args.ask.data.data, &json!({ "op": "settings-check", "changes": changes(args)? }))?;
            let bad = checked["problems"].as_array().is_some_and(|p| !p.is_empty());
            if args.ask.json {
                output::json(&checked)?;
            } else {
                output::text(&shown(&checked))?;
            }
            Ok(if bad { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
        }
        SettingsCommand::Set(args) => {
            let request = json!({
                "op": "settings-change", "changes": changes(&args.change)?, "reason": args.reason, "approval": args.approval,
            });
            let done = call(&args.change.ask.data.data, &request)?;
            if args.change.ask.json {
                output::json(&done)?;
            } else {
                // Two persons decided with a reason: another one that is given later is not kept, and that is said.
                let remark = done["remark"]["en"].as_str().map(|r| format!("{r}\n")).unwrap_or_default();
                output::text(&format!("{}{remark}The next start takes this in.\n", shown(&done)))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn call(data: &Path, request: &Value) -> Result<Value, Failure> {
    Client::connect(data)?.call(request.clone())
}

fn changes(args: &CheckArgs) -> Result<Changes, Failure> {
    let mut out = Changes::new();
    for text in &args.values {
        let pair = text.split_once('=');
        let (path, value) = pair.ok_or_else(|| Failure::usage("a change has no \"=\"", "write it as sources.radius.settle=5s"))?;
        out.insert(path.trim().to_owned(), Some(value.trim().to_owned()));
    }
    out.extend(args.back.iter().map(|path| (path.trim().to_owned(), None)));
    Ok(out)
}

fn list(data: &Path, json: bool) -> Result<ExitCode, Failure> {
    let all = call(data, &json!({ "op": "settings" }))?;
    if json {
        output::json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |v: &Value, key: &str| v.get(key) == Some(&Value::Bool(true));
    let by = |v: &Value| match (flag(v, "editable"), flag(v, "two_persons")) {
        (false, _) => "the machine alone",
        (true, true) => "two persons",
        (true, false) => "one person",
    };
    let each = |key: &str| all[key].as_array().cloned().unwrap_or_default();
    let cells: Vec<Vec<String>> =
        each("values").iter().map(|v| vec![text(v, "path"), text(v, "origin"), by(v).to_owned(), text(v, "value")]).collect();
    let mut out = output::table(&["setting", "from", "changed by", "value"], &cells);
    let pending = each("pending");
    if !pending.is_empty() {
        out.push_str("\nThe next start takes in:\n");
        out.push_str(&shown(&json!({ "differences": pending })));
    }
    output::text(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// Differences and problems for a person.
fn shown(checked: &Value) -> String {
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned);
    let each = |key: &str| checked[key].as_array().cloned().unwrap_or_default();
    let mut out = String::new();
    for d in each("differences") {
        let new = text(&d, "new").unwrap_or_else(|| "taken back".to_owned());
        let two = if d["two_persons"] == json!(true) { "  (needs a second person)" } else { "" };
        out.push_str(&format!("{}: {} -> {new}{two}\n", text(&d, "path").unwrap_or_default(), text(&d, "old").unwrap_or_default()));
    }
    for p in each("problems") {
        let line = format!("{} {}\n", text(&p, "path").unwrap_or_default(), p["text"]["en"].as_str().unwrap_or_default());
        out.push_str(line.trim_start());
    }
    if out.is_empty() { "nothing would change\n".to_owned() } else { out }
}
