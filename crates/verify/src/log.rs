//! The log: its checkpoints, its tiles, its entries.

use std::collections::{HashMap, HashSet};
use std::io;

use weir_record::stored::limits::STAGE_BYTES;
use weir_record::stored::stage::{self, Stage};
use weir_seal::checkpoint::Checkpoint;
use weir_seal::limits::TILE_WIDTH;
use weir_seal::merkle;
use weir_seal::note::{Note, VerifyingKey};
use weir_seal::tile::{TileKind, TilePath, decode_bundle, verify_log};

use super::facts::Facts;
use super::folder::Folder;
use super::keys::{self, Keys};
use super::limits::{NOTE_BYTES, TILE_BYTES, TRIES};
use super::report::Findings;

const CURRENT: &str = "log/current";
const PUBLISHED: &str = "log/checkpoint";
const RESTORE: &str = "restore the folder `log` from a copy, and compare its checkpoint with one that was seen elsewhere";

/// What a commit that has happened still has to do.
#[derive(Default)]
pub struct Overlay {
    tiles: HashMap<String, Vec<u8>>,
    /// Files that are still in `stage/`: to, from.
    pub moves: HashMap<String, String>,
    /// Files that are still to go.
    pub removes: HashSet<String>,
}

/// The log as of one checkpoint.
pub struct Log {
    /// The bytes of `log/current`.
    pub note: Vec<u8>,
    /// What its entries say.
    pub facts: Facts,
    /// The commit that is not applied yet.
    pub overlay: Overlay,
    /// True if the bytes of every entry were there, good or bad.
    pub complete: bool,
}

impl Log {
    /// True if every entry was read: only then a file that no entry names is a stray.
    pub fn is_whole(&self) -> bool {
        self.complete && self.facts.unread.is_none()
    }
}

/// The log, judged as of a `log/current` that stayed for as long as it took, or of the last one tried.
pub fn load(folder: &Folder, keys: &Keys, found: &mut Findings) -> Option<Log> {
    for left in (0..TRIES).rev() {
        let mut here = Findings::default();
        let log = once(folder, keys, &mut here);
        if here.is_good() || left == 0 || log.as_ref().is_none_or(|log| !has_moved_on(folder, log)) {
            found.take(here);
            return log;
        }
    }
    None
}

/// True if the program committed something since.
pub fn has_moved_on(folder: &Folder, log: &Log) -> bool {
    folder.read(CURRENT, NOTE_BYTES).is_ok_and(|now| now != log.note)
}

fn once(folder: &Folder, keys: &Keys, found: &mut Findings) -> Option<Log> {
    let (note, head) = head(folder, found)?;
    let overlay = overlay(folder, &note, head.size, found);
    let key = keys::log_key(folder, keys, &head.origin, found);
    let mut facts = Facts::default();
    let mut complete = true;
    let read = |path: &TilePath| tile(folder, &overlay, path);
    let damage = verify_log(head.size, &head.root, &read, &mut |index, bytes| facts.entry(index, bytes, found)).err();
    if let Some(damage) = damage {
        found.problem(CURRENT, format!("log: {damage}"), RESTORE);
        let raw = salvage(head.size, &read, found);
        (facts, complete) = (raw.facts, raw.complete);
    }
    signature(&note, &head, key, &facts, found);
    published(folder, &note, &overlay, &head, found);
    beyond(folder, &overlay, head.size, found);
    Some(Log { note, facts, overlay, complete })
}

/// `log/current`, or where it is unusable the published checkpoint, so that the rest is judged all the same.
fn head(folder: &Folder, found: &mut Findings) -> Option<(Vec<u8>, Checkpoint)> {
    let begun =
        [CURRENT, PUBLISHED, "log/tile"].iter().any(|path| folder.exists(path)) || !folder.tree("segments").is_ok_and(|all| all.is_empty());
    if !begun {
        found.warning("log", "there is no log yet: the first start was cut off, or has not come so far", "start the program");
        return None;
    }
    for path in [CURRENT, PUBLISHED] {
        let parsed = folder.read(path, NOTE_BYTES).map_err(|e| format!("it cannot be read ({e})")).and_then(|bytes| {
            let note = Note::parse(&bytes).map_err(|e| e.to_string())?;
            let head = Checkpoint::parse_text(note.text()).map_err(|e| e.to_string())?;
            Ok((bytes, head))
        });
        match parsed {
            Ok(good) => return Some(good),
            Err(why) => found.problem(path, why, "put it back from a copy: it is the signed head of the log"),
        }
    }
    None
}

fn overlay(folder: &Folder, note: &[u8], size: u64, found: &mut Findings) -> Overlay {
    let path = format!("stage/{size}.stage");
    let bytes = match folder.read_if_there(&path, STAGE_BYTES as u64) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Overlay::default(),
        Err(e) => {
            found.problem(path, format!("it cannot be read ({e})"), "look after the disk");
            return Overlay::default();
        }
    };
    match stage::decode(&bytes) {
        Ok(stage) if stage.checkpoint == note => as_overlay(stage),
        Ok(_) => Overlay::default(),
        Err(e) => {
            let hint = "start the program: if it says that the log is damaged, restore the folders `log` and `segments` from a copy";
            found.problem(path, format!("the commit that log/current names is not finished, and this file is damaged: {e}"), hint);
            Overlay::default()
        }
    }
}

fn as_overlay(stage: Stage) -> Overlay {
    Overlay {
        tiles: stage.tiles.into_iter().collect(),
        moves: stage.moves.into_iter().map(|(from, to)| (to, from)).collect(),
        removes: stage.removes.into_iter().collect(),
    }
}

fn tile(folder: &Folder, overlay: &Overlay, path: &TilePath) -> io::Result<Vec<u8>> {
    let name = path.to_string();
    match overlay.tiles.get(&name) {
        Some(bytes) => Ok(bytes.clone()),
        None => folder.read(&format!("log/{name}"), TILE_BYTES),
    }
}

type Read<'a> = dyn Fn(&TilePath) -> io::Result<Vec<u8>> + 'a;

struct Salvaged {
    facts: Facts,
    complete: bool,
}

/// After the first damage: every bundle against its own tile, and every tile against the one above, so that all that is wrong is named.
/// What the entries say is taken as it is, so that the files can be judged.
fn salvage(size: u64, read: &Read<'_>, found: &mut Findings) -> Salvaged {
    let mut out = Salvaged { facts: Facts::default(), complete: true };
    let width = TILE_WIDTH as u64;
    for index in 0..size.div_ceil(width) {
        let (Some(bundle), Some(tile)) =
            (TilePath::in_tree(TileKind::Entries, index, size), TilePath::in_tree(TileKind::Hashes(0), index, size))
        else {
            continue;
        };
        let hashes = hashes(&tile, read, found);
        let bytes = read(&bundle).map_err(|e| found.problem(format!("log/{bundle}"), format!("it cannot be read ({e})"), RESTORE));
        let Ok(bytes) = bytes else {
            out.complete = false;
            continue;
        };
        let Ok(entries) = decode_bundle(&bytes) else {
            found.problem(format!("log/{bundle}"), "it is not a list of entries", RESTORE);
            out.complete = false;
            continue;
        };
        out.complete &= entries.len() == usize::from(bundle.width());
        for (n, (at, entry)) in (index * width..).zip(&entries).enumerate() {
            if hashes.as_ref().is_some_and(|h| h.get(n) != Some(&merkle::leaf_hash(entry))) {
                found.problem(format!("log/{bundle}, entry {at}"), format!("it does not hash to its leaf in log/{tile}"), RESTORE);
            }
            out.facts.entry(at, entry, found);
        }
    }
    for level in 1..8 {
        parents(level, size, read, found);
    }
    out
}

fn hashes(path: &TilePath, read: &Read<'_>, found: &mut Findings) -> Option<Vec<merkle::Hash>> {
    let bytes = read(path).map_err(|e| found.problem(format!("log/{path}"), format!("it cannot be read ({e})"), RESTORE)).ok()?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != usize::from(path.width()) {
        found.problem(format!("log/{path}"), "its length is not that of the hashes its name says", RESTORE);
    }
    Some(hashes.to_vec())
}

/// Every tile of a level against the tiles below it.
fn parents(level: u8, size: u64, read: &Read<'_>, found: &mut Findings) {
    let mut index = 0;
    while let Some(path) = TilePath::in_tree(TileKind::Hashes(level), index, size) {
        for (place, hash) in (index * TILE_WIDTH as u64..).zip(hashes(&path, read, found).unwrap_or_default()) {
            let child = TilePath::full(TileKind::Hashes(level - 1), place);
            if hashes(&child, read, found).is_some_and(|h| merkle::root(&h) != hash) {
                found.problem(format!("log/{path} and log/{child}"), "one of them was changed: they do not fit together", RESTORE);
            }
        }
        index += 1;
    }
}

/// The signature by the log's own key, and that the first entry names the same log and key.
fn signature(note: &[u8], head: &Checkpoint, key: Option<VerifyingKey>, facts: &Facts, found: &mut Findings) {
    let genesis = facts.genesis.as_ref();
    if genesis.is_none() && head.size > 0 && facts.unread != Some(0) {
        found.problem("log entry 0", "the first entry of the log, which names its key, is not there", RESTORE);
    }
    if let Some(genesis) = genesis.filter(|g| g.origin != head.origin) {
        found.problem(CURRENT, format!("it is of the log {}, the entries are of {}", head.origin, genesis.origin), RESTORE);
    }
    let named = genesis.map(|g| g.log_key.clone());
    if let (Some(key), Some(named)) = (&key, &named)
        && key != named
    {
        let hint =
            "put back log.key and the folder `log` that belong together: otherwise this log was begun anew or signed by somebody else";
        found.problem("log.key", "it is not the key that the log's first entry names", hint);
    }
    // Without log.key the first entry's word is taken: whoever can forge that entry can also sign.
    let Some(key) = named.or(key) else { return };
    if let Err(e) = Checkpoint::open(note, &head.origin, &key) {
        found.problem(CURRENT, e.to_string(), RESTORE);
    }
}

fn published(folder: &Folder, note: &[u8], overlay: &Overlay, head: &Checkpoint, found: &mut Findings) {
    const AGAIN: &str = "if it was not changed on purpose, start the program: it publishes log/current again";
    match folder.read_if_there(PUBLISHED, NOTE_BYTES) {
        Ok(Some(bytes)) if bytes == note => {}
        // A commit that is not applied yet is not published yet.
        Ok(_) if !overlay.tiles.is_empty() => {}
        Ok(None) => found.problem(PUBLISHED, "it is missing", AGAIN),
        Err(e) => found.problem(PUBLISHED, format!("it cannot be read ({e})"), AGAIN),
        Ok(Some(bytes)) => {
            let is = Note::parse(&bytes).ok().and_then(|n| Checkpoint::parse_text(n.text()).ok());
            let what = match is {
                Some(is) if is.size < head.size => format!("it is an older checkpoint: {} entries, log/current has {}", is.size, head.size),
                Some(is) if is.size > head.size => {
                    format!("it speaks of {} entries, log/current of {}: the log was set back", is.size, head.size)
                }
                Some(_) => "it is not the checkpoint in log/current".to_owned(),
                None => "it is not a checkpoint".to_owned(),
            };
            found.problem(PUBLISHED, what, AGAIN);
        }
    }
}

/// Tiles that the checkpoint does not cover, and old partial tiles: these are not needed any more, but readers may still hold them.
fn beyond(folder: &Folder, overlay: &Overlay, size: u64, found: &mut Findings) {
    let paths = folder.tree("log/tile").unwrap_or_default();
    for name in paths {
        let Some(path) = name.strip_prefix("log/").and_then(|p| p.parse::<TilePath>().ok()) else {
            found.warning(name, "it is no tile of this log", "nothing reads it: remove it if you know where it comes from");
            continue;
        };
        match TilePath::in_tree(path.kind(), path.index(), size) {
            Some(there) if there.width() > path.width() => {
                let (old, new) = (folder.read(&name, TILE_BYTES), tile(folder, overlay, &there));
                if let (Ok(old), Ok(new)) = (old, new)
                    && !(is_whole(&path, &old) && new.starts_with(&old))
                {
                    found.problem(name, format!("this older form and log/{there} differ: one of them was changed"), RESTORE);
                }
            }
            Some(there) if there.width() == path.width() => {}
            _ => {
                let hint = "the log was set back to an older checkpoint, or another log's files were put here: restore the folder `log`";
                found.problem(name, format!("it holds more than the checkpoint's {size} entries"), hint);
            }
        }
    }
}

fn is_whole(path: &TilePath, bytes: &[u8]) -> bool {
    let width = usize::from(path.width());
    match path.kind() {
        TileKind::Hashes(_) => bytes.len() == width * 32,
        TileKind::Entries => decode_bundle(bytes).is_ok_and(|entries| entries.len() == width),
    }
}

/// Work of a commit that never counted: named at the end, when a running program has had time to finish it.
pub fn leftovers(folder: &Folder, log: &Log, found: &mut Findings) {
    let left = folder.list("stage").unwrap_or_default().into_iter().filter(|e| !e.is_dir).map(|e| format!("stage/{}", e.name));
    let named: HashSet<&String> = log.overlay.moves.values().collect();
    let count = left.filter(|path| !named.contains(path)).count();
    if count > 0 && !has_moved_on(folder, log) {
        let what = format!("{count} files of a commit that is under way, or that never counted");
        found.warning("stage", what, "nothing: the next start or commit tidies up; no sealed record is in them alone");
    }
}
