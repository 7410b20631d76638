//! The contract between sources and the store. Sources never see the store.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use weir_base::task::lock;
use weir_base::time::Millis;

use crate::column::Id;
use crate::kind::Kind;
use crate::kinds::{Binding, IdType};

/// A change of a source's own state: becomes durable together with the group's records. `value: None` removes the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePut {
    /// Key, unique within the owner.
    pub key: Vec<u8>,
    /// New value.
    pub value: Option<Vec<u8>>,
}

/// What becomes durable at once, or not at all.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Whose state `state` changes: the owner name given to [`RecordSink::state`], e.g. `ipfix` or `radius`.
    pub owner: String,
    /// Columns by kind. Each batch has the schema of its kind.
    pub batches: Vec<(Kind, RecordBatch)>,
    /// State changes.
    pub state: Vec<StatePut>,
    /// State changes of other owners, by owner: the register and the identity tables ride in the group that needs them.
    pub other_state: Vec<(String, StatePut)>,
    /// Bindings that the ids in `batches` need, from [`SubjectIds::resolve`].
    pub bindings: Vec<Binding>,
    /// The newest header time each source has shown by its own clock: "it has sent something later than T".
    pub evidence: Vec<(SourceNo, Millis)>,
}

impl Group {
    /// An empty group of this owner.
    pub fn new(owner: &str) -> Group {
        Group { owner: owner.to_owned(), ..Group::default() }
    }

    /// Rows in all batches.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(|(_, b)| b.num_rows()).sum()
    }

    /// True when there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.state.is_empty() && self.bindings.is_empty() && self.evidence.is_empty()
    }
}

/// Number of a source in the register (`source_entry`). 0 is nobody.
pub type SourceNo = u32;

/// The group is durable: its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the group in the write-ahead log.
    pub group: u64,
}

/// Why a group was not kept. Nothing of it is durable then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// No room: acknowledge nothing, count what is lost, try again later.
    #[error("the disk is full: make room or raise the limit; records go on when there is room")]
    Full,
    /// The queue before the log is full and the caller asked not to wait.
    #[error("the store is behind: its queue is full")]
    Busy,
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopped,
    /// The group breaks a limit or a schema: a bug of the source.
    #[error("the group is refused: {0}")]
    Refused(String),
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Failed(String),
}

/// Hears whether a group became durable. Called once, on the store's thread: be quick, do not block.
pub type Done = Box<dyn FnOnce(Result<Receipt, SinkError>) + Send>;

/// What a source tells about itself when it registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceDesc {
    /// Name, unique in the unit, e.g. `cgn-a` or `192.0.2.1/7` (exporter and observation domain). At most 128 bytes.
    pub name: String,
    /// `radius`, `ipfix`, `netflow9`.
    pub kind: String,
    /// Realm name.
    pub realm: String,
    /// The sender, or the file it reads.
    pub peer: String,
    /// Exporter profile, empty where there is none.
    pub profile: String,
    /// `measured` or `trust`.
    pub clock: String,
    /// Public pools this source is known to translate to (prefix text, e.g. `203.0.113.0/24`), from configuration.
    pub pools: Vec<String>,
}

/// Counters of a source, for people and for attribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCounters {
    /// Datagrams, frames or blocks taken in.
    pub messages: u64,
    /// Records made from them.
    pub records: u64,
    /// Inputs not understood.
    pub malformed: u64,
    /// Records known to be lost.
    pub lost: u64,
    /// Input understood but not kept, e.g. flow records without NAT fields.
    pub ignored: u64,
    /// Lines kept that no dialect understands.
    pub unrecognised: u64,
    /// Duplicates dropped; of lines, which are kept, those that are perhaps doubles.
    pub duplicates: u64,
    /// Destinations dropped at intake (RFC 6888 REQ-12).
    pub destinations_dropped: u64,
    /// When something last arrived.
    pub last_seen: Option<Millis>,
    /// Newest header time by the source's own clock.
    pub last_header: Option<Millis>,
    /// The source's clock less ours, in ms, when it is measured.
    pub offset_ms: Option<i64>,
    /// How far its clock is ahead of ours, at least and at most, in ms, when it is measured.
    pub ahead_ms: Option<(i64, i64)>,
    /// Why it is not well, in words; none when it is.
    pub trouble: Option<String>,
}

/// A registered source: its numbers and its live counters.
#[derive(Clone, Debug)]
pub struct SourceHandle {
    /// Its number.
    pub number: SourceNo,
    /// Number of its realm.
    pub realm: u32,
    /// Live counters; the store and the console read them.
    pub counters: Arc<Mutex<SourceCounters>>,
}

impl SourceHandle {
    /// Changes the counters.
    pub fn count(&self, change: impl FnOnce(&mut SourceCounters)) {
        change(&mut lock(&self.counters));
    }
}

/// Where sources put what they took in.
pub trait RecordSink: Send + Sync {
    /// Registers a source, or finds it again by name; durable on return.
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError>;

    /// The number of a realm, made at first use; durable on return.
    fn realm(&self, name: &str) -> Result<u32, SinkError>;

    /// The state an owner left, in key order.
    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)>;

    /// Hands a group over; waits while the queue is full. `done` hears when it is durable.
    fn submit(&self, group: Group, done: Done);

    /// As [`RecordSink::submit`], but calls back with [`SinkError::Busy`] at once instead of waiting.
    fn try_submit(&self, group: Group, done: Done);

    /// Hands a group over and waits until it is durable.
    fn commit(&self, group: Group) -> Result<Receipt, SinkError> {
        let (tx, rx) = std::sync::mpsc::sync_channel(1);
        self.submit(group, Box::new(move |result| drop(tx.send(result))));
        rx.recv().unwrap_or(Err(SinkError::Stopped))
    }
}

/// An opaque id, and the binding that must become durable in the same group when this is its first use of the key day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The opaque id.
    pub id: Id,
    /// The binding to put into [`Group::bindings`].
    pub binding: Option<Binding>,
}

/// Account → opaque id. No clear account goes further than this.
pub trait SubjectIds: Send + Sync {
    /// The id of a value in a realm at `now`, made at first use.
    fn resolve(&self, realm: u32, id_type: IdType, value: &str, now: Millis) -> Resolved;

    /// A keyed digest of bytes that may name a person and are only ever compared. Nothing is remembered: the same bytes in the same realm
    /// give the same digest, and without the key nobody comes back from it.
    fn digest(&self, realm: u32, value: &[u8]) -> Id;
}
