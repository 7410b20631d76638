//! Tests of the conntrack source: what the kernel sent, the table, the settings.

mod decoding;
mod kernel;
mod tables;

use crate::conntrack::message::{Connection, connection};
use crate::conntrack::netlink::messages;

/// The datagrams of `testdata/messages.txt` by name.
pub fn vectors() -> Vec<(String, Vec<u8>)> {
    let text = include_str!("../testdata/messages.txt");
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines.map(|l| l.split_once(' ').map(|(name, hex)| (name.to_owned(), bytes(hex))).unwrap()).collect()
}

pub fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

pub fn vector(name: &str) -> Vec<u8> {
    vectors().into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no vector {name}")).1
}

/// The connections of a datagram.
pub fn read(datagram: &[u8]) -> Vec<Connection> {
    messages(datagram).filter_map(|m| connection(&m.unwrap()).unwrap()).collect()
}
