//! Who held an address and port: questions to the real program through its socket, and to nfdump over the same events.

mod bench;

use bench::{Corpus, Held, Nfcapd, Outcome, Weir, percentile, reading};
use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;

/// Mappings stored, about; each is two events.
const SIZES: &[u64] = &[100_000, 1_000_000];
/// Seconds in which they come: slowly enough that none is lost, so that every question has its answer.
const SECONDS: u64 = 20;
/// Questions asked.
const QUESTIONS: usize = 1_000;
/// Questions nfdump is asked: each reads the whole file.
const NFDUMP_QUESTIONS: usize = 5;

fn main() -> Outcome<()> {
    for size in SIZES {
        at(*size)?;
    }
    Ok(())
}

fn at(size: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let truth = folder.path().join("truth.ndjson");
    let corpus = Corpus::of(2 * size / SECONDS, SECONDS, Some(&truth))?;
    let (mappings, held) = Corpus::held(&truth, QUESTIONS)?;
    eprintln!("{mappings} mappings, {} events, {} questions", corpus.events, held.len());
    let mut weir = Weir::start(folder.path())?;
    let (_, moved) = corpus.send(weir.ipfix()?)?;
    let taken = weir.taken(corpus.events)?;
    weir.call(&json!({ "op": "seal" }))?;
    eprintln!("weir: {taken:?}");
    ask_weir(&mut weir, &held, moved, size)?;
    weir.stop()?;
    ask_nfdump(&corpus, &held, size, folder.path())
}

fn question(held: &Held, moved: i64) -> Value {
    json!({ "public": held.public, "protocol": held.protocol.to_string(), "at": Millis(held.at + moved).to_rfc3339() })
}

fn ask_weir(weir: &mut Weir, held: &[Held], moved: i64, size: u64) -> Outcome<()> {
    let (clock, x) = (SystemClock::new(), Some(size));
    let (mut took, mut pages, mut bytes, mut one) = (Vec::new(), Vec::new(), Vec::new(), 0usize);
    for held in held {
        let request = json!({ "op": "lookup", "question": question(held, moved), "explain": true });
        let begun = clock.monotonic();
        let answer = weir.call(&request)?;
        took.push((clock.monotonic() - begun).as_secs_f64() * 1e3);
        one += usize::from(is_right(&answer, held)?);
        let read = read_of(&answer)?;
        pages.push(read.0);
        bytes.push(read.1);
    }
    let begun = clock.monotonic();
    weir.call(&json!({ "op": "lookup", "questions": held.iter().map(|h| question(h, moved)).collect::<Vec<_>>() }))?;
    let together = (clock.monotonic() - begun).as_secs_f64() * 1e3 / held.len().max(1) as f64;
    reading("weir: one question, ledger durable, p50, ms", x, percentile(&mut took, 0.5));
    reading("weir: one question, ledger durable, p99, ms", x, percentile(&mut took, 0.99));
    reading("weir: a question of 1,000 in one request, mean, ms", x, together);
    reading("weir: pages read, median", x, percentile(&mut pages, 0.5));
    reading("weir: pages read, worst", x, percentile(&mut pages, 1.0));
    reading("weir: bytes read, median", x, percentile(&mut bytes, 0.5));
    reading("weir: bytes read, worst", x, percentile(&mut bytes, 1.0));
    reading("weir: answered with the one holder, %", x, 100.0 * one as f64 / held.len().max(1) as f64);
    Ok(())
}

/// True when the answer names the holder alone. An answer that names another alone is wrong, and then nothing here counts.
fn is_right(answer: &Value, held: &Held) -> Outcome<bool> {
    if answer["answer"] != "one" {
        return Ok(false);
    }
    if answer["candidates"][0]["inside"]["address"] == held.inside.as_str() {
        return Ok(true);
    }
    Err("an answer names somebody else than the truth does".into())
}

/// Pages and bytes, from the last line of how the answer came about: `read N pages, M bytes`.
fn read_of(answer: &Value) -> Outcome<(f64, f64)> {
    let line = answer["explain"].as_str().and_then(|text| text.lines().last()).ok_or("no explanation")?;
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["read", pages, "pages", bytes, "bytes"] => Ok((pages.parse()?, bytes.parse()?)),
        _ => Err("the explanation does not end with what was read".into()),
    }
}

fn ask_nfdump(corpus: &Corpus, held: &[Held], size: u64, folder: &std::path::Path) -> Outcome<()> {
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
