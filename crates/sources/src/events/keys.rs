//! Idempotency keys: which requests were answered, and how. A key is known by a digest; so is the body it came with.

use std::collections::{BTreeMap, HashMap, VecDeque};

use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::{SourceNo, StatePut};

use super::answer::Answer;
use super::limits::{KEY_MS, KEYS};

const TAG: u8 = b'k';
const VERSION: u8 = 1;

/// What a key means for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Not known: go on, and say how it ended.
    New,
    /// Answered before.
    Known(Answer),
    /// A request with it is under way.
    UnderWay,
    /// It came with another body before.
    OtherBody,
}

#[derive(Clone, Debug)]
enum Entry {
    UnderWay(Id),
    Done(Id, Answer),
}

#[derive(Debug, Default)]
struct Table {
    known: HashMap<Id, Entry>,
    // Answered keys, the oldest first.
    order: VecDeque<(Millis, Id)>,
}

/// The keys of every application.
#[derive(Debug, Default)]
pub struct Keys {
    tables: BTreeMap<SourceNo, Table>,
    // Entries that are forgotten here and not yet in the state.
    gone: Vec<Vec<u8>>,
}

fn state_key(source: SourceNo, key: Id) -> Vec<u8> {
    [&[TAG][..], &source.to_be_bytes(), &key.0].concat()
}

impl Keys {
    /// What an earlier run left.
    pub fn restore(state: &[(Vec<u8>, Vec<u8>)], now: Millis) -> Keys {
        let mut keys = Keys::default();
        let mut all: Vec<(Millis, SourceNo, Id, Id, Answer)> = Vec::new();
        for (key, value) in state {
            match read(key, value) {
                Some(entry) => all.push(entry),
                None => keys.gone.push(key.clone()),
            }
        }
        all.sort_by_key(|(time, source, key, ..)| (*time, *source, *key));
        for (time, source, key, body, answer) in all {
            let table = keys.tables.entry(source).or_default();
            table.known.insert(key, Entry::Done(body, answer));
            table.order.push_back((time, key));
        }
        let sources: Vec<SourceNo> = keys.tables.keys().copied().collect();
        sources.into_iter().for_each(|s| keys.forget(s, now));
        keys
    }

    /// A request comes with a key. After [`Begin::New`] the caller must call [`Keys::done`] or [`Keys::failed`].
    pub fn begin(&mut self, source: SourceNo, key: Id, body: Id, now: Millis) -> Begin {
        self.forget(source, now);
        let table = self.tables.entry(source).or_default();
        match table.known.get(&key) {
            None => {
                table.known.insert(key, Entry::UnderWay(body));
                Begin::New
            }
            Some(Entry::UnderWay(other) | Entry::Done(other, _)) if *other != body => Begin::OtherBody,
            Some(Entry::UnderWay(_)) => Begin::UnderWay,
            Some(Entry::Done(_, answer)) => Begin::Known(answer.clone()),
        }
    }

    /// The state that must become durable with the request's records.
    pub fn put(source: SourceNo, key: Id, body: Id, answer: &Answer, now: Millis) -> StatePut {
        let mut value = vec![VERSION];
        value.extend(now.0.to_le_bytes());
        value.extend(body.0);
        answer.encode(&mut value);
        StatePut { key: state_key(source, key), value: Some(value) }
    }

    /// State of keys that are forgotten: goes into the next group.
    pub fn removals(&mut self) -> Vec<StatePut> {
        std::mem::take(&mut self.gone).into_iter().map(|key| StatePut { key, value: None }).collect()
    }

    /// The group with the request's records is durable.
    pub fn done(&mut self, source: SourceNo, key: Id, answer: Answer, now: Millis) {
        let table = self.tables.entry(source).or_default();
        if let Some(entry @ Entry::UnderWay(_)) = table.known.get_mut(&key) {
            let Entry::UnderWay(body) = *entry else { return };
            *entry = Entry::Done(body, answer);
            table.order.push_back((now, key));
        }
    }

    /// The group is not durable: the key is free again, and so are the removals that went with it to be tried once more.
    pub fn failed(&mut self, source: SourceNo, key: Option<Id>, removals: Vec<StatePut>) {
        self.gone.extend(removals.into_iter().filter(|p| p.value.is_none()).map(|p| p.key));
        let Some((table, key)) = self.tables.get_mut(&source).zip(key) else { return };
        if matches!(table.known.get(&key), Some(Entry::UnderWay(_))) {
            table.known.remove(&key);
        }
    }

    /// Answered keys that are remembered of an application.
    pub fn len(&self, source: SourceNo) -> usize {
        self.tables.get(&source).map_or(0, |t| t.order.len())
    }

    fn forget(&mut self, source: SourceNo, now: Millis) {
        let Some(table) = self.tables.get_mut(&source) else { return };
        // One has room made for it before it comes.
        while table.order.len() >= KEYS || table.order.front().is_some_and(|(time, _)| now.since(*time) > KEY_MS) {
            let Some((_, key)) = table.order.pop_front() else { return };
            table.known.remove(&key);
            self.gone.push(state_key(source, key));
        }
    }
}

fn read(key: &[u8], value: &[u8]) -> Option<(Millis, SourceNo, Id, Id, Answer)> {
    let (source, key) = key.strip_prefix(&[TAG])?.split_first_chunk::<4>()?;
    let (time, rest) = value.strip_prefix(&[VERSION])?.split_first_chunk::<8>()?;
    let (body, rest) = rest.split_first_chunk::<16>()?;
    let key = Id(key.try_into().ok()?);
    Some((Millis(i64::from_le_bytes(*time)), u32::from_be_bytes(*source), key, Id(*body), Answer::decode(rest)?))
}
