//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use weir_base::net::{Addr16, Prefix};

use super::limits::{APPLICATIONS, LISTENERS, NAME_BYTES};
use super::line::is_name;
use crate::syslog::config::TlsFiles;

/// `[sources.events]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Addresses of this machine for HTTP in the clear, e.g. `127.0.0.1:8480`. With no address at all the source does not run.
    pub listen: Vec<String>,
    /// Addresses for HTTPS, e.g. `0.0.0.0:8443`.
    pub listen_tls: Vec<String>,
    /// Realm of applications that name none.
    pub realm: String,
    /// Certificate chain, PEM; empty: none.
    pub tls_certificate: PathBuf,
    /// Its private key, PEM, mode 0600 or 0400.
    pub tls_key: PathBuf,
    /// Authorities of client certificates, PEM. With it every client must have one.
    pub tls_clients: PathBuf,
    /// Who may send.
    pub applications: Vec<ApplicationConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: Vec::new(),
            listen_tls: Vec::new(),
            realm: "default".to_owned(),
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            tls_clients: PathBuf::new(),
            applications: Vec::new(),
        }
    }
}

/// `[[sources.events.applications]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationConfig {
    /// Its name, unique in the unit.
    pub name: String,
    /// File that holds its token, mode 0600 or 0400.
    pub token_file: PathBuf,
    /// Realm of its accounts; left out: that of the source.
    #[serde(default)]
    pub realm: Option<String>,
    /// Domain of the service where a line names none.
    #[serde(default)]
    pub service: Option<String>,
    /// Addresses and prefixes it sends from; empty: any.
    #[serde(default)]
    pub addresses: Vec<String>,
}

/// One application, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationSettings {
    /// Name.
    pub name: String,
    /// Its token.
    pub token_file: PathBuf,
    /// Realm.
    pub realm: String,
    /// Domain of lines that name none.
    pub service: Option<String>,
    /// Where it sends from; empty: anywhere.
    pub prefixes: Vec<Prefix>,
}

impl ApplicationSettings {
    /// True when it may send from there.
    pub fn may_come_from(&self, peer: Addr16) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|p| p.contains(peer))
    }
}

/// Everything checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// HTTP, of this machine only.
    pub clear: Vec<SocketAddr>,
    /// HTTPS.
    pub tls: Vec<SocketAddr>,
    /// Certificates, when there is an address for HTTPS.
    pub tls_files: Option<TlsFiles>,
    /// Who may send.
    pub applications: Vec<ApplicationSettings>,
}

impl Config {
    /// True when there is somewhere to listen.
    pub fn listens(&self) -> bool {
        !(self.listen.is_empty() && self.listen_tls.is_empty())
    }

    /// Checks everything that can be checked without touching a file.
    ///
    /// # Errors
    /// Every problem, each with the key it lies under and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        let clear = addresses("listen", &self.listen, "127.0.0.1:8480", &mut problems);
        let tls = addresses("listen_tls", &self.listen_tls, "0.0.0.0:8443", &mut problems);
        if let Some(both) = tls.iter().find(|a| a.port() != 0 && clear.contains(a)) {
            problems.push(format!("listen_tls: {both} is in listen too: choose another port"));
        }
        check_realm("realm", &self.realm, &mut problems);
        let tls_files = self.tls_files(&mut problems);
        if self.listens() && self.applications.is_empty() {
            problems.push("applications is empty: name at least one application with its token file".to_owned());
        }
        let applications = self.applications(&mut problems);
        if problems.is_empty() { Ok(Settings { clear, tls, tls_files, applications }) } else { Err(problems) }
    }

    fn tls_files(&self, problems: &mut Vec<String>) -> Option<TlsFiles> {
        if self.listen_tls.is_empty() {
            return None;
        }
        for (key, file) in [("tls_certificate", &self.tls_certificate), ("tls_key", &self.tls_key)] {
            if file.as_os_str().is_empty() {
                problems.push(format!("{key} is missing: listen_tls needs a certificate and its key, both PEM files"));
            }
        }
        let clients = Some(self.tls_clients.clone()).filter(|p| !p.as_os_str().is_empty());
        Some(TlsFiles { certificate: self.tls_certificate.clone(), key: self.tls_key.clone(), clients })
    }

    fn applications(&self, problems: &mut Vec<String>) -> Vec<ApplicationSettings> {
        if self.applications.len() > APPLICATIONS {
            problems.push(format!("applications: {} entries, at most {APPLICATIONS} are allowed", self.applications.len()));
        }
        let mut all: Vec<ApplicationSettings> = Vec::new();
        for (i, entry) in self.applications.iter().enumerate() {
            let key = format!("applications[{i}]");
            let name = &entry.name;
            if name.is_empty() || name.len() > 80 || name.chars().any(|c| c.is_control() || c == '/') {
                problems.push(format!("{key}.name must be 1 to 80 bytes without control characters and \"/\""));
            } else if all.iter().any(|a| a.name == *name) {
                problems.push(format!("{key}.name: {name:?} stands twice: keep one"));
            }
            if !entry.token_file.is_absolute() {
                problems.push(format!("{key}.token_file = {:?}: write the whole path, from /", entry.token_file));
            }
            let realm = entry.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_realm(&format!("{key}.realm"), &realm, problems);
            let service = entry.service.clone().filter(|s| !s.is_empty());
            if service.as_ref().is_some_and(|s| !is_name(s, NAME_BYTES)) {
                problems.push(format!("{key}.service is no domain: write 1 to 253 of A-Z a-z 0-9 . - _ :, e.g. \"forum.example.org\""));
            }
            let mut prefixes = Vec::new();
            for (j, text) in entry.addresses.iter().enumerate() {
                match text.parse::<Prefix>() {
                    Ok(prefix) => prefixes.push(prefix),
                    Err(e) => problems.push(format!("{key}.addresses[{j}]: {e}")),
                }
            }
            all.push(ApplicationSettings { name: name.clone(), token_file: entry.token_file.clone(), realm, service, prefixes });
        }
        all
    }
}

fn check_realm(key: &str, realm: &str, problems: &mut Vec<String>) {
    if realm.is_empty() || realm.len() > 48 || realm.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {realm:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}

fn addresses(key: &str, list: &[String], example: &str, problems: &mut Vec<String>) -> Vec<SocketAddr> {
    if list.len() > LISTENERS {
        problems.push(format!("{key}: {} addresses, at most {LISTENERS} are allowed", list.len()));
    }
    let mut out = Vec::new();
    for (i, text) in list.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && out.contains(&address) => problems.push(format!("{key}[{i}]: {text} is listed twice")),
            Ok(address) if key == "listen" && !address.ip().is_loopback() => problems.push(format!(
                "{key}[{i}]: {text} would carry accounts and tokens over the network in the clear: write it under listen_tls, or 127.0.0.1"
            )),
            Ok(address) => out.push(address),
            Err(_) => problems.push(format!("{key}[{i}]: {text:?} is not an address and port: write {example}")),
        }
    }
    out
}
