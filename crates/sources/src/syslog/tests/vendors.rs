//! What lines of network devices must not lose in another character set, and what nobody can make a program say in their name.

use std::fs;

use super::super::dialect::{Event, Table};
use super::super::{line, text};

const VENDORS: [&str; 4] = ["huawei", "h3c", "cisco", "juniper"];

/// The lines of a vendor's golden file.
fn lines(name: &str) -> Vec<String> {
    let path = weir_testkit::package().join("src/syslog/testdata").join(format!("{name}.txt"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().filter(|l| !l.is_empty() && !l.starts_with("# ") && !l.starts_with("=> ")).map(str::to_owned).collect()
}

fn told(table: &Table, bytes: &[u8]) -> String {
    let (decoded, _) = text::decode(bytes);
    format!("{:?}", table.understand(&line::parse(&decoded), &[]))
}

#[test]
fn chinese_lines_say_the_same_in_gb18030() {
    let table = Table::new(Table::built_in());
    let mut seen = 0;
    for row in VENDORS.iter().flat_map(|v| lines(v)).filter(|l| !l.is_ascii()) {
        let (bytes, _, lost) = encoding_rs::GB18030.encode(&row);
        assert!(!lost, "{row}");
        assert_eq!(told(&table, &bytes), told(&table, row.as_bytes()), "{row}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} lines");
}

/// A program may write what looks like the beginning of a line: behind its name that is text.
#[test]
fn a_beginning_that_a_program_writes_makes_no_nat_event() {
    let table = Table::new(Table::built_in());
    let mut tried = 0;
    for row in VENDORS.iter().flat_map(|v| lines(v)) {
        let parsed = line::parse(&row);
        let Some(name) = parsed.msgid else { continue };
        if !table.understand(&parsed, &[]).is_some_and(|u| matches!(u.event(), Event::Nat(..))) {
            continue;
        }
        tried += 1;
        let message = parsed.message;
        let bodies = [
            format!("%{name}: {message}"),
            format!("%%01{name}(l):{message}"),
            format!("Nov 22 2026 10:00:00: %{name}: {message}"),
            format!("5: Nov 22 10:00:00 UTC: %{name}: {message}"),
            format!("5: 2y10w: %{name}: {message}"),
            format!("RP/0/RP0/CPU0:Nov 22 10:00:00 UTC: %{name}: {message}"),
            format!("2026-11-22 10:00:00 USG %%01{name}(l):{message}"),
            format!("2026-11-22 10:00:00: MX{{SS}}[jservices-nat]: {name}: {message}"),
            format!("(FPC Slot 5, PIC Slot 0) {{SS}}[FWNAT]: {name}: {message}"),
            format!("{{SS}}[RT_NAT]: {name}: {message}"),
        ];
        for body in bodies {
            for head in [
                "php: ",
                "php: 11: ",
                "Nov 22 10:00:00 web-1 php: ",
                "Nov 22 10:00:00 web-1 php[7]: ",
                "Nov 22 10:00:00 mx postfix/smtpd:",
                "2026-11-22T10:00:00+08:00 web-1 php: ",
            ] {
                let forged = format!("<14>{head}{body}");
                let got = table.understand(&line::parse(&forged), &[]);
                assert!(!got.as_ref().is_some_and(|u| matches!(u.event(), Event::Nat(..))), "{forged}\n{got:?}");
            }
        }
    }
    assert!(tried >= 60, "{tried} lines");
}
