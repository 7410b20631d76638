//! The log as files: C2SP tlog-tiles. Hash tiles of 256 nodes, bundles of 256 entries, and their paths.
//!
//! A tile at level `l` holds, from left to right, the roots of complete subtrees of 256^l leaves. The last tile of a level is partial
//! and named by its width; tiles never change, they are only followed by wider ones.

mod append;
mod bundle;
mod path;
mod read;
mod verify;

pub use append::{Appended, append};
pub use bundle::{BundleError, decode_bundle, push_entry};
pub use path::{TileKind, TilePath, TilePathError};
pub use read::{consistency_proof, entry, inclusion_proof, root};
pub use verify::{Damage, verify_log};

use crate::limits::TILE_WIDTH;
use crate::merkle::{self, Hash, RootBuilder};

/// How a caller hands over a stored tile: the whole file behind this path. For a partial path it may also hand over a wider tile of the
/// same level and index, because old partial tiles may be deleted.
pub type ReadTile<'a, E> = &'a dyn Fn(&TilePath) -> Result<Vec<u8>, E>;

/// Why tiles could not be read or written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileError<E> {
    /// The caller's reader failed.
    #[error("cannot read {path}: {error}")]
    Read {
        /// The tile asked for.
        path: TilePath,
        /// What the reader said.
        error: E,
    },
    /// A tile or bundle does not have the form it must have.
    #[error("{path} is damaged: {why}")]
    Malformed {
        /// The damaged tile.
        path: TilePath,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A new entry does not fit a bundle.
    #[error("new entry {position} has {bytes} bytes; an entry has at most 65535")]
    EntryTooLong {
        /// Place in the list of new entries, from 0.
        position: usize,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The log would grow past 2^64 − 1 entries.
    #[error("the log is full")]
    Full,
    /// A proof was asked for that cannot exist.
    #[error(transparent)]
    Proof(#[from] merkle::ProofError),
}

/// Roots of complete subtrees of 256^`level` leaves in a tree of `size` leaves.
fn nodes_at(size: u64, level: u8) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// Levels that a tree of 64-bit size can have.
const LEVELS: u8 = 8;

fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The first `width` hashes of a tile file; more may follow, because a wider tile stands in for a narrower one.
fn decode_hashes<E>(path: &TilePath, bytes: &[u8]) -> Result<Vec<Hash>, TileError<E>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() > TILE_WIDTH {
        return Err(TileError::Malformed { path: *path, why: "its length is not that of 1 to 256 hashes" });
    }
    let width = usize::from(path.width());
    match hashes.get(..width) {
        Some(first) => Ok(first.to_vec()),
        None => Err(TileError::Malformed { path: *path, why: "it has fewer hashes than its name says" }),
    }
}

fn read_hashes<E>(path: &TilePath, read: ReadTile<'_, E>) -> Result<Vec<Hash>, TileError<E>> {
    let bytes = read(path).map_err(|error| TileError::Read { path: *path, error })?;
    decode_hashes(path, &bytes)
}

/// The right edge of a log: the nodes of the partial tile at each level. It determines the root and all that comes after.
struct Edge {
    size: u64,
    /// By level; each holds 0 to 255 hashes.
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    fn load<E>(size: u64, read: ReadTile<'_, E>) -> Result<Edge, TileError<E>> {
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let count = nodes_at(size, level);
            if count == 0 {
                break;
            }
            let path = TilePath::partial_of(TileKind::Hashes(level), size);
            levels.push(path.map_or(Ok(Vec::new()), |path| read_hashes(&path, read))?);
        }
        Ok(Edge { size, levels })
    }

    fn root(&self) -> Hash {
        let mut builder = RootBuilder::new();
        for (level, hashes) in self.levels.iter().enumerate().rev() {
            for hash in hashes {
                // Larger subtrees come first, so each stands at a multiple of its own size.
                let pushed = builder.push_subtree(8 * level as u32, *hash);
                debug_assert_eq!(pushed, Ok(()));
            }
        }
        builder.finish()
    }

    /// Appends a leaf and gives `emit` each tile that becomes full, lowest level first.
    fn push(&mut self, leaf: Hash, emit: &mut dyn FnMut(TilePath, Vec<u8>)) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..LEVELS {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(tile) = self.levels.get_mut(at) else { return };
            tile.push(hash);
            if tile.len() < TILE_WIDTH {
                return;
            }
            hash = merkle::root(tile);
            emit(TilePath::full(TileKind::Hashes(level), nodes_at(self.size, level + 1).saturating_sub(1)), encode_hashes(tile));
            tile.clear();
        }
    }
}

#[cfg(test)]
mod tests;
