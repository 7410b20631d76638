//! Every line of `testdata/`, with what must be understood of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use weir_base::time::Millis;
use weir_record::kinds::Form;

use super::super::dialect::{BUILT_IN, Entry, Event, Table};
use super::super::{line, meaning, text};

/// What is understood of a line: the dialect, the event, and what it came to. For NAT: each event with action, form, protocol, public
/// end, inside end, remote end.
fn told(table: &Table, bytes: &[u8], only: &[String]) -> String {
    let (decoded, _) = text::decode(bytes);
    let line = line::parse(&decoded);
    let received: Millis = "2026-11-22T10:00:10+08:00".parse().unwrap();
    let time = line.stamp.map_or(received, |s| s.resolve(received, 480).0);
    let Some(understood) = table.understand(&line, only) else { return "none".to_owned() };
    let about = meaning::About { source: 1, time, whole: false, received, zone: 480 };
    let mut out = understood.dialect.to_owned();
    match understood.event() {
        Event::Nat(..) => {
            out.push_str(" nat");
            for Entry { event, values } in &understood.entries {
                let Event::Nat(ends, form) = *event else { panic!("{understood:?}") };
                let Some(events) = meaning::nat(values, ends, form, &about) else { return "none".to_owned() };
                for e in events {
                    let action = if e.action == 1 { "create" } else { "delete" };
                    let remote =
                        if e.remote_address.is_none() { "-".to_owned() } else { format!("{}:{}", e.remote_address, e.remote_port) };
                    out.push_str(&format!(
                        " {action} {} {} {}:{}-{} {}:{} {remote}",
                        Form::from_u8(e.form).unwrap().name(),
                        e.protocol,
                        e.public_address,
                        e.public_port,
                        e.public_port_last,
                        e.inside_address,
                        e.inside_port,
                    ));
                }
            }
        }
        event => {
            let word = match event {
                Event::Lease => "lease",
                Event::Release => "release",
                other => other.name().unwrap_or("nothing"),
            };
            out.push_str(&format!(" {word}"));
            if matches!(event, Event::Lease | Event::Release) {
                let values = &understood.entries[0].values;
                assert!(meaning::leased(values).is_some() && meaning::hardware(values).is_some(), "{decoded}");
            }
            for (slot, value) in understood.entries[0].values.iter() {
                out.push_str(&format!(" {slot}={value}"));
            }
        }
    }
    if understood.missed > 0 {
        out.push_str(&format!(" missed {}", understood.missed));
    }
    out
}

/// What rules make of which no public line was found: nothing is tested of it, and `docs/sources/syslog.md` says so.
const NO_PUBLIC_LINE: &[(&str, &str)] = &[
    ("h3c", "nat-begin block"),
    ("h3c", "nat-end block"),
    ("h3c", "privilege"),
    ("netscaler", "failure"),
    ("netscaler", "nat-begin block"),
    ("netscaler", "nat-end block"),
];

/// Programs that one dialect speaks for, with the events each must have five lines of and two malformed.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    ("linux", "sshd", &["sign-in", "sign-out", "failure"]),
    ("linux", "sudo", &["privilege", "failure"]),
    ("linux", "su", &["privilege", "failure"]),
    ("linux", "login", &["sign-in", "sign-out", "failure"]),
    ("linux", "systemd-logind", &["sign-in", "sign-out"]),
    ("linux", "CRON", &["privilege"]),
    ("linux", "audit", &["sign-in", "sign-out", "failure", "privilege", "configuration"]),
    ("dhcp", "dnsmasq-dhcp", &["lease", "release"]),
    ("dhcp", "dhcpd", &["lease", "release"]),
    ("dhcp", "kea-dhcp4", &["lease", "release"]),
    ("netfilter", "ulogd", &["nat create session", "nat delete session"]),
    ("netfilter", "conntrack", &["nat create session", "nat delete session"]),
    ("netfilter", "vyos-conntrack-logger", &["nat create session", "nat delete session"]),
    ("netfilter", "kernel", &["nothing"]),
];

const LEAST: usize = 5;

/// The lines of a golden file, each with what is wanted of it.
fn golden(name: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syslog/testdata").join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut all, mut last) = (Vec::new(), "");
    for row in text.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")) {
        match row.strip_prefix("=> ") {
            Some(want) => all.push((last.to_owned(), want.to_owned())),
            None => last = row,
        }
    }
    all
}

#[test]
fn lines_of_every_dialect_are_understood_as_written_beside_them() {
    let table = Table::new(Table::built_in());
    let mut wrong = Vec::new();
    for (name, _) in BUILT_IN {
        for (line, want) in golden(name) {
            // `named `: only of a sender that names the dialect.
            let (want, named) = want.strip_prefix("named ").map_or((want.as_str(), false), |want| (want, true));
            let got = told(&table, line.as_bytes(), &[]);
            let got = if named && got == "none" { told(&table, line.as_bytes(), &[(*name).to_owned()]) } else { got };
            if got != want {
                wrong.push(format!("{name}: {line}\n  want {want}\n  got  {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

/// The word of a rule for what a golden line came to: `nat create block` is of a rule `nat-begin block`.
fn kinds_of(want: &str) -> Vec<String> {
    let words: Vec<&str> = want.strip_prefix("named ").unwrap_or(want).split(' ').collect();
    match words.as_slice() {
        [_, "nat", "create", form, ..] => vec![format!("nat-begin {form}"), format!("nat-begin-only {form}")],
        [_, "nat", "delete", form, ..] => vec![format!("nat-end {form}")],
        [_, event, ..] => vec![(*event).to_owned()],
        _ => Vec::new(),
    }
}

#[test]
fn every_event_of_every_vendor_has_five_lines_and_every_vendor_two_malformed() {
    let mut thin = Vec::new();
    for (name, text) in BUILT_IN {
        let (lines, file) = (golden(name), text.parse::<toml::Table>().unwrap());
        let events: BTreeSet<String> = file["rule"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| {
                let word = rule["event"].as_str().unwrap();
                let form = rule.get("form").map_or("session", |f| f.as_str().unwrap());
                let form = if form == "address" { Form::AddressBinding.name() } else { form };
                if word.starts_with("nat-") { format!("{word} {form}") } else { word.to_owned() }
            })
            .collect();
        for event in events {
            let n = lines.iter().filter(|(_, want)| kinds_of(want).contains(&event)).count();
            if n < LEAST {
                thin.push((*name, event, n));
            }
        }
        let malformed = lines.iter().filter(|(_, want)| want == "none").count();
        assert!(malformed >= 2, "{name} has {malformed} malformed lines");
    }
    let expected: Vec<(&str, String, usize)> = NO_PUBLIC_LINE.iter().map(|(name, event)| (*name, (*event).to_owned(), 0)).collect();
    thin.sort();
    assert_eq!(thin, expected, "lines by dialect and event, where there are fewer than {LEAST}");
    for (dialect, program, events) in PROGRAMS {
        let lines: Vec<(String, String)> =
            golden(dialect).into_iter().filter(|(l, _)| line::parse(l).app.is_some_and(|a| a.eq_ignore_ascii_case(program))).collect();
        for event in *events {
            let n = lines.iter().filter(|(_, want)| want.starts_with(&format!("{dialect} {event}"))).count();
            assert!(n >= LEAST, "{program} has {n} lines of {event}");
        }
        let malformed = lines.iter().filter(|(_, want)| want == "none").count();
        assert!(malformed >= 2 || *program == "kernel", "{program} has {malformed} malformed lines");
    }
}

/// Comware writes the times inside a NAT line in UTC and the header in local time: a mapping begins when the header says.
#[test]
fn a_flow_of_h3c_begins_at_the_time_of_its_header() {
    let table = Table::new(Table::built_in());
    let text = "<6> Nov 22 10:00:03 2026 fw %%10session/6/SESSION_IPV4_FLOW: Protocol(1001)=TCP;SrcIPAddr(1003)=10.0.0.1;\
                SrcPort(1004)=1024;NatSrcIPAddr(1005)=203.0.113.5;NatSrcPort(1006)=2048;DstIPAddr(1007)=192.0.2.1;DstPort(1008)=80;\
                BeginTime_e(1013)=11222026020003;EndTime_e(1014)=;Event(1048)=(8)Session created;";
    let line = line::parse(text);
    let received: Millis = "2026-11-22T10:00:10+08:00".parse().unwrap();
    let (time, _) = line.stamp.unwrap().resolve(received, 480);
    let understood = table.understand(&line, &[]).unwrap();
    let Event::Nat(ends, form) = understood.event() else { panic!("{understood:?}") };
    let about = meaning::About { source: 1, time, whole: false, received, zone: 480 };
    let events = meaning::nat(&understood.entries[0].values, ends, form, &about).unwrap();
    assert_eq!(events[0].time.to_rfc3339(), "2026-11-22T10:00:03.000+08:00");
}

#[test]
fn a_line_cut_anywhere_does_no_harm() {
    let table = Table::new(Table::built_in());
    for (name, _) in BUILT_IN {
        for (row, _) in golden(name).iter().step_by(5) {
            for end in (0..row.len()).step_by(3) {
                let _ = told(&table, row.as_bytes().get(..end).unwrap(), &[]);
            }
        }
    }
}

/// What a stranger makes a program write makes no NAT event and no lease, wherever it stands in the line.
#[test]
fn lines_inside_the_text_of_others_say_nothing() {
    let table = Table::new(Table::built_in());
    let mut wrong = Vec::new();
    for (name, _) in BUILT_IN {
        for (row, want) in golden(name) {
            let line = line::parse(&row);
            for inside in [row.as_str(), line.message, &format!("{}: {}", line.app.or(line.msgid).unwrap_or("x"), line.message)] {
                for around in [
                    format!(
                        "<190>Nov 22 10:00:00 web-1 nginx: 198.51.100.9 - - [22/Nov/2026:10:00:00 +0800] \"GET /?q={inside} HTTP/1.1\" 200 5"
                    ),
                    format!("<190>1 2026-11-22T10:00:00+08:00 web-1 nginx - - - 198.51.100.9 - - \"GET /?q={inside}\""),
                    format!("<14>Nov 22 10:00:00 web-1 php-fpm[7]: search for {inside} found nothing"),
                    format!("<14>Nov 22 10:00:00 web-1 php-fpm[7]: {inside}"),
                    format!("<14>1 2026-11-22T10:00:00+08:00 web-1 php - - - {inside}"),
                    format!("<22>Nov 22 10:00:00 mx postfix/smtpd[8]: NOQUEUE: reject: RCPT from unknown[198.51.100.9]: <{inside}>"),
                    format!("<38>Nov 22 10:00:00 web-1 sshd[9]: Invalid user {inside} from 198.51.100.9 port 50000"),
                    format!(
                        "<38>Nov 22 10:00:00 web-1 sshd[9]: Failed password for invalid user {inside} from 198.51.100.9 port 50000 ssh2"
                    ),
                ] {
                    let got = told(&table, around.as_bytes(), &[]);
                    let forged = [" nat", " lease", " release"].iter().any(|w| got.split_once(w).is_some_and(|(d, _)| !d.contains(' ')));
                    if forged {
                        wrong.push(format!("{name}: {want}\n  {around}\n  {got}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.iter().take(9).cloned().collect::<Vec<_>>().join("\n"));
}
