//! What the socket and the detail files share: a message goes in, rows and state changes come out as one group.
//!
//! An [`Engine`] belongs to one thread at a time. What the sink says about a group comes back through an [`Inbox`], so that the sink's
//! thread never waits for an engine: a failed group is taken back here before the next message is judged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Binding, Gap, IdType, Malformed, NatEvent, RadiusSession, Raw};
use weir_record::sink::{Group, Receipt, RecordSink, SinkError, SourceDesc, SourceHandle, SourceNo, StatePut, SubjectIds};

use super::attributes::status;
use super::clock::OffsetWindow;
use super::limits::{BINDINGS_PENDING, GAPS_PENDING, NAS_MAX, REWRITE_BATCH, SOURCE_NAME_BYTES, SPARE_ROWS, TICK_CHANGES};
use super::memory::{NasKeys, NewIds};
use super::message::{Message, Personal};
use super::noise::{Bad, Noise};
use super::normalise::{About, EventTime, caller, event_time, row, session_key};
use super::ports;
use super::sessions::{Event, Mark, Rows, Sessions, Undo};
use super::state::{self, Key};
use super::table::Changed;

/// What an engine is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSettings {
    /// Name of the source, unique in the unit: `radius`, say. Also the owner of its state.
    pub name: String,
    /// Realm of the source itself.
    pub realm: String,
    /// Where it listens or what it reads, for people.
    pub peer: String,
    /// Sessions followed at once.
    pub sessions_max: usize,
    /// Intervals without an update after which a session is taken for ended.
    pub missed_interims: u32,
    /// How long a NAS may still be sending an event again, in milliseconds: evidence stays this far behind the newest event.
    pub settle_ms: i64,
}

/// Where a message came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Realm of its NAS.
    pub realm: String,
    /// The sender; none for a file.
    pub sender: Option<Addr16>,
    /// When it arrived: here, or at the FreeRADIUS that wrote the file.
    pub arrived: Millis,
    /// Now.
    pub now: Millis,
    /// Rhythm of interim updates in milliseconds where the message names none; 0 for none.
    pub interim_ms: i64,
    /// One session a NAS port.
    pub port_is_exclusive: bool,
    /// The NAS's clock can be compared with ours: it sent the message itself, just now.
    pub measurable: bool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Its rows are in the group: acknowledge when the group is durable.
    Recorded,
    /// It was told before and is durable: acknowledge now.
    Duplicate,
    /// It was told before and is on its way to the log: acknowledge nothing, its sender asks again.
    Pending,
    /// It is no accounting event, and too many like it came this minute: acknowledge nothing.
    Refused,
}

/// A group under construction.
#[derive(Debug, Default)]
pub struct Work {
    rows: Rows,
    malformed: Vec<Malformed>,
    raw: Vec<Raw>,
    gaps: Vec<Gap>,
    bindings: Vec<Binding>,
    state: Vec<StatePut>,
    undo: Undo,
    evidence: BTreeMap<SourceNo, Millis>,
    records: Vec<(SourceHandle, u64)>,
}

impl Work {
    /// State changes so far; a group is closed when it has many.
    pub fn changes(&self) -> usize {
        self.undo.len()
    }

    /// Adds a state change of the caller's own, for the same group.
    pub fn put(&mut self, put: StatePut) {
        self.state.push(put);
    }

    /// Adds a gap.
    pub fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

/// What must be known of a group until the sink has spoken.
#[derive(Debug)]
pub struct Ticket {
    sequence: u64,
    /// Sessions and NASes.
    keys: Vec<Key>,
    undo: Undo,
    bindings: Vec<Binding>,
    gaps: Vec<Gap>,
    records: Vec<(SourceHandle, u64)>,
}

/// What the sink said about groups; the sink's thread writes, the engine reads.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Mutex<Vec<(Ticket, bool)>>>);

impl Inbox {
    /// Notes the sink's word. Must happen before the sender can be heard again, so that its next attempt finds the change taken back.
    pub fn put(&self, ticket: Ticket, result: &Result<Receipt, SinkError>) {
        if result.is_ok() {
            for (handle, n) in &ticket.records {
                handle.count(|c| c.records += n);
            }
        }
        lock(&self.0).push((ticket, result.is_ok()));
    }
}

struct NasEntry {
    handle: SourceHandle,
    offset: OffsetWindow,
}

/// Messages in, groups out.
pub struct Engine {
    settings: EngineSettings,
    sink: Arc<dyn RecordSink>,
    ids: Arc<dyn SubjectIds>,
    own: SourceHandle,
    sessions: Sessions,
    noise: Noise,
    realms: HashMap<String, u32, MixState>,
    nas: HashMap<Key, NasEntry, MixState>,
    inbox: Inbox,
    sequence: u64,
    /// Sessions and NASes in groups the sink has not spoken about, with the newest such group.
    pending: HashMap<Key, u64, MixState>,
    /// Sessions whose stored state is older than what is held.
    rewrite: BTreeSet<Key>,
    nas_keys: NasKeys,
    new_ids: NewIds,
    /// Room for the rows of the next group.
    spare: Vec<RadiusSession>,
    /// Bindings of groups that were not kept: their ids may be in use already.
    bindings: Vec<Binding>,
    /// Gaps of groups that were not kept: nobody tells them again.
    gaps: Vec<Gap>,
    positions: Vec<(Key, state::Position)>,
}

impl Engine {
    /// Registers the source and takes back the state it left.
    ///
    /// # Errors
    /// What the sink says when the source cannot be registered.
    pub fn new(settings: EngineSettings, sink: Arc<dyn RecordSink>, ids: Arc<dyn SubjectIds>) -> Result<Engine, SinkError> {
        let desc = describe(&settings.name, &settings.realm, &settings.peer, true);
        let own = sink.register(&desc)?;
        let mut sessions = Sessions::new(settings.sessions_max, settings.missed_interims);
        let mut positions = Vec::new();
        for (key, value) in sink.state(&settings.name) {
            match state::read(&key, &value) {
                Some(state::Entry::Session(key, session)) => sessions.load(key, *session),
                // Comes after its session: keys are in order.
                Some(state::Entry::Update(key, update)) => sessions.load_update(key, &update),
                Some(state::Entry::Nas(key, nas)) => sessions.load_nas(key, nas),
                Some(state::Entry::Detail(key, position)) => positions.push((key, position)),
                None => {}
            }
        }
        let (noise, realms, nas, inbox) = (Noise::default(), HashMap::default(), HashMap::default(), Inbox::default());
        let (pending, rewrite, bindings, gaps) = (HashMap::default(), BTreeSet::new(), Vec::new(), Vec::new());
        Ok(Engine {
            settings,
            sink,
            ids,
            own,
            sessions,
            noise,
            realms,
            nas,
            inbox,
            sequence: 0,
            pending,
            rewrite,
            nas_keys: NasKeys::default(),
            new_ids: NewIds::default(),
            spare: Vec::new(),
            bindings,
            gaps,
            positions,
        })
    }

    /// The source's own number and counters.
    pub fn own(&self) -> &SourceHandle {
        &self.own
    }

    /// The session machine, for looking at.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Where the sink's word goes.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Positions in detail files that the state held.
    pub fn positions(&mut self) -> Vec<(Key, state::Position)> {
        std::mem::take(&mut self.positions)
    }

    /// Takes in what the sink said since the last call.
    pub fn settle(&mut self) {
        let spoken = std::mem::take(&mut *lock(&self.inbox.0));
        // Later groups first: what was built on a failed group is then met before what it was built on.
        for (ticket, kept) in spoken.into_iter().rev() {
            for key in &ticket.keys {
                if self.pending.get(key) == Some(&ticket.sequence) {
                    self.pending.remove(key);
                }
            }
            if !kept {
                self.rewrite.extend(self.sessions.undo(ticket.undo));
                self.bindings.extend(ticket.bindings);
                self.bindings.truncate(BINDINGS_PENDING);
                self.gaps.extend(ticket.gaps);
                self.gaps.truncate(GAPS_PENDING);
            }
        }
    }

    /// Takes a message.
    ///
    /// # Errors
    /// What the sink says when a new NAS cannot be registered.
    pub fn take(&mut self, work: &mut Work, mut message: Message, origin: &Origin, bytes: &[u8]) -> Result<Taken, SinkError> {
        self.settle();
        let EventTime { time, stamped } = event_time(&message, origin.arrived);
        let number = message.status.unwrap_or(0);
        let of_nas = matches!(number, status::ACCOUNTING_ON | status::ACCOUNTING_OFF);
        let wrong = match message.status {
            None => Some("radius.no-acct-status-type"),
            Some(s) if s == 0 || s > 255 => Some("radius.acct-status-type"),
            Some(_) if message.session_id.is_empty() && !of_nas => Some("radius.no-acct-session-id"),
            Some(_) => None,
        };
        if let Some(reason) = wrong {
            return Ok(self.refuse(work, reason, origin, bytes));
        }
        let realm = self.realm(&origin.realm)?;
        let nas = self.nas_keys.key(realm, &message, origin.sender);
        let handle = self.register(nas, &message, origin)?;
        let mark = Mark { time, arrived: origin.arrived, stamped, fingerprint: message.fingerprint };
        let source = handle.number;
        let class = message.class.as_ref().map(|c| self.ids.digest(realm, c.clear()));
        let about = About { source, realm, time, arrived: origin.arrived, sender: origin.sender, subscriber: None, caller: None, class };
        let session = session_key(nas, &message.session_id);
        let interim_ms = message.interim_s.map(|s| i64::from(s) * 1000);
        let mut event = Event {
            nas,
            session,
            mark,
            interim_ms,
            default_interim_ms: origin.interim_ms,
            port_is_exclusive: origin.port_is_exclusive,
            row: row(&mut message, &about),
            blocks: Vec::new(),
        };
        self.measure(nas, &message, origin, &event.mark);
        if self.sessions.is_duplicate(&event) {
            handle.count(|c| c.duplicates += 1);
            let on_its_way = self.pending.contains_key(if of_nas { &nas } else { &session }) || work.touches(&event, of_nas);
            return Ok(if on_its_way { Taken::Pending } else { Taken::Duplicate });
        }
        let account = message.account.as_ref().or(message.chargeable.as_ref());
        event.row.subscriber = account.map(|a| self.resolve(work, realm, IdType::Account, a.clear(), origin.now));
        event.row.caller = message.caller.as_ref().map(|c| self.caller(work, realm, c, origin.now));
        if !(message.port_ranges.is_empty() && message.forwards.is_empty()) {
            let known = self.sessions.table().get(&session);
            let framed = event.row.framed_ipv4.or_else(|| known.and_then(|s| s.facts.framed_ipv4));
            let held = known.map_or(&[][..], |s| &s.blocks);
            let changes = ports::changes(&message.port_ranges, &message.forwards, framed, held);
            event.blocks = changes.blocks;
            if let Some(problem) = changes.problems.first() {
                self.refuse(work, problem, origin, bytes);
            }
        }
        if let Some(problem) = message.problems.first() {
            self.refuse(work, problem.what, origin, bytes);
        }
        let before = work.rows.sessions.len() + work.rows.nat.len();
        if work.rows.sessions.capacity() == 0 {
            work.rows.sessions = std::mem::take(&mut self.spare);
        }
        let new_id = self.new_ids.next();
        self.sessions.apply(event, new_id, &mut work.undo, &mut work.rows);
        let made = work.rows.sessions.len() + work.rows.nat.len() - before;
        work.records.push((handle, made as u64));
        let evidence = time.plus(-self.settings.settle_ms);
        work.evidence.entry(source).and_modify(|t| *t = (*t).max(evidence)).or_insert(evidence);
        Ok(Taken::Recorded)
    }

    /// Records a bad input unless too many like it came this minute. The answer says whether it is recorded.
    pub fn bad(&mut self, work: &mut Work, bad: &Bad<'_>) -> bool {
        self.own.count(|c| c.malformed += 1);
        match self.noise.record(bad, Id::random(), &mut work.malformed) {
            Some((malformed, raw)) => {
                work.malformed.push(malformed);
                work.raw.push(raw);
                true
            }
            None => false,
        }
    }

    /// Does what time alone makes due. True if more is due at once.
    pub fn tick(&mut self, now: Millis, work: &mut Work) -> bool {
        self.settle();
        work.malformed.extend(self.noise.tick(now));
        self.sessions.tick(now, TICK_CHANGES, &mut work.undo, &mut work.rows)
    }

    /// Closes a group; `None` when there is nothing to keep.
    pub fn finish(&mut self, mut work: Work) -> Option<(Group, Ticket)> {
        let mut group = Group::new(&self.settings.name);
        let (changed, nas) = (work.undo.sessions(), work.undo.nas());
        let mut stale = BTreeSet::new();
        while stale.len() < REWRITE_BATCH {
            let Some(key) = self.rewrite.pop_first() else { break };
            stale.insert(key);
        }
        group.state = work.state;
        let whole = stale.iter().map(|key| Changed { key: *key, moved: false, updated: true });
        let changed = changed.iter().filter(|c| !stale.contains(&c.key)).copied();
        let mut keys: Vec<Key> = nas.iter().copied().collect();
        for Changed { key, moved, updated } in changed.chain(whole) {
            let session = self.sessions.table().get(&key);
            if moved {
                group.state.push(state::put_update(key, session));
            } else {
                group.state.push(state::put_session(key, session));
                group.state.extend(updated.then(|| state::put_update(key, None)));
            }
            keys.push(key);
        }
        group.state.extend(nas.iter().map(|k| state::put_nas(*k, self.sessions.table().nas(k))));
        group.bindings = std::mem::take(&mut self.bindings);
        group.bindings.append(&mut work.bindings);
        work.gaps.append(&mut self.gaps);
        group.evidence = work.evidence.into_iter().collect();
        batch(&mut group, Kind::RadiusSession, &work.rows.sessions, RadiusSession::batch);
        work.rows.sessions.clear();
        if work.rows.sessions.capacity() <= SPARE_ROWS {
            self.spare = work.rows.sessions;
        }
        batch(&mut group, Kind::NatEvent, &work.rows.nat, NatEvent::batch);
        batch(&mut group, Kind::Malformed, &work.malformed, Malformed::batch);
        batch(&mut group, Kind::Raw, &work.raw, Raw::batch);
        batch(&mut group, Kind::Gap, &work.gaps, Gap::batch);
        if group.is_empty() {
            return None;
        }
        self.sequence += 1;
        self.pending.extend(keys.iter().map(|k| (*k, self.sequence)));
        let bindings = group.bindings.clone();
        Some((group, Ticket { sequence: self.sequence, keys, undo: work.undo, bindings, gaps: work.gaps, records: work.records }))
    }

    /// Records an authentic message that is no accounting event.
    fn refuse(&mut self, work: &mut Work, reason: &'static str, origin: &Origin, bytes: &[u8]) -> Taken {
        let peer = origin.sender.unwrap_or(Addr16::NONE);
        let bad = Bad { time: origin.arrived, source: self.own.number, peer, reason, offset: 0, bytes };
        if self.bad(work, &bad) { Taken::Recorded } else { Taken::Refused }
    }

    fn realm(&mut self, name: &str) -> Result<u32, SinkError> {
        if let Some(realm) = self.realms.get(name) {
            return Ok(*realm);
        }
        let realm = self.sink.realm(name)?;
        // Realms come from configuration, so their number is bounded by it.
        self.realms.insert(name.to_owned(), realm);
        Ok(realm)
    }

    /// The source of a NAS: its own, or the listener's when there are too many.
    fn register(&mut self, key: Key, message: &Message, origin: &Origin) -> Result<SourceHandle, SinkError> {
        if let Some(entry) = self.nas.get(&key) {
            return Ok(entry.handle.clone());
        }
        if self.nas.len() >= NAS_MAX {
            return Ok(self.own.clone());
        }
        let own_name = match (&message.nas_identifier, message.nas_address.or(origin.sender)) {
            (Some(id), Some(a)) => format!("{id}@{a}"),
            (Some(id), None) => id.clone(),
            (None, Some(a)) => a.to_string(),
            (None, None) => "unnamed".to_owned(),
        };
        let hex: String = key.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let mut name = format!("{}/{}/{own_name}", self.settings.name, origin.realm);
        if name.len() > SOURCE_NAME_BYTES {
            let cut = name.floor_char_boundary(SOURCE_NAME_BYTES - hex.len() - 1);
            name.truncate(cut);
            name = format!("{name}~{hex}");
        }
        let peer = origin.sender.map_or_else(|| self.settings.peer.clone(), |a| a.to_string());
        let handle = self.sink.register(&describe(&name, &origin.realm, &peer, !origin.measurable))?;
        self.nas.insert(key, NasEntry { handle: handle.clone(), offset: OffsetWindow::default() });
        Ok(handle)
    }

    fn measure(&mut self, nas: Key, message: &Message, origin: &Origin, mark: &Mark) {
        let Some(entry) = self.nas.get_mut(&nas) else {
            self.own.count(|c| c.messages += 1);
            return;
        };
        let sent = mark.time.plus(1000 * i64::from(super::normalise::delay_s(message)));
        // Without a delay, or through a relay, an old event says nothing about the clock; an event ahead of ours does.
        let ahead = sent.since(origin.arrived);
        if mark.stamped && ((origin.measurable && message.delay_s.is_some()) || ahead > 0) {
            entry.offset.add(origin.arrived, ahead);
        }
        let offset = entry.offset.value();
        entry.handle.count(|c| {
            c.messages += 1;
            c.last_seen = Some(origin.arrived);
            c.last_header = c.last_header.max(Some(mark.time));
            c.offset_ms = offset;
            // A stamp is cut to whole seconds.
            c.ahead_ms = offset.map(|ms| (ms, ms.saturating_add(super::limits::STAMP_CUT_MS)));
        });
    }

    fn caller(&mut self, work: &mut Work, realm: u32, value: &Personal, now: Millis) -> Id {
        let (id_type, value) = caller(value.clear());
        self.resolve(work, realm, id_type, &value, now)
    }

    fn resolve(&mut self, work: &mut Work, realm: u32, id_type: IdType, value: &str, now: Millis) -> Id {
        let resolved = self.ids.resolve(realm, id_type, value, now);
        work.bindings.extend(resolved.binding);
        resolved.id
    }
}

impl Work {
    /// True when this very group holds what the event repeats.
    fn touches(&self, event: &Event, of_nas: bool) -> bool {
        if of_nas { self.undo.has_nas(&event.nas) } else { self.undo.has_session(&event.session) }
    }
}

fn describe(name: &str, realm: &str, peer: &str, trust: bool) -> SourceDesc {
    SourceDesc {
        name: name.to_owned(),
        kind: "radius".to_owned(),
        realm: realm.to_owned(),
        peer: peer.to_owned(),
        clock: if trust { "trust" } else { "measured" }.to_owned(),
        ..SourceDesc::default()
    }
}

fn batch<R>(group: &mut Group, kind: Kind, rows: &[R], make: impl FnOnce(&[R]) -> arrow::array::RecordBatch) {
    if !rows.is_empty() {
        group.batches.push((kind, make(rows)));
    }
}
