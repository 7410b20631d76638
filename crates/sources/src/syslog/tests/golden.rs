//! Every line of `testdata/`, with what must be understood of it.

use std::fs;
use std::path::Path;

use weir_base::time::Millis;
use weir_record::kinds::Form;

use super::super::dialect::{BUILT_IN, Event, Table};
use super::super::{line, meaning, text};

/// What is understood of a line: the dialect, the event, and what it came to. For NAT: each event with action, form, protocol, public
/// end, inside end, remote end.
fn told(table: &Table, bytes: &[u8]) -> String {
    let (decoded, _) = text::decode(bytes);
    let line = line::parse(&decoded);
    let received: Millis = "2026-11-22T10:00:10+08:00".parse().unwrap();
    let time = line.stamp.map_or(received, |s| s.resolve(received, 480).0);
    let Some(understood) = table.understand(&line, &[]) else { return "none".to_owned() };
    let about = meaning::About { source: 1, time, received, zone: 480 };
    let mut out = understood.dialect.to_owned();
    match understood.event {
        Event::Nat(ends, form) => {
            out.push_str(" nat");
            for values in &understood.values {
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
                let values = understood.values.first().unwrap();
                assert!(meaning::leased(values).is_some() && meaning::hardware(values).is_some(), "{decoded}");
            }
            for (slot, value) in understood.values.first().unwrap().iter() {
                out.push_str(&format!(" {slot}={value}"));
            }
        }
    }
    out
}

#[test]
fn lines_of_every_dialect_are_understood_as_written_beside_them() {
    let table = Table::new(Table::built_in());
    let mut wrong = Vec::new();
    for (name, _) in BUILT_IN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syslog/testdata").join(format!("{name}.txt"));
        let golden = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (mut lines, mut bad, mut last) = (0, 0, "");
        for row in golden.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")) {
            let Some(want) = row.strip_prefix("=> ") else {
                last = row;
                continue;
            };
            lines += 1;
            bad += usize::from(want == "none");
            let got = told(&table, last.as_bytes());
            if got != want {
                wrong.push(format!("{name}: {last}\n  want {want}\n  got  {got}"));
            }
        }
        assert!(lines >= 20 && bad >= 2, "{name} has {lines} lines, {bad} of them malformed");
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_line_cut_anywhere_does_no_harm() {
    let table = Table::new(Table::built_in());
    for (name, _) in BUILT_IN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syslog/testdata").join(format!("{name}.txt"));
        let golden = fs::read_to_string(&path).unwrap();
        for row in golden.lines().filter(|l| !l.is_empty() && !l.starts_with("# ") && !l.starts_with("=> ")).step_by(5) {
            for end in (0..row.len()).step_by(3) {
                let _ = told(&table, row.as_bytes().get(..end).unwrap());
            }
        }
    }
}
