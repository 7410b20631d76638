//! Sealing alone: pairing, sorting, encoding, encrypting, hashing and the log's checkpoint, of events that are durable already; beside DuckDB
//! and chDB, which sort the same mappings and write them as Parquet, and do nothing else of it.

use std::path::Path;
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};

use crate::columns::{ENGINES, tell};
use crate::fold;
use crate::shared::{Outcome, reading};

/// Events a second of the history, and its seconds.
const RATE: u64 = 100_000;
const SECONDS: u64 = 120;

/// It is sealed again and again, each time into an empty folder, for so long.
const LAST: Duration = Duration::from_secs(60);

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let (data, truth) = (folder.path().join("weir"), folder.path().join("truth.ndjson"));
    let (clock, mut events, mut rows, mut seconds) = (SystemClock::new(), 0.0, 0.0, 0.0);
    while clock.monotonic() < LAST {
        std::fs::create_dir(&data)?;
        let folded = fold::play(RATE, SECONDS, &data, (events == 0.0).then_some(truth.as_path()))?;
        events += folded.events as f64;
        rows += folded.rows as f64;
        seconds += folded.sealing_us / 1e6;
        std::fs::remove_dir_all(&data)?;
    }
    reading("weir: events sealed a second of one core", None, events / seconds);
    reading("weir: rows sealed a second of one core", None, rows / seconds);
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
