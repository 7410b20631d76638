//! Bytes to message header, sets and templates: IPFIX (RFC 7011 section 3) and NetFlow v9 (RFC 3954 section 5).
//!
//! Pure: no state, no clock, no panic. Data sets come out as slices; what their bytes mean is the business of [`super::compile`].

use std::fmt;

use super::limits::TEMPLATE_FIELDS;

/// Field length that says "the length stands before each value" (RFC 7011 section 7). NetFlow v9 exporters by H3C use it too.
pub const VARIABLE: u16 = 0xffff;
/// Lowest number of a data set and of a template.
pub const FIRST_TEMPLATE: u16 = 256;
/// Bytes of an IPFIX message header.
pub const IPFIX_HEADER: usize = 16;
/// Bytes of a NetFlow v9 packet header.
pub const V9_HEADER: usize = 20;

/// Protocol version of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// NetFlow v9 (RFC 3954).
    V9,
    /// IPFIX (RFC 7011), version number 10.
    Ipfix,
}

impl Version {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Version::V9 => 9,
            Version::Ipfix => 10,
        }
    }

    /// The version with this number on the wire.
    pub fn from_number(number: u16) -> Option<Version> {
        match number {
            9 => Some(Version::V9),
            10 => Some(Version::Ipfix),
            _ => None,
        }
    }
}

/// A message header, both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version.
    pub version: Version,
    /// Export time, whole seconds since 1970-01-01T00:00:00Z by the exporter's clock. The fraction was cut off.
    pub export_secs: u32,
    /// IPFIX: data records sent before this message; v9: packets sent before this one. Both modulo 2^32.
    pub sequence: u32,
    /// Observation domain (IPFIX) or source id (v9).
    pub domain: u32,
    /// v9 only: milliseconds since the exporter started.
    pub uptime_ms: Option<u32>,
}

impl Header {
    /// Export time in milliseconds since the epoch, as a whole second.
    pub fn export_ms(&self) -> i64 {
        i64::from(self.export_secs) * 1000
    }
}

/// What is wrong with a message, set or template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Fewer bytes than a header has.
    ShortHeader,
    /// A version other than 9 and 10. NetFlow v5 and others: ask the exporter for v9 or IPFIX.
    Version(u16),
    /// The message length in the header is impossible or more than was received.
    MessageLength,
    /// A set's length is less than 4 or goes past the message.
    SetLength,
    /// A set number that has no meaning (4 to 255; 0 and 1 in IPFIX; 2 and 3 in v9).
    SetId(u16),
    /// A template record goes past its set.
    TemplateShort,
    /// A template number below 256.
    TemplateId(u16),
    /// A template with more fields than the limit.
    TemplateFields,
    /// A template whose records would have no bytes.
    TemplateEmpty,
    /// An options template whose scope does not fit its fields.
    TemplateScope,
    /// A template was withdrawn in a version that has no withdrawal, or in a way that is not defined.
    Withdrawal,
    /// A record goes past its set.
    RecordShort,
    /// The exporter announced more templates than the limit.
    TooManyTemplates,
    /// More exporters or observation domains than the limit.
    TooManyDomains,
    /// Bytes after the end of a message, in the same datagram.
    Trailing,
    /// More TCP connections than the limit.
    TooManySessions,
    /// The sender is not a configured exporter.
    UnknownExporter,
}

impl Fault {
    /// A short stable word, used as the reason in `malformed` records.
    pub fn reason(self) -> &'static str {
        match self {
            Fault::ShortHeader => "short-header",
            Fault::Version(_) => "unsupported-version",
            Fault::MessageLength => "message-length",
            Fault::SetLength => "set-length",
            Fault::SetId(_) => "set-id",
            Fault::TemplateShort => "template-short",
            Fault::TemplateId(_) => "template-id",
            Fault::TemplateFields => "template-too-many-fields",
            Fault::TemplateEmpty => "template-empty",
            Fault::TemplateScope => "template-scope",
            Fault::Withdrawal => "withdrawal",
            Fault::RecordShort => "record-short",
            Fault::TooManyTemplates => "too-many-templates",
            Fault::TooManyDomains => "too-many-domains",
            Fault::Trailing => "trailing-bytes",
            Fault::TooManySessions => "too-many-sessions",
            Fault::UnknownExporter => "unknown-exporter",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Version(n) => write!(f, "version {n} is not supported: set the exporter to IPFIX (10) or NetFlow v9"),
            Fault::SetId(n) => write!(f, "set number {n} has no meaning in this version"),
            Fault::TemplateId(n) => write!(f, "template number {n} is below 256"),
            other => f.write_str(other.reason()),
        }
    }
}

/// The next two bytes of `data` at `at`, big-endian.
pub fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b))
}

/// The next four bytes of `data` at `at`, big-endian.
pub fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

/// A message: its header, the bytes of its sets, and how many bytes of the datagram lie past its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Header.
    pub header: Header,
    /// The sets.
    pub body: &'a [u8],
    /// Bytes after the length an IPFIX header gives. RFC 7011 section 10.3.3 puts one message in a datagram, so these are a fault,
    /// but no reason to lose the message before them.
    pub trailing: usize,
}

/// Reads a message. v9 has no length of its own: the datagram is the message.
pub fn message(data: &[u8]) -> Result<Message<'_>, Fault> {
    let number = u16_at(data, 0).ok_or(Fault::ShortHeader)?;
    let version = Version::from_number(number).ok_or(Fault::Version(number))?;
    let read = |at| u32_at(data, at).ok_or(Fault::ShortHeader);
    match version {
        Version::Ipfix => {
            let header = Header { version, export_secs: read(4)?, sequence: read(8)?, domain: read(12)?, uptime_ms: None };
            let length = usize::from(u16_at(data, 2).ok_or(Fault::ShortHeader)?);
            let body = data.get(IPFIX_HEADER..length).ok_or(Fault::MessageLength)?;
            Ok(Message { header, body, trailing: data.len() - length })
        }
        Version::V9 => {
            let header = Header { version, export_secs: read(8)?, sequence: read(12)?, domain: read(16)?, uptime_ms: Some(read(4)?) };
            Ok(Message { header, body: data.get(V9_HEADER..).ok_or(Fault::ShortHeader)?, trailing: 0 })
        }
    }
}

/// What a set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// Templates.
    Templates,
    /// Options templates.
    OptionsTemplates,
    /// Records of the template with this number.
    Data(u16),
}

/// One set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set<'a> {
    /// What it holds.
    pub kind: SetKind,
    /// Its bytes without the 4-byte set header, padding included.
    pub body: &'a [u8],
    /// Byte position of its header in the bytes given to [`sets`].
    pub offset: usize,
}

/// Goes through the sets of a message body. Ends after the first fault, because nothing after it can be placed.
pub fn sets(version: Version, body: &[u8]) -> Sets<'_> {
    Sets { version, body, at: 0 }
}

/// Iterator over sets, see [`sets`].
#[derive(Clone, Debug)]
pub struct Sets<'a> {
    version: Version,
    body: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Sets<'a> {
    type Item = Result<Set<'a>, (Fault, usize)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (rest, offset) = (self.body.get(self.at..)?, self.at);
        // Some exporters fill their buffer with zeros up to its size (Palo Alto, Cisco ACI); a set of length 0 cannot be meant.
        if rest.iter().all(|b| *b == 0) {
            self.at = self.body.len().saturating_add(1);
            return None;
        }
        let set = self.set(rest, offset);
        self.at = match set {
            Ok(set) => offset + 4 + set.body.len(),
            Err(_) => self.body.len().saturating_add(1),
        };
        Some(set.map_err(|fault| (fault, offset)))
    }
}

impl<'a> Sets<'a> {
    fn set(&self, rest: &'a [u8], offset: usize) -> Result<Set<'a>, Fault> {
        let id = u16_at(rest, 0).ok_or(Fault::SetLength)?;
        let length = usize::from(u16_at(rest, 2).ok_or(Fault::SetLength)?);
        let body = rest.get(4..length).ok_or(Fault::SetLength)?;
        let kind = match (self.version, id) {
            (Version::Ipfix, 2) | (Version::V9, 0) => SetKind::Templates,
            (Version::Ipfix, 3) | (Version::V9, 1) => SetKind::OptionsTemplates,
            (_, FIRST_TEMPLATE..) => SetKind::Data(id),
            _ => return Err(Fault::SetId(id)),
        };
        Ok(Set { kind, body, offset })
    }
}

/// One field of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldSpec {
    /// Private enterprise number, 0 for IANA's elements and for all of v9.
    pub enterprise: u32,
    /// Element number; scope type for the scope fields of v9.
    pub id: u16,
    /// Length in bytes, or [`VARIABLE`].
    pub length: u16,
}

/// A template or options template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// Template number, 256 and above.
    pub id: u16,
    /// Number of leading scope fields; 0 for a template that is not an options template.
    pub scope: u16,
    /// All fields, scope fields first.
    pub fields: Vec<FieldSpec>,
}

impl Template {
    /// True for an options template.
    pub fn is_options(&self) -> bool {
        self.scope > 0
    }

    /// Fewest bytes a record can have.
    pub fn min_len(&self) -> usize {
        self.fields.iter().map(|f| if f.length == VARIABLE { 1 } else { usize::from(f.length) }).sum()
    }

    /// True if a field has a variable length.
    pub fn is_variable(&self) -> bool {
        self.fields.iter().any(|f| f.length == VARIABLE)
    }
}

/// What a template set says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// A template, new, repeated or changed.
    Define(Template),
    /// A template is no longer used (IPFIX only).
    Withdraw(u16),
    /// All templates (false) or options templates (true) are no longer used (IPFIX only).
    WithdrawAll {
        /// True for options templates.
        options: bool,
    },
}

/// Reads a template set. Templates before a fault are still given.
pub fn templates(version: Version, options: bool, body: &[u8]) -> (Vec<Announcement>, Option<Fault>) {
    let (mut out, mut at) = (Vec::new(), 0);
    loop {
        let rest = body.get(at..).unwrap_or_default();
        // Padding: too short for a record, or zeros.
        if rest.len() < 4 || rest.iter().all(|b| *b == 0) {
            return (out, None);
        }
        let read = match (version, options) {
            (_, false) => template(version, rest),
            (Version::Ipfix, true) => options_template(rest),
            (Version::V9, true) => options_template_v9(rest),
        };
        match read {
            Ok((announcement, used)) => {
                out.push(announcement);
                at += used;
            }
            Err(fault) => return (out, Some(fault)),
        }
    }
}

fn template(version: Version, rest: &[u8]) -> Result<(Announcement, usize), Fault> {
    let id = u16_at(rest, 0).ok_or(Fault::TemplateShort)?;
    let count = u16_at(rest, 2).ok_or(Fault::TemplateShort)?;
    if count == 0 {
        return withdrawal(version, id, false);
    }
    let (fields, used) = fields(version, rest, 4, count)?;
    finish(id, 0, fields, used)
}

/// RFC 7011 section 3.4.2.2: the field count covers the scope fields.
fn options_template(rest: &[u8]) -> Result<(Announcement, usize), Fault> {
    let id = u16_at(rest, 0).ok_or(Fault::TemplateShort)?;
    let count = u16_at(rest, 2).ok_or(Fault::TemplateShort)?;
    if count == 0 {
        return withdrawal(Version::Ipfix, id, true);
    }
    let scope = u16_at(rest, 4).ok_or(Fault::TemplateShort)?;
    if scope == 0 || scope > count {
        return Err(Fault::TemplateScope);
    }
    let (fields, used) = fields(Version::Ipfix, rest, 6, count)?;
    finish(id, scope, fields, used)
}

/// RFC 3954 section 6.1: the lengths of the scope and option parts are in bytes.
fn options_template_v9(rest: &[u8]) -> Result<(Announcement, usize), Fault> {
    let id = u16_at(rest, 0).ok_or(Fault::TemplateShort)?;
    let scope = u16_at(rest, 2).ok_or(Fault::TemplateShort)?;
    let option = u16_at(rest, 4).ok_or(Fault::TemplateShort)?;
    if scope % 4 != 0 || option % 4 != 0 || scope == 0 {
        return Err(Fault::TemplateScope);
    }
    let (fields, used) = fields(Version::V9, rest, 6, scope / 4 + option / 4)?;
    finish(id, scope / 4, fields, used)
}

/// RFC 7011 section 8.1. v9 has none (RFC 3954 section 9).
fn withdrawal(version: Version, id: u16, options: bool) -> Result<(Announcement, usize), Fault> {
    match (version, id, options) {
        (Version::V9, ..) => Err(Fault::Withdrawal),
        (_, 2, false) | (_, 3, true) => Ok((Announcement::WithdrawAll { options }, 4)),
        (_, FIRST_TEMPLATE.., _) => Ok((Announcement::Withdraw(id), 4)),
        _ => Err(Fault::Withdrawal),
    }
}

fn fields(version: Version, rest: &[u8], start: usize, count: u16) -> Result<(Vec<FieldSpec>, usize), Fault> {
    if usize::from(count) > TEMPLATE_FIELDS {
        return Err(Fault::TemplateFields);
    }
    let (mut out, mut at) = (Vec::with_capacity(usize::from(count)), start);
    for _ in 0..count {
        let raw = u16_at(rest, at).ok_or(Fault::TemplateShort)?;
        let length = u16_at(rest, at + 2).ok_or(Fault::TemplateShort)?;
        at += 4;
        let (mut id, mut enterprise) = (raw, 0);
        if version == Version::Ipfix && raw & 0x8000 != 0 {
            id = raw & 0x7fff;
            enterprise = u32_at(rest, at).ok_or(Fault::TemplateShort)?;
            at += 4;
        }
        out.push(FieldSpec { enterprise, id, length });
    }
    Ok((out, at))
}

fn finish(id: u16, scope: u16, fields: Vec<FieldSpec>, used: usize) -> Result<(Announcement, usize), Fault> {
    if id < FIRST_TEMPLATE {
        return Err(Fault::TemplateId(id));
    }
    let template = Template { id, scope, fields };
    if template.min_len() == 0 {
        return Err(Fault::TemplateEmpty);
    }
    Ok((Announcement::Define(template), used))
}
