//! Translated addresses: what is certain, and the window.

use super::net::{CGN, OFFICE};
use super::{A, Case, run};

const CERTAIN_AND_NOT: &[Case] = &[
    (
        "both ends seen",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "both ends seen, gaps all over",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.gap(CGN, -8_000, 8_000, None);
        },
        A,
    ),
    (
        "both ends seen, and silent since",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.source(CGN).last_header = None;
        },
        A,
    ),
    (
        "open, nothing lost, spoken later",
        |n, _| {
            n.map(12, -9_000, None);
        },
        A,
    ),
    (
        "open, a gap before its begin",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -99_000, -9_001, Some(4));
        },
        A,
    ),
    (
        "open, a gap that ends with its begin",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -99_000, -9_000, Some(4));
        },
        "unknown gap | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, a gap between begin and moment",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -5_000, -4_000, Some(1));
        },
        "unknown gap | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, a gap of unknown count",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -5_000, -4_000, None);
        },
        "unknown gap | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, the gap was amended to 0",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -5_000, -4_000, Some(0));
        },
        A,
    ),
    (
        "open, another exporter's gap",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(OFFICE, -5_000, -4_000, Some(3));
        },
        A,
    ),
    (
        "open, a gap well after the moment",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, 3_001, 9_000, Some(3));
        },
        A,
    ),
    (
        "open, a gap so soon after that it may hold the moment's events",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, 3_000, 9_000, Some(3));
        },
        "unknown gap | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, a gap before a later sign of life",
        |n, _| {
            n.map(12, -90_000, None).last_evidence = super::T.plus(-3_000);
            n.gap(CGN, -50_000, -40_000, Some(3));
        },
        A,
    ),
    (
        "open, the exporter's last word is the window's end",
        |n, _| {
            n.map(12, -9_000, None);
            n.source(CGN).last_header = Some(super::T.plus(2_000));
        },
        "unknown silent | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, the exporter has just spoken later",
        |n, _| {
            n.map(12, -9_000, None);
            n.source(CGN).last_header = Some(super::T.plus(2_001));
        },
        A,
    ),
    (
        "open, never a header",
        |n, _| {
            n.map(12, -9_000, None);
            n.source(CGN).last_header = None;
        },
        "unknown silent | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, input that cannot be read yet",
        |n, _| {
            n.map(12, -9_000, None);
            n.unseen.insert(CGN, super::T.plus(-1));
        },
        "unknown unread | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "open, unreadable input of later",
        |n, _| {
            n.map(12, -9_000, None);
            n.unseen.insert(CGN, super::T.plus(3_001));
        },
        A,
    ),
    (
        "its begin was lost",
        |n, _| n.map(12, -9_000, Some(5_000)).start_seen = false,
        "unknown start-lost | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "its begin was lost and has no bound",
        |n, _| {
            let m = n.map(12, 0, Some(5_000));
            (m.start, m.start_seen) = (None, false);
        },
        "unknown start-lost | home 100.64.0.12:50012 s12 doubt sure",
    ),
    ("its begin was lost, the bound lies after the window", |n, _| n.map(12, 3_000, Some(5_000)).start_seen = false, "none unused"),
    (
        "its end was lost",
        |n, _| n.map(12, -9_000, Some(5_000)).end_seen = false,
        "unknown end-lost | home 100.64.0.12:50012 s12 doubt sure",
    ),
    ("its end was lost, the bound lies before the window", |n, _| n.map(12, -9_000, Some(-2_001)).end_seen = false, "none unused"),
    (
        "its ends differ",
        |n, _| n.map(12, -9_000, Some(5_000)).ends_agree = false,
        "unknown ends-differ | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "one in doubt beside a certain one",
        |n, _| {
            n.map(13, -9_000, Some(5_000));
            n.map(12, -9_000, Some(5_000)).end_seen = false;
        },
        "unknown end-lost | home 100.64.0.13:50013 s13 sure sure | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "one in doubt and certain ones of the same inside end",
        |n, _| {
            n.map(12, -9_000, Some(-1_000)).end_seen = false;
            n.map(12, -1_000, Some(5_000));
        },
        A,
    ),
    (
        "two certain ones and one in doubt",
        |n, _| {
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
            n.map(14, -9_000, Some(-500)).end_seen = false;
        },
        "unknown end-lost | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure \
             | home 100.64.0.14:50014 s14 doubt sure",
    ),
];

#[test]
fn certain_and_not() {
    run(CERTAIN_AND_NOT);
}

const THE_WINDOW_AND_REUSE: &[Case] = &[
    (
        "reuse within a millisecond, exact clocks",
        |n, q| {
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
            q.skew_ms = 0;
        },
        A,
    ),
    (
        "a millisecond later",
        |n, q| {
            n.map(12, -9_000, Some(-1));
            n.map(13, 0, Some(9_000));
            q.skew_ms = 0;
        },
        "one holder | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "end and begin in one millisecond",
        |n, q| {
            n.map(12, -9_000, Some(0));
            n.map(13, 0, Some(9_000));
            q.skew_ms = 0;
        },
        "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "reuse within the tolerance",
        |n, _| {
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
        },
        "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "the events came in another order",
        |n, _| {
            n.map(13, 1, Some(9_000));
            n.map(12, -9_000, Some(0));
        },
        "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "three within the tolerance",
        |n, _| {
            n.map(12, -9_000, Some(-50));
            n.map(13, -40, Some(40));
            n.map(14, 50, Some(90));
        },
        "several passed-on | home 100.64.0.13:50013 s13 sure sure | home 100.64.0.12:50012 s12 sure sure \
             | home 100.64.0.14:50014 s14 sure sure",
    ),
    (
        "one inside end twice",
        |n, _| {
            n.map(12, -9_000, Some(-100));
            n.map(12, 100, Some(9_000));
        },
        A,
    ),
    (
        "one inside end twice with two inside ports",
        |n, _| {
            n.map(12, -9_000, Some(-100)).inside_port = 1;
            n.map(12, -90, Some(9_000));
        },
        A,
    ),
    (
        "ended just within the tolerance",
        |n, _| {
            n.map(12, -9_000, Some(-2_000));
        },
        A,
    ),
    (
        "ended just before the tolerance",
        |n, _| {
            n.map(12, -9_000, Some(-2_001));
        },
        "none unused",
    ),
    (
        "begins just within the tolerance",
        |n, _| {
            n.map(12, 2_000, Some(9_000));
        },
        A,
    ),
    (
        "begins just after the tolerance",
        |n, _| {
            n.map(12, 2_001, Some(9_000));
        },
        "none unused",
    ),
    (
        "begins within the tolerance, something was lost before",
        |n, _| {
            n.map(12, 1_000, Some(9_000));
            n.gap(CGN, -9_000, -8_000, Some(2));
        },
        "unknown gap | home 100.64.0.12:50012 s12 sure sure",
    ),
    (
        "begins within the tolerance, the loss is older than the port's last evidence",
        |n, _| {
            n.map(12, 1_000, Some(9_000));
            n.map(14, -7_000, Some(-6_000));
            n.gap(CGN, -9_000, -8_000, Some(2));
        },
        A,
    ),
    (
        "ended within the tolerance, silent since",
        |n, _| {
            n.map(12, -9_000, Some(-1_000));
            n.source(CGN).last_header = Some(super::T);
        },
        "unknown silent | home 100.64.0.12:50012 s12 sure sure",
    ),
    (
        "two sessions of the inside address, one of them perhaps gone long before",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            let s = n.session_at("100.64.0.12", 4, -90_000, Some(-1_000));
            (s.inferred, s.last_evidence) = (true, super::T.plus(-80_000));
        },
        "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s4 sure doubt",
    ),
    (
        "the port passed on, and a session of one inside end is perhaps gone long before",
        |n, _| {
            n.map(12, -9_000, Some(-1_000));
            n.map(14, -500, Some(9_000));
            let s = n.session_at("100.64.0.14", 4, -90_000, Some(-1_000));
            (s.inferred, s.last_evidence) = (true, super::T.plus(-80_000));
        },
        "unknown session-in-doubt | home 100.64.0.14:50014 s14 sure sure | home 100.64.0.14:50014 s4 sure doubt | \
         home 100.64.0.12:50012 s12 sure sure",
    ),
    (
        "no skew given to spare",
        |n, q| {
            n.map(12, -9_000, Some(-1));
            q.skew_ms = 0;
        },
        "none unused",
    ),
    (
        "a negative skew counts as none",
        |n, q| {
            n.map(12, -9_000, Some(-1));
            q.skew_ms = -5_000;
        },
        "none unused",
    ),
    (
        "a skew of days is cut to ten minutes",
        |n, q| {
            n.map(12, -9_000_000, Some(-700_000));
            n.source(CGN).last_header = Some(super::T.plus(700_000));
            q.skew_ms = i64::MAX;
        },
        "none unused",
    ),
];

#[test]
fn the_window_and_reuse() {
    run(THE_WINDOW_AND_REUSE);
}
