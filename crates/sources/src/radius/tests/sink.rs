//! A sink in memory, under the test's control: it keeps groups, holds them back, or refuses them; and what stands for a crash.

// Two test programs use this file, each a part of it.
#![allow(dead_code)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Binding, IdType};
use weir_record::sink::{Done, Group, Receipt, RecordSink, Resolved, SinkError, SourceDesc, SourceHandle, SubjectIds};

/// What the sink does with a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Durable at once.
    Keep,
    /// Waits for [`MemorySink::release`].
    Hold,
    /// Refused: the disk is full.
    Full,
}

#[derive(Default)]
struct Inner {
    sources: Vec<(SourceDesc, SourceHandle)>,
    realms: Vec<String>,
    state: BTreeMap<(String, Vec<u8>), Vec<u8>>,
    groups: Vec<Group>,
    held: VecDeque<(Group, Done)>,
    refused: u64,
    mode: Option<Mode>,
}

/// The sink.
#[derive(Default)]
pub struct MemorySink {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// Long enough for any machine; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

impl MemorySink {
    pub fn new() -> Arc<MemorySink> {
        Arc::default()
    }

    pub fn mode(&self, mode: Mode) {
        lock(&self.inner).mode = Some(mode);
    }

    /// Makes every held group durable, in order.
    pub fn release(&self) {
        loop {
            let Some((group, done)) = ({
                let mut inner = lock(&self.inner);
                let next = inner.held.pop_front();
                if let Some((group, _)) = &next {
                    inner.keep(group);
                }
                next
            }) else {
                break;
            };
            drop(group);
            done(Ok(Receipt { group: 0 }));
            self.changed.notify_all();
        }
    }

    /// Refuses every held group.
    pub fn refuse_held(&self) {
        let held = std::mem::take(&mut lock(&self.inner).held);
        for (_, done) in held {
            done(Err(SinkError::Full));
        }
    }

    fn wait(&self, what: &str, ready: impl Fn(&Inner) -> bool) {
        let inner = lock(&self.inner);
        let (inner, timeout) = self.changed.wait_timeout_while(inner, PATIENCE, |inner| !ready(inner)).unwrap();
        assert!(!timeout.timed_out(), "waited in vain for {what}; {} groups are durable, {} held", inner.groups.len(), inner.held.len());
    }

    pub fn wait_held(&self, groups: usize) {
        self.wait("a held group", |i| i.held.len() >= groups);
    }

    pub fn wait_refused(&self, groups: u64) {
        self.wait("a refused group", |i| i.refused >= groups);
    }

    /// Waits until `n` rows of a kind are durable.
    pub fn wait_rows<R: Record>(&self, n: usize) -> Vec<R> {
        self.wait(R::SPEC.name, |i| i.rows::<R>().len() >= n);
        self.rows()
    }

    pub fn rows<R: Record>(&self) -> Vec<R> {
        lock(&self.inner).rows()
    }

    pub fn bindings(&self) -> Vec<Binding> {
        lock(&self.inner).groups.iter().flat_map(|g| g.bindings.clone()).collect()
    }

    pub fn evidence(&self) -> Vec<(u32, Millis)> {
        lock(&self.inner).groups.iter().flat_map(|g| g.evidence.clone()).collect()
    }

    pub fn groups(&self) -> usize {
        lock(&self.inner).groups.len()
    }

    pub fn state_len(&self, owner: &str, tag: u8) -> usize {
        lock(&self.inner).state.keys().filter(|(o, k)| o == owner && k.first() == Some(&tag)).count()
    }

    pub fn sources(&self) -> Vec<(SourceDesc, SourceHandle)> {
        lock(&self.inner).sources.clone()
    }

    /// What a crash leaves: durable groups and state, sources, nothing that was held.
    pub fn crashed(&self) -> Arc<MemorySink> {
        let old = lock(&self.inner);
        let inner = Inner {
            sources: old.sources.clone(),
            realms: old.realms.clone(),
            state: old.state.clone(),
            groups: old.groups.clone(),
            ..Inner::default()
        };
        Arc::new(MemorySink { inner: Mutex::new(inner), changed: Condvar::new() })
    }
}

impl Inner {
    fn keep(&mut self, group: &Group) {
        weir_record::group::check(group).unwrap();
        for put in &group.state {
            let key = (group.owner.clone(), put.key.clone());
            match &put.value {
                Some(value) => drop(self.state.insert(key, value.clone())),
                None => drop(self.state.remove(&key)),
            }
        }
        self.groups.push(group.clone());
    }

    fn rows<R: Record>(&self) -> Vec<R> {
        let kind = Kind::of(R::SPEC);
        self.groups.iter().flat_map(|g| &g.batches).filter(|(k, _)| *k == kind).flat_map(|(_, b)| R::rows(b)).collect()
    }
}

impl RecordSink for MemorySink {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        let realm = self.realm(&desc.realm)?;
        let mut inner = lock(&self.inner);
        if let Some((_, handle)) = inner.sources.iter().find(|(d, _)| d.name == desc.name) {
            return Ok(handle.clone());
        }
        assert!(desc.name.len() <= 128, "{}", desc.name);
        let handle = SourceHandle { number: inner.sources.len() as u32 + 1, realm, counters: Arc::default() };
        inner.sources.push((desc.clone(), handle.clone()));
        Ok(handle)
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        let mut inner = lock(&self.inner);
        let at = inner.realms.iter().position(|r| r == name).unwrap_or_else(|| {
            inner.realms.push(name.to_owned());
            inner.realms.len() - 1
        });
        Ok(at as u32 + 1)
    }

    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let inner = lock(&self.inner);
        inner.state.iter().filter(|((o, _), _)| o == owner).map(|((_, k), v)| (k.clone(), v.clone())).collect()
    }

    fn submit(&self, group: Group, done: Done) {
        let mut inner = lock(&self.inner);
        let result = match inner.mode.unwrap_or(Mode::Keep) {
            Mode::Keep => {
                inner.keep(&group);
                Ok(Receipt { group: inner.groups.len() as u64 })
            }
            Mode::Hold => {
                inner.held.push_back((group, done));
                self.changed.notify_all();
                return;
            }
            Mode::Full => {
                inner.refused += 1;
                Err(SinkError::Full)
            }
        };
        drop(inner);
        done(result);
        self.changed.notify_all();
    }

    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}

/// Ids that count up; each value has one.
#[derive(Default)]
pub struct CountingIds(Mutex<BTreeMap<(u32, IdType, String), Id>>);

impl CountingIds {
    pub fn new() -> Arc<CountingIds> {
        Arc::default()
    }

    pub fn id(&self, id_type: IdType, value: &str) -> Id {
        let ids = lock(&self.0);
        *ids.iter().find(|((_, t, v), _)| *t == id_type && v == value).expect("a known value").1
    }
}

impl SubjectIds for CountingIds {
    fn resolve(&self, realm: u32, id_type: IdType, value: &str, now: Millis) -> Resolved {
        let mut ids = lock(&self.0);
        let next = Id((ids.len() as u128 + 1).to_be_bytes());
        let key = (realm, id_type, value.to_owned());
        if let Some(id) = ids.get(&key) {
            return Resolved { id: *id, binding: None };
        }
        ids.insert(key, next);
        let binding = Binding { time: now, id: next, realm, id_type: id_type as u8, value: value.to_owned(), since: now };
        Resolved { id: next, binding: Some(binding) }
    }

    fn digest(&self, realm: u32, value: &[u8]) -> Id {
        Id(weir_base::crypto::sha256(&[&realm.to_be_bytes(), value].concat()).first_chunk().copied().unwrap())
    }
}

/// A clock that stands until it is set.
#[derive(Default)]
pub struct HandClock(Mutex<i64>);

impl HandClock {
    pub fn at(ms: i64) -> Arc<HandClock> {
        Arc::new(HandClock(Mutex::new(ms)))
    }

    pub fn set(&self, ms: i64) {
        *lock(&self.0) = ms;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Millis {
        Millis(*lock(&self.0))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(u64::try_from(*lock(&self.0)).unwrap())
    }
}
