//! Many questions from a file: every line answered, nobody named, one record in the ledger before and one after.

use std::fs;

use serde_json::Value;
use weir_base::crypto::sha256;

use crate::common::{Running, at, code, ledger, now_ms, parsed, text};

/// Sessions of a day ago, one an address, and the file of questions about them.
const SESSIONS: usize = 2_500;

fn imported(running: &Running, dir: &std::path::Path) -> i64 {
    let began = now_ms() - 86_400_000;
    let sql = |ms: i64| at(ms)[..19].replace('T', " ");
    // The table tells of hours after all of them too: nobody had their addresses then.
    let later = format!("later,caller-later,{},{},100.65.0.1\n", sql(began + 10 * 3_600_000), sql(began + 11 * 3_600_000));
    let rows: String = (0..SESSIONS)
        .map(|i| format!("s{i},caller-{i},{},{},100.64.{}.{}\n", sql(began), sql(began + 3_600_000), i / 250, i % 250))
        .collect();
    let file = dir.join("past.csv");
    fs::write(&file, format!("acctsessionid,username,acctstarttime,acctstoptime,framedipaddress\n{rows}{later}")).unwrap();
    let done = running.ask(&["import", "freeradius-sql", file.to_str().unwrap()]);
    assert_eq!(code(&done), 0, "{}", String::from_utf8_lossy(&done.stderr));
    began
}

#[test]
fn a_file_of_questions_is_answered_line_by_line_under_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = imported(&running, dir.path());
    let mut lines: Vec<String> = (0..SESSIONS)
        .map(|i| format!("100.64.{}.{},{}", i / 250, i % 250, at(began + if i % 5 == 0 { 7_200_000 } else { 600_000 })))
        .collect();
    lines[7] = "100.64.0.7,yesterday".into();
    let file = dir.path().join("abuse.csv");
    let content = format!("public,at\n{}\n", lines.join("\n"));
    fs::write(&file, &content).unwrap();
    let path = file.to_str().unwrap();

    let answered = running.ask(&["lookup", "--batch", path, "--json", "--purpose", "security-event"]);
    let said = String::from_utf8_lossy(&answered.stderr).into_owned();
    assert_eq!(code(&answered), 1, "one line was refused: {said}");
    assert!(said.contains("2500 questions: 1999 one, 500 none, 0 several, 0 unknown, 1 refused"), "{said}");
    let answers: Vec<Value> = text(&answered).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), SESSIONS);
    for (i, answer) in answers.iter().enumerate() {
        let expected = if i == 7 { "refused" } else { ["none", "one"][usize::from(i % 5 != 0)] };
        assert_eq!((answer["line"].as_u64(), answer["answer"].as_str()), (Some(i as u64 + 2), Some(expected)), "{answer}");
        if expected == "one" {
            assert_eq!(answer["candidates"][0]["inside"], format!("100.64.{}.{}", i / 250, i % 250));
        }
    }
    assert!(!text(&answered).contains("caller-"), "nobody is named");

    // Each of them alone is answered the same.
    let mut socket = running.socket();
    for (lines, answers) in lines.chunks(500).zip(answers.chunks(500)) {
        let words = |line: &String| line.split_once(',').map(|(public, at)| serde_json::json!({ "public": public, "at": at }));
        let questions: Vec<Value> = lines.iter().filter_map(words).collect();
        let reply = socket.call(serde_json::json!({ "op": "lookup", "questions": questions, "purpose": "operate" }));
        for (alone, answer) in reply["ok"].as_array().unwrap().iter().zip(answers).filter(|(_, answer)| answer["answer"] != "refused") {
            for field in ["answer", "code", "reason"] {
                assert_eq!(alone[field], answer[field], "{alone}");
            }
            let held = |a: &Value| a["candidates"].as_array().unwrap().iter().map(|c| c["subscriber"].clone()).collect::<Vec<_>>();
            assert_eq!(held(alone), held(answer));
        }
    }

    // As a table, line by line the same.
    let table = running.ask(&["lookup", "--batch", path]);
    let rows: Vec<String> = text(&table).lines().skip(1).map(|l| l.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    let same: Vec<String> = answers.iter().map(|a| format!("{},{}", a["line"], a["answer"].as_str().unwrap())).collect();
    assert_eq!(rows, same);

    // Two records each time, with the file's lines and with the answers that were given, and none for the questions. An operator does not read them.
    assert!(running.socket().call(serde_json::json!({ "op": "records", "kind": "question" }))["error"].is_object());
    assert_eq!(running.stop(), 0);
    let ledger: Vec<Value> =
        ledger(&dir.path().join("data")).into_iter().filter(|q| q["act"].as_str().unwrap().starts_with("lookup-")).collect();
    let told: Vec<_> =
        ledger.iter().map(|q| (q["answer"].as_str().unwrap(), q["purpose"].as_str().unwrap(), q["rows"].as_u64().unwrap())).collect();
    let rows = SESSIONS as u64;
    assert!(ledger.iter().all(|q| q["act"] == "lookup-batch"), "{ledger:?}");
    let want = [("begun", "security-event"), ("ended", "security-event"), ("begun", "operate"), ("ended", "operate")];
    assert_eq!(told, want.map(|(answer, purpose)| (answer, purpose, rows)));
    let running = Running::minimal(&dir.path().join("data"));
    assert!(running.records("operator_action").iter().all(|a| a["action"] != "lookup-batch"));

    // Somebody who asks other things than were announced is found out.
    let digest: String = sha256(content.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut socket = running.socket();
    let mut call = |request: Value| {
        socket.send(format!("{request}\n").as_bytes());
        socket.receive()
    };
    let begin = serde_json::json!({ "op": "batch-begin", "digest": digest, "rows": 2, "purpose": "operate", "skew": "2s" });
    let batch = call(begin)["ok"]["batch"].take();
    let other = format!("public,at\n100.64.1.1,{}\n", at(began + 600_000));
    let reply = call(serde_json::json!({ "op": "batch", "batch": batch, "text": other, "last": true }));
    assert_eq!(reply["ok"][0]["answer"], "one", "{reply}");
    assert_eq!(call(serde_json::json!({ "op": "batch", "batch": batch, "text": other }))["error"]["code"], 2);
    let seal = running.ask(&["seal", "--now", "--json"]);
    assert!(parsed(&seal)["rows"].as_u64().is_some());
    assert!(running.records("operator_action").iter().any(|a| a["action"] == "lookup-batch" && a["result"] == "not the file announced"));
    assert_eq!(running.stop(), 0);
}

#[test]
fn what_is_no_file_of_questions_is_told_and_leaves_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let file = dir.path().join("abuse.csv");
    let path = file.to_str().unwrap();
    for (content, arguments, told) in [
        (Some("203.0.113.7:40123,now\n"), &[][..], "name the columns"),
        (Some("public,at\n"), &[], "no questions"),
        (None, &[], "cannot be read"),
        (Some("public,at\nx,y\n"), &["--public", "203.0.113.7"], "cannot be used with"),
    ] {
        let _ = fs::remove_file(&file);
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let refused = running.ask(&[&["lookup", "--batch", path], arguments].concat());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!([1, 2].contains(&code(&refused)) && said.contains(told), "{said}");
    }
    assert_eq!(running.stop(), 0);
    assert!(ledger(&dir.path().join("data")).iter().all(|q| q["act"] != "lookup-batch"));
}

#[test]
fn parts_that_follow_each_other_at_once_are_answered_together_each_with_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = imported(&running, dir.path());
    let line = |i: usize| format!("100.64.0.{i},{}\n", at(began + if i == 4 { 7_200_000 } else { 600_000 }));
    let parts = ["public,at\n".to_owned() + &line(1) + &line(2), line(3) + &line(4) + "nobody,now\n", line(5)];
    let content = parts.concat();
    let digest: String = sha256(content.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut socket = running.socket();
    let mut begin = |rows: u64| -> Value {
        let request = serde_json::json!({ "op": "batch-begin", "digest": digest, "rows": rows, "purpose": "operate", "skew": "2s" });
        socket.call(request)["ok"]["batch"].take()
    };
    let (whole, short, alone) = (begin(6), begin(3), begin(6));
    let part = |batch: &Value, n: usize| {
        let (last, more) = (n + 1 == parts.len(), n + 1 < parts.len());
        let request = serde_json::json!({ "id": n, "op": "batch", "batch": batch, "text": parts[n], "last": last, "more": more });
        format!("{request}\n")
    };
    // All parts lie ready; another request between them changes nothing.
    let health = serde_json::json!({ "id": "between", "op": "health" });
    let asked = part(&whole, 0) + &format!("{health}\n") + &part(&whole, 1) + &part(&whole, 2);
    let mut socket = running.socket();
    socket.send(asked.as_bytes());
    let replies: Vec<Value> = (0..4).map(|_| socket.receive()).collect();
    let told = |reply: &Value| -> Vec<(u64, String)> {
        let answers = reply["ok"].as_array().unwrap_or_else(|| panic!("{reply}")).iter();
        answers.map(|a| (a["line"].as_u64().unwrap(), a["answer"].as_str().unwrap().to_owned())).collect()
    };
    let of = |answers: &[(u64, &str)]| answers.iter().map(|(line, answer)| (*line, (*answer).to_owned())).collect::<Vec<_>>();
    assert_eq!(replies.iter().map(|r| r["id"].clone()).collect::<Vec<_>>(), [0.into(), Value::from("between"), 1.into(), 2.into()]);
    assert_eq!(told(&replies[0]), of(&[(2, "one"), (3, "one")]));
    assert!(replies[1]["ok"]["origin"].is_string());
    assert_eq!(told(&replies[2]), of(&[(4, "one"), (5, "none"), (6, "refused")]));
    assert_eq!(told(&replies[3]), of(&[(7, "one")]));
    // One that has more lines than were announced breaks off with the second part; what was answered before it is counted.
    socket.send((part(&short, 0) + &part(&short, 1) + &part(&short, 2)).as_bytes());
    assert_eq!(told(&socket.receive()), of(&[(2, "one"), (3, "one")]));
    for why in ["more lines than were announced", "nobody began it"] {
        let broken = socket.receive();
        assert!(broken["error"]["what"].as_str().unwrap().contains(why), "{broken}");
    }
    // A part that says that more follows is answered without it when nothing more can come, and an id in capitals is the same one.
    let upper = Value::from(alone.as_str().unwrap().to_uppercase());
    socket.send((part(&upper, 0) + &part(&alone, 1)).as_bytes());
    socket.close_sending();
    assert_eq!(told(&socket.receive()), of(&[(2, "one"), (3, "one")]));
    assert_eq!(told(&socket.receive()), of(&[(4, "one"), (5, "none"), (6, "refused")]));
    assert_eq!(running.stop(), 0);
    let ledger = ledger(&dir.path().join("data"));
    let batches = ledger.iter().filter(|q| q["act"] == "lookup-batch");
    let mut told: Vec<_> = batches.map(|q| (q["answer"].as_str().unwrap(), q["rows"].as_u64().unwrap())).collect();
    told.sort_unstable();
    assert_eq!(told, [("begun", 3), ("begun", 6), ("begun", 6), ("ended", 6), ("failed", 2), ("failed", 5)]);
}

#[test]
fn more_parts_than_are_answered_together_come_back_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(&dir.path().join("data"));
    let began = imported(&running, dir.path());
    // Seven to a part, six parts.
    let (rows, wide) = (40u64, " ".repeat(320 << 10));
    let lines: String =
        (0..rows).map(|i| format!("100.64.0.{i}{wide},{}\n", at(began + if i % 9 == 4 { 7_200_000 } else { 600_000 }))).collect();
    let file = dir.path().join("abuse.csv");
    fs::write(&file, format!("public,at\n{lines}")).unwrap();
    let path = file.to_str().unwrap();
    let answered = running.ask(&["lookup", "--batch", path, "--json"]);
    let said = String::from_utf8_lossy(&answered.stderr).into_owned();
    assert!(code(&answered) == 0 && said.contains("40 questions: 36 one, 4 none,"), "{said}");
    let answers: Vec<Value> = text(&answered).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<(u64, &str)> = answers.iter().map(|a| (a["line"].as_u64().unwrap(), a["answer"].as_str().unwrap())).collect();
    assert_eq!(told, (0..rows).map(|i| (i + 2, if i % 9 == 4 { "none" } else { "one" })).collect::<Vec<_>>());
    let table = text(&running.ask(&["lookup", "--batch", path]));
    assert_eq!(
        table.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect::<Vec<_>>(),
        (2..rows + 2).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    // Answers that nobody reads any more are no trouble.
    let mut socket = running.socket();
    let begin = serde_json::json!({ "op": "batch-begin", "digest": "0".repeat(64), "rows": 1, "purpose": "operate", "skew": "2s" });
    let batch = socket.call(begin)["ok"]["batch"].take();
    let part = format!("public,at\n100.64.0.1,{}\n", at(began));
    socket.send(format!("{}\n", serde_json::json!({ "op": "batch", "batch": batch, "text": part, "last": true })).as_bytes());
    drop(socket);
    assert_eq!(code(&running.ask(&["lookup", "--batch", path, "--json"])), 0);
    assert_eq!(running.stop(), 0);
    let ledger = ledger(&dir.path().join("data"));
    let ended = ledger.iter().filter(|q| q["act"] == "lookup-batch" && q["answer"] == "ended" && q["rows"] == rows);
    assert_eq!(ended.count(), 3, "{ledger:?}");
}
