use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::*;

fn folder() -> PathBuf {
    weir_testkit::package().join("../../config")
}

fn no_sets(text: &str) -> Result<Loaded, Vec<Problem>> {
    parse(text, &[])
}

#[test]
fn the_table_of_settings_has_the_defaults_of_the_types() {
    let mut text = String::new();
    for setting in schema::SETTINGS {
        text.push_str(&format!("{} = {}\n", setting.path, setting.default));
    }
    let table: Table = text.parse().unwrap();
    let written: Config = table.try_into().unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", Config::default()));
}

/// The keys a type knows, from what it says about one it does not know.
fn keys_of(path: &str, entry: bool) -> BTreeSet<String> {
    let text = if entry { format!("[[{path}]]\nno_such_key = 1\n") } else { format!("[{path}]\nno_such_key = 1\n") };
    let error = text.parse::<Table>().unwrap().try_into::<Config>().unwrap_err().message().to_owned();
    let list = error.split("expected").nth(1).unwrap_or_else(|| panic!("{path}: {error}"));
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_of_settings_has_the_keys_of_the_types() {
    for section in [
        "unit",
        "store",
        "measures",
        "sources",
        "sources.radius",
        "sources.ipfix",
        "sources.syslog",
        "sources.conntrack",
        "sources.detnat",
        "sources.dhcp",
        "sources.h3c",
        "sources.host",
        "sources.events",
        "desk",
    ] {
        let known: BTreeSet<String> = schema::names_below(section).into_iter().map(str::to_owned).collect();
        assert_eq!(known, keys_of(section, false), "{section}");
    }
    let mut lists = 0;
    for setting in schema::SETTINGS {
        if let schema::Shape::Tables(keys) = setting.shape {
            let known: BTreeSet<String> = keys.iter().map(|k| k.name.to_owned()).collect();
            assert_eq!(known, keys_of(setting.path, true), "{}", setting.path);
            lists += 1;
        }
    }
    assert_eq!(lists, 18);
}

#[test]
fn full_names_every_setting_with_its_default() {
    let text = fs::read_to_string(folder().join("full.toml")).unwrap();
    let table: Table = text.parse().unwrap();
    let written: Config = table.clone().try_into().unwrap();
    assert_eq!(format!("{written:?}"), format!("{:?}", Config::default()));
    let loaded = no_sets(&text).unwrap();
    for setting in schema::SETTINGS {
        let Some(value) = loaded.values.iter().find(|v| v.path == setting.path) else { panic!("{} is missing", setting.path) };
        let is_list = matches!(setting.shape, schema::Shape::Tables(_));
        assert!(is_list || value.origin == Origin::File, "{} is not in full.toml", setting.path);
        if let schema::Shape::Tables(keys) = setting.shape {
            for key in keys {
                assert!(text.contains(&format!("# {} = ", key.name)), "full.toml says nothing about {} of {}", key.name, setting.path);
            }
        }
    }
}

#[test]
fn the_examples_of_full_are_right() {
    // Every commented example of a list, taken at its word, must be accepted.
    let text = fs::read_to_string(folder().join("full.toml")).unwrap();
    let mut lines = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("# ").filter(|rest| rest.starts_with("[[") || (inside && rest.contains(" = "))) {
            Some(example) => {
                inside = true;
                lines.push(example.to_owned());
            }
            None => {
                inside = false;
                // A list that is written out stands in for the empty one.
                let empty = [
                    "realms = []",
                    "clients = []",
                    "detail = []",
                    "remotes = []",
                    "exporters = []",
                    "namespaces = []",
                    "plans = []",
                    "files = []",
                    "capture = []",
                    "senders = []",
                    "devices = []",
                    "layouts = []",
                    "applications = []",
                    "providers = []",
                    "uids = []",
                ]
                .contains(&line);
                lines.push(if empty { String::new() } else { line.to_owned() });
            }
        }
    }
    let loaded = no_sets(&lines.join("\n")).unwrap();
    assert_eq!(loaded.settings.ipfix.unwrap().rules.len(), 1);
    assert_eq!(loaded.settings.radius.unwrap().clients.len(), 1);
    assert_eq!(loaded.settings.syslog.unwrap().rules.len(), 1);
    assert!(loaded.settings.events.is_none(), "it has nowhere to listen");
    assert_eq!(loaded.settings.realms.len(), 1);
}

#[test]
fn minimal_runs_as_it_is() {
    let loaded = load(Some(&folder().join("minimal.toml")), &[]).0.unwrap();
    let radius = loaded.settings.radius.unwrap();
    assert!(radius.listen.iter().all(|a| a.ip().is_loopback()));
    assert!(radius.clients.iter().all(|c| c.secret_file.is_none()));
    let ipfix = loaded.settings.ipfix.unwrap();
    assert!(ipfix.udp.iter().all(|a| a.ip().is_loopback()));
    for peer in ["127.0.0.1", "127.0.0.2", "127.0.0.11", "127.9.9.9"] {
        assert!(ipfix.rule(peer.parse().unwrap(), 1).is_some(), "{peer}");
    }
}

#[test]
fn wrong_files_have_exactly_the_problems_written_beside_them() {
    let mut seen = 0;
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join("wrong")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "toml")) {
        let problems = load(Some(path), &[]).0.map(|_| ()).unwrap_err();
        let got: String = problems.iter().map(|p| format!("{p}\n")).collect();
        let want = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        assert_eq!(got, want, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 6, "{seen} wrong files");
}

#[test]
fn the_command_line_counts_more_than_the_file_and_the_origin_is_known() {
    let text = "[unit]\norigin = \"a\"\n[sources.radius]\nrealm = \"north\"\n";
    let set = ["unit.origin=b".to_owned(), "sources.ipfix.listen=127.0.0.1:0".to_owned()];
    let loaded = parse(text, &set).unwrap();
    assert_eq!(loaded.settings.origin, "b");
    let of = |path: &str| loaded.values.iter().find(|v| v.path == path).map(|v| (v.value.as_str(), v.origin)).unwrap();
    assert_eq!(of("unit.origin"), ("\"b\"", Origin::Set));
    assert_eq!(of("sources.radius.realm"), ("\"north\"", Origin::File));
    assert_eq!(of("sources.ipfix.listen"), ("[\"127.0.0.1:0\"]", Origin::Set));
    assert_eq!(of("store.sm3"), ("false", Origin::Default));
}

#[test]
fn a_measure_that_is_off_is_not_checked_and_not_there() {
    let loaded = no_sets("[measures]\nradius = false\n[sources.radius]\nlisten = [\"nowhere\"]\n").unwrap();
    assert!(loaded.settings.radius.is_none() && loaded.settings.ipfix.is_some());
}

#[test]
fn very_many_problems_are_counted() {
    let text: String = (0..500).map(|i| format!("wrong_{i} = 1\n")).collect();
    let problems = no_sets(&text).unwrap_err();
    assert_eq!(problems.len(), CONFIG_PROBLEMS + 1);
    assert!(problems.last().unwrap().what.contains("and 300 more"));
}

#[test]
fn numbers_that_no_setting_holds_hide_nothing_else() {
    let text = "[unit]\norigin = \"a b\"\n[sources.radius]\nmissed_interims = 99999999999\nsettle = \"soon\"\n\
                [[sources.radius.clients]]\naddresses = [\"192.0.2.1\"]\nsecret_file = \"/nowhere/bras.secret\"\n\
                [[desk.uids]]\nuid = 7\naccount = \"A\"\nroles = [\"operator\"]\n";
    let (result, written) = looked_at(text, &Table::new(), &[]);
    let told: Vec<String> = result.unwrap_err().iter().map(ToString::to_string).collect();
    for want in [
        "sources.radius.missed_interims = 99999999999 is too large a number for this setting: write less",
        "unit.origin is not a name of a log",
        "sources.radius.settle",
        "desk.uids[0].account is not a name",
    ] {
        assert!(told.iter().any(|p| p.starts_with(want)), "{want}: {told:?}");
    }
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(files::check(&written.unwrap())[0].path, "sources.radius.clients[0].secret_file");
}
