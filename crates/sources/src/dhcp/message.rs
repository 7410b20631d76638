//! A DHCP message (RFC 2131 section 2, options RFC 2132), as far as it tells who has which address. Pure.
//!
//! Options may go on in the fields `file` and `sname` (option 52), and an option that is there more than once is one (RFC 3396). Host names
//! (option 12) are not read: they often name a person, and nothing here asks for them.

use std::collections::BTreeMap;

use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;

use super::kea::client;
use super::leases::{Line, Via};
use super::packet::Fault;

/// DHCP message types (RFC 2132 section 9.6) that say something of a lease.
const DECLINE: u8 = 4;
const ACK: u8 = 5;
const RELEASE: u8 = 7;

/// `op`: 1 from a client, 2 from a server.
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

const FIXED: usize = 236;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// `sname` and `file`: where they begin, and their bytes.
const SNAME: (usize, usize) = (44, 64);
const FILE: (usize, usize) = (108, 128);

const PAD: u8 = 0;
const END: u8 = 255;
const REQUESTED: u8 = 50;
const LEASE_TIME: u8 = 51;
const OVERLOAD: u8 = 52;
const MESSAGE_TYPE: u8 = 53;
const SERVER: u8 = 54;
const CLIENT_ID: u8 = 61;
const RELAY_AGENT: u8 = 82;
const CIRCUIT: u8 = 1;

/// A message, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// True from a server.
    pub reply: bool,
    /// Message type; 0 where there is none.
    pub kind: u8,
    /// Transaction id.
    pub xid: u32,
    /// The address the client says it has (`ciaddr`).
    pub has: Option<Addr16>,
    /// The address it is given (`yiaddr`).
    pub given: Option<Addr16>,
    /// The relay agent (`giaddr`).
    pub relay: Option<Addr16>,
    /// Who the client is, as lease files say it: its hardware address, else its client id.
    pub client: Option<String>,
    /// Server identifier (option 54).
    pub server: Option<Addr16>,
    /// Requested address (option 50).
    pub requested: Option<Addr16>,
    /// Lease time in seconds (option 51); 2^32-1: for ever.
    pub lease: Option<u32>,
    /// Agent Circuit ID (RFC 3046): as text where it is text, else in hexadecimal after `0x`.
    pub circuit: Option<String>,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn some(address: u32) -> Option<Addr16> {
    (address != 0).then(|| Addr16::v4(address.to_be_bytes()))
}

/// Reads what a UDP datagram carries; none where it is BOOTP without DHCP's options.
///
/// # Errors
/// What is wrong and where.
pub fn message(bytes: &[u8]) -> Result<Option<Message>, Fault> {
    let fields = bytes.first_chunk::<FIXED>().ok_or(Fault::new("dhcp.short", bytes.len()))?;
    let &[op, hardware_type, hardware_length, ..] = fields;
    if op != REQUEST && op != REPLY {
        return Err(Fault::new("dhcp.op", 0));
    }
    if bytes.get(FIXED..FIXED + COOKIE.len()) != Some(&COOKIE) {
        return Ok(None);
    }
    let options = options(bytes)?;
    let four = |code: u8, reason: &'static str| match options.get(&code) {
        None => Ok(None),
        Some(value) => value.as_slice().try_into().map(|b| Some(u32::from_be_bytes(b))).map_err(|_| Fault::new(reason, FIXED)),
    };
    let kind = match options.get(&MESSAGE_TYPE).map(Vec::as_slice) {
        None => 0,
        Some(&[kind]) => kind,
        Some(_) => return Err(Fault::new("dhcp.message-type", FIXED)),
    };
    let length = usize::from(hardware_length);
    let address = fields.get(28..44).and_then(|all| all.get(..length)).ok_or(Fault::new("dhcp.hardware-length", 2))?;
    // Type 0 is reserved; an address of zeros is none.
    let hardware = if hardware_type == 0 || address.iter().all(|b| *b == 0) { String::new() } else { colons(address) };
    let id = options.get(&CLIENT_ID).map(|id| colons(id)).unwrap_or_default();
    let client = client(&hardware, "", &id).map_err(|reason| Fault::new(reason, FIXED))?;
    let at = |at: usize| u32_at(bytes, at).unwrap_or_default();
    Ok(Some(Message {
        reply: op == REPLY,
        kind,
        xid: at(4),
        has: some(at(12)),
        given: some(at(16)),
        relay: some(at(24)),
        client,
        server: four(SERVER, "dhcp.server")?.and_then(some),
        requested: four(REQUESTED, "dhcp.requested-address")?.and_then(some),
        lease: four(LEASE_TIME, "dhcp.lease-time")?,
        circuit: options.get(&RELAY_AGENT).map(|value| circuit(value)).transpose()?.flatten(),
    }))
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(":")
}

/// Every option of a message: the options field, then `file`, then `sname` (RFC 2131 section 4.1).
fn options(bytes: &[u8]) -> Result<BTreeMap<u8, Vec<u8>>, Fault> {
    let mut all = BTreeMap::new();
    let from = FIXED + COOKIE.len();
    area(bytes.get(from..).unwrap_or_default(), from, &mut all)?;
    let overload = match all.get(&OVERLOAD).map(Vec::as_slice) {
        None => 0,
        Some(&[which @ 1..=3]) => which,
        Some(_) => return Err(Fault::new("dhcp.overload", FIXED)),
    };
    for (bit, (start, length)) in [(1, FILE), (2, SNAME)] {
        if overload & bit != 0 {
            area(bytes.get(start..start + length).unwrap_or_default(), start, &mut all)?;
        }
    }
    Ok(all)
}

fn area(bytes: &[u8], start: usize, all: &mut BTreeMap<u8, Vec<u8>>) -> Result<(), Fault> {
    let mut at = 0;
    loop {
        match bytes.get(at) {
            // Some leave the end mark out where nothing follows.
            None | Some(&END) => return Ok(()),
            Some(&PAD) => at += 1,
            Some(code) => {
                let cut = Fault::new("dhcp.option-length", start + at);
                let length = usize::from(*bytes.get(at + 1).ok_or(cut)?);
                let value = bytes.get(at + 2..at + 2 + length).ok_or(cut)?;
                all.entry(*code).or_default().extend_from_slice(value);
                at += 2 + length;
            }
        }
    }
}

/// The circuit id among the sub-options of a relay agent.
fn circuit(mut rest: &[u8]) -> Result<Option<String>, Fault> {
    let cut = Fault::new("dhcp.relay-agent", FIXED);
    while let Some((code, tail)) = rest.split_first() {
        let (length, tail) = tail.split_first().ok_or(cut)?;
        let (value, tail) = tail.split_at_checked(usize::from(*length)).ok_or(cut)?;
        if *code == CIRCUIT && !value.is_empty() {
            let text = std::str::from_utf8(value).ok().filter(|t| t.bytes().all(|b| (0x20..0x7f).contains(&b)));
            return Ok(Some(text.map_or_else(|| format!("0x{}", colons(value).replace(':', "")), str::to_owned)));
        }
        rest = tail;
    }
    Ok(None)
}

impl Message {
    /// What it says of a lease when it is seen at `now`; none when it says nothing. With `only`, messages of other servers say nothing.
    ///
    /// # Errors
    /// A stable code: it says something, but not of which address or of whom.
    pub fn line(&self, only: Option<Addr16>, now: Millis) -> Result<Option<Line>, &'static str> {
        let prefix = match (self.reply, self.kind) {
            // The answer to DHCPINFORM has no lease time (RFC 2131 section 4.3.5).
            (true, ACK) if self.lease.is_some() => self.given,
            (false, RELEASE) => self.has,
            (false, DECLINE) => self.requested,
            _ => return Ok(None),
        };
        if only.is_some() && self.server != only {
            return Ok(None);
        }
        let address = prefix.ok_or("dhcp.no-address")?;
        let client = self.client.clone().ok_or("dhcp.no-client")?;
        let seconds = self.lease.filter(|s| *s != u32::MAX && self.reply);
        Ok(Some(Line {
            prefix: Prefix::new(address, 128),
            client,
            acknowledged: Some(now),
            expires: seconds.map(|s| now.plus(i64::from(s) * 1_000)),
            active: self.reply,
            via: Via { nas: self.relay.or(self.server), circuit: self.circuit.clone() },
        }))
    }

    /// True when the client did not say that it has the address already, so that what begins here began here.
    pub fn begins(&self) -> bool {
        self.has.is_none()
    }
}
