//! The logs of the machine itself through the program: a journal that the real systemd-journal-remote writes, and an audit log.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use weir_testkit::peers;

use crate::common::{Running, code, now_ms, parsed, weir};

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";
const SHOWN: &str = "the journal of the machine, in the program";

/// Writes an entry of sshd for each of these messages.
fn journal(file: &Path, messages: &[&str]) {
    journal_of(file, "sshd", messages);
}

/// The same of another program.
fn journal_of(file: &Path, identifier: &str, messages: &[&str]) {
    let mut command = Command::new(REMOTE);
    command.args(["--split-mode=none", "--compress=no"]).arg(format!("--output={}", file.display())).arg("-");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut text = String::new();
    for (n, message) in messages.iter().enumerate() {
        text.push_str(&format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={n}\n_BOOT_ID=9cf0a1f8b7d04a5f9c0a3b0c6a1d2e3f\nPRIORITY=6\nSYSLOG_FACILITY=4\n\
             SYSLOG_IDENTIFIER={identifier}\n_PID=4711\n_HOSTNAME=gate\nMESSAGE={message}\n\n",
            now_ms() * 1_000 + n as i64
        ));
    }
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Lines as auditd writes them.
fn audit(file: &Path, ends: &[(&str, &str)]) {
    let mut file = OpenOptions::new().append(true).create(true).open(file).unwrap();
    for (n, (kind, result)) in ends.iter().enumerate() {
        let second = now_ms() / 1_000;
        writeln!(
            file,
            "type={kind} msg=audit({second}.000:{n}): pid=900 uid=0 auid=1000 ses=2 msg='op=login acct=\"carol\" exe=\"/usr/sbin/sshd\" \
             hostname=192.0.2.9 addr=192.0.2.9 terminal=ssh res={result}'"
        )
        .unwrap();
    }
}

/// What `weir records` shows of a kind.
fn shown(running: &Running, kind: &str) -> Vec<Value> {
    let answer = running.ask(&["records", "--kind", kind, "--json"]);
    assert_eq!(code(&answer), 0, "{}", String::from_utf8_lossy(&answer.stderr));
    parsed(&answer).as_array().unwrap().clone()
}

#[test]
fn the_journal_and_the_audit_log_of_the_machine() {
    if !peers::have("journalctl", "--version", SHOWN) || !peers::have(REMOTE, "--version", SHOWN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (folder, log, config) = (dir.path().join("journal"), dir.path().join("audit.log"), dir.path().join("weir.toml"));
    fs::create_dir(&folder).unwrap();
    let file = folder.join("remote.journal");
    let text = format!(
        "[unit]\norigin = \"host.invalid\"\n[measures]\nradius = false\nipfix = false\nhost = true\n[sources.host]\n\
         journal_directory = {:?}\naudit = {:?}\n",
        folder.to_str().unwrap(),
        log.to_str().unwrap()
    );
    fs::write(&config, text).unwrap();
    audit(&log, &[]);
    // The first start takes the newest entry, to have a place to go on from.
    journal(&file, &["Server listening on 0.0.0.0 port 22."]);
    let start = || Running::start(&dir.path().join("data"), &config, &[]);
    let running = start();
    while shown(&running, "maintenance").is_empty() {}
    journal(&file, &["Accepted publickey for alice from 192.0.2.7 port 50112 ssh2: ED25519 SHA256:abc"]);
    audit(&log, &[("USER_LOGIN", "success"), ("USER_LOGIN", "failed")]);
    let signs = |running: &Running, n: usize| loop {
        let rows = shown(running, "authentication");
        if rows.len() >= n {
            return rows;
        }
    };
    let rows = signs(&running, 3);
    let mut actions: Vec<u64> = rows.iter().map(|r| r["action"].as_u64().unwrap()).collect();
    actions.sort_unstable();
    assert_eq!(actions, [1, 1, 3], "{rows:?}");
    let port = rows.iter().find(|r| r["port"] == 50_112).unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!((&port["host"], &port["service"], port["address"].is_null()), (&"gate".into(), &"sshd".into(), false), "{port}");
    // What is written while it does not run comes with the next start, once.
    assert_eq!(running.stop(), 0);
    journal(&file, &["Disconnected from user alice 192.0.2.7 port 50112"]);
    audit(&log, &[("USER_LOGOUT", "success")]);
    let running = start();
    let rows = signs(&running, 5);
    assert_eq!((rows.len(), rows.iter().filter(|r| r["action"] == 2).count()), (5, 2), "{rows:?}");
    let lines = shown(&running, "maintenance");
    assert_eq!(lines.len(), 6, "{lines:?}");
    let text = serde_json::to_string(&(&lines, &rows)).unwrap();
    assert!(!["alice", "carol", "192.0.2."].iter().any(|word| text.contains(word)), "a view names nobody: {text}");
    assert!(running.records("gap").is_empty());
    assert_eq!(running.stop(), 0);
}

#[test]
fn an_identifier_with_a_space_is_one_word_and_moves_nothing() {
    if !peers::have("journalctl", "--version", SHOWN) || !peers::have(REMOTE, "--version", SHOWN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (folder, config) = (dir.path().join("journal"), dir.path().join("weir.toml"));
    fs::create_dir(&folder).unwrap();
    let file = folder.join("remote.journal");
    let text = format!(
        "[unit]\norigin = \"host.invalid\"\n[measures]\nradius = false\nipfix = false\nhost = true\n[sources.host]\njournal_directory = {:?}\n",
        folder.to_str().unwrap()
    );
    fs::write(&config, text).unwrap();
    journal(&file, &["Server listening on 0.0.0.0 port 22."]);
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    while shown(&running, "maintenance").is_empty() {}
    // A daemon's title as some write it, one that pretends to be sshd, and one that is all spaces.
    journal_of(&file, "backup daemon", &["copied 3 files to 192.0.2.7"]);
    journal_of(&file, "x sshd", &["Accepted password for mallory from 192.0.2.66 port 1 ssh2"]);
    journal_of(&file, "sshd 4711 - - Accepted", &["password for mallory from 192.0.2.66 port 1 ssh2"]);
    journal_of(&file, "   ", &["nothing before it"]);
    journal_of(&file, "sshd", &["Accepted password for alice from 192.0.2.7 port 50112 ssh2"]);
    while shown(&running, "maintenance").len() < 6 {}
    let lines = shown(&running, "maintenance");
    let got: Vec<(&str, &str, &str, &str)> = lines[1..]
        .iter()
        .map(|l| (l["host"].as_str().unwrap(), l["app"].as_str().unwrap(), l["procid"].as_str().unwrap(), l["line"].as_str().unwrap()))
        .collect();
    assert_eq!(got[0], ("gate", "backup_daemon", "4711", "copied 3 files to <ADDR1>"));
    assert_eq!((got[1].1, got[2].1, got[3]), ("x_sshd", "sshd_4711_-_-_Accepted", ("gate", "___", "4711", "nothing before it")));
    assert_eq!(got[4].1, "sshd");
    // Nobody signs in by a name that another program gave itself.
    let signs = shown(&running, "authentication");
    assert!(signs.len() == 1 && signs[0]["port"] == 50_112, "{signs:?}");
    assert_eq!(running.stop(), 0);
}

#[test]
fn a_journal_that_delivers_nothing_is_told() {
    if !peers::have("journalctl", "--version", SHOWN) || !peers::have(REMOTE, "--version", SHOWN) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (folder, config) = (dir.path().join("journal"), dir.path().join("weir.toml"));
    fs::create_dir(&folder).unwrap();
    let text = format!(
        "[unit]\norigin = \"host.invalid\"\n[measures]\nradius = false\nipfix = false\nhost = true\n[sources.host]\njournal_directory = {:?}\n",
        folder.to_str().unwrap()
    );
    fs::write(&config, text).unwrap();
    let check = || crate::common::text(&weir(&["check-config", "--config", config.to_str().unwrap()]));
    assert!(check().contains("sources.host.journal_directory: there are no journal files: set Storage=persistent"), "{}", check());
    let running = Running::start(&dir.path().join("data"), &config, &[]);
    let own = || {
        let all = parsed(&running.ask(&["sources", "--json"]));
        all.as_array().unwrap().iter().find(|s| s["name"] == "host-journal").cloned()
    };
    let measure = || {
        let all = parsed(&running.ask(&["measures", "--json"]));
        let host = all.as_array().unwrap().iter().find(|m| m["name"] == "host").unwrap().clone();
        (host["state"].as_str().unwrap().to_owned(), host["why"].as_str().unwrap().to_owned())
    };
    assert!(own().is_some(), "it has a row from the start");
    let trouble = loop {
        if let Some(trouble) = own().and_then(|s| s["trouble"].as_str().map(str::to_owned)) {
            break trouble;
        }
    };
    assert!(trouble.contains("there are no journal files") && trouble.contains("Storage=persistent"), "{trouble}");
    while measure().0 != "degraded" {}
    assert!(measure().1.contains("host-journal: there are no journal files"), "{:?}", measure());
    // Files come: all that is in them is new.
    journal(&folder.join("remote.journal"), &["Server listening on 0.0.0.0 port 22.", "Server listening on :: port 22."]);
    while shown(&running, "maintenance").len() < 2 {}
    while own().unwrap()["trouble"] != Value::Null || measure().0 != "running" {}
    assert!(!check().contains("there are no journal files"), "{}", check());
    assert_eq!(running.stop(), 0);
}
