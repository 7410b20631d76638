//! Sealing alone: pairing, sorting, encoding, encrypting, hashing and the log's checkpoint, of events that are durable already; beside DuckDB, which
//! sorts the same mappings and writes them as Parquet, and does nothing else of it.

use std::path::Path;
use std::process::Command;

use crate::fold;
use crate::shared::{Outcome, reading};

/// Events a second of the history, and its seconds.
const RATE: u64 = 100_000;
const SECONDS: u64 = 120;
/// Reads the truth, sorts and writes; prints how many rows, and its processor time for it in seconds.
const DUCKDB: &str = include_str!("duckdb_seal.py");

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (data, truth) = (folder.path().join("weir"), folder.path().join("truth.ndjson"));
    std::fs::create_dir(&data)?;
    let folded = fold::play(RATE, SECONDS, &data, Some(&truth))?;
    let seconds = folded.sealing_us / 1e6;
    reading("weir: events sealed a second of one core", None, folded.events as f64 / seconds);
    reading("weir: rows sealed a second of one core", None, folded.rows as f64 / seconds);
    duckdb(&truth, folder.path())
}

fn duckdb(truth: &Path, folder: &Path) -> Outcome<()> {
    let python = std::env::var("WEIR_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = folder.join("duckdb_seal.py");
    std::fs::write(&script, DUCKDB)?;
    let told = Command::new(python).arg(&script).arg(truth).arg(folder.join("duckdb.parquet")).output();
    let Ok(told) = told else {
        eprintln!("no python: nothing beside weir is measured");
        return Ok(());
    };
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let mut words = text.split_whitespace().map(str::parse::<f64>);
    match (words.next(), words.next()) {
        (Some(Ok(rows)), Some(Ok(seconds))) => reading("DuckDB: rows sorted and written a second of one core", None, rows / seconds),
        _ => eprintln!("DuckDB is not installed for python: nothing beside weir is measured; {}", String::from_utf8_lossy(&told.stderr)),
    }
    Ok(())
}
