//! `weir lookup --batch`: the questions of a file, answered part by part.

use std::borrow::Cow;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use csv::{ReaderBuilder, Writer};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use weir_base::crypto::sha256;

use crate::cli::LookupArgs;
use crate::fail::{FAILED, Failure};
use crate::limits::{BATCH_BYTES, BATCH_PART_BYTES, BATCH_QUESTIONS, BATCH_TOGETHER};
use crate::output;
use crate::socket::batch::heading;
use crate::socket::client::{Client, not_ours};
use crate::socket::told::{Tally, Told};

/// Asks every question of the file.
pub fn run(args: &LookupArgs, file: &Path) -> Result<ExitCode, Failure> {
    let text = read(file)?;
    let (head, rows) = look(file, &text)?;
    let digest: String = sha256(text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut client = Client::connect(&args.data.data)?;
    let begin = json!({ "op": "batch-begin", "digest": digest, "rows": rows, "purpose": args.purpose.name(), "skew": args.skew });
    let batch = client.call(begin)?["batch"].take();
    let bar = bar(rows);
    let mut tally = Tally::default();
    if !args.json {
        output::text("line,answer,code,realm,subscriber,inside,inside_port,start,end,reason\n")?;
    }
    let parts = parts(&text, head);
    let request = |(i, part): (usize, &&str)| {
        let (last, more) = (i + 1 == parts.len(), !(i + 1).is_multiple_of(BATCH_TOGETHER));
        let mut request = json!({ "op": "batch", "batch": batch, "text": part, "last": last });
        if more && !last {
            request["more"] = json!(true);
        }
        request
    };
    client.call_each(parts.iter().enumerate().map(request), |given| {
        let (shown, of_part) = if args.json { lines(&given.answers()?)? } else { table(&given.answers()?)? };
        tally = tally.and(of_part);
        bar.inc(of_part.rows());
        output::text(&shown)
    })?;
    bar.finish_and_clear();
    let Tally { one, none, several, unknown, refused } = tally;
    eprintln!("{rows} questions: {one} one, {none} none, {several} several, {unknown} unknown, {refused} refused");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let cannot = |e: io::Error| Failure::new(format!("{shown} cannot be read ({e})"), "name an existing CSV file in UTF-8");
    if fs::metadata(file).map_err(cannot)?.len() > BATCH_BYTES {
        return Err(Failure::usage(format!("{shown} is larger than {} MiB", BATCH_BYTES >> 20), "ask in several files"));
    }
    fs::read_to_string(file).map_err(cannot)
}

/// Reads the file once: the end of its heading, and its questions. So nothing is in the ledger of a file that is none.
fn look(file: &Path, text: &str) -> Result<(usize, u64), Failure> {
    let shown = file.display();
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let (mut rows, mut first) = (0u64, true);
    for record in reader.records() {
        let record = record.map_err(|e| {
            let line = e.position().map_or(0, csv::Position::line);
            Failure::usage(format!("{shown}: line {line} is not CSV"), "see docs/answers.md for the columns")
        })?;
        if std::mem::take(&mut first) {
            heading(&record).map_err(|f| Failure { what: format!("{shown}: {}", f.what), ..f })?;
        } else {
            rows += 1;
        }
        // A line break within quotes would be cut in two.
        if record.iter().any(|cell| cell.contains('\n')) {
            return Err(Failure::usage(format!("{shown}: a cell spans lines"), "write one question a line"));
        }
    }
    if rows == 0 {
        return Err(Failure::usage(format!("{shown} has no questions"), "write a heading and a question a line, see docs/answers.md"));
    }
    Ok((text.find('\n').map_or(text.len(), |at| at + 1), rows))
}

/// The file cut into parts of whole lines, the heading with the first.
fn parts(text: &str, head: usize) -> Vec<&str> {
    let (mut parts, mut from, mut lines) = (Vec::new(), 0, 0);
    for (at, _) in text.match_indices('\n').filter(|(at, _)| *at >= head) {
        lines += 1;
        if lines == BATCH_QUESTIONS || at - from >= BATCH_PART_BYTES {
            parts.push(&text[from..=at]);
            (from, lines) = (at + 1, 0);
        }
    }
    if from < text.len() || parts.is_empty() {
        parts.push(&text[from..]);
    }
    parts
}

/// Answers as JSON, a line each: as the program wrote them.
fn lines(answers: &[&RawValue]) -> Result<(String, Tally), Failure> {
    #[derive(Deserialize)]
    struct Word<'a> {
        #[serde(borrow)]
        answer: Cow<'a, str>,
    }
    let mut out = String::with_capacity(answers.iter().map(|answer| answer.get().len() + 1).sum());
    let mut tally = Tally::default();
    for answer in answers {
        // Where it stands first, as the program writes it, the rest need not be looked through once more.
        match answer.get().strip_prefix(r#"{"answer":""#).and_then(|rest| rest.split_once('"')) {
            Some((word, _)) if !word.contains('\\') => tally.count(word),
            _ => tally.count(&serde_json::from_str::<Word<'_>>(answer.get()).map_err(|_| not_ours())?.answer),
        }
        out.push_str(answer.get());
        out.push('\n');
    }
    Ok((out, tally))
}

/// Answers as CSV, a line for each who may have been it.
fn table(answers: &[Told<'_>]) -> Result<(String, Tally), Failure> {
    let mut tally = Tally::default();
    let mut out = Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| Failure::new(format!("cannot write CSV ({e})"), "please report this");
    for answer in answers {
        tally.count(&answer.answer);
        let line = answer.line.to_string();
        let own = [&line, answer.answer.as_ref(), answer.code.as_deref().unwrap_or_default()];
        let mut row = |held: [&str; 6]| out.write_record(own.into_iter().chain(held).chain([answer.reason.as_ref()])).map_err(failed);
        if answer.candidates.is_empty() {
            row([""; 6])?;
        }
        for c in &answer.candidates {
            let [subscriber, start, end] = [&c.subscriber, &c.start, &c.end].map(|text| text.as_deref().unwrap_or_default());
            row([&c.realm, subscriber, &c.inside, &c.inside_port.map(|port| port.to_string()).unwrap_or_default(), start, end])?;
        }
    }
    let bytes = out.into_inner().map_err(|e| failed(e.into_error().into()))?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), tally))
}

fn bar(rows: u64) -> ProgressBar {
    let bar = if io::stderr().is_terminal() { ProgressBar::new(rows) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("asking [{bar:30}] {pos}/{len} {per_sec} {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_wherever_their_word_stands() {
        let texts = [r#"{"answer":"one","line":2}"#, r#"{"line":3,"answer":"none"}"#, r#"{"answer":"on\u0065"}"#];
        let answers: Vec<Box<RawValue>> = texts.iter().map(|text| RawValue::from_string((*text).to_owned()).unwrap()).collect();
        let (out, tally) = lines(&answers.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap();
        assert_eq!((out, tally), (format!("{}\n", texts.join("\n")), Tally { one: 2, none: 1, ..Tally::default() }));
        let other = RawValue::from_string("7".to_owned()).unwrap();
        assert!(lines(&[&other]).is_err());
    }

    #[test]
    fn parts_are_whole_lines_and_all_of_them() {
        let line = "x,y\n";
        for lines in [1, 2, BATCH_QUESTIONS, BATCH_QUESTIONS + 1, 3 * BATCH_QUESTIONS] {
            for end in ["", "last,one"] {
                let text = format!("public,at\n{}{end}", line.repeat(lines));
                let parts = parts(&text, 10);
                assert_eq!(parts.concat(), text);
                assert!(parts.iter().all(|p| p.lines().count() <= BATCH_QUESTIONS + 1 && !p.is_empty()), "{lines}");
                assert!(parts.iter().rev().skip(1).all(|p| p.ends_with('\n')));
            }
        }
        let long = format!("{}\n", "x".repeat(BATCH_PART_BYTES / 2));
        let text = format!("public,at\n{}", long.repeat(5));
        assert!(parts(&text, 10).len() >= 3);
        assert_eq!(parts(&text, 10).concat(), text);
    }

    #[test]
    fn what_is_no_batch_is_told_before_anything_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("batch.csv");
        for (text, told) in [
            ("", "no questions"),
            ("public,at\n", "no questions"),
            ("203.0.113.7:1,now\n", "heading"),
            ("public,at\n\"a\nb\",now\n", "spans lines"),
        ] {
            let failure = look(&file, text).unwrap_err();
            assert!(failure.what.contains(told) && !failure.to_string().contains("203.0.113.7"), "{failure}");
        }
        assert_eq!(look(&file, "\u{feff}public,at\r\na,b\r\nc,d").unwrap(), (14, 2));
    }
}
