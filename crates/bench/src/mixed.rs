//! What other records cost than one exporter's NAT44 sessions: many exporters with sessions, bindings and blocks over IPFIX and NetFlow v9, NAT44 and
//! NAT64 among each other; and what it costs to keep the remote ends. All in simulated time, in one process.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};

use weir_base::net::Addr16;
use weir_sim::network::Protocol;
use weir_sim::rng::Rng;
use weir_sim::wire::flow::FlowEncoder;
use weir_sim::world::event::{Mapping, NatEvent, What};

use crate::corpus::{ADDRESS, Corpus};
use crate::fold::{self, Fed};
use crate::shared::{Outcome, bytes_under, reading};
use crate::sources;

/// Events a second, about, and for how many simulated seconds.
const RATE: u64 = 300_000;
const SECONDS: u64 = 60;
/// Exporters of the mixture.
const EXPORTERS: usize = 50;
/// Every third exporter of the mixture speaks NetFlow v9, which has no NAT64 here.
const V9_EVERY: usize = 3;
/// Public addresses of an exporter, for sessions and bindings, and as many for blocks.
const PUBLIC: u32 = 32;
/// Ports of a block.
const BLOCK: u16 = 64;
/// Subscribers of an exporter.
const SUBSCRIBERS: u32 = 1_000;
/// When it begins, milliseconds since 1970.
const BEGIN: i64 = 1_795_312_800_000;
/// A message leaves at the latest so many milliseconds after its first record.
const HOLD_MS: i64 = 100;
/// An exporter repeats its templates after so many messages.
const TEMPLATES_EVERY: u32 = 1_000;

/// Measures and prints.
pub fn run() -> Outcome<()> {
    let corpus = Corpus::of(RATE, SECONDS, None)?;
    eprintln!("{} events of one exporter", corpus.events);
    let peer: SocketAddr = (ADDRESS, 4_739).into();
    let one = || corpus.datagrams.iter().map(|d| (peer, d.as_slice()));
    let fed = |what: &'static str| Fed { begin: corpus.begin, events: corpus.events, what };
    let plain = measure(&fed("sessions of one exporter"), &mut one(), "")?;
    measure(&fed("the same, remote ends kept"), &mut one(), sources::KEPT)?;
    drop(corpus);
    let mixture = Mixture::of();
    eprintln!("{} events of {EXPORTERS} exporters in {} datagrams", mixture.events, mixture.datagrams.len());
    let fed = Fed { begin: BEGIN, events: mixture.events, what: "50 exporters, everything mixed" };
    let mixed = measure(&fed, &mut mixture.datagrams.iter().map(|(at, d)| (address(*at), d.as_slice())), "")?;
    reading("the mixture costs, times sessions of one exporter", None, mixed / plain);
    Ok(())
}

/// Microseconds of processor an event.
fn measure(fed: &Fed, datagrams: &mut dyn Iterator<Item = (SocketAddr, &[u8])>, more: &str) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let folded = fold::feed_into(fed, datagrams, sources::ipfix_settings(more)?, folder.path())?;
    let events = folded.events as f64;
    let us = folded.processor_us / events;
    reading(&format!("{}: µs of processor an event", fed.what), None, us);
    let data = folder.path();
    let bytes = bytes_under(data)? - bytes_under(&data.join("wal"))? - bytes_under(&data.join("index/open"))?;
    reading(&format!("{}: bytes an event, less write-ahead log and open tables", fed.what), None, bytes as f64 / events);
    if folded.taken != fed.events {
        return Err(format!("{}: {} events went in, {} were taken", fed.what, fed.events, folded.taken).into());
    }
    Ok(us)
}

fn address(exporter: u8) -> SocketAddr {
    ([127, 1, 1, exporter], 4_739).into()
}

/// What many exporters send, in the order in which it leaves.
struct Mixture {
    datagrams: Vec<(u8, Vec<u8>)>,
    events: u64,
}

/// An exporter, and what it holds.
struct Nat {
    number: u8,
    encoder: FlowEncoder,
    v9: bool,
    /// When the message that is begun has to leave.
    due: i64,
    messages: u32,
    /// Public ends in use: address, first port, protocol.
    used: HashSet<(Ipv4Addr, u16, u8)>,
}

impl Mixture {
    fn of() -> Mixture {
        let mut rng = Rng::new(7, 0);
        let mut nats: Vec<Nat> = (0..EXPORTERS).map(Nat::new).collect();
        let mut out = Mixture { datagrams: Vec::new(), events: 0 };
        // Half of all events are creates.
        let gap = 2_000.0 / RATE as f64;
        let (mut now, end) = (0.0f64, (SECONDS * 1_000) as f64);
        let mut open: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
        let mut mappings: Vec<(usize, Mapping)> = Vec::new();
        while now < end {
            while let Some(&Reverse((at, number))) = open.peek().filter(|next| (next.0.0 as f64) <= now) {
                open.pop();
                if let Some((nat, mapping)) = mappings.get(number).copied() {
                    nats[nat].used.remove(&end_of(&mapping));
                    out.push(&mut nats[nat], &NatEvent { at, create: false, mapping });
                }
            }
            let nat = rng.below(EXPORTERS as u32) as usize;
            let mapping = nats[nat].create(&mut rng);
            out.push(&mut nats[nat], &NatEvent { at: now as i64, create: true, mapping });
            open.push(Reverse((now as i64 + rng.lognormal(8_000.0, 1.6) as i64 + 1, mappings.len())));
            mappings.push((nat, mapping));
            now += rng.exponential(gap);
        }
        nats.iter_mut().for_each(|nat| out.finish(nat, now as i64));
        out
    }

    fn push(&mut self, nat: &mut Nat, event: &NatEvent) {
        if !nat.encoder.is_empty() && (nat.due <= event.at || !nat.encoder.has_room(event.mapping.what)) {
            self.finish(nat, event.at);
        }
        if nat.encoder.is_empty() {
            nat.due = event.at + HOLD_MS;
            if nat.messages.is_multiple_of(TEMPLATES_EVERY) {
                nat.encoder.push_templates();
            }
        }
        nat.encoder.push(event, BEGIN + event.at);
        self.events += 1;
    }

    fn finish(&mut self, nat: &mut Nat, at: i64) {
        nat.messages += 1;
        self.datagrams.push((nat.number, nat.encoder.finish(BEGIN + at, at)));
    }
}

fn end_of(mapping: &Mapping) -> (Ipv4Addr, u16, u8) {
    (mapping.public, mapping.port, mapping.protocol)
}

impl Nat {
    fn new(number: usize) -> Nat {
        let v9 = number % V9_EVERY == V9_EVERY - 1;
        let encoder = FlowEncoder::new(if v9 { Protocol::Netflow9 } else { Protocol::Ipfix }, 1_000 + number as u32);
        Nat { number: number as u8 + 1, encoder, v9, due: 0, messages: 0, used: HashSet::new() }
    }

    /// A mapping whose public end is free.
    fn create(&mut self, rng: &mut Rng) -> Mapping {
        let what = match rng.below(100) {
            0..45 => What::Session44,
            45..65 if !self.v9 => What::Session64,
            65..75 if !self.v9 => What::Bib64,
            75..90 => What::Bib44,
            90..100 => What::Block,
            _ => What::Session44,
        };
        let (block, six) = (what == What::Block, matches!(what, What::Session64 | What::Bib64));
        let subscriber = rng.below(SUBSCRIBERS);
        let inside = if six {
            Addr16::from(std::net::Ipv6Addr::new(0x2001, 0xdb8, u16::from(self.number), subscriber as u16, 0, 0, 0, 9))
        } else {
            Addr16::from(Ipv4Addr::from(0x6440_0000 | (u32::from(self.number) << 16) | subscriber))
        };
        loop {
            let host = rng.below(PUBLIC) as u8;
            let public = Ipv4Addr::new(198, if block { 19 } else { 18 }, self.number, host);
            let port = if block { 1_024 + BLOCK * rng.below(1_000) as u16 } else { 1_024 + rng.below(64_000) as u16 };
            let protocol = if block { 0 } else { [6, 6, 6, 17, 17][rng.below(5) as usize] };
            if self.used.insert((public, port, protocol)) {
                let destination = Ipv4Addr::from(0xcb00_7100 + rng.zipf(200));
                let inside_port = if block { 0 } else { 1_024 + rng.below(64_000) as u16 };
                let port_end = if block { port + BLOCK - 1 } else { port };
                return Mapping { what, inside, inside_port, public, port, port_end, protocol, destination, destination_port: 443 };
            }
        }
    }
}
