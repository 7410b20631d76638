//! What sources write to: the store behind a front that keeps the identity index in step with bindings, and that knows for certain how far
//! each source's records reach.
//!
//! A source's own counters say what it has *heard*. An answer may only rest on what is *durable and can be found*: so evidence counts here
//! once the group that carried it is durable, and rides in that group, so that it is known again after a restart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt32Type};
use weir_base::clock::Clock;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_identity::Identity;
use weir_record::Kind;
use weir_record::kinds::Action;
use weir_record::sink::{Done, Group, RecordSink, SinkError, SourceDesc, SourceHandle, SourceNo, StatePut};

use crate::clocks::{self, Clocks};
use crate::limits::{COVER_BACK_MS, COVER_LEARN_MS};

/// Owner of the identity index in the store's state.
pub const IDENTITY: &str = "identity";
/// Owner of what is kept here.
const OWNER: &str = "reach";

/// How far a source's records reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The earliest moment from which on its records are here, by its own clock.
    pub since: Millis,
    /// The newest moment up to which everything it sent is here, by its own clock; none when it has not said.
    pub evidence: Option<Millis>,
    /// When it was heard of first, by our clock.
    first: Millis,
}

/// The front.
pub struct Front {
    inner: Arc<dyn RecordSink>,
    identity: Arc<Identity>,
    clock: Arc<dyn Clock>,
    reach: Arc<Mutex<HashMap<SourceNo, Reach>>>,
    clocks: Clocks,
}

impl Front {
    /// A front of `inner`, with what was known before a restart.
    pub fn new(inner: Arc<dyn RecordSink>, identity: Arc<Identity>, clock: Arc<dyn Clock>) -> Front {
        let read = |(key, value): (Vec<u8>, Vec<u8>)| Some((SourceNo::from_be_bytes(key.try_into().ok()?), decode(&value)?));
        let reach = Arc::new(Mutex::new(inner.state(OWNER).into_iter().filter_map(read).collect()));
        let clocks = Clocks::restored(inner.state(clocks::OWNER));
        Front { inner, identity, clock, reach, clocks }
    }

    /// How far the clocks of sources were off, and when.
    pub fn clocks(&self) -> Clocks {
        self.clocks.clone()
    }

    /// How far every source's records reach, now.
    pub fn reach(&self) -> HashMap<SourceNo, Reach> {
        lock(&self.reach).clone()
    }

    fn prepare(&self, mut group: Group, done: Done) -> (Group, Done) {
        let puts = self.identity.puts_for(&group.bindings);
        group.other_state.extend(puts.into_iter().map(|put| (IDENTITY.to_owned(), put)));
        let told = self.told(&group);
        for (source, reach) in &told {
            let put = StatePut { key: source.to_be_bytes().to_vec(), value: Some(encode(reach)) };
            group.other_state.push((OWNER.to_owned(), put));
        }
        let heard = group.evidence.iter().map(|(source, _)| *source);
        let puts = self.clocks.told(heard, self.clock.now());
        let of_clocks: Vec<Vec<u8>> = puts.iter().map(|put| put.key.clone()).collect();
        group.other_state.extend(puts.into_iter().map(|put| (clocks::OWNER.to_owned(), put)));
        if told.is_empty() && group.bindings.is_empty() && of_clocks.is_empty() {
            return (group, done);
        }
        let (identity, bindings, reach) = (Arc::clone(&self.identity), group.bindings.clone(), Arc::clone(&self.reach));
        let clocks = self.clocks.clone();
        let confirmed: Done = Box::new(move |result| {
            if result.is_ok() {
                identity.confirm(&bindings);
                let mut reach = lock(&reach);
                for (source, new) in told {
                    reach.entry(source).and_modify(|known| *known = known.joined(&new)).or_insert(new);
                }
            } else {
                clocks.untold(&of_clocks);
            }
            done(result);
        });
        (group, confirmed)
    }

    /// What is known of the sources of this group once it is durable.
    fn told(&self, group: &Group) -> Vec<(SourceNo, Reach)> {
        let now = self.clock.now();
        let mut told: HashMap<SourceNo, Reach> = HashMap::new();
        let known = lock(&self.reach);
        let fresh = || Reach { since: now, evidence: None, first: now };
        for (source, time) in &group.evidence {
            let reach = told.entry(*source).or_insert_with(|| known.get(source).copied().unwrap_or_else(fresh));
            reach.evidence = reach.evidence.max(Some(*time));
        }
        let learning = |source: &SourceNo| known.get(source).is_none_or(|r| now.since(r.first) <= COVER_LEARN_MS);
        for (kind, batch) in group.batches.iter().filter(|(k, _)| matches!(k, Kind::NatEvent | Kind::RadiusSession)) {
            let spec = kind.spec();
            let column = |name| spec.index(name).and_then(|i| batch.columns().get(i));
            let (Some(times), Some(sources)) = (column(spec.time), column("source")) else { continue };
            let times = times.as_primitive::<TimestampMillisecondType>().values();
            // When something began that ended now says nothing of how far records reach back.
            let actions = column("action").filter(|_| *kind == Kind::NatEvent).map(|c| c.as_primitive::<UInt8Type>().values());
            let is_told = |row: usize| actions.is_some_and(|all| all.get(row) == Some(&(Action::Told as u8)));
            // Rows of one source stand together: it is looked up once a run of them.
            let mut last = None;
            for (row, (source, time)) in sources.as_primitive::<UInt32Type>().values().iter().zip(times).enumerate() {
                let learns = match last {
                    Some((same, learns)) if same == *source => learns,
                    _ => learning(source),
                };
                last = Some((*source, learns));
                if !learns || is_told(row) {
                    continue;
                }
                let reach = told.entry(*source).or_insert_with(|| known.get(source).copied().unwrap_or_else(fresh));
                // A clock that starts in 1970 says nothing about how far records reach back.
                if now.since(Millis(*time)) <= COVER_BACK_MS {
                    reach.since = reach.since.min(Millis(*time));
                }
            }
        }
        told.into_iter().filter(|(source, reach)| known.get(source) != Some(reach)).collect()
    }
}

impl Reach {
    fn joined(&self, other: &Reach) -> Reach {
        Reach { since: self.since.min(other.since), evidence: self.evidence.max(other.evidence), first: self.first.min(other.first) }
    }
}

/// Version 1: version u8, since i64, first i64, and the evidence i64 when there is one; little-endian.
fn encode(reach: &Reach) -> Vec<u8> {
    let mut out = vec![1];
    for time in [Some(reach.since), Some(reach.first), reach.evidence].into_iter().flatten() {
        out.extend(time.0.to_le_bytes());
    }
    out
}

fn decode(bytes: &[u8]) -> Option<Reach> {
    let rest = bytes.strip_prefix(&[1])?;
    let (times, over) = rest.as_chunks::<8>();
    let time = |i: usize| times.get(i).map(|t| Millis(i64::from_le_bytes(*t)));
    (over.is_empty() && times.len() <= 3).then_some(())?;
    Some(Reach { since: time(0)?, first: time(1)?, evidence: time(2) })
}

impl RecordSink for Front {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        let handle = self.inner.register(desc)?;
        self.clocks.hear(handle.number, &handle.counters);
        Ok(handle)
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        self.inner.realm(name)
    }

    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.inner.state(owner)
    }

    fn submit(&self, group: Group, done: Done) {
        let (group, done) = self.prepare(group, done);
        self.inner.submit(group, done);
    }

    fn try_submit(&self, group: Group, done: Done) {
        let (group, done) = self.prepare(group, done);
        self.inner.try_submit(group, done);
    }
}

#[cfg(test)]
mod tests {
    use weir_base::crypto::Secret;
    use weir_record::kind::Record;
    use weir_record::kinds::{IdType, NatEvent};
    use weir_record::sink::{Receipt, SubjectIds};

    use super::*;

    struct At(Mutex<Millis>);

    impl Clock for At {
        fn now(&self) -> Millis {
            *lock(&self.0)
        }
        fn monotonic(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    /// Keeps groups, and says of each what it was told to say.
    #[derive(Default)]
    struct Inner {
        groups: Mutex<Vec<Group>>,
        fails: Mutex<bool>,
        state: Vec<(Vec<u8>, Vec<u8>)>,
    }

    impl RecordSink for Inner {
        fn register(&self, _: &SourceDesc) -> Result<SourceHandle, SinkError> {
            Err(SinkError::Stopped)
        }
        fn realm(&self, _: &str) -> Result<u32, SinkError> {
            Ok(1)
        }
        fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
            if owner == OWNER { self.state.clone() } else { Vec::new() }
        }
        fn submit(&self, group: Group, done: Done) {
            let fails = *lock(&self.fails);
            lock(&self.groups).push(group);
            done(if fails { Err(SinkError::Full) } else { Ok(Receipt { group: 1 }) });
        }
        fn try_submit(&self, group: Group, done: Done) {
            self.submit(group, done);
        }
    }

    fn events(rows: &[(u32, i64)]) -> Group {
        let rows: Vec<NatEvent> =
            rows.iter().map(|(source, t)| NatEvent { source: *source, time: Millis(*t), ..NatEvent::default() }).collect();
        Group { batches: vec![(Kind::NatEvent, NatEvent::batch(&rows))], ..Group::new("ipfix") }
    }

    const NOW: i64 = 1_800_000_000_000;

    fn front(inner: &Arc<Inner>, clock: &Arc<At>) -> Front {
        let identity = Arc::new(Identity::open(&Secret([7; 32]), []).unwrap());
        Front::new(inner.clone(), identity, clock.clone())
    }

    #[test]
    fn evidence_counts_only_once_it_is_durable() {
        let (inner, clock) = (Arc::new(Inner::default()), Arc::new(At(Mutex::new(Millis(NOW)))));
        let front = front(&inner, &clock);
        let with = |ms: i64| Group { evidence: vec![(3, Millis(ms))], ..Group::new("ipfix") };
        *lock(&inner.fails) = true;
        assert!(front.commit(with(NOW + 9)).is_err());
        assert!(front.reach().is_empty());
        *lock(&inner.fails) = false;
        front.commit(with(NOW + 5)).unwrap();
        front.commit(with(NOW + 2)).unwrap();
        assert_eq!(front.reach()[&3].evidence, Some(Millis(NOW + 5)));
    }

    #[test]
    fn records_reach_back_to_the_first_ones_and_not_to_1970() {
        let (inner, clock) = (Arc::new(Inner::default()), Arc::new(At(Mutex::new(Millis(NOW)))));
        let front = front(&inner, &clock);
        front.commit(events(&[(1, NOW - 60_000), (1, NOW - 50_000), (2, 0)])).unwrap();
        assert_eq!((front.reach()[&1].since, front.reach()[&2].since), (Millis(NOW - 60_000), Millis(NOW)));
        *lock(&clock.0) = Millis(NOW + COVER_LEARN_MS + 1);
        front.commit(events(&[(1, NOW - 3_600_000)])).unwrap();
        assert_eq!(front.reach()[&1].since, Millis(NOW - 60_000));
    }

    #[test]
    fn what_is_known_comes_back_after_a_restart() {
        let (inner, clock) = (Arc::new(Inner::default()), Arc::new(At(Mutex::new(Millis(NOW)))));
        let front = front(&inner, &clock);
        front.commit(Group { evidence: vec![(3, Millis(NOW + 5)), (4, Millis(NOW))], ..events(&[(3, NOW - 5)]) }).unwrap();
        let state = lock(&inner.groups).iter().flat_map(|g| g.other_state.clone()).map(|(_, p)| (p.key, p.value.unwrap())).collect();
        let again = self::front(&Arc::new(Inner { state, ..Inner::default() }), &clock);
        assert_eq!(again.reach(), front.reach());
        for bad in [&[][..], &[2; 17], &[1; 16], &[1; 33], &[1; 9]] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_index_entry_of_a_binding_rides_in_its_group() {
        let (inner, clock) = (Arc::new(Inner::default()), Arc::new(At(Mutex::new(Millis(NOW)))));
        let front = front(&inner, &clock);
        let resolve = || front.identity.resolve(1, IdType::Account, "nobody@example.org", Millis(NOW));
        let binding = resolve().binding.unwrap();
        let group = Group { bindings: vec![binding], ..Group::new("radius") };
        *lock(&inner.fails) = true;
        assert!(front.commit(group.clone()).is_err());
        assert!(resolve().binding.is_some(), "not durable, so it is told again");
        *lock(&inner.fails) = false;
        front.commit(group).unwrap();
        assert!(resolve().binding.is_none());
        assert!(lock(&inner.groups).iter().all(|g| g.other_state.iter().filter(|(o, _)| o == IDENTITY).count() == 1));
    }
}
