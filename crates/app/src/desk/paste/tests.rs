//! A table of what people paste, and what must be read from it.

use proptest::prelude::*;

use super::*;

/// 2026-11-28T20:00:00+08:00.
fn now() -> Millis {
    "2026-11-28T20:00:00+08:00".parse().unwrap()
}

fn of(text: &str) -> Vec<ReadLine> {
    read(text, "+08:00", now()).unwrap().lines
}

/// Line, form, public end, moment (its date and time in UTC+8), protocol, far end.
type Case = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const T: &str = "2026-11-22T10:00:00.000+08:00";

const CASES: &[Case] = &[
    // Plain.
    ("203.0.113.7:40123 2026-11-22 10:00:00", "plain", "203.0.113.7:40123", T, None, None),
    ("2026-11-22T10:00:00+08:00 203.0.113.7:40123 tcp", "plain", "203.0.113.7:40123", T, Some("tcp"), None),
    ("2026-11-22T02:00:00Z 203.0.113.7:40123 UDP", "plain", "203.0.113.7:40123", T, Some("udp"), None),
    ("203.0.113.7 40123 2026-11-22 10:00:00", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7,40123,2026-11-22 10:00:00,tcp", "plain", "203.0.113.7:40123", T, Some("tcp"), None),
    ("203.0.113.7 port 40123 at 2026-11-22 10:00:00", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7 2026-11-22 10:00:00", "plain", "203.0.113.7", T, None, None),
    ("[2001:db8::1]:443 2026-11-22 10:00:00.123 +0800", "plain", "[2001:db8::1]:443", "2026-11-22T10:00:00.123+08:00", None, None),
    ("2001:db8::1 2026/11/22 10:00:00", "plain", "2001:db8::1", T, None, None),
    (
        "203.0.113.7:40123 -> 198.51.100.2:443 2026-11-22 10:00:00 tcp",
        "plain",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2:443"),
    ),
    ("203.0.113.7:40123 20261122T020000Z", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 20261122100000", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 1795312800", "plain", "203.0.113.7:40123", T, None, None),
    ("1795312800.123 203.0.113.7 40123", "plain", "203.0.113.7:40123", "2026-11-22T10:00:00.123+08:00", None, None),
    ("203.0.113.7:40123 1795312800123", "plain", "203.0.113.7:40123", "2026-11-22T10:00:00.123+08:00", None, None),
    ("203.0.113.7:40123 22 Nov 2026 02:00:00 GMT", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 Sun, 22 Nov 2026 10:00:00 +0800", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 November 22, 2026 10:00:00 AM", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 11/22/2026 10:00:00", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 22/11/2026 10:00:00 PM", "plain", "203.0.113.7:40123", "2026-11-22T22:00:00.000+08:00", None, None),
    ("203.0.113.7:40123 2026-11-22 10:00:00 (UTC+8)", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 2026-11-21 21:00:00 EST", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 Sun Nov 22 10:00:00 CST 2026", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 2026-11-22 10:00", "plain", "203.0.113.7:40123", "2026-11-22T10:00:30.000+08:00", None, None),
    // Chinese.
    ("203.0.113.7:40123 2026年11月22日 10:00:00", "plain", "203.0.113.7:40123", T, None, None),
    ("203.0.113.7:40123 2026年11月22日10时00分00秒", "plain", "203.0.113.7:40123", T, None, None),
    ("2026年11月22日 下午3:04:05，203.0.113.7 端口 40123", "plain", "203.0.113.7:40123", "2026-11-22T15:04:05.000+08:00", None, None),
    ("２０２６年１１月２２日　１０：００：００ ２０３.０.１１３.７：４０１２３", "plain", "203.0.113.7:40123", T, None, None),
    ("源IP：203.0.113.7，源端口：40123，时间：2026-11-22 10:00:00，协议：TCP", "named", "203.0.113.7:40123", T, Some("tcp"), None),
    ("北京时间 203.0.113.7:40123 2026-11-22 10:00:00 北京时间", "plain", "203.0.113.7:40123", T, None, None),
    // Web servers.
    (
        r#"203.0.113.7 - - [22/Nov/2026:10:00:00 +0800] "GET /a?x=198.51.100.2 HTTP/1.1" 200 612 "-" "Mozilla/5.0""#,
        "combined-log",
        "203.0.113.7",
        T,
        Some("tcp"),
        None,
    ),
    (
        r#"203.0.113.7:40123 - alice [22/Nov/2026:02:00:00 +0000] "POST /login HTTP/2.0" 302 0 "https://example.org/" "curl/8""#,
        "combined-log",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        None,
    ),
    (
        r#"203.0.113.7 - - [22/Nov/2026:10:00:00 +0800] "GET / HTTP/3.0" 200 612 "-" "Mozilla/5.0" 40123"#,
        "combined-log",
        "203.0.113.7:40123",
        T,
        Some("udp"),
        None,
    ),
    (
        r#"example.org:443 203.0.113.7 - - [22/Nov/2026:10:00:00 +0800] "GET / HTTP/1.1" 200 1 "-" "-""#,
        "combined-log",
        "203.0.113.7",
        T,
        Some("tcp"),
        None,
    ),
    (
        "2026/11/22 10:00:00 [error] 123#123: *45 open() \"/x\" failed, client: 203.0.113.7, server: example.org, request: \"GET /x HTTP/1.1\"",
        "named",
        "203.0.113.7",
        T,
        Some("tcp"),
        None,
    ),
    (
        "[Sun Nov 22 10:00:00.123456 2026] [core:error] [pid 7] [client 203.0.113.7:40123] AH00126: Invalid URI",
        "plain",
        "203.0.113.7:40123",
        "2026-11-22T10:00:00.123+08:00",
        None,
        None,
    ),
    // Firewalls.
    (
        "Nov 22 10:00:00 gw kernel: [1.2] DROP IN=eth0 OUT= MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=203.0.113.7 DST=198.51.100.2 LEN=60 TTL=51 ID=1 PROTO=TCP SPT=40123 DPT=22 SYN",
        "iptables",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2:22"),
    ),
    (
        "2026-11-22T10:00:00.000000+08:00 gw kernel: nft: IN=eth0 OUT= SRC=2001:0db8:0000:0000:0000:0000:0000:0001 DST=2001:db8::2 PROTO=UDP SPT=40123 DPT=53",
        "iptables",
        "[2001:db8::1]:40123",
        T,
        Some("udp"),
        Some("[2001:db8::2]:53"),
    ),
    (
        "Nov 22 2026 10:00:00 asa : %ASA-6-302013: Built outbound TCP connection 9 for outside:198.51.100.1/443 (198.51.100.1/443) to inside:10.0.0.1/5000 (203.0.113.7/40123)",
        "cisco-asa",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.1:443"),
    ),
    (
        "Nov 22 2026 10:00:00 asa : %ASA-6-305011: Built dynamic TCP translation from inside:10.0.0.1/5000 to outside:203.0.113.7/40123",
        "cisco-asa",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        None,
    ),
    (
        "Nov 22 2026 10:00:00 asa : %ASA-6-302013: Built inbound TCP connection 9 for outside:203.0.113.7/40123 (203.0.113.7/40123) to inside:10.0.0.5/443 (198.51.100.2/443)",
        "cisco-asa",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("10.0.0.5:443"),
    ),
    (
        "<164>2026-11-22T02:00:00Z asa : %ASA-4-106023: Deny tcp src outside:203.0.113.7/40123 dst inside:198.51.100.2/2222 by access-group \"out\"",
        "cisco-asa",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2:2222"),
    ),
    (
        "Nov 22 10:00:00 srx RT_FLOW: RT_FLOW_SESSION_DENY: session denied 203.0.113.7/40123->198.51.100.2/443 junos-https 6(0) drop untrust trust",
        "juniper",
        "203.0.113.7:40123",
        T,
        None,
        Some("198.51.100.2:443"),
    ),
    (
        r#"<14>1 2026-11-22T10:00:00.000+08:00 srx RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2636 source-address="203.0.113.7" source-port="40123" destination-address="198.51.100.2" destination-port="443" protocol-id="6"]"#,
        "juniper",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2:443"),
    ),
    // Syslog.
    (
        "Nov 22 10:00:00 host sshd[7]: Failed password for root from 203.0.113.7 port 40123 ssh2",
        "syslog",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        None,
    ),
    (
        "Nov  2 10:00:00 host named[7]: client @0x7f 203.0.113.7#40123 (example.org): query: example.org",
        "syslog",
        "203.0.113.7:40123",
        "2026-11-02T10:00:00.000+08:00",
        None,
        None,
    ),
    (
        "Dec 24 10:00:00 host sshd[7]: Invalid user x from 203.0.113.7 port 40123",
        "syslog",
        "203.0.113.7:40123",
        "2025-12-24T10:00:00.000+08:00",
        Some("tcp"),
        None,
    ),
    (
        "10:00:00 2026-11-22 10:00:00 IP 203.0.113.7.40123 > 198.51.100.2.80: Flags [S]",
        "plain",
        "203.0.113.7:40123",
        T,
        None,
        Some("198.51.100.2:80"),
    ),
    // JSON.
    (
        r#"{"timestamp":"2026-11-22T10:00:00.000000+0800","src_ip":"203.0.113.7","src_port":40123,"dest_ip":"198.51.100.2","dest_port":443,"proto":"TCP"}"#,
        "json",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2:443"),
    ),
    (r#"{"@timestamp":"2026-11-22T02:00:00Z","client":{"ip":"203.0.113.7","port":40123}}"#, "json", "203.0.113.7:40123", T, None, None),
    (
        r#"{"ts":1795312800.5,"remote_addr":"203.0.113.7","remote_port":"40123"}"#,
        "json",
        "203.0.113.7:40123",
        "2026-11-22T10:00:00.500+08:00",
        None,
        None,
    ),
    (
        r#"{"log":"203.0.113.7:40123 - - [22/Nov/2026:10:00:00 +0800] \"GET / HTTP/1.1\" 200 1","stream":"stdout"}"#,
        "json",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        None,
    ),
    // Abuse mails, on one line.
    ("Source IP: 203.0.113.7 Port: 40123 Timestamp: 2026-11-22 02:00:00 UTC", "named", "203.0.113.7:40123", T, None, None),
    (
        "> Source IP: 203.0.113.7, Source Port: 40123, Destination IP: 198.51.100.2, Protocol: tcp, Time: 2026-11-22T02:00:00Z",
        "named",
        "203.0.113.7:40123",
        T,
        Some("tcp"),
        Some("198.51.100.2"),
    ),
    ("src_ip=203.0.113.7 src_port=40123 time=\"2026-11-22 10:00:00\" proto=udp", "named", "203.0.113.7:40123", T, Some("udp"), None),
];

#[test]
fn what_people_paste_becomes_a_question() {
    let mut wrong = Vec::new();
    for (text, form, public, at, protocol, remote) in CASES {
        let got = of(text);
        let line = got.first().cloned().unwrap_or_else(|| panic!("{text}: nothing"));
        let question = line.question.clone().unwrap_or_default();
        let is = (line.form.as_deref().unwrap_or_default(), question.public.as_str(), question.at.as_str());
        let more = (question.protocol.as_deref(), question.remote.as_deref());
        // A destination that nobody outside could have seen is left out.
        let remote = remote.filter(|r| !r.starts_with("10."));
        if got.len() != 1 || is != (form, public, at) || more != (*protocol, remote) {
            wrong.push(format!("{text}\n  got {is:?} {more:?} {:?}\n  want {:?}", line.problem, (form, public, at, protocol, remote)));
        }
        if let Some(question) = &line.question {
            let words = crate::words::Words::from(question.clone());
            if let Err(failure) = words.read() {
                wrong.push(format!("{text}: {failure}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

#[test]
fn every_guess_is_said() {
    for (text, said) in [
        ("203.0.113.7:40123 2026-11-22 10:00:00", "names no zone: +08:00"),
        ("Nov 22 10:00:00 host sshd: from 203.0.113.7 port 4", "names no year: 2026"),
        ("Dec 24 10:00:00 host sshd: from 203.0.113.7 port 4", "names no year: 2025"),
        ("203.0.113.7:40123 2026-11-22 10:00 +08:00", "names no seconds"),
        ("203.0.113.7:40123 2026-11-22 10:00:00 CST", "China Standard Time"),
        ("203.0.113.7 2026-11-22 10:00:00 +08:00", "no port"),
        ("203.0.113.7:1 > 198.51.100.2:80 2026-11-22 10:00:00 +08:00", "the far end"),
        ("10.0.0.1:1 203.0.113.7:40123 2026-11-22 10:00:00 +08:00", "private"),
    ] {
        let lines = of(text);
        assert!(lines[0].assumed.iter().any(|a| a.en.contains(said)), "{text}: {:?}", lines[0]);
    }
    let clear = &of("203.0.113.7:40123 2026-11-22 10:00:00 +08:00")[0];
    assert!(clear.assumed.is_empty(), "{clear:?}");
}

#[test]
fn what_is_no_question_says_why_and_repeats_nothing() {
    for (text, why) in [
        ("hello", "no address"),
        ("203.0.113.7:40123", "no time"),
        ("2026-11-22 10:00:00", "no address"),
        ("203.0.113.999 2026-11-22 10:00:00", "no address"),
        ("203.0.113.7:40123 05/06/2026 10:00:00", "two ways"),
        ("203.0.113.7:40123 2026-02-30 10:00:00", "no such day"),
        ("203.0.113.7:40123 2026-11-22 10:00:00 IST", "several meanings"),
        ("203.0.113.7:70000 2026-11-22 10:00:00", "a port is 1 to 65535"),
        ("203.0.113.7:0 2026-11-22 10:00:00", "a port is 1 to 65535"),
        ("[2001:db8::1]:99999 2026-11-22 10:00:00", "a port is 1 to 65535"),
        ("203.0.113.7 port 70000 at 2026-11-22 10:00:00", "a port is 1 to 65535"),
        ("203.0.113.7:40123 -> 198.51.100.2:443443 2026-11-22 10:00:00", "a port is 1 to 65535"),
        ("src_ip=203.0.113.7 src_port=70000 time=2026-11-22T10:00:00Z", "a port is 1 to 65535"),
        ("{\"a\":1}", "no address"),
    ] {
        let lines = of(text);
        let problem = lines[0].problem.clone().unwrap_or_default();
        assert!(lines[0].question.is_none() && problem.en.contains(why), "{text}: {:?}", lines[0]);
    }
    assert!(read("x", "nowhere", now()).is_err());
    assert!(read(&"a\n".repeat(PASTE_LINES + 1), "+08:00", now()).is_err());
    let long = of(&"x".repeat(PASTE_LINE_BYTES + 1));
    assert!(long[0].problem.clone().unwrap_or_default().en.contains("longer than"));
}

#[test]
fn tables_are_read_by_their_heading() {
    let csv = "Time,Source IP,Source Port,Protocol,Note\n2026-11-22 10:00:00,203.0.113.7,40123,TCP,\"a, b\"\n,203.0.113.8,1,udp,\n";
    let tsv = "日期\t时间\t公网IP\t端口\n2026-11-22\t10:00:00\t203.0.113.7\t40123\n";
    let batch = "public,at,protocol,remote,skew\n203.0.113.7:40123,2026-11-22T10:00:00+08:00,tcp,198.51.100.2:443,5s\n";
    let utc = "timestamp (UTC);ip;port\n2026-11-22 02:00:00;203.0.113.7;40123\n";
    for (text, form, protocol) in [(csv, "csv", Some("tcp")), (tsv, "tsv", None), (batch, "csv", Some("tcp")), (utc, "csv", None)] {
        let lines = of(text);
        let question = lines[0].question.clone().unwrap_or_else(|| panic!("{text}: {lines:?}"));
        assert_eq!((lines[0].line, lines[0].form.as_deref()), (2, Some(form)), "{text}");
        assert_eq!((question.public.as_str(), question.at.as_str()), ("203.0.113.7:40123", T), "{text}");
        assert_eq!(question.protocol.as_deref(), protocol, "{text}");
    }
    assert_eq!(of(batch)[0].question.as_ref().unwrap().skew.as_deref(), Some("5s"));
    assert!(of(csv)[1].problem.clone().unwrap_or_default().en.contains("no time"));
}

#[test]
fn lines_of_a_mail_that_belong_together_are_one_question() {
    let mail = "Dear abuse team,\n\nSource IP: 203.0.113.7\nSource Port: 40123\nDestination IP: 198.51.100.2\nTimestamp: 2026-11-22 02:00:00 UTC\n\n\
                Source IP: 203.0.113.8\nTimestamp: 2026-11-22T02:00:01Z\nRegards\n";
    let lines = of(mail);
    let asked: Vec<_> =
        lines.iter().filter_map(|l| Some((l.line, l.question.as_ref()?.public.clone(), l.question.as_ref()?.at.clone()))).collect();
    assert_eq!(
        asked,
        [(3, "203.0.113.7:40123".to_owned(), T.to_owned()), (8, "203.0.113.8".to_owned(), "2026-11-22T10:00:01.000+08:00".to_owned()),]
    );
    assert_eq!(lines.iter().find(|l| l.line == 4).unwrap().assumed[0].en, "belongs to line 3");
    assert!(lines.iter().find(|l| l.line == 4).unwrap().problem.is_none());
    assert!(lines.iter().find(|l| l.line == 10).unwrap().problem.is_some());
}

/// Pieces that the reader looks for, in any order and torn.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("203.0.113.7".to_owned()),
        Just("[2001:db8::1]".to_owned()),
        Just("2026-11-22".to_owned()),
        Just("年11月".to_owned()),
        Just("10:00:00".to_owned()),
        Just("Source IP:".to_owned()),
        Just("SRC=".to_owned()),
        Just("{\"ip\":\"".to_owned()),
        Just("源端口：".to_owned()),
        Just("[22/Nov/2026:".to_owned()),
        Just("\"".to_owned()),
        Just("port ".to_owned()),
        Just("1795312800".to_owned()),
        Just("time,ip\n".to_owned()),
        "[ -~]{0,6}",
        "\\PC{0,4}",
        Just("\n".to_owned()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_without_panic_and_within_bounds(text in prop_oneof![pieces(), any::<String>()]) {
        let lines = text.lines().count();
        let read = read(&text, "+08:00", now()).unwrap();
        prop_assert!(read.lines.len() <= lines);
        for line in &read.lines {
            prop_assert!((1..=lines as u32).contains(&line.line));
            prop_assert!(!(line.question.is_some() && line.problem.is_some()));
            if let Some(question) = &line.question {
                prop_assert!(crate::words::Words::from(question.clone()).read().is_ok_and(|q| q.skew_ms >= 0), "{question:?}");
            }
        }
    }
}

#[test]
fn what_is_taken_for_granted_is_said() {
    for (text, said) in [
        ("2001:db8::1:443 2026-11-22 10:00:00", "written [2001:db8::1]:443"),
        ("203.0.113.7:40123 2026-11-22 10:00:60", "a second 60"),
        ("203.0.113.7 2026-11-22 10:00:00", "no port stands"),
    ] {
        let line = of(text).remove(0);
        assert!(line.question.is_some() && line.assumed.iter().any(|a| a.en.contains(said)), "{text}: {line:?}");
        assert!(line.assumed.iter().all(|a| a.en != a.zh), "{text}: not in Chinese: {line:?}");
    }
}
