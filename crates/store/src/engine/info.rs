//! What people and the console may know of the running store.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::sink::SourceCounters;

use super::Store;

/// One source, with its counters now.
#[derive(Clone, Debug)]
pub struct SourceInfo {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// `radius`, `ipfix`, `netflow9`.
    pub kind: String,
    /// Name of its realm.
    pub realm: String,
    /// Number of its realm.
    pub realm_number: u32,
    /// The sender, or the file it reads.
    pub peer: String,
    /// Exporter profile.
    pub profile: String,
    /// `measured` or `trust`.
    pub clock: String,
    /// When it was first registered.
    pub since: Millis,
    /// Live counters.
    pub counters: SourceCounters,
    /// What is known to be lost, after amendments.
    pub lost: u64,
}

/// How the store is.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// True while nothing can be written because there is no room.
    pub full: bool,
    /// Since when.
    pub full_since: Option<Millis>,
    /// Groups refused since the start.
    pub refused_groups: u64,
    /// Rows that are durable and not sealed.
    pub waiting_rows: usize,
    /// Rows sealed since the start.
    pub sealed_rows: u64,
    /// When the last cycle sealed.
    pub last_sealed: Option<Millis>,
    /// Entries of the log.
    pub log_size: u64,
    /// Groups sequenced so far.
    pub sequenced: u64,
    /// Open mappings that are sealed as open.
    pub open_mappings: usize,
    /// Open sessions that are sealed as open.
    pub open_sessions: usize,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// The last trouble, in words.
    pub trouble: Option<String>,
}

impl Store {
    /// All sources.
    pub fn sources(&self) -> Vec<SourceInfo> {
        let gaps = self.gaps.read().unwrap_or_else(PoisonError::into_inner);
        let registry = lock(&self.registry);
        registry
            .sources()
            .map(|s| SourceInfo {
                number: s.entry.number,
                name: s.entry.name.clone(),
                kind: s.entry.kind.clone(),
                realm: s.entry.realm_name.clone(),
                realm_number: s.entry.realm,
                peer: s.entry.peer.clone(),
                profile: s.entry.profile.clone(),
                clock: s.entry.clock.clone(),
                since: s.since,
                counters: lock(&s.counters).clone(),
                lost: gaps.lost(s.entry.number),
            })
            .collect()
    }

    /// How the store is now.
    pub fn health(&self) -> Health {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let waiting_rows = live.current.rows + live.sealing.as_ref().map_or(0, |g| g.rows);
        drop(live);
        let last_sealed = self.sealed.read().unwrap_or_else(PoisonError::into_inner).last_sealed;
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        Health {
            full: self.flags.full.load(Ordering::SeqCst),
            full_since: *lock(&self.flags.full_since),
            refused_groups: self.flags.refused_groups.load(Ordering::Relaxed),
            waiting_rows,
            sealed_rows: self.flags.sealed_rows.load(Ordering::Relaxed),
            last_sealed,
            log_size: self.committer.size(),
            sequenced: self.wal.next_group().saturating_sub(1),
            open_mappings: index.open.len(),
            open_sessions: index.sessions.open(),
            wal_bytes: self.wal.size().bytes,
            trouble: lock(&self.flags.trouble).clone(),
        }
    }

    /// NAT events that are durable and not sealed.
    pub fn live_nat_events(&self) -> usize {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.current.nat.len() + live.sealing.as_ref().map_or(0, |g| g.nat.len())
    }

    /// Bytes the store may hold in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.config.memory_bytes
    }

    /// Name of a realm.
    pub fn realm_name(&self, number: u32) -> Option<String> {
        lock(&self.registry).realm_name(number).map(str::to_owned)
    }
}
