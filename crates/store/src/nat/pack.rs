//! NAT events as they wait to be sealed: 20 bytes each, in lists by public address and port.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::column::is_zeros;
use weir_record::kinds::{Action, Form};

use crate::nat::columns::cells;
use crate::nat::event::{Event, is_exact};
use crate::nat::lists::{Lists, Room};
use crate::nat::mapping::Remote;
use crate::nat::number::Numbers;
use crate::nat::publics::Publics;
use crate::nat::sort::Sorting;
use crate::spankey::EndKey;

/// Lists of one public address: each holds the ends whose first port has the same upper bits.
pub const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 2;

/// Events of one generation at most: their numbers, and those of what they name, have 28 bits.
pub const MOST: usize = 1 << 28;

/// One event. What it names has numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    /// Number of its instant: see [`NatEvents::time`].
    time: u32,
    /// Its inside address if that is IPv4, else its number.
    inside: u32,
    /// Number of its remote end.
    remote: u32,
    /// Number of the rest of its public end, and marks.
    tail: u32,
    /// First public port.
    pub port: u16,
    /// Inside port.
    pub inside_port: u16,
}

/// Marks of a packed event, above the number of its tail: it was created; its inside address is IPv4; it is an end that nobody saw, or a creation that
/// only its end tells of; its instant has a number because it is too far from the others.
const CREATE: u32 = 1 << 28;
const V4: u32 = 1 << 29;
const INFERRED: u32 = 1 << 30;
const FAR: u32 = 1 << 31;

impl Packed {
    /// True if both speak of the same inside and remote end.
    pub fn same_inside(&self, other: &Packed) -> bool {
        (self.inside, self.tail & V4, self.remote, self.inside_port) == (other.inside, other.tail & V4, other.remote, other.inside_port)
    }

    /// An event that a test knows again.
    #[cfg(test)]
    pub(super) fn marked(mark: u32, port: u16, inside_port: u16) -> Packed {
        Packed { remote: mark, port, inside_port, ..Packed::default() }
    }

    /// What it was marked with.
    #[cfg(test)]
    pub(super) fn mark(&self) -> u32 {
        self.remote
    }

    /// True if both speak of one public end, as one exporter tells of it. They are of one public address.
    pub fn same_end(&self, other: &Packed) -> bool {
        (self.port, self.tail()) == (other.port, other.tail())
    }

    /// True for a mapping that was created.
    pub fn create(&self) -> bool {
        self.tail & (CREATE | INFERRED) == CREATE
    }

    /// True for a creation that only its end tells of.
    pub fn told(&self) -> bool {
        self.tail & (CREATE | INFERRED) == CREATE | INFERRED
    }

    /// True for an end that nobody saw: it came before its time. And for a creation that was only told.
    pub fn inferred(&self) -> bool {
        self.tail & INFERRED != 0
    }

    fn tail(&self) -> usize {
        (self.tail & (CREATE - 1)) as usize
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

/// The NAT events of one generation.
#[derive(Debug, Default)]
pub struct NatEvents {
    publics: Publics,
    /// [`PARTS`] for each public address.
    lists: Lists,
    /// Numbers of the public addresses of the batch at hand.
    numbers: Vec<u32>,
    /// Inside addresses of the same: IPv4 as it is, else a number, and which of the two.
    within: Vec<(u32, u32)>,
    insides: Numbers<u128>,
    remotes: Numbers<Remote>,
    tails: TailNumbers,
    /// Where the numbers of instants begin; none before the first event.
    origin: Option<i64>,
    /// Instants that lie farther from the first one than 32 bits count.
    far: Vec<i64>,
    events: usize,
}

#[derive(Debug)]
struct TailNumbers {
    all: Numbers<Tail>,
    /// Some of a moment ago, each at a place that follows from it: what it is, and its number.
    recent: [(u64, u32); RECENT_TAILS],
}

/// Places for tails of a moment ago.
const RECENT_TAILS: usize = 256;
/// What no tail is: there is no such form.
const NO_TAIL: u64 = u64::MAX;

impl Default for TailNumbers {
    fn default() -> TailNumbers {
        TailNumbers { all: Numbers::default(), recent: [(NO_TAIL, 0); RECENT_TAILS] }
    }
}

impl TailNumbers {
    fn of(&mut self, tail: Tail) -> u32 {
        let [form, protocol] = [tail.form, tail.protocol].map(u64::from);
        let key = u64::from(tail.source) << 32 | u64::from(tail.more) << 16 | form << 8 | protocol;
        // Exporters and forms change from record to record, protocols are few.
        let place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % RECENT_TAILS;
        if self.recent[place].0 != key {
            self.recent[place] = (key, self.all.of(tail));
        }
        self.recent[place].1
    }
}

fn part(port: u16) -> usize {
    usize::from(port >> (16 - PART_BITS))
}

impl NatEvents {
    /// Takes a batch of `nat_event` in. Rows whose form is not known are left out: a source never makes them.
    pub fn push(&mut self, batch: &RecordBatch) {
        let c = batch.columns();
        let time = c[0].as_primitive::<TimestampMillisecondType>().values();
        let (action, form) = (c[1].as_primitive::<UInt8Type>().values(), c[2].as_primitive::<UInt8Type>().values());
        let (protocol, source) = (c[3].as_primitive::<UInt8Type>().values(), c[4].as_primitive::<UInt32Type>().values());
        let (public, inside, remote) = (cells(&c[5]), cells(&c[8]), cells(&c[10]));
        let (first, last) = (c[6].as_primitive::<UInt16Type>().values(), c[7].as_primitive::<UInt16Type>().values());
        let inside_port = c[9].as_primitive::<UInt16Type>().values();
        let (remote_port, tag) = (c[11].as_primitive::<UInt16Type>().values(), c[12].as_primitive::<UInt64Type>().values());
        let remotes = !c[10..].iter().all(is_zeros);
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.clear();
        // One after the other without anything in between, so that the processor looks several up at once.
        numbers.extend(public.iter().zip(source).map(|(address, source)| self.publics.of(address, *source)));
        let mut within = std::mem::take(&mut self.within);
        within.clear();
        within.extend(inside.iter().map(|cell| match cell.last_chunk::<4>() {
            Some(last) if Addr16(*cell).is_v4() => (u32::from_be_bytes(*last), V4),
            _ => (self.insides.of(u128::from_be_bytes(*cell)), 0),
        }));
        self.lists.grow(self.publics.addresses().len() * PARTS);
        for i in 0..batch.num_rows() {
            let Some(known) = Form::from_u8(form[i]) else { continue };
            let tail = Tail { more: last[i].saturating_sub(first[i]), protocol: protocol[i], form: form[i], source: source[i] };
            let (time, far) = self.instant(time[i]);
            let remote = if !remotes || remote_port[i] == 0 && tag[i] == 0 && remote[i] == [0; 16] {
                0
            } else {
                1 + self.remotes.of(Remote { address: Addr16(remote[i]), port: remote_port[i], tag: tag[i] })
            };
            let (inside, v4) = within[i];
            let told = action[i] == Action::Told as u8;
            let created = if told || action[i] == Action::Create as u8 { CREATE } else { 0 };
            let inferred = if told || action[i] == Action::Gone as u8 { INFERRED } else { 0 };
            let marks = created | v4 | inferred | far;
            let tail_number = self.tails.of(tail) | marks;
            let packed = Packed { time, inside, remote, tail: tail_number, port: first[i], inside_port: inside_port[i] };
            if !is_exact(known, first[i], last[i]) {
                self.publics.set_wide(numbers[i]);
            }
            self.lists.push(numbers[i] as usize * PARTS + part(first[i]), packed);
            self.events += 1;
        }
        (self.numbers, self.within) = (numbers, within);
    }

    /// The number of an instant, and its mark.
    fn instant(&mut self, time: i64) -> (u32, u32) {
        let origin = *self.origin.get_or_insert_with(|| time.saturating_sub(1 << 31));
        if let Some(number) = time.checked_sub(origin).and_then(|after| u32::try_from(after).ok()) {
            return (number, 0);
        }
        if self.far.last() != Some(&time) {
            self.far.push(time);
        }
        (self.far.len() as u32 - 1, FAR)
    }

    /// The memory of events that are sealed.
    pub fn into_room(self) -> Room {
        self.lists.into_room()
    }

    /// Takes the memory of an earlier generation.
    pub fn reuse(&mut self, room: Room) {
        self.lists.reuse(room);
    }

    /// No more events come. Memory that is left over is given back, best where nobody waits for it.
    pub fn close(&mut self) -> Room {
        self.lists.close()
    }

    /// Events, of which none is left out.
    pub fn len(&self) -> usize {
        self.events
    }

    /// True when nothing has come.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let tables = self.publics.bytes() + self.insides.bytes() + self.remotes.bytes() + self.tails.all.bytes();
        tables + self.lists.bytes() + self.far.capacity() * 8
    }

    /// Public addresses, as numbers, in their order.
    pub fn addresses(&self) -> Vec<u32> {
        let addresses = self.publics.addresses();
        let mut order: Vec<u32> = (0..addresses.len() as u32).collect();
        order.sort_unstable_by_key(|number| addresses[*number as usize]);
        order
    }

    /// The address of a number.
    pub fn address(&self, number: u32) -> Addr16 {
        self.publics.addresses().get(number as usize).copied().unwrap_or_default()
    }

    /// The order of the tails: the rank of each.
    pub fn tail_ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.tails.all.values().len() as u32).collect();
        order.sort_unstable_by_key(|number| self.tails.all.values()[*number as usize]);
        let mut ranks = vec![0; order.len()];
        order.iter().enumerate().for_each(|(rank, number)| ranks[*number as usize] = rank as u32);
        ranks
    }

    /// The events of one list of an address, by public end, exporter and time; events of equal time as they came.
    pub fn sorted<'w>(&self, address: u32, part: usize, ranks: &[u32], work: &'w mut Sorting) -> &'w [Packed] {
        work.clear();
        self.lists.each(address as usize * PARTS + part, |event| work.push(event));
        work.sort(|event| (ranks[event.tail()], self.time(event)))
    }

    /// When.
    pub fn time(&self, event: &Packed) -> i64 {
        if event.tail & FAR != 0 {
            return self.far.get(event.time as usize).copied().unwrap_or_default();
        }
        self.origin.unwrap_or_default().saturating_add(i64::from(event.time))
    }

    /// Its inside address.
    pub fn inside(&self, event: &Packed) -> Addr16 {
        if event.tail & V4 != 0 {
            return Addr16::v4(event.inside.to_be_bytes());
        }
        Addr16(self.insides.values().get(event.inside as usize).copied().unwrap_or_default().to_be_bytes())
    }

    /// Its remote end.
    pub fn remote(&self, event: &Packed) -> Remote {
        let known = event.remote.checked_sub(1).and_then(|number| self.remotes.values().get(number as usize));
        known.copied().unwrap_or_default()
    }

    /// The rest of its public end, and its exporter.
    pub fn tail(&self, event: &Packed) -> Tail {
        self.tails.all.values().get(event.tail()).copied().unwrap_or_default()
    }

    /// The event of this public address as look-ups know it.
    pub fn event(&self, public: Addr16, event: &Packed) -> Event {
        let tail = self.tail(event);
        Event {
            time: Millis(self.time(event)),
            create: event.create() || event.told(),
            inferred: event.inferred(),
            form: Form::from_u8(tail.form).unwrap_or(Form::Session),
            protocol: tail.protocol,
            source: tail.source,
            public,
            first: event.port,
            last: event.port.saturating_add(tail.more),
            inside: self.inside(event),
            inside_port: event.inside_port,
            remote: self.remote(event),
        }
    }

    /// Events of a public address that any of these keys finds; those of one end in the order they came.
    pub fn at(&self, public: Addr16, port: Option<u16>, keys: &[EndKey]) -> Vec<Event> {
        let mut found = Vec::new();
        let Some(number) = self.publics.find(&public) else { return found };
        let wide = self.publics.is_wide(number);
        let mut look = |packed: &Packed| {
            // Nearly all are about one port, and it is another one.
            if !wide && Some(packed.port) != port {
                return;
            }
            let event = self.event(public, packed);
            found.extend(event.keys().iter().any(|key| keys.contains(key)).then_some(event));
        };
        let parts = (0..PARTS).filter(|i| wide || port.map(part) == Some(*i));
        parts.for_each(|i| self.lists.each(number as usize * PARTS + i, &mut look));
        found
    }

    /// Exporters that speak of this public address.
    pub fn sources_of(&self, public: Addr16) -> Vec<u32> {
        self.publics.find(&public).map_or_else(Vec::new, |number| self.publics.sources(number))
    }

    /// All events; those of one end as they came.
    pub fn all(&self) -> Vec<Event> {
        let mut out = Vec::with_capacity(self.events);
        for (number, public) in self.publics.addresses().iter().enumerate() {
            (0..PARTS).for_each(|part| self.lists.each(number * PARTS + part, |packed| out.push(self.event(*public, packed))));
        }
        out
    }
}
