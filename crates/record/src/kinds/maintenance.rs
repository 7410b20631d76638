//! Lines of logs: the system-maintenance log of clause 7.3.

use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::column::Id;
use crate::macros::record;

record! {
    "One line of a log (RFC 5424, RFC 3164), with addresses, accounts, hardware addresses, mail addresses, telephone and certificate numbers replaced. The line as it came is in `maintenance_text`."
    Maintenance = 20, "maintenance", version 1, Network, Records, time "time";
    time: Millis = "When it was written, by its sender; when it arrived, where the line names no time or one that cannot be (see flags)", unit "ms UTC", Plain, key;
    received: Millis = "When it arrived here", unit "ms UTC", Plain;
    source: u32 = "Number of the source that sent it (`source_entry`)", unit "", Plain, key;
    peer: Addr16 = "The sender, which may be a relay", unit "", Plain;
    facility: u8 = "Facility (RFC 5424 section 6.2.1): 0 to 23; 255 where the line names none", unit "", Plain;
    severity: u8 = "Severity (RFC 5424 section 6.2.1): 0 emergency to 7 debug; 255 where the line names none", unit "", Plain;
    flags: u16 = "Bits: 1 year inferred, 2 zone inferred, 4 time is that of arrival, 8 cut, 16 read as GB18030, 32 some bytes were no text, 64 perhaps a double of a line sent again, 128 structured data is malformed", unit "", Plain;
    host: Option<String> = "HOSTNAME (RFC 5424 section 6.2.4)", unit "", Plain, key;
    app: Option<String> = "APP-NAME (section 6.2.5), or the TAG of RFC 3164", unit "", Plain, key;
    procid: Option<String> = "PROCID (section 6.2.6)", unit "", Plain;
    msgid: Option<String> = "MSGID (section 6.2.7), or the vendor's name of the message", unit "", Plain;
    data: Option<String> = "STRUCTURED-DATA (section 6.3), redacted", unit "", Plain;
    line: String = "The message, redacted: <ADDR1>, <USER1>, <MAC1>, <MAIL1>, <PHONE1>, <CERT1> stand for values; the same number is the same value within the line", unit "", Plain;
    dialect: Option<String> = "The dialect that understood it; none for a line that no dialect understands", unit "", Plain;
    event: Option<String> = "What the dialect took it for: sign-in, sign-out, failure, privilege, configuration, nat, lease", unit "", Plain;
    text: Id = "Id of the line as it came, in `maintenance_text`", unit "", Plain;
}

record! {
    "A line of a log as it came, byte by byte. Views never show it."
    MaintenanceText = 21, "maintenance_text", version 1, Network, Raw, time "time";
    time: Millis = "When it was written, as in `maintenance`", unit "ms UTC", Plain, key;
    id: Id = "Id, named by `maintenance.text`", unit "", Plain, key;
    source: u32 = "Number of the source that sent it (`source_entry`)", unit "", Plain, key;
    bytes: Vec<u8> = "The line without its frame, in the character set it came in; cut where `maintenance.flags` says so", unit "", Raw;
}

/// Bits of `maintenance.flags`.
pub mod line_flags {
    /// The line names no year.
    pub const YEAR_INFERRED: u16 = 1;
    /// The line names no zone.
    pub const ZONE_INFERRED: u16 = 2;
    /// The line names no time, or one that cannot be: it is that of arrival.
    pub const ARRIVAL: u16 = 4;
    /// The line was longer than the limit.
    pub const CUT: u16 = 8;
    /// It was no UTF-8 and was read as GB18030.
    pub const GB18030: u16 = 16;
    /// Some bytes were text in neither character set.
    pub const NOT_TEXT: u16 = 32;
    /// The same line came shortly before a connection of the same sender broke.
    pub const PERHAPS_DOUBLE: u16 = 64;
    /// What should be structured data is not; it stands in the message.
    pub const BAD_DATA: u16 = 128;
}
