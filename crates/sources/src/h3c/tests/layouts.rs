//! Versions that are read by a layout of the operator's, and those of which nothing is kept.

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::{Gap, Malformed, NatEvent};
use weir_record::sink::Group;

use super::super::collector::Collector;
use super::super::config::Config;
use super::super::layout::{self, Layout, LayoutConfig, THREE};
use super::super::limits::TIME_MS;
use super::super::message::{self, Fault};
use super::{KEEP, NOW, PEER, SECOND, collector, datagram, rows, settings, told, vectors};
use crate::ipfix::lane::Intake;
use crate::ipfix::prepared::MemoryRegister;

/// Layouts of version 5 and 7.
pub fn both() -> String {
    format!("{}{WIDE}", documented())
}

/// What is understood of a datagram, by a device whose entry has these settings beside it.
fn understood(more: &str, datagram: &[u8]) -> Vec<String> {
    let mut c = collector(more);
    c.datagram(PEER, NOW, datagram).unwrap();
    let groups: Vec<Group> = c.take().into_iter().collect();
    let events = rows::<NatEvent>(&groups, Kind::NatEvent).iter().map(told).collect::<Vec<_>>();
    [events, rows::<Malformed>(&groups, Kind::Malformed).into_iter().map(|m| m.reason).collect()].concat()
}

/// The example of the documentation: version 3.0's own layout, written as that of version 5.
fn documented() -> String {
    let page = fs::read_to_string(weir_testkit::package().join("../../docs/sources/h3c.md")).unwrap();
    let (_, rest) = page.split_once("[[sources.h3c.layouts]]").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    format!("[[layouts]]\n{example}")
}

#[test]
fn a_layout_that_is_written_as_that_of_version_3_reads_the_same() {
    let example = documented();
    let written: LayoutConfig = toml::from_str(example.strip_prefix("[[layouts]]\n").unwrap()).unwrap();
    let checked = layout::check(&[written], &mut Vec::new());
    assert_eq!(checked, [Layout { version: 5, ..THREE }]);
    let mut seen = 0;
    for (mut datagram, want) in vectors().into_iter().filter(|(d, _)| d.first() == Some(&3)) {
        if let Some(version) = datagram.first_mut() {
            *version = 5;
        }
        assert_eq!(understood(&format!("{KEEP}{example}"), &datagram), want, "{datagram:02x?}");
        seen += 1;
    }
    assert!(seen >= 14, "{seen}");
    // Version 3 is read beside it, and others are refused as before.
    let all = vectors();
    assert_eq!(understood(&format!("{KEEP}{example}"), &all[0].0), all[0].1);
    let mut other = all[0].0.clone();
    other[0] = 7;
    assert_eq!(understood(&format!("{KEEP}{example}"), &other), ["h3c.version-needs-a-layout"]);
}

/// Every width as large as it can be, times in milliseconds, and fields in another order.
const WIDE: &str = "[[layouts]]\nversion = 7\nheader = 24\ncount = 2\ncount_bytes = 4\ntime = 6\ntime_bytes = 8\ntime_unit = \"ms\"\nsequence = 14\n\
    sequence_bytes = 8\nrecord = 80\naddress_bytes = 16\nprotocol = 72\noperator = 71\nip_version = 70\ninside_address = 0\n\
    public_address = 16\nremote_address = 32\ninside_port = 48\npublic_port = 50\nremote_port = 52\nstart = 54\nend = 62\n";

fn wide(sequence: u64, at: i64, flow: [Addr16; 3], ports: [u16; 3], operator: u8, version: u8) -> Vec<u8> {
    let mut out = vec![7, 4, 0, 0, 0, 1];
    out.extend(at.to_be_bytes());
    out.extend(sequence.to_be_bytes());
    out.extend([0; 2]);
    flow.iter().for_each(|a| out.extend(a.0));
    ports.iter().for_each(|p| out.extend(p.to_be_bytes()));
    out.extend((at - 1_500).to_be_bytes());
    out.extend(at.to_be_bytes());
    out.extend([version, operator, 17]);
    out.extend([0; 7]);
    out
}

#[test]
fn wide_fields_and_milliseconds_are_read_and_the_numbers_counted() {
    let mapped = |last| Addr16::v4([10, 0, 0, last]);
    let v6 = |last: u16| Addr16(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).octets());
    let (register, mut groups) = (MemoryRegister::default(), Vec::new());
    let mut c = Collector::new(Arc::new(settings(&format!("{KEEP}{WIDE}"))), Box::new(register.clone()), "udp:test", None);
    let big = u64::from(u32::MAX);
    for (sequence, ends, version) in
        [(big, [mapped(1), mapped(2), mapped(3)], 4), (big + 1, [v6(1), v6(2), v6(3)], 6), (big + 4, [mapped(4), mapped(5), mapped(6)], 4)]
    {
        let at = NOW.0 + (sequence - big) as i64 * 1_000;
        c.datagram(PEER, Millis(at), &wide(sequence, at, ends, [1_000, 2_000, 443], 1, version)).unwrap();
        groups.extend(c.take());
    }
    c.stop(NOW.plus(30_000));
    groups.extend(c.take());
    let events = rows::<NatEvent>(&groups, Kind::NatEvent);
    assert_eq!((events.len(), events[0].time, events[1].time), (6, NOW.plus(-1_500), NOW));
    assert_eq!(
        told(&events[3]).split(" 17 ").nth(1).unwrap().rsplit_once(' ').unwrap().0,
        "2001:db8::2:2000-2000 2001:db8::1:1000 2001:db8::3:443"
    );
    let gaps: Vec<_> = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| (g.lost, g.reason)).collect();
    assert_eq!(gaps, [(Some(2), "sequence".to_owned())], "the lower half of a long number counts on");
    // An address that is not what the flow says of IP; times that cannot be.
    let refused = |datagram: &[u8]| understood(&format!("{KEEP}{WIDE}"), datagram);
    assert_eq!(refused(&wide(1, NOW.0, [v6(1), v6(2), v6(3)], [1, 2, 3], 8, 4)), ["h3c.ip-version"]);
    let mut late = wide(1, NOW.0, [mapped(1), mapped(2), mapped(3)], [1, 2, 3], 8, 4);
    late[24 + 54..24 + 62].copy_from_slice(&u64::MAX.to_be_bytes());
    assert_eq!(refused(&late), ["h3c.time"]);
    late[6..14].copy_from_slice(&i64::MAX.to_be_bytes());
    assert_eq!(refused(&late), ["h3c.time"]);
}

#[test]
fn all_problems_of_a_layout_are_found_at_once() {
    let problems = |change: &[(&str, &str)], more: &str| {
        let mut text = documented();
        for (from, to) in change {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        toml::from_str::<Config>(&format!("{text}\n{more}")).unwrap().check().map(|_| ()).unwrap_err()
    };
    for (change, want) in [
        (("version = 5", "version = 3"), "layouts[0].version: 3 is read as H3C's reference says"),
        (("version = 5", "version = 1"), "layouts[0].version: 1 tells no translated address"),
        (("version = 5", "version = 256"), "layouts[0].version: 256 is no version"),
        (("version = 5", ""), "layouts[0].version: is missing"),
        (("header = 16", "header = 11"), "layouts[0].sequence: its 4 bytes from 8 on do not lie within the 11 bytes of a header"),
        (("header = 16", "header = 0"), "layouts[0].header: 0 bytes: write 1 to 256"),
        (("count = 2", "count = 1"), "layouts[0].count: its 2 bytes from 1 on are in part those of the log type (1 from 1 on)"),
        (("time = 4", "time = 3"), "layouts[0].time: its 4 bytes from 3 on are in part those of count (2 from 2 on)"),
        (("record = 64", "record = 34"), "layouts[0].end: its 4 bytes from 32 on do not lie within the 34 bytes of a flow"),
        (("end = 32", "end = 18446744073709551"), "layouts[0].end: its 4 bytes from 18446744073709551 on do not lie within"),
        (
            ("public_port = 22", "public_port = 21"),
            "layouts[0].public_port: its 2 bytes from 21 on are in part those of inside_port (2 from 20 on)",
        ),
        (("operator = 1", ""), "layouts[0].operator: is missing: write its offset in the flow in bytes, counted from 0"),
        (("record = 64", "record = 64\ncount_bytes = 3"), "layouts[0].count_bytes: 3 bytes are not read: write 1 or 2 or 4"),
        (("record = 64", "record = 64\ntime_unit = \"ms\""), "layouts[0].time_unit: milliseconds since 1970 need 8 bytes"),
        (("record = 64", "record = 64\ntime_unit = \"us\""), "layouts[0].time_unit: \"us\" is not known"),
    ] {
        let all = problems(&[change], "");
        assert!(all.len() == 1 && all[0].starts_with(want), "{change:?}: {all:?}");
    }
    let twice = problems(&[], &documented());
    assert!(twice.len() == 1 && twice[0].starts_with("layouts[1].version: it is that of layouts[0] too"), "{twice:?}");
    // Addresses of 16 bytes where those of 4 lie: each that reaches into another one is named.
    let wide = problems(&[("record = 64", "record = 64\naddress_bytes = 16")], "");
    assert_eq!(wide.len(), 2, "{wide:?}");
    assert_eq!(problems(&[("count = 2", "count = 0"), ("record = 64", "record = 9999"), ("version = 5", "version = 0")], "").len(), 3);
}

#[test]
fn a_device_that_sends_a_version_of_which_nothing_is_kept_says_what_to_do() {
    let (register, mut groups) = (MemoryRegister::default(), Vec::new());
    let mut c = Collector::new(Arc::new(settings("")), Box::new(register.clone()), "udp:test", None);
    // Version 1.0: a header, and flows of 24 bytes.
    let one = |second: u32, sequence: u32, flows: u16| {
        let mut out = datagram(second, sequence, &vec![2_048; usize::from(flows)]);
        out[0] = 1;
        out.truncate(16);
        out.extend(vec![0; usize::from(flows) * 24]);
        out
    };
    let mut send = |at: u32, data: &[u8]| {
        c.datagram(PEER, NOW.plus(i64::from(at) * 1_000), data).unwrap();
        groups.extend(c.take());
        register.counters("fw")
    };
    send(0, &one(SECOND, 7, 2));
    send(1, &one(SECOND + 1, 8, 3));
    let counters = send(4, &one(SECOND + 4, 11, 1));
    assert_eq!((counters.ignored, counters.malformed, counters.messages, counters.records), (6, 0, 3, 0));
    let said = counters.trouble.unwrap();
    assert!(said.contains("version 1.0, which tells no translated address") && said.contains("userlog flow export version 3"), "{said}");
    let mut five = datagram(SECOND + 5, 12, &[2_048]);
    five[0] = 5;
    let said = send(5, &five).trouble.unwrap();
    assert!(said.contains("version 5") && said.contains("[[sources.h3c.layouts]]"), "{said}");
    // One that is no flow log at all hides nothing of it.
    let said = send(5, b"xyz: what is this?").trouble.unwrap();
    assert!(said.contains("version 5"), "{said}");
    let counters = send(6, &datagram(SECOND + 6, 13, &[2_048]));
    assert_eq!((counters.trouble, counters.records, counters.malformed), (None, 1, 2));
    assert_eq!(send(7, b"xyz: what is this?").trouble, None, "nor makes it trouble of a device that is read");
    c.stop(NOW.plus(30_000));
    groups.extend(c.take());
    let gaps: Vec<_> = rows::<Gap>(&groups, Kind::Gap).into_iter().map(|g| (g.lost, g.unit, g.reason)).collect();
    assert_eq!(gaps[0], (Some(2), "packets".to_owned(), "sequence".to_owned()), "numbers of version 1.0 are counted: {gaps:?}");
}

proptest! {
    /// A layout with its fields anywhere: either it is refused, or what is written by it is read by it.
    #[test]
    fn what_is_written_by_a_layout_is_read_by_it(
        order in Just((0..11usize).collect::<Vec<_>>()).prop_shuffle(), spaces in proptest::collection::vec(0usize..4, 11),
        wide in any::<[bool; 2]>(), values in any::<[u64; 2]>(), addresses in any::<[[u8; 16]; 3]>(), ports in any::<[u16; 3]>(), protocol in any::<u8>(),
        operator in prop_oneof![1u8..=8, Just(254)],
    ) {
        let names = ["protocol", "operator", "inside_address", "public_address", "remote_address", "inside_port", "public_port", "remote_port", "start", "end", "ip_version"];
        let (address, time) = (if wide[0] { 16 } else { 4 }, if wide[1] { 8 } else { 4 });
        let seconds = values.map(|v| if wide[1] { v % (TIME_MS / 1_000) } else { v & u64::from(u32::MAX) });
        let v6 = |a: &[u8; 16]| { let mut a = *a; a[0] = 0x20; a };
        let bytes_of = |i: usize| -> Vec<u8> {
            let address_of = |a: &[u8; 16]| if wide[0] { v6(a).to_vec() } else { a[..4].to_vec() };
            let time_of = |s: u64| s.to_be_bytes()[8 - time..].to_vec();
            match i {
                0 => vec![protocol],
                1 => vec![operator],
                2..=4 => address_of(&addresses[i - 2]),
                5..=7 => ports[i - 5].to_be_bytes().to_vec(),
                8 | 9 => time_of(seconds[i - 8]),
                _ => vec![if wide[0] { 6 } else { 4 }],
            }
        };
        let mut record = Vec::new();
        let mut text = format!("version = 5\nheader = 16\ncount = 2\ntime = {}\nsequence = 12\naddress_bytes = {address}\ntime_bytes = {time}\n", if wide[1] { 4 } else { 8 });
        for (i, space) in order.iter().zip(&spaces) {
            record.extend(vec![0xa5; *space]);
            text.push_str(&format!("{} = {}\n", names[*i], record.len()));
            record.extend(bytes_of(*i));
        }
        text.push_str(&format!("record = {}\n", record.len()));
        let mut problems = Vec::new();
        let layouts = layout::check(&[toml::from_str(&text).unwrap()], &mut problems);
        prop_assert!(problems.is_empty(), "{problems:?} {text}");
        let flow = message::flow(&layouts[0], &record).unwrap();
        let end = |i: usize| {
            let address = if wide[0] { Addr16(v6(&addresses[i])) } else { Addr16::v4(*addresses[i].first_chunk().unwrap()) };
            (address, ports[i])
        };
        prop_assert_eq!((flow.inside, flow.public, flow.remote), (end(0), end(1), end(2)));
        prop_assert_eq!((flow.protocol, flow.start, flow.end), (protocol, seconds[0] as i64 * 1_000, seconds[1] as i64 * 1_000));
        prop_assert_eq!(message::flow(&layouts[0], &record[..record.len() - 1]), Err(Fault::Length));
    }
}
