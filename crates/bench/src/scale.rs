//! One look-up over the number of stored events, from ten million to a thousand million: a store grows in simulated time and is asked at each size,
//! by the process that stores and by one that serves, with the ledger's record of each question.

use std::path::Path;

use serde_json::json;
use weir_base::clock::{Clock, SystemClock};

use crate::asking::{SKEW_MS, is_one};
use crate::growing::Growing;
use crate::records::{Records, Was};
use crate::shared::{Outcome, bytes_under, copied, percentile, reading};
use crate::weir::Weir;

/// Events stored, about.
const SIZES: &[u64] = &[10_000_000, 100_000_000, 1_000_000_000];
/// Events a simulated second, and seconds of a round.
const RATE: u64 = 80_000;
const SECONDS: u64 = 120;
/// When it is sealed, milliseconds from a round's begin: once a minute, and never when nothing is open. Some in a hundred mappings cross a seal, the longest two.
const SEALS: [i64; 2] = [30_000, 90_000];
/// Questions with a warm and with a cold cache.
const QUESTIONS: usize = 10_000;
const COLD: usize = 200;

/// Measures and prints.
pub fn run(sizes: &[u64]) -> Outcome<()> {
    let sizes = if sizes.is_empty() { SIZES } else { sizes };
    let records = Records::of(RATE, SECONDS)?;
    let (a_round, span) = (records.len() as u64, records.span);
    let largest = sizes.iter().max().copied().unwrap_or(0);
    let last = largest.div_ceil(a_round) as i64;
    let begin = SystemClock::new().now().0 - (last + 1) * span;
    let folder = tempfile::tempdir()?;
    let mut growing = Growing::begin(folder.path(), records, begin)?.sealing_at(&SEALS);
    for size in sizes {
        let before = (growing.processor, growing.events());
        while growing.events() + a_round / 2 < *size {
            growing.round(begin + growing.rounds.len() as i64 * span)?;
        }
        growing.finish()?;
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
        if *size < largest {
            // Nothing is under way: a copy is what a power cut would leave.
            let copy = tempfile::tempdir()?;
            copied(folder.path(), copy.path())?;
            serving(copy.path(), &growing.held(QUESTIONS), *size)?;
        }
    }
    let held = growing.held(QUESTIONS);
    growing.stop()?;
    serving(folder.path(), &held, largest)
}

/// The same questions to a process that serves this folder and takes sources in, as the program does: each with the ledger's record, durable before the answer.
fn serving(data: &Path, held: &[Was], size: u64) -> Outcome<()> {
    let mut weir = Weir::resume(data)?;
    for counted in [false, true] {
        let (mut engine, mut ledger, mut right) = (Vec::new(), Vec::new(), 0usize);
        for was in held {
            let public = was.public.to_string();
            let question =
                json!({ "op": "lookup", "public": public, "port": was.port, "protocol": was.protocol, "at": was.at(), "skew": SKEW_MS });
            let answer = weir.call(&question)?;
            let number = |name: &str| answer[name].as_f64().ok_or("an answer lacks a number");
            engine.push(number("engine_ms")?);
            ledger.push(number("ledger_ms")?);
            right += usize::from(is_one(&answer, &was.inside.to_string())?);
        }
        if counted {
            let x = Some(size);
            reading("weir: in the program that serves, engine, p50, ms", x, percentile(&mut engine, 0.5));
            reading("weir: in the program that serves, engine, p99, ms", x, percentile(&mut engine, 0.99));
            reading("weir: the ledger's durable record of it, p50, ms", x, percentile(&mut ledger, 0.5));
            reading("weir: the ledger's durable record of it, p99, ms", x, percentile(&mut ledger, 0.99));
            reading("weir: in the program that serves, the one holder found, %", x, 100.0 * right as f64 / held.len().max(1) as f64);
        }
    }
    weir.stop()
}
