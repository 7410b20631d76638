//! The running store: sources hand groups in, a writer makes them durable, a sealer seals them, and questions are answered from all of it.

mod ask;
mod catch_up;
mod cycle;
mod fences;
mod info;
mod merge;
mod owed;
mod read;
mod recover;
mod repack;
mod room;
mod sink;
mod stage;
mod writer;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, RwLock};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt32Type;
use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::disk::SharedDisk;
use weir_base::net::Addr16;
use weir_base::task::{Tasks, lock};
use weir_base::time::Millis;
use weir_record::kinds::NatMappingColumns;
use weir_record::spare::Spare;
use weir_record::{Id, Kind, column};

use crate::catalog::{Catalog, Change, UnitMeta};
use crate::commit::{CommitError, Committer};
use crate::gaps::Gaps;
use crate::index::{Index, IndexFiles};
use crate::keyring::{Keyring, KeyringError};
use crate::live::Generation;
use crate::lock::{FolderLock, LockError};
use crate::registry::Registry;
use crate::state::{StateError, StateMap};
use crate::table::TableError;
use crate::units::{At, Units};
use crate::wal::{Wal, WalError};

pub use cycle::SealReport;
pub use info::{Health, SourceInfo};
pub use read::UnitReader;
pub use recover::OpenReport;
pub use repack::RepackReport;

use writer::Submit;

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The log's name in its checkpoints.
    pub origin: String,
    /// The program, such as `weir-0.1.0`.
    pub program: String,
    /// A unit closes after so many seconds.
    pub unit_seconds: u64,
    /// … or at so many rows, whichever comes first.
    pub unit_rows: usize,
    /// Keep SM3 digests of files beside SHA-256.
    pub sm3: bool,
    /// Size of the whole write-ahead log, in bytes.
    pub wal_bytes: u64,
    /// Bytes the store may hold in memory: what waits, what is being sealed, open tables and index.
    pub memory_bytes: u64,
}

impl Default for StoreConfig {
    fn default() -> StoreConfig {
        StoreConfig {
            origin: "demo.invalid".to_owned(),
            program: concat!("weir-", env!("CARGO_PKG_VERSION")).to_owned(),
            unit_seconds: 60,
            unit_rows: crate::limits::CYCLE_ROWS,
            sm3: false,
            wal_bytes: crate::limits::WAL_TOTAL_BYTES,
            memory_bytes: crate::limits::MEMORY_BYTES,
        }
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another program has the folder.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The log.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The write-ahead log.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The state of sources.
    #[error(transparent)]
    State(#[from] StateError),
    /// The index.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The disk.
    #[error("the disk failed: {0}")]
    Io(#[from] io::Error),
    /// The catalog.
    #[error("{0}")]
    Catalog(String),
    /// Stored bytes are not what they should be.
    #[error("{0}")]
    Damaged(String),
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopped,
    /// A bug of this program.
    #[error("an error of this program, please report it: {0}")]
    Internal(String),
}

/// What is durable and not sealed, and what is being sealed now.
#[derive(Debug, Default)]
struct LiveState {
    current: Generation,
    /// Shared, so that sealing reads it without holding anybody up.
    sealing: Option<Arc<Generation>>,
}

/// Sealed units and the public addresses behind sources.
#[derive(Debug, Default)]
struct Sealed {
    /// All units.
    units: Units,
    /// NAT units by the end of their window, and the longest window, in milliseconds: a question looks at few of a year's units.
    nat: BTreeSet<(Millis, At)>,
    longest: i64,
    pools: HashMap<Addr16, Vec<u32>>,
    last_sealed: Option<Millis>,
}

impl Sealed {
    /// All these units.
    fn of(units: Units) -> Sealed {
        let nat = || units.each(Kind::NatMapping);
        let longest = nat().map(|(_, unit)| unit.window.1.since(unit.window.0)).max().unwrap_or(0);
        let (nat, last_sealed) = (nat().map(|(at, unit)| (unit.window.1, at)).collect(), units.last_sealed());
        Sealed { nat, longest, last_sealed, units, ..Sealed::default() }
    }

    /// Takes a unit in, or what has changed of it.
    fn insert(&mut self, unit: UnitMeta) {
        let (kind, window) = (unit.kind, unit.window);
        let at = self.units.insert(unit);
        if kind == Kind::NatMapping {
            self.longest = self.longest.max(window.1.since(window.0));
            self.nat.insert((window.1, at));
        }
    }

    /// Public addresses belong to sources.
    fn learn_pools(&mut self, pools: Vec<(Addr16, u32)>, change: &mut Change) {
        for (address, source) in pools {
            let known = self.pools.entry(address).or_default();
            if !known.contains(&source) {
                known.push(source);
                change.pools.push((source, address.0));
            }
        }
    }

    /// NAT units whose window overlaps the span, newest first.
    fn nat_units(&self, from: Millis, to: Millis) -> Vec<UnitMeta> {
        let last = Millis(to.0.saturating_add(self.longest));
        let ended = self.nat.range((from, At::FIRST)..=(last, At::LAST)).rev();
        ended.filter_map(|(_, at)| self.units.at(Kind::NatMapping, *at)).filter(|u| u.window.0 <= to).collect()
    }
}

/// The public addresses in the rows of a NAT unit, each with its source. Rows are sorted by address, so equal ones stand together.
fn pools_of(rows: &RecordBatch) -> Vec<(Addr16, u32)> {
    let addresses = rows.column(0).as_fixed_size_binary();
    let sources = rows.column(Kind::NatMapping.spec().index("source").unwrap_or(0)).as_primitive::<UInt32Type>();
    let mut pools: Vec<(Addr16, u32)> = Vec::new();
    for row in 0..rows.num_rows() {
        let seen = (Addr16(column::bytes16(addresses, row)), sources.value(row));
        if pools.last() != Some(&seen) {
            pools.push(seen);
        }
    }
    pools
}

#[derive(Default)]
struct Flags {
    full: AtomicBool,
    stopping: AtomicBool,
    refused_groups: AtomicU64,
    sealed_rows: AtomicU64,
    /// Bytes of open tables and index, as of the last cycle.
    held_bytes: AtomicU64,
    trouble: Mutex<Option<String>>,
    full_since: Mutex<Option<Millis>>,
}

/// The store. Shared by everybody; every method may be called from any thread.
pub struct Store {
    config: StoreConfig,
    disk: SharedDisk,
    clock: Arc<dyn Clock>,
    keyring: Arc<Keyring>,
    catalog: Box<dyn Catalog>,
    committer: Committer,
    wal: Wal,
    state: StateMap,
    files: IndexFiles,
    registry: Mutex<Registry>,
    gaps: RwLock<Gaps>,
    /// Lock order: live, then sealed, then index, then gaps, then registry.
    live: RwLock<LiveState>,
    sealed: RwLock<Sealed>,
    index: RwLock<Index>,
    /// One registration at a time.
    registering: Mutex<()>,
    /// One word index is made again at a time.
    wording: Mutex<()>,
    /// Units move, or a fence table of one is made: one at a time. Whoever misses a file waits here, and asks where the unit lies now.
    moving: Mutex<()>,
    /// Units whose fence tables were made anew because what they name did not read.
    mended: Mutex<BTreeSet<Id>>,
    /// One seal cycle at a time.
    cycle: Mutex<cycle::CycleState>,
    wake: (Mutex<bool>, Condvar),
    room: (Mutex<()>, Condvar),
    /// Memory of the mappings of the unit before.
    room_for_rows: Mutex<NatMappingColumns>,
    /// Memory of the other rows of the cycle before.
    spare: Mutex<Spare>,
    queue: SyncSender<Submit>,
    queued: room::Queue,
    queue_out: Mutex<Option<Receiver<Submit>>>,
    flags: Flags,
    _folder: Option<FolderLock>,
}

impl Store {
    /// Starts the writer and the sealer.
    pub fn start(self: &Arc<Store>, tasks: &Tasks) -> io::Result<()> {
        let Some(queue) = lock(&self.queue_out).take() else {
            return Err(io::Error::other("the store is started already"));
        };
        let store = Arc::clone(self);
        tasks.spawn("store-writer", move |_| store.run_writer(&queue))?;
        let store = Arc::clone(self);
        tasks.spawn("store-sealer", move |stop| store.run_sealer(stop))
    }

    /// Stops taking groups in, seals what is there and leaves the index as of now. Call it before joining the threads.
    pub fn stop(&self) -> Result<(), StoreError> {
        self.stop_writer();
        let sealed = self.seal_now().map(drop);
        let flushed = self.flush_index();
        self.state.snapshot(self.clock.monotonic())?;
        sealed.and(flushed)
    }

    /// Stops taking groups in and leaves everything as it is: what a crash would do, without the crash.
    pub fn abandon(&self) {
        self.stop_writer();
        self.wake_sealer();
    }

    /// The ledger's own encryption of a question: only salted commitments and ciphertext reach the units.
    pub fn ledger_seal(&self, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.named_key("ledger/1")?.aead().wrap(b"weir/ledger/v1", plain))
    }

    /// Opens what [`Store::ledger_seal`] wrote.
    pub fn ledger_open(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let key = self.named_key("ledger/1")?;
        key.aead().unwrap(b"weir/ledger/v1", sealed).map_err(|e| StoreError::Damaged(e.to_string()))
    }

    /// The secret of the blind index of accounts.
    pub fn identity_key(&self) -> Result<Secret, StoreError> {
        self.named_key("identity/1")
    }

    /// The secret under which a policy fingerprints remote ends.
    pub fn remote_key(&self) -> Result<Secret, StoreError> {
        self.named_key("identity/2")
    }

    fn named_key(&self, name: &str) -> Result<Secret, StoreError> {
        let id = weir_record::stored::keyring::KeyId::new(name).map_err(|e| StoreError::Internal(e.to_string()))?;
        self.keyring.get_or_create(&[id])?.pop().ok_or_else(|| StoreError::Internal("the keyring gave no key".to_owned()))
    }
}

fn queue() -> (SyncSender<Submit>, Receiver<Submit>) {
    sync_channel(crate::limits::QUEUE_GROUPS)
}
