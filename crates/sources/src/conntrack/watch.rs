//! One network namespace: events in, groups out, and a comparison with the kernel's table at the start, after losses, and now and then.
//!
//! Groups are handed over one at a time, and the next event is read when the one before is durable: while the disk is full nothing is read,
//! and what the kernel drops meanwhile becomes a gap like any other loss.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use weir_base::clock::Clock;
use weir_base::crypto::{Mac, Secret};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Gap, Malformed, NatEvent, Raw};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut};

use super::config::{Namespace, Settings};
use super::kernel;
use super::limits::{BATCH_ROWS, BATCH_WAIT_MS, DUMP_TRIES, HEARTBEAT_MS, READS, RESYNC_MS, RETRY_MS, TICK_MS};
use super::message::{Ends, connection};
use super::netlink::messages;
use super::socket::{Dumped, Events, Heard, dump};
use super::table::{Out, Table, Told};
use crate::ipfix::normalise::{RemotePolicy, Remotes, fingerprint};
use crate::radius::noise::{Bad, Noise};

/// State key of the moment up to which every event was taken.
const COMPLETE_KEY: &[u8] = b"t";
/// Where `ip netns` keeps its namespaces.
const NETNS: &str = "/run/netns";

/// Starts one thread for each namespace of `settings` under `tasks`. A namespace that cannot be watched yet shows as trouble of its source and
/// is tried again.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn start(
    settings: &Settings,
    sink: &Arc<dyn RecordSink>,
    clock: &Arc<dyn Clock>,
    key: Option<&Secret>,
    tasks: &Tasks,
) -> Result<(), String> {
    for namespace in &settings.namespaces {
        let mut watch = Watch::new(settings, namespace, Arc::clone(sink), Arc::clone(clock), key.map(Mac::new))
            .map_err(|e| format!("conntrack cannot start: {e}"))?;
        let name = format!("conntrack-{}", namespace.netns.as_deref().unwrap_or("own"));
        tasks.spawn(&name, move |stop| watch.run(stop)).map_err(|e| format!("no thread for {name}: {e}"))?;
    }
    Ok(())
}

/// Why watching ends.
enum Ending {
    /// The program stops.
    Stopped,
    /// Something is wrong; it is tried again.
    Failed(String),
}

impl From<io::Error> for Ending {
    fn from(e: io::Error) -> Ending {
        Ending::Failed(match e.kind() {
            io::ErrorKind::PermissionDenied => {
                format!("the kernel refuses ({e}): give the program CAP_NET_ADMIN, in its unit file AmbientCapabilities=CAP_NET_ADMIN")
            }
            _ => format!("connection tracking cannot be read: {e}"),
        })
    }
}

/// One namespace.
struct Watch {
    name: String,
    namespace: Namespace,
    receive_buffer: usize,
    reconcile_ms: i64,
    remotes: RemotePolicy,
    mac: Option<Mac>,
    sink: Arc<dyn RecordSink>,
    clock: Arc<dyn Clock>,
    handle: SourceHandle,
    table: Table,
    noise: Noise,
    out: Out,
    gaps: Vec<Gap>,
    malformed: Vec<Malformed>,
    raw: Vec<Raw>,
    messages: u64,
    dropped: u64,
    /// Up to this moment every event was taken; none before the first comparison ever.
    complete: Option<Millis>,
    /// When the last group was handed over.
    submitted: Millis,
    compared: Millis,
}

impl Watch {
    fn new(
        settings: &Settings,
        namespace: &Namespace,
        sink: Arc<dyn RecordSink>,
        clock: Arc<dyn Clock>,
        mac: Option<Mac>,
    ) -> Result<Watch, SinkError> {
        let place = namespace.netns.as_deref().unwrap_or("own");
        let name: String = format!("{}/{place}", settings.name).chars().take(120).collect();
        let handle = sink.register(&SourceDesc {
            name: name.clone(),
            kind: "conntrack".to_owned(),
            realm: namespace.realm.clone(),
            peer: namespace.netns.as_ref().map_or("kernel".to_owned(), |n| format!("{NETNS}/{n}")),
            // Linux gives one public port to several hosts towards different remotes.
            profile: "linux-overload".to_owned(),
            // The kernel's clock is ours.
            clock: "trust".to_owned(),
            pools: namespace.pools.iter().map(ToString::to_string).collect(),
        })?;
        let mut table = Table::new(handle.number, settings.connections_max);
        let mut complete = None;
        for (key, value) in sink.state(&name) {
            if key == COMPLETE_KEY {
                complete = <[u8; 8]>::try_from(value.as_slice()).ok().map(|b| Millis(i64::from_be_bytes(b)));
            } else {
                table.load(&key, &value);
            }
        }
        let now = clock.now();
        Ok(Watch {
            name,
            namespace: namespace.clone(),
            receive_buffer: settings.receive_buffer,
            reconcile_ms: settings.reconcile_ms,
            remotes: settings.remotes.clone(),
            mac,
            sink,
            clock,
            handle,
            table,
            noise: Noise::default(),
            out: Out::default(),
            gaps: Vec::new(),
            malformed: Vec::new(),
            raw: Vec::new(),
            messages: 0,
            dropped: 0,
            complete,
            submitted: now,
            compared: now,
        })
    }

    fn run(&mut self, stop: &Stop) {
        let mut reason = "stopped";
        while !stop.is_raised() {
            match self.watch(reason, stop) {
                Ending::Stopped => return,
                Ending::Failed(why) => self.handle.count(|c| c.trouble = Some(why)),
            }
            reason = "source-silent";
            stop.wait(Duration::from_millis(RETRY_MS));
        }
    }

    /// Watches until something ends it.
    fn watch(&mut self, reason: &'static str, stop: &Stop) -> Ending {
        let mut go = || -> Result<(), Ending> {
            let entered = self.enter()?;
            // Events first, then the dump: what happens in between is seen twice, never not at all.
            let events = Events::open(self.receive_buffer)?;
            self.compare(&events, reason, stop)?;
            self.settings();
            while !stop.is_raised() {
                self.turn(&events, stop)?;
                self.still_there(entered)?;
            }
            self.hand_over(true, stop)
        };
        match go() {
            Ok(()) => Ending::Stopped,
            Err(e) => e,
        }
    }

    fn path(&self) -> Option<PathBuf> {
        self.namespace.netns.as_ref().map(|n| PathBuf::from(NETNS).join(n))
    }

    /// Moves this thread into its namespace; gives what tells it from another of the same name.
    fn enter(&self) -> Result<Option<u64>, Ending> {
        let Some(path) = self.path() else { return Ok(None) };
        let cannot = |e: &dyn std::fmt::Display| {
            let hint = "is it there (`ip netns`)? Other namespaces than the own one need CAP_SYS_ADMIN";
            Ending::Failed(format!("the namespace {} cannot be entered ({e}): {hint}", path.display()))
        };
        let file = fs::File::open(&path).map_err(|e| cannot(&e))?;
        let inode = file.metadata().map_err(|e| cannot(&e))?.ino();
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|e| cannot(&e))?;
        Ok(Some(inode))
    }

    /// A namespace that was made anew under its name is another one.
    fn still_there(&self, entered: Option<u64>) -> Result<(), Ending> {
        let Some(path) = self.path() else { return Ok(()) };
        let now = fs::metadata(&path).ok().map(|m| m.ino());
        if now == entered { Ok(()) } else { Err(Ending::Failed(format!("the namespace {} is gone", path.display()))) }
    }

    /// Looks at what the kernel is told to do here.
    fn settings(&self) {
        let advice = kernel::here();
        let needed = advice.into_iter().find(|a| a.needed).map(|a| a.text);
        self.handle.count(|c| c.trouble = needed);
    }

    /// Waits for events and takes what there is, then what time makes due.
    fn turn(&mut self, events: &Events, stop: &Stop) -> Result<(), Ending> {
        events.wait(if self.out.rows.is_empty() { TICK_MS } else { BATCH_WAIT_MS });
        if !self.drain(events, stop)? {
            return self.compare(events, "kernel-drop", stop);
        }
        let now = self.clock.now();
        if !(0..self.reconcile_ms).contains(&now.since(self.compared)) {
            self.compare(events, "not-told", stop)?;
            self.settings();
        }
        let due = now.since(self.submitted);
        let waits = !self.out.state.is_empty() || !self.out.rows.is_empty() || !self.malformed.is_empty();
        if !(0..HEARTBEAT_MS).contains(&due) || (waits && due >= BATCH_WAIT_MS) {
            self.hand_over(true, stop)?;
        }
        Ok(())
    }

    /// Takes every event that is there; false when some were lost. What was complete moves on only when nothing is left to read.
    fn drain(&mut self, events: &Events, stop: &Stop) -> Result<bool, Ending> {
        let mut buffer = Vec::new();
        loop {
            for _ in 0..READS {
                let now = self.clock.now();
                match events.read(&mut buffer)? {
                    Heard::Lost => return Ok(false),
                    Heard::Nothing => {
                        self.complete = self.complete.map(|t| t.max(now));
                        return Ok(true);
                    }
                    Heard::Datagram => self.datagram(&buffer, now),
                }
                if self.out.rows.len() + self.out.state.len() >= BATCH_ROWS {
                    break;
                }
            }
            self.hand_over(false, stop)?;
            if stop.is_raised() {
                return Ok(true);
            }
        }
    }

    fn datagram(&mut self, bytes: &[u8], now: Millis) {
        let policy = self.remotes.at(now);
        for message in messages(bytes) {
            self.messages += 1;
            match message.and_then(|m| connection(&m)) {
                Ok(None) => {}
                Ok(Some(c)) => {
                    let mac = self.mac.as_ref();
                    let dropped = &mut self.dropped;
                    self.table.take(&c, |ends| told(ends, policy, mac, dropped), now, &mut self.out);
                }
                Err(fault) => {
                    self.handle.count(|c| c.malformed += 1);
                    let bad = Bad {
                        time: now,
                        source: self.handle.number,
                        peer: Addr16::NONE,
                        reason: fault.reason,
                        offset: fault.offset,
                        bytes,
                    };
                    if let Some((malformed, raw)) = self.noise.record(&bad, Id::random(), &mut self.malformed) {
                        self.malformed.push(malformed);
                        self.raw.push(raw);
                    }
                }
            }
        }
    }

    /// Compares the table with the kernel's. `reason` says why something may be missing.
    fn compare(&mut self, events: &Events, reason: &'static str, stop: &Stop) -> Result<(), Ending> {
        let since = self.complete;
        for _ in 0..DUMP_TRIES {
            // What was lost while we look is lost in the same gap: the comparison begins anew.
            if !self.drain_lossy(events, stop)? {
                self.rest(stop)?;
                continue;
            }
            self.table.begin_pass();
            let now = self.clock.now();
            let dumped = dump(&mut |bytes| self.datagram(bytes, now))?;
            if dumped == Dumped::Interrupted || !self.drain_lossy(events, stop)? {
                self.rest(stop)?;
                continue;
            }
            let now = self.clock.now();
            let shown = self.table.end_pass(now, &mut self.out);
            let loses = reason != "not-told" || shown.found > 0;
            let from = since.unwrap_or(now).min(shown.earliest.unwrap_or(now));
            if loses && (since.is_some() || shown.found > 0) {
                self.gap(from, now, None, if since.is_some() { reason } else { "not-told" });
            }
            (self.complete, self.compared) = (Some(now), now);
            return self.hand_over(true, stop);
        }
        Err(Ending::Failed("the kernel's table changes faster than it can be read: raise sources.conntrack.receive_buffer".to_owned()))
    }

    /// As [`Watch::drain`], but what was complete does not move on.
    fn drain_lossy(&mut self, events: &Events, stop: &Stop) -> Result<bool, Ending> {
        let complete = self.complete;
        let whole = self.drain(events, stop);
        self.complete = complete;
        whole
    }

    fn rest(&self, stop: &Stop) -> Result<(), Ending> {
        if stop.wait(Duration::from_millis(RESYNC_MS as u64)) { Err(Ending::Stopped) } else { Ok(()) }
    }

    fn gap(&mut self, start: Millis, end: Millis, lost: Option<u64>, reason: &str) {
        self.gaps.push(Gap {
            time: end,
            id: Id::random(),
            amendment: 0,
            source: self.handle.number,
            start,
            end,
            lost,
            unit: "records".to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// Makes what there is durable; waits while it cannot be. With `whole`, everything up to [`Watch::complete`] is in it.
    fn hand_over(&mut self, whole: bool, stop: &Stop) -> Result<(), Ending> {
        let now = self.clock.now();
        if self.out.overflow > 0 {
            let lost = std::mem::take(&mut self.out.overflow);
            self.gap(self.complete.unwrap_or(now), now, Some(lost), "table-full");
        }
        self.malformed.extend(self.noise.tick(now));
        let mut group = Group::new(&self.name);
        let rows = std::mem::take(&mut self.out.rows);
        let made = rows.len() as u64;
        batch(&mut group, Kind::NatEvent, &rows, NatEvent::batch);
        batch(&mut group, Kind::Gap, &std::mem::take(&mut self.gaps), Gap::batch);
        batch(&mut group, Kind::Malformed, &std::mem::take(&mut self.malformed), Malformed::batch);
        batch(&mut group, Kind::Raw, &std::mem::take(&mut self.raw), Raw::batch);
        group.state = std::mem::take(&mut self.out.state);
        if let Some(complete) = self.complete.filter(|_| whole) {
            group.evidence.push((self.handle.number, complete));
            group.state.push(StatePut { key: COMPLETE_KEY.to_vec(), value: Some(complete.0.to_be_bytes().to_vec()) });
        }
        self.submitted = now;
        if group.is_empty() {
            return Ok(());
        }
        loop {
            match self.sink.commit(group.clone()) {
                Ok(_) => break,
                Err(SinkError::Stopped) => return Err(Ending::Stopped),
                Err(SinkError::Refused(why)) => {
                    self.gap(self.complete.unwrap_or(now), now, Some(made), "refused");
                    self.handle.count(|c| c.trouble = Some(format!("the store refused a group: {why}")));
                    return Ok(());
                }
                Err(e) => {
                    self.handle.count(|c| c.trouble = Some(e.to_string()));
                    if stop.wait(Duration::from_millis(RETRY_MS)) {
                        return Err(Ending::Stopped);
                    }
                }
            }
        }
        self.publish(made, now);
        Ok(())
    }

    fn publish(&mut self, made: u64, now: Millis) {
        let (messages, dropped) = (std::mem::take(&mut self.messages), std::mem::take(&mut self.dropped));
        let untranslated = std::mem::take(&mut self.out.untranslated);
        let full = self.table.is_full().then(|| "more connections than sources.conntrack.connections_max: raise it".to_owned());
        let complete = self.complete;
        self.handle.count(|c| {
            c.messages += messages;
            c.records += made;
            c.ignored += untranslated;
            c.destinations_dropped += dropped;
            c.last_header = complete.or(c.last_header);
            if messages > 0 {
                c.last_seen = Some(now);
            }
            c.trouble = full.or_else(|| c.trouble.take().filter(|t| t.contains("sysctl") || t.contains("modprobe")));
        });
    }
}

/// What is recorded of a connection's ends.
fn told(ends: &Ends, policy: Remotes, mac: Option<&Mac>, dropped: &mut u64) -> Told {
    let mut told = Told {
        protocol: ends.protocol,
        public: ends.public,
        public_port: ends.public_port,
        inside: ends.inside,
        inside_port: ends.inside_port,
        ..Told::default()
    };
    match (policy, mac) {
        (Remotes::Keep, _) => (told.remote, told.remote_port) = (ends.remote, ends.remote_port),
        (Remotes::Fingerprint, Some(mac)) => told.remote_tag = fingerprint(mac, &ends.remote.0, ends.remote_port),
        (Remotes::Fingerprint, None) | (Remotes::Drop, _) => *dropped += 1,
    }
    told
}

fn batch<R>(group: &mut Group, kind: Kind, rows: &[R], make: impl FnOnce(&[R]) -> arrow::array::RecordBatch) {
    if !rows.is_empty() {
        group.batches.push((kind, make(rows)));
    }
}
