//! Configuration of the source. Reading it gives the settings, or every problem at once.

use std::net::SocketAddr;

use serde::Deserialize;
use weir_base::net::{Addr16, Prefix};

use super::layout::{self, Layout, LayoutConfig};
use super::limits::{CONFIG_DEVICES, SOCKET_BUFFER};
use crate::ipfix::config::{ClockMode, RemoteStep, remote_policy};
use crate::ipfix::normalise::RemotePolicy;
use crate::ipfix::sequence::Counting;

/// `[sources.h3c]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// UDP addresses to listen on, e.g. `0.0.0.0:9020`. With none the source does not run.
    pub listen: Vec<String>,
    /// Kernel receive buffer of a socket, bytes.
    pub receive_buffer: usize,
    /// What becomes of remote ends, by date.
    pub remotes: Vec<RemoteStep>,
    /// The devices.
    pub devices: Vec<DeviceConfig>,
    /// Layouts of versions that have no public one.
    pub layouts: Vec<LayoutConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config { listen: Vec::new(), receive_buffer: SOCKET_BUFFER, remotes: Vec::new(), devices: Vec::new(), layouts: Vec::new() }
    }
}

/// `[[sources.h3c.devices]]`: devices by address. The first entry that fits counts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceConfig {
    /// Name; the address is added where the entry is for more than one. Empty: the address.
    pub name: String,
    /// Address or prefix it sends from.
    pub prefix: String,
    /// Realm: the inside address space it translates.
    pub realm: String,
    /// `measured` or `trust`; empty: `measured`.
    pub clock: String,
    /// What its sequence numbers count: `packets` as the reference says, `flows`, or `none`; empty: it is found out.
    pub sequence: String,
    /// Public pools it translates to.
    pub pools: Vec<String>,
}

impl Default for DeviceConfig {
    fn default() -> DeviceConfig {
        DeviceConfig {
            name: String::new(),
            prefix: String::new(),
            realm: "default".to_owned(),
            clock: String::new(),
            sequence: String::new(),
            pools: Vec::new(),
        }
    }
}

/// A checked entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// See [`DeviceConfig::name`].
    pub name: String,
    /// Where it sends from.
    pub prefix: Prefix,
    /// Realm.
    pub realm: String,
    /// Clock.
    pub clock: ClockMode,
    /// What its sequence numbers count; none: it is found out.
    pub counting: Option<Counting>,
    /// Public pools.
    pub pools: Vec<Prefix>,
}

impl Rule {
    /// The name of the source at an address.
    pub fn source(&self, peer: Addr16) -> String {
        match (self.name.is_empty(), self.prefix.bits) {
            (true, _) => format!("h3c/{peer}"),
            (false, 128) => self.name.clone(),
            (false, _) => format!("{}/{peer}", self.name),
        }
    }
}

/// Everything checked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// UDP sockets.
    pub udp: Vec<SocketAddr>,
    /// Bytes.
    pub receive_buffer: usize,
    /// What becomes of remote ends.
    pub remotes: RemotePolicy,
    /// Devices.
    pub rules: Vec<Rule>,
    /// Layouts beside that of version 3.0.
    pub layouts: Vec<Layout>,
}

impl Settings {
    /// The entry of a device.
    pub fn rule(&self, peer: Addr16) -> Option<&Rule> {
        self.rules.iter().find(|r| r.prefix.contains(peer))
    }
}

impl Config {
    /// Checks everything.
    ///
    /// # Errors
    /// Every problem, each beginning with the key it lies under, and with what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        let mut udp: Vec<SocketAddr> = Vec::new();
        for (i, text) in self.listen.iter().enumerate() {
            match text.parse::<SocketAddr>() {
                Ok(address) if address.port() != 0 && udp.contains(&address) => {
                    problems.push(format!("listen[{i}]: {text} is listed twice"))
                }
                Ok(address) => udp.push(address),
                Err(_) => problems.push(format!("listen[{i}]: {text:?} is not an address and port: write 0.0.0.0:9020 or [::]:9020")),
            }
        }
        if !(4096..=1 << 30).contains(&self.receive_buffer) {
            problems.push(format!("receive_buffer: {} bytes: write 4096 to 1073741824", self.receive_buffer));
        }
        if self.devices.len() > CONFIG_DEVICES {
            problems.push(format!("devices: {} entries, at most {CONFIG_DEVICES} are allowed", self.devices.len()));
        }
        let remotes = remote_policy(&self.remotes, &mut |path, what| problems.push(format!("{path}: {what}")));
        let mut rules: Vec<Rule> = Vec::new();
        for (i, device) in self.devices.iter().enumerate() {
            let Some(rule) = device.rule(&format!("devices[{i}]"), &mut problems) else { continue };
            if rules.iter().any(|r| r.prefix == rule.prefix) {
                problems.push(format!("devices[{i}].prefix: {} is named twice: keep one entry", rule.prefix));
            }
            rules.push(rule);
        }
        if !udp.is_empty() && self.devices.is_empty() {
            problems.push("devices: nobody may send: name the devices, each with the address it sends from".to_owned());
        }
        let layouts = layout::check(&self.layouts, &mut problems);
        let settings = Settings { udp, receive_buffer: self.receive_buffer, remotes, rules, layouts };
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

impl DeviceConfig {
    fn rule(&self, path: &str, problems: &mut Vec<String>) -> Option<Rule> {
        let prefix = self.prefix.parse::<Prefix>().map_err(|e| match self.prefix.is_empty() {
            true => problems.push(format!("{path}.prefix: is missing: write the address the device sends from, e.g. 192.0.2.1/32")),
            false => problems.push(format!("{path}.prefix: {e}")),
        });
        if self.realm.is_empty() || self.realm.len() > 64 {
            problems.push(format!("{path}.realm: must be 1 to 64 bytes: the name of the inside address space, e.g. \"default\""));
        }
        if self.name.len() > 64 || self.name.chars().any(|c| c.is_control() || c == '/') {
            problems.push(format!("{path}.name: must be at most 64 bytes without control characters and \"/\""));
        }
        let clock = match self.clock.as_str() {
            "" => Ok(ClockMode::Measured),
            text => text.parse().map_err(|e| problems.push(format!("{path}.clock: {e}"))),
        };
        let counting = match self.sequence.as_str() {
            "" => None,
            "packets" => Some(Counting::Messages),
            "flows" => Some(Counting::Records),
            "none" => Some(Counting::None),
            other => {
                problems.push(format!("{path}.sequence: {other:?} is not known: write packets, flows or none, or leave it out"));
                None
            }
        };
        let mut pools = Vec::new();
        for (i, pool) in self.pools.iter().enumerate() {
            match pool.parse() {
                Ok(prefix) => pools.push(prefix),
                Err(e) => problems.push(format!("{path}.pools[{i}]: {e}")),
            }
        }
        Some(Rule { name: self.name.clone(), prefix: prefix.ok()?, realm: self.realm.clone(), clock: clock.ok()?, counting, pools })
    }
}
