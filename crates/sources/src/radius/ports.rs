//! RFC 8045: what a message says of ports. Reading is pure; what it means for a session is worked out from what the session holds.

use weir_base::net::Addr16;

use super::attributes::port as p;
use super::limits::SESSION_BLOCKS_MAX;
use super::parser::tlvs;
use super::table::Block;

/// IP-Port-Range (section 3.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// True for an allocation (IP-Port-Alloc 1), false for a de-allocation (2).
    pub allocated: bool,
    /// IP protocol number; `None` for all of them.
    pub protocol: Option<u8>,
    /// Public address; `None` where the only one of the session is meant.
    pub public: Option<Addr16>,
    /// Inside address; `None` where the session's own address is meant.
    pub inside: Option<Addr16>,
    /// First and last port, inclusive. `None` only in a de-allocation: of everything that was allocated.
    pub ports: Option<(u16, u16)>,
}

/// IP-Port-Forwarding-Map (section 3.1.3): one public port that leads to one inside port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// False when an IP-Port-Alloc of 2 takes it away.
    pub allocated: bool,
    /// IP protocol number; `None` for all of them.
    pub protocol: Option<u8>,
    /// Public address; `None` where the only one of the session is meant.
    pub public: Option<Addr16>,
    /// Public port.
    pub public_port: u16,
    /// Inside address; `None` where the session's own address is meant.
    pub inside: Option<Addr16>,
    /// Inside port.
    pub inside_port: u16,
}

/// What the TLVs of one attribute say; all three attributes share them (section 3.2). Integers are right-justified in four octets.
#[derive(Default)]
struct Parts {
    protocol: Option<u8>,
    limit: Option<u32>,
    public: Option<Addr16>,
    inside: Option<Addr16>,
    inside_port: Option<u16>,
    public_port: Option<u16>,
    alloc: Option<u32>,
    first: Option<u16>,
    last: Option<u16>,
}

impl Parts {
    fn read(inner: &[u8]) -> Result<Parts, &'static str> {
        let mut parts = Parts::default();
        for tlv in tlvs(inner) {
            let tlv = tlv.map_err(|_| "a port attribute has a TLV whose length does not hold")?;
            let wrong = "a TLV of a port attribute has a wrong length";
            let int = || <[u8; 4]>::try_from(tlv.value).map(u32::from_be_bytes).map_err(|_| wrong);
            let port = || u16::try_from(int()?).map_err(|_| "a port attribute has a port above 65535");
            let v4 = || Ok::<_, &str>(Addr16::v4(int()?.to_be_bytes()));
            match tlv.number {
                p::TYPE => {
                    let number = u8::try_from(int()?).map_err(|_| "a port attribute has a protocol above 255")?;
                    parts.protocol = Some(number).filter(|n| *n != 0);
                }
                p::LIMIT => parts.limit = Some(int()?),
                p::EXT_IPV4 => parts.public = Some(v4()?),
                p::INT_IPV4 => parts.inside = Some(v4()?),
                p::INT_IPV6 => parts.inside = Some(Addr16(tlv.value.try_into().map_err(|_| wrong)?)),
                p::INT_PORT => parts.inside_port = Some(port()?),
                p::EXT_PORT => parts.public_port = Some(port()?),
                p::ALLOC => parts.alloc = Some(int()?),
                p::RANGE_START => parts.first = Some(port()?),
                p::RANGE_END => parts.last = Some(port()?),
                // IP-Port-Local-Id and what later documents add say nothing about the ports themselves.
                _ => {}
            }
        }
        Ok(parts)
    }
}

/// The TLVs of an IP-Port-Range.
///
/// # Errors
/// What is wrong first.
pub fn range(inner: &[u8]) -> Result<PortRange, &'static str> {
    let parts = Parts::read(inner)?;
    let allocated = match parts.alloc.ok_or("an IP-Port-Range has no IP-Port-Alloc")? {
        1 => true,
        2 => false,
        _ => return Err("an IP-Port-Range has an IP-Port-Alloc that is neither 1 nor 2"),
    };
    let ports = match (parts.first, parts.last) {
        (Some(first), Some(last)) if first <= last => Some((first, last)),
        (Some(_), Some(_)) => return Err("an IP-Port-Range starts after its end"),
        (None, None) if !allocated => None,
        _ => return Err("an IP-Port-Range has no start or no end port"),
    };
    Ok(PortRange { allocated, protocol: parts.protocol, public: parts.public, inside: parts.inside, ports })
}

/// The TLVs of an IP-Port-Forwarding-Map.
///
/// # Errors
/// What is wrong first.
pub fn forward(inner: &[u8]) -> Result<Forward, &'static str> {
    let parts = Parts::read(inner)?;
    let allocated = match parts.alloc {
        None | Some(1) => true,
        Some(2) => false,
        Some(_) => return Err("an IP-Port-Forwarding-Map has an IP-Port-Alloc that is neither 1 nor 2"),
    };
    let none = "an IP-Port-Forwarding-Map has no inside or no public port";
    let (Some(inside_port), Some(public_port)) = (parts.inside_port, parts.public_port) else { return Err(none) };
    Ok(Forward { allocated, protocol: parts.protocol, public: parts.public, public_port, inside: parts.inside, inside_port })
}

/// The TLVs of an IP-Port-Limit-Info: how many ports may be used.
///
/// # Errors
/// What is wrong first.
pub fn limit(inner: &[u8]) -> Result<u32, &'static str> {
    let limit = Parts::read(inner)?.limit.ok_or("an IP-Port-Limit-Info has no IP-Port-Limit")?;
    if limit > 65_536 { Err("an IP-Port-Limit-Info allows more ports than there are") } else { Ok(limit) }
}

/// What becomes of the ports of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Given (true) or taken away, in order.
    pub blocks: Vec<(bool, Block)>,
    /// Why something could not be used; each a reason for a malformed record.
    pub problems: Vec<&'static str>,
}

/// What ranges and forwarding maps mean for a session that has the address `framed` and holds `held`.
pub fn changes(ranges: &[PortRange], forwards: &[Forward], framed: Option<Addr16>, held: &[Block]) -> Changes {
    let mut out = Changes::default();
    let named = ranges.iter().filter_map(|r| r.public).chain(forwards.iter().filter_map(|f| f.public));
    let only = only(held.iter().map(|b| b.public).chain(named));
    for range in ranges {
        of_range(range, only, framed, held, &mut out);
    }
    for f in forwards {
        let Some(public) = f.public.or(only) else {
            out.problems.push("radius.forwarding-map-without-public-address");
            continue;
        };
        let Some(inside) = f.inside.or(framed) else {
            out.problems.push("radius.forwarding-map-without-inside-address");
            continue;
        };
        let (protocol, inside_port) = (f.protocol.unwrap_or(0), Some(f.inside_port));
        let block = Block { protocol, public, inside, first: f.public_port, last: f.public_port, inside_port };
        // A public port leads to one place: a new map takes the place of the old one.
        let old = held.iter().filter(|b| f.allocated && **b != block && b.same_end(&block));
        out.blocks.extend(old.map(|b| (false, *b)));
        out.blocks.push((f.allocated, block));
    }
    out
}

fn of_range(range: &PortRange, only: Option<Addr16>, framed: Option<Addr16>, held: &[Block], out: &mut Changes) {
    if !range.allocated {
        // What the message does not say fits all that is held.
        let fits = |b: &&Block| {
            b.inside_port.is_none()
                && range.ports.is_none_or(|p| p == (b.first, b.last))
                && range.public.is_none_or(|a| a == b.public)
                && range.inside.is_none_or(|a| a == b.inside)
                && range.protocol.is_none_or(|p| p == b.protocol)
        };
        let before = out.blocks.len();
        out.blocks.extend(held.iter().filter(fits).take(SESSION_BLOCKS_MAX).map(|b| (false, *b)));
        if out.blocks.len() > before || range.ports.is_none() {
            return;
        }
    }
    let Some((first, last)) = range.ports else { return };
    match (range.public.or(only), range.inside.or(framed)) {
        (None, _) => out.problems.push("radius.port-range-without-public-address"),
        (_, None) => out.problems.push("radius.port-range-without-inside-address"),
        (Some(public), Some(inside)) => {
            let protocol = range.protocol.unwrap_or(0);
            out.blocks.push((range.allocated, Block { protocol, public, inside, first, last, inside_port: None }));
        }
    }
}

/// The address, when all are the same one.
fn only(mut addresses: impl Iterator<Item = Addr16>) -> Option<Addr16> {
    let first = addresses.next()?;
    addresses.all(|a| a == first).then_some(first)
}
