//! `weir lookup --paste`: every question in a text as people paste it. Reading is done here; the program is asked as for any other question.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_web::model::lookup::ReadLine;

use crate::cli::LookupArgs;
use crate::desk::paste;
use crate::fail::{FAILED, Failure};
use crate::limits::{PASTE_LINE_BYTES, PASTE_LINES};
use crate::output;
use crate::socket::client::Client;
use crate::socket::ops;

/// Runs the command.
pub fn run(args: &LookupArgs, file: &Path) -> Result<ExitCode, Failure> {
    let text = text(file)?;
    let read = paste::read(&text, &args.zone, SystemClock::new().now())
        .map_err(|e| Failure { code: crate::fail::USAGE, ..Failure::sentence(e) })?;
    let asked: Vec<(usize, Value)> = read.lines.iter().enumerate().filter_map(|(i, l)| Some((i, question(l, &args.skew)?))).collect();
    let mut answers: Vec<Option<Value>> = vec![None; read.lines.len()];
    if !asked.is_empty() {
        let questions: Vec<&Value> = asked.iter().map(|(_, q)| q).collect();
        let got =
            Client::connect(&args.data.data)?.call(json!({ "op": "lookup", "questions": questions, "purpose": args.purpose.name() }))?;
        for ((line, _), answer) in asked.iter().zip(got.as_array().cloned().unwrap_or_default()) {
            if let Some(place) = answers.get_mut(*line) {
                *place = Some(answer);
            }
        }
    }
    let code = code(&asked, &answers);
    for (line, mut answer) in read.lines.iter().zip(answers) {
        let summary = answer.as_mut().and_then(|a| a.as_object_mut()?.remove("summary"));
        if args.json {
            let mut value = json!(line);
            // The command line is English: as texts.
            value["problem"] = json!(line.problem.as_ref().map(|p| &p.en));
            value["assumed"] = json!(line.assumed.iter().map(|a| &a.en).collect::<Vec<_>>());
            value["answer"] = answer.unwrap_or(Value::Null);
            output::json(&value)?;
        } else {
            output::text(&shown(line, answer.as_ref(), summary.as_ref().and_then(Value::as_str)))?;
        }
    }
    Ok(ExitCode::from(code))
}

/// One question has its answer's code, as when it is asked alone; several have that of success, none that of a failure.
fn code(asked: &[(usize, Value)], answers: &[Option<Value>]) -> u8 {
    match asked {
        [] => FAILED,
        [(line, _)] => answers.get(*line).and_then(Option::as_ref).map_or(FAILED, ops::exit_code),
        _ => 0,
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    let bad =
        |e: std::io::Error| Failure::new(format!("{} cannot be read ({e})", file.display()), "name a text file, or - for standard input");
    let limit = (PASTE_LINES * PASTE_LINE_BYTES) as u64;
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().take(limit).read_to_end(&mut bytes).map_err(bad)?;
    } else {
        File::open(file).and_then(|f| f.take(limit).read_to_end(&mut bytes)).map_err(bad)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The question of a line; the tolerance of the command counts where the line names none.
fn question(line: &ReadLine, skew: &str) -> Option<Value> {
    let mut question = line.question.clone()?;
    question.skew.get_or_insert_with(|| skew.to_owned());
    serde_json::to_value(question).ok()
}

fn shown(line: &ReadLine, answer: Option<&Value>, summary: Option<&str>) -> String {
    let mut out = match (&line.question, &line.problem) {
        (Some(q), _) => format!("line {}: {} at {}\n", line.line, q.public, q.at),
        (None, Some(problem)) => format!("line {}: not asked: {}\n", line.line, problem.en),
        (None, None) => return String::new(),
    };
    line.assumed.iter().filter(|_| line.question.is_some()).for_each(|a| out.push_str(&format!("  assumed: {}\n", a.en)));
    if let Some(summary) = summary {
        summary.lines().for_each(|l| out.push_str(&format!("  {l}\n")));
    } else if let Some(error) = answer.and_then(|a| a.get("error")) {
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        out.push_str(&format!("  {}: {}\n", text("what"), text("todo")));
    }
    out
}
