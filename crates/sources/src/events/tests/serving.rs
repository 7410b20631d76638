//! The server over real sockets, with a sink in memory: answers, durability, keys, overload, slow clients.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use weir_base::clock::Clock;
use weir_base::task::{Ended, Stop, Tasks, lock};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{Authentication, IdType, Malformed, Raw};
use weir_record::sink::{RecordSink, Resolved, SubjectIds};

use super::lines::NOW;
use crate::events::config::{Config, Settings};
use crate::events::limits::{BODY_BYTES, HEAD_BYTES, REQUESTS_OF_ONE};
use crate::events::server::{Needs, Server, Times};
use crate::testing::{CountingIds, HandClock, MemorySink, Mode};

const TOKEN: &str = "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz";
const LINE: &str = r#"{"time":"2026-11-22T10:00:00+08:00","action":"sign-in","account":"alice","address":"192.0.2.7","port":50112}"#;

struct Rig {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    server: Server,
    tasks: Tasks,
    ended: Arc<Mutex<Vec<Ended>>>,
}

/// Ids that fail at one account.
struct Trap(Arc<CountingIds>);

impl SubjectIds for Trap {
    fn resolve(&self, realm: u32, id_type: IdType, value: &str, now: Millis) -> Resolved {
        assert_ne!(value, "trap", "as meant");
        self.0.resolve(realm, id_type, value, now)
    }

    fn digest(&self, realm: u32, value: &[u8]) -> Id {
        self.0.digest(realm, value)
    }
}

fn settings() -> (Settings, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "listen = [\"127.0.0.1:0\"]\nrealm = \"apps\"\n".to_owned();
    for (name, token, rest) in [
        ("forum", TOKEN.to_owned(), "service = \"forum.example.org\""),
        ("shop", format!("{TOKEN}2"), "realm = \"shop\""),
        ("away", format!("{TOKEN}3"), "addresses = [\"192.0.2.0/24\"]"),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, token).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        text += &format!("[[applications]]\nname = \"{name}\"\ntoken_file = \"{}\"\n{rest}\n", path.display());
    }
    (toml::from_str::<Config>(&text).unwrap().check().unwrap(), dir)
}

impl Rig {
    fn new(sink: Arc<MemorySink>, times: Times) -> Rig {
        let (settings, _dir) = settings();
        let (ids, ended) = (CountingIds::new(), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&ended);
        let tasks = Tasks::new(Stop::new(), move |e: &Ended| lock(&seen).push(e.clone()));
        let (to, clock) = (Arc::clone(&sink) as Arc<dyn RecordSink>, HandClock::at(NOW.0) as Arc<dyn Clock>);
        let trap: Arc<dyn SubjectIds> = Arc::new(Trap(Arc::clone(&ids)));
        let server = Server::start(settings, times, &Needs { sink: &to, ids: &trap, clock: &clock, tasks: &tasks }).unwrap();
        Rig { sink, ids, server, tasks, ended }
    }

    fn start() -> Rig {
        Rig::new(MemorySink::new(), Times::default())
    }

    fn address(&self) -> SocketAddr {
        self.server.clear[0]
    }

    fn post(&self, headers: &str, body: &str) -> Reply {
        post(self.address(), headers, body).reply()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

struct Call(TcpStream);

impl Call {
    fn open(to: SocketAddr) -> Call {
        let stream = TcpStream::connect(to).unwrap();
        // Only a failing test waits that long.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Call(stream)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while !line.ends_with(b"\r\n") && self.0.read(&mut byte).unwrap() == 1 {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    fn reply(&mut self) -> Reply {
        let mut head = String::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                break;
            }
            head += &line.to_ascii_lowercase();
            head.push('\n');
        }
        let of = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).map(str::to_owned);
        let length: usize = of("content-length: ").map_or(0, |n| n.parse().unwrap());
        let status = head.split(' ').nth(1).unwrap_or_default().parse().unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        Reply { status, head, body: String::from_utf8(body).unwrap() }
    }

    /// True when the other side closes without another byte.
    fn closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}

fn post(to: SocketAddr, headers: &str, body: &str) -> Call {
    let mut call = Call::open(to);
    let head = format!("POST /v1/events HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {TOKEN}\r\n{headers}");
    call.send(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    call
}

#[test]
fn events_are_kept_with_opaque_ids_and_the_answer_counts_them() {
    let rig = Rig::start();
    let body = format!("{LINE}\nalice\n{}\n", LINE.replace("sign-in", "sign-out").replace(",\"port\":50112", ""));
    let reply = rig.post("", &body);
    let told = reply.json();
    assert_eq!((reply.status, told["accepted"].as_u64(), told["without_port"].as_u64()), (200, Some(2), Some(1)), "{reply:?}");
    assert_eq!(told["errors"][0]["line"], 2);
    assert!(!reply.body.contains("alice"), "{reply:?}");
    let rows = rig.sink.rows::<Authentication>();
    let account = rig.ids.id(IdType::Account, "alice");
    let last = rows.last().unwrap();
    assert_eq!((last.action, last.account, last.port, last.address), (2, Some(account), None, Some("192.0.2.7".parse().unwrap())));
    assert_eq!((last.service.as_str(), last.dialect.as_str(), last.time, last.received), ("forum.example.org", "events", NOW, NOW));
    assert_eq!(rig.sink.bindings().len(), 1, "one account, one binding");
    assert_eq!(rig.sink.rows::<Malformed>().len(), rig.sink.rows::<Raw>().len());
    let (desc, handle) = rig.sink.sources().into_iter().find(|(d, _)| d.name == "events/forum").unwrap();
    assert_eq!((desc.kind.as_str(), desc.realm.as_str()), ("events", "apps"));
    let counters = lock(&handle.counters).clone();
    assert_eq!((counters.messages, counters.records, counters.malformed, counters.last_header), (1, 2, 1, Some(NOW)));
}

#[test]
fn no_answer_before_it_is_durable() {
    let rig = Rig::start();
    rig.sink.mode(Mode::Hold);
    let mut first = post(rig.address(), "Idempotency-Key: a\r\n", LINE);
    rig.sink.wait_held(1);
    first.0.set_nonblocking(true).unwrap();
    assert_eq!(first.0.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nothing is told yet");
    first.0.set_nonblocking(false).unwrap();
    // The same key while the first is under way.
    let second = rig.post("Idempotency-Key: a\r\n", LINE);
    assert!(second.status == 409 && second.head.contains("retry-after: 1"), "{second:?}");
    assert!(rig.sink.rows::<Authentication>().is_empty());
    rig.sink.release();
    assert_eq!(first.reply().status, 200);
    // A client that goes away while its lines are under way: they are kept, and its key answers when it comes back. One that is gone before
    // its request was read has sent nothing.
    let gone = post(rig.address(), "Idempotency-Key: b\r\n", LINE);
    rig.sink.wait_held(1);
    drop(gone);
    rig.sink.mode(Mode::Keep);
    rig.sink.release();
    let again = rig.post("Idempotency-Key: b\r\n", LINE);
    assert!(again.status == 200 && again.head.contains("idempotency-replayed: true"), "{again:?}");
    assert_eq!(rig.sink.rows::<Authentication>().len(), 2);
}

#[test]
fn a_key_answers_the_same_also_after_a_crash() {
    let rig = Rig::start();
    let body = format!("{LINE}\nx\n");
    let first = rig.post("Idempotency-Key: k-1\r\n", &body);
    let second = rig.post("Idempotency-Key: k-1\r\n", &body);
    assert_eq!((first.status, first.body.as_str()), (second.status, second.body.as_str()));
    assert!(!first.head.contains("replayed") && second.head.contains("idempotency-replayed: true"));
    let back = Rig::new(rig.sink.crashed(), Times::default());
    let third = back.post("Idempotency-Key: k-1\r\n", &body);
    assert_eq!((third.body.as_str(), back.sink.rows::<Authentication>().len()), (first.body.as_str(), 1));
    let other = back.post("Idempotency-Key: k-1\r\n", LINE);
    assert!(other.status == 422 && other.body.contains("another body"), "{other:?}");
    let mut shop = Call::open(back.address());
    let head = format!("POST /v1/events HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {TOKEN}2\r\nIdempotency-Key: k-1\r\n");
    let line = LINE.replace("\"address\"", "\"service\":\"shop.example.org\",\"address\"");
    shop.send(format!("{head}Content-Length: {}\r\n\r\n{line}", line.len()).as_bytes());
    assert_eq!(shop.reply().status, 200, "a key belongs to its application");
    assert_eq!(back.sink.rows::<Authentication>().len(), 2);
}

#[test]
fn what_is_not_kept_is_not_acknowledged_and_may_come_again() {
    let rig = Rig::start();
    rig.sink.mode(Mode::Full);
    let full = rig.post("Idempotency-Key: f\r\n", LINE);
    assert!(full.status == 503 && full.head.contains("retry-after: 30") && full.body.contains("disk is full"), "{full:?}");
    let handle = rig.sink.sources().into_iter().find(|(d, _)| d.name == "events/forum").unwrap().1;
    assert!(lock(&handle.counters).trouble.is_some());
    rig.sink.mode(Mode::Keep);
    assert_eq!(rig.post("Idempotency-Key: f\r\n", LINE).status, 200);
    assert!(lock(&handle.counters).trouble.is_none());
    assert_eq!(rig.sink.rows::<Authentication>().len(), 1);
}

#[test]
fn overload_is_told_and_costs_nothing_acknowledged() {
    let rig = Rig::start();
    rig.sink.mode(Mode::Hold);
    let mut calls: Vec<Call> = (0..REQUESTS_OF_ONE).map(|_| post(rig.address(), "", LINE)).collect();
    rig.sink.wait_held(REQUESTS_OF_ONE);
    let refused = rig.post("", LINE);
    assert!(refused.status == 429 && refused.head.contains("retry-after: 1"), "{refused:?}");
    rig.sink.mode(Mode::Keep);
    rig.sink.release();
    assert!(calls.iter_mut().all(|c| c.reply().status == 200));
    assert_eq!((rig.post("", LINE).status, rig.sink.rows::<Authentication>().len()), (200, REQUESTS_OF_ONE + 1));
}

#[test]
fn requests_that_are_none_are_told_why() {
    let rig = Rig::start();
    let head = |first: &str, rest: &str| format!("{first}\r\nHost: weir\r\n{rest}\r\n");
    let own = format!("Authorization: Bearer {TOKEN}\r\n");
    let large = format!("{own}Content-Length: {}\r\n", BODY_BYTES + 1);
    let long_key = format!("{own}Idempotency-Key: {}\r\n", "k".repeat(129));
    for (request, status, holds) in [
        (head("GET /v1/events HTTP/1.1", &own), 405, "allow: post"),
        (head("POST / HTTP/1.1", &own), 404, ""),
        (head("POST /v1/events HTTP/1.1", ""), 401, "www-authenticate: bearer"),
        (head("POST /v1/events HTTP/1.1", "Authorization: Bearer no\r\n"), 401, "connection: close"),
        (head("POST /v1/events HTTP/1.1", &format!("Authorization: Bearer {TOKEN}3\r\n")), 403, ""),
        (head("POST /v1/events HTTP/1.1", &large), 413, "connection: close"),
        (head("POST /v1/events HTTP/1.1", &format!("{own}Content-Encoding: gzip\r\n")), 415, ""),
        (head("POST /v1/events HTTP/1.1", &format!("{own}Idempotency-Key: a b\r\n")), 400, ""),
        (head("POST /v1/events HTTP/1.1", &long_key), 400, ""),
        (head("POST /v1/events HTTP/1.1", &format!("X: {}\r\n", "x".repeat(HEAD_BYTES))), 431, ""),
        (head("POST /v1/events HTTP/1.1", "Content-Length: x\r\n"), 400, ""),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(), 400, ""),
    ] {
        let mut call = Call::open(rig.address());
        call.send(request.as_bytes());
        let reply = call.reply();
        assert!(reply.status == status && reply.head.contains(holds), "{request}{reply:?}");
        assert!(call.closed(), "{request}");
    }
    // In chunks, longer than it may be: refused on the way.
    let mut call = Call::open(rig.address());
    call.send(head("POST /v1/events HTTP/1.1", &format!("{own}Transfer-Encoding: chunked\r\n")).as_bytes());
    let chunk = format!("{:x}\r\n{}\r\n", BODY_BYTES, "\n".repeat(BODY_BYTES));
    call.send(chunk.as_bytes());
    call.send(b"1\r\n\n\r\n");
    assert_eq!(call.reply().status, 413);
    let strangers = rig.sink.wait_rows::<Malformed>(3);
    assert!(strangers.iter().all(|m| m.length == 0 && m.source == 0), "nothing of a wrong token is kept");
    let many = rig.post("", &"{}\n".repeat(5_001));
    assert!(many.status == 413 && many.body.contains("5000 lines"), "{many:?}");
    let wrong = rig.post("", "{}\n{}");
    assert_eq!((wrong.status, wrong.json()["refused"].as_u64()), (422, Some(2)));
    // A sender with nothing to say sends nothing: a body without a line is its fault, and its key stays free.
    for body in ["", "\n\r\n \n"] {
        let empty = rig.post("Idempotency-Key: part-7\r\n", body);
        assert!(empty.status == 422 && empty.body.contains("holds no event"), "{empty:?}");
    }
    let kept = rig.post("Idempotency-Key: part-7\r\n", LINE);
    assert_eq!((kept.status, kept.json()["accepted"].as_u64()), (200, Some(1)), "{kept:?}");
}

#[test]
fn one_connection_serves_many_requests_and_says_continue() {
    let rig = Rig::start();
    let mut call = Call::open(rig.address());
    let head = format!("POST /v1/events HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n", LINE.len());
    for _ in 0..3 {
        call.send(format!("{head}\r\n{LINE}").as_bytes());
        assert_eq!(call.reply().status, 200);
    }
    call.send(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes());
    assert_eq!(call.reply().status, 100);
    call.send(LINE.as_bytes());
    assert_eq!((call.reply().status, rig.sink.rows::<Authentication>().len()), (200, 4));
}

#[test]
fn slow_clients_are_let_go() {
    let short = Duration::from_millis(50);
    let rig = Rig::new(MemorySink::new(), Times { head: short, body: short, durable: short, ..Times::default() });
    // Nothing at all, and half a head.
    for half in ["", "POST /v1/ev"] {
        let mut call = Call::open(rig.address());
        call.send(half.as_bytes());
        let mut rest = Vec::new();
        let _ = call.0.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&rest));
    }
    // Half a body.
    let mut call = Call::open(rig.address());
    let head = format!("POST /v1/events HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 1000\r\n\r\n");
    call.send(format!("{head}{LINE}\n").as_bytes());
    assert_eq!((call.reply().status, call.closed()), (408, true));
    assert!(rig.sink.rows::<Authentication>().is_empty(), "half a request is none");
    // A store that says nothing.
    rig.sink.mode(Mode::Hold);
    let reply = rig.post("Idempotency-Key: s\r\n", LINE);
    assert!(reply.status == 503 && reply.body.contains("same Idempotency-Key"), "{reply:?}");
    rig.sink.mode(Mode::Keep);
    rig.sink.release();
    let again = rig.post("Idempotency-Key: s\r\n", LINE);
    assert!(again.status == 200 && again.head.contains("replayed"), "{again:?}");
}

#[test]
fn an_old_connection_is_closed_after_its_answer() {
    let rig = Rig::new(MemorySink::new(), Times { connection: Duration::ZERO, rest: Duration::from_secs(60), ..Times::default() });
    let mut call = post(rig.address(), "", LINE);
    let reply = call.reply();
    assert!(reply.status == 200 && reply.head.contains("connection: close") && call.closed(), "{reply:?}");
    let cut = Rig::new(MemorySink::new(), Times { connection: Duration::ZERO, rest: Duration::ZERO, ..Times::default() });
    assert!(Call::open(cut.address()).closed());
}

#[test]
fn what_is_under_way_is_answered_when_the_program_stops() {
    let rig = Rig::start();
    rig.sink.mode(Mode::Hold);
    let mut call = post(rig.address(), "", LINE);
    rig.sink.wait_held(1);
    rig.tasks.stop().raise();
    rig.sink.release();
    assert_eq!(call.reply().status, 200);
    rig.tasks.join();
    assert!(lock(&rig.ended).iter().all(|e| e.panic.is_none()));
    assert!(TcpStream::connect(rig.address()).is_err());
}

#[test]
fn a_fault_of_the_program_ends_the_source_and_is_told() {
    let rig = Rig::start();
    let mut call = post(rig.address(), "", &LINE.replace("alice", "trap"));
    assert!(call.closed(), "nothing is acknowledged");
    rig.tasks.join();
    let ended = lock(&rig.ended).clone();
    assert!(ended.len() == 1 && ended[0].panic.as_ref().is_some_and(|p| p.contains("as meant")), "{ended:?}");
}
