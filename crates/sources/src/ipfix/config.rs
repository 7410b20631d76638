//! Configuration of the IPFIX source, as it stands in the file, and its check. All problems are found at once.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::Deserialize;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::{Day, Millis};

use super::limits::{CONFIG_EXPORTERS, SOCKET_BUFFER};
use super::normalise::{RemotePolicy, Remotes};
use super::profile::Profile;
use super::sequence::Counting;

/// `[sources.ipfix]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// UDP addresses to listen on, e.g. `0.0.0.0:4739`.
    pub listen: Vec<String>,
    /// TCP addresses to listen on (IPFIX only).
    pub listen_tcp: Vec<String>,
    /// True to take exporters from loopback that no entry names, in realm `default`.
    pub accept_unknown: bool,
    /// `measured` or `trust`: whether exporters' clocks are measured by their export headers.
    pub clock: String,
    /// Kernel receive buffer of a UDP socket, bytes.
    pub receive_buffer: usize,
    /// What becomes of remote ends, by date.
    pub remotes: Vec<RemoteStep>,
    /// The exporters.
    pub exporters: Vec<ExporterConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: vec!["127.0.0.1:4739".to_owned()],
            listen_tcp: Vec::new(),
            accept_unknown: false,
            clock: "measured".to_owned(),
            receive_buffer: SOCKET_BUFFER,
            remotes: Vec::new(),
            exporters: Vec::new(),
        }
    }
}

/// `[[sources.ipfix.remotes]]`: from a UTC+8 day on, remote ends are dropped, kept or fingerprinted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteStep {
    /// First day, e.g. `2026-11-22`.
    pub from: String,
    /// `drop`, `keep` or `fingerprint`.
    pub policy: String,
}

/// `[[sources.ipfix.exporters]]`: exporters by address. The first entry that fits counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExporterConfig {
    /// Name; the observation domain is added to it. Empty: the address.
    pub name: String,
    /// Address or prefix it sends from.
    pub prefix: String,
    /// Only this observation domain (source id), when given.
    pub domain: Option<u32>,
    /// Realm: the inside address space it translates.
    pub realm: String,
    /// `rfc8158`, `juniper`, `cisco-nel`, `nokia`, `huawei` or `h3c`.
    pub profile: String,
    /// `measured` or `trust`; empty: as the source.
    pub clock: String,
    /// What its sequence numbers count: `standard`, `records`, `packets` or `none`.
    pub sequence: String,
    /// Public pools it translates to.
    pub pools: Vec<String>,
}

/// Whether an exporter's clock is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// By its export headers.
    #[default]
    Measured,
    /// Taken as right.
    Trust,
}

impl ClockMode {
    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            ClockMode::Measured => "measured",
            ClockMode::Trust => "trust",
        }
    }
}

impl FromStr for ClockMode {
    type Err = String;

    fn from_str(text: &str) -> Result<ClockMode, String> {
        match text {
            "measured" => Ok(ClockMode::Measured),
            "trust" => Ok(ClockMode::Trust),
            _ => Err(format!("clock {text:?} is not known: write \"measured\" or \"trust\"")),
        }
    }
}

/// A checked exporter entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name without the domain; empty: the address.
    pub name: String,
    /// Where it sends from.
    pub prefix: Prefix,
    /// Only this domain.
    pub domain: Option<u32>,
    /// Realm.
    pub realm: String,
    /// Profile.
    pub profile: Profile,
    /// Clock.
    pub clock: ClockMode,
    /// What its sequence numbers count; `None`: as the standard of its version says.
    pub counting: Option<Counting>,
    /// Public pools.
    pub pools: Vec<Prefix>,
}

/// The checked configuration.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// UDP sockets.
    pub udp: Vec<SocketAddr>,
    /// TCP listeners.
    pub tcp: Vec<SocketAddr>,
    /// See [`Config::accept_unknown`].
    pub accept_unknown: bool,
    /// Clock of exporters that no entry names.
    pub clock: ClockMode,
    /// Kernel receive buffer, bytes.
    pub receive_buffer: usize,
    /// What becomes of remote ends.
    pub remotes: RemotePolicy,
    /// Exporters.
    pub rules: Vec<Rule>,
}

/// One problem of a configuration: where it stands, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the value, e.g. `sources.ipfix.exporters[2].prefix`.
    pub path: String,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: &str, what: impl Into<String>) {
        self.0.push(Problem { path: format!("sources.ipfix.{path}"), what: what.into() });
    }

    fn parse<T: FromStr>(&mut self, path: &str, text: &str) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        text.parse().map_err(|e| self.add(path, format!("{e}"))).ok()
    }
}

impl Config {
    /// Checks everything; either settings or all problems.
    pub fn check(&self) -> Result<Settings, Vec<Problem>> {
        let mut problems = Problems(Vec::new());
        let udp = addresses(&mut problems, "listen", &self.listen);
        let tcp = addresses(&mut problems, "listen_tcp", &self.listen_tcp);
        let clock = problems.parse("clock", &self.clock).unwrap_or_default();
        if !(4096..=1 << 30).contains(&self.receive_buffer) {
            problems.add("receive_buffer", format!("{} bytes: write 4096 to 1073741824", self.receive_buffer));
        }
        if self.exporters.len() > CONFIG_EXPORTERS {
            problems.add("exporters", format!("{} entries, at most {CONFIG_EXPORTERS} are allowed", self.exporters.len()));
        }
        let remotes = remote_policy(&self.remotes, &mut |path, what| problems.add(path, what));
        let mut rules: Vec<Rule> = Vec::new();
        for (i, entry) in self.exporters.iter().enumerate() {
            if let Some(rule) = entry.rule(&format!("exporters[{i}]"), clock, &mut problems) {
                if rules.iter().any(|r| r.prefix == rule.prefix && r.domain == rule.domain) {
                    problems.add(&format!("exporters[{i}].prefix"), format!("{} is named twice: keep one entry", rule.prefix));
                }
                rules.push(rule);
            }
        }
        if problems.0.is_empty() {
            let receive_buffer = self.receive_buffer;
            Ok(Settings { udp, tcp, accept_unknown: self.accept_unknown, clock, receive_buffer, remotes, rules })
        } else {
            Err(problems.0)
        }
    }
}

/// Reads the steps of a policy for remote ends; `add` hears every problem with its path below the source.
pub(crate) fn remote_policy(list: &[RemoteStep], add: &mut dyn FnMut(&str, String)) -> RemotePolicy {
    let mut steps: Vec<(Millis, Remotes)> = Vec::new();
    for (i, step) in list.iter().enumerate() {
        let from = step.from.parse::<Day>().map_err(|e| add(&format!("remotes[{i}].from"), e.to_string())).ok();
        let policy = step.policy.parse::<Remotes>().map_err(|e| add(&format!("remotes[{i}].policy"), e)).ok();
        let (Some(from), Some(policy)) = (from, policy) else { continue };
        if steps.last().is_some_and(|last| last.0 >= from.start()) {
            add(&format!("remotes[{i}].from"), "the days must rise: put the older step first".to_owned());
        }
        steps.push((from.start(), policy));
    }
    RemotePolicy::new(steps)
}

fn addresses(problems: &mut Problems, name: &str, list: &[String]) -> Vec<SocketAddr> {
    let mut out = Vec::new();
    for (i, text) in list.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && out.contains(&address) => {
                problems.add(&format!("{name}[{i}]"), format!("{text} is listed twice"));
            }
            Ok(address) => out.push(address),
            Err(_) => {
                problems.add(&format!("{name}[{i}]"), format!("{text:?} is not an address and port: write 0.0.0.0:4739 or [::]:4739"))
            }
        }
    }
    out
}

impl ExporterConfig {
    fn rule(&self, path: &str, clock: ClockMode, problems: &mut Problems) -> Option<Rule> {
        let at = |name: &str| format!("{path}.{name}");
        let prefix = if self.prefix.is_empty() {
            problems.add(&at("prefix"), "is missing: write the address the exporter sends from, e.g. 192.0.2.1/32");
            None
        } else {
            problems.parse::<Prefix>(&at("prefix"), &self.prefix)
        };
        let profile = if self.profile.is_empty() {
            problems.add(&at("profile"), "is missing: a wrong one turns deletes into creates, so there is no default");
            None
        } else {
            problems.parse::<Profile>(&at("profile"), &self.profile)
        };
        if self.realm.is_empty() || self.realm.len() > 64 {
            problems.add(&at("realm"), "must be 1 to 64 bytes: the name of the inside address space, e.g. \"default\"");
        }
        if self.name.len() > 100 || self.name.chars().any(|c| c.is_control() || c == '/') {
            problems.add(&at("name"), "must be at most 100 bytes without control characters and \"/\"");
        }
        let clock = if self.clock.is_empty() { Some(clock) } else { problems.parse(&at("clock"), &self.clock) };
        let counting = match self.sequence.as_str() {
            "" | "standard" => None,
            "records" => Some(Counting::Records),
            "packets" => Some(Counting::Messages),
            "none" => Some(Counting::None),
            other => {
                problems.add(&at("sequence"), format!("{other:?} is not known: write standard, records, packets or none"));
                None
            }
        };
        let mut pools = Vec::new();
        for (i, pool) in self.pools.iter().enumerate() {
            pools.extend(problems.parse::<Prefix>(&at(&format!("pools[{i}]")), pool));
        }
        Some(Rule {
            name: self.name.clone(),
            prefix: prefix?,
            domain: self.domain,
            realm: self.realm.clone(),
            profile: profile?,
            clock: clock?,
            counting,
            pools,
        })
    }
}

impl Settings {
    /// The rule for an exporter: the first that fits; on loopback, when allowed, one made for it.
    pub fn rule(&self, peer: Addr16, domain: u32) -> Option<Rule> {
        let fits = |r: &&Rule| r.prefix.contains(peer) && r.domain.is_none_or(|d| d == domain);
        if let Some(rule) = self.rules.iter().find(fits) {
            return Some(rule.clone());
        }
        (self.accept_unknown && peer.ip().is_loopback()).then(|| Rule {
            name: String::new(),
            prefix: Prefix::new(peer, 128),
            domain: None,
            realm: "default".to_owned(),
            profile: Profile::Rfc8158,
            clock: self.clock,
            counting: None,
            pools: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_found_at_once() {
        let step = |from: &str, policy: &str| RemoteStep { from: from.into(), policy: policy.into() };
        let config = Config {
            listen: vec!["here".into(), "127.0.0.1:1".into(), "127.0.0.1:1".into()],
            clock: "ntp".into(),
            receive_buffer: 1,
            remotes: vec![step("2026-02-30", "keep"), step("2026-02-03", "some"), step("2026-02-03", "keep"), step("2026-02-02", "drop")],
            exporters: vec![
                ExporterConfig::default(),
                ExporterConfig {
                    prefix: "192.0.2.1/24".into(),
                    realm: "a".into(),
                    profile: "cisco".into(),
                    sequence: "flows".into(),
                    pools: vec!["x".into()],
                    ..ExporterConfig::default()
                },
            ],
            ..Config::default()
        };
        let paths: Vec<String> = config.check().unwrap_err().into_iter().map(|p| p.path.replace("sources.ipfix.", "")).collect();
        assert_eq!(
            paths,
            [
                "listen[0]",
                "listen[2]",
                "clock",
                "receive_buffer",
                "remotes[0].from",
                "remotes[1].policy",
                "remotes[3].from",
                "exporters[0].prefix",
                "exporters[0].profile",
                "exporters[0].realm",
                "exporters[1].prefix",
                "exporters[1].profile",
                "exporters[1].sequence",
                "exporters[1].pools[0]",
            ]
        );
    }

    #[test]
    fn the_first_fitting_rule_counts_and_strangers_are_only_taken_from_loopback() {
        let entry = |prefix: &str, domain, realm: &str| ExporterConfig {
            prefix: prefix.into(),
            domain,
            realm: realm.into(),
            profile: "juniper".into(),
            ..ExporterConfig::default()
        };
        let config = Config {
            accept_unknown: true,
            exporters: vec![entry("192.0.2.0/24", Some(7), "seven"), entry("192.0.2.0/24", None, "rest")],
            ..Config::default()
        };
        let settings = config.check().unwrap();
        let realm = |peer: &str, domain| settings.rule(peer.parse().unwrap(), domain).map(|r| r.realm);
        assert_eq!(realm("192.0.2.9", 7).as_deref(), Some("seven"));
        assert_eq!(realm("192.0.2.9", 8).as_deref(), Some("rest"));
        assert_eq!(realm("127.0.0.3", 8).as_deref(), Some("default"));
        assert_eq!(realm("::1", 8).as_deref(), Some("default"));
        assert_eq!(realm("198.51.100.1", 8), None);
    }
}
