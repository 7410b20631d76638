//! A file of questions: 100,000 at once, sorted, shared out among the processors and put back into their order, beside the same questions one by one.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use weir_attribution::{Outcome as Came, Question};
use weir_base::clock::{Clock, SystemClock};
use weir_base::time::Millis;
use weir_store::engine::Store;
use weir_store::many::{Place, in_turn};
use weir_store::shelf::Shelf;

use crate::asking::SKEW_MS;
use crate::facts::Known;
use crate::growing::Growing;
use crate::proc;
use crate::program::Program;
use crate::records::{Records, Was};
use crate::shared::{Outcome, reading};
use crate::subscribers::{Subscribers, subscriber};

/// Mappings stored, about, and rounds of which they are.
const SIZES: &[(u64, u64)] = &[(1_000_000, 1), (3_000_000, 1), (10_000_000, 4)];
/// Seconds of a round.
const SECONDS: u64 = 50;
/// Questions.
const QUESTIONS: usize = 100_000;
/// Of these so many are asked one by one, too.
const SINGLE: usize = 2_000;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    for (size, rounds) in SIZES {
        at(*size, *rounds)?;
    }
    Ok(())
}

fn at(size: u64, rounds: u64) -> Outcome<()> {
    let records = Records::of(2 * size / rounds / SECONDS, SECONDS)?;
    let (folder, span) = (tempfile::tempdir()?, records.span);
    let begin = SystemClock::new().now().0 - (i64::try_from(rounds)? + 1) * span;
    let mut growing = Growing::begin(folder.path(), records, begin)?.sealing_at(&[span / 2]);
    let subscribers = Subscribers::log_in(&growing.store, growing.records.inside(), begin)?;
    for round in 0..i64::try_from(rounds)? {
        growing.round(begin + round * span)?;
    }
    subscribers.log_out(&growing.store, begin + i64::try_from(rounds)? * span)?;
    growing.finish()?;
    growing.store.flush_index()?;
    let mut held = growing.held(QUESTIONS);
    // As a desk has them: in no order.
    held.sort_by_key(|was| (was.start ^ i64::from(was.port)).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64));
    let questions: Vec<Question> = held.iter().map(question).collect();
    eprintln!("{} events stored, {} questions", growing.events(), questions.len());
    let x = Some(size);
    for (threads, how) in [(1, "on one processor"), (2, "on two processors")] {
        let (clock, before) = (SystemClock::new(), proc::processor_now());
        let right = batch(&growing.store, &held, &questions, threads)?;
        let (wall, busy) = (clock.monotonic().as_secs_f64(), (proc::processor_now() - before).as_secs_f64());
        let asked = questions.len() as f64;
        eprintln!("{how}: {wall:.3} s, {busy:.3} s of processor, {right} right");
        reading(&format!("weir: a file of questions, {how}, a second"), x, asked / wall);
        reading(&format!("weir: a file of questions, {how}, µs of processor a question"), x, busy * 1e6 / asked);
        reading(&format!("weir: a file of questions, {how}, the one holder found, %"), x, 100.0 * right as f64 / asked);
    }
    let (clock, single) = (SystemClock::new(), SINGLE.min(questions.len()));
    let now = SystemClock::new().now();
    let sources: HashMap<_, _> = growing.store.sources().into_iter().map(|s| (s.number, s)).collect();
    for question in questions.iter().take(single) {
        let shelf = Shelf::default();
        weir_attribution::answer(question, &Known { store: &growing.store, shelf: &shelf, sources: &sources, until: now }, now)?;
    }
    reading("weir: the same one by one, a second", x, single as f64 / clock.monotonic().as_secs_f64());
    growing.stop()?;
    command(folder.path(), &held, x)
}

/// The same file by the command: the program serves the folder, `weir lookup --batch` reads the file, asks, and writes the answers down.
fn command(data: &Path, held: &[Was], x: Option<u64>) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("questions.csv");
    let line = |was: &Was| format!("{}:{},{},{}\n", was.public, was.port, was.protocol, Millis(was.at()));
    fs::write(&file, format!("public,protocol,at\n{}", held.iter().map(line).collect::<String>()))?;
    let program = Program::start(data, &folder.path().join("weir.toml"))?;
    let (clock, before) = (SystemClock::new(), program.processor()?);
    let told = program.ask(&["lookup", "--batch", file.to_str().ok_or("the folder's name is no text")?, "--json"])?;
    let (wall, busy) = (clock.monotonic().as_secs_f64(), program.processor()? - before);
    let mut right = 0usize;
    for (answer, was) in told.stdout.split(|byte| *byte == b'\n').zip(held) {
        let answer: Value = serde_json::from_slice(answer)?;
        let first = &answer["candidates"][0];
        right += usize::from(first["inside"] == was.inside.to_string() && first["subscriber"] == subscriber(was.inside).to_string());
    }
    eprintln!("{} in {wall:.3} s", String::from_utf8_lossy(&told.stderr).trim());
    let asked = held.len() as f64;
    reading("weir lookup --batch: a second, from its start to its end", x, asked / wall);
    reading("weir lookup --batch: µs of the program's processor a question", x, busy / asked);
    reading("weir lookup --batch: the holder is the first one told, %", x, 100.0 * right as f64 / asked);
    program.stop()
}

fn question(was: &Was) -> Question {
    let at = Millis(was.at());
    Question { public: was.public, port: Some(was.port), protocol: Some(was.protocol), at, remote: None, skew_ms: SKEW_MS }
}

/// Answers all of them; how many named the one who held it.
fn batch(store: &Store, held: &[Was], questions: &[Question], threads: usize) -> Outcome<usize> {
    let now = SystemClock::new().now();
    let sources: HashMap<_, _> = store.sources().into_iter().map(|s| (s.number, s)).collect();
    let places: Vec<Place> = questions.iter().map(|q| Place { at: q.at, public: q.public, port: q.port.unwrap_or(0) }).collect();
    let answers = in_turn(&places, threads, &|number, shelf| {
        let facts = Known { store, shelf, sources: &sources, until: now };
        weir_attribution::answer(&questions[number], &facts, now)
    });
    let mut right = 0;
    for (answer, was) in answers.into_iter().zip(held) {
        let answer = answer?;
        match (answer.outcome, answer.candidates.as_slice()) {
            (Came::One, [one]) if one.inside == was.inside && one.subscriber == Some(subscriber(was.inside)) => right += 1,
            (Came::One, _) => return Err("an answer names somebody else than the truth does".into()),
            _ => {}
        }
    }
    Ok(right)
}
