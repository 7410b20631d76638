//! Decoding without sockets and without a store: for benchmarks, fuzzing and tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::sink::{SinkError, SourceCounters, SourceDesc, SourceHandle};

use super::collector::{Collector, Register, Transport};
use super::config::Settings;
use super::limits::BATCH_ROWS;

/// A register that lives in memory: numbers from 1 on, one a name.
#[derive(Clone, Debug, Default)]
pub struct MemoryRegister(Arc<Mutex<BTreeMap<String, (SourceDesc, SourceHandle)>>>);

impl MemoryRegister {
    /// What was registered, by name.
    pub fn sources(&self) -> Vec<(SourceDesc, SourceHandle)> {
        lock(&self.0).values().cloned().collect()
    }

    /// The counters of a source; all zero when there is none of this name.
    pub fn counters(&self, name: &str) -> SourceCounters {
        lock(&self.0).get(name).map(|(_, h)| lock(&h.counters).clone()).unwrap_or_default()
    }
}

impl Register for MemoryRegister {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        let mut map = lock(&self.0);
        let number = u32::try_from(map.len()).unwrap_or(u32::MAX).saturating_add(1);
        let new = || (desc.clone(), SourceHandle { number, realm: 1, counters: Arc::default() });
        Ok(map.entry(desc.name.clone()).or_insert_with(new).1.clone())
    }
}

/// Settings that take every exporter from loopback as RFC 8158 says.
pub fn loopback_settings() -> Settings {
    Settings { accept_unknown: true, ..Settings::default() }
}

/// What [`decode_many`] made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Rows of NAT events.
    pub rows: u64,
    /// Groups, each of about [`BATCH_ROWS`] rows.
    pub groups: u64,
}

/// Decodes datagrams of one exporter on loopback through the whole collector into groups, `rounds` times. The caller takes the time. In
/// later rounds the sequence numbers step back; the datagrams are decoded all the same, as after restarts of the exporter, and judged
/// by a tracker that is told they count nothing.
pub fn decode_many(datagrams: &[Vec<u8>], rounds: usize, arrival: Millis) -> Made {
    let mut settings = loopback_settings();
    settings.rules.extend(settings.rule(loopback().ip().into(), 0).map(|mut rule| {
        rule.counting = Some(super::sequence::Counting::None);
        rule
    }));
    let register = Box::new(MemoryRegister::default());
    let mut collector = Collector::new(Arc::new(settings), register, Transport::Udp, "bench", None);
    let mut made = Made::default();
    let mut take = |collector: &mut Collector| {
        let Some(group) = collector.take() else { return };
        let events = group.batches.iter().filter(|(kind, _)| *kind == weir_record::Kind::NatEvent);
        made.rows += events.map(|(_, b)| b.num_rows() as u64).sum::<u64>();
        made.groups += 1;
    };
    for datagram in (0..rounds).flat_map(|_| datagrams) {
        // The register in memory refuses nobody.
        let _ = collector.message(loopback(), 0, arrival, datagram);
        if collector.rows() >= BATCH_ROWS {
            take(&mut collector);
        }
    }
    take(&mut collector);
    made
}

/// The sender of prepared datagrams.
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 4739))
}
