//! A panic in a source's thread, with the real source, its real socket and the real store: what was acknowledged is kept, the program says
//! so, and the store and the other measure go on.
//!
//! No input makes a source panic, so the failure comes from what the program hands it: ids that fail at one account. From there on
//! everything is as in `weir run`: the thread unwinds out of the source's own code, in the middle of a batch, with its locks held.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{IdType, OperatorAction};
use weir_record::sink::{RecordSink, Resolved, SubjectIds};
use weir_sim::wire::radius::{Request, check_response, encode};
use weir_sim::world::event::{Accounting, Login, Status};
use weir_sim::{HeaderTime, Mode, Network, Plan, Profile, Targets};
use weir_store::engine::Store;

use super::Register;
use crate::config::{self, Settings};
use crate::open::{Opened, open};

/// Long enough for any machine; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Logins acknowledged before the failure.
const LOGINS: u32 = 40;
const TRAP: &str = "trap";

struct Trap(Arc<dyn SubjectIds>);

impl SubjectIds for Trap {
    fn resolve(&self, realm: u32, id_type: IdType, value: &str, now: Millis) -> Resolved {
        assert_ne!(value, TRAP, "as meant");
        self.0.resolve(realm, id_type, value, now)
    }

    fn digest(&self, realm: u32, value: &[u8]) -> Id {
        self.0.digest(realm, value)
    }
}

/// The program's parts below the socket.
struct Rig {
    opened: Opened,
    register: Register,
    told: Receiver<OperatorAction>,
    store_tasks: Tasks,
    secret: Vec<u8>,
}

fn settings() -> Settings {
    let set = ["sources.radius.listen", "sources.ipfix.listen", "sources.ipfix.listen_tcp"].map(|s| format!("{s}=127.0.0.1:0"));
    config::parse(include_str!("../../../../config/minimal.toml"), &set).unwrap().settings
}

impl Rig {
    fn start(data: &Path, with_trap: bool) -> Rig {
        let (settings, clock): (_, Arc<dyn Clock>) = (settings(), Arc::new(SystemClock::new()));
        let opened = open(data, &settings.origin, &settings.store, &clock, true).unwrap();
        let store_tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None, "{}", ended.name));
        opened.store.start(&store_tasks).unwrap();
        let sink: Arc<dyn RecordSink> = Arc::clone(&opened.front) as Arc<dyn RecordSink>;
        let real: Arc<dyn SubjectIds> = Arc::clone(&opened.identity) as Arc<dyn SubjectIds>;
        let ids: Arc<dyn SubjectIds> = if with_trap { Arc::new(Trap(real)) } else { real };
        let made = super::list(&settings, data, &opened.store.remote_key().unwrap()).unwrap();
        let secret = std::fs::read(&made.secrets[0]).unwrap().trim_ascii_end().to_vec();
        let (tell, told) = channel();
        let register = Register::start(made.measures, &sink, &ids, &clock, data, &tell).unwrap();
        Rig { opened, register, told, store_tasks, secret }
    }

    fn store(&self) -> &Arc<Store> {
        &self.opened.store
    }

    /// The next change of a measure to a state; changes go through a channel to the thread that writes them down.
    fn change(&self, state: &str) -> OperatorAction {
        loop {
            let action = self.told.recv_timeout(PATIENCE).expect("a change of state");
            if action.detail.contains(state) {
                return action;
            }
        }
    }

    fn state_of(&self, measure: &str) -> Value {
        self.register.shown().into_iter().find(|m| m["name"] == measure).unwrap()
    }

    fn sql(&self, statement: &str) -> Vec<Value> {
        let clock = SystemClock::new();
        let during = weir_query::sql::watch::During { clock: &clock, within: Duration::from_secs(60), over: &|| None };
        crate::views::sql(self.store(), statement, true, &during, Box::new(())).unwrap()["rows"].as_array().unwrap().clone()
    }

    /// The ports of all Starts, which are the numbers of the logins: what identifies a session is masked.
    fn logins(&self) -> Vec<u64> {
        let rows = self.sql("SELECT nas_port AS p FROM radius_session WHERE status = 1 ORDER BY 1");
        rows.iter().map(|r| r["p"].as_u64().unwrap()).collect()
    }

    fn stop(self) {
        self.register.stop();
        self.opened.store.stop().unwrap();
        self.store_tasks.stop().raise();
        self.store_tasks.join();
    }
}

/// A NAS that sends Starts.
struct Nas {
    socket: UdpSocket,
    base: i64,
    network: Network,
}

impl Nas {
    fn new() -> Nas {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let network = Network::of(&Plan::new(Profile::Small, 1)).unwrap();
        Nas { socket, base: SystemClock::new().now().0 / 1_000 * 1_000 - 60_000, network }
    }

    fn request(&self, number: u32, account: &str, secret: &[u8]) -> Request {
        let login = Login {
            account: account.to_owned(),
            caller: format!("999{number:09}"),
            called: "line".to_owned(),
            session: format!("{number:08x}"),
            nas_port: number,
            framed: Some(std::net::Ipv4Addr::from(0xc612_0000 + number)),
            plain: true,
            prefix: None,
            delegated: None,
            start: i64::from(number) * 100,
        };
        let at = login.start;
        let start = Accounting { status: Status::Start, at, delay_s: 0, login: Some(login), octets_in: 0, octets_out: 0, cause: 1 };
        encode(&self.network.realms[0], &start, number as u8, self.base, secret)
    }

    fn send(&self, to: SocketAddr, request: &Request) {
        self.socket.send_to(&request.bytes, to).unwrap();
    }

    fn acknowledged(&self, to: SocketAddr, request: &Request, secret: &[u8]) {
        self.send(to, request);
        let mut answer = [0; 4096];
        let n = self.socket.recv(&mut answer).expect("an answer");
        check_response(&answer[..n], &request.authenticator, secret).unwrap();
    }
}

/// Plays a second of NAT events, and waits until the other measure has taken every datagram in.
fn nat_events(rig: &Rig, seed: u64) {
    let messages = || rig.store().sources().iter().filter(|s| s.kind == "ipfix").map(|s| s.counters.messages).sum::<u64>();
    let before = messages();
    let mut plan = Plan::new(Profile::Small, seed);
    plan.rate = 100;
    plan.mode = Mode::Fast { history_ms: 2_000, datagrams_per_second: 500, header_time: HeaderTime::Sending };
    plan.targets = Targets { ipfix: rig.register.ports().ipfix_udp.first().copied(), ..Targets::default() };
    let played = weir_sim::play(&plan, &SystemClock::new(), &Stop::new(), |_| ()).unwrap();
    assert!(played.datagrams > 0);
    while messages() < before + played.datagrams {
        std::thread::yield_now();
    }
}

#[test]
fn a_panic_in_a_source_loses_nothing_acknowledged_and_is_not_silent() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let rig = Rig::start(&data, true);
    let (nas, to, secret) = (Nas::new(), rig.register.ports().radius[0], rig.secret.clone());
    for number in 0..LOGINS {
        nas.acknowledged(to, &nas.request(number, &format!("account{number}"), &secret), &secret);
    }
    let trap = nas.request(LOGINS, TRAP, &secret);
    nas.send(to, &trap);

    // It is not silent: the measure is stopped, says why, and that is a record.
    let action = rig.change("to stopped");
    assert_eq!(action.action, "measure-state");
    assert!(action.detail.starts_with("radius: ") && action.detail.contains("radius-0 failed"), "{}", action.detail);
    rig.opened.front.commit(crate::ledger::actions(&[action])).unwrap();
    let said = rig.sql("SELECT detail FROM operator_action WHERE action = 'measure-state'");
    assert!(said[0]["detail"].as_str().unwrap().contains("restart weir"), "{said:?}");
    // Looking after the measures does not call it well again.
    rig.register.watch(&rig.store().health(), &rig.store().sources(), SystemClock::new().now());
    assert_eq!((&rig.state_of("radius")["state"], &rig.state_of("ipfix")["state"]), (&json!("stopped"), &json!("running")));

    // The store and the other measure go on.
    nat_events(&rig, 3);
    rig.store().seal_now().unwrap();
    let want: Vec<u64> = (0..u64::from(LOGINS)).collect();
    assert_eq!(rig.logins(), want);
    nas.socket.set_nonblocking(true).unwrap();
    assert!(nas.socket.recv(&mut [0; 64]).is_err(), "what was not kept was not acknowledged");
    nas.socket.set_nonblocking(false).unwrap();
    rig.stop();

    // Started again, it has everything it acknowledged, and takes what it did not.
    let rig = Rig::start(&data, false);
    assert_eq!(rig.logins(), want);
    let to = rig.register.ports().radius[0];
    nas.acknowledged(to, &trap, &secret);
    assert_eq!(rig.logins().len(), want.len() + 1);
    nas.acknowledged(to, &nas.request(3, "account3", &secret), &secret);
    assert_eq!(rig.logins().len(), want.len() + 1, "a retransmission is no second login");
    rig.stop();
}
