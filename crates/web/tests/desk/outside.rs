//! What anybody may see: health, the API's page, the console or why it is not there, and the headers of every answer.

use weir_web::settings::{Times, Tls};

use crate::client::send;
use crate::rig::Rig;

#[test]
fn every_answer_has_its_headers() {
    let rig = Rig::new();
    let host = rig.host();
    let all = [
        rig.get("/"),
        rig.get("/api/v1/session"),
        rig.get("/api/v1/overview"),
        rig.get("/api/v1/nothing"),
        rig.get("/nothing.js"),
        rig.get("/healthz"),
        rig.get("/metrics"),
        send(rig.address(), "POST", "/api/v1/seal", &[("Host", &host)], b""),
        send(rig.address(), "PUT", "/", &[("Host", &host)], b""),
        send(rig.address(), "GET", "/", &[("Host", "evil.example")], b""),
    ];
    for reply in all {
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval") && !policy.contains('*'), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{}: {name}", reply.status);
        }
        assert!(reply.header("permissions-policy").unwrap().contains("camera=()"));
        assert_eq!(reply.header("strict-transport-security"), None, "in clear there is none to keep");
        assert_eq!(reply.header("server"), None);
    }
}

#[test]
fn health_and_readiness_are_for_anybody_and_metrics_for_this_machine() {
    let rig = Rig::new();
    for path in ["/healthz", "/readyz"] {
        let reply = rig.get(path);
        assert_eq!((reply.status, reply.text().as_str()), (200, "ok\n"), "{path}");
    }
    assert_eq!(rig.get("/metrics").status, 200);
    // Behind a proxy everybody comes from this machine, and then a token is needed.
    let proxied = Rig::with(Tls::Clear, Times::default(), |settings, _| settings.url = Some("https://desk.example.cn".into()));
    let get = |path: &str| send(proxied.address(), "GET", path, &[("Host", "desk.example.cn"), ("X-Forwarded-For", "203.0.113.9")], b"");
    assert_eq!(get("/metrics").code(), "not-signed-in");
    let session = get("/api/v1/session");
    let cookie = session.headers.iter().find(|(n, _)| n == "set-cookie").unwrap();
    assert!(cookie.1.starts_with("__Host-weir=") && cookie.1.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{}", cookie.1);
    assert_eq!(session.header("strict-transport-security"), Some("max-age=31536000"));
}

#[test]
fn a_path_that_is_no_page_is_said_to_be_none() {
    let rig = Rig::new();
    let host = rig.host();
    let get = |path: &str, accept: &str| send(rig.address(), "GET", path, &[("Host", &host), ("Accept", accept)], b"");
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/foo/bar", "/login?next=/records", "/lookup/5", "/index.php", "/%2e%2e/etc", "/assets/none.js", "/sources/5/6"] {
        let shown = get(path, browser);
        let kind = shown.header("content-type").map(str::to_owned);
        assert_eq!((shown.status, kind.as_deref()), (404, Some("text/html; charset=utf-8")), "{path}");
        assert!(shown.header("content-security-policy").unwrap().contains("'nonce-"), "{path}");
        let told = get(path, "*/*");
        assert_eq!((told.status, told.header("content-type")), (404, Some("application/problem+json")), "{path}");
    }
    for path in ["/", "/lookup", "/lookup/", "/approvals/5?show=mine", "/?x=1"] {
        assert_eq!((get(path, browser).status, get(path, "*/*").status), (200, 200), "{path}");
    }
    assert_eq!(get("/api/v1/nothing", browser).header("content-type"), Some("application/problem+json"), "the API speaks of itself alone");
}

#[test]
fn the_page_is_the_console_or_says_how_to_build_it() {
    let rig = Rig::new();
    for path in ["/", "/index.html", "/lookup", "/sources/5", "/overview?x=/y"] {
        let reply = rig.get(path);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")), "{path}");
        let policy = reply.header("content-security-policy").unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(reply.text().contains(nonce) && !reply.text().contains("__CSP_NONCE__"), "{path}");
        if weir_web::console_digest().is_none() {
            assert!(reply.text().contains("make console") && reply.text().contains("控制台"), "{path}");
        }
    }
}

#[test]
fn files_of_the_console_are_packed_and_kept_by_browsers() {
    let rig = Rig::new();
    let page = rig.get("/").text();
    if weir_web::console_digest().is_none() {
        eprintln!("not shown: the console's own files, for the console is not built (make console)");
        return;
    }
    // The first script is so small that it goes as it is.
    let scripts = page.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap().trim_start_matches('.'));
    let script = scripts.into_iter().find(|s| s.contains("index")).unwrap();
    let host = rig.host();
    let get = |headers: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> = [("Host", host.as_str())].into_iter().chain(headers.iter().copied()).collect();
        send(rig.address(), "GET", script, &all, b"")
    };
    let (plain, packed) = (get(&[]), get(&[("Accept-Encoding", "gzip, deflate, br")]));
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{script}");
    assert_eq!(packed.header("content-encoding"), Some("br"));
    assert!(packed.body.len() * 2 < plain.body.len());
    for reply in [&plain, &packed] {
        assert_eq!(reply.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    let tag = packed.header("etag").unwrap();
    let again = get(&[("Accept-Encoding", "br"), ("If-None-Match", tag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
}
