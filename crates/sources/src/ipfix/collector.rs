//! The collector: a datagram and its sender in, pieces of a group out. No socket, no clock: time is passed in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;

use weir_base::crypto::Mac;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle};

use super::compile::{Body, Plan};
use super::config::Settings;
use super::decode::{Context, Scratch, count, decode};
use super::limits::{DOMAINS, EXPORTERS};
use super::normalise::{Remotes, to_fingerprints};
use super::out::{Bad, Budget, Out};
use super::parser::{self, Announcement, Fault, Header, SetKind, Version};
use super::pending::{Pending, Waiting};
use super::sequence::{Arrived, Saved, Units, Verdict};
use super::stream::{Restored, Stream, UNKNOWN_TEMPLATE, restore};
use super::template::Change;

/// Where a collector registers the sources it meets.
pub trait Register: Send {
    /// See [`RecordSink::register`].
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError>;
}

impl Register for Arc<dyn RecordSink> {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        RecordSink::register(self.as_ref(), desc)
    }
}

/// Which transport a collector serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams; templates outlive a restart of ours.
    Udp,
    /// Connections; templates end with them.
    Tcp,
}

struct Exporter {
    streams: HashMap<(u32, u64), Stream>,
    pending: Pending,
    budget: Budget,
    // What closed TCP sessions left, by domain.
    closed: HashMap<u32, Saved>,
}

impl Exporter {
    fn new(peer: Addr16) -> Exporter {
        Exporter { streams: HashMap::new(), pending: Pending::default(), budget: Budget::new(peer), closed: HashMap::new() }
    }
}

/// The collector of one socket.
pub struct Collector {
    settings: Arc<Settings>,
    register: Box<dyn Register>,
    transport: Transport,
    label: String,
    mac: Option<Mac>,
    exporters: HashMap<Addr16, Exporter>,
    strangers: Budget,
    scratch: Scratch,
    out: Out,
}

/// One data set of a message, with what is needed to decode it.
struct Part<'a> {
    template: u16,
    body: &'a [u8],
    plan: Option<Arc<Plan>>,
    records: u32,
}

/// What the work on one message shares.
struct Job<'a> {
    peer: Addr16,
    arrival: Millis,
    header: Header,
    remotes: Remotes,
    mac: Option<&'a Mac>,
}

impl Collector {
    /// A collector. `label` names its socket in the state, e.g. `udp:0.0.0.0:4739`; `mac` is the key of remote fingerprints.
    pub fn new(settings: Arc<Settings>, register: Box<dyn Register>, transport: Transport, label: &str, mac: Option<Mac>) -> Collector {
        Collector {
            settings,
            register,
            transport,
            label: label.to_owned(),
            mac,
            exporters: HashMap::new(),
            strangers: Budget::default(),
            scratch: Scratch::default(),
            out: Out::default(),
        }
    }

    /// Takes back what an earlier run left in the state. Sets that waited for a template then are gone: a gap says so.
    pub fn restore(&mut self, state: &[(Vec<u8>, Vec<u8>)], now: Millis) -> Result<(), SinkError> {
        for (key, value) in state {
            let Some(Key::Sequence(peer, domain)) = Key::parse(key, &self.label) else { continue };
            let Some(restored) = restore(value) else { continue };
            self.restore_stream(peer, domain, &restored, now)?;
        }
        for (key, value) in state {
            let Some(Key::Template(peer, domain, id)) = Key::parse(key, &self.label) else { continue };
            let stream = self.exporters.get_mut(&peer).and_then(|e| e.streams.get_mut(&(domain, 0)));
            if !stream.is_some_and(|s| s.templates.restore(id, value, now)) {
                self.out.state.insert(key.clone(), None);
            }
        }
        Ok(())
    }

    fn restore_stream(&mut self, peer: Addr16, domain: u32, restored: &Restored, now: Millis) -> Result<(), SinkError> {
        let waited = restored.waiting_since.zip(restored.saved.export_ms);
        if self.transport == Transport::Tcp {
            let mut saved = restored.saved.clone();
            saved.gap = saved.gap.or(waited);
            self.exporters.entry(peer).or_insert_with(|| Exporter::new(peer)).closed.insert(domain, saved);
            return Ok(());
        }
        let mut made = Out::default();
        if let Some(stream) = self.stream(peer, domain, 0, restored.version)? {
            stream.sequence.restore(&restored.saved);
            if let Some((start, end)) = waited {
                stream.sequence.mark(start, end, UNKNOWN_TEMPLATE);
            }
            stream.flush_gaps(now, true, &mut made);
        }
        self.out.gaps.append(&mut made.gaps);
        Ok(())
    }

    /// The stream of an exporter, registered at its first message. `None`: not one of ours, or one too many.
    fn stream(&mut self, peer: Addr16, domain: u32, session: u64, version: Version) -> Result<Option<&mut Stream>, SinkError> {
        if self.exporters.len() >= EXPORTERS && !self.exporters.contains_key(&peer) {
            return Ok(None);
        }
        let exporter = self.exporters.entry(peer).or_insert_with(|| Exporter::new(peer));
        let full = exporter.streams.len() >= DOMAINS;
        match exporter.streams.entry((domain, session)) {
            Entry::Occupied(found) if found.get().version == version => Ok(Some(found.into_mut())),
            Entry::Vacant(_) if full => Ok(None),
            entry => {
                // A new stream, or an exporter that was set to another version: its templates and numbers mean something else now.
                let Some(rule) = self.settings.rule(peer, domain) else { return Ok(None) };
                let base = if rule.name.is_empty() { peer.to_string() } else { rule.name.clone() };
                let name = format!("{base}/{domain}");
                let handle = self.register.register(&SourceDesc {
                    name: name.clone(),
                    kind: if version == Version::V9 { "netflow9" } else { "ipfix" }.to_owned(),
                    realm: rule.realm.clone(),
                    peer: peer.to_string(),
                    profile: rule.profile.to_string(),
                    clock: rule.clock.name().to_owned(),
                    pools: rule.pools.iter().map(ToString::to_string).collect(),
                })?;
                let stream = Stream::new(handle, name, Arc::new(rule), version);
                Ok(Some(entry.insert_entry(stream).into_mut()))
            }
        }
    }

    /// Takes a datagram, or a message of a TCP session (`session` is then its number, else 0). An error means that a source could not
    /// be registered: nothing was taken, try again with the same bytes.
    pub fn message(&mut self, peer: SocketAddr, session: u64, arrival: Millis, data: &[u8]) -> Result<(), SinkError> {
        // A dual-stack socket shows IPv4 peers as mapped addresses; the 16-byte form is the same for both.
        let peer = Addr16::from(peer.ip());
        let message = match parser::message(data) {
            Ok(message) => message,
            Err(fault) => {
                self.stranger(peer, arrival, fault, data);
                return Ok(());
            }
        };
        let header = message.header;
        let known = self.exporters.contains_key(&peer);
        if self.stream(peer, header.domain, session, header.version)?.is_none() {
            let ours = self.settings.rule(peer, header.domain).is_some();
            if !known && !ours {
                self.exporters.remove(&peer);
            }
            self.stranger(peer, arrival, if ours { Fault::TooManyDomains } else { Fault::UnknownExporter }, data);
            return Ok(());
        }
        let Collector { exporters, out, scratch, settings, mac, .. } = self;
        let Some(exporter) = exporters.get_mut(&peer) else { return Ok(()) };
        let remotes = match settings.remotes.at(arrival) {
            // Without a key there is no fingerprint to make; nothing is kept rather than the address itself.
            Remotes::Fingerprint if mac.is_none() => Remotes::Drop,
            other => other,
        };
        let job = Job { peer, arrival, header, remotes, mac: mac.as_ref() };
        let mut work = Work { exporter, session, label: &self.label, tcp: self.transport == Transport::Tcp, out, scratch, job };
        work.run(data, message.body, message.trailing);
        Ok(())
    }

    fn stranger(&mut self, peer: Addr16, at: Millis, fault: Fault, bytes: &[u8]) {
        let bad = Bad { at, source: 0, peer, reason: fault.reason(), offset: 0, bytes, count: 1 };
        match self.exporters.get_mut(&peer) {
            Some(exporter) => {
                // The domain is not known from such bytes; the count goes to the first source of the sender.
                if let Some(stream) = exporter.streams.values_mut().min_by_key(|s| s.handle.number) {
                    stream.counts.malformed += 1;
                    stream.counts.messages += 1;
                    stream.touched = true;
                }
                exporter.budget.malformed(bad, &mut self.out);
            }
            None => self.strangers.malformed(bad, &mut self.out),
        }
    }

    /// A TCP stream that cannot be framed any more, or one too many.
    pub fn refused(&mut self, peer: SocketAddr, at: Millis, fault: Fault, bytes: &[u8]) {
        self.stranger(Addr16::from(peer.ip()), at, fault, bytes);
    }

    /// Says of every source why its records are not kept at the moment.
    pub fn trouble(&mut self, text: &str) {
        for stream in self.exporters.values().flat_map(|e| e.streams.values()) {
            stream.handle.count(|c| c.trouble = Some(text.to_owned()));
        }
    }

    /// Rows that were refused for good: a gap says how many.
    pub fn discarded(&mut self, rows: u64, now: Millis) {
        self.out.gaps.push(Gap {
            time: now,
            id: Id::random(),
            start: now,
            end: now,
            lost: Some(rows),
            unit: "records".to_owned(),
            reason: "refused".to_owned(),
            ..Gap::default()
        });
    }

    /// A TCP session ended: its templates end with it; what waited for one is given up.
    pub fn session_ended(&mut self, peer: SocketAddr, session: u64, now: Millis) {
        let peer = Addr16::from(peer.ip());
        let Some(exporter) = self.exporters.get_mut(&peer) else { return };
        let ended: Vec<u32> = exporter.streams.keys().filter(|(_, s)| *s == session).map(|(d, _)| *d).collect();
        for domain in ended {
            give_up(exporter, Some(domain), now, &mut self.out);
            let Some(mut stream) = exporter.streams.remove(&(domain, session)) else { continue };
            stream.flush_gaps(now, true, &mut self.out);
            stream.flush_notices(now, true, &mut self.out);
            stream.publish();
            self.out.state.insert(Key::Sequence(peer, domain).bytes(&self.label), Some(stream.state(None)));
            exporter.closed.insert(domain, stream.sequence.saved());
        }
    }

    /// The kernel dropped datagrams of this socket. Exporters with usable sequence numbers show exactly what they lost at their next
    /// message; for the others the stretch since their last message is lost in unknown number.
    pub fn kernel_dropped(&mut self, datagrams: u64, now: Millis) {
        let newest = self.exporters.values().flat_map(|e| e.streams.values()).filter_map(|s| s.seen).max().unwrap_or(now);
        self.out.gaps.push(Gap {
            time: now,
            id: Id::random(),
            start: newest.min(now),
            end: now,
            lost: Some(datagrams),
            unit: "datagrams".to_owned(),
            reason: "kernel-drop".to_owned(),
            ..Gap::default()
        });
        for stream in self.exporters.values_mut().flat_map(|e| e.streams.values_mut()).filter(|s| s.sequence.unusable()) {
            if let Some(start) = stream.sequence.newest_ms() {
                let behind = stream.offset.estimate().map_or(0, |e| e.offset_ms);
                stream.sequence.mark(start, start.max(now.0 + behind), "kernel-drop");
                stream.touched = true;
            }
        }
    }

    /// What is due at `now`: gaps, sets that waited too long, templates nobody uses, counts of the last minute.
    pub fn tick(&mut self, now: Millis) {
        for (peer, exporter) in &mut self.exporters {
            exporter.budget.roll(now, &mut self.out);
            for waiting in exporter.pending.expire(now) {
                lose(exporter, waiting, now, &mut self.out);
            }
            for ((domain, session), stream) in &mut exporter.streams {
                for id in stream.templates.expire(now) {
                    if *session == 0 {
                        self.out.state.insert(Key::Template(*peer, *domain, id).bytes(&self.label), None);
                    }
                }
                stream.flush_gaps(now, false, &mut self.out);
                stream.flush_notices(now, false, &mut self.out);
            }
        }
        self.strangers.roll(now, &mut self.out);
    }

    /// The program stops: everything that waits is settled.
    pub fn stop(&mut self, now: Millis) {
        for exporter in self.exporters.values_mut() {
            give_up(exporter, None, now, &mut self.out);
            exporter.budget.settle(now, &mut self.out);
            for stream in exporter.streams.values_mut() {
                stream.flush_gaps(now, true, &mut self.out);
                stream.flush_notices(now, true, &mut self.out);
                stream.touched = true;
            }
        }
        self.strangers.settle(now, &mut self.out);
    }

    /// NAT events that wait for the next group.
    pub fn rows(&self) -> usize {
        self.out.events.len() + self.out.rare_rows()
    }

    /// The next group, when there is something for it. Also brings the sources' counters up to date.
    pub fn take(&mut self) -> Option<Group> {
        for (peer, exporter) in &mut self.exporters {
            for ((domain, _), stream) in exporter.streams.iter_mut().filter(|(_, s)| s.touched) {
                stream.touched = false;
                stream.publish();
                let value = stream.state(exporter.pending.oldest(*domain));
                self.out.state.insert(Key::Sequence(*peer, *domain).bytes(&self.label), Some(value));
                if let Some(ms) = stream.sequence.newest_ms() {
                    self.out.evidence.insert(stream.handle.number, Millis(ms));
                }
            }
        }
        (!self.out.is_empty()).then(|| self.out.take())
    }

    /// Puts all state into the next group: an earlier one was not kept.
    pub fn rewrite_state(&mut self) {
        for (peer, exporter) in &mut self.exporters {
            for ((domain, session), stream) in &mut exporter.streams {
                stream.touched = true;
                for id in stream.templates.ids().into_iter().filter(|_| *session == 0) {
                    self.out.state.insert(Key::Template(*peer, *domain, id).bytes(&self.label), stream.templates.encode(id));
                }
            }
        }
    }
}

/// Gives up every set that waits (of one domain).
fn give_up(exporter: &mut Exporter, domain: Option<u32>, now: Millis, out: &mut Out) {
    for waiting in exporter.pending.drain() {
        if domain.is_none_or(|d| d == waiting.header.domain) {
            lose(exporter, waiting, now, out);
        } else {
            exporter.pending.push(waiting);
        }
    }
}

/// A set whose template did not come in time: a gap of unknown count and a raw copy.
fn lose(exporter: &mut Exporter, waiting: Waiting, now: Millis, out: &mut Out) {
    let export = waiting.header.export_ms();
    let stream = exporter.streams.iter_mut().find(|((domain, _), _)| *domain == waiting.header.domain);
    let Some((_, stream)) = stream else { return };
    stream.sequence.mark(export, export, UNKNOWN_TEMPLATE);
    stream.touched = true;
    exporter.budget.unknown_template(now, stream.handle.number, &waiting.body, out);
}

struct Work<'a> {
    exporter: &'a mut Exporter,
    session: u64,
    label: &'a str,
    tcp: bool,
    out: &'a mut Out,
    scratch: &'a mut Scratch,
    job: Job<'a>,
}

impl Work<'_> {
    fn run(&mut self, data: &[u8], body: &[u8], trailing: usize) {
        let header = self.job.header;
        let arrived = Arrived {
            sequence: header.sequence,
            export_ms: header.export_ms(),
            uptime_ms: header.uptime_ms,
            checksum: crc32fast::hash(data),
            arrival: self.job.arrival,
        };
        if !self.open(&arrived) {
            return;
        }
        if trailing > 0 {
            self.bad(Fault::Trailing.reason(), data.len() - trailing, data, 1);
        }
        let (parts, units) = self.read_sets(data, body);
        if let Some(stream) = self.stream() {
            stream.sequence.took(units);
        }
        for part in parts {
            self.part(part);
        }
        let Work { exporter, session, out, .. } = self;
        if let Some(stream) = exporter.streams.get_mut(&(header.domain, *session)) {
            if stream.sequence.is_dirty() {
                stream.flush_gaps(arrived.arrival, false, out);
            }
        }
    }

    fn stream(&mut self) -> Option<&mut Stream> {
        self.exporter.streams.get_mut(&(self.job.header.domain, self.session))
    }

    /// Counts the message and judges its number; false for a duplicate.
    fn open(&mut self, arrived: &Arrived) -> bool {
        let (peer, domain) = (self.job.peer, self.job.header.domain);
        let closed = if self.tcp { self.exporter.closed.remove(&domain) } else { None };
        let session = self.session;
        let Some(stream) = self.exporter.streams.get_mut(&(domain, session)) else { return false };
        stream.seen = Some(arrived.arrival);
        stream.touched = true;
        if let Some(last) = closed.as_ref().and_then(|saved| saved.export_ms) {
            if closed.as_ref().and_then(|saved| saved.next) != Some(arrived.sequence) {
                stream.sequence.resume(last, arrived);
            }
        }
        let ordered = stream.sequence.ordered_until();
        let verdict = stream.sequence.judge(*arrived);
        if verdict == Verdict::Duplicate {
            stream.counts.duplicates += 1;
            return false;
        }
        stream.counts.messages += 1;
        if verdict == Verdict::Restarted {
            stream.offset.reset();
            // RFC 3954 section 9 and RFC 7011 section 8.4: after a restart the same number may mean another template.
            for id in stream.templates.forget(ordered) {
                self.out.state.insert(Key::Template(peer, domain, id).bytes(self.label), None);
            }
        }
        stream.offset.observe(arrived.export_ms, arrived.arrival);
        true
    }

    /// Goes through the sets: templates take effect in their place, data sets are paired with the plan that holds at their place.
    fn read_sets<'d>(&mut self, data: &[u8], body: &'d [u8]) -> (Vec<Part<'d>>, Units) {
        let version = self.job.header.version;
        let (mut parts, mut units) = (Vec::with_capacity(2), Units::exact(0));
        let head = data.len() - body.len();
        for set in parser::sets(version, body) {
            let set = match set {
                Ok(set) => set,
                Err((fault, offset)) => {
                    self.bad(fault.reason(), head + offset, data, 1);
                    // What stood behind the fault was never counted: the number it leads to is open.
                    units.max = units.max.saturating_add(u32::try_from(body.len() - offset).unwrap_or(u32::MAX));
                    break;
                }
            };
            match set.kind {
                SetKind::Templates => self.announce(false, set.body, head + set.offset, data),
                SetKind::OptionsTemplates => self.announce(true, set.body, head + set.offset, data),
                SetKind::Data(template) => {
                    let arrival = self.job.arrival;
                    let plan = self.stream().and_then(|s| s.templates.plan(template, arrival));
                    let mut records = 0;
                    match &plan {
                        Some(plan) => {
                            let (n, fault) = count(&plan.layout, set.body);
                            if let Some(fault) = fault {
                                self.bad(fault.reason(), head + set.offset, data, 1);
                                units.max = units.max.saturating_add(u32::try_from(set.body.len()).unwrap_or(u32::MAX));
                            }
                            records = n;
                            units.min = units.min.saturating_add(n);
                            units.max = units.max.saturating_add(n);
                        }
                        // Each record has at least one byte.
                        None => units.max = units.max.saturating_add(u32::try_from(set.body.len()).unwrap_or(u32::MAX)),
                    }
                    parts.push(Part { template, body: set.body, plan, records });
                }
            }
        }
        (parts, units)
    }

    fn announce(&mut self, options: bool, body: &[u8], offset: usize, data: &[u8]) {
        let (announcements, fault) = parser::templates(self.job.header.version, options, body);
        if let Some(fault) = fault {
            self.bad(fault.reason(), offset, data, 1);
        }
        for announcement in announcements {
            self.apply(announcement, offset, data);
        }
    }

    fn apply(&mut self, announcement: Announcement, offset: usize, data: &[u8]) {
        let (peer, domain, arrival) = (self.job.peer, self.job.header.domain, self.job.arrival);
        let kept = self.session == 0;
        let Some(stream) = self.stream() else { return };
        match stream.templates.apply(announcement, arrival) {
            Change::New(id) | Change::Redefined(id) => {
                let value = stream.templates.encode(id);
                if kept {
                    self.out.state.insert(Key::Template(peer, domain, id).bytes(self.label), value);
                }
                self.waited(id);
            }
            Change::Gone(ids) => {
                for id in ids.into_iter().filter(|_| kept) {
                    self.out.state.insert(Key::Template(peer, domain, id).bytes(self.label), None);
                }
            }
            Change::Same => {}
            Change::Refused => self.bad(Fault::TooManyTemplates.reason(), offset, data, 1),
        }
    }

    /// Decodes the sets that waited for a template which has come.
    fn waited(&mut self, id: u16) {
        let (domain, arrival) = (self.job.header.domain, self.job.arrival);
        if self.exporter.pending.is_empty() {
            return;
        }
        let Some(plan) = self.stream().and_then(|s| s.templates.plan(id, arrival)) else { return };
        for waiting in self.exporter.pending.take(domain, id) {
            let (records, fault) = count(&plan.layout, &waiting.body);
            if let Some(fault) = fault {
                self.bad(fault.reason(), 0, &waiting.body, 1);
            }
            self.decode(&plan, &waiting.body, records, waiting.header);
        }
    }

    fn part(&mut self, part: Part<'_>) {
        let header = self.job.header;
        match &part.plan {
            Some(plan) => self.decode(plan, part.body, part.records, header),
            None => {
                let waiting = Waiting { header, template: part.template, arrival: self.job.arrival, body: part.body.to_vec() };
                for evicted in self.exporter.pending.push(waiting) {
                    lose(self.exporter, evicted, self.job.arrival, self.out);
                }
            }
        }
    }

    fn decode(&mut self, plan: &Plan, body: &[u8], records: u32, header: Header) {
        let key = (header.domain, self.session);
        let nat = match &plan.body {
            Body::Nat(nat) => nat,
            Body::Other => {
                if let Some(stream) = self.exporter.streams.get_mut(&key) {
                    stream.counts.ignored += u64::from(records);
                }
                return;
            }
            Body::Unusable(why) => {
                if let Some(stream) = self.exporter.streams.get_mut(&key) {
                    stream.trouble = Some("its NAT records have no public port: set `template-format format2` (Nokia SR OS)");
                }
                return self.bad(why, 0, body, u64::from(records));
            }
        };
        let Some(stream) = self.exporter.streams.get_mut(&key) else { return };
        let context = Context {
            export_ms: header.export_ms(),
            uptime_ms: header.uptime_ms,
            source: stream.handle.number,
            remotes: self.job.remotes != Remotes::Drop,
        };
        let start = self.out.events.len();
        let tally = decode(&plan.layout, nat, body, records, &context, self.scratch, &mut self.out.events);
        stream.tally(&tally);
        if let (Remotes::Fingerprint, Some(mac)) = (self.job.remotes, self.job.mac) {
            to_fingerprints(mac, &mut self.out.events, start);
        }
        if tally.incomplete > 0 {
            self.bad("nat-event-incomplete", 0, body, tally.incomplete);
        }
        if tally.unknown > 0 {
            self.bad("nat-event-unknown", 0, body, tally.unknown);
        }
    }

    fn bad(&mut self, reason: &'static str, offset: usize, bytes: &[u8], count: u64) {
        let mut source = 0;
        if let Some(stream) = self.stream() {
            stream.counts.malformed += count;
            source = stream.handle.number;
        }
        let bad = Bad { at: self.job.arrival, source, peer: self.job.peer, reason, offset, bytes, count };
        self.exporter.budget.malformed(bad, self.out);
    }
}

/// A key of this source's state: a letter, the socket's label, 0, the exporter's address, its domain, and a template's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Sequence(Addr16, u32),
    Template(Addr16, u32, u16),
}

impl Key {
    fn bytes(self, label: &str) -> Vec<u8> {
        let (letter, peer, domain) = match self {
            Key::Sequence(peer, domain) => (b's', peer, domain),
            Key::Template(peer, domain, _) => (b't', peer, domain),
        };
        let mut out = vec![letter];
        out.extend(label.as_bytes());
        out.push(0);
        out.extend(peer.0);
        out.extend(domain.to_be_bytes());
        if let Key::Template(_, _, id) = self {
            out.extend(id.to_be_bytes());
        }
        out
    }

    fn parse(bytes: &[u8], label: &str) -> Option<Key> {
        let (letter, rest) = bytes.split_first()?;
        let rest = rest.strip_prefix(label.as_bytes())?.strip_prefix(&[0])?;
        let (peer, rest) = rest.split_first_chunk::<16>()?;
        let (domain, rest) = rest.split_first_chunk::<4>()?;
        let (peer, domain) = (Addr16(*peer), u32::from_be_bytes(*domain));
        match (letter, rest) {
            (b's', []) => Some(Key::Sequence(peer, domain)),
            (b't', [a, b]) => Some(Key::Template(peer, domain, u16::from_be_bytes([*a, *b]))),
            _ => None,
        }
    }
}
