//! How index entries travel: in the same group as the bindings they belong to.
//!
//! A group has one owner, so the entries are put under that owner with a prefix no source uses, and are taken out again when the owner's
//! state is read. One group, one commit: a binding and its entry are durable together or not at all.

use std::sync::Arc;

use weir_record::sink::{Done, Group, RecordSink, SinkError, SourceDesc, SourceHandle};

use crate::identity::Identity;

/// Keys of index entries begin with this; sources' own keys must not.
pub const STATE_PREFIX: &[u8] = b"\0identity\0";

/// Adds the index entries of the group's bindings to its state changes.
pub fn attach(identity: &Identity, group: &mut Group) {
    group.state.extend(identity.puts_for(&group.bindings).into_iter().map(|mut put| {
        put.key = [STATE_PREFIX, &put.key].concat();
        put
    }));
}

/// State entries: key and value.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Parts an owner's state into its own entries and those for [`Identity::open`].
pub fn detach(state: Entries) -> (Entries, Entries) {
    let (mut own, mut identity) = (Entries::new(), Entries::new());
    for (key, value) in state {
        match key.strip_prefix(STATE_PREFIX) {
            Some(index) => identity.push((index.to_vec(), value)),
            None => own.push((key, value)),
        }
    }
    (own, identity)
}

/// A sink that keeps the identity index in step with what sources hand over. Sources get this one instead of the store's.
pub struct IdentitySink {
    inner: Arc<dyn RecordSink>,
    identity: Arc<Identity>,
}

impl IdentitySink {
    /// A sink before `inner`.
    pub fn new(inner: Arc<dyn RecordSink>, identity: Arc<Identity>) -> IdentitySink {
        IdentitySink { inner, identity }
    }

    fn prepare(&self, mut group: Group, done: Done) -> (Group, Done) {
        if group.bindings.is_empty() {
            return (group, done);
        }
        attach(&self.identity, &mut group);
        let (identity, bindings) = (Arc::clone(&self.identity), group.bindings.clone());
        let confirmed: Done = Box::new(move |result| {
            if result.is_ok() {
                identity.confirm(&bindings);
            }
            done(result);
        });
        (group, confirmed)
    }
}

impl RecordSink for IdentitySink {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        self.inner.register(desc)
    }

    fn realm(&self, name: &str) -> Result<u32, SinkError> {
        self.inner.realm(name)
    }

    fn state(&self, owner: &str) -> Entries {
        detach(self.inner.state(owner)).0
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
mod tests;
