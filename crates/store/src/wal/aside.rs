//! Cut tails, kept aside as `wal/aside/<file>-<offset>.cut`: a header with the file key wrapped anew under the keyring's `aside/<file>`, then
//! the bytes, still encrypted. `.kept` once the cut is on record.

use std::path::{Path, PathBuf};

use weir_base::disk::{self, DiskFile, SharedDisk};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::wal::{HEADER_BYTES, Header};

use super::recover::Cut;
use super::{WalError, at};
use crate::keyring::Keyring;

const FOLDER: &str = "wal/aside";
const NEW: &str = "cut";
const KEPT: &str = "kept";

fn key_id(file: u64) -> Result<KeyId, WalError> {
    KeyId::new(&format!("aside/{file}")).map_err(|_| WalError::KeyMissing { file })
}

fn path(file: u64, offset: u64, end: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{file:010}-{offset}.{end}"))
}

/// Copies the bytes from `offset` to the end of the file. Durable on return; doing it twice is the same as once.
pub(super) fn keep(disk: &SharedDisk, keyring: &Keyring, header: &Header, file: &dyn DiskFile, offset: u64) -> Result<(), WalError> {
    let missing = || WalError::KeyMissing { file: header.file };
    let own = keyring.get(&KeyId::wal(header.file)).ok_or_else(missing)?;
    let wrapping = keyring.get_or_create(&[key_id(header.file)?])?.pop().ok_or_else(missing)?;
    let mut bytes = header.rewrap(&own, &wrapping)?.encode();
    let to = path(header.file, offset, NEW);
    let mut copy = || {
        let len = usize::try_from(file.len()?.saturating_sub(offset)).map_err(std::io::Error::other)?;
        bytes.resize(HEADER_BYTES + len, 0);
        file.read_exact_at(&mut bytes[HEADER_BYTES..], offset)?;
        disk::replace(disk.as_ref(), &to, &bytes)
    };
    copy().map_err(at(&to))
}

/// Makes the folder, and removes copies that were not finished and keys that have no bytes.
pub(super) fn prepare(disk: &SharedDisk, keyring: &Keyring) -> Result<(), WalError> {
    let folder = Path::new(FOLDER);
    let tidy = || -> std::io::Result<()> {
        disk.create_dir(folder)?;
        for entry in disk.list(folder)?.iter().filter(|entry| entry.name.ends_with(".tmp")) {
            disk.remove(&folder.join(&entry.name))?;
        }
        disk.sync_dir(folder)
    };
    tidy().map_err(at(folder))?;
    for (cut, place) in list(disk)? {
        if keyring.get(&key_id(cut.file)?).is_none() {
            disk.remove(&place).map_err(at(&place))?;
            disk.sync_dir(folder).map_err(at(folder))?;
        }
    }
    Ok(())
}

/// Keys of cut tails that are not there.
pub(super) fn orphans(disk: &SharedDisk, keyring: &Keyring) -> Result<Vec<KeyId>, WalError> {
    let files: Vec<u64> = list(disk)?.iter().map(|(cut, _)| cut.file).collect();
    Ok(keyring.ids().into_iter().filter(|id| id.number("aside").is_some_and(|file| !files.contains(&file))).collect())
}

pub(super) fn list(disk: &SharedDisk) -> Result<Vec<(Cut, PathBuf)>, WalError> {
    let folder = Path::new(FOLDER);
    let mut out = Vec::new();
    for entry in disk.list(folder).map_err(at(folder))? {
        let Some((stem, end)) = entry.name.rsplit_once('.') else { continue };
        let Some((Ok(file), Ok(offset))) = stem.split_once('-').map(|(file, offset)| (file.parse(), offset.parse())) else { continue };
        if end == NEW || end == KEPT {
            let cut = Cut { file, offset, bytes: entry.len.saturating_sub(HEADER_BYTES as u64), confirmed: end == KEPT };
            out.push((cut, folder.join(&entry.name)));
        }
    }
    Ok(out)
}

pub(super) fn confirm(disk: &SharedDisk) -> Result<(), WalError> {
    let folder = Path::new(FOLDER);
    for (cut, place) in list(disk)?.into_iter().filter(|(cut, _)| !cut.confirmed) {
        disk.rename(&place, &path(cut.file, cut.offset, KEPT)).map_err(at(&place))?;
    }
    disk.sync_dir(folder).map_err(at(folder))
}

pub(super) fn remove(disk: &SharedDisk, keyring: &Keyring, file: u64) -> Result<(), WalError> {
    let folder = Path::new(FOLDER);
    keyring.destroy(&[key_id(file)?])?;
    for (_, place) in list(disk)?.into_iter().filter(|(cut, _)| cut.file == file) {
        disk.remove(&place).map_err(at(&place))?;
    }
    disk.sync_dir(folder).map_err(at(folder))
}
