//! The ledger: every act is in it, off line too; nothing in it can be read without its key.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::common::{Running, at, code, ledger, now_ms, parsed, text, weir};

fn lookup<'a>(data: &'a str, past: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["lookup", "--public", "198.18.0.9:4242", "--protocol", "udp", "--at", past, "--data", data][..], more].concat()
}

#[test]
fn a_question_off_line_waits_in_the_side_ledger_and_is_sealed_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (data, past) = (dir.path().to_str().unwrap(), at(now_ms() - 60_000));
    let never = weir(&lookup(data, &past, &["--offline"]));
    assert_eq!(code(&never), 1, "there is no log here yet");
    let running = Running::minimal(dir.path());
    let refused = weir(&lookup(data, &past, &["--offline"]));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(code(&refused) == 1 && said.contains("in use by process") && said.contains("without --offline"), "{said}");
    assert_eq!(running.stop(), 0);
    for purpose in ["operate", "security-event"] {
        let answer = weir(&lookup(data, &past, &["--offline", "--json", "--purpose", purpose]));
        assert_eq!(code(&answer), 3, "{}{}", text(&answer), String::from_utf8_lossy(&answer.stderr));
        assert_eq!(parsed(&answer)["answer"], json!("none"));
    }
    let side = fs::read(dir.path().join("side/ledger")).unwrap();
    assert!(!side.windows(10).any(|w| w == b"198.18.0.9"), "the question is encrypted");
    let rows: Vec<_> = ledger(dir.path()).into_iter().filter(|r| r["act"] == "lookup").collect();
    let got: Vec<_> = rows.iter().map(|r| (r["purpose"].clone(), r["offline"].clone(), r["answer"].clone())).collect();
    assert_eq!(got, [(json!("operate"), json!(1), json!("none")), (json!("security-event"), json!(1), json!("none"))]);
    assert!(!dir.path().join("side/ledger").exists());
    assert_eq!(ledger(dir.path()).iter().filter(|r| r["act"] == "lookup").count(), 2, "taken over once");
}

#[test]
fn off_line_is_refused_when_the_question_cannot_be_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let (data, past) = (dir.path().to_str().unwrap(), at(now_ms() - 60_000));
    assert_eq!(Running::minimal(dir.path()).stop(), 0);
    // Where the side ledger's folder should be, there is a file.
    fs::write(dir.path().join("side"), "in the way").unwrap();
    let refused = weir(&lookup(data, &past, &["--offline", "--json"]));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(code(&refused) == 1 && said.contains("no answer"), "{said}");
    assert_eq!(text(&refused), "");
}

#[test]
fn exports_keys_and_statements_are_ledgered_acts() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let out = dir.path().join("out.parquet");
    let export = running.ask(&["export", "--kind", "config_change", "--out", out.to_str().unwrap(), "--json"]);
    assert_eq!(code(&export), 0, "{}", String::from_utf8_lossy(&export.stderr));
    assert!(parsed(&export)["rows"].as_u64().unwrap() > 20);
    assert_eq!(&fs::read(&out).unwrap()[..4], b"PAR1");
    let twice = running.ask(&["export", "--kind", "config_change", "--out", out.to_str().unwrap()]);
    assert_eq!(code(&twice), 1, "an existing file is never replaced");
    assert_eq!(code(&running.ask(&["sql", "SELECT path FROM config_change"])), 0);
    let today = weir_base::time::Millis(now_ms()).day().to_string();
    let key = |running: Option<&Running>, kind: &str| {
        let args = ["key", "show", "--kind", kind, "--day", &today];
        match running {
            Some(running) => running.ask(&args),
            None => weir(&[&args[..], &["--data", dir.path().to_str().unwrap()]].concat()),
        }
    };
    let online = text(&key(Some(&running), "config_change"));
    assert!(online.trim().len() == 64 && online.trim().bytes().all(|b| b.is_ascii_hexdigit()), "{online}");
    assert_eq!(code(&key(Some(&running), "binding")), 2, "who names a person takes two persons");
    let acts = || {
        let rows = ledger(dir.path());
        let mut acts: Vec<String> = rows.iter().map(|r| format!("{} {}", r["act"].as_str().unwrap(), r["offline"])).collect();
        acts.sort();
        acts.dedup();
        acts
    };
    assert_eq!(running.stop(), 0);
    assert_eq!(acts(), ["export 0", "key-show 0", "sql 0"]);
    assert_eq!(text(&key(None, "config_change")), online, "the key off line is the same");
    assert_eq!(acts(), ["export 0", "key-show 0", "key-show 1", "records 0", "sql 0"]);
}

/// Every file below a folder.
fn files(dir: &Path, out: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.is_file() {
            out.push(fs::read(path).unwrap());
        }
    }
}

#[test]
fn what_was_asked_is_nowhere_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let past = at(now_ms() - 60_000);
    assert_eq!(code(&running.ask(&["lookup", "--public", "198.18.77.99:4242", "--protocol", "udp", "--at", &past])), 3);
    running.kill();
    let mut all = Vec::new();
    files(dir.path(), &mut all);
    assert!(all.len() > 5);
    for needle in [&b"198.18.77.99"[..], &[198, 18, 77, 99], &[99, 77, 18, 198]] {
        let found = all.iter().filter(|f| f.windows(needle.len()).any(|w| w == needle)).count();
        assert_eq!(found, 0, "{needle:?}");
    }
}
