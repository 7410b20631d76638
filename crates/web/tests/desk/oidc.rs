//! Sign-in with a real OpenID provider (npm `oidc-provider`): the whole way there and back, and every way to come back wrongly.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use weir_identity::desk::Provider;
use weir_web::settings::{Times, Tls};

use crate::client::{Reply, send};
use crate::rig::{Person, Rig};

const BACK: &str = "/api/v1/session/oidc/test/callback";

struct Real {
    child: Child,
    issuer: String,
    ca: PathBuf,
    folder: tempfile::TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Real {
    /// Starts it, or says that it is not there.
    fn start() -> Option<Real> {
        let cache = std::env::var_os("WEIR_CACHE").map(PathBuf::from);
        let cache = cache.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache/weir"))).unwrap();
        let modules = cache.join("oidc-provider/node_modules");
        if !modules.join("oidc-provider").exists() {
            assert!(std::env::var_os("WEIR_CI").is_none(), "oidc-provider is missing: run scripts/deps");
            eprintln!("not shown: sign-in with a real OpenID provider, for oidc-provider is not installed (scripts/deps)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (ca, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        fs::write(&ca, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let script = weir_testkit::package().join("tests/oidc/provider.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(modules).arg(&ca).arg(&key).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let issuer = lines.by_ref().map(Result::unwrap).find_map(|l| l.strip_prefix("issuer ").map(str::to_owned)).expect("it starts");
        std::thread::spawn(move || lines.for_each(drop));
        Some(Real { child, issuer, ca, folder })
    }

    /// A desk that knows it.
    fn desk(&self) -> Rig {
        let provider = Provider {
            name: "test".into(),
            title: "Test".into(),
            issuer: self.issuer.clone(),
            client: "weir".into(),
            secret: "a secret: with / signs".into(),
        };
        let rig = Rig::with(Tls::Clear, Times::default(), |settings, desk| {
            settings.ca_file = self.ca.clone();
            desk.providers.push(provider);
        });
        self.tell("start", &format!("http://{}{BACK}", rig.host()));
        rig
    }

    /// Tells it how to be.
    fn tell(&self, what: &str, value: &str) -> String {
        let escaped: String = value.bytes().map(|b| format!("%{b:02X}")).collect();
        self.curl(&format!("{}/test/{what}?is={escaped}", self.issuer)).1
    }

    /// What a browser with its cookies sees of a page of the provider: where it is sent on to, and the page.
    fn curl(&self, url: &str) -> (Option<String>, String) {
        let jar = self.folder.path().join("cookies");
        let mut command = Command::new("curl");
        command.args(["-sS", "--max-time", "30", "--include", "--cacert"]).arg(&self.ca).arg("-c").arg(&jar).arg("-b").arg(&jar);
        let output = command.arg(url).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let on =
            head.lines().find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case("location")).map(|(_, v)| v.to_owned()));
        (on, body.to_owned())
    }

    /// Goes where the desk sent it and comes back: path and query of the way back.
    fn visit(&self, url: &str) -> String {
        let mut at = url.to_owned();
        loop {
            let (on, page) = self.curl(&at);
            at = on.unwrap_or_else(|| panic!("the provider shows a page: {page}"));
            if at.starts_with('/') {
                at = format!("{}{at}", self.issuer);
            }
            if let Some(back) = at.find(BACK) {
                return at[back..].to_owned();
            }
        }
    }
}

/// The way there: URL, cookie.
fn begin(rig: &Rig, path: &str, session: Option<&str>) -> (String, String) {
    let cookie = session.map(|s| format!("weir={s}")).unwrap_or_default();
    let reply = send(rig.address(), "GET", path, &[("Host", &rig.host()), ("Cookie", &cookie)], b"");
    assert_eq!(reply.status, 303, "{}", reply.text());
    let set = reply.headers.iter().find(|(n, v)| n == "set-cookie" && v.starts_with("weir-oidc=")).map(|(_, v)| v.as_str());
    assert!(set.is_some_and(|s| s.contains("HttpOnly; SameSite=Lax")), "{:?} {:?}", set, reply.header("location"));
    (reply.header("location").unwrap().to_owned(), reply.cookie("weir-oidc").unwrap())
}

/// The way back. A browser sends no `SameSite=Strict` cookie along.
fn back(rig: &Rig, path: &str, cookie: &str) -> Reply {
    send(rig.address(), "GET", path, &[("Host", &rig.host()), ("Cookie", &format!("weir-oidc={cookie}"))], b"")
}

fn refused(reply: &Reply, code: &str) {
    assert_eq!((reply.status, reply.header("location")), (303, Some(format!("/#/problem/{code}").as_str())));
    assert_eq!(reply.cookie("weir"), None, "nobody is signed in");
}

/// Who a session is of.
fn login(rig: &Rig, reply: &Reply) -> Value {
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{}", reply.text());
    rig.second_factor(&reply.cookie("weir").unwrap(), "operator")
}

const BEGIN: &str = "/api/v1/session/oidc/test/begin";

/// A desk whose operator is alice at the provider.
fn linked(real: &Real) -> Rig {
    let rig = real.desk();
    let staff = rig.staff();
    let operator = staff.signed_in("operator");
    let (url, cookie) = begin(&rig, "/api/v1/me/oidc/test/link", operator.cookie.as_deref());
    let reply = back(&rig, &real.visit(&url), &cookie);
    assert_eq!((reply.status, reply.header("location")), (303, Some("/#/me")), "{}", reply.text());
    drop(operator);
    drop(staff);
    rig
}

#[test]
fn there_and_back_with_every_algorithm_and_way_to_show_the_secret() {
    let Some(real) = Real::start() else { return };
    let mut last = None;
    for (what, value) in [("algorithm", "ES256"), ("algorithm", "RS256"), ("method", "client_secret_post")] {
        real.desk();
        real.tell(what, value);
        let rig = last.insert(linked(&real));
        let (url, cookie) = begin(rig, BEGIN, None);
        assert!(url.starts_with(&real.issuer) && url.contains("code_challenge_method=S256") && !url.contains("secret"), "{url}");
        assert_eq!(login(rig, &back(rig, &real.visit(&url), &cookie)), "operator", "{value}");
    }
    let rig = last.unwrap();
    assert_eq!(rig.get("/api/v1/session").json()["providers"], serde_json::json!([{"name": "test", "title": "Test"}]));
    // Somebody whom nobody linked.
    real.tell("person", "mallory");
    let _ = fs::remove_file(real.folder.path().join("cookies"));
    let (url, cookie) = begin(&rig, BEGIN, None);
    refused(&back(&rig, &real.visit(&url), &cookie), "wrong-credentials");
}

#[test]
fn what_comes_back_wrongly_signs_nobody_in() {
    let Some(real) = Real::start() else { return };
    let rig = linked(&real);
    let rest = || rig.clock.advance(60_000);
    // The same answer twice.
    let (url, cookie) = begin(&rig, BEGIN, None);
    let path = real.visit(&url);
    assert_eq!(login(&rig, &back(&rig, &path, &cookie)), "operator");
    rest();
    refused(&back(&rig, &path, &cookie), "wrong-credentials");
    // A used code, in a flow of its own.
    let code = |path: &str| path.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let used = code(&path);
    rest();
    let (url, cookie) = begin(&rig, BEGIN, None);
    let fresh = real.visit(&url);
    refused(&back(&rig, &fresh.replace(&code(&fresh), &used), &cookie), "wrong-credentials");
    // A wrong state uses the flow up as well.
    rest();
    let (url, cookie) = begin(&rig, BEGIN, None);
    let path = real.visit(&url);
    refused(&back(&rig, &path.replace("state=", "state=x"), &cookie), "wrong-credentials");
    rest();
    refused(&back(&rig, &path, &cookie), "wrong-credentials");
    // Somebody else's browser: the cookie of another flow, or none (a sign-in that an attacker began).
    rest();
    let (url, _) = begin(&rig, BEGIN, None);
    let (_, other) = begin(&rig, BEGIN, None);
    let path = real.visit(&url);
    refused(&back(&rig, &path, &other), "wrong-credentials");
    rest();
    refused(&back(&rig, &path, ""), "wrong-credentials");
    // Another issuer (RFC 9207), an error, nothing at all, another provider's way back.
    for bad in ["&iss=https%3A%2F%2Fevil.example", "&error=access_denied"] {
        rest();
        let (url, cookie) = begin(&rig, BEGIN, None);
        let path = real.visit(&url);
        let path = path.split('&').filter(|p| !p.starts_with("iss=")).collect::<Vec<_>>().join("&");
        refused(&back(&rig, &format!("{path}{bad}"), &cookie), "wrong-credentials");
    }
    rest();
    refused(&back(&rig, BACK, ""), "wrong-credentials");
    refused(&back(&rig, "/api/v1/session/oidc/none/begin", ""), "not-found");
}

#[test]
fn a_forged_or_replayed_token_signs_nobody_in() {
    let Some(real) = Real::start() else { return };
    let rig = linked(&real);
    for mode in ["signature", "none", "subject", "replay"] {
        real.tell("mode", mode);
        rig.clock.advance(61_000);
        let (url, cookie) = begin(&rig, BEGIN, None);
        refused(&back(&rig, &real.visit(&url), &cookie), "wrong-credentials");
    }
    real.tell("mode", "right");
    rig.clock.advance(61_000);
    let (url, cookie) = begin(&rig, BEGIN, None);
    assert_eq!(login(&rig, &back(&rig, &real.visit(&url), &cookie)), "operator");
}

#[test]
fn new_keys_are_fetched_at_most_once_a_minute_and_a_provider_that_is_down_is_a_notice() {
    let Some(real) = Real::start() else { return };
    let rig = linked(&real);
    let asked = || real.tell("asked", "/jwks").parse::<u32>().unwrap();
    let before = asked();
    real.tell("rotate", "");
    let try_once = || {
        let (url, cookie) = begin(&rig, BEGIN, None);
        back(&rig, &real.visit(&url), &cookie)
    };
    rig.clock.advance(10_000);
    refused(&try_once(), "wrong-credentials");
    assert_eq!(asked(), before, "the keys are younger than a minute");
    rig.clock.advance(61_000);
    assert_eq!(login(&rig, &try_once()), "operator");
    assert_eq!(asked(), before + 1);

    // It goes away while somebody is there.
    let (url, cookie) = begin(&rig, BEGIN, None);
    let path = real.visit(&url);
    real.tell("mode", "down");
    refused(&back(&rig, &path, &cookie), "unavailable");
    let mut operator = rig.browser();
    operator.sign_in(&Person { login: "operator".into(), role: "operator", secret: None });
    assert!(operator.get("/api/v1/overview").json()["notices"].to_string().contains("provider-down"));
    // What the desk knows of it is an hour old at most.
    rig.clock.advance(3_600_000);
    refused(&back(&rig, BEGIN, ""), "unavailable");
    real.tell("mode", "large");
    refused(&back(&rig, BEGIN, ""), "unavailable");
    real.tell("mode", "right");
    assert!(begin(&rig, BEGIN, None).0.starts_with(&real.issuer));
    let mut operator = rig.browser();
    operator.sign_in(&Person { login: "operator".into(), role: "operator", secret: None });
    assert!(!operator.get("/api/v1/overview").text().contains("provider-down"));
}
