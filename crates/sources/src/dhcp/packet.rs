//! An Ethernet frame down to the bytes of a DHCP message: VLAN tags (IEEE 802.1Q), IPv4 (RFC 791), UDP (RFC 768). Pure.
//!
//! Checksums are not looked at: of what this machine sends itself the card computes them later, so that they are not right yet when seen.

use super::limits::VLAN_TAGS;

/// Port of servers and relay agents.
pub const SERVER_PORT: u16 = 67;
/// Port of clients.
pub const CLIENT_PORT: u16 = 68;

const IPV4: u16 = 0x0800;
/// 802.1Q, 802.1ad, and what was used before 802.1ad.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const UDP: u8 = 17;

/// What is wrong with a frame or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable code for `malformed` records.
    pub reason: &'static str,
    /// Where, in bytes from the begin of what was read.
    pub offset: usize,
}

impl Fault {
    pub(super) fn new(reason: &'static str, offset: usize) -> Fault {
        Fault { reason, offset }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// What follows the UDP header.
    pub bytes: &'a [u8],
    /// Where it begins in the frame, in bytes.
    pub offset: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// The DHCP message in a frame; none where it carries something else.
///
/// # Errors
/// [`Fault`] where it is one by its ports, and its lengths do not fit.
pub fn payload(frame: &[u8]) -> Result<Option<Payload<'_>>, Fault> {
    let mut at = 12;
    for _ in 0..VLAN_TAGS {
        if !u16_at(frame, at).is_some_and(|kind| TAGS.contains(&kind)) {
            break;
        }
        at += 4;
    }
    if u16_at(frame, at) != Some(IPV4) {
        return Ok(None);
    }
    let start = at + 2;
    let ip = frame.get(start..).unwrap_or_default();
    let (Some(first), Some(total), Some(fragment), Some(protocol)) = (ip.first(), u16_at(ip, 2), u16_at(ip, 6), ip.get(9)) else {
        return Err(Fault::new("dhcp.ip-header", start));
    };
    let header = usize::from(first & 0xf) * 4;
    // A fragment other than the first has no ports, so what it belongs to is not known.
    if *protocol != UDP || fragment & 0x1fff != 0 {
        return Ok(None);
    }
    if first >> 4 != 4 || header < 20 {
        return Err(Fault::new("dhcp.ip-header", start));
    }
    // What Ethernet adds to short frames is left out.
    let Some(udp) = ip.get(header..usize::from(total)) else { return Err(Fault::new("dhcp.ip-length", start + 2)) };
    let (Some(source), Some(destination), Some(length)) = (u16_at(udp, 0), u16_at(udp, 2), u16_at(udp, 4)) else {
        return Err(Fault::new("dhcp.udp-length", start + header));
    };
    let both = [SERVER_PORT, CLIENT_PORT];
    if !both.contains(&source) || !both.contains(&destination) {
        return Ok(None);
    }
    if fragment & 0x2000 != 0 {
        return Err(Fault::new("dhcp.fragment", start + 6));
    }
    let offset = start + header + 8;
    match udp.get(8..usize::from(length)) {
        Some(bytes) => Ok(Some(Payload { bytes, offset })),
        None => Err(Fault::new("dhcp.udp-length", start + header + 4)),
    }
}
