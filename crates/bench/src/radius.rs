//! RADIUS accounting acknowledged after it is durable, beside FreeRADIUS that writes into PostgreSQL.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::shared::{Outcome, bytes_under, reading};
use crate::weir::Weir;
use crate::{nas, proc};

/// Seconds a program is fed.
const SECONDS: u64 = 60;
/// Requests on their way at one time.
const UNDER_WAY: usize = 4_096;
/// The same towards FreeRADIUS: with more it drops what it cannot write in time, and answers fewer.
const PEER_UNDER_WAY: usize = 512;
/// Sets FreeRADIUS with its own SQL module and PostgreSQL up in a folder, says where it listens, ends with its standard input.
const FREERADIUS: &str = include_str!("freeradius_sql.sh");

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    weir(folder.path(), SECONDS)?;
    freeradius(folder.path())
}

/// Measures Weir alone, for so many seconds.
pub fn alone(seconds: u64) -> Outcome<()> {
    weir(tempfile::tempdir()?.path(), seconds)
}

fn weir(folder: &std::path::Path, seconds: u64) -> Outcome<()> {
    let mut weir = Weir::start(folder)?;
    let (before, own) = (weir.processor()?, proc::of_self()?);
    let seen = nas::drive(weir.radius, seconds, UNDER_WAY)?;
    let own = proc::of_self()? - own;
    let taken = weir.taken(seen.answered)?;
    let after = weir.processor()?;
    eprintln!("weir: {seen:?}, {taken:?}, µs by thread: {:?}", weir.by_thread()?);
    reading("weir: acknowledged a second, each after fsync", None, seen.answered as f64 / seen.seconds);
    reading("weir: µs of processor a message", None, (after - before) / seen.answered.max(1) as f64);
    reading("the NASes: µs of processor a message", None, own / seen.answered.max(1) as f64);
    reading("weir: messages never answered", None, seen.unanswered as f64);
    weir.call(&json!({ "op": "seal" }))?;
    weir.call(&json!({ "op": "repack" }))?;
    reading("weir: the most memory it held, MB", None, weir.most_memory()? as f64 / 1e6);
    let data = weir.data().to_owned();
    weir.stop()?;
    let bytes = bytes_under(&data)? - bytes_under(&data.join("wal"))?;
    reading("weir: bytes a message on disk, less the write-ahead log", None, bytes as f64 / taken.records.max(1) as f64);
    Ok(())
}

fn freeradius(folder: &std::path::Path) -> Outcome<()> {
    let script = folder.join("freeradius_sql.sh");
    std::fs::write(&script, FREERADIUS)?;
    let mut command = Command::new("bash");
    command.arg(&script).arg(folder.join("freeradius")).arg(crate::sources::SECRET).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let Some(at) = line.strip_prefix("ready ") else {
        eprintln!("{}: nothing beside weir is measured", line.trim());
        child.wait()?;
        return Ok(());
    };
    let seen = match nas::drive(at.trim().parse()?, SECONDS, PEER_UNDER_WAY) {
        Ok(seen) => seen,
        Err(e) => {
            eprintln!("FreeRADIUS ended on its way ({e}): nothing beside weir is measured");
            drop(child.stdin.take());
            child.wait()?;
            return Ok(());
        }
    };
    eprintln!("FreeRADIUS: {seen:?}");
    reading("FreeRADIUS with PostgreSQL: acknowledged a second", None, seen.answered as f64 / seen.seconds);
    reading("FreeRADIUS with PostgreSQL: messages never answered", None, seen.unanswered as f64);
    drop(child.stdin.take());
    child.wait()?;
    Ok(())
}
