//! A device that tells in log lines: each leaves at once, through the faults of its line.

use std::collections::VecDeque;

use crate::error::SimError;
use crate::network::Realm;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::wire::faults::Line;
use crate::wire::lines::{LineEncoder, framed};
use crate::world::event::{Accounting, NatEvent};

use super::Wire;

/// One device.
pub struct Device {
    encoder: LineEncoder,
    /// What goes wrong on the way; nothing on a connection.
    line: Line,
    stream: bool,
    restarts: VecDeque<i64>,
    marked: i64,
    n: usize,
    /// Lines written.
    pub lines: u64,
    /// NAT events in them.
    pub records: u64,
}

impl Device {
    /// The device of realm number `n`.
    pub fn new(plan: &Plan, n: usize, realm: &Realm) -> Device {
        let mut restarts: Vec<i64> =
            plan.faults.exporter_restarts.iter().filter(|(name, _)| name == realm.exporter).map(|(_, at)| *at).collect();
        restarts.sort_unstable();
        let stream = realm.protocol.is_stream();
        let faults = if stream { &crate::plan::Faults::default() } else { &plan.faults };
        Device {
            encoder: LineEncoder::new(realm),
            line: Line::new(faults, Rng::new(plan.seed, 100 + n as u64)),
            stream,
            restarts: restarts.into(),
            marked: 0,
            n,
            lines: 0,
            records: 0,
        }
    }

    /// The line, for its counts.
    pub fn line(&self) -> &Line {
        &self.line
    }

    fn say(&mut self, text: Vec<u8>, wire: &mut dyn Wire) -> Result<(), SimError> {
        self.lines += 1;
        let (n, stream) = (self.n, self.stream);
        self.line.pass(text, |line| if stream { wire.send(n, &framed(&line)) } else { wire.send(n, &line) })
    }

    fn mark(&mut self, at: i64, wire: &mut dyn Wire) -> Result<(), SimError> {
        self.encoder.mark(at).map_or(Ok(()), |mark| self.say(mark, wire))
    }

    /// Tells of a NAT event.
    pub fn log(&mut self, event: &NatEvent, base: i64, wire: &mut dyn Wire) -> Result<(), SimError> {
        self.records += 1;
        let line = self.encoder.nat(event, base + event.at);
        self.say(line, wire)
    }

    /// Tells of a lease.
    pub fn lease(&mut self, request: &Accounting, base: i64, wire: &mut dyn Wire) -> Result<(), SimError> {
        for line in self.encoder.lease(request, base + request.at) {
            self.say(line, wire)?;
        }
        Ok(())
    }

    /// Restarts the log daemon when it is due (a connection ends in order and another one begins), and marks every `mark_ms`.
    pub fn tick(&mut self, now: i64, mark_ms: i64, base: i64, wire: &mut dyn Wire) -> Result<(), SimError> {
        while self.restarts.front().is_some_and(|at| *at <= now) {
            self.restarts.pop_front();
            wire.restart(self.n)?;
        }
        if now - self.marked >= mark_ms {
            self.marked = now;
            self.mark(base + now, wire)?;
        }
        Ok(())
    }

    /// A last mark says that the device was alive to the end; then what is held back leaves.
    pub fn finish(&mut self, now: i64, base: i64, wire: &mut dyn Wire) -> Result<(), SimError> {
        self.mark(base + now, wire)?;
        let n = self.n;
        self.line.flush(|line| wire.send(n, &line))?;
        wire.finish(n)
    }
}
