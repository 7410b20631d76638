//! What the tests of this module share: an encoder of its own, a reader of hex vectors, a collector on loopback.

use std::sync::Arc;

use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::{Gap, Malformed, NatEvent, OperatorAction, Raw};
use weir_record::sink::Group;

use super::collector::{Collector, Transport};
use super::config::Settings;
use super::parser::Version;
use super::prepared::{MemoryRegister, loopback, loopback_settings};
use super::profile::Profile;

/// 2026-11-22T10:00:00+08:00 in seconds since 1970.
pub const T0: u32 = 1_795_312_800;

/// Bytes of a vector: hex digits, spaces ignored, `#` begins a comment.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .lines()
        .filter_map(|l| l.split('#').next())
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap_or_else(|| panic!("{c:?} is not a hex digit")) as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of hex digits");
    digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect()
}

/// The messages of a vector file: each begins with a line `= arrival in ms after T0`.
pub fn vector(text: &str) -> Vec<(Millis, Vec<u8>)> {
    let mut out: Vec<(Millis, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('='), out.last_mut()) {
            (Some(at), _) => {
                let ms: i64 = at.trim().parse().unwrap_or_else(|e| panic!("{line}: {e}"));
                out.push((Millis(i64::from(T0) * 1000 + ms), String::new()));
            }
            (None, Some(last)) => last.1.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    out.into_iter().map(|(at, text)| (at, hex(&text))).collect()
}

/// A template set (IPFIX or v9).
pub fn template_set(version: Version, id: u16, fields: &[(u32, u16, u16)]) -> Vec<u8> {
    let mut body = [id.to_be_bytes(), (fields.len() as u16).to_be_bytes()].concat();
    for (enterprise, id, length) in fields {
        let bit = if *enterprise == 0 { 0 } else { 0x8000 };
        body.extend((id | bit).to_be_bytes());
        body.extend(length.to_be_bytes());
        if *enterprise != 0 {
            body.extend(enterprise.to_be_bytes());
        }
    }
    set(if version == Version::Ipfix { 2 } else { 0 }, &body)
}

/// A set with its header.
pub fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &(body.len() as u16 + 4).to_be_bytes(), body].concat()
}

/// An IPFIX message.
pub fn ipfix(secs: u32, sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let body = sets.concat();
    let length = body.len() as u16 + 16;
    [&[0, 10][..], &length.to_be_bytes(), &secs.to_be_bytes(), &sequence.to_be_bytes(), &domain.to_be_bytes(), &body].concat()
}

/// A v9 packet.
pub fn v9(uptime: u32, secs: u32, sequence: u32, domain: u32, sets: &[Vec<u8>]) -> Vec<u8> {
    let (count, body) = ((sets.len() as u16).to_be_bytes(), sets.concat());
    [&[0, 9][..], &count, &uptime.to_be_bytes(), &secs.to_be_bytes(), &sequence.to_be_bytes(), &domain.to_be_bytes(), &body].concat()
}

/// The template of an RFC 8158 NAT44 session with destination, as most exporters send it.
pub const NAT44: &[(u32, u16, u16)] =
    &[(0, 323, 8), (0, 230, 1), (0, 4, 1), (0, 8, 4), (0, 7, 2), (0, 225, 4), (0, 227, 2), (0, 12, 4), (0, 11, 2)];

/// A record of [`NAT44`]: inside 100.64.0.host:50000+n, public 203.0.113.7:1024+n, destination 198.51.100.9:443.
pub fn nat44(event: u8, at_ms: u64, n: u16) -> Vec<u8> {
    let mut out = at_ms.to_be_bytes().to_vec();
    out.extend([event, 6, 100, 64, 0, 12]);
    out.extend((50_000 + n).to_be_bytes());
    out.extend([203, 0, 113, 7]);
    out.extend((1_024 + n).to_be_bytes());
    out.extend([198, 51, 100, 9]);
    out.extend(443u16.to_be_bytes());
    out
}

/// All rows a collector made.
#[derive(Debug, Default)]
pub struct Rows {
    pub events: Vec<NatEvent>,
    pub gaps: Vec<Gap>,
    pub malformed: Vec<Malformed>,
    pub raw: Vec<Raw>,
    pub notices: Vec<OperatorAction>,
    pub state: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub evidence: Vec<(u32, Millis)>,
}

impl Rows {
    pub fn add(&mut self, group: Group) {
        assert_eq!(weir_record::group::check(&group), Ok(()));
        for (kind, batch) in &group.batches {
            match kind {
                Kind::NatEvent => self.events.extend(NatEvent::rows(batch)),
                Kind::Gap => self.gaps.extend(Gap::rows(batch)),
                Kind::Malformed => self.malformed.extend(Malformed::rows(batch)),
                Kind::Raw => self.raw.extend(Raw::rows(batch)),
                Kind::OperatorAction => self.notices.extend(OperatorAction::rows(batch)),
                other => panic!("{other} is not a kind of this source"),
            }
        }
        self.state.extend(group.state.into_iter().map(|p| (p.key, p.value)));
        self.evidence.extend(group.evidence);
    }

    /// The state as a store would hand it back: the last value of each key.
    pub fn stored(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let last: std::collections::BTreeMap<_, _> = self.state.iter().cloned().collect();
        last.into_iter().filter_map(|(k, v)| Some((k, v?))).collect()
    }
}

/// A collector on loopback and its register.
pub struct Bench {
    pub collector: Collector,
    pub register: MemoryRegister,
    pub rows: Rows,
}

impl Bench {
    pub fn new(profile: Profile) -> Bench {
        let mut settings = loopback_settings();
        let mut rule = settings.rule(loopback().ip().into(), 0).unwrap();
        rule.profile = profile;
        settings.rules.push(rule);
        Bench::with(settings, Transport::Udp)
    }

    pub fn with(settings: Settings, transport: Transport) -> Bench {
        let register = MemoryRegister::default();
        let collector = Collector::new(Arc::new(settings), Box::new(register.clone()), transport, "test", None);
        Bench { collector, register, rows: Rows::default() }
    }

    /// One datagram, and what it makes.
    pub fn feed(&mut self, at: Millis, data: &[u8]) {
        self.collector.message(loopback(), 0, at, data).unwrap();
        self.drain();
    }

    pub fn tick(&mut self, at: Millis) {
        self.collector.tick(at);
        self.drain();
    }

    pub fn stop(&mut self, at: Millis) {
        self.collector.stop(at);
        self.drain();
    }

    pub fn drain(&mut self) {
        if let Some(group) = self.collector.take() {
            self.rows.add(group);
        }
    }
}
