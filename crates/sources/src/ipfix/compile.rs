//! A template becomes a plan: where in a record each column of a NAT event stands.
//!
//! Records of fixed length are read in place, a tight loop a column (see [`super::decode`]). When a field of variable length stands in
//! the template, the fields that matter are first copied out of each record into a row of fixed length, and the same loops run on those.

use super::elements::NOKIA;
use super::natevent::{Code, Event};
use super::parser::{FieldSpec, Template, VARIABLE, Version};
use super::profile::Profile;
use weir_record::kinds::{Action, Form};

/// How the bytes of a field are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte.
    U8,
    /// Two bytes.
    U16,
    /// Big-endian unsigned integer of this many bytes, 1 to 8 (reduced-size encoding, RFC 7011 section 6.2).
    Uint(u8),
    /// IPv4 address.
    V4,
    /// 16 bytes of address.
    V6,
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Byte position in the row.
    pub offset: usize,
    /// How it is read.
    pub kind: Kind,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    Milliseconds,
    /// Seconds since 1970.
    Seconds,
    /// NTP: seconds since 1900 in the upper half, a binary fraction in the lower.
    Ntp,
    /// Milliseconds since the exporter started; needs the uptime of a v9 header.
    Uptime,
}

/// A time field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRead {
    /// Where.
    pub read: Read,
    /// How.
    pub unit: TimeUnit,
}

/// Where the event of a record comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventFrom {
    /// A field: natEvent or firewallEvent.
    Field(Read),
    /// All records of this template tell of the same.
    Template(Code),
    /// A finished flow: both ends of a mapping in one record.
    Flow,
}

/// The fields of a port block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockReads {
    /// portRangeStart (361).
    pub start: Option<Read>,
    /// portRangeEnd (362).
    pub end: Option<Read>,
    /// portRangeStepSize (363).
    pub step: Option<Read>,
    /// portRangeNumPorts (364).
    pub count: Option<Read>,
}

/// The plan for records that tell of NAT.
#[derive(Clone, Debug)]
pub struct Nat {
    /// Event.
    pub event: EventFrom,
    /// The code of each event number.
    pub codes: Box<[Code; 256]>,
    /// The meaning of each event number.
    pub events: Box<[Event; 256]>,
    /// True if the numbers are those of firewallEvent, where most are no NAT events.
    pub firewall: bool,
    /// Time of the event.
    pub time: Vec<TimeRead>,
    /// Times to use for a beginning when there is none of the event.
    pub start: Vec<TimeRead>,
    /// The same for an end.
    pub end: Vec<TimeRead>,
    /// protocolIdentifier.
    pub protocol: Option<Read>,
    /// Inside address; the first that is not zero counts (some exporters zero what does not apply).
    pub inside: Vec<Read>,
    /// Inside port.
    pub inside_port: Option<Read>,
    /// Public address, likewise.
    pub public: Vec<Read>,
    /// Public port.
    pub public_port: Option<Read>,
    /// Remote address, likewise: after translation, else before.
    pub remote: Vec<Read>,
    /// Remote port, likewise.
    pub remote_port: Vec<Read>,
    /// Port block.
    pub block: BlockReads,
}

/// What the records of a template are good for.
#[derive(Clone, Debug)]
pub enum Body {
    /// NAT events.
    Nat(Box<Nat>),
    /// Flow records without translated addresses, or options: counted, not kept.
    Other,
    /// NAT records that cannot be used, and why.
    Unusable(&'static str),
}

/// One step through a record with fields of variable length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Length in bytes, or [`VARIABLE`].
    pub length: u16,
    /// Where the value goes in the row.
    pub slot: Option<Slot>,
}

/// A place in a row for a value of variable length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Byte position in the row.
    pub offset: usize,
    /// What is put there.
    pub content: Content,
}

/// How a value is put into its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// An integer, right-aligned in 8 bytes.
    Uint,
    /// An address of 4 bytes.
    V4,
    /// An address of 16 bytes.
    V6,
    /// An address as text after the last `@`, as 16 bytes.
    AddressText,
}

/// How records are laid out.
#[derive(Clone, Debug)]
pub enum Layout {
    /// All of this length.
    Fixed(usize),
    /// To be walked: fewest bytes of a record, the steps, and the length of the row they are copied into.
    Walk {
        /// Fewest bytes a record can have.
        min: usize,
        /// One step a field.
        steps: Vec<Step>,
        /// Length of the row.
        row: usize,
    },
}

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Layout of its records.
    pub layout: Layout,
    /// What they are good for.
    pub body: Body,
}

/// The element numbers that a plan may read.
fn wanted(field: &FieldSpec, profile: Profile) -> bool {
    match field.enterprise {
        0 => {
            let old_asa = matches!(field.id, 40_001..=40_005) && profile.reads_old_asa();
            old_asa
                || matches!(field.id, 4 | 7 | 8 | 11 | 12 | 21 | 22 | 27 | 28 | 150..=153 | 225..=228 | 230 | 233)
                || matches!(field.id, 281 | 282 | 322..=325 | 361..=364)
        }
        NOKIA => field.id == 93,
        _ => false,
    }
}

fn content(field: &FieldSpec) -> Content {
    match (field.enterprise, field.id) {
        (NOKIA, _) => Content::AddressText,
        (_, 8 | 12 | 225 | 226 | 40_001 | 40_002) => Content::V4,
        (_, 27 | 28 | 281 | 282) => Content::V6,
        _ => Content::Uint,
    }
}

struct Placed {
    enterprise: u32,
    id: u16,
    read: Read,
}

/// Compiles a template for an exporter of this profile.
pub fn compile(template: &Template, version: Version, profile: Profile) -> Plan {
    let (layout, fields) = if template.is_variable() { walk(template, profile) } else { fixed(template, profile) };
    let body = if template.is_options() { Body::Other } else { nat(template, version, profile, &fields) };
    Plan { layout, body }
}

fn fixed(template: &Template, profile: Profile) -> (Layout, Vec<Placed>) {
    let (mut at, mut out) = (0, Vec::new());
    for field in &template.fields {
        let length = usize::from(field.length);
        let kind = match (content(field), field.length) {
            (Content::Uint, 1) => Some(Kind::U8),
            (Content::Uint, 2) => Some(Kind::U16),
            (Content::Uint, n @ 3..=8) => Some(Kind::Uint(n as u8)),
            (Content::V4, 4) => Some(Kind::V4),
            (Content::V6, 16) => Some(Kind::V6),
            // A wrong length, or text of fixed length, which no exporter we know of sends: not read.
            _ => None,
        };
        if let Some(kind) = kind.filter(|_| wanted(field, profile)) {
            out.push(Placed { enterprise: field.enterprise, id: field.id, read: Read { offset: at, kind } });
        }
        at += length;
    }
    (Layout::Fixed(at), out)
}

fn walk(template: &Template, profile: Profile) -> (Layout, Vec<Placed>) {
    let (mut row, mut out, mut steps) = (0, Vec::new(), Vec::new());
    for field in &template.fields {
        let content = content(field);
        let (width, kind, fits) = match content {
            Content::Uint => (8, Kind::Uint(8), matches!(field.length, 1..=8 | VARIABLE)),
            Content::V4 => (4, Kind::V4, matches!(field.length, 4 | VARIABLE)),
            Content::V6 => (16, Kind::V6, matches!(field.length, 16 | VARIABLE)),
            Content::AddressText => (16, Kind::V6, true),
        };
        let mut slot = None;
        if fits && wanted(field, profile) {
            slot = Some(Slot { offset: row, content });
            out.push(Placed { enterprise: field.enterprise, id: field.id, read: Read { offset: row, kind } });
            row += width;
        }
        steps.push(Step { length: field.length, slot });
    }
    (Layout::Walk { min: template.min_len(), steps, row: row.max(1) }, out)
}

fn nat(template: &Template, version: Version, profile: Profile, fields: &[Placed]) -> Body {
    let find = |id| fields.iter().find(|f| f.enterprise == 0 && f.id == id).map(|f| f.read);
    let all = |ids: &[u16]| ids.iter().filter_map(|id| find(*id)).collect::<Vec<_>>();
    let nokia = fields.iter().find(|f| f.enterprise == NOKIA && f.id == 93).map(|f| f.read);
    let public = all(&[225, 281, 40_001]);
    let public_port = find(227).or_else(|| find(40_003));
    let block = BlockReads { start: find(361), end: find(362), step: find(363), count: find(364) };
    let historic = match (public_port, block.start) {
        (Some(_), _) => Form::Session,
        (None, Some(_)) => Form::Block,
        (None, None) => Form::AddressBinding,
    };
    let times = |list: &[(u16, TimeUnit)]| {
        list.iter().filter_map(|(id, unit)| find(*id).map(|read| TimeRead { read, unit: *unit })).collect::<Vec<_>>()
    };
    let uptime = |id| if version == Version::V9 { vec![(id, TimeUnit::Uptime)] } else { vec![] };
    let start = times(&[&[(152, TimeUnit::Milliseconds), (150, TimeUnit::Seconds)][..], &uptime(22)].concat());
    let end = times(&[&[(153, TimeUnit::Milliseconds), (151, TimeUnit::Seconds)][..], &uptime(21)].concat());
    let mut firewall = false;
    let event = match (find(230), profile.by_template(template)) {
        (Some(read), _) => EventFrom::Field(read),
        (None, Some(event)) => EventFrom::Template(event.code(historic)),
        (None, None) if public.is_empty() => return Body::Other,
        (None, None) => match find(233).or_else(|| find(40_005)).filter(|_| profile.reads_firewall_event()) {
            Some(read) => {
                firewall = true;
                EventFrom::Field(read)
            }
            None if profile.reads_flows() && public_port.is_some() && !start.is_empty() && !end.is_empty() => EventFrom::Flow,
            None => return Body::Other,
        },
    };
    if nokia.is_some() && profile == Profile::Nokia && public_port.is_none() {
        return Body::Unusable("nokia-format1-has-no-public-port");
    }
    let inside = nokia.filter(|_| profile == Profile::Nokia).into_iter().chain(all(&[8, 27])).collect();
    let events = if firewall { firewall_events() } else { profile.table() };
    Body::Nat(Box::new(Nat {
        event,
        codes: Box::new(events.map(|e| e.code(historic))),
        events: Box::new(events),
        firewall,
        time: times(&[(323, TimeUnit::Milliseconds), (322, TimeUnit::Seconds), (324, TimeUnit::Ntp), (325, TimeUnit::Ntp)]),
        start,
        end,
        protocol: find(4),
        inside,
        inside_port: find(7),
        public,
        public_port,
        remote: all(&[226, 282, 40_002, 12, 28]),
        remote_port: all(&[228, 40_004, 11]),
        block,
    }))
}

/// firewallEvent (233): 1 created, 2 deleted; 3 denied, 4 alert and 5 update say nothing about a mapping.
fn firewall_events() -> [Event; 256] {
    let mut events = [Event::None; 256];
    events[1] = Event::SessionCreate;
    events[2] = Event::SessionDelete;
    events
}

/// The code of a beginning and of an end, for flows that stand for both.
pub fn flow_codes() -> [Code; 2] {
    [super::natevent::code(Action::Create, Form::Session), super::natevent::code(Action::Delete, Form::Session)]
}
