//! The write-ahead log: groups of bytes, numbered without holes, durable when [`Wal::append`] returns.
//!
//! One append is one frame and one sync. A file that failed to sync is never trusted again: the next append begins a new file, whose header
//! says from which group on it counts, so that whatever the failed append left behind is void. After a restart a new file is begun too.

mod aside;
#[cfg(test)]
mod begun;
mod recover;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use weir_base::disk::{DiskFile, SharedDisk};
use weir_base::task::lock;
use weir_record::stored::FormatError;
use weir_record::stored::keyring::KeyId;
use weir_record::stored::limits::FRAME_BODY_BYTES;
use weir_record::stored::wal::{self as codec, ALIGN, Container, FRAME_HEADER_BYTES, FileKey, HEADER_BYTES, Header};

use crate::keyring::{Keyring, KeyringError};
use crate::limits::{WAL_FILE_BYTES, WAL_TOTAL_BYTES};

pub use recover::{Cut, Damage, Recovered};

/// The log's folder in the data folder.
pub const FOLDER: &str = "wal";

/// How large the log may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalLimits {
    /// Size at which the next file is begun, in bytes.
    pub file_bytes: u64,
    /// Size of all files together, in bytes.
    pub total_bytes: u64,
}

impl Default for WalLimits {
    fn default() -> WalLimits {
        WalLimits { file_bytes: WAL_FILE_BYTES, total_bytes: WAL_TOTAL_BYTES }
    }
}

/// Why the log did not do what it was asked. After an error of an append none of its groups is promised, and none has a number.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// No room: on the disk, or under the log's own limit.
    #[error("the write-ahead log has no room ({0}): make room on the disk or raise the limit; it goes on when there is room")]
    Full(String),
    /// The groups do not fit in one frame.
    #[error("the groups take {bytes} bytes, at most {most} fit in one frame: append fewer at once")]
    TooLarge {
        /// Bytes they take.
        bytes: usize,
        /// Bytes a frame has.
        most: usize,
    },
    /// A file is there but its key is not, and that cannot be an unfinished removal.
    #[error(
        "the keyring has no key for file {file} of the write-ahead log: the keyring is older than the log; put the right `keyring` back"
    )]
    KeyMissing {
        /// Number of the file.
        file: u64,
    },
    /// The keyring failed.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A format limit was broken.
    #[error("a frame could not be made: {0}")]
    Format(#[from] FormatError),
    /// The disk failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// The disk's error.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WalError {
    let path = path.display().to_string();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            WalError::Full("the disk is full".to_owned())
        }
        _ => WalError::Io { path, source },
    }
}

fn file_path(number: u64) -> PathBuf {
    Path::new(FOLDER).join(format!("{number:010}.wal"))
}

/// What the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalSize {
    /// Bytes of all files.
    pub bytes: u64,
    /// Number of files.
    pub files: usize,
    /// Bytes it may grow to.
    pub most: u64,
}

/// A file that is no longer written: its groups are `first..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closed {
    number: u64,
    end: u64,
    bytes: u64,
}

struct Current {
    number: u64,
    file: Box<dyn DiskFile>,
    key: FileKey,
    /// Bytes that are surely good.
    len: u64,
    /// Number of the next frame. Goes up even when a frame fails: a number is a nonce.
    frame: u64,
}

struct Inner {
    current: Option<Current>,
    closed: VecDeque<Closed>,
    /// Bytes of files that are being removed right now.
    leaving: u64,
    next_file: u64,
    next_group: u64,
}

impl Inner {
    fn bytes(&self) -> u64 {
        self.closed.iter().map(|file| file.bytes).sum::<u64>() + self.current.as_ref().map_or(0, |file| file.len) + self.leaving
    }

    fn close(&mut self) {
        if let Some(file) = self.current.take() {
            self.closed.push_back(Closed { number: file.number, end: self.next_group, bytes: file.len });
        }
    }
}

/// The write-ahead log. All methods may be called from several threads.
pub struct Wal {
    disk: SharedDisk,
    keyring: Arc<Keyring>,
    limits: WalLimits,
    inner: Mutex<Inner>,
    dropping: Mutex<()>,
}

impl Wal {
    /// Opens the log and replays it: `on_group` hears every group in order, number and bytes, one frame in memory at a time.
    ///
    /// `next_at_least` is one more than the highest group the caller knows to have existed (1 when it knows none): numbers are never given
    /// twice, even where the log's newest file is damaged. Groups count from 1.
    pub fn open(
        disk: &SharedDisk,
        keyring: &Arc<Keyring>,
        limits: WalLimits,
        next_at_least: u64,
        on_group: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(Wal, Recovered), WalError> {
        let (inner, recovered) = recover::run(disk, keyring, next_at_least, on_group)?;
        let (disk, keyring) = (Arc::clone(disk), Arc::clone(keyring));
        Ok((Wal { disk, keyring, limits, inner: Mutex::new(inner), dropping: Mutex::new(()) }, recovered))
    }

    /// Bytes of groups that fit in one frame beside 4 bytes for each.
    pub fn frame_room() -> usize {
        FRAME_BODY_BYTES - codec::body_bytes([].into_iter())
    }

    /// Writes the groups as one frame and returns their numbers when they are durable: all of them, or none.
    pub fn append<B: AsRef<[u8]>>(&self, groups: &[B]) -> Result<Range<u64>, WalError> {
        let body = codec::body_bytes(groups.iter().map(|group| group.as_ref().len()));
        if body > FRAME_BODY_BYTES {
            return Err(WalError::TooLarge { bytes: body, most: FRAME_BODY_BYTES });
        }
        let mut inner = lock(&self.inner);
        let first = inner.next_group;
        if groups.is_empty() {
            return Ok(first..first);
        }
        let frame_bytes = (FRAME_HEADER_BYTES + body).next_multiple_of(ALIGN) as u64;
        let fits =
            inner.current.as_ref().is_some_and(|file| file.len + frame_bytes <= self.limits.file_bytes || file.len == HEADER_BYTES as u64);
        let header = if fits { 0 } else { HEADER_BYTES as u64 };
        if inner.bytes() + header + frame_bytes > self.limits.total_bytes {
            return Err(WalError::Full(format!("{} of {} bytes are used", inner.bytes(), self.limits.total_bytes)));
        }
        if !fits {
            self.begin_file(&mut inner)?;
        }
        self.write_frame(&mut inner, groups)?;
        inner.next_group += groups.len() as u64;
        Ok(first..inner.next_group)
    }

    fn write_frame<B: AsRef<[u8]>>(&self, inner: &mut Inner, groups: &[B]) -> Result<(), WalError> {
        let first = inner.next_group;
        let Some(file) = inner.current.as_mut() else { return Err(WalError::Full("no file is open".to_owned())) };
        let path = file_path(file.number);
        let bytes = codec::encode_frame(&file.key, file.frame, first, groups)?;
        file.frame += 1;
        if let Err(e) = file.file.write_at(&bytes, file.len) {
            let error = at(&path)(e);
            // A full disk leaves a part of the frame: cut it off and go on in this file. Any other failure ends the file.
            if file.file.set_len(file.len).is_err() || !matches!(error, WalError::Full(_)) {
                inner.close();
            }
            return Err(error);
        }
        if let Err(e) = file.file.sync() {
            // What a failed sync left on the disk is unknown for ever, and the next one would not say so.
            let _ = file.file.set_len(file.len);
            inner.close();
            return Err(at(&path)(e));
        }
        file.len += bytes.len() as u64;
        Ok(())
    }

    /// Begins a new file. The old one is closed first, so that a failure here leaves no file open.
    ///
    /// The name is there, and durable, before its key is: a key without a file always means that somebody else removed the file, also to a
    /// judge who looks on while it is begun.
    fn begin_file(&self, inner: &mut Inner) -> Result<(), WalError> {
        inner.close();
        let (number, folder) = (inner.next_file, Path::new(FOLDER));
        let path = file_path(number);
        let name = || -> io::Result<Box<dyn DiskFile>> {
            // Left by an earlier try that failed: nothing in it was ever promised.
            let file = if self.disk.exists(&path)? {
                let file = self.disk.open(&path, true)?;
                file.set_len(0)?;
                file
            } else {
                self.disk.create(&path)?
            };
            // Also for a file of an earlier try: perhaps this is what failed.
            self.disk.sync_dir(folder)?;
            Ok(file)
        };
        let file = name().map_err(at(&path))?;
        let wrapping = self.keyring.get_or_create(&[KeyId::wal(number)])?.pop().ok_or(WalError::KeyMissing { file: number })?;
        let (header, key) = Header::new(Container::Wal, number, inner.next_group, &wrapping);
        file.write_at(&header.encode(), 0).and_then(|()| file.sync()).map_err(at(&path))?;
        inner.current = Some(Current { number, file, key, len: HEADER_BYTES as u64, frame: 0 });
        inner.next_file += 1;
        Ok(())
    }

    /// Begins a new file, so that those before it can be dropped once their groups are sealed. Does nothing while the current file is empty.
    pub fn rotate(&self) -> Result<(), WalError> {
        let mut inner = lock(&self.inner);
        if inner.current.as_ref().is_some_and(|file| file.len == HEADER_BYTES as u64) {
            return Ok(());
        }
        self.begin_file(&mut inner)
    }

    /// Removes every file whose groups are all at most `group`, and their keys; never the newest file. Call it only when those groups are
    /// sealed and their state is in a durable snapshot. Returns how many files went.
    ///
    /// Keys go first, oldest file first: a file without its key is unreadable, and the next start finishes the removal. Only an unbroken
    /// run of the oldest files can be without keys, so that a keyring older than the log is told from an unfinished removal.
    pub fn drop_through(&self, group: u64) -> Result<usize, WalError> {
        let _one_at_a_time = lock(&self.dropping);
        let mut going = Vec::new();
        {
            let mut inner = lock(&self.inner);
            let most = inner.closed.len() - usize::from(inner.current.is_none() && !inner.closed.is_empty());
            while going.len() < most {
                match inner.closed.pop_front() {
                    Some(file) if file.end <= group.saturating_add(1) => going.push(file),
                    Some(file) => {
                        inner.closed.push_front(file);
                        break;
                    }
                    None => break,
                }
            }
            inner.leaving = going.iter().map(|file| file.bytes).sum();
        }
        let result = if going.is_empty() { Ok(()) } else { self.remove(&going) };
        let mut inner = lock(&self.inner);
        inner.leaving = 0;
        if let Err(error) = result {
            going.iter().rev().for_each(|file| inner.closed.push_front(*file));
            return Err(error);
        }
        Ok(going.len())
    }

    fn remove(&self, going: &[Closed]) -> Result<(), WalError> {
        let ids: Vec<KeyId> = going.iter().map(|file| KeyId::wal(file.number)).collect();
        self.keyring.destroy(&ids)?;
        for file in going {
            let path = file_path(file.number);
            if self.disk.exists(&path).map_err(at(&path))? {
                self.disk.remove(&path).map_err(at(&path))?;
            }
        }
        self.disk.sync_dir(Path::new(FOLDER)).map_err(at(Path::new(FOLDER)))
    }

    /// What the log holds now.
    pub fn size(&self) -> WalSize {
        let inner = lock(&self.inner);
        let files = inner.closed.len() + usize::from(inner.current.is_some());
        WalSize { bytes: inner.bytes(), files, most: self.limits.total_bytes }
    }

    /// The number the next group will get.
    pub fn next_group(&self) -> u64 {
        lock(&self.inner).next_group
    }

    /// Tells that the cuts of the last recovery are on record; they are not reported again. The bytes stay.
    pub fn confirm_cuts(&self) -> Result<(), WalError> {
        aside::confirm(&self.disk)
    }

    /// The cut tails that are kept, confirmed or not.
    pub fn asides(&self) -> Result<Vec<Cut>, WalError> {
        Ok(aside::list(&self.disk)?.into_iter().map(|(cut, _)| cut).collect())
    }

    /// Destroys the key of the tail cut from `file` and removes its bytes.
    pub fn remove_aside(&self, file: u64) -> Result<(), WalError> {
        aside::remove(&self.disk, &self.keyring, file)
    }
}
