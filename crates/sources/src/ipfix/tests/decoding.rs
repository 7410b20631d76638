//! Golden vectors: messages worked out by hand, and what becomes of them.

use weir_base::time::Millis;
use weir_record::kinds::{Form, NatEvent};

use super::super::elements::NOKIA;
use super::super::parser::{VARIABLE, Version};
use super::super::profile::Profile;
use super::super::testing::{Bench, NAT44, T0, hex, ipfix, nat44, set, template_set, v9, vector};

/// A row in words: time after T0, what, protocol, public side, inside.
pub fn words(e: &NatEvent) -> String {
    let action = ["create", "delete", "gone", "told"][usize::from(e.action) - 1];
    let form = Form::from_u8(e.form).map_or("?", Form::name);
    let last = if e.public_port_last == e.public_port { String::new() } else { format!("-{}", e.public_port_last) };
    let at = e.time.since(Millis(i64::from(T0) * 1000));
    format!("{at} {action} {form} {} {}:{}{last} = {}:{}", e.protocol, e.public_address, e.public_port, e.inside_address, e.inside_port)
}

fn decode(profile: Profile, text: &str) -> Bench {
    let mut bench = Bench::new(profile);
    let mut last = Millis(0);
    for (at, message) in vector(text) {
        bench.feed(at, &message);
        last = at;
    }
    bench.tick(last);
    bench
}

fn rows(bench: &Bench) -> Vec<String> {
    bench.rows.events.iter().map(words).collect()
}

fn notices(bench: &Bench) -> Vec<(&str, &str)> {
    bench.rows.notices.iter().map(|n| (n.action.as_str(), n.detail.as_str())).collect()
}

#[test]
fn rfc8158() {
    let bench = decode(Profile::Rfc8158, include_str!("../testdata/rfc8158.hex"));
    assert_eq!(
        rows(&bench),
        [
            "1 create session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "2 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "4 create session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "5 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "6 create session 17 203.0.113.7:1024 = 2001:db8::12:5000",
            "7 delete session 17 203.0.113.7:1024 = 2001:db8::12:5000",
            "8 create bib 17 203.0.113.7:1025 = 100.64.0.12:5000",
            "9 delete bib 17 203.0.113.7:1025 = 100.64.0.12:5000",
            "10 create bib 1 203.0.113.7:78 = 2001:db8::12:77",
            "11 delete bib 1 203.0.113.7:78 = 2001:db8::12:77",
            "14 create address-binding 0 203.0.113.7:0-65535 = 100.64.0.12:0",
            "15 delete address-binding 0 203.0.113.7:0-65535 = 100.64.0.12:0",
            "16 create block 0 203.0.113.7:2048-3071 = 100.64.0.12:0",
            "17 delete block 0 203.0.113.7:2048-3071 = 100.64.0.12:0",
        ]
    );
    assert_eq!(
        notices(&bench),
        [
            ("nat-addresses-exhausted", "source 127.0.0.1/7: 1 events (RFC 8158)"),
            ("nat-ports-exhausted", "source 127.0.0.1/7: 1 events (RFC 8158)"),
            ("nat-quota-exceeded", "source 127.0.0.1/7: 1 events (RFC 8158)"),
            ("nat-threshold", "source 127.0.0.1/7: 1 events (RFC 8158)"),
        ]
    );
    // Number 19 means nothing; number 0 is nothing.
    let bad: Vec<_> = bench.rows.malformed.iter().map(|m| (m.reason.as_str(), m.count)).collect();
    assert_eq!(bad, [("nat-event-unknown", 1)]);
    let c = bench.register.counters("127.0.0.1/7");
    assert_eq!((c.messages, c.records, c.ignored, c.malformed, c.lost), (1, 14, 1, 1, 0));
    assert_eq!(c.destinations_dropped, 6, "four NAT44 and two NAT64 sessions had one");
    assert_eq!(c.last_header, Some(Millis(i64::from(T0) * 1000)));
    assert_eq!(bench.rows.evidence, [(1, Millis(i64::from(T0) * 1000))]);
}

#[test]
fn juniper() {
    let bench = decode(Profile::Juniper, include_str!("../testdata/juniper.hex"));
    assert_eq!(
        rows(&bench),
        [
            "1 create session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "2 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "4 create session 6 203.0.113.7:40123 = 2001:db8::12:58286",
            "5 delete session 6 203.0.113.7:40123 = 2001:db8::12:58286",
            "6 create bib 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "7 delete bib 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "12 create address-binding 0 203.0.113.7:0-65535 = 100.64.0.12:0",
            "13 delete address-binding 0 203.0.113.7:0-65535 = 100.64.0.12:0",
            "14 create block 0 203.0.113.7:1024-2047 = 100.64.0.12:0",
            "15 delete block 0 203.0.113.7:1024-2047 = 100.64.0.12:0",
        ]
    );
    let actions: Vec<_> = notices(&bench).into_iter().map(|n| n.0).collect();
    assert_eq!(actions, ["nat-addresses-exhausted", "nat-ports-exhausted", "nat-quota-exceeded"]);
    assert_eq!(bench.rows.malformed.iter().map(|m| m.reason.as_str()).collect::<Vec<_>>(), ["nat-event-unknown"]);
}

#[test]
fn cisco_nel() {
    let bench = decode(Profile::CiscoNel, include_str!("../testdata/cisco-nel.hex"));
    assert_eq!(
        rows(&bench),
        [
            "1 create session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            "2 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286",
            // A block with a step: each of its ports by itself, because those in between belong to others.
            "3 create block 0 203.0.113.7:1024 = 100.64.0.12:0",
            "4 delete block 0 203.0.113.7:1024 = 100.64.0.12:0",
            "3 create block 0 203.0.113.7:1028 = 100.64.0.12:0",
            "3 create block 0 203.0.113.7:1032 = 100.64.0.12:0",
            "4 delete block 0 203.0.113.7:1028 = 100.64.0.12:0",
            "4 delete block 0 203.0.113.7:1032 = 100.64.0.12:0",
        ]
    );
    assert_eq!(notices(&bench), [("nat-addresses-exhausted", "source 127.0.0.1/5: 1 events (RFC 8158)")]);
    assert!(bench.rows.malformed.is_empty(), "{:?}", bench.rows.malformed);
    let sources = bench.register.sources();
    let desc = &sources[0].0;
    assert_eq!((desc.kind.as_str(), desc.profile.as_str(), desc.realm.as_str()), ("netflow9", "cisco-nel", "default"));
}

#[test]
fn nokia() {
    let bench = decode(Profile::Nokia, include_str!("../testdata/nokia.hex"));
    assert_eq!(
        rows(&bench),
        ["20 create session 6 203.0.113.7:40123 = 100.64.0.12:58286", "950 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286"]
    );
    assert!(bench.rows.malformed.is_empty(), "{:?}", bench.rows.malformed);
}

#[test]
fn huawei() {
    let bench = decode(Profile::Huawei, include_str!("../testdata/huawei.hex"));
    assert_eq!(
        rows(&bench),
        ["30 create session 17 203.0.113.7:40123 = 100.64.0.12:58286", "40 delete session 17 203.0.113.7:40123 = 100.64.0.12:58286"]
    );
    // The wrong profile cannot tell the ends apart and says nothing rather than something wrong.
    let bench = decode(Profile::Rfc8158, include_str!("../testdata/huawei.hex"));
    assert_eq!((bench.rows.events.len(), bench.register.counters("127.0.0.1/16909060").ignored), (0, 2));
}

#[test]
fn a_flow_with_translated_addresses_is_both_ends_of_a_mapping() {
    let fields = [(0, 8, 4), (0, 7, 2), (0, 225, 4), (0, 227, 2), (0, 4, 1), (0, 22, 4), (0, 21, 4)];
    let record = |public: [u8; 4], port: u16| {
        let mut r = hex("64 40 00 0c  e3 ae");
        r.extend(public);
        r.extend(port.to_be_bytes());
        // Protocol 6, from 3,000 to 4,500 ms after the exporter's start.
        r.extend(hex("06 0000 0bb8 0000 1194"));
        r
    };
    let data = [record([203, 0, 113, 7], 40_123), record([100, 64, 0, 12], 58_286), record([0; 4], 0)].concat();
    let sets = [template_set(Version::V9, 256, &fields), set(256, &[data, vec![0; 3]].concat())];
    let mut bench = Bench::new(Profile::H3c);
    // Uptime 5,000 ms at T0 + 10 s.
    bench.feed(Millis(i64::from(T0) * 1000 + 10_100), &v9(5_000, T0 + 10, 0, 1, &sets));
    assert_eq!(
        rows(&bench),
        ["8000 create session 6 203.0.113.7:40123 = 100.64.0.12:58286", "9500 delete session 6 203.0.113.7:40123 = 100.64.0.12:58286"]
    );
    assert_eq!(bench.register.counters("127.0.0.1/1").ignored, 2, "one not translated, one without a public side");
}

#[test]
fn times_of_every_kind() {
    let nat = [(0, 230, 1), (0, 8, 4), (0, 225, 4), (0, 227, 2)];
    let tail = hex("04 6440000c cb007107 9cbb");
    for (id, length, value, want) in [
        (323, 8, (u64::from(T0) * 1000 + 77).to_be_bytes().to_vec(), 77),
        (322, 4, (T0 + 5).to_be_bytes().to_vec(), 5_000),
        // NTP: seconds since 1900 and a half; the same in nanoseconds' clothes.
        (324, 8, ((u64::from(T0) + 2_208_988_800) << 32 | 1 << 31).to_be_bytes().to_vec(), 500),
        (325, 8, ((u64::from(T0) + 2_208_988_800) << 32 | 1 << 30).to_be_bytes().to_vec(), 250),
        (152, 8, (u64::from(T0) * 1000 + 3).to_be_bytes().to_vec(), 3),
        (150, 4, (T0 + 1).to_be_bytes().to_vec(), 1_000),
        // No time: that of the export.
        (323, 8, vec![0; 8], 9_000),
        (1, 4, vec![0; 4], 9_000),
    ] {
        let mut fields = vec![(0, id, length)];
        fields.extend(nat);
        let sets = [template_set(Version::Ipfix, 256, &fields), set(256, &[value, tail.clone()].concat())];
        let mut bench = Bench::new(Profile::Rfc8158);
        bench.feed(Millis(i64::from(T0) * 1000), &ipfix(T0 + 9, 0, 1, &sets));
        assert_eq!(rows(&bench), [format!("{want} create session 0 203.0.113.7:40123 = 100.64.0.12:0")], "element {id}");
    }
}

#[test]
fn an_end_that_tells_when_it_began_says_so_before_it() {
    let fields = [(0, 323, 8), (0, 152, 8), (0, 230, 1), (0, 8, 4), (0, 225, 4), (0, 227, 2)];
    let at = |s: u64| ((u64::from(T0) + s) * 1_000).to_be_bytes();
    let record = |event: u8, time: u64, start: [u8; 8]| [&at(time)[..], &start, &[event], &hex("6440000c cb007107 9cbb")].concat();
    let month = 32 * 86_400;
    for (event, start, want) in [
        (5, at(3), vec!["3000 told", "9000 delete"]),
        (4, at(3), vec!["9000 create"]),
        // Not told, after its end, and so long ago that a clock was set in between.
        (5, [0; 8], vec!["9000 delete"]),
        (5, at(10), vec!["9000 delete"]),
        (5, ((u64::from(T0) - month) * 1_000).to_be_bytes(), vec!["9000 delete"]),
    ] {
        let sets = [template_set(Version::Ipfix, 256, &fields), set(256, &record(event, 9, start))];
        let mut bench = Bench::new(Profile::Rfc8158);
        bench.feed(Millis(i64::from(T0) * 1000), &ipfix(T0 + 9, 0, 1, &sets));
        let want: Vec<String> = want.iter().map(|w| format!("{w} session 0 203.0.113.7:40123 = 100.64.0.12:0")).collect();
        assert_eq!(rows(&bench), want);
        assert_eq!(bench.register.counters("127.0.0.1/1").records, 1, "what an end tells of its beginning is no record of its own");
    }
}

#[test]
fn integers_of_reduced_and_of_larger_size() {
    let fields = [(0, 230, 2), (0, 4, 4), (0, 8, 4), (0, 7, 4), (0, 225, 4), (0, 227, 1), (0, 323, 6)];
    let time = (u64::from(T0) * 1000 + 9).to_be_bytes();
    let body = [&hex("0004 00000011 6440000c 0000e3ae cb007107 50")[..], &time[2..]].concat();
    let mut bench = Bench::new(Profile::Rfc8158);
    let sets = [template_set(Version::Ipfix, 256, &fields), set(256, &body)];
    bench.feed(Millis(0), &ipfix(T0, 0, 1, &sets));
    assert_eq!(rows(&bench), ["9 create session 17 203.0.113.7:80 = 100.64.0.12:58286"]);
}

#[test]
fn impossible_records_are_malformed() {
    let block = [(0, 230, 1), (0, 8, 4), (0, 225, 4), (0, 361, 2), (0, 362, 2), (0, 363, 2), (0, 364, 2)];
    for (name, record, good) in [
        ("a block by its end", "10 6440000c cb007107 0400 07ff 0000 0000", true),
        ("a block by its size", "10 6440000c cb007107 0400 0000 0000 0400", true),
        ("a block without an end", "10 6440000c cb007107 0400 0000 0000 0000", false),
        ("a block that ends before it begins", "10 6440000c cb007107 0400 03ff 0000 0000", false),
        ("a block past the last port", "10 6440000c cb007107 ff00 0000 0000 0200", false),
        ("no inside address", "10 00000000 cb007107 0400 07ff 0000 0000", false),
        ("no public address", "10 6440000c 00000000 0400 07ff 0000 0000", false),
    ] {
        let sets = [template_set(Version::Ipfix, 256, &block), set(256, &hex(record))];
        let mut bench = Bench::new(Profile::Rfc8158);
        bench.feed(Millis(0), &ipfix(T0, 0, 1, &sets));
        let reasons: Vec<_> = bench.rows.malformed.iter().map(|m| m.reason.as_str()).collect();
        assert_eq!((bench.rows.events.len(), reasons), if good { (1, vec![]) } else { (0, vec!["nat-event-incomplete"]) }, "{name}");
        if good {
            assert_eq!((bench.rows.events[0].public_port, bench.rows.events[0].public_port_last), (1024, 2047), "{name}");
        }
    }
}

#[test]
fn nokia_without_a_public_port_is_refused_with_advice() {
    let fields = [(0, 8, 4), (0, 7, 2), (0, 152, 8), (NOKIA, 93, VARIABLE)];
    let body = hex("cb007107 e3ae 000001a200fb5100 0a 61403130 2e302e302e31");
    let mut bench = Bench::new(Profile::Nokia);
    bench.feed(Millis(0), &ipfix(T0, 0, 1, &[template_set(Version::Ipfix, 256, &fields), set(256, &body)]));
    assert!(bench.rows.events.is_empty());
    assert_eq!(bench.rows.malformed[0].reason, "nokia-format1-has-no-public-port");
    let trouble = bench.register.counters("127.0.0.1/1").trouble.unwrap();
    assert!(trouble.contains("format2"), "{trouble}");
}

#[test]
fn malformed_input_has_a_reason_and_an_offset() {
    let good = set(256, &nat44(4, 1, 1));
    let template = template_set(Version::Ipfix, 256, NAT44);
    let message = |sets: &[Vec<u8>]| ipfix(T0, 0, 1, sets);
    let mut long = message(std::slice::from_ref(&template));
    long.extend([0xff; 3]);
    let mut short = message(&[template.clone(), good.clone()]);
    short.truncate(short.len() - 1);
    let fields = |n: u16| set(2, &[&256u16.to_be_bytes()[..], &n.to_be_bytes(), &[0, 8, 0, 4].repeat(usize::from(n))].concat());
    // reason, offset, rows that still come out, input
    let cases: Vec<(&str, u32, usize, Vec<u8>)> = vec![
        ("short-header", 0, 0, vec![]),
        ("short-header", 0, 0, vec![0]),
        ("short-header", 0, 0, hex("000a 0010 0000")),
        ("short-header", 0, 0, hex("0009 0001 00000000 00000000 00000000 000000")),
        ("unsupported-version", 0, 0, hex("0005 0001 00000000 00000000 00000000 00000000 00000000")),
        ("unsupported-version", 0, 0, hex("000b 0010")),
        ("message-length", 0, 0, hex("000a 000f 00000000 00000000 00000000")),
        ("message-length", 0, 0, short),
        ("trailing-bytes", long.len() as u32 - 3, 0, long.clone()),
        ("set-length", 16, 0, message(&[hex("0100 0003")])),
        ("set-length", 16, 0, message(&[hex("0100 0008 0000")])),
        ("set-length", 16, 0, message(&[hex("01")])),
        ("set-id", 16, 0, message(&[hex("00ff 0004")])),
        ("set-id", 16, 0, message(&[hex("0001 0004")])),
        ("set-id", 20, 0, v9(1, T0, 0, 1, &[hex("0002 0004")])),
        ("template-short", 16, 0, message(&[hex("0002 000c 0100 0002 0008 0004")])),
        ("template-short", 16, 0, message(&[hex("0002 000c 0100 0001 8008 0004")])),
        ("template-id", 16, 0, message(&[hex("0002 000c 00ff 0001 0008 0004")])),
        ("template-empty", 16, 0, message(&[hex("0002 000c 0100 0001 0008 0000")])),
        ("template-too-many-fields", 16, 0, message(&[fields(513)])),
        ("template-scope", 16, 0, message(&[hex("0003 000e 0100 0001 0000 0008 0004")])),
        ("template-scope", 16, 0, message(&[hex("0003 000e 0100 0001 0002 0008 0004")])),
        ("template-scope", 20, 0, v9(1, T0, 0, 1, &[hex("0001 000e 0100 0003 0004 0008 0004")])),
        ("withdrawal", 16, 0, message(&[hex("0002 0008 0003 0000")])),
        ("withdrawal", 20, 0, v9(1, T0, 0, 1, &[hex("0000 0008 0100 0000")])),
        ("record-short", 16 + template.len() as u32, 0, message(&[template.clone(), set(256, &[1; 20])])),
        // What stands before a fault is not lost with it.
        ("set-id", (16 + template.len() + good.len()) as u32, 1, message(&[template.clone(), good.clone(), hex("0004 0004")])),
        ("template-id", 16, 1, message(&[hex("0002 000c 00ff 0001 0008 0004"), template.clone(), good.clone()])),
    ];
    for (i, (reason, offset, rows, input)) in cases.into_iter().enumerate() {
        let mut bench = Bench::new(Profile::Rfc8158);
        bench.feed(Millis(0), &input);
        let got: Vec<_> = bench.rows.malformed.iter().map(|m| (m.reason.as_str(), m.offset, m.length as usize)).collect();
        assert_eq!(got, [(reason, offset, input.len())], "case {i}");
        assert_eq!(bench.rows.events.len(), rows, "case {i}");
        let raw = &bench.rows.raw[0];
        assert_eq!((&raw.bytes[..], Some(raw.id)), (&input[..input.len().min(1_500)], bench.rows.malformed[0].raw), "case {i}");
    }
}

#[test]
fn padding_is_no_fault() {
    let template = template_set(Version::Ipfix, 256, NAT44);
    for padding in [0, 1, 3, 7] {
        let data = set(256, &[nat44(4, 1, 1), vec![0; padding]].concat());
        // Some exporters fill their whole buffer.
        let mut packet = v9(1, T0, 0, 1, &[template_set(Version::V9, 256, NAT44), data.clone()]);
        packet.extend(vec![0; padding * 100]);
        for message in [ipfix(T0, 0, 1, &[template.clone(), data]), packet] {
            let mut bench = Bench::new(Profile::Rfc8158);
            bench.feed(Millis(0), &message);
            assert_eq!((bench.rows.events.len(), bench.rows.malformed.len()), (1, 0), "{padding}");
        }
    }
}
