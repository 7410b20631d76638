//! Growing a log: from the old right edge and new entries to the tiles that are new.

use super::bundle::{decode_bundle, push_entry};
use super::{Edge, ReadTile, TileError, TileKind, TilePath, encode_hashes, nodes_at};
use crate::limits::TILE_WIDTH;
use crate::merkle::{self, Hash};

/// What [`append`] worked out. Nothing is written; existing files are never overwritten with other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Tiles and bundles that did not exist before, with their bytes.
    pub tiles: Vec<(TilePath, Vec<u8>)>,
    /// Entries in the log now.
    pub size: u64,
    /// The root of the log now.
    pub root: Hash,
    /// The root of the log before. Compare it with the last checkpoint before signing a new one.
    pub old_root: Hash,
}

/// Appends `entries` to a log of `old_size` entries.
///
/// `read` is asked for the partial tiles at the old right edge (at most one per level) and the partial bundle. The old bundle must hash
/// to the old level-0 tile: a log is never continued on damaged ground.
///
/// # Errors
/// A [`TileError`] when an old tile cannot be read or is damaged, or an entry is too long. Nothing is returned then.
pub fn append<E>(old_size: u64, entries: &[impl AsRef<[u8]>], read: ReadTile<'_, E>) -> Result<Appended, TileError<E>> {
    let size = old_size.checked_add(entries.len() as u64).ok_or(TileError::Full)?;
    let mut edge = Edge::load(old_size, read)?;
    let old_root = edge.root();
    let mut bundle = load_bundle(&edge, read)?;
    let mut tiles = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let entry = entry.as_ref();
        push_entry(&mut bundle, entry).map_err(|bytes| TileError::EntryTooLong { position, bytes })?;
        edge.push(merkle::leaf_hash(entry), &mut |path, bytes| tiles.push((path, bytes)));
        if edge.size.is_multiple_of(TILE_WIDTH as u64) {
            let path = TilePath::full(TileKind::Entries, edge.size / TILE_WIDTH as u64 - 1);
            tiles.push((path, std::mem::take(&mut bundle)));
        }
    }
    for (level, hashes) in (0u8..).zip(&edge.levels) {
        let changed = nodes_at(old_size, level) != nodes_at(size, level);
        if let Some(path) = TilePath::partial_of(TileKind::Hashes(level), size).filter(|_| changed) {
            tiles.push((path, encode_hashes(hashes)));
        }
    }
    if let Some(path) = TilePath::partial_of(TileKind::Entries, size).filter(|_| size != old_size) {
        tiles.push((path, bundle));
    }
    Ok(Appended { tiles, size, root: edge.root(), old_root })
}

/// The old partial bundle, checked against the hashes of the edge; empty when the last bundle is full.
fn load_bundle<E>(edge: &Edge, read: ReadTile<'_, E>) -> Result<Vec<u8>, TileError<E>> {
    let Some(path) = TilePath::partial_of(TileKind::Entries, edge.size) else { return Ok(Vec::new()) };
    let bytes = read(&path).map_err(|error| TileError::Read { path, error })?;
    let malformed = |why| TileError::Malformed { path, why };
    let entries = decode_bundle(&bytes).map_err(|_| malformed("it is not a list of entries"))?;
    let known = edge.levels.first().map(Vec::as_slice).unwrap_or_default();
    let same = entries.len() >= known.len() && entries.iter().zip(known).all(|(entry, hash)| merkle::leaf_hash(entry) == *hash);
    if !same {
        return Err(malformed("its entries do not hash to the level 0 tile"));
    }
    let kept = entries.iter().take(known.len()).map(|entry| entry.len() + 2).sum();
    let mut bundle = bytes;
    bundle.truncate(kept);
    Ok(bundle)
}
