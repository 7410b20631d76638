//! Messages of connection tracking (linux/netfilter/nfnetlink_conntrack.h). Pure. Values of attributes are in network byte order.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use super::netlink::{Attribute, Fault, Message, NLM_F_CREATE, NLM_F_EXCL, NLM_F_MULTI, attributes};

/// `NFNL_SUBSYS_CTNETLINK`: the high byte of `nlmsg_type`.
const SUBSYSTEM: u16 = 1;
/// `IPCTNL_MSG_CT_NEW`: new, changed, or an entry of a dump.
const NEW: u16 = 0;
/// `IPCTNL_MSG_CT_DELETE`.
const DELETE: u16 = 2;
/// `struct nfgenmsg`: family, version, resource.
const GENERIC: usize = 4;

/// Attributes, `enum ctattr_type` and those nested in them.
mod cta {
    pub const TUPLE_ORIG: u16 = 1;
    pub const TUPLE_REPLY: u16 = 2;
    pub const STATUS: u16 = 3;
    pub const ID: u16 = 12;
    pub const ZONE: u16 = 18;
    pub const TIMESTAMP: u16 = 20;
    /// Since Linux 6.14: when the event happened.
    pub const TIMESTAMP_EVENT: u16 = 27;

    pub const TUPLE_IP: u16 = 1;
    pub const TUPLE_PROTO: u16 = 2;
    pub const IP_V4_SRC: u16 = 1;
    pub const IP_V4_DST: u16 = 2;
    pub const IP_V6_SRC: u16 = 3;
    pub const IP_V6_DST: u16 = 4;
    pub const PROTO_NUM: u16 = 1;
    pub const PROTO_SRC_PORT: u16 = 2;
    pub const PROTO_DST_PORT: u16 = 3;
    pub const PROTO_ICMP_ID: u16 = 4;
    pub const PROTO_ICMPV6_ID: u16 = 7;
    pub const TIMESTAMP_START: u16 = 1;
    pub const TIMESTAMP_STOP: u16 = 2;
}

/// `IPS_DYING`: the connection is going; a dump may still show it.
const IPS_DYING: u32 = 1 << 9;

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A connection began.
    New,
    /// Something of it changed.
    Update,
    /// It ended.
    Destroy,
    /// It is there: an entry of a dump.
    Entry,
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Source address.
    pub source: Addr16,
    /// Destination address.
    pub destination: Addr16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Source port, or the query id of ICMP; 0 where the protocol has none.
    pub source_port: u16,
    /// Destination port, or the query id of ICMP; 0 where the protocol has none.
    pub destination_port: u16,
}

/// A connection as one message tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// What happened.
    pub what: What,
    /// The kernel's number of it (`CTA_ID`); 0 where there is none.
    pub id: u32,
    /// Its zone (`CTA_ZONE`); 0 is the default.
    pub zone: u16,
    /// True when it is going already.
    pub dying: bool,
    /// As it left the inside host.
    pub original: Tuple,
    /// As answers to it come in.
    pub reply: Tuple,
    /// When it began, by the kernel (`CTA_TIMESTAMP_START`).
    pub start: Option<Millis>,
    /// When it ended (`CTA_TIMESTAMP_STOP`).
    pub stop: Option<Millis>,
    /// When this event happened (`CTA_TIMESTAMP_EVENT`).
    pub event: Option<Millis>,
}

/// The ends of a connection whose source was translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// IANA protocol number.
    pub protocol: u8,
    /// The address it went out with.
    pub public: Addr16,
    /// The port, or ICMP id, it went out with.
    pub public_port: u16,
    /// The host inside.
    pub inside: Addr16,
    /// Its port, or ICMP id.
    pub inside_port: u16,
    /// Where it went, after any translation of the destination.
    pub remote: Addr16,
    /// The port there; 0 for ICMP.
    pub remote_port: u16,
}

impl Connection {
    /// The ends of a translated source; none when the source went out as it was. What comes back goes to the public end, so it is the
    /// destination of the reply.
    pub fn translated(&self) -> Option<Ends> {
        let (original, reply) = (&self.original, &self.reply);
        let same = (reply.destination, reply.destination_port) == (original.source, original.source_port);
        let icmp = matches!(original.protocol, 1 | 58);
        (!same).then_some(Ends {
            protocol: original.protocol,
            public: reply.destination,
            public_port: reply.destination_port,
            inside: original.source,
            inside_port: original.source_port,
            remote: reply.source,
            remote_port: if icmp { 0 } else { reply.source_port },
        })
    }
}

/// Reads a message of connection tracking; `None` for one of another subsystem or another sort (expectations, statistics).
///
/// # Errors
/// What is wrong with it, and where.
pub fn connection(message: &Message<'_>) -> Result<Option<Connection>, Fault> {
    if message.kind >> 8 != SUBSYSTEM {
        return Ok(None);
    }
    let what = match message.kind & 0xff {
        NEW if message.flags & NLM_F_MULTI != 0 => What::Entry,
        NEW if message.flags & (NLM_F_CREATE | NLM_F_EXCL) != 0 => What::New,
        NEW => What::Update,
        DELETE => What::Destroy,
        _ => return Ok(None),
    };
    let at = message.bytes.len() - message.body.len() + GENERIC;
    let Some(body) = message.body.get(GENERIC..) else { return Err(Fault::new("conntrack-header", 0)) };
    let (mut original, mut reply) = (None, None);
    let mut c = Connection {
        what,
        id: 0,
        zone: 0,
        dying: false,
        original: Tuple::default(),
        reply: Tuple::default(),
        start: None,
        stop: None,
        event: None,
    };
    for attribute in attributes(body, at) {
        let (at, (kind, value)) = attribute?;
        match kind {
            cta::TUPLE_ORIG => original = Some(tuple(value, at)?),
            cta::TUPLE_REPLY => reply = Some(tuple(value, at)?),
            cta::STATUS => c.dying = u32::from_be_bytes(exactly(value, at)?) & IPS_DYING != 0,
            cta::ID => c.id = u32::from_be_bytes(exactly(value, at)?),
            cta::ZONE => c.zone = u16::from_be_bytes(exactly(value, at)?),
            cta::TIMESTAMP => (c.start, c.stop) = times(value, at)?,
            cta::TIMESTAMP_EVENT => c.event = millis(value, at)?,
            _ => {}
        }
    }
    c.original = original.ok_or(Fault::new("conntrack-no-original-tuple", at))?;
    c.reply = reply.ok_or(Fault::new("conntrack-no-reply-tuple", at))?;
    Ok(Some(c))
}

fn exactly<const N: usize>(value: &[u8], at: usize) -> Result<[u8; N], Fault> {
    value.try_into().map_err(|_| Fault::new("conntrack-attribute-length", at))
}

/// Nanoseconds since 1970 in 8 bytes; 0 says "not known".
fn millis(value: &[u8], at: usize) -> Result<Option<Millis>, Fault> {
    let ns = u64::from_be_bytes(exactly(value, at)?);
    Ok((ns != 0).then_some(Millis((ns / 1_000_000) as i64)))
}

fn times(value: &[u8], at: usize) -> Result<(Option<Millis>, Option<Millis>), Fault> {
    let (mut start, mut stop) = (None, None);
    for attribute in attributes(value, at) {
        match attribute? {
            (at, (cta::TIMESTAMP_START, value)) => start = millis(value, at)?,
            (at, (cta::TIMESTAMP_STOP, value)) => stop = millis(value, at)?,
            _ => {}
        }
    }
    Ok((start, stop))
}

fn tuple(value: &[u8], at: usize) -> Result<Tuple, Fault> {
    let mut t = Tuple::default();
    let (mut addresses, mut protocol) = (0, false);
    nested(value, at, &mut |at, path, (kind, value)| {
        match (path, kind) {
            (cta::TUPLE_IP, cta::IP_V4_SRC) => t.source = Addr16::v4(exactly(value, at)?),
            (cta::TUPLE_IP, cta::IP_V4_DST) => t.destination = Addr16::v4(exactly(value, at)?),
            (cta::TUPLE_IP, cta::IP_V6_SRC) => t.source = Addr16(exactly(value, at)?),
            (cta::TUPLE_IP, cta::IP_V6_DST) => t.destination = Addr16(exactly(value, at)?),
            (cta::TUPLE_PROTO, cta::PROTO_NUM) => {
                [t.protocol] = exactly(value, at)?;
                protocol = true;
            }
            (cta::TUPLE_PROTO, cta::PROTO_SRC_PORT) => t.source_port = u16::from_be_bytes(exactly(value, at)?),
            (cta::TUPLE_PROTO, cta::PROTO_DST_PORT) => t.destination_port = u16::from_be_bytes(exactly(value, at)?),
            // One id names both ends of a query.
            (cta::TUPLE_PROTO, cta::PROTO_ICMP_ID | cta::PROTO_ICMPV6_ID) => {
                t.source_port = u16::from_be_bytes(exactly(value, at)?);
                t.destination_port = t.source_port;
            }
            _ => return Ok(()),
        }
        addresses += usize::from(path == cta::TUPLE_IP);
        Ok(())
    })?;
    if addresses < 2 || !protocol {
        return Err(Fault::new("conntrack-tuple-incomplete", at));
    }
    Ok(t)
}

/// Calls `take` for every attribute one level down, with the type of the attribute it lies in.
fn nested<'a>(value: &'a [u8], at: usize, take: &mut dyn FnMut(usize, u16, Attribute<'a>) -> Result<(), Fault>) -> Result<(), Fault> {
    for outer in attributes(value, at) {
        let (at, (path, value)) = outer?;
        if !matches!(path, cta::TUPLE_IP | cta::TUPLE_PROTO) {
            continue;
        }
        for inner in attributes(value, at) {
            let (at, attribute) = inner?;
            take(at, path, attribute)?;
        }
    }
    Ok(())
}
