//! Names of tiles: `tile/<level>/<index>[.p/<width>]` and `tile/entries/<index>[.p/<width>]`.

use std::fmt;
use std::str::FromStr;

use super::nodes_at;
use crate::limits::{TILE_LEVEL_MAX, TILE_WIDTH};
use crate::text;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Nodes of the tree: at level `l` the roots of complete subtrees of 256^l leaves.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

impl TileKind {
    fn level(self) -> u8 {
        match self {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        }
    }
}

/// The name of one tile or bundle. Its `Display` is the relative path, the same on disk and over HTTP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    /// 1 to 256.
    width: u16,
}

/// A text is not the path of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tile path: write it as tile/0/x001/x234/067, tile/0/000.p/5 or tile/entries/000")]
pub struct TilePathError;

impl TilePath {
    /// The full tile number `index` of this kind.
    pub fn full(kind: TileKind, index: u64) -> TilePath {
        TilePath { kind, index, width: TILE_WIDTH as u16 }
    }

    /// Tile number `index` as it is in a tree of `size` leaves: full, partial, or `None` when that tree has no such tile.
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<TilePath> {
        let before = index.checked_mul(TILE_WIDTH as u64)?;
        let width = nodes_at(size, kind.level()).checked_sub(before)?.min(TILE_WIDTH as u64) as u16;
        (width > 0).then_some(TilePath { kind, index, width })
    }

    /// The partial tile that ends this kind's level in a tree of `size` leaves, `None` when the last tile there is full.
    pub fn partial_of(kind: TileKind, size: u64) -> Option<TilePath> {
        let nodes = nodes_at(size, kind.level());
        TilePath::in_tree(kind, nodes / TILE_WIDTH as u64, size)
    }

    /// What the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// The tile's place within its level, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in the tile, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// True for fewer than 256 hashes or entries.
    pub fn is_partial(&self) -> bool {
        usize::from(self.width) < TILE_WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut power = 1u64;
        while self.index / power >= 1000 {
            power *= 1000;
        }
        while power > 1 {
            write!(f, "x{:03}/", self.index / power % 1000)?;
            power /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl fmt::Debug for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(path: &str) -> Result<TilePath, TilePathError> {
        parse(path).ok_or(TilePathError)
    }
}

fn parse(path: &str) -> Option<TilePath> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes(text::decimal(level).filter(|l| *l <= u64::from(TILE_LEVEL_MAX))? as u8),
    };
    let (groups, width) = match rest.split_once(".p/") {
        Some((groups, width)) => (groups, text::decimal(width).filter(|w| (1..TILE_WIDTH as u64).contains(w))? as u16),
        None => (rest, TILE_WIDTH as u16),
    };
    let mut index = 0u64;
    let mut parts = groups.split('/').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let digits = if last { part } else { part.strip_prefix('x')? };
        if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let value: u64 = digits.parse().ok()?;
        // A leading group of zeros would be a second name for the same tile.
        if first && !last && value == 0 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(value)?;
        first = false;
    }
    Some(TilePath { kind, index, width })
}
