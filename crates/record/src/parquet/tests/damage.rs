//! Changed, cut and foreign files give typed errors and never a wrong row; nonsense never panics.

use arrow::array::{Array, BinaryArray, RecordBatch, StringArray};
use proptest::prelude::*;
use weir_base::crypto::Secret;

use super::generate::{Rng, batch};
use crate::kind::{Kind, Record};
use crate::kinds::Raw;
use crate::parquet::encoding;
use crate::parquet::thrift::Thrift;
use crate::parquet::{Column, Group, Page, PageMap, ParquetFailure, Select, Span, read, read_from, write};

#[test]
fn every_changed_byte_is_found() {
    let key = Secret::random();
    for kind in [Kind::Gap, Kind::NatMapping] {
        let bytes = write(kind, &[batch(kind, 20, 3)], &key).unwrap().bytes;
        let mut rng = Rng(1);
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1 << rng.below(8);
            let got = read(kind, &bad, &key).map(drop);
            let typed = matches!(
                got,
                Err(ParquetFailure::Sealed(_)
                    | ParquetFailure::Short
                    | ParquetFailure::NotEncrypted
                    | ParquetFailure::Format(_)
                    | ParquetFailure::Limit { .. })
            );
            assert!(typed, "byte {i} of {}: {got:?}", bytes.len());
        }
    }
}

#[test]
fn every_cut_is_found() {
    let key = Secret::random();
    let bytes = write(Kind::Gap, &[batch(Kind::Gap, 20, 3)], &key).unwrap().bytes;
    for len in 0..bytes.len() {
        let got = read(Kind::Gap, &bytes[..len], &key).map(drop);
        assert!(got.is_err(), "cut at {len}");
        // A file that still begins as one is called cut, so that the operator looks for a copy and not for a key.
        if (16..bytes.len() - 8).contains(&len) {
            assert!(matches!(got, Err(ParquetFailure::Short | ParquetFailure::Format(_) | ParquetFailure::Sealed(_))), "{len}: {got:?}");
        }
    }
}

#[test]
fn another_key_another_kind_and_other_files_are_told_apart() {
    let key = Secret::random();
    let bytes = write(Kind::Gap, &[batch(Kind::Gap, 20, 3)], &key).unwrap().bytes;
    let wrong = read(Kind::Gap, &bytes, &Secret::random()).unwrap_err();
    assert_eq!(wrong.to_string(), "the footer does not decrypt: the key is wrong or the bytes were changed");
    let other = read(Kind::Raw, &bytes, &key).unwrap_err();
    assert_eq!(other.to_string(), "the file holds \"gap/1\", not raw");
    assert!(matches!(read(Kind::Gap, b"", &key), Err(ParquetFailure::Short)));
    assert!(matches!(read(Kind::Gap, b"PAR1 and so on and so on PAR1", &key), Err(ParquetFailure::NotEncrypted)));
    assert!(matches!(write(Kind::Raw, &[batch(Kind::Gap, 1, 3)], &key), Err(ParquetFailure::Batch(Kind::Raw))));
    let beyond = Select { rows: Some(5..21), columns: None };
    assert!(matches!(read_from(Kind::Gap, &bytes, &key, &beyond), Err(ParquetFailure::Absent("row"))));
    let beyond = Select { rows: None, columns: Some(vec![99]) };
    assert!(matches!(read_from(Kind::Gap, &bytes, &key, &beyond), Err(ParquetFailure::Absent("column"))));
}

#[test]
fn pages_do_not_open_in_another_place() {
    let key = Secret::random();
    let written = write(Kind::NatMapping, &[batch(Kind::NatMapping, 5_000, 9)], &key).unwrap();
    let decryptor = crate::parquet::PageDecryptor::new(Kind::NatMapping, &key, written.map.unique);
    // A column without a dictionary: all its values differ.
    let column = (0..17).find(|c| written.map.locate(3_000, *c).unwrap().dictionary.is_none()).unwrap();
    let spot = written.map.locate(3_000, column).unwrap();
    let bytes = &written.bytes[spot.at.offset as usize..][..spot.at.length as usize];
    let page = crate::parquet::read_page(&decryptor, &spot, &mut bytes.to_vec(), None).unwrap();
    for bad in [
        crate::parquet::Spot { page: spot.page + 1, ..spot },
        crate::parquet::Spot { column: spot.column + 1, ..spot },
        crate::parquet::Spot { group: spot.group + 1, ..spot },
    ] {
        assert!(
            matches!(crate::parquet::read_page(&decryptor, &bad, &mut bytes.to_vec(), None), Err(ParquetFailure::Sealed(_))),
            "{bad:?}"
        );
    }
    // What was in hand for a page that failed is nothing to the next one.
    assert_eq!(&crate::parquet::read_page(&decryptor, &spot, &mut bytes.to_vec(), None).unwrap(), &page);
    let shorter = crate::parquet::Spot { rows: spot.rows - 1, ..spot };
    assert!(matches!(crate::parquet::read_page(&decryptor, &shorter, &mut bytes.to_vec(), None), Err(ParquetFailure::Format(_))));
}

/// One long value makes pages of its kind short, so that the rows of many pages need more row groups.
#[test]
fn another_row_group_begins_before_the_ordinals_end() {
    let mut rows: Vec<Raw> = (0..60_000u32).map(|i| Raw { source: i, reason: "malformed".into(), ..Raw::default() }).collect();
    rows[100].bytes = vec![7; 65_535];
    let whole = Raw::batch(&rows);
    let key = Secret::random();
    let written = write(Kind::Raw, std::slice::from_ref(&whole), &key).unwrap();
    assert_eq!(written.map.groups.len(), 3);
    let back = read(Kind::Raw, &written.bytes, &key).unwrap();
    assert_eq!(arrow::compute::concat_batches(&Kind::Raw.schema(), &back).unwrap(), whole);
    let across = Select { rows: Some(24_000..25_000), columns: Some(vec![2]) };
    let part = read_from(Kind::Raw, &written.bytes, &key, &across).unwrap();
    assert_eq!(part.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000);
    assert_eq!(PageMap::decode(&written.map.encode()).unwrap(), written.map);
}

fn page_map() -> impl Strategy<Value = PageMap> {
    let page = (1u32..5_000, 1u32..60_000, 0u64..3).prop_map(|(rows, length, gap)| (rows, length, gap));
    let column = (prop::collection::vec(page, 0..12), any::<bool>(), 0u16..100, any::<bool>());
    let group = prop::collection::vec(column, 0..4);
    prop::collection::vec(group, 0..4).prop_map(|groups| {
        let mut first_row = 0;
        let mut map = PageMap { unique: [1, 2, 3, 4, 5, 6, 7, 8], groups: Vec::new() };
        for (ordinal, columns) in groups.into_iter().enumerate() {
            let columns = columns.into_iter().map(|(pages, dictionary, first_page, equal)| {
                let (mut offset, mut row) = (1_000u64, 0u32);
                let mut column =
                    Column { first_page, dictionary: dictionary.then_some(Span { offset: 4, length: 99 }), ..Column::default() };
                for (rows, length, gap) in pages {
                    offset += if equal { 0 } else { gap };
                    column.pages.push(Page { offset, length, first_row: row });
                    offset += u64::from(length);
                    row += if equal { 2_048 } else { rows };
                }
                column.end_row = row;
                column
            });
            map.groups.push(Group { ordinal: ordinal as u16, first_row, rows: 1 << 20, columns: columns.collect() });
            first_row += 1 << 20;
        }
        map
    })
}

proptest! {
    #[test]
    fn page_maps_come_back(map in page_map(), cut in any::<prop::sample::Index>(), change in any::<(prop::sample::Index, u8)>()) {
        let bytes = map.encode();
        prop_assert_eq!(&PageMap::decode(&bytes).unwrap(), &map);
        prop_assert!(PageMap::decode(&bytes[..cut.index(bytes.len())]).is_err());
        let mut bad = bytes.clone();
        bad[change.0.index(bytes.len())] ^= change.1;
        // It may be another map, but never a panic.
        let _ = PageMap::decode(&bad);
    }

    #[test]
    fn nonsense_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0usize..300, width in 0u32..40) {
        let _ = encoding::delta::<i32>(&bytes, count);
        let _ = encoding::delta::<i64>(&bytes, count);
        let _ = encoding::hybrid(&bytes, width, count);
        let _ = encoding::plain_texts(&bytes, count);
        let _ = encoding::plain::<i64>(&bytes, count);
        let _ = encoding::split::<16>(&bytes, count);
        let _ = PageMap::decode(&bytes);
        let _ = Thrift::new(&bytes).fields(|_, _, _| Ok(false));
        let _ = read(Kind::Gap, &bytes, &Secret([1; 32]));
    }
}

#[test]
fn thrift_is_read_and_what_is_unknown_is_skipped() {
    // Field 1: i32 -3. Field 2: list of two structures. Field 3: map of one. Field 4: true. Field 5: double. Field 20 (long form): binary.
    let bytes = [
        0x15, 0x05, 0x19, 0x2c, 0x15, 0x02, 0x00, 0x15, 0x04, 0x00, 0x1b, 0x01, 0x85, 0x01, b'k', 0x02, 0x11, 0x17, 1, 2, 3, 4, 5, 6, 7, 8,
        0x08, 0x28, 0x02, b'o', b'k', 0x00, 0xff,
    ];
    let mut seen = Vec::new();
    let mut thrift = Thrift::new(&bytes);
    thrift
        .fields(|t, id, ty| {
            seen.push((id, ty));
            match id {
                1 => assert_eq!(t.int()?, -3),
                20 => assert_eq!(t.binary()?, b"ok"),
                _ => return Ok(false),
            }
            Ok(true)
        })
        .unwrap();
    assert_eq!(seen, [(1, 5), (2, 9), (3, 11), (4, 1), (5, 7), (20, 8)]);
    assert_eq!(thrift.left, [0xff]);
    let deep = [0x1c; 40];
    assert!(Thrift::new(&deep).fields(|_, _, _| Ok(false)).is_err());
}

#[test]
fn values_by_hand() {
    // DELTA_BINARY_PACKED, the specification's own example: 7, 5, 3, 1, 2, 3, 4, 5 (block of 8 in one miniblock, to keep it short).
    let bytes = [8, 1, 8, 14, 3, 2, 0xc0, 0x3f];
    assert_eq!(encoding::delta::<i32>(&bytes, 8).unwrap(), [7, 5, 3, 1, 2, 3, 4, 5]);
    assert!(encoding::delta::<i32>(&bytes, 7).is_err(), "the count is part of the page");
    // A run of five ones, then a group of eight bit-packed values of two bits: 0 1 2 3 0 1 2 3.
    assert_eq!(encoding::hybrid(&[10, 1, 3, 0xe4, 0xe4], 2, 13).unwrap(), [1, 1, 1, 1, 1, 0, 1, 2, 3, 0, 1, 2, 3]);
    assert_eq!(encoding::hybrid(&[], 0, 3).unwrap(), [0, 0, 0]);
    assert!(encoding::hybrid(&[0, 1], 2, 1).is_err(), "a run of no values would never end");
    assert_eq!(encoding::split::<2>(&[1, 3, 2, 4], 2).unwrap(), [[1, 2], [3, 4]]);
    let texts = encoding::plain_texts(&[1, 0, 0, 0, b'a', 0, 0, 0, 0], 2).unwrap();
    assert_eq!((texts.ends.as_slice(), texts.bytes.as_slice()), (&[1, 1][..], &b"a"[..]));
}

#[test]
fn values_of_any_length_come_back() {
    let rows = 3_000;
    let mut rng = Rng(4);
    let mut raw = batch(Kind::Raw, rows, 8).columns().to_vec();
    let lengths: Vec<usize> = (0..rows).map(|_| if rng.below(50) == 0 { rng.below(65_535) as usize } else { 3 }).collect();
    raw[3] = std::sync::Arc::new(StringArray::from_iter_values(lengths.iter().map(|n| "r".repeat(n % 900))));
    raw[4] = std::sync::Arc::new(BinaryArray::from_iter_values(lengths.iter().map(|n| vec![*n as u8; *n])));
    let whole = RecordBatch::try_new(Kind::Raw.schema(), raw).unwrap();
    let key = Secret::random();
    let written = write(Kind::Raw, std::slice::from_ref(&whole), &key).unwrap();
    assert_eq!(written.map.locate(0, 4).unwrap().dictionary, None);
    let back = read(Kind::Raw, &written.bytes, &key).unwrap();
    assert_eq!(arrow::compute::concat_batches(&Kind::Raw.schema(), &back).unwrap(), whole);
    assert!(back.iter().all(|b| b.column(4).null_count() == 0));
}

#[test]
fn values_of_a_dictionary_are_those_that_are_there_and_fit() {
    use crate::parquet::array::{RLE_DICTIONARY, Values, column};
    use arrow::array::{AsArray, types::UInt16Type};

    let fields = Kind::NatMapping.spec().fields;
    let port = &fields[Kind::NatMapping.spec().index("public_port").unwrap()];
    let values = |values: &[i32]| Values::Numbers(values.to_vec());
    // Two bits an index, packed: 0, 1, 2, 2, then four that do not exist.
    let page = [2, 3, 0b1010_0100, 0];
    for (dictionary, count, want) in [
        (values(&[7, 9, 65_535]), 4, Some(&[7, 9, 65_535, 65_535][..])),
        (values(&[7, 9, 65_536]), 4, None),
        (values(&[7, 9]), 4, None),
        (values(&[7, 9]), 2, Some(&[7, 9][..])),
        (values(&[]), 1, None),
        (values(&[]), 0, Some(&[][..])),
        (Values::Longs(vec![7, 9, 3]), 4, None),
    ] {
        let got = column(port, RLE_DICTIONARY, &page, count, None, Some(&dictionary));
        let got = got.ok().map(|array| array.as_primitive::<UInt16Type>().values().to_vec());
        assert_eq!(got.as_deref(), want, "{count}");
    }
    // One bit less: all of them the first.
    assert!(column(port, RLE_DICTIONARY, &[0], 3, None, Some(&values(&[5]))).is_ok_and(|array| array.len() == 3));
    assert!(column(port, RLE_DICTIONARY, &[0], 3, None, Some(&values(&[]))).is_err());
}
