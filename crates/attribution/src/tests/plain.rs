//! Answers about addresses that are not translated.

use super::net::{NAS, OFFICE_NAS, T, addr, id};
use super::{Case, run};
use crate::facts::OwnPool;

const V4: &str = "192.0.2.77";
const V6: &str = "2001:db8:7:1::9";

fn own(prefix: &str) -> OwnPool {
    OwnPool { prefix: prefix.parse().unwrap(), source: NAS, since: T.plus(-9_000_000) }
}

const PLAIN_ADDRESSES: &[Case] = &[
    (
        "IPv4",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(9_000));
            (q.public, q.port, q.protocol) = (addr(V4), None, None);
        },
        "one holder | home 192.0.2.77 s1 - sure",
    ),
    (
        "IPv4, the port is repeated",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(9_000));
            q.public = addr(V4);
        },
        "one holder | home 192.0.2.77:40000 s1 - sure",
    ),
    (
        "an address in a framed prefix",
        |n, q| {
            n.session_at("2001:db8:7:1::/64", 1, -9_000, None);
            (q.public, q.port) = (addr(V6), None);
        },
        "one holder | home 2001:db8:7:1::9 s1 - sure",
    ),
    (
        "an address in a delegated prefix",
        |n, q| {
            n.session_at("2001:db8:7::/56", 1, -9_000, None);
            q.public = addr(V6);
        },
        "one holder | home [2001:db8:7:1::9]:40000 s1 - sure",
    ),
    (
        "the prefix beside it",
        |n, q| {
            n.session_at("2001:db8:7:2::/64", 1, -9_000, None);
            n.own.push(own("2001:db8::/32"));
            q.public = addr(V6);
        },
        "none unused",
    ),
    (
        "framed and delegated of one subscriber",
        |n, q| {
            n.session_at("2001:db8:7:1::/64", 1, -9_000, None);
            n.session_at("2001:db8:7::/56", 1, -9_000, None);
            q.public = addr(V6);
        },
        "one holder | home [2001:db8:7:1::9]:40000 s1 - sure",
    ),
    (
        "two sessions within the tolerance",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(-1_000));
            n.session_at(V4, 2, 500, None);
            q.public = addr(V4);
        },
        "several sessions | home 192.0.2.77:40000 s1 - sure | home 192.0.2.77:40000 s2 - sure",
    ),
    (
        "its end inferred, heard of after the moment",
        |n, q| {
            let s = n.session_at(V4, 1, -9_000, Some(60_000));
            (s.inferred, s.last_evidence) = (true, T.plus(500));
            q.public = addr(V4);
        },
        "one holder | home 192.0.2.77:40000 s1 - sure",
    ),
    (
        "its end inferred, heard of before the moment",
        |n, q| {
            let s = n.session_at(V4, 1, -9_000, Some(60_000));
            (s.inferred, s.last_evidence) = (true, T.plus(-1));
            q.public = addr(V4);
        },
        "unknown session-in-doubt | home 192.0.2.77:40000 s1 - doubt",
    ),
    (
        "two within the tolerance, the later one's end inferred long after",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(-1_000));
            let s = n.session_at(V4, 2, 500, Some(90_000));
            (s.inferred, s.last_evidence) = (true, T.plus(500));
            q.public = addr(V4);
        },
        "several sessions | home 192.0.2.77:40000 s1 - sure | home 192.0.2.77:40000 s2 - sure",
    ),
    (
        "two within the tolerance, one of them perhaps gone long before",
        |n, q| {
            let s = n.session_at(V4, 1, -9_000, Some(-1_000));
            (s.inferred, s.last_evidence) = (true, T.plus(-8_000));
            n.session_at(V4, 2, 500, None);
            q.public = addr(V4);
        },
        "unknown session-in-doubt | home 192.0.2.77:40000 s2 - sure | home 192.0.2.77:40000 s1 - doubt",
    ),
    (
        "reuse outside of it",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(-4_000));
            n.session_at(V4, 2, -3_000, None);
            q.public = addr(V4);
        },
        "one holder | home 192.0.2.77:40000 s2 - sure",
    ),
    (
        "three realms with equal inside addresses",
        |n, q| {
            for (realm, source, name) in [(2, OFFICE_NAS, "office"), (3, OFFICE_NAS, "lab")] {
                let s = n.session(12, -9_000, None);
                (s.realm, s.source, s.realm_name, s.subscriber) = (realm, source, name.into(), Some(id(realm as u8)));
            }
            q.public = addr("100.64.0.12");
        },
        "several realms | home 100.64.0.12:40000 s12 - sure | lab 100.64.0.12:40000 s3 - sure | office 100.64.0.12:40000 s2 - sure",
    ),
    (
        "in the pool of a NAT, but a session has it",
        |n, q| {
            n.session_at("203.0.113.9", 1, -9_000, None);
            q.public = addr("203.0.113.9");
        },
        "one holder | home 203.0.113.9:40000 s1 - sure",
    ),
    (
        "open, its NAS silent",
        |n, q| {
            n.session_at(V4, 1, -9_000, None);
            n.source(NAS).last_header = Some(T);
            q.public = addr(V4);
        },
        "unknown session-in-doubt | home 192.0.2.77:40000 s1 - doubt",
    ),
    (
        "ended just before, nothing since",
        |n, q| {
            n.session_at(V4, 1, -9_000, Some(-1_500));
            n.source(NAS).last_header = Some(T);
            q.public = addr(V4);
        },
        "unknown session-in-doubt | home 192.0.2.77:40000 s1 - doubt",
    ),
    (
        "begins just after, a gap before",
        |n, q| {
            n.session_at(V4, 1, 1_500, Some(9_000));
            n.gap(NAS, -1_000, 0, None);
            q.public = addr(V4);
        },
        "unknown session-in-doubt | home 192.0.2.77:40000 s1 - doubt",
    ),
    (
        "nobody, in an own pool",
        |n, q| {
            n.own.push(own("192.0.2.0/24"));
            q.public = addr(V4);
        },
        "none unused",
    ),
    (
        "nobody, a gap since the first day",
        |n, q| {
            n.own.push(own("192.0.2.0/24"));
            n.gap(NAS, -8_000_000, -7_000_000, None);
            q.public = addr(V4);
        },
        "unknown gap",
    ),
    (
        "nobody, a gap before the last session",
        |n, q| {
            n.own.push(own("192.0.2.0/24"));
            n.gap(NAS, -8_000_000, -7_000_000, None);
            n.session_at(V4, 1, -90_000, Some(-80_000));
            q.public = addr(V4);
        },
        "none unused",
    ),
    (
        "nobody, the NAS silent",
        |n, q| {
            n.own.push(own("192.0.2.0/24"));
            n.source(NAS).last_header = None;
            q.public = addr(V4);
        },
        "unknown silent",
    ),
    (
        "nobody, before the first record",
        |n, q| {
            n.own.push(own("192.0.2.0/24"));
            n.own[0].since = T.plus(1);
            q.public = addr(V4);
        },
        "unknown before-records",
    ),
    (
        "in no own pool",
        |n, q| {
            n.own.push(own("192.0.2.0/26"));
            q.public = addr(V4);
        },
        "none not-ours",
    ),
];

#[test]
fn plain_addresses() {
    run(PLAIN_ADDRESSES);
}
