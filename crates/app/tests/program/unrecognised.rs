//! Lines that no dialect understands: listed, narrowed, counted by sender and program, on the command line and at the desk, in the ledger.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Running, at, code, config, ledger, now_ms, parsed, text};
use crate::desk::{first, somebody};

const LISTEN: [&str; 2] = ["sources.syslog.listen_tcp=127.0.0.1:0", "sources.syslog.senders=[{name=\"hall\",addresses=[\"127.0.0.1\"]}]"];

/// A program with six lines, of which four are not understood; some sealed, some not.
fn with_lines(data: &Path) -> Running {
    let running = Running::start(data, &config("minimal.toml"), &LISTEN);
    let mut stream = TcpStream::connect(running.port("syslog_tcp")).unwrap();
    let mut say = |text: &str| stream.write_all(format!("<13>1 {} web-1 {text}\n", at(now_ms() - 60_000)).as_bytes()).unwrap();
    say("doord - - - door 7 opened for 192.0.2.77");
    say("sshd 1 - - Accepted password for alice from 192.0.2.7 port 50112 ssh2");
    say("doord - - - door 8 opened for 192.0.2.78");
    while running.records("maintenance").len() < 3 {}
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    say("lift - - - stuck at floor 3");
    say("doord - - - door 9 is jammed");
    say("sshd 2 - - Failed password for root from 192.0.2.7 port 50113 ssh2");
    while running.records("maintenance").len() < 6 {}
    running
}

fn rows(running: &Running, more: &[&str]) -> Vec<String> {
    let all = [&["records", "--kind", "maintenance", "--json"], more].concat();
    let answer = running.ask(&all);
    assert_eq!(code(&answer), 0, "{answer:?}");
    parsed(&answer).as_array().unwrap().iter().map(|r| r["line"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn lines_nobody_understands_are_listed_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let running = with_lines(dir.path());
    let missed = ["door 7 opened for <ADDR1>", "door 8 opened for <ADDR1>", "stuck at floor 3", "door 9 is jammed"];
    assert_eq!(rows(&running, &["--unrecognised"]), missed);
    assert_eq!(rows(&running, &["--unrecognised", "--limit", "2"]), missed[2..]);
    assert_eq!(rows(&running, &["--unrecognised", "--match", "door opened"]), missed[..2]);
    assert_eq!(rows(&running, &["--unrecognised", "--source", "hall"]), missed);
    assert_eq!(rows(&running, &["--source", "hall", "--match", "password"]).len(), 2);
    assert_eq!(rows(&running, &["--source", "hall", "--limit", "4"]).len(), 4);
    assert!(rows(&running, &["--unrecognised", "--from", &at(now_ms())]).is_empty());
    let table = parsed(&running.ask(&["sources", "--unrecognised", "--json"]));
    let got: Vec<_> = table.as_array().unwrap().iter().map(|r| (&r["sender"], &r["program"], &r["lines"], &r["example"])).collect();
    let (hall, doord, lift) = (json!("hall"), json!("doord"), json!("lift"));
    assert_eq!(got, [(&hall, &doord, &json!(3), &json!("door 9 is jammed")), (&hall, &lift, &json!(1), &json!("stuck at floor 3"))]);
    let shown = running.ask(&["sources", "--unrecognised", "--limit", "1"]);
    let (said, warned) = (text(&shown), String::from_utf8_lossy(&shown.stderr).into_owned());
    assert!(
        said.starts_with("sender  program  message  lines  last") && said.contains("door 9 is jammed") && !said.contains("lift"),
        "{said}"
    );
    assert!(warned.contains("--limit shows more"), "{warned}");
    assert_eq!(parsed(&running.ask(&["sources", "--unrecognised", "--to", &at(0), "--json"])), json!([]));
    // The statement that the documentation prints for who wants it otherwise.
    let page = include_str!("../../../../docs/sources/syslog.md");
    let statement = page.split_once("weir sql \"SELECT source, app").map(|(_, rest)| rest.split_once('"').unwrap().0).unwrap();
    let by_hand = parsed(&running.ask(&["sql", &format!("SELECT source, app{statement}"), "--json"]));
    let got: Vec<_> = by_hand.as_array().unwrap().iter().map(|r| (&r["app"], &r["lines"])).collect();
    assert_eq!(got, [(&doord, &json!(3)), (&lift, &json!(1))]);
    // What cannot be is told.
    for (args, what) in [
        (&["records", "--kind", "gap", "--unrecognised"][..], "--unrecognised is of log lines only"),
        (&["records", "--kind", "maintenance", "--source", "cellar"], "there is no source that --source names"),
        (&["sources", "--unrecognised", "--from", &at(9), "--to", &at(8)], "--from is after --to"),
        (&["sources", "--unrecognised", "--limit", "0"], "--limit is out of range"),
        (&["sources", "--limit", "3"], "--unrecognised"),
    ] {
        let refused = running.ask(args);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(code(&refused) == 2 && said.contains(what), "{args:?}: {said}");
    }
    assert_eq!(running.stop(), 0);
    // All of it stands in the ledger: lists as lists do, the count before it reads and when it has ended.
    let entries: Vec<(String, String, u64)> = ledger(dir.path())
        .iter()
        .map(|q| (q["act"].as_str().unwrap().to_owned(), q["answer"].as_str().unwrap().to_owned(), q["rows"].as_u64().unwrap()))
        .collect();
    for want in [("records", "rows", 4), ("records", "begun", 0), ("records", "rows", 2), ("records", "rows", 1)] {
        assert!(entries.iter().any(|(act, answer, rows)| (act.as_str(), answer.as_str(), *rows) == want), "{want:?}: {entries:?}");
    }
}

#[test]
fn the_desk_lists_them_too() {
    let dir = tempfile::tempdir().unwrap();
    let running = with_lines(dir.path());
    let mut admin = first(&running);
    let mut operator = somebody(&running, &mut admin, "operator");
    let lines = |found: &Value| -> Vec<String> {
        found["rows"].as_array().unwrap().iter().map(|r| r["line"].as_str().unwrap().to_owned()).collect()
    };
    let search = json!({ "kind": "maintenance", "unrecognised": true, "limit": 3 });
    let found = operator.post("/api/v1/records/search", &search).ok();
    assert_eq!(
        (lines(&found), &found["more"]),
        (vec!["door 9 is jammed".into(), "stuck at floor 3".into(), "door 8 opened for <ADDR1>".into()], &json!(true))
    );
    let number = found["rows"][0]["source"].clone();
    let both = json!({ "kind": "maintenance", "unrecognised": true, "match": "opened", "source": number });
    assert_eq!(lines(&operator.post("/api/v1/records/search", &both).ok()).len(), 2);
    let none = json!({ "kind": "maintenance", "unrecognised": true, "source": 999 });
    assert!(lines(&operator.post("/api/v1/records/search", &none).ok()).is_empty());
    let wrong: Value =
        serde_json::from_slice(&operator.post("/api/v1/records/search", &json!({ "kind": "gap", "unrecognised": true })).body).unwrap();
    assert!(wrong["field"] == "unrecognised" && wrong["detail"].as_str().unwrap().contains("of log lines only"), "{wrong}");
    assert_eq!(running.stop(), 0);
}
