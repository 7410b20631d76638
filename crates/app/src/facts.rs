//! The store as attribution sees it.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use weir_attribution::facts::{GapFact, MappingFact, MappingQuery, OwnPool, PoolKnown, PoolSource, Read, Remote, SessionFact, SourceFact};
use weir_attribution::limits::OFFSET_JOINS_MS;
use weir_attribution::{Facts, FactsError, Question};
use weir_base::crypto::Mac;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::kinds::{Form, flags};
use weir_sources::detnat::history::{Computed, History};
use weir_sources::ipfix::normalise::fingerprint;
use weir_sources::syslog::zones::minutes_off;
use weir_store::engine::{SourceInfo, Store};
use weir_store::nat::mapping::Mapping;
use weir_store::session::span::SessionSpan;
use weir_store::shelf::Shelf;

use crate::clocks::Clocks;
use crate::front::Reach;

/// How far back the last word about a port is looked for, in milliseconds.
const EVIDENCE_BACK_MS: i64 = 300_000;
/// Around the moment, the time in which a binding of a whole address is looked for, in milliseconds.
const WHOLE_AROUND_MS: i64 = 600_000;

/// What is known of the sources, taken before records are read: a record that comes later may make an answer more careful, never less.
#[derive(Default)]
pub struct View {
    /// Sources by number.
    pub sources: HashMap<u32, SourceInfo>,
    /// The listener of each NAS, by their numbers: what the kernel dropped before it was read may have been of any NAS.
    pub listeners: HashMap<u32, u32>,
    /// How far their records reach.
    pub reach: HashMap<u32, Reach>,
    /// How far their clocks were off, and when.
    pub clocks: Clocks,
    /// Addresses that subscribers hold without a NAT: name of the realm and prefix.
    pub own: Vec<(String, Prefix)>,
    /// The key of fingerprints of remote ends, when a policy makes them.
    pub remote: Option<Mac>,
    /// Mappings that follow from configuration.
    pub computed: History,
}

/// The listener of each NAS: the source whose name the NAS's own begins with, up to a `/`.
pub fn listeners(sources: &HashMap<u32, SourceInfo>) -> HashMap<u32, u32> {
    let radius = || sources.values().filter(|s| s.kind == "radius");
    let names: HashMap<&str, u32> = radius().map(|s| (s.name.as_str(), s.number)).collect();
    let listener = |s: &SourceInfo| {
        let heads = s.name.match_indices('/').filter_map(|(at, _)| s.name.get(..at));
        heads.filter_map(|head| names.get(head)).next().map(|listener| (s.number, *listener))
    };
    radius().filter_map(listener).collect()
}

/// The facts for one question.
pub struct StoreFacts<'a> {
    store: &'a Store,
    view: &'a View,
    question: &'a Question,
    /// What is at hand from questions before.
    shelf: &'a Shelf,
    /// Pages and bytes read so far.
    pub read: Cell<(u64, u64)>,
}

impl<'a> StoreFacts<'a> {
    /// Facts from a store.
    pub fn new(store: &'a Store, view: &'a View, question: &'a Question, shelf: &'a Shelf) -> StoreFacts<'a> {
        StoreFacts { store, view, question, shelf, read: Cell::new((0, 0)) }
    }

    fn find(&self, public: Addr16, port: Option<u16>, protocol: Option<u8>, from: Millis, to: Millis) -> Read<Vec<Mapping>> {
        let (found, stats) = self.store.mappings_with(self.shelf, public, port, protocol, (from, to)).map_err(failed)?;
        self.count(stats.pages, stats.bytes);
        Ok(found)
    }

    fn count(&self, pages: u64, bytes: u64) {
        let (p, b) = self.read.get();
        self.read.set((p + pages, b + bytes));
    }

    fn info(&self, source: u32) -> Read<&SourceInfo> {
        self.view.sources.get(&source).ok_or_else(|| FactsError(format!("the register has no source {source}: run `weir verify`")))
    }

    /// How far a source's clock was ahead of ours at that moment: as measured, and at least and at most.
    fn ahead(&self, info: &SourceInfo, at: Millis) -> Option<(i64, Option<(i64, i64)>)> {
        let kept = self.view.clocks.at(info.number, at).map(|a| (a.offset_ms, Some(a.ahead_ms)));
        kept.or_else(|| info.counters.offset_ms.map(|ms| (ms, info.counters.ahead_ms)))
    }

    /// From when on a source's records are here.
    fn since(&self, source: u32) -> Millis {
        if let Some(since) = self.view.computed.since(source) {
            return since;
        }
        let registered = self.view.sources.get(&source).map_or(Millis(i64::MAX), |s| s.since);
        self.view.reach.get(&source).map_or(registered, |r| r.since.min(registered))
    }
}

fn failed(error: impl std::fmt::Display) -> FactsError {
    FactsError(format!("records cannot be read ({error}): run `weir verify`"))
}

impl Facts for StoreFacts<'_> {
    fn sources_for(&self, public: Addr16) -> Read<Vec<PoolSource>> {
        let found = self.store.sources_for(public);
        // An address that is lent as a whole names its holder without a port.
        let mut shared = true;
        if self.question.port.is_none() && !found.is_empty() {
            let at = self.question.at;
            let whole = self.find(public, None, None, at.plus(-WHOLE_AROUND_MS), at.plus(WHOLE_AROUND_MS))?;
            shared = !whole.iter().any(|m| m.form == Form::AddressBinding);
        }
        let mut pools = Vec::new();
        for (source, configured) in found {
            let info = self.info(source)?;
            pools.push(PoolSource {
                source,
                name: info.name.clone(),
                realm: info.realm_number,
                realm_name: info.realm.clone(),
                since: self.since(source),
                pool: if configured { PoolKnown::Configured } else { PoolKnown::Learned },
                shared,
            });
        }
        for (source, whole) in self.view.computed.devices(public, self.question.at) {
            let info = self.info(source)?;
            pools.push(PoolSource {
                source,
                name: info.name.clone(),
                realm: info.realm_number,
                realm_name: info.realm.clone(),
                since: self.since(source),
                pool: PoolKnown::Configured,
                shared: !whole,
            });
        }
        Ok(pools)
    }

    fn mappings(&self, query: &MappingQuery) -> Read<Vec<MappingFact>> {
        let found = self.find(query.public, query.port, query.protocol, query.from, query.to)?;
        let wanted = |m: &&Mapping| query.port.is_some() || m.form == Form::AddressBinding;
        let mut facts: Vec<MappingFact> = found.iter().filter(wanted).map(mapping_fact).collect();
        facts.extend(self.view.computed.mappings(query.public, query.port, query.from, query.to).iter().map(computed_fact));
        Ok(facts)
    }

    fn evidence(&self, source: u32, public: Addr16, port: Option<u16>, protocol: Option<u8>, before: Millis) -> Read<Option<Millis>> {
        // Without a port and a protocol a word about one end says nothing about the others.
        let (Some(port), Some(protocol)) = (port, protocol) else { return Ok(None) };
        let found = self.find(public, Some(port), Some(protocol), before.plus(-EVIDENCE_BACK_MS), before)?;
        let said = found.iter().filter(|m| m.source == source).map(mapping_fact).flat_map(|m| {
            let (start, end) = (m.start.filter(|_| m.start_seen), m.end.filter(|_| m.end_seen));
            [start, end].into_iter().flatten().filter(|t| *t <= before).collect::<Vec<_>>()
        });
        Ok(said.max())
    }

    fn gaps(&self, source: u32, from: Millis, to: Millis) -> Read<Vec<GapFact>> {
        let fact = |g: weir_store::gaps::KnownGap| GapFact { id: g.id, start: g.start, end: g.end, lost: g.lost };
        let mut gaps: Vec<GapFact> = self.store.gaps_between(source, from, to).into_iter().map(fact).collect();
        if let Some(listener) = self.view.listeners.get(&source) {
            // The listener's gaps are by our clock, the question is by the NAS's.
            let info = self.info(source)?;
            let ahead = self.ahead(info, self.question.at).map(|a| a.0).filter(|_| info.clock != "trust").unwrap_or(0);
            let theirs = self.store.gaps_between(*listener, from.plus(-ahead), to.plus(-ahead)).into_iter().map(fact);
            gaps.extend(theirs.map(|g| GapFact { start: g.start.plus(ahead), end: g.end.plus(ahead), ..g }));
        }
        Ok(gaps)
    }

    fn source(&self, source: u32, at: Millis) -> Read<SourceFact> {
        let info = self.info(source)?;
        // What is computed is known for all time, but for ports that the device gives out without saying so in its configuration.
        let dynamic = || self.view.computed.is_dynamic(source, self.question.public, self.question.port, at);
        let computed = (self.view.computed.has(source) && !dynamic()).then_some(Millis(i64::MAX));
        let clock = self.ahead(info, at);
        Ok(SourceFact {
            name: info.name.clone(),
            realm: info.realm_number,
            realm_name: info.realm.clone(),
            last_header: computed.or_else(|| self.view.reach.get(&source).and_then(|r| r.evidence)),
            offset_ms: clock.map(|c| c.0),
            ahead_ms: clock.and_then(|c| c.1),
            // That lines stand by another zone is no matter of a clock that may be trusted.
            trust: info.clock == "trust" && clock.is_none_or(|c| minutes_off(c.0).is_none()),
        })
    }

    fn sessions(&self, realm: Option<u32>, address: Addr16, from: Millis, to: Millis) -> Read<Vec<SessionFact>> {
        let (found, stats) = self.store.sessions_with(self.shelf, realm, address, (from, to)).map_err(failed)?;
        self.count(stats.pages, stats.bytes);
        let mut facts: Vec<SessionFact> = found.iter().map(|span| self.session_fact(span)).collect();
        // A NAS names the account; the lease of the same address, in the same realm, only its hardware address.
        let leased =
            |f: &SessionFact| self.view.sources.get(&f.source).is_some_and(|s| matches!(s.kind.as_str(), "dhcp" | "syslog" | "host"));
        let named: Vec<u32> = facts.iter().filter(|f| !leased(f)).map(|f| f.realm).collect();
        facts.retain(|f| !leased(f) || !named.contains(&f.realm));
        Ok(facts)
    }

    fn sessions_off_time(&self, realm: Option<u32>, at: Millis) -> Read<Vec<u32>> {
        let off = |s: &&SourceInfo| {
            let far = self.ahead(s, at).is_some_and(|(ms, _)| ms.saturating_abs() > OFFSET_JOINS_MS);
            s.kind == "radius" && s.clock != "trust" && far && realm.is_none_or(|r| r == s.realm_number)
        };
        Ok(self.view.sources.values().filter(off).map(|s| s.number).collect())
    }

    fn own_pools(&self) -> Read<Vec<OwnPool>> {
        let mut pools = Vec::new();
        for (realm, prefix) in &self.view.own {
            // Every NAS of the realm that has ever spoken may have lent it.
            let lends = |s: &SourceInfo| matches!(s.kind.as_str(), "radius" | "dhcp");
            let spoke = |s: &&SourceInfo| lends(s) && s.realm == *realm && self.view.reach.contains_key(&s.number);
            let sources = self.view.sources.values().filter(spoke);
            pools.extend(sources.map(|s| OwnPool { prefix: *prefix, source: s.number, since: self.since(s.number) }));
        }
        Ok(pools)
    }

    fn lenders(&self, address: Addr16) -> Read<Vec<OwnPool>> {
        let prefix = Prefix::new(address, 128);
        // An import came at once, long after what it tells of: its sessions say since when.
        let is_import = |source: u32| self.view.sources.get(&source).is_some_and(|s| s.kind == "import");
        if let Some(sources) = self.store.lenders(address).filter(|all| !all.iter().any(|source| is_import(*source))) {
            return Ok(sources.into_iter().map(|source| OwnPool { prefix, source, since: self.since(source) }).collect());
        }
        let (found, stats) = self.store.sessions(None, address, Millis(0), Millis(i64::MAX)).map_err(failed)?;
        self.count(stats.pages, stats.bytes);
        let sources: BTreeSet<u32> = found.iter().map(|span| span.session.source).collect();
        let since = |source: u32| {
            let imported = is_import(source);
            let told = found.iter().filter(|span| imported && span.session.source == source).map(|span| span.since);
            told.chain([self.since(source)]).min().unwrap_or_default()
        };
        Ok(sources.into_iter().map(|source| OwnPool { prefix, source, since: since(source) }).collect())
    }

    fn unseen(&self, _source: u32) -> Read<Option<Millis>> {
        // While sets wait for their template a source's evidence stands still, so nothing later is taken for certain.
        Ok(None)
    }

    fn remote_tag(&self, address: Addr16, port: u16) -> Read<Option<u64>> {
        Ok(self.view.remote.as_ref().map(|mac| fingerprint(mac, &address.0, port)))
    }
}

impl StoreFacts<'_> {
    fn session_fact(&self, span: &SessionSpan) -> SessionFact {
        let s = &span.session;
        // An address that came to the session later was first seen then; when it was lent is not known.
        let from_begin = span.since <= s.start;
        SessionFact {
            id: s.id,
            realm: s.realm,
            realm_name: self.store.realm_name(s.realm).unwrap_or_default(),
            acct_session_id: s.acct_session_id.clone(),
            subscriber: s.subscriber,
            start: if from_begin { s.start } else { span.since },
            start_certain: s.start_certain && from_begin,
            end: span.until.or(s.end),
            inferred: s.inferred,
            nas: s.nas.clone(),
            last_evidence: s.last_evidence,
            source: s.source,
        }
    }
}

fn mapping_fact(m: &Mapping) -> MappingFact {
    let start_seen = m.start.is_some() && m.flags & flags::START_INFERRED == 0;
    let end_seen = m.end.is_some() && m.flags & flags::END_INFERRED == 0;
    let remote = match (m.remote.tag, m.remote.address) {
        (0, address) if address.is_none() => None,
        (0, address) => Some(Remote::End { address, port: m.remote.port }),
        (tag, _) => Some(Remote::Tag(tag)),
    };
    MappingFact {
        source: m.source,
        form: m.form,
        inside: m.inside,
        inside_port: m.inside_port,
        public_first: m.first,
        public_last: m.last,
        protocol: m.protocol,
        start: m.start,
        start_seen,
        end: m.end,
        end_seen,
        ends_agree: m.flags & flags::INSIDE_DIFFERS == 0,
        last_evidence: m.end.filter(|_| end_seen).or(m.start).unwrap_or_default(),
        remote,
    }
}

fn computed_fact(c: &Computed) -> MappingFact {
    MappingFact {
        source: c.source,
        form: Form::Deterministic,
        inside: c.inside,
        inside_port: 0,
        public_first: c.ports.first,
        public_last: c.ports.last,
        protocol: 0,
        start: Some(c.from),
        start_seen: true,
        end: c.to,
        end_seen: c.to.is_some(),
        ends_agree: true,
        last_evidence: c.to.unwrap_or(c.from),
        remote: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nas_has_the_listener_that_its_name_begins_with() {
        let source = |number: u32, kind: &str, name: &str| {
            let counters = weir_record::sink::SourceCounters::default();
            let (kind, name, realm) = (kind.to_owned(), name.to_owned(), "home".to_owned());
            let (peer, profile, clock) = (String::new(), String::new(), "trust".to_owned());
            (number, SourceInfo { number, name, kind, realm, realm_number: 1, peer, profile, clock, since: Millis(0), counters, lost: 0 })
        };
        let sources = HashMap::from([
            source(1, "radius", "radius"),
            source(2, "radius", "radius/home/bras-1@192.0.2.1"),
            source(3, "radius", "site/a"),
            source(4, "radius", "site/a/home/192.0.2.2"),
            source(5, "ipfix", "radius/7"),
            source(6, "radius", "radius2/home/192.0.2.3"),
        ]);
        assert_eq!(listeners(&sources), HashMap::from([(2, 1), (4, 3)]));
    }

    #[test]
    fn a_mapping_keeps_what_was_seen_of_it_apart_from_what_was_inferred() {
        let mapping = |start: Option<i64>, end: Option<i64>, bits: u8, tag: u64| Mapping {
            form: Form::Session,
            protocol: 6,
            source: 1,
            public: Addr16::v4([198, 18, 0, 1]),
            first: 9,
            last: 9,
            inside: Addr16::v4([100, 64, 0, 2]),
            inside_port: 8,
            remote: weir_store::nat::mapping::Remote { tag, ..Default::default() },
            start: start.map(Millis),
            end: end.map(Millis),
            flags: bits,
        };
        for (m, start_seen, end_seen, agree, last) in [
            (mapping(Some(1), Some(5), 0, 0), true, true, true, 5),
            (mapping(Some(1), None, 0, 0), true, false, true, 1),
            (mapping(None, Some(5), flags::START_INFERRED, 0), false, true, true, 5),
            (mapping(Some(1), Some(5), flags::END_INFERRED, 0), true, false, true, 1),
            (mapping(Some(1), Some(5), flags::INSIDE_DIFFERS, 0), true, true, false, 5),
        ] {
            let fact = mapping_fact(&m);
            let got = (fact.start_seen, fact.end_seen, fact.ends_agree, fact.last_evidence);
            assert_eq!(got, (start_seen, end_seen, agree, Millis(last)));
            assert_eq!(fact.remote, None);
        }
        assert_eq!(mapping_fact(&mapping(None, None, 0, 7)).remote, Some(Remote::Tag(7)));
    }
}
