//! Entry point for fuzzing: any bytes, no panic, limits kept, and nothing is left open at the end that was not begun.

use weir_base::time::Millis;
use weir_record::kinds::Action;

use super::message::connection;
use super::netlink::messages;
use super::table::{Out, Table, Told};

/// Connections of the fuzzed table.
const CAPACITY: usize = 8;

/// Feeds datagrams cut from `data`: each begins with two bytes of length and one that says what happens before it (a pass begins or ends).
pub fn conntrack_message(data: &[u8]) {
    let (mut table, mut out, mut now) = (Table::new(1, CAPACITY), Out::default(), Millis(1_700_000_000_000));
    let mut rest = data;
    while let Some(([a, b, how], tail)) = rest.split_first_chunk::<3>() {
        let (datagram, tail) = tail.split_at(usize::from(u16::from_be_bytes([*a, *b])).min(tail.len()));
        rest = tail;
        now = now.plus(i64::from(how >> 2));
        match how & 3 {
            1 => table.begin_pass(),
            2 => drop(table.end_pass(now, &mut out)),
            _ => {}
        }
        for c in messages(datagram).filter_map(|m| connection(&m.ok()?).ok()?) {
            let told = |e: &super::message::Ends| Told {
                protocol: e.protocol,
                public: e.public,
                public_port: e.public_port,
                inside: e.inside,
                inside_port: e.inside_port,
                ..Told::default()
            };
            table.take(&c, told, now, &mut out);
        }
        assert!(table.len() <= CAPACITY);
    }
    // What is told as state is what the table holds.
    let mut back = Table::new(1, CAPACITY);
    let mut state = std::collections::BTreeMap::new();
    for put in out.state {
        match put.value {
            Some(value) => drop(state.insert(put.key, value)),
            None => drop(state.remove(&put.key)),
        }
    }
    assert!(state.iter().all(|(k, v)| back.load(k, v)));
    assert_eq!(back.len(), table.len());
    let ended = |a: u8| a == Action::Delete as u8 || a == Action::Gone as u8;
    assert!(out.rows.iter().all(|r| r.action == Action::Create as u8 || ended(r.action)));
}
