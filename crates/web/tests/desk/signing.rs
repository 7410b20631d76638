//! Signing in and what is shown of it; settings that need two persons.

use serde_json::{Value, json};
use weir_base::task::lock;
use weir_web::settings::{Times, Tls};

use crate::backend::PERSON;
use crate::rig::{Browser, PASSWORD, Rig};

#[test]
fn the_session_tells_what_a_console_needs() {
    let rig = Rig::new();
    let first = rig.browser().open().get("/api/v1/session").json();
    assert_eq!((&first["setup"], &first["account"], &first["version"]), (&json!(true), &Value::Null, &json!("1.2.3")));
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let session = operator.get("/api/v1/session").json();
    assert_eq!((&session["setup"], &session["account"]["login"]), (&json!(false), &json!("operator")));
    assert!(session["account"]["may"].as_array().unwrap().contains(&json!("lookup.ask")));
    assert_eq!(session["unit"]["origin"], "test.example");
    assert!(session["idle_seconds"].as_u64().unwrap() > 1_700);
    // Half an hour without use, and it is over.
    rig.clock.advance(31 * 60_000);
    assert_eq!(operator.get("/api/v1/overview").code(), "not-signed-in");
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_alike() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut told = Vec::new();
    for login in ["operator", "nobody"] {
        let reply = rig.browser().open().post("/api/v1/session/password", &json!({"login": login, "password": "wrong password here"}));
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong-credentials"));
        told.push(reply.text());
    }
    assert_eq!(told[0], told[1]);
    // After some of them there are waits.
    let mut codes = Vec::new();
    for _ in 0..12 {
        let reply = rig.browser().open().post("/api/v1/session/password", &json!({"login": "operator", "password": "wrong password here"}));
        codes.push((reply.status, reply.header("retry-after").is_some()));
    }
    assert!(codes.contains(&(429, true)), "{codes:?}");
    assert!(rig.get("/metrics").text().contains("weir_desk_sign_in_failures_total 14"));
    drop(staff);
}

#[test]
fn one_cannot_sign_in_from_a_foreign_page() {
    let rig = Rig::new();
    let mut browser = rig.browser().open();
    browser.csrf = "0".repeat(64);
    let body = json!({"login": "operator", "password": PASSWORD});
    assert_eq!(browser.post("/api/v1/session/password", &body).code(), "csrf");
    browser.cookie = None;
    assert_eq!(browser.post("/api/v1/session/password", &body).code(), "csrf");
}

#[test]
fn a_setting_that_needs_two_is_made_with_a_confirmed_approval_of_exactly_it() {
    let rig = Rig::new();
    let staff = rig.staff();
    let (mut system, mut security) = (staff.signed_in("system-admin"), staff.signed_in("security-admin"));
    let plain = json!({"changes": {"one": "1"}, "reason": "for a test"});
    assert_eq!(system.post("/api/v1/settings", &plain).json()["state"], "done");
    let mut change = json!({"changes": {"two": "2"}, "reason": "for a test"});
    let waits = system.post("/api/v1/settings", &change).json();
    assert_eq!(waits["state"], "waits");
    let id = waits["approval"].as_str().unwrap().to_owned();
    let changes = || lock(&rig.program.asked).iter().filter(|(what, _)| *what == "settings_change").count();
    assert_eq!(changes(), 1);

    change["approval"] = json!(id);
    assert_eq!(system.post("/api/v1/settings", &change).status, 409, "nobody has confirmed it");
    let shown = security.get(&format!("/api/v1/approvals/{id}")).json();
    assert_eq!((&shown["content"], &shown["may_confirm"]), (&json!({"changes": {"two": "2"}}), &json!(true)));
    let confirm = format!("/api/v1/approvals/{id}/confirm");
    assert_eq!(security.post(&confirm, &json!({"digest": "0".repeat(64)})).status, 409, "another content");
    assert_eq!(system.post(&confirm, &json!({"digest": shown["digest"]})).code(), "not-allowed");
    assert_eq!(security.post(&confirm, &json!({"digest": shown["digest"]})).json()["state"], "confirmed");
    let other = json!({"changes": {"two": "3"}, "reason": "for a test", "approval": id});
    assert!(system.post("/api/v1/settings", &other).status >= 400, "not exactly what was confirmed");
    assert_eq!(changes(), 1);
}

#[test]
fn another_reason_than_the_confirmed_one_is_not_kept_and_that_is_said() {
    let rig = Rig::new();
    let staff = rig.staff();
    let (mut system, mut security) = (staff.signed_in("system-admin"), staff.signed_in("security-admin"));
    let mut done = |later: &str| {
        let mut change = json!({"changes": {"two": "2"}, "reason": "for a test"});
        let waits = system.post("/api/v1/settings", &change).json();
        assert!(waits["remark"]["zh"].as_str().unwrap().contains("审批页"), "{waits}");
        let id = waits["approval"].as_str().unwrap();
        let shown = security.get(&format!("/api/v1/approvals/{id}")).json();
        security.post(&format!("/api/v1/approvals/{id}/confirm"), &json!({"digest": shown["digest"]}));
        (change["approval"], change["reason"]) = (json!(id), json!(later));
        system.post("/api/v1/settings", &change).json()
    };
    let same = done("for a test");
    assert_eq!((&same["state"], same.get("remark")), (&json!("done"), None));
    let other = done("for another one");
    assert_eq!(other["remark"]["en"], "Kept is the reason that was confirmed: for a test");
    assert_eq!(other["remark"]["zh"], "保留的是经确认的理由：for a test");
}

#[test]
fn no_name_is_in_a_metric_or_a_url() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    operator.get(&format!("/api/v1/ledger/{PERSON}/open"));
    operator.get(&format!("/{PERSON}"));
    operator.get(&format!("/api/v1/{PERSON}"));
    operator.post("/api/v1/session/password", &json!({"login": PERSON, "password": PERSON}));
    let metrics = rig.get("/metrics").text();
    for word in [PERSON, "operator", "127.0.0.1", PASSWORD] {
        assert!(!metrics.contains(word), "{word}: {metrics}");
    }
    assert!(metrics.contains("weir_records_total 7\n"));
    assert!(metrics.contains("weir_desk_requests_total{route=\"/api/v1/session/password\",method=\"POST\",status=\"200\"}"));
    assert!(metrics.contains("route=\"console\",method=\"GET\",status=\"404\""));
}

#[test]
fn unusually_many_questions_are_noticed() {
    let rig = Rig::with(Tls::Clear, Times::default(), |_, desk| desk.mass_read = 9);
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let noticed = |browser: &mut Browser<'_>| browser.get("/api/v1/overview").text().contains("mass-read");
    let question = json!({"public": "203.0.113.7:1", "at": "2026-11-22T10:00:00+08:00"});
    assert_eq!(operator.post("/api/v1/lookup", &json!({"questions": vec![question; 6], "purpose": "drill"})).status, 200);
    assert_eq!(operator.post("/api/v1/records/search", &json!({"kind": "session"})).status, 200);
    assert_eq!(operator.post("/api/v1/sql", &json!({"statement": "SELECT 1"})).status, 200);
    let export = json!({"kind": "session", "format": "csv", "reason": "for a test"});
    assert_eq!(operator.post("/api/v1/records/export", &export).status, 200);
    assert!(!noticed(&mut operator));
    assert_eq!(operator.post("/api/v1/records/search", &json!({"kind": "session"})).status, 200);
    assert!(noticed(&mut operator));
}
