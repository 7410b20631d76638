//! A small network's facts in memory. Instants are given in milliseconds after [`T`].

use std::collections::BTreeMap;

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Form;

use crate::facts::*;

/// 2026-11-22T10:00:00.000+08:00, the moment asked about.
pub const T: Millis = Millis(1_795_312_800_000);
/// The exporters: one each in the realms `home` and `office`.
pub const CGN: u32 = 1;
pub const OFFICE: u32 = 2;
/// The NAS of the realm `home`, and that of `office`.
pub const NAS: u32 = 8;
pub const OFFICE_NAS: u32 = 9;
const DAY: i64 = 86_400_000;

pub fn addr(text: &str) -> Addr16 {
    text.parse().unwrap()
}

pub fn id(n: u8) -> Id {
    let mut id = Id::default();
    id.0[15] = n;
    id
}

#[derive(Clone, Debug, Default)]
pub struct Net {
    pub pools: Vec<PoolSource>,
    pub sources: BTreeMap<u32, SourceFact>,
    pub mappings: Vec<MappingFact>,
    pub gaps: Vec<(u32, GapFact)>,
    pub sessions: Vec<(Prefix, SessionFact)>,
    pub own: Vec<OwnPool>,
    pub unseen: BTreeMap<u32, Millis>,
    /// Evidence for the port beside that of the mappings.
    pub evidence: Vec<(u32, Millis)>,
}

fn source(name: &str, realm: u32) -> SourceFact {
    let realm_name = ["", "home", "office", "lab"][realm as usize].to_owned();
    SourceFact { name: name.into(), realm, realm_name, last_header: Some(T.plus(60_000)), offset_ms: None, ahead_ms: None, trust: false }
}

impl Net {
    /// One exporter with the pool, one NAS, subscribers s12 to s15 at home with inside addresses of these numbers since an hour.
    pub fn ordinary() -> Net {
        let mut net = Net::default();
        net.sources.insert(CGN, source("cgn-a", 1));
        net.sources.insert(NAS, source("nas-a", 1));
        net.sources.insert(OFFICE, source("cgn-b", 2));
        net.sources.insert(OFFICE_NAS, source("nas-b", 2));
        net.pool(CGN);
        (12..16).for_each(|n| {
            net.session(n, -3_600_000, None);
        });
        net
    }

    pub fn pool(&mut self, source: u32) -> &mut PoolSource {
        let fact = &self.sources[&source];
        let (name, realm, realm_name) = (fact.name.clone(), fact.realm, fact.realm_name.clone());
        self.pools.push(PoolSource { source, name, realm, realm_name, since: T.plus(-DAY), pool: PoolKnown::Configured, shared: true });
        self.pools.last_mut().unwrap()
    }

    /// A mapping of port 40000 to inside address `n`, both ends seen; open without an end.
    pub fn map(&mut self, n: u8, start: i64, end: Option<i64>) -> &mut MappingFact {
        let start = T.plus(start);
        self.mappings.push(MappingFact {
            source: CGN,
            form: Form::Session,
            inside: addr(&format!("100.64.0.{n}")),
            inside_port: 50_000 + u16::from(n),
            public_first: 40_000,
            public_last: 40_000,
            protocol: 6,
            start: Some(start),
            start_seen: true,
            end: end.map(|ms| T.plus(ms)),
            end_seen: end.is_some(),
            ends_agree: true,
            last_evidence: start,
            remote: None,
        });
        self.mappings.last_mut().unwrap()
    }

    /// A session at home of subscriber `n` with inside address `n`.
    pub fn session(&mut self, n: u8, start: i64, end: Option<i64>) -> &mut SessionFact {
        self.session_at(&format!("100.64.0.{n}"), n, start, end)
    }

    pub fn session_at(&mut self, prefix: &str, n: u8, start: i64, end: Option<i64>) -> &mut SessionFact {
        let session = SessionFact {
            id: id(100 + self.sessions.len() as u8),
            realm: 1,
            realm_name: "home".into(),
            acct_session_id: Some(format!("acct-{n}")),
            subscriber: Some(id(n)),
            start: T.plus(start),
            start_certain: true,
            end: end.map(|ms| T.plus(ms)),
            inferred: false,
            nas: "192.0.2.1".into(),
            last_evidence: T.plus(end.unwrap_or(start)),
            source: NAS,
        };
        self.sessions.push((prefix.parse().unwrap(), session));
        &mut self.sessions.last_mut().unwrap().1
    }

    pub fn gap(&mut self, source: u32, start: i64, end: i64, lost: Option<u64>) {
        let [high, low] = (self.gaps.len() as u16 + 256).to_be_bytes();
        let mut id = id(low);
        id.0[14] = high;
        self.gaps.push((source, GapFact { id, start: T.plus(start), end: T.plus(end), lost }));
    }

    pub fn source(&mut self, source: u32) -> &mut SourceFact {
        self.sources.get_mut(&source).unwrap()
    }

    /// Puts every instant of a source into the time of a clock that is `ms` ahead.
    pub fn clock(&mut self, source: u32, ms: i64) {
        self.move_source(source, ms);
        self.source(source).offset_ms = Some(ms);
    }

    /// Everything later by `ms`.
    pub fn shift(&mut self, ms: i64) {
        let sources: Vec<u32> = self.sources.keys().copied().collect();
        sources.into_iter().for_each(|source| self.move_source(source, ms));
    }

    fn move_source(&mut self, source: u32, ms: i64) {
        let add = |t: &mut Millis| *t = t.plus(ms);
        self.source(source).last_header.iter_mut().for_each(add);
        self.pools.iter_mut().filter(|p| p.source == source).for_each(|p| add(&mut p.since));
        self.own.iter_mut().filter(|p| p.source == source).for_each(|p| add(&mut p.since));
        for m in self.mappings.iter_mut().filter(|m| m.source == source) {
            m.start.iter_mut().chain(m.end.iter_mut()).for_each(add);
            add(&mut m.last_evidence);
        }
        for (_, s) in self.sessions.iter_mut().filter(|(_, s)| s.source == source) {
            add(&mut s.start);
            add(&mut s.last_evidence);
            s.end.iter_mut().for_each(add);
        }
        for (_, g) in self.gaps.iter_mut().filter(|(no, _)| *no == source) {
            add(&mut g.start);
            add(&mut g.end);
        }
        self.evidence.iter_mut().filter(|(no, _)| *no == source).for_each(|(_, t)| add(t));
        self.unseen.iter_mut().filter(|(no, _)| **no == source).for_each(|(_, t)| add(t));
    }
}

fn overlaps(start: Option<Millis>, end: Option<Millis>, from: Millis, to: Millis) -> bool {
    start.is_none_or(|t| t <= to) && end.is_none_or(|t| t >= from)
}

impl Facts for Net {
    fn sources_for(&self, public: Addr16) -> Read<Vec<PoolSource>> {
        let pool: Prefix = "203.0.113.0/24".parse().unwrap();
        Ok(self.pools.iter().filter(|_| pool.contains(public)).cloned().collect())
    }

    fn mappings(&self, query: &MappingQuery) -> Read<Vec<MappingFact>> {
        let fits = |m: &&MappingFact| {
            let port = query.port.is_none_or(|p| (m.public_first..=m.public_last).contains(&p)) || m.form == Form::AddressBinding;
            let protocol = m.protocol == 0 || query.protocol.is_none_or(|p| p == m.protocol);
            query.public == addr("203.0.113.7") && port && protocol && overlaps(m.start, m.end, query.from, query.to)
        };
        Ok(self.mappings.iter().filter(fits).cloned().collect())
    }

    fn evidence(&self, source: u32, public: Addr16, port: Option<u16>, _: Option<u8>, before: Millis) -> Read<Option<Millis>> {
        let of_port =
            self.mappings.iter().filter(|m| m.source == source && port.is_some_and(|p| (m.public_first..=m.public_last).contains(&p)));
        let events = of_port.flat_map(|m| [m.start.filter(|_| m.start_seen), m.end.filter(|_| m.end_seen)]).flatten();
        let of_address = self.sessions.iter().filter(|(p, s)| port.is_none() && s.source == source && p.contains(public));
        let told = of_address.map(|(_, s)| s.last_evidence);
        let more = self.evidence.iter().filter(|(no, _)| *no == source).map(|(_, t)| *t);
        Ok(events.chain(told).chain(more).filter(|t| *t <= before).max())
    }

    fn gaps(&self, source: u32, from: Millis, to: Millis) -> Read<Vec<GapFact>> {
        let touches = |g: &GapFact| g.start <= to && g.end >= from;
        Ok(self.gaps.iter().filter(|(no, g)| *no == source && touches(g)).map(|(_, g)| g.clone()).collect())
    }

    fn source(&self, source: u32, _: Millis) -> Read<SourceFact> {
        self.sources.get(&source).cloned().ok_or_else(|| FactsError(format!("there is no source {source}")))
    }

    fn sessions(&self, realm: Option<u32>, address: Addr16, from: Millis, to: Millis) -> Read<Vec<SessionFact>> {
        let fits = |p: &Prefix, s: &SessionFact| realm.is_none_or(|r| r == s.realm) && p.contains(address);
        let found = self.sessions.iter().filter(|(p, s)| fits(p, s) && overlaps(Some(s.start), s.end, from, to));
        Ok(found.map(|(_, s)| s.clone()).collect())
    }

    fn sessions_off_time(&self, realm: Option<u32>, _: Millis) -> Read<Vec<u32>> {
        let off = |s: &SourceFact| !s.trust && s.offset_ms.is_some_and(|ms| ms.abs() > 2_000);
        let fits = |no: u32, s: &SourceFact| (no == NAS || no == OFFICE_NAS) && off(s) && realm.is_none_or(|r| r == s.realm);
        Ok(self.sources.iter().filter(|(no, s)| fits(**no, s)).map(|(no, _)| *no).collect())
    }

    fn own_pools(&self) -> Read<Vec<OwnPool>> {
        Ok(self.own.clone())
    }

    fn lenders(&self, address: Addr16) -> Read<Vec<OwnPool>> {
        let mut of: Vec<u32> = self.sessions.iter().filter(|(p, _)| p.contains(address)).map(|(_, s)| s.source).collect();
        of.sort_unstable();
        of.dedup();
        let prefix = Prefix::new(address, 128);
        Ok(of.into_iter().map(|source| OwnPool { prefix, source, since: self.pools.first().map_or(T, |p| p.since) }).collect())
    }

    fn unseen(&self, source: u32) -> Read<Option<Millis>> {
        Ok(self.unseen.get(&source).copied())
    }

    fn remote_tag(&self, address: Addr16, port: u16) -> Read<Option<u64>> {
        Ok(Some(u64::from(address.0[15]) << 16 | u64::from(port)))
    }
}
