//! Where the fields of a version's header and flows lie: of version 3.0 as H3C's reference says, of others as the operator writes it from the manual of
//! his device.

use serde::Deserialize;

use super::limits::{HEADER_BYTES, LAYOUTS, RECORD_BYTES};

/// Version 3.0.
pub const THREE: Layout = Layout {
    version: 3,
    header: 16,
    count: Spot { at: 2, bytes: 2 },
    time: Spot { at: 4, bytes: 4 },
    sequence: Spot { at: 8, bytes: 4 },
    record: 64,
    protocol: 0,
    operator: 1,
    ip_version: Some(2),
    address_bytes: 4,
    inside: End { address: 4, port: 20 },
    public: End { address: 8, port: 22 },
    remote: End { address: 12, port: 24 },
    start: Spot { at: 28, bytes: 4 },
    end: Spot { at: 32, bytes: 4 },
    milliseconds: false,
};

/// A number: where it begins, counted from 0, and how many bytes it has, the highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// First byte.
    pub at: usize,
    /// Bytes: 1, 2, 4 or 8.
    pub bytes: usize,
}

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// First byte of the address.
    pub address: usize,
    /// First of two bytes of the port.
    pub port: usize,
}

/// A version's layout. The version is the first byte of a datagram and the log type the second, in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The version.
    pub version: u8,
    /// Bytes of the header.
    pub header: usize,
    /// Flows that follow.
    pub count: Spot,
    /// When the datagram was made.
    pub time: Spot,
    /// FlowSequence.
    pub sequence: Spot,
    /// Bytes of a flow.
    pub record: usize,
    /// IP protocol, one byte.
    pub protocol: usize,
    /// What happened, one byte.
    pub operator: usize,
    /// Version of IP, one byte; none: what the width of addresses says.
    pub ip_version: Option<usize>,
    /// Bytes of an address: 4, or 16 (IPv6, or IPv4 as `::ffff:a.b.c.d`).
    pub address_bytes: usize,
    /// Source before translation.
    pub inside: End,
    /// Source after translation.
    pub public: End,
    /// Destination before translation.
    pub remote: End,
    /// When it began.
    pub start: Spot,
    /// When it ended.
    pub end: Spot,
    /// Times are milliseconds since 1970, not seconds.
    pub milliseconds: bool,
}

/// `[[sources.h3c.layouts]]`: the layout of a version that has no public one. Offsets are bytes counted from 0, in the header or in a flow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LayoutConfig {
    /// The version: the first byte of a datagram.
    pub version: Option<u64>,
    /// Bytes of the header.
    pub header: Option<u64>,
    /// Offset of the number of flows.
    pub count: Option<u64>,
    /// Its bytes: 1, 2 or 4; left out: 2.
    pub count_bytes: Option<u64>,
    /// Offset of the time.
    pub time: Option<u64>,
    /// Offset of FlowSequence.
    pub sequence: Option<u64>,
    /// Its bytes: 4 or 8; left out: 4.
    pub sequence_bytes: Option<u64>,
    /// Bytes of a flow.
    pub record: Option<u64>,
    /// Offset of the protocol, one byte.
    pub protocol: Option<u64>,
    /// Offset of the operator, one byte.
    pub operator: Option<u64>,
    /// Offset of the version of IP, one byte; left out: there is none.
    pub ip_version: Option<u64>,
    /// Bytes of an address: 4 or 16; left out: 4.
    pub address_bytes: Option<u64>,
    /// Offset of the source before translation.
    pub inside_address: Option<u64>,
    /// Offset of its port.
    pub inside_port: Option<u64>,
    /// Offset of the source after translation.
    pub public_address: Option<u64>,
    /// Offset of its port.
    pub public_port: Option<u64>,
    /// Offset of the destination before translation.
    pub remote_address: Option<u64>,
    /// Offset of its port.
    pub remote_port: Option<u64>,
    /// Offset of the time of the beginning.
    pub start: Option<u64>,
    /// Offset of the time of the end.
    pub end: Option<u64>,
    /// Bytes of the three times: 4 or 8; left out: 4.
    pub time_bytes: Option<u64>,
    /// What times count since 1970: `s` or `ms`; empty: `s`.
    pub time_unit: String,
}

/// Checks all layouts; problems begin with the key they lie under.
pub fn check(configs: &[LayoutConfig], problems: &mut Vec<String>) -> Vec<Layout> {
    if configs.len() > LAYOUTS {
        problems.push(format!("layouts: {} entries, at most {LAYOUTS} are allowed", configs.len()));
    }
    let mut all: Vec<Layout> = Vec::new();
    for (i, config) in configs.iter().take(LAYOUTS).enumerate() {
        let path = format!("layouts[{i}]");
        let layout = config.layout(&path, problems);
        if let Some(other) = layout.and_then(|l| all.iter().position(|o| o.version == l.version)) {
            problems.push(format!("{path}.version: it is that of layouts[{other}] too: keep one"));
        }
        // One that is wrong takes its place too, so that the others keep their numbers.
        all.push(layout.unwrap_or(Layout { version: 0, ..THREE }));
    }
    all
}

/// Fields of one part of a datagram, as they are placed.
struct Part<'a> {
    path: &'a str,
    /// The part's name, and its bytes.
    name: &'static str,
    bytes: Option<usize>,
    taken: Vec<(&'static str, Spot)>,
}

impl Part<'_> {
    /// Places a field; a problem where it does not fit.
    fn place(&mut self, key: &'static str, at: Option<u64>, bytes: usize, problems: &mut Vec<String>) -> Spot {
        let path = self.path;
        let Some(at) = at else {
            problems.push(format!("{path}.{key}: is missing: write its offset in the {} in bytes, counted from 0", self.name));
            return Spot { at: 0, bytes };
        };
        let spot = Spot { at: usize::try_from(at).unwrap_or(usize::MAX), bytes };
        let end = spot.at.saturating_add(bytes);
        if let Some(most) = self.bytes.filter(|n| end > *n) {
            problems.push(format!(
                "{path}.{key}: its {bytes} bytes from {at} on do not lie within the {most} bytes of a {}: count offsets from 0",
                self.name
            ));
            return spot;
        }
        if let Some((other, theirs)) = self.taken.iter().find(|(_, t)| spot.at < t.at + t.bytes && t.at < end) {
            problems.push(format!(
                "{path}.{key}: its {bytes} bytes from {at} on are in part those of {other} ({} from {} on): one of the two offsets is wrong",
                theirs.bytes, theirs.at
            ));
            return spot;
        }
        self.taken.push((key, spot));
        spot
    }
}

impl LayoutConfig {
    fn layout(&self, path: &str, problems: &mut Vec<String>) -> Option<Layout> {
        let before = problems.len();
        let version = self.version(path, problems);
        let header_bytes = size(path, "header", "a header", self.header, HEADER_BYTES, problems);
        let record_bytes = size(path, "record", "a flow", self.record, RECORD_BYTES, problems);
        let mut one_of = |key: &str, value: Option<u64>, allowed: &[usize], otherwise: usize| match value {
            None => otherwise,
            Some(n) => usize::try_from(n).ok().filter(|n| allowed.contains(n)).unwrap_or_else(|| {
                let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                problems.push(format!("{path}.{key}: {n} bytes are not read: write {}", list.join(" or ")));
                otherwise
            }),
        };
        let (counts, sequences) =
            (one_of("count_bytes", self.count_bytes, &[1, 2, 4], 2), one_of("sequence_bytes", self.sequence_bytes, &[4, 8], 4));
        let (addresses, times) =
            (one_of("address_bytes", self.address_bytes, &[4, 16], 4), one_of("time_bytes", self.time_bytes, &[4, 8], 4));
        let milliseconds = match self.time_unit.as_str() {
            "" | "s" => false,
            "ms" if times == 8 => true,
            "ms" => {
                problems.push(format!("{path}.time_unit: milliseconds since 1970 need 8 bytes: write time_bytes = 8, or \"s\""));
                false
            }
            other => {
                problems.push(format!("{path}.time_unit: {other:?} is not known: write \"s\" or \"ms\""));
                false
            }
        };
        // Both are where they are in every version.
        let fixed = vec![("the version", Spot { at: 0, bytes: 1 }), ("the log type", Spot { at: 1, bytes: 1 })];
        let mut header = Part { path, name: "header", bytes: header_bytes, taken: fixed };
        let count = header.place("count", self.count, counts, problems);
        let time = header.place("time", self.time, times, problems);
        let sequence = header.place("sequence", self.sequence, sequences, problems);
        let mut record = Part { path, name: "flow", bytes: record_bytes, taken: Vec::new() };
        let mut place = |key, at, bytes| record.place(key, at, bytes, problems);
        let (protocol, operator) = (place("protocol", self.protocol, 1).at, place("operator", self.operator, 1).at);
        let ip_version = self.ip_version.map(|at| place("ip_version", Some(at), 1).at);
        let mut end_of = |address: (&'static str, Option<u64>), port: (&'static str, Option<u64>)| End {
            address: place(address.0, address.1, addresses).at,
            port: place(port.0, port.1, 2).at,
        };
        let inside = end_of(("inside_address", self.inside_address), ("inside_port", self.inside_port));
        let public = end_of(("public_address", self.public_address), ("public_port", self.public_port));
        let remote = end_of(("remote_address", self.remote_address), ("remote_port", self.remote_port));
        let (start, end) = (place("start", self.start, times), place("end", self.end, times));
        (problems.len() == before).then_some(Layout {
            version: version?,
            header: header_bytes?,
            count,
            time,
            sequence,
            record: record_bytes?,
            protocol,
            operator,
            ip_version,
            address_bytes: addresses,
            inside,
            public,
            remote,
            start,
            end,
            milliseconds,
        })
    }

    fn version(&self, path: &str, problems: &mut Vec<String>) -> Option<u8> {
        match self.version {
            None => problems.push(format!("{path}.version: is missing: write the first byte of the device's datagrams, e.g. 5")),
            Some(3) => problems.push(format!("{path}.version: 3 is read as H3C's reference says: leave this entry out")),
            Some(1) => {
                problems.push(format!("{path}.version: 1 tells no translated address: set `userlog flow export version 3` on the device"))
            }
            Some(n @ (0 | 256..)) => problems.push(format!("{path}.version: {n} is no version: write 2 to 255, but not 3")),
            Some(n) => return u8::try_from(n).ok(),
        }
        None
    }
}

/// Bytes of a part of a datagram.
fn size(path: &str, key: &str, what: &str, bytes: Option<u64>, most: usize, problems: &mut Vec<String>) -> Option<usize> {
    match bytes {
        None => problems.push(format!("{path}.{key}: is missing: write how many bytes {what} has")),
        Some(n) if (1..=most as u64).contains(&n) => return usize::try_from(n).ok(),
        Some(n) => problems.push(format!("{path}.{key}: {n} bytes: write 1 to {most}")),
    }
    None
}
