//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::{Day, Millis, parse_duration_ms};

use super::limits::{CONFIG_SENDERS, DIALECT_FILES, SOCKET_BUFFER};
use crate::ipfix::config::RemoteStep;
pub use crate::ipfix::config::{ClockMode, Problem};
use crate::ipfix::normalise::{RemotePolicy, Remotes};

/// `[sources.syslog]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// UDP addresses to listen on (RFC 5426), e.g. `0.0.0.0:514`. With no address at all the source does not run.
    pub listen: Vec<String>,
    /// TCP addresses (RFC 6587): octet counting and newline.
    pub listen_tcp: Vec<String>,
    /// TLS addresses (RFC 5425), e.g. `0.0.0.0:6514`.
    pub listen_tls: Vec<String>,
    /// RELP addresses, e.g. `0.0.0.0:2514`: acknowledged once durable.
    pub listen_relp: Vec<String>,
    /// Realm of senders that no entry names.
    pub realm: String,
    /// Zone of lines that name none, e.g. `+08:00`.
    pub zone: String,
    /// Kernel receive buffer of a UDP socket, bytes.
    pub receive_buffer: usize,
    /// Certificate chain, PEM; empty: none.
    pub tls_certificate: PathBuf,
    /// Its private key, PEM, mode 0600 or 0400.
    pub tls_key: PathBuf,
    /// Authorities of client certificates, PEM. With it every client must have one.
    pub tls_clients: PathBuf,
    /// Dialect files of the operator's own.
    pub dialects: Vec<PathBuf>,
    /// How long a lease is taken to last where its line does not say.
    pub lease_time: String,
    /// How long a NAT mapping is taken to last whose device never tells of the end.
    pub mapping_time: String,
    /// What becomes of remote ends of NAT mappings, by date.
    pub remotes: Vec<RemoteStep>,
    /// Who may send.
    pub senders: Vec<SenderConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: Vec::new(),
            listen_tcp: Vec::new(),
            listen_tls: Vec::new(),
            listen_relp: Vec::new(),
            realm: "default".to_owned(),
            zone: "+08:00".to_owned(),
            receive_buffer: SOCKET_BUFFER,
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            tls_clients: PathBuf::new(),
            dialects: Vec::new(),
            lease_time: "24h".to_owned(),
            mapping_time: "24h".to_owned(),
            remotes: Vec::new(),
            senders: Vec::new(),
        }
    }
}

/// `[[sources.syslog.senders]]`: senders by address. The first entry that fits counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SenderConfig {
    /// Name; the address is added where the entry is for more than one. Empty: the address.
    pub name: String,
    /// Addresses and prefixes it sends from.
    pub addresses: Vec<String>,
    /// Realm; empty: that of the source.
    pub realm: String,
    /// Zone of lines that name none; empty: that of the source.
    pub zone: String,
    /// Dialects that may understand its lines; empty: all.
    pub dialects: Vec<String>,
    /// `trust`, or `measured` for a device that sends over UDP itself; empty: `trust`. A relay may hold lines back, and so would look late.
    pub clock: String,
    /// True when it gives one public port to several hosts towards different remotes, as Linux does.
    pub overload: bool,
    /// Public pools it translates to.
    pub pools: Vec<String>,
}

/// A checked entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// See [`SenderConfig::name`].
    pub name: String,
    /// Where it sends from.
    pub prefixes: Vec<Prefix>,
    /// Its realm.
    pub realm: String,
    /// Minutes east of UTC.
    pub zone: i32,
    /// See [`SenderConfig::dialects`].
    pub dialects: Vec<String>,
    /// Whether its clock is measured.
    pub clock: ClockMode,
    /// See [`SenderConfig::overload`].
    pub overload: bool,
    /// Public pools.
    pub pools: Vec<Prefix>,
}

/// Files that TLS needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Authorities of client certificates.
    pub clients: Option<PathBuf>,
}

/// Everything checked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// UDP.
    pub udp: Vec<SocketAddr>,
    /// TCP.
    pub tcp: Vec<SocketAddr>,
    /// TLS.
    pub tls: Vec<SocketAddr>,
    /// RELP.
    pub relp: Vec<SocketAddr>,
    /// Realm of senders that no entry names.
    pub realm: String,
    /// Minutes east of UTC.
    pub zone: i32,
    /// Bytes.
    pub receive_buffer: usize,
    /// Certificates, when there is a TLS address.
    pub tls_files: Option<TlsFiles>,
    /// Dialect files.
    pub dialects: Vec<PathBuf>,
    /// Milliseconds.
    pub lease_ms: i64,
    /// Milliseconds.
    pub mapping_ms: i64,
    /// What becomes of remote ends.
    pub remotes: RemotePolicy,
    /// Senders.
    pub rules: Vec<Rule>,
    /// The kind of its sources in the register, where it is not `syslog`: the logs of this machine go through the same engine.
    pub kind: Option<&'static str>,
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: &str, what: impl Into<String>) {
        self.0.push(Problem { path: format!("sources.syslog.{path}"), what: what.into() });
    }

    fn parse<T: FromStr>(&mut self, path: &str, text: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        text.parse().map_err(|e| self.add(path, format!("{e}"))).ok()
    }
}

/// Minutes east of UTC from `+08:00` or `Z`.
fn zone(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = text.strip_prefix('+').map(|r| (1, r)).or_else(|| text.strip_prefix('-').map(|r| (-1, r)))?;
    let (hours, minutes) = rest.split_once(':')?;
    let number = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<i32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

impl Config {
    /// Checks everything that can be checked without touching a file.
    ///
    /// # Errors
    /// Every problem, each with its path and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<Problem>> {
        let mut problems = Problems(Vec::new());
        let mut addresses = |name: &str, list: &[String], port: &str| addresses(&mut problems, name, list, port);
        let (udp, tcp) = (addresses("listen", &self.listen, "514"), addresses("listen_tcp", &self.listen_tcp, "514"));
        let (tls, relp) = (addresses("listen_tls", &self.listen_tls, "6514"), addresses("listen_relp", &self.listen_relp, "2514"));
        for (name, list, others) in [("listen_tls", &tls, vec![&tcp]), ("listen_relp", &relp, vec![&tcp, &tls])] {
            for (i, a) in list.iter().enumerate().filter(|(_, a)| a.port() != 0 && others.iter().any(|o| o.contains(a))) {
                problems.add(&format!("{name}[{i}]"), format!("{a} is taken by another protocol here: choose another port"));
            }
        }
        check_realm(&mut problems, "realm", &self.realm);
        let zone = zone(&self.zone).unwrap_or_else(|| {
            problems.add("zone", format!("{:?} is not a zone: write \"+08:00\" or \"Z\"", self.zone));
            0
        });
        if !(4096..=1 << 30).contains(&self.receive_buffer) {
            problems.add("receive_buffer", format!("{} bytes: write 4096 to 1073741824", self.receive_buffer));
        }
        let tls_files = self.tls_files(&mut problems);
        if self.dialects.len() > DIALECT_FILES {
            problems.add("dialects", format!("{} files, at most {DIALECT_FILES} are allowed", self.dialects.len()));
        }
        let mut duration = |name: &str, text: &str| match parse_duration_ms(text) {
            Ok(ms) if ms >= 60_000 => ms,
            Ok(_) => {
                problems.add(name, "is too short: write 1m or more");
                0
            }
            Err(e) => {
                problems.add(name, e.to_string());
                0
            }
        };
        let (lease_ms, mapping_ms) = (duration("lease_time", &self.lease_time), duration("mapping_time", &self.mapping_time));
        let remotes = self.remote_policy(&mut problems);
        let rules = self.rules(zone, &mut problems);
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        Ok(Settings {
            udp,
            tcp,
            tls,
            relp,
            realm: self.realm.clone(),
            zone,
            receive_buffer: self.receive_buffer,
            tls_files,
            dialects: self.dialects.clone(),
            lease_ms,
            mapping_ms,
            remotes,
            rules,
            kind: None,
        })
    }

    fn tls_files(&self, problems: &mut Problems) -> Option<TlsFiles> {
        if self.listen_tls.is_empty() {
            return None;
        }
        for (name, file) in [("tls_certificate", &self.tls_certificate), ("tls_key", &self.tls_key)] {
            if file.as_os_str().is_empty() {
                problems.add(name, "is missing: listen_tls needs a certificate and its key, both PEM files");
            }
        }
        let clients = Some(self.tls_clients.clone()).filter(|p| !p.as_os_str().is_empty());
        Some(TlsFiles { certificate: self.tls_certificate.clone(), key: self.tls_key.clone(), clients })
    }

    fn remote_policy(&self, problems: &mut Problems) -> RemotePolicy {
        let mut steps: Vec<(Millis, Remotes)> = Vec::new();
        for (i, step) in self.remotes.iter().enumerate() {
            let from = problems.parse::<Day>(&format!("remotes[{i}].from"), &step.from);
            let policy = problems.parse::<Remotes>(&format!("remotes[{i}].policy"), &step.policy);
            let (Some(from), Some(policy)) = (from, policy) else { continue };
            if steps.last().is_some_and(|last| last.0 >= from.start()) {
                problems.add(&format!("remotes[{i}].from"), "the days must rise: put the older step first");
            }
            steps.push((from.start(), policy));
        }
        RemotePolicy::new(steps)
    }

    fn rules(&self, zone: i32, problems: &mut Problems) -> Vec<Rule> {
        if self.senders.len() > CONFIG_SENDERS {
            problems.add("senders", format!("{} entries, at most {CONFIG_SENDERS} are allowed", self.senders.len()));
        }
        let mut rules: Vec<Rule> = Vec::new();
        for (i, entry) in self.senders.iter().enumerate() {
            let at = |name: &str| format!("senders[{i}].{name}");
            if entry.addresses.is_empty() {
                problems.add(&at("addresses"), "is empty: write the addresses it sends from, e.g. [\"192.0.2.1\"]");
            }
            let mut prefixes = Vec::new();
            for (j, text) in entry.addresses.iter().enumerate() {
                let path = at(&format!("addresses[{j}]"));
                if let Some(prefix) = problems.parse::<Prefix>(&path, text) {
                    if rules.iter().any(|r| r.prefixes.contains(&prefix)) || prefixes.contains(&prefix) {
                        problems.add(&path, format!("{prefix} is named twice: keep one"));
                    }
                    prefixes.push(prefix);
                }
            }
            if entry.name.len() > 80 || entry.name.chars().any(|c| c.is_control() || c == '/') {
                problems.add(&at("name"), "must be at most 80 bytes without control characters and \"/\"");
            }
            let realm = if entry.realm.is_empty() { &self.realm } else { &entry.realm };
            check_realm(problems, &at("realm"), realm);
            let own_zone = if entry.zone.is_empty() { Some(zone) } else { self::zone(&entry.zone) };
            if own_zone.is_none() {
                problems.add(&at("zone"), format!("{:?} is not a zone: write \"+08:00\" or \"Z\"", entry.zone));
            }
            let clock = if entry.clock.is_empty() { Some(ClockMode::Trust) } else { problems.parse(&at("clock"), &entry.clock) };
            let mut pools = Vec::new();
            for (j, pool) in entry.pools.iter().enumerate() {
                pools.extend(problems.parse::<Prefix>(&at(&format!("pools[{j}]")), pool));
            }
            rules.push(Rule {
                name: entry.name.clone(),
                prefixes,
                realm: realm.clone(),
                zone: own_zone.unwrap_or(0),
                dialects: entry.dialects.clone(),
                clock: clock.unwrap_or_default(),
                overload: entry.overload,
                pools,
            });
        }
        rules
    }
}

fn check_realm(problems: &mut Problems, path: &str, realm: &str) {
    if realm.is_empty() || realm.len() > 64 {
        problems.add(path, "must be 1 to 64 bytes: the name of the inside address space, e.g. \"default\"");
    }
}

fn addresses(problems: &mut Problems, name: &str, list: &[String], port: &str) -> Vec<SocketAddr> {
    let mut out = Vec::new();
    for (i, text) in list.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && out.contains(&address) => {
                problems.add(&format!("{name}[{i}]"), format!("{text} is listed twice"));
            }
            Ok(address) => out.push(address),
            Err(_) => {
                problems.add(&format!("{name}[{i}]"), format!("{text:?} is not an address and port: write 0.0.0.0:{port} or [::]:{port}"))
            }
        }
    }
    out
}

impl Settings {
    /// True when there is somewhere to listen.
    pub fn listens(&self) -> bool {
        !(self.udp.is_empty() && self.tcp.is_empty() && self.tls.is_empty() && self.relp.is_empty())
    }

    /// The number of the entry for a sender: the first one that fits. Without entries this machine only may send.
    pub fn entry(&self, peer: Addr16) -> Option<usize> {
        let named = self.rules.iter().position(|r| r.prefixes.iter().any(|p| p.contains(peer)));
        named.or_else(|| (self.rules.is_empty() && peer.ip().is_loopback()).then_some(0))
    }

    /// The rule of an entry that [`Settings::entry`] gave for this sender.
    pub fn rule_of(&self, entry: usize, peer: Addr16) -> Rule {
        self.rules.get(entry).cloned().unwrap_or_else(|| Rule {
            name: String::new(),
            prefixes: vec![Prefix::new(peer, 128)],
            realm: self.realm.clone(),
            zone: self.zone,
            dialects: Vec::new(),
            clock: ClockMode::Trust,
            overload: false,
            pools: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(settings: &Settings, peer: &str) -> Option<Rule> {
        let peer = peer.parse().unwrap();
        settings.entry(peer).map(|entry| settings.rule_of(entry, peer))
    }

    fn paths(text: &str) -> Vec<String> {
        let config: Config = toml::from_str(text).unwrap();
        config.check().unwrap_err().into_iter().map(|p| p.path.replace("sources.syslog.", "")).collect()
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let text = r#"
            listen = ["here", "127.0.0.1:1", "127.0.0.1:1"]
            listen_tcp = ["127.0.0.1:7"]
            listen_tls = ["127.0.0.1:7"]
            zone = "CST"
            realm = "r"
            receive_buffer = 1
            lease_time = "1s"
            mapping_time = "long"
            [[remotes]]
            from = "2026-02-30"
            policy = "some"
            [[senders]]
            name = "a/b"
            zone = "8"
            clock = "ntp"
            [[senders]]
            addresses = ["192.0.2.1", "192.0.2.1", "x"]
            pools = ["y"]
        "#;
        assert_eq!(
            paths(text),
            [
                "listen[0]",
                "listen[2]",
                "listen_tls[0]",
                "zone",
                "receive_buffer",
                "tls_certificate",
                "tls_key",
                "lease_time",
                "mapping_time",
                "remotes[0].from",
                "remotes[0].policy",
                "senders[0].addresses",
                "senders[0].name",
                "senders[0].zone",
                "senders[0].clock",
                "senders[1].addresses[1]",
                "senders[1].addresses[2]",
                "senders[1].pools[0]",
            ]
        );
    }

    #[test]
    fn without_entries_this_machine_only_may_send() {
        let settings = Config::default().check().unwrap();
        assert!(!settings.listens());
        assert!(rule(&settings, "127.0.0.1").is_some() && rule(&settings, "::1").is_some());
        assert_eq!(rule(&settings, "192.0.2.1"), None);
        let text = "[[senders]]\nname = \"gw\"\naddresses = [\"192.0.2.0/24\"]\nzone = \"-03:30\"\n";
        let settings = toml::from_str::<Config>(text).unwrap().check().unwrap();
        assert_eq!(rule(&settings, "192.0.2.9").map(|r| (r.zone, r.realm)), Some((-210, "default".to_owned())));
        assert_eq!(rule(&settings, "127.0.0.1"), None);
    }
}
