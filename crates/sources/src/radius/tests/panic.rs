//! A thread that fails while it holds what all sockets share: nobody acknowledges what was lost with it.

use std::net::UdpSocket;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use weir_base::task::{Ended, Stop, Tasks, lock};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::{IdType, RadiusSession};
use weir_record::sink::{Resolved, SubjectIds};

use super::sink::{HandClock, MemorySink};
use super::*;
use crate::radius::attributes as a;
use crate::radius::clients::{Client, Clients};
use crate::radius::config::Config;
use crate::radius::server::Server;

/// Long enough for any machine; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ids that hold the thread at one account until told to go on, and fail at another.
struct Trap {
    reached: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl SubjectIds for Trap {
    fn resolve(&self, _: u32, _: IdType, value: &str, _: Millis) -> Resolved {
        if value == "held" {
            self.reached.send(()).unwrap();
            lock(&self.go_on).recv_timeout(PATIENCE).unwrap();
        }
        assert_ne!(value, "trap", "as meant");
        Resolved { id: Id([7; 16]), binding: None }
    }

    fn digest(&self, _: u32, _: &[u8]) -> Id {
        Id([8; 16])
    }
}

fn start(identifier: u8, session: &str, account: &str) -> Vec<u8> {
    let attributes = vec![
        int(a::ACCT_STATUS_TYPE, 1),
        text(a::ACCT_SESSION_ID, session),
        text(a::USER_NAME, account),
        int(a::EVENT_TIMESTAMP, T),
        (a::NAS_IP_ADDRESS, vec![192, 0, 2, 1]),
    ];
    request(identifier, &attributes)
}

#[test]
fn what_was_lost_with_a_failed_thread_is_acknowledged_by_no_other() {
    let config = Config { listen: vec!["127.0.0.1:0".into(), "127.0.0.1:0".into()], settle: "0s".into(), ..Config::default() };
    let settings = config.check().unwrap();
    let client = Client {
        prefix: "127.0.0.0/8".parse().unwrap(),
        secret: secret(),
        realm: "home".into(),
        require_message_authenticator: false,
        interim_ms: 0,
        port_is_exclusive: false,
        trust_clock: false,
    };
    let (reached, at_trap) = channel();
    let (release, go_on) = channel();
    let ids = Arc::new(Trap { reached, go_on: Mutex::new(go_on) });
    let (sink, clock) = (MemorySink::new(), HandClock::at(i64::from(T) * 1_000));
    let (tell, ended) = channel();
    let tell = Mutex::new(tell);
    // Nobody stops the other thread here: it must see for itself.
    let tasks = Tasks::new(Stop::new(), move |e: &Ended| lock(&tell).send(e.clone()).unwrap());
    let server = Server::start(&settings, Clients::new(vec![client]), sink.clone(), ids, clock, &tasks).unwrap();
    let nas = |i: usize| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server.addresses()[i]).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    };
    let (one, two) = (nas(0), nas(1));
    one.send(&start(1, "kept", "alice")).unwrap();
    assert!(one.recv(&mut [0; 4096]).is_ok(), "what is durable is acknowledged");

    // Two requests of one batch: the first is taken, the second fails before the group is made.
    one.send(&start(2, "lost", "held")).unwrap();
    at_trap.recv_timeout(PATIENCE).unwrap();
    one.send(&start(3, "never", "trap")).unwrap();
    release.send(()).unwrap();
    // The other thread may see what happened, and end, before this one's end is told.
    let mut all = vec![ended.recv_timeout(PATIENCE).unwrap()];
    while all.iter().all(|e| e.name != "radius-0") {
        all.push(ended.recv_timeout(PATIENCE).unwrap());
    }

    // The NAS turns to the other socket: silence, so that it keeps what it has not been told is safe.
    two.send(&start(2, "lost", "held")).unwrap();
    if all.len() < 2 {
        all.push(ended.recv_timeout(PATIENCE).unwrap());
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(all[0].panic.as_ref().is_some_and(|p| p.contains("as meant")), "{all:?}");
    assert_eq!(all[1], Ended { name: "radius-1".into(), panic: None });
    tasks.join();
    for socket in [&one, &two] {
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv(&mut [0; 4096]).is_err(), "nothing more was acknowledged");
    }
    let kept: Vec<_> = sink.rows::<RadiusSession>().into_iter().filter_map(|r| r.acct_session_id).collect();
    assert_eq!(kept, ["kept"]);
}
