//! NAT mappings as they are sealed: clauses 8.2 and 10.3.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::macros::record;

record! {
    "One NAT mapping, or one end of it. Sorted by public address, public port, start within a sealed unit."
    NatMapping = 2, "nat_mapping", version 2, Network, Records, time "start";
    public_address: Addr16 = "postNATSourceIPv4Address (RFC 8158; IE 225) or postNATSourceIPv6Address (281)", unit "", Plain, key;
    public_port: u16 = "postNAPTSourceTransportPort (227), the ICMP query id, or portRangeStart (361)", unit "", Plain, key;
    start: Millis = "When it began, by the exporter's clock; when it ended where that was not seen", unit "ms UTC", Plain, key;
    duration: u64 = "How long it lasted: it ended at start + duration; 0 of an open row", unit "ms", Plain, key;
    public_port_more: u16 = "Ports held beyond public_port: portRangeEnd (362) less portRangeStart (361); 0 where it is one port", unit "", Plain;
    protocol: u8 = "protocolIdentifier (4); 0 where the form has none", unit "IANA", Plain, key;
    form: u8 = "1 session, 2 BIB entry, 3 port block, 4 address binding, 5 deterministic", unit "", Plain;
    row_type: u8 = "1 whole, 2 open, 3 close, 4 open recorded anew", unit "", Plain;
    flags: u8 = "Bits: 1 start inferred, 2 end inferred, 4 inside differs between the ends, 8 imported, 16 its end alone told when it began", unit "", Plain;
    inside_address: Addr16 = "sourceIPv4Address (8) or sourceIPv6Address (27)", unit "", Identifier, key;
    inside_port: u16 = "sourceTransportPort (7); 0 where the form has none", unit "", Plain;
    source: u32 = "Number of the exporter and observation domain (`source_entry`)", unit "", Plain, key;
    remote_address: Addr16 = "postNATDestination address (226, 282) when a policy keeps it; else unspecified", unit "", Plain;
    remote_port: u16 = "postNAPTDestinationTransportPort (228) when a policy keeps it; else 0", unit "", Plain;
    remote_tag: u64 = "Keyed fingerprint of remote address and port when a policy keeps that instead; else 0", unit "", Plain;
    ref_entry: u64 = "Of an open row recorded anew: log entry of the unit that holds the old one, plus one; else 0", unit "", Plain;
    ref_row: u32 = "Row of the old open row in that unit", unit "", Plain;
}

impl NatMapping {
    /// When it ended; of an open row when it began.
    pub fn end(&self) -> Millis {
        Millis(self.start.0.saturating_add_unsigned(self.duration))
    }
}

/// `nat_mapping.row_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RowType {
    /// Opened and closed within the unit.
    Whole = 1,
    /// Opened in the unit and still open when it was sealed.
    Open = 2,
    /// Closed in the unit, opened before it; carries all fields. Or an end whose beginning was not seen.
    Close = 3,
    /// Still open when its old key was about to die: recorded anew, naming the old row.
    Reopened = 4,
}

impl RowType {
    /// The row type of a stored number.
    pub fn from_u8(value: u8) -> Option<RowType> {
        [RowType::Whole, RowType::Open, RowType::Close, RowType::Reopened].into_iter().find(|t| *t as u8 == value)
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
    /// No create was seen: the end told when it began.
    pub const START_TOLD: u8 = 16;
}
