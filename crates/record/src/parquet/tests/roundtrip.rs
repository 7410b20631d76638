//! What is written comes back: through our reader, through the crate's reader, page by page, and in part.

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use proptest::prelude::*;
use weir_base::crypto::Secret;

use super::generate::{batch, batches};
use crate::canonical;
use crate::kind::Kind;
use crate::parquet::layout::layout;
use crate::parquet::{PageDecryptor, PageMap, Select, Spot, read, read_from, read_page, write};

fn whole(kind: Kind, batches: &[RecordBatch]) -> RecordBatch {
    concat_batches(&kind.schema(), batches).unwrap()
}

/// The reader of the crate that wrote the file: a second opinion on every byte.
fn crate_reads(bytes: &[u8], key: &Secret) -> Vec<RecordBatch> {
    use ::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
    use ::parquet::encryption::decrypt::FileDecryptionProperties;

    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), bytes).unwrap();
    let properties = FileDecryptionProperties::builder(key.0.to_vec()).build().unwrap();
    let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(path.reopen().unwrap(), options).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

/// A page read alone, from its bytes and its place.
fn alone(decryptor: &PageDecryptor, bytes: &[u8], spot: &Spot) -> ArrayRef {
    let slice = |at: crate::parquet::Span| bytes[at.offset as usize..][..at.length as usize].to_vec();
    let dictionary = spot.dictionary.map(|at| decryptor.dictionary(spot, &mut slice(at)).unwrap());
    read_page(decryptor, spot, &mut slice(spot.at), dictionary.as_ref()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_kind_comes_back((kind, batches) in batches()) {
        let key = Secret::random();
        let want = whole(kind, &batches);
        let written = write(kind, &batches, &key).unwrap();

        let ours = whole(kind, &read(kind, &written.bytes, &key).unwrap());
        prop_assert_eq!(&ours, &want);
        let crates = crate_reads(&written.bytes, &key);
        prop_assert_eq!(&whole(kind, &crates), &want);
        prop_assert_eq!(canonical::rows(kind, &ours), canonical::rows(kind, &want));

        prop_assert_eq!(written.map.rows(), want.num_rows() as u64);
        prop_assert_eq!(&PageMap::decode(&written.map.encode()).unwrap(), &written.map);
        let decryptor = PageDecryptor::new(kind, &key, written.map.unique);
        for column in 0..want.num_columns() {
            let mut rows = 0;
            for spot in written.map.spots(column, 0..u64::MAX) {
                prop_assert_eq!(spot.first_row, rows);
                let page = alone(&decryptor, &written.bytes, &spot);
                let part = want.column(column).slice(rows as usize, spot.rows as usize);
                prop_assert_eq!(&page, &part);
                rows = spot.range().end;
            }
            prop_assert_eq!(rows, want.num_rows() as u64);
        }
    }

    #[test]
    fn any_part_can_be_read((kind, batches) in batches(), from in 0.0..1.0f64, part in 0.0..1.0f64, columns in any::<u64>()) {
        let key = Secret::random();
        let want = whole(kind, &batches);
        let written = write(kind, &batches, &key).unwrap();
        let rows = want.num_rows();
        let start = (rows as f64 * from) as usize;
        let len = ((rows - start) as f64 * part) as usize;
        let chosen: Vec<usize> = (0..want.num_columns()).filter(|c| columns >> c & 1 == 1).rev().collect();
        let range = start as u64..(start + len) as u64;
        let select = Select { rows: Some(range.clone()), columns: Some(chosen.clone()) };
        let got = read_from(kind, &written.bytes, &key, &select).unwrap();
        prop_assert_eq!(got.iter().map(RecordBatch::num_rows).sum::<usize>(), len);
        if let Some(first) = got.first() {
            let got = concat_batches(first.schema_ref(), &got).unwrap();
            prop_assert_eq!(got, want.project(&chosen).unwrap().slice(start, len));
        }

        let cut = written.map.cut(range.clone());
        prop_assert_eq!(&PageMap::decode(&cut.encode()).unwrap(), &cut);
        for column in 0..want.num_columns() {
            let parts: Vec<_> = cut.spots(column, range.clone()).collect();
            prop_assert_eq!(&parts, &written.map.spots(column, range.clone()).collect::<Vec<_>>());
            for row in range.clone().step_by(97) {
                prop_assert_eq!(cut.locate(row, column), written.map.locate(row, column));
                prop_assert!(cut.locate(row, column).unwrap().range().contains(&row));
            }
        }
    }
}

#[test]
fn boundaries_of_batches_leave_no_trace() {
    let key = Secret::random();
    let all = batch(Kind::NatMapping, 20_000, 1);
    let cut = [all.slice(0, 1), all.slice(1, 9_000), all.slice(9_001, 2_048), all.slice(11_049, 0), all.slice(11_049, 8_951)];
    let one = write(Kind::NatMapping, std::slice::from_ref(&all), &key).unwrap();
    let many = write(Kind::NatMapping, &cut, &key).unwrap();
    assert_eq!(whole(Kind::NatMapping, &read(Kind::NatMapping, &many.bytes, &key).unwrap()), all);
    assert_eq!(one.map.groups, many.map.groups);
    assert_eq!(many.map.groups.len(), 1);
    for (column, field) in Kind::NatMapping.spec().fields.iter().enumerate() {
        let column_of = all.column(column);
        let constant = (1..20_000).all(|row| column_of.slice(row, 1) == column_of.slice(0, 1));
        let rows = if constant { 65_536 } else { layout(Kind::NatMapping, field).page_rows };
        let firsts: Vec<_> = many.map.spots(column, 0..20_000).map(|s| s.first_row as usize).collect();
        assert!(firsts.iter().copied().eq((0..20_000).step_by(rows)), "{}: {} pages", field.name, firsts.len());
    }
}

/// Long texts make short pages, which end where the others do; columns of one value, of few and of none have their forms. Whatever the batches are.
#[test]
fn boundaries_of_batches_of_texts_leave_no_trace() {
    use crate::kind::Record;
    use crate::kinds::Maintenance;
    use weir_base::time::Millis;

    let row = |n: usize| Maintenance {
        time: Millis(n as i64),
        source: 7,
        severity: (n % 20) as u8,
        facility: (n % 3) as u8,
        host: Some(format!("host-{}", n % 9)),
        app: n.is_multiple_of(4).then(|| "sshd".to_owned()),
        procid: Some(format!("{n}-{n}-{n}")),
        line: if n < 9_000 { "x".repeat(250) } else { format!("{n}") },
        ..Maintenance::default()
    };
    let key = Secret::random();
    let all = Maintenance::batch(&(0..20_000).map(row).collect::<Vec<_>>());
    let cut = [all.slice(0, 1), all.slice(1, 9_000), all.slice(9_001, 2_048), all.slice(11_049, 0), all.slice(11_049, 8_951)];
    let one = write(Kind::Maintenance, std::slice::from_ref(&all), &key).unwrap();
    let many = write(Kind::Maintenance, &cut, &key).unwrap();
    for written in [&one, &many] {
        assert_eq!(whole(Kind::Maintenance, &read(Kind::Maintenance, &written.bytes, &key).unwrap()), all);
        assert_eq!(whole(Kind::Maintenance, &crate_reads(&written.bytes, &key)), all);
        assert_eq!(written.map, PageMap::from_bytes(&written.bytes, &key).unwrap());
    }
    let pages = |map: &PageMap, name: &str| -> Vec<(u64, bool)> {
        let column = Kind::Maintenance.spec().index(name).unwrap();
        map.spots(column, 0..u64::MAX).map(|spot| (spot.first_row, spot.dictionary.is_some())).collect()
    };
    for field in Kind::Maintenance.spec().fields {
        assert_eq!(pages(&one.map, field.name), pages(&many.map, field.name), "{}", field.name);
    }
    let rows = |name: &str| pages(&one.map, name).iter().map(|(row, _)| *row).collect::<Vec<_>>();
    assert_eq!(rows("line")[..5], [0, 1_033, 2_048, 3_081, 4_096]);
    assert_eq!(rows("line")[8..], [8_192, 10_240, 12_288, 14_336, 16_384, 18_432]);
    for (name, pages_there, dictionary) in [
        ("time", 10, false),
        ("source", 3, true),
        ("flags", 3, true),
        ("facility", 10, true),
        ("severity", 10, false),
        ("host", 10, true),
        ("app", 10, true),
        ("procid", 10, false),
        ("data", 3, false),
    ] {
        let pages = pages(&one.map, name);
        assert_eq!((pages.len(), pages[0].1), (pages_there, dictionary), "{name}");
    }
}

#[test]
fn files_without_rows_are_files() {
    let key = Secret::random();
    for kind in Kind::ALL {
        let written = write(*kind, &[], &key).unwrap();
        assert_eq!(read(*kind, &written.bytes, &key).unwrap(), []);
        assert_eq!(written.map.rows(), 0);
        assert_eq!(written.map.locate(0, 0), None);
    }
}

/// Remote addresses lie split by byte or whole, as they take less: those of a few networks, and a few from everywhere.
#[test]
fn remote_addresses_lie_as_they_take_less() {
    use crate::kind::Record;
    use crate::kinds::NatMapping;
    use crate::parquet::layout::{Encoding, Layout};
    use crate::parquet::write_as;
    use weir_base::net::Addr16;

    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let everywhere: Vec<[u8; 4]> = (0..512).map(|_| random().to_be_bytes().map(|b| b ^ 0x5a)).collect();
    let mut sizes = Vec::new();
    for whole_wins in [false, true] {
        let mut rows = Vec::new();
        for _ in 0..16_384 {
            let host = random();
            let address = if whole_wins { everywhere[(host % 512) as usize] } else { [203, 0, 113, (host % 251) as u8] };
            rows.push(NatMapping { remote_address: Addr16::v4(address), ..NatMapping::default() });
        }
        let (batch, key) = (NatMapping::batch(&rows), Secret::random());
        let written = write(Kind::NatMapping, std::slice::from_ref(&batch), &key).unwrap();
        assert_eq!(whole(Kind::NatMapping, &read(Kind::NatMapping, &written.bytes, &key).unwrap()), batch);
        assert_eq!(whole(Kind::NatMapping, &crate_reads(&written.bytes, &key)), batch);
        let column = Kind::NatMapping.spec().index("remote_address").unwrap();
        let taken = |map: &PageMap| map.spots(column, 0..u64::MAX).map(|spot| u64::from(spot.at.length)).sum::<u64>();
        let forced = [Encoding::PLAIN, Encoding::BYTE_STREAM_SPLIT].map(|encoding| {
            let one = |field: &crate::Field| match field.name {
                "remote_address" => Layout { encoding, ..layout(Kind::NatMapping, field) },
                _ => layout(Kind::NatMapping, field),
            };
            taken(&write_as(Kind::NatMapping, std::slice::from_ref(&batch), &key, &one).unwrap().map)
        });
        let ours = taken(&written.map);
        assert!(ours <= forced[0].min(forced[1]) * 102 / 100, "{whole_wins}: {ours} of {forced:?}");
        sizes.push(forced[0] < forced[1]);
    }
    assert_eq!(sizes, [false, true], "each way wins once");
}

/// Remote ports have a dictionary as long as a byte tells them apart and it takes less than their bytes do, whatever their values.
#[test]
fn remote_ports_that_are_few_have_a_dictionary() {
    use crate::kind::Record;
    use crate::kinds::NatMapping;
    use crate::parquet::layout::{Encoding, Layout};
    use crate::parquet::write_as;
    use std::hash::{DefaultHasher, Hash, Hasher};

    let column = Kind::NatMapping.spec().index("remote_port").unwrap();
    // How many ports, or none where their upper bytes rise while their lower ones are in no order: those a compressor finds only where bytes lie apart.
    for (ports, has) in [(2, true), (17, true), (256, true), (257, false), (5_000, false), (0, false)] {
        let port = |n: u32| {
            let mut hasher = DefaultHasher::new();
            n.hash(&mut hasher);
            let random = hasher.finish() as u32;
            // Most are one of two, as they are where people surf; the others go up to the last port there is.
            match ports {
                0 => n / 1_250 * 256 + random % 16,
                _ if random % 8 < 5 || ports == 2 => [443, 65_535][(random % 2) as usize],
                _ => 65_535 - random / 8 % (ports - 1),
            }
        };
        let row = |n: u32| NatMapping { remote_port: port(n) as u16, public_port: (n % 60_000) as u16, ..NatMapping::default() };
        let batch = NatMapping::batch(&(0..20_000).map(row).collect::<Vec<_>>());
        let key = Secret::random();
        let written = write(Kind::NatMapping, &[batch.slice(0, 3), batch.slice(3, 19_997)], &key).unwrap();
        assert_eq!(whole(Kind::NatMapping, &read(Kind::NatMapping, &written.bytes, &key).unwrap()), batch, "{ports}");
        assert_eq!(whole(Kind::NatMapping, &crate_reads(&written.bytes, &key)), batch, "{ports}");
        let spots: Vec<Spot> = written.map.spots(column, 0..u64::MAX).collect();
        assert!(spots.len() == 3 && spots.iter().all(|spot| spot.dictionary.is_some() == has), "{ports}");
        let split = |field: &crate::Field| match field.name {
            "remote_port" => Layout { encoding: Encoding::BYTE_STREAM_SPLIT, dictionary: false, ..layout(Kind::NatMapping, field) },
            _ => layout(Kind::NatMapping, field),
        };
        let split = write_as(Kind::NatMapping, std::slice::from_ref(&batch), &key, &split).unwrap();
        let taken = |map: &PageMap| {
            let spots: Vec<Spot> = map.spots(column, 0..u64::MAX).collect();
            let pages: u32 = spots.iter().map(|spot| spot.at.length).sum();
            pages + spots.first().and_then(|spot| spot.dictionary).map_or(0, |at| at.length)
        };
        let (ours, split) = (taken(&written.map), taken(&split.map));
        assert!(if has { ours * 11 < split * 10 } else { ours <= split * 101 / 100 }, "{ports}: {ours} of {split}");
    }
}
