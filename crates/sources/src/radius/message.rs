//! A message: what an accounting packet or a block of a detail file says, typed and owned. Pure.

use weir_base::crypto::sha256;
use weir_base::net::{Addr16, Prefix};

use super::attributes as a;
use super::limits::{PORT_RANGES_MAX, PREFIXES_MAX, PROBLEMS_MAX, TEXT_MAX_BYTES};
use super::parser::Packet;
use super::ports::{self, Forward, PortRange};

/// A value that names a person. Its `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(String);

impl Personal {
    /// Wraps a clear value.
    pub fn new(value: String) -> Personal {
        Personal(value)
    }

    /// The clear value, for [`SubjectIds`](weir_record::sink::SubjectIds) and nobody else.
    pub fn clear(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(…)")
    }
}

/// An attribute that could not be used. Carries no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Attribute number.
    pub number: u8,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Bytes that may name a person. Its `Debug` never shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Opaque(Vec<u8>);

impl Opaque {
    /// Adds a value: its length in two octets, big-endian, then its octets.
    pub fn push(&mut self, value: &[u8]) {
        self.0.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.0.extend_from_slice(value);
    }

    /// The bytes, for [`SubjectIds::digest`](weir_record::sink::SubjectIds::digest) and nobody else.
    pub fn clear(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Opaque {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opaque(…)")
    }
}

/// What one accounting message says. Absent attributes are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Acct-Status-Type; `None` is not an accounting message.
    pub status: Option<u32>,
    /// Acct-Session-Id.
    pub session_id: String,
    /// Acct-Multi-Session-Id.
    pub multi_session_id: Option<String>,
    /// User-Name.
    pub account: Option<Personal>,
    /// Chargeable-User-Identity.
    pub chargeable: Option<Personal>,
    /// Calling-Station-Id.
    pub caller: Option<Personal>,
    /// Called-Station-Id.
    pub called: Option<String>,
    /// NAS-IP-Address or NAS-IPv6-Address.
    pub nas_address: Option<Addr16>,
    /// NAS-Identifier.
    pub nas_identifier: Option<String>,
    /// NAS-Port.
    pub nas_port: Option<u32>,
    /// NAS-Port-Id.
    pub nas_port_id: Option<String>,
    /// NAS-Port-Type.
    pub nas_port_type: Option<u32>,
    /// Framed-IP-Address; the values that mean "to be chosen" are left out.
    pub framed_ipv4: Option<Addr16>,
    /// Framed-IPv6-Address.
    pub framed_ipv6: Vec<Addr16>,
    /// Framed-IPv6-Prefix.
    pub framed_prefixes: Vec<Prefix>,
    /// Delegated-IPv6-Prefix.
    pub delegated_prefixes: Vec<Prefix>,
    /// Framed-Interface-Id.
    pub interface_id: Option<[u8; 8]>,
    /// Class (RFC 2865 section 5.25), all of them in order, each behind its length.
    pub class: Option<Opaque>,
    /// Acct-Delay-Time, seconds.
    pub delay_s: Option<u32>,
    /// Event-Timestamp, seconds since the Unix epoch.
    pub event_s: Option<u32>,
    /// Acct-Session-Time, seconds.
    pub session_time_s: Option<u32>,
    /// Octets from the user, gigawords included.
    pub octets_in: Option<u64>,
    /// Octets to the user, gigawords included.
    pub octets_out: Option<u64>,
    /// Packets from the user.
    pub packets_in: Option<u32>,
    /// Packets to the user.
    pub packets_out: Option<u32>,
    /// Acct-Terminate-Cause.
    pub terminate_cause: Option<u32>,
    /// Acct-Interim-Interval, seconds.
    pub interim_s: Option<u32>,
    /// IP-Port-Range.
    pub port_ranges: Vec<PortRange>,
    /// IP-Port-Forwarding-Map.
    pub forwards: Vec<Forward>,
    /// IP-Port-Limit of IP-Port-Limit-Info, the smallest.
    pub port_limit: Option<u32>,
    /// Attributes that could not be used.
    pub problems: Vec<Problem>,
    /// Digest of all that a retransmission repeats: every attribute but Acct-Delay-Time, Event-Timestamp, Proxy-State and
    /// Message-Authenticator.
    pub fingerprint: [u8; 16],
}

impl Message {
    /// Reads the attributes of a packet.
    pub fn of_packet(packet: &Packet<'_>) -> Message {
        Message::collect(packet.attributes().map(|a| (a.number, a.value)))
    }

    /// Reads attributes in wire form.
    pub fn collect<'a>(attributes: impl Iterator<Item = (u8, &'a [u8])>) -> Message {
        let mut c = Collector::default();
        let mut stable = Vec::with_capacity(512);
        for (number, value) in attributes {
            if !matches!(number, a::ACCT_DELAY_TIME | a::EVENT_TIMESTAMP | a::PROXY_STATE | a::MESSAGE_AUTHENTICATOR) {
                stable.extend_from_slice(&[number, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
                stable.extend_from_slice(value);
            }
            c.text(number, value);
            c.number(number, value);
            c.address(number, value);
        }
        let mut m = c.message;
        let count = |low: Option<u32>, high: Option<u32>| {
            (low.is_some() || high.is_some()).then(|| (u64::from(high.unwrap_or(0)) << 32) | u64::from(low.unwrap_or(0)))
        };
        m.octets_in = count(c.in_octets, c.in_giga);
        m.octets_out = count(c.out_octets, c.out_giga);
        m.fingerprint = sha256(&stable).first_chunk().copied().unwrap_or_default();
        m
    }
}

#[derive(Default)]
struct Collector {
    message: Message,
    in_octets: Option<u32>,
    out_octets: Option<u32>,
    in_giga: Option<u32>,
    out_giga: Option<u32>,
}

impl Collector {
    fn problem(&mut self, number: u8, what: &'static str) {
        if self.message.problems.len() < PROBLEMS_MAX {
            self.message.problems.push(Problem { number, what });
        }
    }

    fn text(&mut self, number: u8, value: &[u8]) {
        let m = &mut self.message;
        let some = || Some(text(value)).filter(|t| !t.is_empty());
        match number {
            a::ACCT_SESSION_ID => m.session_id = text(value),
            a::ACCT_MULTI_SESSION_ID => m.multi_session_id = some(),
            a::USER_NAME => m.account = some().map(Personal),
            a::CHARGEABLE_USER_IDENTITY => m.chargeable = some().map(Personal),
            a::CALLING_STATION_ID => m.caller = some().map(Personal),
            a::CALLED_STATION_ID => m.called = some(),
            a::NAS_IDENTIFIER => m.nas_identifier = some(),
            a::NAS_PORT_ID => m.nas_port_id = some(),
            // Several Class attributes belong together.
            a::CLASS => m.class.get_or_insert_default().push(value),
            _ => {}
        }
    }

    fn number(&mut self, number: u8, value: &[u8]) {
        let m = &mut self.message;
        let slot = match number {
            a::ACCT_STATUS_TYPE => &mut m.status,
            a::ACCT_DELAY_TIME => &mut m.delay_s,
            a::EVENT_TIMESTAMP => &mut m.event_s,
            a::ACCT_SESSION_TIME => &mut m.session_time_s,
            a::ACCT_INPUT_OCTETS => &mut self.in_octets,
            a::ACCT_OUTPUT_OCTETS => &mut self.out_octets,
            a::ACCT_INPUT_GIGAWORDS => &mut self.in_giga,
            a::ACCT_OUTPUT_GIGAWORDS => &mut self.out_giga,
            a::ACCT_INPUT_PACKETS => &mut m.packets_in,
            a::ACCT_OUTPUT_PACKETS => &mut m.packets_out,
            a::ACCT_TERMINATE_CAUSE => &mut m.terminate_cause,
            a::ACCT_INTERIM_INTERVAL => &mut m.interim_s,
            a::NAS_PORT => &mut m.nas_port,
            a::NAS_PORT_TYPE => &mut m.nas_port_type,
            _ => return,
        };
        match <[u8; 4]>::try_from(value) {
            Ok(bytes) => *slot = Some(u32::from_be_bytes(bytes)),
            Err(_) => self.problem(number, "an integer must be 4 octets long"),
        }
    }

    fn address(&mut self, number: u8, value: &[u8]) {
        match number {
            a::NAS_IP_ADDRESS | a::FRAMED_IP_ADDRESS => match <[u8; 4]>::try_from(value) {
                // RFC 2865 section 5.8: all ones "let the user choose", all ones but the last bit "the NAS chooses": no address yet.
                Ok([0, 0, 0, 0] | [255, 255, 255, 254 | 255]) => {}
                Ok(v4) if number == a::FRAMED_IP_ADDRESS => self.message.framed_ipv4 = Some(Addr16::v4(v4)),
                Ok(v4) => self.message.nas_address = Some(Addr16::v4(v4)),
                Err(_) => self.problem(number, "an IPv4 address must be 4 octets long"),
            },
            a::NAS_IPV6_ADDRESS | a::FRAMED_IPV6_ADDRESS => match <[u8; 16]>::try_from(value) {
                Ok(v6) if number == a::NAS_IPV6_ADDRESS => {
                    // A NAS that tells both keeps one identity: the IPv4 one, whichever comes first.
                    self.message.nas_address.get_or_insert(Addr16(v6));
                }
                Ok(v6) if self.message.framed_ipv6.len() < PREFIXES_MAX => self.message.framed_ipv6.push(Addr16(v6)),
                Ok(_) => self.problem(number, "too many IPv6 addresses"),
                Err(_) => self.problem(number, "an IPv6 address must be 16 octets long"),
            },
            a::FRAMED_INTERFACE_ID => match <[u8; 8]>::try_from(value) {
                Ok(id) => self.message.interface_id = Some(id),
                Err(_) => self.problem(number, "an interface id must be 8 octets long"),
            },
            a::FRAMED_IPV6_PREFIX | a::DELEGATED_IPV6_PREFIX => match ipv6_prefix(value) {
                Some(prefix) => {
                    let m = &mut self.message;
                    let list = if number == a::FRAMED_IPV6_PREFIX { &mut m.framed_prefixes } else { &mut m.delegated_prefixes };
                    if list.len() < PREFIXES_MAX {
                        list.push(prefix);
                    } else {
                        self.problem(number, "too many IPv6 prefixes");
                    }
                }
                None => self.problem(number, "an IPv6 prefix has a wrong length or bits set after it"),
            },
            a::EXTENDED_1 => {
                let Some((extended, inner)) = value.split_first() else { return };
                if let Err(what) = self.ports(*extended, inner) {
                    self.problem(number, what);
                }
            }
            _ => {}
        }
    }

    /// The attributes of RFC 8045.
    fn ports(&mut self, extended: u8, inner: &[u8]) -> Result<(), &'static str> {
        let m = &mut self.message;
        match extended {
            a::EXT_IP_PORT_LIMIT => {
                let limit = ports::limit(inner)?;
                m.port_limit = Some(m.port_limit.map_or(limit, |old| old.min(limit)));
            }
            a::EXT_IP_PORT_RANGE | a::EXT_IP_PORT_FORWARDING if m.port_ranges.len() + m.forwards.len() >= PORT_RANGES_MAX => {
                return Err("too many port ranges and forwarding maps");
            }
            a::EXT_IP_PORT_RANGE => m.port_ranges.push(ports::range(inner)?),
            a::EXT_IP_PORT_FORWARDING => m.forwards.push(ports::forward(inner)?),
            _ => {}
        }
        Ok(())
    }
}

/// Text as it is kept: trailing zero octets off, UTF-8 as it is; control characters, and every octet from 128 up in what is not UTF-8,
/// written as `\xNN`, so that two different values stay different.
pub fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..bytes.len().min(TEXT_MAX_BYTES)).unwrap_or_default();
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
    let bytes = bytes.get(..end).unwrap_or_default();
    let plain = bytes.iter().all(|b| (32..127).contains(b));
    match std::str::from_utf8(bytes) {
        Ok(t) if plain || !t.chars().any(char::is_control) => t.to_owned(),
        Ok(t) => t.chars().map(|c| if c.is_control() { format!("\\x{:02x}", u32::from(c)) } else { c.to_string() }).collect(),
        Err(_) => bytes.iter().map(|&b| if (32..127).contains(&b) { char::from(b).to_string() } else { format!("\\x{b:02x}") }).collect(),
    }
}

/// A prefix of RFC 3162 section 2.3: reserved octet, length in bits, as many address octets as needed (or more, zero).
fn ipv6_prefix(value: &[u8]) -> Option<Prefix> {
    let [_, bits, given @ ..] = value else { return None };
    if *bits > 128 || given.len() > 16 || given.len() < usize::from(bits.div_ceil(8)) {
        return None;
    }
    let mut addr = [0; 16];
    addr.get_mut(..given.len())?.copy_from_slice(given);
    let prefix = Prefix::new(Addr16(addr), *bits);
    // RFC 3162: bits outside the prefix must be zero.
    (prefix.addr.0 == addr).then_some(prefix)
}
