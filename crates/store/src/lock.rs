//! One program at a time in a data folder: an exclusive `flock` on `weir.lock`, which the kernel lets go when the program ends however it ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::limits::LOCK_FILE_BYTES;

/// The lock's file in the data folder.
pub const FILE: &str = "weir.lock";

/// Why the data folder cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another program has it.
    #[error("the data folder {folder} is in use by process {pid}: stop it first, or use another folder")]
    Held {
        /// The folder.
        folder: String,
        /// Process id of the holder, or `unknown`.
        pid: String,
    },
    /// The disk failed.
    #[error("{path}: {source}")]
    Io {
        /// The lock's file.
        path: String,
        /// The disk's error.
        source: io::Error,
    },
}

/// The lock; let go when dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Locks the data folder `folder` of the machine, or says who holds it. Does not wait.
    pub fn take(folder: &Path) -> Result<FolderLock, LockError> {
        let path = folder.join(FILE);
        let failed = |source: io::Error| LockError::Io { path: path.display().to_string(), source };
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let mut file = open().map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(LockError::Held { folder: folder.display().to_string(), pid: holder(&mut file) }),
            Err(e) => return Err(failed(e.into())),
        }
        // The pid is for people only: a full disk must not keep the program from starting.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(FolderLock { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(LOCK_FILE_BYTES).read_to_string(&mut text);
    let pid = text.trim();
    if read.is_ok() && !pid.is_empty() && pid.bytes().all(|c| c.is_ascii_digit()) { pid.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(dir.path()).unwrap();
        let error = FolderLock::take(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}:", std::process::id())), "{error}");
        drop(lock);
        let _again = FolderLock::take(dir.path()).unwrap();
        std::fs::write(dir.path().join(FILE), "junk").unwrap();
        assert!(FolderLock::take(dir.path()).unwrap_err().to_string().contains("process unknown"));
        assert!(matches!(FolderLock::take(&dir.path().join("none")), Err(LockError::Io { .. })));
    }
}
