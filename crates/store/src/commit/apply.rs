//! What a commit does after the swap. Doing it twice, or from the middle again, ends the same.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use weir_base::disk::{self, Disk};
use weir_record::stored::limits::STAGE_BYTES;
use weir_record::stored::stage::Stage;

use super::{LOG, STAGE};

pub(super) fn stage_path(size: u64) -> PathBuf {
    Path::new(STAGE).join(format!("{size}.stage"))
}

pub(super) fn read_if_there(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    if disk.exists(path)? { disk::read(disk, path, STAGE_BYTES as u64).map(Some) } else { Ok(None) }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// Whether a stage is applied for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    First,
    /// A folder made by an earlier try may be there without being durable.
    Again,
}

/// Writes the tiles, moves the staged files, then removes what is to go; all durable on return.
pub(super) fn apply(disk: &dyn Disk, stage: &Stage, which: Try) -> io::Result<()> {
    let mut folders = BTreeSet::new();
    for (path, bytes) in &stage.tiles {
        let path = Path::new(LOG).join(path);
        make_folder(disk, &parent(&path))?;
        write_whole(disk, &path, bytes)?;
        folders.insert(parent(&path));
    }
    for (from, to) in &stage.moves {
        let (from, to) = (Path::new(from), Path::new(to));
        make_folder(disk, &parent(to))?;
        if disk.exists(from)? {
            disk.rename(from, to)?;
        } else if !disk.exists(to)? {
            let lost = format!("{} was committed, and is neither staged nor in its place", to.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, lost));
        }
        folders.insert(parent(to));
    }
    if which == Try::Again {
        let above: Vec<PathBuf> = folders.iter().flat_map(|folder| folder.ancestors().skip(1)).map(Path::to_owned).collect();
        folders.extend(above);
    }
    sync_folders(disk, &folders)?;
    let mut folders = BTreeSet::new();
    for path in stage.removes.iter().map(Path::new) {
        if disk.exists(path)? {
            disk.remove(path)?;
        }
        folders.insert(parent(path));
    }
    folders.retain(|folder| disk.exists(folder).unwrap_or(true));
    sync_folders(disk, &folders)?;
    for folder in folders.iter().filter(|folder| folder.extension().is_some_and(|end| end == "p")) {
        // The folder of a tile's partial forms; it stays while there are any.
        let _ = disk.remove_dir(folder);
    }
    Ok(())
}

fn make_folder(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    if disk.exists(folder)? { Ok(()) } else { disk.create_dir(folder) }
}

fn sync_folders(disk: &dyn Disk, folders: &BTreeSet<PathBuf>) -> io::Result<()> {
    folders.iter().try_for_each(|folder| disk.sync_dir(folder))
}

/// Writes a file whose bytes are the same whenever it is written, so that writing over a torn try is safe.
fn write_whole(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = if disk.exists(path)? { disk.open(path, true)? } else { disk.create(path)? };
    file.write_at(bytes, 0)?;
    if file.len()? > bytes.len() as u64 {
        file.set_len(bytes.len() as u64)?;
    }
    file.sync()
}

/// Removes the stage; durable on return, together with the leaving of the files that were moved out of the folder.
pub(super) fn drop_stage(disk: &dyn Disk, size: u64) -> io::Result<()> {
    let path = stage_path(size);
    if disk.exists(&path)? {
        disk.remove(&path)?;
    }
    disk.sync_dir(Path::new(STAGE))
}
