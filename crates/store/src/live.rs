//! What is durable in the write-ahead log and not sealed yet, kept so that it can be looked up and sealed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::Mutex;

use arrow::array::RecordBatch;
use weir_base::net::{Addr16, Prefix};
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::RadiusSession;
use weir_record::{Id, Kind};

use weir_base::hash::MixState;
use crate::nat::event::{Event, is_exact, rows};
use crate::spankey::EndKey;

/// One generation: what came between two seal cycles.
#[derive(Debug, Default)]
pub struct Generation {
    /// Batches by kind, in the order of their groups.
    pub batches: BTreeMap<Kind, Vec<RecordBatch>>,
    /// Rows in all.
    pub rows: usize,
    /// Bytes in memory of what is not a NAT event: lines and sessions are of any length, so that rows alone bound nothing.
    pub bytes: usize,
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
    /// Number of the first event of each indexed batch.
    starts: Vec<u32>,
    events: u32,
    /// Sorted lists of the hash of a key and an event's number; several of one level are joined to one of the next, so there are few.
    runs: Vec<(u8, Vec<(u32, u32)>)>,
    publics: HashMap<Addr16, Vec<u32>, MixState>,
    hash: MixState,
}

/// Bytes a session's event takes besides its batch, as a structure with its texts and its places in the lists.
const SESSION_ROW_BYTES: usize = 2 * size_of::<RadiusSession>();

/// Lists of one level that are joined.
const JOINED: usize = 8;

impl NatLive {
    fn hash(&self, key: &EndKey) -> u32 {
        (self.hash.hash_one(key) >> 32) as u32
    }

    fn take(&mut self, batch: &RecordBatch) {
        self.starts.push(self.events);
        let mut run = Vec::with_capacity(batch.num_rows());
        let mut last = None;
        for (row, event) in (self.events..).zip(rows(batch)) {
            let Some(event) = event else { continue };
            if is_exact(event.form, event.first, event.last) {
                run.push((self.hash(&EndKey::exact(event.public, event.first, event.protocol)), row));
            } else {
                run.extend(event.keys().iter().map(|key| (self.hash(key), row)));
            }
            if last != Some((event.public, event.source)) {
                last = Some((event.public, event.source));
                let sources = self.publics.entry(event.public).or_default();
                if !sources.contains(&event.source) {
                    sources.push(event.source);
                }
            }
        }
        self.events = self.events.saturating_add(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
        run.sort_unstable();
        self.runs.push((0, run));
        while let Some((level, _)) = self.runs.last().filter(|_| self.runs.len() >= JOINED)
            && self.runs[self.runs.len() - JOINED].0 == *level
        {
            let level = *level;
            let mut joined: Vec<(u32, u32)> = Vec::new();
            self.runs.drain(self.runs.len() - JOINED..).for_each(|(_, run)| joined.extend(run));
            // This sort finds the sorted stretches and merges them.
            joined.sort();
            self.runs.push((level + 1, joined));
        }
    }

    /// Numbers of the events that one of these keys may find.
    fn numbers(&self, keys: &[EndKey]) -> Vec<u32> {
        let mut found = Vec::new();
        for hash in keys.iter().map(|key| self.hash(key)) {
            for (_, run) in &self.runs {
                let from = run.partition_point(|(h, _)| *h < hash);
                found.extend(run[from..].iter().take_while(|(h, _)| *h == hash).map(|(_, number)| *number));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
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
        if kind != Kind::NatEvent {
            self.bytes += batch.get_array_memory_size();
        }
        if kind == Kind::RadiusSession {
            self.bytes += batch.num_rows() * SESSION_ROW_BYTES;
            self.sessions.push(RadiusSession::rows(&batch));
        }
        self.batches.entry(kind).or_default().push(batch);
    }

    fn nat_batches(&self) -> &[RecordBatch] {
        self.batches.get(&Kind::NatEvent).map_or(&[], Vec::as_slice)
    }

    /// NAT events that any of these keys finds, in the order they came.
    pub fn events_at(&self, keys: &[EndKey]) -> Vec<Event> {
        let nat = self.indexed();
        let batches = self.nat_batches();
        let event = |number: &u32| {
            let batch = nat.starts.partition_point(|start| start <= number).checked_sub(1)?;
            let row = (number - nat.starts[batch]) as usize;
            rows(&batches.get(batch)?.slice(row, 1)).next().flatten()
        };
        let wanted = |e: &Event| e.keys().iter().any(|key| keys.contains(key));
        nat.numbers(keys).iter().filter_map(event).filter(wanted).collect()
    }

    /// Sources that speak of this public address.
    pub fn sources_of(&self, public: Addr16) -> Vec<u32> {
        self.indexed().publics.get(&public).cloned().unwrap_or_default()
    }

    fn indexed(&self) -> std::sync::MutexGuard<'_, NatLive> {
        let mut nat = lock(&self.nat);
        for batch in self.nat_batches().iter().skip(nat.starts.len()) {
            nat.take(batch);
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
