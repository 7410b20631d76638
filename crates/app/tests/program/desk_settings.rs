//! Settings changed over the socket: checked, recorded, kept in the data folder, taken in by the next start.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::common::{Running, code, ledger, parsed, text};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_change_of_one_person_is_recorded_and_comes_with_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let of = |running: &Running, path: &str| {
        let all = parsed(&running.ask(&["settings", "list", "--json"]));
        let one = all["values"].as_array().unwrap().iter().find(|v| v["path"] == path).unwrap_or_else(|| panic!("{path}")).clone();
        (one["value"].as_str().unwrap().to_owned(), one["origin"].as_str().unwrap().to_owned(), all["pending"].as_array().unwrap().len())
    };
    assert_eq!(of(&running, "sources.radius.settle"), ("\"10s\"".into(), "default".into(), 0));
    assert_eq!(of(&running, "unit.origin").1, "file");
    assert_eq!(of(&running, "sources.radius.listen").1, "set");
    let checked = running.ask(&["settings", "check", "sources.radius.settle=5s", "--json"]);
    assert_eq!(code(&checked), 0);
    let want = json!([{ "path": "sources.radius.settle", "old": "\"10s\"", "new": "\"5s\"", "two_persons": false }]);
    assert_eq!((&parsed(&checked)["differences"], &parsed(&checked)["problems"]), (&want, &json!([])));
    let reason = "the NAS in the cellar is slow";
    let done = running.ask(&["settings", "set", "sources.radius.settle=5s", "--reason", reason]);
    assert_eq!(code(&done), 0, "{}", said(&done));
    assert!(text(&done).contains("The next start takes this in."), "{}", text(&done));
    let file = dir.path().join("settings.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(of(&running, "sources.radius.settle"), ("\"10s\"".into(), "default".into(), 1));
    let actions = running.records("operator_action");
    let change = actions.iter().find(|a| a["action"] == "settings-change").unwrap();
    assert_eq!((&change["detail"], &change["result"]), (&json!("sources.radius.settle: \"5s\""), &json!("ok")));
    assert!(!actions.iter().any(|a| a.to_string().contains("cellar")), "and nowhere else");
    assert_eq!(running.stop(), 0);
    assert!(ledger(dir.path()).iter().any(|q| q["act"] == "settings-change"), "the reason is in the ledger");
    let running = Running::minimal(dir.path());
    assert_eq!(of(&running, "sources.radius.settle"), ("\"5s\"".into(), "desk".into(), 0));
    let changes = running.records("config_change");
    let taken = changes.iter().rev().find(|c| c["path"] == "sources.radius.settle").unwrap();
    assert_eq!((&taken["old"], &taken["new"]), (&json!("\"10s\""), &json!("\"5s\"")));
    let back = running.ask(&["settings", "set", "--take-back", "sources.radius.settle", "--reason", "it is fast again"]);
    assert_eq!(code(&back), 0, "{}", said(&back));
    assert_eq!(running.stop(), 0);
    let running = Running::minimal(dir.path());
    assert_eq!(of(&running, "sources.radius.settle"), ("\"10s\"".into(), "default".into(), 0));
}

#[test]
fn what_cannot_be_changed_here_is_refused_with_the_way_that_goes() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    for (change, why) in [
        ("unit.origin=other.invalid", "on the machine itself"),
        ("desk.uids=[]", "on the machine itself"),
        ("sources.syslog.tls_key=/etc/shadow", "on the machine itself"),
        ("sources.radius.settel=5s", "did you mean sources.radius.settle?"),
        ("sources.radius.sessions_max=many", "a whole number"),
        ("sources.radius.settle=soon", "sources.radius.settle"),
        ("sources.ipfix.listen=127.0.0.1:0", "command line"),
        ("sources.radius.settle=10s", "needed"),
    ] {
        let args = ["settings", "set", change, "--reason", if why == "needed" { "x" } else { "it must be" }];
        let refused = running.ask(&args);
        assert!(code(&refused) != 0 && said(&refused).contains(why), "{change}: {}", said(&refused));
    }
    // What can stop a measure needs a second person, who signs in at the desk.
    for change in ["measures.radius=false", "sources.syslog.listen=127.0.0.1:0", "store.seal_every=30s", "desk.session_idle=2m"] {
        let refused = running.ask(&["settings", "set", change, "--reason", "it must be"]);
        assert!(code(&refused) == 1 && said(&refused).contains("second person"), "{change}: {}", said(&refused));
        let checked = parsed(&running.ask(&["settings", "check", change, "--json"]));
        assert_eq!((&checked["two_persons"], &checked["problems"]), (&json!(true), &json!([])), "{change}");
    }
    assert!(!dir.path().join("settings.toml").exists());
    assert!(!running.records("operator_action").iter().any(|a| a["action"] == "settings-change"));
}

#[test]
fn a_value_that_is_already_so_is_no_change_and_needs_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let check = |values: &[&str]| {
        let args: Vec<&str> = ["settings", "check"].iter().chain(values).chain(&["--json"]).copied().collect();
        let checked = parsed(&running.ask(&args));
        let paths: Vec<String> =
            checked["differences"].as_array().unwrap().iter().map(|d| d["path"].as_str().unwrap().to_owned()).collect();
        (paths, checked["two_persons"] == json!(true))
    };
    // By default, and by the configuration file or what was changed here.
    assert_eq!(check(&["store.seal_every=60s"]), (vec![], false));
    assert_eq!(check(&["measures.radius=true", "store.seal_every=\"60s\""]), (vec![], false));
    assert_eq!(check(&["store.seal_every=60s", "sources.radius.settle=5s"]), (vec!["sources.radius.settle".to_owned()], false));
    assert_eq!(check(&["store.seal_every=30s"]), (vec!["store.seal_every".to_owned()], true), "it is a matter for two otherwise");
    let set = |value: &str| running.ask(&["settings", "set", value, "--reason", "the NAS is slow"]);
    assert_eq!(code(&set("sources.radius.settle=5s")), 0);
    assert_eq!(check(&["sources.radius.settle=5s"]), (vec![], false));
    assert_eq!(check(&["sources.radius.settle=10s"]), (vec!["sources.radius.settle".to_owned()], false), "what was changed here counts");
    let again = set("sources.radius.settle=5s");
    assert!(code(&again) != 0 && said(&again).contains("nothing would change"), "{}", said(&again));
    let same = set("store.seal_every=60s");
    assert!(code(&same) != 0 && said(&same).contains("nothing would change"), "{}", said(&same));
}

#[test]
fn memory_that_there_is_not_is_refused_and_a_value_that_cannot_be_read_is_no_matter_for_one() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    for (value, why) in [
        ("9223372036854775807", "to 1099511627776 (1 TiB)"),
        ("18446744073709551615", "write 0 to 9223372036854775807"),
        ("1099511627776", "than this machine or its control group has"),
        ("1", "536870912 (512 MiB)"),
        ("8 GiB", "a whole number of bytes"),
    ] {
        let change = format!("store.memory_bytes={value}");
        let checked = parsed(&running.ask(&["settings", "check", &change, "--json"]));
        let problems = checked["problems"].as_array().unwrap();
        assert!(problems.len() == 1 && problems[0].to_string().contains(why), "{value}: {checked}");
        assert_eq!(checked["two_persons"], json!(true), "{value}: nobody is told that they may do it alone");
    }
    let good = parsed(&running.ask(&["settings", "check", "store.memory_bytes=536870912", "--json"]));
    assert_eq!(good["problems"], json!([]));
    assert_eq!(running.stop(), 0);
    let data = dir.path().to_str().unwrap();
    let refused = crate::common::weir(&["run", "--data", data, "--set", "store.memory_bytes=1099511627776"]);
    assert!(code(&refused) != 0 && said(&refused).contains("store.memory_bytes is 1099511627776"), "{}", said(&refused));
}

#[test]
fn a_file_of_changes_that_was_tampered_with_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Running::minimal(dir.path()).stop(), 0);
    for (text, why) in [
        ("[unit]\norigin = \"other.invalid\"\n", "cannot be changed at the desk"),
        ("[[desk.uids]]\nuid = 0\naccount = \"a\"\nroles = [\"operator\"]\n", "cannot be changed at the desk"),
        ("[nothing]\nhere = 1\n", "no setting"),
        ("[unit\n", "not TOML"),
    ] {
        fs::write(dir.path().join("settings.toml"), text).unwrap();
        let refused = crate::common::weir(&["run", "--data", dir.path().to_str().unwrap()]);
        assert!(
            code(&refused) == 1 && said(&refused).contains(why) && said(&refused).contains("settings.toml"),
            "{text}: {}",
            said(&refused)
        );
    }
}
