use proptest::prelude::*;

use super::*;
use crate::test_hex::{hash, hex};

const VECTORS: &str = include_str!("testdata/rfc6962.txt");

/// The words of every vector line that starts with `name`.
fn vectors(name: &str) -> Vec<Vec<&'static str>> {
    let lines = VECTORS.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
    let found: Vec<_> = lines.filter(|words| words.first() == Some(&name)).map(|words| words[1..].to_vec()).collect();
    assert!(!found.is_empty(), "no vectors named {name}");
    found
}

fn vector_leaves() -> Vec<Hash> {
    vectors("leaf").iter().map(|words| leaf_hash(&hex(words.first().unwrap_or(&"")))).collect()
}

/// Index, size and hashes of each proof vector.
fn proofs(name: &str) -> Vec<(u64, u64, Vec<Hash>)> {
    let read = |w: &Vec<&str>| (w[0].parse().unwrap(), w[1].parse().unwrap(), w[2..].iter().map(|h| hash(h)).collect());
    vectors(name).iter().map(read).collect()
}

#[test]
fn roots_of_the_reference_tree() {
    let leaves = vector_leaves();
    assert_eq!(leaves.len(), 8);
    for words in vectors("root") {
        let size: usize = words[0].parse().unwrap();
        assert_eq!(root(&leaves[..size]), hash(words[1]), "{size} leaves");
    }
    assert_eq!(empty_root(), root(&[]));
}

#[test]
fn proofs_of_the_reference_tree() {
    let leaves = vector_leaves();
    for (index, size, proof) in proofs("inclusion") {
        let tree = &leaves[..size as usize];
        assert_eq!(inclusion_proof(tree, index).unwrap(), proof, "{index} in {size}");
        assert_eq!(verify_inclusion(index, size, &tree[index as usize], &proof, &root(tree)), Ok(()));
    }
    for (old, new, proof) in proofs("consistency") {
        let tree = &leaves[..new as usize];
        assert_eq!(consistency_proof(tree, old).unwrap(), proof, "{old} to {new}");
        assert_eq!(verify_consistency(old, new, &root(&tree[..old as usize]), &root(tree), &proof), Ok(()));
    }
}

#[test]
fn sm3_is_sm3() {
    // GB/T 32905-2016 annex A, example 1.
    assert_eq!(Sm3::digest(b"abc"), hash("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"));
    assert_eq!(Sm3::leaf(b"abc"), Sm3::digest(b"\0abc"));
    let (a, b) = (Sm3::leaf(b"a"), Sm3::leaf(b"b"));
    assert_eq!(root_with::<Sm3>(&[a, b]), Sm3::digest(&[&[1], a.as_slice(), &b].concat()));
    assert_eq!(root_with::<Sm3>(&[]), Sm3::digest(b""));
}

/// The definitions of RFC 6962 section 2.1, word for word, as a second way to each answer.
mod by_definition {
    use super::*;

    fn k(n: usize) -> usize {
        (1..).map(|i| 1usize << (i - 1)).take_while(|k| *k < n).last().unwrap()
    }

    pub fn mth(d: &[Hash]) -> Hash {
        match d {
            [] => Sha256::digest(b""),
            [one] => *one,
            many => node_hash(&mth(&many[..k(many.len())]), &mth(&many[k(many.len())..])),
        }
    }

    pub fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
        if d.len() == 1 {
            return vec![];
        }
        let (left, right) = d.split_at(k(d.len()));
        let (mut proof, last) = if m < left.len() { (path(m, left), mth(right)) } else { (path(m - left.len(), right), mth(left)) };
        proof.push(last);
        proof
    }

    pub fn subproof(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
        if m == d.len() {
            return if whole { vec![] } else { vec![mth(d)] };
        }
        let (left, right) = d.split_at(k(d.len()));
        let (mut proof, last) =
            if m <= left.len() { (subproof(m, left, whole), mth(right)) } else { (subproof(m - left.len(), right, false), mth(left)) };
        proof.push(last);
        proof
    }
}

fn some_leaves(n: usize) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn every_small_tree_agrees_with_the_definition() {
    let all = some_leaves(70);
    for n in 0..=all.len() {
        let tree = &all[..n];
        assert_eq!(root(tree), by_definition::mth(tree), "{n}");
        for i in 0..n {
            let proof = inclusion_proof(tree, i as u64).unwrap();
            assert_eq!(proof, by_definition::path(i, tree), "{i} in {n}");
            assert_eq!(verify_inclusion(i as u64, n as u64, &tree[i], &proof, &root(tree)), Ok(()));
        }
        for old in 0..=n {
            let proof = consistency_proof(tree, old as u64).unwrap();
            let want = if old == 0 { vec![] } else { by_definition::subproof(old, tree, true) };
            assert_eq!(proof, want, "{old} to {n}");
            assert_eq!(verify_consistency(old as u64, n as u64, &root(&tree[..old]), &root(tree), &proof), Ok(()));
        }
    }
}

#[test]
fn a_changed_inclusion_proof_does_not_hold() {
    let all = some_leaves(23);
    let good_root = root(&all);
    for index in 0..23u64 {
        let leaf = all[index as usize];
        let proof = inclusion_proof(&all, index).unwrap();
        let refused = |index, size, leaf: &Hash, proof: &[Hash], root: &Hash, what: &str| {
            assert!(verify_inclusion(index, size, leaf, proof, root).is_err(), "{index} of {size}: {what}");
        };
        for i in 0..proof.len() {
            let mut bad = proof.clone();
            bad[i][i] ^= 8;
            refused(index, 23, &leaf, &bad, &good_root, "one bit of the proof");
        }
        refused(index, 23, &leaf, &[proof.clone(), vec![good_root]].concat(), &good_root, "root behind");
        refused(index, 23, &leaf, &[vec![good_root], proof.clone()].concat(), &good_root, "root in front");
        refused(index, 23, &leaf, &proof[1..], &good_root, "first hash missing");
        refused(index, 23, &leaf, &proof[..proof.len() - 1], &good_root, "last hash missing");
        refused(index, 23, &empty_root(), &proof, &good_root, "other leaf");
        refused(index, 23, &leaf, &proof, &empty_root(), "other root");
        for other in (0..24).filter(|other| *other != index) {
            refused(other, 23, &leaf, &proof, &good_root, "other index");
        }
        refused(index, 46, &leaf, &proof, &good_root, "double size");
        refused(index, 11, &leaf, &proof, &good_root, "half size");
    }
    assert_eq!(verify_inclusion(0, 0, &good_root, &[], &good_root), Err(ProofError::OutOfRange { inner: 0, size: 0 }));
}

#[test]
fn a_changed_consistency_proof_does_not_hold() {
    let all = some_leaves(23);
    let new_root = root(&all);
    for old in 1..23u64 {
        let old_root = root(&all[..old as usize]);
        let proof = consistency_proof(&all, old).unwrap();
        let refused = |old, new, old_root: &Hash, new_root: &Hash, proof: &[Hash], what: &str| {
            assert!(verify_consistency(old, new, old_root, new_root, proof).is_err(), "{old} to {new}: {what}");
        };
        for i in 0..proof.len() {
            let mut bad = proof.clone();
            bad[i][31 - i] ^= 16;
            refused(old, 23, &old_root, &new_root, &bad, "one bit of the proof");
        }
        refused(old, 23, &old_root, &new_root, &[], "empty proof");
        refused(old, 23, &old_root, &new_root, &proof[1..], "first hash missing");
        refused(old, 23, &old_root, &new_root, &[proof.clone(), vec![new_root]].concat(), "root behind");
        refused(old, 23, &old_root, &new_root, &[vec![old_root], proof.clone()].concat(), "root in front");
        refused(old, 23, &new_root, &old_root, &proof, "roots exchanged");
        refused(old, 23, &old_root, &empty_root(), &proof, "other new root");
        refused(old, 23, &empty_root(), &new_root, &proof, "other old root");
        for other in (0..25).filter(|other| *other != old) {
            refused(other, 23, &old_root, &new_root, &proof, "other old size");
        }
    }
    for (old, new, old_root, proof, what) in [
        (0, 23, new_root, vec![], "an empty tree has one root"),
        (0, 23, empty_root(), vec![new_root], "nothing is needed from an empty tree"),
        (23, 23, empty_root(), vec![], "the same size has the same root"),
        (23, 23, new_root, vec![new_root], "nothing is needed for the same size"),
        (0, 0, empty_root(), vec![], "no leaves, but a root of some"),
    ] {
        assert!(verify_consistency(old, new, &old_root, &new_root, &proof).is_err(), "{what}");
    }
    assert_eq!(verify_consistency(0, 23, &empty_root(), &new_root, &[]), Ok(()));
    assert_eq!(verify_consistency(0, 0, &empty_root(), &empty_root(), &[]), Ok(()));
    assert_eq!(consistency_ranges(2, 1), Err(ProofError::OutOfRange { inner: 2, size: 1 }));
}

#[test]
fn the_largest_sizes_do_not_overflow() {
    let max = u64::MAX;
    assert_eq!(inclusion_ranges(max - 1, max).unwrap().len(), 63);
    assert_eq!(inclusion_ranges(0, max).unwrap().len(), 64);
    assert!(consistency_ranges(max - 1, max).unwrap().len() <= 65);
    assert!(RootBuilder::new().push_subtree(64, [0; 32]).is_err());
    assert!(RootBuilder::new().push_subtree(63, [0; 32]).is_ok());
}

#[test]
fn a_subtree_must_stand_at_a_multiple_of_its_size() {
    let mut builder = RootBuilder::new();
    builder.push([1; 32]);
    let before = builder.finish();
    assert_eq!(builder.push_subtree(1, [2; 32]), Err(Misaligned { level: 1, count: 1 }));
    assert_eq!((builder.count(), builder.finish()), (1, before));
}

proptest! {
    /// However leaves are cut into runs of 2^k, the runs' roots give the root.
    #[test]
    fn runs_put_together_give_the_root(n in 1usize..600, heights in prop::collection::vec(0u32..9, 1..80)) {
        let leaves = some_leaves(n);
        let mut builder = RootBuilder::new();
        let mut heights = heights.iter().cycle();
        while builder.count() < n as u64 {
            let at = builder.count() as usize;
            let mut height = *heights.next().unwrap();
            while !at.is_multiple_of(1 << height) || at + (1 << height) > n {
                height -= 1;
            }
            builder.push_subtree(height, root(&leaves[at..at + (1 << height)])).unwrap();
        }
        prop_assert_eq!(builder.finish(), root(&leaves));
    }
}
