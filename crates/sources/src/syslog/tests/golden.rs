//! Every line of `testdata/`, with what must be understood of it.

use std::fs;

use weir_base::time::Millis;
use weir_record::kinds::Form;

use super::super::dialect::{BUILT_IN, Entry, Event, Table};
use super::super::{line, meaning, text};

/// What is understood of a line: the dialect, the event, and what it came to. For NAT: each event with action, form, protocol, public
/// end, inside end, remote end.
pub fn told(table: &Table, bytes: &[u8], only: &[String]) -> String {
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
                    if e.action == 4 {
                        out.push_str(&format!(" told {}", e.time.to_rfc3339().trim_end_matches("+08:00")));
                        continue;
                    }
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
                Event::Inquiry => "inquiry",
                other => other.name().unwrap_or("nothing"),
            };
            out.push_str(&format!(" {word}"));
            if matches!(event, Event::Lease | Event::Release | Event::Inquiry) {
                let values = &understood.entries[0].values;
                assert!(meaning::leased(values).is_some() && meaning::holder(values).is_some(), "{decoded}");
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

/// A line of a golden file, with what is wanted of it.
pub struct Golden {
    /// The line, decoded.
    pub text: String,
    /// The line as it is sent.
    pub bytes: Vec<u8>,
    /// What must be understood of it.
    pub want: String,
}

/// The lines of a golden file. One behind `gb18030: ` is sent in that character set.
pub fn golden(name: &str) -> Vec<Golden> {
    let path = weir_testkit::package().join("src/syslog/testdata").join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut all, mut last) = (Vec::new(), "");
    for row in text.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")) {
        let Some(want) = row.strip_prefix("=> ") else {
            last = row;
            continue;
        };
        let (text, bytes) = match last.strip_prefix("gb18030: ") {
            Some(text) => (text, encoding_rs::GB18030.encode(text).0.into_owned()),
            None => (last, last.as_bytes().to_vec()),
        };
        all.push(Golden { text: text.to_owned(), bytes, want: want.to_owned() });
    }
    all
}

#[test]
fn lines_of_every_dialect_are_understood_as_written_beside_them() {
    let table = Table::new(Table::built_in());
    let mut wrong = Vec::new();
    for (name, _) in BUILT_IN {
        for Golden { text, bytes, want } in golden(name) {
            // `named `: only of a sender that names the dialect.
            let (want, named) = want.strip_prefix("named ").map_or((want.as_str(), false), |want| (want, true));
            let got = told(&table, &bytes, &[]);
            let got = if named && got == "none" { told(&table, &bytes, &[(*name).to_owned()]) } else { got };
            if got != want {
                wrong.push(format!("{name}: {text}\n  want {want}\n  got  {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
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
        for row in golden(name).iter().step_by(5) {
            for end in (0..row.bytes.len()).step_by(3) {
                let _ = told(&table, row.bytes.get(..end).unwrap(), &[]);
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
        for Golden { text: row, want, .. } in golden(name) {
            let line = line::parse(&row);
            for inside in [row.as_str(), line.message, &format!("{}: {}", line.app.or(line.msgid).unwrap_or("x"), line.message)] {
                for around in [
                    format!(
                        "<190>Nov 22 10:00:00 web-1 nginx: 198.51.100.9 - - [22/Nov/2026:10:00:00 +0800] \"GET /?q={inside} HTTP/1.1\" 200 5"
                    ),
                    format!("<190>1 2026-11-22T10:00:00+08:00 web-1 nginx - - - 198.51.100.9 - - \"GET /?q={inside}\""),
                    format!("<14>Nov 22 10:00:00 web-1 php-fpm[7]: search for {inside} found nothing"),
                    format!("<14>Nov 22 10:00:00 web-1 php-fpm[7]: {inside}"),
                    format!("<14>php-fpm: {inside}"),
                    format!("<14>php-fpm[7]: {inside}"),
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
