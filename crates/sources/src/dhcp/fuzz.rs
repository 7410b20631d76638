//! Entry points for fuzzing: any bytes as a lease file or as a frame, no panic, limits kept.

use weir_base::time::Millis;
use weir_record::Id;

use super::kea::{self, Row};
use super::leases::{Leases, Out};

/// Leases of the fuzzed table.
const CAPACITY: usize = 8;

/// Reads `data` as a file of dnsmasq and, line by line, of Kea; the leases go into a table, and come back from its state.
pub fn dhcp_leases(data: &[u8]) {
    let (mut leases, mut out, mut now) = (Leases::new(1, 1, Some("fuzz"), CAPACITY), Out::default(), Millis(1_700_000_000_000));
    let (mut lines, _) = super::dnsmasq::leases(data);
    let mut columns = None;
    for line in data.split(|b| *b == b'\n') {
        match kea::row(columns.as_ref(), line) {
            Ok(Row::Header(c)) => columns = Some(c),
            Ok(Row::Lease(lease)) => lines.push(lease),
            Ok(Row::Nothing) | Err(_) => {}
        }
    }
    for (i, line) in lines.iter().enumerate() {
        now = now.plus(700);
        let client = Id((line.client.len() as u128).to_be_bytes());
        leases.take(line, client, Id((i as u128).to_be_bytes()), now, i % 2 == 0, &mut out);
        leases.tick(now, &mut out);
        assert!(leases.len() <= CAPACITY);
    }
    let mut back = Leases::new(1, 1, Some("fuzz"), CAPACITY);
    let mut state = std::collections::BTreeMap::new();
    for put in out.state {
        match put.value {
            Some(value) => drop(state.insert(put.key, value)),
            None => drop(state.remove(&put.key)),
        }
    }
    assert!(state.iter().all(|(k, v)| back.load(k, v)));
    assert_eq!(back.len(), leases.len());
    assert!(out.rows.iter().all(|r| r.start.is_some_and(|s| s <= r.time)));
}

/// Reads `data` as a frame and as a message; no panic, and what is told of a lease is whole.
pub fn dhcp_packet(data: &[u8]) {
    let (mut leases, mut out) = (Leases::new(1, 1, None, CAPACITY), Out::default());
    let frame = match super::packet::payload(data) {
        Ok(found) => {
            assert!(found.is_none_or(|p| p.offset + p.bytes.len() <= data.len()));
            found.map(|p| p.bytes)
        }
        Err(fault) => {
            assert!(fault.offset <= data.len());
            None
        }
    };
    let mut now = Millis(1_700_000_000_000);
    for bytes in frame.into_iter().chain([data]) {
        let Ok(Some(message)) = super::message::message(bytes) else { continue };
        let Ok(Some(line)) = message.line(None, now) else { continue };
        assert!(!line.client.is_empty() && line.expires.is_none_or(|t| t >= now) && line.prefix.addr.is_v4());
        let client = Id((line.client.len() as u128).to_be_bytes());
        leases.take(&line, client, Id(7u128.to_be_bytes()), now, message.begins(), &mut out);
        now = now.plus(1_000);
    }
    assert!(leases.len() <= CAPACITY && out.rows.iter().all(|r| r.start.is_some_and(|s| s <= r.time)));
}
