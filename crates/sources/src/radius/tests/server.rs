//! The server over real sockets, with the sink under the test's control.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks, lock};
use weir_base::time::Millis;
use weir_record::kinds::{Gap, IdType, Malformed, NatEvent, RadiusSession, Raw};

use super::sink::{CountingIds, HandClock, MemorySink, Mode};
use super::*;
use crate::radius::attributes as a;
use crate::radius::clients::{Client, Clients};
use crate::radius::config::Config;
use crate::radius::limits::NOISE_RECORDS_PER_MINUTE;
use crate::radius::server::Server;

const NOW: i64 = T as i64 * 1000 + 250;

struct Rig {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    clock: Arc<HandClock>,
    tasks: Tasks,
    server: Server,
    nas: UdpSocket,
}

fn client(prefix: &str) -> Client {
    Client {
        prefix: prefix.parse().unwrap(),
        secret: secret(),
        realm: "home".into(),
        require_message_authenticator: false,
        interim_ms: 0,
        port_is_exclusive: false,
        trust_clock: false,
    }
}

impl Rig {
    fn new() -> Rig {
        Rig::with(MemorySink::new(), CountingIds::new(), vec![client("127.0.0.0/8")])
    }

    fn with(sink: Arc<MemorySink>, ids: Arc<CountingIds>, clients: Vec<Client>) -> Rig {
        let config = Config { listen: vec!["127.0.0.1:0".into()], settle: "0s".into(), ..Config::default() };
        let (clock, settings) = (HandClock::at(NOW), config.check().unwrap());
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None));
        let server = Server::start(&settings, Clients::new(clients), sink.clone(), ids.clone(), clock.clone(), &tasks).unwrap();
        let nas = UdpSocket::bind("127.0.0.1:0").unwrap();
        nas.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        nas.connect(server.addresses()[0]).unwrap();
        Rig { sink, ids, clock, tasks, server, nas }
    }

    fn send(&self, bytes: &[u8]) {
        self.nas.send(bytes).unwrap();
    }

    fn answer(&self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let n = self.nas.recv(&mut buffer).expect("an answer");
        buffer[..n].to_vec()
    }

    /// True when an answer lies in the socket now: loopback delivers before the sender's call returns.
    fn answered(&self) -> bool {
        self.nas.set_nonblocking(true).unwrap();
        let got = self.nas.peek(&mut [0; 1]).is_ok();
        self.nas.set_nonblocking(false).unwrap();
        got
    }

    fn ask(&self, bytes: &[u8]) -> Vec<u8> {
        self.send(bytes);
        let answer = self.answer();
        let want = crate::radius::auth::response(&Packet::parse(bytes).unwrap(), &secret()).unwrap();
        assert_eq!(answer, want);
        answer
    }

    fn stop(self) -> (Arc<MemorySink>, Arc<CountingIds>) {
        self.tasks.stop().raise();
        self.tasks.join();
        (self.sink, self.ids)
    }

    fn sessions(&self) -> Vec<RadiusSession> {
        self.sink.rows()
    }
}

use crate::radius::parser::Packet;

fn start(identifier: u8, session: &str, extra: Attrs) -> Vec<u8> {
    let mut attributes = vec![int(a::ACCT_STATUS_TYPE, 1), text(a::ACCT_SESSION_ID, session), int(a::EVENT_TIMESTAMP, T)];
    attributes.push((a::NAS_IP_ADDRESS, vec![192, 0, 2, 1]));
    attributes.extend(extra);
    request(identifier, &attributes)
}

#[test]
fn a_session_is_recorded_and_each_message_answered() {
    let rig = Rig::new();
    for name in ["start", "interim", "stop", "accounting-on"] {
        rig.ask(&good(name));
    }
    let rows = rig.sessions();
    let at = |s: i64| Millis((i64::from(T) + s) * 1000);
    let status: Vec<_> = rows.iter().map(|r| (r.status, r.time, r.inferred)).collect();
    assert_eq!(status, [(1, at(0), 0), (3, at(600), 0), (2, at(900), 0), (7, at(1000), 0)]);
    let account = rig.ids.id(IdType::Account, "alice@example.net");
    for row in &rows[..3] {
        assert_eq!((row.subscriber, row.session, row.start, row.start_certain), (Some(account), rows[0].session, Some(at(0)), 1));
        assert_eq!(
            (row.framed_ipv4, row.arrived),
            (if row.status == 2 { row.framed_ipv4 } else { "100.64.0.12".parse().ok() }, Millis(NOW))
        );
    }
    assert_eq!(rows[0].caller, Some(rig.ids.id(IdType::Caller, "13800138000")));
    assert_eq!((rows[2].input_octets, rows[2].terminate_cause), (Some(8_589_934_599), Some(1)));
    let values: Vec<_> = rig.sink.bindings().into_iter().map(|b| b.value).collect();
    assert_eq!(values, ["alice@example.net", "13800138000"], "each value is bound once");
    let names: Vec<_> = rig.sink.sources().into_iter().map(|(d, _)| (d.name, d.realm, d.peer)).collect();
    assert_eq!(names[1], ("radius/home/bras-1@192.0.2.1".into(), "home".into(), "127.0.0.1".into()));
    assert!(rig.sink.evidence().contains(&(2, at(900))));
    assert_eq!(rig.server.open_sessions(), 0);
    rig.stop();
}

#[test]
fn no_answer_leaves_before_the_group_is_durable() {
    let rig = Rig::new();
    rig.sink.mode(Mode::Hold);
    let packet = good("start");
    rig.send(&packet);
    rig.sink.wait_held(1);
    assert!(!rig.answered());
    // Sent again while on its way: no second group, no answer.
    rig.send(&packet);
    rig.send(&start(77, "other", vec![]));
    rig.sink.wait_held(2);
    assert!(!rig.answered());
    rig.sink.mode(Mode::Keep);
    rig.sink.release();
    assert_eq!(rig.answer(), vector("response/start").0);
    assert_eq!(rig.answer()[1], 77);
    assert!(!rig.answered());
    assert_eq!(rig.sessions().len(), 2);
    // Sent again after its answer was lost: answered at once, recorded once.
    rig.ask(&packet);
    assert_eq!(rig.sessions().len(), 2);
    rig.stop();
}

#[test]
fn a_full_disk_is_answered_with_silence_and_the_next_attempt_is_new() {
    let rig = Rig::new();
    rig.sink.mode(Mode::Full);
    for (n, name) in ["start", "status-server"].iter().enumerate() {
        rig.send(&good(name));
        rig.sink.wait_refused(n as u64 + 1);
    }
    assert!(!rig.answered());
    let own = rig.sink.sources()[0].1.clone();
    assert!(lock(&own.counters).trouble.as_ref().is_some_and(|t| t.contains("full")));
    assert_eq!(rig.sessions(), []);
    rig.sink.mode(Mode::Keep);
    rig.ask(&good("start"));
    rig.ask(&good("status-server"));
    assert_eq!(rig.sessions().len(), 1);
    assert_eq!(lock(&own.counters).trouble, None);
    assert_eq!(rig.sink.bindings().len(), 2, "the bindings of the refused group come with the next");
    rig.stop();
}

#[test]
fn a_refused_group_does_not_swallow_what_was_built_on_it() {
    let rig = Rig::new();
    rig.sink.mode(Mode::Hold);
    rig.send(&good("start"));
    rig.sink.wait_held(1);
    rig.send(&good("stop"));
    rig.sink.wait_held(2);
    rig.sink.refuse_held();
    rig.sink.mode(Mode::Keep);
    rig.ask(&good("start"));
    rig.ask(&good("stop"));
    let rows = rig.sessions();
    assert_eq!(rows.iter().map(|r| r.status).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(rows[0].session, rows[1].session);
    rig.stop();
}

#[test]
fn a_retransmission_across_a_crash_is_not_a_second_login() {
    let rig = Rig::new();
    rig.ask(&good("start"));
    rig.ask(&good("delay"));
    let (sink, ids) = rig.stop();
    let sink = sink.crashed();
    let rig = Rig::with(sink, ids, vec![client("127.0.0.0/8")]);
    assert_eq!(rig.server.open_sessions(), 2);
    // The very packet; and the one without a stamp as its NAS sends it again five seconds later: a new packet with a new delay.
    rig.ask(&good("start"));
    rig.clock.set(NOW + 5_000);
    let again = request(
        99,
        &vec![
            text(a::USER_NAME, "alice@example.net"),
            (a::NAS_IP_ADDRESS, vec![192, 0, 2, 1]),
            int(a::NAS_PORT, 17),
            text(a::ACCT_SESSION_ID, "0000A1"),
            int(a::ACCT_STATUS_TYPE, 1),
            int(a::ACCT_DELAY_TIME, 35),
        ],
    );
    rig.ask(&again);
    let rows = rig.sessions();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    // Its Stop belongs to the session from before the crash.
    rig.ask(&good("stop"));
    assert_eq!(rig.sessions()[2].session, rows[0].session);
    rig.stop();
}

#[test]
fn what_was_not_durable_at_a_crash_is_new_after_it() {
    let rig = Rig::new();
    rig.sink.mode(Mode::Hold);
    rig.send(&good("start"));
    rig.sink.wait_held(1);
    let (sink, ids) = rig.stop();
    let rig = Rig::with(sink.crashed(), ids, vec![client("127.0.0.0/8")]);
    rig.ask(&good("start"));
    assert_eq!(rig.sessions().len(), 1);
    rig.stop();
}

#[test]
fn proxied_packets_get_their_proxy_states_and_the_nas_is_the_one_named() {
    let rig = Rig::new();
    let relay = |identifier, state: &str| {
        start(identifier, "s", vec![text(a::NAS_IDENTIFIER, "ap-9"), text(a::PROXY_STATE, state), text(a::PROXY_STATE, "z")])
    };
    let answer = rig.ask(&relay(1, "x"));
    assert_eq!(answer[20..], [33, 3, b'x', 33, 3, b'z']);
    // Another relay, another Proxy-State, the same event: no second record.
    rig.ask(&relay(2, "y"));
    let rows = rig.sessions();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].nas_identifier.as_deref(), rows[0].nas_address), (Some("ap-9"), "192.0.2.1".parse().ok()));
    let handle = &rig.sink.sources()[1].1;
    assert_eq!(lock(&handle.counters).duplicates, 1);
    assert_eq!(lock(&handle.counters).offset_ms, None, "a relay says nothing about the clock of its NAS");
    rig.stop();
}

#[test]
fn strangers_and_wrong_secrets_are_recorded_within_bounds_and_never_answered() {
    let rig = Rig::new();
    let mut wrong = start(1, "s", vec![text(a::USER_NAME, "alice")]);
    wrong[4] ^= 1;
    let n = u64::from(NOISE_RECORDS_PER_MINUTE);
    for _ in 0..n + 7 {
        rig.send(&wrong);
    }
    rig.send(&[1, 2, 3]);
    let good_one = good("start");
    rig.send(&good_one);
    assert_eq!(rig.answer(), vector("response/start").0, "the first answer is that of the good packet");
    let rows: Vec<Malformed> = rig.sink.rows();
    let count = |reason: &str| rows.iter().filter(|r| r.reason == reason).count() as u64;
    assert_eq!((count("radius.authenticator"), count("radius.too-short")), (n, 1));
    let raw: Vec<Raw> = rig.sink.rows();
    assert!(raw.iter().any(|r| Some(r.id) == rows[0].raw && r.bytes == wrong));
    assert!(!rows[0].shape.contains("alice"));
    assert_eq!(rows[0].peer, "127.0.0.1".parse::<Addr16>().unwrap());
    // The minute is over: what was only counted is recorded as a number.
    rig.clock.set(NOW + 60_000);
    let rows = rig.sink.wait_rows::<Malformed>(n as usize + 2);
    assert_eq!((rows.last().unwrap().count, rows.last().unwrap().reason.as_str()), (7, "radius.authenticator"));
    assert_eq!(lock(&rig.sink.sources()[0].1.counters).malformed, n + 8);
    rig.stop();
}

#[test]
fn a_stranger_is_not_answered() {
    let rig = Rig::with(MemorySink::new(), CountingIds::new(), vec![client("192.0.2.0/24")]);
    rig.send(&good("start"));
    let rows = rig.sink.wait_rows::<Malformed>(1);
    assert_eq!((rows[0].reason.as_str(), rows[0].source), ("radius.unknown-client", 0));
    assert!(!rig.answered());
    rig.stop();
}

#[test]
fn message_authenticator_is_required_where_a_client_requires_it() {
    let strict = Client { require_message_authenticator: true, ..client("127.0.0.0/8") };
    let rig = Rig::with(MemorySink::new(), CountingIds::new(), vec![strict]);
    rig.send(&good("start"));
    let rows = rig.sink.wait_rows::<Malformed>(1);
    assert_eq!(rows[0].reason, "radius.message-authenticator-missing");
    assert!(!rig.answered());
    rig.ask(&good("message-authenticator"));
    rig.stop();
}

#[test]
fn authentic_packets_that_are_no_accounting_are_kept_as_malformed_and_answered() {
    let rig = Rig::new();
    for name in ["no-status", "status-length", "status-zero", "no-session-id"] {
        let (bytes, comments) = vector(&format!("malformed/{name}"));
        rig.ask(&bytes);
        let rows: Vec<Malformed> = rig.sink.rows();
        assert_eq!(Some(rows.last().unwrap().reason.as_str()), comments[0].strip_prefix("expect: "), "{name}");
    }
    assert_eq!(rig.sessions(), []);
    rig.stop();
}

#[test]
fn a_broken_attribute_costs_only_itself() {
    let rig = Rig::new();
    rig.ask(&start(1, "s", vec![(a::FRAMED_IP_ADDRESS, vec![1, 2, 3]), int(a::NAS_PORT, 5)]));
    let rows = rig.sessions();
    assert_eq!((rows[0].framed_ipv4, rows[0].nas_port), (None, Some(5)));
    let bad: Vec<Malformed> = rig.sink.rows();
    assert!(bad[0].reason.contains("IPv4"), "{}", bad[0].reason);
    rig.stop();
}

#[test]
fn port_blocks_become_nat_events_and_end_with_their_session() {
    let rig = Rig::new();
    rig.ask(&good("port-range"));
    rig.ask(&good("port-range"));
    rig.ask(&good("stop"));
    let events: Vec<NatEvent> = rig.sink.rows();
    let got: Vec<_> =
        events.iter().map(|e| (e.action, e.public_port, e.public_port_last, e.inside_address.to_string(), e.protocol)).collect();
    let (own, other) = ("100.64.0.12".to_owned(), "100.64.0.99".to_owned());
    assert_eq!(got, [(1, 1024, 2047, own.clone(), 0), (2, 4096, 5119, other, 17), (2, 1024, 2047, own, 0)]);
    assert!(events.iter().all(|e| e.form == 3 && e.public_address == "203.0.113.7".parse().unwrap() && e.source == 2));
    rig.stop();
}

#[test]
fn a_clock_is_measured_where_the_nas_itself_sends_now() {
    let rig = Rig::new();
    rig.ask(&start(1, "a", vec![int(a::ACCT_DELAY_TIME, 0)]));
    let nas = rig.sink.sources()[1].1.clone();
    assert_eq!(lock(&nas.counters).offset_ms, Some(-250));
    rig.clock.set(NOW + 9_000);
    rig.ask(&start(2, "b", vec![int(a::ACCT_DELAY_TIME, 4)]));
    assert_eq!(lock(&nas.counters).offset_ms, Some(-250), "the largest sample counts");
    rig.clock.set(NOW - 8_000);
    rig.ask(&start(3, "c", vec![]));
    assert_eq!(lock(&nas.counters).offset_ms, Some(7_750), "a stamp ahead of us shows a clock ahead of ours");
    rig.stop();
}

#[test]
fn sessions_end_when_their_updates_stay_away() {
    let rig = Rig::with(MemorySink::new(), CountingIds::new(), vec![Client { interim_ms: 60_000, ..client("127.0.0.0/8") }]);
    rig.ask(&start(1, "a", vec![]));
    rig.clock.set(NOW + 180_000);
    let rows = rig.sink.wait_rows::<RadiusSession>(2);
    let end = &rows[1];
    assert_eq!((end.status, end.inferred, end.reason.as_deref()), (2, 1, Some("no-interim-update")));
    assert_eq!((end.time, end.session), (Millis((i64::from(T) + 60) * 1000), rows[0].session));
    assert_eq!(rig.server.open_sessions(), 0);
    rig.stop();
}

#[test]
fn two_sockets_share_one_table() {
    let config = Config { listen: vec!["127.0.0.1:0".into(), "[::1]:0".into()], ..Config::default() };
    let (sink, clock) = (MemorySink::new(), HandClock::at(NOW));
    let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None));
    let clients = Clients::new(vec![client("127.0.0.1/32"), client("::1/128")]);
    let server = Server::start(&config.check().unwrap(), clients, sink.clone(), CountingIds::new(), clock, &tasks).unwrap();
    let ask = |to: SocketAddr, bytes: &[u8]| {
        let from = if to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(from).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.send_to(bytes, to).unwrap();
        socket.recv(&mut [0; 100]).unwrap();
    };
    ask(server.addresses()[0], &good("start"));
    ask(server.addresses()[1], &good("stop"));
    let rows: Vec<RadiusSession> = sink.rows();
    assert_eq!(rows[0].session, rows[1].session);
    assert!(sink.rows::<Gap>().is_empty());
    tasks.stop().raise();
    tasks.join();
}

#[test]
fn a_taken_port_is_explained() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let config = Config { listen: vec![taken.local_addr().unwrap().to_string()], ..Config::default() };
    let tasks = Tasks::new(Stop::new(), |_| {});
    let clients = Clients::new(vec![client("127.0.0.1/32")]);
    let started = Server::start(&config.check().unwrap(), clients, MemorySink::new(), CountingIds::new(), HandClock::at(0), &tasks);
    assert!(started.err().unwrap().contains("another RADIUS server"));
}
