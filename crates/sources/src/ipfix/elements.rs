//! Information elements: what a template field means.
//!
//! The table holds what Weir reads or names; every other element is skipped by its length. Numbers and types: the IANA registry
//! "IPFIX Information Elements" (RFC 7012), RFC 8158 section 5 for NAT events, RFC 3954 section 8 for NetFlow v9 (the same numbers
//! below 128). Enterprise elements name their vendor's manual.

/// Abstract data type of an element (RFC 7012 section 3.1), as far as it matters for reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Unsigned integer of up to 8 bytes, big-endian, reduced-size encoding allowed (RFC 7011 section 6.2).
    Unsigned,
    /// IPv4 address, 4 bytes.
    Ipv4,
    /// IPv6 address, 16 bytes.
    Ipv6,
    /// Seconds since 1970-01-01T00:00:00Z, 4 bytes.
    Seconds,
    /// Milliseconds since 1970-01-01T00:00:00Z, 8 bytes.
    Milliseconds,
    /// NTP timestamp, 8 bytes: seconds since 1900 and a binary fraction (RFC 7011 section 6.1.9 and 6.1.10).
    Ntp,
    /// UTF-8 text.
    Text,
    /// Bytes without further meaning here.
    Octets,
}

/// One information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Private enterprise number, 0 for IANA's.
    pub enterprise: u32,
    /// Element number.
    pub id: u16,
    /// Name in its registry.
    pub name: &'static str,
    /// Type.
    pub ty: Type,
    /// Where it is defined.
    pub standard: &'static str,
}

const IANA: &str = "IANA IPFIX registry, RFC 7012";
const NAT: &str = "RFC 8158";
const ASA: &str = "Cisco ASA NetFlow Secure Event Logging, before 8.4(5)";
const SROS: &str = "Nokia SR OS, IPFIX fields and formats";

/// Nokia's private enterprise number (Alcatel-Lucent, formerly TiMetra).
pub const NOKIA: u32 = 637;

const fn e(enterprise: u32, id: u16, name: &'static str, ty: Type, standard: &'static str) -> Element {
    Element { enterprise, id, name, ty, standard }
}

/// Every element Weir names, by enterprise and number.
pub const ELEMENTS: &[Element] = &[
    e(0, 1, "octetDeltaCount", Type::Unsigned, IANA),
    e(0, 2, "packetDeltaCount", Type::Unsigned, IANA),
    e(0, 4, "protocolIdentifier", Type::Unsigned, IANA),
    e(0, 7, "sourceTransportPort", Type::Unsigned, IANA),
    e(0, 8, "sourceIPv4Address", Type::Ipv4, IANA),
    e(0, 11, "destinationTransportPort", Type::Unsigned, IANA),
    e(0, 12, "destinationIPv4Address", Type::Ipv4, IANA),
    e(0, 21, "flowEndSysUpTime", Type::Unsigned, IANA),
    e(0, 22, "flowStartSysUpTime", Type::Unsigned, IANA),
    e(0, 27, "sourceIPv6Address", Type::Ipv6, IANA),
    e(0, 28, "destinationIPv6Address", Type::Ipv6, IANA),
    e(0, 130, "exporterIPv4Address", Type::Ipv4, IANA),
    e(0, 131, "exporterIPv6Address", Type::Ipv6, IANA),
    e(0, 136, "flowEndReason", Type::Unsigned, IANA),
    e(0, 148, "flowId", Type::Unsigned, IANA),
    e(0, 149, "observationDomainId", Type::Unsigned, IANA),
    e(0, 150, "flowStartSeconds", Type::Seconds, IANA),
    e(0, 151, "flowEndSeconds", Type::Seconds, IANA),
    e(0, 152, "flowStartMilliseconds", Type::Milliseconds, IANA),
    e(0, 153, "flowEndMilliseconds", Type::Milliseconds, IANA),
    e(0, 160, "systemInitTimeMilliseconds", Type::Milliseconds, IANA),
    e(0, 210, "paddingOctets", Type::Octets, IANA),
    e(0, 225, "postNATSourceIPv4Address", Type::Ipv4, NAT),
    e(0, 226, "postNATDestinationIPv4Address", Type::Ipv4, NAT),
    e(0, 227, "postNAPTSourceTransportPort", Type::Unsigned, NAT),
    e(0, 228, "postNAPTDestinationTransportPort", Type::Unsigned, NAT),
    e(0, 229, "natOriginatingAddressRealm", Type::Unsigned, NAT),
    e(0, 230, "natEvent", Type::Unsigned, NAT),
    e(0, 233, "firewallEvent", Type::Unsigned, IANA),
    e(0, 234, "ingressVRFID", Type::Unsigned, NAT),
    e(0, 235, "egressVRFID", Type::Unsigned, NAT),
    e(0, 281, "postNATSourceIPv6Address", Type::Ipv6, NAT),
    e(0, 282, "postNATDestinationIPv6Address", Type::Ipv6, NAT),
    e(0, 283, "natPoolId", Type::Unsigned, NAT),
    e(0, 284, "natPoolName", Type::Text, NAT),
    e(0, 297, "natType", Type::Unsigned, IANA),
    e(0, 322, "observationTimeSeconds", Type::Seconds, IANA),
    e(0, 323, "observationTimeMilliseconds", Type::Milliseconds, IANA),
    e(0, 324, "observationTimeMicroseconds", Type::Ntp, IANA),
    e(0, 325, "observationTimeNanoseconds", Type::Ntp, IANA),
    e(0, 361, "portRangeStart", Type::Unsigned, NAT),
    e(0, 362, "portRangeEnd", Type::Unsigned, NAT),
    e(0, 363, "portRangeStepSize", Type::Unsigned, NAT),
    e(0, 364, "portRangeNumPorts", Type::Unsigned, NAT),
    e(0, 371, "userName", Type::Text, IANA),
    e(0, 455, "mobileIMSI", Type::Text, IANA),
    e(0, 456, "mobileMSISDN", Type::Text, IANA),
    e(0, 458, "sourceTransportPortsLimit", Type::Unsigned, IANA),
    e(0, 463, "natInstanceID", Type::Unsigned, NAT),
    e(0, 464, "internalAddressRealm", Type::Octets, NAT),
    e(0, 465, "externalAddressRealm", Type::Octets, NAT),
    e(0, 466, "natQuotaExceededEvent", Type::Unsigned, NAT),
    e(0, 467, "natThresholdEvent", Type::Unsigned, NAT),
    e(0, 471, "maxSessionEntries", Type::Unsigned, NAT),
    e(0, 472, "maxBIBEntries", Type::Unsigned, NAT),
    e(0, 473, "maxEntriesPerUser", Type::Unsigned, NAT),
    e(0, 474, "maxSubscribers", Type::Unsigned, NAT),
    e(0, 475, "maxFragmentsPendingReassembly", Type::Unsigned, NAT),
    e(0, 476, "addressPoolHighThreshold", Type::Unsigned, NAT),
    e(0, 477, "addressPoolLowThreshold", Type::Unsigned, NAT),
    e(0, 478, "addressPortMappingHighThreshold", Type::Unsigned, NAT),
    e(0, 479, "addressPortMappingLowThreshold", Type::Unsigned, NAT),
    e(0, 480, "addressPortMappingPerUserHighThreshold", Type::Unsigned, NAT),
    e(0, 481, "globalAddressMappingHighThreshold", Type::Unsigned, NAT),
    // NetFlow v9 has no enterprise bit: numbers above 32767 are a vendor's own.
    e(0, 33_002, "fwExtEvent", Type::Unsigned, ASA),
    e(0, 40_001, "xlateSourceIPv4Address", Type::Ipv4, ASA),
    e(0, 40_002, "xlateDestinationIPv4Address", Type::Ipv4, ASA),
    e(0, 40_003, "xlateSourceTransportPort", Type::Unsigned, ASA),
    e(0, 40_004, "xlateDestinationTransportPort", Type::Unsigned, ASA),
    e(0, 40_005, "firewallEvent", Type::Unsigned, ASA),
    e(NOKIA, 91, "aluInsideServiceId", Type::Unsigned, SROS),
    e(NOKIA, 92, "aluOutsideServiceId", Type::Unsigned, SROS),
    e(NOKIA, 93, "aluNatSubString", Type::Text, SROS),
];

/// The element with this number, if Weir names it.
pub fn find(enterprise: u32, id: u16) -> Option<&'static Element> {
    ELEMENTS.iter().find(|e| e.enterprise == enterprise && e.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_unique() {
        for pair in ELEMENTS.windows(2) {
            assert!((pair[0].enterprise, pair[0].id) < (pair[1].enterprise, pair[1].id), "{} {}", pair[0].name, pair[1].name);
        }
        assert_eq!(find(0, 230).map(|e| e.name), Some("natEvent"));
        assert_eq!(find(NOKIA, 93).map(|e| e.name), Some("aluNatSubString"));
        assert_eq!(find(1, 230), None);
    }
}
