//! What an engine has made since the last group.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{AuthenticationColumns, Binding, Gap, LineColumns, Malformed, NatEventColumns, RadiusSession, Raw};
use weir_record::sink::{Group, Resolved, SourceNo, StatePut};

/// The owner name of this source's state.
pub const OWNER: &str = "syslog";

/// Lines whose senders wait for word that they are durable: connection and transaction. Written by the store's thread.
#[derive(Clone, Debug, Default)]
pub struct Acks(Arc<Mutex<Vec<(u64, u64)>>>);

impl Acks {
    /// Notes that these are durable.
    pub fn put(&self, done: &[(u64, u64)]) {
        lock(&self.0).extend_from_slice(done);
    }

    /// What became durable since the last call.
    pub fn take(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// The pieces of the next group.
#[derive(Debug, Default)]
pub struct Out {
    /// Lines, redacted and as they came.
    pub lines: LineColumns,
    /// Sign-ins and what goes with them.
    pub auth: AuthenticationColumns,
    /// NAT events.
    pub nat: NatEventColumns,
    /// Leases.
    pub sessions: Vec<RadiusSession>,
    /// Gaps.
    pub gaps: Vec<Gap>,
    /// Input of strangers, and what is no line.
    pub malformed: Vec<Malformed>,
    /// Raw copies of it.
    pub raw: Vec<Raw>,
    /// State changes by key; the last one counts.
    pub state: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Newest time by source.
    pub evidence: BTreeMap<SourceNo, Millis>,
    /// Lines to be acknowledged.
    pub acks: Vec<(u64, u64)>,
    /// Bytes of lines.
    pub bytes: usize,
    bindings: Vec<Binding>,
    bound: HashSet<Id>,
}

impl Out {
    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.lines.len() + self.sessions.len() + self.nat.len() + self.gaps.len() + self.malformed.len()
    }

    /// True if something waits to be written.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.state.is_empty() && self.evidence.is_empty() && self.acks.is_empty()
    }

    /// The id, with its binding in this group once.
    pub fn id(&mut self, resolved: Resolved) -> Id {
        if let Some(binding) = resolved.binding
            && self.bound.insert(resolved.id)
        {
            self.bindings.push(binding);
        }
        resolved.id
    }

    /// The group and its acknowledgements, leaving nothing behind.
    pub fn take(&mut self) -> (Group, Vec<(u64, u64)>) {
        // The next group will be about as large.
        let next = Out { lines: LineColumns::like(&self.lines), ..Out::default() };
        let taken = std::mem::replace(self, next);
        let mut group = Group::new(OWNER);
        if !taken.lines.is_empty() {
            group.batches.extend(taken.lines.into_batches());
        }
        if !taken.auth.is_empty() {
            group.batches.push((Kind::Authentication, taken.auth.into_batch()));
        }
        if !taken.nat.is_empty() {
            group.batches.push((Kind::NatEvent, taken.nat.into_batch()));
        }
        add(&mut group, Kind::RadiusSession, &taken.sessions);
        add(&mut group, Kind::Gap, &taken.gaps);
        add(&mut group, Kind::Malformed, &taken.malformed);
        add(&mut group, Kind::Raw, &taken.raw);
        group.bindings = taken.bindings;
        group.state = taken.state.into_iter().map(|(key, value)| StatePut { key, value }).collect();
        group.evidence = taken.evidence.into_iter().collect();
        (group, taken.acks)
    }
}

fn add<R: Record>(group: &mut Group, kind: Kind, rows: &[R]) {
    if !rows.is_empty() {
        group.batches.push((kind, R::batch(rows)));
    }
}
