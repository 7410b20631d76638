//! Configuration and tokens.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::events::config::{Config, Settings};
use crate::events::server::check_files;
use crate::events::token::{self, Tokens, bearer};

fn checked(text: &str) -> Result<Settings, Vec<String>> {
    toml::from_str::<Config>(text).unwrap().check()
}

#[test]
fn all_problems_are_found_at_once() {
    let text = r#"
        listen = ["here", "0.0.0.0:1", "127.0.0.1:7", "127.0.0.1:7", "[::1]:0"]
        listen_tls = ["127.0.0.1:7"]
        realm = ""
        [[applications]]
        name = "a/b"
        token_file = "token"
        service = "my forum"
        addresses = ["192.0.2.0/24", "x"]
        [[applications]]
        name = "c"
        token_file = "/etc/c"
        realm = "a/b"
        [[applications]]
        name = "c"
        token_file = "/etc/c"
    "#;
    let problems = checked(text).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|p| p.split([' ', ':']).next().unwrap()).collect();
    let want = [
        "listen[0]",
        "listen[1]",
        "listen[3]",
        "listen_tls",
        "realm",
        "tls_certificate",
        "tls_key",
        "applications[0].name",
        "applications[0].token_file",
        "applications[0].realm",
        "applications[0].service",
        "applications[0].addresses[1]",
        "applications[1].realm",
        "applications[2].name",
        "applications[2].realm",
    ];
    assert_eq!(keys, want, "{problems:#?}");
    assert!(problems[1].contains("0.0.0.0:1 would carry accounts"), "{problems:#?}");
    assert!(checked("listen = [\"127.0.0.1:0\"]").unwrap_err()[0].contains("at least one application"));
    assert!(!Config::default().listens());
}

#[test]
fn an_application_may_be_held_to_its_addresses() {
    let text = "listen = [\"127.0.0.1:0\"]\n[[applications]]\nname = \"a\"\ntoken_file = \"/t\"\naddresses = [\"192.0.2.0/24\"]\n";
    let settings = checked(text).unwrap();
    let one = &settings.applications[0];
    assert_eq!((one.realm.as_str(), one.service.as_deref()), ("default", None));
    assert!(one.may_come_from("192.0.2.9".parse().unwrap()) && !one.may_come_from("127.0.0.1".parse().unwrap()));
}

fn write(path: &Path, text: &str, mode: u32) {
    let _ = fs::remove_file(path);
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn token_files_must_be_private_and_hard_to_guess() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    let good = "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz";
    for (text, mode, want) in [
        (format!("{good}\n"), 0o600, Ok(())),
        (format!("{good}\r\n\n"), 0o400, Ok(())),
        (good.to_owned(), 0o640, Err("chmod 600")),
        (good.to_owned(), 0o604, Err("chmod 600")),
        ("short\n".to_owned(), 0o600, Err("can be guessed")),
        (String::new(), 0o600, Err("can be guessed")),
        ("x".repeat(513), 0o600, Err("longer")),
        ("x".repeat(600), 0o600, Err("longer")),
        (format!("{good} {good}"), 0o600, Err("one word")),
        (format!("{good}é"), 0o600, Err("one word")),
    ] {
        write(&path, &text, mode);
        match (token::read(&path), want) {
            (Ok(got), Ok(())) => assert_eq!(got, good.as_bytes()),
            (Err(got), Err(want)) => assert!(got.contains(want) && !got.contains(good), "{got}"),
            (got, want) => panic!("{mode:o}: {:?}, expected {want:?}", got.map(|_| ())),
        }
    }
    assert!(token::read(&dir.path().join("none")).unwrap_err().contains("head -c 32 /dev/urandom"));
    assert!(token::read(dir.path()).unwrap_err().contains("not a file"));
}

#[test]
fn a_token_is_whose_it_is() {
    let tokens = Tokens::new(&[b"one-token-of-one-application".to_vec(), b"two".to_vec(), b"two".to_vec()]);
    assert_eq!((tokens.whose(b"one-token-of-one-application"), tokens.whose(b"one"), tokens.same()), (Some(0), None, Some((1, 2))));
    for (header, want) in
        [("Bearer abc", Some("abc")), ("bearer  abc ", Some("abc")), ("Basic abc", None), ("Bearer", None), ("", None), ("Bearerabc", None)]
    {
        assert_eq!(bearer(header.as_bytes()), want.map(str::as_bytes), "{header}");
    }
}

#[test]
fn files_are_looked_at_before_they_are_used() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    write(&path, "Zm9ydW0tdG9rZW4tZm9yLXRlc3Rz", 0o600);
    let text = |second: &str| {
        format!(
            "listen_tls = [\"127.0.0.1:0\"]\ntls_certificate = \"{0}/no.pem\"\ntls_key = \"{0}/no.key\"\n\
             [[applications]]\nname = \"a\"\ntoken_file = \"{0}/token\"\n[[applications]]\nname = \"b\"\ntoken_file = \"{0}/{second}\"\n",
            dir.path().display()
        )
    };
    let looked = |second: &str| check_files(&toml::from_str(&text(second)).unwrap());
    let problems = looked("token");
    assert!(problems[0].starts_with("sources.events.applications[1].token_file holds the token of applications[0] too"), "{problems:?}");
    assert!(problems[1].contains("no.pem") && problems[2].contains("no.key"), "each file of its own: {problems:?}");
    assert!(looked("other")[0].contains("cannot be read"));
}
