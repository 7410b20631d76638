//! Old partial tiles. Each commit leaves a few, so that without this a log of one commit a minute would have half a million small files after
//! half a year. The forms of the checkpoint before stay one commit longer, for whoever is reading it.

use std::io;
use std::path::Path;

use weir_base::disk::Disk;
use weir_seal::tile::{TileKind, TilePath};

use super::LOG;

/// Partial tiles that no tree of `size` entries or more needs.
pub(super) fn old_partial_tiles(disk: &dyn Disk, size: u64) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    let kinds = std::iter::once(TileKind::Entries).chain((0..8).map(TileKind::Hashes));
    for kind in kinds.take_while(|kind| TilePath::in_tree(*kind, 0, size).is_some()) {
        let partial = TilePath::partial_of(kind, size);
        let index = partial.map_or_else(|| first_missing(kind, size), |path| path.index());
        for index in index.saturating_sub(1)..=index {
            let narrower_than = partial.filter(|path| path.index() == index).map_or(u16::MAX, |path| path.width());
            let folder = format!("{LOG}/{}.p", TilePath::full(kind, index));
            for entry in disk.list(Path::new(&folder))? {
                if entry.name.parse::<u16>().is_ok_and(|width| width < narrower_than) {
                    out.push(format!("{folder}/{}", entry.name));
                }
            }
        }
    }
    Ok(out)
}

/// Index after the last tile of a level that ends in a full tile.
fn first_missing(kind: TileKind, size: u64) -> u64 {
    let level = match kind {
        TileKind::Entries => 0,
        TileKind::Hashes(level) => u32::from(level),
    };
    size.checked_shr(8 * (level + 1)).unwrap_or(0)
}
