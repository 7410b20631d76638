//! The data folder, for reading only.

use std::io;
use std::path::Path;

use weir_base::disk::{Disk, DiskFile, Entry, RealDisk, read};
use weir_record::parquet::Source;

use super::limits::DEPTH;

/// A data folder. Nothing is ever written to it.
pub struct Folder {
    disk: RealDisk,
}

impl Folder {
    /// The folder at this path, if it is one that the program has used.
    pub fn open(path: &Path) -> Option<Folder> {
        let used = ["keyring", "log", "segments", "master.key"].iter().any(|name| path.join(name).exists());
        // `RealDisk::new` makes a folder that is not there, so look first.
        (path.is_dir() && used).then(|| RealDisk::new(path).ok().map(|disk| Folder { disk })).flatten()
    }

    /// Permission bits of a file.
    pub fn mode(&self, path: &str) -> io::Result<u32> {
        use std::os::unix::fs::PermissionsExt;
        Ok(std::fs::metadata(self.disk.root().join(path))?.permissions().mode() & 0o7777)
    }

    /// A whole file of at most `limit` bytes.
    pub fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        read(&self.disk, Path::new(path), limit)
    }

    /// A file; `None` if there is none.
    pub fn read_if_there(&self, path: &str, limit: u64) -> io::Result<Option<Vec<u8>>> {
        match self.read(path, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// An open file.
    pub fn file(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        self.disk.open(Path::new(path), false)
    }

    /// True if there is such a file or folder.
    pub fn exists(&self, path: &str) -> bool {
        self.disk.exists(Path::new(path)).unwrap_or(false)
    }

    /// Names in a folder, sorted; none if it is not there.
    pub fn list(&self, path: &str) -> io::Result<Vec<Entry>> {
        self.disk.list(Path::new(path))
    }

    /// Files below a folder, as paths from the data folder, sorted within each folder.
    pub fn tree(&self, path: &str) -> io::Result<Vec<String>> {
        let mut out = Vec::new();
        self.walk(path, DEPTH, &mut out)?;
        Ok(out)
    }

    fn walk(&self, path: &str, depth: usize, out: &mut Vec<String>) -> io::Result<()> {
        for entry in self.list(path)? {
            let name = format!("{path}/{}", entry.name);
            match (entry.is_dir, depth.checked_sub(1)) {
                // A folder that goes while it is looked at (repacking ends an hour's) has no files any more.
                (true, Some(left)) => match self.walk(&name, left, out) {
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    other => other?,
                },
                _ => out.push(name),
            }
        }
        Ok(())
    }

    /// Numbers of the files `NNNNNNNNNN.<end>` in a folder, sorted.
    pub fn numbers(&self, path: &str, end: &str) -> io::Result<Vec<u64>> {
        let number = |e: Entry| e.name.strip_suffix(end)?.strip_suffix('.')?.parse().ok();
        let mut numbers: Vec<u64> = self.list(path)?.into_iter().filter_map(number).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// An open file as the Parquet codec reads it.
pub struct OpenFile(pub Box<dyn DiskFile>);

impl Source for OpenFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_range(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        // The codec asks for no more than its own limits, but never for more than there is either.
        let there = usize::try_from(self.0.len()?.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; len.min(there)];
        let got = self.0.read_at(&mut bytes, offset)?;
        bytes.truncate(got);
        Ok(bytes)
    }
}
