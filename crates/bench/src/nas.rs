//! NASes of our own: Accounting-Requests (RFC 2866) over many sockets, as many on their way as a set of busy NASes has; what is not answered is sent again.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use md5::{Digest, Md5};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use weir_base::clock::{Clock, SystemClock};

use crate::shared::Outcome;
use crate::sources::SECRET;

/// Sockets; each has 256 identifiers (RFC 2865 section 3).
const SOCKETS: usize = 16;
/// A request that was not answered is sent again after so long, milliseconds.
const AGAIN_MS: u64 = 3_000;
/// Sessions between a session's start and its stop.
const OPEN: u64 = 10_000;
/// Milliseconds of waiting when nothing can be sent.
const WAIT_MS: i64 = 1;
/// After the time is over, what is under way gets so long, milliseconds.
const LATE_MS: u64 = 10_000;

/// What NASes saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests answered.
    pub answered: u64,
    /// Requests sent a second time or more.
    pub again: u64,
    /// Requests never answered.
    pub unanswered: u64,
    /// Seconds until the last answer.
    pub seconds: f64,
}

struct Waiting {
    since: Duration,
    bytes: Vec<u8>,
}

struct Line {
    socket: UdpSocket,
    waiting: Vec<Option<Waiting>>,
    free: Vec<u8>,
}

/// Sends for so many seconds, at most `under_way` requests at a time.
pub fn drive(to: SocketAddr, seconds: u64, under_way: usize) -> Outcome<Seen> {
    let mut lines = Vec::new();
    for _ in 0..SOCKETS {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(to)?;
        socket.set_nonblocking(true)?;
        let ids = u8::try_from((under_way / SOCKETS).clamp(1, 256) - 1)?;
        lines.push(Line { socket, waiting: (0..256).map(|_| None).collect(), free: (0..=ids).collect() });
    }
    let clock = SystemClock::new();
    let (mut seen, mut next, mut last) = (Seen::default(), 0, Duration::ZERO);
    let (over, late) = (Duration::from_secs(seconds), Duration::from_secs(seconds) + Duration::from_millis(LATE_MS));
    loop {
        let now = clock.monotonic();
        let mut moved = false;
        for line in &mut lines {
            while let Some(id) = line.receive()? {
                moved = true;
                if line.waiting.get_mut(usize::from(id)).and_then(Option::take).is_some() {
                    line.free.push(id);
                    seen.answered += 1;
                    last = now;
                }
            }
            if now < over {
                moved |= line.send(&mut next, now, clock.now().0)?;
            }
            seen.again += line.again(now)?;
        }
        let under_way = lines.iter().flat_map(|l| &l.waiting).flatten().count();
        if now >= over && (under_way == 0 || now >= late) {
            seen.unanswered = under_way as u64;
            seen.seconds = last.as_secs_f64();
            return Ok(seen);
        }
        if !moved {
            let mut sockets: Vec<PollFd<'_>> = lines.iter().map(|l| PollFd::new(&l.socket, PollFlags::IN)).collect();
            poll(&mut sockets, Some(&Timespec { tv_sec: 0, tv_nsec: WAIT_MS * 1_000_000 }))?;
        }
    }
}

impl Line {
    /// The identifier of an answer; none when nothing is there.
    fn receive(&self) -> Outcome<Option<u8>> {
        let mut buffer = [0u8; 4_096];
        match self.socket.recv(&mut buffer) {
            // Accounting-Response, RFC 2866 section 4.2.
            Ok(20..) if buffer[0] == 5 => Ok(Some(buffer[1])),
            Ok(_) => Err("something came that is no Accounting-Response".into()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn send(&mut self, next: &mut u64, now: Duration, wall_ms: i64) -> Outcome<bool> {
        let before = *next;
        while let Some(id) = self.free.pop() {
            let bytes = request(id, *next, wall_ms / 1_000);
            match self.socket.send(&bytes) {
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.free.push(id);
                    break;
                }
                Err(e) => return Err(e.into()),
            }
            *next += 1;
            if let Some(slot) = self.waiting.get_mut(usize::from(id)) {
                *slot = Some(Waiting { since: now, bytes });
            }
        }
        Ok(*next != before)
    }

    fn again(&mut self, now: Duration) -> Outcome<u64> {
        let mut again = 0;
        for waiting in self.waiting.iter_mut().flatten().filter(|w| (now - w.since).as_millis() as u64 >= AGAIN_MS) {
            waiting.since = now;
            again += 1;
            match self.socket.send(&waiting.bytes) {
                Err(e) if e.kind() != ErrorKind::WouldBlock => return Err(e.into()),
                _ => {}
            }
        }
        Ok(again)
    }
}

/// Start, then an update, then the Stop of session after session (RFC 2866 section 5).
fn request(id: u8, number: u64, wall: i64) -> Vec<u8> {
    // 1 Start, 3 Interim-Update, 2 Stop. The first sessions only start, so that every update has its session.
    let turn = if number < OPEN { 0 } else { (number - OPEN) % 3 };
    let (status, session) = match (number.checked_sub(OPEN), turn) {
        (None, _) => (1u32, number),
        (Some(rest), 0) => (1, OPEN + rest / 3),
        (Some(rest), 1) => (3, OPEN / 2 + rest / 3),
        (Some(rest), _) => (2, rest / 3),
    };
    let user = session % 50_000;
    let mut packet = vec![4, id, 0, 0];
    packet.extend([0; 16]);
    let mut put = |kind: u8, value: &[u8]| {
        packet.extend([kind, value.len() as u8 + 2]);
        packet.extend(value);
    };
    let four = |n: u64| (n as u32).to_be_bytes();
    put(1, format!("user{user:06}@isp.example").as_bytes());
    put(40, &status.to_be_bytes());
    put(44, format!("{session:016x}").as_bytes());
    put(4, &[192, 0, 2, 1]);
    put(32, b"bras-1");
    put(5, &four(session));
    put(61, &5u32.to_be_bytes());
    put(6, &2u32.to_be_bytes());
    put(7, &1u32.to_be_bytes());
    put(8, &four(0x6440_0000 + user));
    put(31, format!("02:00:5e:{:02x}:{:02x}:{:02x}", user >> 16, user >> 8 & 255, user & 255).as_bytes());
    put(55, &(wall as u32).to_be_bytes());
    if turn != 0 {
        put(46, &four(600));
        put(42, &four(session * 977));
        put(43, &four(session * 7_919));
        put(47, &four(session));
        put(48, &four(session * 3));
    }
    if turn == 2 {
        put(49, &1u32.to_be_bytes());
    }
    let length = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    let mut digest = Md5::new();
    digest.update(&packet);
    digest.update(SECRET.as_bytes());
    let authenticator = digest.finalize();
    packet[4..20].copy_from_slice(&authenticator);
    packet
}
