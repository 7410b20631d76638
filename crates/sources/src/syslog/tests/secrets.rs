//! Lines with secrets, and lines that only speak of them.

use proptest::prelude::*;

use super::super::redact::Redactor;

fn shown(text: &str, command: bool) -> String {
    let (mut redactor, mut out) = (Redactor::default(), String::new());
    redactor.is_command(command);
    redactor.text(text, &mut out);
    out
}

#[test]
fn secrets_are_not_shown() {
    for (text, want) in [
        (
            r#"(Task=VTY0, Command="local-user x password irreversible-cipher Geheim99")"#,
            r#"(Task=VTY0, Command="local-user <USER1> password irreversible-cipher <SECRET>")"#,
        ),
        ("Command is snmp-agent community read cipher Geheim99", "Command is snmp-agent community read cipher <SECRET>"),
        ("Command is snmp-agent community read Geheim99", "Command is snmp-agent community read <SECRET>"),
        ("logged command:enable secret 5 $1$mERr$hx5rVt7rPNoS4wqbXKX7m0", "logged command:enable secret 5 <SECRET>"),
        ("logged command:snmp-server community Geheim99 RO", "logged command:snmp-server community <SECRET> RO"),
        ("TTY=pts/0 ; COMMAND=/usr/bin/mysql -pGeheim!23 shop", "TTY=pts/0 ; COMMAND=/usr/bin/mysql -p<SECRET> shop"),
        ("COMMAND=/usr/bin/mysql --password=Geheim123 -h db", "COMMAND=/usr/bin/mysql --password=<SECRET> -h db"),
        ("COMMAND=/bin/x --password 'Geheim 123' -h", "COMMAND=/bin/x --password '<SECRET>' -h"),
        ("COMMAND=/usr/bin/env MYSQL_PASSWORD=Geheim,123 y", "COMMAND=/usr/bin/env MYSQL_PASSWORD=<SECRET> y"),
        (
            "ppp secret added (/ppp secret add name=x password=Geheim123 service=any)",
            "ppp secret added (/ppp secret add name=<USER1> password=<SECRET> service=any)",
        ),
        (r#"{"password":"Geheim 123","x":1}"#, r#"{"password":"<SECRET>","x":1}"#),
        ("GET https://u:Ge@heim:1@h.example/x", "GET https://u:<SECRET>@h.example/x"),
        ("db_token=abc,next=1", "db_token=<SECRET>,next=1"),
        ("Command=\"ike pre-shared-key Geheim99\"", "Command=\"ike pre-shared-key <SECRET>\""),
        ("COMMAND=/bin/ls", "COMMAND=/bin/ls"),
    ] {
        assert_eq!(shown(text, false), want, "{text}");
    }
    assert_eq!(shown("local-user x password cipher Geheim99 level 3", true), "local-user <USER1> password cipher <SECRET> level 3");
}

#[test]
fn sentences_about_passwords_stay() {
    for text in [
        "Accepted password for <USER1> port 22",
        "a password is required ; TTY=pts/0 ; PWD=/srv/x ; COMMAND=/bin/ls",
        "password check failed",
        "Server listening, key exchange done, cipher=TLS_AES_128_GCM_SHA256",
        "pam_unix: password: authentication failure",
        "simple request",
        "keyboard-interactive/pam",
    ] {
        let got = shown(text, false);
        assert!(!got.contains("<SECRET>"), "{text}: {got}");
    }
}

proptest! {
    /// Whatever stands there: a redacted form is longer by no more than its marks, and what was said to be a password is gone.
    #[test]
    fn a_form_stays_short_and_holds_no_secret(before in "[a-z =:\"'-]{0,20}", secret in "Q[A-Z0-9!$%_.]{3,30}", after in "[ a-z=]{0,20}") {
        for text in [
            format!("{before} COMMAND=x password {secret} {after}"),
            format!("{before} COMMAND=x password irreversible-cipher {secret} {after}"),
            format!("{before} COMMAND=x -p{secret} {after}"),
            format!("{before} password={secret} {after}"),
        ] {
            let got = shown(&text, false);
            prop_assert!(!got.contains(&secret), "{} {}", text, got);
            prop_assert!(got.len() <= text.len() * 10 + 16);
        }
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,200}", command in any::<bool>()) {
        let got = shown(&text, command);
        prop_assert!(got.len() <= text.len() * 12 + 16, "{}", got);
    }
}
