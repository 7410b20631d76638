use std::collections::BTreeMap;
use std::sync::Mutex;

use weir_base::crypto::Secret;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kinds::IdType;
use weir_record::sink::{Receipt, StatePut, SubjectIds};

use super::*;

/// Owner and key → value.
type State = BTreeMap<(String, Vec<u8>), Vec<u8>>;

/// A store in memory that fails when told to, and calls back when told to.
#[derive(Default)]
struct Memory {
    state: Mutex<State>,
    bindings: Mutex<usize>,
    failing: Mutex<bool>,
    waiting: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Memory {
    fn settle(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        waiting.into_iter().for_each(|call| call());
    }
}

impl RecordSink for Memory {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        Err(SinkError::Refused(desc.name.clone()))
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        Ok(name.len() as u32)
    }

    fn state(&self, owner: &str) -> Entries {
        lock(&self.state).iter().filter(|((o, _), _)| o == owner).map(|((_, key), value)| (key.clone(), value.clone())).collect()
    }

    fn submit(&self, group: Group, done: Done) {
        if *lock(&self.failing) {
            lock(&self.waiting).push(Box::new(move || done(Err(SinkError::Full))));
            return;
        }
        *lock(&self.bindings) += group.bindings.len();
        for StatePut { key, value } in group.state {
            lock(&self.state).insert((group.owner.clone(), key), value.unwrap());
        }
        lock(&self.waiting).push(Box::new(move || done(Ok(Receipt { group: 1 }))));
    }

    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}

fn group_of(identity: &Identity, now: Millis) -> Group {
    let mut group = Group::new("radius");
    group.state.push(StatePut { key: b"session".to_vec(), value: Some(b"mine".to_vec()) });
    group.bindings.extend(identity.resolve(1, IdType::Account, "x", now).binding);
    group
}

#[test]
fn entries_travel_with_their_bindings_and_are_confirmed_when_durable() {
    let memory = Arc::new(Memory::default());
    let secret = Secret([1; 32]);
    let identity = Arc::new(Identity::open(&secret, []).unwrap());
    let sink = IdentitySink::new(memory.clone(), identity.clone());
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let done = || -> Done {
        let outcomes = Arc::clone(&outcomes);
        Box::new(move |r| lock(&outcomes).push(r.is_ok()))
    };

    *lock(&memory.failing) = true;
    sink.submit(group_of(&identity, Millis(5)), done());
    memory.settle();
    assert!(identity.resolve(1, IdType::Account, "x", Millis(5)).binding.is_some(), "the group was not kept");

    *lock(&memory.failing) = false;
    sink.try_submit(group_of(&identity, Millis(5)), done());
    assert!(identity.resolve(1, IdType::Account, "x", Millis(5)).binding.is_some(), "not durable yet");
    memory.settle();
    assert_eq!(identity.resolve(1, IdType::Account, "x", Millis(5)).binding, None);
    assert_eq!(*lock(&outcomes), [false, true]);

    sink.submit(group_of(&identity, Millis(6)), done());
    memory.settle();
    assert_eq!(*lock(&memory.bindings), 1, "nothing to bind any more today");

    // The source sees its own state only, and a restart finds the index.
    assert_eq!(sink.state("radius"), [(b"session".to_vec(), b"mine".to_vec())]);
    assert_eq!(memory.state("radius").len(), 2);
    let again = Identity::open(&secret, detach(memory.state("radius")).1).unwrap();
    let [before, after] = [&*identity, &again].map(|i| i.resolve(1, IdType::Account, "x", Millis(7)));
    assert_eq!(before, after);
    assert_eq!((sink.realm("abc"), sink.register(&SourceDesc::default()).is_err()), (Ok(3), true));
}
