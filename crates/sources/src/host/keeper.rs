//! The way to the sink: lines into the engine, groups out, each with the place that was reached.

use std::sync::Arc;
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::net::{Addr16, Prefix};
use weir_base::task::Stop;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::Gap;
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut, SubjectIds};

use super::limits::LOOK_MS;
use crate::ipfix::config::ClockMode;
use crate::syslog::config::{Rule, Settings};
use crate::syslog::dialect::Table;
use crate::syslog::engine::{Engine, Origin};

/// Key of the place in the state. Keys of the engine begin with other letters.
const PLACE: &[u8] = b"@place";

/// The kind of these sources in the register.
pub const KIND: &str = "host";

/// A day: how long a lease lasts whose line does not say.
const DAY_MS: i64 = 86_400_000;

/// The engine of one log of this machine.
pub struct Keeper {
    name: String,
    realm: String,
    sink: Arc<dyn RecordSink>,
    clock: Arc<dyn Clock>,
    engine: Engine,
    handle: Option<SourceHandle>,
    place: Option<Vec<u8>>,
    moved: bool,
    unkept: Option<Group>,
    /// What is wrong with the log itself, also while some of it comes.
    standing: Option<String>,
}

impl Keeper {
    /// A keeper that has taken back the state of `name`.
    pub fn new(name: &str, realm: &str, sink: &Arc<dyn RecordSink>, ids: &Arc<dyn SubjectIds>, clock: &Arc<dyn Clock>) -> Keeper {
        let rule = Rule {
            name: name.to_owned(),
            prefixes: vec![Prefix::new(here(), 128)],
            realm: realm.to_owned(),
            // Every line has a zone; this one is for times inside messages.
            zone: 480,
            dialects: Vec::new(),
            clock: ClockMode::Trust,
            overload: false,
            pools: Vec::new(),
        };
        let settings = Settings {
            realm: realm.to_owned(),
            zone: 480,
            lease_ms: DAY_MS,
            mapping_ms: DAY_MS,
            rules: vec![rule],
            kind: Some(KIND),
            ..Settings::default()
        };
        let mut engine = Engine::new(Arc::new(settings), Box::new(Arc::clone(sink)), Arc::clone(ids), Table::new(Table::built_in()), None);
        let (mut place, mut rest) = (None, Vec::new());
        for (key, value) in sink.state(name) {
            if key == PLACE { place = Some(value) } else { rest.push((key, value)) }
        }
        engine.restore(&rest);
        let (sink, clock) = (Arc::clone(sink), Arc::clone(clock));
        Keeper {
            name: name.to_owned(),
            realm: realm.to_owned(),
            sink,
            clock,
            engine,
            handle: None,
            place,
            moved: false,
            unkept: None,
            standing: None,
        }
    }

    /// The place that was reached, as it was given.
    pub fn place(&self) -> Option<&[u8]> {
        self.place.as_deref()
    }

    /// Our clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The source's handle, registered when it is first needed.
    fn handle(&mut self) -> Result<&SourceHandle, SinkError> {
        if self.handle.is_none() {
            // The same as the engine's own entry: the register finds it by its name.
            self.handle = Some(self.sink.register(&SourceDesc {
                name: self.name.clone(),
                kind: KIND.to_owned(),
                realm: self.realm.clone(),
                peer: here().to_string(),
                clock: ClockMode::Trust.name().to_owned(),
                ..SourceDesc::default()
            })?);
        }
        self.handle.as_ref().ok_or(SinkError::Stopped)
    }

    /// Says why nothing comes; `None`: all is well, but for what [`Keeper::stands`] said.
    pub fn trouble(&mut self, why: Option<&str>) {
        let why = why.map(str::to_owned).or_else(|| self.standing.clone());
        if let Ok(handle) = self.handle() {
            handle.count(|c| c.trouble = why);
        }
    }

    /// Says what is wrong with the log itself, until it is said again; `None`: nothing.
    pub fn stands(&mut self, why: Option<String>) {
        self.standing = why;
        self.trouble(None);
    }

    /// Nothing is wrong with the log itself any more; what was told last stays until something is taken in.
    pub fn mended(&mut self) {
        self.standing = None;
    }

    /// True when something is wrong with the log itself.
    pub fn is_troubled(&self) -> bool {
        self.standing.is_some()
    }

    /// Takes a line in, behind which the log stands at `place`. False: the program stops.
    pub fn line(&mut self, bytes: &[u8], cut: bool, place: Vec<u8>, stop: &Stop) -> bool {
        let from = Origin { peer: here(), received: self.clock.now(), stream: Some(0), ack: None, perhaps_double: false };
        while let Err(error) = self.engine.line(&from, bytes, cut) {
            self.trouble(Some(&error.to_string()));
            if stop.wait(Duration::from_millis(LOOK_MS)) {
                return false;
            }
        }
        self.stand(place);
        true
    }

    /// The log stands at `place`.
    pub fn stand(&mut self, place: Vec<u8>) {
        self.moved |= self.place.as_ref() != Some(&place);
        self.place = Some(place);
    }

    /// What stood between two moments is gone.
    pub fn gap(&mut self, start: Millis, end: Millis, reason: &str) {
        let source = self.handle().map_or(0, |h| h.number);
        let (time, unit, reason) = (self.clock.now(), "lines".to_owned(), reason.to_owned());
        let (start, end) = (start.min(end), end.max(start));
        self.engine.out.gaps.push(Gap { time, id: Id::random(), source, start, end, lost: None, unit, reason, ..Gap::default() });
    }

    /// Lines that are not durable yet.
    pub fn rows(&self) -> usize {
        self.engine.out.rows()
    }

    /// Hands over what there is and waits until it is durable; tries again while it is not. False: the program stops, or the rows were
    /// refused for good and counted as a gap.
    pub fn hand_over(&mut self, stop: &Stop) -> bool {
        loop {
            match self.try_hand_over() {
                Ok(()) => return true,
                Err(SinkError::Stopped) => return false,
                Err(error) => self.trouble(Some(&error.to_string())),
            }
            if stop.wait(Duration::from_millis(LOOK_MS)) {
                // One last try: who stops us waits for what is here.
                return self.try_hand_over().is_ok();
            }
        }
    }

    fn try_hand_over(&mut self) -> Result<(), SinkError> {
        if self.unkept.is_none() {
            let taken = self.engine.take().map(|(group, _)| group);
            if taken.is_none() && !self.moved {
                return Ok(());
            }
            let mut group = Group { owner: self.name.clone(), ..taken.unwrap_or_else(|| Group::new(&self.name)) };
            group.state.push(StatePut { key: PLACE.to_vec(), value: self.place.clone() });
            self.moved = false;
            self.unkept = Some(group);
        }
        let Some(group) = &self.unkept else { return Ok(()) };
        match self.sink.commit(group.clone()) {
            Ok(_) => {
                self.unkept = None;
                self.trouble(None);
                Ok(())
            }
            Err(SinkError::Refused(why)) => {
                let rows = group.rows() as u64;
                self.unkept = None;
                self.engine.rewrite_state();
                self.engine.discarded(rows, self.clock.now());
                Err(SinkError::Refused(why))
            }
            Err(error) => Err(error),
        }
    }

    /// What is due now and then: leases and mappings whose time is over.
    pub fn tick(&mut self) {
        let now = self.clock.now();
        self.engine.tick(now);
    }
}

/// The sender of every line.
fn here() -> Addr16 {
    Addr16::v4([127, 0, 0, 1])
}
