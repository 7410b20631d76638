//! Fixed work whose instructions are counted: `cargo xtask counts` runs this under callgrind, which counts what happens in the functions whose
//! names begin with `counted_`, and compares. A closure in one of them would bear its name and end the counting. No row is hashed here:
//! callgrind does not know the processor's instructions for that.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_identity::Identity;
use weir_record::kind::Record;
use weir_record::kinds::NatMappingColumns;
use weir_record::sink::{Group, RecordSink};
use weir_record::spare::Spare;
use weir_record::{Kind, canonical, group, parquet};
use weir_sources::ipfix::collector::{Collector, Transport};
use weir_sources::syslog::dialect::Table;
use weir_sources::syslog::engine::{Engine, Origin};
use weir_store::days::by_day;
use weir_store::engine::StoreConfig;
use weir_store::nat::open::{OpenTable, Orphans};
use weir_store::nat::pack::{NatEvents, PARTS};
use weir_store::nat::pair::Context;
use weir_store::nat::seal::mappings;
use weir_store::nat::sort::Sorting;

use arrow::array::RecordBatch;

use crate::corpus::{ADDRESS, Corpus};
use crate::fold::Stepped;
use crate::lines::Lines;
use crate::shared::Outcome;
use crate::{serve, sources};

/// NAT events a simulated second, and seconds.
const EVENTS: (u64, u64) = (2_000, 10);
/// Log lines.
const LINES: usize = 5_000;

/// Does all of it once and says how much it was.
pub fn run() -> Outcome<()> {
    let corpus = Corpus::of(EVENTS.0, EVENTS.1, None)?;
    let end = corpus.begin + i64::try_from(EVENTS.1 * 1_000)?;
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(Stepped(AtomicI64::new(corpus.begin)));
    let store = serve::open(folder.path(), &clock, StoreConfig { origin: "bench.invalid".to_owned(), ..StoreConfig::default() })?;
    let tasks = weir_base::task::Tasks::new(weir_base::task::Stop::new(), |_| {});
    store.start(&tasks)?;
    let sink: Arc<dyn RecordSink> = Arc::clone(&store) as Arc<dyn RecordSink>;
    let mut collector =
        Collector::new(Arc::new(sources::ipfix_settings("")?), Box::new(Arc::clone(&sink)), Transport::Udp, "udp:counts", None);
    counted_decode(&mut collector, &corpus)?;
    let events = collector.take().ok_or("no events came of the datagrams")?;
    let logged = counted_log(&events)?;
    let batches: Vec<RecordBatch> = events.batches.into_iter().filter(|(kind, _)| *kind == Kind::NatEvent).map(|(_, b)| b).collect();
    let mut packed = NatEvents::default();
    counted_pack(&mut packed, &batches);
    let sorted = counted_sort(&packed);
    let rows = counted_pair(&packed, Millis(end));
    let bytes = counted_encode(Kind::NatMapping, &rows)?;

    let secret = Secret([7; 32]);
    let ids = Arc::new(Identity::open(&secret, store.state("identity"))?);
    let mut engine = Engine::new(Arc::new(sources::syslog_settings()?), Box::new(sink), ids, Table::new(Table::built_in()), None);
    let lines = Lines::some(LINES, Millis(end));
    counted_lines(&mut engine, &lines, Millis(end))?;
    let (group, _) = engine.take().ok_or("no records came of the lines")?;
    let kept: usize = group.batches.iter().filter(|(kind, _)| *kind == Kind::Maintenance).map(|(_, b)| b.num_rows()).sum();
    if kept != LINES {
        return Err(format!("{kept} of {LINES} lines were kept").into());
    }
    let sealed = counted_seal_lines(&group, Millis(end))?;
    println!("{} events: {logged} bytes logged, {sorted} sorted, {} rows, {bytes} bytes", corpus.events, rows.num_rows());
    println!("{LINES} lines: {sealed} bytes");
    tasks.stop().raise();
    store.stop()?;
    tasks.join();
    Ok(())
}

#[inline(never)]
fn counted_decode(collector: &mut Collector, corpus: &Corpus) -> Outcome<()> {
    for datagram in &corpus.datagrams {
        collector.message((ADDRESS, 4_739).into(), 0, Millis(corpus.begin), datagram)?;
    }
    Ok(())
}

#[inline(never)]
fn counted_log(events: &Group) -> Outcome<usize> {
    Ok(group::encode(events)?.len())
}

/// From columns into lists by public address and port.
#[inline(never)]
fn counted_pack(events: &mut NatEvents, batches: &[RecordBatch]) {
    for batch in batches {
        events.push(batch);
    }
    events.close();
}

/// Each list by port, exporter and time.
#[inline(never)]
fn counted_sort(events: &NatEvents) -> usize {
    let (ranks, mut work, mut sorted) = (events.tail_ranks(), Sorting::default(), 0);
    for address in events.addresses() {
        for part in 0..PARTS {
            sorted += black_box(events.sorted(address, part, &ranks, &mut work)).len();
        }
    }
    sorted
}

/// What sealing does with them: sorted again, paired, as rows.
#[inline(never)]
fn counted_pair(events: &NatEvents, sealed: Millis) -> RecordBatch {
    let (open, orphans) = (OpenTable::default(), Orphans::default());
    let context = Context { open: &open, orphans: &orphans, lost_between: &never_lost, overloads: &never_overloads };
    let mut days = mappings(events, &context, sealed, NatMappingColumns::default());
    match days.pop_last() {
        Some((_, rows)) => rows,
        None => weir_record::kinds::NatMapping::batch(&[]),
    }
}

fn never_lost(_: u32, _: Millis, _: Millis) -> bool {
    false
}

fn never_overloads(_: u32) -> bool {
    false
}

#[inline(never)]
fn counted_encode(kind: Kind, rows: &RecordBatch) -> Outcome<usize> {
    Ok(parquet::write(kind, std::slice::from_ref(rows), &Secret([9; 32]))?.bytes.len())
}

#[inline(never)]
fn counted_lines(engine: &mut Engine, lines: &[String], received: Millis) -> Outcome<()> {
    let origin = Origin { peer: Addr16::v4([127, 0, 0, 1]), received, stream: Some(1), ack: None, perhaps_double: false };
    for line in lines {
        engine.line(&origin, line.trim_end().as_bytes(), false)?;
    }
    Ok(())
}

#[inline(never)]
fn counted_seal_lines(group: &Group, sealed: Millis) -> Outcome<usize> {
    let mut bytes = 0;
    for (kind, batch) in &group.batches {
        for (_, rows) in by_day(*kind, std::slice::from_ref(batch), sealed, &Spare::default())? {
            let mut canonical = canonical::Rows::default();
            canonical::variable_rows_into(*kind, &rows, 0, &mut canonical);
            bytes += parquet::write(*kind, &[rows], &Secret([9; 32]))?.bytes.len() + black_box(canonical).len();
        }
    }
    Ok(bytes)
}
