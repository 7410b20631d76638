//! The arithmetic against RFC 7422's, and the figures against the document of what was measured.

use super::figures::{self, nat_at};
use super::model::need;
use super::{bytes, count, shown};
use crate::cli::{LogArg, SizeArgs};

/// Numbers of a row of docs/performance.md: `| work | size | median (…) |`, or without a size.
fn measured(work: &str, x: Option<u64>) -> f64 {
    let text = include_str!("../../../../docs/performance.md");
    let row = |line: &&str| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        cells.next() == Some(work) && x.is_none_or(|x| cells.next() == Some(x.to_string().as_str()))
    };
    let line = text.lines().find(row).unwrap_or_else(|| panic!("docs/performance.md has no row {work:?} at {x:?}"));
    let cell = line.split('|').map(str::trim).rfind(|c| !c.is_empty()).unwrap();
    cell.split(' ').next().unwrap().replace(',', "").parse().unwrap_or_else(|e| panic!("{e}: {cell}"))
}

#[test]
fn the_figures_are_those_of_the_document() {
    let near = |what: &str, ours: f64, theirs: f64| assert!((ours / theirs - 1.0).abs() < 0.05, "{what}: {ours} here, {theirs} measured");
    for nat in figures::NAT {
        let x = Some(nat.rate as u64);
        near("processor", nat.us, measured("weir: µs of processor an event", x));
        near("bytes", nat.bytes, measured("weir: the same less the open tables, which do not grow with time", x));
        near("memory", nat.memory, 1e6 * measured("weir: the most memory it held, MB", x));
    }
    near("RADIUS", figures::RADIUS_US, measured("weir: µs of processor a message", None));
    near("RADIUS", figures::RADIUS_BYTES, measured("weir: bytes a message on disk, less the write-ahead log", None));
    near("a line", figures::LINE_US, measured("weir: µs of processor a line", None));
    near("a line", figures::LINE_BYTES, measured("weir: bytes a line on disk, less the write-ahead log", None));
    near("idle", figures::IDLE_MEMORY, 1e6 * measured("weir: the most memory it held with its catalog and index, MB", None));
}

/// RFC 7422 section 1: 33,000 connections a day at 150 bytes are some 5 MB a subscriber and day, 150 terabytes a month for a million of them,
/// 1.8 petabytes a year.
#[test]
fn text_is_as_large_as_rfc_7422_says() {
    for (days, expected) in [(1, 4.95e12), (30, 148.5e12), (365, 1.807e15)] {
        let text = need(&SizeArgs { days, ..SizeArgs::of(1_000_000, LogArg::Sessions) }).text_bytes.unwrap();
        assert!((text / expected - 1.0).abs() < 0.001, "{days} days: {text}");
    }
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
    assert!(kept.records_bytes > sessions.records_bytes);
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
        assert!((middle.us - f64::midpoint(low.us, high.us)).abs() < 1e-9, "{middle:?}");
        assert!((nat_at(high.rate).us - high.us).abs() < 1e-9);
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
}
