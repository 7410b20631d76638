//! Questions of a file are answered as each of them is alone: whatever is open, live, sealed, repacked or lost, in several realms and of every age.

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Action, Form, Gap, NatEvent, NatEventColumns, RadiusSession};
use weir_record::sink::{Group, RecordSink, SourceDesc};
use weir_record::{Id, Kind};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::many::{Place, in_turn};
use weir_store::shelf::Shelf;
use weir_testkit::{Rng, SimClock, SimDisk, each_seed, runs};

const T0: i64 = 1_795_312_800_000;
const ADDRESSES: u64 = 5;
const PORTS: u64 = 40;

struct Rig {
    clock: Arc<SimClock>,
    store: Arc<Store>,
    tasks: Tasks,
    /// An exporter in each realm.
    sources: [u32; 2],
}

impl Rig {
    fn new() -> Rig {
        let clock = Arc::new(SimClock::new(Millis(T0)));
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
        let catalog = Box::new(MemoryCatalog::default());
        let (store, _) = Store::open(SimDisk::new().shared(), None, catalog, shared, &Secret([7; 32]), config).unwrap();
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
        store.start(&tasks).unwrap();
        let register = |name: &str, realm: &str| {
            let desc = SourceDesc { name: name.into(), kind: "ipfix".into(), realm: realm.into(), ..SourceDesc::default() };
            store.register(&desc).unwrap().number
        };
        let sources = [register("cgn-a", "north"), register("cgn-b", "south")];
        Rig { clock, store, tasks, sources }
    }

    fn commit(&self, group: Group) {
        self.store.commit(group).unwrap();
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.stop().raise();
        self.store.abandon();
    }
}

fn public(number: u64) -> Addr16 {
    Addr16::v4([203, 0, 113, number as u8])
}

fn inside(number: u64) -> Addr16 {
    Addr16::v4([100, 64, 0, number as u8])
}

/// A minute of one network: ports open and close, blocks are lent, subscribers log in and out, something is lost.
fn minute(rig: &Rig, rng: &mut Rng, open: &mut Vec<NatEvent>) {
    let now = rig.clock.now().0;
    let mut events = Vec::new();
    for _ in 0..rng.below(400) {
        let time = now + rng.below(60_000) as i64;
        if rng.below(2) == 0 && !open.is_empty() {
            let begun = open.swap_remove(rng.below(open.len() as u64) as usize);
            events.push(NatEvent { action: Action::Delete as u8, time: Millis(time.max(begun.time.0)), ..begun });
            continue;
        }
        let block = rng.below(12) == 0;
        let port = 1_024 + rng.below(PORTS) as u16 * if block { 512 } else { 1 };
        let begun = NatEvent {
            time: Millis(time),
            action: Action::Create as u8,
            form: if block { Form::Block as u8 } else { Form::Session as u8 },
            protocol: if block { 0 } else { [6, 17][rng.below(2) as usize] },
            source: rig.sources[rng.below(2) as usize],
            public_address: public(rng.below(ADDRESSES)),
            public_port: port,
            public_port_last: if block { port + 511 } else { port },
            inside_address: inside(rng.below(200)),
            inside_port: if block { 0 } else { port },
            ..NatEvent::default()
        };
        events.push(begun.clone());
        open.push(begun);
    }
    let mut columns = NatEventColumns::default();
    events.iter().for_each(|e| columns.push(e));
    let evidence = events.iter().map(|e| (e.source, e.time)).collect();
    rig.commit(Group { batches: vec![(Kind::NatEvent, columns.into_batch())], evidence, ..Group::new("ipfix") });
    let login = |rng: &mut Rng, host: u64| RadiusSession {
        time: Millis(now + 1_000),
        source: rig.sources[0],
        realm: 1 + rng.below(2) as u32,
        status: [1, 2, 3][rng.below(3) as usize],
        session: Id([host as u8; 16]),
        subscriber: Some(Id([host as u8; 16])),
        framed_ipv4: Some(inside(host)),
        start: Some(Millis(now)),
        start_certain: 1,
        ..RadiusSession::default()
    };
    let logins: Vec<RadiusSession> = (0..rng.below(60)).map(|host| login(rng, host)).collect();
    if !logins.is_empty() {
        rig.commit(Group { batches: vec![(Kind::RadiusSession, RadiusSession::batch(&logins))], ..Group::new("radius") });
    }
    if rng.below(4) == 0 {
        let start = now + rng.below(60_000) as i64;
        let source = rig.sources[rng.below(2) as usize];
        let gap = Gap { id: Id::random(), source, start: Millis(start), end: Millis(start + 900), lost: Some(3), ..Gap::default() };
        rig.commit(Group { batches: vec![(Kind::Gap, Gap::batch(&[gap]))], ..Group::new("ipfix") });
    }
    rig.clock.advance(60_000);
}

/// Random questions, answered together and each alone.
fn compare(rig: &Rig, rng: &mut Rng, questions: usize) -> usize {
    let span = (rig.clock.now().0 - T0) as u64;
    let ask: Vec<(Place, Option<u8>, i64)> = (0..questions)
        .map(|_| {
            let at = Millis(T0 + rng.below(span + 20_000) as i64 - 10_000);
            let port = 1_024 + rng.below(PORTS + 2_000) as u16 * rng.below(2) as u16 + rng.below(PORTS) as u16;
            let place = Place { at, public: public(rng.below(ADDRESSES + 1)), port };
            (place, [None, Some(6), Some(17)][rng.below(3) as usize], [0, 2_000, 300_000][rng.below(3) as usize])
        })
        .collect();
    let places: Vec<Place> = ask.iter().map(|(place, ..)| *place).collect();
    let host = |place: &Place| inside(u64::from(place.port) % 64);
    let together = in_turn(&places, 3, &|number, shelf| {
        let (place, protocol, skew) = &ask[number];
        let span = (place.at.plus(-skew), place.at.plus(*skew));
        let found = rig.store.mappings_with(shelf, place.public, Some(place.port), *protocol, span).unwrap().0;
        let whole = rig.store.mappings_with(shelf, place.public, None, None, span).unwrap().0;
        (found, whole, rig.store.sessions_with(shelf, None, host(place), span).unwrap().0)
    });
    for ((place, protocol, skew), (found, whole, sessions)) in ask.iter().zip(&together) {
        let (from, to) = (place.at.plus(-skew), place.at.plus(*skew));
        assert_eq!(*found, rig.store.mappings(place.public, Some(place.port), *protocol, from, to).unwrap().0, "{place:?}");
        assert_eq!(*whole, rig.store.mappings(place.public, None, None, from, to).unwrap().0, "{place:?}");
        assert_eq!(*sessions, rig.store.sessions(None, host(place), from, to).unwrap().0, "{place:?}");
    }
    together.iter().map(|(found, _, sessions)| found.len() + sessions.len()).sum()
}

#[test]
fn a_file_of_questions_is_answered_as_each_of_them_alone() {
    each_seed("many", runs(1), |seed| {
        let (mut rng, rig, mut open) = (Rng::new(seed), Rig::new(), Vec::new());
        let mut found = 0;
        for _ in 0..4 {
            minute(&rig, &mut rng, &mut open);
            match rng.below(6) {
                0..=2 => drop(rig.store.seal_now().unwrap()),
                3 => rig.store.flush_index().unwrap(),
                4 => drop(rig.store.repack(Millis(i64::MAX)).unwrap()),
                // What came stays live.
                _ => {}
            }
            found += compare(&rig, &mut rng, 40);
        }
        assert!(found > 20, "hardly anything was found: {found}");
    });
}

#[test]
fn what_is_at_hand_is_read_once_and_stays_true_when_units_move() {
    let (mut rng, rig, mut open) = (Rng::new(5), Rig::new(), Vec::new());
    for _ in 0..4 {
        minute(&rig, &mut rng, &mut open);
        rig.store.seal_now().unwrap();
    }
    let ask = |shelf: &Shelf| {
        let mut all = (Vec::new(), 0);
        for port in 0..PORTS as u16 {
            let span = (Millis(T0), Millis(T0 + 240_000));
            let (found, stats) = rig.store.mappings_with(shelf, public(2), Some(1_024 + port), None, span).unwrap();
            all.0.extend(found);
            all.1 += stats.pages;
        }
        all
    };
    let shelf = Shelf::staying();
    let (first, read) = ask(&shelf);
    let (second, again) = ask(&shelf);
    assert!(!first.is_empty() && read > 0 && first == second);
    assert_eq!(again, 0, "nothing is read twice");
    rig.store.repack(Millis(i64::MAX)).unwrap();
    let (third, moved) = ask(&shelf);
    assert!(moved > 0, "units that moved are opened anew");
    assert_eq!(third, first);
}
