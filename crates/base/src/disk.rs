//! Durable files behind a trait, so that the store's own code runs on a simulated disk that loses, tears and reorders what was not
//! synced.
//!
//! Paths are relative to the disk's root. What counts as durable: the bytes of a file after [`DiskFile::sync`], a name (created, renamed
//! or removed) after [`Disk::sync_dir`] of its folder. Nothing else.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a folder holds under one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// File name without its folder.
    pub name: String,
    /// Length in bytes; 0 for a folder.
    pub len: u64,
    /// True for a folder.
    pub is_dir: bool,
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Reads up to `buf.len()` bytes at `offset`; fewer only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `buf` at `offset`.
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes the file's bytes and length durable.
    fn sync(&self) -> io::Result<()>;

    /// True if the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads exactly `buf.len()` bytes at `offset`.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            match self.read_at(&mut buf[done..], offset + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => done += n,
            }
        }
        Ok(())
    }
}

/// A folder of files with explicit durability. New files have mode 0600, new folders 0700.
pub trait Disk: Send + Sync {
    /// Creates a file that must not exist yet, open for reading and writing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file, for writing too if `write`.
    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>>;
    /// Renames a file, replacing what `to` names.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Names in a folder, sorted; an absent folder is empty.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Creates a folder and its parents, durable on return.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Removes an empty folder.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// True if a file or folder of this name exists.
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// Bytes still free for us, if known.
    fn free_bytes(&self) -> io::Result<Option<u64>>;
}

/// A shared disk.
pub type SharedDisk = Arc<dyn Disk>;

/// Reads a whole file of at most `limit` bytes.
pub fn read(disk: &dyn Disk, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, false)?;
    let len = file.len()?;
    if len > limit {
        return Err(io::Error::other(format!("{} is {len} bytes long, more than the {limit} allowed", path.display())));
    }
    let mut buf = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut buf, 0)?;
    Ok(buf)
}

/// Replaces a file's content so that after a crash either the old or the new content is there: temporary file, sync, rename, sync
/// of the folder. Durable on return.
pub fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let tmp = path.with_file_name(name);
    if disk.exists(&tmp)? {
        disk.remove(&tmp)?;
    }
    let file = disk.create(&tmp)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&tmp, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// Writes a new file durably; the folder's name entry too.
pub fn write_new(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = disk.create(path)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// A folder of the machine's file system.
#[derive(Clone, Debug)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// The folder `root`, created with mode 0700 if absent.
    pub fn new(root: &Path) -> io::Result<RealDisk> {
        if !root.exists() {
            fs::create_dir_all(root)?;
            fs::set_permissions(root, Permissions::from_mode(0o700))?;
        }
        Ok(RealDisk { root: root.to_owned() })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

impl DiskFile for File {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buf.len() {
            match FileExt::read_at(self, &mut buf[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, buf, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.root.join(path))?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(self.root.join(path))?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(self.root.join(from), self.root.join(to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(self.root.join(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let entries = match fs::read_dir(self.root.join(dir)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut out = Vec::new();
        for entry in entries {
            let entry = entry?;
            let meta = entry.metadata()?;
            let is_dir = meta.is_dir();
            let len = if is_dir { 0 } else { meta.len() };
            out.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), len, is_dir });
        }
        out.sort();
        Ok(out)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut path = PathBuf::new();
        for part in dir.components() {
            let parent = path.clone();
            path.push(part);
            let full = self.root.join(&path);
            match fs::create_dir(&full) {
                Ok(()) => {
                    fs::set_permissions(&full, Permissions::from_mode(0o700))?;
                    self.sync_dir(&parent)?;
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir(self.root.join(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(self.root.join(dir))?.sync_all()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.root.join(path).try_exists()
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        let stat = rustix::fs::statvfs(&self.root)?;
        Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_leaves_no_temporary_file_and_mode_is_0600() {
        let dir = tempfile::tempdir().unwrap();
        let disk = RealDisk::new(&dir.path().join("data")).unwrap();
        disk.create_dir(Path::new("a/b")).unwrap();
        for text in ["one", "two"] {
            replace(&disk, Path::new("a/b/f"), text.as_bytes()).unwrap();
            assert_eq!(read(&disk, Path::new("a/b/f"), 10).unwrap(), text.as_bytes());
        }
        let names: Vec<_> = disk.list(Path::new("a/b")).unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["f"]);
        let mode = fs::metadata(dir.path().join("data/a/b/f")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(disk.create(Path::new("a/b/f")).is_err());
        assert!(read(&disk, Path::new("a/b/f"), 2).is_err());
        assert!(disk.list(Path::new("nowhere")).unwrap().is_empty());
    }
}
