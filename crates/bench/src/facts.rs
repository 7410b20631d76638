//! The store as attribution sees it, where there are NAT events and sessions only and every clock is right: what a batch is answered from here. The
//! program's own, with clocks, listeners and computed mappings, is in `app`.

use std::collections::HashMap;

use weir_attribution::facts::{GapFact, MappingFact, MappingQuery, OwnPool, PoolKnown, PoolSource, Read, SessionFact, SourceFact};
use weir_attribution::{Facts, FactsError};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::flags;
use weir_store::engine::{SourceInfo, Store};
use weir_store::nat::mapping::Mapping;
use weir_store::session::span::SessionSpan;
use weir_store::shelf::Shelf;

/// How far back the last word about a port is looked for, in milliseconds.
const EVIDENCE_BACK_MS: i64 = 300_000;

/// What questions are answered from.
pub struct Known<'a> {
    pub store: &'a Store,
    pub shelf: &'a Shelf,
    pub sources: &'a HashMap<u32, SourceInfo>,
    /// How far the records of all sources reach.
    pub until: Millis,
}

fn failed(error: impl std::fmt::Display) -> FactsError {
    FactsError(error.to_string())
}

impl Known<'_> {
    fn info(&self, source: u32) -> Read<&SourceInfo> {
        self.sources.get(&source).ok_or_else(|| failed("a source that nobody registered"))
    }

    fn find(&self, public: Addr16, port: Option<u16>, protocol: Option<u8>, span: (Millis, Millis)) -> Read<Vec<Mapping>> {
        Ok(self.store.mappings_with(self.shelf, public, port, protocol, span).map_err(failed)?.0)
    }
}

impl Facts for Known<'_> {
    fn sources_for(&self, public: Addr16) -> Read<Vec<PoolSource>> {
        let pool = |(source, configured): (u32, bool)| {
            let info = self.info(source)?;
            Ok(PoolSource {
                source,
                name: info.name.clone(),
                realm: info.realm_number,
                realm_name: info.realm.clone(),
                since: info.since,
                pool: if configured { PoolKnown::Configured } else { PoolKnown::Learned },
                shared: true,
            })
        };
        self.store.sources_for(public).into_iter().map(pool).collect()
    }

    fn lenders(&self, _address: Addr16) -> Read<Vec<OwnPool>> {
        // Every address here is one of the exporters'.
        Ok(Vec::new())
    }

    fn mappings(&self, query: &MappingQuery) -> Read<Vec<MappingFact>> {
        Ok(self.find(query.public, query.port, query.protocol, (query.from, query.to))?.iter().map(mapping).collect())
    }

    fn evidence(&self, source: u32, public: Addr16, port: Option<u16>, protocol: Option<u8>, before: Millis) -> Read<Option<Millis>> {
        let found = self.find(public, port, protocol, (before.plus(-EVIDENCE_BACK_MS), before))?;
        Ok(found.iter().filter(|m| m.source == source).flat_map(|m| [m.start, m.end]).flatten().filter(|t| *t <= before).max())
    }

    fn gaps(&self, source: u32, from: Millis, to: Millis) -> Read<Vec<GapFact>> {
        let gaps = self.store.gaps_between(source, from, to).into_iter();
        Ok(gaps.map(|g| GapFact { id: g.id, start: g.start, end: g.end, lost: g.lost }).collect())
    }

    fn source(&self, source: u32, _at: Millis) -> Read<SourceFact> {
        let info = self.info(source)?;
        Ok(SourceFact {
            name: info.name.clone(),
            realm: info.realm_number,
            realm_name: info.realm.clone(),
            last_header: Some(self.until),
            trust: true,
            ..SourceFact::default()
        })
    }

    fn sessions(&self, realm: Option<u32>, address: Addr16, from: Millis, to: Millis) -> Read<Vec<SessionFact>> {
        let found = self.store.sessions_with(self.shelf, realm, address, (from, to)).map_err(failed)?.0;
        Ok(found.iter().map(session).collect())
    }

    fn sessions_off_time(&self, _realm: Option<u32>, _at: Millis) -> Read<Vec<u32>> {
        Ok(Vec::new())
    }

    fn own_pools(&self) -> Read<Vec<OwnPool>> {
        Ok(Vec::new())
    }

    fn unseen(&self, _source: u32) -> Read<Option<Millis>> {
        Ok(None)
    }

    fn remote_tag(&self, _address: Addr16, _port: u16) -> Read<Option<u64>> {
        Ok(None)
    }
}

fn mapping(m: &Mapping) -> MappingFact {
    let end_seen = m.end.is_some() && m.flags & flags::END_INFERRED == 0;
    MappingFact {
        source: m.source,
        form: m.form,
        inside: m.inside,
        inside_port: m.inside_port,
        public_first: m.first,
        public_last: m.last,
        protocol: m.protocol,
        start: m.start,
        start_seen: m.start.is_some() && m.flags & flags::START_INFERRED == 0,
        end: m.end,
        end_seen,
        ends_agree: m.flags & flags::INSIDE_DIFFERS == 0,
        last_evidence: m.end.filter(|_| end_seen).or(m.start).unwrap_or_default(),
        remote: None,
    }
}

fn session(span: &SessionSpan) -> SessionFact {
    let s = &span.session;
    SessionFact {
        id: s.id,
        realm: s.realm,
        realm_name: String::new(),
        acct_session_id: s.acct_session_id.clone(),
        subscriber: s.subscriber,
        start: s.start,
        start_certain: s.start_certain,
        end: span.until.or(s.end),
        inferred: s.inferred,
        nas: s.nas.clone(),
        last_evidence: s.last_evidence,
        source: s.source,
    }
}
