//! Opening the store: finish what a crash left half done, find out what is sealed, rebuild what is missing, replay the rest.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use weir_base::clock::Clock;
use weir_base::crypto::Secret;
use weir_base::disk::SharedDisk;
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_record::kind::Record;
use weir_record::kinds::{Gap, SourceEntry};
use weir_record::sink::Group;
use weir_record::{Id, Kind, group, walbatch};

use super::catch_up::catch_up;
use super::sink::REGISTRY;
use super::{Flags, LiveState, Sealed, Store, StoreConfig, StoreError, queue};
use crate::catalog::{Catalog, Change, Content, IndexState, RunMeta};
use crate::commit::{Committer, LogIdentity};
use crate::fence::FENCES;
use crate::gaps::Gaps;
use crate::index::{Index, IndexFiles, RUNS};
use crate::keyring::Keyring;
use crate::lock::FolderLock;
use crate::manifest::{self, Manifest};
use crate::registry::Registry;
use crate::state::{StateLimits, StateMap};
use crate::table::TableError;
use crate::wal::{Cut, Damage, Recovered, Wal, WalLimits};
use crate::words::{WORDS, words_file};

/// What opening found, in words for a person and as data.
#[derive(Clone, Debug, Default)]
pub struct OpenReport {
    /// Tails of the write-ahead log that were cut: possibly acknowledged.
    pub cuts: Vec<Cut>,
    /// Damaged stretches of the write-ahead log.
    pub damage: Vec<Damage>,
    /// Groups that were replayed because they were not sealed.
    pub replayed: u64,
    /// Units that were read again to bring the index up.
    pub reindexed: usize,
    /// Sentences for a person, free of personal data.
    pub notes: Vec<String>,
    /// True if the folder was empty.
    pub first_start: bool,
}

/// The index as a checkpoint of it left it, without what was sealed after it.
struct Checkpoint {
    state: IndexState,
    runs: Vec<RunMeta>,
    index: Index,
    gaps: Gaps,
}

impl Store {
    /// Opens the store in a folder of this disk. `lock_folder` is the real folder to lock, `None` for a simulated disk.
    pub fn open(
        disk: SharedDisk,
        lock_folder: Option<&Path>,
        catalog: Box<dyn Catalog>,
        clock: Arc<dyn Clock>,
        master: &Secret,
        config: StoreConfig,
    ) -> Result<(Arc<Store>, OpenReport), StoreError> {
        let folder = lock_folder.map(FolderLock::take).transpose()?;
        let mut report = OpenReport { first_start: !crate::keyring::exists(disk.as_ref())?, ..OpenReport::default() };
        let keyring = Arc::new(Keyring::open_or_create(&disk, master)?);
        for dir in [RUNS, FENCES, WORDS, crate::snapshot::FOLDER, manifest::FOLDER, "stage", "segments"] {
            disk.create_dir(Path::new(dir))?;
        }
        let identity = LogIdentity { origin: &config.origin, program: &config.program, now: clock.now() };
        let (committer, _) = Committer::open(&disk, &keyring, &identity)?;
        let files = IndexFiles { disk: Arc::clone(&disk), keyring: Arc::clone(&keyring) };
        let state = StateMap::open(&disk, &keyring, StateLimits::default(), clock.monotonic())?;
        let (mut content, sealed_through) = catch_up(&committer, catalog.as_ref(), &files, &mut report)?;
        let limits = WalLimits { total_bytes: config.wal_bytes, ..WalLimits::default() };
        let mut groups = Vec::new();
        let (wal, recovered) = Wal::open(&disk, &keyring, limits, sealed_through + 1, &mut |number, bytes| {
            if number > sealed_through || number > state.applied() {
                groups.push((number, if number > sealed_through { bytes.to_vec() } else { without_rows(bytes) }));
            }
        })?;
        let (queue, queue_out) = queue();
        let queued = super::room::Queue::of(config.memory_bytes);
        let index = RwLock::new(Store::empty_index(config.memory_bytes));
        let mut sealed = Sealed::of(std::mem::take(&mut content.units));
        for (source, addr) in &content.pools {
            sealed.pools.entry(Addr16(*addr)).or_default().push(*source);
        }
        let store = Store {
            config,
            disk,
            clock,
            keyring,
            catalog,
            committer,
            wal,
            state,
            files,
            registry: Mutex::new(Registry::default()),
            gaps: RwLock::new(Gaps::default()),
            live: RwLock::new(LiveState::default()),
            sealed: RwLock::new(sealed),
            index,
            registering: Mutex::new(()),
            wording: Mutex::new(()),
            moving: Mutex::new(()),
            mended: Mutex::default(),
            cycle: Mutex::default(),
            wake: (Mutex::new(false), Condvar::new()),
            room: (Mutex::new(()), Condvar::new()),
            room_for_rows: Mutex::default(),
            spare: Mutex::default(),
            queue,
            queue_out: Mutex::new(Some(queue_out)),
            queued,
            flags: Flags::default(),
            _folder: folder,
        };
        lock(&store.cycle).through = sealed_through;
        store.live.write().unwrap_or_else(PoisonError::into_inner).current.last_group = sealed_through;
        store.load_index(&content, &mut report)?;
        store.replay(groups, sealed_through, &mut report)?;
        store.tell(&recovered, &mut report)?;
        Ok((Arc::new(store), report))
    }

    /// The index of the last checkpoint, and every unit sealed after it.
    fn load_index(&self, content: &Content, report: &mut OpenReport) -> Result<(), StoreError> {
        let checkpoint = self.checkpoint(content, report)?;
        let anew = checkpoint.is_none();
        let (state, mut runs, mut index, gaps) = match checkpoint {
            Some(Checkpoint { state, runs, mut index, gaps }) => {
                index.spans.add_runs(runs.clone());
                (state, runs, index, gaps)
            }
            None => {
                self.forget_index(content)?;
                (IndexState::default(), Vec::new(), Store::empty_index(self.config.memory_bytes), Gaps::default())
            }
        };
        // Before anything is written: what a start that was cut short had written goes first.
        self.sweep_index(&state.snapshot, &runs);
        let (from, known) = (state.entries, runs.len());
        *self.gaps.write().unwrap_or_else(PoisonError::into_inner) = gaps;
        let mut change = Change::default();
        for meta in &self.units_since(from, &[Kind::NatMapping, Kind::RadiusSession, Kind::Gap]) {
            report.reindexed += 1;
            for rows in self.read_unit(meta)? {
                match meta.kind {
                    Kind::Gap => {
                        let mut gaps = self.gaps.write().unwrap_or_else(PoisonError::into_inner);
                        Gap::rows(&rows).iter().for_each(|g| gaps.apply(g));
                    }
                    _ => {
                        self.index_rows(&mut index, meta, &rows);
                    }
                }
                if meta.kind == Kind::NatMapping {
                    self.sealed.write().unwrap_or_else(PoisonError::into_inner).learn_pools(super::pools_of(&rows), &mut change);
                }
            }
            index.orphans.let_go();
            index.orphans.expire(meta.sealed);
            if index.spans.in_memory() >= self.spans_in_memory() {
                let written = index.spans.write_runs(&self.files, self.clock.now().day())?;
                index.spans.add_runs(written.clone());
                index.spans.clear_memory();
                runs.extend(written);
            }
        }
        self.catalog.apply(&change).map_err(StoreError::Catalog)?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        let mut cycle = lock(&self.cycle);
        cycle.indexed = self.committer.size();
        cycle.flushed = self.clock.monotonic();
        cycle.snapshot = state.snapshot;
        self.sweep_words();
        cycle.made = runs.split_off(known);
        // Hours of reading are not lost to a crash after it. What cannot be written now is written with a later checkpoint.
        if report.reindexed > 0 && (anew || !cycle.made.is_empty()) {
            report.notes.extend(self.flush(&mut cycle).err().map(|e| format!("the index that was made is not written yet: {e}")));
        }
        Ok(())
    }

    /// The checkpoint that the catalog names; where that is not whole the one that the index names itself: after a power cut the catalog may be back at one
    /// whose files are gone.
    fn checkpoint(&self, content: &Content, report: &mut OpenReport) -> Result<Option<Checkpoint>, StoreError> {
        let why = match self.read_checkpoint(&content.index, &content.runs) {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) => None,
            Err(e) if may_pass(&e) => return Err(unread(&e)),
            Err(e) => Some(e),
        };
        let latest = manifest::latest(&self.files, &|size| Ok(self.committer.root_at(size)?));
        let latest = latest.unwrap_or_else(|e| {
            report.notes.push(format!("what the index says of itself is not used: {e}"));
            None
        });
        if let Some(Manifest { index, runs, pools, .. }) = latest
            && let Some(found) = self.read_checkpoint(&index, &runs).or_else(|e| if may_pass(&e) { Err(unread(&e)) } else { Ok(None) })?
        {
            let drop_runs = content.runs.iter().filter(|run| !runs.contains(run)).map(|run| run.file.clone()).collect();
            let mut change = Change { runs, drop_runs, index: Some(index), ..Change::default() };
            let pools = pools.into_iter().map(|(source, address)| (Addr16(address), source)).collect();
            self.sealed.write().unwrap_or_else(PoisonError::into_inner).learn_pools(pools, &mut change);
            self.catalog.apply(&change).map_err(StoreError::Catalog)?;
            return Ok(Some(found));
        }
        report.notes.extend(why.map(|e| format!("the index is rebuilt from the sealed units: {e}")));
        Ok(None)
    }

    /// None where there is none.
    fn read_checkpoint(&self, state: &IndexState, runs: &[RunMeta]) -> Result<Option<Checkpoint>, StoreError> {
        let Some((file, day)) = &state.snapshot else { return Ok(None) };
        let (mut index, mut gaps) = (Store::empty_index(self.config.memory_bytes), Gaps::default());
        crate::snapshot::read(&self.files, file, *day, &mut index, &mut gaps)?;
        for run in runs {
            self.files.open(&run.file, run.day)?;
        }
        Ok(Some(Checkpoint { state: state.clone(), runs: runs.to_vec(), index, gaps }))
    }

    /// The index is made again: until that is done, and written, there is none, for a start that is cut short and for the next one.
    fn forget_index(&self, content: &Content) -> Result<(), StoreError> {
        if let Some((file, _)) = &content.index.snapshot {
            match self.disk.remove(file.as_ref()) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
                _ => self.disk.sync_dir(crate::snapshot::FOLDER.as_ref())?,
            }
        }
        let drop_runs = content.runs.iter().map(|run| run.file.clone()).collect();
        let change = Change { drop_runs, index: Some(IndexState::default()), ..Change::default() };
        self.catalog.apply(&change).map_err(StoreError::Catalog)
    }

    /// Index files that nobody names are left-overs of a crash.
    fn sweep_index(&self, snapshot: &Option<(String, weir_base::time::Day)>, runs: &[RunMeta]) {
        let mut named: BTreeSet<String> = runs.iter().map(|r| r.file.clone()).collect();
        named.extend(snapshot.iter().map(|(file, _)| file.clone()));
        let mut lost = Vec::new();
        for folder in [RUNS, crate::snapshot::FOLDER] {
            let entries = self.disk.list(Path::new(folder)).unwrap_or_default();
            lost.extend(entries.into_iter().map(|e| format!("{folder}/{}", e.name)).filter(|file| !named.contains(file)));
        }
        self.files.remove(&lost);
    }

    /// Word indexes of files that no unit lies in.
    fn sweep_words(&self) {
        let entries = self.disk.list(Path::new(WORDS)).unwrap_or_default();
        if entries.is_empty() {
            return;
        }
        let files: BTreeSet<Arc<str>> = self.units_since(0, &[crate::words::KIND]).into_iter().map(|u| u.file).collect();
        let named: BTreeSet<String> = files.iter().map(|file| words_file(file)).collect();
        let lost: Vec<String> = entries.into_iter().map(|e| format!("{WORDS}/{}", e.name)).filter(|file| !named.contains(file)).collect();
        self.files.remove(&lost);
    }

    /// Groups that are durable and not sealed go into memory; the register comes from the state.
    fn replay(&self, groups: Vec<(u64, Vec<u8>)>, sealed_through: u64, report: &mut OpenReport) -> Result<(), StoreError> {
        self.load_registry()?;
        for (number, bytes) in groups {
            let mut group =
                group::decode(&bytes).map_err(|e| StoreError::Damaged(format!("group {number} of the write-ahead log: {e}")))?;
            if number <= sealed_through {
                keep_entries(&mut group);
                group.batches.iter().for_each(|(_, b)| SourceEntry::rows(b).iter().for_each(|e| lock(&self.registry).apply(e)));
                group.batches.clear();
            } else {
                report.replayed += 1;
            }
            self.take_in(number, group);
        }
        Ok(())
    }

    /// The register of sources, from the state. What does not read stops the start: a number that is forgotten would be given to somebody else.
    fn load_registry(&self) -> Result<(), StoreError> {
        let damaged = |why: String| StoreError::Damaged(format!("the register of sources: {why}; use the program that wrote it"));
        let mut registry = lock(&self.registry);
        for (_, value) in self.state.get(REGISTRY) {
            match walbatch::decode(&value).map_err(|e| damaged(e.to_string()))? {
                (Kind::SourceEntry, batch, []) => SourceEntry::rows(&batch).iter().for_each(|e| registry.apply(e)),
                (kind, ..) => return Err(damaged(format!("an entry is not what it should be, but of {kind}"))),
            }
        }
        Ok(())
    }

    /// What the write-ahead log lost becomes gap records, before anything else is taken in.
    fn tell(&self, recovered: &Recovered, report: &mut OpenReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let last = self.sealed.read().unwrap_or_else(PoisonError::into_inner).last_sealed.unwrap_or(now);
        let mut gaps = Vec::new();
        let mut add = |bytes: u64, reason: &str| {
            let row = |source| Gap {
                time: now,
                id: Id::random(),
                source,
                start: last.min(now),
                end: now,
                lost: None,
                unit: "bytes".to_owned(),
                reason: reason.to_owned(),
                ..Gap::default()
            };
            let sources: Vec<u32> = lock(&self.registry).sources().map(|s| s.entry.number).collect();
            gaps.extend(sources.into_iter().map(row));
            report.notes.push(format!("{reason}: {bytes} bytes, possibly acknowledged; every source has a gap from {last} to {now}"));
        };
        recovered.cuts.iter().for_each(|c| add(c.bytes, "cut-tail"));
        recovered.damage.iter().for_each(|d| add(d.bytes, "wal-damage"));
        recovered.missing.iter().for_each(|m| add(m.end - m.start, "wal-missing-groups"));
        (report.cuts, report.damage) = (recovered.cuts.clone(), recovered.damage.clone());
        if !gaps.is_empty() {
            let group = Group { owner: "store".to_owned(), batches: vec![(Kind::Gap, Gap::batch(&gaps))], ..Default::default() };
            let bytes = group::encode(&group).map_err(StoreError::Internal)?;
            for number in self.wal.append(&[bytes])? {
                self.take_in(number, group.clone());
            }
        }
        if !recovered.cuts.is_empty() {
            let cut: u64 = recovered.cuts.iter().map(|c| c.bytes).sum();
            self.note("recover", &format!("cut tail, {cut} bytes, possibly acknowledged"));
            self.wal.confirm_cuts()?;
        }
        Ok(())
    }
}

/// Something does not read that may read the next time: no reason to throw an index away.
fn may_pass(error: &StoreError) -> bool {
    let (StoreError::Io(e) | StoreError::Table(TableError::Io(e))) = error else { return false };
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied, UnexpectedEof};
    !matches!(e.kind(), NotFound | UnexpectedEof | PermissionDenied | IsADirectory | NotADirectory)
}

/// What to do then.
fn unread(error: &StoreError) -> StoreError {
    StoreError::Io(io::Error::other(format!(
        "the index does not read ({error}): see to the disk and start again, or delete the folder `index`: it is made again from the sealed units"
    )))
}

/// Of a group whose rows are sealed only the state, which was not in a snapshot yet, and the entries of the register.
fn keep_entries(group: &mut Group) {
    group.batches.retain(|(kind, _)| *kind == Kind::SourceEntry);
    group.bindings.clear();
}

/// The same of its bytes: a start must not have ten minutes of rows in memory for their state. What cannot be read stays, and is named later.
fn without_rows(bytes: &[u8]) -> Vec<u8> {
    let stripped = group::decode(bytes).ok().and_then(|mut group| {
        keep_entries(&mut group);
        group::encode(&group).ok()
    });
    stripped.unwrap_or_else(|| bytes.to_vec())
}
