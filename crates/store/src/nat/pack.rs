//! Events packed for sorting: addresses and what seldom differs become small numbers in the order of what they stand for, so that an event is
//! 24 bytes, sorts by two of them, and is read once.

use std::collections::HashMap;
use std::hash::BuildHasher;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, Form};

use crate::nat::event::Event;
use crate::nat::mapping::{Remote, cells};
use weir_base::hash::MixState;

/// Bits of a place that the port takes, and those that the rest of the end takes.
const PORT_BITS: u32 = 16;
const TAIL_BITS: u32 = 24;
/// Public addresses and tails that fit into a place.
const MOST: usize = 1 << 24;
/// Events of one bucket, about: few enough to be sorted within a processor's first cache.
const BUCKET: usize = 256;
/// Most buckets.
const BUCKETS: usize = 1 << 16;

/// One event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    /// Public address, first port, and the rest of the public end, as numbers that sort like them.
    pub place: u64,
    /// Number of its instant: see [`Events::time`].
    time: u32,
    /// Its inside address if that is IPv4, else its number.
    inside: u32,
    /// Number of its remote end.
    remote: u32,
    /// Inside port.
    pub inside_port: u16,
    /// Created or deleted.
    pub create: bool,
    marks: u8,
}

/// Marks of a packed event: its inside address is IPv4; it is an end that nobody saw.
const V4: u8 = 1;
const INFERRED: u8 = 2;

impl Packed {
    /// Number of its public address: the order of addresses.
    pub fn address(&self) -> u32 {
        (self.place >> (PORT_BITS + TAIL_BITS)) as u32
    }

    /// First public port.
    pub fn port(&self) -> u16 {
        (self.place >> TAIL_BITS) as u16
    }

    /// Public address and first port as one number.
    pub fn end(&self) -> u64 {
        self.place >> TAIL_BITS
    }

    fn tail(&self) -> usize {
        (self.place & ((1 << TAIL_BITS) - 1)) as usize
    }

    /// True if both speak of the same inside and remote end.
    pub fn same_inside(&self, other: &Packed) -> bool {
        (self.inside, self.marks & V4, self.remote, self.inside_port) == (other.inside, other.marks & V4, other.remote, other.inside_port)
    }

    /// True for an end that nobody saw: it came before its time.
    pub fn inferred(&self) -> bool {
        self.marks & INFERRED != 0
    }
}

/// What is the same for most events of one exporter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tail {
    /// Ports beyond the first.
    pub more: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// [`Form`] as it is stored.
    pub form: u8,
    /// The exporter.
    pub source: u32,
}

/// Sorted events and what their numbers stand for.
pub struct Events {
    /// By public end, exporter and time; events of equal time as they came.
    pub sorted: Vec<Packed>,
    addresses: Vec<[u8; 16]>,
    insides: Vec<[u8; 16]>,
    remotes: Vec<Remote>,
    tails: Vec<Tail>,
    origin: i64,
    /// Every instant there is, when they lie too far apart to be counted from the first.
    times: Vec<i64>,
}

/// Gives values of 16 bytes numbers in the order they come.
struct Numbers {
    values: Vec<[u8; 16]>,
    /// Number plus one, by hash; 0 where nothing is.
    slots: Vec<u32>,
    state: MixState,
    last: u32,
}

impl Numbers {
    fn new() -> Numbers {
        Numbers { values: Vec::new(), slots: vec![0; 1 << 12], state: MixState::default(), last: 0 }
    }

    fn of(&mut self, value: &[u8; 16]) -> u32 {
        if self.values.get(self.last as usize) == Some(value) {
            return self.last;
        }
        self.last = self.find(value);
        self.last
    }

    fn find(&mut self, value: &[u8; 16]) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = self.state.hash_one(u128::from_le_bytes(*value)) as usize & mask;
        loop {
            match self.slots[at] {
                0 => break,
                n if self.values[n as usize - 1] == *value => return n - 1,
                _ => at = (at + 1) & mask,
            }
        }
        self.values.push(*value);
        self.slots[at] = self.values.len() as u32;
        if self.values.len() * 2 > self.slots.len() {
            self.grow();
        }
        self.values.len() as u32 - 1
    }

    fn grow(&mut self) {
        let mask = self.slots.len() * 2 - 1;
        self.slots = vec![0; mask + 1];
        for (i, value) in self.values.iter().enumerate() {
            let mut at = self.state.hash_one(u128::from_le_bytes(*value)) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = i as u32 + 1;
        }
    }
}

/// Gives small values numbers: the ones seen lately are found without a table.
struct Few<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32, MixState>,
    last: Option<(T, u32)>,
}

impl<T: Copy + Eq + std::hash::Hash> Few<T> {
    fn new() -> Few<T> {
        Few { values: Vec::new(), numbers: HashMap::default(), last: None }
    }

    fn of(&mut self, value: T) -> u32 {
        if let Some((last, number)) = &self.last
            && *last == value
        {
            return *number;
        }
        let next = self.values.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.values.push(value);
        }
        self.last = Some((value, number));
        number
    }
}

/// The order of some values: the rank of each.
fn ranks<T: Ord + Copy>(values: &mut Vec<T>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by_key(|i| values[*i as usize]);
    let mut rank = vec![0; values.len()];
    order.iter().enumerate().for_each(|(r, i)| rank[*i as usize] = r as u32);
    *values = order.iter().map(|i| values[*i as usize]).collect();
    rank
}

struct Packer {
    addresses: Numbers,
    insides: Numbers,
    remotes: Few<Remote>,
    /// The numbers of tails, by protocol, where an event has one port and the source of the event before.
    tails: Few<Tail>,
    tail_of: [u32; 256],
    tail_source: (u8, u32),
    origin: i64,
    times: Vec<i64>,
    out: Vec<Packed>,
}

const NO_TAIL: u32 = u32::MAX;

impl Packer {
    fn tail(&mut self, tail: Tail) -> u32 {
        if tail.more != 0 {
            return self.tails.of(tail);
        }
        if self.tail_source != (tail.form, tail.source) {
            self.tail_source = (tail.form, tail.source);
            self.tail_of = [NO_TAIL; 256];
        }
        let slot = usize::from(tail.protocol);
        if self.tail_of[slot] == NO_TAIL {
            self.tail_of[slot] = self.tails.of(tail);
        }
        self.tail_of[slot]
    }

    fn batch(&mut self, batch: &RecordBatch) {
        let c = batch.columns();
        let time = c[0].as_primitive::<TimestampMillisecondType>().values();
        let (action, form) = (c[1].as_primitive::<UInt8Type>().values(), c[2].as_primitive::<UInt8Type>().values());
        let (protocol, source) = (c[3].as_primitive::<UInt8Type>().values(), c[4].as_primitive::<UInt32Type>().values());
        let (public, inside, remote) = (cells(&c[5]), cells(&c[8]), cells(&c[10]));
        let (first, last) = (c[6].as_primitive::<UInt16Type>().values(), c[7].as_primitive::<UInt16Type>().values());
        let inside_port = c[9].as_primitive::<UInt16Type>().values();
        let (remote_port, tag) = (c[11].as_primitive::<UInt16Type>().values(), c[12].as_primitive::<UInt64Type>().values());
        for i in 0..batch.num_rows() {
            // A source never makes rows of another form.
            if Form::from_u8(form[i]).is_none() {
                continue;
            }
            let more = last[i].saturating_sub(first[i]);
            let tail = self.tail(Tail { more, protocol: protocol[i], form: form[i], source: source[i] });
            let time =
                if self.times.is_empty() { (time[i] - self.origin) as u32 } else { self.times.binary_search(&time[i]).unwrap_or(0) as u32 };
            let remote = if remote_port[i] == 0 && tag[i] == 0 && remote[i] == [0; 16] {
                0
            } else {
                self.remotes.of(Remote { address: Addr16(remote[i]), port: remote_port[i], tag: tag[i] })
            };
            // The address and the tail get their places in the order when all are known.
            let place =
                u64::from(self.addresses.of(&public[i])) << (PORT_BITS + TAIL_BITS) | u64::from(first[i]) << TAIL_BITS | u64::from(tail);
            let v4 = Addr16(inside[i]).is_v4();
            let inside = match inside[i].last_chunk::<4>() {
                Some(last) if v4 => u32::from_be_bytes(*last),
                _ => self.insides.of(&inside[i]),
            };
            let create = action[i] == Action::Create as u8;
            let marks = if v4 { V4 } else { 0 } | if action[i] == Action::Gone as u8 { INFERRED } else { 0 };
            self.out.push(Packed { place, time, inside, remote, inside_port: inside_port[i], create, marks });
        }
    }
}

/// Earliest instant; and every instant, if they lie so far apart that 32 bits do not count the milliseconds between.
fn instants(batches: &[RecordBatch]) -> (i64, Vec<i64>) {
    let column = |b: &RecordBatch| b.column(0).as_primitive::<TimestampMillisecondType>().values().clone();
    let (mut low, mut high) = (i64::MAX, i64::MIN);
    for batch in batches {
        let times = column(batch);
        low = times.iter().copied().fold(low, i64::min);
        high = times.iter().copied().fold(high, i64::max);
    }
    if low > high || high.checked_sub(low).is_some_and(|span| span <= i64::from(u32::MAX)) {
        return (low, Vec::new());
    }
    let mut times: Vec<i64> = batches.iter().flat_map(|b| column(b).to_vec()).collect();
    times.sort_unstable();
    times.dedup();
    (low, times)
}

impl Events {
    /// The events of these batches of `nat_event`, sorted. None if there are more public addresses or kinds of ends than a place can tell apart.
    pub fn of(batches: &[RecordBatch]) -> Option<Events> {
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if u32::try_from(rows).is_err() {
            return None;
        }
        let (origin, times) = instants(batches);
        let mut packer = Packer {
            addresses: Numbers::new(),
            insides: Numbers::new(),
            remotes: Few::new(),
            tails: Few::new(),
            tail_of: [NO_TAIL; 256],
            tail_source: (0, u32::MAX),
            origin,
            times,
            out: Vec::with_capacity(rows),
        };
        packer.remotes.of(Remote::default());
        for batch in batches {
            packer.batch(batch);
            if packer.addresses.values.len() > MOST || packer.tails.values.len() > MOST {
                return None;
            }
        }
        let (mut addresses, mut tails) = (packer.addresses.values, packer.tails.values);
        let (address_rank, tail_rank) = (ranks(&mut addresses), ranks(&mut tails));
        for event in &mut packer.out {
            let address = u64::from(address_rank[event.address() as usize]);
            let rest = u64::from(event.port()) << TAIL_BITS | u64::from(tail_rank[event.tail()]);
            event.place = address << (PORT_BITS + TAIL_BITS) | rest;
        }
        let sorted = sorted(packer.out, addresses.len());
        Some(Events {
            sorted,
            addresses,
            insides: packer.insides.values,
            remotes: packer.remotes.values,
            tails,
            origin,
            times: packer.times,
        })
    }

    /// When.
    pub fn time(&self, event: &Packed) -> i64 {
        if self.times.is_empty() {
            self.origin + i64::from(event.time)
        } else {
            self.times.get(event.time as usize).copied().unwrap_or(self.origin)
        }
    }

    /// Its public address.
    pub fn public(&self, event: &Packed) -> Addr16 {
        Addr16(self.addresses.get(event.address() as usize).copied().unwrap_or_default())
    }

    /// Its inside address.
    pub fn inside(&self, event: &Packed) -> Addr16 {
        if event.marks & V4 != 0 {
            return Addr16::v4(event.inside.to_be_bytes());
        }
        Addr16(self.insides.get(event.inside as usize).copied().unwrap_or_default())
    }

    /// Its remote end.
    pub fn remote(&self, event: &Packed) -> Remote {
        self.remotes.get(event.remote as usize).copied().unwrap_or_default()
    }

    /// The rest of its public end, and its exporter.
    pub fn tail(&self, event: &Packed) -> Tail {
        self.tails.get(event.tail()).copied().unwrap_or_default()
    }

    /// The event as look-ups know it.
    pub fn event(&self, event: &Packed) -> Event {
        let tail = self.tail(event);
        Event {
            time: Millis(self.time(event)),
            create: event.create,
            inferred: event.inferred(),
            form: Form::from_u8(tail.form).unwrap_or(Form::Session),
            protocol: tail.protocol,
            source: tail.source,
            public: self.public(event),
            first: event.port(),
            last: event.port().saturating_add(tail.more),
            inside: self.inside(event),
            inside_port: event.inside_port,
            remote: self.remote(event),
        }
    }
}

/// Sorts: first into buckets by the upper bits of the place, in one pass that keeps the order of arrival, then each bucket by itself.
fn sorted(events: Vec<Packed>, addresses: usize) -> Vec<Packed> {
    let ends = (addresses as u64) << PORT_BITS;
    let wanted = (events.len() / BUCKET).clamp(1, BUCKETS) as u64;
    let wide = ends.div_ceil(wanted).max(1);
    let bucket = |e: &Packed| (e.end() / wide) as usize;
    let mut at = vec![0u32; ends.div_ceil(wide) as usize + 2];
    events.iter().for_each(|e| at[bucket(e) + 2] += 1);
    for i in 2..at.len() {
        at[i] += at[i - 1];
    }
    let mut out = vec![Packed::default(); events.len()];
    for event in events {
        let next = &mut at[bucket(&event) + 1];
        out[*next as usize] = event;
        *next += 1;
    }
    for edge in at.windows(2) {
        out[edge[0] as usize..edge[1] as usize].sort_by_key(|e| (e.place, e.time));
    }
    out
}
