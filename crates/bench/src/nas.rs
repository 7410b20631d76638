//! NASes of our own: Accounting-Requests (RFC 2866) over many sockets, as many on their way as a set of busy NASes has; what is not answered is sent again.

use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use md5::{Digest, Md5};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use weir_base::clock::{Clock, SystemClock};

use crate::shared::Outcome;
use crate::sources::SECRET;

/// Sockets; each has 256 identifiers (RFC 2865 section 3).
const SOCKETS: usize = 16;
/// A request that was not answered is sent again after so long, milliseconds.
const AGAIN_MS: u64 = 3_000;
/// How often is looked for them, milliseconds.
const LOOK_MS: u64 = 100;
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

/// A request, by its identifier.
#[derive(Default)]
struct Slot {
    /// Since when it waits for its answer.
    since: Option<Duration>,
    bytes: Vec<u8>,
}

struct Line {
    socket: UdpSocket,
    state: UdpSocketState,
    slots: Vec<Slot>,
    free: Vec<u8>,
}

/// Sends for so many seconds, at most `under_way` requests at a time.
pub fn drive(to: SocketAddr, seconds: u64, under_way: usize) -> Outcome<Seen> {
    let ids = u8::try_from((under_way / SOCKETS).clamp(1, 256) - 1)?;
    let mut lines = (0..SOCKETS).map(|_| Line::to(to, ids)).collect::<Outcome<Vec<_>>>()?;
    let clock = SystemClock::new();
    let (mut seen, mut next, mut last, mut looked) = (Seen::default(), 0, Duration::ZERO, Duration::ZERO);
    let (over, late) = (Duration::from_secs(seconds), Duration::from_secs(seconds) + Duration::from_millis(LATE_MS));
    let mut buffers = vec![vec![0u8; 4_096]; BATCH_SIZE];
    loop {
        let now = clock.monotonic();
        let mut moved = false;
        for line in &mut lines {
            let answered = line.receive(&mut buffers)?;
            if answered > 0 {
                (moved, last) = (true, now);
                seen.answered += answered;
            }
            if now < over {
                moved |= line.send(&mut next, now, clock.now().0)?;
            }
        }
        if (now - looked).as_millis() as u64 >= LOOK_MS {
            looked = now;
            for line in &mut lines {
                seen.again += line.again(now)?;
            }
        }
        let under_way: usize = lines.iter().map(|line| usize::from(ids) + 1 - line.free.len()).sum();
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
    fn to(to: SocketAddr, ids: u8) -> Outcome<Line> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(to)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Line { socket, state, slots: (0..256).map(|_| Slot::default()).collect(), free: (0..=ids).collect() })
    }

    /// Takes the answers that are there; how many were waited for.
    fn receive(&mut self, buffers: &mut [Vec<u8>]) -> Outcome<u64> {
        let mut answered = 0;
        loop {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let mut slices: Vec<IoSliceMut<'_>> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            let count = match self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas) {
                Ok(count) => count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(answered),
                Err(e) => return Err(e.into()),
            };
            for (meta, buffer) in metas.iter().zip(buffers.iter()).take(count) {
                for answer in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    // Accounting-Response, RFC 2866 section 4.2.
                    let [5, id, _, _, _authenticator @ ..] = answer else {
                        return Err("something came that is no Accounting-Response".into());
                    };
                    if self.slots[usize::from(*id)].since.take().is_some() {
                        self.free.push(*id);
                        answered += 1;
                    }
                }
            }
        }
    }

    fn send(&mut self, next: &mut u64, now: Duration, wall_ms: i64) -> Outcome<bool> {
        let mut going = std::mem::take(&mut self.free);
        for (id, number) in going.iter().zip(*next..) {
            request(&mut self.slots[usize::from(*id)].bytes, *id, number, wall_ms / 1_000);
        }
        let sent = self.post(&going)?;
        for id in going.drain(..sent) {
            self.slots[usize::from(id)].since = Some(now);
        }
        *next += sent as u64;
        self.free = going;
        Ok(sent > 0)
    }

    fn again(&mut self, now: Duration) -> Outcome<u64> {
        let long = |slot: &Slot| slot.since.is_some_and(|since| (now - since).as_millis() as u64 >= AGAIN_MS);
        let late: Vec<u8> = (0..=255).filter(|id| long(&self.slots[usize::from(*id)])).collect();
        for id in &late {
            self.slots[usize::from(*id)].since = Some(now);
        }
        self.post(&late)?;
        Ok(late.len() as u64)
    }

    /// Sends these requests, as many as the socket takes; how many that were.
    fn post(&self, ids: &[u8]) -> Outcome<usize> {
        let parts: Vec<[IoSlice<'_>; 1]> = ids.iter().map(|id| [IoSlice::new(&self.slots[usize::from(*id)].bytes)]).collect();
        let mut nothing: Vec<SendAncillaryBuffer<'_, '_, '_>> = ids.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let mut messages: Vec<MMsgHdr<'_>> = parts.iter().zip(&mut nothing).map(|(part, nothing)| MMsgHdr::new(part, nothing)).collect();
        let mut sent = 0;
        while sent < messages.len() {
            match sendmmsg(&self.socket, &mut messages[sent..], SendFlags::empty()) {
                Ok(some) => sent += some,
                Err(Errno::AGAIN) => break,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(sent)
    }
}

/// Start, then an update, then the Stop of session after session (RFC 2866 section 5).
fn request(packet: &mut Vec<u8>, id: u8, number: u64, wall: i64) {
    // 1 Start, 3 Interim-Update, 2 Stop. The first sessions only start, so that every update has its session.
    let turn = if number < OPEN { 0 } else { (number - OPEN) % 3 };
    let (status, session) = match (number.checked_sub(OPEN), turn) {
        (None, _) => (1u32, number),
        (Some(rest), 0) => (1, OPEN + rest / 3),
        (Some(rest), 1) => (3, OPEN / 2 + rest / 3),
        (Some(rest), _) => (2, rest / 3),
    };
    let user = session % 50_000;
    packet.clear();
    packet.extend([4, id, 0, 0]);
    packet.extend([0; 16]);
    let mut put = |kind: u8, value: &[u8]| {
        packet.extend([kind, value.len() as u8 + 2]);
        packet.extend(value);
    };
    let four = |n: u64| (n as u32).to_be_bytes();
    let mut name = *b"user000000@isp.example";
    digits(&mut name[4..10], user, 10);
    put(1, &name);
    put(40, &status.to_be_bytes());
    let mut text = [0; 16];
    digits(&mut text, session, 16);
    put(44, &text);
    put(4, &[192, 0, 2, 1]);
    put(32, b"bras-1");
    put(5, &four(session));
    put(61, &5u32.to_be_bytes());
    put(6, &2u32.to_be_bytes());
    put(7, &1u32.to_be_bytes());
    put(8, &four(0x6440_0000 + user));
    let mut caller = *b"02:00:5e:00:00:00";
    for (place, byte) in [(9, user >> 16), (12, user >> 8), (15, user)] {
        digits(&mut caller[place..place + 2], byte & 255, 16);
    }
    put(31, &caller);
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
    digest.update(&*packet);
    digest.update(SECRET.as_bytes());
    let authenticator = digest.finalize();
    packet[4..20].copy_from_slice(&authenticator);
}

/// Writes a number, with zeros before it.
fn digits(to: &mut [u8], mut number: u64, base: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
    }
}
