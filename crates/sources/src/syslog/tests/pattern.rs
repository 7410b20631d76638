//! Patterns: what fields take, what is refused, and what would take long.

use proptest::prelude::*;

use super::*;

fn found(pattern: &str, text: &str) -> Option<Vec<String>> {
    let found = Pattern::parse(pattern).unwrap().find(text)?;
    Some(found.into_iter().map(|(slot, value)| format!("{slot}={value}")).collect())
}

#[test]
fn fields_take_what_their_form_allows() {
    for (pattern, text, want) in [
        ("from {address} port {port}", "from 192.0.2.3 port 22 ssh2", Some(vec!["address=192.0.2.3", "port=22"])),
        ("from {address} port {port}", "from 192.0.2.3  port 22", Some(vec!["address=192.0.2.3", "port=22"])),
        ("{inside}:{inside_port}->", "192.0.2.3:1024->x", Some(vec!["inside=192.0.2.3", "inside_port=1024"])),
        ("{inside}:{inside_port}->", "2001:db8::1:1024->x", Some(vec!["inside=2001:db8::1", "inside_port=1024"])),
        ("{inside}.{inside_port} ", "192.0.2.3.1024 x", None),
        ("{address}, x", "192.0.2.3, x", Some(vec!["address=192.0.2.3"])),
        ("{*}user {account},", "login: user bob, tty", Some(vec!["account=bob"])),
        (
            "for {account:last} from {address} port",
            "for a from 192.0.2.1 port 1 from 192.0.2.9 port 2",
            Some(vec!["account=a from 192.0.2.1 port 1", "address=192.0.2.9"]),
        ),
        ("({mac})", "(00:11:22:aa:bb:cc)", Some(vec!["mac=00:11:22:aa:bb:cc"])),
        ("{mac}", "0011-2233-4455", Some(vec!["mac=0011-2233-4455"])),
        ("{mac}", "00:11:22:33:44:55:66", None),
        ("{duid} x", "00:03:00:01:02:00:00:00:00:0A x", Some(vec!["duid=00:03:00:01:02:00:00:00:00:0A"])),
        ("{duid}", "00:03", None),
        ("{duid}", "00:03:00:01:2", None),
        ("{duid}", "00:03:00:01:", None),
        ("from {address} port", "from fe80::1%eth0.100 port", Some(vec!["address=fe80::1%eth0.100"])),
        ("from {address}%{*}", "from fe80::1%eth0 port", Some(vec!["address=fe80::1"])),
        ("from {address}.", "from fe80::1%wlan0.", Some(vec!["address=fe80::1%wlan0"])),
        ("from {address} port", "from 192.0.2.1%1 port", None),
        ("{account} in$", "bob in ", Some(vec!["account=bob"])),
        ("{account} in$", "bob in it", None),
        ("{*}{address}", "peer is 192.0.2.7", Some(vec!["address=192.0.2.7"])),
        ("port {port}", "port 70000", None),
        ("{{x}}{detail}", "{x}rest of it", Some(vec!["detail=rest of it"])),
    ] {
        let want = want.map(|w| w.into_iter().map(str::to_owned).collect());
        assert_eq!(found(pattern, text), want, "{pattern:?} {text:?}");
    }
}

#[test]
fn bad_patterns_say_what_to_write() {
    for (pattern, hint) in [
        ("{accont}", "is no field"),
        ("{account:long}", "is no form"),
        ("{account", "not closed"),
        ("", "empty"),
        ("{detail}{*}", "side by side"),
        ("{account} as {account}", "the field {account} stands twice"),
        ("{account:last} {*} {account}$", "the field {account} stands twice"),
        ("for {account}{address}", "nothing stands between {account} and {address}"),
        ("{public}{public_port}", "nothing stands between {public} and {public_port}"),
        (&"{port} ".repeat(40), "at most 64"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err();
        assert!(error.contains(hint), "{pattern:?}: {error}");
    }
}

#[test]
fn a_line_made_to_take_long_ends_soon() {
    let pattern = Pattern::parse("{*}a{*}a{*}a{*}a{*}a{*}a{*}b").unwrap();
    assert_eq!(pattern.find(&"a".repeat(30_000)), None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let pattern = Pattern::parse("{*}x {address}:{port} {mac} {account:last} {detail}").unwrap();
        let _ = pattern.find(&text);
        let _ = (addresses(&text).count(), duid_length(&text));
        let _ = Pattern::parse(&text);
    }
}
