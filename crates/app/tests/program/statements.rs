//! Statements of SQL that would not end: their time, whoever asked going away, the program's stop. Each is in the ledger twice, whatever became of it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::{Browser, desk_of};
use crate::common::{Running, Socket, at, code, config, ledger, now_ms, text};

const PASSWORD: &str = "correct horse battery";

/// Counts to a number that no machine reaches.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 4000000000000000000)";

/// Statements that the program runs at once.
const AT_ONCE: usize = 4;

fn start(data: &Path, set: &[&str]) -> Running {
    Running::start(data, &config("minimal.toml"), set)
}

fn operator(running: &Running) -> Browser {
    let mut admin = Browser::new(desk_of(&running.data));
    admin.accept(&fs::read_to_string(running.data.join("desk-link")).unwrap(), "first", PASSWORD);
    admin.enrol();
    let link = admin.invite("operator");
    let mut operator = Browser::new(desk_of(&running.data));
    operator.accept(&link, "operator", PASSWORD);
    operator.enrol();
    operator
}

fn sql(statement: &str) -> Value {
    json!({ "op": "sql", "statement": statement })
}

/// Waits until so many statements are under way.
fn until(running: &Running, statements: usize) {
    let mut socket = running.socket();
    while socket.call(json!({ "op": "health" }))["ok"]["statements"] != json!(statements) {}
}

/// How often a statement was begun, and each of its ends.
fn ends(data: &Path) -> (usize, Vec<String>) {
    let rows: Vec<Value> = ledger(data).into_iter().filter(|r| r["act"] == "sql").collect();
    assert!(rows.iter().all(|r| r["purpose"] == "sql" && (r["answer"] != "begun" || r["rows"] == 0)), "{rows:?}");
    let (begun, ended): (Vec<_>, Vec<_>) = rows.iter().map(|r| r["answer"].as_str().unwrap().to_owned()).partition(|a| a == "begun");
    (begun.len(), ended)
}

#[test]
fn what_takes_too_long_or_too_much_ends_with_a_word_about_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), &["desk.sql_max=1s"]);
    let five = "SELECT count(*) FROM config_change a, config_change b, config_change c, config_change d, config_change e";
    for (statement, said) in [
        (ENDLESS.to_owned(), "the statement ran for 1 s and was ended"),
        (five.to_owned(), "was ended"),
        // So many that even a short table is too much.
        (format!("{five}, config_change f, config_change g, config_change h"), "was ended"),
        ("SELECT no_column FROM gap".to_owned(), "there is no column"),
    ] {
        let output = running.ask(&["sql", &statement]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(code(&output) == 2 && stderr.contains(said) && text(&output).is_empty(), "{statement}: {stderr}");
    }
    let output = running.ask(&["sql", "SELECT * FROM gaps"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("there is no table") && stderr.contains("nat_mapping") && !stderr.contains("docs/"), "{stderr}");
    assert_eq!(code(&running.ask(&["sql", "SELECT count(*) FROM config_change"])), 0);
    assert_eq!(running.stop(), 0);
    let (begun, ended) = ends(dir.path());
    assert_eq!((begun, ended.len()), (6, 6), "{ended:?}");
    assert_eq!(ended[0], "too-long");
    assert!(ended[1..3].iter().all(|e| e == "too-long" || e == "too-large"), "{ended:?}");
    assert_eq!(ended[3..], ["failed", "failed", "rows"]);
}

#[test]
fn a_statement_ends_with_its_connection_and_nothing_else_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), &[]);
    let mut operator = operator(&running);
    let mut socket = running.socket();
    let endless = json!({ "statement": ENDLESS });
    for round in 0..4 {
        let over_http: Vec<_> = (0..AT_ONCE / 2).map(|_| operator.begin("/api/v1/sql", &endless)).collect();
        let over_socket: Vec<_> = (0..AT_ONCE / 2)
            .map(|_| {
                let mut socket = running.socket();
                socket.send(format!("{}\n", sql(ENDLESS)).as_bytes());
                socket
            })
            .collect();
        until(&running, AT_ONCE);
        // As many as may be are under way.
        let refused = socket.call(sql("SELECT 1"));
        assert!(refused["error"]["what"].as_str().unwrap().contains("4 statements are under way already"), "{refused}");
        assert_eq!(operator.get("/readyz").status, 200);
        assert_eq!(operator.post("/api/v1/sql", &endless).problem(), (503, "unavailable".into()), "{round}");
        let question = json!({ "public": "198.18.0.9:4242", "at": at(now_ms() - 60_000), "protocol": "udp", "skew": "2s" });
        operator.post("/api/v1/lookup", &json!({ "questions": [question], "purpose": "operate" })).ok();
        drop((over_http, over_socket));
        until(&running, 0);
    }
    // Every place is free again.
    operator.post("/api/v1/sql", &json!({ "statement": "SELECT 1 AS n" })).ok();
    let missing = operator.post("/api/v1/sql", &json!({ "statement": "SELECT * FROM gaps" }));
    assert_eq!(missing.problem(), (400, "bad-request".into()));
    let chinese = operator.post_in_chinese("/api/v1/sql", &json!({ "statement": "SELECT * FROM gaps" }));
    assert!(chinese["detail"] == "语句中有一个名称不是任何表" && chinese["todo"].as_str().unwrap().starts_with("可用的表："), "{chinese}");
    assert_eq!(running.stop(), 0);
    let (begun, ended) = ends(dir.path());
    assert_eq!(begun, ended.len(), "{ended:?}");
    assert_eq!(ended.iter().filter(|e| *e == "cancelled").count(), 4 * AT_ONCE, "{ended:?}");
}

#[test]
fn the_program_stops_while_statements_run() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), &[]);
    let operator = operator(&running);
    let mut asked: Vec<Socket> = (0..AT_ONCE - 1)
        .map(|_| {
            let mut socket = running.socket();
            socket.send(format!("{}\n", sql(ENDLESS)).as_bytes());
            socket
        })
        .collect();
    let http = operator.begin("/api/v1/sql", &json!({ "statement": ENDLESS }));
    until(&running, AT_ONCE);
    assert_eq!(running.stop(), 0);
    for socket in &mut asked {
        let answer = socket.receive();
        assert!(answer["error"]["what"].as_str().unwrap().contains("the program stops"), "{answer}");
    }
    drop(http);
    let (begun, ended) = ends(dir.path());
    assert_eq!(begun, ended.len(), "{ended:?}");
    assert_eq!(ended.iter().filter(|e| *e == "cancelled").count(), AT_ONCE, "{ended:?}");
}

#[test]
fn the_ledger_has_a_statement_that_the_program_did_not_outlive() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), &[]);
    let mut sockets: Vec<Socket> = (0..AT_ONCE).map(|_| running.socket()).collect();
    sockets.iter_mut().for_each(|s| s.send(format!("{}\n", sql(ENDLESS)).as_bytes()));
    until(&running, AT_ONCE);
    running.kill();
    let (begun, ended) = ends(dir.path());
    assert_eq!(begun - ended.len(), AT_ONCE, "{ended:?}");
}
