//! More comes than is sealed at once, and the program may hold little: it keeps to that, in a control group that would end it.

use serde_json::json;

use crate::cgroup::Group;
use crate::corpus::Corpus;
use crate::shared::{Outcome, bytes_under, reading};
use crate::weir::Weir;

/// Events a second offered, about, and seconds.
const RUN: (u64, u64) = (300_000, 60);
/// Megabytes the program may hold.
const LIMITS: &[u64] = &[512, 1_024, 2_048, 4_096];
/// What a control group counts besides: what the kernel holds for the process, in bytes.
const KERNEL_BYTES: u64 = 64 << 20;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let corpus = Corpus::of(RUN.0, RUN.1, None)?;
    eprintln!("{} events", corpus.events);
    for megabytes in LIMITS {
        limited(&corpus, *megabytes)?;
    }
    Ok(())
}

fn limited(corpus: &Corpus, megabytes: u64) -> Outcome<()> {
    let (limit, x) = (megabytes << 20, Some(megabytes));
    let group = Group::of(limit + KERNEL_BYTES)?;
    if group.is_none() {
        eprintln!("not shown, because this machine gives us no control group: that the kernel would end a program that takes more");
    }
    let folder = tempfile::tempdir()?;
    let mut weir = Weir::start_within(folder.path(), limit, group.as_ref())?;
    let before = weir.processor()?;
    let (reached, _) = corpus.send(weir.ipfix)?;
    let taken = weir.taken(corpus.events)?;
    weir.call(&json!({ "op": "seal" }))?;
    let events = taken.records.max(1) as f64;
    eprintln!("{megabytes} MB at {reached:.0}/s: {taken:?}, {} datagrams dropped by the kernel", weir.dropped()?);
    reading("weir: the most memory it held, MB", x, weir.most_memory()? as f64 / f64::from(1 << 20));
    reading("weir: events kept of those offered, %", x, 100.0 * taken.records as f64 / corpus.events as f64);
    reading("weir: µs of processor an event", x, (weir.processor()? - before) / events);
    let data = weir.data().to_owned();
    weir.stop()?;
    reading("weir: sealed units, bytes an event", x, bytes_under(&data.join("segments"))? as f64 / events);
    Ok(())
}
