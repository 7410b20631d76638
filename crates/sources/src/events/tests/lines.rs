//! Lines and bodies.

use proptest::prelude::*;
use serde_json::json;
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::events::answer::Answer;
use crate::events::body::{TooMany, decode};
use crate::events::limits::{ACCOUNT_BYTES, FAULTS_TOLD, LINE_BYTES, LINES};
use crate::events::line::{Event, Fault, parse};

/// 2026-11-22T10:00:00+08:00.
pub const NOW: Millis = Millis(1_795_312_800_000);

const SERVICE: Option<&str> = Some("forum.example.org");

fn shown(event: &Event) -> String {
    let or = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".to_owned());
    let port = event.port.map_or_else(|| "-".to_owned(), |p| p.to_string());
    let (action, address) = (event.action.name(), event.address);
    format!("= {action} {} {address} {port} {} {} {}", or(&event.account), event.service, or(&event.host), or(&event.method))
}

#[test]
fn lines_are_what_the_table_says() {
    let mut seen = Vec::new();
    let mut lines = include_str!("../testdata/lines.txt").lines().filter(|l| !l.starts_with('#'));
    while let (Some(line), Some(want)) = (lines.next(), lines.next()) {
        let got = match parse(line.as_bytes(), NOW, SERVICE) {
            Ok(event) => shown(&event),
            Err(fault) => {
                seen.push(fault);
                format!("! {}", fault.reason().trim_start_matches("events."))
            }
        };
        assert_eq!(got, want, "{line}");
    }
    let missing: Vec<_> = Fault::ALL.into_iter().filter(|f| !seen.contains(f) && *f != Fault::Long).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
}

#[test]
fn times_are_to_the_millisecond_and_services_must_be_known() {
    let line = br#"{"time":"2026-11-22T01:59:59.123999Z","action":"sign-out","account":"a","address":"192.0.2.7"}"#;
    assert_eq!(parse(line, NOW, SERVICE).unwrap().time, Millis(1_795_312_799_123));
    assert_eq!(parse(line, NOW, None), Err(Fault::Service));
    let long = |n: usize| {
        let line = json!({ "time": "2026-11-22T10:00:00+08:00", "action": "sign-in", "account": "x".repeat(n), "address": "192.0.2.7" });
        parse(line.to_string().as_bytes(), NOW, SERVICE).map(|_| ())
    };
    assert_eq!((long(ACCOUNT_BYTES), long(ACCOUNT_BYTES + 1), long(LINE_BYTES)), (Ok(()), Err(Fault::Account), Err(Fault::Long)));
    assert_eq!(parse(b"\xff\xfe{}", NOW, SERVICE), Err(Fault::Json));
    assert!(parse(&[b"{\"account\":".as_slice(), &b"[".repeat(4_000)].concat(), NOW, SERVICE).is_err());
}

#[test]
fn a_body_is_told_line_by_line() {
    let good = r#"{"time":"2026-11-22T10:00:00+08:00","action":"sign-in","account":"alice","address":"192.0.2.7","port":1}"#;
    let body = format!("\r\n{good}\r\n\nalice\n{good}\n{}", good.replace("192.0.2.7", "alice"));
    let decoded = decode(body.as_bytes(), NOW, SERVICE).unwrap();
    let want = Answer { accepted: 2, refused: 2, without_port: 0, faults: vec![(4, Fault::Json), (6, Fault::Address)] };
    assert_eq!(decoded.answer, want);
    assert!(!decoded.answer.json().to_string().contains("alice"), "an answer repeats nothing of a line");
    assert!(!format!("{:?}", decoded.events).contains("alice"));
    assert_eq!(want.json()["errors"][1], json!({ "line": 6, "field": "address", "what": Fault::Address.sentence() }));
    assert_eq!((want.status(), Answer::default().status(), Answer { refused: 1, ..Answer::default() }.status()), (200, 422, 422));
    let many = |n: usize| decode("x\n".repeat(n).as_bytes(), NOW, SERVICE).map(|d| (d.answer.refused as usize, d.answer.faults.len()));
    assert_eq!((many(LINES), many(LINES + 1)), (Ok((LINES, FAULTS_TOLD)), Err(TooMany)));
    assert_eq!(decode(b"", NOW, SERVICE).unwrap().answer, Answer::default());
}

#[test]
fn faults_keep_their_numbers() {
    for (i, fault) in Fault::ALL.into_iter().enumerate() {
        assert_eq!((fault as usize, Fault::of(fault as u8)), (i + 1, Some(fault)));
        assert!(fault.reason().starts_with("events.") && !fault.sentence().is_empty());
    }
    assert_eq!((Fault::of(0), Fault::of(16)), (None, None));
}

proptest! {
    /// What an application writes by the rules is read as it was meant.
    #[test]
    fn a_line_is_read_as_it_was_meant(
        ms in -86_400_000i64..600_000,
        account in "[^\\p{Cc}]{1,60}",
        address in any::<[u8; 16]>().prop_filter("an address", |a| *a != [0; 16] && a[..12] != [0; 12] && Addr16(*a) != Addr16::v4([0; 4])),
        port in proptest::option::of(1u16..),
        quoted in any::<bool>(),
        host in proptest::option::of("[A-Za-z0-9._-]{1,40}"),
        action in 0usize..4,
    ) {
        let time = NOW.plus(ms);
        let (word, result, want) = [("sign-in", None, 1), ("sign-in", Some("failure"), 3), ("sign-out", Some("success"), 2), ("failure", None, 3)][action];
        let port_value = port.map(|p| if quoted { json!(p.to_string()) } else { json!(p) });
        let line = json!({
            "time": time.to_rfc3339(), "action": word, "result": result, "account": account, "address": Addr16(address).to_string(),
            "port": port_value, "host": host,
        });
        let event = parse(line.to_string().as_bytes(), NOW, SERVICE).unwrap();
        prop_assert_eq!((event.time, event.action as u8, event.account), (time, want, Some(account)));
        prop_assert_eq!((event.address, event.port, event.host), (Addr16(address), port, host));
    }

    /// Anything at all: the promises of the fuzz target.
    #[test]
    fn any_body_keeps_the_promises(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        crate::events::fuzz::events_lines(&data);
    }

    /// Good lines with bytes changed.
    #[test]
    fn changed_lines_keep_the_promises(line in 0usize..40, at in 0usize..400, byte in any::<u8>()) {
        let lines: Vec<&str> = include_str!("../testdata/lines.txt").lines().filter(|l| l.starts_with('{')).collect();
        let mut data = lines[line % lines.len()].as_bytes().to_vec();
        let at = at % data.len();
        data[at] = byte;
        crate::events::fuzz::events_lines(&data);
    }
}
