//! Opening the log, and finding out what became of a commit.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use weir_base::crypto::Secret;
use weir_base::disk::{self, SharedDisk};
use weir_record::stored::keyring::KeyId;
use weir_record::stored::limits::STAGE_BYTES;
use weir_record::stored::{logkey, stage as codec};
use weir_seal::checkpoint::Checkpoint;
use weir_seal::entry::{Entry, Genesis};
use weir_seal::note::{Note, SigningKey, VerifyingKey};
use weir_seal::tile;

use super::{CHECKPOINT, CURRENT, CommitError, Committer, Head, KEY, LOG, LogIdentity, Plan, STAGE, apply, at, no_head, read_tile};
use crate::keyring::Keyring;

/// What opening the log found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitRecovery {
    /// True if the log was begun now.
    pub begun: bool,
    /// Size of the log whose stage was applied again, if one was left.
    pub finished: Option<u64>,
    /// Stages that never counted, torn ones too.
    pub dropped_stages: u64,
    /// Staged files that were never committed.
    pub dropped_files: u64,
}

/// What becomes of staged files that no stage moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Staged {
    /// At start: nobody will commit them any more.
    Remove,
    /// While running: their owners may still commit them.
    Keep,
}

pub(super) fn open(disk: &SharedDisk, keyring: &Keyring, identity: &LogIdentity<'_>) -> Result<(Committer, CommitRecovery), CommitError> {
    for folder in [LOG, STAGE].map(Path::new) {
        disk.create_dir(folder).map_err(at(folder))?;
    }
    for path in [KEY, CURRENT, CHECKPOINT] {
        remove_if_there(disk, &PathBuf::from(format!("{path}.tmp")))?;
    }
    check_origin(disk, identity.origin)?;
    let key = signing_key(disk, keyring, identity.origin)?;
    let (head, mut report) = recover(disk, identity.origin, key.verifying_key(), Staged::Remove)?;
    let committer = Committer {
        disk: SharedDisk::clone(disk),
        origin: identity.origin.to_owned(),
        key,
        head: RwLock::new(head.clone().unwrap_or_else(no_head).into()),
        unsettled: Mutex::new(false),
    };
    if head.is_none() {
        if has_log(disk)? {
            return Err(CommitError::Damaged("log/current is missing although there are tiles or a published checkpoint".to_owned()));
        }
        let genesis = Genesis {
            origin: identity.origin.to_owned(),
            log_key: committer.key.verifying_key().clone(),
            program: identity.program.to_owned(),
            time: identity.now,
        };
        let entry = Entry::Genesis(genesis).encode().map_err(|e| CommitError::Refused(e.to_string()))?;
        committer.commit(&Plan { entries: vec![entry], ..Plan::default() })?;
        report.begun = true;
    }
    Ok((committer, report))
}

/// The origin is compared before any key is tried: with another name the signature could not verify, and the reason would be hidden.
fn check_origin(disk: &SharedDisk, asked: &str) -> Result<(), CommitError> {
    let path = Path::new(CURRENT);
    let Some(bytes) = apply::read_if_there(disk.as_ref(), path).map_err(at(path))? else { return Ok(()) };
    let is = Note::parse(&bytes).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok()).map(|checkpoint| checkpoint.origin);
    match is {
        Some(is) if is == asked => Ok(()),
        Some(is) => Err(CommitError::OtherOrigin { is, asked: asked.to_owned() }),
        None => Err(CommitError::Damaged("log/current is not a checkpoint".to_owned())),
    }
}

fn has_log(disk: &SharedDisk) -> Result<bool, CommitError> {
    for path in [CURRENT, CHECKPOINT].map(Path::new) {
        if disk.exists(path).map_err(at(path))? {
            return Ok(true);
        }
    }
    let tiles = Path::new("log/tile");
    Ok(!disk.list(tiles).map_err(at(tiles))?.is_empty())
}

fn signing_key(disk: &SharedDisk, keyring: &Keyring, origin: &str) -> Result<SigningKey, CommitError> {
    let (path, id) = (Path::new(KEY), KeyId::log(1));
    // An earlier start may have made it and died before the name was durable.
    disk.sync_dir(Path::new("")).map_err(at(path))?;
    let seed = match apply::read_if_there(disk.as_ref(), path).map_err(at(path))? {
        Some(bytes) => {
            let wrapping = keyring.get(&id).ok_or(CommitError::KeyMissing("the key log/1 of the keyring"))?;
            logkey::decode(&bytes, &wrapping).map_err(CommitError::KeyFile)?
        }
        None if has_log(disk)? => return Err(CommitError::KeyMissing("log.key")),
        None => {
            let wrapping = keyring.get_or_create(&[id])?.pop().ok_or(CommitError::KeyMissing("the key log/1 of the keyring"))?;
            let seed = Secret::random();
            disk::replace(disk.as_ref(), path, &logkey::encode(&wrapping, &seed)).map_err(at(path))?;
            seed
        }
    };
    SigningKey::from_seed(seed.0, origin).map_err(|e| CommitError::Refused(format!("the origin: {e}")))
}

/// Applies the stage whose checkpoint is `log/current`, publishes, checks the right edge, and drops every other stage. The head is `None` where
/// no commit ever counted.
pub(super) fn recover(
    disk: &SharedDisk,
    origin: &str,
    key: &VerifyingKey,
    staged: Staged,
) -> Result<(Option<Head>, CommitRecovery), CommitError> {
    let mut report = CommitRecovery::default();
    // The name that is seen may not be durable yet: what is decided on it must be.
    disk.sync_dir(Path::new(LOG)).map_err(at(Path::new(LOG)))?;
    let head = read_head(disk, origin, key)?;
    let folder = Path::new(STAGE);
    let mut others = Vec::new();
    for name in disk.list(folder).map_err(at(folder))?.into_iter().filter(|entry| !entry.is_dir).map(|entry| entry.name) {
        let path = folder.join(&name);
        if name.ends_with(".stage") {
            let bytes = disk::read(disk.as_ref(), &path, STAGE_BYTES as u64).map_err(at(&path))?;
            let stage = codec::decode(&bytes).ok();
            match stage.filter(|stage| head.as_ref().is_some_and(|head| head.note == stage.checkpoint)) {
                Some(stage) => {
                    apply::apply(disk.as_ref(), &stage, apply::Try::Again).map_err(at(&path))?;
                    report.finished = head.as_ref().map(|head| head.size);
                }
                None => report.dropped_stages += 1,
            }
        } else if staged == Staged::Keep {
            continue;
        }
        others.push(path);
    }
    if let Some(head) = &head {
        let root = tile::root(head.size, &|path| read_tile(disk.as_ref(), path));
        match root {
            Ok(root) if root == head.root => {}
            Ok(_) => return Err(CommitError::Damaged("its right edge does not lead to log/current".to_owned())),
            Err(error) => return Err(super::tile_error(error)),
        }
        let published = Path::new(CHECKPOINT);
        if apply::read_if_there(disk.as_ref(), published).map_err(at(published))?.as_ref() != Some(&head.note) {
            disk::replace(disk.as_ref(), published, &head.note).map_err(at(published))?;
        }
    }
    for path in others {
        // The stage that was applied has moved its own files away.
        if disk.exists(&path).map_err(at(&path))? {
            disk.remove(&path).map_err(at(&path))?;
            report.dropped_files += u64::from(path.extension().is_none_or(|end| end != "stage" && end != "tmp"));
        }
    }
    disk.sync_dir(folder).map_err(at(folder))?;
    Ok((head, report))
}

fn read_head(disk: &SharedDisk, origin: &str, key: &VerifyingKey) -> Result<Option<Head>, CommitError> {
    let path = Path::new(CURRENT);
    let Some(note) = apply::read_if_there(disk.as_ref(), path).map_err(at(path))? else { return Ok(None) };
    let (checkpoint, _) = Checkpoint::open(&note, origin, key).map_err(|e| CommitError::Damaged(format!("log/current: {e}")))?;
    Ok(Some(Head { size: checkpoint.size, root: checkpoint.root, note }))
}

fn remove_if_there(disk: &SharedDisk, path: &Path) -> Result<(), CommitError> {
    let remove = || -> io::Result<()> { if disk.exists(path)? { disk.remove(path) } else { Ok(()) } };
    remove().map_err(at(path))
}
