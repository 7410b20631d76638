//! The layout: a header of 16 bytes, then 1 to 100 flows of 64 bytes, all numbers big-endian. Pure; nothing here panics on input.

use weir_base::net::Addr16;

use super::limits::FLOWS;

/// Bytes of a header.
pub const HEADER: usize = 16;

/// Bytes of a flow of version 3.0.
pub const FLOW: usize = 64;

/// The log type of NAT flow logs.
pub const NAT: u8 = 4;

/// Why a datagram or a flow is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Shorter than a header.
    ShortHeader,
    /// Version 1.0: its records hold no address after translation.
    Version1,
    /// Version 5.0: no public document describes its records.
    Version5,
    /// Another version.
    Version,
    /// Another log type: NAT66, AFT, load balancing, RIR.
    LogType,
    /// No flow, or more than there may be.
    Count,
    /// The length is not that of so many flows.
    Length,
    /// A flow that is not IPv4.
    IpVersion,
    /// An operator that the reference does not list.
    Operator,
    /// A time that is missing, or more than a day from that of its datagram.
    Time,
    /// A sender that no entry names.
    UnknownDevice,
    /// One device more than may be known.
    TooManyDevices,
}

impl Fault {
    /// The word in `malformed.reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Fault::ShortHeader => "h3c.short-header",
            Fault::Version1 => "h3c.version-1-has-no-translation",
            Fault::Version5 => "h3c.version-5-is-not-documented",
            Fault::Version => "h3c.version",
            Fault::LogType => "h3c.log-type",
            Fault::Count => "h3c.count",
            Fault::Length => "h3c.length",
            Fault::IpVersion => "h3c.ip-version",
            Fault::Operator => "h3c.operator",
            Fault::Time => "h3c.time",
            Fault::UnknownDevice => "h3c.unknown-device",
            Fault::TooManyDevices => "h3c.too-many-devices",
        }
    }
}

/// The header of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Log type.
    pub log_type: u8,
    /// Flows that follow.
    pub count: u16,
    /// When it was made, seconds since 1970 by the device's clock.
    pub second: u32,
    /// Datagrams of all types and versions before it.
    pub sequence: u32,
}

impl Header {
    /// Its time in milliseconds.
    pub fn export_ms(&self) -> i64 {
        i64::from(self.second) * 1_000
    }
}

/// What happened to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was created (operator 8).
    Created,
    /// It ended (1 to 4, 7, 254).
    Ended,
    /// An address was translated as a whole, without ports; the record tells of both its ends (5).
    Address,
    /// It goes on (6).
    Alive,
}

/// A flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// IP protocol.
    pub protocol: u8,
    /// What happened.
    pub told: Told,
    /// Source before translation.
    pub inside: (Addr16, u16),
    /// Source after translation.
    pub public: (Addr16, u16),
    /// Destination before translation: where the host sent it to.
    pub remote: (Addr16, u16),
    /// When it began, seconds since 1970.
    pub start: u32,
    /// When it ended; 0 while it goes on.
    pub end: u32,
}

impl Flow {
    /// True when its source was translated.
    pub fn is_translated(&self) -> bool {
        self.inside.0 != self.public.0 || (self.inside.1 != self.public.1 && self.told != Told::Address)
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    number(bytes, at).map(u16::from_be_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    number(bytes, at).map(u32::from_be_bytes)
}

/// The header of a datagram of version 3.0.
///
/// # Errors
/// [`Fault::ShortHeader`], or which version it is instead.
pub fn header(data: &[u8]) -> Result<Header, Fault> {
    match data.first() {
        Some(3) => {}
        Some(1) => return Err(Fault::Version1),
        Some(5) => return Err(Fault::Version5),
        Some(_) => return Err(Fault::Version),
        None => return Err(Fault::ShortHeader),
    }
    let read = || Some(Header { log_type: *data.get(1)?, count: u16_at(data, 2)?, second: u32_at(data, 4)?, sequence: u32_at(data, 8)? });
    // Chassis, slot and processor follow.
    read().filter(|_| data.len() >= HEADER).ok_or(Fault::ShortHeader)
}

/// The bytes of the flows of a datagram.
///
/// # Errors
/// Why they cannot be read.
pub fn body<'a>(header: &Header, data: &'a [u8]) -> Result<&'a [u8], Fault> {
    if header.log_type != NAT {
        return Err(Fault::LogType);
    }
    if !(1..=FLOWS).contains(&header.count) {
        return Err(Fault::Count);
    }
    data.get(HEADER..).filter(|b| b.len() == usize::from(header.count) * FLOW).ok_or(Fault::Length)
}

/// The flow in 64 bytes.
///
/// # Errors
/// Why it is none.
pub fn flow(record: &[u8]) -> Result<Flow, Fault> {
    let told = match record.get(1) {
        Some(1..=4 | 7 | 254) => Told::Ended,
        Some(5) => Told::Address,
        Some(6) => Told::Alive,
        Some(8) => Told::Created,
        Some(_) => return Err(Fault::Operator),
        None => return Err(Fault::Length),
    };
    if record.get(2) != Some(&4) {
        return Err(Fault::IpVersion);
    }
    let end_of = |address: usize, port: usize| Some((Addr16::v4(number(record, address)?), u16_at(record, port)?));
    let read = || {
        Some(Flow {
            protocol: *record.first()?,
            told,
            inside: end_of(4, 20)?,
            public: end_of(8, 22)?,
            remote: end_of(12, 24)?,
            start: u32_at(record, 28)?,
            end: u32_at(record, 32)?,
        })
    };
    read().filter(|_| record.len() == FLOW).ok_or(Fault::Length)
}
