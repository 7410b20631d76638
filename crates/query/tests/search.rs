//! Search with the word index finds what a search without it finds, and reads little: counted in pages and bytes, which are the same on
//! every machine.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_query::only::Only;
use weir_query::search::{Found, Sought, Words, lines};
use weir_query::unrecognised::grouped;
use weir_record::kind::Record;
use weir_record::kinds::Maintenance;
use weir_record::sink::{Group, RecordSink};
use weir_record::{Id, Kind};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::table::Stats;
use weir_store::words::{WORDS, words_file};
use weir_testkit::{Rng, SimClock, SimDisk, each_seed, runs};

const T0: i64 = 1_795_312_800_000;
const EVER: (Millis, Millis) = (Millis(0), Millis(i64::MAX));

struct Rig {
    disk: SimDisk,
    clock: Arc<SimClock>,
    store: Arc<Store>,
    tasks: Tasks,
    made: u64,
}

fn open(disk: &SimDisk, clock: &Arc<SimClock>) -> (Arc<Store>, Tasks) {
    let shared: Arc<dyn Clock> = Arc::clone(clock) as Arc<dyn Clock>;
    let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
    // The catalog is lost each time: it is made again from the log.
    let (store, _) = Store::open(disk.shared(), None, Box::new(MemoryCatalog::default()), shared, &Secret([7; 32]), config).unwrap();
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
    store.start(&tasks).unwrap();
    (store, tasks)
}

impl Rig {
    fn new() -> Rig {
        let (disk, clock) = (SimDisk::new(), Arc::new(SimClock::new(Millis(T0))));
        let (store, tasks) = open(&disk, &clock);
        Rig { disk, clock, store, tasks, made: 0 }
    }

    /// Keeps lines, each some milliseconds after the one before.
    fn put(&mut self, texts: &[String]) {
        for some in texts.chunks(8_192) {
            let rows: Vec<Maintenance> = some.iter().map(|text| self.row(text)).collect();
            let batches = vec![(Kind::Maintenance, Maintenance::batch(&rows))];
            self.store.commit(Group { batches, ..Group::new("syslog") }).unwrap();
        }
    }

    fn row(&mut self, text: &str) -> Maintenance {
        self.made += 1;
        Maintenance {
            time: Millis(T0 + self.made as i64 / 3),
            received: Millis(T0),
            source: source(self.made),
            peer: Addr16::v4([198, 51, 100, 7]),
            host: self.made.is_multiple_of(2).then(|| "web-1".to_owned()),
            app: Some("sshd".to_owned()),
            line: text.to_owned(),
            dialect: (!is_unrecognised(self.made)).then(|| "linux".to_owned()),
            text: Id(u128::from(self.made).to_be_bytes()),
            ..Maintenance::default()
        }
    }

    fn seal(&mut self) {
        self.clock.advance(1_000);
        self.store.seal_now().unwrap();
    }

    fn search(&self, words: &str, (from, to): (Millis, Millis), limit: usize) -> Found {
        let words = Words::parse(words).unwrap();
        lines(&self.store, &Sought { words: Some(&words), only: Only::default(), from, to, limit }).unwrap()
    }

    /// The texts found.
    fn found(&self, words: &str, limit: usize) -> Vec<String> {
        texts(&self.search(words, EVER, limit).rows)
    }

    fn tables(&self) -> Vec<String> {
        let list = self.disk.shared().list(Path::new(WORDS)).unwrap();
        list.into_iter().map(|e| format!("{WORDS}/{}", e.name)).collect()
    }

    fn lose_tables(&self) {
        self.tables().iter().for_each(|file| self.disk.shared().remove(Path::new(file)).unwrap());
    }

    fn stop(self) -> (SimDisk, Arc<SimClock>) {
        self.store.stop().unwrap();
        self.tasks.stop().raise();
        self.tasks.join();
        (self.disk, self.clock)
    }

    fn again(self) -> Rig {
        let made = self.made;
        let (disk, clock) = self.stop();
        let (store, tasks) = open(&disk, &clock);
        Rig { disk, clock, store, tasks, made }
    }
}

fn source(made: u64) -> u32 {
    1 + u32::from(made.is_multiple_of(5))
}

fn is_unrecognised(made: u64) -> bool {
    made.is_multiple_of(7)
}

fn texts(rows: &RecordBatch) -> Vec<String> {
    let lines = rows.column_by_name("line").unwrap().as_string::<i32>();
    lines.iter().map(|l| l.unwrap_or_default().to_owned()).collect()
}

const PARTS: [&str; 14] =
    ["failed", "Failed", "password", "用户登录失败", "登录", "port", "x-1", "<USER1>", "café", "ошибка", "a_b", "session", "录", "fail"];
const ASKED: [&str; 16] = [
    "failed",
    "fail*",
    "pass*",
    "登录",
    "用户",
    "录失",
    "port failed",
    "x-1",
    "<user1>",
    "café",
    "ошибка",
    "a_b",
    "ses*",
    "录",
    "sshd web-1",
    "7*",
];

fn line(rng: &mut Rng) -> String {
    let mut text = String::new();
    for _ in 0..1 + rng.below(6) {
        text.push_str(PARTS[rng.below(PARTS.len() as u64) as usize]);
        match rng.below(4) {
            0 => text.push_str(&rng.below(100).to_string()),
            1 => {}
            _ => text.push(' '),
        }
    }
    text
}

/// What a search must find: every line in the order of time, held against the words one by one.
fn scanned(all: &[String], words: &str, limit: usize) -> Vec<String> {
    let words = Words::parse(words).unwrap();
    let other = |i: usize| if (i + 1).is_multiple_of(2) { "web-1" } else { "" };
    let fit: Vec<String> =
        all.iter().enumerate().filter(|(i, l)| words.fit(&[other(*i), "sshd", "", "", l])).map(|(_, l)| l.clone()).collect();
    fit[fit.len().saturating_sub(limit)..].to_vec()
}

#[test]
fn what_is_narrowed_is_what_fits_of_all() {
    let rng = &mut Rng::new(5);
    let mut rig = Rig::new();
    let mut all: Vec<String> = Vec::new();
    for sealed in [true, true, false] {
        let some: Vec<String> = (0..4_000).map(|_| line(rng)).collect();
        rig.put(&some);
        all.extend(some);
        if sealed {
            rig.seal();
        }
    }
    for (words, only, limit) in [
        (None, Only { source: None, unrecognised: true }, 100),
        (None, Only { source: Some(2), unrecognised: true }, 100_000),
        (Some("failed"), Only { source: None, unrecognised: true }, 50),
        (Some("failed"), Only { source: Some(2), unrecognised: false }, 100_000),
        (Some("port"), Only { source: Some(2), unrecognised: true }, 7),
        (None, Only { source: Some(9), unrecognised: true }, 7),
    ] {
        let parsed = words.map(|w| Words::parse(w).unwrap());
        let sought = Sought { words: parsed.as_ref(), only, from: EVER.0, to: EVER.1, limit };
        let fits = |i: usize| {
            let made = i as u64 + 1;
            only.source.is_none_or(|s| s == source(made)) && (!only.unrecognised || is_unrecognised(made))
        };
        let host = |i: usize| if (i + 1).is_multiple_of(2) { "web-1" } else { "" };
        let want: Vec<&String> = all
            .iter()
            .enumerate()
            .filter(|(i, l)| fits(*i) && parsed.as_ref().is_none_or(|w| w.fit(&[host(*i), "sshd", "", "", l])))
            .map(|(_, l)| l)
            .collect();
        let found = lines(&rig.store, &sought).unwrap();
        assert_eq!(texts(&found.rows).iter().collect::<Vec<_>>(), want[want.len().saturating_sub(limit)..], "{words:?} {only:?}");
        assert_eq!(want.is_empty(), only.source == Some(9));
    }
    // By sender: each counted, the newest as example; a span; an end on the way.
    let told = grouped(&rig.store, EVER.0, EVER.1, &|| None).unwrap();
    let count = |wanted: u32| (1..=12_000u64).filter(|m| is_unrecognised(*m) && source(*m) == wanted).count() as u64;
    let got: Vec<(u32, u64)> = told.groups.iter().map(|g| (g.source, g.lines)).collect();
    assert_eq!((got, told.further), (vec![(1, count(1)), (2, count(2))], 0));
    let newest = (1..=12_000u64).rev().find(|m| is_unrecognised(*m) && source(*m) == 1).unwrap();
    assert_eq!(told.groups[0].example, all[newest as usize - 1]);
    let early = grouped(&rig.store, Millis(T0), Millis(T0 + 100), &|| None).unwrap();
    assert_eq!(early.groups.iter().map(|g| g.lines).sum::<u64>(), (1..=302u64).filter(|m| is_unrecognised(*m)).count() as u64);
    let ended = grouped(&rig.store, EVER.0, EVER.1, &|| Some(weir_query::sql::watch::Why::TooLong)).unwrap_err();
    assert!(matches!(ended, weir_query::QueryError::Ended(_)), "{ended}");
    rig.stop();
}

#[test]
fn with_the_index_or_without_it_the_same_is_found() {
    each_seed("search", runs(50).min(100), |seed| {
        let rng = &mut Rng::new(seed);
        let mut rig = Rig::new();
        let mut all = Vec::new();
        for step in 0..6 {
            let some: Vec<String> = (0..rng.below(5_000)).map(|_| line(rng)).collect();
            rig.put(&some);
            all.extend(some);
            if rng.below(4) > 0 {
                rig.seal();
            }
            if step == 3 && rng.below(2) == 0 {
                rig.clock.advance(600_000);
                rig.store.repack(rig.clock.now()).unwrap();
            }
            match rng.below(5) {
                0 => rig.lose_tables(),
                1 => {
                    // Half of a table, as after a crash.
                    if let Some(file) = rig.tables().first() {
                        let shared = rig.disk.shared();
                        let file = shared.open(Path::new(file), true).unwrap();
                        file.set_len(file.len().unwrap() / 2).unwrap();
                    }
                }
                2 => rig = rig.again(),
                _ => {}
            }
            let asked = ASKED[rng.below(ASKED.len() as u64) as usize];
            for limit in [1 + rng.below(50) as usize, usize::MAX >> 1] {
                assert_eq!(rig.found(asked, limit), scanned(&all, asked, limit), "{asked} {limit}");
            }
        }
        rig.stop();
    });
}

/// Lines of many units with one rare word in the midst.
fn history(units: usize, lines: usize) -> Rig {
    let mut rig = Rig::new();
    let mut rng = Rng::new(5);
    for unit in 0..units {
        let mut some: Vec<String> = (0..lines)
            .map(|_| {
                let (user, port) = (rng.below(5_000), 1_024 + rng.below(60_000));
                format!("Failed password for invalid user <USER1> from <ADDR1> port {port} ssh2 session {user:x} 用户登录失败")
            })
            .collect();
        if unit == units / 2 {
            some[lines / 3] = "out of memory: killed process 4711 (postgres) 内存不足".to_owned();
        }
        rig.put(&some);
        rig.seal();
    }
    rig
}

#[test]
fn a_rare_word_over_many_units_reads_little() {
    const UNITS: u64 = 40;
    let rig = history(UNITS as usize, 6_000);
    let cost = |rig: &Rig, words: &str| {
        let found = rig.search(words, EVER, 100);
        assert_eq!(found.rows.num_rows(), 1, "{words}");
        assert!(found.scanned <= 4 * 2_048, "{} lines were looked at for {words}", found.scanned);
        println!("{words}: {:?}, {} lines looked at", found.stats, found.scanned);
        found.stats
    };
    // Sealed: of each file the root of its table and one set of it.
    for words in ["postgres", "POSTG*", "内存", "memory process"] {
        let Stats { pages, bytes } = cost(&rig, words);
        let most = UNITS * if words.contains(' ') { 6 } else { 4 } + 100;
        assert!(pages <= most && bytes <= most * 6_000, "{pages} pages, {bytes} bytes for {words}");
    }
    // Repacked: one file, one table.
    rig.clock.advance(600_000);
    assert_eq!(rig.store.repack(rig.clock.now()).unwrap().files, 1);
    assert_eq!(rig.tables().len(), 1, "the tables of files that are gone went with them");
    let with = cost(&rig, "postgres");
    assert!(with.pages <= 60 && with.bytes <= 400_000, "{with:?}");
    // Without an index that can say anything everything is read: what a search was before.
    let all = rig.search("->", EVER, 100).stats;
    println!("a search that the index cannot help: {all:?}");
    assert!(all.bytes > with.bytes * 10, "{with:?} {all:?}");
    rig.stop();
}

#[test]
fn a_common_word_is_found_in_the_newest_rows_alone() {
    let rig = history(6, 20_000);
    let found = rig.search("failed", EVER, 50);
    assert_eq!(found.rows.num_rows(), 50);
    assert!(found.scanned <= 8_192, "{} lines were looked at", found.scanned);
    rig.stop();
}

#[test]
fn a_lost_or_moved_table_is_made_again_and_never_believed() {
    let mut rig = history(3, 3_000);
    assert_eq!(rig.tables().len(), 3);
    rig.lose_tables();
    assert_eq!(rig.found("postgres", 10).len(), 1);
    assert_eq!(rig.tables().len(), 3, "made again by the search");
    // One table under the name of another file.
    let units: Vec<_> = rig.store.units().into_iter().filter(|u| u.kind == Kind::Maintenance).collect();
    let (from, to) = (words_file(&units[0].file), words_file(&units[1].file));
    rig.disk.shared().remove(Path::new(&to)).unwrap();
    rig.disk.shared().rename(Path::new(&from), Path::new(&to)).unwrap();
    assert_eq!(rig.found("postgres", 10).len(), 1);
    // Left behind by a crash: swept at the next start.
    let stray = format!("{WORDS}/{}.tbl", Id([9; 16]));
    drop(rig.disk.shared().create(Path::new(&stray)).unwrap());
    rig = rig.again();
    assert!(!rig.tables().contains(&stray));
    assert_eq!(rig.found("postgres", 10).len(), 1);
    rig.stop();
}

#[test]
fn nothing_of_a_line_lies_in_a_table_in_the_clear() {
    let rig = history(1, 500);
    let shared = rig.disk.shared();
    for file in rig.tables() {
        let file = shared.open(Path::new(&file), false).unwrap();
        let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        for word in ["Failed", "password", "登录"] {
            assert!(memchr_in(&bytes, word.as_bytes()).is_none(), "{word}");
        }
    }
    rig.stop();
}

fn memchr_in(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|w| w.eq_ignore_ascii_case(word))
}
