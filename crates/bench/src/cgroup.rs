//! A control group of our own, which ends a process that takes more memory than it may.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shared::Outcome;

/// A group, until dropped.
pub struct Group {
    folder: PathBuf,
}

impl Group {
    /// A group with so many bytes of memory, swap included; none where this machine gives us none.
    pub fn of(bytes: u64) -> Outcome<Option<Group>> {
        let name = format!("weir-bench-{}", std::process::id());
        let (root, files) = if Path::new("/sys/fs/cgroup/memory").exists() {
            (Path::new("/sys/fs/cgroup/memory"), ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"])
        } else {
            (Path::new("/sys/fs/cgroup"), ["memory.max", "memory.swap.max"])
        };
        let folder = root.join(name);
        if fs::create_dir(&folder).is_err() || !folder.join(files[0]).exists() {
            let _ = fs::remove_dir(&folder);
            return Ok(None);
        }
        let group = Group { folder };
        let swap = if files[1] == "memory.swap.max" { 0 } else { bytes };
        fs::write(group.folder.join(files[0]), bytes.to_string())?;
        // Without swap there is no such file, and nothing to bound.
        let _ = fs::write(group.folder.join(files[1]), swap.to_string());
        Ok(Some(group))
    }

    /// Where a process writes its number to be in it.
    pub fn procs(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that is still ending keeps it; the folder is empty then and harms nobody.
        let _ = fs::remove_dir(&self.folder);
    }
}
