//! The arithmetic against RFC 7422's, the figures against the document of what was measured, and the memory that is allowed against what was held.

use super::figures::{self, nat_at};
use super::memory::{Load, open_mappings, setting};
use super::model::{Need, need};
use super::{bytes, count, shown};
use crate::cli::{LogArg, SizeArgs};
use crate::limits::{MEMORY_AUTO_MAX, MEMORY_BYTES_MIN};

/// The work of many sections of docs/performance.md, in millions of bytes.
const HELD: &str = "weir: the most memory it held, MB";
/// A mebibyte.
const MIB: f64 = 1_048_576.0;

/// The median of a row of docs/performance.md: `| work | size | median (…) |` in the section of this name, or without a size.
fn measured(section: &str, work: &str, x: Option<u64>) -> f64 {
    let text = include_str!("../../../../docs/performance.md");
    let (begin, end) = (format!("<!-- bench:{section}:begin -->"), format!("<!-- bench:{section}:end -->"));
    let part = text.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(part, _)| part);
    let part = part.unwrap_or_else(|| panic!("docs/performance.md has no section {section:?}"));
    let row = |line: &&str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        cells.next() == Some(work) && x.is_none_or(|x| cells.next() == Some(x.to_string().as_str()))
    };
    let line = part.lines().find(row).unwrap_or_else(|| panic!("section {section:?} has no row {work:?} at {x:?}"));
    let cell = line.split('|').map(str::trim).rfind(|c| !c.is_empty()).unwrap();
    cell.split(' ').next().unwrap().replace(',', "").parse().unwrap_or_else(|e| panic!("{e}: {cell}"))
}

/// The section that a row of [`figures::NAT`] is of, and its work whose bytes are meant.
fn of_rate(rate: f64) -> (&'static str, &'static str) {
    if rate < 100_000.0 {
        ("growth-rate", "weir: units and index, bytes an event")
    } else {
        ("nat", "weir: the same less the open tables, which do not grow with time")
    }
}

#[test]
fn the_figures_are_those_of_the_document() {
    let near = |what: &str, ours: f64, theirs: f64| assert!((ours / theirs - 1.0).abs() < 0.05, "{what}: {ours} here, {theirs} measured");
    for nat in figures::NAT {
        let (x, (section, kept)) = (Some(nat.rate as u64), of_rate(nat.rate));
        near("processor", nat.us, measured(section, "weir: µs of processor an event", x));
        near("bytes", nat.bytes, measured(section, kept, x));
    }
    let remotes = |figure: &str| {
        let [with, without] =
            ["the same, remote ends kept", "sessions of one exporter"].map(|what| measured("mixed", &format!("{what}: {figure}"), None));
        with - without
    };
    near("remote ends", figures::REMOTE_US, remotes("µs of processor an event"));
    near("remote ends", figures::REMOTE_BYTES, remotes("bytes an event, less write-ahead log and open tables"));
    near("RADIUS", figures::RADIUS_US, measured("radius", "weir: µs of processor a message", None));
    near("RADIUS", figures::RADIUS_BYTES, measured("radius", "weir: bytes a message on disk, less the write-ahead log", None));
    // A million sessions in one section and 200,000 in the other, which counts mebibytes.
    let fewer = MIB * measured("memory", "weir, RADIUS: the most memory it held, MB", Some(4_096));
    near("a session", figures::RADIUS_SESSION_BYTES, (1e6 * measured("radius", HELD, None) - fewer) / 800_000.0);
    near("a line", figures::LINE_US, measured("syslog", "weir: µs of processor a line", None));
    near("a line", figures::LINE_BYTES, measured("syslog", "weir: bytes a line on disk, less the write-ahead log", None));
}

/// RFC 7422 section 1: 33,000 connections a day at 150 bytes are some 5 MB a subscriber and day, 150 MB a month, 150 terabytes a month for a million of them,
/// 1.8 petabytes a year; and 23 Mbit/s for 50,000.
#[test]
fn text_is_as_large_as_rfc_7422_says() {
    for (subscribers, days, said) in [(1, 1, 5e6), (1, 30, 150e6), (1_000_000, 30, 150e12), (1_000_000, 365, 1.8e15)] {
        let text = need(&SizeArgs { days, ..SizeArgs::of(subscribers, LogArg::Sessions) }).text_bytes.unwrap();
        assert!((text / said - 1.0).abs() < 0.02, "{subscribers} subscribers, {days} days: {text}");
    }
    let a_day = need(&SizeArgs { days: 1, ..SizeArgs::of(50_000, LogArg::Sessions) }).text_bytes.unwrap();
    assert!((a_day * 8.0 / 86_400.0 / 23e6 - 1.0).abs() < 0.02, "{a_day}");
}

/// The RFC says of port ranges that each one assigned is logged (section 1; ten entries for ten blocks of 100 ports in section 2.3), of computed mappings that
/// their configuration alone is (section 3), and that text is often compressed to a third (section 1). It gives no volume for either.
#[test]
fn other_logs_than_sessions_are_as_small_as_rfc_7422_lets_expect() {
    // Blocks of 100 ports, each port used once.
    let month = |log| need(&SizeArgs { blocks: 330, days: 30, ..SizeArgs::of(1_000_000, log) });
    let [sessions, blocks, computed, none] = [LogArg::Sessions, LogArg::Blocks, LogArg::Deterministic, LogArg::None].map(month);
    assert!(sessions.text_bytes.unwrap() / 3.0 > 3.0 * sessions.records_bytes, "compressed text is larger still");
    let (each, block) = (&sessions.flows[0], &blocks.flows[0]);
    assert!((each.a_day / block.a_day - 100.0).abs() < 1e-9, "one entry for a hundred ports");
    let times = each.bytes_a_day / block.bytes_a_day;
    assert!((50.0..200.0).contains(&times), "a hundredth, but for what an event costs at another rate: {times}");
    let names = |need: &Need| need.flows.iter().map(|f| f.what).collect::<Vec<_>>();
    assert_eq!(names(&computed), ["RADIUS accounting messages"], "no subscriber's mapping is kept");
    assert_eq!(names(&computed), names(&none));
    assert!((computed.records_bytes - none.records_bytes).abs() < 1.0 && computed.text_bytes.is_none() && blocks.text_bytes.is_none());
}

#[test]
fn sessions_cost_what_the_steps_say_and_blocks_and_computing_less() {
    let sessions = need(&SizeArgs::of(1_000_000, LogArg::Sessions));
    let nat = &sessions.flows[0];
    assert!((nat.a_day - 66e9).abs() < 1.0 && (nat.a_second - 763_888.9).abs() < 0.1 && (nat.busiest - 2_291_666.7).abs() < 0.1);
    assert!((nat.bytes_a_day - nat.a_day * nat.bytes_each).abs() < 1.0);
    let per_day: f64 = sessions.flows.iter().map(|f| f.bytes_a_day).sum();
    assert!((sessions.records_bytes - per_day * 184.0).abs() < 1e3);
    assert!(sessions.text_bytes.unwrap() > 10.0 * sessions.records_bytes, "what Weir is for");
    assert!(sessions.beyond, "a million subscribers are more than two cores were measured with");
    let kept = need(&SizeArgs { remotes: true, ..SizeArgs::of(1_000_000, LogArg::Sessions) });
    assert!(kept.records_bytes > sessions.records_bytes && kept.flows[0].cores > nat.cores);
    let [blocks, computed, none] = [LogArg::Blocks, LogArg::Deterministic, LogArg::None].map(|log| need(&SizeArgs::of(1_000_000, log)));
    assert!(blocks.records_bytes < sessions.records_bytes && computed.records_bytes < blocks.records_bytes);
    assert!((computed.records_bytes - none.records_bytes).abs() < 1.0 && computed.text_bytes.is_none());
    let small = need(&SizeArgs { lines: 86_400, logins: 0, interim: 0, ..SizeArgs::of(1, LogArg::None) });
    assert_eq!((small.flows.len(), small.cores, small.beyond), (1, 1, false), "{small:?}");
    assert!((small.flows[0].a_second - 1.0).abs() < 1e-9);
}

#[test]
fn a_rate_between_two_lies_between_them() {
    let [first, .., last] = figures::NAT else { panic!("two rates are measured at least") };
    assert!((nat_at(1.0).bytes - first.bytes).abs() < 1e-9 && (nat_at(1e12).bytes - last.bytes).abs() < 1e-9);
    for [low, high] in figures::NAT.array_windows() {
        let middle = nat_at(f64::midpoint(low.rate, high.rate));
        let of = |what: &str, n: &figures::Nat| if what == "bytes" { n.bytes } else { n.us };
        for what in ["processor", "bytes"] {
            let of = |n: &figures::Nat| of(what, n);
            let (work, half) = (middle.rate * of(&middle), f64::midpoint(low.rate * of(low), high.rate * of(high)));
            assert!((work / half - 1.0).abs() < 1e-9, "{what}: {middle:?}");
            assert!((of(&nat_at(high.rate)) - of(high)).abs() < 1e-9);
        }
    }
    // More events never take less.
    let works: Vec<f64> = (1..=100_u32).map(|n| f64::from(n) * 10_000.0).map(|rate| rate * nat_at(rate).us).collect();
    assert!(works.is_sorted(), "{works:?}");
}

#[test]
fn few_events_cost_what_few_events_were_measured_to() {
    let slowest = figures::NAT[0].bytes;
    // Subscribers, events a second over the day, bytes of each.
    for (subscribers, a_second, bytes) in [(80, 61.1, slowest), (10_000, 7_638.9, slowest), (50_000, 38_194.4, 5.095)] {
        let sized = need(&SizeArgs::of(subscribers, LogArg::Sessions));
        let nat = &sized.flows[0];
        assert!((nat.a_second / a_second - 1.0).abs() < 0.001, "{nat:?}");
        assert!((nat.bytes_each / bytes - 1.0).abs() < 0.02, "{nat:?}");
        let many = nat_at(100_000.0).us;
        assert!(nat.busiest >= 100_000.0 || nat.cores > nat.busiest * many / 1e6, "an event of few takes more than one of many: {nat:?}");
    }
}

/// NAT events of sessions at this rate and nothing else.
fn events(nat: f64) -> Load {
    Load { nat, mappings: open_mappings(nat), ..Load::default() }
}

#[test]
fn what_was_held_was_allowed() {
    let held = |section: &str, x: Option<u64>| 1e6 * measured(section, HELD, x);
    let lost = "weir: the most memory it held after its catalog and all of its index were lost, MB";
    let lines = measured("syslog", "weir: lines a second, all of them sealed", None);
    let radius = measured("radius", "weir: acknowledged a second, each after fsync", None);
    // What it was, the load, and what the program held under it.
    let mut cases: Vec<(&str, Load, f64)> = vec![
        ("idle", Load::default(), 1e6 * measured("start", lost, None)),
        ("lines", Load { lines, ..Load::default() }, held("syslog", None)),
        ("RADIUS", Load { radius, online: 10_000.0, ended: 990_000.0, ..Load::default() }, held("radius", None)),
    ];
    cases.extend(figures::NAT.iter().map(|n| ("events", events(n.rate), held(of_rate(n.rate).0, Some(n.rate as u64)))));
    for (what, load, held) in cases {
        let setting = setting(&load);
        assert!(setting >= held && setting >= MEMORY_BYTES_MIN as f64, "{what}: {setting} allowed, {held} held: {load:?}");
        // Events were measured with what the program takes by itself at most.
        assert!(what != "events" || setting <= MEMORY_AUTO_MAX as f64, "{what}: {setting}");
    }
}

#[test]
fn loads_share_one_bound() {
    let none = Load::default();
    // What comes, and the mebibytes that are allowed.
    let cases = [
        ("nothing", none, 512.0),
        ("10,000 events a second", events(10_000.0), 512.0),
        ("30,000", events(30_000.0), 803.0),
        ("100,000", events(100_000.0), 1_913.0),
        ("300,000: as much as the program takes by itself", events(300_000.0), 4_096.0),
        ("a million: the same, in shorter units", events(1_000_000.0), 4_096.0),
        ("few lines", Load { lines: 7.0, ..none }, 512.0),
        ("a thousand", Load { lines: 1_000.0, ..none }, 642.0),
        ("lines that reach their bound in a minute", Load { lines: 6_000.0, ..none }, 2_132.0),
        ("a million", Load { lines: 1e6, ..none }, 2_132.0),
        ("and messages, which share that bound", Load { lines: 1e6, radius: 1e5, ..none }, 2_132.0),
        ("messages alone", Load { radius: 1_000.0, ..none }, 963.0),
        ("events and few lines share a cycle", Load { lines: 100.0, ..events(100_000.0) }, 1_944.0),
        ("events and many lines, which seal them early", Load { lines: 1e6, ..events(100_000.0) }, 2_471.0),
        ("200,000 sessions", Load { online: 2e5, ..none }, 1_092.0),
        ("a million, and no more are followed", Load { online: 1e6, ..none }, 4_177.0),
        ("sessions besides events", Load { online: 1e6, ..events(300_000.0) }, 7_996.0),
    ];
    for (what, load, mebibytes) in cases {
        let setting = setting(&load) / MIB;
        assert!((setting / mebibytes - 1.0).abs() < 0.03, "{what}: {setting} MiB, {mebibytes} expected");
    }
}

#[test]
fn memory_is_that_of_all_that_was_asked_for() {
    let with = |log, lines| need(&SizeArgs { lines, ..SizeArgs::of(10_000, log) });
    let only_lines = need(&SizeArgs { lines: 12_500_000_000, logins: 0, interim: 0, ..SizeArgs::of(1, LogArg::None) });
    assert!(only_lines.memory_bytes > 2.0 * 1e6 * measured("syslog", HELD, None), "{only_lines:?}");
    let (sessions, lines, both) = (with(LogArg::Sessions, 0), with(LogArg::None, 100_000_000), with(LogArg::Sessions, 100_000_000));
    assert!(both.store_memory_bytes > sessions.store_memory_bytes.max(lines.store_memory_bytes));
    assert!(both.store_memory_bytes < sessions.store_memory_bytes + lines.store_memory_bytes);
    let logins = |subscribers| need(&SizeArgs::of(subscribers, LogArg::None)).store_memory_bytes;
    assert!(logins(1_000_000) > 1_535.0 * 1e6 && logins(100_000) < logins(1_000_000) && logins(1) == MEMORY_BYTES_MIN as f64);
    for need in [only_lines, sessions, lines, both] {
        assert!((need.memory_bytes / need.store_memory_bytes - 2.0).abs() < 1e-9, "{need:?}");
    }
}

#[test]
fn numbers_are_read_at_a_glance() {
    for (n, text) in [(0.0, "0"), (3.5, "3.5"), (999.0, "999"), (33_000.0, "33 k"), (66e9, "66 G"), (1e30, "1000000000000000 P")] {
        assert_eq!(count(n), text);
    }
    for (n, text) in [(0.0, "0 B"), (4.95e12, "5.0 TB"), (150e6, "150 MB")] {
        assert_eq!(bytes(n), text);
    }
    let args = SizeArgs::of(10_000, LogArg::Deterministic);
    let text = shown(&args, &need(&args));
    assert!(text.contains("not one change of it may be missing") && !text.contains("RFC 7422: 150"), "{text}");
    let said = "blocks alone were not measured";
    // Subscribers, what is logged, and whether these stand there: what blocks are counted as, and that more memory must be allowed.
    for (subscribers, log, blocks, more) in [
        (10_000, LogArg::Sessions, false, false),
        (10_000, LogArg::Blocks, true, false),
        (1_000_000, LogArg::Sessions, false, true),
        (1_000_000, LogArg::Blocks, true, true),
    ] {
        let args = SizeArgs::of(subscribers, log);
        let text = shown(&args, &need(&args));
        assert_eq!((text.contains(said), text.contains("set store.memory_bytes = ")), (blocks, more), "{text}");
    }
}
