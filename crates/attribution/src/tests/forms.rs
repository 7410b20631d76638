//! Translated addresses: forms, protocols, realms, remote ends.

use weir_record::kinds::Form;

use super::net::{CGN, OFFICE, OFFICE_NAS, addr, id};
use super::{A, Case, run};
use crate::facts::Remote;

fn end(text: &str, port: u16) -> Option<Remote> {
    Some(Remote::End { address: addr(text), port })
}

const FORMS_PROTOCOLS_REALMS: &[Case] = &[
    (
        "a block",
        |n, _| {
            let m = n.map(12, -9_000, None);
            (m.form, m.protocol, m.public_first, m.public_last) = (Form::Block, 0, 39_936, 40_959);
        },
        "one holder | home 100.64.0.12 s12 sure sure",
    ),
    (
        "the block beside it",
        |n, _| {
            let m = n.map(12, -9_000, None);
            (m.form, m.protocol, m.public_first, m.public_last) = (Form::Block, 0, 40_001, 40_959);
        },
        "none unused",
    ),
    (
        "a block without a protocol asked",
        |n, q| {
            q.protocol = None;
            let m = n.map(12, -9_000, None);
            (m.form, m.protocol) = (Form::Block, 0);
        },
        "one holder | home 100.64.0.12 s12 sure sure",
    ),
    (
        "a block that passes on",
        |n, _| {
            let m = n.map(12, -9_000, Some(-100));
            (m.form, m.protocol) = (Form::Block, 0);
            let m = n.map(13, 100, None);
            (m.form, m.protocol) = (Form::Block, 0);
        },
        "several passed-on | home 100.64.0.12 s12 sure sure | home 100.64.0.13 s13 sure sure",
    ),
    (
        "a BIB entry and a session in it",
        |n, _| {
            n.map(12, -9_000, Some(9_000)).form = Form::Bib;
            n.map(12, -900, Some(900));
        },
        A,
    ),
    (
        "an address binding, with a port",
        |n, _| {
            let m = n.map(12, -9_000, None);
            (m.form, m.protocol, m.public_first, m.public_last) = (Form::AddressBinding, 0, 0, 0);
        },
        "one holder | home 100.64.0.12 s12 sure sure",
    ),
    (
        "an address binding, without one",
        |n, q| {
            n.pools[0].shared = false;
            (q.port, q.protocol) = (None, None);
            let m = n.map(12, -9_000, None);
            (m.form, m.protocol, m.public_first, m.public_last) = (Form::AddressBinding, 0, 0, 65_535);
        },
        "one holder | home 100.64.0.12 s12 sure sure",
    ),
    (
        "deterministic, whatever was lost",
        |n, _| {
            n.map(12, -9_000, None).form = Form::Deterministic;
            n.gap(CGN, -5_000, 0, None);
            n.source(CGN).last_header = None;
        },
        "one holder | home 100.64.0.12 s12 sure sure",
    ),
    (
        "deterministic, the configuration before is unknown",
        |n, _| {
            let m = n.map(12, -9_000, None);
            (m.form, m.start_seen) = (Form::Deterministic, false);
        },
        "unknown start-lost | home 100.64.0.12 s12 doubt sure",
    ),
    (
        "NAT64",
        |n, _| {
            n.session_at("2001:db8:1::/56", 64, -99_000, None);
            n.map(12, -9_000, Some(9_000)).inside = addr("2001:db8:1:2::9");
        },
        "one holder | home [2001:db8:1:2::9]:50012 s64 sure sure",
    ),
    (
        "ICMP",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).protocol = 1;
            n.map(13, -9_000, Some(9_000));
            q.protocol = Some(1);
        },
        A,
    ),
    (
        "another protocol",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            q.protocol = Some(17);
        },
        "none unused",
    ),
    (
        "two protocols, none asked",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(13, -9_000, Some(9_000)).protocol = 17;
            q.protocol = None;
        },
        "several protocols | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "two protocols of one holder",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(12, -9_000, Some(9_000)).protocol = 17;
            q.protocol = None;
        },
        A,
    ),
    (
        "another port",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            q.port = Some(40_001);
        },
        "none unused",
    ),
    (
        "a shared address without a port",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            q.port = None;
        },
        "several port-needed",
    ),
    (
        "a pool thought not to be shared, without a port",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.pools[0].shared = false;
            q.port = None;
        },
        "several port-needed",
    ),
    (
        "equal inside addresses in two realms are two",
        |n, _| {
            n.pool(OFFICE);
            n.session(12, -9_000, None).realm = 2;
            (n.sessions.last_mut().unwrap().1.source, n.sessions.last_mut().unwrap().1.subscriber) = (OFFICE_NAS, Some(id(99)));
            n.map(12, -9_000, Some(9_000));
            n.map(12, -9_000, Some(9_000)).source = OFFICE;
        },
        "several realms | home 100.64.0.12:50012 s12 sure sure | office 100.64.0.12:50012 s99 sure sure",
    ),
    (
        "a session of another realm is not this one's",
        |n, _| {
            n.map(12, -9_000, Some(9_000)).source = OFFICE;
            n.pool(OFFICE);
        },
        "one holder-no-session | office 100.64.0.12:50012 - sure -",
    ),
    (
        "a mapping of an exporter in no pool",
        |n, _| {
            n.pools.clear();
            n.map(12, -9_000, Some(9_000));
        },
        A,
    ),
    (
        "the same beside the moment",
        |n, _| {
            n.pools.clear();
            n.map(12, -9_000, Some(-900));
        },
        A,
    ),
    (
        "the same beside the moment, with a gap",
        |n, _| {
            n.pools.clear();
            n.map(12, -9_000, Some(-900));
            n.gap(CGN, -800, -100, None);
        },
        "unknown gap | home 100.64.0.12:50012 s12 sure sure",
    ),
];

#[test]
fn forms_protocols_realms() {
    run(FORMS_PROTOCOLS_REALMS);
}

const REMOTE_ENDS: &[Case] = &[
    (
        "two remotes at once, none asked",
        |n, _| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
        },
        "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "asked by address",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
            q.remote = Some((addr("198.51.100.1"), None));
        },
        A,
    ),
    (
        "asked by address and port",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.1", 80);
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        },
        A,
    ),
    (
        "asked by address, two ports",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.1", 80);
            q.remote = Some((addr("198.51.100.1"), None));
        },
        "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "asked by fingerprint",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = Some(Remote::Tag(1 << 16 | 443));
            n.map(13, -9_000, Some(9_000)).remote = Some(Remote::Tag(2 << 16 | 443));
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        },
        A,
    ),
    (
        "a fingerprint needs the port",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = Some(Remote::Tag(1 << 16 | 443));
            n.map(13, -9_000, Some(9_000)).remote = Some(Remote::Tag(2 << 16 | 443));
            q.remote = Some((addr("198.51.100.1"), None));
        },
        "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "asked, but not kept",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(13, -9_000, Some(9_000));
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        },
        "several remotes | home 100.64.0.12:50012 s12 sure sure | home 100.64.0.13:50013 s13 sure sure",
    ),
    (
        "asked, kept of the other one only",
        |n, q| {
            n.map(12, -9_000, Some(9_000));
            n.map(13, -9_000, Some(9_000)).remote = end("198.51.100.2", 443);
            q.remote = Some((addr("198.51.100.1"), Some(443)));
        },
        A,
    ),
    (
        "nobody talked to that one",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            q.remote = Some((addr("198.51.100.9"), None));
        },
        "none other-remote",
    ),
    (
        "nobody known, but something was lost long ago",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.gap(CGN, -80_000, -70_000, Some(1));
            q.remote = Some((addr("198.51.100.9"), None));
        },
        "unknown gap",
    ),
    (
        "nobody known, and the pool neither",
        |n, q| {
            n.map(12, -9_000, Some(9_000)).remote = end("198.51.100.1", 443);
            n.pools.clear();
            q.remote = Some((addr("198.51.100.9"), None));
        },
        "unknown before-records",
    ),
];

#[test]
fn remote_ends() {
    run(REMOTE_ENDS);
}
