//! Minutes of simulated time through decoder, write-ahead log, sealing and index as fast as it goes, in one process: for a profiler, and for
//! bytes on disk when a history is longer than anybody wants to wait.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::RecordSink;
use weir_sources::ipfix::collector::{Collector, Transport};
use weir_sources::ipfix::config::Settings;
use weir_store::engine::{Store, StoreConfig};

use crate::corpus::{ADDRESS, Corpus};
use crate::shared::{Outcome, reading};
use crate::{nat, proc, serve, sources};

/// A unit closes after so many simulated seconds.
const UNIT_MS: i64 = 60_000;
/// Rows of one group.
const GROUP_ROWS: usize = 8_192;

/// A clock that stands where it is put.
pub struct Stepped(pub AtomicI64);

impl Clock for Stepped {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.load(Ordering::Relaxed)).unwrap_or(0))
    }
}

#[derive(Default)]
struct Spent {
    take: Duration,
    seal: Duration,
    repack: Duration,
    /// Processor time of this process while it sealed.
    sealing: Duration,
    rows: u64,
}

/// What a run in simulated time cost.
pub struct Folded {
    /// Events that went in.
    pub events: u64,
    /// Events the source took of them.
    pub taken: u64,
    /// Rows that were sealed.
    pub rows: u64,
    /// Processor time of everything, microseconds.
    pub processor_us: f64,
    /// Processor time while the store was sealing, microseconds.
    pub sealing_us: f64,
    spent: Spent,
}

/// What is played.
pub struct Fed {
    /// When its first record was observed, milliseconds since 1970.
    pub begin: i64,
    /// NAT events in it.
    pub events: u64,
    /// What it is, for who reads the figures.
    pub what: &'static str,
}

/// Runs so many seconds of so many events a second, and prints.
pub fn run(rate: u64, seconds: u64) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let folded = play(rate, seconds, folder.path(), None)?;
    let events = folded.events as f64;
    let ns = |d: Duration| d.as_nanos() as f64 / events;
    reading("fold: µs of processor an event", Some(rate), folded.processor_us / events);
    let spent = &folded.spent;
    eprintln!("  wall ns an event: take {:.0}, seal {:.0}, repack {:.0}", ns(spent.take), ns(spent.seal), ns(spent.repack));
    eprintln!("  {:.0} MB of memory at most", proc::most_memory(std::process::id())? as f64 / 1e6);
    nat::read_bytes(folder.path(), events, Some(rate))
}

/// Runs so many seconds of so many events a second into an empty folder; with `truth`, what they mean is written there.
pub fn play(rate: u64, seconds: u64, folder: &Path, truth: Option<&Path>) -> Outcome<Folded> {
    let corpus = Corpus::of(rate, seconds, truth)?;
    eprintln!("{} events", corpus.events);
    let peer = (ADDRESS, 4_739).into();
    let fed = Fed { begin: corpus.begin, events: corpus.events, what: "sessions of one exporter" };
    feed_into(&fed, &mut corpus.datagrams.iter().map(|d| (peer, d.as_slice())), sources::ipfix_settings("")?, folder)
}

/// Plays datagrams with who sends them into an empty folder.
pub fn feed_into(
    fed: &Fed,
    datagrams: &mut dyn Iterator<Item = (SocketAddr, &[u8])>,
    settings: Settings,
    folder: &Path,
) -> Outcome<Folded> {
    let stepped = Arc::new(Stepped(AtomicI64::new(fed.begin)));
    let clock: Arc<dyn Clock> = Arc::clone(&stepped) as Arc<dyn Clock>;
    let config = StoreConfig {
        origin: "bench.invalid".to_owned(),
        unit_seconds: 86_400,
        unit_rows: usize::MAX,
        memory_bytes: u64::MAX,
        ..StoreConfig::default()
    };
    let store = serve::open(folder, &clock, config)?;
    let tasks = Tasks::new(Stop::new(), |ended| eprintln!("{} ended: {:?}", ended.name, ended.panic));
    store.start(&tasks)?;
    let before = proc::of_self()?;
    let spent = feed(fed, datagrams, settings, &store, &stepped)?;
    let taken = store.sources().iter().map(|s| s.counters.records).sum();
    let processor_us = proc::of_self()? - before;
    tasks.stop().raise();
    store.stop()?;
    tasks.join();
    Ok(Folded { events: fed.events, taken, rows: spent.rows, processor_us, sealing_us: spent.sealing.as_secs_f64() * 1e6, spent })
}

fn feed(
    fed: &Fed,
    datagrams: &mut dyn Iterator<Item = (SocketAddr, &[u8])>,
    settings: Settings,
    store: &Arc<Store>,
    clock: &Stepped,
) -> Outcome<Spent> {
    let wall = SystemClock::new();
    let sink: Arc<dyn RecordSink> = Arc::clone(store) as Arc<dyn RecordSink>;
    let mut collector = Collector::new(Arc::new(settings), Box::new(Arc::clone(&sink)), Transport::Udp, "udp:fold", None);
    let (mut spent, mut due) = (Spent::default(), fed.begin + UNIT_MS);
    for (peer, datagram) in datagrams {
        // The export time, in seconds: RFC 7011 section 3.1, RFC 3954 section 5.1.
        let place = if datagram.get(1) == Some(&9) { 8..12 } else { 4..8 };
        let seconds = datagram.get(place).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
        let now = (i64::from(seconds) * 1_000).max(clock.now().0);
        clock.0.store(now, Ordering::Relaxed);
        let begun = wall.monotonic();
        collector.message(peer, 0, Millis(now), datagram)?;
        if collector.rows() >= GROUP_ROWS
            && let Some(group) = collector.take()
        {
            sink.commit(group)?;
        }
        spent.take += wall.monotonic() - begun;
        if now >= due {
            due += UNIT_MS;
            seal(store, &wall, &mut spent)?;
        }
    }
    if let Some(group) = collector.take() {
        sink.commit(group)?;
    }
    seal(store, &wall, &mut spent)?;
    let begun = wall.monotonic();
    store.repack(Millis(i64::MAX))?;
    spent.repack += wall.monotonic() - begun;
    Ok(spent)
}

fn seal(store: &Store, wall: &SystemClock, spent: &mut Spent) -> Outcome<()> {
    let (begun, before) = (wall.monotonic(), proc::processor_now());
    spent.rows += store.seal_now()?.rows;
    spent.seal += wall.monotonic() - begun;
    spent.sealing += proc::processor_now().saturating_sub(before);
    Ok(())
}
