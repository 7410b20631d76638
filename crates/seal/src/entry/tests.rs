use proptest::prelude::*;

use super::*;
use crate::merkle;
use crate::note::SigningKey;
use crate::test_hex::hash;

const GENESIS: &str = include_str!("testdata/genesis.txt");
const UNIT: &str = include_str!("testdata/unit.txt");
const UNIT_SM3: &str = include_str!("testdata/unit-sm3.txt");
const REPACK: &str = include_str!("testdata/repack.txt");
const HEARTBEAT: &str = include_str!("testdata/heartbeat.txt");

/// SM3("abc"), a well-known value.
const SM3_ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
const SOFA: &str = "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62";

fn unit() -> Unit {
    Unit {
        kind: "nat_mapping".into(),
        kind_version: 1,
        day: "2026-11-22".parse().unwrap(),
        unit: UnitId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        sealed: Millis(1_795_312_860_000),
        rows: 150_000,
        first: Millis(1_795_312_800_001),
        last: Millis(1_795_312_859_998),
        rows_root: hash(SOFA),
        file: "segments/nat_mapping/2026-11-22/000102030405060708090a0b0c0d0e0f.parquet".into(),
        size: 1_234_567,
        file_root: merkle::empty_root(),
        file_root_sm3: None,
        first_row: 0,
        sorted: true,
    }
}

fn repack() -> Repack {
    let part = |entry, first_row, rows| Part { entry, first_row, rows };
    Repack {
        kind: "nat_mapping".into(),
        kind_version: 1,
        day: "2026-11-22".parse().unwrap(),
        sealed: Millis(1_795_356_000_000),
        file: "segments/nat_mapping/2026-11-22/day.parquet".into(),
        size: 987_654_321,
        file_root: hash(SOFA),
        file_root_sm3: Some(hash(SM3_ABC)),
        parts: vec![part(7, 0, 150_000), part(5, 150_000, 1), part(12, 150_001, 99_999)],
        drops: ["a", "b"].map(|n| format!("segments/nat_mapping/2026-11-22/{n}.parquet")).into(),
    }
}

#[test]
fn the_golden_entries() {
    let genesis = Genesis {
        origin: "PeterNeumann".into(),
        log_key: "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap(),
        program: "weir-0.1.0".into(),
        time: Millis(1_795_276_800_000),
    };
    let extreme = Unit {
        kind: "radius_event".into(),
        kind_version: u32::MAX,
        day: Day(-1),
        unit: UnitId([0xff; 16]),
        sealed: Millis(0),
        rows: 1,
        first: Millis(i64::MIN),
        last: Millis(-1),
        rows_root: merkle::empty_root(),
        file: "segments/a".into(),
        size: u64::MAX,
        file_root_sm3: Some(hash(SM3_ABC)),
        first_row: u64::MAX - 1,
        sorted: false,
        ..unit()
    };
    for (text, entry) in [
        (GENESIS, Entry::Genesis(genesis)),
        (UNIT, Entry::Unit(unit())),
        (UNIT_SM3, Entry::Unit(extreme)),
        (REPACK, Entry::Repack(repack())),
        (HEARTBEAT, Entry::Heartbeat(Heartbeat { time: Millis(1_795_312_800_123), sequenced: 4_711, open: 20_852 })),
    ] {
        assert_eq!(Entry::decode(text.as_bytes()).unwrap(), entry);
        assert_eq!(String::from_utf8(entry.encode().unwrap()).unwrap(), text);
        assert_eq!(text.lines().nth(1), Some(entry.type_name()));
    }
}

#[test]
fn every_line_is_needed_and_has_its_place() {
    for text in [GENESIS, UNIT, UNIT_SM3, REPACK, HEARTBEAT] {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 0..lines.len() {
            let mut fewer = lines.clone();
            let gone = fewer.remove(at);
            // An SM3 root may be left out, and one of several files to drop.
            let may_go = gone.starts_with("file-root-sm3 ") || gone.starts_with("drops ") || gone.starts_with("part 12 ");
            assert_eq!(Entry::decode(fewer.concat().as_bytes()).is_ok(), may_go, "without {gone:?}");
            let mut twice = lines.clone();
            twice.insert(at, gone);
            assert!(Entry::decode(twice.concat().as_bytes()).is_err(), "{gone:?} twice");
            let mut more = lines.clone();
            more.insert(at + 1, "note something\n");
            assert!(Entry::decode(more.concat().as_bytes()).is_err(), "a strange line after {gone:?}");
            if at + 1 < lines.len() && !gone.starts_with("drops ") {
                let mut exchanged = lines.clone();
                exchanged.swap(at, at + 1);
                assert!(Entry::decode(exchanged.concat().as_bytes()).is_err(), "{gone:?} and the next exchanged");
            }
        }
    }
}

const DECIMAL: &str = "a decimal from 0 to 18446744073709551615 without leading zeros";
const POSITIVE: &str = "a decimal from 1 to 18446744073709551615 without leading zeros";
const VERSION: &str = "a decimal from 0 to 4294967295 without leading zeros";
const CLOCK: &str = "a decimal of milliseconds since 1970, not negative, without leading zeros";
const EVENT: &str = "a 64-bit decimal of milliseconds without leading zeros";
const KIND: &str = "a kind name of a-z, 0-9 and _ that starts with a letter";
const PATH: &str = "a path below segments/ of letters, digits, dots, underscores and dashes";
const SHA256: &str = "sha256: and 32 bytes in base64";
const THREE: &str = "three decimals: entry, first row, rows";

fn value(line: usize, key: &'static str, form: &'static str) -> EntryError {
    EntryError::Value { line, key, form }
}

fn other(found: &str) -> EntryError {
    EntryError::UnknownVersion { found: found.to_owned() }
}

/// Each golden text with one piece exchanged gives the error that names the place.
fn refused(cases: &[(&str, &str, &str, EntryError)]) {
    for (base, from, to, want) in cases {
        assert!(base.contains(from), "{from:?} is in the base text");
        let text = base.replacen(from, to, 1);
        assert_eq!(Entry::decode(text.as_bytes()).as_ref(), Err(want), "{from:?} -> {to:?}");
    }
}

#[test]
fn malformed_lines_versions_and_types_are_refused() {
    refused(&[
        (UNIT, "weir/entry/v2", "weir/entry/v1", other("weir/entry/v1")),
        (UNIT, "weir/entry/v2", "weir/entry/v3", other("weir/entry/v3")),
        (UNIT, "weir/entry/v2", "", EntryError::NoVersion),
        (UNIT, "\nunit\n", "\nerase\n", EntryError::UnknownType),
        (UNIT, "\nunit\n", "\nUnit\n", EntryError::UnknownType),
        (UNIT, "\nunit\n", "\nunit \n", EntryError::UnknownType),
        (UNIT, "sorted yes\n", "sorted yes\n\n", EntryError::Extra { line: 17 }),
        (UNIT, "sorted yes\n", "sorted yes", EntryError::NotLines),
        (UNIT, "sorted yes\n", "sorted yes\r\n", EntryError::NotLines),
        (UNIT, "kind nat", "kind\tnat", EntryError::NotLines),
        (UNIT, "kind nat", "kind n\u{e4}t", EntryError::NotLines),
        (UNIT, "kind nat", "kind n\u{0}t", EntryError::NotLines),
    ]);
    assert_eq!(Entry::decode(b""), Err(EntryError::NotLines));
    assert_eq!(Entry::decode(b"\n"), Err(EntryError::NoVersion));
    assert_eq!(Entry::decode(b"weir/entry/v2\n"), Err(EntryError::UnknownType));
}

#[test]
fn malformed_numbers_days_and_names_are_refused() {
    let long_kind = format!("kind {}", "k".repeat(65));
    refused(&[
        (UNIT, "kind nat_mapping", "kind  nat_mapping", value(3, "kind", KIND)),
        (UNIT, "kind nat_mapping", "kind ", value(3, "kind", KIND)),
        (UNIT, "kind nat_mapping", "kind", EntryError::Line { line: 3, key: "kind" }),
        (UNIT, "kind nat_mapping", "kind Nat", value(3, "kind", KIND)),
        (UNIT, "kind nat_mapping", "kind 1nat", value(3, "kind", KIND)),
        (UNIT, "kind nat_mapping", &long_kind, value(3, "kind", KIND)),
        (UNIT, "kind-version 1", "kind-version 01", value(4, "kind-version", VERSION)),
        (UNIT, "kind-version 1", "kind-version 4294967296", value(4, "kind-version", VERSION)),
        (UNIT, "2026-11-22\nunit", "2026-02-30\nunit", value(5, "day", "a date like 2026-11-22")),
        (UNIT, "2026-11-22\nunit", "20261122\nunit", value(5, "day", "a date like 2026-11-22")),
        (UNIT, "2026-11-22\nunit", "+02026-11-22\nunit", value(5, "day", "a date like 2026-11-22")),
        (UNIT, "0d0e0f\nsealed", "0d0e0F\nsealed", value(6, "unit", "32 lower-case hex digits")),
        (UNIT, "sealed 1", "sealed -1", value(7, "sealed", CLOCK)),
        (UNIT, "rows 150000", "rows 0", value(8, "rows", POSITIVE)),
        (UNIT, "rows 150000", "rows 150,000", value(8, "rows", POSITIVE)),
        (UNIT, "first 1795312800001", "first -0", value(9, "first", EVENT)),
        (UNIT, "last 1795312859998", "last 1795312800000", value(10, "last", "at or after the first event time")),
        (UNIT, "size 1234567", "size 0", value(13, "size", POSITIVE)),
        (UNIT, "first-row 0", "first-row 00", value(15, "first-row", DECIMAL)),
        (UNIT, "sorted yes", "sorted true", value(16, "sorted", "yes or no")),
    ]);
}

#[test]
fn malformed_paths_and_digests_are_refused() {
    let long_path = format!("file segments/{}", "p".repeat(247));
    refused(&[
        (UNIT, "rows-root sha256:C", "rows-root sha512:C", value(11, "rows-root", SHA256)),
        (UNIT, "rows-root sha256:C", "rows-root C", value(11, "rows-root", SHA256)),
        (UNIT, "rows-root sha256:C", "rows-root sha256: C", value(11, "rows-root", SHA256)),
        (UNIT, "q2I=", "q2I", value(11, "rows-root", SHA256)),
        (UNIT, "q2I=", "q2J=", value(11, "rows-root", SHA256)),
        (UNIT, "file segments/", "file ", value(12, "file", PATH)),
        (UNIT, "file segments/", "file /segments/", value(12, "file", PATH)),
        (UNIT, "file segments/", "file segments//", value(12, "file", PATH)),
        (UNIT, "file segments/", "file segments/../", value(12, "file", PATH)),
        (UNIT, "file segments/", "file segments/./", value(12, "file", PATH)),
        (UNIT, "file segments/", "file segments/a b/", value(12, "file", PATH)),
        (UNIT, "file segments/", "file segments/%2e/", value(12, "file", PATH)),
        (UNIT, "f.parquet\n", "f.parquet/\n", value(12, "file", PATH)),
        (UNIT, "file segments/nat_mapping/2026-11-22/000102030405060708090a0b0c0d0e0f.parquet", &long_path, value(12, "file", PATH)),
        (UNIT_SM3, "sm3:", "sha256:", value(15, "file-root-sm3", "sm3: and 32 bytes in base64")),
    ]);
}

#[test]
fn malformed_values_of_the_other_types_are_refused() {
    refused(&[
        (
            UNIT_SM3,
            "first-row 18446744073709551614",
            "first-row 18446744073709551615",
            value(16, "first-row", "small enough: the last row's number must fit 64 bits"),
        ),
        (GENESIS, "origin Peter", "origin Peter ", value(3, "origin", "a log name of at most 255 bytes without spaces and plus signs")),
        (GENESIS, "origin Peter", "origin Peter+", value(3, "origin", "a log name of at most 255 bytes without spaces and plus signs")),
        (GENESIS, "c74f20a3", "c74f20a4", value(4, "log-key", "an Ed25519 verifier key: name+id+base64")),
        (GENESIS, "weir-0", "weir 0", value(5, "program", "a program version of 1 to 64 characters without spaces")),
        (GENESIS, "weir-0.1.0", "", value(5, "program", "a program version of 1 to 64 characters without spaces")),
        (GENESIS, "time 1", "time -1", value(6, "time", CLOCK)),
        (HEARTBEAT, "time 1", "time +1", value(3, "time", CLOCK)),
        (HEARTBEAT, "sequenced 4711", "sequenced -1", value(4, "sequenced", DECIMAL)),
        (HEARTBEAT, "open 20852", "open 18446744073709551616", value(5, "open", DECIMAL)),
        (
            REPACK,
            "part 7 0 150000\n",
            "part 7 1 150000\n",
            value(11, "part", "back to back with the part before (the first starts at row 0)"),
        ),
        (
            REPACK,
            "part 5 150000 1\n",
            "part 5 150001 1\n",
            value(12, "part", "back to back with the part before (the first starts at row 0)"),
        ),
        (REPACK, "part 12 ", "part 7 ", value(13, "part", "a unit that is not there yet")),
        (REPACK, "150001 99999", "150001 18446744073709551615", value(13, "part", "small enough: row numbers must fit 64 bits")),
        (REPACK, "part 5 150000 1\n", "part 5 150000 0\n", value(12, "part", THREE)),
        (REPACK, "part 5 150000 1\n", "part 5 150000\n", value(12, "part", THREE)),
        (REPACK, "part 5 150000 1\n", "part 5 150000 1 \n", value(12, "part", THREE)),
        (REPACK, "part 5 150000 1\n", "part 5  150000 1\n", value(12, "part", THREE)),
        (REPACK, "b.parquet", "a.parquet", value(15, "drops", "an old file that is not named yet")),
        (REPACK, "b.parquet", "day.parquet", value(15, "drops", "an old file that is not named yet")),
        (REPACK, "drops segments", "drops wal", value(14, "drops", PATH)),
    ]);
}

#[test]
fn errors_do_not_show_values() {
    let text = UNIT.replace("nat_mapping\nkind-version", "Secret Value\nkind-version");
    let error = Entry::decode(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the value of \"kind\" on line 3 is not a kind name of a-z, 0-9 and _ that starts with a letter");
}

#[test]
fn what_cannot_be_read_back_is_not_written() {
    let odd = [
        Entry::Unit(Unit { kind: "a\nb".into(), ..unit() }),
        Entry::Unit(Unit { rows: 0, ..unit() }),
        Entry::Unit(Unit { day: Day(i32::MAX), ..unit() }),
        Entry::Unit(Unit { day: Day(3_000_000), ..unit() }),
        Entry::Unit(Unit { file: "segments/a\nsize 1".into(), ..unit() }),
        Entry::Unit(Unit { last: Millis(0), ..unit() }),
        Entry::Repack(Repack { parts: vec![], ..repack() }),
        Entry::Repack(Repack { drops: vec![], ..repack() }),
        Entry::Repack(Repack { drops: vec![repack().file], ..repack() }),
        Entry::Heartbeat(Heartbeat { time: Millis(-1), sequenced: 0, open: 0 }),
    ];
    for entry in odd {
        assert!(entry.encode().is_err(), "{entry:?}");
    }
    // A key name need not be ASCII, an entry must be.
    let log_key = SigningKey::from_seed([1; 32], "é").unwrap().verifying_key().clone();
    let genesis = Genesis { origin: "log".into(), log_key, program: "weir".into(), time: Millis(0) };
    assert_eq!(Entry::Genesis(genesis).encode(), Err(EntryError::NotLines));
}

#[test]
fn a_repack_that_does_not_fit_is_refused() {
    let part = |i: u64| Part { entry: 1_000_000 + i, first_row: i * 1_000_000, rows: 1_000_000 };
    let with = |n| Entry::Repack(Repack { parts: (0..n).map(part).collect(), ..repack() });
    // A day of units of one minute fits, with some files to drop.
    assert!(with(1_440).encode().unwrap().len() < 60_000);
    let error = with(3_000).encode().unwrap_err();
    assert!(matches!(error, EntryError::TooLong { bytes } if bytes > 65_535), "{error}");
    assert_eq!(Entry::decode(&[b'a'; 65_536]), Err(EntryError::TooLong { bytes: 65_536 }));
}

prop_compose! {
    fn path()(parts in prop::collection::vec("[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", 1..5)) -> String {
        format!("segments/{}", parts.join("/"))
    }
}

prop_compose! {
    fn any_unit()(
        kind in "[a-z][a-z0-9_]{0,63}",
        (kind_version, day, unit, sorted) in (any::<u32>(), -700_000i32..2_900_000, any::<[u8; 16]>(), any::<bool>()),
        (sealed, first, last) in (0..=i64::MAX, any::<i64>(), any::<i64>()),
        (rows, first_row, size) in (1..=u64::MAX / 2, 0..=u64::MAX / 2, 1..=u64::MAX),
        (rows_root, file_root, file_root_sm3) in (any::<Hash>(), any::<Hash>(), any::<Option<Hash>>()),
        file in path(),
    ) -> Unit {
        let (first, last) = (Millis(first.min(last)), Millis(first.max(last)));
        let (day, unit, sealed) = (Day(day), UnitId(unit), Millis(sealed));
        Unit { kind, kind_version, day, unit, sealed, rows, first, last, rows_root, file, size, file_root, file_root_sm3, first_row, sorted }
    }
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let genesis = ("[!-*,-~]{1,255}", "[!-*,-~]{1,64}", any::<[u8; 32]>(), "[!-~]{1,64}", 0..=i64::MAX).prop_map(
        |(origin, name, key, program, time)| {
            let log_key = VerifyingKey::new(&name, key).unwrap();
            Entry::Genesis(Genesis { origin, log_key, program, time: Millis(time) })
        },
    );
    let lists = (prop::collection::btree_map(any::<u64>(), 1..1_000_000u64, 1..20), prop::collection::btree_set(path(), 1..20));
    let repack = (any_unit(), lists).prop_map(|(unit, (parts, drops))| {
        let mut first_row = 0;
        let mut part = |(entry, rows)| {
            first_row += rows;
            Part { entry, first_row: first_row - rows, rows }
        };
        let parts = parts.into_iter().map(&mut part).collect();
        let Unit { kind, kind_version, day, sealed, size, file_root, file_root_sm3, .. } = unit;
        let (file, drops) = ("segments/the-new-one".to_owned(), drops.into_iter().filter(|d| d != "segments/the-new-one").collect());
        Entry::Repack(Repack { kind, kind_version, day, sealed, file, size, file_root, file_root_sm3, parts, drops })
    });
    let heartbeat = (0..=i64::MAX, any::<u64>(), any::<u64>())
        .prop_map(|(time, sequenced, open)| Entry::Heartbeat(Heartbeat { time: Millis(time), sequenced, open }));
    prop_oneof![genesis, any_unit().prop_map(Entry::Unit), repack, heartbeat]
}

proptest! {
    #[test]
    fn entries_come_back(entry in any_entry()) {
        let bytes = entry.encode().unwrap();
        prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
    }

    #[test]
    fn changed_entries_do_not_panic_and_have_one_form(entry in any_entry(), changes in prop::collection::vec((any::<prop::sample::Index>(), 9u8..128), 1..3)) {
        let mut bytes = entry.encode().unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        crate::fuzz::fuzz_entry(&bytes);
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        crate::fuzz::fuzz_entry(&data);
        crate::fuzz::fuzz_entry(&[b"weir/entry/v2\nunit\n", data.as_slice()].concat());
    }
}
