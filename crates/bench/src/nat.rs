//! NAT events over IPFIX into the sources and the store, and into nfcapd: the same datagrams, one after the other, at growing rates.

use std::path::Path;

use serde_json::json;

use crate::corpus::Corpus;
use crate::nfcapd::Nfcapd;
use crate::shared::{Outcome, bytes_under, reading};
use crate::weir::Weir;

/// Events a second offered, about, and for how many seconds.
const RUNS: &[(u64, u64)] = &[(100_000, 60), (300_000, 60), (600_000, 60), (1_000_000, 60), (1_500_000, 60)];

/// The same where remote ends are kept.
const REMOTES: &[(u64, u64)] = &[(300_000, 60), (1_000_000, 60)];

/// Measures and prints.
pub fn run() -> Outcome<()> {
    RUNS.iter().try_for_each(|(rate, seconds)| at(*rate, *seconds))
}

/// The same where the remote ends of sessions are kept, as nfcapd keeps them.
pub fn remotes() -> Outcome<()> {
    REMOTES.iter().try_for_each(|(rate, seconds)| beside(*rate, *seconds, true))
}

/// One rate.
pub fn at(rate: u64, seconds: u64) -> Outcome<()> {
    beside(rate, seconds, false)
}

fn beside(rate: u64, seconds: u64, remotes: bool) -> Outcome<()> {
    let corpus = Corpus::of(rate, seconds, None)?;
    eprintln!("{} events", corpus.events);
    let ours = into_weir(&corpus, rate, remotes)?;
    if let Some(theirs) = into_nfcapd(&corpus, rate)? {
        // Processors differ by a factor of two; what nfcapd takes for writing down is the measure that goes along.
        reading("weir: processor time, of what nfcapd took, times", Some(rate), ours / theirs);
    }
    Ok(())
}

/// Processor time an event, in microseconds.
fn into_weir(corpus: &Corpus, rate: u64, remotes: bool) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let mut weir = if remotes { Weir::start_keeping(folder.path())? } else { Weir::start(folder.path())? };
    let (before, threads) = (weir.processor()?, weir.by_thread()?);
    let (reached, _) = corpus.send(weir.ipfix)?;
    let taken = weir.taken(corpus.events)?;
    weir.call(&json!({ "op": "seal" }))?;
    weir.call(&json!({ "op": "repack" }))?;
    let after = weir.processor()?;
    let (events, x) = (taken.records.max(1) as f64, Some(rate));
    let each = (after - before) / events;
    reading("weir: µs of processor an event", x, each);
    reading("weir: events kept of those offered, %", x, 100.0 * taken.records as f64 / corpus.events as f64);
    eprintln!("weir at {reached:.0}/s: {taken:?}, {} datagrams dropped by the kernel", weir.dropped()?);
    for (name, us) in weir.by_thread()? {
        let own = us - threads.get(&name).copied().unwrap_or(0.0);
        eprintln!("  {name:<16} {:.3} µs an event", own / events);
    }
    reading("weir: the most memory it held, MB", x, weir.most_memory()? as f64 / 1e6);
    let data = weir.data().to_owned();
    weir.stop()?;
    read_bytes(&data, events, x)?;
    Ok(each)
}

/// Bytes on disk, in all and of the two parts that matter.
pub fn read_bytes(data: &Path, events: f64, x: Option<u64>) -> Outcome<()> {
    for folder in ["segments", "index/open", "index/runs", "index/units", "state", "log", "wal"] {
        eprintln!("  {folder:<16} {:.3} bytes an event", bytes_under(&data.join(folder))? as f64 / events);
    }
    let wal = bytes_under(&data.join("wal"))?;
    // The open tables are as large as what is open, whatever the history: over a run this short they would outweigh it.
    let open = bytes_under(&data.join("index/open"))?;
    reading("weir: bytes an event on disk, less the write-ahead log", x, (bytes_under(data)? - wal) as f64 / events);
    reading("weir: the same less the open tables, which do not grow with time", x, (bytes_under(data)? - wal - open) as f64 / events);
    reading("weir: of these sealed units, bytes", x, bytes_under(&data.join("segments"))? as f64 / events);
    reading("weir: of these the index, bytes", x, (bytes_under(&data.join("index"))? - open) as f64 / events);
    Ok(())
}

/// The same of nfcapd; none where it is not installed.
fn into_nfcapd(corpus: &Corpus, rate: u64) -> Outcome<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let Some(nfcapd) = Nfcapd::start(folder.path())? else { return Ok(None) };
    let (reached, _) = corpus.send(nfcapd.at)?;
    let kept = nfcapd.finish()?;
    eprintln!("nfcapd at {reached:.0}/s: {} events, {} datagrams dropped by the kernel", kept.events, kept.dropped);
    let (events, x) = (kept.events.max(1) as f64, Some(rate));
    reading("nfcapd (LZ4): µs of processor an event", x, kept.processor_us / events);
    reading("nfcapd (LZ4): events kept of those offered, %", x, 100.0 * kept.events as f64 / corpus.events as f64);
    reading("nfcapd (LZ4): bytes an event on disk", x, kept.bytes as f64 / events);
    Ok(Some(kept.processor_us / events))
}
