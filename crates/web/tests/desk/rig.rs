//! A running desk, and browsers that sign in to it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ring::hmac;
use serde_json::{Value, json};
use weir_base::clock::Clock;
use weir_base::task::{Stop, Tasks, lock};
use weir_base::time::Millis;
use weir_identity::desk::{self, Cost, Desk, Origin};
use weir_testkit::SimClock;
use weir_web::settings::{SYSTEM_CA, Settings, Times, Tls};
use weir_web::{Running, Server};

use crate::backend::Program;
use crate::client::{Reply, send};
use crate::sink::Memory;

pub const PASSWORD: &str = "correct horse battery staple";

/// The desk.
pub struct Rig {
    pub desk: Arc<Desk>,
    pub program: Arc<Program>,
    pub sink: Arc<Memory>,
    pub clock: Arc<SimClock>,
    pub running: Running,
    pub folder: tempfile::TempDir,
    /// Sign-in names and their TOTP secrets.
    known: Mutex<HashMap<String, Vec<u8>>>,
    tasks: Tasks,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.program.release();
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

impl Rig {
    /// In clear on loopback.
    pub fn new() -> Rig {
        Rig::with(Tls::Clear, Times::default(), |_, _| ())
    }

    /// With changes to what it is told.
    pub fn with(tls: Tls, times: Times, change: impl FnOnce(&mut Settings, &mut desk::Settings)) -> Rig {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            tls,
            names: vec!["desk.example.cn".into()],
            url: None,
            folder: folder.path().join("desk"),
            ca_file: SYSTEM_CA.into(),
            version: "1.2.3".into(),
            times,
        };
        // A cheap password check: its cost is judged elsewhere.
        let mut of_desk = desk::Settings { cost: Cost { memory: 64, passes: 1 }, ..desk::Settings::default() };
        change(&mut settings, &mut of_desk);
        let bound = Server::bind(settings).unwrap();
        of_desk.origins = bound.origins().iter().map(|o| Origin::parse(o).unwrap()).collect();
        // Certificates are judged by programs that read the machine's clock.
        let clock = Arc::new(SimClock::new(weir_base::clock::SystemClock::new().now()));
        let (sink, program) = (Arc::new(Memory::default()), Arc::new(Program::default()));
        let desk = Arc::new(Desk::open(sink.clone(), of_desk, clock.now()).unwrap());
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None));
        let running = bound.start(program.clone(), desk.clone(), clock.clone(), &tasks).unwrap();
        Rig { desk, program, sink, clock, running, folder, known: Mutex::default(), tasks }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.addresses[0]
    }

    pub fn host(&self) -> String {
        self.address().to_string()
    }

    /// A request that nobody is behind.
    pub fn get(&self, path: &str) -> Reply {
        send(self.address(), "GET", path, &[("Host", &self.host())], b"")
    }

    /// A code of somebody of the staff, of a step of time that nobody used.
    pub fn code(&self, login: &str) -> Option<String> {
        let secret = lock(&self.known).get(login)?.clone();
        // A code is good once: the next step of time brings the next.
        self.clock.advance(30_000);
        Some(totp(&secret, self.clock.now()))
    }

    /// Gives the second factor that the session of a cookie waits for, as this one of the staff; who is signed in then.
    pub fn second_factor(&self, cookie: &str, login: &str) -> Value {
        let mut browser = Browser { rig: self, cookie: Some(cookie.to_owned()), csrf: String::new() }.open();
        let half = browser.get("/api/v1/session").json();
        assert_eq!((&half["account"], &half["next"]), (&Value::Null, &json!("totp")), "half a sign-in");
        let done = browser.post("/api/v1/session/totp", &json!({"code": self.code(login)}));
        done.json()["account"]["login"].clone()
    }

    /// The program stops.
    pub fn stop(&self) {
        self.tasks.stop().raise();
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { rig: self, cookie: None, csrf: String::new() }
    }

    /// A browser signed in with an account of this role. Every other account is set up with it.
    pub fn staff(&self) -> Staff<'_> {
        Staff::new(self)
    }
}

/// A browser: keeps its cookie, sends its CSRF text.
pub struct Browser<'a> {
    pub rig: &'a Rig,
    pub cookie: Option<String>,
    pub csrf: String,
}

impl Browser<'_> {
    /// A request as the console makes it.
    pub fn ask(&mut self, method: &str, path: &str, body: &Value) -> Reply {
        let (host, cookie) = (self.rig.host(), self.cookie.clone().map(|c| format!("weir={c}")));
        let origin = format!("http://{host}");
        let mut headers = vec![("Host", host.as_str())];
        if let Some(cookie) = &cookie {
            headers.push(("Cookie", cookie));
        }
        let body = if method == "POST" { body.to_string() } else { String::new() };
        if method != "GET" {
            headers.extend([("X-Weir-CSRF", self.csrf.as_str()), ("Origin", origin.as_str())]);
        }
        if method == "POST" {
            headers.push(("Content-Type", "application/json"));
        }
        let reply = send(self.rig.address(), method, path, &headers, body.as_bytes());
        if let Some(cookie) = reply.cookie("weir") {
            self.cookie = Some(cookie).filter(|c| !c.is_empty());
        }
        // Whatever shows the session says the text in a header too, and that is where the console takes it from.
        let shown = |reply: &Reply| reply.json()["csrf"].as_str().map(str::to_owned);
        if reply.status == 200 && reply.header("content-type") == Some("application/json") {
            assert_eq!(reply.header("x-weir-csrf").map(str::to_owned), shown(&reply), "{path}");
        }
        self.csrf = reply.header("x-weir-csrf").map_or_else(|| self.csrf.clone(), str::to_owned);
        reply
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, &Value::Null)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, body)
    }

    /// Opens the page.
    pub fn open(mut self) -> Self {
        assert_eq!(self.get("/api/v1/session").status, 200);
        self
    }

    /// Takes a one-use link up.
    pub fn accept(&mut self, link: &str, login: &str) -> Reply {
        let body = json!({"token": link, "login": login, "display": login, "password": PASSWORD});
        self.post("/api/v1/invitations/accept", &body)
    }

    /// Sets TOTP up, and gives its secret.
    pub fn enrol(&mut self) -> Vec<u8> {
        let begun = self.post("/api/v1/me/totp/begin", &json!({})).json();
        let secret = base32(begun["secret"].as_str().unwrap());
        let done = self.post("/api/v1/me/totp/finish", &json!({"code": totp(&secret, self.rig.clock.now())}));
        assert_eq!(done.status, 200, "{}", done.text());
        secret
    }

    /// Signs in from the beginning.
    pub fn sign_in(&mut self, person: &Person) -> Reply {
        assert_eq!(self.get("/api/v1/session").status, 200);
        let first = self.post("/api/v1/session/password", &json!({"login": person.login, "password": PASSWORD}));
        let Some(code) = self.rig.code(&person.login) else { return first };
        assert_eq!(first.json()["next"], "totp", "{}", first.text());
        self.post("/api/v1/session/totp", &json!({"code": code}))
    }
}

/// Somebody with an account.
pub struct Person {
    pub login: String,
    pub role: &'static str,
    pub secret: Option<Vec<u8>>,
}

/// One person of every role.
pub struct Staff<'a> {
    pub rig: &'a Rig,
    pub people: Vec<Person>,
}

impl<'a> Staff<'a> {
    fn new(rig: &'a Rig) -> Staff<'a> {
        let mut first = rig.browser().open();
        let link = rig.desk.setup_link(rig.clock.now()).unwrap();
        assert_eq!(first.accept(&link, "system-admin").json()["next"], "enrol");
        let mut people = Vec::new();
        let mut known = |role: &'static str, secret: Vec<u8>| {
            lock(&rig.known).insert(role.to_owned(), secret.clone());
            people.push(Person { login: role.into(), role, secret: Some(secret) });
        };
        known("system-admin", first.enrol());
        // The set-up ends with the third administrator.
        for role in ["operator", "reviewer", "approver", "inspector", "audit-admin", "security-admin"] {
            let made = first.post("/api/v1/accounts", &json!({"display": role, "roles": [role], "reason": "set-up"}));
            let link = made.json()["link"].as_str().unwrap_or_else(|| panic!("{role}: {}", made.text())).to_owned();
            let mut browser = rig.browser().open();
            let accepted = browser.accept(&link, role);
            assert_eq!(accepted.status, 200, "{}", accepted.text());
            assert_eq!(accepted.json()["next"], "enrol", "every role needs a second factor");
            known(role, browser.enrol());
            rig.clock.advance(10_000);
        }
        Staff { rig, people }
    }

    pub fn person(&self, role: &str) -> &Person {
        self.people.iter().find(|p| p.role == role).unwrap()
    }

    /// A browser signed in as this one.
    pub fn signed_in(&self, role: &str) -> Browser<'a> {
        let mut browser = self.rig.browser();
        let reply = browser.sign_in(self.person(role));
        assert_eq!((reply.status, &reply.json()["next"]), (200, &Value::Null), "{role}: {}", reply.text());
        browser
    }
}

/// A one-time code (RFC 6238), computed here once more.
pub fn totp(secret: &[u8], now: Millis) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &(now.0 / 30_000).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let four: [u8; 4] = tag.as_ref()[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == letter).unwrap();
        bits = bits << 5 | value as u32;
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}
