//! From a message to the columns of `radius_session` and `nat_event`. Pure.

use std::collections::BTreeSet;

use weir_base::crypto::sha256;
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Action, Form, IdType, Name, NatEvent, RadiusSession, Sort};

use super::limits::{DELAY_MAX_S, EVENT_AHEAD_MS, EVENT_FIRST_MS};
use super::message::Message;
use super::state::Key;
use super::table::Block;

/// When an event happened, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime {
    /// The instant, by the NAS's clock when `stamped`, else by ours.
    pub time: Millis,
    /// True when it is an Event-Timestamp.
    pub stamped: bool,
}

/// Event-Timestamp where there is one that can be, else arrival less Acct-Delay-Time.
pub fn event_time(message: &Message, arrived: Millis) -> EventTime {
    if let Some(s) = message.event_s {
        let time = Millis(i64::from(s) * 1000);
        // A clock that was never set, or far ahead of ours, says nothing about when it was.
        if time.0 >= EVENT_FIRST_MS && time.since(arrived) <= EVENT_AHEAD_MS {
            return EventTime { time, stamped: true };
        }
    }
    EventTime { time: arrived.plus(-1000 * i64::from(delay_s(message))), stamped: false }
}

/// Acct-Delay-Time in seconds, 0 where it is absent or cannot be.
pub fn delay_s(message: &Message) -> u32 {
    message.delay_s.filter(|d| *d <= DELAY_MAX_S).unwrap_or(0)
}

/// What tells one NAS from another: its realm, address and identifier; the sender only where it names itself by neither, because a relay
/// sends for many.
pub fn nas_key(realm: u32, message: &Message, sender: Option<Addr16>) -> Key {
    let identifier = message.nas_identifier.as_deref().unwrap_or_default();
    let address = match (message.nas_address, identifier) {
        (Some(a), _) => a,
        (None, "") => sender.unwrap_or(Addr16::NONE),
        (None, _) => Addr16::NONE,
    };
    digest(&[b"nas", &realm.to_be_bytes(), &address.0, identifier.as_bytes()])
}

/// What tells one session from another: its NAS and Acct-Session-Id.
pub fn session_key(nas: Key, acct_session_id: &str) -> Key {
    digest(&[b"session", &nas, acct_session_id.as_bytes()])
}

/// The first 16 bytes of SHA-256 over parts, each with its length before it.
pub fn digest(parts: &[&[u8]]) -> Key {
    let mut all = Vec::with_capacity(parts.iter().map(|p| p.len() + 8).sum());
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    sha256(&all).first_chunk().copied().unwrap_or_default()
}

/// What the caller of [`row`] knows besides the message.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Number of the source.
    pub source: u32,
    /// Number of the realm.
    pub realm: u32,
    /// When it happened.
    pub time: Millis,
    /// When it arrived.
    pub arrived: Millis,
    /// The sender, for a NAS that does not name itself.
    pub sender: Option<Addr16>,
    /// Opaque id of the account.
    pub subscriber: Option<Id>,
    /// Opaque id of the caller number.
    pub caller: Option<Id>,
    /// Digest of the Class attributes.
    pub class: Option<Id>,
}

/// The row of a message, which loses its texts to it. Session id, start and its certainty are the session table's to fill in.
pub fn row(message: &mut Message, about: &About) -> RadiusSession {
    let mut row = RadiusSession {
        time: about.time,
        arrived: about.arrived,
        source: about.source,
        realm: about.realm,
        status: message.status.and_then(|s| u8::try_from(s).ok()).unwrap_or(0),
        acct_session_id: Some(std::mem::take(&mut message.session_id)).filter(|s| !s.is_empty()),
        multi_session_id: message.multi_session_id.take(),
        subscriber: about.subscriber,
        caller: about.caller,
        called: message.called.take(),
        nas_address: message.nas_address.or(about.sender),
        nas_identifier: message.nas_identifier.take(),
        nas_port: message.nas_port,
        nas_port_id: message.nas_port_id.take(),
        nas_port_type: message.nas_port_type,
        framed_ipv4: message.framed_ipv4,
        class: about.class,
        port_limit: message.port_limit,
        input_octets: message.octets_in,
        output_octets: message.octets_out,
        session_time: message.session_time_s,
        terminate_cause: message.terminate_cause,
        ..RadiusSession::default()
    };
    row.set_ipv6(&ipv6(message));
    row
}

/// Every IPv6 address and prefix a message names: each attribute may be there several times (RFC 3162, 4818, 6911).
fn ipv6(message: &Message) -> Vec<Name> {
    let whole = |addr: Addr16| Name { sort: Sort::V6, prefix: Prefix::new(addr, 128) };
    let mut names: Vec<Name> = message.framed_ipv6.iter().map(|a| whole(*a)).collect();
    if names.is_empty() {
        names.extend(message.framed_prefixes.iter().filter_map(|p| slaac(*p, message.interface_id?)).map(whole));
    }
    names.extend(message.framed_prefixes.iter().map(|prefix| Name { sort: Sort::Framed, prefix: *prefix }));
    names.extend(message.delegated_prefixes.iter().map(|prefix| Name { sort: Sort::Delegated, prefix: *prefix }));
    let mut seen = BTreeSet::new();
    names.retain(|n| seen.insert(*n));
    names
}

/// Framed-IPv6-Prefix of 64 bits and Framed-Interface-Id make an address (RFC 3162 section 2.2).
fn slaac(prefix: Prefix, id: [u8; 8]) -> Option<Addr16> {
    let mut addr = prefix.addr.0;
    addr.get_mut(8..)?.copy_from_slice(&id);
    (prefix.bits == 64).then_some(Addr16(addr))
}

/// The NAT event of a port block, or of a forwarded port, which is an entry of the binding table that somebody wrote.
pub fn block_event(block: &Block, source: u32, time: Millis, action: Action) -> NatEvent {
    NatEvent {
        time,
        action: action as u8,
        form: if block.inside_port.is_some() { Form::Bib } else { Form::Block } as u8,
        protocol: block.protocol,
        source,
        public_address: block.public,
        public_port: block.first,
        public_port_last: block.last,
        inside_address: block.inside,
        inside_port: block.inside_port.unwrap_or(0),
        ..NatEvent::default()
    }
}

/// What sort of value a Calling-Station-Id is, and its form for the id: hardware addresses in lower case with colons whatever the NAS
/// writes, everything else as it is. Twelve hex digits without separators stay a number: they may be one.
pub fn caller(clear: &str) -> (IdType, String) {
    match hardware(clear.as_bytes()) {
        Some(address) => (IdType::Hardware, address),
        None => (IdType::Caller, clear.to_owned()),
    }
}

fn hardware(clear: &[u8]) -> Option<String> {
    let separators = || clear.iter().filter(|b| !b.is_ascii_hexdigit());
    let first = *separators().next().filter(|b| matches!(b, b'-' | b':' | b'.'))?;
    let group = match separators().count() {
        5 if first != b'.' => 2,
        2 => 4,
        _ => return None,
    };
    let even = separators().all(|s| *s == first) && clear.split(|b| *b == first).all(|part| part.len() == group);
    if !even || clear.iter().filter(|b| b.is_ascii_hexdigit()).count() != 12 {
        return None;
    }
    let mut out = String::with_capacity(17);
    for (i, digit) in clear.iter().filter(|b| b.is_ascii_hexdigit()).enumerate() {
        if i > 0 && i % 2 == 0 {
            out.push(':');
        }
        out.push(char::from(digit.to_ascii_lowercase()));
    }
    Some(out)
}
