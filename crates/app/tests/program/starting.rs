//! Starting and stopping, good and bad configurations.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::process::Command;

use serde_json::json;

use crate::common::{FREE_PORTS, Running, WEIR, code, config, parsed, text, weir};

#[test]
fn the_minimal_configuration_runs_as_it_is_and_stops_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let running = Running::minimal(&data);
    let mode = |name: &str| fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o077, 0);
    for name in ["radius.secret", "master.key", "weir.sock", "ports.json", "catalog.sqlite", "keyring"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert!(fs::metadata(data.join("weir.sock")).unwrap().file_type().is_socket());
    assert!(running.banner.iter().any(|l| l.contains("radius.secret")), "the secret's path is printed: {:?}", running.banner);
    assert_ne!(running.port("radius").port(), 0);
    let measures = parsed(&running.ask(&["measures", "--json"]));
    let names: Vec<_> = measures.as_array().unwrap().iter().map(|m| (m["name"].clone(), m["state"].clone())).collect();
    assert_eq!(names, [(json!("radius"), json!("running")), (json!("ipfix"), json!("running"))]);
    assert_eq!(measures[1]["obligations"][0]["id"], "8.2");
    assert!(measures[0]["last_drill"].is_null());
    assert_eq!(running.stop(), 0);
    assert!(!data.join("ports.json").exists() && !data.join("weir.sock").exists());

    let again = Running::minimal(&data);
    let actions: Vec<String> = again.records("operator_action").iter().map(|r| r["action"].as_str().unwrap().to_owned()).collect();
    for action in ["start", "measure-state", "stop"] {
        assert!(actions.iter().any(|a| a == action), "{action}: {actions:?}");
    }
    assert_eq!(actions.iter().filter(|a| *a == "start").count(), 2);
}

#[test]
fn a_folder_holds_one_program_and_a_socket_left_by_a_dead_one_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let second = weir(&["run", "--data", dir.path().to_str().unwrap(), "--set", FREE_PORTS[0], "--set", FREE_PORTS[1]]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(code(&second) == 1 && said.contains("in use by process"), "{said}");
    running.kill();
    assert!(dir.path().join("weir.sock").exists());
    let again = Running::minimal(dir.path());
    assert_eq!(code(&again.ask(&["sources"])), 0);
}

#[test]
fn a_bad_configuration_lists_every_problem_and_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    for name in ["unknown", "ranges", "clients"] {
        let file = config(&format!("wrong/{name}.toml"));
        let want = fs::read_to_string(file.with_extension("txt")).unwrap();
        let check = weir(&["check-config", "--config", file.to_str().unwrap()]);
        assert_eq!(code(&check), 1);
        assert!(text(&check).starts_with(&want), "{}", text(&check));
        let json = parsed(&weir(&["check-config", "--json", "--config", file.to_str().unwrap()]));
        assert_eq!(json["problems"].as_array().unwrap().len(), want.lines().count());
        let run = Command::new(WEIR).args(["run", "--config", file.to_str().unwrap(), "--data"]).arg(&data).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(code(&run), 1);
        want.lines().for_each(|line| assert!(said.contains(line), "{line} is not in {said}"));
        assert!(!data.exists(), "nothing is made");
    }
}

#[test]
fn changes_of_the_configuration_are_records_and_what_stays_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let running = Running::minimal(dir.path());
    let first = running.records("config_change").len();
    assert!(first > 20, "{first} settings");
    assert_eq!(running.stop(), 0);
    let running = Running::start(dir.path(), &config("minimal.toml"), &["sources.radius.missed_interims=5"]);
    let changes = running.records("config_change");
    assert_eq!(changes.len(), first + 1);
    let last = changes.last().unwrap();
    let got = (last["path"].as_str().unwrap(), last["old"].as_str(), last["new"].as_str());
    assert_eq!(got, ("sources.radius.missed_interims", Some("3"), Some("5")));
}

#[test]
fn a_data_folder_with_a_long_name_works() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a".repeat(120));
    let running = Running::minimal(&data);
    assert_eq!(code(&running.ask(&["sources", "--json"])), 0);
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Running::minimal(dir.path()).stop(), 0);
    fs::set_permissions(dir.path().join("radius.secret"), fs::Permissions::from_mode(0o644)).unwrap();
    let run = weir(&["run", "--config", config("minimal.toml").to_str().unwrap(), "--data", dir.path().to_str().unwrap()]);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(code(&run) == 1 && said.contains("chmod 600"), "{said}");
}
