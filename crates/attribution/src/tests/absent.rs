//! Nobody held it, or no session says who.

use super::net::{CGN, NAS, OFFICE, addr};
use super::{A, Case, run};

const NOBODY: &[Case] = &[
    ("never used", |_, _| (), "none unused"),
    ("not ours", |_, q| q.public = addr("192.0.2.200"), "none not-ours"),
    (
        "not ours, without a port",
        |_, q| {
            q.public = addr("192.0.2.200");
            q.port = None;
        },
        "none not-ours",
    ),
    (
        "in no pool, but leased at another time",
        |n, q| {
            n.session_at("192.0.2.200", 77, -90_000, Some(-80_000));
            (q.public, q.port) = (addr("192.0.2.200"), None);
        },
        "none unused",
    ),
    (
        "the same, and its source lost something since",
        |n, q| {
            n.session_at("192.0.2.200", 77, -90_000, Some(-80_000));
            n.gap(NAS, -50_000, -49_000, None);
            (q.public, q.port) = (addr("192.0.2.200"), None);
        },
        "unknown gap",
    ),
    ("a gap since the first day", |n, _| n.gap(CGN, -80_000_000, -79_000_000, Some(1)), "unknown gap"),
    (
        "a gap before the port's last evidence",
        |n, _| {
            n.gap(CGN, -80_000, -79_000, Some(1));
            n.map(12, -70_000, Some(-60_000));
        },
        "none unused",
    ),
    (
        "a gap after the port's last evidence",
        |n, _| {
            n.map(12, -70_000, Some(-60_000));
            n.gap(CGN, -50_000, -49_000, Some(1));
        },
        "unknown gap",
    ),
    (
        "a gap around the port's last evidence",
        |n, _| {
            n.map(12, -70_000, Some(-60_000));
            n.gap(CGN, -61_000, -59_000, Some(1));
        },
        "unknown gap",
    ),
    (
        "other evidence after the gap",
        |n, _| {
            n.gap(CGN, -50_000, -49_000, Some(1));
            n.evidence.push((CGN, super::T.plus(-40_000)));
        },
        "none unused",
    ),
    ("a gap amended to 0", |n, _| n.gap(CGN, -50_000, -49_000, Some(0)), "none unused"),
    ("a gap after the moment", |n, _| n.gap(CGN, 10_000, 11_000, Some(9)), "none unused"),
    ("silent since before", |n, _| n.source(CGN).last_header = Some(super::T.plus(-1)), "unknown silent"),
    (
        "before the first record",
        |n, q| {
            n.pools[0].since = super::T;
            q.at = super::T.plus(-1);
        },
        "unknown before-records",
    ),
    ("a younger pool of another exporter does not matter", |n, _| n.pool(OFFICE).since = super::T.plus(9_000), "none unused"),
    (
        "an older one does",
        |n, _| {
            n.pool(OFFICE);
            n.gap(OFFICE, -100, 100, None);
        },
        "unknown gap",
    ),
    (
        "input that cannot be read yet",
        |n, _| {
            n.unseen.insert(CGN, super::T);
        },
        "unknown unread",
    ),
    (
        "the moment has not come",
        |n, q| {
            n.map(12, -9_000, None);
            q.at = super::T.plus(3_600_001);
        },
        "unknown future",
    ),
];

#[test]
fn nobody() {
    run(NOBODY);
}

const SESSIONS_BEHIND_A_MAPPING: &[Case] = &[
    (
        "no session",
        |n, _| {
            n.sessions.clear();
            n.map(12, -9_000, Some(9_000));
        },
        "one holder-no-session | home 100.64.0.12:50012 - sure -",
    ),
    (
        "a session of another time",
        |n, _| {
            n.sessions.clear();
            n.session(12, -9_000, Some(-5_000));
            n.map(12, -9_000, Some(9_000));
        },
        "one holder-no-session | home 100.64.0.12:50012 - sure -",
    ),
    (
        "two within the tolerance",
        |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000));
            n.session_at("100.64.0.12", 77, 1_000, None);
            n.map(12, -9_000, Some(9_000));
        },
        "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure",
    ),
    (
        "one subscriber who came back",
        |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000));
            n.session(12, 0, None);
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "two of unknown subscribers",
        |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000)).subscriber = None;
            n.session(12, 0, None).subscriber = None;
            n.map(12, -9_000, Some(9_000));
        },
        "several sessions | home 100.64.0.12:50012 - sure sure | home 100.64.0.12:50012 - sure sure",
    ),
    (
        "open, its NAS silent since",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.source(NAS).last_header = Some(super::T);
        },
        "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt",
    ),
    (
        "open, with an interim of later",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.sessions[0].1.last_evidence = super::T.plus(30_000);
            n.gap(NAS, -5_000, 5_000, None);
        },
        A,
    ),
    (
        "open, a gap since",
        |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.gap(NAS, -50_000, -40_000, None);
        },
        "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt",
    ),
    (
        "an inferred end, the last sign of life before the moment",
        |n, _| {
            n.sessions.clear();
            let s = n.session(12, -90_000, Some(90_000));
            (s.inferred, s.last_evidence) = (true, super::T.plus(-9_000));
            n.map(12, -9_000, Some(9_000));
        },
        "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt",
    ),
    (
        "an inferred end, a sign of life after the moment",
        |n, _| {
            n.sessions.clear();
            let s = n.session(12, -90_000, Some(90_000));
            (s.inferred, s.last_evidence) = (true, super::T.plus(9_000));
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "its Start was not seen, long ago",
        |n, _| {
            n.sessions[0].1.start_certain = false;
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "its Start was not seen, just now",
        |n, _| {
            n.sessions.clear();
            n.session(12, -1_500, None).start_certain = false;
            n.map(12, -9_000, Some(9_000));
        },
        "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt",
    ),
    (
        "NASes count whole seconds: an end stated at the second may lie after the moment within it",
        |n, q| {
            n.sessions.clear();
            n.session(12, -90_000, Some(0));
            n.session_at("100.64.0.12", 77, 0, None);
            n.map(12, -9_000, Some(9_000));
            (q.at, q.skew_ms) = (super::T.plus(500), 0);
        },
        "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure",
    ),
    (
        "the subscriber of each of several inside ends",
        |n, _| {
            n.sessions.remove(1);
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
        },
        "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 - sure -",
    ),
];

#[test]
fn sessions_behind_a_mapping() {
    run(SESSIONS_BEHIND_A_MAPPING);
}
