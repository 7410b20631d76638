//! Roots, proofs and entries from stored tiles.

use std::collections::HashMap;
use std::ops::Range;

use super::bundle::decode_bundle;
use super::{Edge, ReadTile, TileError, TileKind, TilePath, read_hashes};
use crate::limits::TILE_WIDTH;
use crate::merkle::{self, Hash, ProofError, RootBuilder};

/// The root of the first `size` entries, from the tiles at the right edge of that tree (at most one per level).
///
/// # Errors
/// A [`TileError`] when a tile cannot be read or is damaged.
pub fn root<E>(size: u64, read: ReadTile<'_, E>) -> Result<Hash, TileError<E>> {
    Ok(Edge::load(size, read)?.root())
}

/// The inclusion proof of entry `index` in the first `size` entries.
///
/// # Errors
/// A [`TileError`]; tiles are taken as they are, so verify the proof before it is given away.
pub fn inclusion_proof<E>(index: u64, size: u64, read: ReadTile<'_, E>) -> Result<Vec<Hash>, TileError<E>> {
    Tiles::new(size, read).roots(merkle::inclusion_ranges(index, size)?)
}

/// The consistency proof from the first `old` to the first `new` entries.
///
/// # Errors
/// A [`TileError`]; tiles are taken as they are, so verify the proof before it is given away.
pub fn consistency_proof<E>(old: u64, new: u64, read: ReadTile<'_, E>) -> Result<Vec<Hash>, TileError<E>> {
    Tiles::new(new, read).roots(merkle::consistency_ranges(old, new)?)
}

/// The bytes of entry `index` in a log of `size` entries.
///
/// # Errors
/// A [`TileError`] when there is no such entry or its bundle cannot be read or is damaged.
pub fn entry<E>(index: u64, size: u64, read: ReadTile<'_, E>) -> Result<Vec<u8>, TileError<E>> {
    let outside = TileError::Proof(ProofError::OutOfRange { inner: index, size });
    if index >= size {
        return Err(outside);
    }
    let path = TilePath::in_tree(TileKind::Entries, index / TILE_WIDTH as u64, size).ok_or(outside)?;
    let bytes = read(&path).map_err(|error| TileError::Read { path, error })?;
    let entries = decode_bundle(&bytes).map_err(|_| TileError::Malformed { path, why: "it is not a list of entries" })?;
    let place = (index % TILE_WIDTH as u64) as usize;
    entries.get(place).map(|entry| entry.to_vec()).ok_or(TileError::Malformed { path, why: "it has fewer entries than its name says" })
}

/// The tiles of a tree of one size, each read once.
struct Tiles<'a, E> {
    size: u64,
    read: ReadTile<'a, E>,
    /// By level and index. A proof needs at most a few tiles a level.
    seen: HashMap<(u8, u64), Vec<Hash>>,
}

impl<'a, E> Tiles<'a, E> {
    fn new(size: u64, read: ReadTile<'a, E>) -> Tiles<'a, E> {
        Tiles { size, read, seen: HashMap::new() }
    }

    fn roots(&mut self, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, TileError<E>> {
        ranges.into_iter().map(|range| self.root_of(range)).collect()
    }

    /// The root over a range that starts at a multiple of the power of two at or above its length, as ranges of proofs do.
    fn root_of(&mut self, range: Range<u64>) -> Result<Hash, TileError<E>> {
        let mut builder = RootBuilder::new();
        let mut at = range.start;
        while at < range.end {
            let height = (range.end - at).ilog2();
            let node = self.node(height, at >> height)?;
            let pushed = builder.push_subtree(height, node);
            debug_assert_eq!(pushed, Ok(()));
            at += 1 << height;
        }
        Ok(builder.finish())
    }

    /// The root of the complete subtree number `index` of 2^`height` leaves.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, TileError<E>> {
        let (level, above) = ((height / 8) as u8, height % 8);
        let start = index << above;
        let path = TilePath::in_tree(TileKind::Hashes(level), start / TILE_WIDTH as u64, self.size);
        let path = path.ok_or(TileError::Proof(ProofError::OutOfRange { inner: index, size: self.size }))?;
        let place = (start % TILE_WIDTH as u64) as usize;
        let missing = TileError::Malformed { path, why: "it has fewer hashes than the tree needs" };
        let nodes = self.tile(level, &path)?.get(place..place + (1 << above)).ok_or(missing)?;
        Ok(merkle::root(nodes))
    }

    fn tile(&mut self, level: u8, path: &TilePath) -> Result<&[Hash], TileError<E>> {
        match self.seen.entry((level, path.index())) {
            std::collections::hash_map::Entry::Occupied(seen) => Ok(seen.into_mut()),
            std::collections::hash_map::Entry::Vacant(free) => Ok(free.insert(read_hashes(path, self.read)?)),
        }
    }
}
