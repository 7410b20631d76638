//! The network's life in simulated time: log-ins, mappings, failures. Deterministic: the same plan gives the same events.

pub mod event;
mod logins;
mod mappings;
pub mod ports;
pub mod subs;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::Ipv4Addr;

use crate::error::SimError;
use crate::network::{BLOCKS_PER_ADDRESS, FIRST_PORT, Logging, Network, PortScheme, Realm};
use crate::plan::Plan;
use crate::rng::Rng;
use event::{Accounting, Outlet};
use mappings::Open;
use ports::{Hold, Ports, Whole};
use subs::{KINDS, Kind, Sub};

/// Destinations in the world, Zipf-like in use.
const DESTINATIONS: u32 = 4_096;

/// Something that is to happen.
#[derive(Debug)]
enum Task {
    Login { sub: u32, turn: u32, slot: Option<u32> },
    Logout { sub: u32, turn: u32 },
    Interim { sub: u32, turn: u32 },
    Bind { sub: u32, turn: u32 },
    Reboot { realm: usize },
    NasUp { realm: usize },
    Send { realm: usize, request: Box<Accounting> },
}

/// A realm's resources.
#[derive(Debug)]
struct Site {
    desc: Realm,
    /// Subscribers are numbered on from here.
    first_sub: u32,
    /// Where ports are shared: by public address, then TCP, UDP, ICMP.
    shared: Vec<[Ports; 3]>,
    /// Where ports are overloaded (one public address): by protocol and port, the remote ends.
    remotes: BTreeMap<(u8, u16), Remotes>,
    /// Where ports come in blocks.
    blocks: Whole,
    /// Public addresses for one-to-one bindings.
    bound: Whole,
    /// Free address slots, a kind each.
    slots: [VecDeque<u32>; KINDS],
    /// Who is offline, a kind each.
    offline: [Vec<u32>; KINDS],
    /// False between a power loss and the NAS coming up again.
    up: bool,
    /// Counts the NAS's starts; part of the session id.
    boot: u32,
    next_session: u32,
}

/// The remote ends of a port in use.
#[derive(Debug)]
struct Remotes {
    /// All since the port was free: none is taken twice.
    used: Vec<(Ipv4Addr, u16)>,
    /// Sessions open.
    open: u32,
}

/// Counts of what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// NAT events.
    pub events: u64,
    /// Mappings begun.
    pub mappings: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Accounting requests.
    pub requests: u64,
    /// Times no free port or block was found.
    pub exhausted: u64,
}

/// The network and its state at one moment.
pub struct World {
    plan: Plan,
    rng: Rng,
    now: i64,
    sites: Vec<Site>,
    subs: Vec<Sub>,
    open: Vec<Open>,
    free: Vec<u32>,
    /// (end, place in `open`, serial number): an entry whose serial no longer fits was closed early.
    ends: BinaryHeap<Reverse<(u32, u32, u32)>>,
    serial: u32,
    diary: BTreeMap<(i64, u64), Task>,
    diary_serial: u64,
    budget: f64,
    hold: Hold,
    destinations: Vec<(Ipv4Addr, u16)>,
    tally: Tally,
}

impl World {
    /// The world of a plan at the moment before its first millisecond.
    pub fn new(plan: &Plan) -> Result<World, SimError> {
        let network = Network::of(plan)?;
        let mut rng = Rng::new(plan.seed, 1);
        let mut subs = Vec::new();
        let mut sites = Vec::new();
        for (index, desc) in network.realms.into_iter().enumerate() {
            let first_sub = subs.len() as u32;
            subs.extend((0..desc.subscribers).map(|k| Sub::new(plan, index, k, &desc)));
            sites.push(site(desc, first_sub, &mut rng));
        }
        let mut world = World {
            plan: plan.clone(),
            destinations: (0..DESTINATIONS).map(|n| destination(n, &mut rng)).collect(),
            rng,
            now: -1,
            sites,
            subs,
            open: Vec::new(),
            free: Vec::new(),
            ends: BinaryHeap::new(),
            serial: 0,
            diary: BTreeMap::new(),
            diary_serial: 0,
            budget: 0.0,
            hold: Hold { ms: plan.hold_ms.clamp(0, 3_600_000) as u32, reuse: plan.reuse },
            tally: Tally::default(),
        };
        world.plan_first_logins();
        for (name, at) in &plan.faults.nas_reboots {
            if let Some(realm) = world.sites.iter().position(|s| s.desc.nas == name) {
                world.note((*at).max(0), Task::Reboot { realm });
            }
        }
        Ok(world)
    }

    /// The last millisecond played, since the run began.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Counts so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// True when the plan's number of events has been reached.
    pub fn is_done(&self) -> bool {
        self.plan.events.is_some_and(|max| self.tally.events >= max)
    }

    /// Plays every millisecond up to and with `to`, or until done.
    pub fn advance<O: Outlet>(&mut self, to: i64, out: &mut O) -> Result<(), SimError> {
        while self.now < to && !self.is_done() {
            self.now += 1;
            self.tick(out)?;
        }
        Ok(())
    }

    fn tick<O: Outlet>(&mut self, out: &mut O) -> Result<(), SimError> {
        while let Some(entry) = self.diary.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let task = entry.remove();
            self.perform(task, out)?;
        }
        let per_tick = f64::from(self.plan.rate) / 1_000.0;
        self.budget = (self.budget + per_tick).min(per_tick.max(1.0));
        let now = self.now_u32();
        while let Some(Reverse((end, place, serial))) = self.ends.peek().copied() {
            if end > now || self.is_done() {
                break;
            }
            self.ends.pop();
            if self.open.get(place as usize).is_some_and(|o| o.serial == serial) {
                self.close(place, out)?;
            }
        }
        // What ends does so in its millisecond, whatever the rate; what begins fills the rest.
        self.budget = self.budget.max(-f64::from(self.plan.rate));
        while self.budget >= 1.0 && !self.is_done() {
            self.budget -= 1.0;
            if !self.begin(out)? {
                break;
            }
        }
        Ok(())
    }

    /// Sends what a NAS still holds back and tells the truth about everything that is still open.
    pub fn finish<O: Outlet>(&mut self, out: &mut O) -> Result<(), SimError> {
        for (_, task) in std::mem::take(&mut self.diary) {
            if let Task::Send { realm, request } = task {
                self.tally.requests += 1;
                out.accounting(realm, *request)?;
            }
        }
        for place in 0..self.open.len() {
            self.tell_open(place as u32, None, out)?;
        }
        for sub in &self.subs {
            if let Some(login) = &sub.login {
                out.login_truth(sub.realm, login, None)?;
            }
        }
        Ok(())
    }

    fn now_u32(&self) -> u32 {
        u32::try_from(self.now).unwrap_or(u32::MAX - 1)
    }

    fn note(&mut self, at: i64, task: Task) {
        self.diary_serial += 1;
        self.diary.insert((at, self.diary_serial), task);
    }
}

fn site(desc: Realm, first_sub: u32, rng: &mut Rng) -> Site {
    let shared = desc.scheme != PortScheme::Blocks;
    let ports = || Ports::new(FIRST_PORT, u32::from(u16::MAX - FIRST_PORT) + 1);
    let block_count = if shared { 0 } else { desc.pool_addresses * BLOCKS_PER_ADDRESS };
    let spare = desc.subscribers + desc.subscribers / 10 + 4;
    let mut slots: [VecDeque<u32>; KINDS] = Default::default();
    for (kind, count) in [(Kind::Nat44, spare), (Kind::Nat64, spare / 10), (Kind::Plain, desc.plain.1)] {
        let mut items: Vec<u32> = (0..count).collect();
        rng.shuffle(&mut items);
        slots[kind as usize] = items.into();
    }
    Site {
        first_sub,
        shared: if shared { (0..desc.pool_addresses).map(|_| [ports(), ports(), ports()]).collect() } else { Vec::new() },
        remotes: BTreeMap::new(),
        blocks: Whole::new(block_count, rng),
        bound: Whole::new(desc.bound.1, rng),
        slots,
        offline: Default::default(),
        up: true,
        boot: 1,
        next_session: 1,
        desc,
    }
}

/// Addresses of the three documentation networks and the ports people use.
fn destination(n: u32, rng: &mut Rng) -> (Ipv4Addr, u16) {
    const PORTS: [u16; 8] = [443, 443, 443, 80, 53, 8_443, 123, 993];
    let host = 1 + (n / 3 % 254) as u8;
    let address = match n % 3 {
        0 => Ipv4Addr::new(203, 0, 113, host),
        1 => Ipv4Addr::new(198, 51, 100, host),
        _ => Ipv4Addr::new(192, 0, 2, host),
    };
    (address, PORTS[rng.below(PORTS.len() as u32) as usize % PORTS.len()])
}

impl Site {
    fn logs_blocks(&self) -> bool {
        self.desc.logging == Logging::Blocks
    }
}

#[cfg(test)]
mod tests;
