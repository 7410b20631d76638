//! Configuration of the source. Reading it gives the settings, or every problem at once.

use serde::Deserialize;
use weir_base::net::Prefix;
use weir_base::time::parse_duration_ms;

use super::limits::{CONNECTIONS_MAX, NAMESPACE_BYTES, NAMESPACES, RECEIVE_BUFFER};
use crate::ipfix::config::{RemoteStep, remote_policy};
use crate::ipfix::normalise::RemotePolicy;

/// `[sources.conntrack]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the source, unique in the unit.
    pub name: String,
    /// Realm of namespaces that name none.
    pub realm: String,
    /// Receive buffer asked of the kernel, in bytes.
    pub receive_buffer: usize,
    /// Translated connections followed at once in one namespace.
    pub connections_max: usize,
    /// How often the kernel's table is compared with what was told.
    pub reconcile: String,
    /// What becomes of remote ends, by date.
    pub remotes: Vec<RemoteStep>,
    /// Namespaces; none for the one the program runs in.
    pub namespaces: Vec<NamespaceConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            name: "conntrack".into(),
            realm: "default".into(),
            receive_buffer: RECEIVE_BUFFER,
            connections_max: 262_144,
            reconcile: "5m".into(),
            remotes: Vec::new(),
            namespaces: Vec::new(),
        }
    }
}

/// `[[sources.conntrack.namespaces]]`: a network namespace that translates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NamespaceConfig {
    /// Its name under `/run/netns`; empty for the namespace the program runs in.
    pub netns: String,
    /// Realm: the inside address space it translates.
    pub realm: Option<String>,
    /// Public addresses it translates to.
    pub pools: Vec<String>,
}

/// One namespace, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its name under `/run/netns`; none for the program's own.
    pub netns: Option<String>,
    /// Realm.
    pub realm: String,
    /// Public addresses.
    pub pools: Vec<Prefix>,
}

/// Everything checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Config::name`].
    pub name: String,
    /// Bytes.
    pub receive_buffer: usize,
    /// See [`Config::connections_max`].
    pub connections_max: usize,
    /// Milliseconds.
    pub reconcile_ms: i64,
    /// What becomes of remote ends.
    pub remotes: RemotePolicy,
    /// The namespaces, at least one.
    pub namespaces: Vec<Namespace>,
}

impl Config {
    /// Checks everything that can be checked without touching the system.
    ///
    /// # Errors
    /// Every problem, each with the key it lies under and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        for (key, value) in [("name", &self.name), ("realm", &self.realm)] {
            check_name(key, value, &mut problems);
        }
        if !(4096..=1 << 30).contains(&self.receive_buffer) {
            problems.push(format!("receive_buffer = {}: write 4096 to 1073741824", self.receive_buffer));
        }
        if !(1..=CONNECTIONS_MAX).contains(&self.connections_max) {
            problems.push(format!("connections_max = {}: it must be between 1 and {CONNECTIONS_MAX}", self.connections_max));
        }
        let reconcile_ms = match parse_duration_ms(&self.reconcile) {
            Ok(ms) if (1_000..=86_400_000).contains(&ms) => ms,
            Ok(_) => {
                problems.push("reconcile: is out of range: write 1s to 1d".to_owned());
                0
            }
            Err(e) => {
                problems.push(format!("reconcile: {e}"));
                0
            }
        };
        let remotes = remote_policy(&self.remotes, &mut |path, what| problems.push(format!("{path}: {what}")));
        let namespaces = self.namespaces(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Settings {
            name: self.name.clone(),
            receive_buffer: self.receive_buffer,
            connections_max: self.connections_max,
            reconcile_ms,
            remotes,
            namespaces,
        })
    }

    fn namespaces(&self, problems: &mut Vec<String>) -> Vec<Namespace> {
        if self.namespaces.len() > NAMESPACES {
            problems.push(format!("namespaces: {} entries, at most {NAMESPACES} are allowed", self.namespaces.len()));
        }
        let own = NamespaceConfig::default();
        let entries = if self.namespaces.is_empty() { std::slice::from_ref(&own) } else { &self.namespaces };
        let mut all: Vec<Namespace> = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            let key = format!("namespaces[{i}]");
            let netns = Some(entry.netns.clone()).filter(|n| !n.is_empty());
            if let Some(name) = &netns
                && (name.len() > NAMESPACE_BYTES || name.starts_with('.') || name.chars().any(|c| c.is_control() || c == '/'))
            {
                problems.push(format!("{key}.netns = {name:?}: write the name that `ip netns` shows, or leave it out for the own one"));
            }
            if all.iter().any(|n| n.netns == netns) {
                problems.push(format!("{key}.netns: it is named twice: keep one entry"));
            }
            let realm = entry.realm.clone().unwrap_or_else(|| self.realm.clone());
            check_name(&format!("{key}.realm"), &realm, problems);
            let mut pools = Vec::new();
            for (j, pool) in entry.pools.iter().enumerate() {
                match pool.parse() {
                    Ok(prefix) => pools.push(prefix),
                    Err(e) => problems.push(format!("{key}.pools[{j}]: {e}")),
                }
            }
            all.push(Namespace { netns, realm, pools });
        }
        all
    }
}

fn check_name(key: &str, value: &str, problems: &mut Vec<String>) {
    if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}
