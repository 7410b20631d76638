//! The desk on the real binary: the first link, accounts, a look-up that is the same as on the command line, the ledger, exports, a change of
//! settings that two persons make, a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use weir_base::crypto::sha256;

use crate::browser::{Browser, desk_of, totp};
use crate::common::{Running, WEIR, at, code, now_ms, parsed, text};

const PASSWORD: &str = "correct horse battery";

/// The first account by the link in the data folder.
pub fn first(running: &Running) -> Browser {
    let link = fs::read_to_string(running.data.join("desk-link")).unwrap();
    let mut admin = Browser::new(desk_of(&running.data));
    assert_eq!(admin.session()["setup"], true);
    let session = admin.accept(&link, "first", PASSWORD);
    assert_eq!((&session["next"], &session["setup"]), (&json!("enrol"), &json!(false)), "{session}");
    admin.enrol();
    admin
}

/// Somebody new, invited during set-up.
pub fn somebody(running: &Running, admin: &mut Browser, role: &str) -> Browser {
    let link = admin.invite(role);
    let mut browser = Browser::new(desk_of(&running.data));
    let session = browser.accept(&link, role, PASSWORD);
    if session["next"] == "enrol" {
        browser.enrol();
    }
    assert_eq!(browser.session()["account"]["roles"], json!([role]));
    browser
}

fn question(port: u16) -> Value {
    json!({ "public": format!("198.18.0.9:{port}"), "at": at(now_ms() - 60_000), "protocol": "udp", "skew": "2s" })
}

#[test]
fn the_first_link_makes_an_account_once_and_goes() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let file = dir.path().join("desk-link");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let link = fs::read_to_string(&file).unwrap();
    assert!(link.starts_with(&format!("http://localhost:{}/#/welcome/", desk_of(dir.path()).port())), "{link}");
    let shown = running.banner.join("\n");
    assert!(shown.contains("desk-link") && !shown.contains(link.trim()), "the link is printed by the demonstration alone: {shown}");
    let mut admin = first(&running);
    let again = json!({ "token": link.trim().rsplit('/').next().unwrap(), "login": "second", "display": "S", "password": PASSWORD });
    let refused = Browser::new(desk_of(dir.path())).post("/api/v1/invitations/accept", &again);
    assert!(refused.status >= 400, "{refused:?}");
    // A system administrator sees states, and no record of anybody.
    let overview = admin.get("/api/v1/overview").ok();
    assert_eq!(overview["store"]["full"], false);
    assert!(overview["measures"].as_array().unwrap().iter().any(|m| m["name"] == "radius" && m["state"] == "running"), "{overview}");
    assert_eq!(
        admin.post("/api/v1/lookup", &json!({ "questions": [question(1)], "purpose": "operate" })).problem(),
        (403, "not-allowed".into())
    );
    assert_eq!(Browser::new(desk_of(dir.path())).get("/api/v1/overview").problem(), (401, "not-signed-in".into()));
    assert_eq!(running.stop(), 0);
    assert!(!file.exists(), "the link was used");
}

#[test]
fn a_look_up_at_the_desk_is_the_one_of_the_command_line_and_both_are_in_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let mut auditor = somebody(&running, &mut admin, "audit-admin");
    let asked = question(4242);
    let answers =
        operator.post("/api/v1/lookup", &json!({ "questions": [asked, { "public": "x", "at": "y" }], "purpose": "operate" })).ok();
    let text_of = |key: &str| asked[key].as_str().unwrap();
    let own = running.ask(&["lookup", "--json", "--public", text_of("public"), "--at", text_of("at"), "--protocol", "udp"]);
    assert_eq!(code(&own), 3);
    let mut first = answers["answers"][0].clone();
    let zh = first.as_object_mut().unwrap().remove("reason_zh").unwrap();
    assert_eq!(first, parsed(&own), "the desk and the command line");
    assert!(zh.is_string() && zh != first["reason"], "{zh}");
    let todo = &answers["answers"][1]["error"]["todo"];
    assert!(todo["en"].is_string() && todo["zh"].as_str().unwrap().contains("请"), "{answers}");
    // What was pasted is read, and nothing is asked.
    let read = operator.post("/api/v1/lookup/read", &json!({ "text": "198.18.0.9:4242 2026-11-22 10:00:00", "zone": "+08:00" })).ok();
    assert_eq!(read["lines"][0]["question"]["at"], "2026-11-22T10:00:00.000+08:00");
    let ledger = auditor.get("/api/v1/ledger?act=lookup").ok();
    let entries = ledger["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 3, "{ledger}");
    let (mine, theirs): (Vec<&Value>, Vec<&Value>) = entries.iter().partition(|e| e["actor"].as_str().unwrap().starts_with("account:"));
    assert_eq!((mine.len(), theirs.len()), (2, 1), "{ledger}");
    assert_eq!((&mine[0]["display"], &theirs[0]["display"]), (&json!("New operator"), &json!("owner")), "{ledger}");
    let good = mine.iter().find(|e| e["answer"] == "none").unwrap();
    let open = format!("/api/v1/ledger/{}/open", good["id"].as_str().unwrap());
    let opened = auditor.post(&open, &json!({ "reason": "a check of the month" })).ok();
    assert!(opened["target"].as_str().unwrap().contains("198.18.0.9:4242"), "{opened}");
    assert_eq!(auditor.post(&open, &json!({ "reason": "x" })).problem(), (400, "bad-request".into()));
    let ledger = auditor.get("/api/v1/ledger").ok();
    let acts: Vec<&str> = ledger["entries"].as_array().unwrap().iter().map(|e| e["act"].as_str().unwrap()).collect();
    assert!(acts.contains(&"ledger-open") && acts.contains(&"ledger-read"), "{acts:?}");
    assert_eq!(operator.get("/api/v1/ledger").problem().0, 403);
    assert_eq!(auditor.post("/api/v1/sql", &json!({ "statement": "SELECT 1" })).problem().0, 403);
}

#[test]
fn records_and_exports_are_masked_streamed_and_ledgered() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let mut auditor = somebody(&running, &mut admin, "audit-admin");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let page = operator.post("/api/v1/records/search", &json!({"kind": "config_change", "limit": 10})).ok();
    assert_eq!((page["rows"].as_array().unwrap().len(), &page["more"]), (10, &json!(true)));
    let all = operator.post("/api/v1/records/search", &json!({"kind": "config_change", "limit": 1000})).ok();
    let rows = all["rows"].as_array().unwrap().len();
    assert!(rows > 20 && all["more"] == false, "{rows}");
    for (format, want) in [("csv", rows + 1), ("jsonl", rows)] {
        let export = json!({ "kind": "config_change", "format": format, "reason": "the yearly report" });
        let answer = operator.post("/api/v1/records/export", &export);
        assert_eq!(answer.status, 200, "{answer:?}");
        let lines = String::from_utf8(answer.body).unwrap();
        assert_eq!(lines.lines().count(), want, "{format}: {lines}");
    }
    let sql = operator.post("/api/v1/sql", &json!({ "statement": "SELECT count(*) AS n FROM config_change" })).ok();
    assert_eq!(sql["rows"][0]["n"], json!(rows));
    let ledger = auditor.get("/api/v1/ledger?act=export").ok();
    let steps: Vec<_> = ledger["entries"].as_array().unwrap().iter().map(|e| (e["answer"].clone(), e["rows"].clone())).collect();
    assert_eq!(steps.iter().filter(|s| **s == (json!("begun"), json!(0))).count(), 2, "{steps:?}");
    assert_eq!(steps.iter().filter(|s| **s == (json!("rows"), json!(rows))).count(), 2, "{steps:?}");
    let kinds = operator.get("/api/v1/records/kinds").ok();
    assert!(kinds.as_array().unwrap().iter().all(|k| k["name"] != "binding"));
    let guides = operator.get("/api/v1/sources/guides").ok();
    let port = running.port("ipfix_udp").port().to_string();
    assert!(guides.as_array().unwrap().iter().any(|g| g["commands"].as_str().unwrap().contains(&port)), "{guides}");
}

#[test]
fn a_log_lines_text_is_opened_with_a_reason_and_the_ledger_has_it_first() {
    let dir = tempfile::tempdir().unwrap();
    let listen = ["sources.syslog.listen=127.0.0.1:0", "sources.syslog.listen_tcp=127.0.0.1:0"];
    let running = Running::start(dir.path(), &crate::common::config("minimal.toml"), &listen);
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let mut auditor = somebody(&running, &mut admin, "audit-admin");
    let mut stream = std::net::TcpStream::connect(running.port("syslog_tcp")).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"<38>Nov 22 10:00:00 gate sshd[7]: Accepted password for alice from 192.0.2.7 port 50112 ssh2\n",
    )
    .unwrap();
    let row = loop {
        if let Some(row) = running.records("maintenance").into_iter().find(|r| r["line"].as_str().unwrap().contains("Accepted")) {
            break row;
        }
    };
    assert!(!row.to_string().contains("alice"), "{row}");
    let path = format!("/api/v1/records/{}/text", row["text"].as_str().unwrap());
    let open = json!({ "time": row["time"], "reason": "who got in at ten" });
    for sealed in [false, true] {
        if sealed {
            assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
        }
        let text = auditor.post(&path, &open).ok();
        assert!(text["text"].as_str().unwrap().contains("for alice from 192.0.2.7"), "{text}");
    }
    assert_eq!(operator.post(&path, &open).problem(), (403, "not-allowed".into()));
    assert_eq!(auditor.post(&path, &json!({ "time": row["time"], "reason": "x" })).problem(), (400, "bad-request".into()));
    let nobody = format!("/api/v1/records/{}/text", "0".repeat(32));
    assert_eq!(auditor.post(&nobody, &open).problem(), (404, "not-found".into()));
    let ledger = auditor.get("/api/v1/ledger?act=text").ok();
    let entries = ledger["entries"].as_array().unwrap();
    assert_eq!(entries.iter().map(|e| e["answer"].as_str().unwrap()).collect::<Vec<_>>(), ["failed", "rows", "rows"], "{ledger}");
    let opened = auditor.post(&format!("/api/v1/ledger/{}/open", entries[1]["id"].as_str().unwrap()), &json!({ "reason": "a check" })).ok();
    assert!(opened["target"].as_str().unwrap().contains("who got in at ten"), "{opened}");
}

#[test]
fn a_change_that_could_stop_a_measure_takes_two_persons() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut security = somebody(&running, &mut admin, "security-admin");
    let change = |admin: &mut Browser, path: &str, value: &str, approval: Option<&str>| {
        let body = json!({ "changes": { path: value }, "reason": "radius moves to another machine", "approval": approval });
        admin.post("/api/v1/settings", &body)
    };
    let waits = change(&mut admin, "measures.radius", "false", None).ok();
    assert_eq!(waits["state"], "waits", "{waits}");
    let id = waits["approval"].as_str().unwrap().to_owned();
    let set = |id: &str, value: &str| {
        let change = format!("measures.radius={value}");
        running.ask(&["settings", "set", &change, "--reason", "radius moves away", "--approval", id])
    };
    assert_eq!(code(&set(&id, "false")), 1, "nobody has confirmed it");
    let approval = security.get(&format!("/api/v1/approvals/{id}")).ok();
    let digest = json!({ "digest": approval["digest"] });
    assert!(admin.post(&format!("/api/v1/approvals/{id}/confirm"), &digest).status >= 400, "the one who asks never confirms");
    security.post(&format!("/api/v1/approvals/{id}/confirm"), &digest).ok();
    let done = set(&id, "false");
    assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
    let kept = "Kept is the reason that was confirmed: radius moves to another machine";
    assert!(text(&done).contains(kept), "another reason is not kept, and that is said: {}", text(&done));
    assert_ne!(code(&set(&id, "false")), 0, "it was used");
    let overview = security.get("/api/v1/overview").ok();
    assert!(overview["notices"].as_array().unwrap().iter().any(|n| n["code"] == "settings-pending"), "{overview}");
    // Changed content voids what was confirmed.
    let waits = change(&mut admin, "measures.syslog", "false", None).ok();
    let id = waits["approval"].as_str().unwrap().to_owned();
    let digest = json!({ "digest": security.get(&format!("/api/v1/approvals/{id}")).ok()["digest"] });
    security.post(&format!("/api/v1/approvals/{id}/confirm"), &digest).ok();
    assert!(change(&mut admin, "measures.ipfix", "false", Some(&id)).status >= 400);
    assert!(change(&mut admin, "measures.syslog", "false", Some(&id)).status >= 400, "it is void");
    assert_eq!(running.stop(), 0);
    let running = Running::minimal(dir.path());
    let measures = parsed(&running.ask(&["measures", "--json"]));
    let names: Vec<&str> = measures.as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert!(!names.contains(&"radius") && names.contains(&"ipfix"), "{names:?}");
}

#[test]
fn accounts_outlive_a_restart_and_sessions_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut operator = Browser::new(desk_of(&running.data));
    operator.accept(&admin.invite("operator"), "operator", PASSWORD);
    let secret = operator.enrol();
    running.kill();
    let running = Running::minimal(dir.path());
    assert!(!dir.path().join("desk-link").exists(), "there is an account");
    drop((admin, operator));
    let mut again = Browser::new(desk_of(dir.path()));
    assert_eq!(again.session()["account"], Value::Null);
    let before = again.cookies();
    let wrong = json!({ "login": "operator", "password": "something else entirely" });
    assert_eq!(again.post("/api/v1/session/password", &wrong).problem(), (401, "wrong-credentials".into()));
    again.post("/api/v1/session/password", &json!({ "login": "operator", "password": PASSWORD })).ok();
    assert_eq!((&again.session()["account"], &again.session()["next"]), (&Value::Null, &json!("totp")), "half of it");
    // The step of the code that set it up is used: the next one is taken, half a minute early.
    again.post("/api/v1/session/totp", &json!({ "code": totp(&secret, now_ms() / 1_000 + 30) })).ok();
    assert_eq!(again.session()["account"]["login"], "operator");
    assert_ne!(again.cookies(), before, "a sign-in comes with a new cookie");
    let actions = running.records("operator_action");
    assert!(actions.iter().any(|a| a["actor"].as_str().unwrap().starts_with("account:")), "{actions:?}");
    let signed: Vec<Value> = running.records("authentication").into_iter().filter(|a| a["service"] == "weir").collect();
    assert!(signed.iter().any(|a| a["port"].as_u64().is_some_and(|p| p > 0)), "{signed:?}");
}

#[test]
fn metrics_and_probes_say_how_it_is_and_name_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut anybody = Browser::new(desk_of(dir.path()));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(anybody.get(path).status, 200, "{path}");
    }
    let metrics = anybody.get("/metrics");
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(
        metrics.status == 200 && text.contains("weir_log_entries ") && text.contains("weir_measure_up{measure=\"radius\"} 1"),
        "{text}"
    );
    let page = anybody.get("/api/v1/openapi.json").ok();
    let printed: Value = serde_json::from_slice(&Command::new(WEIR).args(["docs", "openapi"]).output().unwrap().stdout).unwrap();
    assert_eq!(page, printed);
    drop(running);
}

#[test]
fn a_desk_that_cannot_have_its_port_does_not_stop_the_records() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("desk.listen={}", taken.local_addr().unwrap());
    let running = Running::start(dir.path(), &crate::common::config("minimal.toml"), &[&listen]);
    assert!(running.banner.iter().any(|l| l.contains("the desk does not run")), "{:?}", running.banner);
    assert_eq!(code(&running.ask(&["sources"])), 0);
    assert!(running.records("operator_action").iter().any(|a| a["action"] == "desk-stopped"));
    assert_eq!(running.stop(), 0);
}

#[test]
fn the_demonstration_prints_a_link_that_opens_the_living_desk() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo");
    let mut command = Command::new(WEIR);
    command.args(["run", "--demo", "--data"]).arg(&data);
    let mut running = Running::wait(command, &data);
    let link = running.lines.by_ref().map(Result::unwrap).find(|l| l.contains("/#/welcome/")).unwrap();
    let mut admin = Browser::new(desk_of(Path::new(&data)));
    assert_eq!(admin.session()["unit"]["demo"], true);
    assert_eq!(admin.accept(&link, "me", PASSWORD)["next"], "enrol", "the program asks for a second factor here as everywhere");
    assert_eq!(admin.get("/api/v1/overview").problem(), (401, "factor-needed".into()));
    admin.enrol();
    assert!(admin.get("/api/v1/overview").ok()["store"].is_object());
    // The three things to try are printed once one of them answers: from then on the network lives.
    assert!(running.lines.by_ref().map(Result::unwrap).any(|l| l.contains(" lookup --public ")));
    assert!(text(&running.ask(&["sources"])).contains("nat-home"));
    assert_eq!(running.stop(), 0);
}

#[test]
fn the_ledger_names_a_file_of_questions_by_its_digest_and_how_many_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut admin = first(&running);
    let mut auditor = somebody(&running, &mut admin, "audit-admin");
    let content = format!("public,protocol,at\n{}", format!("198.18.0.9:4242,udp,{}\n", at(now_ms() - 60_000)).repeat(3));
    let file = dir.path().join("abuse.csv");
    fs::write(&file, &content).unwrap();
    // Nobody held it: such a file ends with 0.
    assert_eq!(code(&running.ask(&["lookup", "--batch", file.to_str().unwrap()])), 0);
    let ledger = auditor.get("/api/v1/ledger?act=lookup-batch").ok();
    let entries = ledger["entries"].as_array().unwrap();
    let digest: String = sha256(content.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut opened = |answer: &str| -> Value {
        let mut of = entries.iter().filter(|e| e["answer"] == answer);
        let (one, none) = (of.next().unwrap_or_else(|| panic!("{ledger}")), of.next());
        assert!(none.is_none() && one["rows"] == 3, "{ledger}");
        let open = format!("/api/v1/ledger/{}/open", one["id"].as_str().unwrap());
        let target = auditor.post(&open, &json!({ "reason": "a check of the month" })).ok()["target"].take();
        serde_json::from_str(target.as_str().unwrap()).unwrap()
    };
    let (begun, ended) = (opened("begun"), opened("ended"));
    assert_eq!((&begun["file_sha256"], &begun["rows"]), (&json!(digest), &json!(3)), "{begun}");
    assert_eq!((&ended["file_sha256"], &ended["answers"]["none"]), (&json!(digest), &json!(3)), "{ended}");
    assert_eq!(entries.len(), 2, "none for the questions: {ledger}");
    assert_eq!(running.stop(), 0);
}
