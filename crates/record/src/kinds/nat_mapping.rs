//! NAT mappings as they are sealed: clauses 8.2 and 10.3.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::macros::record;

record! {
    "One NAT mapping, or one end of it. Sorted by public address, public port, start within a sealed unit."
    NatMapping = 2, "nat_mapping", version 1, Network, Records, time "start";
    public_address: Addr16 = "postNATSourceIPv4Address (RFC 8158; IE 225) or postNATSourceIPv6Address (281)", unit "", Plain, key;
    public_port: u16 = "postNAPTSourceTransportPort (227), the ICMP query id, or portRangeStart (361)", unit "", Plain, key;
    start: Millis = "When it began, by the exporter's clock; of a `close` row, when it ended", unit "ms UTC", Plain, key;
    end: Millis = "When it ended; of an `open` row the same as `start`", unit "ms UTC", Plain, key;
    public_port_last: u16 = "The same as public_port, or portRangeEnd (362)", unit "", Plain;
    protocol: u8 = "protocolIdentifier (4); 0 where the form has none", unit "IANA", Plain, key;
    form: u8 = "1 session, 2 BIB entry, 3 port block, 4 address binding, 5 deterministic", unit "", Plain;
    row_type: u8 = "1 whole, 2 open, 3 close, 4 close that carries all fields, 5 open recorded anew", unit "", Plain;
    flags: u8 = "Bits: 1 start inferred, 2 end inferred, 4 inside differs between the ends, 8 imported", unit "", Plain;
    inside_address: Addr16 = "sourceIPv4Address (8) or sourceIPv6Address (27); unspecified in a `close` row", unit "", Identifier, key;
    inside_port: u16 = "sourceTransportPort (7); 0 in a `close` row or where the form has none", unit "", Plain;
    source: u32 = "Number of the exporter and observation domain (`source_entry`)", unit "", Plain, key;
    remote_address: Addr16 = "postNATDestination address (226, 282) when a policy keeps it; else unspecified", unit "", Plain;
    remote_port: u16 = "postNAPTDestinationTransportPort (228) when a policy keeps it; else 0", unit "", Plain;
    remote_tag: u64 = "Keyed fingerprint of remote address and port when a policy keeps that instead; else 0", unit "", Plain;
    ref_entry: u64 = "Log entry of the unit that holds the open row, plus one; 0 for none", unit "", Plain;
    ref_row: u32 = "Row of the open row in that unit", unit "", Plain;
}

/// `nat_mapping.row_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RowType {
    /// Opened and closed within the unit.
    Whole = 1,
    /// Opened in the unit and still open when it was sealed.
    Open = 2,
    /// Closed in the unit; `ref_entry` and `ref_row` name the open row.
    Close = 3,
    /// Closed in the unit, carrying all fields: the open row is unknown or its key dies soon.
    CloseFull = 4,
    /// Still open when its old key was about to die: recorded anew, naming the old row.
    Reopened = 5,
}

impl RowType {
    /// The row type of a stored number.
    pub fn from_u8(value: u8) -> Option<RowType> {
        [RowType::Whole, RowType::Open, RowType::Close, RowType::CloseFull, RowType::Reopened].into_iter().find(|t| *t as u8 == value)
    }
}

/// Bits of `nat_mapping.flags`.
pub mod flags {
    /// The start was not seen.
    pub const START_INFERRED: u8 = 1;
    /// The end was not seen.
    pub const END_INFERRED: u8 = 2;
    /// Create and delete name different inside ends.
    pub const INSIDE_DIFFERS: u8 = 4;
    /// Imported from another system.
    pub const IMPORTED: u8 = 8;
}
