//! The files of sealed records against the entries that name them.

use std::collections::HashSet;
use std::io;

use weir_base::disk::DiskFile;
use weir_record::Kind;
use weir_record::stored::keyring::KeyId;
use weir_seal::filedigest::{DigestBuilder, FileDamage, Sidecar};
use weir_seal::limits::DIGEST_BLOCK_BYTES;

use super::facts::{FileFact, OTHER, UnitFact};
use super::folder::{Folder, OpenFile};
use super::keys::Keys;
use super::limits::{SIDECAR_BYTES, TRIES, UNNAMED};
use super::log::{self, Log};
use super::report::{Checked, Findings};
use super::rows;

const RESTORE: &str = "restore this file and its .digests from a copy: what it held is not proved without it";

/// Checks every file that holds units now. `log` is brought up when the running program moved a unit meanwhile.
pub fn check(folder: &Folder, keys: &Keys, log: &mut Log, step: &dyn Fn(u64), checked: &mut Checked, found: &mut Findings) {
    let mut erased: HashSet<(String, String)> = HashSet::new();
    let mut tries = TRIES;
    let mut at = 0;
    while let Some(file) = log.facts.files.get(at) {
        if file.dropped {
            at += 1;
            continue;
        }
        let (mut here, mut counts) = (Findings::default(), Checked::default());
        one(folder, keys, log, file, &mut counts, &mut here);
        if !here.is_good() && tries > 0 && log::has_moved_on(folder, log) {
            tries -= 1;
            // The files named so far keep their places, so the walk goes on where it is.
            if let Some(newer) =
                log::load(folder, keys, &mut Findings::default()).filter(|l| l.complete && l.facts.files.len() >= log.facts.files.len())
            {
                *log = newer;
                continue;
            }
        }
        if counts.files_without_key > 0 && keys.open && erased.insert((file.kind.clone(), file.day.to_string())) {
            let what = "the key of this day is gone, so its rows were not checked, only that its files are the logged ones";
            here.warning(format!("key kind/{}/{}", file.kind, file.day), what, "nothing, if the day was erased; else put the keyring back");
        }
        found.take(here);
        checked.units += file.units.len() as u64;
        checked.files += 1;
        checked.bytes += file.size;
        checked.rows += counts.rows;
        checked.files_without_key += counts.files_without_key;
        step(file.size);
        at += 1;
    }
}

fn one(folder: &Folder, keys: &Keys, log: &Log, file: &FileFact, checked: &mut Checked, found: &mut Findings) {
    let bytes = match open(folder, log, &file.path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            found.problem(file.path.as_str(), format!("it is missing; entry {} of the log names it", file.entry), RESTORE);
            return;
        }
        Err(e) => {
            found.problem(file.path.as_str(), format!("it cannot be opened ({e})"), "look after its mode and the disk");
            return;
        }
    };
    if !digest(folder, log, file, bytes.as_ref(), found) {
        return;
    }
    let units: Vec<(u64, &UnitFact)> = file.units.iter().filter_map(|entry| Some((*entry, log.facts.units.get(entry)?))).collect();
    // Rows of units whose entries were not read cannot be told from others.
    if units.len() < file.units.len() {
        return;
    }
    let Ok(kind) = file.kind.parse::<Kind>() else { return };
    match KeyId::kind(kind.name(), file.day).ok().and_then(|id| keys.get(&id)) {
        Some(key) => checked.rows += rows::check(&OpenFile(bytes), kind, key, &file.path, &units, found),
        None => checked.files_without_key += 1,
    }
}

/// A file in its place, or still in the stage of a commit that has happened.
fn open(folder: &Folder, log: &Log, path: &str) -> io::Result<Box<dyn DiskFile>> {
    match (folder.file(path), log.overlay.moves.get(path)) {
        // It may move between the two looks, but only to its place.
        (Err(e), Some(staged)) if e.kind() == io::ErrorKind::NotFound => folder.file(staged).or_else(|_| folder.file(path)),
        (opened, _) => opened,
    }
}

fn read_sidecar(folder: &Folder, log: &Log, path: &str) -> Result<Sidecar, String> {
    let file = open(folder, log, path).map_err(|e| format!("it cannot be read ({e})"))?;
    let len = file.len().map_err(|e| e.to_string())?;
    if len > SIDECAR_BYTES {
        return Err(format!("it has {len} bytes, more than any sidecar"));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0).map_err(|e| format!("it cannot be read ({e})"))?;
    Sidecar::decode(&bytes).map_err(|e| e.to_string())
}

/// Size, sidecar and roots; true if the file is the logged one.
fn digest(folder: &Folder, log: &Log, file: &FileFact, bytes: &dyn DiskFile, found: &mut Findings) -> bool {
    let side_path = format!("{}.digests", file.path);
    let sidecar = read_sidecar(folder, log, &side_path).and_then(|sidecar| {
        let same =
            sidecar.root() == file.root && sidecar.file_len() == file.size && file.sm3.is_none_or(|sm3| sidecar.root_sm3() == Some(sm3));
        if same { Ok(sidecar) } else { Err(format!("its root is not the one in entry {} of the log", file.entry)) }
    });
    let len = match bytes.len() {
        Ok(len) => len,
        Err(e) => {
            found.problem(file.path.as_str(), format!("it cannot be read ({e})"), "look after the disk");
            return false;
        }
    };
    match sidecar {
        Ok(sidecar) => match sidecar.check(len, &mut |index, buf| bytes.read_exact_at(buf, index * DIGEST_BLOCK_BYTES as u64)) {
            Ok(()) => true,
            Err(damage) => {
                let at = match &damage {
                    FileDamage::Block { start, .. } => format!("{} from byte {start}", file.path),
                    _ => file.path.clone(),
                };
                found.problem(at, damage.to_string(), RESTORE);
                false
            }
        },
        Err(why) => without_sidecar(file, bytes, len, &side_path, &why, found),
    }
}

/// Without a sidecar to be believed, the file itself still leads to the root or does not.
fn without_sidecar(file: &FileFact, bytes: &dyn DiskFile, len: u64, side_path: &str, why: &str, found: &mut Findings) -> bool {
    let whole = len == file.size
        && roots(bytes, len, file.sm3.is_some())
            .is_ok_and(|s| s.root() == file.root && file.sm3.is_none_or(|sm3| s.root_sm3() == Some(sm3)));
    if whole {
        found.problem(side_path, why, "restore it from a copy; the file beside it is whole");
    } else {
        found.problem(side_path, format!("{why}; so the damage of the file beside it cannot be narrowed down"), RESTORE);
        let what =
            if len == file.size { "it was changed".to_owned() } else { format!("it has {len} bytes; it was sealed with {}", file.size) };
        found.problem(file.path.as_str(), format!("{what}: it does not lead to the root in entry {} of the log", file.entry), RESTORE);
    }
    whole
}

fn roots(bytes: &dyn DiskFile, len: u64, sm3: bool) -> io::Result<Sidecar> {
    let mut builder = DigestBuilder::new(sm3);
    let mut buf = vec![0; DIGEST_BLOCK_BYTES];
    let mut at = 0;
    while at < len {
        buf.resize(usize::try_from((len - at).min(DIGEST_BLOCK_BYTES as u64)).unwrap_or(DIGEST_BLOCK_BYTES), 0);
        bytes.read_exact_at(&mut buf, at)?;
        builder.update(&buf);
        at += buf.len() as u64;
    }
    Ok(builder.finish())
}

/// Files below `segments/` that no entry names, or that an entry dropped. `listed` was taken before the log was read.
pub fn strays(folder: &Folder, keys: &Keys, log: &mut Log, listed: &[String], found: &mut Findings) {
    let mut here = stray_files(folder, log, listed);
    if !here.is_good()
        && log::has_moved_on(folder, log)
        && let Some(newer) = log::load(folder, keys, &mut Findings::default()).filter(|log| log.complete)
    {
        *log = newer;
        here = stray_files(folder, log, listed);
    }
    found.take(here);
}

fn stray_files(folder: &Folder, log: &Log, listed: &[String]) -> Findings {
    let mut found = Findings::default();
    let mut unnamed = Vec::new();
    for path in listed {
        let named = log.facts.file(path.strip_suffix(".digests").unwrap_or(path));
        let what = match named {
            Some(file) if !file.dropped => continue,
            Some(_) if log.overlay.removes.contains(path) => continue,
            Some(_) => "its units lie in another file since they were repacked: it should be gone",
            None if !log.is_whole() => {
                unnamed.push(path.as_str());
                continue;
            }
            None => "no entry of the log names it: it is a stray and no evidence of anything",
        };
        if folder.exists(path) {
            found.problem(path.as_str(), what, "find out where it comes from, then move it out of the data folder");
        }
    }
    unknown(folder, &unnamed, &mut found);
    found
}

/// Says once of files that no entry names that was read.
fn unknown(folder: &Folder, unnamed: &[&str], found: &mut Findings) {
    let here: Vec<&str> = unnamed.iter().copied().filter(|path| folder.exists(path)).collect();
    if here.is_empty() {
        return;
    }
    let some = here.iter().take(UNNAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if here.len() > UNNAMED { ", …" } else { "" };
    let what = format!("the log was not read whole, so it is not known whether {} files belong here: {some}{more}", here.len());
    found.warning("segments", what, OTHER);
}
