//! The events: sessions of one carrier-grade NAT as the simulator's first one logs them over IPFIX, made before anything is measured. When they
//! are sent, their times are moved to the moment of sending: a store treats yesterday's records otherwise than those of this second.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;
use weir_sim::{HeaderTime, Mode, Plan, Profile, SimError, Wire, play_into};

use crate::shared::Outcome;
use crate::times::Times;

/// The realm of the simulator that logs sessions over IPFIX, its exporter and its address.
const REALM: usize = 0;
const EXPORTER: &str = "cgn-a";
pub const ADDRESS: [u8; 4] = [127, 0, 0, 11];
/// Subscribers behind this NAT; the simulator divides its own among three.
pub const SUBSCRIBERS: u32 = 50_000;
/// Milliseconds between bursts of the sender.
const BURST_MS: u64 = 1;
/// Milliseconds from the wish to send until the first datagram leaves; times are moved meanwhile.
const AHEAD_MS: i64 = 2_000;

/// What an exporter sends.
pub struct Corpus {
    /// Datagrams, in the order in which they leave.
    pub datagrams: Vec<Vec<u8>>,
    /// NAT events in them.
    pub events: u64,
    /// Seconds they span. Less than the 120 s a freed port rests: no port has two holders, so every question has one right answer.
    seconds: u64,
    /// When they begin, milliseconds since 1970.
    pub begin: i64,
}

/// One mapping that was, from the truth.
pub struct Held {
    /// Public address.
    pub address: String,
    /// Public port.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// A moment of its life, milliseconds since 1970.
    pub at: i64,
    /// Who held it.
    pub inside: String,
    /// Public address and port for nfdump.
    pub filter: String,
}

impl Wire for Corpus {
    fn send(&mut self, exporter: usize, datagram: &[u8]) -> Result<(), SimError> {
        if exporter == REALM {
            self.datagrams.push(datagram.to_vec());
        }
        Ok(())
    }
}

impl Corpus {
    /// About so many events a second for so many seconds; with `truth`, what they mean is written there.
    pub fn of(events_per_second: u64, seconds: u64, truth: Option<&Path>) -> Outcome<Corpus> {
        Corpus::among(SUBSCRIBERS, events_per_second, seconds, truth)
    }

    /// The same of so many subscribers.
    pub fn among(subscribers: u32, events_per_second: u64, seconds: u64, truth: Option<&Path>) -> Outcome<Corpus> {
        let mut plan = Plan::new(Profile::Isp, 42);
        plan.subscribers = Some(3 * subscribers);
        let history_ms = i64::try_from(seconds * 1_000)?;
        plan.mode = Mode::Fast { history_ms, datagrams_per_second: 0, header_time: HeaderTime::Simulated };
        // Two of the three realms log sessions, each half of them; the third logs blocks, which are few.
        plan.rate = u32::try_from(2 * events_per_second)?;
        plan.truth = truth.map(Path::to_owned);
        let mut corpus = Corpus { datagrams: Vec::new(), events: 0, seconds, begin: 0 };
        corpus.begin = play_into(&plan, &SystemClock::new(), &mut corpus)?.from;
        // RFC 7011 section 3.1: the sequence number counts the data records before this message; the last one holds templates alone.
        let last = corpus.datagrams.last().and_then(|d| d.get(8..12)).ok_or("the simulator sent nothing")?;
        corpus.events = u64::from(u32::from_be_bytes(last.try_into()?));
        Ok(corpus)
    }

    /// Sends all of it in the seconds it spans, as if it happened now; events a second, and how many milliseconds it was moved.
    pub fn send(&self, to: SocketAddr) -> Outcome<(f64, i64)> {
        let socket = UdpSocket::bind(SocketAddr::from((ADDRESS, 0)))?;
        socket.connect(to)?;
        let wall = SystemClock::new();
        let (start, never) = (wall.now().0 + AHEAD_MS, Stop::new());
        let moved = start - self.begin;
        let mut times = Times::default();
        let mut datagrams = self.datagrams.clone();
        datagrams.iter_mut().try_for_each(|d| times.shift(d, moved).ok_or("the simulator sent something that is no IPFIX"))?;
        never.wait(Duration::from_millis(u64::try_from(start - wall.now().0).unwrap_or(0)));
        let clock = SystemClock::new();
        let a_second = datagrams.len() as f64 / self.seconds as f64;
        let mut sent = 0;
        while sent < datagrams.len() {
            let due = (clock.monotonic().as_secs_f64() * a_second) as usize + 1;
            for datagram in datagrams.iter().take(due).skip(sent) {
                socket.send(datagram)?;
            }
            sent = due.min(datagrams.len()).max(sent);
            never.wait(Duration::from_millis(BURST_MS));
        }
        Ok((self.events as f64 / clock.monotonic().as_secs_f64(), moved))
    }

    /// Ended session mappings of a truth file, evenly picked, each at the middle of its life; and how many mappings there were.
    pub fn held(truth: &Path, count: usize) -> Outcome<(u64, Vec<Held>)> {
        let mut all = Vec::new();
        let mut mappings = 0;
        weir_sim::truth::read(truth, |line| {
            if line.exporter != EXPORTER || line.form != "session" {
                return Ok(());
            }
            mappings += 1;
            let (Some(end), Some(public), Some(inside)) = (line.end, line.public, line.inside) else { return Ok(()) };
            if public.contains(':') {
                return Ok(());
            }
            let filter = format!("src xip {public} and src xport {}", line.port);
            all.push(Held {
                address: public,
                port: line.port,
                protocol: line.protocol,
                at: i64::midpoint(line.start, end),
                inside,
                filter,
            });
            Ok(())
        })?;
        let step = (all.len() / count.max(1)).max(1);
        Ok((mappings, all.into_iter().step_by(step).take(count).collect()))
    }
}
