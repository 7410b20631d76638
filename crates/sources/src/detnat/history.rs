//! Which configuration counted when. Every configuration becomes a `nat_config` record when it is first read, and a state entry from which
//! look-ups answer: taking it out of the file takes nothing out of the past.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::NatConfig;
use weir_record::sink::{Group, RecordSink, SourceDesc, StatePut};
use weir_record::walbatch;

use super::algorithm::{Algorithm, Plan, Ports, Side};
use super::config::{Dated, Settings};

/// Owner of the state.
pub const OWNER: &str = "detnat";

/// One configuration as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the device in the register.
    pub source: u32,
    /// From when on.
    pub from: Millis,
    /// Until when; none: for good.
    pub to: Option<Millis>,
    /// What it did.
    pub plan: Plan,
}

/// A mapping that follows from a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Computed {
    /// Number of the device.
    pub source: u32,
    /// The inside address.
    pub inside: Addr16,
    /// Its ports on the public address.
    pub ports: Ports,
    /// From when on.
    pub from: Millis,
    /// Until when; none: for good.
    pub to: Option<Millis>,
}

/// All configurations that were ever recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(Vec<Entry>);

impl History {
    /// From the state of [`OWNER`]. What does not read is left out: the record is in the log, and the next start writes it anew.
    pub fn of(state: &[(Vec<u8>, Vec<u8>)]) -> History {
        let mut all: Vec<Entry> = state.iter().filter_map(|(_, value)| entry(&row(value)?)).collect();
        all.sort_by_key(|e| (e.source, e.from));
        // The next configuration of a device ends the one before it.
        let next: Vec<Option<Millis>> =
            all.iter().enumerate().map(|(i, e)| all.get(i + 1).filter(|n| n.source == e.source).map(|n| n.from)).collect();
        for (e, next) in all.iter_mut().zip(next) {
            e.to = match (e.to, next) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        History(all)
    }

    /// True when nothing was ever configured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when this source's mappings are computed.
    pub fn has(&self, source: u32) -> bool {
        self.0.iter().any(|e| e.source == source)
    }

    /// The devices that ever translated to this address; true for those that give it to one inside address as a whole at `at`.
    pub fn devices(&self, public: Addr16, at: Millis) -> Vec<(u32, bool)> {
        let mut found: Vec<(u32, bool)> = Vec::new();
        for e in self.0.iter().filter(|e| e.plan.public.place(public).is_some()) {
            let whole = e.plan.algorithm == Algorithm::OneToOne && e.from <= at && e.to.is_none_or(|t| t > at);
            match found.iter_mut().find(|(source, _)| *source == e.source) {
                Some(known) => known.1 |= whole,
                None => found.push((e.source, whole)),
            }
        }
        found
    }

    /// Since when a device is configured.
    pub fn since(&self, source: u32) -> Option<Millis> {
        self.0.iter().filter(|e| e.source == source).map(|e| e.from).min()
    }

    /// Every mapping of the public port, or of the whole address when none is asked about, at some time in `from..=to`. A configuration ends
    /// one millisecond before the next begins.
    pub fn mappings(&self, public: Addr16, port: Option<u16>, from: Millis, to: Millis) -> Vec<Computed> {
        let mut found = Vec::new();
        for e in self.0.iter().filter(|e| e.from <= to && e.to.is_none_or(|t| t > from)) {
            let whole = e.plan.algorithm == Algorithm::OneToOne;
            let Some(port) = port.or(whole.then_some(0)) else { continue };
            if let Some((inside, ports)) = e.plan.inverse(public, port) {
                found.push(Computed { source: e.source, inside, ports, from: e.from, to: e.to.map(|t| t.plus(-1)) });
            }
        }
        found
    }

    /// True when the port lies in a pool that the device gives out dynamically: who had it stands in its log, not in its configuration.
    pub fn is_dynamic(&self, source: u32, public: Addr16, port: Option<u16>, at: Millis) -> bool {
        let covers = |e: &&Entry| e.source == source && e.from <= at && e.to.is_none_or(|t| t > at);
        self.0.iter().filter(covers).any(|e| {
            let dynamic = matches!(e.plan.algorithm, Algorithm::Rfc7422 { dynamic: 1.., .. });
            dynamic && e.plan.public.place(public).is_some() && port.is_some_and(|p| e.plan.inverse(public, p).is_none())
        })
    }
}

/// Registers the devices and records every configuration that was not recorded yet, or otherwise.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn record(settings: &Settings, sink: &Arc<dyn RecordSink>, now: Millis) -> Result<usize, String> {
    let known = sink.state(OWNER);
    let mut rows = Vec::new();
    let mut group = Group::new(OWNER);
    for dated in &settings.plans {
        let desc = SourceDesc {
            name: format!("{}/{}", settings.name, dated.device),
            kind: "detnat".to_owned(),
            realm: dated.realm.clone(),
            peer: "configuration".to_owned(),
            clock: "trust".to_owned(),
            ..SourceDesc::default()
        };
        let handle = sink.register(&desc).map_err(|e| format!("detnat cannot start: {e}"))?;
        let row = to_row(dated, handle.number, now);
        let (key, value) = (key(handle.number, dated.from), encode(&row));
        let same = |v: &[u8]| self::row(v).is_some_and(|old| NatConfig { time: now, ..old } == row);
        if !known.iter().any(|(k, v)| *k == key && same(v)) {
            group.state.push(StatePut { key, value: Some(value) });
            rows.push(row);
        }
        handle.count(|c| c.last_seen = Some(now));
    }
    if rows.is_empty() {
        return Ok(0);
    }
    group.batches.push((Kind::NatConfig, NatConfig::batch(&rows)));
    sink.commit(group).map_err(|e| format!("configurations of deterministic NAT cannot be recorded: {e}"))?;
    Ok(rows.len())
}

fn key(source: u32, from: Millis) -> Vec<u8> {
    [&source.to_be_bytes()[..], &from.0.to_be_bytes()].concat()
}

fn encode(row: &NatConfig) -> Vec<u8> {
    let mut value = Vec::new();
    walbatch::encode(Kind::NatConfig, &NatConfig::batch(std::slice::from_ref(row)), &mut value);
    value
}

fn row(value: &[u8]) -> Option<NatConfig> {
    match walbatch::decode(value) {
        Ok((Kind::NatConfig, batch, [])) => NatConfig::rows(&batch).pop(),
        _ => None,
    }
}

fn to_row(dated: &Dated, source: u32, now: Millis) -> NatConfig {
    let (dynamic, most) = match dated.plan.algorithm {
        Algorithm::Rfc7422 { dynamic, most } => (dynamic, most),
        _ => (0, 0),
    };
    NatConfig {
        time: now,
        source,
        device: dated.device.clone(),
        valid_from: dated.from,
        valid_to: dated.to,
        algorithm: dated.plan.algorithm.name().to_owned(),
        inside: dated.plan.inside.to_string(),
        public: dated.plan.public.to_string(),
        first_port: dated.plan.first_port,
        last_port: dated.plan.last_port,
        block_size: match dated.plan.algorithm {
            Algorithm::OneToOne => 0,
            _ => u32::try_from(dated.plan.block()).unwrap_or(u32::MAX),
        },
        dynamic,
        ports_max: most,
    }
}

fn entry(row: &NatConfig) -> Option<Entry> {
    let algorithm = match row.algorithm.parse().ok()? {
        Algorithm::Rfc7422 { .. } => Algorithm::Rfc7422 { dynamic: row.dynamic, most: row.ports_max },
        // The block size that counted then, not what today's program would compute.
        Algorithm::Juniper { .. } => Algorithm::Juniper { block: row.block_size },
        other => other,
    };
    let side = |text: &str| Side::parse(&text.split(' ').collect::<Vec<_>>()).ok();
    let plan =
        Plan { inside: side(&row.inside)?, public: side(&row.public)?, algorithm, first_port: row.first_port, last_port: row.last_port };
    plan.check().ok()?;
    Some(Entry { source: row.source, from: row.valid_from, to: row.valid_to, plan })
}
