//! What is replaced; and that the walk by bytes does what the plain one says.

use proptest::prelude::*;

use super::super::dialect::{Dialect, Table};
use super::super::line;
use super::*;

fn redacted(text: &str, accounts: &[&str]) -> String {
    let mut redactor = Redactor::default();
    accounts.iter().for_each(|a| redactor.account(a));
    shown(&mut redactor, text)
}

fn shown<'a>(redactor: &mut Redactor<'a>, text: &'a str) -> String {
    let mut out = String::new();
    redactor.text(text, &mut out);
    out
}

#[test]
fn what_names_a_person_is_replaced() {
    for (text, accounts, want) in [
        ("Accepted password for bob from 192.0.2.7 port 22", &["bob"][..], "Accepted password for <USER1> from <ADDR1> port 22"),
        ("bobby met bob, and bob's bob@x.org", &["bob"], "bobby met <USER1>, and <USER1>'s <MAIL1>"),
        ("192.0.2.7 192.0.2.8 192.0.2.7:80", &[], "<ADDR1> <ADDR2> <ADDR1>:80"),
        ("src=2001:db8::1, [2001:db8::2]:443 fe80::1%eth0", &[], "src=<ADDR1>, [<ADDR2>]:443 <ADDR3>"),
        ("duid 00:01:00:01:2a:b3:c4:d5:00:11:22:33:44:55 iaid", &[], "duid <MAC1> iaid"),
        ("at 10:00:00 on 2026-11-22 1.2.3 v1.2.3.4x", &[], "at 10:00:00 on 2026-11-22 1.2.3 v1.2.3.4x"),
        ("mac 00:11:22:33:44:55 0011-2233-4455", &[], "mac <MAC1> <MAC2>"),
        (
            "call 13800138000 or +8613800138000, not 12345678901 or 138001380001",
            &[],
            "call <PHONE1> or <PHONE2>, not 12345678901 or 138001380001",
        ),
        ("id 11010519491231002X 110105194912310021", &[], "id <CERT1> <CERT2>"),
        ("user=alice uid=0; User 'carol' logged in", &[], "user=<USER2> uid=0; User '<USER1>' logged in"),
        ("session opened for user dave(uid=1000) by (uid=0)", &[], "session opened for user <USER1>(uid=1000) by (uid=0)"),
        ("carol logged in", &[], "<USER1> logged in"),
        ("portal: \"li.si\" has been successfully signed out, li.si", &[], "portal: \"<USER1>\" has been successfully signed out, <USER1>"),
        ("drive logged 3 errors, package signed here", &[], "drive logged 3 errors, package signed here"),
        ("user logged in; user is gone; no user", &[], "user logged in; user is gone; no user"),
        ("session closed for frank by (uid=0)", &[], "session closed for <USER1> by (uid=0)"),
        ("Accepted password for alice from 192.0.2.7", &[], "Accepted password for <USER1> from <ADDR1>"),
        ("Postponed publickey for 20261234 by gate", &[], "Postponed publickey for <USER1> by <USER2>"),
        ("session blocked for 30 seconds by the server", &[], "session blocked for 30 seconds by the server"),
        ("session closed for 101 by 0", &[], "session closed for <USER1> by <USER2>"),
        ("link is up for eth0, waited for by nobody", &[], "link is up for eth0, waited for by nobody"),
        ("login as bob", &[], "login as <USER1>"),
        ("Bob logged in as alice as soon as expected", &[], "<USER1> logged in as <USER2> as soon as expected"),
        ("user \"bob smith\" and user 'x y' of user \"open", &[], "user \"<USER1>\" and user '<USER2>' of user \"<USER3>"),
        (r#"{\"user\":\"bob li\",\"x\":1}"#, &[], r#"{\"user\":\"<USER1>\",\"x\":1}"#),
        ("用户名=张三 用户 li.si 登录", &[], "用户名=<USER1> 用户 <USER2> 登录"),
        ("[x@32473 user=\"eve\"]", &[], "[x@32473 user=\"<USER1>\"]"),
        ("0555123@isp user123@adsl.example.cn.", &[], "<MAIL1> <MAIL2>."),
    ] {
        assert_eq!(redacted(text, accounts), want, "{text}");
    }
}

#[test]
fn the_same_value_has_the_same_number_in_every_text_of_a_line() {
    let mut redactor = Redactor::default();
    assert_eq!(shown(&mut redactor, "a=192.0.2.1 b=192.0.2.2"), "a=<ADDR1> b=<ADDR2>");
    assert_eq!(shown(&mut redactor, "192.0.2.2 192.0.2.3"), "<ADDR2> <ADDR3>");
}

/// What [`Redactor::text`] does, character by character and without a thought for time.
fn plain<'a>(redactor: &mut Redactor<'a>, text: &'a str) -> String {
    redactor.subjects(text);
    let (mut out, mut at, mut expects, mut label_ends) = (String::new(), 0, false, 0);
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    while let Some(c) = text[at..].chars().next() {
        let begins = !c.is_ascii() || text[..at].chars().next_back().is_none_or(|c| !in_word(c));
        if begins && let Some((word, length)) = redactor.value_at(text, at, true, expects) {
            redactor.replace(word, &text[at..at + length], &mut out);
            (at, expects) = (at + length, false);
        } else if begins && in_word(c) {
            let word = text[at..].split(|c| !in_word(c)).next().unwrap();
            out.push_str(word);
            at += word.len();
            expects = at == label_ends || labels::leads_to(word, text, &mut None);
        } else {
            if !c.is_ascii()
                && label_ends <= at
                && let Some(length) = labels::wide(&text[at..])
            {
                label_ends = at + length;
            }
            out.push(c);
            at += c.len_utf8();
            expects &= matches!(c, '=' | ':' | ' ' | '"' | '\'' | '[' | '(' | '<' | '`' | '\\') || !c.is_ascii() && labels::is_between(c);
            expects |= !c.is_ascii() && at == label_ends;
        }
    }
    out
}

proptest! {
    #[test]
    fn the_walk_by_bytes_finds_what_the_plain_one_finds(
        pieces in prop::collection::vec(
            prop_oneof![
                "[a-f0-9.:]{1,12}", "[ =:@+%.,'\"(<>`：_-]{1,3}", "(user|account|用户|name|login|for|by|as) ", "session ", "(用户|学号|姓名|用户名为|账号ID|登录)", "[：＝（“，】]", "(bob|eve[.]li|张三|-x-)", "1[3-9][0-9]{9}", "\\PC{1,3}",
                "(192[.]0[.]2[.]7|2001:db8::1|::ffff:192[.]0[.]2[.]1|00:11:22:33:44:55|0011-2233-4455|1:2:3:4:5:6:7:8|1:2:3:4:5:6:192[.]0[.]2[.]1)"
            ],
            0..14
        ),
        accounts in prop::collection::vec("(bob|eve[.]li|张三|-x-|:|19|a@b)", 0..3),
    ) {
        let text = pieces.concat();
        let of = || {
            let mut redactor = Redactor::default();
            accounts.iter().for_each(|a| redactor.account(a));
            redactor
        };
        prop_assert_eq!(shown(&mut of(), &text), plain(&mut of(), &text));
    }

    #[test]
    fn no_address_is_left(a in any::<[u8; 4]>(), before in "[a-z ]{0,8}", after in "[ ,;:)a-z]{0,4}") {
        let shown = std::net::Ipv4Addr::from(a).to_string();
        // A letter right behind an address makes it part of a word, as in a version number.
        prop_assume!(!after.starts_with(|c: char| c.is_ascii_alphanumeric()));
        let out = redacted(&format!("{before} {shown}{after}"), &[]);
        prop_assert!(!out.contains(&shown), "{}", out);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,120}", account in "\\PC{0,8}") {
        let _ = redacted(&text, &[&account]);
    }
}

proptest! {
    /// What goes by without being looked at holds nothing: neither for secrets, nor for options, nor for what a dialect found, nor for known values.
    #[test]
    fn nothing_begins_with_what_goes_by(
        pieces in prop::collection::vec(
            prop_oneof![
                "[a-f0-9.:]{1,12}", "[ =:@+%.,'\"(<>`：_/-]{1,3}", "[a-zA-Z]{1,17}", "[0-9]{5,19}[Xx]?", " -(p|u|P|U)[a-z:0-9 ]{0,6}",
                "(?i)(user|acct|logname|name|auid|subjectusername|for|by|as|password|passwd|psk|token|key|cipher|sshpass|authorization|presharedkey|community)[ =:]",
                "[a-z]{0,4}_(key|psk|pass|token|secret|passwd|password|x)[ =:]", "(COMMAND=|cmd |curl |session |snmp-server |Bearer |shared-)",
                "(http://a:b@c/|ip192[.]0[.]2[.]1|eth00:11:22:33:44:55|192[.]0[.]2[.]7|2001:db8::1|fe80::1%eth0|用户ID|密码为|用户|登录|[：＝（“，】])",
                "(bob|eve[.]li|张三|-x-|\\PC{1,3}|1[3-9][0-9]{9})", "[ .]{1,40}", "[a-z]{30,70}", "[0-9a-f]{1,4}[.:-]([0-9a-f]{1,5}[.:-]){1,8}[0-9a-f]{1,5}"
            ],
            0..20
        ),
        accounts in prop::collection::vec("(bob|eve[.]li|张三|-x-|:|19|k|_a)", 0..3),
        found in any::<bool>(),
        command in any::<bool>(),
    ) {
        let text = pieces.concat();
        let dialect = "name = \"own\"\ntitle = \"own\"\n[[rule]]\nevent = \"sign-in\"\nmatch = \"from {address} {mac} {client}\"\n";
        let (table, only) = (Table::new(vec![Dialect::parse(dialect).unwrap()]), ["own".to_owned()]);
        let line = line::parse("<13>Nov 22 10:00:00 h own: from 192.0.2.1 00:11:22:33:44:55 bob-pc");
        let understood = table.understand(&line, &only).unwrap();
        let of = |pass: bool| {
            let mut redactor = Redactor::default();
            accounts.iter().for_each(|a| redactor.account(a));
            redactor.is_command(command);
            if found {
                redactor.found(&understood.entries);
            }
            let mut out = String::new();
            if pass { redactor.walk::<true>(&text, &mut out) } else { redactor.walk::<false>(&text, &mut out) }
            out
        };
        prop_assert_eq!(of(true), of(false));
    }

    /// One look for all the marks of a command finds the first of them.
    #[test]
    fn a_command_begins_at_the_first_mark(text in "(ommand|OMMAND|cmd|CMD|EXECVE|[cmdoXEVMu ]|用){0,8}") {
        let first = ["ommand", "OMMAND", "cmd", "CMD", "EXECVE"].iter().filter_map(|mark| text.find(mark)).min();
        prop_assert_eq!(secrets::command(&text), first);
    }

    #[test]
    fn a_number_is_written_as_it_is_shown(number in any::<u32>()) {
        let mut out = String::new();
        push_number(&mut out, number);
        prop_assert_eq!(out, number.to_string());
    }
}

proptest! {
    /// Whatever stands behind it, an address is found whole; and nothing is found that is none.
    #[test]
    fn addresses_are_found_whole(
        four in any::<[u8; 4]>(), six in prop::array::uniform8(prop_oneof![Just(0u16), any::<u16>()]), behind in prop::sample::select(vec!["", " x", ",", "]", ")", "/24"]),
        port in prop::sample::select(vec!["", ".", ":80", ": x"]), any in "[0-9a-f:.]{0,40}"
    ) {
        let (four, six) = (std::net::Ipv4Addr::from(four).to_string(), std::net::Ipv6Addr::from(six).to_string());
        prop_assert_eq!(addresses(&format!("{four}{port}{behind}")).next(), Some(four.len()));
        prop_assert_eq!(addresses(&format!("{six}{behind}")).next(), Some(six.len()), "{}", six);
        for length in addresses(&any) {
            prop_assert!(any[..length].parse::<std::net::IpAddr>().is_ok(), "{} of {}", length, any);
        }
    }
}
