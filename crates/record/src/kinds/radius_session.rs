//! RADIUS accounting events: clause 7.3 (login and logout time, caller number, account, address).

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "One RADIUS accounting event (RFC 2866), or a session end that Weir inferred; or a DHCP lease told in the same words (source kind `dhcp`), or an imported session (`import`). Account and caller number are opaque ids; their values are in `binding`."
    RadiusSession = 1, "radius_session", version 1, Network, Records, time "time";
    time: Millis = "When it happened, by the NAS: Event-Timestamp (RFC 2869, 55), else arrival less Acct-Delay-Time (RFC 2866, 41)", unit "ms UTC", Plain, key;
    arrived: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that heard it (`source_entry`)", unit "", Plain, key;
    realm: u32 = "Number of the realm (`source_entry`)", unit "", Plain, key;
    status: u8 = "Acct-Status-Type (RFC 2866, 40): 1 Start, 2 Stop, 3 Interim-Update, 7 Accounting-On, 8 Accounting-Off, 15 Failed", unit "", Plain;
    inferred: u8 = "1 when no NAS sent this: an end that Weir inferred", unit "", Plain;
    reason: Option<String> = "Why an end was inferred, or how a lease ended; `imported` where another system recorded it", unit "", Plain;
    session: Id = "Weir's id of the session: the same for all events of one session", unit "", Identifier, key;
    acct_session_id: Option<String> = "Acct-Session-Id (RFC 2866, 44)", unit "", Identifier;
    multi_session_id: Option<String> = "Acct-Multi-Session-Id (RFC 2866, 50)", unit "", Identifier;
    subscriber: Option<Id> = "Opaque id of User-Name (RFC 2865, 1)", unit "", Identifier, key;
    caller: Option<Id> = "Opaque id of Calling-Station-Id (RFC 2865, 31), the caller number", unit "", Identifier, key;
    called: Option<String> = "Called-Station-Id (RFC 2865, 30)", unit "", Plain;
    nas_address: Option<Addr16> = "NAS-IP-Address (RFC 2865, 4) or NAS-IPv6-Address (RFC 3162, 95), else the sender", unit "", Plain;
    nas_identifier: Option<String> = "NAS-Identifier (RFC 2865, 32)", unit "", Plain;
    nas_port: Option<u32> = "NAS-Port (RFC 2865, 5)", unit "", Plain;
    nas_port_id: Option<String> = "NAS-Port-Id (RFC 2869, 87)", unit "", Plain;
    nas_port_type: Option<u32> = "NAS-Port-Type (RFC 2865, 61)", unit "", Plain;
    framed_ipv4: Option<Addr16> = "Framed-IP-Address (RFC 2865, 8)", unit "", Identifier, key;
    framed_ipv6: Option<Addr16> = "Framed-IPv6-Address (RFC 6911, 168)", unit "", Identifier, key;
    framed_prefix: Option<Addr16> = "Framed-IPv6-Prefix (RFC 3162, 97)", unit "", Identifier, key;
    framed_prefix_bits: Option<u8> = "Its length", unit "bits", Plain;
    delegated_prefix: Option<Addr16> = "Delegated-IPv6-Prefix (RFC 4818, 123)", unit "", Identifier, key;
    delegated_prefix_bits: Option<u8> = "Its length", unit "bits", Plain;
    input_octets: Option<u64> = "Acct-Input-Octets and -Gigawords (RFC 2866, 42; RFC 2869, 52)", unit "octets", Plain;
    output_octets: Option<u64> = "Acct-Output-Octets and -Gigawords (RFC 2866, 43; RFC 2869, 53)", unit "octets", Plain;
    session_time: Option<u32> = "Acct-Session-Time (RFC 2866, 46)", unit "s", Plain;
    terminate_cause: Option<u32> = "Acct-Terminate-Cause (RFC 2866, 49)", unit "", Plain;
    start: Option<Millis> = "When the session began, as far as known: its Start, else event time less Acct-Session-Time", unit "ms UTC", Plain;
    start_certain: u8 = "1 when the Start was seen", unit "", Plain;
}
