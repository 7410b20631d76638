//! A NAS towards its RADIUS server: a bounded window of requests, answers checked, retransmission without change.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;

use crate::error::SimError;
use crate::limits::{RADIUS_BYTES, RADIUS_QUEUE};
use crate::network::{Network, Realm};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::wire::radius::{self, Request};
use crate::world::event::Accounting;

/// How long a wait for an answer or for something to send lasts at most.
const WAIT: Duration = Duration::from_millis(5);
/// The longest time between two attempts.
const RETRY_MAX: Duration = Duration::from_secs(16);
/// When told to stop, requests in flight are given this long.
const LAST: Duration = Duration::from_secs(5);

/// What the NAS side counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RadiusCounts {
    /// Requests.
    pub requests: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Retransmissions.
    pub retransmitted: u64,
    /// First attempts lost on purpose.
    pub lost: u64,
    /// Answers with a wrong authenticator, or not answers at all.
    pub bad: u64,
    /// Requests given up because the run was stopped.
    pub unanswered: u64,
}

/// A running NAS.
pub struct Nas {
    queue: Option<SyncSender<Accounting>>,
    thread: Option<JoinHandle<Result<RadiusCounts, SimError>>>,
    name: &'static str,
}

impl Nas {
    /// Queues a request; waits while the queue is full.
    pub fn send(&self, request: Accounting) -> Result<(), SimError> {
        let gone = || SimError::Thread(self.name.to_owned());
        self.queue.as_ref().map_or(Ok(()), |queue| queue.send(request).map_err(|_| gone()))
    }
}

/// Starts a thread for every NAS; none when there is no RADIUS server to send to.
pub fn start(plan: &Plan, network: &Network, base: i64, stop: &Stop) -> Result<Vec<Nas>, SimError> {
    let Some(to) = plan.targets.radius else { return Ok(Vec::new()) };
    network
        .realms
        .iter()
        .enumerate()
        .filter(|(_, realm)| !realm.leases)
        .map(|(n, realm)| start_one(plan, n, realm, to, base, stop))
        .collect()
}

fn start_one(plan: &Plan, n: usize, realm: &Realm, to: SocketAddr, base: i64, stop: &Stop) -> Result<Nas, SimError> {
    let bind = plan.bind_for(1, n, to);
    let socket = super::connect(bind, to)?;
    socket.set_read_timeout(Some(WAIT)).map_err(|source| SimError::Socket { bind, to, source })?;
    let bound = socket.local_addr().unwrap_or(bind);
    let (queue, requests) = sync_channel(RADIUS_QUEUE);
    let client = Client {
        realm: realm.clone(),
        socket,
        to,
        bind: bound,
        base,
        secret: plan.targets.radius_secret.clone(),
        window: plan.radius_window,
        retry: Duration::from_millis(plan.radius_retry_ms.max(1) as u64),
        attempts: plan.radius_attempts,
        loss: plan.faults.radius_loss,
        rng: Rng::new(plan.seed, 200 + n as u64),
        clock: SystemClock::new(),
        slots: (0..256).map(|_| None).collect(),
        next: 0,
        in_flight: 0,
        next_check: Duration::ZERO,
        counts: RadiusCounts::default(),
    };
    let stop = stop.clone();
    let thread = std::thread::Builder::new()
        .name(realm.nas.to_owned())
        .spawn(move || client.run(&requests, &stop))
        .map_err(|source| SimError::Socket { bind, to, source })?;
    Ok(Nas { queue: Some(queue), thread: Some(thread), name: realm.nas })
}

/// Lets every NAS finish what it has, and adds up their counts; the first failure is the result.
pub fn join(mut nases: Vec<Nas>) -> Result<RadiusCounts, SimError> {
    for nas in &mut nases {
        nas.queue = None;
    }
    let mut sum = RadiusCounts::default();
    let mut failure = None;
    for nas in &mut nases {
        let Some(thread) = nas.thread.take() else { continue };
        match thread.join().unwrap_or_else(|_| Err(SimError::Thread(nas.name.to_owned()))) {
            Ok(c) => {
                sum.requests += c.requests;
                sum.answered += c.answered;
                sum.retransmitted += c.retransmitted;
                sum.lost += c.lost;
                sum.bad += c.bad;
                sum.unanswered += c.unanswered;
            }
            Err(e) => failure = failure.or(Some(e)),
        }
    }
    failure.map_or(Ok(sum), Err)
}

struct Flight {
    request: Request,
    due: Duration,
    wait: Duration,
    attempts: u32,
}

struct Client {
    realm: Realm,
    socket: UdpSocket,
    to: SocketAddr,
    bind: SocketAddr,
    base: i64,
    secret: Vec<u8>,
    window: usize,
    retry: Duration,
    attempts: u32,
    loss: f64,
    rng: Rng,
    clock: SystemClock,
    /// By identifier. Identifiers are used in turn, so that what is sent depends on the order of requests alone.
    slots: Vec<Option<Flight>>,
    next: u8,
    in_flight: usize,
    next_check: Duration,
    counts: RadiusCounts,
}

impl Client {
    fn run(mut self, requests: &Receiver<Accounting>, stop: &Stop) -> Result<RadiusCounts, SimError> {
        let mut open = true;
        let mut stopped_at: Option<Duration> = None;
        while open || self.in_flight > 0 {
            open = open && self.fill(requests);
            self.receive();
            self.retransmit()?;
            if stop.is_raised() {
                let since = *stopped_at.get_or_insert(self.clock.monotonic());
                if self.clock.monotonic().saturating_sub(since) > LAST {
                    self.counts.unanswered += self.in_flight as u64;
                    break;
                }
            }
        }
        Ok(self.counts)
    }

    /// Sends new requests while the window allows; false when no more will come.
    fn fill(&mut self, requests: &Receiver<Accounting>) -> bool {
        while self.in_flight < self.window && self.slots.get(usize::from(self.next)).is_some_and(Option::is_none) {
            let got = if self.in_flight == 0 {
                requests.recv_timeout(WAIT).map_err(|e| e == RecvTimeoutError::Disconnected)
            } else {
                requests.try_recv().map_err(|e| e == TryRecvError::Disconnected)
            };
            match got {
                Ok(request) => self.launch(&request),
                Err(disconnected) => return !disconnected,
            }
        }
        true
    }

    fn launch(&mut self, request: &Accounting) {
        let identifier = self.next;
        self.next = self.next.wrapping_add(1);
        let request = radius::encode(&self.realm, request, identifier, self.base, &self.secret);
        self.counts.requests += 1;
        if self.rng.chance(self.loss) {
            self.counts.lost += 1;
        } else {
            // A refused send is a lost packet: the retransmission decides.
            let _ = self.socket.send(&request.bytes);
        }
        let due = self.clock.monotonic() + self.retry;
        if let Some(slot) = self.slots.get_mut(usize::from(identifier)) {
            *slot = Some(Flight { request, due, wait: self.retry, attempts: 1 });
            self.in_flight += 1;
        }
    }

    fn receive(&mut self) {
        if self.in_flight == 0 {
            return;
        }
        let mut buffer = [0u8; RADIUS_BYTES];
        let Ok(length) = self.socket.recv(&mut buffer) else { return };
        let packet = buffer.get(..length).unwrap_or_default();
        let identifier = packet.get(1).copied().unwrap_or_default();
        let Some(slot) = self.slots.get_mut(usize::from(identifier)) else { return };
        // An answer to a request no longer waiting is a duplicate.
        let Some(flight) = slot else { return };
        if radius::check_response(packet, &flight.request.authenticator, &self.secret).is_ok() {
            *slot = None;
            self.in_flight -= 1;
            self.counts.answered += 1;
        } else {
            self.counts.bad += 1;
        }
    }

    /// Sends again what has waited too long: the same bytes, identifier and authenticator (RFC 2866 section 4.1).
    fn retransmit(&mut self) -> Result<(), SimError> {
        let now = self.clock.monotonic();
        if now < self.next_check {
            return Ok(());
        }
        self.next_check = now + WAIT;
        for flight in self.slots.iter_mut().flatten().filter(|f| f.due <= now) {
            if flight.attempts >= self.attempts {
                return Err(SimError::NoRadiusAnswer {
                    nas: self.realm.nas.to_owned(),
                    to: self.to,
                    bind: self.bind,
                    attempts: flight.attempts,
                    bad: self.counts.bad,
                });
            }
            let _ = self.socket.send(&flight.request.bytes);
            flight.attempts += 1;
            flight.wait = (flight.wait * 2).min(RETRY_MAX);
            flight.due = now + flight.wait;
            self.counts.retransmitted += 1;
        }
        Ok(())
    }
}
