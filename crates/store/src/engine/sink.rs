//! What sources see of the store.

use std::sync::atomic::Ordering;
use std::sync::mpsc::TrySendError;

use weir_base::task::lock;
use weir_record::group;
use weir_record::kind::Record;
use weir_record::kinds::SourceEntry;
use weir_record::sink::{Done, Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut};
use weir_record::{Kind, walbatch};

use super::Store;
use super::room::weight;
use super::writer::{Ready, Submit};
use crate::registry::Registered;
use crate::wal::Wal;

/// Owner of the register's state.
pub(super) const REGISTRY: &str = "registry";

impl Store {
    fn prepare(&self, group: Group) -> Result<Box<Ready>, SinkError> {
        if self.flags.stopping.load(Ordering::SeqCst) {
            return Err(SinkError::Stopped);
        }
        group::check(&group).map_err(SinkError::Refused)?;
        self.state.check(&group.owner, &group.state).map_err(|e| SinkError::Refused(e.to_string()))?;
        let bytes = group::encode(&group).map_err(SinkError::Refused)?;
        if bytes.len() + 16 > Wal::frame_room() {
            return Err(SinkError::Refused(format!("the group is {} bytes long, more than a frame holds", bytes.len())));
        }
        let weight = weight(&group, &bytes);
        Ok(Box::new((group, bytes, weight)))
    }

    fn record_entry(&self, entry: &SourceEntry) -> Result<(), SinkError> {
        let batch = SourceEntry::batch(std::slice::from_ref(entry));
        let mut value = Vec::new();
        walbatch::encode(Kind::SourceEntry, &batch, &mut value);
        let key = if entry.number == 0 { format!("realm/{}", entry.realm_name) } else { format!("source/{:010}", entry.number) };
        let group = Group {
            owner: REGISTRY.to_owned(),
            batches: vec![(Kind::SourceEntry, batch)],
            state: vec![StatePut { key: key.into_bytes(), value: Some(value) }],
            ..Group::default()
        };
        self.commit(group).map(drop)
    }
}

impl RecordSink for Store {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        // One registration at a time, so that two sources never get one number.
        let _one = lock(&self.registering);
        let found = lock(&self.registry).register(desc, self.clock.now()).map_err(SinkError::Refused)?;
        let entry = match found {
            Registered::Known(handle) => return Ok(handle),
            Registered::Record(entry) => entry,
        };
        self.record_entry(&entry)?;
        lock(&self.registry).handle(entry.number, desc).ok_or(SinkError::Stopped)
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        let _one = lock(&self.registering);
        let found = lock(&self.registry).realm(name, self.clock.now()).map_err(SinkError::Refused)?;
        match found {
            Ok(number) => Ok(number),
            Err(entry) => self.record_entry(&entry).map(|()| entry.realm),
        }
    }

    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.state.get(owner)
    }

    fn submit(&self, group: Group, done: Done) {
        match self.prepare(group).and_then(|ready| self.take_room(ready.2, true).map(|()| ready)) {
            Err(e) => done(Err(e)),
            Ok(ready) => {
                if let Err(gone) = self.queue.send(Submit::Group(ready, done))
                    && let Submit::Group(_, done) = gone.0
                {
                    done(Err(SinkError::Stopped));
                }
            }
        }
    }

    fn try_submit(&self, group: Group, done: Done) {
        match self.prepare(group).and_then(|ready| self.take_room(ready.2, false).map(|()| ready)) {
            Err(e) => done(Err(e)),
            Ok(ready) => match self.queue.try_send(Submit::Group(ready, done)) {
                Ok(()) => {}
                Err(TrySendError::Full(Submit::Group(ready, done))) => {
                    self.queued.give_back(ready.2);
                    done(Err(SinkError::Busy));
                }
                Err(TrySendError::Disconnected(Submit::Group(_, done))) => done(Err(SinkError::Stopped)),
                Err(_) => {}
            },
        }
    }
}
