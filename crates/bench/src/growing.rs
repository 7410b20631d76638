//! A store that grows in simulated time: rounds of the same minute, one after the other, as fast as it goes and in this process.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use weir_base::clock::Clock;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::RecordSink;
use weir_sources::ipfix::collector::{Collector, Transport};
use weir_store::engine::{Store, StoreConfig};

use crate::asking::{self, Asked};
use crate::fold::Stepped;
use crate::records::{Exporter, Records, Was};
use crate::shared::Outcome;
use crate::{proc, serve, sources};

/// Rows of one group.
const GROUP_ROWS: usize = 8_192;
/// The sender's address.
const PEER: [u8; 4] = [127, 1, 0, 1];
/// Seals between two checkpoints of the index.
const FLUSH_SEALS: u64 = 10;

/// The store and how far it has come.
pub struct Growing {
    /// The store.
    pub store: Arc<Store>,
    clock: Arc<Stepped>,
    tasks: Tasks,
    collector: Collector,
    exporter: Exporter,
    /// What a round is.
    pub records: Records,
    /// When the rounds began, milliseconds since 1970.
    pub rounds: Vec<i64>,
    /// When it is sealed, milliseconds from a round's begin.
    seals: Vec<i64>,
    sealed: u64,
    /// Processor time of all rounds, seconds.
    pub processor: f64,
}

impl Growing {
    /// An empty folder, and a clock that stands at `begin`.
    pub fn begin(folder: &Path, records: Records, begin: i64) -> Outcome<Growing> {
        let stepped = Arc::new(Stepped(AtomicI64::new(begin)));
        let clock: Arc<dyn Clock> = Arc::clone(&stepped) as Arc<dyn Clock>;
        let config = StoreConfig {
            origin: "bench.invalid".to_owned(),
            unit_seconds: 1 << 40,
            unit_rows: usize::MAX,
            memory_bytes: u64::MAX,
            ..StoreConfig::default()
        };
        let store = serve::open(folder, &clock, config)?;
        let tasks = Tasks::new(Stop::new(), |ended| {
            if ended.panic.is_some() {
                eprintln!("{} ended: {:?}", ended.name, ended.panic);
            }
        });
        store.start(&tasks)?;
        let sink: Arc<dyn RecordSink> = Arc::clone(&store) as Arc<dyn RecordSink>;
        let settings = Arc::new(sources::ipfix_settings("")?);
        let collector = Collector::new(settings, Box::new(sink), Transport::Udp, "udp:grow", None);
        Ok(Growing {
            store,
            clock: stepped,
            tasks,
            collector,
            exporter: Exporter::default(),
            seals: vec![records.span],
            records,
            rounds: Vec::new(),
            sealed: 0,
            processor: 0.0,
        })
    }

    /// Seals so many milliseconds after a round's begin, instead of when it is over: what is open then crosses from one unit to the next.
    pub fn sealing_at(mut self, seals: &[i64]) -> Growing {
        self.seals = seals.to_vec();
        self
    }

    /// Plays a round that begins at `start`, and seals when it is time.
    pub fn round(&mut self, start: i64) -> Outcome<()> {
        let before = proc::processor_now();
        let (moved, peer) = (start - self.records.begin, SocketAddr::from((PEER, 4_739)));
        let seals: Vec<i64> = self.seals.iter().map(|after| start + after).collect();
        let (mut at, mut seals) = (0, seals.into_iter().peekable());
        while let Some(message) = self.records.message(&mut self.exporter, at, moved) {
            let seconds = message.get(4..8).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes);
            let now = (i64::from(seconds) * 1_000).max(self.clock.now().0);
            while let Some(due) = seals.next_if(|due| *due <= now) {
                self.seal(due)?;
            }
            self.clock.0.store(now, Ordering::Relaxed);
            self.collector.message(peer, 0, Millis(now), &message)?;
            if self.collector.rows() >= GROUP_ROWS {
                self.commit()?;
            }
            // What a message holds is known by its length alone.
            at += self.records.in_message(&message);
        }
        self.commit()?;
        for due in seals {
            self.seal(due)?;
        }
        self.clock.0.store(start + self.records.span, Ordering::Relaxed);
        self.rounds.push(start);
        self.processor += (proc::processor_now() - before).as_secs_f64();
        Ok(())
    }

    /// Seals what has come, as if it were `due`.
    fn seal(&mut self, due: i64) -> Outcome<()> {
        self.commit()?;
        self.clock.0.store(due.max(self.clock.now().0), Ordering::Relaxed);
        self.store.seal_now()?;
        self.sealed += 1;
        if self.sealed.is_multiple_of(FLUSH_SEALS) {
            self.store.flush_index()?;
        }
        Ok(())
    }

    /// Seals the rest of the last round.
    pub fn finish(&mut self) -> Outcome<()> {
        let before = proc::processor_now();
        self.seal(self.clock.now().0)?;
        self.processor += (proc::processor_now() - before).as_secs_f64();
        Ok(())
    }

    fn commit(&mut self) -> Outcome<()> {
        if let Some(group) = self.collector.take() {
            self.store.commit(group)?;
        }
        Ok(())
    }

    /// Repacks what was sealed some time before.
    pub fn repack(&mut self, older_ms: i64) -> Outcome<()> {
        let before = proc::processor_now();
        self.store.repack(Millis(self.clock.now().0 - older_ms))?;
        self.processor += (proc::processor_now() - before).as_secs_f64();
        Ok(())
    }

    /// Events that went in.
    pub fn events(&self) -> u64 {
        self.records.len() as u64 * self.rounds.len() as u64
    }

    /// So many mappings that were, of all rounds alike.
    pub fn held(&self, count: usize) -> Vec<Was> {
        let one = self.records.held(count);
        let moved = |(i, was): (usize, &Was)| {
            // Far from each other, and each round as often as the next.
            let by = self.rounds.get(i * 7_919 % self.rounds.len().max(1)).copied().unwrap_or(0) - self.records.begin;
            Was { start: was.start + by, end: was.end + by, ..*was }
        };
        one.iter().enumerate().map(moved).collect()
    }

    /// Asks so many questions about the past, with a cold cache where `cold` is a folder.
    pub fn ask(&self, count: usize, cold: Option<&Path>) -> Outcome<Asked> {
        self.store.flush_index()?;
        asking::ask(&self.store, &self.held(count), cold)
    }

    /// Stops in order.
    pub fn stop(self) -> Outcome<()> {
        self.tasks.stop().raise();
        self.store.stop()?;
        self.tasks.join();
        Ok(())
    }
}
