//! `weir lookup --paste`: what people have in their hands becomes questions.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Running, WEIR, code, ledger, text};

#[test]
fn lines_of_many_forms_are_asked_at_once_and_ledgered_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let paste = "198.18.0.9:40123 2026-11-22 10:00:00 udp\n\
                 hello\n\
                 198.18.0.9:40124 - - [22/Nov/2026:02:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"\n\n\
                 Source IP: 198.18.0.9\nSource Port: 40125\nTimestamp: 2026-11-22 02:00:00 UTC\n";
    let ask = |more: &[&str]| {
        let mut child = Command::new(WEIR)
            .args(["lookup", "--paste", "-", "--data"])
            .arg(dir.path())
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(paste.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let json = ask(&["--json"]);
    assert_eq!(code(&json), 0);
    let lines: Vec<Value> = text(&json).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let asked: Vec<_> =
        lines.iter().filter(|l| !l["question"].is_null()).map(|l| (l["line"].clone(), l["question"]["public"].clone())).collect();
    let want = [(1, "198.18.0.9:40123"), (3, "198.18.0.9:40124"), (5, "198.18.0.9:40125")];
    assert_eq!(asked, want.map(|(line, public)| (json!(line), json!(public))));
    assert!(lines.iter().filter(|l| !l["question"].is_null()).all(|l| l["answer"]["answer"].is_string()), "{lines:?}");
    assert!(lines.iter().any(|l| l["line"] == 2 && l["problem"].is_string()));
    let shown = text(&ask(&[]));
    assert!(
        shown.contains("line 1: 198.18.0.9:40123 at 2026-11-22T10:00:00.000+08:00\n  assumed: the time names no zone: +08:00 is taken"),
        "{shown}"
    );
    assert!(shown.contains("line 2: not asked: no address in it"), "{shown}");
    assert_eq!(running.stop(), 0);
    assert_eq!(ledger(dir.path()).iter().filter(|q| q["act"] == "lookup").count(), 6, "three, twice");
}
