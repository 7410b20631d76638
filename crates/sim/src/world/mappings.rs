//! Mappings: who uses which public address and port, from when until when.

use std::cmp::Reverse;
use std::net::Ipv4Addr;

use super::event::{Held, Mapping, NatEvent, Outlet, What};
use super::ports::{Block, block_address, block_first_port};
use super::subs::{self, Kind, NONE};
use super::{DESTINATIONS, Remotes, World};
use crate::error::SimError;
use crate::limits::OPEN_MAPPINGS_MAX;
use crate::network::{BLOCK_PORTS, PortScheme};

/// Lognormal session lengths.
const MEDIAN_MS: f64 = 8_000.0;
const SIGMA: f64 = 1.6;
/// A subscriber's first mapping comes this many milliseconds after its log-in at the earliest.
const SETTLE_MS: i64 = 50;
/// Share of sessions that try to go through a port in use, where ports are overloaded.
const OVERLOADED: f64 = 0.2;
/// Draws until an online subscriber with a free port is found.
const TRIES: u32 = 24;
/// Blocks of one subscriber where blocks are logged.
const BLOCKS_EACH: u8 = 3;

/// An open mapping; a member of its subscriber's list.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) serial: u32,
    sub: u32,
    start: u32,
    /// The resource's number: a block's or a bound address's.
    number: u32,
    previous: u32,
    next: u32,
    mapping: Mapping,
}

impl World {
    /// Begins one mapping somewhere; false if nobody could.
    pub(super) fn begin<O: Outlet>(&mut self, out: &mut O) -> Result<bool, SimError> {
        if self.open.len() - self.free.len() >= OPEN_MAPPINGS_MAX {
            self.tally.exhausted += 1;
            return Ok(false);
        }
        for _ in 0..TRIES {
            let realm = self.pick_realm();
            let (first, count) = (self.sites[realm].first_sub, self.sites[realm].desc.subscribers);
            let sub = first + self.rng.cubic(count);
            let ready = self.subs.get(sub as usize).is_some_and(|s| {
                matches!(s.kind, Kind::Nat44 | Kind::Nat64) && s.login.as_ref().is_some_and(|l| l.start + SETTLE_MS <= self.now)
            });
            if !ready {
                continue;
            }
            let begun = if self.sites[realm].logs_blocks() { self.begin_block(sub, out)? } else { self.begin_session(sub, out)? };
            if begun {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn pick_realm(&mut self) -> usize {
        if self.sites.len() < 2 {
            return 0;
        }
        // Blocks are few by nature: one draw in ten goes to the NAT that logs them.
        if self.sites.len() == 2 {
            return usize::from(self.rng.below(10) == 0);
        }
        match self.rng.below(20) {
            0..=8 => 0,
            9 | 10 => 1,
            _ => 2.min(self.sites.len() - 1),
        }
    }

    fn begin_session<O: Outlet>(&mut self, sub: u32, out: &mut O) -> Result<bool, SimError> {
        let protocol: u8 = match self.rng.below(100) {
            0..70 => 6,
            // Log lines of ICMP have no ports.
            70..97 => 17,
            _ if self.plan.profile.is_syslog() => 17,
            _ => 1,
        };
        let draw = self.rng.zipf(DESTINATIONS) as usize;
        let (destination, port_there) = self.destinations.get(draw).copied().unwrap_or((Ipv4Addr::UNSPECIFIED, 0));
        let Some((public, port)) = self.take_port(sub, protocol, (destination, port_there)) else {
            self.tally.exhausted += 1;
            return Ok(false);
        };
        let s = &self.subs[sub as usize];
        let what = match (s.kind, s.bib(&self.plan)) {
            (Kind::Nat64, true) => What::Bib64,
            (Kind::Nat64, false) => What::Session64,
            (_, true) => What::Bib44,
            (_, false) => What::Session44,
        };
        let remote = matches!(what, What::Session44 | What::Session64);
        let mapping = Mapping {
            what,
            inside: s.login.as_deref().map(subs::inside).unwrap_or_default(),
            inside_port: 1_024 + self.rng.below(64_512) as u16,
            public,
            port,
            port_end: port,
            protocol,
            destination: if remote { destination } else { Ipv4Addr::UNSPECIFIED },
            destination_port: if remote && protocol != 1 { port_there } else { 0 },
        };
        let ms = self.rng.lognormal(MEDIAN_MS, SIGMA).clamp(1.0, 86_400_000.0) as u32;
        self.insert(sub, mapping, 0, Some(ms), out)?;
        Ok(true)
    }

    fn take_port(&mut self, sub: u32, protocol: u8, remote: (Ipv4Addr, u16)) -> Option<(Ipv4Addr, u16)> {
        let (now, hold) = (self.now_u32(), self.hold);
        let s = self.subs.get_mut(sub as usize)?;
        let site = self.sites.get_mut(s.realm)?;
        if site.desc.scheme != PortScheme::Blocks {
            // Paired pooling (RFC 6888 REQ-2): an inside address keeps its public address.
            let index = s.slot % site.desc.pool_addresses.max(1);
            let public = Ipv4Addr::from(site.desc.pool_first + index);
            let overload = site.desc.scheme == PortScheme::Overload;
            if overload && self.rng.chance(OVERLOADED) {
                // From a random port on, the next one in use: it serves another session when that goes elsewhere.
                let from = (protocol, self.rng.below(u32::from(u16::MAX) + 1) as u16);
                let found = site.remotes.range_mut(from..).next().filter(|((p, _), _)| *p == protocol);
                if let Some(((_, port), remotes)) = found.filter(|(_, remotes)| !remotes.used.contains(&remote)) {
                    remotes.used.push(remote);
                    remotes.open += 1;
                    return Some((public, *port));
                }
            }
            let ports = site.shared.get_mut(index as usize)?.get_mut(plane(protocol))?;
            let port = ports.take(now, hold, &mut self.rng)?;
            if overload {
                site.remotes.insert((protocol, port), Remotes { used: vec![remote], open: 1 });
            }
            return Some((public, port));
        }
        if s.block.is_none() {
            s.block = Some(Box::new(Block::new(site.blocks.take(now)?)));
        }
        let block = s.block.as_mut()?;
        let port = block.ports.take(now, hold, &mut self.rng)?;
        Some((Ipv4Addr::from(site.desc.pool_first + block_address(block.number)), port))
    }

    fn give_port(&mut self, sub: u32, mapping: &Mapping) {
        let (now, hold) = (self.now_u32(), self.hold);
        let Some(s) = self.subs.get_mut(sub as usize) else { return };
        let Some(site) = self.sites.get_mut(s.realm) else { return };
        if let Some(remotes) = site.remotes.get_mut(&(mapping.protocol, mapping.port)) {
            remotes.open -= 1;
            if remotes.open > 0 {
                return;
            }
            site.remotes.remove(&(mapping.protocol, mapping.port));
        }
        if let Some(block) = s.block.as_mut() {
            block.ports.give(mapping.port, now, hold, &mut self.rng);
        } else {
            let index = u32::from(mapping.public).wrapping_sub(site.desc.pool_first) as usize;
            if let Some(ports) = site.shared.get_mut(index).and_then(|planes| planes.get_mut(plane(mapping.protocol))) {
                ports.give(mapping.port, now, hold, &mut self.rng);
            }
        }
    }

    /// The subscriber has traffic; if it needs a block (more), one is allocated.
    fn begin_block<O: Outlet>(&mut self, sub: u32, out: &mut O) -> Result<bool, SimError> {
        let now = self.now_u32();
        let s = &self.subs[sub as usize];
        let (realm, held, login) = (s.realm, s.blocks, s.login.as_deref());
        let inside = login.map(subs::inside).unwrap_or_default();
        if held >= BLOCKS_EACH || (held > 0 && !self.rng.chance(0.02)) {
            return Ok(false);
        }
        let Some(number) = self.sites[realm].blocks.take(now) else {
            self.tally.exhausted += 1;
            return Ok(false);
        };
        let first = block_first_port(number);
        let mapping = Mapping {
            what: What::Block,
            inside,
            inside_port: 0,
            public: Ipv4Addr::from(self.sites[realm].desc.pool_first + block_address(number)),
            port: first,
            port_end: first + (BLOCK_PORTS - 1),
            protocol: 0,
            destination: Ipv4Addr::UNSPECIFIED,
            destination_port: 0,
        };
        self.subs[sub as usize].blocks += 1;
        let median = self.plan.session_mean_ms() as f64 / 2.0;
        let ms = self.rng.lognormal(median, 0.8).clamp(1_000.0, 86_400_000.0) as u32;
        self.insert(sub, mapping, number, Some(ms), out)?;
        Ok(true)
    }

    /// A bound subscriber gets its public address.
    pub(super) fn bind_address<O: Outlet>(&mut self, sub: u32, out: &mut O) -> Result<(), SimError> {
        let now = self.now_u32();
        let s = &self.subs[sub as usize];
        let (realm, inside) = (s.realm, s.login.as_deref().map(subs::inside).unwrap_or_default());
        let Some(number) = self.sites[realm].bound.take(now) else {
            self.tally.exhausted += 1;
            return Ok(());
        };
        let mapping = Mapping {
            what: What::Address,
            inside,
            inside_port: 0,
            public: Ipv4Addr::from(self.sites[realm].desc.bound.0 + number),
            port: 0,
            port_end: u16::MAX,
            protocol: 0,
            destination: Ipv4Addr::UNSPECIFIED,
            destination_port: 0,
        };
        self.insert(sub, mapping, number, None, out)
    }

    fn insert<O: Outlet>(&mut self, sub: u32, mapping: Mapping, number: u32, ms: Option<u32>, out: &mut O) -> Result<(), SimError> {
        // Serial 0 marks a place that is free.
        self.serial = self.serial.wrapping_add(1).max(1);
        let now = self.now_u32();
        let Some(s) = self.subs.get_mut(sub as usize) else { return Ok(()) };
        let next = s.first_open;
        let open = Open { serial: self.serial, sub, start: now, number, previous: NONE, next, mapping };
        let place = match self.free.pop() {
            Some(place) => {
                self.open[place as usize] = open;
                place
            }
            None => {
                self.open.push(open);
                (self.open.len() - 1) as u32
            }
        };
        s.first_open = place;
        let realm = s.realm;
        if let Some(after) = self.open.get_mut(next as usize) {
            after.previous = place;
        }
        if let Some(ms) = ms {
            self.ends.push(Reverse((now.saturating_add(ms), place, self.serial)));
        }
        self.tally.mappings += 1;
        self.tally.events += 1;
        out.nat(realm, &NatEvent { at: self.now, create: true, mapping })
    }

    /// Ends a mapping now.
    pub(super) fn close<O: Outlet>(&mut self, place: u32, out: &mut O) -> Result<(), SimError> {
        self.tell_open(place, Some(self.now), out)?;
        let (now, hold) = (self.now_u32(), self.hold);
        let Some(open) = self.open.get_mut(place as usize) else { return Ok(()) };
        let (sub, number, mapping, previous, next) = (open.sub, open.number, open.mapping, open.previous, open.next);
        open.sub = NONE;
        open.serial = 0;
        self.free.push(place);
        if let Some(before) = self.open.get_mut(previous as usize) {
            before.next = next;
        } else {
            self.subs[sub as usize].first_open = next;
        }
        if let Some(after) = self.open.get_mut(next as usize) {
            after.previous = previous;
        }
        let realm = self.subs[sub as usize].realm;
        match mapping.what {
            What::Block => {
                self.subs[sub as usize].blocks -= 1;
                self.sites[realm].blocks.give(number, now, hold, &mut self.rng);
            }
            What::Address => self.sites[realm].bound.give(number, now, hold, &mut self.rng),
            _ => self.give_port(sub, &mapping),
        }
        self.tally.events += 1;
        self.budget -= 1.0;
        out.nat(realm, &NatEvent { at: self.now, create: false, mapping })
    }

    /// Ends everything a subscriber holds, its block too.
    pub(super) fn close_all<O: Outlet>(&mut self, sub: u32, out: &mut O) -> Result<(), SimError> {
        while self.subs[sub as usize].first_open != NONE {
            self.close(self.subs[sub as usize].first_open, out)?;
        }
        let (now, hold) = (self.now_u32(), self.hold);
        let s = &mut self.subs[sub as usize];
        if let Some(block) = s.block.take() {
            self.sites[s.realm].blocks.give(block.number, now, hold, &mut self.rng);
        }
        Ok(())
    }

    pub(super) fn tell_open<O: Outlet>(&self, place: u32, end: Option<i64>, out: &mut O) -> Result<(), SimError> {
        let Some(open) = self.open.get(place as usize).filter(|o| o.sub != NONE) else { return Ok(()) };
        let Some(s) = self.subs.get(open.sub as usize) else { return Ok(()) };
        let Some(login) = s.login.as_deref() else { return Ok(()) };
        out.mapping_truth(s.realm, &Held { mapping: &open.mapping, login, start: i64::from(open.start), end })
    }
}

fn plane(protocol: u8) -> usize {
    match protocol {
        6 => 0,
        17 => 1,
        _ => 2,
    }
}
