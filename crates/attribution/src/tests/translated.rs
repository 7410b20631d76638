//! Answers about translated addresses.

use weir_record::kinds::Form;

use super::net::{CGN, NAS, OFFICE, OFFICE_NAS, addr, id};
use super::{Case, run};
use crate::facts::Remote;

const A: &str = "one holder | home 100.64.0.12:50012 s12 sure sure";
const A_IN_DOUBT: &str = "| home 100.64.0.12:50012 s12 doubt sure";

fn end(text: &str, port: u16) -> Option<Remote> {
    Some(Remote::End { address: addr(text), port })
}

#[test]
fn certain_and_not() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("both ends seen", |n, _| drop(n.map(12, -9_000, Some(9_000))), A),
        ("both ends seen, gaps all over", |n, _| { n.map(12, -9_000, Some(9_000)); n.gap(CGN, -8_000, 8_000, None); }, A),
        ("both ends seen, and silent since", |n, _| { n.map(12, -9_000, Some(9_000)); n.source(CGN).last_header = None; }, A),
        ("open, nothing lost, spoken later", |n, _| drop(n.map(12, -9_000, None)), A),
        ("open, a gap before its begin", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -99_000, -9_001, Some(4)); }, A),
        ("open, a gap that ends with its begin", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -99_000, -9_000, Some(4)); },
            "unknown gap | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, a gap between begin and moment", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -5_000, -4_000, Some(1)); },
            "unknown gap | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, a gap of unknown count", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -5_000, -4_000, None); },
            "unknown gap | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, the gap was amended to 0", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -5_000, -4_000, Some(0)); }, A),
        ("open, another exporter's gap", |n, _| { n.map(12, -9_000, None); n.gap(OFFICE, -5_000, -4_000, Some(3)); }, A),
        ("open, a gap well after the moment", |n, _| { n.map(12, -9_000, None); n.gap(CGN, 3_001, 9_000, Some(3)); }, A),
        ("open, a gap so soon after that it may hold the moment's events", |n, _| { n.map(12, -9_000, None); n.gap(CGN, 3_000, 9_000, Some(3)); },
            "unknown gap | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, a gap before a later sign of life", |n, _| {
            n.map(12, -90_000, None).last_evidence = super::T.plus(-3_000);
            n.gap(CGN, -50_000, -40_000, Some(3));
        }, A),
        ("open, the exporter's last word is the window's end", |n, _| { n.map(12, -9_000, None); n.source(CGN).last_header = Some(super::T.plus(2_000)); },
            "unknown silent | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, the exporter has just spoken later", |n, _| { n.map(12, -9_000, None); n.source(CGN).last_header = Some(super::T.plus(2_001)); }, A),
        ("open, never a header", |n, _| { n.map(12, -9_000, None); n.source(CGN).last_header = None; },
            "unknown silent | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, input that cannot be read yet", |n, _| { n.map(12, -9_000, None); n.unseen.insert(CGN, super::T.plus(-1)); },
            "unknown unread | home 100.64.0.12:50012 s12 doubt sure"),
        ("open, unreadable input of later", |n, _| { n.map(12, -9_000, None); n.unseen.insert(CGN, super::T.plus(3_001)); }, A),
        ("its begin was lost", |n, _| n.map(12, -9_000, Some(5_000)).start_seen = false, "unknown start-lost | home 100.64.0.12:50012 s12 doubt sure"),
        ("its begin was lost and has no bound", |n, _| { let m = n.map(12, 0, Some(5_000)); (m.start, m.start_seen) = (None, false); },
            "unknown start-lost | home 100.64.0.12:50012 s12 doubt sure"),
        ("its begin was lost, the bound lies after the window", |n, _| n.map(12, 3_000, Some(5_000)).start_seen = false, "none unused"),
        ("its end was lost", |n, _| n.map(12, -9_000, Some(5_000)).end_seen = false, "unknown end-lost | home 100.64.0.12:50012 s12 doubt sure"),
        ("its end was lost, the bound lies before the window", |n, _| n.map(12, -9_000, Some(-2_001)).end_seen = false, "none unused"),
        ("its ends differ", |n, _| n.map(12, -9_000, Some(5_000)).ends_agree = false, "unknown ends-differ | home 100.64.0.12:50012 s12 doubt sure"),
        ("one in doubt beside a certain one", |n, _| { n.map(13, -9_000, Some(5_000)); n.map(12, -9_000, Some(5_000)).end_seen = false; },
            "unknown end-lost | home 100.64.0.13:50013 s13 sure sure | home 100.64.0.12:50012 s12 doubt sure"),
        ("one in doubt and certain ones of the same inside end", |n, _| {
            n.map(12, -9_000, Some(-1_000)).end_seen = false;
            n.map(12, -1_000, Some(5_000));
        }, A),
        ("two certain ones and one in doubt", |n, _| {
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
            n.map(14, -9_000, Some(-500)).end_seen = false;
        }, "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure | home 100.64.0.14:50014 s14 doubt sure"),
    ];
    assert!(cases.iter().filter(|c| c.2.ends_with(A_IN_DOUBT.trim_start_matches("| "))).count() > 8);
    run(cases);
}

#[test]
fn the_window_and_reuse() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("reuse within a millisecond, exact clocks", |n, q| { n.map(12, -9_000, Some(0)); n.map(13, 1, Some(9_000)); q.skew_ms = 0; }, A),
        ("a millisecond later", |n, q| { n.map(12, -9_000, Some(-1)); n.map(13, 0, Some(9_000)); q.skew_ms = 0; },
            "one holder | home 100.64.0.13:50013 s13 sure sure"),
        ("end and begin in one millisecond", |n, q| { n.map(12, -9_000, Some(0)); n.map(13, 0, Some(9_000)); q.skew_ms = 0; },
            "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("reuse within the tolerance", |n, _| { n.map(12, -9_000, Some(0)); n.map(13, 1, Some(9_000)); },
            "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("the events came in another order", |n, _| { n.map(13, 1, Some(9_000)); n.map(12, -9_000, Some(0)); },
            "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("three within the tolerance", |n, _| { n.map(12, -9_000, Some(-50)); n.map(13, -40, Some(40)); n.map(14, 50, Some(90)); },
            "several passed-on | home 100.64.0.13:50013 s13 sure sure | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.14:50014 s14 sure sure"),
        ("one inside end twice", |n, _| { n.map(12, -9_000, Some(-100)); n.map(12, 100, Some(9_000)); }, A),
        ("one inside end twice with two inside ports", |n, _| { n.map(12, -9_000, Some(-100)).inside_port = 1; n.map(12, -90, Some(9_000)); }, A),
        ("ended just within the tolerance", |n, _| drop(n.map(12, -9_000, Some(-2_000))), A),
        ("ended just before the tolerance", |n, _| drop(n.map(12, -9_000, Some(-2_001))), "none unused"),
        ("begins just within the tolerance", |n, _| drop(n.map(12, 2_000, Some(9_000))), A),
        ("begins just after the tolerance", |n, _| drop(n.map(12, 2_001, Some(9_000))), "none unused"),
        ("begins within the tolerance, something was lost before", |n, _| { n.map(12, 1_000, Some(9_000)); n.gap(CGN, -9_000, -8_000, Some(2)); },
            "unknown gap | home 100.64.0.12:50012 s12 sure sure"),
        ("begins within the tolerance, the loss is older than the port's last evidence", |n, _| {
            n.map(12, 1_000, Some(9_000));
            n.map(14, -7_000, Some(-6_000));
            n.gap(CGN, -9_000, -8_000, Some(2));
        }, A),
        ("ended within the tolerance, silent since", |n, _| { n.map(12, -9_000, Some(-1_000)); n.source(CGN).last_header = Some(super::T); },
            "unknown silent | home 100.64.0.12:50012 s12 sure sure"),
        ("no skew given to spare", |n, q| { n.map(12, -9_000, Some(-1)); q.skew_ms = 0; }, "none unused"),
        ("a negative skew counts as none", |n, q| { n.map(12, -9_000, Some(-1)); q.skew_ms = -5_000; }, "none unused"),
        ("a skew of days is cut to ten minutes", |n, q| { n.map(12, -9_000_000, Some(-700_000)); q.skew_ms = i64::MAX; }, "none unused"),
    ];
    run(cases);
}

#[test]
fn clocks() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("1.9 s ahead joins the tolerance", |n, _| { n.map(12, -9_000, Some(-3_900)); n.source(CGN).offset_ms = Some(1_900); }, A),
        ("1.9 s behind joins it too", |n, _| { n.map(12, -9_000, Some(-3_900)); n.source(CGN).offset_ms = Some(-1_900); }, A),
        ("and no further", |n, _| { n.map(12, -9_000, Some(-3_901)); n.source(CGN).offset_ms = Some(-1_900); }, "none unused"),
        ("2.1 s ahead is translated", |n, _| { n.map(12, -9_000, Some(-1)); n.clock(CGN, 2_100); }, A),
        ("translated, the tolerance is the skew alone", |n, q| { n.map(12, -9_000, Some(-1)); n.clock(CGN, 2_100); q.skew_ms = 0; }, "none unused"),
        ("half an hour behind", |n, _| { n.map(12, -9_000, Some(9_000)); n.clock(CGN, -1_800_000); }, A),
        ("half an hour behind, open", |n, _| { n.map(12, -9_000, None); n.clock(CGN, -1_800_000); }, A),
        ("half an hour behind, open, a gap of its time", |n, _| { n.map(12, -9_000, None); n.gap(CGN, -8_000, -7_000, Some(1)); n.clock(CGN, -1_800_000); },
            "unknown gap | home 100.64.0.12:50012 s12 doubt sure"),
        ("half an hour behind, who had it by our clock had it later", |n, _| {
            n.clock(CGN, -1_800_000);
            n.map(12, -9_000, Some(9_000));
            n.map(13, -1_809_000, Some(-1_791_000));
        }, "one holder | home 100.64.0.13:50013 s13 sure sure"),
        ("half an hour behind, but trusted", |n, _| { n.map(12, -9_000, Some(9_000)); let s = n.source(CGN); (s.offset_ms, s.trust) = (Some(-1_800_000), true); }, A),
        ("half an hour behind, in no pool known", |n, _| { n.map(12, -9_000, Some(9_000)); n.clock(CGN, -1_800_000); n.pools.clear(); }, A),
        ("half an hour behind and nobody", |n, _| n.clock(CGN, -1_800_000), "none unused"),
        ("never measured", |n, _| { n.map(12, -9_000, Some(9_000)); n.source(CGN).offset_ms = None; }, A),
        ("the NAS is half an hour behind", |n, _| { n.map(12, -9_000, Some(9_000)); n.session(12, -1_000, None).subscriber = Some(id(77)); n.clock(NAS, -1_800_000); },
            "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure"),
        ("the NAS is half an hour ahead and the session short", |n, _| {
            n.sessions.clear();
            n.session(12, -5_000, Some(5_000));
            n.clock(NAS, 1_800_000);
            n.map(12, -9_000, Some(9_000));
        }, A),
        ("two exporters, one half an hour off", |n, _| {
            n.clock(OFFICE, 1_800_000);
            n.pool(OFFICE);
            n.map(12, -9_000, Some(9_000));
            n.map(13, 1_791_000, Some(1_809_000)).source = OFFICE;
        }, "several realms | home 100.64.0.12:50012 s12 sure sure | office 100.64.0.13:50013 - sure -"),
    ];
    run(cases);
}

#[test]
fn forms_protocols_realms() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("a block", |n, _| { let m = n.map(12, -9_000, None); (m.form, m.protocol, m.public_first, m.public_last) = (Form::Block, 0, 39_936, 40_959); },
            "one holder | home 100.64.0.12 s12 sure sure"),
        ("the block beside it", |n, _| { let m = n.map(12, -9_000, None); (m.form, m.protocol, m.public_first, m.public_last) = (Form::Block, 0, 40_001, 40_959); },
            "none unused"),
        ("a block without a protocol asked", |n, q| { q.protocol = None; let m = n.map(12, -9_000, None); (m.form, m.protocol) = (Form::Block, 0); },
            "one holder | home 100.64.0.12 s12 sure sure"),
        ("a block that passes on", |n, _| {
            let m = n.map(12, -9_000, Some(-100)); (m.form, m.protocol) = (Form::Block, 0);
            let m = n.map(13, 100, None); (m.form, m.protocol) = (Form::Block, 0);
        }, "several passed-on | home 100.64.0.12 s12 sure sure | home 100.64.0.13 s13 sure sure"),
        ("a BIB entry and a session in it", |n, _| { n.map(12, -9_000, Some(9_000)).form = Form::Bib; n.map(12, -900, Some(900)); }, A),
        ("an address binding, with a port", |n, _| { let m = n.map(12, -9_000, None); (m.form, m.protocol, m.public_first, m.public_last) = (Form::AddressBinding, 0, 0, 0); },
            "one holder | home 100.64.0.12 s12 sure sure"),
        ("an address binding, without one", |n, q| {
            n.pools[0].shared = false; (q.port, q.protocol) = (None, None);
            let m = n.map(12, -9_000, None); (m.form, m.protocol, m.public_first, m.public_last) = (Form::AddressBinding, 0, 0, 65_535);
        }, "one holder | home 100.64.0.12 s12 sure sure"),
        ("deterministic, whatever was lost", |n, _| { n.map(12, -9_000, None).form = Form::Deterministic; n.gap(CGN, -5_000, 0, None); n.source(CGN).last_header = None; },
            "one holder | home 100.64.0.12 s12 sure sure"),
        ("deterministic, the configuration before is unknown", |n, _| { let m = n.map(12, -9_000, None); (m.form, m.start_seen) = (Form::Deterministic, false); },
            "unknown start-lost | home 100.64.0.12 s12 doubt sure"),
        ("NAT64", |n, _| { n.session_at("2001:db8:1::/56", 64, -99_000, None); n.map(12, -9_000, Some(9_000)).inside = addr("2001:db8:1:2::9"); },
            "one holder | home [2001:db8:1:2::9]:50012 s64 sure sure"),
        ("ICMP", |n, q| { n.map(12, -9_000, Some(9_000)).protocol = 1; n.map(13, -9_000, Some(9_000)); q.protocol = Some(1); }, A),
        ("another protocol", |n, q| { n.map(12, -9_000, Some(9_000)); q.protocol = Some(17); }, "none unused"),
        ("two protocols, none asked", |n, q| { n.map(12, -9_000, Some(9_000)); n.map(13, -9_000, Some(9_000)).protocol = 17; q.protocol = None; },
            "several protocols | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("two protocols of one holder", |n, q| { n.map(12, -9_000, Some(9_000)); n.map(12, -9_000, Some(9_000)).protocol = 17; q.protocol = None; }, A),
        ("another port", |n, q| { n.map(12, -9_000, Some(9_000)); q.port = Some(40_001); }, "none unused"),
        ("a shared address without a port", |n, q| { n.map(12, -9_000, Some(9_000)); q.port = None; }, "several port-needed"),
        ("a pool thought not to be shared, without a port", |n, q| { n.map(12, -9_000, Some(9_000)); n.pools[0].shared = false; q.port = None; }, "several port-needed"),
        ("equal inside addresses in two realms are two", |n, _| {
            n.pool(OFFICE);
            n.session(12, -9_000, None).realm = 2;
            (n.sessions.last_mut().unwrap().1.source, n.sessions.last_mut().unwrap().1.subscriber) = (OFFICE_NAS, Some(id(99)));
            n.map(12, -9_000, Some(9_000));
            n.map(12, -9_000, Some(9_000)).source = OFFICE;
        }, "several realms | home 100.64.0.12:50012 s12 sure sure | office 100.64.0.12:50012 s99 sure sure"),
        ("a session of another realm is not this one's", |n, _| {
            n.map(12, -9_000, Some(9_000)).source = OFFICE;
            n.pool(OFFICE);
        }, "one holder-no-session | office 100.64.0.12:50012 - sure -"),
        ("a mapping of an exporter in no pool", |n, _| { n.pools.clear(); n.map(12, -9_000, Some(9_000)); }, A),
        ("the same beside the moment", |n, _| { n.pools.clear(); n.map(12, -9_000, Some(-900)); }, A),
        ("the same beside the moment, with a gap", |n, _| { n.pools.clear(); n.map(12, -9_000, Some(-900)); n.gap(CGN, -800, -100, None); },
            "unknown gap | home 100.64.0.12:50012 s12 sure sure"),
    ];
    run(cases);
}

#[test]
fn remote_ends() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("two remotes at once, none asked", |n, _| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
        }, "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("asked by address", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
            q.remote = Some((addr("198.51.100.1"), None));
        }, A),
        ("asked by address and port", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.1", 80);
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        }, A),
        ("asked by address, two ports", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.1", 80);
            q.remote = Some((addr("198.51.100.1"), None));
        }, "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("asked by fingerprint", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = Some(Remote::Tag(1 << 16 | 443));
            n.map(13, -9_000, Some(9_000)).remote = Some(Remote::Tag(2 << 16 | 443));
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        }, A),
        ("a fingerprint needs the port", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = Some(Remote::Tag(1 << 16 | 443));
            n.map(13, -9_000, Some(9_000)).remote = Some(Remote::Tag(2 << 16 | 443));
            q.remote = Some((addr("198.51.100.1"), None));
        }, "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("asked, but not kept", |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(13, -9_000, Some(9_000));
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        }, "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure"),
        ("asked, kept of the other one only", |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        }, A),
        ("nobody talked to that one", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            q.remote = Some((addr("198.51.100.9"), None));
        }, "none other-remote"),
        ("nobody known, but something was lost long ago", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.gap(CGN, -80_000, -70_000, Some(1));
            q.remote = Some((addr("198.51.100.9"), None));
        }, "unknown gap"),
        ("nobody known, and the pool neither", |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.pools.clear();
            q.remote = Some((addr("198.51.100.9"), None));
        }, "unknown before-records"),
    ];
    run(cases);
}

#[test]
fn nobody() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("never used", |_, _| (), "none unused"),
        ("not ours", |_, q| q.public = addr("192.0.2.200"), "none not-ours"),
        ("not ours, without a port", |_, q| { q.public = addr("192.0.2.200"); q.port = None; }, "none not-ours"),
        ("a gap since the first day", |n, _| n.gap(CGN, -80_000_000, -79_000_000, Some(1)), "unknown gap"),
        ("a gap before the port's last evidence", |n, _| { n.gap(CGN, -80_000, -79_000, Some(1)); n.map(12, -70_000, Some(-60_000)); }, "none unused"),
        ("a gap after the port's last evidence", |n, _| { n.map(12, -70_000, Some(-60_000)); n.gap(CGN, -50_000, -49_000, Some(1)); }, "unknown gap"),
        ("a gap around the port's last evidence", |n, _| { n.map(12, -70_000, Some(-60_000)); n.gap(CGN, -61_000, -59_000, Some(1)); }, "unknown gap"),
        ("other evidence after the gap", |n, _| { n.gap(CGN, -50_000, -49_000, Some(1)); n.evidence.push((CGN, super::T.plus(-40_000))); }, "none unused"),
        ("a gap amended to 0", |n, _| n.gap(CGN, -50_000, -49_000, Some(0)), "none unused"),
        ("a gap after the moment", |n, _| n.gap(CGN, 10_000, 11_000, Some(9)), "none unused"),
        ("silent since before", |n, _| n.source(CGN).last_header = Some(super::T.plus(-1)), "unknown silent"),
        ("before the first record", |n, q| { n.pools[0].since = super::T; q.at = super::T.plus(-1); }, "unknown before-records"),
        ("a younger pool of another exporter does not matter", |n, _| n.pool(OFFICE).since = super::T.plus(9_000), "none unused"),
        ("an older one does", |n, _| { n.pool(OFFICE); n.gap(OFFICE, -100, 100, None); }, "unknown gap"),
        ("input that cannot be read yet", |n, _| drop(n.unseen.insert(CGN, super::T)), "unknown unread"),
        ("the moment has not come", |n, q| { n.map(12, -9_000, None); q.at = super::T.plus(3_600_001); }, "unknown future"),
    ];
    run(cases);
}

#[test]
fn sessions_behind_a_mapping() {
    #[rustfmt::skip]
    let cases: &[Case] = &[
        ("no session", |n, _| { n.sessions.clear(); n.map(12, -9_000, Some(9_000)); }, "one holder-no-session | home 100.64.0.12:50012 - sure -"),
        ("a session of another time", |n, _| { n.sessions.clear(); n.session(12, -9_000, Some(-5_000)); n.map(12, -9_000, Some(9_000)); },
            "one holder-no-session | home 100.64.0.12:50012 - sure -"),
        ("two within the tolerance", |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000));
            n.session_at("100.64.0.12", 77, 1_000, None);
            n.map(12, -9_000, Some(9_000));
        }, "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure"),
        ("one subscriber who came back", |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000));
            n.session(12, 0, None);
            n.map(12, -9_000, Some(9_000));
        }, A),
        ("two of unknown subscribers", |n, _| {
            n.sessions.clear();
            n.session(12, -90_000, Some(-1_000)).subscriber = None;
            n.session(12, 0, None).subscriber = None;
            n.map(12, -9_000, Some(9_000));
        }, "several sessions | home 100.64.0.12:50012 - sure sure | home 100.64.0.12:50012 - sure sure"),
        ("open, its NAS silent since", |n, _| { n.map(12, -9_000, Some(9_000)); n.source(NAS).last_header = Some(super::T); },
            "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt"),
        ("open, with an interim of later", |n, _| {
            n.map(12, -9_000, Some(9_000));
            n.sessions[0].1.last_evidence = super::T.plus(30_000);
            n.gap(NAS, -5_000, 5_000, None);
        }, A),
        ("open, a gap since", |n, _| { n.map(12, -9_000, Some(9_000)); n.gap(NAS, -50_000, -40_000, None); },
            "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt"),
        ("an inferred end, the last sign of life before the moment", |n, _| {
            n.sessions.clear();
            let s = n.session(12, -90_000, Some(90_000)); (s.inferred, s.last_evidence) = (true, super::T.plus(-9_000));
            n.map(12, -9_000, Some(9_000));
        }, "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt"),
        ("an inferred end, a sign of life after the moment", |n, _| {
            n.sessions.clear();
            let s = n.session(12, -90_000, Some(90_000)); (s.inferred, s.last_evidence) = (true, super::T.plus(9_000));
            n.map(12, -9_000, Some(9_000));
        }, A),
        ("its Start was not seen, long ago", |n, _| { n.sessions[0].1.start_certain = false; n.map(12, -9_000, Some(9_000)); }, A),
        ("its Start was not seen, just now", |n, _| {
            n.sessions.clear();
            n.session(12, -1_500, None).start_certain = false;
            n.map(12, -9_000, Some(9_000));
        }, "unknown session-in-doubt | home 100.64.0.12:50012 s12 sure doubt"),
        ("NASes count whole seconds: an end stated at the second may lie after the moment within it", |n, q| {
            n.sessions.clear();
            n.session(12, -90_000, Some(0));
            n.session_at("100.64.0.12", 77, 0, None);
            n.map(12, -9_000, Some(9_000));
            (q.at, q.skew_ms) = (super::T.plus(500), 0);
        }, "several sessions | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.12:50012 s77 sure sure"),
        ("the subscriber of each of several inside ends", |n, _| {
            n.sessions.remove(1);
            n.map(12, -9_000, Some(0));
            n.map(13, 1, Some(9_000));
        }, "several passed-on | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 - sure -"),
    ];
    run(cases);
}
