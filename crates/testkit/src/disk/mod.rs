//! A simulated disk.
//!
//! It keeps what a program sees (the live state) apart from what would survive a power cut (the durable state) and the changes between
//! the two. [`SimDisk::crash`] decides with a seed which of those changes had reached the platter: each write may be kept, dropped, torn
//! at 512-byte sectors, and applied in another order; a file may have got its new length without its bytes (zeros or junk); each
//! unsynced name may have been created, renamed or removed or not, folder by folder. A rename within one folder is atomic; across two
//! folders the old name never goes before the new one is there, as on every journalling file system, but both may be seen.
//!
//! A failed `sync` drops changes for good, as Linux does: the live state may go on showing them, and a later `sync` that succeeds does
//! not bring them back.

mod model;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use weir_base::disk::{Disk, DiskFile, Entry};
use weir_base::task::lock;

use crate::rng::Rng;
use model::State;

/// What goes wrong at one numbered operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operation fails and does nothing. A `sync` that fails so may lose the changes it should have kept.
    NoEffect,
    /// The operation fails although it was done.
    WithEffect,
    /// The power goes before the operation: everything fails from here to [`SimDisk::crash`].
    PowerOffBefore,
    /// The power goes after the operation was done, but before its success was told.
    PowerOffAfter,
}

/// How often, out of 1,000 operations, something goes wrong by chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Operations that fail, with or without effect.
    pub error: u32,
    /// Operations at which the power goes.
    pub power_off: u32,
}

/// A simulated disk; clones share it.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<State>>);

impl Default for SimDisk {
    fn default() -> SimDisk {
        SimDisk::new()
    }
}

impl SimDisk {
    /// An empty disk without a limit.
    pub fn new() -> SimDisk {
        SimDisk(Arc::new(Mutex::new(State::default())))
    }

    /// A shared handle, as the store takes it.
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Power cut and restart: what was durable stays, what was not is decided by `seed`. Every file open before is dead afterwards, and
    /// all planned faults are forgotten. The limit stays.
    pub fn crash(&self, seed: u64) {
        lock(&self.0).crash(seed);
    }

    /// A restart of the program alone: files open before are dead, planned faults are forgotten, nothing is lost.
    pub fn restart(&self) {
        lock(&self.0).restart();
    }

    /// Lets operation number `op` (as [`SimDisk::operations`] counts) fail.
    pub fn fail_at(&self, op: u64, fault: Fault) {
        lock(&self.0).plan.insert(op, fault);
    }

    /// Lets read number `read` (as [`SimDisk::reads`] counts) fail.
    pub fn fail_read_at(&self, read: u64) {
        lock(&self.0).read_plan.insert(read);
    }

    /// Lets operations fail by chance from now to the next crash or restart.
    pub fn fail_by_chance(&self, seed: u64, rates: Rates) {
        lock(&self.0).chance = Some((Rng::new(seed), rates));
    }

    /// Forgets all planned and chance faults.
    pub fn heal(&self) {
        lock(&self.0).heal();
    }

    /// Operations that change something (create, write, cut, sync, rename, remove, folders) so far. The next one has this number.
    pub fn operations(&self) -> u64 {
        lock(&self.0).ops
    }

    /// Reads so far. The next one has this number.
    pub fn reads(&self) -> u64 {
        lock(&self.0).reads
    }

    /// True from a power cut to the next [`SimDisk::crash`].
    pub fn is_off(&self) -> bool {
        lock(&self.0).off
    }

    /// Limits the space to `bytes`, counted in blocks of 4 KiB; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        lock(&self.0).capacity = bytes;
    }

    /// Bytes in use, counted in blocks of 4 KiB.
    pub fn used(&self) -> u64 {
        lock(&self.0).used()
    }

    /// Changes bytes on the platter itself, as decay or a tamperer would; nothing counts it.
    ///
    /// # Panics
    /// If no such file exists: a test that damages nothing proves nothing.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        lock(&self.0).damage(path, change);
    }

    /// Every file's path and live bytes, sorted by path.
    pub fn files(&self) -> Vec<(std::path::PathBuf, Vec<u8>)> {
        lock(&self.0).files()
    }
}

struct SimFile {
    state: Arc<Mutex<State>>,
    ino: u64,
    epoch: u64,
    write: bool,
}

impl SimFile {
    fn writable(&self) -> io::Result<()> {
        if self.write { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        lock(&self.state).read(self.ino, self.epoch, buf, offset)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?;
        lock(&self.state).write(self.ino, self.epoch, buf, offset)
    }

    fn len(&self) -> io::Result<u64> {
        lock(&self.state).len(self.ino, self.epoch)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.writable()?;
        lock(&self.state).set_len(self.ino, self.epoch, len)
    }

    fn sync(&self) -> io::Result<()> {
        lock(&self.state).sync(self.ino, self.epoch)
    }
}

impl SimDisk {
    fn handle(&self, ino: u64, epoch: u64, write: bool) -> Box<dyn DiskFile> {
        Box::new(SimFile { state: Arc::clone(&self.0), ino, epoch, write })
    }
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let (ino, epoch) = lock(&self.0).create(path)?;
        Ok(self.handle(ino, epoch, true))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        let (ino, epoch) = lock(&self.0).open(path)?;
        Ok(self.handle(ino, epoch, write))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        lock(&self.0).rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        lock(&self.0).remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        lock(&self.0).list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        lock(&self.0).create_dir(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        lock(&self.0).remove_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        lock(&self.0).sync_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        lock(&self.0).exists(path)
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        let state = lock(&self.0);
        Ok(state.capacity.map(|limit| limit.saturating_sub(state.used())))
    }
}
