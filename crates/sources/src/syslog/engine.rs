//! Lines in, groups out: what all sockets share. It owns no socket and reads no clock.

use std::collections::HashMap;
use std::sync::Arc;

use weir_base::crypto::{self, Mac};
use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Gap, MaintenanceRow, line_flags};
use weir_record::sink::{Group, SinkError, SourceCounters, SourceDesc, SubjectIds};

use super::act::{Acting, Seen, act, redact};
use super::config::{ClockMode, Rule, Settings};
use super::dialect::Table;
use super::doubles::{Answered, digest};
use super::leases::Leases;
use super::limits::{SENDERS, TICK_CHANGES};
use super::line;
use super::mappings::Mappings;
use super::meaning::About;
use super::out::Out;
use super::sender::{Sender, Unframed};
use super::stand::{Before, Stand};
use super::text;
use super::zones::Distance;
use crate::ipfix::collector::Register;
use crate::radius::noise::{Bad, Noise};

/// Where a line came from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The sender.
    pub peer: Addr16,
    /// When it arrived.
    pub received: Millis,
    /// Number of its connection over TCP, TLS and RELP, newer ones higher: its lines come whole and in order, and its end is seen.
    pub stream: Option<u64>,
    /// Connection and transaction to acknowledge once the line is durable.
    pub ack: Option<(u64, u64)>,
    /// The line came shortly before another connection of this sender broke.
    pub perhaps_double: bool,
}

/// The engine.
pub struct Engine {
    settings: Arc<Settings>,
    register: Box<dyn Register>,
    ids: Arc<dyn SubjectIds>,
    table: Table,
    mac: Option<Mac>,
    /// All that are registered; their places, by address, and of those who are too many by their entry of the configuration.
    all: Vec<Sender>,
    senders: HashMap<Addr16, usize, MixState>,
    further: HashMap<usize, usize>,
    /// Who sent the last line, and his place: lines come many at a time.
    last: Option<(Addr16, usize)>,
    noise: Noise,
    leases: Leases,
    mappings: Mappings,
    cuts: HashMap<u32, Millis>,
    before: Before,
    /// Lines whose senders wait for word, for the next run of the program.
    pub answered: Answered,
    run: [u8; 8],
    lines: u64,
    /// Why nothing is kept at the moment.
    stalled: Option<String>,
    /// The redacted forms of a line's message and of its structured data, while it is taken in.
    shown: (String, String),
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
            all: Vec::new(),
            senders: HashMap::default(),
            further: HashMap::new(),
            last: None,
            before: Before::default(),
            noise: Noise::default(),
            leases: Leases::default(),
            mappings: Mappings::default(),
            cuts: HashMap::new(),
            answered: Answered::default(),
            run: crypto::random(),
            lines: 0,
            stalled: None,
            shown: Default::default(),
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
            } else {
                let known = self.mappings.restore(key, value).or_else(|| self.leases.restore(key, value));
                let known = known.or_else(|| self.answered.restore(key, value)).or_else(|| self.before.restore(key, value));
                if known.is_none() {
                    self.out.state.insert(key.clone(), None);
                }
            }
        }
    }

    /// A run begins: what may have been lost since the earlier one is recorded.
    pub fn began(&mut self, now: Millis) {
        self.out.gaps.extend(self.before.gaps(!self.settings.udp.is_empty(), now));
    }

    /// Notes in the next group how far everything is kept.
    pub fn stand(&mut self, stand: Stand) {
        let put = stand.put();
        self.out.state.insert(put.key, put.value);
    }

    /// The place of an address's sender, registered at its first line; of one too many, that of all those of its entry. `None`: not one of ours,
    /// or no source is left.
    fn place(&mut self, peer: Addr16) -> Result<Option<usize>, SinkError> {
        if let Some(place) = self.known_place(peer) {
            return Ok(Some(place));
        }
        let Some(entry) = self.settings.entry(peer) else { return Ok(None) };
        if self.senders.len() < SENDERS {
            let rule = self.settings.rule_of(entry, peer);
            let alone = matches!(rule.prefixes.as_slice(), [one] if one.bits == 128);
            let name = match (rule.name.is_empty(), alone) {
                (true, _) => format!("syslog/{peer}"),
                (false, true) => rule.name.clone(),
                (false, false) => format!("{}/{peer}", rule.name),
            };
            if let Some(mut sender) = self.register(name, &peer.to_string(), rule)? {
                sender.cut = self.cuts.remove(&sender.handle.number);
                sender.nat = sender.cut.is_some() || self.before.tells_of_nat(sender.handle.number);
                self.senders.insert(peer, self.all.len());
                self.all.push(sender);
                return Ok(Some(self.all.len() - 1));
            }
        }
        if let Some(place) = self.further.get(&entry) {
            return Ok(Some(*place));
        }
        let rule = self.settings.rule_of(entry, peer);
        let name = if rule.name.is_empty() { format!("syslog/further {entry}") } else { format!("{}/further", rule.name) };
        // Many clocks, so none that could be measured.
        let rule = Rule { clock: ClockMode::Trust, ..rule };
        let Some(sender) = self.register(name, "", rule)? else { return Ok(None) };
        self.further.insert(entry, self.all.len());
        self.all.push(Sender { many: true, ..sender });
        Ok(Some(self.all.len() - 1))
    }

    /// Registers a source; none when there are as many as there may be.
    fn register(&mut self, name: String, peer: &str, rule: Rule) -> Result<Option<Sender>, SinkError> {
        let registered = self.register.register(&SourceDesc {
            name,
            kind: self.settings.kind.unwrap_or("syslog").to_owned(),
            realm: rule.realm.clone(),
            peer: peer.to_owned(),
            profile: if rule.overload { "overload" } else { "" }.to_owned(),
            clock: rule.clock.name().to_owned(),
            pools: rule.pools.iter().map(ToString::to_string).collect(),
        });
        let handle = match registered {
            Err(SinkError::Refused(_)) => return Ok(None),
            other => other?,
        };
        Ok(Some(Sender {
            rule: Arc::new(rule),
            handle,
            distance: Distance::default(),
            counts: SourceCounters::default(),
            touched: false,
            nat: false,
            unfollowed: false,
            unframed: None,
            newest: None,
            cut: None,
            many: false,
        }))
    }

    /// The place of a sender that has one of its own.
    fn known_place(&mut self, peer: Addr16) -> Option<usize> {
        match self.last {
            Some((last, place)) if last == peer => Some(place),
            _ => {
                let place = *self.senders.get(&peer)?;
                self.last = Some((peer, place));
                Some(place)
            }
        }
    }

    /// A sender that is known already, or those of its entry together.
    fn known(&mut self, peer: Addr16) -> Option<&mut Sender> {
        let place = self.known_place(peer);
        let place = place.or_else(|| self.settings.entry(peer).and_then(|entry| self.further.get(&entry).copied()))?;
        self.all.get_mut(place)
    }

    /// Takes a line in. It was `cut` when it was longer than a line may be.
    ///
    /// # Errors
    /// A source could not be registered: nothing was taken, try again with the same bytes.
    pub fn line(&mut self, from: &Origin, bytes: &[u8], cut: bool) -> Result<(), SinkError> {
        let place = self.place(from.peer)?;
        let Some(sender) = place.and_then(|place| self.all.get_mut(place)) else {
            let reason = if self.settings.entry(from.peer).is_some() { "syslog.too-many-senders" } else { "syslog.unknown-sender" };
            self.bad(0, from.peer, from.received, reason, bytes);
            // It will not become better by being sent again.
            self.out.acks.extend(from.ack);
            return Ok(());
        };
        let (decoded, charset) = text::decode(bytes);
        let line = line::parse(&decoded);
        let zone = sender.rule.zone;
        let (time, inferred) = line.stamp.map_or((from.received, line_flags::ARRIVAL), |s| s.resolve(from.received, zone));
        let stamped = inferred & line_flags::ARRIVAL == 0;
        self.out.gaps.extend(sender.heard(from, stamped.then_some(time), inferred & line_flags::ZONE_INFERRED != 0, time));
        if !cut {
            sender.framed(from);
        }
        let mut flags = charset | inferred | line.flags;
        flags |= if cut { line_flags::CUT } else { 0 } | if from.perhaps_double { line_flags::PERHAPS_DOUBLE } else { 0 };
        self.lines += 1;
        let id = id(&self.run, self.lines);
        let (rule, source, realm) = (&*sender.rule, sender.handle.number, sender.handle.realm);
        let understood = self.table.understand(&line, &rule.dialects);
        let whole = stamped && line.stamp.is_some_and(|s| s.whole);
        let about = About { source, time, whole, received: from.received, zone };
        let seen = Seen { about, realm, id, line: &line, settings: &self.settings, mac: self.mac.as_ref(), rule };
        let mut acting = Acting { ids: self.ids.as_ref(), leases: &mut self.leases, mappings: &mut self.mappings, out: &mut self.out };
        let made = understood.as_ref().and_then(|u| act(&mut acting, u, &seen));
        let (message, data) = &mut self.shown;
        redact(&line, understood.as_ref().map_or(&[], |u| u.entries.as_slice()), message, data);
        let kept = understood.as_ref().filter(|_| made.is_some());
        let row = MaintenanceRow {
            time,
            received: from.received,
            source,
            peer: from.peer,
            facility: line.facility,
            severity: line.severity,
            flags,
            host: line.host,
            app: line.app,
            procid: line.procid,
            msgid: line.msgid,
            data: line.data.map(|_| data.as_str()),
            line: message,
            dialect: kept.map(|u| u.dialect),
            event: kept.and_then(|u| u.event().name()),
            text: id,
        };
        self.out.lines.push(&row, bytes);
        self.out.bytes += bytes.len() * 3;
        if from.ack.is_some() {
            self.answered.note(from.peer, digest(bytes));
        }
        self.out.acks.extend(from.ack);
        if let Some(number) = sender.count(made).filter(|_| from.stream.is_none())
            && let Some(put) = self.before.note_nat(number)
        {
            self.out.state.insert(put.key, put.value);
        }
        Ok(())
    }

    /// A connection of this sender ended: lines it wrote and that never came may be missing from its newest one on.
    pub fn connection_ended(&mut self, peer: Addr16) {
        // Of many together nobody can say how far they reach.
        if let Some(sender) = self.known(peer).filter(|s| !s.many) {
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
        if let Some(sender) = self.known(peer) {
            sender.counts.malformed += 1;
            sender.touched = true;
            number = sender.handle.number;
        }
        self.bad(number, peer, time, reason, bytes);
    }

    /// A connection of this sender is closed, as nobody can tell where its lines begin.
    pub fn unframed(&mut self, peer: Addr16, connection: u64, at: Millis) {
        if let Some(sender) = self.known(peer) {
            sender.unframed = Some(Unframed { peer, connection, at });
            sender.touched = true;
        }
    }

    /// True when this machine may send here.
    pub fn is_ours(&self, peer: Addr16) -> bool {
        self.settings.entry(peer).is_some()
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
        for sender in self.all.iter().filter(|s| s.nat && s.newest.is_none()) {
            gap(sender.handle.number, None);
        }
    }

    /// Rows that were refused for good.
    pub fn discarded(&mut self, rows: u64, now: Millis) {
        self.lost(rows, "records", "refused", now);
    }

    /// So many of something were lost here, and nobody sends them again.
    pub fn lost(&mut self, count: u64, unit: &str, reason: &str, now: Millis) {
        self.out.gaps.push(Gap {
            time: now,
            id: Id::random(),
            start: now,
            end: now,
            lost: Some(count),
            unit: unit.to_owned(),
            reason: reason.to_owned(),
            ..Gap::default()
        });
    }

    /// Says of every sender why its lines are not kept at the moment; `None` when they are.
    pub fn trouble(&mut self, text: Option<&str>) {
        self.stalled = text.map(str::to_owned);
        for sender in &self.all {
            sender.handle.count(|c| c.trouble = self.stalled.clone().or_else(|| sender.trouble()));
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
        for sender in self.all.iter_mut().filter(|s| s.touched) {
            sender.touched = false;
            let (counts, offset_ms) = (sender.counts.clone(), sender.distance.offset_ms());
            let trouble = self.stalled.clone().or_else(|| sender.trouble());
            sender.handle.count(|c| {
                let last_header = c.last_header.max(counts.last_header);
                *c = SourceCounters { offset_ms, trouble, last_header, ..counts };
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
        let state = &mut self.out.state;
        self.mappings.changes(|key, value| drop(state.insert(key, value)));
        self.answered.changes(|key, value| drop(state.insert(key, value)));
        (!self.out.is_empty()).then(|| self.out.take())
    }

    /// Puts all state into the next group: an earlier one was not kept.
    pub fn rewrite_state(&mut self) {
        self.leases.rewrite();
        self.all.iter_mut().for_each(|s| s.touched = true);
        self.mappings.rewrite();
    }
}

/// Ids of one run have a beginning in common: they take next to no room when packed.
fn id(run: &[u8; 8], line: u64) -> Id {
    let mut id = [0; 16];
    let (begin, number) = id.split_at_mut(8);
    begin.copy_from_slice(run);
    number.copy_from_slice(&line.to_be_bytes());
    Id(id)
}
