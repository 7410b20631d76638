//! What every way to leases shares: lines and faults in, groups out. What a sink did not take is kept and handed over again.

use std::sync::Arc;

use arrow::array::RecordBatch;
use weir_base::clock::Clock;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Binding, Gap, IdType, Malformed, RadiusSession, Raw};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut, SubjectIds};

use super::leases::{Leases, Line, Out};
use super::limits::HEARTBEAT_MS;
use super::told::{Told, What};
use crate::radius::noise::{Bad, Noise};

/// What a source needs from outside.
#[derive(Clone)]
pub struct Needs {
    /// Where groups go.
    pub sink: Arc<dyn RecordSink>,
    /// Opaque ids.
    pub ids: Arc<dyn SubjectIds>,
    /// Our clock.
    pub clock: Arc<dyn Clock>,
}

/// A piece of state: key and value.
pub type Piece = (Vec<u8>, Vec<u8>);

/// The leases of one source and what is on its way to the sink.
pub struct Book {
    name: String,
    needs: Needs,
    handle: SourceHandle,
    leases: Leases,
    noise: Noise,
    told: Told,
    out: Out,
    bindings: Vec<Binding>,
    gaps: Vec<Gap>,
    malformed: Vec<Malformed>,
    raw: Vec<Raw>,
    taken: u64,
    ignored: u64,
    submitted: Millis,
}

impl Book {
    /// Registers a source and takes its leases back; gives what else its state held. `server` names the DHCP server in records, where the source
    /// knows only one.
    ///
    /// # Errors
    /// What the sink says.
    pub fn open(source: &SourceDesc, server: Option<&str>, capacity: usize, needs: Needs) -> Result<(Book, Vec<Piece>), SinkError> {
        let handle = needs.sink.register(source)?;
        let mut leases = Leases::new(handle.number, handle.realm, server, capacity);
        let mut told = Told::default();
        let rest = needs.sink.state(&source.name).into_iter().filter(|(k, v)| !leases.load(k, v) && !told.load(k, v)).collect();
        let submitted = needs.clock.now();
        let book = Book {
            name: source.name.clone(),
            needs,
            handle,
            leases,
            noise: Noise::default(),
            told,
            out: Out::default(),
            bindings: Vec::new(),
            gaps: Vec::new(),
            malformed: Vec::new(),
            raw: Vec::new(),
            taken: 0,
            ignored: 0,
            submitted,
        };
        Ok((book, rest))
    }

    /// Our clock.
    pub fn now(&self) -> Millis {
        self.needs.clock.now()
    }

    /// Counts what came in, and what of it tells of no lease.
    pub fn counted(&mut self, taken: u64, ignored: u64) {
        self.taken += taken;
        self.ignored += ignored;
    }

    /// Says why the source is not well; none when it is.
    pub fn trouble(&self, why: Option<String>) {
        self.handle.count(|c| c.trouble = why);
    }

    /// Takes a line; `fresh` as in [`Leases::take`].
    pub fn line(&mut self, line: &Line, now: Millis, fresh: bool) {
        let resolved = self.needs.ids.resolve(self.handle.realm, IdType::Hardware, &line.client, now);
        let rows = self.out.rows.len();
        self.leases.take(line, resolved.id, Id::random(), now, fresh, &mut self.out);
        if self.out.rows.len() > rows {
            self.bindings.extend(resolved.binding);
        }
    }

    /// As [`Leases::only`].
    pub fn only(&mut self, listed: &dyn Fn(&Prefix) -> bool, now: Millis) {
        self.leases.only(listed, now, &mut self.out);
    }

    /// What is leased now.
    pub fn open_leases(&self) -> impl Iterator<Item = Prefix> {
        self.leases.open()
    }

    /// Input that does not read: `offset` says where, in bytes.
    pub fn bad(&mut self, reason: &'static str, offset: usize, bytes: &[u8], now: Millis) {
        self.handle.count(|c| c.malformed += 1);
        let bad = Bad { time: now, source: self.handle.number, peer: Addr16::NONE, reason, offset, bytes };
        if let Some((malformed, raw)) = self.noise.record(&bad, Id::random(), &mut self.malformed) {
            self.malformed.push(malformed);
            self.raw.push(raw);
        }
    }

    /// A line of a file that does not read: as [`Book::bad`], but it is told once, however often the file is read.
    pub fn bad_line(&mut self, reason: &'static str, bytes: &[u8], now: Millis) {
        let digest = self.needs.ids.digest(self.handle.realm, &[b"dhcp line ", reason.as_bytes(), b" ", bytes].concat());
        match self.told.note(digest, now, &mut self.out.state) {
            What::Tell => self.bad(reason, 0, bytes, now),
            What::Count => self.handle.count(|c| c.malformed += 1),
            What::Nothing => {}
        }
    }

    /// Something may be missing between two moments: how many of `unit`, where that is known.
    pub fn gap(&mut self, (start, end): (Millis, Millis), lost: Option<u64>, unit: &str, reason: &str) {
        self.handle.count(|c| c.lost += lost.unwrap_or(0));
        self.gaps.push(Gap {
            time: end,
            id: Id::random(),
            amendment: 0,
            source: self.handle.number,
            start: start.min(end),
            end,
            lost,
            unit: unit.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// As [`Leases::tick`].
    pub fn tick(&mut self, now: Millis) -> bool {
        self.leases.tick(now, &mut self.out)
    }

    /// True when something waits to be handed over.
    pub fn waits(&self) -> bool {
        !self.out.state.is_empty() || !self.malformed.is_empty() || !self.gaps.is_empty()
    }

    /// True when it is time to say again that everything is here.
    pub fn is_due(&self, now: Millis) -> bool {
        !(0..HEARTBEAT_MS).contains(&now.since(self.submitted))
    }

    /// Makes what there is durable, with the moment up to which everything is in it and the source's own `state`.
    ///
    /// # Errors
    /// What the sink says; everything is kept.
    pub fn hand_over(&mut self, complete: Option<Millis>, state: Option<StatePut>) -> Result<(), String> {
        let now = self.now();
        self.malformed.extend(self.noise.tick(now));
        let mut group = Group::new(&self.name);
        let made = self.out.rows.len() as u64;
        batch(&mut group, Kind::RadiusSession, &self.out.rows, RadiusSession::batch);
        batch(&mut group, Kind::Gap, &self.gaps, Gap::batch);
        batch(&mut group, Kind::Malformed, &self.malformed, Malformed::batch);
        batch(&mut group, Kind::Raw, &self.raw, Raw::batch);
        group.bindings.clone_from(&self.bindings);
        group.state.clone_from(&self.out.state);
        group.state.extend(state);
        group.evidence.extend(complete.map(|t| (self.handle.number, t)));
        self.submitted = now;
        if !group.is_empty() {
            self.needs.sink.commit(group).map_err(|e| e.to_string())?;
        }
        let (taken, ignored) = (std::mem::take(&mut self.taken), std::mem::take(&mut self.ignored));
        let overflow = std::mem::take(&mut self.out).overflow;
        (self.bindings, self.gaps, self.malformed, self.raw) = Default::default();
        self.handle.count(|c| {
            c.messages += taken;
            c.ignored += ignored;
            c.records += made;
            c.lost += overflow;
            c.last_header = complete.or(c.last_header);
            if taken > 0 {
                c.last_seen = Some(now);
            }
        });
        Ok(())
    }
}

fn batch<R>(group: &mut Group, kind: Kind, rows: &[R], make: impl FnOnce(&[R]) -> RecordBatch) {
    if !rows.is_empty() {
        group.batches.push((kind, make(rows)));
    }
}
