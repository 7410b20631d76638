//! Configuration: what is right is taken, and what is wrong is told all at once.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use weir_base::net::Addr16;

use crate::radius::config::{ClientConfig, Config, DetailConfig};

#[test]
fn the_default_listens_to_this_machine_with_a_secret_it_makes() {
    let settings = Config::default().check().unwrap();
    assert!(!settings.is_public());
    let dir = tempfile::tempdir().unwrap();
    let (clients, made) = settings.load_clients(dir.path()).unwrap();
    assert_eq!(made, [dir.path().join("radius.secret")]);
    assert_eq!(fs::metadata(&made[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&made[0]).unwrap();
    assert_eq!(secret.trim().len(), 32);
    let here = |a: &str| clients.find(a.parse::<Addr16>().unwrap()).cloned();
    assert!(here("127.0.0.5").is_some() && here("::1").is_some() && here("192.0.2.1").is_none());
    settings.load_clients(dir.path()).unwrap();
    assert_eq!(fs::read_to_string(&made[0]).unwrap(), secret, "made once");
}

#[test]
fn every_problem_is_told() {
    let config = Config {
        name: "a/b".into(),
        listen: vec!["1813".into()],
        realm: String::new(),
        sessions_max: 0,
        missed_interims: 0,
        settle: "soon".into(),
        clients: vec![
            ClientConfig { clock: Some("ntp".into()), interim: Some("10".into()), ..ClientConfig::default() },
            ClientConfig { addresses: vec!["10.0.0.1/8".into(), "192.0.2.1".into()], realm: Some("ok".into()), ..ClientConfig::default() },
            ClientConfig { addresses: vec!["192.0.2.1/32".into()], realm: Some("ok".into()), ..ClientConfig::default() },
        ],
        detail: vec![DetailConfig { path: "detail".into(), realm: Some("ok".into()), ..DetailConfig::default() }],
        ..Config::default()
    };
    let problems = config.check().unwrap_err();
    let wanted = [
        "name = \"a/b\"",
        "realm = \"\"",
        "sessions_max = 0",
        "missed_interims = 0",
        "listen: \"1813\"",
        "settle: ",
        "clients[0].addresses is empty",
        "clients[0].clock = \"ntp\"",
        "clients[0].realm",
        "clients[0].interim: ",
        "clients[1].addresses: \"10.0.0.1/8\" has host bits",
        "clients[2].addresses: 192.0.2.1/32 is in clients[1] too",
        "detail[0].path",
    ];
    for want in wanted {
        assert_eq!(problems.iter().filter(|p| p.starts_with(want)).count(), 1, "{want}: {problems:#?}");
    }
    assert_eq!(problems.len(), wanted.len(), "{problems:#?}");
    let nothing = Config { listen: vec![], ..Config::default() };
    assert!(nothing.check().unwrap_err()[0].contains("nothing could arrive"));
    let open = Config { listen: vec!["0.0.0.0:1813".into()], ..Config::default() };
    assert!(open.check().unwrap_err()[0].contains("clients is empty"));
}

#[test]
fn secret_files_are_checked_together() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open");
    fs::write(&open, "secret-text").unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let client = |address: &str, file: &str| ClientConfig {
        addresses: vec![address.into()],
        secret_file: Some(dir.path().join(file)),
        ..ClientConfig::default()
    };
    let config = Config { clients: vec![client("192.0.2.1", "open"), client("192.0.2.2", "none")], ..Config::default() };
    let problems = config.check().unwrap().load_clients(dir.path()).unwrap_err();
    assert_eq!(problems.len(), 2);
    assert!(problems[0].contains("chmod 600") && problems[1].contains("cannot be read"), "{problems:?}");
    assert!(problems.iter().all(|p| !p.contains("secret-text")));
}

#[test]
fn the_manual_shows_a_configuration_that_is_taken() {
    let manual = include_str!("../../../../../docs/sources/radius.md");
    let (_, rest) = manual.split_once("<!-- tested: weir -->\n```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let parsed: toml::Table = toml::from_str(text).unwrap();
    let config: Config = parsed["sources"]["radius"].clone().try_into().unwrap();
    let settings = config.check().unwrap();
    assert_eq!((settings.clients.len(), settings.clients[0].prefixes.len(), settings.detail.len()), (1, 2, 1));
    assert_eq!((settings.settle_ms, settings.clients[0].interim_ms, settings.detail[0].interim_ms), (10_000, 600_000, 600_000));
    assert!(settings.is_public() && settings.detail[0].delete);
    // Every key that exists is shown, with its default where it has one.
    let shown: toml::Table = toml::from_str(text).unwrap();
    let shown = shown["sources"]["radius"].as_table().unwrap();
    let keys: Vec<_> = shown.keys().map(String::as_str).collect();
    let all = ["clients", "detail", "listen", "missed_interims", "name", "realm", "receive_buffer", "sessions_max", "settle"];
    assert_eq!(keys, all);
    let default = Config::default();
    assert_eq!(
        (config.name, config.realm, config.sessions_max, config.settle),
        (default.name, default.realm, default.sessions_max, default.settle)
    );
    assert_eq!((config.missed_interims, config.receive_buffer), (default.missed_interims, default.receive_buffer));
    let wrong: Result<Config, _> = toml::from_str("listn = []");
    assert!(wrong.unwrap_err().to_string().contains("listn"), "a key that does not exist is named");
}
