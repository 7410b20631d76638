//! Both catalogs give back what they took.

use super::*;

fn unit(entry: u64) -> UnitMeta {
    let (kind, day) = (Kind::NatMapping, Day(20_000));
    UnitMeta {
        entry,
        kind,
        day,
        unit: Id([3; 16]),
        file: unit_file(day, kind, Id([entry as u8; 16])).into(),
        first_row: 0,
        rows: 9,
        first: Millis(-5),
        last: Millis(7),
        window: (Millis(1), Millis(2)),
        sealed: Millis(8),
    }
}

#[test]
fn both_catalogs_give_back_what_they_took() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.sqlite");
    let r = |file: &str| RunMeta { level: 2, bucket: -7, file: file.into(), day: Day(1) };
    let index = IndexState { entries: 9, snapshot: Some(("s".into(), Day(4))) };
    for catalog in [&SqliteCatalog::open(&path).unwrap() as &dyn Catalog, &MemoryCatalog::default()] {
        let first = Change { units: vec![unit(2), unit(1)], runs: vec![r("a"), r("b")], ..Change::default() };
        catalog.apply(&first).unwrap();
        let moved = UnitMeta { file: "segments/y.parquet".into(), first_row: 4, ..unit(1) };
        let second = Change {
            units: vec![moved.clone()],
            runs: vec![r("c")],
            drop_runs: vec!["a".into()],
            pools: vec![(1, [5; 16])],
            index: Some(index.clone()),
            log_size: Some(10),
        };
        catalog.apply(&second).unwrap();
        let got = catalog.load().unwrap();
        assert_eq!(got.units.since(0, Kind::ALL), [moved, unit(2)]);
        let mut files: Vec<_> = got.runs.iter().map(|r| r.file.as_str()).collect();
        files.sort_unstable();
        assert_eq!(files, ["b", "c"]);
        assert_eq!((got.index, got.log_size, got.pools), (index.clone(), 10, vec![(1, [5; 16])]));
    }
    assert_eq!(SqliteCatalog::open(&path).unwrap().load().unwrap().units.len(), 2);
    std::fs::write(&path, b"this is not a database at all").unwrap();
    assert!(SqliteCatalog::open(&path).map(|c| c.load()).is_err_and(|e| e.contains("delete catalog.sqlite")));
}

#[test]
fn names_of_files_are_kept_whatever_they_are_and_short_where_they_can_be() {
    let (kind, day, id) = (Kind::RadiusSession, Day(20_789), Id([0xa7; 16]));
    let usual = unit_file(day, kind, id);
    for (file, short) in [
        (usual.clone(), true),
        (unit_file(day.plus(1), kind, id), false),
        (unit_file(day, Kind::Gap, id), false),
        (usual.to_uppercase(), false),
        (usual.replace("a7", "A7"), false),
        ("segments/y.parquet".to_owned(), false),
        (String::new(), false),
    ] {
        let meta = UnitMeta { kind, day, file: file.as_str().into(), ..unit(1) };
        let value = FileNames::value(&meta);
        let value = match &value {
            ToSqlOutput::Owned(value) => ValueRef::from(value),
            ToSqlOutput::Borrowed(value) => *value,
            _ => panic!("neither"),
        };
        assert_eq!(matches!(value, ValueRef::Blob(_)), short, "{file}");
        let (mut names, units) = (FileNames::default(), Units::default());
        let back = names.name(value, kind, day, &units).unwrap();
        assert_eq!(*back, *file);
        assert!(Arc::ptr_eq(&back, &names.name(value, kind, day, &units).unwrap()) || !short, "one name for all");
    }
    let (mut names, units) = (FileNames::default(), Units::default());
    assert!(
        [ValueRef::Null, ValueRef::Blob(&[1; 15]), ValueRef::Text(&[0xff])].into_iter().all(|v| names.name(v, kind, day, &units).is_none())
    );
}

fn version(path: &Path) -> i64 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap()
}

#[test]
fn one_of_an_earlier_version_stays_until_it_is_cleared_and_is_cleared_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("catalog.sqlite");
    let state = IndexState { entries: 9, snapshot: Some(("s".into(), Day(4))) };
    let some = Change { pools: vec![(1, [5; 16])], index: Some(state), log_size: Some(10), ..Change::default() };
    SqliteCatalog::open(&path).unwrap().apply(&some).unwrap();
    let raw = Connection::open(&path).unwrap();
    // As an earlier one had it, its ids as text; and one thing in it that is not as it should be.
    raw.execute_batch("DROP TABLE unit; CREATE TABLE unit (entry INTEGER PRIMARY KEY, unit TEXT NOT NULL) STRICT").unwrap();
    raw.execute_batch("PRAGMA user_version = 1; ALTER TABLE meta RENAME TO other; CREATE VIEW meta AS SELECT * FROM other").unwrap();
    let rows = || raw.query_row("SELECT (SELECT count(*) FROM pool), (SELECT count(*) FROM meta)", [], |r| Ok((r.get(0)?, r.get(1)?)));
    let catalog = SqliteCatalog::open(&path).unwrap();
    assert!(catalog.load().unwrap_err().contains("version 1"));
    assert_eq!((version(&path), rows().unwrap()), (1, (1, 3)), "opening and reading changes nothing");
    assert!(catalog.clear().is_err());
    assert_eq!((version(&path), rows().unwrap()), (1, (1, 3)), "half of it is not cleared");
    raw.execute_batch("DROP VIEW meta; ALTER TABLE other RENAME TO meta").unwrap();
    catalog.clear().unwrap();
    assert_eq!((version(&path), rows().unwrap()), (VERSION, (0, 0)));
    catalog.apply(&Change { units: vec![unit(3)], ..Change::default() }).unwrap();
    assert_eq!(catalog.load().unwrap().units.since(0, Kind::ALL), [unit(3)]);
    assert_eq!(catalog.load().unwrap().log_size, 0);
}

#[test]
fn an_index_without_a_snapshot_has_none() {
    let dir = tempfile::tempdir().unwrap();
    for catalog in [&SqliteCatalog::open(&dir.path().join("c")).unwrap() as &dyn Catalog, &MemoryCatalog::default()] {
        let state = IndexState { entries: 9, snapshot: Some(("s".into(), Day(4))) };
        catalog.apply(&Change { index: Some(state), ..Change::default() }).unwrap();
        catalog.apply(&Change { index: Some(IndexState::default()), ..Change::default() }).unwrap();
        assert_eq!(catalog.load().unwrap().index, IndexState::default());
    }
}

fn change(numbers: &[u8]) -> Change {
    let mut change = Change::default();
    for n in numbers {
        let (which, what) = (n % 5, n / 5 % 5);
        let file = || format!("{what}");
        match which {
            0 => change.then(Change { runs: vec![RunMeta { level: 1, bucket: 2, file: file(), day: Day(3) }], ..Change::default() }),
            1 => change.then(Change { drop_runs: vec![file()], ..Change::default() }),
            2 => change.then(Change { pools: vec![(u32::from(what), [what; 16])], ..Change::default() }),
            3 => change.then(Change { log_size: Some(u64::from(what)), ..Change::default() }),
            _ => change.then(Change { index: Some(IndexState { entries: what.into(), snapshot: None }), ..Change::default() }),
        }
    }
    change
}

proptest::proptest! {
    #[test]
    fn changes_made_one_end_where_they_end_one_by_one(numbers: Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let [whole, apart] = ["a", "b"].map(|name| SqliteCatalog::open(&dir.path().join(name)).unwrap());
        // Twice, as where it is not known that it happened.
        (0..2).for_each(|_| whole.apply(&change(&numbers)).unwrap());
        numbers.iter().for_each(|n| apart.apply(&change(&[*n])).unwrap());
        let memory = MemoryCatalog::default();
        (0..2).for_each(|_| memory.apply(&change(&numbers)).unwrap());
        let of = |catalog: &dyn Catalog| {
            let mut all = catalog.load().unwrap();
            all.runs.sort_by(|a, b| a.file.cmp(&b.file));
            all.pools.sort_unstable();
            (all.runs, all.pools, all.index, all.log_size)
        };
        proptest::prop_assert_eq!(of(&whole), of(&apart));
        proptest::prop_assert_eq!(of(&memory), of(&apart));
    }
}
