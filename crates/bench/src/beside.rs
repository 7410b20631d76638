//! Questions beside events: a thousand a second while NAT events come as fast as they are offered. What is asked about ended some seconds ago or earlier in
//! the run, in one of all networks in turn; questions that are due together share one durable record of the ledger, as they do on the program's socket.

use std::time::Duration;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::net::Addr16;
use weir_base::task::Stop;

use crate::asking::{SKEW_MS, is_one};
use crate::records::{Records, Senders, Was};
use crate::shared::{Outcome, percentile, reading};
use crate::weir::Weir;

/// Events a second offered, about, and seconds.
const RUNS: &[(u64, u64)] = &[(300_000, 60), (600_000, 60), (1_000_000, 60)];
/// Above this rate the same events come with other public addresses, each time of another network.
const LANE_RATE: u64 = 100_000;
/// Questions a second, from when the first mapping that ended did so [`AGO_MS`] before.
const QUESTIONS: u64 = 1_010;
/// Milliseconds between two handfuls of questions.
const EVERY_MS: u64 = 10;
/// What is asked about ended so long ago, milliseconds.
const AGO_MS: i64 = 5_000;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    RUNS.iter().try_for_each(|(rate, seconds)| at(*rate, *seconds))
}

#[derive(Default)]
struct Told {
    engine: Vec<f64>,
    ledger: Vec<f64>,
    right: usize,
    asked: usize,
    /// From when the first were due to the last answer, milliseconds.
    lasted: i64,
}

fn at(rate: u64, seconds: u64) -> Outcome<()> {
    let (folder, x) = (tempfile::tempdir()?, Some(rate));
    let lanes = u32::try_from((rate / LANE_RATE).max(1))?;
    let records = Records::of(rate / u64::from(lanes), seconds)?;
    let mut held = records.held(usize::try_from(QUESTIONS * seconds)?);
    held.sort_by_key(|was| was.end);
    let mut weir = Weir::start(folder.path())?;
    let mut senders = Senders::wide(lanes, weir.ipfix)?;
    let (start, before) = (Senders::start(), weir.processor()?);
    let moved = start - records.begin;
    let (sent, told) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| senders.send(&records, start).map_err(|e| e.to_string()));
        let told = ask(&mut weir, &held, lanes, moved, start + records.span);
        (sending.join().unwrap_or_else(|_| Err("the sender ended badly".to_owned())), told)
    });
    let (reached, mut told) = (sent?, told?);
    let offered = records.len() as u64 * u64::from(lanes);
    senders.finish(&records)?;
    let taken = weir.taken(offered)?;
    eprintln!("{reached:.0}/s: {taken:?} of {offered}, {} datagrams dropped by the kernel, {} questions", weir.dropped()?, told.asked);
    reading("weir: events a second offered, reached", x, reached);
    reading("weir: events kept of those offered, %", x, 100.0 * taken.records as f64 / offered as f64);
    reading("weir: events counted as lost, %", x, 100.0 * taken.lost as f64 / offered as f64);
    reading("weir: questions answered a second", x, told.asked as f64 / (told.lasted as f64 / 1e3));
    reading("weir: one question, engine, p50, ms", x, percentile(&mut told.engine, 0.5));
    reading("weir: one question, engine, p99, ms", x, percentile(&mut told.engine, 0.99));
    reading("weir: the ledger's durable record of those together, p50, ms", x, percentile(&mut told.ledger, 0.5));
    reading("weir: the ledger's durable record of those together, p99, ms", x, percentile(&mut told.ledger, 0.99));
    reading("weir: the one holder found, %", x, 100.0 * told.right as f64 / told.asked.max(1) as f64);
    reading("weir: µs of processor an event, questions among it", x, (weir.processor()? - before) / taken.records.max(1) as f64);
    weir.stop()
}

/// Asks until `end`, some each time, the next question about the next of so many networks; what is due is known by the clock.
fn ask(weir: &mut Weir, held: &[Was], networks: u32, moved: i64, end: i64) -> Outcome<Told> {
    let (wall, never, mut told) = (SystemClock::new(), Stop::new(), Told::default());
    let begin = held.first().map_or(0, |was| was.end) + moved + AGO_MS;
    loop {
        let now = wall.now().0;
        if now >= end {
            told.lasted = (now - begin).max(1);
            return Ok(told);
        }
        let due = usize::try_from((now - begin).max(0))? * usize::try_from(QUESTIONS)? / 1_000;
        let over = held.partition_point(|was| was.end + moved + AGO_MS <= now);
        if due > told.asked && over > 0 {
            let some: Vec<(usize, &Was)> = (told.asked..due).filter_map(|n| Some((n, held.get(n * 7_919 % over)?))).collect();
            let questions: Vec<Value> = some.iter().map(|(n, was)| question(was, *n as u32 % networks, moved)).collect();
            let answer = weir.call(&json!({ "op": "many", "questions": questions }))?;
            told.ledger.push(answer["ledger_ms"].as_f64().ok_or("no time")?);
            for (answer, (_, was)) in answer["answers"].as_array().ok_or("no answers")?.iter().zip(some) {
                told.engine.push(answer["engine_ms"].as_f64().ok_or("no time")?);
                told.right += usize::from(is_one(answer, &was.inside.to_string())?);
            }
            told.asked = due;
        }
        never.wait(Duration::from_millis(EVERY_MS));
    }
}

/// About the same mapping in another network, whose public addresses are those of the first one moved by a /16 for each.
fn question(was: &Was, network: u32, moved: i64) -> Value {
    let [.., a, b, c, d] = was.public.0;
    let public = Addr16::v4(u32::from_be_bytes([a, b, c, d]).wrapping_add(network << 16).to_be_bytes());
    json!({ "public": public.to_string(), "port": was.port, "protocol": was.protocol, "at": was.at() + moved, "skew": SKEW_MS })
}
