//! Starting and stopping, good and bad configurations.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
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
        // Files that are named and not there are told of besides.
        let of_settings = |p: &&serde_json::Value| !p["path"].as_str().unwrap().ends_with("_file");
        assert_eq!(json["problems"].as_array().unwrap().iter().filter(of_settings).count(), want.lines().count());
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

/// A file with a mode.
fn put(path: &Path, what: &str, mode: u32) {
    fs::write(path, what).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_are_looked_at_whatever_else_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().display();
    put(&dir.path().join("open.token"), "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz\n", 0o644);
    put(&dir.path().join("a.token"), "bWFpbC10b2tlbi1mb3ItdGVzdHMtMQ==\n", 0o600);
    put(&dir.path().join("b.token"), "bWFpbC10b2tlbi1mb3ItdGVzdHMtMQ==\n", 0o600);
    put(&dir.path().join("no.pem"), "nothing of the kind\n", 0o600);
    put(&dir.path().join("own.toml"), "name = \"own\"\n", 0o644);
    put(&dir.path().join("empty.secret"), "\n", 0o600);
    let file = dir.path().join("weir.toml");
    let wrong = "zone = \"CST\"\n";
    let files = format!(
        "[measures]\nhost = true\n[sources.syslog]\nlisten_tls = [\"127.0.0.1:0\"]\ntls_certificate = \"{here}/no.pem\"\ntls_key = \"{here}/none.key\"\n\
         dialects = [\"{here}/own.toml\", \"{here}/none.toml\"]\n[sources.events]\nlisten = [\"127.0.0.1:0\"]\n\
         [[sources.events.applications]]\nname = \"forum\"\ntoken_file = \"{here}/open.token\"\n\
         [[sources.events.applications]]\nname = \"mail\"\ntoken_file = \"{here}/a.token\"\n\
         [[sources.events.applications]]\nname = \"shop\"\ntoken_file = \"{here}/b.token\"\n\
         [[sources.radius.clients]]\naddresses = [\"192.0.2.1\"]\nsecret_file = \"{here}/none.secret\"\n\
         [[sources.radius.clients]]\naddresses = [\"192.0.2.2\"]\nsecret_file = \"{here}/empty.secret\"\n\
         [[desk.providers]]\nname = \"idp\"\nissuer = \"https://idp.example.cn\"\nclient_id = \"weir\"\nclient_secret_file = \"{here}/open.token\"\n\
         [[sources.radius.detail]]\npath = \"{here}/detail\"\n[[sources.dhcp.files]]\npath = \"{here}/leases.csv\"\nserver = \"kea\"\n\
         [sources.host]\njournal = false\naudit = \"{here}/audit.log\"\n"
    );
    let told = [
        ("sources.radius.clients[0].secret_file", "none.secret cannot be read", "create it with mode 0600"),
        ("sources.radius.clients[1].secret_file", "is empty", "write the shared secret into it"),
        ("sources.syslog.dialects[0]", "own.toml", ""),
        ("sources.syslog.dialects[1]", "none.toml: cannot be read", "name an existing text file"),
        ("sources.syslog.tls_certificate", "holds no certificate", "it must be PEM"),
        ("sources.syslog.tls_key", "none.key cannot be read", "name an existing PEM file"),
        ("sources.events.applications[0].token_file", "has mode 0644", "chmod 600"),
        ("sources.events.applications[2].token_file", "holds the token of applications[1] too", "give each its own"),
        ("desk.providers[0].client_secret_file", "has mode 0644", "chmod 600"),
    ];
    let waited = ["sources.radius.detail[0].path", "sources.dhcp.files[0].path", "sources.host.audit"];
    for (setting, more) in [("", 0), (wrong, 1)] {
        fs::write(&file, files.replacen("[sources.syslog]\n", &format!("[sources.syslog]\n{setting}"), 1)).unwrap();
        let json = weir(&["check-config", "--json", "--config", file.to_str().unwrap()]);
        let said = parsed(&json);
        let problems = said["problems"].as_array().unwrap();
        assert_eq!((code(&json), problems.len()), (1, told.len() + more), "{said:#}");
        assert!(more == 0 || problems[0]["path"] == "sources.syslog.zone", "{said:#}");
        for (problem, (path, what, todo)) in problems[more..].iter().zip(told) {
            let text = problem["what"].as_str().unwrap();
            assert!(problem["path"] == path && text.contains(what) && text.contains(todo), "{path}: {problem}");
        }
        let advice: Vec<&str> = said["advice"].as_array().unwrap().iter().filter_map(|a| a.as_str()?.split(':').next()).collect();
        assert_eq!(advice, waited);
        let shown = text(&weir(&["check-config", "--config", file.to_str().unwrap()]));
        let counted = format!("{} problems\n", told.len() + more);
        assert!(shown.contains(&counted) && shown.contains("audit.log is not there, or not for us to see: it is waited for"), "{shown}");
    }
}

#[test]
fn files_that_are_waited_for_are_named_and_are_no_problem() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().display();
    let file = dir.path().join("weir.toml");
    fs::write(dir.path().join("there.leases"), "").unwrap();
    let text_of = format!(
        "[measures]\nhost = true\n[sources.host]\njournal_directory = \"{here}/journal\"\naudit = \"{here}/audit.log\"\n[[sources.dhcp.files]]\n\
         path = \"{here}/there.leases\"\nserver = \"dnsmasq\"\n[[sources.dhcp.files]]\npath = \"{here}/leases.csv\"\nserver = \"kea\"\n\
         [[sources.dhcp.capture]]\ninterface = \"lo\"\n[[sources.dhcp.capture]]\ninterface = \"nowhere0\"\n"
    );
    fs::write(&file, text_of).unwrap();
    let check = weir(&["check-config", "--config", file.to_str().unwrap()]);
    let shown = text(&check);
    assert_eq!(code(&check), 0, "{shown}");
    for (path, name) in [("dhcp.files[1].path", "leases.csv"), ("host.audit", "audit.log"), ("host.journal_directory", "journal")] {
        let want = format!("sources.{path}: {here}/{name} is not there, or not for us to see: it is waited for\n");
        assert!(shown.contains(&want), "{want} is not in {shown}");
    }
    assert!(!shown.contains("there.leases is not there"), "{shown}");
    assert!(shown.contains("sources.dhcp.capture[1].interface: there is no interface nowhere0 "), "{shown}");
    assert!(!shown.contains("no interface lo"), "{shown}");
    let json = parsed(&weir(&["check-config", "--json", "--config", file.to_str().unwrap()]));
    assert_eq!(json["ok"], true);
    assert!(json["kernel"]["advice"].to_string().contains("leases.csv is not there"), "{json}");
    // A measure that is off waits for nothing.
    let off = ["measures.host=false", "measures.dhcp=false"].map(|set| ["--set", set]).concat();
    let none = text(&weir(&[&["check-config", "--config", file.to_str().unwrap()], &off[..]].concat()));
    assert!(!none.contains("it is waited for") && !none.contains("nowhere0 ("), "{none}");
}
