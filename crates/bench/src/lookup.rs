//! Who held an address and port: questions to the engine in its own process, to nfdump over the same events,
//! and to DuckDB and chDB over the same mappings.

use std::path::Path;

use serde_json::{Value, json};

use crate::asking::is_one;
use crate::columns::{ENGINES, tell};
use crate::corpus::{Corpus, Held};
use crate::nfcapd::Nfcapd;
use crate::shared::{Outcome, percentile, reading};
use crate::weir::Weir;

/// Mappings stored, about; each is two events.
const SIZES: &[u64] = &[100_000, 1_000_000, 10_000_000];
/// Events a second: slowly enough that none is lost, so that every question has its answer.
const RATE: u64 = 250_000;
/// Shortest run, seconds.
const SECONDS: u64 = 60;
/// Questions asked.
const QUESTIONS: usize = 1_000;
/// Questions nfdump is asked: each reads the whole file.
const NFDUMP_QUESTIONS: usize = 5;
/// Questions DuckDB and chDB are asked.
const COLUMNS_QUESTIONS: usize = 300;
/// Either way around the moment, milliseconds.
const SKEW_MS: i64 = 2_000;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    for size in SIZES {
        at(*size)?;
    }
    Ok(())
}

fn at(size: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let truth = folder.path().join("truth.ndjson");
    let seconds = (2 * size / RATE).max(SECONDS);
    let corpus = Corpus::of(2 * size / seconds, seconds, Some(&truth))?;
    let (mappings, held) = Corpus::held(&truth, QUESTIONS)?;
    eprintln!("{mappings} mappings, {} events, {} questions", corpus.events, held.len());
    let mut weir = Weir::start(folder.path())?;
    let (_, moved) = corpus.send(weir.ipfix)?;
    let taken = weir.taken(corpus.events)?;
    for op in ["seal", "repack", "flush"] {
        weir.call(&json!({ "op": op }))?;
    }
    eprintln!("weir: {taken:?}");
    ask_weir(&mut weir, &held, moved, size)?;
    weir.stop()?;
    ask_nfdump(&corpus, &held, size, folder.path())?;
    drop(corpus);
    ask_columns(&truth, &held, size, folder.path())
}

/// DuckDB and chDB with a table of the same mappings, in the order that suits the question.
fn ask_columns(truth: &Path, held: &[Held], size: u64, folder: &Path) -> Outcome<()> {
    let questions = folder.join("questions.ndjson");
    let mut text = String::new();
    let step = (held.len() / COLUMNS_QUESTIONS).max(1);
    let asked: Vec<&Held> = held.iter().step_by(step).take(COLUMNS_QUESTIONS).collect();
    for h in &asked {
        let question = json!({ "public": h.address, "port": h.port, "protocol": h.protocol, "at": h.at, "inside": h.inside });
        text.push_str(&format!("{question}\n"));
    }
    std::fs::write(&questions, text)?;
    for (engine, name) in ENGINES {
        let place = folder.join(engine);
        std::fs::create_dir(&place)?;
        let told = tell(folder, engine, &["lookup".as_ref(), truth, &place, &questions])?;
        let Some([rows, held, right, took @ ..]) = told.as_deref() else { continue };
        if *right < asked.len() as f64 {
            return Err(format!("{name} answers {right} of {} questions with the holder alone: the corpus is wrong", asked.len()).into());
        }
        let (mut took, x) = (took.to_vec(), Some(size));
        reading(&format!("{name}: one question, p50, ms"), x, percentile(&mut took, 0.5));
        reading(&format!("{name}: one question, p99, ms"), x, percentile(&mut took, 0.99));
        reading(&format!("{name}: bytes a mapping on disk"), x, held / rows.max(1.0));
    }
    Ok(())
}

fn question(held: &Held, moved: i64) -> Value {
    json!({ "op": "lookup", "public": held.address, "port": held.port, "protocol": held.protocol, "at": held.at + moved, "skew": SKEW_MS })
}

fn ask_weir(weir: &mut Weir, held: &[Held], moved: i64, size: u64) -> Outcome<()> {
    let x = Some(size);
    let (mut engine, mut ledger, mut pages, mut bytes, mut one) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0usize);
    for held in held {
        let answer = weir.call(&question(held, moved))?;
        let number = |name: &str| answer[name].as_f64().ok_or("an answer lacks a number");
        engine.push(number("engine_ms")?);
        ledger.push(number("ledger_ms")?);
        pages.push(number("pages")?);
        bytes.push(number("bytes")?);
        one += usize::from(is_one(&answer, &held.inside)?);
    }
    reading("weir: one question, engine, p50, ms", x, percentile(&mut engine, 0.5));
    reading("weir: one question, engine, p99, ms", x, percentile(&mut engine, 0.99));
    reading("weir: the ledger's durable record of it, p50, ms", x, percentile(&mut ledger, 0.5));
    reading("weir: the ledger's durable record of it, p99, ms", x, percentile(&mut ledger, 0.99));
    reading("weir: pages read, median", x, percentile(&mut pages, 0.5));
    reading("weir: pages read, worst", x, percentile(&mut pages, 1.0));
    reading("weir: bytes read, median", x, percentile(&mut bytes, 0.5));
    reading("weir: bytes read, worst", x, percentile(&mut bytes, 1.0));
    reading("weir: the one holder found, %", x, 100.0 * one as f64 / held.len().max(1) as f64);
    Ok(())
}

fn ask_nfdump(corpus: &Corpus, held: &[Held], size: u64, folder: &Path) -> Outcome<()> {
    let Some(nfcapd) = Nfcapd::start(folder)? else { return Ok(()) };
    corpus.send(nfcapd.at)?;
    let kept = nfcapd.finish()?;
    let mut took = Vec::new();
    let step = (held.len() / NFDUMP_QUESTIONS).max(1);
    for held in held.iter().step_by(step).take(NFDUMP_QUESTIONS) {
        let (ms, lines) = kept.ask(&held.filter)?;
        if lines == 0 {
            return Err("nfdump finds nothing: the filter or the corpus is wrong".into());
        }
        took.push(ms);
    }
    let median = percentile(&mut took, 0.5);
    reading("nfdump: one question, median, ms", Some(size), median);
    reading("nfdump: the same for a million events stored, msec", Some(size), median * 1e6 / kept.events.max(1) as f64);
    Ok(())
}
