//! What a look-up reads is bounded, however long the history: counted in pages and bytes, which are exact on every machine.

mod counting;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Action, Form, NatEvent, NatEventColumns, RadiusSession};
use weir_record::sink::{Group, RecordSink, SourceDesc};
use weir_record::{Id, Kind};
use weir_store::catalog::SqliteCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_testkit::{Rng, SimClock};

use counting::CountingDisk;

const T0: i64 = 1_795_312_800_000;
/// Mappings of one simulated minute, after which it is sealed.
const A_MINUTE: usize = 5_000;
/// Public addresses, each with its ports.
const ADDRESSES: u8 = 64;
/// One mapping in so many stays open for hours.
const LONG: u64 = 100;
/// Open ones beyond this end, the oldest first.
const OPEN: usize = 3_000;
/// Subscribers, each with an inside address, every third with an IPv6 prefix, too.
const SUBSCRIBERS: u32 = 2_000;
const QUESTIONS: usize = 1_000;
/// Either way around the moment, in milliseconds.
const SKEW_MS: i64 = 2_000;
/// How far back a look-up that found nobody looks for the last word about a port, in milliseconds.
const EVIDENCE_BACK_MS: i64 = 300_000;

/// How far from what its row of the table says a size may be, percent: salts and keys are new in every run, and with them what compresses how well.
const NEAR: u64 = 10;

/// The page with the bounds and the table.
fn documented() -> String {
    fs::read_to_string(weir_testkit::package().join("../../docs/formats/lookup.md")).unwrap()
}

/// The first numbers of a sentence.
fn numbers(text: &str) -> impl Iterator<Item = u64> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != ',').filter(|w| w.contains(|c: char| c.is_ascii_digit()));
    words.map(|word| word.replace(',', "").parse().unwrap())
}

/// Pages and bytes that a look-up reads at most, as the documents promise.
fn promised(page: &str) -> (u64, u64) {
    let mut numbers = numbers(page.split("A look-up reads at most ").nth(1).expect("the sentence with the bounds"));
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// What the row of the table says of so many mappings.
fn of_row(page: &str, mappings: u64) -> (u64, u64) {
    let rows = page.lines().filter(|line| line.starts_with("| ")).map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let number = |cell: &str| numbers(cell).next();
    let mut of = rows.filter(|cells| cells.len() > 4 && number(cells[1]) == Some(mappings));
    let cells = of.next().expect("a row of the table");
    (number(cells[3]).unwrap(), number(cells[4]).unwrap())
}

/// A mapping as it was told: address, port, holder, begin, and end unless it is open.
struct Told {
    address: Addr16,
    port: u16,
    subscriber: u32,
    start: i64,
    end: Option<i64>,
}

fn inside(subscriber: u32) -> Addr16 {
    let [_, _, c, d] = subscriber.to_be_bytes();
    Addr16::v4([100, 64, c, d])
}

/// An address in the subscriber's own /64.
fn inside6(subscriber: u32) -> Addr16 {
    let [a, b, c, d] = subscriber.to_be_bytes();
    Addr16([0x20, 1, 0xd, 0xb8, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 1])
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
        inside_address: inside(told.subscriber),
        inside_port: told.port,
        ..NatEvent::default()
    }
}

/// The network: its mappings, and the sessions of its subscribers, who log in and out all the time.
struct World {
    rng: Rng,
    source: u32,
    /// Each subscriber's session and when it ends.
    sessions: Vec<(Id, i64, i64)>,
    next_session: u64,
    told: usize,
    short: Vec<Told>,
    long: Vec<Told>,
    open: Vec<Told>,
}

impl World {
    /// One minute of NAT events and one of logins, in that order of time.
    fn minute(&mut self, minute: i64, mappings: usize) -> (Vec<NatEvent>, Vec<RadiusSession>) {
        let mut events = Vec::new();
        for n in 0..mappings {
            // Each port of an address once a minute at most, and none of the long ones' ports twice.
            let place = (n * 13 + (minute / 60_000) as usize * 7) % (usize::from(ADDRESSES) * 1_000);
            let long = self.rng.below(LONG) == 0;
            let port = if long { 2_048 + (self.told + n) as u16 % 30_000 } else { 40_000 + (place / usize::from(ADDRESSES)) as u16 };
            let address = Addr16::v4([203, 0, 113, (place % usize::from(ADDRESSES)) as u8]);
            let start = minute + self.rng.below(30_000) as i64;
            let subscriber = self.rng.below(u64::from(SUBSCRIBERS)) as u32;
            let mut one = Told { address, port, subscriber, start, end: None };
            events.push(event(self.source, Action::Create, &one, start));
            if long {
                self.open.push(one);
                continue;
            }
            let end = start + 20 + self.rng.below(25_000) as i64;
            one.end = Some(end);
            events.push(event(self.source, Action::Delete, &one, end));
            if self.rng.below(20) == 0 {
                self.short.push(one);
            }
        }
        self.told += mappings;
        // The oldest open ones end, hours after they began.
        if self.open.len() > OPEN {
            let end = minute + 59_000;
            for mut one in self.open.drain(..1_000) {
                events.push(event(self.source, Action::Delete, &one, end));
                one.end = Some(end);
                self.long.push(one);
            }
        }
        (events, self.logins(minute))
    }

    fn logins(&mut self, minute: i64) -> Vec<RadiusSession> {
        let mut rows = Vec::new();
        for subscriber in 0..SUBSCRIBERS {
            let (id, start, end) = self.sessions[subscriber as usize];
            if end > minute {
                continue;
            }
            if start > 0 {
                rows.push(self.accounting(2, subscriber, id, start, minute + 1_000));
            }
            // Most stay some minutes, some for many hours: every level of the index has sessions.
            let (id, start, stay) = (Id(u128::from(self.next_session).to_be_bytes()), minute + 2_000, 60_000 << self.rng.below(11));
            self.next_session += 1;
            self.sessions[subscriber as usize] = (id, start, start + stay);
            rows.push(self.accounting(1, subscriber, id, start, start));
        }
        rows
    }

    fn accounting(&self, status: u8, subscriber: u32, session: Id, start: i64, time: i64) -> RadiusSession {
        let prefix = subscriber.is_multiple_of(3).then(|| weir_base::net::Prefix::new(inside6(subscriber), 64).addr);
        RadiusSession {
            time: Millis(time),
            arrived: Millis(time),
            source: self.source,
            realm: 1,
            status,
            session,
            subscriber: Some(Id([subscriber as u8; 16])),
            framed_ipv4: Some(inside(subscriber)),
            framed_prefix: prefix,
            framed_prefix_bits: prefix.map(|_| 64),
            start: Some(Millis(start)),
            start_certain: 1,
            ..RadiusSession::default()
        }
    }
}

fn send(store: &Store, events: &[NatEvent], sessions: &[RadiusSession]) {
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
    if !sessions.is_empty() {
        let batches = vec![(Kind::RadiusSession, RadiusSession::batch(sessions))];
        store.commit(Group { batches, ..Group::new("radius") }).unwrap();
    }
}

/// A store in a folder, running until `body` returns.
fn with_store<T>(folder: &Path, clock: &Arc<SimClock>, body: impl FnOnce(&Arc<Store>, &CountingDisk) -> T) -> T {
    let disk = CountingDisk::new(&folder.join("data"));
    let catalog = SqliteCatalog::open(&folder.join("catalog.sqlite")).unwrap();
    let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
    let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let (store, _) = Store::open(Arc::new(disk.clone()), None, Box::new(catalog), shared, &Secret([7; 32]), config).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    let result = body(&store, &disk);
    store.stop().unwrap();
    tasks.stop().raise();
    tasks.join();
    result
}

/// Takes the files out of the machine's cache, as far as the kernel lets them go.
fn forget(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            forget(&path);
        } else {
            let file = fs::File::open(&path).unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
    }
}

/// One look-up: what it asks of the store, and the pages and bytes that this read.
#[derive(Default)]
struct Cost {
    pages: u64,
    bytes: u64,
}

impl Cost {
    fn mappings(&mut self, store: &Store, told: &Told, from: i64, to: i64) -> bool {
        let (found, stats) = store.mappings(told.address, Some(told.port), Some(6), Millis(from), Millis(to)).unwrap();
        (self.pages, self.bytes) = (self.pages + stats.pages, self.bytes + stats.bytes);
        found.iter().any(|m| m.inside == inside(told.subscriber) && m.start == Some(Millis(told.start)))
    }

    fn session(&mut self, store: &Store, address: Addr16, at: i64) -> usize {
        let (found, stats) = store.sessions(None, address, Millis(at - SKEW_MS), Millis(at + SKEW_MS)).unwrap();
        (self.pages, self.bytes) = (self.pages + stats.pages, self.bytes + stats.bytes);
        found.len()
    }
}

/// The hardest questions: half about mappings that were open for hours, at any moment of theirs; the rest about short ones, about ports
/// that nobody held, and about IPv6 addresses, which may lie in a prefix of any length. All of them go on to the session behind.
fn ask(store: &Store, world: &mut World, disk: &CountingDisk, now: i64) -> (u64, u64) {
    let mut most = [(0, 0); 3];
    // An address that no session here ever had reads nothing, however long the history; of one that had any, the sources are known without reading.
    let foreign: Addr16 = "198.51.100.7".parse().unwrap();
    disk.start();
    let (found, stats) = store.sessions(None, foreign, Millis(0), Millis(i64::MAX)).unwrap();
    assert!(found.is_empty() && stats.pages == 0);
    assert_eq!(store.lenders(foreign), Some(BTreeSet::new()));
    assert_eq!(store.lenders(inside(0)), Some(BTreeSet::from([world.source])));
    assert_eq!(disk.read(), 0);
    for n in 0..QUESTIONS {
        let pool = match n % 8 {
            0..4 if n % 2 == 0 && !world.long.is_empty() => &world.long,
            0..4 => &world.open,
            _ => &world.short,
        };
        let told = &pool[world.rng.below(pool.len() as u64) as usize];
        let life = told.end.unwrap_or(now) - told.start;
        let at = told.start + world.rng.below(life.max(1) as u64) as i64;
        let mut cost = Cost::default();
        disk.start();
        match n % 8 {
            6 => {
                // A port that is never used: the last word about it is looked for, too.
                let nobody = Told { address: told.address, port: 1_000 + told.port % 1_000, ..*told };
                assert!(!cost.mappings(store, &nobody, at - SKEW_MS, at + SKEW_MS));
                assert!(!cost.mappings(store, &nobody, at - EVIDENCE_BACK_MS, at));
            }
            7 => {
                let third = told.subscriber / 3 * 3;
                // Between two sessions there is nobody for a second, and a login may be younger than the question.
                assert!(cost.session(store, inside6(third), at) <= 2);
            }
            _ => {
                assert!(cost.mappings(store, told, at - SKEW_MS, at + SKEW_MS), "a stored mapping is found");
                cost.session(store, inside(told.subscriber), at);
            }
        }
        // Nothing is kept from one question to the next, so each of them is the first: what was counted is what was read from the disk.
        assert!(disk.read() <= cost.bytes, "{} bytes were read and {} counted", disk.read(), cost.bytes);
        assert!(cost.pages > 0 && disk.read() > 0, "nothing was read: the question was answered from memory");
        let of = &mut most[if n % 8 < 6 { 0 } else { n % 8 - 5 }];
        *of = (of.0.max(cost.pages), of.1.max(cost.bytes));
    }
    println!("pages and bytes at most: mapping and session {:?}, nobody {:?}, IPv6 {:?}", most[0], most[1], most[2]);
    most.into_iter().reduce(|a, b| (a.0.max(b.0), a.1.max(b.1))).unwrap_or_default()
}

/// Stores so many mappings, opens the store anew, asks many questions, and gives the pages and bytes that the worst of them read.
fn worst(mappings: usize) -> (u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SimClock::new(Millis(T0)));
    let mut world = with_store(dir.path(), &clock, |store, _| {
        let desc = SourceDesc { name: "cgn".into(), kind: "ipfix".into(), realm: "north".into(), ..SourceDesc::default() };
        let source = store.register(&desc).unwrap().number;
        let (rng, sessions) = (Rng::new(11), vec![(Id([0; 16]), 0, 0); SUBSCRIBERS as usize]);
        let (short, long, open) = (Vec::new(), Vec::new(), Vec::new());
        let mut world = World { rng, source, sessions, next_session: 1, told: 0, short, long, open };
        while world.told < mappings {
            let (events, sessions) = world.minute(clock.now().0, A_MINUTE.min(mappings - world.told));
            send(store, &events, &sessions);
            clock.advance(60_000);
            store.seal_now().unwrap();
        }
        store.flush_index().unwrap();
        world
    });
    forget(dir.path());
    let most = with_store(dir.path(), &clock, |store, disk| ask(store, &mut world, disk, clock.now().0));
    println!("{mappings} mappings: at most {} pages, {} bytes", most.0, most.1);
    most
}

fn bounded(mappings: usize) {
    let page = documented();
    let ((pages, bytes), (most_pages, most_bytes)) = (worst(mappings), promised(&page));
    assert!(pages <= most_pages, "{pages} pages, {most_pages} are promised");
    assert!(bytes <= most_bytes, "{bytes} bytes, {most_bytes} are promised");
    let (row_pages, row_bytes) = of_row(&page, mappings as u64);
    for (is, says, what) in [(pages, row_pages, "pages"), (bytes, row_bytes, "bytes")] {
        assert!(
            is.abs_diff(says) * 100 <= says * NEAR,
            "{mappings} mappings: {is} {what}, and docs/formats/lookup.md says {says}: mend it, or the page"
        );
    }
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
