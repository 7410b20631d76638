//! FreeRADIUS detail files: blocks of text, one an accounting message. Pure.
//!
//! A block is a line with the local time, then lines of a tab, `Name = value`, and an empty line. Values are brought back into the form
//! they have on the wire, so that the same code reads them. Event-Timestamp is written in local time under a zone name that may mean
//! several zones (`CST`); the header line (local) and `Timestamp` (seconds since the Unix epoch) of the same block tell the offset.

use std::net::{Ipv4Addr, Ipv6Addr};

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::attributes::{self as a, port};
use super::limits::{ATTRIBUTES_MAX, DETAIL_BLOCK_BYTES};
use super::message::Message;

/// A block that could not be read. Carries nothing of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetailError {
    /// Longer than a block may be.
    #[error("a block is longer than {DETAIL_BLOCK_BYTES} bytes")]
    TooLong,
    /// A line is not `Name = value`. The offset is in bytes from the block's begin.
    #[error("a line at byte {0} is not of the form `Name = value`")]
    Line(usize),
    /// A value does not have its attribute's form.
    #[error("a value at byte {0} does not have the form of its attribute")]
    Value(usize),
    /// More attributes than a message may carry.
    #[error("a block has more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes,
    /// The file ends inside a block.
    #[error("the file ends inside a block")]
    Torn,
}

impl DetailError {
    /// A short, stable name for counters and malformed records.
    pub fn reason(&self) -> &'static str {
        match self {
            DetailError::TooLong => "detail.too-long",
            DetailError::Line(_) => "detail.line",
            DetailError::Value(_) => "detail.value",
            DetailError::TooManyAttributes => "detail.too-many-attributes",
            DetailError::Torn => "detail.torn",
        }
    }

    /// Where it went wrong, in bytes from the block's begin.
    pub fn offset(&self) -> usize {
        match self {
            DetailError::Line(at) | DetailError::Value(at) => *at,
            _ => 0,
        }
    }
}

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailBlock {
    /// What it says.
    pub message: Message,
    /// `Timestamp`: when FreeRADIUS took the message.
    pub taken: Option<Millis>,
    /// `Packet-Src-IP-Address` or its kin: who sent it to FreeRADIUS.
    pub sender: Option<Addr16>,
}

/// A piece of a detail file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Empty lines before a block: this many bytes.
    Blank(usize),
    /// A whole block and its length with the empty line after it.
    Block(&'a [u8], usize),
    /// A block that is too long; this much of it is here, and the rest follows.
    TooLong(usize),
    /// The block is not complete yet.
    Partial,
}

/// The first piece of `data`.
pub fn first_piece(data: &[u8]) -> Piece<'_> {
    let blank = data.iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    if blank > 0 {
        return Piece::Blank(blank);
    }
    let look = data.get(..data.len().min(DETAIL_BLOCK_BYTES)).unwrap_or(data);
    let end = look.windows(2).position(|w| w == b"\n\n").map(|at| at + 1);
    match end.and_then(|end| data.get(..end)) {
        Some(block) => Piece::Block(block, block.len() + 1),
        None if data.len() >= DETAIL_BLOCK_BYTES => Piece::TooLong(DETAIL_BLOCK_BYTES),
        None => Piece::Partial,
    }
}

/// How an attribute's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Octets,
    Integer(&'static [(&'static str, u32)]),
    Date,
    Ipv4,
    Ipv6,
    Ipv6Prefix,
    InterfaceId,
}

const NONE: &[(&str, u32)] = &[];
const STATUS: &[(&str, u32)] = &[
    ("Start", 1),
    ("Stop", 2),
    ("Interim-Update", 3),
    ("Alive", 3),
    ("Accounting-On", 7),
    ("Accounting-Off", 8),
    ("Tunnel-Start", 9),
    ("Tunnel-Stop", 10),
    ("Tunnel-Reject", 11),
    ("Tunnel-Link-Start", 12),
    ("Tunnel-Link-Stop", 13),
    ("Tunnel-Link-Reject", 14),
    ("Failed", 15),
];
const CAUSE: &[(&str, u32)] = &[
    ("User-Request", 1),
    ("Lost-Carrier", 2),
    ("Lost-Service", 3),
    ("Idle-Timeout", 4),
    ("Session-Timeout", 5),
    ("Admin-Reset", 6),
    ("Admin-Reboot", 7),
    ("Port-Error", 8),
    ("NAS-Error", 9),
    ("NAS-Request", 10),
    ("NAS-Reboot", 11),
    ("Port-Unneeded", 12),
    ("Port-Preempted", 13),
    ("Port-Suspended", 14),
    ("Service-Unavailable", 15),
    ("Callback", 16),
    ("User-Error", 17),
    ("Host-Request", 18),
    ("Supplicant-Restart", 19),
    ("Reauthentication-Failure", 20),
    ("Port-Reinit", 21),
    ("Port-Disabled", 22),
];
const PORT_TYPE: &[(&str, u32)] = &[
    ("Async", 0),
    ("Sync", 1),
    ("ISDN", 2),
    ("ISDN-V120", 3),
    ("ISDN-V110", 4),
    ("Virtual", 5),
    ("PIAFS", 6),
    ("HDLC-Clear-Channel", 7),
    ("X.25", 8),
    ("X.75", 9),
    ("G.3-Fax", 10),
    ("SDSL", 11),
    ("ADSL-CAP", 12),
    ("ADSL-DMT", 13),
    ("IDSL", 14),
    ("Ethernet", 15),
    ("xDSL", 16),
    ("Cable", 17),
    ("Wireless-Other", 18),
    ("Wireless-802.11", 19),
];
const ALLOC: &[(&str, u32)] = &[("Allocation", 1), ("Deallocation", 2)];

/// Attributes that are read, by the name FreeRADIUS writes.
const NAMES: &[(&str, u8, Form)] = &[
    ("User-Name", a::USER_NAME, Form::Text),
    ("NAS-IP-Address", a::NAS_IP_ADDRESS, Form::Ipv4),
    ("NAS-Port", a::NAS_PORT, Form::Integer(NONE)),
    ("Framed-IP-Address", a::FRAMED_IP_ADDRESS, Form::Ipv4),
    ("Class", a::CLASS, Form::Octets),
    ("Called-Station-Id", a::CALLED_STATION_ID, Form::Text),
    ("Calling-Station-Id", a::CALLING_STATION_ID, Form::Text),
    ("NAS-Identifier", a::NAS_IDENTIFIER, Form::Text),
    ("Acct-Status-Type", a::ACCT_STATUS_TYPE, Form::Integer(STATUS)),
    ("Acct-Delay-Time", a::ACCT_DELAY_TIME, Form::Integer(NONE)),
    ("Acct-Input-Octets", a::ACCT_INPUT_OCTETS, Form::Integer(NONE)),
    ("Acct-Output-Octets", a::ACCT_OUTPUT_OCTETS, Form::Integer(NONE)),
    ("Acct-Session-Id", a::ACCT_SESSION_ID, Form::Text),
    ("Acct-Session-Time", a::ACCT_SESSION_TIME, Form::Integer(NONE)),
    ("Acct-Input-Packets", a::ACCT_INPUT_PACKETS, Form::Integer(NONE)),
    ("Acct-Output-Packets", a::ACCT_OUTPUT_PACKETS, Form::Integer(NONE)),
    ("Acct-Terminate-Cause", a::ACCT_TERMINATE_CAUSE, Form::Integer(CAUSE)),
    ("Acct-Multi-Session-Id", a::ACCT_MULTI_SESSION_ID, Form::Text),
    ("Acct-Input-Gigawords", a::ACCT_INPUT_GIGAWORDS, Form::Integer(NONE)),
    ("Acct-Output-Gigawords", a::ACCT_OUTPUT_GIGAWORDS, Form::Integer(NONE)),
    ("Event-Timestamp", a::EVENT_TIMESTAMP, Form::Date),
    ("NAS-Port-Type", a::NAS_PORT_TYPE, Form::Integer(PORT_TYPE)),
    ("Acct-Interim-Interval", a::ACCT_INTERIM_INTERVAL, Form::Integer(NONE)),
    ("NAS-Port-Id", a::NAS_PORT_ID, Form::Text),
    ("Chargeable-User-Identity", a::CHARGEABLE_USER_IDENTITY, Form::Octets),
    ("NAS-IPv6-Address", a::NAS_IPV6_ADDRESS, Form::Ipv6),
    ("Framed-Interface-Id", a::FRAMED_INTERFACE_ID, Form::InterfaceId),
    ("Framed-IPv6-Prefix", a::FRAMED_IPV6_PREFIX, Form::Ipv6Prefix),
    ("Delegated-IPv6-Prefix", a::DELEGATED_IPV6_PREFIX, Form::Ipv6Prefix),
    ("Framed-IPv6-Address", a::FRAMED_IPV6_ADDRESS, Form::Ipv6),
];

/// The attributes of RFC 8045, whose parts FreeRADIUS writes one a line: the extended type, and what stands before the part's own name.
const PORT_ATTRIBUTES: &[(u8, &str)] =
    &[(a::EXT_IP_PORT_RANGE, "IP-Port-Range-"), (a::EXT_IP_PORT_FORWARDING, "IP-Port-Map-"), (a::EXT_IP_PORT_LIMIT, "IP-Port-")];

/// Parts that each of the three may have.
const PORT_PARTS: &[(&str, u8, Form)] = &[
    ("Type", port::TYPE, Form::Integer(NONE)),
    ("Limit", port::LIMIT, Form::Integer(NONE)),
    ("Ext-IPv4-Addr", port::EXT_IPV4, Form::Ipv4),
    ("Int-IPv4-Addr", port::INT_IPV4, Form::Ipv4),
    ("Int-IPv6-Addr", port::INT_IPV6, Form::Ipv6),
    ("Int-Port", port::INT_PORT, Form::Integer(NONE)),
    ("Ext-Port", port::EXT_PORT, Form::Integer(NONE)),
    ("Alloc", port::ALLOC, Form::Integer(ALLOC)),
    ("Range-Start", port::RANGE_START, Form::Integer(NONE)),
    ("Range-End", port::RANGE_END, Form::Integer(NONE)),
];

/// The extended type and the part that a name stands for. `IP-Port-Range-Start` is the start of a Limit-Info, which has none: the longest
/// prefix that leaves the name of a part wins.
fn port_part(name: &str) -> Option<(u8, u8, Form)> {
    PORT_ATTRIBUTES.iter().find_map(|(extended, prefix)| {
        let part = name.strip_prefix(prefix)?;
        PORT_PARTS.iter().find(|(n, _, _)| *n == part).map(|(_, number, form)| (*extended, *number, *form))
    })
}

/// Reads a block without its empty line.
///
/// # Errors
/// What is wrong first, and where.
pub fn parse_block(block: &[u8]) -> Result<DetailBlock, DetailError> {
    if block.len() > DETAIL_BLOCK_BYTES {
        return Err(DetailError::TooLong);
    }
    let mut lines = Vec::new();
    let (mut header, mut at) = (None, 0);
    for line in block.split(|b| *b == b'\n') {
        let begin = at;
        at += line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.strip_prefix(b"\t") {
            Some(pair) => lines.push((begin, split_pair(pair).ok_or(DetailError::Line(begin))?)),
            None if header.is_none() => header = Some(line),
            None if line.is_empty() => {}
            None => return Err(DetailError::Line(begin)),
        }
        if lines.len() > ATTRIBUTES_MAX {
            return Err(DetailError::TooManyAttributes);
        }
    }
    let find = |names: [&str; 2]| lines.iter().find(|(_, (name, _))| names.contains(name)).map(|(_, (_, value))| *value);
    let taken_s = find(["Timestamp", ""]).and_then(|v| std::str::from_utf8(v).ok()?.parse::<i64>().ok());
    let zone_s = zone(header.and_then(|h| std::str::from_utf8(h).ok()), taken_s);
    let sender = find(["Packet-Src-IP-Address", "Packet-Src-IPv6-Address"]).or_else(|| find(["Client-IP-Address", ""]));
    let sender = sender.and_then(|v| std::str::from_utf8(v).ok()?.parse().ok());
    let wire = wire_form(&lines, zone_s)?;
    let message = Message::collect(wire.iter().map(|(number, value)| (*number, value.as_slice())));
    let taken = taken_s.and_then(|s| s.checked_mul(1000)).map(Millis);
    Ok(DetailBlock { message, taken, sender })
}

type Pair<'a> = (&'a str, &'a [u8]);

fn split_pair(pair: &[u8]) -> Option<Pair<'_>> {
    let at = pair.windows(3).position(|w| w == b" = ")?;
    let name = std::str::from_utf8(pair.get(..at)?).ok()?;
    // FreeRADIUS appends a tag to some names (`Tunnel-Type:0`); none of those is read here.
    Some((name, pair.get(at + 3..)?))
}

fn wire_form(lines: &[(usize, Pair<'_>)], zone_s: Option<i64>) -> Result<Vec<(u8, Vec<u8>)>, DetailError> {
    let mut wire: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut ports = Ports::default();
    for (at, (name, value)) in lines {
        if let Some((extended, number, form)) = port_part(name) {
            let bytes = value_bytes(value, form, zone_s).ok_or(DetailError::Value(*at))?;
            ports.add(extended, number, &bytes, &mut wire);
        } else if let Some((_, number, form)) = NAMES.iter().find(|(n, _, _)| n == name) {
            // An Event-Timestamp whose zone cannot be told is left out: arrival less delay is nearer than a guess.
            if let (Form::Date, None, false) = (form, zone_s, value.iter().all(u8::is_ascii_digit)) {
                continue;
            }
            wire.push((*number, value_bytes(value, *form, zone_s).ok_or(DetailError::Value(*at))?));
        }
    }
    ports.flush(&mut wire);
    Ok(wire)
}

/// Parts of one attribute of RFC 8045 on their way back into one value.
#[derive(Default)]
struct Ports {
    extended: u8,
    seen: Vec<u8>,
    value: Vec<u8>,
}

impl Ports {
    /// Adds a part. One of another attribute, or one that is there already, begins the next attribute.
    fn add(&mut self, extended: u8, number: u8, bytes: &[u8], wire: &mut Vec<(u8, Vec<u8>)>) {
        if extended != self.extended || self.seen.contains(&number) {
            self.flush(wire);
        }
        self.extended = extended;
        self.seen.push(number);
        // Values are addresses and integers: 16 octets at most.
        self.value.extend_from_slice(&[number, u8::try_from(bytes.len() + 2).unwrap_or(u8::MAX)]);
        self.value.extend_from_slice(bytes);
    }

    fn flush(&mut self, wire: &mut Vec<(u8, Vec<u8>)>) {
        if !self.seen.is_empty() {
            self.seen.clear();
            wire.push((a::EXTENDED_1, [&[self.extended][..], &std::mem::take(&mut self.value)].concat()));
        }
    }
}

fn value_bytes(value: &[u8], form: Form, zone_s: Option<i64>) -> Option<Vec<u8>> {
    let text = || std::str::from_utf8(value).ok();
    match form {
        Form::Text => Some(unquote(value)),
        Form::Octets => match value.strip_prefix(b"0x") {
            Some(hex) => unhex(hex),
            None => Some(unquote(value)),
        },
        Form::Integer(names) => {
            let text = text()?;
            let named = names.iter().find(|(name, _)| *name == text).map(|(_, n)| *n);
            Some(named.or_else(|| text.parse().ok())?.to_be_bytes().to_vec())
        }
        Form::Date => {
            let unquoted = unquote(value);
            let text = std::str::from_utf8(&unquoted).ok()?;
            let seconds = match text.parse::<i64>() {
                Ok(s) => s,
                Err(_) => date(text)?.checked_sub(zone_s?)?,
            };
            Some(u32::try_from(seconds).ok()?.to_be_bytes().to_vec())
        }
        Form::Ipv4 => Some(text()?.parse::<Ipv4Addr>().ok()?.octets().to_vec()),
        Form::Ipv6 => Some(text()?.parse::<Ipv6Addr>().ok()?.octets().to_vec()),
        Form::Ipv6Prefix => {
            let prefix: Prefix = text()?.parse().ok()?;
            let mut out = vec![0, prefix.bits];
            out.extend_from_slice(&prefix.addr.0);
            Some(out)
        }
        Form::InterfaceId => {
            let groups: Vec<u16> = text()?.split(':').map(|g| u16::from_str_radix(g, 16).ok()).collect::<Option<_>>()?;
            let groups: [u16; 4] = groups.try_into().ok()?;
            Some(groups.iter().flat_map(|g| g.to_be_bytes()).collect())
        }
    }
}

fn unhex(hex: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = hex.as_chunks::<2>();
    pairs.1.is_empty().then(|| pairs.0.iter().map(|[h, l]| Some((digit(h)? << 4) | digit(l)?)).collect()).flatten()
}

/// Takes the quotes off and the escapes out: `\"`, `\\`, `\n`, `\r`, `\t` and three octal digits.
fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(mut rest) = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")) else { return value.to_vec() };
    let mut out = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return out,
            [b'\\', h @ b'0'..=b'3', m @ b'0'..=b'7', l @ b'0'..=b'7', tail @ ..] => {
                out.push(((h - b'0') << 6) | ((m - b'0') << 3) | (l - b'0'));
                tail
            }
            [b'\\', escaped, tail @ ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                tail
            }
            [byte, tail @ ..] => {
                out.push(*byte);
                tail
            }
        }
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Seconds of local time less UTC: the header's local time less `Timestamp`, to the next quarter of an hour.
fn zone(header: Option<&str>, taken_s: Option<i64>) -> Option<i64> {
    let mut words = header?.split_ascii_whitespace().skip(1);
    let (month, day, time, year) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let local = civil(year, month, day, time)?;
    let quarters = local.checked_sub(taken_s?)?.checked_add(450)?.div_euclid(900);
    // No zone is more than 15 hours from UTC: what is further was written at another time.
    (quarters.abs() <= 60).then_some(quarters * 900)
}

/// `Nov 22 2025 16:26:40 CST` as if it were UTC, in seconds.
fn date(text: &str) -> Option<i64> {
    let mut words = text.split_ascii_whitespace();
    let (month, day, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    civil(year, month, day, time)
}

fn civil(year: &str, month: &str, day: &str, time: &str) -> Option<i64> {
    let year: i64 = year.parse().ok().filter(|y| (1970..=9999).contains(y))?;
    let month = MONTHS.iter().position(|m| *m == month)? as i64 + 1;
    let day: i64 = day.parse().ok().filter(|d| (1..=31).contains(d))?;
    let mut parts = time.split(':').map(|p| p.parse::<i64>().ok().filter(|n| (0..=60).contains(n)));
    let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
    // Days since 1970-01-01 in the proleptic Gregorian calendar, years counted from March.
    let (y, m_from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m_from_march * 153 + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + h * 3600 + m * 60 + s)
}
