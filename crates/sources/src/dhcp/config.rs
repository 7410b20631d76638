//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::Deserialize;
use weir_base::net::Addr16;

use super::limits::{CAPTURES, FILES, INTERFACE_BYTES, LEASES_MAX};

/// `[sources.dhcp]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the source, unique in the unit.
    pub name: String,
    /// Realm of files and interfaces that name none.
    pub realm: String,
    /// Addresses remembered of one file or interface.
    pub leases_max: usize,
    /// Lease files.
    pub files: Vec<FileConfig>,
    /// Interfaces on which acknowledgements are captured.
    pub capture: Vec<CaptureConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config { name: "dhcp".into(), realm: "default".into(), leases_max: 65_536, files: Vec::new(), capture: Vec::new() }
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

/// `[[sources.dhcp.capture]]`: an interface on which DHCP passes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CaptureConfig {
    /// Its name.
    pub interface: String,
    /// Realm: the inside address space that is handed out there.
    pub realm: Option<String>,
    /// IPv4 address by which the one server that counts names itself (option 54); empty: every server counts.
    pub server: String,
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

/// One interface, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// Its name.
    pub interface: String,
    /// Realm.
    pub realm: String,
    /// The one server that counts.
    pub server: Option<Addr16>,
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
    /// The interfaces.
    pub captures: Vec<Capture>,
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
        let captures = self.captures(&mut problems);
        if problems.is_empty() {
            Ok(Settings { name: self.name.clone(), leases_max: self.leases_max, files, captures })
        } else {
            Err(problems)
        }
    }

    fn captures(&self, problems: &mut Vec<String>) -> Vec<Capture> {
        if self.capture.len() > CAPTURES {
            problems.push(format!("capture: {} entries, at most {CAPTURES} are allowed", self.capture.len()));
        }
        let mut captures: Vec<Capture> = Vec::new();
        for (i, entry) in self.capture.iter().enumerate() {
            let (key, interface) = (format!("capture[{i}]"), entry.interface.clone());
            let wrong = |c: char| c.is_control() || c.is_whitespace() || c == '/';
            if interface.is_empty() || interface.len() > INTERFACE_BYTES || interface.chars().any(wrong) {
                problems.push(format!("{key}.interface = {interface:?}: write the name that `ip link` shows, e.g. \"eth1\""));
            }
            if captures.iter().any(|c| c.interface == interface) {
                problems.push(format!("{key}.interface: it is named twice: keep one entry"));
            }
            let realm = entry.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_name(&format!("{key}.realm"), &realm, problems);
            let server = match (entry.server.as_str(), entry.server.parse::<Ipv4Addr>()) {
                ("", _) => None,
                (_, Ok(address)) => Some(Addr16::v4(address.octets())),
                (text, Err(_)) => {
                    problems.push(format!("{key}.server = {text:?}: write the IPv4 address of the DHCP server, or leave it out"));
                    None
                }
            };
            captures.push(Capture { interface, realm, server });
        }
        captures
    }
}

fn check_name(key: &str, value: &str, problems: &mut Vec<String>) {
    if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}
