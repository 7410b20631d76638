//! The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): hashes, roots, inclusion and consistency proofs.
//!
//! `leaf = H(0x00 ‖ data)`, `node = H(0x01 ‖ left ‖ right)`, the root of no leaves is `H("")`. A tree of `n > 1` leaves splits at the
//! largest power of two below `n`. `H` is SHA-256; [`Sm3`] gives the same tree with SM3 (GB/T 32905).

use std::marker::PhantomData;
use std::ops::Range;

use ring::digest;
use sm3::Digest;

/// A node of the tree: 32 bytes.
pub type Hash = [u8; 32];

/// A hash function as the tree uses it.
pub trait TreeHash {
    /// Plain digest of `data`, with no prefix.
    fn digest(data: &[u8]) -> Hash;

    /// The leaf hash of `data`: `H(0x00 ‖ data)`.
    fn leaf(data: &[u8]) -> Hash;

    /// An inner node: `H(0x01 ‖ left ‖ right)`.
    fn node(left: &Hash, right: &Hash) -> Hash {
        let mut buf = [1; 65];
        buf[1..33].copy_from_slice(left);
        buf[33..].copy_from_slice(right);
        Self::digest(&buf)
    }

    /// The root of a tree without leaves: `H("")`.
    fn empty() -> Hash {
        Self::digest(&[])
    }
}

/// SHA-256 (FIPS 180-4): the log itself, rows and files.
#[derive(Clone, Copy, Debug)]
pub struct Sha256;

/// SM3 (GB/T 32905-2016): an extra digest beside SHA-256 where it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Sm3;

impl TreeHash for Sha256 {
    fn digest(data: &[u8]) -> Hash {
        weir_base::crypto::sha256(data)
    }

    fn leaf(data: &[u8]) -> Hash {
        let mut ctx = digest::Context::new(&digest::SHA256);
        ctx.update(&[0]);
        ctx.update(data);
        let mut out = [0; 32];
        out.copy_from_slice(ctx.finish().as_ref());
        out
    }
}

impl TreeHash for Sm3 {
    fn digest(data: &[u8]) -> Hash {
        sm3::Sm3::digest(data).into()
    }

    fn leaf(data: &[u8]) -> Hash {
        sm3::Sm3::new_with_prefix([0]).chain_update(data).finalize().into()
    }
}

/// The SHA-256 leaf hash of `data`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Sha256::leaf(data)
}

/// The SHA-256 inner node over two children.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::node(left, right)
}

/// The SHA-256 root of a tree without leaves.
pub fn empty_root() -> Hash {
    Sha256::empty()
}

/// Computes a root from leaf hashes that come one after another, in O(log n) memory.
///
/// To work on several cores, give each an aligned run of 2^k leaves and put the runs' roots together with
/// [`RootBuilder::push_subtree`].
#[derive(Clone, Debug)]
pub struct RootBuilder<H: TreeHash = Sha256> {
    /// One root for each set bit of `count`, the largest subtree first.
    stack: Vec<Hash>,
    count: u64,
    hash: PhantomData<H>,
}

/// A subtree was pushed where a subtree of that height cannot stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subtree of 2^{level} leaves cannot follow {count} leaves: push it at a multiple of its own size")]
pub struct Misaligned {
    level: u32,
    count: u64,
}

impl RootBuilder<Sha256> {
    /// An empty tree with SHA-256.
    pub fn new() -> RootBuilder<Sha256> {
        RootBuilder::with_hash()
    }
}

impl<H: TreeHash> Default for RootBuilder<H> {
    fn default() -> Self {
        RootBuilder::with_hash()
    }
}

impl<H: TreeHash> RootBuilder<H> {
    /// An empty tree with the hash function `H`.
    pub fn with_hash() -> RootBuilder<H> {
        RootBuilder { stack: Vec::new(), count: 0, hash: PhantomData }
    }

    /// Leaves pushed so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        self.carry(leaf, self.count);
        self.count += 1;
    }

    /// Appends a complete subtree of 2^`level` leaves by its root.
    ///
    /// # Errors
    /// [`Misaligned`] if the leaves so far are not a multiple of 2^`level`.
    pub fn push_subtree(&mut self, level: u32, root: Hash) -> Result<(), Misaligned> {
        let bad = Misaligned { level, count: self.count };
        let leaves = 1u64.checked_shl(level).ok_or(bad)?;
        let count = self.count.checked_add(leaves).ok_or(bad)?;
        if !self.count.is_multiple_of(leaves) {
            return Err(bad);
        }
        self.carry(root, self.count >> level);
        self.count = count;
        Ok(())
    }

    /// Works like adding one to a binary number: equal subtrees merge, smallest first.
    fn carry(&mut self, mut hash: Hash, mut place: u64) {
        while place & 1 == 1 {
            if let Some(left) = self.stack.pop() {
                hash = H::node(&left, &hash);
            }
            place >>= 1;
        }
        self.stack.push(hash);
    }

    /// The root over all leaves so far. More may be pushed afterwards.
    pub fn finish(&self) -> Hash {
        let mut subtrees = self.stack.iter().rev();
        let Some(last) = subtrees.next() else { return H::empty() };
        subtrees.fold(*last, |right, left| H::node(left, &right))
    }
}

/// The SHA-256 root of the given leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    root_with::<Sha256>(leaves)
}

/// The root of the given leaf hashes under the hash function `H`.
pub fn root_with<H: TreeHash>(leaves: &[Hash]) -> Hash {
    let mut builder = RootBuilder::<H>::with_hash();
    for leaf in leaves {
        builder.push(*leaf);
    }
    builder.finish()
}

/// Why a proof cannot be built or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not below the size, or the old size is above the new one.
    #[error("{inner} is not inside a tree of {size} leaves")]
    OutOfRange {
        /// The index or old size asked for.
        inner: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The proof has too few or too many hashes for these sizes.
    #[error("a proof of {got} hashes cannot fit these tree sizes")]
    WrongLength {
        /// Hashes in the proof.
        got: usize,
    },
    /// The proof leads to a different root: entry, tree or proof was changed.
    #[error("the proof leads to a different root: the data, the tree or the proof was changed")]
    WrongRoot,
}

/// The largest power of two below `n`, for `n > 1`.
fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The leaf ranges whose roots make the inclusion proof of leaf `index` in a tree of `size` leaves, from leaf to root.
///
/// # Errors
/// [`ProofError::OutOfRange`] if `index` is not below `size`.
pub fn inclusion_ranges(index: u64, size: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { inner: index, size });
    }
    let (mut lo, mut hi) = (0, size);
    let mut ranges = Vec::new();
    while hi - lo > 1 {
        let mid = lo + split(hi - lo);
        if index < mid {
            ranges.push(mid..hi);
            hi = mid;
        } else {
            ranges.push(lo..mid);
            lo = mid;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// The leaf ranges whose roots make the consistency proof from `old` to `new` leaves, in the order of RFC 6962 section 2.1.2.
///
/// # Errors
/// [`ProofError::OutOfRange`] if `old` is above `new`.
pub fn consistency_ranges(old: u64, new: u64) -> Result<Vec<Range<u64>>, ProofError> {
    if old > new {
        return Err(ProofError::OutOfRange { inner: old, size: new });
    }
    let (mut lo, mut hi) = (0, new);
    let mut ranges = Vec::new();
    if old == 0 {
        return Ok(ranges);
    }
    while old < hi {
        let mid = lo + split(hi - lo);
        if old <= mid {
            ranges.push(mid..hi);
            hi = mid;
        } else {
            ranges.push(lo..mid);
            lo = mid;
        }
    }
    // The old root itself is known to the verifier, so it is left out when the old tree is a subtree at the left edge.
    if lo > 0 {
        ranges.push(lo..hi);
    }
    ranges.reverse();
    Ok(ranges)
}

fn roots_of(leaves: &[Hash], ranges: Vec<Range<u64>>) -> Vec<Hash> {
    let part = |r: Range<u64>| leaves.get(r.start as usize..r.end as usize).unwrap_or_default();
    ranges.into_iter().map(|r| root(part(r))).collect()
}

/// The inclusion proof of leaf `index` in the tree of `leaves`.
///
/// # Errors
/// [`ProofError::OutOfRange`] if there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: u64) -> Result<Vec<Hash>, ProofError> {
    Ok(roots_of(leaves, inclusion_ranges(index, leaves.len() as u64)?))
}

/// The consistency proof from the first `old` leaves to all of `leaves`.
///
/// # Errors
/// [`ProofError::OutOfRange`] if there are fewer than `old` leaves.
pub fn consistency_proof(leaves: &[Hash], old: u64) -> Result<Vec<Hash>, ProofError> {
    Ok(roots_of(leaves, consistency_ranges(old, leaves.len() as u64)?))
}

/// The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`ProofError::OutOfRange`] or [`ProofError::WrongLength`].
pub fn root_from_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash]) -> Result<Hash, ProofError> {
    let ranges = inclusion_ranges(index, size)?;
    if ranges.len() != proof.len() {
        return Err(ProofError::WrongLength { got: proof.len() });
    }
    let join = |hash: Hash, (range, other): (&Range<u64>, &Hash)| {
        if range.start > index { node_hash(&hash, other) } else { node_hash(other, &hash) }
    };
    Ok(ranges.iter().zip(proof).fold(*leaf, join))
}

/// Checks that `leaf` is leaf number `index` of the tree of `size` leaves with this `root`.
///
/// # Errors
/// A [`ProofError`] that says whether the question or the answer is wrong.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if root_from_inclusion(index, size, leaf, proof)? == *root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

/// Checks that the tree of `new` leaves continues the tree of `old` leaves (RFC 9162 section 2.1.4.2).
///
/// From an empty tree everything follows: then the proof is empty and `old_root` must be the root of the empty tree.
///
/// # Errors
/// A [`ProofError`] that says whether the question or the answer is wrong.
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> Result<(), ProofError> {
    let ranges = consistency_ranges(old, new)?;
    if ranges.len() != proof.len() {
        return Err(ProofError::WrongLength { got: proof.len() });
    }
    if old == 0 || old == new {
        let right = if old == 0 { empty_root() } else { *new_root };
        let new_fits = new > 0 || *new_root == empty_root();
        return if *old_root == right && new_fits { Ok(()) } else { Err(ProofError::WrongRoot) };
    }
    let mut steps = ranges.iter().zip(proof);
    // Where the old tree is a complete subtree at the left edge, its root is the start; else the first hash is.
    let start = if old.is_power_of_two() { *old_root } else { steps.next().map_or(*old_root, |(_, hash)| *hash) };
    let (mut old_hash, mut new_hash) = (start, start);
    for (range, hash) in steps {
        if range.start < old {
            old_hash = node_hash(hash, &old_hash);
            new_hash = node_hash(hash, &new_hash);
        } else {
            new_hash = node_hash(&new_hash, hash);
        }
    }
    if old_hash == *old_root && new_hash == *new_root { Ok(()) } else { Err(ProofError::WrongRoot) }
}

#[cfg(test)]
mod tests;
