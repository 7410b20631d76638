//! A control group of our own, which ends a process that takes more memory than it may.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shared::Outcome;

/// Files of one version of control groups.
struct Files {
    /// Where groups are made.
    root: &'static str,
    /// The most memory, bytes.
    limit: &'static str,
    /// The most memory and swap together (version 1), or the most swap alone (version 2).
    swap: &'static str,
    /// The most memory that was in use, bytes.
    peak: &'static str,
}

const ONE: Files = Files {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    swap: "memory.memsw.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
};
const TWO: Files = Files { root: "/sys/fs/cgroup", limit: "memory.max", swap: "memory.swap.max", peak: "memory.peak" };

/// A group, until dropped.
pub struct Group {
    folder: PathBuf,
    files: &'static Files,
}

impl Group {
    /// A group with so many bytes of memory, swap included. Where this machine gives us none, an error that says what to do.
    pub fn of(bytes: u64) -> Outcome<Group> {
        let old = Path::new(ONE.root).exists();
        let files = if old { &ONE } else { &TWO };
        let none = |why: &str| format!("no control group can be made in {} ({why}): run this as root, outside of containers", files.root);
        let folder = Path::new(files.root).join(format!("weir-bench-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|e| none(&e.to_string()))?;
        let group = Group { folder, files };
        if !group.folder.join(files.limit).exists() {
            return Err(none(&format!("a new one has no {}", files.limit)).into());
        }
        fs::write(group.folder.join(files.limit), bytes.to_string()).map_err(|e| none(&e.to_string()))?;
        // Without swap there is no such file, and nothing to bound.
        let swap = if old { bytes } else { 0 };
        let _ = fs::write(group.folder.join(files.swap), swap.to_string());
        Ok(group)
    }

    /// A command that begins in it, its arguments still to come.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.folder.join("cgroup.procs")).arg(program);
        command
    }

    /// The most memory it allows, in bytes, as the kernel tells it.
    pub fn limit(&self) -> Outcome<u64> {
        self.number(self.files.limit)
    }

    /// The most memory the kernel counted in it so far, in bytes: also what it caches of files, and gives back before it ends anything.
    pub fn peak(&self) -> Outcome<u64> {
        self.number(self.files.peak)
    }

    fn number(&self, file: &str) -> Outcome<u64> {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}; memory.peak needs Linux 5.19 or newer", path.display()))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that is still ending keeps it; the folder is empty then and harms nobody.
        let _ = fs::remove_dir(&self.folder);
    }
}
