//! Over HTTP: links in two halves, signing in again, words in bodies, problems in Chinese.

use serde_json::{Value, json};
use weir_base::task::lock;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::OperatorAction;

use crate::client::send;
use crate::rig::{PASSWORD, Rig};

#[test]
fn a_link_that_two_persons_decided_on_needs_the_code_of_who_confirmed() {
    let rig = Rig::new();
    let staff = rig.staff();
    let (mut asker, mut other) = (staff.signed_in("system-admin"), staff.signed_in("security-admin"));
    let asked = asker.post("/api/v1/accounts", &json!({"display": "New", "roles": ["reviewer"], "reason": "one more is needed"})).json();
    let id = asked["approval"].as_str().unwrap().to_owned();
    let digest = other.get(&format!("/api/v1/approvals/{id}")).json()["digest"].clone();
    let confirmed = other.post(&format!("/api/v1/approvals/{id}/confirm"), &json!({"digest": digest})).json();
    let code = confirmed["code"].as_str().unwrap().to_owned();
    assert_eq!((code.len(), &confirmed["state"]), (9, &json!("used")), "{confirmed}");
    let list = other.get("/api/v1/approvals").text() + &asker.get("/api/v1/approvals").text();
    assert!(!list.contains(&code), "shown once, and never to who asked");
    let link = asker.get(&format!("/api/v1/approvals/{id}/result")).json()["link"].as_str().unwrap().to_owned();
    assert_eq!(other.get(&format!("/api/v1/approvals/{id}/result")).code(), "not-found");

    let mut new = rig.browser().open();
    let seen = new.post("/api/v1/invitations/open", &json!({"token": link})).json();
    assert_eq!((&seen["display"], &seen["code_needed"], &seen["recovers"]), (&json!("New"), &json!(true), &json!(false)));
    let mut accept = |code: Option<&str>| {
        rig.clock.advance(10_000);
        let body = json!({"token": link, "login": "new", "display": "New", "password": PASSWORD, "code": code});
        new.post("/api/v1/invitations/accept", &body)
    };
    let missing = accept(None);
    assert_eq!((missing.status, missing.code().as_str()), (403, "code-needed"));
    let wrong = accept(Some("0000-0000"));
    assert_eq!((wrong.status, wrong.code().as_str()), (403, "code-wrong"));
    assert_eq!(accept(Some(&code.to_lowercase())).status, 200);
    // Once; and who comes late is told so, however often, without being taken for somebody who guesses.
    for _ in 0..12 {
        let late = accept(Some(&code));
        assert_eq!((late.status, late.code().as_str()), (410, "link-used"), "{}", late.text());
        assert!(late.text().contains("This link was used"), "{}", late.text());
    }
}

#[test]
fn who_confirms_or_refuses_without_the_role_is_recorded_though_the_door_stops_them() {
    let rig = Rig::new();
    let staff = rig.staff();
    let (mut asker, mut operator) = (staff.signed_in("system-admin"), staff.signed_in("operator"));
    let asked = asker.post("/api/v1/accounts", &json!({"display": "New", "roles": ["reviewer"], "reason": "one more is needed"})).json();
    let path = format!("/api/v1/approvals/{}", asked["approval"].as_str().unwrap());
    let digest = asker.get(&path).json()["digest"].clone();
    for browser in [&mut asker, &mut operator] {
        assert_eq!(browser.post(&format!("{path}/confirm"), &json!({"digest": digest})).code(), "not-allowed");
        assert_eq!(browser.post(&format!("{path}/refuse"), &json!({"reason": "not like this"})).code(), "not-allowed");
    }
    assert_eq!(operator.post("/api/v1/approvals/nothing/confirm", &json!({"digest": digest})).status, 403);
    let groups = lock(&rig.sink.groups);
    let batches = groups.iter().flat_map(|g| &g.batches).filter(|(kind, _)| *kind == Kind::OperatorAction);
    let rows = batches.flat_map(|(_, batch)| OperatorAction::rows(batch));
    let told: Vec<String> = rows.filter(|r| r.result == "not-allowed").map(|r| format!("{} {}", r.action, r.actor)).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("desk-approval-confirm account:") && told[1].starts_with("desk-approval-refuse account:"), "{told:?}");
    assert!(told[0] != told[2] && told[1] != told[3], "by whom: {told:?}");
}

#[test]
fn a_sign_in_that_is_ten_minutes_old_changes_no_factors_until_it_is_renewed() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    let token = json!({"name": "t", "scope": ["overview.read"], "days": 1});
    assert_eq!(operator.post("/api/v1/me/tokens", &token).status, 200);
    rig.clock.advance(10 * 60_000);
    for (method, path) in [
        ("POST", "/api/v1/me/tokens"),
        ("POST", "/api/v1/me/totp/begin"),
        ("DELETE", "/api/v1/me/totp"),
        ("POST", "/api/v1/me/passkeys/begin"),
    ] {
        let refused = operator.ask(method, path, &token);
        assert_eq!((refused.status, refused.code().as_str()), (403, "sign-in-again"), "{method} {path}");
    }
    assert_eq!(operator.post("/api/v1/me/again", &json!({"password": "not this one at all"})).code(), "wrong-credentials");
    let before = operator.cookie.clone();
    assert_eq!(operator.post("/api/v1/me/again", &json!({"password": PASSWORD})).code(), "factor-needed", "both factors");
    let again = operator.post("/api/v1/me/again", &json!({"password": PASSWORD, "code": rig.code("operator")}));
    assert_eq!(again.status, 200, "{}", again.text());
    assert_ne!(operator.cookie, before);
    assert_eq!(operator.post("/api/v1/me/tokens", &token).status, 200);
    assert_eq!(operator.get("/api/v1/me/tokens").json().as_array().unwrap().len(), 2);
}

#[test]
fn words_that_are_searched_for_stand_in_no_url() {
    let rig = Rig::new();
    let staff = rig.staff();
    let mut operator = staff.signed_in("operator");
    assert_eq!(operator.get("/api/v1/records?kind=maintenance&match=zhang").status, 404);
    assert_eq!(operator.post("/api/v1/records/search", &json!({"kind": "maintenance", "match": "zhang", "limit": 5})).status, 200);
    let document = rig.get("/api/v1/openapi.json").json();
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let queries = parameters.iter().filter(|p| p["in"] == "query").filter_map(|p| p["name"].as_str());
        let known = ["minutes", "from", "to", "actor", "act", "limit", "code", "state", "iss", "error"];
        queries.for_each(|name| assert!(known.contains(&name), "{path}?{name}: may it name somebody? Then it goes into a body"));
    }
    assert!(lock(&rig.program.asked).iter().any(|(what, _)| *what == "records"));
}

#[test]
fn problems_come_in_the_language_that_is_asked_for() {
    let rig = Rig::new();
    let host = rig.host();
    let ask = |language: &str| send(rig.address(), "GET", "/api/v1/overview", &[("Host", &host), ("Accept-Language", language)], b"");
    let said = |language: &str| {
        let reply = ask(language);
        let problem = reply.json();
        let text = |name: &str| problem[name].as_str().unwrap().to_owned();
        (reply.code(), text("title"), text("detail"), text("todo"), reply.header("content-language").map(str::to_owned))
    };
    let english = said("en-GB,zh;q=0.5");
    assert_eq!((english.1.as_str(), english.4.as_deref()), ("Not signed in", None));
    for language in ["zh", "zh-CN,zh;q=0.9,en;q=0.8", " ZH-hans"] {
        let chinese = said(language);
        assert_eq!(chinese.0, english.0);
        assert_eq!((chinese.1.as_str(), chinese.3.as_str(), chinese.4.as_deref()), ("尚未登录", "请登录。", Some("zh")), "{language}");
    }
    assert_eq!(ask("").json()["title"], "Not signed in");
    let nowhere = send(rig.address(), "GET", "/api/v1/nowhere", &[("Host", &host), ("Accept-Language", "zh")], b"");
    assert_eq!((nowhere.status, &nowhere.json()["title"]), (404, &Value::from("未找到")));
}

#[test]
fn a_log_lines_text_is_for_who_may_open_it() {
    let rig = Rig::new();
    let staff = rig.staff();
    let path = format!("/api/v1/records/{}/text", "0".repeat(32));
    let open = json!({"time": "2026-11-22T10:00:00Z", "reason": "a line that the mask hides"});
    assert_eq!(staff.signed_in("operator").post(&path, &open).code(), "not-allowed");
    let mut auditor = staff.signed_in("audit-admin");
    assert_eq!(auditor.post(&path, &open).json()["text"], crate::backend::PERSON);
    assert_eq!(auditor.post("/api/v1/records/x/text", &open).status, 404);
    assert!(lock(&rig.program.asked).iter().any(|(what, who)| *what == "text_open" && who.starts_with("account:")));
}
