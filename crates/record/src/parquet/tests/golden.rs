//! Bytes made once and kept: what is on a disk today is read tomorrow.

use weir_base::crypto::Secret;

use crate::column::Id;
use crate::kind::{Kind, Record};
use crate::kinds::Gap;
use crate::parquet::{Column, Group, Page, PageMap, Span, read};

fn hex(text: &str) -> Vec<u8> {
    let hex: String = text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| line.split(' ')).collect();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn gaps() -> Vec<Gap> {
    let first = Gap { id: Id([5; 16]), source: 3, ..Gap::default() };
    vec![first.clone(), Gap { source: 4, ..first }]
}

#[test]
fn a_kept_file_is_read() {
    let file = hex(include_str!("../testdata/gap.hex"));
    let back = read(Kind::Gap, &file, &Secret([7; 32])).unwrap();
    assert_eq!(back, [Gap::batch(&gaps())]);
}

#[test]
fn a_page_map_has_these_bytes() {
    let page = |offset, length, first_row| Page { offset, length, first_row };
    let map = PageMap {
        unique: *b"\x01\x02\x03\x04\x05\x06\x07\x08",
        groups: vec![Group {
            ordinal: 2,
            first_row: 300,
            rows: 5_000,
            columns: vec![
                Column { dictionary: None, first_page: 1, end_row: 5_000, pages: vec![page(400, 90, 2_048), page(490, 80, 4_096)] },
                Column {
                    dictionary: Some(Span { offset: 570, length: 60 }),
                    first_page: 0,
                    end_row: 5_000,
                    pages: vec![page(630, 70, 0), page(710, 70, 10), page(780, 70, 4_000)],
                },
                Column::default(),
            ],
        }],
    };
    let want = hex(include_str!("../testdata/pagemap.hex"));
    assert_eq!(map.encode(), want);
    assert_eq!(PageMap::decode(&want).unwrap(), map);
}
