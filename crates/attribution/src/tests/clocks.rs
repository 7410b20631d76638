//! Translated addresses: clocks that are off.

use super::net::{CGN, NAS, OFFICE, id};
use super::{A, Case, run};

const CLOCKS: &[Case] = &[
    (
        "1.9 s ahead joins the tolerance to its side, with the second that export times are cut to",
        |n, _| {
            n.map(12, 4_899, Some(9_000));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(1_900), Some((1_900, 2_899)));
        },
        A,
    ),
    (
        "and no further",
        |n, _| {
            n.map(12, 4_900, Some(9_000));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(1_900), Some((1_900, 2_899)));
        },
        "none unused",
    ),
    (
        "ahead says nothing of the other side",
        |n, _| {
            n.map(12, -9_000, Some(-2_001));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(1_900), Some((1_900, 2_899)));
        },
        "none unused",
    ),
    (
        "1.9 s behind joins it too",
        |n, _| {
            n.map(12, -9_000, Some(-3_900));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(-1_900), Some((-1_900, -901)));
        },
        A,
    ),
    (
        "behind, and no further",
        |n, _| {
            n.map(12, -9_000, Some(-3_901));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(-1_900), Some((-1_900, -901)));
        },
        "none unused",
    ),
    (
        "behind says nothing of the other side",
        |n, _| {
            n.map(12, 2_001, Some(9_000));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(-1_900), Some((-1_900, -901)));
        },
        "none unused",
    ),
    (
        "ahead, and its inside end had another subscriber when the mapping had ended",
        |n, _| {
            n.map(12, -9_000, Some(1_900));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(1_900), Some((1_900, 2_899)));
            n.sessions.clear();
            n.session(12, -3_600_000, Some(1_000));
            n.session(12, 3_000, None).subscriber = Some(id(77));
        },
        A,
    ),
    (
        "ahead, long ended, and its inside end passed on since",
        |n, _| {
            n.map(12, -9_000, Some(-1_500));
            (n.source(CGN).offset_ms, n.source(CGN).ahead_ms) = (Some(1_900), Some((1_900, 2_899)));
            n.sessions.clear();
            n.session(12, -3_600_000, Some(-3_000));
            n.session(12, -2_000, None).subscriber = Some(id(77));
        },
        "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure",
    ),
    (
        "the mapping ended before the moment, and its inside end passed on after that",
        |n, _| {
            n.map(12, -9_000, Some(-1_500));
            n.sessions.clear();
            n.session(12, -3_600_000, Some(-1_400));
            n.session(12, -1_000, None).subscriber = Some(id(77));
        },
        A,
    ),
    (
        "2.1 s ahead is translated",
        |n, _| {
            n.map(12, -9_000, Some(-1));
            n.clock(CGN, 2_100);
        },
        A,
    ),
    (
        "translated, the tolerance is the skew alone",
        |n, q| {
            n.map(12, -9_000, Some(-1));
            n.clock(CGN, 2_100);
            q.skew_ms = 0;
        },
        "none unused",
    ),
    (
        "half an hour behind",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.clock(CGN, -1_800_000);
        },
        A,
    ),
    (
        "half an hour behind, open",
        |n, _| {
            n.map(12, -9_000, None);
            n.clock(CGN, -1_800_000);
        },
        A,
    ),
    (
        "half an hour behind, open, a gap of its time",
        |n, _| {
            n.map(12, -9_000, None);
            n.gap(CGN, -8_000, -7_000, Some(1));
            n.clock(CGN, -1_800_000);
        },
        "unknown gap | home 100.64.0.12:50012 s12 doubt sure",
    ),
    (
        "half an hour behind, who had it by our clock had it later",
        |n, _| {
            n.clock(CGN, -1_800_000);
            n.map(12, -9_000, Some(9_000));
            n.map(13, -1_809_000, Some(-1_791_000));
        },
        "one holder | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "half an hour behind, but trusted",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            let s = n.source(CGN);
            (s.offset_ms, s.trust) = (Some(-1_800_000), true);
        },
        A,
    ),
    (
        "half an hour ahead, in no pool known, but seen",
        |n, _| {
            n.map(12, -3_600_000, Some(9_000));
            n.clock(CGN, 1_800_000);
            n.pools.clear();
        },
        A,
    ),
    ("half an hour behind and nobody", |n, _| n.clock(CGN, -1_800_000), "none unused"),
    (
        "never measured",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.source(CGN).offset_ms = None;
        },
        A,
    ),
    (
        "the NAS is half an hour behind",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.session(12, -1_000, None).subscriber = Some(id(77));
            n.clock(NAS, -1_800_000);
        },
        "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure",
    ),
    (
        "the NAS is half an hour ahead and the session short",
        |n, _| {
            n.sessions.clear();
            n.session(12, -5_000, Some(5_000));
            n.clock(NAS, 1_800_000);
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "two exporters, one half an hour off",
        |n, _| {
            n.clock(OFFICE, 1_800_000);
            n.pool(OFFICE);
            n.map(12, -9_000, Some(9_000));
            n.map(13, 1_791_000, Some(1_809_000)).source = OFFICE;
        },
        "several realms | home 100.64.0.12:50012 s12 sure sure | office 100.64.0.13:50013 - sure -",
    ),
];

#[test]
fn clocks() {
    run(CLOCKS);
}
