//! `weir import`: past sessions of another system. The file is read twice: once to find every bad line, once to hand the sessions to the running
//! program. Without a clean first reading (or `--skip-bad`) nothing is handed over.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use ring::digest;
use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;
use weir_sources::import::sessions::{BadLine, Mapping, Past, Times, past};
use weir_sources::import::table::{Table, TableError};

use crate::cli::{ImportArgs, ImportCommand};
use crate::fail::{FAILED, Failure};
use crate::limits::{IMPORT_BAD_LINES, IMPORT_PREVIEW, IMPORT_SESSIONS};
use crate::output;
use crate::socket::client::Client;

/// What the first reading found.
#[derive(Default)]
struct Found {
    good: u64,
    bad: u64,
    shown: Vec<BadLine>,
    first: Option<i64>,
    last: Option<i64>,
    open: u64,
    sample: Vec<Past>,
    fields: Vec<&'static str>,
}

/// The name of an import that is given none: a table of its own has the name of its file, so that two of them are two sources.
fn name(args: &ImportArgs, own: bool) -> String {
    let of_file = || args.file.file_stem().map(|stem| stem.to_string_lossy().chars().map(plain).take(64).collect::<String>());
    let given = args.name.clone().or_else(|| if own { of_file() } else { None });
    given.filter(|n| !n.is_empty()).unwrap_or_else(|| "radacct".to_owned())
}

/// A character that may stand in a name.
fn plain(c: char) -> char {
    if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }
}

/// Runs the command.
pub fn run(command: &ImportCommand) -> Result<ExitCode, Failure> {
    let (args, columns) = match command {
        ImportCommand::FreeradiusSql(args) => (args, None),
        ImportCommand::Csv { column, import } => (import, Some(column.as_slice())),
    };
    if format!("2026-01-01T00:00:00{}", args.zone).parse::<Millis>().is_err() {
        return Err(Failure::usage(format!("the zone {:?} is not understood", args.zone), "write it as +08:00"));
    }
    let times = Times { zone: args.zone.clone(), now: SystemClock::new().now() };
    let (mut found, mut fields) = (Found::default(), Vec::new());
    read(args, columns, &times, "reading", &mut |line| {
        found.take(line);
        Ok(())
    })
    .map(|words| fields = words)?;
    found.fields = fields;
    report(args, &found)?;
    if args.preview {
        return Ok(if found.bad == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
    }
    if found.bad > 0 && !args.skip_bad {
        return Err(Failure::new(
            format!("{} of {} lines cannot be taken; nothing was imported", found.bad, found.bad + found.good),
            "mend the lines named above, or take the others with --skip-bad",
        ));
    }
    let rows = hand_over(args, columns, &times)?;
    if args.ask.json {
        output::json(&json!({ "sessions": found.good, "rows": rows, "bad": found.bad }))?;
    } else {
        output::line(&format!("{} sessions imported as import/{}, {rows} records", found.good, name(args, columns.is_some())))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Found {
    fn take(&mut self, line: Result<Past, BadLine>) {
        match line {
            Ok(p) => {
                self.good += 1;
                self.first = self.first.into_iter().chain(p.start).min();
                self.last = self.last.max(p.stop.or(p.update).or(p.start));
                self.open += u64::from(p.stop.is_none());
                if self.sample.len() < IMPORT_PREVIEW {
                    self.sample.push(p);
                }
            }
            Err(bad) => {
                self.bad += 1;
                if self.shown.len() < IMPORT_BAD_LINES {
                    self.shown.push(bad);
                }
            }
        }
    }
}

/// Hands every line of the file to `take`; gives the fields that were found in it.
fn read(
    args: &ImportArgs,
    columns: Option<&[String]>,
    times: &Times,
    what: &str,
    take: &mut dyn FnMut(Result<Past, BadLine>) -> Result<(), Failure>,
) -> Result<Vec<&'static str>, Failure> {
    let shown = args.file.display();
    let cannot = |e: TableError| Failure::new(format!("{shown}: {e}"), "see docs/sources/import.md for how to export the table");
    let file = File::open(&args.file).map_err(|e| cannot(e.into()))?;
    let bar = bar(what, file.metadata().map_or(0, |m| m.len()));
    let mut table = Table::open(BufReader::with_capacity(1 << 20, file), "radacct").map_err(cannot)?;
    let mapping = columns.map_or_else(|| Mapping::radacct(&table.columns), |pairs| Mapping::named(&table.columns, pairs));
    let mapping = mapping.map_err(|e| Failure::usage(format!("{shown}: {e}"), "see docs/sources/import.md"))?;
    let count = table.columns.len();
    while let Some(record) = table.record().map_err(cannot)? {
        take(past(&record, count, &mapping, times))?;
        bar.set_position(table.bytes);
    }
    bar.finish_and_clear();
    Ok(mapping.words())
}

fn bar(what: &str, bytes: u64) -> ProgressBar {
    let bar = if io::stderr().is_terminal() { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what.to_owned());
    bar
}

/// What was found, for a person on standard error, so that standard output stays what was asked for; a preview is what was asked for.
fn report(args: &ImportArgs, found: &Found) -> Result<(), Failure> {
    for bad in &found.shown {
        eprintln!("line {}: {}", bad.line, bad.what);
    }
    if found.bad > found.shown.len() as u64 {
        eprintln!("and {} more bad lines", found.bad - found.shown.len() as u64);
    }
    if !args.preview {
        return Ok(());
    }
    let time = |t: Option<i64>| t.map_or_else(String::new, |t| Millis(t).to_rfc3339());
    if args.ask.json {
        let value = json!({
            "sessions": found.good, "bad": found.bad, "open": found.open, "first": time(found.first), "last": time(found.last),
            "fields": found.fields, "sample": found.sample,
        });
        return output::json(&value);
    }
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let cells: Vec<Vec<String>> = found
        .sample
        .iter()
        .map(|p| {
            let address = [&p.address, &p.address6, &p.prefix, &p.delegated].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
            vec![time(p.start), time(p.stop), text(&p.account), text(&p.caller), address, text(&p.nas), text(&p.session)]
        })
        .collect();
    output::text(&output::table(&["start", "stop", "account", "caller", "address", "nas", "session"], &cells))?;
    output::line(&format!(
        "{} sessions, {} of them without an end, from {} to {}; {} bad lines; fields: {}",
        found.good,
        found.open,
        time(found.first),
        time(found.last),
        found.bad,
        found.fields.join(" ")
    ))
}

/// SHA-256 of the file, in hexadecimal, as sha256sum writes it.
fn digest(args: &ImportArgs) -> io::Result<String> {
    let (mut file, mut hash, mut part) = (File::open(&args.file)?, digest::Context::new(&digest::SHA256), Vec::new());
    loop {
        part.clear();
        if file.by_ref().take(1 << 20).read_to_end(&mut part)? == 0 {
            return Ok(hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect());
        }
        hash.update(&part);
    }
}

/// Hands the good lines over, a request each so many; gives the records made.
fn hand_over(args: &ImportArgs, columns: Option<&[String]>, times: &Times) -> Result<u64, Failure> {
    let shown = args.file.display();
    let digest = digest(args).map_err(|e| Failure::new(format!("{shown} cannot be read ({e})"), "name an existing file"))?;
    let mut client = Client::connect(&args.ask.data.data)?;
    let file = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let (mut first, mut made, mut waiting) = (true, 0, Vec::new());
    let (mut taken, mut skipped) = (0u64, 0u64);
    let mut send = |sessions: Vec<Past>, last: bool, (taken, skipped): (u64, u64)| -> Result<u64, Failure> {
        let request = json!({
            "op": "import", "name": name(args, columns.is_some()), "realm": args.realm, "file": file, "digest": digest, "sessions": sessions,
            "first": first, "last": last, "again": args.again, "taken": taken, "skipped": skipped,
        });
        first = false;
        let answer: Value = client.call(request)?;
        Ok(answer["rows"].as_u64().unwrap_or(0))
    };
    read(args, columns, times, "importing", &mut |line| {
        taken += u64::from(line.is_ok());
        skipped += u64::from(line.is_err());
        waiting.extend(line.ok());
        if waiting.len() >= IMPORT_SESSIONS {
            made += send(std::mem::take(&mut waiting), false, (taken, skipped))?;
        }
        Ok(())
    })?;
    made += send(waiting, true, (taken, skipped))?;
    Ok(made)
}
