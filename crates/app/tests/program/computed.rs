//! Deterministic NAT through the program: answers without one event, from the configuration that counted at the moment.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Running, code, parsed, weir};

const PLANS: &str = r#"
[unit]
origin = "detnat.invalid"
[measures]
radius = false
ipfix = false
[[sources.detnat.plans]]
device = "cgn-b"
from = "2026-10-01T00:00:00+08:00"
realm = "north"
algorithm = "rfc7422"
inside = ["100.64.0.0/28"]
public = ["198.51.100.1"]
dynamic = 2
[[sources.detnat.plans]]
device = "cgn-b"
from = "2026-11-01T00:00:00+08:00"
realm = "north"
algorithm = "juniper"
inside = ["100.64.0.0/28"]
public = ["198.51.100.1"]
block_size = 2000
[[sources.detnat.plans]]
device = "static"
from = "2026-10-01T00:00:00+08:00"
realm = "south"
algorithm = "one-to-one"
inside = ["10.0.0.0/29"]
public = ["198.51.100.8/29"]
"#;

fn start(dir: &Path, text: &str) -> Running {
    let config = dir.join("weir.toml");
    fs::write(&config, text).unwrap();
    Running::start(&dir.join("data"), &config, &[])
}

fn expect(ask: &dyn Fn(&[&str]) -> std::process::Output) {
    for (public, at, answer, insides) in [
        // RFC 7422: 64,512 / (16 + 2) = 3,584 ports each.
        ("198.51.100.1:4607", "2026-10-15T00:00:00+08:00", "one", &["100.64.0.0"][..]),
        ("198.51.100.1:4608", "2026-10-15T00:00:00+08:00", "one", &["100.64.0.1"]),
        // Blocks of 2,000 from November on.
        ("198.51.100.1:4608", "2026-11-15T00:00:00+08:00", "one", &["100.64.0.1"]),
        ("198.51.100.1:5100", "2026-11-15T00:00:00+08:00", "one", &["100.64.0.2"]),
        // The moment of the change, and around it: both, where they differ.
        ("198.51.100.1:5100", "2026-11-01T00:00:00+08:00", "several", &["100.64.0.1", "100.64.0.2"]),
        ("198.51.100.1:5100", "2026-10-31T23:59:59+08:00", "several", &["100.64.0.1", "100.64.0.2"]),
        ("198.51.100.1:4608", "2026-11-01T00:00:00+08:00", "one", &["100.64.0.1"]),
        ("198.51.100.1:5100", "2026-10-31T23:59:57+08:00", "one", &["100.64.0.1"]),
        // A reserved port, the time before, and a port of the pool that is given out dynamically.
        ("198.51.100.1:1000", "2026-11-15T00:00:00+08:00", "none", &[]),
        ("198.51.100.1:4608", "2026-09-30T00:00:00+08:00", "unknown", &[]),
        ("198.51.100.1:60000", "2026-10-15T00:00:00+08:00", "unknown", &[]),
        ("198.51.100.1", "2026-11-15T00:00:00+08:00", "several", &[]),
        // A whole address needs no port.
        ("198.51.100.10", "2026-11-15T00:00:00+08:00", "one", &["10.0.0.2"]),
        ("198.51.100.10:80", "2026-11-15T00:00:00+08:00", "one", &["10.0.0.2"]),
        ("198.51.100.77:80", "2026-11-15T00:00:00+08:00", "none", &[]),
    ] {
        let got = parsed(&ask(&["lookup", "--public", public, "--at", at, "--json"]));
        let candidates = got["candidates"].as_array().unwrap();
        let mut found: Vec<&str> = candidates.iter().map(|c| c["inside"]["address"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!((got["answer"].as_str().unwrap(), found.as_slice()), (answer, insides), "{public} {at}: {got}");
        assert!(candidates.iter().all(|c| c["mapping"]["kind"] == "deterministic"), "{got}");
    }
}

#[test]
fn answers_follow_from_the_configuration_that_counted() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path(), PLANS);
    expect(&|args| running.ask(args));
    let rows = running.records("nat_config");
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().any(|r| r["algorithm"] == "rfc7422" && r["block_size"] == 3_584 && r["device"] == "cgn-b"), "{rows:?}");
    let sources = parsed(&running.ask(&["sources", "--json"]));
    assert_eq!(sources.as_array().unwrap().iter().filter(|s| s["kind"] == "detnat").count(), 2, "{sources}");
    assert_eq!(running.stop(), 0);
    // Off line too, and also once the file has forgotten all of it.
    let data = dir.path().join("data");
    expect(&|args| weir(&[args, &["--offline", "--data", data.to_str().unwrap()]].concat()));
    let running = start(dir.path(), "[unit]\norigin = \"detnat.invalid\"\n[measures]\nradius = false\n");
    expect(&|args| running.ask(args));
    assert_eq!(code(&running.ask(&["seal", "--now"])), 0);
    assert_eq!(running.stop(), 0);
    let verified: Value = parsed(&weir(&["verify", "--json", "--data", data.to_str().unwrap()]));
    assert_eq!(verified["ok"], true, "{verified}");
}
