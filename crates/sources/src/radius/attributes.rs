//! Attribute numbers, each with the document that assigns it.

/// User-Name (RFC 2865 section 5.1): the account.
pub const USER_NAME: u8 = 1;
/// NAS-IP-Address (RFC 2865 section 5.4).
pub const NAS_IP_ADDRESS: u8 = 4;
/// NAS-Port (RFC 2865 section 5.5).
pub const NAS_PORT: u8 = 5;
/// Framed-IP-Address (RFC 2865 section 5.8).
pub const FRAMED_IP_ADDRESS: u8 = 8;
/// Class (RFC 2865 section 5.25).
pub const CLASS: u8 = 25;
/// Vendor-Specific (RFC 2865 section 5.26).
pub const VENDOR_SPECIFIC: u8 = 26;
/// Called-Station-Id (RFC 2865 section 5.30).
pub const CALLED_STATION_ID: u8 = 30;
/// Calling-Station-Id (RFC 2865 section 5.31): the caller number or the hardware address.
pub const CALLING_STATION_ID: u8 = 31;
/// NAS-Identifier (RFC 2865 section 5.32).
pub const NAS_IDENTIFIER: u8 = 32;
/// Proxy-State (RFC 2865 section 5.33): echoed in the response, in order.
pub const PROXY_STATE: u8 = 33;
/// Acct-Status-Type (RFC 2866 section 5.1).
pub const ACCT_STATUS_TYPE: u8 = 40;
/// Acct-Delay-Time (RFC 2866 section 5.2), seconds.
pub const ACCT_DELAY_TIME: u8 = 41;
/// Acct-Input-Octets (RFC 2866 section 5.3).
pub const ACCT_INPUT_OCTETS: u8 = 42;
/// Acct-Output-Octets (RFC 2866 section 5.4).
pub const ACCT_OUTPUT_OCTETS: u8 = 43;
/// Acct-Session-Id (RFC 2866 section 5.5).
pub const ACCT_SESSION_ID: u8 = 44;
/// Acct-Session-Time (RFC 2866 section 5.7), seconds.
pub const ACCT_SESSION_TIME: u8 = 46;
/// Acct-Input-Packets (RFC 2866 section 5.8).
pub const ACCT_INPUT_PACKETS: u8 = 47;
/// Acct-Output-Packets (RFC 2866 section 5.9).
pub const ACCT_OUTPUT_PACKETS: u8 = 48;
/// Acct-Terminate-Cause (RFC 2866 section 5.10).
pub const ACCT_TERMINATE_CAUSE: u8 = 49;
/// Acct-Multi-Session-Id (RFC 2866 section 5.11).
pub const ACCT_MULTI_SESSION_ID: u8 = 50;
/// Acct-Input-Gigawords (RFC 2869 section 5.1): times 2^32 octets.
pub const ACCT_INPUT_GIGAWORDS: u8 = 52;
/// Acct-Output-Gigawords (RFC 2869 section 5.2): times 2^32 octets.
pub const ACCT_OUTPUT_GIGAWORDS: u8 = 53;
/// Event-Timestamp (RFC 2869 section 5.3): seconds since the Unix epoch, by the NAS's clock.
pub const EVENT_TIMESTAMP: u8 = 55;
/// NAS-Port-Type (RFC 2865 section 5.41).
pub const NAS_PORT_TYPE: u8 = 61;
/// Message-Authenticator (RFC 3579 section 3.2, first in RFC 2869 section 5.14).
pub const MESSAGE_AUTHENTICATOR: u8 = 80;
/// Acct-Interim-Interval (RFC 2869 section 5.16), seconds.
pub const ACCT_INTERIM_INTERVAL: u8 = 85;
/// NAS-Port-Id (RFC 2869 section 5.17).
pub const NAS_PORT_ID: u8 = 87;
/// Chargeable-User-Identity (RFC 4372 section 2.1).
pub const CHARGEABLE_USER_IDENTITY: u8 = 89;
/// NAS-IPv6-Address (RFC 3162 section 2.1).
pub const NAS_IPV6_ADDRESS: u8 = 95;
/// Framed-Interface-Id (RFC 3162 section 2.2).
pub const FRAMED_INTERFACE_ID: u8 = 96;
/// Framed-IPv6-Prefix (RFC 3162 section 2.3).
pub const FRAMED_IPV6_PREFIX: u8 = 97;
/// Delegated-IPv6-Prefix (RFC 4818 section 3).
pub const DELEGATED_IPV6_PREFIX: u8 = 123;
/// Framed-IPv6-Address (RFC 6911 section 3.1).
pub const FRAMED_IPV6_ADDRESS: u8 = 168;
/// Extended-Attribute-1 (RFC 6929 section 3.1): the space RFC 8045 lives in.
pub const EXTENDED_1: u8 = 241;

/// IP-Port-Limit-Info, 241.5 (RFC 8045 section 3.1.1): the extended type octet.
pub const EXT_IP_PORT_LIMIT: u8 = 5;
/// IP-Port-Range, 241.6 (RFC 8045 section 3.1.2): the extended type octet.
pub const EXT_IP_PORT_RANGE: u8 = 6;
/// IP-Port-Forwarding-Map, 241.7 (RFC 8045 section 3.1.3): the extended type octet.
pub const EXT_IP_PORT_FORWARDING: u8 = 7;

/// Sub-attributes (TLVs) of the three attributes of RFC 8045 (section 3.2).
pub mod port {
    /// IP-Port-Type: an IP protocol number (section 3.2.1).
    pub const TYPE: u8 = 1;
    /// IP-Port-Limit: how many ports (section 3.2.2).
    pub const LIMIT: u8 = 2;
    /// IP-Port-Ext-IPv4-Addr: the public address (section 3.2.3).
    pub const EXT_IPV4: u8 = 3;
    /// IP-Port-Int-IPv4-Addr: the inside address (section 3.2.4).
    pub const INT_IPV4: u8 = 4;
    /// IP-Port-Int-IPv6-Addr: the inside address (section 3.2.5).
    pub const INT_IPV6: u8 = 5;
    /// IP-Port-Int-Port: the inside port (section 3.2.6).
    pub const INT_PORT: u8 = 6;
    /// IP-Port-Ext-Port: the public port (section 3.2.7).
    pub const EXT_PORT: u8 = 7;
    /// IP-Port-Alloc: 1 allocation, 2 de-allocation (section 3.2.8).
    pub const ALLOC: u8 = 8;
    /// IP-Port-Range-Start: the first port (section 3.2.9).
    pub const RANGE_START: u8 = 9;
    /// IP-Port-Range-End: the last port, inclusive (section 3.2.10).
    pub const RANGE_END: u8 = 10;
    /// IP-Port-Local-Id: a name local to the port-using device (section 3.2.11).
    pub const LOCAL_ID: u8 = 11;
}

/// Packet codes.
pub mod code {
    /// Accounting-Request (RFC 2866 section 4.1).
    pub const ACCOUNTING_REQUEST: u8 = 4;
    /// Accounting-Response (RFC 2866 section 4.2); also the answer to Status-Server on an accounting port (RFC 5997 section 4.2).
    pub const ACCOUNTING_RESPONSE: u8 = 5;
    /// Status-Server (RFC 5997 section 3).
    pub const STATUS_SERVER: u8 = 12;
}

/// Values of Acct-Status-Type (RFC 2866 section 5.1).
pub mod status {
    /// A session began.
    pub const START: u32 = 1;
    /// A session ended.
    pub const STOP: u32 = 2;
    /// News of an open session.
    pub const INTERIM: u32 = 3;
    /// The NAS came up: nothing it had open before is open now.
    pub const ACCOUNTING_ON: u32 = 7;
    /// The NAS goes down.
    pub const ACCOUNTING_OFF: u32 = 8;
    /// An attempt that failed.
    pub const FAILED: u32 = 15;
}
