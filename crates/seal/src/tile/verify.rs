//! Does a whole stored log agree with itself and with a root?

use super::bundle::decode_bundle;
use super::{Edge, ReadTile, TileError, TileKind, TilePath, read_hashes};
use crate::limits::TILE_WIDTH;
use crate::merkle::{self, Hash};

/// The first thing in a log that is wrong, in the order of entries.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage<E> {
    /// A tile or bundle is missing, unreadable or malformed.
    #[error(transparent)]
    Tile(TileError<E>),
    /// A tile's hashes do not lead to the hash that the tile above (or the checkpoint) has for it.
    #[error("{path} was changed: its hashes do not lead to the root")]
    Hashes {
        /// The bad tile.
        path: TilePath,
    },
    /// An entry does not hash to its leaf.
    #[error("entry {index} in {path} was changed: it does not hash to its leaf")]
    Entry {
        /// The entry's number in the log.
        index: u64,
        /// The bundle that holds it.
        path: TilePath,
    },
    /// All tiles and entries agree with each other, but not with the root asked for.
    #[error("the tiles agree with each other but not with the checkpoint's root at {size} entries: this is another log or another history")]
    Root {
        /// Entries in the log.
        size: u64,
    },
}

impl<E> From<TileError<E>> for Damage<E> {
    fn from(error: TileError<E>) -> Self {
        Damage::Tile(error)
    }
}

/// Checks every tile and entry of a log of `size` entries against `root`, and hands each good entry to `on_entry` in order.
///
/// `read` must give exactly the file behind each path: here a wider tile does not stand in for a narrower one. Memory: one tile a level
/// and one bundle.
///
/// # Errors
/// The first [`Damage`]. When the right edge leads to `root`, the tile or entry named is the bad one. When it does not, what disagrees
/// with its neighbours on both sides is named.
pub fn verify_log<E>(size: u64, root: &Hash, read: ReadTile<'_, E>, on_entry: &mut dyn FnMut(u64, &[u8])) -> Result<(), Damage<E>> {
    let edge = Edge::load(size, read)?;
    let mut walk = Walk { edge: &edge, root, trusted: edge.root() == *root, read, on_entry };
    for (level, hashes) in (0u8..8).zip(&edge.levels).rev() {
        if let Some(path) = TilePath::partial_of(TileKind::Hashes(level), size) {
            walk.exact_width(&path)?;
            walk.below(level, &path, hashes)?;
        }
    }
    if walk.trusted { Ok(()) } else { Err(Damage::Root { size }) }
}

struct Walk<'a, E> {
    edge: &'a Edge,
    root: &'a Hash,
    /// The right edge leads to the root asked for, so every tile's parent is known to be good.
    trusted: bool,
    read: ReadTile<'a, E>,
    on_entry: &'a mut dyn FnMut(u64, &[u8]),
}

impl<E> Walk<'_, E> {
    fn exact_width(&self, path: &TilePath) -> Result<(), Damage<E>> {
        let bytes = (self.read)(path).map_err(|error| TileError::Read { path: *path, error })?;
        if bytes.len() == usize::from(path.width()) * 32 {
            return Ok(());
        }
        Err(TileError::Malformed { path: *path, why: "it is longer than its name says" }.into())
    }

    /// Checks all that lies below the tile at `path`, whose hashes are given.
    fn below(&mut self, level: u8, path: &TilePath, hashes: &[Hash]) -> Result<(), Damage<E>> {
        let Some(lower) = level.checked_sub(1) else { return self.bundle(path, hashes) };
        for (place, hash) in (0u64..).zip(hashes) {
            let child = TilePath::full(TileKind::Hashes(lower), path.index() * TILE_WIDTH as u64 + place);
            let child_hashes = read_hashes(&child, self.read)?;
            if merkle::root(&child_hashes) != *hash {
                // With an untrusted parent, the side that its own children contradict is the bad one.
                let parent_is_bad = !self.trusted && self.agrees_below(lower, &child, &child_hashes);
                return Err(Damage::Hashes { path: if parent_is_bad { *path } else { child } });
            }
            self.below(lower, &child, &child_hashes)?;
        }
        Ok(())
    }

    /// Do a tile's hashes agree with what lies directly below it?
    fn agrees_below(&self, level: u8, path: &TilePath, hashes: &[Hash]) -> bool {
        let Some(lower) = level.checked_sub(1) else {
            let Some(bundle) = TilePath::in_tree(TileKind::Entries, path.index(), self.edge.size) else { return false };
            let Ok(bytes) = (self.read)(&bundle) else { return false };
            let Ok(entries) = decode_bundle(&bytes) else { return false };
            return entries.len() == hashes.len() && entries.iter().zip(hashes).all(|(e, h)| merkle::leaf_hash(e) == *h);
        };
        (0u64..).zip(hashes).all(|(place, hash)| {
            let child = TilePath::full(TileKind::Hashes(lower), path.index() * TILE_WIDTH as u64 + place);
            read_hashes(&child, self.read).is_ok_and(|hashes| merkle::root(&hashes) == *hash)
        })
    }

    fn bundle(&mut self, tile: &TilePath, hashes: &[Hash]) -> Result<(), Damage<E>> {
        // The bundle has the same place and width as its level 0 tile.
        let Some(path) = TilePath::in_tree(TileKind::Entries, tile.index(), self.edge.size) else { return Ok(()) };
        let bytes = (self.read)(&path).map_err(|error| TileError::Read { path, error })?;
        let malformed = |why| TileError::Malformed { path, why };
        let entries = decode_bundle(&bytes).map_err(|_| malformed("it is not a list of entries"))?;
        if entries.len() != hashes.len() {
            return Err(malformed("it does not have as many entries as its name says").into());
        }
        let first = path.index() * TILE_WIDTH as u64;
        for ((index, entry), hash) in (first..).zip(&entries).zip(hashes) {
            if merkle::leaf_hash(entry) != *hash {
                let tile_is_bad = !self.trusted && self.entries_lead_to_root(tile, &entries);
                return Err(if tile_is_bad { Damage::Hashes { path: *tile } } else { Damage::Entry { index, path } });
            }
            (self.on_entry)(index, entry);
        }
        Ok(())
    }

    /// Would the right edge lead to the root if its level 0 tile held the hashes of these entries?
    fn entries_lead_to_root(&self, tile: &TilePath, entries: &[&[u8]]) -> bool {
        let mut levels = self.edge.levels.clone();
        let Some(level_0) = levels.first_mut().filter(|_| tile.is_partial()) else { return false };
        *level_0 = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
        Edge { size: self.edge.size, levels }.root() == *self.root
    }
}
