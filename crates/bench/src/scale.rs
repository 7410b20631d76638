//! One look-up over the number of stored events, from ten million to a thousand million: a store grows in simulated time and is asked at each size.

use weir_base::clock::{Clock, SystemClock};

use crate::growing::Growing;
use crate::records::Records;
use crate::shared::{Outcome, bytes_under, reading};

/// Events stored, about.
const SIZES: &[u64] = &[10_000_000, 100_000_000, 1_000_000_000];
/// Events a simulated second, and seconds of a round.
const RATE: u64 = 100_000;
const SECONDS: u64 = 60;
/// Questions with a warm and with a cold cache.
const QUESTIONS: usize = 10_000;
const COLD: usize = 200;

/// Measures and prints.
pub fn run(sizes: &[u64]) -> Outcome<()> {
    let sizes = if sizes.is_empty() { SIZES } else { sizes };
    let records = Records::of(RATE, SECONDS)?;
    let (a_round, span) = (records.len() as u64, records.span);
    let last = sizes.iter().max().copied().unwrap_or(0).div_ceil(a_round) as i64;
    let begin = SystemClock::new().now().0 - (last + 1) * span;
    let folder = tempfile::tempdir()?;
    let mut growing = Growing::begin(folder.path(), records, begin)?;
    for size in sizes {
        let before = (growing.processor, growing.events());
        while growing.events() + a_round / 2 < *size {
            growing.round(begin + growing.rounds.len() as i64 * span)?;
        }
        let new = (growing.events() - before.1).max(1) as f64;
        eprintln!(
            "{} events, {} bytes, {:.3} µs an event",
            growing.events(),
            bytes_under(folder.path())?,
            (growing.processor - before.0) * 1e6 / new
        );
        // The first questions wake the processor and the cache up.
        growing.ask(QUESTIONS, None)?;
        growing.ask(QUESTIONS, None)?.told("weir: one question", *size);
        growing.ask(COLD, Some(folder.path()))?.told("weir: from a cold disk", *size);
        let stored = bytes_under(&folder.path().join("segments"))? + bytes_under(&folder.path().join("index"))?;
        reading("weir: units and index, bytes an event", Some(*size), stored as f64 / growing.events() as f64);
        let all = bytes_under(folder.path())? - bytes_under(&folder.path().join("wal"))?;
        reading("weir: everything but the write-ahead log, bytes an event", Some(*size), all as f64 / growing.events() as f64);
    }
    growing.stop()
}
