//! A NAS that keeps a book of what was acknowledged.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use weir_sim::network::Realm;
use weir_sim::rng::Rng;
use weir_sim::wire::radius::{Request, check_response, encode};
use weir_sim::world::event::{Accounting, Login, Status};
use weir_sim::{Network, Plan, Profile};

use crate::common::{Running, at, now_ms};

/// Requests in flight.
const WINDOW: usize = 64;
/// From one event to the next, in milliseconds of simulated time.
const STEP_MS: i64 = 100;
/// How many sessions are open before the oldest ends.
const OPEN: usize = 20;
/// How long an answer is waited for; loopback loses nothing within the window.
const PATIENCE: Duration = Duration::from_secs(30);

/// One session, and what the program said to its requests.
pub struct Session {
    login: Login,
    stop: i64,
    /// The program answered its Start.
    pub started: bool,
    /// The program answered its Stop.
    pub stopped: bool,
}

/// The NAS, its socket, and its book.
pub struct Nas {
    socket: UdpSocket,
    to: SocketAddr,
    secret: Vec<u8>,
    realm: Realm,
    base: i64,
    clock: i64,
    /// Sessions in the order of their begin; each has a public address of its own.
    pub sessions: Vec<Session>,
    next_stop: usize,
    /// By identifier: sent and not answered.
    pending: BTreeMap<u8, (Request, usize, Status)>,
    next: u8,
    answered: Vec<Request>,
}

impl Nas {
    /// A NAS whose history begins so many milliseconds ago.
    pub fn new(history_ms: i64) -> Nas {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let realm = Network::of(&Plan::new(Profile::Small, 1)).unwrap().realms.remove(0);
        let base = (now_ms() - history_ms) / 1_000 * 1_000;
        Nas {
            to: socket.local_addr().unwrap(),
            socket,
            secret: Vec::new(),
            realm,
            base,
            clock: 0,
            sessions: Vec::new(),
            next_stop: 0,
            pending: BTreeMap::new(),
            next: 0,
            answered: Vec::new(),
        }
    }

    /// Turns to a program that has just started, and sends again what it has not answered, byte by byte.
    pub fn turn_to(&mut self, running: &Running) {
        self.to = running.port("radius");
        self.secret = std::fs::read(running.data.join("radius.secret")).unwrap().trim_ascii_end().to_vec();
        self.repeat();
    }

    /// Sends everything again that is not answered.
    pub fn repeat(&self) {
        for (request, ..) in self.pending.values() {
            self.socket.send_to(&request.bytes, self.to).unwrap();
        }
    }

    /// Sends answered requests again, as a NAS does whose answer was lost: each is answered again.
    pub fn doubt(&mut self, rng: &mut Rng, count: u32) {
        for _ in 0..count.min(self.answered.len() as u32) {
            let request = self.answered[rng.below(self.answered.len() as u32) as usize].clone();
            let identifier = request.bytes[1];
            if self.pending.contains_key(&identifier) {
                continue;
            }
            self.socket.send_to(&request.bytes, self.to).unwrap();
            while !self.take(Some((identifier, &request))) {}
        }
        self.answered.clear();
    }

    /// Keeps the window full.
    pub fn send(&mut self) {
        while self.pending.len() < WINDOW {
            while self.pending.contains_key(&self.next) {
                self.next = self.next.wrapping_add(1);
            }
            self.one();
        }
    }

    /// One new request; its identifier.
    pub fn one(&mut self) -> u8 {
        self.clock += STEP_MS;
        let ready = self.sessions.len() - self.next_stop >= OPEN && self.sessions[self.next_stop].started;
        let (session, status) = if ready { (self.next_stop, Status::Stop) } else { (self.sessions.len(), Status::Start) };
        if ready {
            self.next_stop += 1;
            self.sessions[session].stop = self.clock;
        } else {
            self.sessions.push(Session { login: login(session, self.clock), stop: 0, started: false, stopped: false });
        }
        let login = Some(self.sessions[session].login.clone());
        let accounting = Accounting { status, at: self.clock, delay_s: 0, login, octets_in: 0, octets_out: 0, cause: 1 };
        let (identifier, secret) = (self.next, &self.secret);
        self.next = self.next.wrapping_add(1);
        let request = encode(&self.realm, &accounting, identifier, self.base, secret);
        self.socket.send_to(&request.bytes, self.to).unwrap();
        self.pending.insert(identifier, (request, session, status));
        identifier
    }

    /// Sends one request again, and waits for its answer up to `patience`; true when it came.
    pub fn again(&mut self, identifier: u8, patience: Duration) -> bool {
        if let Some((request, ..)) = self.pending.get(&identifier) {
            self.socket.send_to(&request.bytes, self.to).unwrap();
        }
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut packet = [0; 4096];
        if let Ok(n) = self.socket.recv(&mut packet) {
            self.note(&packet[..n], None);
        }
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        !self.pending.contains_key(&identifier)
    }

    /// Waits for one answer; false when it was not the one to a request sent again.
    pub fn take(&mut self, again: Option<(u8, &Request)>) -> bool {
        let mut packet = [0; 4096];
        let n = self.socket.recv(&mut packet).unwrap_or_else(|e| panic!("the program does not answer: {e}"));
        self.note(&packet[..n], again)
    }

    /// Takes the answers that have arrived, without waiting; how many they were.
    pub fn drain(&mut self) -> usize {
        self.socket.set_nonblocking(true).unwrap();
        let (mut packet, mut count) = ([0; 4096], 0);
        loop {
            match self.socket.recv(&mut packet) {
                Ok(n) => {
                    self.note(&packet[..n], None);
                    count += 1;
                }
                // A dead program's port may have been reported closed.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::WouldBlock, "{e}");
                    break;
                }
            }
        }
        self.socket.set_nonblocking(false).unwrap();
        count
    }

    fn note(&mut self, packet: &[u8], again: Option<(u8, &Request)>) -> bool {
        let identifier = packet[1];
        if let Some((wanted, request)) = again
            && wanted == identifier
        {
            check_response(packet, &request.authenticator, &self.secret).unwrap();
            return true;
        }
        // A second answer to a request sent twice finds nothing to cross off.
        if let Some((request, session, status)) = self.pending.remove(&identifier) {
            check_response(packet, &request.authenticator, &self.secret).unwrap();
            let session = &mut self.sessions[session];
            if status == Status::Start {
                session.started = true
            } else {
                session.stopped = true
            }
            self.answered.push(request);
        }
        false
    }

    /// Requests sent and not answered.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Requests answered, all together.
    pub fn acknowledged(&self) -> usize {
        self.sessions.iter().map(|s| usize::from(s.started) + usize::from(s.stopped)).sum()
    }

    /// Asks for the sessions of a range by their addresses: what was answered must be found.
    pub fn find(&self, running: &Running, range: std::ops::Range<usize>) {
        let mut socket = running.socket();
        let asked: Vec<&Session> = self.sessions[range].iter().filter(|s| s.started).collect();
        for some in asked.chunks(200) {
            let request = |s: &&Session| {
                let question =
                    json!({ "public": s.login.framed.unwrap().to_string(), "at": at(self.base + s.login.start + 1_000), "skew": "0s" });
                format!("{}\n", json!({ "op": "lookup", "purpose": "drill", "question": question }))
            };
            socket.send(some.iter().map(request).collect::<String>().as_bytes());
            for session in some {
                let answer = socket.receive();
                let candidates = answer["ok"]["candidates"].as_array().unwrap_or_else(|| panic!("{answer}"));
                let found = candidates.iter().find(|c| c["session"]["id"] == json!(session.login.session));
                let found = found.unwrap_or_else(|| panic!("session {} is lost: {answer}", session.login.session));
                assert_eq!(found["subscriber"].as_str().map(str::len), Some(32), "{answer}");
                if session.stopped {
                    let end = at((self.base + session.stop).div_euclid(1_000) * 1_000);
                    assert_eq!(found["session"]["end"], Value::String(end), "the Stop of {}: {answer}", session.login.session);
                }
            }
        }
    }
}

fn login(number: usize, start: i64) -> Login {
    let pool = u32::from(Ipv4Addr::new(198, 18, 0, 0));
    Login {
        account: format!("kill{number:07}"),
        caller: format!("999{number:09}"),
        called: "line".to_owned(),
        session: format!("{number:08x}"),
        nas_port: number as u32 % 4_096,
        framed: Some(Ipv4Addr::from(pool + number as u32 % (1 << 17))),
        plain: true,
        prefix: None,
        delegated: None,
        start,
    }
}

/// The number of rows, of sessions, and of logins of the kept session records.
pub fn kept(data: &Path) -> (u64, u64, u64) {
    let count = |condition: &str| {
        let statement = format!("SELECT count(*) AS n, count(DISTINCT acct_session_id) AS s FROM radius_session {condition}");
        let output = crate::common::weir(&["sql", &statement, "--json", "--data", data.to_str().unwrap()]);
        let rows = crate::common::parsed(&output);
        (rows[0]["n"].as_u64().unwrap(), rows[0]["s"].as_u64().unwrap())
    };
    let (rows, sessions) = count("");
    (rows, sessions, count("WHERE status = 1").0)
}
