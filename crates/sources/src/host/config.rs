//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::path::PathBuf;

use serde::Deserialize;

/// `[sources.host]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name, unique in the unit; the sources are `NAME-journal` and `NAME-audit`.
    pub name: String,
    /// Realm of the accounts of this machine.
    pub realm: String,
    /// True to read journald's journal.
    pub journal: bool,
    /// Folder of journal files; empty: those of this machine.
    pub journal_directory: PathBuf,
    /// auditd's log, e.g. `/var/log/audit/audit.log`; empty: not read.
    pub audit: PathBuf,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            name: "host".to_owned(),
            realm: "default".to_owned(),
            journal: true,
            journal_directory: PathBuf::new(),
            audit: PathBuf::new(),
        }
    }
}

/// Where the journal is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Folder; none: this machine's.
    pub directory: Option<PathBuf>,
}

/// Everything checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// See [`Config::name`].
    pub name: String,
    /// See [`Config::realm`].
    pub realm: String,
    /// The journal, when it is read.
    pub journal: Option<Journal>,
    /// The audit log, when it is read.
    pub audit: Option<PathBuf>,
}

impl Config {
    /// Checks everything that can be checked without touching the system.
    ///
    /// # Errors
    /// Every problem, each with the key it lies under and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        for (key, value) in [("name", &self.name), ("realm", &self.realm)] {
            if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
                problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
            }
        }
        let given = |path: &PathBuf| Some(path.clone()).filter(|p| !p.as_os_str().is_empty());
        let (directory, audit) = (given(&self.journal_directory), given(&self.audit));
        for (key, path) in [("journal_directory", &directory), ("audit", &audit)] {
            if let Some(path) = path.as_ref().filter(|p| !p.is_absolute()) {
                problems.push(format!("{key} = {path:?}: write the whole path, beginning with a slash"));
            }
        }
        if !self.journal && audit.is_none() {
            problems.push("journal = false: then there is nothing to read: name an audit log, or switch measures.host off".to_owned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let journal = self.journal.then_some(Journal { directory });
        Ok(Settings { name: self.name.clone(), realm: self.realm.clone(), journal, audit })
    }
}
