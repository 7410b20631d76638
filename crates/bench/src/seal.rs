//! Sealing alone: pairing, sorting, encoding, encrypting, hashing and the log's checkpoint, of events that are durable already; beside DuckDB
//! and chDB, which sort the same mappings and write them as Parquet, and do nothing else of it.

use std::path::Path;

use crate::columns::{ENGINES, tell};
use crate::fold;
use crate::shared::{Outcome, reading};

/// Events a second of the history, and its seconds.
const RATE: u64 = 100_000;
const SECONDS: u64 = 120;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (data, truth) = (folder.path().join("weir"), folder.path().join("truth.ndjson"));
    std::fs::create_dir(&data)?;
    let folded = fold::play(RATE, SECONDS, &data, Some(&truth))?;
    let seconds = folded.sealing_us / 1e6;
    reading("weir: events sealed a second of one core", None, folded.events as f64 / seconds);
    reading("weir: rows sealed a second of one core", None, folded.rows as f64 / seconds);
    columns(&truth, folder.path())
}

fn columns(truth: &Path, folder: &Path) -> Outcome<()> {
    for (engine, name) in ENGINES {
        let out = folder.join(engine).with_extension("parquet");
        if let Some([rows, seconds, ..]) = tell(folder, engine, &["seal".as_ref(), truth, &out])?.as_deref() {
            reading(&format!("{name}: rows sorted and written a second of one core"), None, rows / seconds);
        }
    }
    Ok(())
}
