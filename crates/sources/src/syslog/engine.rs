//! Lines in, groups out: what all sockets share. It owns no socket and reads no clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use weir_base::crypto::{self, Mac};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Authentication, Gap, IdType, Maintenance, MaintenanceText, NatEvent, line_flags};
use weir_record::sink::{Group, SinkError, SourceCounters, SourceDesc, SourceHandle, SubjectIds};

use super::config::{ClockMode, Rule, Settings};
use super::dialect::{Event, Table, Understood, Values};
use super::leases::{Leases, Told};
use super::limits::{SENDERS, TICK_CHANGES};
use super::line::{self, Line};
use super::mappings::Mappings;
use super::meaning::{self, About};
use super::out::Out;
use super::pattern::Slot;
use super::redact::Redactor;
use super::text;
use crate::ipfix::collector::Register;
use crate::ipfix::normalise::{Remotes, fingerprint};
use crate::ipfix::offset::Offset;
use crate::radius::noise::{Bad, Noise};

/// Where a line came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The sender.
    pub peer: Addr16,
    /// When it arrived.
    pub received: Millis,
    /// True over TCP, TLS and RELP: the lines of a connection come whole and in order, and its end is seen.
    pub stream: bool,
    /// Connection and transaction to acknowledge once the line is durable.
    pub ack: Option<(u64, u64)>,
    /// The line came shortly before another connection of this sender broke.
    pub perhaps_double: bool,
}

struct Sender {
    rule: Arc<Rule>,
    handle: SourceHandle,
    offset: Offset,
    counts: SourceCounters,
    touched: bool,
    /// It has told of NAT events.
    nat: bool,
    /// Newest time of its lines over a stream, by its own clock.
    newest: Option<Millis>,
    /// Since when lines may be missing: a connection ended then.
    cut: Option<Millis>,
}

/// The engine.
pub struct Engine {
    settings: Arc<Settings>,
    register: Box<dyn Register>,
    ids: Arc<dyn SubjectIds>,
    table: Table,
    mac: Option<Mac>,
    senders: HashMap<Addr16, Option<Sender>>,
    noise: Noise,
    leases: Leases,
    mappings: Mappings,
    cuts: HashMap<u32, Millis>,
    run: [u8; 8],
    lines: u64,
    /// What waits for the next group.
    pub out: Out,
}

impl Engine {
    /// An engine. `mac` is the key of remote fingerprints.
    pub fn new(settings: Arc<Settings>, register: Box<dyn Register>, ids: Arc<dyn SubjectIds>, table: Table, mac: Option<Mac>) -> Engine {
        Engine {
            settings,
            register,
            ids,
            table,
            mac,
            senders: HashMap::new(),
            noise: Noise::default(),
            leases: Leases::default(),
            mappings: Mappings::default(),
            cuts: HashMap::new(),
            run: crypto::random(),
            lines: 0,
            out: Out::default(),
        }
    }

    /// Takes back what an earlier run left.
    pub fn restore(&mut self, state: &[(Vec<u8>, Vec<u8>)]) {
        for (key, value) in state {
            if let Some(number) = key.strip_prefix(b"n").and_then(|k| k.try_into().ok()).map(u32::from_be_bytes) {
                if let Ok(ms) = value.as_slice().try_into() {
                    self.cuts.insert(number, Millis(i64::from_be_bytes(ms)));
                }
            } else if self.leases.restore(key, value).is_none() {
                self.out.state.insert(key.clone(), None);
            }
        }
    }

    /// The sender of an address, registered at its first line. `None`: not one of ours, or one too many.
    fn sender(&mut self, peer: Addr16) -> Result<Option<&mut Sender>, SinkError> {
        if !self.senders.contains_key(&peer) {
            if self.senders.len() >= SENDERS {
                return Ok(None);
            }
            let Some(rule) = self.settings.rule(peer) else { return Ok(None) };
            let alone = matches!(rule.prefixes.as_slice(), [one] if one.bits == 128);
            let name = match (rule.name.is_empty(), alone) {
                (true, _) => format!("syslog/{peer}"),
                (false, true) => rule.name.clone(),
                (false, false) => format!("{}/{peer}", rule.name),
            };
            let handle = self.register.register(&SourceDesc {
                name,
                kind: "syslog".to_owned(),
                realm: rule.realm.clone(),
                peer: peer.to_string(),
                profile: if rule.overload { "overload" } else { "" }.to_owned(),
                clock: rule.clock.name().to_owned(),
                pools: rule.pools.iter().map(ToString::to_string).collect(),
            })?;
            let cut = self.cuts.remove(&handle.number);
            let sender = Sender {
                rule: Arc::new(rule),
                handle,
                offset: Offset::new(),
                counts: SourceCounters::default(),
                touched: false,
                nat: cut.is_some(),
                newest: None,
                cut,
            };
            self.senders.insert(peer, Some(sender));
        }
        Ok(self.senders.get_mut(&peer).and_then(Option::as_mut))
    }

    /// Takes a line in. It was `cut` when it was longer than a line may be.
    ///
    /// # Errors
    /// A source could not be registered: nothing was taken, try again with the same bytes.
    pub fn line(&mut self, from: &Origin, bytes: &[u8], cut: bool) -> Result<(), SinkError> {
        let Some(sender) = self.sender(from.peer)? else {
            let reason = if self.settings.rule(from.peer).is_some() { "syslog.too-many-senders" } else { "syslog.unknown-sender" };
            self.bad(0, from.peer, from.received, reason, bytes);
            // It will not become better by being sent again.
            self.out.acks.extend(from.ack);
            return Ok(());
        };
        sender.touched = true;
        sender.counts.messages += 1;
        sender.counts.last_seen = Some(from.received);
        let (rule, number, realm) = (Arc::clone(&sender.rule), sender.handle.number, sender.handle.realm);
        let (decoded, charset) = text::decode(bytes);
        let line = line::parse(&decoded);
        let (time, inferred) = match line.stamp {
            Some(stamp) => stamp.resolve(from.received, rule.zone),
            None => (from.received, line_flags::ARRIVAL),
        };
        let mut flags = charset | inferred | line.flags;
        flags |= if cut { line_flags::CUT } else { 0 } | if from.perhaps_double { line_flags::PERHAPS_DOUBLE } else { 0 };
        if inferred & line_flags::ARRIVAL == 0 {
            sender.counts.last_header = sender.counts.last_header.max(Some(time));
            if rule.clock == ClockMode::Measured {
                sender.offset.observe(time.0, from.received);
            }
        }
        sender.counts.duplicates += u64::from(from.perhaps_double);
        self.order(from, time);
        self.lines += 1;
        let id = self.next_id();
        let understood = self.table.understand(&line, &rule.dialects);
        let mut redactor = Redactor::default();
        let values: &[Values<'_>] = understood.as_ref().map_or(&[], |u| u.values.as_slice());
        for (slot, value) in values.iter().flat_map(Values::iter) {
            if matches!(slot, Slot::Account | Slot::Target | Slot::Client) {
                redactor.account(value.trim());
            }
        }
        let redacted = redactor.text(line.message);
        let data = line.data.map(|d| redactor.text(d));
        let about = About { source: number, time, received: from.received, zone: rule.zone };
        let known = match &understood {
            Some(u) => act(&mut Acting { ids: self.ids.as_ref(), leases: &mut self.leases, mappings: &mut self.mappings, out: &mut self.out }, u, &Seen {
                about,
                realm,
                id,
                line: &line,
                settings: &self.settings,
                mac: self.mac.as_ref(),
                values,
            }),
            None => None,
        };
        let understood_as = understood.filter(|_| known.is_some());
        if let Some(sender) = self.senders.get_mut(&from.peer).and_then(Option::as_mut) {
            let made = known.unwrap_or_default();
            sender.counts.unrecognised += u64::from(understood_as.is_none());
            sender.counts.records += 1 + made.rows;
            sender.counts.destinations_dropped += made.dropped;
            sender.nat |= made.nat;
        }
        self.out.bytes += bytes.len() * 3;
        self.out.texts.push(MaintenanceText { time, id, source: number, bytes: bytes.to_vec() });
        let own = |t: Option<&str>| t.map(str::to_owned);
        self.out.lines.push(Maintenance {
            time,
            received: from.received,
            source: number,
            peer: from.peer,
            facility: line.facility,
            severity: line.severity,
            flags,
            host: own(line.host),
            app: own(line.app),
            procid: own(line.procid),
            msgid: own(line.msgid),
            data,
            line: redacted,
            dialect: understood_as.as_ref().map(|u| u.dialect.to_owned()),
            event: understood_as.as_ref().and_then(|u| u.event.name()).map(str::to_owned),
            text: id,
        });
        self.out.acks.extend(from.ack);
        Ok(())
    }

    fn next_id(&self) -> Id {
        // Ids of one run have a beginning in common: they take next to no room when packed.
        let mut id = [0; 16];
        let (run, number) = id.split_at_mut(8);
        run.copy_from_slice(&self.run);
        number.copy_from_slice(&self.lines.to_be_bytes());
        Id(id)
    }

    /// Keeps in mind how far the lines of a sender reach, and what may be missing since a connection of it ended.
    fn order(&mut self, from: &Origin, time: Millis) {
        let Some(sender) = self.senders.get_mut(&from.peer).and_then(Option::as_mut).filter(|_| from.stream) else { return };
        sender.newest = sender.newest.max(Some(time));
        if let Some(since) = sender.cut.take()
            && sender.nat
        {
            let gap = Gap {
                time: from.received,
                id: Id::random(),
                source: sender.handle.number,
                start: since.min(time),
                end: time.max(since),
                lost: None,
                unit: "lines".to_owned(),
                reason: "connection-ended".to_owned(),
                ..Gap::default()
            };
            self.out.gaps.push(gap);
        }
    }

    /// A connection of this sender ended: lines it wrote and that never came may be missing from its newest one on.
    pub fn connection_ended(&mut self, peer: Addr16) {
        if let Some(sender) = self.senders.get_mut(&peer).and_then(Option::as_mut) {
            sender.cut = sender.cut.or(sender.newest);
        }
    }

    /// Input that is no line: a frame that is none, a stranger.
    pub fn bad(&mut self, source: u32, peer: Addr16, time: Millis, reason: &'static str, bytes: &[u8]) {
        let bad = Bad { time, source, peer, reason, offset: 0, bytes };
        if let Some((malformed, raw)) = self.noise.record(&bad, Id::random(), &mut self.out.malformed) {
            self.out.malformed.push(malformed);
            self.out.raw.push(raw);
        }
    }

    /// The same from a connection: it counts for its sender.
    pub fn bad_frame(&mut self, peer: Addr16, time: Millis, reason: &'static str, bytes: &[u8]) {
        let mut number = 0;
        if let Some(sender) = self.senders.get_mut(&peer).and_then(Option::as_mut) {
            sender.counts.malformed += 1;
            sender.touched = true;
            number = sender.handle.number;
        }
        self.bad(number, peer, time, reason, bytes);
    }

    /// True when this machine may send here.
    pub fn is_ours(&self, peer: Addr16) -> bool {
        self.senders.contains_key(&peer) || self.settings.rule(peer).is_some()
    }

    /// Datagrams the kernel dropped: nobody knows whose they were.
    pub fn kernel_dropped(&mut self, datagrams: u64, since: Millis, now: Millis) {
        let mut gap = |source: u32, lost| {
            self.out.gaps.push(Gap {
                time: now,
                id: Id::random(),
                source,
                start: since,
                end: now,
                lost,
                unit: "datagrams".to_owned(),
                reason: "kernel-drop".to_owned(),
                ..Gap::default()
            });
        };
        gap(0, Some(datagrams));
        for sender in self.senders.values().flatten().filter(|s| s.nat && s.newest.is_none()) {
            gap(sender.handle.number, None);
        }
    }

    /// Rows that were refused for good.
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

    /// Says of every sender why its lines are not kept at the moment; `None` when they are.
    pub fn trouble(&mut self, text: Option<&str>) {
        for sender in self.senders.values().flatten() {
            sender.handle.count(|c| c.trouble = text.map(str::to_owned));
        }
    }

    /// What is due at `now`.
    pub fn tick(&mut self, now: Millis) {
        self.out.malformed.extend(self.noise.tick(now));
        self.leases.tick(now, TICK_CHANGES, &mut self.out.sessions);
        let mut gone = Vec::new();
        self.mappings.tick(now, TICK_CHANGES, &mut gone);
        gone.iter().for_each(|e| self.out.nat.push(e));
    }

    /// The next group with its acknowledgements, when there is something for it. Brings the counters up to date.
    pub fn take(&mut self) -> Option<(Group, Vec<(u64, u64)>)> {
        for sender in self.senders.values_mut().flatten().filter(|s| s.touched) {
            sender.touched = false;
            let (counts, offset) = (sender.counts.clone(), sender.offset.estimate());
            sender.handle.count(|c| {
                *c = SourceCounters { offset_ms: offset.map(|o| o.offset_ms), trouble: c.trouble.take(), last_header: c.last_header.max(counts.last_header), ..counts };
            });
            if let Some(newest) = sender.newest.filter(|_| sender.nat) {
                let number = sender.handle.number;
                // Lines of one second have one time: what was written in the newest one may not all be here.
                let known = newest.plus(-1_000);
                self.out.evidence.insert(number, known);
                let mut key = vec![b'n'];
                key.extend(number.to_be_bytes());
                self.out.state.insert(key, Some(newest.0.to_be_bytes().to_vec()));
            }
        }
        if self.leases.is_changed() {
            let state = &mut self.out.state;
            self.leases.changes(&mut |key, value| drop(state.insert(key, value)));
        }
        (!self.out.is_empty()).then(|| self.out.take())
    }

    /// Puts all state into the next group: an earlier one was not kept.
    pub fn rewrite_state(&mut self) {
        self.leases.rewrite();
        self.senders.values_mut().flatten().for_each(|s| s.touched = true);
    }
}

/// What acting on a line needs of the engine.
struct Acting<'e> {
    ids: &'e dyn SubjectIds,
    leases: &'e mut Leases,
    mappings: &'e mut Mappings,
    out: &'e mut Out,
}

/// A line that was understood.
struct Seen<'l> {
    about: About,
    realm: u32,
    id: Id,
    line: &'l Line<'l>,
    settings: &'l Settings,
    mac: Option<&'l Mac>,
    values: &'l [Values<'l>],
}

/// What acting made.
#[derive(Clone, Copy, Debug, Default)]
struct Made {
    rows: u64,
    dropped: u64,
    nat: bool,
}

/// Makes the records of a line. `None` when its values cannot be what the dialect takes them for: then it is not understood.
fn act(acting: &mut Acting<'_>, understood: &Understood<'_, '_>, seen: &Seen<'_>) -> Option<Made> {
    match understood.event {
        Event::Nothing => Some(Made::default()),
        Event::Auth(action) => {
            let values = seen.values.first()?;
            let (address, port) = meaning::peer(values);
            let mut account = |slot| {
                let value = values.get(slot)?;
                let resolved = acting.ids.resolve(seen.realm, IdType::Account, text::cut(value, 253), seen.about.received);
                Some(acting.out.id(resolved))
            };
            let (who, target) = (account(Slot::Account), account(Slot::Target));
            let own = |slot| values.get(slot).map(|v| text::cut(v, 255).to_owned());
            let service = own(Slot::Service).or_else(|| seen.line.app.map(str::to_owned)).unwrap_or_else(|| understood.dialect.to_owned());
            let detail = values.get(Slot::Detail).map(|detail| {
                let mut redactor = Redactor::default();
                [Slot::Account, Slot::Target].into_iter().filter_map(|s| values.get(s)).for_each(|v| redactor.account(v));
                text::cut(&redactor.text(detail), 4_096).to_owned()
            });
            acting.out.auth.push(Authentication {
                time: seen.about.time,
                received: seen.about.received,
                source: seen.about.source,
                realm: seen.realm,
                action: action as u8,
                account: who,
                target,
                address,
                port,
                host: seen.line.host.map(str::to_owned),
                service,
                method: own(Slot::Method),
                terminal: own(Slot::Terminal),
                detail,
                dialect: understood.dialect.to_owned(),
                line: Some(seen.id),
            });
            Some(Made { rows: 1, ..Made::default() })
        }
        Event::Nat(ends, form) => {
            let mut made = Made { nat: true, ..Made::default() };
            let mut any = false;
            for values in seen.values {
                let Ok(events) = meaning::nat(values, ends, form, &seen.about) else { continue };
                any = true;
                for event in events {
                    made.dropped += nat_event(acting, event, ends == super::dialect::Ends::BeginOnly, seen);
                    made.rows += 1;
                }
            }
            any.then_some(made)
        }
        Event::Lease | Event::Release => {
            let values = seen.values.first()?;
            let address = meaning::leased(values)?;
            let holder = meaning::hardware(values).map(|mac| {
                let resolved = acting.ids.resolve(seen.realm, IdType::Hardware, &mac, seen.about.received);
                acting.out.id(resolved)
            });
            let told = Told {
                key: (seen.realm, address),
                holder,
                time: seen.about.time,
                received: seen.about.received,
                life_ms: meaning::life_ms(values).unwrap_or(seen.settings.lease_ms),
                source: seen.about.source,
                host: seen.line.host.map(str::to_owned),
            };
            let before = acting.out.sessions.len();
            if understood.event == Event::Lease {
                told.holder?;
                acting.leases.lease(&told, &mut acting.out.sessions);
            } else {
                acting.leases.release(&told, &mut acting.out.sessions);
            }
            Some(Made { rows: (acting.out.sessions.len() - before) as u64, ..Made::default() })
        }
    }
}

/// Takes a NAT event in, its remote end as the policy of the day says; 1 when that dropped it.
fn nat_event(acting: &mut Acting<'_>, mut event: NatEvent, begin_only: bool, seen: &Seen<'_>) -> u64 {
    let mut dropped = 0;
    if !event.remote_address.is_none() {
        let policy = match (seen.settings.remotes.at(seen.about.received), seen.mac) {
            (Remotes::Fingerprint, None) => Remotes::Drop,
            (policy, _) => policy,
        };
        match (policy, seen.mac) {
            (Remotes::Keep, _) => {}
            (Remotes::Fingerprint, Some(mac)) => event.remote_tag = fingerprint(mac, &event.remote_address.0, event.remote_port),
            _ => dropped = 1,
        }
        if policy != Remotes::Keep {
            (event.remote_address, event.remote_port) = (Addr16::NONE, 0);
        }
    }
    if begin_only {
        let mut events = Vec::new();
        acting.mappings.begin(event, seen.settings.mapping_ms, &mut events);
        events.iter().for_each(|e| acting.out.nat.push(e));
    } else {
        acting.out.nat.push(&event);
    }
    dropped
}

/// A line's fingerprint, to tell a possible double.
pub fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// Fingerprints of the last lines of connections that ended, by sender.
#[derive(Debug, Default)]
pub struct Doubles(HashMap<Addr16, HashSet<u64>>);

impl Doubles {
    /// A connection ended with these lines last.
    pub fn ended(&mut self, peer: Addr16, last: impl Iterator<Item = u64>) {
        if self.0.len() < SENDERS || self.0.contains_key(&peer) {
            self.0.insert(peer, last.collect());
        }
    }

    /// What a new connection of this sender may send again.
    pub fn suspects(&mut self, peer: Addr16) -> HashSet<u64> {
        self.0.remove(&peer).unwrap_or_default()
    }
}
