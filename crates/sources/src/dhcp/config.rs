//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::path::PathBuf;

use serde::Deserialize;

use super::limits::{FILES, LEASES_MAX};

/// `[sources.dhcp]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the source, unique in the unit.
    pub name: String,
    /// Realm of files that name none.
    pub realm: String,
    /// Addresses remembered of one file.
    pub leases_max: usize,
    /// Lease files.
    pub files: Vec<FileConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config { name: "dhcp".into(), realm: "default".into(), leases_max: 65_536, files: Vec::new() }
    }
}

/// `[[sources.dhcp.files]]`: the lease file of a DHCP server on this machine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// The file.
    pub path: PathBuf,
    /// `kea` or `dnsmasq`.
    pub server: String,
    /// Realm: the inside address space it hands out.
    pub realm: Option<String>,
}

/// Who writes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Kea, memfile, for DHCPv4 or DHCPv6.
    Kea,
    /// dnsmasq.
    Dnsmasq,
}

impl Server {
    /// The word in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Server::Kea => "kea",
            Server::Dnsmasq => "dnsmasq",
        }
    }
}

/// One file, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseFile {
    /// The file.
    pub path: PathBuf,
    /// Who writes it.
    pub server: Server,
    /// Realm.
    pub realm: String,
}

/// Everything checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Config::name`].
    pub name: String,
    /// See [`Config::leases_max`].
    pub leases_max: usize,
    /// The files.
    pub files: Vec<LeaseFile>,
}

impl Config {
    /// Checks everything that can be checked without touching a file.
    ///
    /// # Errors
    /// Every problem, each with the key it lies under and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        for (key, value) in [("name", &self.name), ("realm", &self.realm)] {
            check_name(key, value, &mut problems);
        }
        if !(1..=LEASES_MAX).contains(&self.leases_max) {
            problems.push(format!("leases_max = {}: it must be between 1 and {LEASES_MAX}", self.leases_max));
        }
        if self.files.len() > FILES {
            problems.push(format!("files: {} entries, at most {FILES} are allowed", self.files.len()));
        }
        let mut files: Vec<LeaseFile> = Vec::new();
        for (i, file) in self.files.iter().enumerate() {
            let key = format!("files[{i}]");
            if !file.path.is_absolute() {
                problems.push(format!("{key}.path = {:?}: write the whole path, from /", file.path));
            }
            if files.iter().any(|f| f.path == file.path) {
                problems.push(format!("{key}.path: it is named twice: keep one entry"));
            }
            let server = match file.server.as_str() {
                "kea" => Server::Kea,
                "dnsmasq" => Server::Dnsmasq,
                other => {
                    problems.push(format!("{key}.server = {other:?}: write \"kea\" or \"dnsmasq\""));
                    Server::Kea
                }
            };
            let realm = file.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_name(&format!("{key}.realm"), &realm, &mut problems);
            files.push(LeaseFile { path: file.path.clone(), server, realm });
        }
        if problems.is_empty() { Ok(Settings { name: self.name.clone(), leases_max: self.leases_max, files }) } else { Err(problems) }
    }
}

fn check_name(key: &str, value: &str, problems: &mut Vec<String>) {
    if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}
