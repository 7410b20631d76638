//! Entry point for fuzzing: any bytes, no panic, limits kept, and no more events than flows can tell of.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;

use super::collector::Collector;
use super::config::{Config, DeviceConfig};
use super::message::FLOW;
use crate::ipfix::lane::Intake;
use crate::ipfix::prepared::MemoryRegister;

/// Feeds datagrams cut from `data`: each begins with two bytes of length and one that says how much time passes before it.
pub fn h3c_log(data: &[u8]) {
    let device = DeviceConfig { prefix: "192.0.2.1/32".into(), realm: "default".into(), ..DeviceConfig::default() };
    let Ok(settings) = (Config { devices: vec![device], ..Config::default() }).check() else { return };
    let mut collector = Collector::new(Arc::new(settings), Box::new(MemoryRegister::default()), "fuzz", None);
    let (mut now, mut rest, mut most) = (1_700_000_000_000i64, data, 0);
    let mut groups = Vec::new();
    while let Some(([a, b, how], tail)) = rest.split_first_chunk::<3>() {
        let (datagram, tail) = tail.split_at(usize::from(u16::from_be_bytes([*a, *b])).min(tail.len()));
        rest = tail;
        now += i64::from(*how) * 50;
        most += 2 * (datagram.len() / FLOW);
        let _ = collector.datagram(Addr16::v4([192, 0, 2, 1]), Millis(now), datagram);
        collector.tick(Millis(now));
        groups.extend(collector.take());
    }
    collector.stop(Millis(now));
    groups.extend(collector.take());
    let events: usize = groups.iter().flat_map(|g| &g.batches).filter(|(k, _)| *k == Kind::NatEvent).map(|(_, b)| b.num_rows()).sum();
    assert!(events <= most);
}
