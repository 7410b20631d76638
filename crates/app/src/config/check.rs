//! What types cannot say: ranges, names, and the checks of each measure.

use weir_base::net::Prefix;
use weir_base::time::parse_duration_ms;
use weir_sources::{conntrack, detnat, dhcp, events, h3c, host, ipfix, radius, syslog};

use super::desk::{self, DeskSettings};
use super::{Config, Problem, StoreSection};
use crate::limits::{MEMORY_BYTES_MAX, MEMORY_BYTES_MIN, ORIGIN_BYTES, SEAL_EVERY_MS, UNIT_ROWS_MAX, WAL_BYTES_MIN};

/// What a unit is under Article 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitKind {
    /// The word in the configuration.
    pub code: &'static str,
    /// The law's word.
    pub zh: &'static str,
}

/// Every kind of unit.
pub const UNIT_KINDS: &[UnitKind] = &[
    UnitKind { code: "access", zh: "互联网接入服务" },
    UnitKind { code: "information", zh: "互联网信息服务" },
    UnitKind { code: "datacenter", zh: "互联网数据中心服务" },
    UnitKind { code: "venue", zh: "互联网上网服务" },
    UnitKind { code: "user", zh: "联网使用单位" },
];

/// `[store]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Milliseconds.
    pub seal_every_ms: i64,
    /// Rows.
    pub unit_rows: usize,
    /// Bytes.
    pub wal_bytes: u64,
    /// Bytes; 0 for what suits the machine.
    pub memory_bytes: u64,
    /// SM3 digests too.
    pub sm3: bool,
}

/// `[[realms]]`, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Its name.
    pub name: String,
    /// Addresses that its subscribers hold without a NAT.
    pub own: Vec<Prefix>,
}

/// Everything checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the log.
    pub origin: String,
    /// What the unit is.
    pub kinds: Vec<UnitKind>,
    /// The store.
    pub store: StoreSettings,
    /// Realms.
    pub realms: Vec<Realm>,
    /// RADIUS, when it runs.
    pub radius: Option<radius::config::Settings>,
    /// IPFIX, when it runs.
    pub ipfix: Option<ipfix::config::Settings>,
    /// Syslog, when it is switched on; it runs where it has somewhere to listen.
    pub syslog: Option<syslog::config::Settings>,
    /// Connection tracking, when it runs.
    pub conntrack: Option<conntrack::config::Settings>,
    /// Deterministic NAT, when a configuration of a device is there.
    pub detnat: Option<detnat::config::Settings>,
    /// DHCP, when a lease file or an interface is named.
    pub dhcp: Option<dhcp::config::Settings>,
    /// H3C's flow log, when it has somewhere to listen.
    pub h3c: Option<h3c::config::Settings>,
    /// The logs of this machine, when they are read.
    pub host: Option<host::config::Settings>,
    /// Application events, when there is somewhere to listen.
    pub events: Option<events::config::Settings>,
    /// The desk, and who may use the socket.
    pub desk: DeskSettings,
}

/// Checks everything.
pub fn check(config: &Config) -> Result<Settings, Vec<Problem>> {
    let mut problems = Vec::new();
    let kinds = unit(config, &mut problems);
    let store = store(&config.store, &mut problems);
    let realms = realms(config, &mut problems);
    let radius = config.measures.radius.then(|| config.sources.radius.check()).transpose().map_err(|all| {
        problems.extend(all.iter().map(|text| below("sources.radius", text)));
    });
    let conntrack = section("sources.conntrack", config.measures.conntrack, || config.sources.conntrack.check(), &mut problems);
    let plans = config.measures.detnat && !config.sources.detnat.plans.is_empty();
    let detnat = section("sources.detnat", plans, || config.sources.detnat.check(), &mut problems);
    let leases = config.measures.dhcp && !(config.sources.dhcp.files.is_empty() && config.sources.dhcp.capture.is_empty());
    let dhcp = section("sources.dhcp", leases, || config.sources.dhcp.check(), &mut problems);
    let flows = config.measures.h3c && !(config.sources.h3c.listen.is_empty() && config.sources.h3c.devices.is_empty());
    let h3c = section("sources.h3c", flows, || config.sources.h3c.check(), &mut problems).filter(|s| !s.udp.is_empty());
    let host = section("sources.host", config.measures.host, || config.sources.host.check(), &mut problems);
    let listens = config.measures.events && config.sources.events.listens();
    let events = section("sources.events", listens, || config.sources.events.check(), &mut problems);
    let ipfix = config.measures.ipfix.then(|| config.sources.ipfix.check()).transpose().map_err(|all| {
        problems.extend(all.into_iter().map(|p| Problem::new(p.path, p.what)));
    });
    let syslog = config.measures.syslog.then(|| config.sources.syslog.check()).transpose().unwrap_or_else(|all| {
        problems.extend(all.into_iter().map(|p| Problem::new(p.path, p.what)));
        None
    });
    let desk = desk::check(&config.desk, &mut problems);
    match (problems.is_empty(), radius, ipfix) {
        (true, Ok(radius), Ok(ipfix)) => {
            let origin = config.unit.origin.clone();
            Ok(Settings { origin, kinds, store, realms, radius, ipfix, syslog, conntrack, detnat, dhcp, h3c, host, events, desk })
        }
        _ => Err(problems),
    }
}

/// The settings of a source that runs; its problems go below its section.
fn section<T>(path: &str, runs: bool, check: impl FnOnce() -> Result<T, Vec<String>>, problems: &mut Vec<Problem>) -> Option<T> {
    let checked = runs.then(check)?;
    checked.map_err(|all| problems.extend(all.iter().map(|text| below(path, text)))).ok()
}

/// A sentence that begins with a key becomes a problem at that key.
fn below(section: &str, text: &str) -> Problem {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']'))).unwrap_or(text.len());
    let (key, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let rest = rest.trim_start_matches([':', ' ']);
    Problem::new(format!("{section}.{key}"), rest)
}

fn unit(config: &Config, problems: &mut Vec<Problem>) -> Vec<UnitKind> {
    let origin = &config.unit.origin;
    if origin.is_empty() || origin.len() > ORIGIN_BYTES || origin.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        let how = "write 1 to 128 bytes without spaces or \"+\", e.g. \"log.example.org/weir\"";
        problems.push(Problem::new("unit.origin", format!("is not a name of a log: {how}")));
    }
    let mut kinds: Vec<UnitKind> = Vec::new();
    for (i, code) in config.unit.kinds.iter().enumerate() {
        match UNIT_KINDS.iter().find(|k| k.code == code) {
            Some(kind) if kinds.contains(kind) => {
                problems.push(Problem::new(format!("unit.kinds[{i}]"), format!("{code:?} stands twice: keep one")))
            }
            Some(kind) => kinds.push(*kind),
            None => {
                let known: Vec<_> = UNIT_KINDS.iter().map(|k| k.code).collect();
                problems
                    .push(Problem::new(format!("unit.kinds[{i}]"), format!("{code:?} is not a kind of unit: write {}", known.join(", "))));
            }
        }
    }
    kinds
}

fn store(section: &StoreSection, problems: &mut Vec<Problem>) -> StoreSettings {
    let seal_every_ms = match parse_duration_ms(&section.seal_every) {
        Ok(ms) if (1_000..=SEAL_EVERY_MS).contains(&ms) => ms,
        Ok(_) => {
            problems.push(Problem::new("store.seal_every", "is out of range: write 1s to 60s"));
            SEAL_EVERY_MS
        }
        Err(e) => {
            problems.push(Problem::new("store.seal_every", e.to_string()));
            SEAL_EVERY_MS
        }
    };
    if !(1_000..=UNIT_ROWS_MAX).contains(&section.unit_rows) {
        problems.push(Problem::new("store.unit_rows", format!("is out of range: write 1000 to {UNIT_ROWS_MAX}")));
    }
    if section.wal_bytes < WAL_BYTES_MIN {
        problems.push(Problem::new("store.wal_bytes", format!("is too small: write {WAL_BYTES_MIN} (64 MiB) or more")));
    }
    if section.memory_bytes != 0 && !(MEMORY_BYTES_MIN..=MEMORY_BYTES_MAX).contains(&section.memory_bytes) {
        let how =
            format!("is out of range: write {MEMORY_BYTES_MIN} (512 MiB) to {MEMORY_BYTES_MAX} (1 TiB), or 0 for half of what there is");
        problems.push(Problem::new("store.memory_bytes", how));
    }
    let StoreSection { unit_rows, wal_bytes, memory_bytes, sm3, .. } = *section;
    StoreSettings { seal_every_ms, unit_rows, wal_bytes, memory_bytes, sm3 }
}

fn realms(config: &Config, problems: &mut Vec<Problem>) -> Vec<Realm> {
    let mut realms: Vec<Realm> = Vec::new();
    for (i, section) in config.realms.iter().enumerate() {
        let at = format!("realms[{i}]");
        let name = &section.name;
        if name.is_empty() || name.len() > 48 || name.chars().any(|c| c.is_control() || c == '/') {
            problems.push(Problem::new(format!("{at}.name"), "is not a name: write 1 to 48 bytes without \"/\" or control characters"));
        } else if realms.iter().any(|r| r.name == *name) {
            problems.push(Problem::new(format!("{at}.name"), format!("{name:?} stands twice: keep one")));
        }
        let mut own = Vec::new();
        for (j, text) in section.own.iter().enumerate() {
            match text.parse::<Prefix>() {
                Ok(prefix) => own.push(prefix),
                Err(e) => problems.push(Problem::new(format!("{at}.own[{j}]"), e)),
            }
        }
        realms.push(Realm { name: name.clone(), own });
    }
    realms
}
