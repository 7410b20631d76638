//! More comes than is sealed at once, or more sessions than can be remembered, and the program may hold little: it keeps to that, in a control group that
//! would end it.

use std::path::Path;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;

use crate::cgroup::Group;
use crate::corpus::Corpus;
use crate::lines::Lines;
use crate::nas;
use crate::program::Program;
use crate::shared::{Outcome, bytes_under, reading};
use crate::weir::Weir;

/// Events a second offered, about, and seconds.
const RUN: (u64, u64) = (300_000, 60);
/// Seconds in which as many RADIUS sessions begin and end as are acknowledged, and requests on their way at one time.
const SESSIONS: (u64, usize) = (60, 4_096);
/// Seconds in which as many log lines come as are taken, and connections.
const LINES: (u64, usize) = (60, 8);
/// The whole program: events a second, seconds, RADIUS messages on their way, and connections that send log lines, all of it at once.
const WHOLE: (u64, u64, usize, usize) = (100_000, 60, 256, 2);
/// A public end of the network that sends.
const PUBLIC: &str = "198.18.128.1:2000";
/// Milliseconds between two statements and look-ups that it answers meanwhile.
const ASK_MS: u64 = 1_000;
/// Megabytes the program may hold.
const LIMITS: &[u64] = &[512, 1_024, 2_048, 4_096];
/// What a control group counts besides: what the kernel holds for the process, in bytes.
const KERNEL_BYTES: u64 = 64 << 20;

/// Measures and prints, for these limits in megabytes or for all.
pub fn run(limits: &[u64]) -> Outcome<()> {
    let limits = if limits.is_empty() { LIMITS } else { limits };
    // A machine that gives us no control group says so before anything is made.
    drop(Group::of(KERNEL_BYTES)?);
    let corpus = Corpus::of(RUN.0, RUN.1, None)?;
    eprintln!("{} events", corpus.events);
    for megabytes in limits {
        limited(&corpus, *megabytes)?;
    }
    drop(corpus);
    limits.iter().try_for_each(|megabytes| sessions(*megabytes))?;
    let lines = Lines::new(SystemClock::new().now());
    limits.iter().try_for_each(|megabytes| logged(&lines, *megabytes))?;
    let corpus = Corpus::of(WHOLE.0, WHOLE.1, None)?;
    limits.iter().try_for_each(|megabytes| whole(&corpus, &lines, *megabytes))
}

/// A program that may hold so much, and the control group that ends it when it takes more.
fn within(folder: &Path, megabytes: u64) -> Outcome<(Group, Weir)> {
    let limit = megabytes << 20;
    let group = Group::of(limit + KERNEL_BYTES)?;
    let weir = Weir::start_within(folder, limit, Some(&group))?;
    Ok((group, weir))
}

/// The program as it is run, everything coming at once while somebody asks: SQL over what comes, and who held an address.
fn whole(corpus: &Corpus, lines: &Lines, megabytes: u64) -> Outcome<()> {
    let (folder, x, limit) = (tempfile::tempdir()?, Some(megabytes), megabytes << 20);
    let group = Group::of(limit + KERNEL_BYTES)?;
    let program = Program::start_within(&folder.path().join("data"), &folder.path().join("weir.toml"), limit, &group)?;
    let (ipfix, radius, syslog) = (program.at("ipfix_udp")?, program.at("radius")?, program.at("syslog_tcp")?);
    let over = Stop::new();
    let (events, messages, sent, asked) = std::thread::scope(|scope| {
        let messages = scope.spawn(|| nas::drive(radius, WHOLE.1, WHOLE.2).map(|seen| seen.answered).map_err(|e| e.to_string()));
        let sent = scope.spawn(|| lines.send(syslog, WHOLE.3, WHOLE.1).map_err(|e| e.to_string()));
        let asked = scope.spawn(|| ask(&program, &over).map_err(|e| e.to_string()));
        let events = corpus.send(ipfix).map(|_| corpus.events).map_err(|e| e.to_string());
        let (messages, sent) = (joined(messages), joined(sent));
        over.raise();
        (events, messages, sent, joined(asked))
    });
    let (events, messages, sent, asked) = (events?, messages?, sent?, asked?);
    let sealed = program.ask(&["seal", "--now"])?;
    if !sealed.status.success() {
        return Err(format!("it does not seal: {}", String::from_utf8_lossy(&sealed.stderr)).into());
    }
    // A line with a sign-in is two records.
    let (of_events, of_lines) = (taken(&program, "ipfix", "records")?, taken(&program, "syslog", "messages")?);
    eprintln!("{megabytes} MB: {of_events} of {events} events, {messages} messages, {of_lines} of {sent} lines, {asked} answers");
    reading("weir, the whole program: the most memory it held, MB", x, program.memory()?.1 as f64 / f64::from(1 << 20));
    reading("weir, the whole program: the most the control group saw, MB", x, group.peak()? as f64 / f64::from(1 << 20));
    reading("weir, the whole program: events kept of those offered, %", x, 100.0 * of_events as f64 / events as f64);
    reading("weir, the whole program: RADIUS messages acknowledged a second", x, messages as f64 / WHOLE.1 as f64);
    reading("weir, the whole program: log lines kept a second", x, of_lines as f64 / WHOLE.1 as f64);
    reading("weir, the whole program: statements and look-ups answered meanwhile", x, asked as f64);
    program.stop()
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, String>>) -> Result<T, String> {
    thread.join().unwrap_or_else(|_| Err("a thread ended badly".to_owned()))
}

/// A statement and a look-up each second until it is over; how many were answered.
fn ask(program: &Program, over: &Stop) -> Outcome<u64> {
    let mut answered = 0;
    while !over.wait(Duration::from_millis(ASK_MS)) {
        let now = SystemClock::new().now().to_string();
        let statement = program.ask(&["sql", "SELECT realm, count(*) FROM nat_mapping GROUP BY realm"])?;
        let lookup = program.ask(&["lookup", "--public", PUBLIC, "--protocol", "tcp", "--at", &now, "--json"])?;
        answered += u64::from(statement.status.success()) + u64::from(is_answer(&lookup.stdout));
    }
    Ok(answered)
}

fn is_answer(told: &[u8]) -> bool {
    serde_json::from_slice::<Value>(told).is_ok_and(|answer| answer["answer"].is_string())
}

/// Records or messages of all sources of a kind.
fn taken(program: &Program, kind: &str, what: &str) -> Outcome<u64> {
    let told: Value = serde_json::from_slice(&program.ask(&["sources", "--json"])?.stdout)?;
    let all = told.as_array().ok_or("it does not tell its sources")?;
    Ok(all.iter().filter(|source| source["kind"] == kind).filter_map(|source| source[what].as_u64()).sum())
}

/// Prints what it held at most, and beside it what its control group allowed and saw.
fn held(who: &str, x: Option<u64>, weir: &Weir, group: &Group) -> Outcome<()> {
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    reading(&format!("{who}: the most memory it held, MB"), x, megabytes(weir.most_memory()?));
    reading(&format!("{who}: the control group's limit, MB"), x, megabytes(group.limit()?));
    reading(&format!("{who}: the most the control group saw, MB"), x, megabytes(group.peak()?));
    Ok(())
}

/// RADIUS: every third message ends a session that is remembered for hours.
fn sessions(megabytes: u64) -> Outcome<()> {
    let (folder, x) = (tempfile::tempdir()?, Some(megabytes));
    let (group, mut weir) = within(folder.path(), megabytes)?;
    let before = weir.processor()?;
    let seen = nas::drive(weir.radius, SESSIONS.0, SESSIONS.1)?;
    let taken = weir.taken(seen.answered)?;
    weir.call(&json!({ "op": "seal" }))?;
    eprintln!("{megabytes} MB: {seen:?}, {taken:?}");
    held("weir, RADIUS", x, &weir, &group)?;
    reading("weir, RADIUS: acknowledged a second, each after fsync", x, seen.answered as f64 / seen.seconds);
    reading("weir, RADIUS: messages never answered", x, seen.unanswered as f64);
    reading("weir, RADIUS: µs of processor a message", x, (weir.processor()? - before) / seen.answered.max(1) as f64);
    weir.stop()
}

/// Log lines over TCP, as fast as they are taken.
fn logged(lines: &Lines, megabytes: u64) -> Outcome<()> {
    let (folder, x) = (tempfile::tempdir()?, Some(megabytes));
    let (group, mut weir) = within(folder.path(), megabytes)?;
    let (clock, before) = (SystemClock::new(), weir.processor()?);
    let sent = lines.send(weir.syslog, LINES.1, LINES.0)?;
    let taken = weir.heard(sent)?;
    weir.call(&json!({ "op": "seal" }))?;
    let (seconds, kept) = (clock.monotonic().as_secs_f64(), taken.messages.max(1) as f64);
    eprintln!("{megabytes} MB: {sent} lines sent, {taken:?}");
    held("weir, log lines", x, &weir, &group)?;
    reading("weir, log lines: a second, all of them sealed", x, kept / seconds);
    reading("weir, log lines: kept of those sent, %", x, 100.0 * kept / sent.max(1) as f64);
    reading("weir, log lines: µs of processor a line", x, (weir.processor()? - before) / kept);
    weir.stop()
}

fn limited(corpus: &Corpus, megabytes: u64) -> Outcome<()> {
    let (folder, x) = (tempfile::tempdir()?, Some(megabytes));
    let (group, mut weir) = within(folder.path(), megabytes)?;
    let before = weir.processor()?;
    let (reached, _) = corpus.send(weir.ipfix)?;
    let taken = weir.taken(corpus.events)?;
    weir.call(&json!({ "op": "seal" }))?;
    let events = taken.records.max(1) as f64;
    eprintln!("{megabytes} MB at {reached:.0}/s: {taken:?}, {} datagrams dropped by the kernel", weir.dropped()?);
    held("weir", x, &weir, &group)?;
    reading("weir: events kept of those offered, %", x, 100.0 * taken.records as f64 / corpus.events as f64);
    reading("weir: µs of processor an event", x, (weir.processor()? - before) / events);
    let data = weir.data().to_owned();
    weir.stop()?;
    reading("weir: sealed units, bytes an event", x, bytes_under(&data.join("segments"))? as f64 / events);
    Ok(())
}
