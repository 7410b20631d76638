//! A simulated network through the real sockets, judged against its truth.

use std::path::Path;

use serde_json::Value;

use crate::common::{Running, at, code, config, now_ms, parsed, text};

/// A history sent at once has export headers of the past; what sends on this machine has this machine's clock.
const TRUST: [&str; 1] = ["sources.ipfix.clock=trust"];

/// Plays a network and waits until all of it is taken in.
fn play(running: &Running, truth: &Path, more: &[&str]) -> Value {
    let args = [&["simulate", "--truth", truth.to_str().unwrap(), "--json"][..], more].concat();
    let played = running.ask(&args);
    assert_eq!(code(&played), 0, "{}", String::from_utf8_lossy(&played.stderr));
    let played = parsed(&played);
    // Datagrams may still lie in the sockets: what was sent must have arrived, or be counted.
    let sent = played["datagrams"].as_u64().unwrap() - played["lost"].as_u64().unwrap() + played["doubled"].as_u64().unwrap();
    let arrived = || {
        let sources = parsed(&running.ask(&["sources", "--json"]));
        let count = |s: &Value| s["messages"].as_u64().unwrap() + s["duplicates"].as_u64().unwrap();
        sources.as_array().unwrap().iter().filter(|s| s["kind"] != "radius").map(count).sum::<u64>()
    };
    while arrived() < sent {}
    played
}

fn check(running: &Running, truth: &Path, questions: &str) -> Value {
    let output = running.ask(&["simulate", "--check", truth.to_str().unwrap(), "--questions", questions, "--json"]);
    let report: Value = parsed(&output);
    assert_eq!(report["wrong"], 0, "{}", serde_json::to_string_pretty(&report["wrong_answers"]).unwrap());
    assert_eq!(code(&output), 0);
    report
}

#[test]
fn a_small_network_is_answered_without_one_wrong_answer() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir.path().join("data"), &config("minimal.toml"), &TRUST);
    let truth = dir.path().join("truth");
    play(&running, &truth, &["--profile", "small", "--rate", "200", "--seed", "7", "--reorder", "4", "--duplicates", "0.01"]);
    let live = check(&running, &truth, "2000");
    assert!(live["right_percent"].as_f64().unwrap() >= 99.9, "{live}");
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    let sealed = check(&running, &truth, "2000");
    assert!(sealed["right_percent"].as_f64().unwrap() >= 99.9, "{sealed}");
    // And once more from disk, after a restart.
    assert_eq!(running.stop(), 0);
    let running = Running::start(&dir.path().join("data"), &config("minimal.toml"), &TRUST);
    let again = check(&running, &truth, "2000");
    assert!(again["right_percent"].as_f64().unwrap() >= 99.9, "{again}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    for field in ["name", "kind", "realm", "peer", "messages", "records", "malformed", "lost", "last_seen", "offset_ms"] {
        assert!(sources[0].get(field).is_some(), "{field}");
    }
}

#[test]
fn three_realms_with_the_same_inside_addresses_are_kept_apart_under_loss() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::start(&dir.path().join("data"), &config("simulator.toml"), &TRUST);
    let truth = dir.path().join("truth");
    play(&running, &truth, &["--profile", "isp", "--rate", "400", "--seed", "3", "--subscribers", "300", "--loss", "0.01"]);
    let report = check(&running, &truth, "3000");
    // With loss, what is open and what is not there can mostly not be proved: unknown is the right word, wrong never is.
    assert!(report["right_percent"].as_f64().unwrap() >= 50.0 && report["unknown"].as_u64().unwrap() > 0, "{report}");
    let realms: Vec<Value> = parsed(&running.ask(&["sources", "--json"])).as_array().unwrap().iter().map(|s| s["realm"].clone()).collect();
    for realm in ["north", "south", "west"] {
        assert!(realms.iter().any(|r| r == realm), "{realm}: {realms:?}");
    }
    let public = running.ask(&["lookup", "--public", "198.18.128.1", "--at", &at(now_ms() - 30_000), "--purpose", "drill"]);
    assert_eq!(code(&public), 4, "a shared address without a port: {}", text(&public));
}
