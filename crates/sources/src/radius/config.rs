//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weir_base::net::Prefix;
use weir_base::time::parse_duration_ms;

use super::clients::{Client, Clients, read_secret};
use super::limits::{CLIENTS_MAX, SESSIONS_MAX};

/// `[sources.radius]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the source, unique in the unit.
    pub name: String,
    /// Addresses and UDP ports to listen on; none where only detail files are read.
    pub listen: Vec<String>,
    /// Realm of the NASes of clients and files that name none.
    pub realm: String,
    /// Sessions followed at once.
    pub sessions_max: usize,
    /// Intervals without an Interim-Update after which a session is taken for ended.
    pub missed_interims: u32,
    /// How long a NAS may still be sending an event again.
    pub settle: String,
    /// Receive buffer asked of the kernel, in bytes.
    pub receive_buffer: usize,
    /// Who may send.
    pub clients: Vec<ClientConfig>,
    /// FreeRADIUS detail files to read.
    pub detail: Vec<DetailConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            name: "radius".into(),
            listen: vec!["127.0.0.1:1813".into()],
            realm: "default".into(),
            sessions_max: 200_000,
            missed_interims: 3,
            settle: "10s".into(),
            receive_buffer: 4 << 20,
            clients: Vec::new(),
            detail: Vec::new(),
        }
    }
}

/// `[[sources.radius.clients]]`: a NAS or a relay, or many behind one prefix.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientConfig {
    /// Address prefixes.
    pub addresses: Vec<String>,
    /// File that holds the shared secret, mode 0600 or 0400. Where none is named, one is made in the data folder.
    pub secret_file: Option<PathBuf>,
    /// Realm of its NASes.
    pub realm: Option<String>,
    /// Refuse packets without Message-Authenticator.
    pub require_message_authenticator: bool,
    /// Rhythm of interim updates where no message names it, e.g. `10m`.
    pub interim: Option<String>,
    /// One session a NAS port: a Start on a port ends what was open there.
    pub one_session_per_port: bool,
    /// `measured` or `trust`.
    pub clock: Option<String>,
}

/// `[[sources.radius.detail]]`: a detail file or a folder of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DetailConfig {
    /// The file, or a folder whose files whose names begin with `detail` are read.
    pub path: PathBuf,
    /// Realm of the NASes in it.
    pub realm: Option<String>,
    /// Rename the file to `….work`, take it and delete it once all of it is durable. Without it files are only read.
    pub delete: bool,
    /// Rhythm of interim updates where no message names it.
    pub interim: Option<String>,
}

/// A client, its secret not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// Address prefixes.
    pub prefixes: Vec<Prefix>,
    /// Its secret file; `None` to have one made.
    pub secret_file: Option<PathBuf>,
    /// Realm of its NASes.
    pub realm: String,
    /// See [`ClientConfig::require_message_authenticator`].
    pub require_message_authenticator: bool,
    /// Milliseconds; 0 for none.
    pub interim_ms: i64,
    /// See [`ClientConfig::one_session_per_port`].
    pub port_is_exclusive: bool,
    /// See [`ClientConfig::clock`].
    pub trust_clock: bool,
}

/// A detail input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailSettings {
    /// File or folder.
    pub path: PathBuf,
    /// Realm of the NASes in it.
    pub realm: String,
    /// Take files away once they are durable.
    pub delete: bool,
    /// Milliseconds; 0 for none.
    pub interim_ms: i64,
}

/// Everything checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Config::name`].
    pub name: String,
    /// Sockets.
    pub listen: Vec<SocketAddr>,
    /// See [`Config::realm`].
    pub realm: String,
    /// See [`Config::sessions_max`].
    pub sessions_max: usize,
    /// See [`Config::missed_interims`].
    pub missed_interims: u32,
    /// Milliseconds.
    pub settle_ms: i64,
    /// Bytes.
    pub receive_buffer: usize,
    /// Clients.
    pub clients: Vec<ClientSettings>,
    /// Detail inputs.
    pub detail: Vec<DetailSettings>,
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
        if !(1..=SESSIONS_MAX).contains(&self.sessions_max) {
            problems.push(format!("sessions_max = {}: it must be between 1 and {SESSIONS_MAX}", self.sessions_max));
        }
        if !(1..=100).contains(&self.missed_interims) {
            problems.push(format!("missed_interims = {}: it must be between 1 and 100", self.missed_interims));
        }
        let listen = self.listen.iter().filter_map(|text| match text.parse() {
            Ok(addr) => Some(addr),
            Err(_) => {
                problems.push(format!("listen: {text:?} is not an address and port: write it as 192.0.2.1:1813 or [2001:db8::1]:1813"));
                None
            }
        });
        let listen: Vec<SocketAddr> = listen.collect();
        let settle_ms = duration("settle", &self.settle, &mut problems);
        let clients = self.clients(&listen, &mut problems);
        let detail = self.details(&mut problems);
        if self.listen.is_empty() && self.detail.is_empty() {
            problems.push("listen is empty and no detail file is named: nothing could arrive; name one of them".to_owned());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Settings {
            name: self.name.clone(),
            listen,
            realm: self.realm.clone(),
            sessions_max: self.sessions_max,
            missed_interims: self.missed_interims,
            settle_ms,
            receive_buffer: self.receive_buffer,
            clients,
            detail,
        })
    }

    fn clients(&self, listen: &[SocketAddr], problems: &mut Vec<String>) -> Vec<ClientSettings> {
        if self.clients.is_empty() {
            if listen.iter().any(|a| !a.ip().is_loopback()) {
                let hint = "add [[sources.radius.clients]] with addresses and secret_file";
                problems.push(format!("clients is empty, so only this machine could send, yet listen names another address: {hint}"));
            }
            return vec![loopback_client(&self.realm)];
        }
        let mut all = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        for (i, c) in self.clients.iter().enumerate() {
            let key = format!("clients[{i}]");
            let mut prefixes = Vec::new();
            if c.addresses.is_empty() {
                problems.push(format!("{key}.addresses is empty: name the NAS's address or prefix, e.g. [\"192.0.2.1\"]"));
            }
            for text in &c.addresses {
                match text.parse::<Prefix>() {
                    Ok(p) => match seen.insert(p, i) {
                        Some(other) => problems.push(format!("{key}.addresses: {p} is in clients[{other}] too: keep it in one of them")),
                        None => prefixes.push(p),
                    },
                    Err(e) => problems.push(format!("{key}.addresses: {e}")),
                }
            }
            let trust_clock = match c.clock.as_deref() {
                None | Some("measured") => false,
                Some("trust") => true,
                Some(other) => {
                    problems.push(format!("{key}.clock = {other:?}: write \"measured\" or \"trust\""));
                    false
                }
            };
            let realm = c.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_name(&format!("{key}.realm"), &realm, problems);
            all.push(ClientSettings {
                prefixes,
                secret_file: c.secret_file.clone(),
                realm,
                require_message_authenticator: c.require_message_authenticator,
                interim_ms: c.interim.as_ref().map_or(0, |t| duration(&format!("{key}.interim"), t, problems)),
                port_is_exclusive: c.one_session_per_port,
                trust_clock,
            });
        }
        if seen.len() > CLIENTS_MAX {
            problems
                .push(format!("clients name {} prefixes: at most {CLIENTS_MAX} are allowed; join neighbours into one prefix", seen.len()));
        }
        all
    }

    fn details(&self, problems: &mut Vec<String>) -> Vec<DetailSettings> {
        let one = |(i, d): (usize, &DetailConfig)| {
            let key = format!("detail[{i}]");
            if !d.path.is_absolute() {
                problems.push(format!("{key}.path = {:?}: write the whole path, from /", d.path));
            }
            let realm = d.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_name(&format!("{key}.realm"), &realm, problems);
            let interim_ms = d.interim.as_ref().map_or(0, |t| duration(&format!("{key}.interim"), t, problems));
            DetailSettings { path: d.path.clone(), realm, delete: d.delete, interim_ms }
        };
        self.detail.iter().enumerate().map(one).collect()
    }
}

/// Only this machine, with a secret made for it.
fn loopback_client(realm: &str) -> ClientSettings {
    let prefixes = ["127.0.0.0/8", "::1"].iter().filter_map(|p| p.parse().ok()).collect();
    ClientSettings {
        prefixes,
        secret_file: None,
        realm: realm.to_owned(),
        require_message_authenticator: false,
        interim_ms: 0,
        port_is_exclusive: false,
        trust_clock: false,
    }
}

fn check_name(key: &str, value: &str, problems: &mut Vec<String>) {
    if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}

fn duration(key: &str, text: &str, problems: &mut Vec<String>) -> i64 {
    parse_duration_ms(text).unwrap_or_else(|e| {
        problems.push(format!("{key}: {e}"));
        0
    })
}

impl Settings {
    /// Reads the secrets. A client without a secret file gets `NAME.secret` in `data`, made with a random secret if it is not there yet;
    /// the paths of those come back too, to be printed.
    ///
    /// # Errors
    /// Every secret file that does not do, and why.
    pub fn load_clients(&self, data: &Path) -> Result<(Clients, Vec<PathBuf>), Vec<String>> {
        let (mut clients, mut made, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (i, c) in self.clients.iter().enumerate() {
            let secret = match &c.secret_file {
                Some(path) => read_secret(path),
                None => {
                    let name = if i == 0 { format!("{}.secret", self.name) } else { format!("{}.{i}.secret", self.name) };
                    let path = data.join(name);
                    let secret = make_secret(&path).and_then(|()| read_secret(&path));
                    made.push(path);
                    secret
                }
            };
            match secret {
                Ok(secret) => clients.extend(c.prefixes.iter().map(|prefix| Client {
                    prefix: *prefix,
                    secret: secret.clone(),
                    realm: c.realm.clone(),
                    require_message_authenticator: c.require_message_authenticator,
                    interim_ms: c.interim_ms,
                    port_is_exclusive: c.port_is_exclusive,
                    trust_clock: c.trust_clock,
                })),
                Err(e) => problems.push(format!("clients[{i}].secret_file: {e}")),
            }
        }
        if problems.is_empty() { Ok((Clients::new(clients), made)) } else { Err(problems) }
    }

    /// True when a socket listens to other machines.
    pub fn is_public(&self) -> bool {
        self.listen.iter().any(|a| !IpAddr::is_loopback(&a.ip()))
    }
}

fn make_secret(path: &Path) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let secret: String = weir_base::crypto::random::<16>().iter().map(|b| format!("{b:02x}")).collect();
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match file {
        Ok(mut file) => {
            let written = file.write_all(secret.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
            written.map_err(|e| format!("secret file {} cannot be written: {e}", path.display()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(format!("secret file {} cannot be made: {e}", path.display())),
    }
}
