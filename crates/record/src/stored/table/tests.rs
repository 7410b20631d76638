//! A table holds what a sorted map holds, whatever is asked of it; and no changed byte goes unseen.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_base::crypto::Secret;

use super::*;
use crate::stored::limits::{TABLE_BLOCK_BYTES, TABLE_KEY_BYTES, TABLE_VALUE_BYTES};

const NAME: &str = "index/a.tbl";

fn build<'a>(key: &Secret, block_bytes: usize, entries: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut builder = Builder::with_block_bytes(
        key,
        NAME,
        |part| {
            bytes.extend_from_slice(part);
            Ok(())
        },
        block_bytes,
    );
    for (k, v) in entries {
        builder.push(k, v).unwrap();
    }
    let len = builder.finish().unwrap();
    assert_eq!(len, bytes.len() as u64);
    bytes
}

fn open(bytes: &[u8], key: &Secret) -> Result<Table<Vec<u8>>, TableError> {
    Table::open(bytes.to_vec(), bytes.len() as u64, key, NAME)
}

fn all(table: &Table<Vec<u8>>) -> Result<Vec<Pair>, TableError> {
    let mut out = Vec::new();
    let mut stats = Stats::default();
    let mut cursor = table.cursor(&mut stats);
    let mut here = cursor.first()?;
    while here {
        out.extend(cursor.entry().map(|(k, v)| (k.to_vec(), v.to_vec())));
        here = cursor.next()?;
    }
    Ok(out)
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(0u8..4, 0..6),
        prop::collection::vec(any::<u8>(), 0..40),
        (any::<u16>(), 0u8..3).prop_map(|(n, tail)| [&[9u8; 20][..], &n.to_be_bytes(), &[tail]].concat()),
    ]
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => prop::collection::vec(any::<u8>(), 0..30), 1 => prop::collection::vec(any::<u8>(), 200..600)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_a_sorted_map_does(
        map in prop::collection::btree_map(keys(), values(), 0..400),
        block_bytes in prop_oneof![Just(1usize), Just(64), Just(300), Just(TABLE_BLOCK_BYTES)],
        asked in prop::collection::vec((keys(), keys(), 0usize..20), 1..20),
    ) {
        let key = Secret::random();
        let bytes = build(&key, block_bytes, map.iter().map(|(k, v)| (k.as_slice(), v.as_slice())));
        let table = open(&bytes, &key).unwrap();
        prop_assert_eq!(table.entries(), map.len() as u64);
        prop_assert_eq!(all(&table).unwrap(), map.clone().into_iter().collect::<Vec<_>>());
        let present: Vec<_> = map.keys().cloned().collect();
        for (i, (a, b, most)) in asked.into_iter().enumerate() {
            // Half of the questions are about keys that are there.
            let a = if i % 2 == 0 { present.get(i * 7 % present.len().max(1)).cloned().unwrap_or(a) } else { a };
            let mut stats = Stats::default();
            let got = table.seek_le(&a, &mut stats).unwrap();
            let want = map.range(..=a.clone()).next_back().map(|(k, v)| (k.clone(), v.clone()));
            prop_assert_eq!(got, want);
            prop_assert!(stats.pages <= 2 + table.levels() as u64, "{:?} {}", stats, table.levels());
            both_ways(&table, &map, &a, &b, most)?;
        }
    }
}

fn both_ways(table: &Table<Vec<u8>>, map: &BTreeMap<Vec<u8>, Vec<u8>>, a: &[u8], b: &[u8], most: usize) -> Result<(), TestCaseError> {
    let within = || map.iter().filter(|(k, _)| k.as_slice() >= a && k.as_slice() <= b).map(|(k, v)| (k.clone(), v.clone()));
    let mut stats = Stats::default();
    let mut got: Vec<Pair> = Vec::new();
    let mut take = |k: &[u8], v: &[u8]| {
        got.push((k.to_vec(), v.to_vec()));
        got.len() < most
    };
    table.range(a, b, &mut stats, &mut take).unwrap();
    let want: Vec<Pair> = within().take(most.max(1)).collect();
    prop_assert_eq!(&got, &want);
    got.clear();
    let mut take = |k: &[u8], v: &[u8]| {
        got.push((k.to_vec(), v.to_vec()));
        got.len() < most
    };
    table.range_back(a, b, &mut stats, &mut take).unwrap();
    let mut want: Vec<Pair> = within().collect();
    want.reverse();
    want.truncate(most.max(1));
    prop_assert_eq!(&got, &want);
    Ok(())
}

fn sample(entries: u32) -> Vec<Pair> {
    (0..entries).map(|i| (format!("key-{i:05}").into_bytes(), vec![i as u8; (i % 23) as usize])).collect()
}

fn pairs(entries: &[Pair]) -> impl Iterator<Item = (&[u8], &[u8])> {
    entries.iter().map(|(k, v)| (k.as_slice(), v.as_slice()))
}

/// A table made once and kept: what is on a disk today is read tomorrow, and written the same way.
#[test]
fn the_format_stays() {
    let text = include_str!("../testdata/table.hex");
    let hex: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    let want: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    let (key, entries, mut bytes) = (Secret([7; 32]), sample(20), Vec::new());
    let write = |part: &[u8]| {
        bytes.extend_from_slice(part);
        Ok(())
    };
    let mut builder = Builder::with((&key, NAME), [9; 16], write, 150);
    pairs(&entries).for_each(|(k, v)| builder.push(k, v).unwrap());
    builder.finish().unwrap();
    assert_eq!(all(&open(&want, &key).unwrap()).unwrap(), entries);
    assert_eq!(bytes, want);
}

#[test]
fn every_changed_byte_is_found() {
    let key = Secret::random();
    let entries = sample(120);
    let bytes = build(&key, 100, pairs(&entries));
    assert!(open(&bytes, &key).unwrap().levels() >= 2);
    for i in 0..bytes.len() {
        for bit in [1u8, 0x80] {
            let mut bad = bytes.clone();
            bad[i] ^= bit;
            let result = open(&bad, &key).and_then(|table| all(&table));
            assert!(matches!(result, Err(TableError::Format(_))), "byte {i} of {}", bytes.len());
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_found() {
    let key = Secret::random();
    let bytes = build(&key, 200, pairs(&sample(60)));
    for len in 0..bytes.len() {
        assert!(matches!(open(&bytes[..len], &key), Err(TableError::Format(_))), "cut at {len}");
    }
    let mut longer = vec![0];
    longer.extend(&bytes);
    assert!(matches!(open(&longer, &key), Err(TableError::Format(_))));
}

#[test]
fn blocks_of_another_table_and_another_place_do_not_open() {
    let key = Secret::random();
    let entries = sample(64);
    let (one, two) = (build(&key, 200, pairs(&entries)), build(&key, 200, pairs(&entries)));
    assert_eq!(one.len(), two.len());
    // The first block of the other table, which has the same number, length and content.
    let mut mixed = one.clone();
    mixed[..100].copy_from_slice(&two[..100]);
    assert!(matches!(all(&open(&mixed, &key).unwrap()), Err(TableError::Format(FormatError::Sealed))));
    assert!(matches!(open(&one, &Secret::random()), Err(TableError::Format(FormatError::Sealed))));
    let elsewhere = Table::open(one.clone(), one.len() as u64, &key, "index/b.tbl");
    assert!(matches!(elsewhere, Err(TableError::Format(FormatError::Sealed))));
    assert!(matches!(open(b"", &key), Err(TableError::Format(FormatError::Short))));
    assert!(matches!(open(&[7; 200], &key), Err(TableError::Format(FormatError::Magic))));
}

#[test]
fn another_version_is_named() {
    let key = Secret::random();
    let mut bytes = build(&key, 200, pairs(&sample(3)));
    let (at, end) = (bytes.len() - TRAILER_BYTES, bytes.len() - 4);
    // Those of version 1 open under any name.
    for version in [1, 3] {
        bytes[at + 8] = version;
        let crc = crc32fast::hash(&bytes[at..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&crc);
        assert!(matches!(open(&bytes, &key), Err(TableError::Format(FormatError::Version(is))) if is == u16::from(version)));
    }
}

#[test]
fn equal_keys_keep_their_order_and_are_all_found() {
    let key = Secret::random();
    let entries: Vec<Pair> = (0..200u32).map(|i| (vec![(i / 90) as u8], i.to_be_bytes().to_vec())).collect();
    let bytes = build(&key, 100, pairs(&entries));
    let table = open(&bytes, &key).unwrap();
    assert_eq!(all(&table).unwrap(), entries);
    let mut stats = Stats::default();
    assert_eq!(table.seek_le(&[1], &mut stats).unwrap(), Some(entries[179].clone()));
    for back in [false, true] {
        let mut got = Vec::new();
        let mut take = |k: &[u8], v: &[u8]| {
            got.push((k.to_vec(), v.to_vec()));
            true
        };
        let read = if back { Table::range_back } else { Table::range };
        read(&table, &[1], &[1], &mut stats, &mut take).unwrap();
        if back {
            got.reverse();
        }
        assert_eq!(got, entries[90..180]);
    }
}

#[test]
fn pages_and_bytes_are_counted() {
    let key = Secret::random();
    let entries: Vec<Pair> = (0..100_000u64).map(|i| (i.to_be_bytes().to_vec(), vec![3; 20])).collect();
    let bytes = build(&key, TABLE_BLOCK_BYTES, pairs(&entries));
    let table = open(&bytes, &key).unwrap();
    assert_eq!(table.levels(), 2);
    let mut first = Stats::default();
    table.seek_le(&7u64.to_be_bytes(), &mut first).unwrap();
    let mut second = Stats::default();
    table.seek_le(&99_999u64.to_be_bytes(), &mut second).unwrap();
    // Opening is counted once, with the first question; then one block a level below the root.
    assert_eq!((first.pages, second.pages), (3, 2));
    assert!(second.bytes <= 2 * (TABLE_BLOCK_BYTES as u64 + 16), "{second:?}");
    assert!(first.bytes > second.bytes);
}

#[test]
fn an_empty_table_is_a_table() {
    let key = Secret::random();
    let bytes = build(&key, TABLE_BLOCK_BYTES, std::iter::empty());
    let table = open(&bytes, &key).unwrap();
    assert_eq!(all(&table).unwrap(), []);
    assert_eq!(table.seek_le(b"x", &mut Stats::default()).unwrap(), None);
    let mut stats = Stats::default();
    let mut cursor = table.cursor(&mut stats);
    assert!(!cursor.last().unwrap() && !cursor.seek_ge(b"").unwrap() && !cursor.next().unwrap() && !cursor.prev().unwrap());
    assert!(cursor.entry().is_none());
}

#[test]
fn order_and_limits_are_kept() {
    let key = Secret::random();
    let mut builder = Builder::new(&key, NAME, |_| Ok(()));
    builder.push(b"b", b"").unwrap();
    assert!(matches!(builder.push(b"a", b""), Err(TableError::Order)));
    assert!(matches!(builder.push(&vec![b'c'; TABLE_KEY_BYTES + 1], b""), Err(TableError::Format(FormatError::Limit { .. }))));
    assert!(matches!(builder.push(b"c", &vec![0; TABLE_VALUE_BYTES + 1]), Err(TableError::Format(FormatError::Limit { .. }))));
    assert_eq!(builder.entries(), 1);
    let big = vec![(vec![b'k'; TABLE_KEY_BYTES], vec![5; 1 << 20]), (vec![b'l'; TABLE_KEY_BYTES], vec![6; 10])];
    let bytes = build(&key, TABLE_BLOCK_BYTES, pairs(&big));
    assert_eq!(all(&open(&bytes, &key).unwrap()).unwrap(), big);
}

#[test]
fn a_cursor_turns_round_anywhere() {
    let key = Secret::random();
    let entries = sample(90);
    let bytes = build(&key, 150, pairs(&entries));
    let table = open(&bytes, &key).unwrap();
    for i in 0..entries.len() {
        let mut stats = Stats::default();
        let mut cursor = table.cursor(&mut stats);
        assert!(cursor.seek_ge(&entries[i].0).unwrap());
        assert_eq!(cursor.next().unwrap(), i + 1 < entries.len());
        if i + 1 < entries.len() {
            assert!(cursor.prev().unwrap());
            assert_eq!(cursor.entry().unwrap().0, entries[i].0);
            assert_eq!(cursor.prev().unwrap(), i > 0);
        }
    }
}
