//! NAT events as they wait to be sealed: 20 bytes each, in lists by public address and port, so that neither a question nor sealing has to look
//! through all of them, and nothing is ever copied to grow.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, Form};

use crate::nat::event::{Event, is_exact};
use crate::nat::mapping::{Remote, cells};
use crate::nat::number::Numbers;
use crate::spankey::EndKey;

/// Lists of one public address: each holds the ends whose first port has the same upper bits.
pub const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 4;

/// Events of one block.
const BLOCK: usize = 16;

/// Blocks that are taken from memory at once.
const SLAB: usize = 1 << 12;

/// Events that wait until they go to their lists, list by list: each alone would miss the processor's caches several times.
const WAITING: usize = 1 << 16;

/// Events that may wait together: their numbers, and those of what they name, have 28 bits.
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

/// The events of one list, newest block first.
#[derive(Clone, Copy, Debug, Default)]
struct List {
    /// Number of its newest block, plus one; 0 while it is empty.
    newest: u32,
    events: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// Number of the block before, plus one.
    before: u32,
    events: [Packed; BLOCK],
}

#[derive(Debug, Default)]
struct Address {
    /// True once an event came that is about more than one port: its list is that of its first.
    wide: bool,
    /// Exporters that speak of it: the first, and all others.
    source: u32,
    others: Vec<u32>,
}

/// The NAT events of one generation.
#[derive(Debug, Default)]
pub struct NatEvents {
    publics: Numbers<u128>,
    addresses: Vec<Address>,
    /// [`PARTS`] for each address.
    lists: Vec<List>,
    /// Events that came last, with the numbers of their lists.
    waiting: Vec<(u32, Packed)>,
    /// Numbers of the public addresses of the batch at hand.
    numbers: Vec<u32>,
    /// Their order by list, while they go there.
    order: Vec<u32>,
    /// Blocks, [`SLAB`] together.
    slabs: Vec<Vec<Block>>,
    insides: Numbers<u128>,
    remotes: Numbers<Remote>,
    tails: TailNumbers,
    /// Where the numbers of instants begin; none before the first event.
    origin: Option<i64>,
    /// Instants that lie farther from the first one than 32 bits count.
    far: Vec<i64>,
    events: usize,
    others: usize,
}

#[derive(Debug)]
struct TailNumbers {
    all: Numbers<Tail>,
    /// By protocol, where an event has one port, and the form and exporter of the event before.
    of: [u32; 256],
    lately: (u8, u32),
}

impl Default for TailNumbers {
    fn default() -> TailNumbers {
        TailNumbers { all: Numbers::default(), of: [NO_TAIL; 256], lately: (0, u32::MAX) }
    }
}

const NO_TAIL: u32 = u32::MAX;

impl TailNumbers {
    fn of(&mut self, tail: Tail) -> u32 {
        if tail.more != 0 {
            return self.all.of(tail);
        }
        if self.lately != (tail.form, tail.source) {
            self.lately = (tail.form, tail.source);
            self.of = [NO_TAIL; 256];
        }
        let slot = &mut self.of[usize::from(tail.protocol)];
        if *slot == NO_TAIL {
            *slot = self.all.of(tail);
        }
        *slot
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
        let mut numbers = std::mem::take(&mut self.numbers);
        self.publics.of_all(public.iter().map(|address| u128::from_be_bytes(*address)), &mut numbers);
        for i in 0..batch.num_rows() {
            let Some(known) = Form::from_u8(form[i]) else { continue };
            let tail = Tail { more: last[i].saturating_sub(first[i]), protocol: protocol[i], form: form[i], source: source[i] };
            let (time, far) = self.instant(time[i]);
            let remote = if remote_port[i] == 0 && tag[i] == 0 && remote[i] == [0; 16] {
                0
            } else {
                1 + self.remotes.of(Remote { address: Addr16(remote[i]), port: remote_port[i], tag: tag[i] })
            };
            let (inside, v4) = match inside[i].last_chunk::<4>() {
                Some(last) if Addr16(inside[i]).is_v4() => (u32::from_be_bytes(*last), V4),
                _ => (self.insides.of(u128::from_be_bytes(inside[i])), 0),
            };
            let told = action[i] == Action::Told as u8;
            let created = if told || action[i] == Action::Create as u8 { CREATE } else { 0 };
            let inferred = if told || action[i] == Action::Gone as u8 { INFERRED } else { 0 };
            let marks = created | v4 | inferred | far;
            let tail_number = self.tails.of(tail) | marks;
            let packed = Packed { time, inside, remote, tail: tail_number, port: first[i], inside_port: inside_port[i] };
            let wide = !is_exact(known, first[i], last[i]);
            self.add(numbers[i], source[i], wide, packed);
        }
        self.numbers = numbers;
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

    /// Takes an event about the public address of this number.
    fn add(&mut self, number: u32, source: u32, wide: bool, event: Packed) {
        let number = number as usize;
        if number >= self.addresses.len() {
            self.addresses.resize_with(number + 1, || Address { source, ..Address::default() });
            self.lists.resize(self.addresses.len() * PARTS, List::default());
        }
        let address = &mut self.addresses[number];
        address.wide |= wide;
        if address.source != source && !address.others.contains(&source) {
            address.others.push(source);
            self.others += 1;
        }
        self.waiting.push(((number * PARTS + part(event.port)) as u32, event));
        self.events += 1;
        if self.waiting.len() >= WAITING {
            self.settle();
        }
    }

    /// Events that wait go to their lists. Nothing depends on it but how fast they are found and sealed.
    pub fn settle(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if self.lists.len() > 4 * WAITING {
            // So many lists that hardly two events have the same.
            waiting.iter().for_each(|(list, event)| self.append(*list, *event));
        } else {
            let mut starts = vec![0u32; self.lists.len() + 1];
            waiting.iter().for_each(|(list, _)| starts[*list as usize + 1] += 1);
            (1..starts.len()).for_each(|i| starts[i] += starts[i - 1]);
            let mut order = std::mem::take(&mut self.order);
            order.resize(waiting.len(), 0);
            for (number, (list, _)) in (0..).zip(&waiting) {
                let start = &mut starts[*list as usize];
                order[*start as usize] = number;
                *start += 1;
            }
            for number in &order {
                let (list, event) = waiting[*number as usize];
                self.append(list, event);
            }
            self.order = order;
        }
        self.waiting = waiting;
        self.waiting.clear();
    }

    fn append(&mut self, list: u32, event: Packed) {
        let list = &mut self.lists[list as usize];
        let at = list.events as usize % BLOCK;
        if at == 0 {
            if self.slabs.last().is_none_or(|slab| slab.len() == SLAB) {
                self.slabs.push(Vec::with_capacity(SLAB));
            }
            let before = (self.slabs.len() - 1) * SLAB;
            if let Some(slab) = self.slabs.last_mut() {
                slab.push(Block { before: list.newest, events: [Packed::default(); BLOCK] });
                list.newest = (before + slab.len()) as u32;
            }
        }
        list.events += 1;
        let block = list.newest as usize - 1;
        self.slabs[block / SLAB][block % SLAB].events[at] = event;
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
        let lists = self.addresses.capacity() * size_of::<Address>() + self.lists.capacity() * size_of::<List>() + self.others * 16;
        tables + lists + self.slabs.len() * SLAB * size_of::<Block>() + self.far.capacity() * 8
    }

    /// Public addresses, as numbers, in their order.
    pub fn addresses(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.addresses.len() as u32).collect();
        order.sort_unstable_by_key(|number| self.publics.values()[*number as usize]);
        order
    }

    /// The address of a number.
    pub fn address(&self, number: u32) -> Addr16 {
        Addr16(self.publics.values().get(number as usize).copied().unwrap_or_default().to_be_bytes())
    }

    /// The order of the tails: the rank of each.
    pub fn tail_ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.tails.all.values().len() as u32).collect();
        order.sort_unstable_by_key(|number| self.tails.all.values()[*number as usize]);
        let mut ranks = vec![0; order.len()];
        order.iter().enumerate().for_each(|(rank, number)| ranks[*number as usize] = rank as u32);
        ranks
    }

    /// Calls `each` with the events of one list of an address, the last that came first. Those that wait are not among them.
    fn backwards(&self, address: u32, part: usize, mut each: impl FnMut(&Packed)) {
        let Some(list) = self.lists.get(address as usize * PARTS + part) else { return };
        let (mut next, mut used) = (list.newest, (list.events as usize).wrapping_sub(1) % BLOCK + 1);
        while let Some(block) = next.checked_sub(1) {
            let block = &self.slabs[block as usize / SLAB][block as usize % SLAB];
            block.events[..used].iter().rev().for_each(&mut each);
            (next, used) = (block.before, BLOCK);
        }
    }

    /// The events of one list of an address, by public end, exporter and time; events of equal time as they came.
    pub fn sorted(&self, address: u32, part: usize, ranks: &[u32], out: &mut Vec<Placed>) {
        out.clear();
        // The last event is told first: it has the largest number.
        let mut left = u32::MAX;
        let mut push = |event: &Packed| {
            let place = u64::from(event.port) << 32 | u64::from(ranks[event.tail()]);
            left -= 1;
            out.push(Placed { place, came: left, event: *event });
        };
        // None waits where it was settled.
        let number = address as usize * PARTS + part;
        self.waiting.iter().rev().filter(|(list, _)| *list as usize == number).for_each(|(_, event)| push(event));
        self.backwards(address, part, push);
        if self.far.is_empty() {
            out.sort_unstable_by_key(|e| (e.place, u64::from(e.event.time) << 32 | u64::from(e.came)));
        } else {
            out.sort_unstable_by_key(|e| (e.place, self.time(&e.event), e.came));
        }
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
        let number = self.publics.find(&u128::from_be_bytes(public.0));
        let Some((number, address)) = number.and_then(|n| Some((n, self.addresses.get(n as usize)?))) else { return found };
        let mut look = |packed: &Packed| {
            // Nearly all are about one port, and it is another one.
            if !address.wide && Some(packed.port) != port {
                return;
            }
            let event = self.event(public, packed);
            found.extend(event.keys().iter().any(|key| keys.contains(key)).then_some(event));
        };
        self.waiting.iter().rev().filter(|(list, _)| *list / PARTS as u32 == number).for_each(|(_, event)| look(event));
        let parts = (0..PARTS).filter(|i| address.wide || port.map(part) == Some(*i));
        parts.for_each(|i| self.backwards(number, i, &mut look));
        found.reverse();
        found
    }

    /// Exporters that speak of this public address.
    pub fn sources_of(&self, public: Addr16) -> Vec<u32> {
        let number = self.publics.find(&u128::from_be_bytes(public.0));
        let address = number.and_then(|n| self.addresses.get(n as usize));
        address.map_or_else(Vec::new, |a| std::iter::once(a.source).chain(a.others.iter().copied()).collect())
    }

    /// All events; those of one end as they came.
    pub fn all(&self) -> Vec<Event> {
        let mut out = Vec::with_capacity(self.events);
        for number in 0..self.addresses.len() as u32 {
            let public = self.address(number);
            for part in 0..PARTS {
                let from = out.len();
                self.backwards(number, part, |packed| out.push(self.event(public, packed)));
                out[from..].reverse();
            }
        }
        out.extend(self.waiting.iter().map(|(list, event)| self.event(self.address(*list / PARTS as u32), event)));
        out
    }
}

/// An event and where it sorts within its address.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// First port, and the rank of the rest of the end.
    pub place: u64,
    /// In the order they came.
    came: u32,
    /// The event.
    pub event: Packed,
}
