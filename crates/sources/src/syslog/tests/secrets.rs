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

/// In lines that have no mark of a command.
#[test]
fn secrets_outside_commands_are_not_shown() {
    for (text, want) in [
        ("password: hunter2", "password: <SECRET>"),
        ("login failed, password: Geheim; next", "login failed, password: <SECRET>; next"),
        ("Password : hunter2, try 2", "Password : <SECRET>, try 2"),
        ("password:hunter2", "password:<SECRET>"),
        ("密码：hunter2", "密码：<SECRET>"),
        ("登录密码： hunter2，来自", "登录密码： <SECRET>，来自"),
        ("口令 hunter2", "口令 <SECRET>"),
        ("密码为hunter2登录成功", "密码为<SECRET>登录成功"),
        ("密码=123456&x=1", "密码=<SECRET>&x=1"),
        ("密钥“Ge heim”错误", "密钥“<SECRET> heim”错误"),
        ("Authorization: Bearer abcdef", "Authorization: Bearer <SECRET>"),
        ("\"authorization\":\"Basic Ym9iOmh1bnRlcjI=\",", "\"authorization\":\"Basic <SECRET>\","),
        ("Proxy-Authorization: abc123", "Proxy-Authorization: <SECRET>"),
        ("X-Api-Key: a1b2c3", "X-Api-Key: <SECRET>"),
        ("X-Auth-Token: a1b2c3", "X-Auth-Token: <SECRET>"),
        ("curl -u bob:hunter2 https://h.example", "curl -u <SECRET> https://h.example"),
        ("curl -ubob:hunter2 x", "curl -u<SECRET> x"),
        ("sshpass -p hunter2 ssh h", "sshpass -p <SECRET> ssh h"),
        ("ran sshpass -v -phunter2 ssh h", "ran sshpass -v -p<SECRET> ssh h"),
        ("snmp-server community s3cret RO", "snmp-server community <SECRET> RO"),
        ("snmp-agent community read cipher %^%#x%^%#", "snmp-agent community read cipher <SECRET>"),
        ("enable secret 5 $1$mERr$hx5r", "enable secret 5 <SECRET>"),
        ("username x secret 9 $9$abc", "username <USER1> secret 9 <SECRET>"),
        ("username x password 7 0822455D0A16", "username <USER1> password 7 <SECRET>"),
        ("radius-server shared-key cipher %^%#x", "radius-server shared-key cipher <SECRET>"),
        ("radius-server key hunter", "radius-server key <SECRET>"),
        ("tacacs-server key 7 0822455D", "tacacs-server key 7 <SECRET>"),
        ("primary authentication 192.0.2.1 key cipher $c$3$x", "primary authentication <ADDR1> key cipher <SECRET>"),
    ] {
        assert_eq!(shown(text, false), want, "{text}");
    }
}

#[test]
fn sentences_about_passwords_stay() {
    for text in [
        "Failed password for bob from 192.0.2.1 port 22 ssh2",
        "password: expired",
        "Password: incorrect, try again",
        "Console enable password incorrect for 3 tries (from 192.0.2.9)",
        "AAA user authentication Rejected : reason = Invalid password : server = 192.0.2.1 : user = bob",
        "3 incorrect password attempts ; TTY=pts/1",
        "pam_unix(passwd:chauthtok): password changed for bob",
        "Virtual Account:  %%1843   Elevated Token:  %%1842    New Logon:",
        "unexpected token: comma, community: 65000:100",
        "kex: cipher: aes128-ctr MAC: x; Unable to negotiate key exchange method",
        "Authorization failed for bob; authorization: denied",
        "docker run -u 1000:1000 x; journalctl -u sshd; fetch -u http://h.example:80",
        "密码错误，密码：错误，密码已过期，密码3次错误，密码：已过期，密码/口令 error",
        "password 3 times wrong, snmp-server community changed",
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
