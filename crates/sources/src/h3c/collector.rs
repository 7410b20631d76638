//! A datagram and its sender in, pieces of a group out. No socket, no clock: time is passed in.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use weir_base::crypto::Mac;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Action, Form, Gap, NatEvent};
use weir_record::sink::{Group, SinkError, SourceDesc, SourceHandle};

use super::config::{Rule, Settings};
use super::layout::Layout;
use super::limits::{DEVICES, FLOW_TIME_MS};
use super::message::{self, Fault, Flow, Header, How, Told};
use super::reading::Reading;
use super::state::{decode, encode};
use super::unread::{Unread, version_trouble};
use crate::ipfix::collector::Register;
use crate::ipfix::lane::Intake;
use crate::ipfix::lateness::Lateness;
use crate::ipfix::limits::TOLD_BACK_MS;
use crate::ipfix::normalise::{Remotes, fingerprint};
use crate::ipfix::offset::Offset;
use crate::ipfix::out::{Bad, Budget, Out};
use crate::ipfix::sequence::{Arrived, Counting, Verdict};
use crate::ipfix::stream::{Counts, Standing};

/// The owner name of this source's state.
pub const OWNER: &str = "h3c";

/// What is known of one device.
struct Device {
    rule: Rule,
    handle: SourceHandle,
    sequence: Reading,
    offset: Offset,
    lateness: Lateness,
    counts: Counts,
    budget: Budget,
    seen: Option<Millis>,
    /// The earliest moment by its clock, or of an arrival, that is known of it: nothing it sent before can have been lost here.
    first: Option<Millis>,
    touched: bool,
    /// What it sends of which nothing is kept.
    unread: Unread,
}

/// The collector of one socket.
pub struct Collector {
    settings: Arc<Settings>,
    register: Box<dyn Register>,
    label: String,
    mac: Option<Mac>,
    devices: HashMap<Addr16, Device>,
    strangers: Budget,
    out: Out,
}

impl Collector {
    /// A collector. `label` names its socket in the state; `mac` is the key of remote fingerprints.
    pub fn new(settings: Arc<Settings>, register: Box<dyn Register>, label: &str, mac: Option<Mac>) -> Collector {
        let (devices, strangers, out) = (HashMap::new(), Budget::default(), Out::default());
        Collector { settings, register, label: label.to_owned(), mac, devices, strangers, out }
    }

    /// Takes back what an earlier run left.
    ///
    /// # Errors
    /// What the sink says when a source cannot be registered.
    pub fn restore(&mut self, state: &[(Vec<u8>, Vec<u8>)], now: Millis) -> Result<(), SinkError> {
        for (key, value) in state {
            let Some(peer) = self.peer_of(key) else { continue };
            let Some((kept, late)) = decode(value) else { continue };
            if let Ok(device) = self.device(peer)? {
                device.sequence.restore(&kept);
                device.lateness = Lateness::restored(now, late);
                device.first = device.sequence.sequence().newest_ms().map(Millis);
                device.touched = true;
            }
        }
        Ok(())
    }

    fn key(&self, peer: Addr16) -> Vec<u8> {
        [self.label.as_bytes(), b"\0", &peer.0].concat()
    }

    fn peer_of(&self, key: &[u8]) -> Option<Addr16> {
        key.strip_prefix(self.label.as_bytes())?.strip_prefix(b"\0")?.try_into().ok().map(Addr16)
    }

    /// The device at an address, registered at its first datagram.
    fn device(&mut self, peer: Addr16) -> Result<Result<&mut Device, Fault>, SinkError> {
        if !self.devices.contains_key(&peer) {
            let Some(rule) = self.settings.rule(peer) else { return Ok(Err(Fault::UnknownDevice)) };
            if self.devices.len() >= DEVICES {
                return Ok(Err(Fault::TooManyDevices));
            }
            let handle = self.register.register(&SourceDesc {
                name: rule.source(peer),
                kind: "h3c".to_owned(),
                realm: rule.realm.clone(),
                peer: peer.to_string(),
                profile: "flow-log".to_owned(),
                clock: rule.clock.name().to_owned(),
                pools: rule.pools.iter().map(ToString::to_string).collect(),
            })?;
            let device = Device {
                sequence: Reading::new(rule.counting),
                rule: rule.clone(),
                handle,
                offset: Offset::new(),
                lateness: Lateness::default(),
                counts: Counts::default(),
                budget: Budget::new(peer),
                seen: None,
                first: None,
                touched: true,
                unread: Unread::default(),
            };
            self.devices.insert(peer, device);
        }
        Ok(self.devices.get_mut(&peer).ok_or(Fault::UnknownDevice))
    }

    /// Takes a datagram in.
    ///
    /// # Errors
    /// Its source could not be registered: nothing was taken, try again with the same bytes.
    pub fn datagram(&mut self, peer: Addr16, arrival: Millis, data: &[u8]) -> Result<(), SinkError> {
        let remotes = match self.settings.remotes.at(arrival) {
            // Without a key there is no fingerprint to make; nothing is kept rather than the address itself.
            Remotes::Fingerprint if self.mac.is_none() => Remotes::Drop,
            other => other,
        };
        if let Err(fault) = self.device(peer)? {
            let bad = Bad { at: arrival, source: 0, peer, reason: fault.reason(), offset: 0, bytes: data, count: 1 };
            self.strangers.malformed(bad, &mut self.out);
            return Ok(());
        }
        let Collector { devices, out, mac, settings, .. } = self;
        let Some(device) = devices.get_mut(&peer) else { return Ok(()) };
        let mut work = Work { device, layouts: &settings.layouts, peer, arrival, remotes, mac: mac.as_ref(), out };
        work.run(data);
        Ok(())
    }

    /// Writes gaps and counts that are due; all of them when the program stops.
    fn settle(&mut self, now: Millis, force: bool) {
        for device in self.devices.values_mut() {
            if force {
                device.budget.settle(now, &mut self.out);
                device.touched = true;
            } else {
                device.budget.roll(now, &mut self.out);
            }
            device.flush_gaps(now, force, &mut self.out);
        }
        if force {
            self.strangers.settle(now, &mut self.out);
        } else {
            self.strangers.roll(now, &mut self.out);
        }
    }
}

/// One datagram in the hands of its device.
struct Work<'a> {
    device: &'a mut Device,
    layouts: &'a [Layout],
    peer: Addr16,
    arrival: Millis,
    remotes: Remotes,
    mac: Option<&'a Mac>,
    out: &'a mut Out,
}

impl Work<'_> {
    fn run(&mut self, data: &[u8]) {
        self.device.seen = Some(self.arrival);
        self.device.touched = true;
        let layouts = self.layouts;
        let how = message::how(data, layouts);
        self.device.unread.heard(data, matches!(how, Ok(How::Laid(_))));
        let (how, header) = match how.and_then(|how| Ok((how, how.header(data)?))) {
            Ok(read) => read,
            Err(fault) => {
                self.device.counts.messages += 1;
                return self.bad(fault, 0, data);
            }
        };
        // A datagram of which nothing can be read says nothing of its device's clock, nor that its numbers began anew.
        let refused = match how {
            How::Laid(layout) => {
                let none = |body: &[u8]| !body.chunks_exact(layout.record).any(|record| good(layout, record, &header));
                message::body(layout, &header, data).is_ok_and(none)
            }
            How::Untranslated => message::untranslated(&header, data).is_err(),
        };
        if !self.numbered(data, &header, refused) {
            return;
        }
        self.device.counts.messages += 1;
        match how {
            How::Laid(layout) => self.flows(layout, &header, data),
            How::Untranslated => match message::untranslated(&header, data) {
                Ok(()) => self.device.counts.ignored += u64::from(header.count),
                Err(fault) => self.bad(fault, 0, data),
            },
        }
        if self.device.sequence.is_dirty() {
            self.device.flush_gaps(self.arrival, false, self.out);
        }
    }

    /// Takes what a datagram's header says of time and number; false: it came before.
    fn numbered(&mut self, data: &[u8], header: &Header, refused: bool) -> bool {
        let export = match refused {
            true => self.device.sequence.sequence().newest_ms().unwrap_or(self.arrival.0),
            false => header.export_ms,
        };
        let (sequence, checksum) = (header.sequence, crc32fast::hash(data));
        let arrived = Arrived { sequence, export_ms: export, uptime_ms: None, checksum, arrival: self.arrival };
        let first = Millis(export).min(self.arrival);
        self.device.first = Some(self.device.first.map_or(first, |known| if refused { known } else { known.min(self.arrival) }));
        if !refused || self.device.sequence.expects(sequence) {
            let verdict = self.device.sequence.judge(arrived);
            if verdict == Verdict::Duplicate {
                self.device.counts.duplicates += 1;
                return false;
            }
            if !refused {
                self.device.offset.observe_after(verdict == Verdict::Restarted, export, self.arrival);
            }
            // Datagrams of other log types are counted too (reference, FlowSequence).
            self.device.sequence.took(arrived, header.count);
        }
        true
    }

    fn flows(&mut self, layout: &Layout, header: &Header, data: &[u8]) {
        match message::body(layout, header, data) {
            Ok(body) => {
                for (i, record) in body.chunks_exact(layout.record).enumerate() {
                    if let Err(fault) = message::flow(layout, record).and_then(|flow| self.flow(&flow, header)) {
                        self.bad(fault, layout.header + i * layout.record, data);
                    }
                }
            }
            Err(fault) => self.bad(fault, 0, data),
        }
    }

    /// Makes the events of a flow.
    fn flow(&mut self, flow: &Flow, header: &Header) -> Result<(), Fault> {
        if !flow.is_translated() || flow.told == Told::Alive {
            self.device.counts.ignored += 1;
            return Ok(());
        }
        let export = header.export_ms;
        let at = |ms: i64| if near(ms, export) { Ok(Millis(ms)) } else { Err(Fault::Time) };
        let (create, delete) = (Action::Create as u8, Action::Delete as u8);
        match flow.told {
            Told::Created => self.event(flow, create, at(flow.start)?, export),
            Told::Ended => {
                let end = at(flow.end)?;
                let start = Millis(flow.start);
                if flow.start != 0 && start <= end && end.since(start) <= TOLD_BACK_MS {
                    self.event(flow, Action::Told as u8, start, export);
                }
                self.event(flow, delete, end, export);
            }
            Told::Address => {
                // It may have begun long ago: only its end is near the datagram.
                let end = at(flow.end)?;
                let start = Some(Millis(flow.start)).filter(|s| flow.start != 0 && *s <= end).ok_or(Fault::Time)?;
                self.event(flow, create, start, export);
                self.event(flow, delete, end, export);
            }
            Told::Alive => {}
        }
        Ok(())
    }

    fn event(&mut self, flow: &Flow, action: u8, time: Millis, export: i64) {
        let whole = flow.told == Told::Address;
        let (public_port, last) = if whole { (0, u16::MAX) } else { (flow.public.1, flow.public.1) };
        let mut event = NatEvent {
            time,
            action,
            form: if whole { Form::AddressBinding } else { Form::Session } as u8,
            protocol: if whole { 0 } else { flow.protocol },
            source: self.device.handle.number,
            public_address: flow.public.0,
            public_port,
            public_port_last: last,
            inside_address: flow.inside.0,
            inside_port: if whole { 0 } else { flow.inside.1 },
            ..NatEvent::default()
        };
        let told = action == Action::Told as u8;
        if !whole {
            match (self.remotes, self.mac) {
                (Remotes::Keep, _) => (event.remote_address, event.remote_port) = flow.remote,
                (Remotes::Fingerprint, Some(mac)) => event.remote_tag = fingerprint(mac, &flow.remote.0.0, flow.remote.1),
                _ => self.device.counts.destinations_dropped += u64::from(!told),
            }
        }
        // What an end tells of its beginning is no record of its own, and says nothing of how late records come.
        if !told {
            self.device.lateness.observe(self.arrival, export - time.0);
            self.device.counts.records += 1;
        }
        self.out.events.push(&event);
    }

    fn bad(&mut self, fault: Fault, offset: usize, bytes: &[u8]) {
        self.device.counts.malformed += 1;
        let (at, source, peer) = (self.arrival, self.device.handle.number, self.peer);
        let bad = Bad { at, source, peer, reason: fault.reason(), offset, bytes, count: 1 };
        self.device.budget.malformed(bad, self.out);
    }
}

/// True for a time that is told and lies near that of its datagram.
fn near(ms: i64, export: i64) -> bool {
    ms != 0 && ms.abs_diff(export) <= FLOW_TIME_MS.unsigned_abs()
}

/// True for a flow of which something can be read: it is none that its datagram's time rules out.
fn good(layout: &Layout, record: &[u8], header: &Header) -> bool {
    message::flow(layout, record).is_ok_and(|flow| match flow.told {
        Told::Created => near(flow.start, header.export_ms),
        Told::Ended | Told::Address => near(flow.end, header.export_ms),
        Told::Alive => true,
    })
}

impl Device {
    fn flush_gaps(&mut self, now: Millis, force: bool, out: &mut Out) {
        let late = self.lateness.ms();
        let notes = self.sequence.flush(now, force, Id::random);
        let unit = self.sequence.unit();
        for note in notes {
            self.touched = true;
            out.gaps.push(Gap {
                time: now,
                id: note.id,
                amendment: note.amendment,
                source: self.handle.number,
                start: Millis(note.start).max(self.first.unwrap_or(Millis(i64::MIN))).min(Millis(note.end)).plus(-late),
                end: Millis(note.end),
                lost: note.lost,
                unit: unit.to_owned(),
                reason: note.reason.to_owned(),
            });
        }
    }

    fn publish(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        let sequence = self.sequence.sequence();
        let (clock, seen) = (self.rule.clock, self.seen);
        let standing = Standing { sequence, offset: &self.offset, clock, seen };
        let unusable = sequence.unusable() && self.rule.counting != Some(Counting::None);
        let numbers = "its sequence numbers count neither packets nor flows: write sequence = \"none\" for this device";
        let trouble = self
            .unread
            .version()
            .map(version_trouble)
            .or_else(|| standing.clock_trouble())
            .or_else(|| unusable.then(|| numbers.to_owned()));
        standing.publish(&counts, trouble, &self.handle);
    }
}

impl Intake for Collector {
    const OWNER: &'static str = OWNER;

    fn message(&mut self, peer: SocketAddr, _: u64, arrival: Millis, data: &[u8]) -> Result<(), SinkError> {
        self.datagram(Addr16::from(peer.ip()), arrival, data)
    }

    fn rows(&self) -> usize {
        self.out.events.len() + self.out.rare_rows()
    }

    fn tick(&mut self, now: Millis) {
        self.settle(now, false);
    }

    fn stop(&mut self, now: Millis) {
        self.settle(now, true);
    }

    fn take(&mut self) -> Option<Group> {
        let touched: Vec<Addr16> = self.devices.iter().filter(|(_, d)| d.touched).map(|(peer, _)| *peer).collect();
        for peer in touched {
            let key = self.key(peer);
            let Some(device) = self.devices.get_mut(&peer) else { continue };
            device.touched = false;
            device.publish();
            self.out.state.insert(key, Some(encode(&device.sequence.kept(), device.lateness.ms())));
            // Evidence says that everything before it is known: it stands still while a gap is not written yet.
            if let Some(ms) = device.sequence.sequence().newest_ms().filter(|_| !device.sequence.has_unwritten_gap()) {
                self.out.evidence.insert(device.handle.number, Millis(ms).plus(-device.lateness.ms()));
            }
        }
        let group = (!self.out.is_empty()).then(|| self.out.take())?;
        Some(Group { owner: OWNER.to_owned(), ..group })
    }

    fn rewrite_state(&mut self) {
        self.devices.values_mut().for_each(|d| d.touched = true);
    }

    fn trouble(&mut self, text: &str) {
        for device in self.devices.values() {
            device.handle.count(|c| c.trouble = Some(text.to_owned()));
        }
    }

    fn discarded(&mut self, rows: u64, now: Millis) {
        let (unit, reason) = ("records".to_owned(), "refused".to_owned());
        self.out.gaps.push(Gap { time: now, id: Id::random(), start: now, end: now, lost: Some(rows), unit, reason, ..Gap::default() });
    }

    /// Whose datagrams the kernel dropped shows at the next number; of devices without numbers the stretch since their last one is a gap.
    fn kernel_dropped(&mut self, datagrams: u64, now: Millis) {
        let newest = self.devices.values().filter_map(|d| d.seen).max().unwrap_or(now);
        let (unit, reason) = ("datagrams".to_owned(), "kernel-drop".to_owned());
        let (start, lost) = (newest.min(now), Some(datagrams));
        self.out.gaps.push(Gap { time: now, id: Id::random(), start, end: now, lost, unit, reason, ..Gap::default() });
        for device in self.devices.values_mut().filter(|d| d.sequence.sequence().unusable()) {
            if let Some(start) = device.sequence.sequence().newest_ms() {
                let ahead = device.offset.estimate().map_or(0, |e| e.offset_ms);
                device.sequence.mark(start, start.max(now.0 + ahead), "kernel-drop");
                device.touched = true;
            }
        }
    }
}
