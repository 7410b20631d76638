use proptest::prelude::*;

use super::*;
use crate::merkle;
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

#[test]
fn golden_salts_and_leaves() {
    let key = key();
    for words in vectors("salt") {
        assert_eq!(key.salt(words[0].parse().unwrap()), hash(words[1]), "row {}", words[0]);
    }
    for words in vectors("leaf") {
        let row: u64 = words[0].parse().unwrap();
        assert_eq!(row_leaf(&key.salt(row), &hex(words[1])), hash(words[2]), "row {row}");
    }
    let [words] = &vectors("root")[..] else { panic!("one root") };
    let mut tree = RowsRoot::new(&key);
    let rows: Vec<u8> = (0..words[0].parse::<u32>().unwrap()).flat_map(u32::to_be_bytes).collect();
    tree.push_fixed(&rows, 4).unwrap();
    assert_eq!(tree.finish(), hash(words[1]));
}

#[test]
fn salts_in_bulk_are_the_single_ones() {
    let key = key();
    let single: Vec<Salt> = (0..1_100).map(|row| key.salt(row)).collect();
    for (first, rows) in [(0, 0), (0, 1), (0, 256), (0, 257), (0, 1_100), (1, 255), (1, 256), (255, 2), (256, 256), (300, 800)] {
        let mut out = vec![[9; 32]];
        key.salts(first, rows, &mut out);
        assert_eq!(out[0], [9; 32], "appends");
        assert_eq!(out[1..], single[first as usize..first as usize + rows], "{rows} from {first}");
    }
}

#[test]
fn keys_units_and_rows_have_their_own_salts() {
    let one = key().salt(0);
    assert_ne!(one, key().salt(1));
    assert_ne!(one, key().salt(256));
    assert_ne!(one, SaltKey::new(&Secret([0x42; 32]), UnitId([0; 16])).salt(0));
    assert_ne!(one, SaltKey::new(&Secret([0x43; 32]), UnitId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])).salt(0));
}

#[test]
fn a_changed_row_order_key_or_number_of_rows_is_seen() {
    let key = key();
    let rows: Vec<u8> = (0..3_000u32).flat_map(u32::to_be_bytes).collect();
    let tree = |key: &SaltKey, rows: &[u8], len: usize| {
        let mut tree = RowsRoot::new(key);
        tree.push_fixed(rows, len).unwrap();
        (tree.rows(), tree.finish(), tree.check(3_000, &hash(&"00".repeat(32))))
    };
    let (count, root, wrong) = tree(&key, &rows, 4);
    assert_eq!((count, wrong), (3_000, Err(RowsError::Root)));
    let mut good = RowsRoot::new(&key);
    good.push_fixed(&rows, 4).unwrap();
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
fn one_row_can_be_proved() {
    let key = key();
    let mut tree = RowsRoot::new(&key);
    let rows: Vec<u8> = (0..500u32).flat_map(u32::to_be_bytes).collect();
    tree.push_fixed(&rows, 4).unwrap();
    let leaves: Vec<Hash> = (0..500u32).map(|row| row_leaf(&key.salt(u64::from(row)), &row.to_be_bytes())).collect();
    let proof = merkle::inclusion_proof(&leaves, 300).unwrap();
    let leaf = row_leaf(&key.salt(300), &300u32.to_be_bytes());
    assert_eq!(merkle::verify_inclusion(300, 500, &leaf, &proof, &tree.finish()), Ok(()));
}

#[test]
fn malformed_buffers_are_refused_and_append_nothing() {
    let key = key();
    let mut tree = RowsRoot::new(&key);
    for (bytes, row) in [(10, 3), (10, 0), (1, 2), (0, 0), ((1 << 20) + 1, (1 << 20) + 1)] {
        assert_eq!(tree.push_fixed(&vec![0; bytes], row), Err(RowsError::Width { bytes, row }));
    }
    for (offsets, row) in
        [(&[][..], 0), (&[0], 0), (&[1, 10], 1), (&[0, 9], 1), (&[0, 11], 1), (&[0, 5, 4, 10], 1), (&[0, u32::MAX], 0), (&[0, 5, 4], 1)]
    {
        assert_eq!(tree.push_variable(&[0; 10], offsets), Err(RowsError::Offset { row }), "{offsets:?}");
    }
    for (ends, row) in [(&[99][..], 1), (&[32, 100], 0), (&[50, 100, 90], 2), (&[50, 60], 1), (&[], 0), (&[100, 133], 2)] {
        assert_eq!(tree.push_variable_leaves(&mut [0; 100], ends), Err(RowsError::Offset { row }), "{ends:?}");
    }
    assert_eq!((tree.rows(), tree.finish()), (0, merkle::empty_root()));
    assert_eq!(tree.push_variable(&[], &[0]), Ok(()));
    assert_eq!(tree.push_fixed(&[], 4), Ok(()));
    assert_eq!(tree.rows(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Batches, widths given or by offsets, one core or several: the root is that of the definition.
    #[test]
    fn however_the_rows_come(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..700), cut in 1usize..300, run in 0u32..9) {
        let key = key();
        let leaves: Vec<Hash> = (0..).zip(&rows).map(|(n, row)| row_leaf(&key.salt(n), row)).collect();
        let want = merkle::root(&leaves);
        let push = |tree: &mut RowsRoot<'_>, rows: &[Vec<u8>]| {
            let offsets: Vec<u32> = (0..=rows.len()).map(|n| rows[..n].iter().map(|r| r.len() as u32).sum()).collect();
            tree.push_variable(&rows.concat(), &offsets).unwrap();
        };
        let mut tree = RowsRoot::new(&key);
        rows.chunks(cut).for_each(|batch| push(&mut tree, batch));
        prop_assert_eq!(tree.check(rows.len() as u64, &want), Ok(()));

        let mut tree = RowsRoot::new(&key);
        for part in rows.chunks(cut) {
            let mut ends = Vec::new();
            let mut leaves: Vec<u8> = Vec::new();
            for row in part {
                leaves.extend([0xee; LEAF_HEAD]);
                leaves.extend(row);
                ends.push(leaves.len());
            }
            tree.push_variable_leaves(&mut leaves, &ends).unwrap();
        }
        prop_assert_eq!(tree.check(rows.len() as u64, &want), Ok(()));

        let mut whole = RootBuilder::new();
        for (n, part) in (0u64..).zip(rows.chunks(1 << run)) {
            let mut tree = RowsRoot::starting_at(&key, n << run);
            push(&mut tree, part);
            if part.len() == 1 << run {
                whole.push_subtree(run, tree.finish()).unwrap();
            } else {
                leaves[(n << run) as usize..].iter().for_each(|leaf| whole.push(*leaf));
            }
        }
        prop_assert_eq!(whole.finish(), want);
    }
}
