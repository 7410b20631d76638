//! What must hold for any bytes in place of a page, a page map or a file.

use weir_base::crypto::Secret;

use super::PageMap;
use super::array::Values;
use super::footer::{crypto_metadata, offset_index};
use super::page::{Dictionary, Header, column};
use super::thrift::Thrift;
use crate::kind::Kind;

/// A page map that decodes is written and read back as the same map; the small structures of a file never panic; a file of such bytes is
/// refused.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_map(data: &[u8]) {
    if let Ok(map) = PageMap::decode(data) {
        assert_eq!(PageMap::decode(&map.encode()).as_ref().ok(), Some(&map), "a page map comes back");
        for group in &map.groups {
            for column in 0..group.columns.len() {
                for row in [group.first_row, group.first_row + u64::from(group.rows / 2)] {
                    if let Some(spot) = map.locate(row, column) {
                        assert!(spot.range().contains(&row), "the page that was found holds the row");
                    }
                }
                let end = group.first_row.saturating_add(u64::from(group.rows));
                assert!(map.spots(column, group.first_row..end).all(|s| s.range().start < end), "pages lie in their rows");
            }
        }
        let cut = map.cut(map.rows() / 3..map.rows() / 2);
        assert_eq!(PageMap::decode(&cut.encode()).as_ref().ok(), Some(&cut), "a part of a page map comes back");
    }
    if let Ok(pages) = offset_index(data) {
        assert!(pages.len() <= data.len(), "every page was paid for");
    }
    let _ = (crypto_metadata(&mut Thrift::new(data)), Header::read(data));
    assert!(PageMap::from_bytes(data, &Secret([1; 32])).is_err(), "nobody has this key");
}

/// A page that decodes has as many rows as it was said to have. The first bytes choose kind, column, encoding and rows, and how many bytes
/// of what follows are a dictionary.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_page(data: &[u8]) {
    let Some(([kind, field, encoding, a, b, c, d], rest)) = data.split_first_chunk::<7>() else { return };
    let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
    let fields = kind.spec().fields;
    let field = &fields[usize::from(*field) % fields.len()];
    let values = usize::from(u16::from_le_bytes([*a, *b]));
    let (entries, plain) = rest.split_at(usize::from(*c).min(rest.len()));
    let dictionary = Values::decode(field, entries, usize::from(*d)).ok().map(Dictionary);
    let header = Header { values, encoding: i64::from(*encoding % 12), ..Header::default() };
    if let Ok(array) = column(field, &header, plain, dictionary.as_ref()) {
        assert_eq!(array.len(), values, "a page has the rows it was said to have");
        assert!(field.nullable || array.null_count() == 0, "a value is missing where none may be");
    }
}
