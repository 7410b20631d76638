//! An exporter: its encoder, its clock, its templates, and the faults on its line.

use std::collections::VecDeque;

use weir_base::clock::Clock;

use crate::error::SimError;
use crate::network::Realm;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::wire::faults::Line;
use crate::wire::flow::FlowEncoder;
use crate::world::event::NatEvent;

/// Datagrams after which templates are sent again whatever the time: a fast exporter must not leave a collector without them for long.
const TEMPLATES_EVERY: u64 = 2_000;

type Send<'s> = &'s mut dyn FnMut(&[u8]) -> Result<(), SimError>;

/// Where time stamps come from.
#[derive(Clone, Copy)]
pub struct Stamps<'a> {
    /// The instant the run began, milliseconds since 1970.
    pub base: i64,
    /// The clock, if headers carry the time of sending.
    pub sending: Option<&'a dyn Clock>,
}

/// One exporter.
pub struct Exporter {
    encoder: FlowEncoder,
    offset_ms: i64,
    line: Line,
    restarts: VecDeque<i64>,
    started: i64,
    begun: Option<i64>,
    templates_at: i64,
    templates_in: u64,
    /// Datagrams encoded.
    pub datagrams: u64,
    /// Events encoded.
    pub records: u64,
}

impl Exporter {
    /// The exporter of realm number `n`.
    pub fn new(plan: &Plan, n: usize, realm: &Realm) -> Exporter {
        let mut restarts: Vec<i64> =
            plan.faults.exporter_restarts.iter().filter(|(name, _)| name == realm.exporter).map(|(_, at)| *at).collect();
        restarts.sort_unstable();
        Exporter {
            encoder: FlowEncoder::new(realm.protocol, realm.domain),
            offset_ms: plan.offset_of(realm.exporter),
            line: Line::new(&plan.faults, Rng::new(plan.seed, 100 + n as u64)),
            restarts: restarts.into(),
            started: 0,
            begun: None,
            templates_at: 0,
            templates_in: 0,
            datagrams: 0,
            records: 0,
        }
    }

    /// The line, for its counts.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Logs one event.
    pub fn log(&mut self, event: &NatEvent, stamps: &Stamps<'_>, send: Send<'_>) -> Result<(), SimError> {
        self.restart_if_due(event.at, stamps, send)?;
        if !self.encoder.has_room(event.mapping.what) {
            self.flush(event.at, stamps, send)?;
        }
        if self.encoder.is_empty() && (event.at >= self.templates_at || self.templates_in == 0) {
            self.begin_templates(event.at);
        }
        self.encoder.push(event, stamps.base + event.at + self.offset_ms);
        self.begun.get_or_insert(event.at);
        self.records += 1;
        Ok(())
    }

    fn begin_templates(&mut self, now: i64) {
        self.encoder.push_templates();
        self.begun.get_or_insert(now);
        self.templates_in = TEMPLATES_EVERY;
        self.templates_at = i64::MAX;
    }

    fn restart_if_due(&mut self, now: i64, stamps: &Stamps<'_>, send: Send<'_>) -> Result<(), SimError> {
        while self.restarts.front().is_some_and(|at| *at <= now) {
            self.restarts.pop_front();
            self.flush(now, stamps, send)?;
            self.encoder.restart();
            self.started = now;
            self.templates_in = 0;
        }
        Ok(())
    }

    /// Sends what has waited long enough, and templates when they are due, also when there is nothing else to say.
    pub fn tick(&mut self, now: i64, flush_ms: i64, templates_ms: i64, stamps: &Stamps<'_>, send: Send<'_>) -> Result<(), SimError> {
        self.restart_if_due(now, stamps, send)?;
        if self.begun.is_some_and(|begun| now - begun >= flush_ms) {
            self.flush(now, stamps, send)?;
        }
        if self.templates_at == i64::MAX {
            self.templates_at = now + templates_ms;
        }
        if self.encoder.is_empty() && now >= self.templates_at {
            self.begin_templates(now);
        }
        Ok(())
    }

    fn flush(&mut self, now: i64, stamps: &Stamps<'_>, send: Send<'_>) -> Result<(), SimError> {
        if self.encoder.is_empty() {
            return Ok(());
        }
        let header = stamps.sending.map_or(stamps.base + now, |clock| clock.now().0) + self.offset_ms;
        let datagram = self.encoder.finish(header, now - self.started);
        self.begun = None;
        self.templates_in = self.templates_in.saturating_sub(1);
        self.datagrams += 1;
        self.line.pass(datagram, |d| send(&d))
    }

    /// Sends all that is left, then a last message of templates alone: it says that the exporter was alive to the end.
    pub fn finish(&mut self, now: i64, stamps: &Stamps<'_>, send: Send<'_>) -> Result<(), SimError> {
        self.flush(now, stamps, send)?;
        self.begin_templates(now);
        self.flush(now, stamps, send)?;
        self.line.flush(|d| send(&d))
    }
}
