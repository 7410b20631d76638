//! A start with half a year of history: a folder of 184 days is made in simulated time, then opened by a process of its own, with its catalog and after
//! catalog and index were lost.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;
use weir_base::time::Millis;

use crate::besides::Besides;
use crate::growing::Growing;
use crate::proc;
use crate::program::Program;
use crate::records::Records;
use crate::shared::{Outcome, bytes_under, reading};

/// Days of history: the longest a unit that keeps six months has.
const DAYS: i64 = 184;
/// A unit is sealed each minute, and repacked each hour, as `weir` does it.
const MINUTE_MS: i64 = 60_000;
const HOUR: i64 = 60;
const MINUTES: i64 = DAYS * 24 * HOUR;
/// Events in a minute, about: the number of units counts here, not their size.
const EVENTS_A_SECOND: u64 = 2;
const SECONDS: u64 = 10;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    let events = make(data)?;
    eprintln!("{events} events, {} bytes", bytes_under(data)?);
    program(data, "with its catalog and index")?;
    opened(data, "with its catalog and index")?;
    std::fs::remove_file(data.join("catalog.sqlite"))?;
    program(data, "after its catalog was lost")?;
    std::fs::remove_file(data.join("catalog.sqlite"))?;
    opened(data, "after its catalog was lost")?;
    std::fs::remove_file(data.join("catalog.sqlite"))?;
    std::fs::remove_dir_all(data.join("index"))?;
    opened(data, "after its catalog and all of its index were lost")
}

/// Half a year, a minute at a time; everything that begins ends.
fn make(data: &Path) -> Outcome<u64> {
    let (wall, records) = (SystemClock::new(), Records::of(EVENTS_A_SECOND, SECONDS)?);
    let begin = wall.now().0 - MINUTES * MINUTE_MS;
    let mut growing = Growing::begin(data, records, begin)?;
    let mut besides = Besides::of(&growing.store)?;
    for minute in 0..MINUTES {
        besides.minute(Millis(begin + minute * MINUTE_MS))?;
        growing.round(begin + minute * MINUTE_MS)?;
        if minute % HOUR == HOUR - 1 {
            growing.repack(HOUR * MINUTE_MS)?;
        }
        if minute % (24 * HOUR) == 0 {
            eprintln!("day {} of {DAYS}, {:.0} s", minute / (24 * HOUR), wall.monotonic().as_secs_f64());
        }
    }
    let events = growing.events();
    let units = growing.store.units();
    let kinds: BTreeSet<&str> = units.iter().map(|unit| unit.kind.name()).collect();
    eprintln!("{} units of {kinds:?}", units.len());
    reading("weir: units", None, units.len() as f64);
    growing.stop()?;
    Ok(events)
}

/// Opens it with the program itself, SQL and desk and all, and ends that.
fn program(data: &Path, how: &str) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let program = Program::start(data, &folder.path().join("weir.toml"))?;
    // It is idle now: ten seconds show what it holds without being asked anything.
    Stop::new().wait(Duration::from_secs(10));
    let (now, most) = program.memory()?;
    reading(&format!("weir, the whole program: ready {how}, seconds"), None, program.ready.as_secs_f64());
    reading(&format!("weir, the whole program: memory it holds {how}, MB"), None, now as f64 / 1e6);
    reading(&format!("weir, the whole program: the most memory it held {how}, MB"), None, most as f64 / 1e6);
    program.stop()
}

/// Opens it in a process of its own, and ends that.
fn opened(data: &Path, how: &str) -> Outcome<()> {
    let clock = SystemClock::new();
    let begun = clock.monotonic();
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("serve").arg(data).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    let took = clock.monotonic() - begun;
    // It is idle now: a second shows what it holds without being asked anything.
    Stop::new().wait(Duration::from_secs(1));
    let memory = proc::most_memory(child.id())?;
    drop(child.stdin.take());
    let ended = child.wait()?;
    if !ended.success() || line.is_empty() {
        return Err(format!("it does not start {how}: {ended}").into());
    }
    reading(&format!("weir: ready {how}, seconds"), None, took.as_secs_f64());
    reading(&format!("weir: the most memory it held {how}, MB"), None, memory as f64 / 1e6);
    Ok(())
}
