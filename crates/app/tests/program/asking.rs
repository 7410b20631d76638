//! Questions: exit codes, JSON, the socket.

use serde_json::{Value, json};

use crate::common::{Running, at, code, have, ledger, now_ms, parsed, radclient, text, weir};

const NAMES: [&str; 4] = ["alice.example", "bob.example", "999-0001", "999-0002"];

/// Two sessions on two plain addresses: one that ended, one that goes on.
fn with_sessions(running: &Running) -> bool {
    if !have("radclient", "a login and the look-up of its address") {
        return false;
    }
    let now = now_ms() / 1_000;
    let secret = running.data.join("radius.secret");
    let session = |id: u32, name: &str, caller: &str, address: &str, status: &str, at: i64| {
        let packet = format!(
            "Acct-Session-Id = \"s-{id}\", User-Name = \"{name}\", Calling-Station-Id = \"{caller}\", NAS-IP-Address = 192.0.2.1, \
             NAS-Identifier = \"bras-1\", Framed-IP-Address = {address}, Acct-Status-Type = {status}, Event-Timestamp = {at}\n"
        );
        assert!(radclient(running.port("radius"), &secret, &packet), "{status} is answered");
    };
    session(1, NAMES[0], NAMES[2], "203.0.113.7", "Start", now - 120);
    session(1, NAMES[0], NAMES[2], "203.0.113.7", "Stop", now - 60);
    session(2, NAMES[1], NAMES[3], "203.0.113.8", "Start", now - 90);
    session(2, NAMES[1], NAMES[3], "203.0.113.8", "Interim-Update", now);
    true
}

#[test]
fn a_login_over_radclient_names_its_subscriber_and_no_account_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    if !with_sessions(&running) {
        return;
    }
    let now = now_ms();
    for (address, before, session) in [("203.0.113.7", 90_000, "s-1"), ("203.0.113.8", 45_000, "s-2")] {
        let output = running.ask(&["lookup", "--public", address, "--at", &at(now - before), "--json", "--explain"]);
        assert_eq!(code(&output), 0, "{}", text(&output));
        let answer = parsed(&output);
        assert_eq!((&answer["answer"], &answer["skew"]), (&json!("one"), &json!("2s")));
        let candidate = &answer["candidates"][0];
        assert_eq!((&candidate["realm"], &candidate["session"]["id"]), (&json!("home"), &json!(session)));
        assert_eq!(candidate["mapping"], Value::Null);
        assert_eq!(candidate["subscriber"].as_str().unwrap().len(), 32);
        assert!(answer["explain"].as_str().unwrap().contains("pages"));
    }
    // After a seal the same answer comes from the sealed unit.
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let output = running.ask(&["lookup", "--public", "203.0.113.7", "--at", &at(now - 90_000), "--json"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    let seen = [
        text(&output),
        text(&running.ask(&["records", "--kind", "radius_session", "--json"])),
        text(&running.ask(&["sql", "SELECT * FROM radius_session", "--json"])),
        text(&running.ask(&["sources", "--json"])),
    ]
    .concat();
    NAMES.iter().for_each(|name| assert!(!seen.contains(name), "{name} is shown"));
    let rows = parsed(&running.ask(&["records", "--kind", "radius_session", "--json"]));
    assert_eq!(rows.as_array().unwrap().len(), 4);
    assert_ne!(rows[0]["framed_ipv4"], json!("203.0.113.7"), "an identifier is masked");
    assert_eq!(rows[0]["nas_identifier"], json!("bras-1"));
    let count = parsed(&running.ask(&["sql", "SELECT count(*) AS n FROM radius_session WHERE status = 1", "--json"]));
    assert_eq!(count[0]["n"], json!(2));
}

#[test]
fn exit_codes_say_what_the_answer_is() {
    let dir = tempfile::tempdir().unwrap();
    let now = now_ms();
    let data = dir.path().to_str().unwrap();
    let past = at(now - 90_000);
    let nobody = weir(&["lookup", "--public", "203.0.113.7", "--at", &past, "--data", data]);
    assert_eq!(code(&nobody), 1, "no program runs there");
    let lines = String::from_utf8_lossy(&nobody.stderr).lines().count();
    assert_eq!(lines, 2, "one line what, one line what to do");

    let running = Running::minimal(dir.path());
    let future = at(now + 3_600_000);
    for (args, want) in [
        (vec!["--public", "203.0.113.7:99999", "--at", &past], 2),
        (vec!["--public", "203.0.113.7", "--at", "yesterday"], 2),
        (vec!["--public", "203.0.113.7"], 2),
        (vec!["--public", "203.0.113.7", "--at", &past, "--skew", "2h"], 2),
        (vec!["--public", "203.0.113.7", "--at", &past, "--purpose", "curiosity"], 2),
        (vec!["--public", "203.0.113.7", "--at", &past, "--purpose", "drill"], 2),
        (vec!["--public", "203.0.113.7:40123", "--protocol", "tcp", "--at", &past], 3),
        (vec!["--public", "198.18.0.7", "--at", &past, "--purpose", "drill"], 3),
        (vec!["--public", "203.0.113.7", "--at", &future], 5),
    ] {
        let output = running.ask(&[&["lookup"], args.as_slice()].concat());
        assert_eq!(code(&output), want, "{args:?}: {}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    }
    // The ledger has what reached the program: the refused drill too, and nothing of what was no question.
    assert_eq!(running.stop(), 0);
    let mut answers: Vec<String> = ledger(dir.path()).iter().map(|r| r["answer"].as_str().unwrap().to_owned()).collect();
    answers.retain(|a| a != "rows");
    assert_eq!(answers, ["refused", "none", "none", "unknown"]);
    let running = Running::minimal(dir.path());
    for args in [
        &["records", "--kind", "binding"][..],
        &["records", "--kind", "nothing"],
        &["sql", "DROP TABLE gap"],
        &["records", "--kind", "gap", "--limit", "0"],
    ] {
        let output = running.ask(args);
        assert_eq!(code(&output), 2, "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn requests_that_lie_ready_are_answered_in_order_with_one_commit() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut socket = running.socket();
    let groups = |socket: &mut crate::common::Socket| socket.call(json!({ "op": "health" }))["ok"]["sequenced"].as_u64().unwrap();
    let before = groups(&mut socket);
    let question = json!({ "public": "198.18.0.9:4242", "protocol": "udp", "at": at(now_ms() - 5_000) });
    let mut lines = String::new();
    for id in 0..500 {
        let request = match id % 100 {
            7 => json!({ "id": id, "op": "dance" }),
            9 => json!({ "id": id, "op": "lookup", "questions": [question, { "public": "x", "at": "y" }], "purpose": "drill" }),
            _ => json!({ "id": id, "op": "lookup", "question": question, "purpose": "drill" }),
        };
        lines.push_str(&format!("{request}\n"));
    }
    socket.send(lines.as_bytes());
    for id in 0..500 {
        let answer = socket.receive();
        assert_eq!(answer["id"], json!(id));
        match id % 100 {
            7 => assert_eq!(answer["error"]["code"], json!(2)),
            9 => {
                assert_eq!(answer["ok"][0]["answer"], json!("none"));
                assert_eq!(answer["ok"][1]["error"]["code"], json!(2));
            }
            _ => assert_eq!(answer["ok"]["answer"], json!("none")),
        }
    }
    let groups = groups(&mut socket) - before;
    assert!((1..100).contains(&groups), "{groups} commits for 500 requests");
    assert_eq!(running.stop(), 0);
    assert_eq!(ledger(dir.path()).len(), 495 + 5);
}

#[test]
fn an_endless_request_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let mut socket = running.socket();
    socket.send(&vec![b'x'; (4 << 20) + 1]);
    let answer = socket.receive();
    assert!(answer["error"]["what"].as_str().unwrap().contains("longer than"), "{answer}");
    assert!(running.socket().call(json!({ "id": 1, "op": "health" }))["ok"].is_object(), "others are served");
}
