//! What an attacker tries at the door: foreign pages, foreign hosts, planted and stolen cookies, strange paths.

use serde_json::{Value, json};
use weir_base::task::lock;

use crate::client::{Reply, send};
use crate::rig::Rig;

#[test]
fn a_foreign_page_cannot_ask_in_somebodys_name() {
    let rig = Rig::new();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    let (host, cookie, csrf) = (rig.host(), format!("weir={}", operator.cookie.as_ref().unwrap()), operator.csrf.as_str());
    let other = rig.browser().open().csrf;
    let origin = format!("http://{host}");
    let post = |headers: &[(&str, &str)]| -> Reply {
        rig.clock.advance(2_000);
        let all: Vec<(&str, &str)> =
            [("Host", host.as_str()), ("Cookie", cookie.as_str())].into_iter().chain(headers.iter().copied()).collect();
        send(rig.address(), "POST", "/api/v1/seal", &all, b"{}")
    };
    let json = ("Content-Type", "application/json");
    for (what, headers, code) in [
        ("no text", vec![json], "csrf"),
        ("an empty text", vec![json, ("X-Weir-CSRF", "")], "csrf"),
        ("the text of another session", vec![json, ("X-Weir-CSRF", other.as_str())], "csrf"),
        ("the text twice", vec![json, ("X-Weir-CSRF", csrf), ("X-Weir-CSRF", csrf)], "csrf"),
        ("a foreign origin", vec![json, ("X-Weir-CSRF", csrf), ("Origin", "https://evil.example")], "csrf"),
        ("an opaque origin", vec![json, ("X-Weir-CSRF", csrf), ("Origin", "null")], "csrf"),
        ("another port", vec![json, ("X-Weir-CSRF", csrf), ("Origin", "http://127.0.0.1:1")], "csrf"),
        ("a foreign site", vec![json, ("X-Weir-CSRF", csrf), ("Sec-Fetch-Site", "cross-site")], "csrf"),
        ("a form", vec![("Content-Type", "application/x-www-form-urlencoded"), ("X-Weir-CSRF", csrf)], "media-type"),
        ("plain text", vec![("Content-Type", "text/plain"), ("X-Weir-CSRF", csrf)], "media-type"),
        ("no type", vec![("X-Weir-CSRF", csrf)], "media-type"),
    ] {
        assert_eq!(post(&headers).code(), code, "{what}");
    }
    assert_eq!(*lock(&rig.program.asked), [], "the program was never asked");
    assert_eq!(post(&[json, ("X-Weir-CSRF", csrf), ("Origin", &origin)]).status, 204);
    // It is in the records, and in the count.
    let actions = lock(&rig.sink.groups).iter().map(|g| g.rows()).sum::<usize>();
    assert!(actions > 0);
    assert!(rig.get("/metrics").text().contains("weir_desk_csrf_failures_total 8"));
    // A page of another site cannot even begin: nothing allows it to send such headers.
    let headers = [("Host", host.as_str()), ("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")];
    let preflight = send(rig.address(), "OPTIONS", "/api/v1/seal", &headers, b"");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (405, None));
}

#[test]
fn a_foreign_name_gets_nothing() {
    let rig = Rig::new();
    for host in ["evil.example", "evil.example:80", "desk.example.cn.evil.example", ""] {
        for path in ["/", "/api/v1/session", "/healthz", "/api/v1/openapi.json"] {
            let reply = send(rig.address(), "GET", path, &[("Host", host)], b"");
            assert_eq!((reply.status, reply.code().as_str()), (421, "host"), "{host} {path}");
        }
    }
    for hosts in [vec![], vec![("Host", "localhost"), ("Host", "localhost")], vec![("Host", "desk.example.cn"), ("Host", "evil.example")]] {
        let reply = send(rig.address(), "GET", "/healthz", &hosts, b"");
        assert!(matches!(reply.status, 400 | 421), "{hosts:?}: {}", reply.status);
    }
    for host in ["desk.example.cn", "DESK.example.cn:1234", "localhost", "127.0.0.1:1"] {
        assert_eq!(send(rig.address(), "GET", "/healthz", &[("Host", host)], b"").status, 200, "{host}");
    }
}

#[test]
fn a_planted_cookie_is_not_the_one_that_is_signed_in() {
    let rig = Rig::new();
    let staff = rig.staff();
    // Whoever planted it knows it, and could know its CSRF text.
    let mut victim = rig.browser();
    victim.cookie = Some("planted-by-somebody-else".into());
    let planted = victim.cookie.clone().unwrap();
    assert_eq!(victim.get("/api/v1/session").status, 200);
    assert!(victim.sign_in(staff.person("operator")).status == 200);
    assert_ne!(victim.cookie.as_ref(), Some(&planted));
    let host = rig.host();
    let with =
        |cookie: &str| send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Cookie", &format!("weir={cookie}"))], b"");
    assert_eq!(with(&planted).code(), "not-signed-in");
    assert_eq!(with(victim.cookie.as_ref().unwrap()).status, 200);
}

#[test]
fn a_cookie_stolen_before_a_step_is_worth_nothing_after_it() {
    let rig = Rig::new();
    let staff = rig.staff();
    let person = staff.person("audit-admin");
    let host = rig.host();
    let state = |cookie: &str| {
        let reply = send(rig.address(), "GET", "/api/v1/session", &[("Host", &host), ("Cookie", &format!("weir={cookie}"))], b"");
        (reply.json()["account"].is_object(), reply.json()["next"].clone())
    };
    let mut browser = rig.browser().open();
    let visitor = browser.cookie.clone().unwrap();
    browser.post("/api/v1/session/password", &json!({"login": person.login, "password": crate::rig::PASSWORD}));
    let half = browser.cookie.clone().unwrap();
    assert_eq!(state(&half), (false, json!("totp")));
    rig.clock.advance(30_000);
    let code = crate::rig::totp(person.secret.as_ref().unwrap(), weir_base::clock::Clock::now(rig.clock.as_ref()));
    assert_eq!(browser.post("/api/v1/session/totp", &json!({"code": code})).status, 200);
    let whole = browser.cookie.clone().unwrap();
    assert_eq!(state(&whole), (true, Value::Null));
    for old in [&visitor, &half] {
        assert_eq!(state(old), (false, Value::Null), "the cookie before the step is nobody's");
    }
    // A new password is a step as well.
    let changed = browser.post("/api/v1/me/password", &json!({"old": crate::rig::PASSWORD, "new": "another long password"}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(state(&whole), (false, Value::Null));
    assert!(state(browser.cookie.as_ref().unwrap()).0);
    // And so is signing out.
    let last = browser.cookie.clone().unwrap();
    assert_eq!(browser.ask("DELETE", "/api/v1/session", &Value::Null).status, 204);
    assert_eq!(state(&last), (false, Value::Null));
}

#[test]
fn no_path_leads_out_of_the_program() {
    let rig = Rig::new();
    for path in [
        "/../../../../etc/passwd",
        "/assets/../../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/%2e%2e/index.html",
        "//etc/passwd",
        "/etc/passwd",
        "/.env",
        "/index.html%00.js",
        "/assets/",
    ] {
        let reply = rig.get(path);
        let page = reply.header("content-type") == Some("text/html; charset=utf-8");
        assert!(reply.status == 404 || (reply.status == 200 && page), "{path}: {}", reply.status);
        assert!(!reply.text().contains("root:"), "{path}");
    }
    // What is asked for as a file, or in disguise, is never answered with the page: a browser would keep it as that file.
    for path in [
        "/assets",
        "/assets/",
        "/assets/none",
        "/assets/none.js",
        "/assets/..",
        "/assets/../index.html",
        "/assets/./",
        "/assets//",
        "/assets/%2e%2e/index.html",
        "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/assets/..%5c..%5cetc",
        "/%61ssets/none",
        "/assets%2fnone",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "//assets/none",
    ] {
        let reply = rig.get(path);
        assert_eq!((reply.status, reply.code().as_str()), (404, "not-found"), "{path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
    }
    assert_eq!((rig.get("/").status, rig.get("/index.html").status), (200, 200), "the page itself");
    for path in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/overview", "/api/v1/overview/", "/api/v1/%6fverview2"]
    {
        assert_eq!((rig.get(path).status, rig.get(path).code().as_str()), (404, "not-found"), "{path}");
    }
    for (method, path) in [("PUT", "/api/v1/overview"), ("TRACE", "/"), ("DELETE", "/healthz"), ("PATCH", "/api/v1/session"), ("POST", "/")]
    {
        let reply = send(rig.address(), method, path, &[("Host", &rig.host())], b"");
        assert_eq!((reply.status, reply.code().as_str()), (405, "method"), "{method} {path}");
    }
}
