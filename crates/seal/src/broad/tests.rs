use proptest::prelude::*;

use super::*;
use crate::merkle::leaf_hash;

fn some_leaves(n: usize) -> Vec<Hash> {
    (0..n).map(|i| leaf_hash(&(i as u32).to_be_bytes())).collect()
}

/// Word for word what the module says, level by level.
fn levels(leaves: &[Hash]) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves.to_vec()];
    while let Some(last) = levels.last().filter(|last| last.len() > 1) {
        let above = last.chunks(8).map(|group| if let [single] = group { *single } else { node(group) });
        levels.push(above.collect());
    }
    levels
}

fn root(leaves: &[Hash]) -> Hash {
    levels(leaves).last().and_then(|last| last.first().copied()).unwrap_or_else(empty_root)
}

fn pushed(leaves: &[Hash], cut: usize) -> Hash {
    let mut tree = BroadRoot::default();
    leaves.chunks(cut).for_each(|some| tree.push_all(some));
    assert_eq!(tree.count(), leaves.len() as u64);
    tree.finish()
}

#[test]
fn every_number_of_leaves() {
    for n in 0..=600 {
        assert_eq!(pushed(&some_leaves(n), 1_000), root(&some_leaves(n)), "{n}");
    }
    let many = some_leaves(8 * 8 * 8 * 8 + 1);
    assert_eq!(pushed(&many, 1_024), root(&many));
}

#[test]
fn small_trees_by_hand() {
    let leaves = some_leaves(17);
    let h = |parts: &[&[u8]]| weir_base::crypto::sha256(&parts.concat());
    let of = |range: std::ops::Range<usize>| h(&[&[1], leaves[range].as_flattened()]);
    assert_eq!(pushed(&[], 1), h(&[]));
    assert_eq!(pushed(&leaves[..1], 1), leaves[0]);
    assert_eq!(pushed(&leaves[..2], 1), of(0..2));
    assert_eq!(pushed(&leaves[..8], 1), of(0..8));
    assert_eq!(pushed(&leaves[..9], 1), h(&[&[1], &of(0..8), &leaves[8]]));
    assert_eq!(pushed(&leaves, 1), h(&[&[1], &of(0..8), &of(8..16), &leaves[16]]));
}

#[test]
fn a_changed_exchanged_or_missing_leaf_is_seen() {
    let leaves = some_leaves(150);
    let good = pushed(&leaves, 150);
    for at in [0, 7, 8, 63, 64, 143, 144, 149] {
        let mut bad = leaves.clone();
        bad[at][31] ^= 1;
        assert_ne!(pushed(&bad, 150), good, "{at}");
        let mut bad = leaves.clone();
        bad.swap(at, (at + 1) % 150);
        assert_ne!(pushed(&bad, 150), good, "{at}");
        let mut bad = leaves.clone();
        bad.remove(at);
        assert_ne!(pushed(&bad, 150), good, "{at}");
    }
}

proptest! {
    #[test]
    fn however_they_come(n in 0usize..3_000, cuts in prop::collection::vec(0usize..700, 1..20)) {
        let leaves = some_leaves(n);
        let mut tree = BroadRoot::default();
        let (mut rest, mut cuts) = (&leaves[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
            tree.push_all(now);
            rest = later;
        }
        prop_assert_eq!(tree.finish(), root(&leaves));
    }

    /// The siblings on the way up prove a leaf, and only at its place.
    #[test]
    fn a_leaf_can_be_proved(n in 1usize..700, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let (leaves, at, other) = (some_leaves(n), at.index(n), other.index(n));
        let levels = levels(&leaves);
        let up = |leaf: Hash, place: usize| levels.iter().take(levels.len() - 1).fold((leaf, place), |(hash, place), level| {
            let mut group: Vec<Hash> = level[place / 8 * 8..].iter().take(8).copied().collect();
            group[place % 8] = hash;
            (if group.len() == 1 { hash } else { node(&group) }, place / 8)
        }).0;
        prop_assert_eq!(up(leaves[at], at), root(&leaves));
        prop_assert_eq!(up(leaves[other], at) == root(&leaves), other == at);
    }
}
