//! `weir.sock`: how commands and, later, the console ask the running program. One JSON object a line, both ways.

pub mod access;
pub mod batch;
pub mod client;
pub mod file;
#[cfg(test)]
mod fuzz;
pub mod ops;
pub mod protocol;
pub mod server;
pub mod told;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::limits::SOCKET_PATH_BYTES;

/// The socket's name in the data folder.
pub const FILE: &str = "weir.sock";

/// A path to the socket that is short enough for a socket address; the handle keeps it alive.
pub struct SocketPath {
    /// The path to bind or connect to.
    pub path: PathBuf,
    _folder: Option<OwnedFd>,
}

/// The socket's path. A data folder with a long name is reached through the kernel's table of open files, as a socket address has
/// room for 107 bytes only.
pub fn path(data: &Path) -> io::Result<SocketPath> {
    let path = data.join(FILE);
    if path.as_os_str().len() <= SOCKET_PATH_BYTES {
        return Ok(SocketPath { path, _folder: None });
    }
    let folder = rustix::fs::open(data, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(FILE);
    Ok(SocketPath { path, _folder: Some(folder) })
}
