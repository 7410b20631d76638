//! From a collector to the sink: when a group is handed over, and what happens when it was not kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use weir_base::clock::Clock;
use weir_base::crypto::Mac;
use weir_base::task::{Stop, lock};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::sink::{Group, RecordSink, SinkError};

use super::collector::{Collector, Transport};
use super::config::Settings;
use super::limits::{BATCH_ROWS, BATCH_WAIT_MS, RETRY_MS, TICK_MS};
use super::out::OWNER;

type Batches = Vec<(Kind, RecordBatch)>;

/// What was not kept, with the reason. Written by the store's thread.
type Failed = Arc<Mutex<Vec<(Batches, SinkError)>>>;

/// What a lane drives: datagrams and messages in, groups out.
pub trait Intake {
    /// The owner name of its state.
    const OWNER: &'static str;

    /// Takes a datagram, or a message of a TCP session (`session` is then its number, else 0).
    ///
    /// # Errors
    /// Its source could not be registered: nothing was taken, try again with the same bytes.
    fn message(&mut self, peer: std::net::SocketAddr, session: u64, arrival: Millis, data: &[u8]) -> Result<(), SinkError>;

    /// Rows that wait for the next group.
    fn rows(&self) -> usize;

    /// What is due at `now`.
    fn tick(&mut self, now: Millis);

    /// The program stops: everything that waits is settled.
    fn stop(&mut self, now: Millis);

    /// The next group, when there is something for it.
    fn take(&mut self) -> Option<Group>;

    /// Puts all state into the next group: an earlier one was not kept.
    fn rewrite_state(&mut self);

    /// Says of every source why its records are not kept at the moment.
    fn trouble(&mut self, text: &str);

    /// Rows that were refused for good.
    fn discarded(&mut self, rows: u64, now: Millis);

    /// Datagrams of this socket that the kernel dropped.
    fn kernel_dropped(&mut self, datagrams: u64, now: Millis);
}

impl Intake for Collector {
    const OWNER: &'static str = OWNER;

    fn message(&mut self, peer: std::net::SocketAddr, session: u64, arrival: Millis, data: &[u8]) -> Result<(), SinkError> {
        Collector::message(self, peer, session, arrival, data)
    }

    fn rows(&self) -> usize {
        Collector::rows(self)
    }

    fn tick(&mut self, now: Millis) {
        Collector::tick(self, now);
    }

    fn stop(&mut self, now: Millis) {
        Collector::stop(self, now);
    }

    fn take(&mut self) -> Option<Group> {
        Collector::take(self)
    }

    fn rewrite_state(&mut self) {
        Collector::rewrite_state(self);
    }

    fn trouble(&mut self, text: &str) {
        Collector::trouble(self, text);
    }

    fn discarded(&mut self, rows: u64, now: Millis) {
        Collector::discarded(self, rows, now);
    }

    fn kernel_dropped(&mut self, datagrams: u64, now: Millis) {
        Collector::kernel_dropped(self, datagrams, now);
    }
}

/// A collector with its way to the sink.
pub struct Lane<C = Collector> {
    /// The collector.
    pub collector: C,
    sink: Arc<dyn RecordSink>,
    clock: Arc<dyn Clock>,
    failed: Failed,
    submitted: Millis,
    ticked: Millis,
}

impl Lane {
    /// A lane whose collector has taken back its state.
    pub fn new(
        settings: &Arc<Settings>,
        sink: &Arc<dyn RecordSink>,
        clock: &Arc<dyn Clock>,
        transport: Transport,
        label: &str,
        mac: Option<Mac>,
    ) -> Result<Lane, SinkError> {
        let now = clock.now();
        let mut collector = Collector::new(Arc::clone(settings), Box::new(Arc::clone(sink)), transport, label, mac);
        collector.restore(&sink.state(OWNER), now)?;
        Ok(Lane::of(collector, sink, clock))
    }
}

impl<C: Intake> Lane<C> {
    /// A lane of a collector that has taken back its state.
    pub fn of(collector: C, sink: &Arc<dyn RecordSink>, clock: &Arc<dyn Clock>) -> Lane<C> {
        let now = clock.now();
        let (sink, clock) = (Arc::clone(sink), Arc::clone(clock));
        Lane { collector, sink, clock, failed: Failed::default(), submitted: now, ticked: now }
    }

    /// Our clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Gives a message to the collector; waits while its source cannot be registered (the disk is full). False: the program stops.
    pub fn message(&mut self, peer: std::net::SocketAddr, session: u64, arrival: Millis, bytes: &[u8], stop: &Stop) -> bool {
        while let Err(error) = self.collector.message(peer, session, arrival, bytes) {
            self.collector.trouble(&error.to_string());
            if stop.wait(Duration::from_millis(RETRY_MS)) {
                return false;
            }
        }
        if self.collector.rows() >= BATCH_ROWS {
            self.submit();
        }
        true
    }

    /// True when rows wait for a batch to fill.
    pub fn waits(&self) -> bool {
        self.collector.rows() > 0
    }

    /// What is due: the batch whose time is up, what the collector does now and then. Gives true once every [`TICK_MS`]. Waits while
    /// something was not kept: nothing more is read then, a TCP sender is held up, and what the kernel drops of UDP it counts.
    pub fn turn(&mut self, stop: &Stop) -> bool {
        while !self.settle() {
            if stop.wait(Duration::from_millis(RETRY_MS)) {
                return false;
            }
        }
        let now = self.now();
        let ticks = !(0..TICK_MS).contains(&now.since(self.ticked));
        if ticks {
            self.collector.tick(now);
            self.ticked = now;
        }
        if !(0..BATCH_WAIT_MS).contains(&now.since(self.submitted)) {
            self.submit();
        }
        ticks
    }

    /// Hands over what there is. Waits while the store's queue is full.
    pub fn submit(&mut self) {
        self.submitted = self.now();
        let Some(group) = self.collector.take() else { return };
        // The columns are shared, not copied; they are let go when the group is durable.
        let (batches, failed) = (group.batches.clone(), Arc::clone(&self.failed));
        let done = move |result: Result<_, SinkError>| {
            if let Err(error) = result {
                lock(&failed).push((batches, error));
            }
        };
        self.sink.submit(group, Box::new(done));
    }

    /// Tries again what was not kept; true when nothing is left.
    fn settle(&mut self) -> bool {
        let failed = std::mem::take(&mut *lock(&self.failed));
        if failed.is_empty() {
            return true;
        }
        let mut left = Vec::new();
        for (batches, _) in failed {
            let rows: usize = batches.iter().map(|(_, b)| b.num_rows()).sum();
            let group = Group { batches: batches.clone(), ..Group::new(C::OWNER) };
            match self.sink.commit(group) {
                Ok(_) => {}
                Err(SinkError::Refused(_)) => self.collector.discarded(rows as u64, self.clock.now()),
                Err(error) => {
                    self.collector.trouble(&error.to_string());
                    left.push((batches, error));
                }
            }
        }
        // State of the failed groups was lost with them, and later groups may have been kept: all of it is written again.
        self.collector.rewrite_state();
        let clear = left.is_empty();
        lock(&self.failed).extend(left);
        clear
    }

    /// The program stops: settles what waits and hands over the rest, and waits for it.
    pub fn finish(&mut self) {
        self.collector.stop(self.now());
        let last = self.collector.take();
        self.settle();
        for group in last.into_iter().chain(self.collector.take()) {
            // There is nobody left to tell: what this group held shows as a gap in the numbers at the next start.
            let _ = self.sink.commit(group);
        }
    }
}
