//! The commit order: stage unit files, tiles and checkpoint; swap the checkpoint; apply the stage; publish; drop the stage. Then the caller
//! updates the index. Opening the log after a crash runs the same functions.
//!
//! A commit has happened when `log/current` holds its checkpoint durably. All it has to do after that is in its stage, and is done again until
//! it is done.

mod apply;
mod prune;
mod recover;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use weir_base::disk::{self, Disk, SharedDisk};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::stored::FormatError;
use weir_record::stored::stage::{self as codec, Stage};
use weir_seal::Hash;
use weir_seal::checkpoint::Checkpoint;
use weir_seal::limits::TILE_WIDTH;
use weir_seal::merkle::empty_root;
use weir_seal::note::{SigningKey, VerifyingKey};
use weir_seal::tile::{self, TileError, TileKind, TilePath};

use crate::keyring::{Keyring, KeyringError};
use crate::limits::{COMMIT_SPARE_BYTES, TILE_FILE_BYTES};

pub use recover::CommitRecovery;

/// The log's folder in the data folder.
pub const LOG: &str = "log";
/// The folder for files that are not committed yet. What is in it at start and was not committed is removed.
pub const STAGE: &str = "stage";
/// The checkpoint that counts; swapped by a commit.
pub const CURRENT: &str = "log/current";
/// The published checkpoint; follows [`CURRENT`] once all it speaks of is in place.
pub const CHECKPOINT: &str = "log/checkpoint";
/// The wrapped seed of the signing key.
pub const KEY: &str = "log.key";

/// Which log this is, for its first entry.
#[derive(Clone, Copy, Debug)]
pub struct LogIdentity<'a> {
    /// The log's name in its checkpoints.
    pub origin: &'a str,
    /// The program that begins it, such as `weir-0.1.0`.
    pub program: &'a str,
    /// The time now.
    pub now: Millis,
}

/// What one commit does: all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// New log entries, one or more.
    pub entries: Vec<Vec<u8>>,
    /// Files to put in their place: from (`stage/<name>`, written and synced), to (a name that does not exist yet).
    pub files: Vec<(PathBuf, PathBuf)>,
    /// Files to remove once the new ones are in place.
    pub removes: Vec<PathBuf>,
}

/// A commit that happened and is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Index of the first new entry.
    pub first_index: u64,
    /// Entries in the log now.
    pub size: u64,
    /// The log's root now.
    pub root: Hash,
    /// The new checkpoint, a signed note.
    pub checkpoint: Vec<u8>,
}

/// Why a commit or the log did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The plan breaks a rule. Nothing happened.
    #[error("the commit is refused: {0}")]
    Refused(String),
    /// No room. Nothing happened; staged files are where they were.
    #[error("the disk has no room for the commit ({need} bytes wanted): make room; it goes on when there is room")]
    Full {
        /// Bytes wanted.
        need: u64,
    },
    /// The disk failed before the commit counted. Nothing happened; staged files are where they were.
    #[error("nothing was committed: {0}")]
    NotCommitted(#[source] io::Error),
    /// The disk failed when the commit may have counted. Nothing can be committed until [`Committer::settle`] succeeds; then the commit has
    /// happened if the log's size is `size`.
    #[error("it is not settled whether the log has {size} entries: {source}")]
    Unsettled {
        /// Entries of the log if the commit happened.
        size: u64,
        /// The disk's error.
        source: io::Error,
    },
    /// `log/current` is not what this program left.
    #[error("log/current was changed by another program: stop that program, run `weir verify`, start again")]
    Diverged,
    /// The stored log does not fit its checkpoint.
    #[error("the log is damaged: {0}; run `weir verify` and restore the `log` folder")]
    Damaged(String),
    /// The folder belongs to a log of another name.
    #[error("the data folder holds the log {is}, the configuration says {asked}: set the origin to {is}, or use another data folder")]
    OtherOrigin {
        /// The log's origin.
        is: String,
        /// The origin asked for.
        asked: String,
    },
    /// There is a log, but not its key.
    #[error("{0} is missing although there is a log: put it back; without it the log cannot go on")]
    KeyMissing(&'static str),
    /// `log.key` does not open.
    #[error("log.key cannot be used: {0}; put the right log.key back")]
    KeyFile(FormatError),
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The disk failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// The disk's error.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CommitError {
    let path = path.display().to_string();
    move |source| CommitError::Io { path, source }
}

/// The head of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    size: u64,
    root: Hash,
    /// Empty before the first commit.
    note: Vec<u8>,
}

/// The log and the only way to change it. All methods may be called from several threads; commits go one after the other.
pub struct Committer {
    disk: SharedDisk,
    origin: String,
    key: SigningKey,
    head: RwLock<Arc<Head>>,
    /// True when a commit failed at a point where it may have counted.
    unsettled: Mutex<bool>,
}

impl Committer {
    /// Opens the log: finishes or drops what a crash left, checks that the right edge leads to the checkpoint, and begins a log where there
    /// is none.
    pub fn open(disk: &SharedDisk, keyring: &Keyring, identity: &LogIdentity<'_>) -> Result<(Committer, CommitRecovery), CommitError> {
        recover::open(disk, keyring, identity)
    }

    /// Commits. See [`CommitError`] for what holds after an error.
    pub fn commit(&self, plan: &Plan) -> Result<Committed, CommitError> {
        let mut unsettled = lock(&self.unsettled);
        let old = self.head();
        if *unsettled {
            return Err(CommitError::Unsettled { size: old.size, source: io::Error::other("an earlier commit is not settled") });
        }
        self.check(plan)?;
        let (stage, new) = self.stage(&old, plan)?;
        let committed = Committed { first_index: old.size, size: new.size, root: new.root, checkpoint: new.note.clone() };
        self.write_stage(&stage, &new, plan)?;
        if self.read_current()? != old.note {
            return Err(CommitError::Diverged);
        }
        let disk = self.disk.as_ref();
        let swap_and_apply = || -> io::Result<()> {
            disk::replace(disk, Path::new(CURRENT), &new.note)?;
            apply::apply(disk, &stage, apply::Try::First)?;
            disk::replace(disk, Path::new(CHECKPOINT), &new.note)?;
            apply::drop_stage(disk, new.size)
        };
        match swap_and_apply() {
            Ok(()) => {
                self.set_head(new);
                Ok(committed)
            }
            Err(source) => {
                *unsettled = true;
                match self.settle_now(&mut unsettled) {
                    Ok(()) if self.head().note == new.note => Ok(committed),
                    Ok(()) => Err(CommitError::NotCommitted(source)),
                    Err(_) => Err(CommitError::Unsettled { size: new.size, source }),
                }
            }
        }
    }

    /// Finishes or drops a commit that failed midway; does nothing when none did. On success the log's size tells which.
    pub fn settle(&self) -> Result<(), CommitError> {
        let mut unsettled = lock(&self.unsettled);
        if *unsettled { self.settle_now(&mut unsettled) } else { Ok(()) }
    }

    fn settle_now(&self, unsettled: &mut bool) -> Result<(), CommitError> {
        let (head, _) = recover::recover(&self.disk, &self.origin, self.key.verifying_key(), recover::Staged::Keep)?;
        // Before the first commit there is no head to go back to.
        self.set_head(head.unwrap_or_else(no_head));
        *unsettled = false;
        Ok(())
    }

    fn check(&self, plan: &Plan) -> Result<(), CommitError> {
        let refuse = |why: String| Err(CommitError::Refused(why));
        if plan.entries.is_empty() {
            return refuse("it has no log entry".to_owned());
        }
        let mut names = BTreeSet::new();
        for (from, to) in &plan.files {
            let name = text(from).and_then(|path| path.strip_prefix("stage/"));
            if name.is_none_or(|name| name.contains('/') || name.ends_with(".stage") || name.ends_with(".tmp")) {
                return refuse(format!("{} is not a staged file: use stage/<name>", from.display()));
            }
            if !may_touch(to) || !names.insert(to) || !names.insert(from) {
                return refuse(format!("{} is not a place for a file, or is named twice", to.display()));
            }
            if self.disk.exists(to).map_err(CommitError::NotCommitted)? {
                return refuse(format!("{} exists already", to.display()));
            }
            if !self.disk.exists(from).map_err(CommitError::NotCommitted)? {
                return refuse(format!("{} does not exist", from.display()));
            }
        }
        match plan.removes.iter().find(|path| !may_touch(path) || !names.insert(path)) {
            Some(path) => refuse(format!("{} may not be removed, or is named twice", path.display())),
            None => Ok(()),
        }
    }

    /// Works out everything the commit will do. Reads only.
    fn stage(&self, old: &Head, plan: &Plan) -> Result<(Stage, Head), CommitError> {
        let grown = tile::append(old.size, &plan.entries, &|path| self.read_tile(path)).map_err(|error| match error {
            TileError::Read { error, .. } => CommitError::NotCommitted(error),
            TileError::EntryTooLong { .. } | TileError::Full => CommitError::Refused(error.to_string()),
            other => CommitError::Damaged(other.to_string()),
        })?;
        if grown.old_root != old.root {
            return Err(CommitError::Damaged("its right edge does not lead to the last checkpoint".to_owned()));
        }
        let checkpoint = Checkpoint::new(&self.origin, grown.size, grown.root);
        let note = checkpoint.sign(&[&self.key]).map_err(|e| CommitError::Refused(e.to_string()))?.encode();
        let owned = |path: &Path| text(path).map(str::to_owned).unwrap_or_default();
        let mut removes: Vec<String> = plan.removes.iter().map(|path| owned(path)).collect();
        removes.extend(prune::old_partial_tiles(self.disk.as_ref(), old.size).map_err(CommitError::NotCommitted)?);
        let stage = Stage {
            old_size: old.size,
            old_root: old.root,
            checkpoint: note.clone(),
            tiles: grown.tiles.into_iter().map(|(path, bytes)| (path.to_string(), bytes)).collect(),
            moves: plan.files.iter().map(|(from, to)| (owned(from), owned(to))).collect(),
            removes,
        };
        Ok((stage, Head { size: grown.size, root: grown.root, note }))
    }

    /// Makes the stage and the staged files durable. After an error nothing counts: the swap has not happened.
    fn write_stage(&self, stage: &Stage, new: &Head, plan: &Plan) -> Result<(), CommitError> {
        let bytes = codec::encode(stage).map_err(|e| CommitError::Refused(e.to_string()))?;
        let disk = self.disk.as_ref();
        // Stage and tiles are both on the disk at once. Without this room the commit could count and then not be finished.
        let need = bytes.len() as u64 * 2 + stage.tiles.len() as u64 * 8_192 + COMMIT_SPARE_BYTES;
        if disk.free_bytes().map_err(CommitError::NotCommitted)?.is_some_and(|free| free < need) {
            return Err(CommitError::Full { need });
        }
        let write = || -> io::Result<()> {
            for (from, _) in &plan.files {
                disk.open(from, true)?.sync()?;
            }
            // The folder's sync keeps the names of the staged files too.
            disk::replace(disk, &apply::stage_path(new.size), &bytes)
        };
        write().map_err(|source| {
            // A stage left here is dropped by the next start; to remove it now is only tidy.
            let _ = apply::drop_stage(disk, new.size);
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => CommitError::Full { need },
                _ => CommitError::NotCommitted(source),
            }
        })
    }

    fn read_current(&self) -> Result<Vec<u8>, CommitError> {
        apply::read_if_there(self.disk.as_ref(), Path::new(CURRENT)).map(Option::unwrap_or_default).map_err(CommitError::NotCommitted)
    }

    fn head(&self) -> Arc<Head> {
        Arc::clone(&self.head.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_head(&self, head: Head) {
        *self.head.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(head);
    }

    fn read_tile(&self, path: &TilePath) -> io::Result<Vec<u8>> {
        read_tile(self.disk.as_ref(), path)
    }

    /// Entries in the log.
    pub fn size(&self) -> u64 {
        self.head().size
    }

    /// The log's root.
    pub fn root(&self) -> Hash {
        self.head().root
    }

    /// The root of its first `size` entries; none where it has fewer.
    pub fn root_at(&self, size: u64) -> Result<Option<Hash>, CommitError> {
        let now = self.size();
        if size > now {
            return Ok(None);
        }
        // A tile that ended there goes when it grows, and begins the one that is there now.
        let read = |path: &TilePath| {
            let wider = TilePath::in_tree(path.kind(), path.index(), now).unwrap_or(*path);
            let mut bytes = self.read_tile(&wider)?;
            bytes.truncate(usize::from(path.width()) * size_of::<Hash>());
            Ok(bytes)
        };
        tile::root(size, &read).map(Some).map_err(tile_error)
    }

    /// The checkpoint that counts, a signed note.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.head().note.clone()
    }

    /// The key that signs the log.
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.key.verifying_key()
    }

    /// The bytes of one entry.
    pub fn read_entry(&self, index: u64) -> Result<Vec<u8>, CommitError> {
        tile::entry(index, self.size(), &|path| self.read_tile(path)).map_err(tile_error)
    }

    /// Hands the entries of a range to `on_entry`, index and bytes, in order; one bundle in memory at a time.
    pub fn entries(&self, range: Range<u64>, on_entry: &mut dyn FnMut(u64, &[u8])) -> Result<(), CommitError> {
        let size = self.size();
        if range.end > size {
            return Err(CommitError::Refused(format!("entries up to {} were asked for, the log has {size}", range.end)));
        }
        let mut next = range.start;
        while next < range.end {
            let bundle = next / TILE_WIDTH as u64;
            let damaged = |what: &str| CommitError::Damaged(format!("bundle {bundle} {what}"));
            let path = TilePath::in_tree(TileKind::Entries, bundle, size).ok_or_else(|| damaged("does not exist"))?;
            let bytes = self.read_tile(&path).map_err(at(&Path::new(LOG).join(path.to_string())))?;
            let entries = tile::decode_bundle(&bytes).map_err(|e| damaged(&e.to_string()))?;
            let end = range.end.min((bundle + 1) * TILE_WIDTH as u64);
            let first = bundle * TILE_WIDTH as u64;
            if entries.len() as u64 + first < end {
                return Err(damaged("has too few entries"));
            }
            for (index, entry) in (first..end).zip(&entries).filter(|(index, _)| range.contains(index)) {
                on_entry(index, entry);
            }
            next = end;
        }
        Ok(())
    }
}

fn tile_error(error: TileError<io::Error>) -> CommitError {
    match error {
        TileError::Read { path, error } => CommitError::Io { path: format!("{LOG}/{path}"), source: error },
        TileError::Proof(proof) => CommitError::Refused(proof.to_string()),
        other => CommitError::Damaged(other.to_string()),
    }
}

fn read_tile(disk: &dyn Disk, path: &TilePath) -> io::Result<Vec<u8>> {
    disk::read(disk, &Path::new(LOG).join(path.to_string()), TILE_FILE_BYTES)
}

fn no_head() -> Head {
    Head { size: 0, root: empty_root(), note: Vec::new() }
}

fn text(path: &Path) -> Option<&str> {
    path.to_str().filter(|path| codec::is_path(path))
}

/// Files of a plan lie in folders of their own, never among those of the log, the write-ahead log or the state.
fn may_touch(path: &Path) -> bool {
    let folder = text(path).and_then(|path| path.split_once('/')).map(|(folder, _)| folder);
    folder.is_some_and(|folder| ![LOG, STAGE, crate::wal::FOLDER, crate::state::FOLDER].contains(&folder))
}
