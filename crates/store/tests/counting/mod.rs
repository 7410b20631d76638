//! A real disk that counts the bytes read from what look-ups read: index files and sealed units.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use weir_base::disk::{Disk, DiskFile, Entry, RealDisk};

/// The disk.
#[derive(Clone)]
pub struct CountingDisk {
    inner: Arc<RealDisk>,
    read: Arc<AtomicU64>,
}

impl CountingDisk {
    pub fn new(root: &Path) -> CountingDisk {
        CountingDisk { inner: Arc::new(RealDisk::new(root).unwrap()), read: Arc::default() }
    }

    /// Counts from zero again.
    pub fn start(&self) {
        self.read.store(0, Ordering::SeqCst);
    }

    /// Bytes read since then.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }
}

struct CountingFile {
    inner: Box<dyn DiskFile>,
    read: Arc<AtomicU64>,
}

impl DiskFile for CountingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let n = self.inner.read_at(buf, offset)?;
        self.read.fetch_add(n as u64, Ordering::SeqCst);
        Ok(n)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(buf, offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
}

impl Disk for CountingDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.inner.create(path)
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        let inner = self.inner.open(path, write)?;
        let counts = path.starts_with("index") || path.starts_with("segments");
        Ok(if counts { Box::new(CountingFile { inner, read: Arc::clone(&self.read) }) } else { inner })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.inner.remove(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.remove_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.inner.exists(path)
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        self.inner.free_bytes()
    }
}
