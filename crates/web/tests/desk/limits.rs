//! Too large, too slow, too often, too many.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::json;
use weir_base::task::lock;
use weir_web::limits::{BODY_BYTES, CONNECTIONS_OF_ONE, PASTE_BYTES, WORK, WORK_WAITS};

// One address alone cannot fill the waiting room.
const _: () = assert!(WORK_WAITS >= CONNECTIONS_OF_ONE - WORK);
use weir_web::settings::{Times, Tls};

use crate::client::{connect, parse, raw, send};
use crate::rig::Rig;

#[test]
fn a_body_too_large_is_refused_and_one_that_fits_is_not() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let statement = |n: usize| json!({"statement": "x".repeat(n - r#"{"statement":""}"#.len())});
    assert_eq!(operator.post("/api/v1/sql", &statement(BODY_BYTES)).status, 200);
    assert_eq!(operator.post("/api/v1/sql", &statement(BODY_BYTES + 1)).code(), "too-large");
    let paste = |n: usize| json!({"text": "x".repeat(n), "zone": "+08:00"});
    assert_eq!(operator.post("/api/v1/lookup/read", &paste(PASTE_BYTES - 100)).status, 200);
    assert_eq!(operator.post("/api/v1/lookup/read", &paste(PASTE_BYTES)).code(), "too-large");
    // Said to be large, and never sent: refused without waiting for it.
    let head = format!(
        "POST /api/v1/sql HTTP/1.1\r\nHost: {}\r\nCookie: weir={}\r\nX-Weir-CSRF: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        rig.host(),
        operator.cookie.as_ref().unwrap(),
        operator.csrf,
        BODY_BYTES + 1
    );
    assert_eq!(parse(&raw(rig.address(), head.as_bytes())).code(), "too-large");
    for bad in ["", "{", "[]", "\u{fffd}", "null", r#"{"statement": 1}"#] {
        let host = rig.host();
        let cookie = format!("weir={}", operator.cookie.as_ref().unwrap());
        let headers = [("Host", host.as_str()), ("Cookie", &cookie), ("X-Weir-CSRF", &operator.csrf), ("Content-Type", "application/json")];
        let reply = send(rig.address(), "POST", "/api/v1/sql", &headers, bad.as_bytes());
        assert_eq!(reply.code(), "bad-request", "{bad:?}");
    }
}

#[test]
fn a_head_too_large_and_one_that_never_ends_are_cut() {
    let short = Duration::from_millis(300);
    let rig = Rig::with(Tls::Clear, Times { head: short, body: short, ..Times::default() }, |_, _| ());
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let reply = raw(rig.address(), long.as_bytes());
    assert!(reply.is_empty() || parse(&reply).status == 431, "{:?}", String::from_utf8_lossy(&reply));
    let many: String = (0..100).map(|n| format!("X{n}: y\r\n")).collect();
    let reply = raw(rig.address(), format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes());
    assert!(reply.is_empty() || parse(&reply).status == 431);
    // Neither says another word; the desk ends both.
    for begun in ["GET / HTTP/1.1\r\nHost: loc", ""] {
        let mut slow = connect(rig.address());
        slow.write_all(begun.as_bytes()).unwrap();
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200"), "{begun:?}");
    }
    let mut browser = rig.browser().open();
    let head = format!(
        "POST /api/v1/session/password HTTP/1.1\r\nHost: {}\r\nCookie: weir={}\r\nX-Weir-CSRF: {}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{{",
        rig.host(),
        browser.cookie.as_ref().unwrap(),
        browser.csrf
    );
    assert_eq!(parse(&raw(rig.address(), head.as_bytes())).code(), "slow");
    assert_eq!(browser.get("/api/v1/session").status, 200);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_back() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut reviewer = staff.signed_in("reviewer");
    rig.clock.advance(60_000);
    let refused = (0..400).map(|_| reviewer.get("/api/v1/sources/guides")).find(|r| r.status != 200).unwrap();
    assert_eq!((refused.status, refused.code().as_str()), (429, "too-many"));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    rig.clock.advance(seconds * 1_000);
    assert_eq!(reviewer.get("/api/v1/sources/guides").status, 200);
}

#[test]
fn nobody_behind_an_address_uses_up_what_others_there_need() {
    let rig = Rig::new();
    let staff = rig.staff();
    let (mut operator, mut reviewer) = (staff.signed_in("operator"), rig.browser().open());
    rig.clock.advance(60_000);
    // Time stands still: what is used up stays so.
    let loud = (0..1_000).find(|_| rig.get("/api/v1/overview").status == 429);
    assert!(loud.is_some(), "the address has a share, and it ends");
    // Who is here, nobody as yet, is always told: nobody behind the address could begin to sign in otherwise.
    assert!((0..1_000).all(|_| rig.get("/api/v1/session").status == 200));
    assert!((0..50).all(|_| rig.browser().open().get("/api/v1/session").status == 200), "with a visitor's cookie too");
    assert_eq!((operator.get("/api/v1/overview").status, operator.get("/api/v1/session").status), (200, 200));
    for path in ["/healthz", "/readyz", "/metrics", "/", "/lookup"] {
        assert_eq!(rig.get(path).status, 200, "{path}");
    }
    assert_eq!(rig.get("/api/v1/nothing").status, 429, "what is no file of the console is the address's");
    // Whoever asks for nothing but whether the program is there never hears anything else.
    assert!((0..1_000).all(|_| rig.get("/readyz").status == 200 && rig.get("/healthz").status == 200));
    assert_eq!(operator.get("/api/v1/overview").status, 200);
    // A cookie or a token that is nobody's is no way around it.
    let host = rig.host();
    let with = |name: &str, value: &str| send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), (name, value)], b"").status;
    let planted = format!("weir={}", "x".repeat(43));
    assert_eq!((with("Cookie", &planted), with("Authorization", "Bearer weir_nothing")), (429, 429));
    let token = send(rig.address(), "GET", "/api/v1/session", &[("Host", &host), ("Authorization", "Bearer weir_nothing")], b"");
    assert_eq!(token.status, 429, "a token that is to be looked at");
    // Links and passwords do not share.
    let mut links = rig.browser();
    (links.cookie, links.csrf) = (reviewer.cookie.clone(), reviewer.csrf.clone());
    let ended = json!({"token": "setup_nothing"});
    let opened: Vec<u16> = (0..200).map(|_| links.post("/api/v1/invitations/open", &ended).status).collect();
    assert_eq!(opened.last(), Some(&429));
    let first =
        reviewer.post("/api/v1/session/password", &json!({"login": staff.person("reviewer").login, "password": crate::rig::PASSWORD}));
    assert_ne!(first.code(), "too-many", "{}", first.text());
}

#[test]
fn one_address_holds_so_many_connections_and_no_more() {
    let rig = Rig::new();
    let mut held: Vec<_> = (0..CONNECTIONS_OF_ONE).map(|_| connect(rig.address())).collect();
    // Answered, so all of them were taken in.
    for stream in &mut held {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut one = [0; 12];
        stream.read_exact(&mut one).unwrap();
        assert_eq!(&one, b"HTTP/1.1 200");
    }
    let mut more = connect(rig.address());
    let _ = more.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut rest = Vec::new();
    let _ = more.read_to_end(&mut rest);
    assert_eq!(rest, b"", "closed without a word");
}

#[test]
fn when_all_threads_are_busy_requests_wait_their_turn() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    rig.clock.advance(60_000);
    *lock(&rig.program.hold.0) = true;
    let (host, cookie) = (rig.host(), format!("weir={}", operator.cookie.as_ref().unwrap()));
    let ask = || send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Cookie", &cookie)], b"");
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..CONNECTIONS_OF_ONE - 1).map(|_| scope.spawn(ask)).collect();
        let inside = || lock(&rig.program.asked).iter().filter(|(what, _)| *what == "overview").count();
        while inside() < WORK {
            std::thread::yield_now();
        }
        assert_eq!(inside(), WORK, "no more than {WORK} at once");
        rig.program.release();
        let statuses: Vec<u16> = all.into_iter().map(|t| t.join().unwrap().status).collect();
        assert!(statuses.iter().all(|s| *s == 200), "{statuses:?}");
    });
}

#[test]
fn an_old_connection_is_told_to_close() {
    let rig = Rig::with(Tls::Clear, Times { connection: Duration::ZERO, ..Times::default() }, |_, _| ());
    let mut stream = connect(rig.address());
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(parse(&all).header("connection"), Some("close"));
}

#[test]
fn what_is_under_way_is_answered_when_the_program_stops() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    *lock(&rig.program.hold.0) = true;
    let (host, cookie) = (rig.host(), format!("weir={}", operator.cookie.as_ref().unwrap()));
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Cookie", &cookie)], b""));
        while !lock(&rig.program.asked).iter().any(|(what, _)| *what == "overview") {
            std::thread::yield_now();
        }
        rig.stop();
        // Nobody new is let in any more.
        while std::net::TcpStream::connect(rig.address()).is_ok() {
            std::thread::yield_now();
        }
        rig.program.release();
        assert_eq!(under_way.join().unwrap().status, 200);
    });
}
