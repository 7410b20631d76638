//! Playing a plan: the world's events become datagrams and requests, and the truth is written down.

mod device;
mod exporter;
mod nas;
mod pace;
mod wires;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use weir_base::clock::Clock;
use weir_base::task::Stop;

use device::Device;
pub use exporter::{Exporter, Stamps};
pub use nas::RadiusCounts;

use crate::error::SimError;
use crate::network::Network;
use crate::plan::{HeaderTime, Mode, Plan};
use crate::truth::TruthWriter;
use crate::world::event::{Accounting, Held, Login, NatEvent, Outlet};
use crate::world::{Tally, World};

/// Simulated milliseconds after which a datagram leaves even if it is not full.
const FLUSH_MS: i64 = 100;
/// Simulated milliseconds between templates.
const TEMPLATES_MS: i64 = 5_000;
/// Simulated milliseconds played at once in fast mode.
const STEP_MS: i64 = 10;
/// Real milliseconds between steps in live mode.
const LIVE_STEP: Duration = Duration::from_millis(10);

/// Takes finished export datagrams. `exporter` is the index of the realm.
pub trait Wire {
    /// Sends one datagram.
    fn send(&mut self, exporter: usize, datagram: &[u8]) -> Result<(), SimError>;

    /// Where it is a connection: ends it in order and opens another one.
    fn restart(&mut self, _exporter: usize) -> Result<(), SimError> {
        Ok(())
    }

    /// Where it is a connection: ends it in order.
    fn finish(&mut self, _exporter: usize) -> Result<(), SimError> {
        Ok(())
    }
}

/// Who tells of a realm's NAT.
enum Teller {
    Exporter(Box<Exporter>),
    Device(Box<Device>),
}

/// What was played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// The first instant, milliseconds since 1970.
    pub from: i64,
    /// The last instant, milliseconds since 1970.
    pub to: i64,
    /// What happened in the network.
    pub tally: Tally,
    /// Export datagrams encoded, and log lines.
    pub datagrams: u64,
    /// Of these, lost on purpose.
    pub lost: u64,
    /// Sent twice on purpose.
    pub doubled: u64,
    /// NAT events in the datagrams lost on purpose are not counted here: events encoded.
    pub encoded: u64,
    /// Datagrams the kernel refused because nobody listened (live mode goes on).
    pub refused: u64,
    /// RADIUS.
    pub radius: RadiusCounts,
}

/// Plays a plan into real sockets until its end, or until `stop` is raised. `progress` is called about every 100 ms of simulated time.
pub fn play(plan: &Plan, clock: &dyn Clock, stop: &Stop, mut progress: impl FnMut(&Played)) -> Result<Played, SimError> {
    let network = Network::of(plan)?;
    let mut wire = wires::Wires::open(plan, &network, clock)?;
    let base = base_ms(plan, clock);
    let nases = nas::start(plan, &network, base, stop)?;
    let mut player = Player::new(plan, &network, base, clock, &mut wire)?;
    player.nases = nases;
    let done = player.run(clock, stop, &mut progress);
    // The NAS threads are joined whatever happened; their reason explains a broken channel better than ours does.
    let radius = nas::join(std::mem::take(&mut player.nases));
    let mut played = done.and_then(|played| radius.map(|radius| Played { radius, ..played }))?;
    played.refused = wire.refused;
    Ok(played)
}

/// Plays a plan in fast mode into any [`Wire`], without RADIUS: for benchmarks and for tests of determinism.
pub fn play_into(plan: &Plan, clock: &dyn Clock, wire: &mut dyn Wire) -> Result<Played, SimError> {
    let network = Network::of(plan)?;
    let base = base_ms(plan, clock);
    Player::new(plan, &network, base, clock, wire)?.run(clock, &Stop::new(), &mut |_| ())
}

/// The instant simulated time begins: now when live, so long ago that the history ends now when fast.
fn base_ms(plan: &Plan, clock: &dyn Clock) -> i64 {
    match plan.mode {
        Mode::Live { .. } => clock.now().0,
        Mode::Fast { history_ms, .. } => clock.now().0.saturating_sub(history_ms),
    }
}

struct Player<'a> {
    plan: &'a Plan,
    clock: &'a dyn Clock,
    base: i64,
    tellers: Vec<Teller>,
    /// By realm: leases are told in log lines.
    leases: Vec<bool>,
    nases: Vec<nas::Nas>,
    truth: Option<TruthWriter>,
    wire: &'a mut dyn Wire,
}

impl<'a> Player<'a> {
    fn new(plan: &'a Plan, network: &Network, base: i64, clock: &'a dyn Clock, wire: &'a mut dyn Wire) -> Result<Player<'a>, SimError> {
        let truth = plan.truth.as_deref().map(|path| TruthWriter::create(path, plan, network, base)).transpose()?;
        let teller = |(n, realm): (usize, &crate::network::Realm)| match realm.protocol.is_syslog() {
            true => Teller::Device(Box::new(Device::new(plan, n, realm))),
            false => Teller::Exporter(Box::new(Exporter::new(plan, n, realm))),
        };
        let tellers = network.realms.iter().enumerate().map(teller).collect();
        let leases = network.realms.iter().map(|r| r.leases).collect();
        Ok(Player { plan, clock, base, tellers, leases, nases: Vec::new(), truth, wire })
    }

    fn run(&mut self, clock: &dyn Clock, stop: &Stop, progress: &mut dyn FnMut(&Played)) -> Result<Played, SimError> {
        let mut world = World::new(self.plan)?;
        let end = self.plan.length_ms();
        let begun = clock.monotonic();
        let mut shown = 0;
        while !stop.is_raised() && !world.is_done() && end.is_none_or(|end| world.now() < end) {
            let to = match self.plan.mode {
                Mode::Fast { .. } => world.now() + STEP_MS,
                Mode::Live { .. } => {
                    stop.wait(LIVE_STEP);
                    i64::try_from((clock.monotonic() - begun).as_millis()).unwrap_or(i64::MAX).min(crate::limits::RUN_MS_MAX)
                }
            };
            let to = end.map_or(to, |end| to.min(end));
            world.advance(to, self)?;
            self.tick(world.now())?;
            if world.now() - shown >= FLUSH_MS {
                shown = world.now();
                progress(&self.played(&world));
            }
            if world.now() >= crate::limits::RUN_MS_MAX {
                break;
            }
        }
        world.finish(self)?;
        let now = world.now().max(0);
        let stamps = self.stamps();
        for (n, teller) in self.tellers.iter_mut().enumerate() {
            match teller {
                Teller::Exporter(exporter) => exporter.finish(now, &stamps, &mut |d| self.wire.send(n, d))?,
                Teller::Device(device) => device.finish(now, self.base, self.wire)?,
            }
        }
        let played = self.played(&world);
        if let Some(truth) = self.truth.take() {
            truth.finish(now, world.tally())?;
        }
        Ok(played)
    }

    fn stamps(&self) -> Stamps<'a> {
        let sending = matches!(self.plan.mode, Mode::Fast { header_time: HeaderTime::Sending, .. });
        Stamps { base: self.base, sending: sending.then_some(self.clock) }
    }

    fn tick(&mut self, now: i64) -> Result<(), SimError> {
        let stamps = self.stamps();
        for (n, teller) in self.tellers.iter_mut().enumerate() {
            match teller {
                Teller::Exporter(exporter) => exporter.tick(now, FLUSH_MS, TEMPLATES_MS, &stamps, &mut |d| self.wire.send(n, d))?,
                Teller::Device(device) => device.tick(now, TEMPLATES_MS, self.base, self.wire)?,
            }
        }
        Ok(())
    }

    fn played(&self, world: &World) -> Played {
        let mut p = Played { from: self.base, to: self.base + world.now().max(0), tally: world.tally(), ..Played::default() };
        for teller in &self.tellers {
            let (datagrams, records, line) = match teller {
                Teller::Exporter(e) => (e.datagrams, e.records, e.line()),
                Teller::Device(d) => (d.lines, d.records, d.line()),
            };
            p.datagrams += datagrams;
            p.encoded += records;
            p.lost += line.lost;
            p.doubled += line.doubled;
        }
        p
    }
}

impl Outlet for Player<'_> {
    fn nat(&mut self, realm: usize, event: &NatEvent) -> Result<(), SimError> {
        let stamps = self.stamps();
        match self.tellers.get_mut(realm) {
            Some(Teller::Exporter(exporter)) => exporter.log(event, &stamps, &mut |d| self.wire.send(realm, d)),
            Some(Teller::Device(device)) => device.log(event, self.base, self.wire),
            None => Ok(()),
        }
    }

    fn accounting(&mut self, realm: usize, request: Accounting) -> Result<(), SimError> {
        if self.leases.get(realm).copied().unwrap_or(false) {
            return match self.tellers.get_mut(realm) {
                Some(Teller::Device(device)) => device.lease(&request, self.base, self.wire),
                _ => Ok(()),
            };
        }
        self.nases.get(realm).map_or(Ok(()), |nas| nas.send(request))
    }

    fn mapping_truth(&mut self, realm: usize, held: &Held<'_>) -> Result<(), SimError> {
        self.truth.as_mut().map_or(Ok(()), |truth| truth.mapping(realm, held))
    }

    fn login_truth(&mut self, realm: usize, login: &Login, end: Option<i64>) -> Result<(), SimError> {
        self.truth.as_mut().map_or(Ok(()), |truth| truth.login(realm, login, end))
    }
}

/// A UDP socket from `bind` towards `to`.
fn connect(bind: SocketAddr, to: SocketAddr) -> Result<UdpSocket, SimError> {
    let open = || {
        let socket = UdpSocket::bind(bind)?;
        socket.connect(to)?;
        Ok(socket)
    };
    open().map_err(|source| SimError::Socket { bind, to, source })
}

#[cfg(test)]
mod tests;
