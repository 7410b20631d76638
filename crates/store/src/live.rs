//! What is durable in the write-ahead log and not sealed yet, kept so that it can be looked up and sealed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use arrow::array::RecordBatch;
use weir_base::net::{Addr16, Prefix};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::RadiusSession;
use weir_record::{Id, Kind};

use crate::nat::event::{Event, events};
use crate::spankey::EndKey;

/// One generation: what came between two seal cycles.
#[derive(Debug, Default)]
pub struct Generation {
    /// Batches by kind, in the order of their groups.
    pub batches: BTreeMap<Kind, Vec<RecordBatch>>,
    /// Rows in all.
    pub rows: usize,
    /// When its first group came; none while empty.
    pub opened: Option<Millis>,
    /// Number of the last group in it.
    pub last_group: u64,
    nat: Mutex<NatLive>,
    sessions: SessionLive,
}

/// Events by key, indexed only when somebody asks: sealing needs no index.
#[derive(Debug, Default)]
struct NatLive {
    indexed: usize,
    events: Vec<Event>,
    by_key: HashMap<EndKey, Vec<u32>>,
    publics: HashMap<Addr16, Vec<u32>>,
}

#[derive(Debug, Default)]
struct SessionLive {
    rows: Vec<RadiusSession>,
    by_id: HashMap<Id, Vec<u32>>,
    by_prefix: HashMap<Prefix, Vec<Id>>,
    lengths: BTreeSet<u8>,
}

impl Generation {
    /// True when nothing has come.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Takes a durable batch in.
    pub fn push(&mut self, group: u64, kind: Kind, batch: RecordBatch, now: Millis) {
        self.last_group = self.last_group.max(group);
        if batch.num_rows() == 0 {
            return;
        }
        self.opened.get_or_insert(now);
        self.rows += batch.num_rows();
        if kind == Kind::RadiusSession {
            self.sessions.push(RadiusSession::rows(&batch));
        }
        self.batches.entry(kind).or_default().push(batch);
    }

    /// All NAT events, for sealing.
    pub fn events(&self) -> Vec<Event> {
        let batches = self.batches.get(&Kind::NatEvent).map_or(&[][..], Vec::as_slice);
        let mut out = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
        batches.iter().for_each(|b| out.extend(events(b)));
        out
    }

    /// NAT events that any of these keys finds.
    pub fn events_at(&self, keys: &[EndKey]) -> Vec<Event> {
        let mut nat = self.indexed();
        let mut rows: Vec<u32> = keys.iter().filter_map(|k| nat.by_key.get(k)).flatten().copied().collect();
        rows.sort_unstable();
        rows.dedup();
        let all = std::mem::take(&mut nat.events);
        let out = rows.into_iter().filter_map(|i| all.get(i as usize)).copied().collect();
        nat.events = all;
        out
    }

    /// Sources that speak of this public address.
    pub fn sources_of(&self, public: Addr16) -> Vec<u32> {
        self.indexed().publics.get(&public).cloned().unwrap_or_default()
    }

    fn indexed(&self) -> std::sync::MutexGuard<'_, NatLive> {
        let mut nat = lock(&self.nat);
        let batches = self.batches.get(&Kind::NatEvent).map_or(&[][..], Vec::as_slice);
        while nat.indexed < batches.len() {
            for event in events(&batches[nat.indexed]) {
                let row = u32::try_from(nat.events.len()).unwrap_or(u32::MAX);
                nat.events.push(event);
                event.keys().into_iter().for_each(|key| nat.by_key.entry(key).or_default().push(row));
                let sources = nat.publics.entry(event.public).or_default();
                if !sources.contains(&event.source) {
                    sources.push(event.source);
                }
            }
            nat.indexed += 1;
        }
        nat
    }

    /// Ids of sessions that an event not yet sealed gives this prefix.
    pub fn session_ids_at(&self, prefix: Prefix) -> &[Id] {
        self.sessions.by_prefix.get(&prefix).map_or(&[], Vec::as_slice)
    }

    /// Lengths of the prefixes that events not yet sealed name.
    pub fn lengths(&self) -> &BTreeSet<u8> {
        &self.sessions.lengths
    }

    /// Events of one session, in the order they came.
    pub fn session_rows(&self, id: Id) -> impl Iterator<Item = &RadiusSession> {
        let rows = self.sessions.by_id.get(&id).map_or(&[][..], Vec::as_slice);
        rows.iter().filter_map(|i| self.sessions.rows.get(*i as usize))
    }
}

impl SessionLive {
    fn push(&mut self, rows: Vec<RadiusSession>) {
        for row in rows {
            let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            self.by_id.entry(row.session).or_default().push(number);
            for name in row.names() {
                self.lengths.insert(name.prefix.bits);
                let ids = self.by_prefix.entry(name.prefix).or_default();
                if !ids.contains(&row.session) {
                    ids.push(row.session);
                }
            }
            self.rows.push(row);
        }
    }
}
