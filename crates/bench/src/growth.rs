//! What an event and a question cost as something grows: the rate, the history, the exporters, the open mappings. Each point is a process of its own, so that
//! its memory is its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};

use crate::asking::{self, SKEW_MS};
use crate::corpus::SUBSCRIBERS;
use crate::growing::Growing;
use crate::nfcapd::Nfcapd;
use crate::proc;
use crate::records::{Records, Senders, Was};
use crate::shared::{Outcome, bytes_under, copied, percentile, reading};
use crate::weir::Weir;

/// Events a second offered, about, and seconds: short at the top, where the datagrams alone are gigabytes.
const RATES: &[(u64, u64)] = &[(10_000, 60), (100_000, 60), (300_000, 60), (1_000_000, 60), (1_500_000, 60), (3_000_000, 60)];
/// Above this rate the same events come with other public addresses: so many need not be simulated.
const LANE_RATE: u64 = 100_000;
/// Exporters, which share [`EXPORTERS_RATE`].
const EXPORTERS: &[u32] = &[1, 10, 100, 1_000];
const EXPORTERS_RATE: u64 = 100_000;
const EXPORTERS_SECONDS: u64 = 60;
/// Days of history; each has an hour's events in each hour, few.
const DAYS: &[u64] = &[1, 7, 30, 90, 184];
const HOURLY: (u64, u64) = (200, 30);
const HOUR_MS: i64 = 3_600_000;
/// Open mappings.
const OPEN: &[u64] = &[10_000, 100_000, 1_000_000, 10_000_000];
/// Questions.
const QUESTIONS: usize = 2_000;

const EVENT_US: &str = "weir: µs of processor an event";
const MEMORY: &str = "weir: the most memory it held, MB";
const BYTES: &str = "weir: units and index, bytes an event";
const QUESTION: &str = "weir: one question";

/// Against the rate.
pub fn rate() -> Outcome<()> {
    RATES.iter().try_for_each(|(rate, seconds)| at_rate(*rate, *seconds))
}

/// At one rate, for so many seconds.
pub fn at_rate(rate: u64, seconds: u64) -> Outcome<()> {
    let lanes = (rate / LANE_RATE).max(1);
    let records = Records::of(rate / lanes, seconds)?;
    let lanes = u32::try_from(lanes)?;
    let ours = sent(&records, lanes, rate, |to| Senders::wide(lanes, to))?;
    let (folder, x) = (tempfile::tempdir()?, Some(rate));
    let Some(nfcapd) = Nfcapd::start(folder.path())? else { return Ok(()) };
    let reached = Senders::wide(lanes, nfcapd.at)?.send(&records, Senders::start())?;
    let kept = nfcapd.finish()?;
    eprintln!("nfcapd at {reached:.0}/s: {} events, {} datagrams dropped by the kernel", kept.events, kept.dropped);
    let (events, offered) = (kept.events.max(1) as f64, records.len() as f64 * f64::from(lanes));
    reading("nfcapd (LZ4): µs of processor an event", x, kept.processor_us / events);
    reading("nfcapd (LZ4): events kept of those offered, %", x, 100.0 * kept.events as f64 / offered);
    reading("weir: processor time, of what nfcapd took, times", x, ours * events / kept.processor_us);
    Ok(())
}

/// Against the number of exporters.
pub fn exporters() -> Outcome<()> {
    EXPORTERS.iter().try_for_each(|count| of_exporters(*count))
}

/// With so many.
pub fn of_exporters(count: u32) -> Outcome<()> {
    // As many subscribers in all, whatever the exporters.
    let records = Records::among(SUBSCRIBERS / count.max(1), EXPORTERS_RATE / u64::from(count.max(1)), EXPORTERS_SECONDS)?;
    sent(&records, count, u64::from(count), |to| Senders::new(count, to)).map(|_| ())
}

/// Over the network, into a process of its own; so many networks of public addresses. Processor time an event, in microseconds.
fn sent(records: &Records, networks: u32, x: u64, senders: impl Fn(SocketAddr) -> Outcome<Senders>) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let mut weir = Weir::start(folder.path())?;
    let (before, mut senders, start) = (weir.processor()?, senders(weir.ipfix)?, Senders::start());
    let offered = records.len() as u64 * u64::from(networks);
    let reached = senders.send(records, start)?;
    weir.taken(offered)?;
    senders.finish(records)?;
    let taken = weir.taken(offered)?;
    for op in ["seal", "repack", "flush"] {
        weir.call(&json!({ "op": op }))?;
    }
    let (events, some) = (taken.records.max(1) as f64, Some(x));
    let missing = offered - taken.records.min(offered);
    eprintln!(
        "{x}: {offered} offered at {reached:.0}/s, {taken:?}, {missing} missing, {} datagrams dropped by the kernel",
        weir.dropped()?
    );
    reading("weir: events a second offered, reached", some, reached);
    reading("weir: events kept of those offered, %", some, 100.0 * taken.records as f64 / offered as f64);
    reading("weir: events missing", some, missing as f64);
    reading("weir: events counted as lost", some, taken.lost as f64);
    reading("weir: datagrams that the kernel says it dropped", some, weir.dropped()? as f64);
    reading("weir: datagrams counted as dropped", some, taken.dropped as f64);
    let each = (weir.processor()? - before) / events;
    reading(EVENT_US, some, each);
    reading(MEMORY, some, weir.most_memory()? as f64 / 1e6);
    // The same question to each of them: of all their addresses alike.
    let moved = start - records.begin;
    let held = records.held(QUESTIONS);
    let (mut engine, mut right) = (Vec::new(), 0);
    for (n, was) in held.iter().enumerate() {
        let number = (n as u32 * 7) % networks;
        let answer = weir.call(&question(was, number, moved))?;
        engine.push(answer["engine_ms"].as_f64().ok_or("no time")?);
        match answer["inside"].as_array().ok_or("no holders")?.as_slice() {
            [one] if *one == was.inside.to_string() => right += 1,
            [_] if missing == 0 => return Err("an answer names somebody else than the truth does".into()),
            _ => {}
        }
    }
    reading(&format!("{QUESTION}, p50, ms"), some, percentile(&mut engine, 0.5));
    reading(&format!("{QUESTION}, p99, ms"), some, percentile(&mut engine, 0.99));
    reading(&format!("{QUESTION}, the one holder found, %"), some, 100.0 * f64::from(right) / held.len().max(1) as f64);
    let data = weir.data().to_owned();
    weir.stop()?;
    reading(BYTES, some, stored(&data)? / events);
    Ok(each)
}

fn question(was: &Was, network: u32, moved: i64) -> Value {
    let [.., a, b, c, d] = was.public.0;
    let public = u32::from_be_bytes([a, b, c, d]).wrapping_add(network << 16).to_be_bytes();
    let public = weir_base::net::Addr16::v4(public).to_string();
    json!({ "op": "lookup", "public": public, "port": was.port, "protocol": was.protocol, "at": was.at() + moved, "skew": SKEW_MS })
}

/// Bytes of units and index, less the open tables, which are as large as what is open.
fn stored(data: &Path) -> Outcome<f64> {
    let open = bytes_under(&data.join("index/open"))?;
    Ok((bytes_under(&data.join("segments"))? + bytes_under(&data.join("index"))? - open) as f64)
}

/// Against the history: one folder that grows, asked at each length.
pub fn history() -> Outcome<()> {
    let (folder, last) = (tempfile::tempdir()?, DAYS.last().copied().unwrap_or(1));
    let records = Records::of(HOURLY.0, HOURLY.1)?;
    let begin = SystemClock::new().now().0 - i64::try_from(last * 24 + 1)? * HOUR_MS;
    let mut growing = Growing::begin(folder.path(), records, begin)?;
    let mut before = (0.0, 0);
    for days in DAYS {
        while growing.rounds.len() as u64 / 24 < *days {
            growing.round(begin + growing.rounds.len() as i64 * HOUR_MS)?;
            if growing.rounds.len() % 24 == 0 {
                growing.repack(48 * HOUR_MS)?;
            }
        }
        let some = Some(*days);
        reading(EVENT_US, some, (growing.processor - before.0) * 1e6 / (growing.events() - before.1).max(1) as f64);
        before = (growing.processor, growing.events());
        growing.ask(QUESTIONS, None)?;
        growing.ask(QUESTIONS, None)?.told(QUESTION, *days);
        reading(BYTES, some, stored(folder.path())? / growing.events() as f64);
        // Nothing is under way: a copy is what a power cut would leave.
        let copy = tempfile::tempdir()?;
        copied(folder.path(), copy.path())?;
        reading(MEMORY, some, serving(copy.path(), &growing.held(QUESTIONS))? as f64 / 1e6);
    }
    growing.stop()
}

/// The most memory of a process that serves this folder and is asked about it, bytes.
fn serving(data: &Path, held: &[Was]) -> Outcome<u64> {
    let mut weir = Weir::resume(data)?;
    for was in held {
        if weir.call(&question(was, 0, 0))?["inside"].as_array().is_none_or(Vec::is_empty) {
            return Err("nobody is found".into());
        }
    }
    let memory = weir.most_memory()?;
    weir.stop()?;
    Ok(memory)
}

/// Against the mappings that are open: each number in a process of its own.
pub fn open() -> Outcome<()> {
    for count in OPEN {
        let told = Command::new(std::env::current_exe()?)
            .args(["growth-open", &count.to_string()])
            .stderr(std::process::Stdio::inherit())
            .output()?;
        print!("{}", String::from_utf8_lossy(&told.stdout));
        if !told.status.success() {
            return Err(format!("{count} open mappings: it ended badly").into());
        }
    }
    Ok(())
}

/// So many open mappings.
pub fn opened(count: u64) -> Outcome<()> {
    let (folder, many) = (tempfile::tempdir()?, usize::try_from(count)?);
    let records = Records::open(many)?;
    let begin = SystemClock::new().now().0 - 10 * records.span;
    let (some, bare) = (Some(count), proc::memory_now(std::process::id())?);
    let mut growing = Growing::begin(folder.path(), records, begin)?;
    growing.round(begin)?;
    growing.store.flush_index()?;
    reading(EVENT_US, some, growing.processor * 1e6 / count as f64);
    let held: Vec<Was> = (0..QUESTIONS.min(many)).map(|n| Records::opened(n * 7_919 % many, many, begin)).collect();
    // They are open: a moment after all of them began.
    let held: Vec<Was> = held.into_iter().map(|was| Was { start: begin + 59_500, end: begin + 59_500, ..was }).collect();
    asking::ask(&growing.store, &held, None)?;
    asking::ask(&growing.store, &held, None)?.times(QUESTION, count);
    reading("weir: memory besides the records sent, MB", some, proc::memory_now(std::process::id())?.saturating_sub(bare) as f64 / 1e6);
    reading(
        "weir: the open table, bytes an open mapping on disk",
        some,
        bytes_under(&folder.path().join("index/open"))? as f64 / count as f64,
    );
    growing.stop()
}
