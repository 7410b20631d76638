//! The work on one message: what its sequence number says, its sets, their records.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use weir_base::crypto::Mac;
use weir_base::hash::MixState;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::Action;

use super::compile::{Body, Layout, Plan};
use super::decode::{Context, Scratch, count, decode};
use super::key::Key;
use super::normalise::{Remotes, to_fingerprints};
use super::out::{Bad, Budget, Out};
use super::parser::{self, Announcement, Fault, Header, SetKind};
use super::pending::{Pending, Waiting};
use super::sequence::{Arrived, Saved, Units, Verdict};
use super::stream::{Stream, UNKNOWN_TEMPLATE};
use super::template::Change;

/// One sender: its streams by domain and TCP session (0 for UDP), and what they share.
pub(super) struct Exporter {
    pub(super) streams: HashMap<(u32, u64), Stream, MixState>,
    pub(super) pending: Pending,
    pub(super) budget: Budget,
    // What closed TCP sessions left, by domain.
    pub(super) closed: HashMap<u32, Saved>,
}

impl Exporter {
    pub(super) fn new(peer: Addr16) -> Exporter {
        Exporter { streams: HashMap::default(), pending: Pending::default(), budget: Budget::new(peer), closed: HashMap::new() }
    }
}

/// Data sets of one template in a message, with what is needed to decode them. Several of them only where all records have one length: exporters that log
/// as things happen change the template with nearly every record, and what a set costs is more than what a record does.
#[derive(Debug)]
pub(super) struct Part {
    template: u16,
    /// Where the first of them lies in the message's body.
    body: Range<usize>,
    plan: Option<Arc<Plan>>,
    records: u32,
    /// The records of all of them, where there are several.
    joined: Option<Vec<u8>>,
}

impl Part {
    /// True if records of both have one plan and one length, so that they can be read as one set.
    fn goes_with(&self, other: &Part) -> bool {
        let plans = self.plan.as_ref().zip(other.plan.as_ref());
        plans.is_some_and(|(a, b)| Arc::ptr_eq(a, b) && self.length().is_some())
    }

    /// Its records, and what may stand behind them, in a message.
    fn bytes<'b>(&'b self, message: &'b [u8]) -> &'b [u8] {
        self.joined.as_deref().or_else(|| message.get(self.body.clone())).unwrap_or_default()
    }

    /// The length of each record, where it is one.
    fn length(&self) -> Option<usize> {
        match self.plan.as_deref()?.layout {
            Layout::Fixed(length) => Some(length),
            Layout::Walk { .. } => None,
        }
    }

    /// Adds the records of another set.
    fn join(&mut self, message: &[u8], set: &[u8], records: u32, spare: &mut Vec<Vec<u8>>) {
        let length = self.length().unwrap_or_default();
        // Less its padding.
        let whole = |bytes: &[u8], records: u32| bytes.len().min(records as usize * length);
        if self.joined.is_none() {
            let first = self.bytes(message);
            let mut joined = spare.pop().unwrap_or_default();
            joined.clear();
            joined.extend_from_slice(&first[..whole(first, self.records)]);
            self.joined = Some(joined);
        }
        if let Some(joined) = &mut self.joined {
            joined.extend_from_slice(&set[..whole(set, records)]);
        }
        self.records = self.records.saturating_add(records);
    }
}

/// How many parts before are looked at for one of the same template. What is not found there is joined in the end.
const LATELY: usize = 16;
/// Buffers for joined records that are kept from message to message.
const SPARE: usize = 16;

/// What the work on one message shares.
pub(super) struct Job<'a> {
    pub(super) peer: Addr16,
    pub(super) arrival: Millis,
    pub(super) header: Header,
    pub(super) remotes: Remotes,
    pub(super) mac: Option<&'a Mac>,
}

/// Gives up the waiting sets that `gone` names.
pub(super) fn give_up(exporter: &mut Exporter, gone: impl Fn(&Waiting) -> bool, now: Millis, out: &mut Out) {
    for waiting in exporter.pending.drain() {
        if gone(&waiting) {
            lose(exporter, waiting, now, out);
        } else {
            exporter.pending.push(waiting);
        }
    }
}

/// A set whose template did not come in time: a gap of unknown count and a raw copy.
pub(super) fn lose(exporter: &mut Exporter, waiting: Waiting, now: Millis, out: &mut Out) {
    let export = waiting.header.export_ms();
    let Some(stream) = exporter.streams.get_mut(&(waiting.header.domain, waiting.session)) else { return };
    stream.sequence.mark(export, export, UNKNOWN_TEMPLATE);
    stream.sequence.gave_up(waiting.header.sequence.wrapping_add(waiting.counted), UNKNOWN_TEMPLATE);
    stream.touched = true;
    exporter.budget.unknown_template(now, stream.handle.number, &waiting.body, out);
}

/// A message in the hands of its exporter.
pub(super) struct Work<'a> {
    pub(super) exporter: &'a mut Exporter,
    pub(super) session: u64,
    pub(super) label: &'a str,
    pub(super) tcp: bool,
    pub(super) out: &'a mut Out,
    pub(super) scratch: &'a mut Scratch,
    pub(super) job: Job<'a>,
}

impl Work<'_> {
    pub(super) fn run(&mut self, data: &[u8], body: &[u8], trailing: usize) {
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
        // As many parts as a message has: the list is used again, and so are buffers.
        let mut parts = std::mem::take(&mut self.scratch.parts);
        let units = self.read_sets(data, body, &mut parts);
        if let Some(stream) = self.stream() {
            stream.sequence.took(units);
        }
        parts.sort_by_key(|part| part.template);
        // More templates in turn than are looked at, or one that was announced again as it was: they are read as one still.
        let mut first = 0;
        for at in 1..parts.len() {
            let (before, rest) = parts.split_at_mut(at);
            match (before.get_mut(first), rest.first_mut()) {
                (Some(before), Some(part)) if before.goes_with(part) => {
                    before.join(body, part.bytes(body), part.records, &mut self.scratch.joined);
                    part.records = 0;
                }
                _ => first = at,
            }
        }
        for part in parts.iter().filter(|part| part.records > 0 || part.plan.is_none()) {
            self.part(part, part.bytes(body), units.min);
        }
        let room = SPARE.saturating_sub(self.scratch.joined.len());
        self.scratch.joined.extend(parts.drain(..).filter_map(|part| part.joined).take(room));
        self.scratch.parts = parts;
        let Work { exporter, session, out, .. } = self;
        let stream = exporter.streams.get_mut(&(header.domain, *session));
        if let Some(stream) = stream.filter(|s| s.sequence.is_dirty()) {
            stream.flush_gaps(arrived.arrival, false, out);
        }
    }

    fn stream(&mut self) -> Option<&mut Stream> {
        self.exporter.streams.get_mut(&(self.job.header.domain, self.session))
    }

    /// Counts the message and judges its number; false for a duplicate.
    fn open(&mut self, arrived: &Arrived) -> bool {
        let (peer, domain) = (self.job.peer, self.job.header.domain);
        let Some(stream) = self.exporter.streams.get_mut(&(domain, self.session)) else { return false };
        // Only the first message of a session follows on what an earlier one left.
        let closed = if self.tcp && stream.seen.is_none() { self.exporter.closed.remove(&domain) } else { None };
        let follows = |saved: &Saved| saved.next == Some(arrived.sequence);
        if let Some(last) = closed.filter(|saved| !follows(saved)).and_then(|saved| saved.export_ms) {
            stream.sequence.resume(last, arrived);
        }
        stream.seen = Some(arrived.arrival);
        stream.touched = true;
        let ordered = stream.sequence.ordered_until();
        let verdict = stream.sequence.judge(*arrived);
        if verdict == Verdict::Duplicate {
            stream.counts.duplicates += 1;
            return false;
        }
        stream.counts.messages += 1;
        stream.offset.observe_after(verdict == Verdict::Restarted, arrived.export_ms, arrived.arrival);
        if verdict == Verdict::Restarted {
            // RFC 3954 section 9 and RFC 7011 section 8.4: after a restart the same number may mean another template.
            for id in stream.templates.forget(ordered) {
                self.out.state.insert(Key::Template(peer, domain, id).bytes(self.label), None);
            }
            // What waited from before the restart waited for a template that will not come any more.
            let before = |w: &Waiting| w.header.domain == domain && ordered.is_none_or(|t| w.arrival <= t);
            give_up(self.exporter, before, arrived.arrival, self.out);
        }
        true
    }

    /// Goes through the sets: templates take effect in their place, data sets are paired with the plan that holds at their place.
    fn read_sets(&mut self, data: &[u8], body: &[u8], parts: &mut Vec<Part>) -> Units {
        let version = self.job.header.version;
        let mut units = Units::exact(0);
        let head = data.len() - body.len();
        // The first set since templates were announced last.
        let mut since = 0;
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
                SetKind::Templates | SetKind::OptionsTemplates => {
                    self.announce(set.kind == SetKind::OptionsTemplates, set.body, head + set.offset, data);
                    since = parts.len();
                }
                SetKind::Data(template) => match self.pair(template, set.offset + 4, set.body, body, (since, parts)) {
                    Some((n, fault)) => {
                        if let Some(fault) = fault {
                            self.bad(fault.reason(), head + set.offset, data, 1);
                            units.max = units.max.saturating_add(u32::try_from(set.body.len()).unwrap_or(u32::MAX));
                        }
                        units.min = units.min.saturating_add(n);
                        units.max = units.max.saturating_add(n);
                    }
                    // Each record has at least one byte.
                    None => {
                        let most = u32::try_from(set.body.len()).unwrap_or(u32::MAX);
                        units.max = units.max.saturating_add(most);
                        units.waiting = units.waiting.saturating_add(most);
                        units.sets += 1;
                    }
                },
            }
        }
        units
    }

    /// Pairs a data set, which lies at `from` in the message, with the plan that holds at its place; the parts from `since` on have plans that still hold.
    /// How many records it has, and what is wrong with it; none while its template is not known.
    fn pair(
        &mut self,
        template: u16,
        from: usize,
        set: &[u8],
        message: &[u8],
        (since, parts): (usize, &mut Vec<Part>),
    ) -> Option<(u32, Option<Fault>)> {
        let lately = parts.iter_mut().skip(since).rev().take(LATELY).find(|part| part.template == template);
        let mut known = None;
        if let Some(part) = lately {
            if let (Some(plan), Some(_)) = (&part.plan, part.length()) {
                let (records, fault) = count(&plan.layout, set);
                part.join(message, set, records, &mut self.scratch.joined);
                return Some((records, fault));
            }
            known = part.plan.clone();
        }
        let arrival = self.job.arrival;
        let plan = known.or_else(|| self.stream().and_then(|s| s.templates.plan(template, arrival)));
        let counted = plan.as_ref().map(|plan| count(&plan.layout, set));
        let records = counted.as_ref().map_or(0, |(records, _)| *records);
        parts.push(Part { template, body: from..from + set.len(), plan, records, joined: None });
        counted
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
        for waiting in self.exporter.pending.take(domain, self.session, id) {
            self.read_waiting(&plan, &waiting, arrival);
        }
    }

    fn read_waiting(&mut self, plan: &Plan, waiting: &Waiting, arrival: Millis) {
        let (records, fault) = count(&plan.layout, &waiting.body);
        if let Some(fault) = fault {
            self.bad(fault.reason(), 0, &waiting.body, 1);
        }
        if let Some(stream) = self.stream() {
            stream.sequence.counted(waiting.header.sequence.wrapping_add(waiting.counted), records, arrival);
        }
        self.decode(plan, &waiting.body, records, waiting.header);
    }

    fn part(&mut self, part: &Part, body: &[u8], counted: u32) {
        let header = self.job.header;
        match &part.plan {
            Some(plan) => self.decode(plan, body, part.records, header),
            None => {
                let (session, arrival, body) = (self.session, self.job.arrival, body.to_vec());
                let waiting = Waiting { header, session, template: part.template, arrival, counted, body };
                // Its template may stand behind it in the same message.
                if let Some(plan) = self.stream().and_then(|s| s.templates.plan(part.template, arrival)) {
                    return self.read_waiting(&plan, &waiting, arrival);
                }
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
        let times = self.out.events.time.iter().zip(&self.out.events.action).skip(start);
        // What an end tells of its beginning says nothing of how late records come.
        if let Some(oldest) = times.filter(|(_, action)| **action != Action::Told as u8).map(|(time, _)| *time).min() {
            stream.lateness.observe(self.job.arrival, header.export_ms().saturating_sub(oldest));
        }
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
