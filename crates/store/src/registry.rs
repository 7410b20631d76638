//! The register: numbers of realms and sources, and their live counters.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use weir_base::net::Prefix;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kinds::SourceEntry;
use weir_record::sink::{SourceCounters, SourceDesc, SourceHandle};

use crate::limits::{REALMS, SOURCES};

/// A registered source.
#[derive(Clone, Debug)]
pub struct Source {
    /// What it last told about itself.
    pub entry: SourceEntry,
    /// When it was first registered.
    pub since: Millis,
    /// Public pools from configuration.
    pub pools: Vec<Prefix>,
    /// Live counters.
    pub counters: Arc<Mutex<SourceCounters>>,
}

/// All realms and sources.
#[derive(Debug, Default)]
pub struct Registry {
    realms: BTreeMap<String, u32>,
    sources: BTreeMap<u32, Source>,
    names: HashMap<String, u32>,
}

/// What must be recorded before the answer counts.
#[derive(Debug)]
pub enum Registered {
    /// Known already and unchanged.
    Known(SourceHandle),
    /// New or changed: record this entry, then [`Registry::apply`] it.
    Record(SourceEntry),
}

impl Registry {
    /// Looks a source up by name; says what to record when it is new or has changed.
    pub fn register(&mut self, desc: &SourceDesc, now: Millis) -> Result<Registered, String> {
        if desc.name.is_empty() || desc.name.len() > 128 {
            return Err(format!("a source's name is 1 to 128 bytes long, this one has {}", desc.name.len()));
        }
        let pools = desc.pools.iter().map(|p| p.parse()).collect::<Result<Vec<Prefix>, _>>()?;
        let realm = self.realm_or_next(&desc.realm)?;
        let known = self.names.get(&desc.name).copied();
        let number = match known {
            Some(number) => number,
            None if self.sources.len() >= SOURCES => return Err(format!("there are {SOURCES} sources already, the most there may be")),
            None => self.sources.keys().next_back().map_or(1, |n| n + 1),
        };
        let entry = SourceEntry {
            time: now,
            number,
            name: desc.name.clone(),
            kind: desc.kind.clone(),
            realm,
            realm_name: desc.realm.clone(),
            peer: desc.peer.clone(),
            profile: desc.profile.clone(),
            clock: desc.clock.clone(),
        };
        if let Some(source) = self.sources.get_mut(&number) {
            source.pools = pools;
            if (SourceEntry { time: now, ..source.entry.clone() }) == entry {
                return Ok(Registered::Known(handle(source)));
            }
        }
        Ok(Registered::Record(entry))
    }

    fn realm_or_next(&self, name: &str) -> Result<u32, String> {
        if name.is_empty() || name.len() > 64 {
            return Err(format!("a realm's name is 1 to 64 bytes long, this one has {}", name.len()));
        }
        match self.realms.get(name) {
            Some(number) => Ok(*number),
            None if self.realms.len() >= REALMS => Err(format!("there are {REALMS} realms already, the most there may be")),
            None => Ok(self.realms.values().max().map_or(1, |n| n + 1)),
        }
    }

    /// The number of a realm, if it has one; else the entry that gives it one (source number 0).
    pub fn realm(&self, name: &str, now: Millis) -> Result<Result<u32, SourceEntry>, String> {
        let number = self.realm_or_next(name)?;
        if self.realms.contains_key(name) {
            return Ok(Ok(number));
        }
        Ok(Err(SourceEntry { time: now, realm: number, realm_name: name.to_owned(), kind: "realm".to_owned(), ..SourceEntry::default() }))
    }

    /// Takes a recorded entry in.
    pub fn apply(&mut self, entry: &SourceEntry) {
        if !entry.realm_name.is_empty() {
            self.realms.insert(entry.realm_name.clone(), entry.realm);
        }
        if entry.number == 0 {
            return;
        }
        self.names.insert(entry.name.clone(), entry.number);
        match self.sources.get_mut(&entry.number) {
            Some(source) => source.entry = entry.clone(),
            None => {
                let counters = Arc::default();
                let source = Source { entry: entry.clone(), since: entry.time, pools: Vec::new(), counters };
                self.sources.insert(entry.number, source);
            }
        }
    }

    /// The handle of a source that was applied, with its configured pools.
    pub fn handle(&mut self, number: u32, desc: &SourceDesc) -> Option<SourceHandle> {
        let source = self.sources.get_mut(&number)?;
        source.pools = desc.pools.iter().filter_map(|p| p.parse().ok()).collect();
        Some(handle(source))
    }

    /// A source by number.
    pub fn source(&self, number: u32) -> Option<&Source> {
        self.sources.get(&number)
    }

    /// All sources by number.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    /// Name of a realm.
    pub fn realm_name(&self, number: u32) -> Option<&str> {
        self.realms.iter().find(|(_, n)| **n == number).map(|(name, _)| name.as_str())
    }

    /// Newest header time a source has shown.
    pub fn evidence(&self, number: u32, header: Millis) {
        if let Some(source) = self.sources.get(&number) {
            let mut counters = lock(&source.counters);
            counters.last_header = counters.last_header.max(Some(header));
        }
    }
}

fn handle(source: &Source) -> SourceHandle {
    SourceHandle { number: source.entry.number, realm: source.entry.realm, counters: Arc::clone(&source.counters) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desc(name: &str, realm: &str) -> SourceDesc {
        SourceDesc { name: name.into(), kind: "ipfix".into(), realm: realm.into(), ..SourceDesc::default() }
    }

    #[test]
    fn numbers_stay() {
        let mut registry = Registry::default();
        let mut entries = Vec::new();
        for (name, realm) in [("a", "north"), ("b", "south"), ("c", "north")] {
            let Registered::Record(entry) = registry.register(&desc(name, realm), Millis(1)).unwrap() else { panic!("{name} is new") };
            registry.apply(&entry);
            entries.push(entry);
        }
        assert_eq!(entries.iter().map(|e| (e.number, e.realm)).collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 1)]);
        assert!(matches!(registry.register(&desc("b", "south"), Millis(9)).unwrap(), Registered::Known(h) if h.number == 2));
        assert!(
            matches!(registry.register(&desc("b", "north"), Millis(9)).unwrap(), Registered::Record(e) if e.number == 2 && e.realm == 1)
        );
        let mut again = Registry::default();
        entries.iter().for_each(|e| again.apply(e));
        assert!(matches!(again.register(&desc("c", "north"), Millis(9)).unwrap(), Registered::Known(h) if h.number == 3));
        assert_eq!(again.realm("south", Millis(9)).unwrap().unwrap(), 2);
        assert_eq!(again.realm("west", Millis(9)).unwrap().unwrap_err().realm, 3);
        assert!(registry.register(&desc("", "x"), Millis(1)).is_err());
    }
}
