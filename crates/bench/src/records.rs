//! The records of a corpus one by one, so that they can be sent again: at another time, by other exporters, only creates. Whatever of the corpus does not both
//! begin and end in it is left out: a history of many rounds then leaves nothing open, and every mapping has one right answer.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::net::Addr16;
use weir_base::task::Stop;

use crate::corpus::{Corpus, SUBSCRIBERS};
use crate::shared::Outcome;

/// Where the fields of a record begin that has what is below: observationTimeMilliseconds, natEvent, protocolIdentifier, sourceIPv4Address,
/// sourceTransportPort, postNATSourceIPv4Address, postNAPTSourceTransportPort.
const LAYOUT: [(u16, u16); 7] = [(323, 8), (230, 1), (4, 1), (8, 4), (7, 2), (225, 4), (227, 2)];
const EVENT: usize = 8;
const PROTOCOL: usize = 9;
const INSIDE: std::ops::Range<usize> = 10..14;
const PUBLIC: std::ops::Range<usize> = 16..20;
const PORT: std::ops::Range<usize> = 20..22;
/// natEvent of a session that begins and of one that ends (RFC 8158 section 4.3).
const CREATE: u8 = 4;
const DELETE: u8 = 5;
/// Template id of what is sent.
const TEMPLATE: u16 = 256;
/// Data records of one message.
const A_MESSAGE: usize = 40;
/// Messages of one exporter between two of its templates.
const TEMPLATE_EVERY: usize = 50;
/// Milliseconds from the wish to send until the first datagram leaves, and between bursts.
const AHEAD_MS: i64 = 1_000;
const BURST_MS: u64 = 1;

/// Records of one length.
pub struct Records {
    /// The template's fields as they stand in a template record.
    fields: Vec<u8>,
    length: usize,
    bytes: Vec<u8>,
    /// When they begin, milliseconds since 1970, and how long they are.
    pub begin: i64,
    /// Milliseconds that a round takes.
    pub span: i64,
}

/// One mapping that was.
#[derive(Clone, Copy, Debug)]
pub struct Was {
    /// Public address and port.
    pub public: Addr16,
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// When it began and ended, milliseconds since 1970.
    pub start: i64,
    pub end: i64,
    /// Who held it.
    pub inside: Addr16,
}

impl Was {
    /// The middle of its life.
    pub fn at(&self) -> i64 {
        i64::midpoint(self.start, self.end)
    }
}

fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn address(record: &[u8], place: std::ops::Range<usize>) -> Addr16 {
    let bytes: [u8; 4] = record.get(place).and_then(|b| b.try_into().ok()).unwrap_or_default();
    Addr16::v4(bytes)
}

fn time(record: &[u8]) -> i64 {
    record.first_chunk::<8>().map_or(0, |b| i64::from_be_bytes(*b))
}

/// Public address, port and protocol.
fn key(record: &[u8]) -> u64 {
    let mut key = [0; 8];
    key[..6].copy_from_slice(&record[PUBLIC.start..PORT.end]);
    key[6] = record[PROTOCOL];
    u64::from_be_bytes(key)
}

impl Records {
    /// Those of about so many events a second for so many seconds.
    pub fn of(rate: u64, seconds: u64) -> Outcome<Records> {
        Records::among(SUBSCRIBERS, rate, seconds)
    }

    /// The same of so many subscribers.
    pub fn among(subscribers: u32, rate: u64, seconds: u64) -> Outcome<Records> {
        // Of half a minute about a sixth is open at its end.
        let corpus = Corpus::among(subscribers, rate * 6 / 5, seconds, None)?;
        let mut all =
            Records { fields: Vec::new(), length: 0, bytes: Vec::new(), begin: corpus.begin, span: i64::try_from(seconds * 1_000)? };
        let mut known: HashMap<u16, bool> = HashMap::new();
        for datagram in &corpus.datagrams {
            all.take(datagram, &mut known).ok_or("the simulator sent something that is no IPFIX")?;
        }
        drop(corpus);
        all.whole();
        if all.is_empty() { Err("the simulator sent no session".into()) } else { Ok(all) }
    }

    fn take(&mut self, message: &[u8], known: &mut HashMap<u16, bool>) -> Option<()> {
        let mut at = 16;
        while at < message.len() {
            let (id, len) = (two(message, at)?, usize::from(two(message, at + 2)?));
            let mut set = message.get(at + 4..at + len)?;
            while id == 2 && set.len() >= 4 {
                let (template, count) = (two(set, 0)?, usize::from(two(set, 2)?));
                let fields = set.get(4..4 + 4 * count)?;
                let layout: Vec<(u16, u16)> = fields.chunks_exact(4).filter_map(|f| Some((two(f, 0)?, two(f, 2)?))).collect();
                let ours = layout.starts_with(&LAYOUT) && layout.len() > LAYOUT.len();
                known.insert(template, ours);
                if ours {
                    self.length = layout.iter().map(|(_, length)| usize::from(*length)).sum();
                    self.fields = set.get(2..4 + 4 * count)?.to_vec();
                }
                set = set.get(4 + 4 * count..)?;
            }
            if id > 255 && known.get(&id) == Some(&true) {
                self.bytes.extend_from_slice(set.get(..set.len() / self.length * self.length)?);
            }
            at += len;
        }
        Some(())
    }

    /// Leaves out what does not begin and end.
    fn whole(&mut self) {
        let mut open: HashMap<u64, usize> = HashMap::new();
        let mut keep = vec![false; self.len()];
        for (i, record) in self.bytes.chunks_exact(self.length.max(1)).enumerate() {
            match record[EVENT] {
                CREATE => drop(open.insert(key(record), i)),
                DELETE => {
                    if let Some(begun) = open.remove(&key(record)) {
                        (keep[begun], keep[i]) = (true, true);
                    }
                }
                _ => {}
            }
        }
        let mut to = 0;
        for (i, _) in keep.iter().enumerate().filter(|(_, keep)| **keep) {
            self.bytes.copy_within(i * self.length..(i + 1) * self.length, to);
            to += self.length;
        }
        self.bytes.truncate(to);
    }

    /// Creates of so many mappings that nobody ends, a minute long; and who holds the one of a number.
    pub fn open(count: usize) -> Outcome<Records> {
        let mut some = Records::of(1_000, 20)?;
        let sample = some.bytes.get(..some.length).ok_or("no record")?.to_vec();
        some.span = 60_000;
        some.bytes = Vec::with_capacity(count * some.length);
        for i in 0..count {
            let mut record = sample.clone();
            let was = Records::opened(i, count, some.begin);
            record[..8].copy_from_slice(&was.start.to_be_bytes());
            (record[EVENT], record[PROTOCOL]) = (CREATE, was.protocol);
            record[INSIDE].copy_from_slice(&was.inside.0[12..]);
            record[PUBLIC].copy_from_slice(&was.public.0[12..]);
            record[PORT].copy_from_slice(&was.port.to_be_bytes());
            some.bytes.extend_from_slice(&record);
        }
        Ok(some)
    }

    /// One of [`Records::open`], which begin at `begin`.
    pub fn opened(number: usize, of: usize, begin: i64) -> Was {
        let number32 = number as u32;
        let (public, inside) = (0xc612_0000 + number32 / 50_000, 0x6440_0000 + number32 % 2_000_000);
        let start = begin + (number as i64) * 59_000 / (of as i64);
        let port = 1_024 + (number32 % 50_000) as u16;
        Was { public: Addr16::v4(public.to_be_bytes()), port, protocol: 6, start, end: i64::MAX, inside: Addr16::v4(inside.to_be_bytes()) }
    }

    /// Records.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.length.max(1)
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Who holds them, each as often as it has records.
    pub fn inside(&self) -> impl Iterator<Item = Addr16> {
        self.bytes.chunks_exact(self.length.max(1)).map(|record| address(record, INSIDE))
    }

    /// Records in one of these messages.
    pub fn in_message(&self, message: &[u8]) -> usize {
        let template = if message.get(16..18) == Some(&[0, 2]) { 6 + self.fields.len() } else { 0 };
        message.len().saturating_sub(16 + template + 4) / self.length
    }

    /// Mappings that were, evenly picked.
    pub fn held(&self, count: usize) -> Vec<Was> {
        let mut picked: HashMap<u64, (usize, Was)> = HashMap::new();
        let (mut found, step) = (Vec::new(), (self.len() / 2 / count.max(1)).max(1));
        let mut creates = 0;
        for record in self.bytes.chunks_exact(self.length) {
            match record[EVENT] {
                CREATE => {
                    if creates % step == 0 {
                        let was = Was {
                            public: address(record, PUBLIC),
                            port: two(record, PORT.start).unwrap_or(0),
                            protocol: record[PROTOCOL],
                            start: time(record),
                            end: 0,
                            inside: address(record, INSIDE),
                        };
                        picked.insert(key(record), (creates, was));
                    }
                    creates += 1;
                }
                _ => {
                    if let Some((_, was)) = picked.remove(&key(record)) {
                        found.push(Was { end: time(record), ..was });
                    }
                }
            }
        }
        found.truncate(count);
        found
    }

    /// Messages of a round that an exporter has not sent yet, from a record on.
    pub fn message(&self, exporter: &mut Exporter, from: usize, moved: i64) -> Option<Vec<u8>> {
        let records = self.bytes.get(from * self.length..)?;
        let records = records.get(..records.len().min(A_MESSAGE * self.length)).filter(|r| !r.is_empty())?;
        let count = records.len() / self.length;
        let mut out = exporter.head(self, time(&records[records.len() - self.length..]) + moved);
        out.extend_from_slice(&TEMPLATE.to_be_bytes());
        out.extend_from_slice(&((4 + records.len()) as u16).to_be_bytes());
        for record in records.chunks_exact(self.length) {
            let at = out.len();
            out.extend_from_slice(record);
            out[at..at + 8].copy_from_slice(&(time(record) + moved).to_be_bytes());
            // Every exporter has addresses of its own.
            let public = u32::from_be_bytes([record[PUBLIC.start], record[17], record[18], record[19]]).wrapping_add(exporter.number << 16);
            out[at + PUBLIC.start..at + PUBLIC.end].copy_from_slice(&public.to_be_bytes());
        }
        exporter.sequence = exporter.sequence.wrapping_add(count as u32);
        Some(finished(out))
    }
}

/// One that sends: its number, and what it counts.
#[derive(Default)]
pub struct Exporter {
    /// From 0.
    pub number: u32,
    sequence: u32,
    messages: usize,
}

impl Exporter {
    fn head(&mut self, records: &Records, now: i64) -> Vec<u8> {
        let mut out = Vec::with_capacity(1_500);
        // RFC 7011 section 3.1: version, length, export time, sequence number, observation domain.
        out.extend_from_slice(&[0, 10, 0, 0]);
        out.extend_from_slice(&u32::try_from(now / 1_000).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&[0, 0, 0, 1]);
        if self.messages.is_multiple_of(TEMPLATE_EVERY) {
            out.extend_from_slice(&2u16.to_be_bytes());
            out.extend_from_slice(&((6 + records.fields.len()) as u16).to_be_bytes());
            out.extend_from_slice(&TEMPLATE.to_be_bytes());
            out.extend_from_slice(&records.fields);
        }
        self.messages += 1;
        out
    }

    /// A message without records: it says how many there were before.
    pub fn last(&mut self, records: &Records, now: i64) -> Vec<u8> {
        self.messages = 0;
        finished(self.head(records, now))
    }
}

fn finished(mut message: Vec<u8>) -> Vec<u8> {
    let length = (message.len() as u16).to_be_bytes();
    message[2..4].copy_from_slice(&length);
    message
}

/// Exporters of a loopback network of their own, each with its socket.
pub struct Senders {
    all: Vec<(UdpSocket, Exporter)>,
    /// How often each sends every record, every time with other public addresses.
    lanes: u32,
    to: SocketAddr,
}

impl Senders {
    /// So many that send there, each every record once.
    pub fn new(count: u32, to: SocketAddr) -> Outcome<Senders> {
        let mut all = Vec::new();
        for number in 0..count {
            let [_, _, c, d] = number.to_be_bytes();
            let socket = UdpSocket::bind(SocketAddr::from(([127, 1, c, d.wrapping_add(1)], 0)))?;
            all.push((socket, Exporter { number, ..Exporter::default() }));
        }
        Ok(Senders { all, lanes: 1, to })
    }

    /// One that sends every record so many times, each time with other public addresses: a rate that need not be simulated.
    pub fn wide(lanes: u32, to: SocketAddr) -> Outcome<Senders> {
        Ok(Senders { lanes, ..Senders::new(1, to)? })
    }

    /// When a round that is sent now will begin.
    pub fn start() -> i64 {
        SystemClock::new().now().0 + AHEAD_MS
    }

    /// All of them send all of it in the time it spans, as if it began at `start`; events a second.
    pub fn send(&mut self, records: &Records, start: i64) -> Outcome<f64> {
        let (never, moved) = (Stop::new(), start - records.begin);
        never.wait(Duration::from_millis(u64::try_from(start - SystemClock::new().now().0).unwrap_or(0)));
        let clock = SystemClock::new();
        let total = records.len() as f64;
        let mut sent = 0;
        while sent < records.len() {
            // As far as all of them should be by now, message by message in turn.
            let due = (clock.monotonic().as_secs_f64() * 1e3 / records.span as f64 * total) as usize + 1;
            while sent < due.min(records.len()) {
                for (socket, exporter) in &mut self.all {
                    let own = exporter.number;
                    for lane in 0..self.lanes {
                        exporter.number = own + lane;
                        let Some(message) = records.message(exporter, sent, moved) else { continue };
                        socket.send_to(&message, self.to)?;
                    }
                    exporter.number = own;
                }
                sent += A_MESSAGE;
            }
            never.wait(Duration::from_millis(BURST_MS));
        }
        Ok(total * self.all.len() as f64 * f64::from(self.lanes) / clock.monotonic().as_secs_f64())
    }

    /// Says how many records there were, so that what was lost at the end is known, too.
    pub fn finish(&mut self, records: &Records) -> Outcome<()> {
        let now = SystemClock::new().now().0;
        for (socket, exporter) in &mut self.all {
            socket.send_to(&exporter.last(records, now), self.to)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_begins_and_ends_and_is_picked_whole() {
        let records = Records::of(2_000, 20).unwrap();
        let held = records.held(500);
        assert!(held.len() >= 450 && held.len() <= 500, "{}", held.len());
        assert!(held.iter().all(|was| was.start <= was.end && was.start >= records.begin));
        let (mut exporter, mut at, mut bytes) = (Exporter { number: 3, ..Exporter::default() }, 0, 0);
        while let Some(message) = records.message(&mut exporter, at, 7) {
            assert_eq!(two(&message, 2).map(usize::from), Some(message.len()));
            (at, bytes) = (at + A_MESSAGE, bytes + message.len());
        }
        assert_eq!(exporter.sequence as usize, records.len());
        assert!(bytes > records.len() * records.length);
    }
}
