//! `weir dialect`: the dialects of log lines, and trying one on samples before it is used.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;
use weir_sources::syslog::dialect::{Dialect, Event, Table, Understood};
use weir_sources::syslog::limits::LINE_BYTES;
use weir_sources::syslog::meaning::{self, About};
use weir_sources::syslog::{line, server, text};

use crate::cli::DialectCommand;
use crate::fail::{FAILED, Failure};
use crate::limits::SAMPLE_LINES;
use crate::output;

/// Minutes east of UTC of times in samples that name no zone, as of senders whose entry names none.
const LOCAL_ZONE: i32 = 480;

/// Runs the command.
pub fn run(command: &DialectCommand) -> Result<ExitCode, Failure> {
    match command {
        DialectCommand::List { json } => list(*json),
        DialectCommand::Test { file, samples, json } => test(file, samples, *json),
    }
}

fn list(json: bool) -> Result<ExitCode, Failure> {
    let all = Table::built_in();
    if json {
        output::json(&all.iter().map(|d| json!({ "name": d.name, "title": d.title })).collect::<Vec<_>>())?;
    } else {
        let cells: Vec<Vec<String>> = all.into_iter().map(|d| vec![d.name, d.title]).collect();
        output::text(&output::table(&["dialect", "lines of"], &cells))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn dialect(file: &Path) -> Result<Dialect, Failure> {
    if let Some(own) = Table::built_in().into_iter().find(|d| Path::new(&d.name) == file) {
        return Ok(own);
    }
    server::read_dialect(file).map_err(|all| Failure::new(all.join("\n"), "mend the file; docs/sources/syslog.md says how one is written"))
}

fn test(file: &Path, samples: &Path, json: bool) -> Result<ExitCode, Failure> {
    let tried = dialect(file)?;
    let (only, own) = ([tried.name.clone()], Table::new(Table::built_in()));
    let now = SystemClock::new().now();
    let table = Table::new(vec![tried]);
    let bad = |e: std::io::Error| Failure::new(format!("{} cannot be read ({e})", samples.display()), "name a file of log lines");
    let mut reader = BufReader::new(File::open(samples).map_err(bad)?);
    let (mut told, mut shown, mut understood) = (Vec::new(), String::new(), 0usize);
    let mut number = 0usize;
    loop {
        let mut bytes = Vec::new();
        let n = reader.by_ref().take(LINE_BYTES as u64).read_until(b'\n', &mut bytes).map_err(bad)?;
        if n == 0 {
            break;
        }
        number += 1;
        if number > SAMPLE_LINES {
            return Err(Failure::new(format!("there are more than {SAMPLE_LINES} lines"), "try fewer samples"));
        }
        let (decoded, _) = text::decode(bytes.trim_ascii_end());
        if decoded.is_empty() {
            continue;
        }
        let line = line::parse(&decoded);
        // Naming it is what a sender's entry does.
        let found = table.understand(&line, &only);
        let faults = found.as_ref().map_or_else(Vec::new, |found| faults(found, &line, now));
        let other = own.understand(&line, &[]).map(|u| u.dialect).filter(|name| *name != only[0]);
        let named = if other.is_none() { named(&own, &line).filter(|name| *name != only[0]) } else { None };
        understood += usize::from(found.is_some() && faults.is_empty());
        told.push(one(number, found.as_ref(), &faults, other, named));
        let what = match found.as_ref() {
            None => "not understood".to_owned(),
            Some(found) if faults.is_empty() => words(found),
            Some(found) => format!("not understood: {}; it was read as {}", faults.join("; "), words(found)),
        };
        let beside = match (other, named) {
            (Some(name), _) => {
                format!("; the built-in dialect {name} understands it, and comes first where the sender's entry names no dialect")
            }
            (None, Some(name)) => format!("; the built-in dialect {name} understands it of a sender whose entry names {name}"),
            (None, None) => String::new(),
        };
        let _ = writeln!(shown, "{number}: {what}{beside}");
    }
    if told.is_empty() {
        let what = format!("{} holds no line to try the dialect on", samples.display());
        return Err(Failure::new(what, "write log lines into it as the device sends them, one a line"));
    }
    if json {
        output::json(&json!({ "lines": told, "understood": understood }))?;
    } else {
        let _ = writeln!(shown, "{understood} of {} lines understood", told.len());
        output::text(&shown)?;
    }
    Ok(if understood == told.len() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The built-in dialect that understands a line only of senders that name it.
fn named<'t>(own: &'t Table, line: &line::Line<'_>) -> Option<&'t str> {
    own.dialects().iter().map(|d| d.name.as_str()).find(|name| own.understand(line, &[(*name).to_owned()]).is_some())
}

fn event(event: Event) -> String {
    match event {
        Event::Nat(ends, form) => format!("nat {ends:?} {}", form.name()).to_lowercase(),
        Event::Release => "release".to_owned(),
        Event::Inquiry => "inquiry".to_owned(),
        other => other.name().unwrap_or("nothing").to_owned(),
    }
}

/// Why the program would make no records of what was read, or not of all of it.
fn faults(found: &Understood<'_>, line: &line::Line<'_>, now: Millis) -> Vec<String> {
    let (time, _) = line.stamp.map_or((now, 0), |s| s.resolve(now, LOCAL_ZONE));
    let whole = line.stamp.is_some_and(|s| s.whole);
    let about = About { source: 0, time, whole, received: now, zone: LOCAL_ZONE };
    let several = found.entries.len() > 1;
    let mut all: Vec<String> = Vec::new();
    for (i, entry) in found.entries.iter().enumerate() {
        let fault = meaning::fault(&entry.values, entry.event, &about);
        all.extend(fault.map(|fault| if several { format!("entry {}: {fault}", i + 1) } else { fault }));
    }
    if found.missed > 0 {
        all.push(format!("{} of its entries are understood by no rule", found.missed));
    }
    all
}

fn one(number: usize, found: Option<&Understood<'_>>, faults: &[String], other: Option<&str>, named: Option<&str>) -> Value {
    let entries = |u: &Understood<'_>| -> Vec<Value> {
        let object = |values: &weir_sources::syslog::dialect::Values<'_>| {
            Value::Object(values.iter().map(|(slot, value)| (slot.name().to_owned(), json!(value))).collect())
        };
        u.entries.iter().map(|e| object(&e.values)).collect()
    };
    let values = found.map(entries);
    json!({ "line": number, "understood": found.is_some() && faults.is_empty(), "problems": faults, "event": found.map(|u| event(u.event())), "values": values, "built_in": other, "built_in_named": named })
}

fn words(found: &Understood<'_>) -> String {
    let mut out = event(found.event());
    for entry in &found.entries {
        for (slot, value) in entry.values.iter() {
            let _ = write!(out, " {slot}={value:?}");
        }
    }
    out
}
