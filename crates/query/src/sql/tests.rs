use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::ConfigChange;
use weir_record::sink::{Group, RecordSink};
use weir_store::catalog::MemoryCatalog;
use weir_store::engine::StoreConfig;
use weir_testkit::{SimClock, SimDisk};

use super::watch::Why;
use super::*;
use crate::limits::{SQL_WORDS, STATEMENT_BYTES};

/// Never ends by itself: it counts to a number that no machine reaches.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 4000000000000000000)";
const LONG: Duration = Duration::from_secs(3_600);

struct Rig {
    store: Arc<Store>,
    clock: Arc<SimClock>,
    tasks: Tasks,
}

impl Rig {
    /// With rows in `config_change`.
    fn new(rows: usize) -> Rig {
        let (disk, clock) = (SimDisk::new(), Arc::new(SimClock::new(Millis(1_795_312_800_000))));
        let shared: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let config = StoreConfig { unit_seconds: 86_400, ..StoreConfig::default() };
        let (store, _) = Store::open(disk.shared(), None, Box::new(MemoryCatalog::default()), shared, &Secret([7; 32]), config).unwrap();
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
        store.start(&tasks).unwrap();
        let row = |i: usize| ConfigChange { time: Millis(1_795_312_800_000), path: format!("a.{i}"), ..ConfigChange::default() };
        let all: Vec<ConfigChange> = (0..rows).map(row).collect();
        if rows > 0 {
            store.commit(Group { batches: vec![(Kind::ConfigChange, ConfigChange::batch(&all))], ..Group::new("program") }).unwrap();
        }
        assert!(disk.shared().list(Path::new("wal")).is_ok());
        Rig { store, clock, tasks }
    }

    fn within(&self, statement: &str, within: Duration, over: &dyn Fn() -> Option<Why>) -> Result<Answer, QueryError> {
        let during = During { clock: self.clock.as_ref(), within, over };
        run(&self.store, statement, &|kind| kind != Kind::Question, &during, Box::new(()))
    }

    fn ask(&self, statement: &str) -> Result<Answer, QueryError> {
        self.within(statement, LONG, &|| None)
    }

    /// The one number of an answer.
    fn number(&self, statement: &str) -> i64 {
        let answer = self.ask(statement).unwrap();
        answer.batches.iter().find(|b| b.num_rows() == 1).unwrap().column(0).as_primitive::<Int64Type>().value(0)
    }

    fn said(&self, statement: &str) -> (String, String) {
        match self.ask(statement) {
            Err(QueryError::Statement { what, todo }) => (what, todo),
            other => panic!("{statement}: {other:?}"),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.store.stop().unwrap();
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

fn ended(result: Result<Answer, QueryError>) -> Why {
    match result {
        Err(QueryError::Ended(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statements_are_answered_with_guards_between_their_steps() {
    let rig = Rig::new(300);
    for (statement, want) in [
        ("SELECT count(*) FROM config_change", 300),
        ("SELECT count(*) FROM config_change a, config_change b", 90_000),
        ("SELECT count(*) FROM config_change a JOIN config_change b ON a.path = b.path", 300),
        ("SELECT count(*) FROM config_change a JOIN config_change b ON a.path < b.path", 44_850),
        ("SELECT count(*) FROM config_change a LEFT JOIN config_change b ON a.path = b.path AND b.path = 'a.7'", 300),
        ("SELECT count(*) FROM config_change a WHERE EXISTS (SELECT 1 FROM config_change b WHERE b.path > a.path)", 299),
        ("SELECT count(*) FROM (SELECT DISTINCT substr(path, 1, 3) FROM config_change)", 10),
        ("SELECT count(*) FROM (SELECT path, row_number() OVER (ORDER BY path) FROM config_change)", 300),
        ("SELECT count(*) FROM (SELECT path FROM config_change ORDER BY path LIMIT 10)", 10),
        ("SELECT (SELECT count(*) FROM config_change) + count(*) FROM (SELECT 1 UNION ALL SELECT 2)", 302),
        ("WITH a AS (SELECT path FROM config_change) SELECT count(*) FROM a WHERE path IN (SELECT path FROM a)", 300),
    ] {
        assert_eq!(rig.number(statement), want, "{statement}");
    }
}

#[test]
fn a_join_without_a_condition_ends_before_it_takes_all_memory() {
    let rig = Rig::new(300);
    let five = "SELECT count(*) FROM config_change a, config_change b, config_change c, config_change d, config_change e";
    assert_eq!(ended(rig.ask(five)), Why::TooMany);
    // Texts of 8,192 rows that pass from one step to the next at once, 160 MB of them.
    let wide = format!("SELECT '{}' || value FROM generate_series(1, 100000)", "x".repeat(20_000));
    assert_eq!(ended(rig.ask(&wide)), Why::TooLarge);
}

#[test]
fn a_statement_ends_when_its_time_is_over_its_reader_gone_or_the_program_stops() {
    let rig = Rig::new(300);
    let joins = [
        ENDLESS,
        // Joins that give no row on, and one that gives many.
        "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 4000000000000) b ON a.value > b.value + 10000000",
        "SELECT count(*) FROM generate_series(1, 1000000) a JOIN generate_series(1, 4000000000000) b \
         ON a.value % 2 = b.value % 2 AND a.value > b.value + 10000000",
        "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 4000000000000) b",
    ];
    for statement in joins {
        assert_eq!(ended(rig.within(statement, Duration::ZERO, &|| None)), Why::TooLong, "{statement}");
    }
    for why in [Why::Gone, Why::Stopping] {
        let looks = Cell::new(0);
        let over = || {
            looks.set(looks.get() + 1);
            (looks.get() > 2).then_some(why)
        };
        assert_eq!(ended(rig.within(ENDLESS, LONG, &over)), why);
        assert_eq!(looks.get(), 3, "the first reason stands");
    }
}

#[test]
fn a_place_is_given_back_when_nothing_runs_any_more() {
    struct Place(std::sync::mpsc::Sender<bool>, Arc<AtomicBool>);
    impl Drop for Place {
        fn drop(&mut self) {
            self.0.send(self.1.load(Ordering::SeqCst)).unwrap();
        }
    }
    let rig = Rig::new(0);
    for statement in ["SELECT 1", "SELECT", ENDLESS] {
        let (send, receive) = channel();
        let asked_to_end = Arc::new(AtomicBool::new(false));
        let over = || {
            asked_to_end.store(true, Ordering::SeqCst);
            Some(Why::Gone)
        };
        let during = During { clock: rig.clock.as_ref(), within: LONG, over: &over };
        let _ = run(&rig.store, statement, &|_| true, &during, Box::new(Place(send, Arc::clone(&asked_to_end))));
        let after_its_end = receive.recv().unwrap();
        assert!(after_its_end || statement != ENDLESS, "it is held while the statement runs");
    }
}

#[test]
fn what_is_wrong_is_told_in_plain_words_and_nothing_of_it_is_repeated() {
    let rig = Rig::new(3);
    let deep = format!("SELECT {}1", "1 + ".repeat(SQL_WORDS + 1));
    let wide = format!("SELECT '{}'", "x".repeat(STATEMENT_BYTES));
    for (statement, what, todo) in [
        ("SELECT * FROM secret_person", "no table", "nat_mapping"),
        ("SELECT * FROM question", "no table", "config_change"),
        ("SELECT * FROM raw", "no table", "gap"),
        ("SELECT secret_person FROM config_change", "no column", "path"),
        ("SELECT * FROM config_change WHERE path = \"secret_person\"", "no column", "single quotes"),
        ("SELECT secret_person FROM config_change a, config_change b", "no column", "single quotes"),
        ("SELECT path FROM config_change a, config_change b", "more than one table", "a.time"),
        ("SELECT secret_person(path) FROM config_change", "no function", ""),
        ("SELECT repeat(path, 1000000000) FROM config_change", "no function", ""),
        ("DELETE FROM config_change", "does not only read", "one SELECT"),
        ("DROP TABLE config_change", "does not only read", "one SELECT"),
        ("CREATE TABLE secret_person AS SELECT 1", "does not only read", "one SELECT"),
        ("SET a = 'secret_person'", "does not only read", "one SELECT"),
        ("COPY (SELECT 1) TO '/tmp/secret_person'", "does not only read", "one SELECT"),
        ("", "no statement", "one SELECT"),
        ("SELECT 1; SELECT 2", "more than one statement", "one by one"),
        ("SELEC secret_person", "at line 1, column 1", "SELECT * FROM gap"),
        ("SELECT 'secret_person", "cannot be read", "SELECT * FROM gap"),
        ("SELECT path, count(*) FROM config_change", "GROUP BY", "GROUP BY"),
        ("SELECT count(*) FROM config_change WHERE path + 1", "types", "column"),
        ("SELECT 1 / 0 FROM config_change WHERE path <> 'secret_person'", "cannot be computed", "WHERE"),
        ("SELECT CAST('secret_person' AS INT)", "cannot be computed", "WHERE"),
        ("WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM a) SELECT count(*) FROM a", "not supported", "another way"),
        (deep.as_str(), "too many words", "at most 2000"),
        (wide.as_str(), "bytes long", "at most 65536 bytes"),
    ] {
        let said = rig.said(statement);
        assert!(said.0.contains(what) && said.1.contains(todo), "{}: {said:?}", &statement[..statement.len().min(80)]);
        let words = format!("{} {}", said.0, said.1);
        for raw in ["secret_person", "question", "datafusion", "Error", "Parser", "docs/"] {
            assert!(!words.contains(raw), "{}: {words}", &statement[..statement.len().min(80)]);
        }
    }
}

#[test]
fn the_deepest_statement_that_is_taken_fits_the_stack() {
    let rig = Rig::new(0);
    let sum = format!("SELECT {}1", "1 + ".repeat(SQL_WORDS - 2));
    assert_eq!(rig.number(&sum), SQL_WORDS as i64 - 1);
    let brackets = format!("SELECT {}1{}", "(".repeat(900), ")".repeat(900));
    // Refused or answered; either way the program stands.
    drop(rig.ask(&brackets));
    let or = format!("SELECT count(*) FROM config_change WHERE {}path = 'x'", "path = 'x' OR ".repeat((SQL_WORDS - 12) / 3));
    assert_eq!(rig.number(&or), 0);
}

#[test]
fn what_a_statement_returns_has_a_bound() {
    let rig = Rig::new(0);
    let answer = rig.ask("SELECT value FROM generate_series(1, 4000000000000)").unwrap();
    let rows: usize = answer.batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!((rows, answer.cut), (SQL_ROWS, true));
    let long = format!("SELECT '{}' || value AS text FROM generate_series(1, 100000)", "x".repeat(8_000));
    let answer = rig.ask(&long).unwrap();
    let bytes: usize = answer.batches.iter().map(guard::bytes).sum();
    assert!(answer.cut && bytes <= SQL_ANSWER_BYTES, "{bytes}");
}
