//! The collector: a datagram and its sender in, pieces of a group out. No socket, no clock: time is passed in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;

use weir_base::crypto::Mac;
use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle};

use super::config::Settings;
use super::decode::Scratch;
use super::key::Key;
use super::lateness::Lateness;
use super::limits::{DOMAINS, EXPORTERS};
use super::normalise::Remotes;
use super::out::{Bad, Budget, Out};
use super::parser::{self, Fault, Version};
use super::stream::{Restored, Stream, UNKNOWN_TEMPLATE, restore};
use super::work::{Exporter, Job, Work, give_up, lose};

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

/// The collector of one socket.
pub struct Collector {
    settings: Arc<Settings>,
    register: Box<dyn Register>,
    transport: Transport,
    label: String,
    mac: Option<Mac>,
    exporters: HashMap<Addr16, Exporter, MixState>,
    strangers: Budget,
    scratch: Scratch,
    out: Out,
    own: Option<SourceHandle>,
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
            exporters: HashMap::default(),
            strangers: Budget::default(),
            scratch: Scratch::default(),
            out: Out::default(),
            own: None,
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
            stream.lateness = Lateness::restored(now, restored.late_ms);
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
        let seen = exporter.closed.len() + usize::from(!exporter.closed.contains_key(&domain));
        let full = exporter.streams.len() >= DOMAINS || seen > DOMAINS;
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
            give_up(exporter, |w| (w.header.domain, w.session) == (domain, session), now, &mut self.out);
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
        let source = self.listener().map_or(0, |own| {
            own.count(|c| c.lost += datagrams);
            own.number
        });
        self.out.gaps.push(Gap {
            time: now,
            id: Id::random(),
            source,
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

    /// The source that stands for the socket itself, registered when there is something to say of it. None while the disk is full.
    fn listener(&mut self) -> Option<&SourceHandle> {
        if self.own.is_none() {
            let desc = SourceDesc {
                name: self.label.clone(),
                kind: "ipfix".to_owned(),
                realm: self.settings.rules.first().map_or_else(|| "default".to_owned(), |r| r.realm.clone()),
                peer: self.label.clone(),
                clock: "trust".to_owned(),
                ..SourceDesc::default()
            };
            self.own = self.register.register(&desc).ok();
        }
        self.own.as_ref()
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
            give_up(exporter, |_| true, now, &mut self.out);
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
                // Evidence says that everything before it is known. It stands still while sets wait for their template or a gap is not
                // written yet.
                let known = exporter.pending.oldest(*domain).is_none() && !stream.sequence.has_unwritten_gap();
                if let Some(ms) = stream.sequence.newest_ms().filter(|_| known) {
                    self.out.evidence.insert(stream.handle.number, Millis(ms).plus(-stream.lateness.ms()));
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
