//! Configuration: configurations of NAT devices, each from its moment on. Reading it gives the settings, or every problem at once.

use serde::Deserialize;
use weir_base::time::Millis;

use super::algorithm::{Algorithm, Plan, Side};
use super::limits::{FIRST_PORT, RULES, SIDE_BYTES};

/// `[sources.detnat]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of the source, unique in the unit.
    pub name: String,
    /// Configurations of NAT devices, past and present.
    pub plans: Vec<PlanConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config { name: "detnat".into(), plans: Vec::new() }
    }
}

/// `[[sources.detnat.plans]]`: what one NAT device did from a moment on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanConfig {
    /// Name of the device. A later entry of the same name takes over from this one.
    pub device: String,
    /// From when on, e.g. `2026-12-01T03:00:00+08:00`.
    pub from: String,
    /// Until when; left out: until the next entry of the device.
    pub to: String,
    /// Realm: the inside address space.
    pub realm: String,
    /// `rfc7422`, `juniper` or `one-to-one`.
    pub algorithm: String,
    /// Inside addresses: prefixes and ranges, in order.
    pub inside: Vec<String>,
    /// Public addresses: prefixes and ranges, in order.
    pub public: Vec<String>,
    /// First port given to inside addresses.
    pub first_port: Option<u16>,
    /// Last port given.
    pub last_port: Option<u16>,
    /// Ports of a block, for `juniper`; left out: computed.
    pub block_size: u32,
    /// Dynamic pool factor, for `rfc7422`.
    pub dynamic: u32,
    /// Most ports an inside address gets, for `rfc7422`; 0 for no limit.
    pub ports_max: u32,
}

/// One configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Name of the device.
    pub device: String,
    /// From when on.
    pub from: Millis,
    /// Until when, where the configuration says so.
    pub to: Option<Millis>,
    /// Realm.
    pub realm: String,
    /// What it did.
    pub plan: Plan,
}

/// Everything checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// See [`Config::name`].
    pub name: String,
    /// By device and moment.
    pub plans: Vec<Dated>,
}

impl Config {
    /// Checks everything.
    ///
    /// # Errors
    /// Every problem, each with the key it lies under and what to write instead.
    pub fn check(&self) -> Result<Settings, Vec<String>> {
        let mut problems = Vec::new();
        check_name("name", &self.name, &mut problems);
        if self.plans.len() > RULES {
            problems.push(format!("plans: {} entries, at most {RULES} are allowed", self.plans.len()));
        }
        let mut plans: Vec<Dated> = Vec::new();
        for (i, entry) in self.plans.iter().enumerate() {
            let Some(dated) = entry.check(&format!("plans[{i}]"), &mut problems) else { continue };
            if plans.iter().any(|p| p.device == dated.device && p.from == dated.from) {
                problems.push(format!("plans[{i}].from: device {:?} has an entry from this moment on already: keep one", dated.device));
            }
            if plans.iter().any(|p| p.device == dated.device && p.realm != dated.realm) {
                problems.push(format!("plans[{i}].realm: device {:?} stands in another realm before: give it another name", dated.device));
            }
            plans.push(dated);
        }
        plans.sort_by(|a, b| (&a.device, a.from).cmp(&(&b.device, b.from)));
        if problems.is_empty() { Ok(Settings { name: self.name.clone(), plans }) } else { Err(problems) }
    }
}

impl PlanConfig {
    fn check(&self, key: &str, problems: &mut Vec<String>) -> Option<Dated> {
        let before = problems.len();
        check_name(&format!("{key}.device"), &self.device, problems);
        check_name(&format!("{key}.realm"), &self.realm, problems);
        let mut time = |name: &str, text: &str| text.parse::<Millis>().map_err(|e| problems.push(format!("{key}.{name}: {e}"))).ok();
        let from = time("from", &self.from);
        let to = if self.to.is_empty() { None } else { time("to", &self.to) };
        if let (Some(from), Some(to)) = (from, to)
            && to <= from
        {
            problems.push(format!("{key}.to: it must be later than `from`"));
        }
        let mut side = |name: &str, list: &[String]| {
            let long = list.iter().map(String::len).sum::<usize>() > SIDE_BYTES;
            let side = if long { Err(format!("is longer than {SIDE_BYTES} bytes")) } else { Side::parse(list) };
            side.map_err(|e| problems.push(format!("{key}.{name}: {e}"))).ok()
        };
        let (inside, public) = (side("inside", &self.inside), side("public", &self.public));
        let algorithm = match self.algorithm.parse() {
            Ok(Algorithm::Rfc7422 { .. }) => Some(Algorithm::Rfc7422 { dynamic: self.dynamic, most: self.ports_max }),
            Ok(Algorithm::Juniper { .. }) => Some(Algorithm::Juniper { block: self.block_size }),
            Ok(other) => Some(other),
            Err(e) => {
                problems.push(format!("{key}.algorithm: {e}"));
                None
            }
        };
        let (first_port, last_port) = (self.first_port.unwrap_or(FIRST_PORT), self.last_port.unwrap_or(u16::MAX));
        let plan = Plan { inside: inside?, public: public?, algorithm: algorithm?, first_port, last_port };
        if let Err(e) = plan.check() {
            problems.push(format!("{key}.public: {e}"));
        }
        (problems.len() == before).then_some(Dated { device: self.device.clone(), from: from?, to, realm: self.realm.clone(), plan })
    }
}

fn check_name(key: &str, value: &str, problems: &mut Vec<String>) {
    if value.is_empty() || value.len() > 48 || value.chars().any(|c| c.is_control() || c == '/') {
        problems.push(format!("{key} = {value:?}: a name has 1 to 48 bytes, no slash and no control character"));
    }
}
