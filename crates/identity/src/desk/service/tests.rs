//! The desk from the outside: people, what they do, and what others try.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Authentication, OperatorAction};
use weir_record::sink::{Done, Group, Receipt, RecordSink, SinkError, SourceCounters, SourceDesc, SourceHandle};
use weir_record::{Id, Kind};

use crate::desk::password::Cost;
use crate::desk::roles::Role;
use crate::desk::settings::{Origin, Provider, Settings};
use crate::desk::store::{Look, Store};
use crate::desk::views::*;
use crate::desk::webauthn::soft::Soft;
use crate::desk::{Desk, Refused, totp};

mod accounts;
mod again;
mod approvals;
mod durability;
mod factors;
mod halves;
mod openid;
mod sign_in;
mod tokens;

const START: Millis = Millis(1_800_000_000_000);
const ORIGIN: &str = "https://weir.example.org";
const HOST: &str = "weir.example.org";
const WHY: &str = "because it is a test";

/// A store in memory that can be made to fail.
#[derive(Default)]
struct Sink {
    state: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    groups: Mutex<Vec<Group>>,
    fails: Mutex<Option<SinkError>>,
}

impl RecordSink for Sink {
    fn register(&self, desc: &SourceDesc) -> Result<SourceHandle, SinkError> {
        assert_eq!((desc.name.as_str(), desc.kind.as_str()), ("desk", "desk"));
        Ok(SourceHandle { number: 7, realm: 1, counters: Arc::new(Mutex::new(SourceCounters::default())) })
    }
    fn realm(&self, _: &str) -> Result<u32, SinkError> {
        Ok(1)
    }
    fn state(&self, owner: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        assert_eq!(owner, "desk");
        lock(&self.state).clone().into_iter().collect()
    }
    fn submit(&self, group: Group, done: Done) {
        if let Some(error) = lock(&self.fails).clone() {
            return done(Err(error));
        }
        assert!(group.owner == "desk" && group.rows() > 0, "no change without a record");
        for put in &group.state {
            match &put.value {
                Some(value) => drop(lock(&self.state).insert(put.key.clone(), value.clone())),
                None => drop(lock(&self.state).remove(&put.key)),
            }
        }
        lock(&self.groups).push(group);
        done(Ok(Receipt { group: 1 }));
    }
    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}

/// A person at a browser.
#[derive(Clone)]
struct User {
    id: Id,
    person: Id,
    login: String,
    password: String,
    secret: Vec<u8>,
    cookie: String,
}

struct World {
    sink: Arc<Sink>,
    desk: Desk,
    now: Cell<Millis>,
    peers: Cell<u32>,
    provider: bool,
    /// The code that the last confirmation gave.
    code: RefCell<Option<String>>,
}

fn settings() -> Settings {
    Settings {
        origins: vec![Origin::parse(ORIGIN).unwrap(), Origin::parse("https://192.0.2.1").unwrap()],
        providers: vec![Provider {
            name: "id".into(),
            title: "Id".into(),
            issuer: "https://id.example.org".into(),
            client: "weir".into(),
            secret: "s".into(),
        }],
        cost: Cost { memory: 8, passes: 1 },
        ..Settings::default()
    }
}

/// The bytes of a base32 text.
fn base32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|c| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|x| *x == c).unwrap());
    let bits: String = digits.map(|d| format!("{d:05b}")).collect();
    (0..bits.len() / 8).map(|i| u8::from_str_radix(&bits[8 * i..8 * i + 8], 2).unwrap()).collect()
}

impl World {
    fn new() -> World {
        let sink = Arc::new(Sink::default());
        let desk = Desk::open(sink.clone(), settings(), START).unwrap();
        World { sink, desk, now: Cell::new(START), peers: Cell::new(1), provider: true, code: RefCell::default() }
    }

    /// The program ends and starts again.
    fn restart(&mut self) {
        self.same();
        self.desk = Desk::open(self.sink.clone(), settings(), self.now()).unwrap();
    }

    fn now(&self) -> Millis {
        self.now.get()
    }

    fn later(&self, ms: i64) {
        self.now.set(self.now().plus(ms));
    }

    /// A caller from an address of its own.
    fn peer(&self) -> Peer {
        self.peers.set(self.peers.get() + 1);
        let b = self.peers.get().to_be_bytes();
        Peer { address: Addr16::v4([10, b[1], b[2], b[3]]), port: 40_000, agent: "test".into() }
    }

    /// What is remembered is what a restart would read.
    fn same(&self) {
        let read = Store::read(self.sink.state("desk")).unwrap();
        let bytes = |s: &Store| b"aitrelum".iter().flat_map(|k| s.entries(*k)).map(|e| (e.key(), e.encode())).collect::<Vec<_>>();
        assert!(bytes(&read) == bytes(&self.desk.store()), "memory and state differ");
    }

    fn session(&self, cookie: &str) -> Option<SessionView> {
        self.desk.session(cookie, &self.peer(), self.now())
    }

    fn caller(&self, user: &User) -> Caller {
        self.session(&user.cookie).expect("a session").caller
    }

    /// Takes a link up, with the code that was given last.
    fn take_up(&self, token: &str, login: &str, password: &str, peer: &Peer) -> Result<SignedIn, Refused> {
        let code = self.code.borrow().clone();
        self.take_up_with(token, login, password, code.as_deref(), peer)
    }

    fn take_up_with(&self, token: &str, login: &str, password: &str, code: Option<&str>, peer: &Peer) -> Result<SignedIn, Refused> {
        let display = format!("Name of {login}");
        let done = self.desk.accept(&Accept { token, login, display: &display, password, code }, peer, self.now());
        self.same();
        done
    }

    /// Accepts a link, enrols TOTP where a second factor is due.
    fn accept(&self, token: &str, login: &str) -> User {
        let password = format!("a long password, {}", login.chars().rev().collect::<String>());
        let done = self.take_up(token, login, &password, &self.peer()).unwrap();
        let view = self.session(&done.cookie).unwrap();
        let mut user =
            User { id: done.account, person: view.caller.person, login: login.into(), password, secret: Vec::new(), cookie: done.cookie };
        if done.next == Some(Next::Enrol) {
            self.enrol_totp(&mut user);
        }
        self.same();
        user
    }

    fn enrol_totp(&self, user: &mut User) {
        let caller = self.caller(user);
        user.secret = base32(&self.desk.totp_begin(&caller, self.now()).unwrap().secret);
        let code = totp::code(&user.secret, self.now());
        user.cookie = self.desk.totp_finish(&caller, &code, self.now()).unwrap().cookie;
        // The code is used: the next one is another step's.
        self.later(60_000);
    }

    /// Signs in with everything it has.
    fn sign_in(&self, user: &mut User) {
        self.later(60_000);
        let first = self.desk.password(&user.login, &user.password, &self.peer(), self.now()).unwrap();
        user.cookie = first.cookie;
        if first.next == Some(Next::Totp) {
            let code = totp::code(&user.secret, self.now());
            user.cookie = self.desk.totp(&user.cookie, &code, &self.peer(), self.now()).unwrap().cookie;
        }
        self.same();
    }

    fn first(&self) -> User {
        self.accept(&self.desk.setup_link(self.now()).unwrap(), "sys")
    }

    /// Invites during set-up.
    fn invite(&self, by: &User, login: &str, roles: &[Role]) -> User {
        let changed = self.desk.invite(&self.caller(by), "Somebody", roles, None, WHY, self.now()).unwrap();
        self.accept(&changed.link.expect("a link at once"), login)
    }

    /// Asks for an account, has it confirmed and accepts it.
    fn add(&self, by: &User, second: &User, login: &str, roles: &[Role], person: Option<Id>) -> User {
        let changed = self.desk.invite(&self.caller(by), "Somebody", roles, person, WHY, self.now()).unwrap();
        let id = changed.approval.expect("it waits for a second person");
        self.confirm(second, id).unwrap();
        let token = self.desk.approval_result(&self.caller(by), id, self.now()).unwrap();
        self.accept(&token, login)
    }

    fn confirm(&self, by: &User, id: Id) -> Result<ApprovalView, Refused> {
        let caller = self.caller(by);
        let digest = lock_digest(self, id);
        let out = self.desk.confirm(&caller, id, &digest, self.now());
        self.same();
        out.map(|(shown, code)| {
            // What leads to a link gives a code, and nothing else does.
            assert!(code.is_none() || ["account-create", "account-recover"].contains(&shown.kind) && shown.state == "used");
            if code.is_some() {
                *self.code.borrow_mut() = code;
            }
            shown
        })
    }

    fn state_of(&self, by: &User, id: Id) -> String {
        self.desk.approval(&self.caller(by), id, self.now()).unwrap().state.to_owned()
    }

    fn account(&self, by: &User, id: Id) -> AccountView {
        self.desk.accounts(&self.caller(by), self.now()).unwrap().into_iter().find(|a| a.id == id).unwrap()
    }

    /// Everything told, as text: actions and sign-ins.
    fn told(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (kind, batch) in lock(&self.sink.groups).iter().flat_map(|g| &g.batches) {
            for row in 0..batch.num_rows() {
                out.push(match kind {
                    Kind::OperatorAction => {
                        let r = OperatorAction::row(batch.columns(), row);
                        format!("{} {} {} {}", r.action, r.actor, r.detail, r.result)
                    }
                    Kind::Authentication => {
                        let r = Authentication::row(batch.columns(), row);
                        assert!((r.source, r.realm, r.service.as_str()) == (7, 1, "weir") && r.address.is_some() && r.port.is_some());
                        let account = r.account.map(|a| a.to_string()).unwrap_or_default();
                        format!("auth-{} {} {} {}", r.action, r.method.unwrap_or_default(), account, r.detail.unwrap_or_default())
                    }
                    other => panic!("{other:?}"),
                });
            }
        }
        out
    }

    fn told_of(&self, action: &str) -> usize {
        self.told().iter().filter(|t| t.split(' ').next() == Some(action)).count()
    }
}

fn lock_digest(w: &World, id: Id) -> String {
    let store = w.desk.store();
    crate::desk::content::hex(&store.approval(id).unwrap().digest)
}

/// A unit that is set up: three administrators, two approvers, an operator.
struct Unit {
    w: World,
    sys: User,
    sec: User,
    audit: User,
    one: User,
    two: User,
    op: User,
}

fn unit() -> Unit {
    let w = World::new();
    let sys = w.first();
    let sec = w.invite(&sys, "sec", &[Role::SecurityAdmin]);
    assert!(!w.desk.is_setup());
    let audit = w.invite(&sys, "audit", &[Role::AuditAdmin]);
    assert!(w.desk.is_setup());
    let one = w.add(&sys, &sec, "one", &[Role::Approver], None);
    let two = w.add(&sys, &one, "two", &[Role::Approver], None);
    let op = w.add(&sys, &one, "op", &[Role::Operator], None);
    Unit { w, sys, sec, audit, one, two, op }
}
