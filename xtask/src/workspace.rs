//! The workspace on disk, and child processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A problem in words that say what to do.
pub type Result<T> = std::result::Result<T, String>;

/// Folders and files that are not ours to judge: what `.gitignore` leaves out, and git itself.
const SKIPPED: &[&str] = &[
    ".git",
    "target",
    "weir-data",
    "node_modules",
    "console/dist",
    "fuzz/target",
    "fuzz/artifacts",
    "fuzz/coverage",
    "proptest-regressions",
];

/// The root folder of the workspace.
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace this program was built from, or the one around the current folder.
    pub fn here() -> Result<Workspace> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_dir().map_err(|e| format!("cannot tell the current folder: {e}"))?,
        };
        let root = start.ancestors().find(|folder| folder.join("ARCHITECTURE.md").is_file());
        let root = root.ok_or("no ARCHITECTURE.md in this folder or above: call `cargo xtask` inside the workspace")?;
        Ok(Workspace { root: root.to_owned() })
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the workspace as text.
    pub fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.root.join(path)).map_err(|e| format!("cannot read {path}: {e}"))
    }

    /// Writes a file of the workspace, with its folders.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let full = self.root.join(path);
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).map_err(|e| format!("cannot make the folder of {path}: {e}"))?;
        }
        fs::write(full, text).map_err(|e| format!("cannot write {path}: {e}"))
    }

    /// Every file, as a sorted list of paths relative to the root with `/` between names.
    pub fn files(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(self.root.join(&folder)).map_err(|e| format!("cannot list {folder}: {e}"))?;
            for entry in entries {
                let entry = entry.map_err(|e| format!("cannot list {folder}: {e}"))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if SKIPPED.contains(&path.as_str()) || SKIPPED.contains(&name.as_str()) {
                    continue;
                }
                let kind = entry.file_type().map_err(|e| format!("cannot look at {path}: {e}"))?;
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Where cargo builds.
    pub fn target(&self) -> PathBuf {
        let get = |name: &str| std::env::var(name).ok();
        let set = environment(get).into_iter().find(|(name, _)| *name == "CARGO_TARGET_DIR").map(|(_, value)| value);
        self.root.join(set.or_else(|| get("CARGO_TARGET_DIR")).unwrap_or_default())
    }

    /// A command that runs in the root folder.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).args(arguments).stdin(Stdio::null());
        for (name, value) in environment(|name| std::env::var(name).ok()) {
            command.env(name, value);
        }
        // What cargo told this program of its own package: handed on, it would look to build scripts as if their surroundings had changed,
        // and ring and all that stands on it would be built anew whenever `cargo xtask` and `cargo` take turns.
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_this_package)).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command
    }
}

/// True for variables in which cargo tells a program of its own package.
fn of_this_package(name: &str) -> bool {
    name == "OUT_DIR" || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
}

/// What the Makefile sets, for a command typed without it: the tools that `make deps` built, where to build, and the Python of the tests.
fn environment(get: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
    let cache = get("WEIR_CACHE").unwrap_or_else(|| format!("{}/.cache/weir", get("HOME").unwrap_or_default()));
    let path = get("PATH").unwrap_or_default();
    let mut set = vec![("PATH", format!("{cache}/bin:{path}:/usr/local/sbin:/usr/sbin:/sbin"))];
    for (name, folder) in [("CARGO_TARGET_DIR", "target"), ("WEIR_PYTHON", "venv/bin/python")] {
        if get(name).is_none() {
            set.push((name, format!("{cache}/{folder}")));
        }
    }
    set
}

/// How a command reads when typed.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Runs a command to its end with our own output; a bad exit is a problem.
pub fn run(mut command: Command) -> Result<()> {
    let text = shown(&command);
    let status = command.status().map_err(|e| format!("cannot start `{text}`: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{text}` failed ({status})")) }
}

/// Runs a command to its end and hands back what it printed; a bad exit is a problem.
pub fn output(mut command: Command) -> Result<String> {
    let text = shown(&command);
    let done = command.stderr(Stdio::inherit()).output().map_err(|e| format!("cannot start `{text}`: {e}"))?;
    if !done.status.success() {
        return Err(format!("`{text}` failed ({})", done.status));
    }
    String::from_utf8(done.stdout).map_err(|_| format!("`{text}` printed something that is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_ours_and_sorted() {
        let files = Workspace::here().unwrap().files().unwrap();
        assert!(files.contains(&"ARCHITECTURE.md".to_owned()) && files.contains(&"xtask/src/workspace.rs".to_owned()));
        assert!(files.is_sorted() && !files.iter().any(|path| path.starts_with(".git/")));
    }

    #[test]
    fn a_cargo_started_here_is_told_nothing_of_this_package() {
        let here = Workspace::here().unwrap();
        let printed = output(here.command("env", &[])).unwrap();
        assert!(printed.lines().any(|line| line.starts_with("PATH=")));
        let told: Vec<&str> = printed.lines().filter(|line| line.split('=').next().is_some_and(of_this_package)).collect();
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some() && told.is_empty(), "{told:?}");
    }

    #[test]
    fn what_is_set_already_is_kept_and_the_rest_follows_the_cache() {
        let of = |known: &[(&str, &str)]| {
            let known: Vec<(String, String)> = known.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            environment(move |name| known.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))
        };
        let plain = of(&[("HOME", "/h"), ("PATH", "/p")]);
        assert_eq!(plain[0], ("PATH", "/h/.cache/weir/bin:/p:/usr/local/sbin:/usr/sbin:/sbin".to_owned()));
        assert_eq!(
            plain[1..],
            [("CARGO_TARGET_DIR", "/h/.cache/weir/target".to_owned()), ("WEIR_PYTHON", "/h/.cache/weir/venv/bin/python".to_owned())]
        );
        let set = of(&[("WEIR_CACHE", "/c"), ("CARGO_TARGET_DIR", "/t")]);
        assert_eq!(set[1..], [("WEIR_PYTHON", "/c/venv/bin/python".to_owned())]);
    }

    #[test]
    fn a_bad_exit_and_a_missing_program_are_told_with_the_command() {
        let workspace = Workspace::here().unwrap();
        assert_eq!(output(workspace.command("echo", &["a", "b"])), Ok("a b\n".to_owned()));
        assert!(run(workspace.command("false", &["x"])).unwrap_err().contains("`false x` failed"));
        assert!(output(workspace.command("no-such-program", &[])).unwrap_err().contains("cannot start `no-such-program`"));
    }
}
