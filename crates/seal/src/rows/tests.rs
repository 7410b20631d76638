use proptest::prelude::*;

use super::*;
use crate::merkle::empty_root;
use crate::test_hex::{hash, hex};

const VECTORS: &str = include_str!("testdata/salts.txt");

fn key() -> SaltKey {
    let unit = UnitId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    SaltKey::new(&Secret([0x42; 32]), unit)
}

/// The words of every vector line that starts with `name`.
fn vectors(name: &str) -> Vec<Vec<&'static str>> {
    let lines = VECTORS.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
    let found: Vec<_> = lines.filter(|words| words.first() == Some(&name)).map(|words| words[1..].to_vec()).collect();
    assert!(!found.is_empty(), "no vectors named {name}");
    found
}

/// Rows behind room for what their leaves begin with, which is not clean.
fn with_room<'r>(rows: impl Iterator<Item = &'r [u8]>) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for row in rows {
        bytes.extend([0xee; LEAF_HEAD]);
        bytes.extend(row);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn push_fixed(tree: &mut RowsRoot<'_>, rows: &[u8], len: usize) {
    tree.push_leaves(&mut with_room(rows.chunks(len)).0, LEAF_HEAD + len).unwrap();
}

/// The root of the definition, leaf by leaf.
fn root_of<'r>(key: &SaltKey, rows: impl Iterator<Item = &'r [u8]>) -> Hash {
    let mut tree = BroadRoot::default();
    (0..).zip(rows).for_each(|(n, row)| tree.push_all(&[row_leaf(&key.head(n), row)]));
    tree.finish()
}

#[test]
fn golden_salts_and_leaves() {
    let key = key();
    for words in vectors("salt") {
        assert_eq!(key.head(words[0].parse().unwrap())[1..], hex(words[1]), "row {}", words[0]);
    }
    for words in vectors("leaf") {
        let row: u64 = words[0].parse().unwrap();
        assert_eq!(row_leaf(&key.head(row), &hex(words[1])), hash(words[2]), "row {row}");
    }
    let [words] = &vectors("root")[..] else { panic!("one root") };
    let mut tree = RowsRoot::new(&key);
    let rows: Vec<u8> = (0..words[0].parse::<u32>().unwrap()).flat_map(u32::to_be_bytes).collect();
    push_fixed(&mut tree, &rows, 4);
    assert_eq!(tree.finish(), hash(words[1]));
}

#[test]
fn heads_in_bulk_are_the_single_ones() {
    let key = key();
    let single: Vec<Head> = (0..1_100).map(|row| key.head(row)).collect();
    assert!(single.iter().all(|head| head[0] == 0), "the mark of a leaf");
    for (first, rows) in [(0, 0), (0, 1), (0, 256), (0, 257), (0, 1_100), (1, 255), (1, 256), (255, 2), (256, 256), (300, 800)] {
        let mut out = vec![[9; LEAF_HEAD]];
        key.heads(first, rows, &mut out);
        assert_eq!(out[0], [9; LEAF_HEAD], "appends");
        assert_eq!(out[1..], single[first as usize..first as usize + rows], "{rows} from {first}");
    }
}

#[test]
fn keys_units_and_rows_have_their_own_salts() {
    let one = key().head(0);
    assert_ne!(one, key().head(1));
    assert_ne!(one, key().head(256));
    assert_ne!(one, SaltKey::new(&Secret([0x42; 32]), UnitId([0; 16])).head(0));
    assert_ne!(one, SaltKey::new(&Secret([0x43; 32]), UnitId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])).head(0));
}

#[test]
fn a_changed_row_order_key_or_number_of_rows_is_seen() {
    let key = key();
    let rows: Vec<u8> = (0..3_000u32).flat_map(u32::to_be_bytes).collect();
    let tree = |key: &SaltKey, rows: &[u8], len: usize| {
        let mut tree = RowsRoot::new(key);
        push_fixed(&mut tree, rows, len);
        (tree.rows(), tree.finish(), tree.check(3_000, &hash(&"00".repeat(32))))
    };
    let (count, root, wrong) = tree(&key, &rows, 4);
    assert_eq!((count, wrong), (3_000, Err(RowsError::Root)));
    let mut good = RowsRoot::new(&key);
    push_fixed(&mut good, &rows, 4);
    assert_eq!(good.check(3_000, &root), Ok(()));
    assert_eq!(good.check(2_999, &root), Err(RowsError::Count { got: 3_000, want: 2_999 }));
    for at in [0, 5_999, 11_999] {
        let mut bad = rows.clone();
        bad[at] ^= 1;
        assert_ne!(tree(&key, &bad, 4).1, root);
    }
    let mut exchanged = rows.clone();
    exchanged.swap(3, 7);
    assert_ne!(tree(&key, &exchanged, 4).1, root);
    assert_ne!(tree(&key, &rows, 8).1, root);
    let other = SaltKey::new(&Secret([0x42; 32]), UnitId([0; 16]));
    assert_ne!(tree(&other, &rows, 4).1, root);
}

#[test]
fn malformed_buffers_are_refused_and_append_nothing() {
    let key = key();
    let mut tree = RowsRoot::new(&key);
    let above = LEAF_HEAD + ROW_BYTES + 1;
    for (bytes, stride) in [(50, 17), (48, 0), (48, 16), (1, 17), (0, 0), (above, above)] {
        let want = RowsError::Width { bytes, row: stride };
        assert_eq!(tree.push_leaves(&mut vec![0; bytes], stride), Err(want));
    }
    for (ends, row) in [(&[99][..], 1), (&[15, 100], 0), (&[50, 100, 90], 2), (&[50, 60], 1), (&[], 0), (&[100, 133], 2)] {
        assert_eq!(tree.push_variable_leaves(&mut [0; 100], ends), Err(RowsError::Offset { row }), "{ends:?}");
    }
    assert_eq!((tree.rows(), tree.finish()), (0, empty_root()));
    assert_eq!(tree.push_variable_leaves(&mut [], &[]), Ok(()));
    assert_eq!(tree.push_leaves(&mut [], 20), Ok(()));
    assert_eq!(tree.rows(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// In batches of any size, of one width or of differing ones: the root is that of the definition.
    #[test]
    fn however_the_rows_come(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..700), cut in 1usize..300, len in 1usize..300) {
        let key = key();
        let mut tree = RowsRoot::new(&key);
        for part in rows.chunks(cut) {
            let (mut leaves, ends) = with_room(part.iter().map(Vec::as_slice));
            tree.push_variable_leaves(&mut leaves, &ends).unwrap();
        }
        let want = root_of(&key, rows.iter().map(Vec::as_slice));
        prop_assert_eq!(tree.check(rows.len() as u64, &want), Ok(()));

        let bytes = rows.concat();
        let bytes = &bytes[..bytes.len() / len * len];
        let mut tree = RowsRoot::new(&key);
        bytes.chunks(cut * len).for_each(|part| push_fixed(&mut tree, part, len));
        prop_assert_eq!(tree.check((bytes.len() / len) as u64, &root_of(&key, bytes.chunks(len))), Ok(()));
    }
}
