//! Datagrams: a header, then 1 to 100 flows of the same length, all numbers with the highest byte first; where their fields lie says the version's
//! [`Layout`]. Pure; nothing here panics on input.

use weir_base::net::Addr16;

use super::layout::{End, Layout, Spot, THREE};
use super::limits::{FLOWS, TIME_MS};

/// The log type of NAT flow logs.
pub const NAT: u8 = 4;

/// Bytes of the fields that HP's table of version 1.0 names before the reserved ones, each as wide as in version 3.0.
pub const ONE: usize = 22;

/// Why a datagram or a flow is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Shorter than a header.
    ShortHeader,
    /// A version of which no layout is known.
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
            Fault::Version => "h3c.version-needs-a-layout",
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
    pub count: u32,
    /// When it was made, milliseconds since 1970 by the device's clock.
    pub export_ms: i64,
    /// Datagrams of all types and versions before it.
    pub sequence: u32,
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
    /// When it began, milliseconds since 1970; 0 where that is not told.
    pub start: i64,
    /// When it ended; 0 while it goes on.
    pub end: i64,
}

impl Flow {
    /// True when its source was translated.
    pub fn is_translated(&self) -> bool {
        self.inside.0 != self.public.0 || (self.inside.1 != self.public.1 && self.told != Told::Address)
    }
}

/// How the datagrams of a version are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How<'a> {
    /// As this layout says.
    Laid(&'a Layout),
    /// Version 1.0: nothing in it tells of a translation. Its header is that of 3.0; of its flows the fields and their order are public (HP "User
    /// logging"), and their widths are not.
    Untranslated,
}

/// How a datagram is read; `own` are the layouts that the operator wrote.
///
/// # Errors
/// [`Fault::ShortHeader`], or [`Fault::Version`].
pub fn how<'a>(data: &[u8], own: &'a [Layout]) -> Result<How<'a>, Fault> {
    match data.first() {
        Some(3) => Ok(How::Laid(&THREE)),
        Some(1) => Ok(How::Untranslated),
        Some(version) => own.iter().find(|l| l.version == *version).map(How::Laid).ok_or(Fault::Version),
        None => Err(Fault::ShortHeader),
    }
}

impl How<'_> {
    /// The header of a datagram.
    ///
    /// # Errors
    /// It is too short, or its time cannot be.
    pub fn header(self, data: &[u8]) -> Result<Header, Fault> {
        match self {
            How::Laid(layout) => header(layout, data),
            How::Untranslated => header(&THREE, data),
        }
    }
}

fn number(bytes: &[u8], spot: Spot) -> Option<u64> {
    let bytes = bytes.get(spot.at..)?.get(..spot.bytes)?;
    Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// A time in milliseconds.
fn time(layout: &Layout, bytes: &[u8], spot: Spot) -> Result<i64, Fault> {
    let value = number(bytes, spot).ok_or(Fault::Length)?;
    let ms = if layout.milliseconds { Some(value) } else { value.checked_mul(1_000) };
    ms.filter(|ms| *ms <= TIME_MS).and_then(|ms| i64::try_from(ms).ok()).ok_or(Fault::Time)
}

fn header(layout: &Layout, data: &[u8]) -> Result<Header, Fault> {
    let data = data.get(..layout.header).ok_or(Fault::ShortHeader)?;
    let read = || {
        // Of a longer sequence the lower half counts on just so.
        let sequence = (number(data, layout.sequence)? & u64::from(u32::MAX)) as u32;
        Some((*data.get(1)?, u32::try_from(number(data, layout.count)?).ok()?, sequence))
    };
    let (log_type, count, sequence) = read().ok_or(Fault::ShortHeader)?;
    Ok(Header { log_type, count, export_ms: time(layout, data, layout.time)?, sequence })
}

/// The bytes of the flows of a datagram, those of a flow after those of another.
///
/// # Errors
/// Why they cannot be read.
pub fn body<'a>(layout: &Layout, header: &Header, data: &'a [u8]) -> Result<&'a [u8], Fault> {
    let count = flows(header)?;
    data.get(layout.header..).filter(|b| b.len() == count * layout.record).ok_or(Fault::Length)
}

/// Holds the flows of a datagram of version 1.0 against what is public of them: all are of one length, which has room for the fields.
///
/// # Errors
/// They are not.
pub fn untranslated(header: &Header, data: &[u8]) -> Result<(), Fault> {
    let (count, bytes) = (flows(header)?, data.len().saturating_sub(THREE.header));
    if bytes.is_multiple_of(count) && bytes / count >= ONE { Ok(()) } else { Err(Fault::Length) }
}

fn flows(header: &Header) -> Result<usize, Fault> {
    if header.log_type != NAT {
        return Err(Fault::LogType);
    }
    usize::try_from(header.count).ok().filter(|n| (1..=usize::from(FLOWS)).contains(n)).ok_or(Fault::Count)
}

/// The flow in the bytes of one.
///
/// # Errors
/// Why it is none.
pub fn flow(layout: &Layout, record: &[u8]) -> Result<Flow, Fault> {
    let told = match record.get(layout.operator) {
        Some(1..=4 | 7 | 254) => Told::Ended,
        Some(5) => Told::Address,
        Some(6) => Told::Alive,
        Some(8) => Told::Created,
        Some(_) => return Err(Fault::Operator),
        None => return Err(Fault::Length),
    };
    let record = Some(record).filter(|r| r.len() == layout.record).ok_or(Fault::Length)?;
    let version = layout.ip_version.map(|at| record.get(at).copied().ok_or(Fault::Length)).transpose()?;
    let end_of = |end: End| {
        let port = number(record, Spot { at: end.port, bytes: 2 }).and_then(|p| u16::try_from(p).ok());
        Ok((address(layout, record, end.address, version)?, port.ok_or(Fault::Length)?))
    };
    Ok(Flow {
        protocol: *record.get(layout.protocol).ok_or(Fault::Length)?,
        told,
        inside: end_of(layout.inside)?,
        public: end_of(layout.public)?,
        remote: end_of(layout.remote)?,
        start: time(layout, record, layout.start)?,
        end: time(layout, record, layout.end)?,
    })
}

/// An address; `version` is what the flow says of IP, where it does.
fn address(layout: &Layout, record: &[u8], at: usize, version: Option<u8>) -> Result<Addr16, Fault> {
    let bytes = record.get(at..).ok_or(Fault::Length)?;
    let address = match layout.address_bytes {
        4 => Addr16::v4(*bytes.first_chunk().ok_or(Fault::Length)?),
        _ => Addr16(*bytes.first_chunk().ok_or(Fault::Length)?),
    };
    let is_v4 = address.ip().is_ipv4();
    // A whole address translated for a whole one has no remote end: zeros are of both.
    let fits = address.0 == [0; 16] || version.is_none_or(|v| v == if is_v4 { 4 } else { 6 });
    if fits { Ok(address) } else { Err(Fault::IpVersion) }
}
