//! A sink that keeps everything in memory: what is submitted is durable at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use weir_base::task::lock;
use weir_record::sink::{Done, Group, Receipt, RecordSink, SinkError, SourceDesc, SourceHandle};

/// The sink.
#[derive(Default)]
pub struct Memory {
    state: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// Every group.
    pub groups: Mutex<Vec<Group>>,
}

impl RecordSink for Memory {
    fn register(&self, _: &SourceDesc) -> Result<SourceHandle, SinkError> {
        Ok(SourceHandle { number: 1, realm: 1, counters: Arc::default() })
    }

    fn realm(&self, _: &str) -> Result<u32, SinkError> {
        Ok(1)
    }

    fn state(&self, _: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        lock(&self.state).iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn submit(&self, group: Group, done: Done) {
        for put in &group.state {
            match &put.value {
                Some(value) => drop(lock(&self.state).insert(put.key.clone(), value.clone())),
                None => drop(lock(&self.state).remove(&put.key)),
            }
        }
        lock(&self.groups).push(group);
        done(Ok(Receipt { group: lock(&self.groups).len() as u64 }));
    }

    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}
