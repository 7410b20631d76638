//! Entry point for fuzzing: any bytes, no panic, limits kept, and no more events than flows can tell of.

use std::sync::Arc;

use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;

use super::collector::Collector;
use super::config::{Config, DeviceConfig};
use super::layout::LayoutConfig;
use crate::ipfix::lane::Intake;
use crate::ipfix::prepared::MemoryRegister;

/// Version 5 as version 3 is, and a version 9 of which each number is as wide as it can be.
const LAYOUTS: [&str; 2] = [
    "version = 5\nheader = 16\ncount = 2\ntime = 4\nsequence = 8\nrecord = 64\nprotocol = 0\noperator = 1\nip_version = 2\ninside_address = 4\n\
     public_address = 8\nremote_address = 12\ninside_port = 20\npublic_port = 22\nremote_port = 24\nstart = 28\nend = 32\n",
    "version = 9\nheader = 22\ncount = 2\ncount_bytes = 4\ntime = 6\ntime_bytes = 8\ntime_unit = \"ms\"\nsequence = 14\nsequence_bytes = 8\n\
     record = 73\naddress_bytes = 16\nprotocol = 72\noperator = 71\nip_version = 70\ninside_address = 0\npublic_address = 16\nremote_address = 32\n\
     inside_port = 48\npublic_port = 50\nremote_port = 52\nstart = 54\nend = 62\n",
];
/// Bytes of the shortest flow of all layouts.
const SHORTEST: usize = 64;

/// Feeds datagrams cut from `data`: each begins with two bytes of length and one that says how much time passes before it.
pub fn h3c_log(data: &[u8]) {
    let device = DeviceConfig { prefix: "192.0.2.1/32".into(), realm: "default".into(), ..DeviceConfig::default() };
    let layouts: Vec<LayoutConfig> = LAYOUTS.iter().filter_map(|text| toml::from_str(text).ok()).collect();
    assert_eq!(layouts.len(), LAYOUTS.len());
    let settings = (Config { devices: vec![device], layouts, ..Config::default() }).check();
    assert!(settings.is_ok());
    let Ok(settings) = settings else { return };
    let mut collector = Collector::new(Arc::new(settings), Box::new(MemoryRegister::default()), "fuzz", None);
    let (mut now, mut rest, mut most) = (1_700_000_000_000i64, data, 0);
    let mut groups = Vec::new();
    while let Some(([a, b, how], tail)) = rest.split_first_chunk::<3>() {
        let (datagram, tail) = tail.split_at(usize::from(u16::from_be_bytes([*a, *b])).min(tail.len()));
        rest = tail;
        now += i64::from(*how) * 50;
        most += 2 * (datagram.len() / SHORTEST);
        let _ = collector.datagram(Addr16::v4([192, 0, 2, 1]), Millis(now), datagram);
        collector.tick(Millis(now));
        groups.extend(collector.take());
    }
    collector.stop(Millis(now));
    groups.extend(collector.take());
    let events: usize = groups.iter().flat_map(|g| &g.batches).filter(|(k, _)| *k == Kind::NatEvent).map(|(_, b)| b.num_rows()).sum();
    assert!(events <= most);
}
