//! What a look-up reads is bounded, however long the history: counted in pages and bytes, which are exact on every machine.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::{Action, Form, NatEvent, NatEventColumns};
use weir_record::sink::{Group, RecordSink, SourceDesc};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_testkit::{Rng, SimClock};

const T0: i64 = 1_795_312_800_000;
/// Mappings of one simulated minute, after which it is sealed.
const A_MINUTE: usize = 5_000;
/// Public addresses, each with its ports.
const ADDRESSES: u8 = 64;
/// One mapping in so many stays open for hours.
const LONG: u64 = 100;
const QUESTIONS: usize = 1_000;
/// Either way around the moment, in milliseconds.
const SKEW_MS: i64 = 2_000;

/// The bounds that the documents state.
fn stated() -> (u64, u64) {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/lookup.md")).unwrap();
    let sentence = page.split("A look-up reads at most ").nth(1).expect("the sentence with the bounds");
    let mut numbers = sentence.split(|c: char| !c.is_ascii_digit() && c != ',').filter(|w| w.contains(|c: char| c.is_ascii_digit()));
    let mut next = || numbers.next().unwrap().replace(',', "").parse().unwrap();
    (next(), next())
}

/// A mapping as it was told: address, port, inside host, begin.
struct Told {
    address: Addr16,
    port: u16,
    inside: Addr16,
    start: i64,
}

fn event(source: u32, action: Action, told: &Told, time: i64) -> NatEvent {
    NatEvent {
        time: Millis(time),
        action: action as u8,
        form: Form::Session as u8,
        protocol: 6,
        source,
        public_address: told.address,
        public_port: told.port,
        public_port_last: told.port,
        inside_address: told.inside,
        inside_port: told.port,
        ..NatEvent::default()
    }
}

fn send(store: &Arc<Store>, events: &[NatEvent]) {
    for some in events.chunks(10_000) {
        let mut columns = NatEventColumns::default();
        some.iter().for_each(|e| columns.push(e));
        let group = Group {
            batches: vec![(Kind::NatEvent, columns.into_batch())],
            evidence: some.iter().map(|e| (e.source, e.time)).collect(),
            ..Group::new("ipfix")
        };
        store.commit(group).unwrap();
    }
}

/// Stores so many mappings, asks the worst of many questions, and gives the pages and bytes it read.
fn worst(mappings: usize) -> (u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let disk: SharedDisk = Arc::new(RealDisk::new(&dir.path().join("data")).unwrap());
    let clock = Arc::new(SimClock::new(Millis(T0)));
    let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
    let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
    let (store, _) = Store::open(disk, None, Box::new(MemoryCatalog::default()), shared, &Secret([7; 32]), config).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    let desc = SourceDesc { name: "cgn".into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
    let source = store.register(&desc).unwrap().number;
    let mut rng = Rng::new(11);
    let (mut kept, mut open): (Vec<Told>, Vec<Told>) = (Vec::new(), Vec::new());
    let mut told = 0usize;
    while told < mappings {
        let minute = clock.now().0;
        let mut events = Vec::new();
        for n in 0..A_MINUTE.min(mappings - told) {
            // Each port of an address once a minute at most, and none of the long ones' ports twice.
            let place = (n * 13 + (minute / 60_000) as usize * 7) % (usize::from(ADDRESSES) * 1_000);
            let long = rng.below(LONG) == 0;
            let port = if long { 2_048 + (told + n) as u16 % 30_000 } else { 40_000 + (place / usize::from(ADDRESSES)) as u16 };
            let address = Addr16::v4([203, 0, 113, (place % usize::from(ADDRESSES)) as u8]);
            let inside = Addr16::v4([100, 64, rng.below(250) as u8, rng.below(250) as u8]);
            let start = minute + rng.below(30_000) as i64;
            let one = Told { address, port, inside, start };
            events.push(event(source, Action::Create, &one, start));
            if long {
                open.push(one);
            } else {
                events.push(event(source, Action::Delete, &one, start + 20 + rng.below(25_000) as i64));
                if rng.below(20) == 0 {
                    kept.push(one);
                }
            }
        }
        told += A_MINUTE.min(mappings - told);
        // The longest open ones end, hours after they began.
        if open.len() > 3_000 {
            for one in open.drain(..1_000) {
                events.push(event(source, Action::Delete, &one, minute + 59_000));
                kept.push(one);
            }
        }
        send(&store, &events);
        clock.advance(60_000);
        store.seal_now().unwrap();
    }
    kept.append(&mut open);
    store.flush_index().unwrap();
    let mut most = (0, 0);
    for _ in 0..QUESTIONS {
        let one = &kept[rng.below(kept.len() as u64) as usize];
        let at = one.start + rng.below(1_000) as i64;
        let (found, stats) = store.mappings(one.address, Some(one.port), Some(6), Millis(at - SKEW_MS), Millis(at + SKEW_MS)).unwrap();
        assert!(found.iter().any(|m| m.inside == one.inside && m.start == Some(Millis(one.start))), "a stored mapping is found");
        most = (most.0.max(stats.pages), most.1.max(stats.bytes));
    }
    tasks.stop().raise();
    store.stop().unwrap();
    tasks.join();
    println!("{mappings} mappings: at most {} pages, {} bytes", most.0, most.1);
    most
}

fn bounded(mappings: usize) {
    let ((pages, bytes), (most_pages, most_bytes)) = (worst(mappings), stated());
    assert!(pages > 0 && pages <= most_pages, "{pages} pages, {most_pages} are promised");
    assert!(bytes > 0 && bytes <= most_bytes, "{bytes} bytes, {most_bytes} are promised");
}

#[test]
fn soak_pages_are_bounded_in_a_hundred_thousand_mappings() {
    bounded(100_000);
}

#[test]
fn soak_pages_are_bounded_in_a_million_mappings() {
    bounded(1_000_000);
    if std::env::var("WEIR_SOAK").is_ok_and(|v| v == "1") {
        bounded(10_000_000);
    }
}
