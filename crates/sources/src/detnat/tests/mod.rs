//! Published examples, and the property that everything rests on: forward and inverse are each other's reverse over whole pools.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::sink::RecordSink;

use super::algorithm::{Algorithm, Plan, Ports, Side};
use super::config::{Config, PlanConfig};
use super::history::History;
use crate::testing::MemorySink;

fn plan(algorithm: Algorithm, inside: &str, public: &str) -> Plan {
    let (inside, public) = (Side::parse(&[inside]).unwrap(), Side::parse(&[public]).unwrap());
    Plan { inside, public, algorithm, first_port: 1_024, last_port: 65_535 }
}

fn address(text: &str) -> Addr16 {
    text.parse().unwrap()
}

fn ports(public: &str, first: u16, last: u16) -> Ports {
    Ports { public: address(public), first, last }
}

#[test]
fn rfc_7422_sequential() {
    // The arithmetic of RFC 7422 section 2 (its own example has fourteen hosts): 64,512 ports, sixteen hosts behind one address, D = 2: 3,584 ports each.
    let p = plan(Algorithm::Rfc7422 { dynamic: 2, most: 0 }, "198.51.100.0/28", "192.0.2.1");
    p.check().unwrap();
    assert_eq!(p.block(), 3_584);
    for (inside, want) in [("198.51.100.0", (1_024, 4_607)), ("198.51.100.1", (4_608, 8_191)), ("198.51.100.15", (54_784, 58_367))] {
        assert_eq!(p.forward(address(inside)), [ports("192.0.2.1", want.0, want.1)], "{inside}");
        for port in [want.0, want.1] {
            assert_eq!(p.inverse(address("192.0.2.1"), port), Some((address(inside), ports("192.0.2.1", want.0, want.1))));
        }
    }
    // The dynamic pool, reserved ports and other addresses belong to nobody.
    for (public, port) in [("192.0.2.1", 58_368), ("192.0.2.1", 65_535), ("192.0.2.1", 1_023), ("192.0.2.2", 2_000)] {
        assert_eq!(p.inverse(address(public), port), None, "{public}:{port}");
    }
    let capped = plan(Algorithm::Rfc7422 { dynamic: 0, most: 2_048 }, "198.51.100.0/28", "192.0.2.1");
    assert_eq!(capped.forward(address("198.51.100.1")), [ports("192.0.2.1", 3_072, 5_119)]);
}

#[test]
fn junipers_block_size() {
    // Juniper's formula: int(64512 / ceil(65534 / 254)) = int(64512 / 259) = 249.
    let p = plan(Algorithm::Juniper { block: 0 }, "10.1.0.1-10.1.255.254", "203.0.113.1-203.0.113.254");
    p.check().unwrap();
    assert_eq!(p.block(), 249);
    assert_eq!(p.forward(address("10.1.0.1")), [ports("203.0.113.1", 1_024, 1_272)]);
    // Place 505: 505 * 249 = 125745 = 1 * 64512 + 61233.
    assert_eq!(p.forward(address("10.1.1.250")), [ports("203.0.113.2", 62_257, 62_505)]);
    assert_eq!(p.inverse(address("203.0.113.2"), 62_300).unwrap().0, address("10.1.1.250"));
    // Place 259 begins on one address and ends on the next.
    assert_eq!(p.forward(address("10.1.1.4")), [ports("203.0.113.1", 65_515, 65_535), ports("203.0.113.2", 1_024, 1_251)]);
    assert_eq!(p.inverse(address("203.0.113.1"), 65_535).unwrap(), (address("10.1.1.4"), ports("203.0.113.1", 65_515, 65_535)));
    assert_eq!(p.inverse(address("203.0.113.2"), 1_251).unwrap().0, address("10.1.1.4"));
}

#[test]
fn one_to_one() {
    let p = plan(Algorithm::OneToOne, "10.0.0.0/30", "203.0.113.4/30");
    assert_eq!(p.forward(address("10.0.0.2")), [ports("203.0.113.6", 0, 65_535)]);
    assert_eq!(p.inverse(address("203.0.113.7"), 80), Some((address("10.0.0.3"), ports("203.0.113.7", 0, 65_535))));
    let six = plan(Algorithm::OneToOne, "fd00::/120", "2001:db8::/120");
    assert_eq!(six.inverse(address("2001:db8::7"), 1).unwrap().0, address("fd00::7"));
    assert!(plan(Algorithm::OneToOne, "10.0.0.0/30", "203.0.113.4/31").check().is_err());
}

#[test]
fn sides_read_and_wrong_ones_say_what_to_write() {
    let side = Side::parse(&["10.0.0.8/29", "10.0.1.1-10.0.1.3"]).unwrap();
    assert_eq!((side.len(), side.to_string()), (11, "10.0.0.8-10.0.0.15 10.0.1.1-10.0.1.3".to_owned()));
    assert_eq!((side.place(address("10.0.1.2")), side.at(9)), (Some(9), Some(address("10.0.1.2"))));
    assert_eq!((side.place(address("10.0.1.4")), side.at(11)), (None, None));
    for (bad, hint) in [
        (&[][..], "empty"),
        (&["10.0.0.1/24"], "host bits"),
        (&["10.0.0.9-10.0.0.1"], "not a range"),
        (&["10.0.0.1-2001:db8::1"], "not a range"),
        (&["::/0"], "more than"),
        (&["10.0.0.0/24", "10.0.0.128/25"], "overlaps"),
        (&["nothing"], "prefix"),
    ] {
        assert!(Side::parse(bad).unwrap_err().contains(hint), "{bad:?}");
    }
    assert!(plan(Algorithm::Juniper { block: 40_000 }, "10.0.0.0/30", "203.0.113.1").check().unwrap_err().contains("do not fit"));
    assert!(plan(Algorithm::Rfc7422 { dynamic: 70_000, most: 0 }, "10.0.0.0/30", "203.0.113.1").check().is_err());
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let side = |base: u32| {
        proptest::collection::vec((0u32..6, 1u32..9), 1..4).prop_map(move |steps| {
            let mut at = base;
            let ranges: Vec<String> = steps
                .into_iter()
                .map(|(skip, n)| {
                    let first = at + skip;
                    at = first + n + 1;
                    format!("{}-{}", std::net::Ipv4Addr::from(first), std::net::Ipv4Addr::from(first + n))
                })
                .collect();
            Side::parse(&ranges).unwrap()
        })
    };
    let algorithm = prop_oneof![
        (0u32..4, prop_oneof![Just(0u32), 1u32..500]).prop_map(|(dynamic, most)| Algorithm::Rfc7422 { dynamic, most }),
        prop_oneof![Just(0u32), 1u32..700].prop_map(|block| Algorithm::Juniper { block }),
        Just(Algorithm::OneToOne),
    ];
    (side(0x6440_0000), side(0xcb00_7100), algorithm, 0u16..2_000, 2_000u16..6_000)
        .prop_map(|(inside, public, algorithm, first_port, last_port)| Plan { inside, public, algorithm, first_port, last_port })
        .prop_filter("a plan that fits", |p| p.check().is_ok())
}

proptest! {
    /// Over the full pool: every inside address has ports, every one of them leads back to it, and no port has two holders.
    #[test]
    fn forward_and_inverse_are_each_others_reverse(p in any_plan()) {
        let mut owner: BTreeMap<(Addr16, u16), Addr16> = BTreeMap::new();
        for inside in (0..p.inside.len()).map(|i| p.inside.at(i).unwrap()) {
            let pieces = p.forward(inside);
            let total: u64 = pieces.iter().map(|x| u64::from(x.last - x.first) + 1).sum();
            prop_assert_eq!(total, p.block());
            for piece in pieces {
                for port in piece.first..=piece.last {
                    prop_assert_eq!(p.inverse(piece.public, port), Some((inside, piece)));
                    prop_assert_eq!(owner.insert((piece.public, port), inside), None);
                }
            }
        }
        // And what nobody was given leads to nobody.
        if p.algorithm != Algorithm::OneToOne {
            for public in (0..p.public.len()).map(|i| p.public.at(i).unwrap()) {
                for port in (0..=7_000).step_by(7) {
                    prop_assert_eq!(p.inverse(public, port).map(|(i, _)| i), owner.get(&(public, port)).copied());
                }
            }
        }
    }

    #[test]
    fn sides_come_back_from_their_text(p in any_plan()) {
        let text = p.inside.to_string();
        prop_assert_eq!(Side::parse(&text.split(' ').collect::<Vec<_>>()).unwrap(), p.inside);
    }
}

fn entry(from: &str, inside: &str) -> PlanConfig {
    PlanConfig {
        device: "cgn-b".into(),
        from: from.into(),
        realm: "north".into(),
        algorithm: "rfc7422".into(),
        inside: vec![inside.into()],
        public: vec!["203.0.113.0/30".into()],
        ..PlanConfig::default()
    }
}

#[test]
fn the_configuration_at_the_moment_counts_also_when_the_file_has_forgotten_it() {
    let sink: Arc<dyn RecordSink> = MemorySink::new();
    let record = |plans: Vec<PlanConfig>, at: i64| {
        let settings = Config { plans, ..Config::default() }.check().unwrap();
        super::history::record(&settings, &sink, Millis(at)).unwrap()
    };
    let old = entry("2026-12-01T00:00:00+08:00", "100.64.0.0/26");
    let new = entry("2027-01-01T00:00:00+08:00", "100.65.0.0/26");
    assert_eq!(record(vec![old.clone()], 1), 1);
    // The same again is no new record; the second one alone keeps the first in the past.
    assert_eq!(record(vec![old.clone()], 2), 0);
    assert_eq!(record(vec![new.clone()], 3), 1);
    let history = History::of(&sink.state("detnat"));
    let change: Millis = "2027-01-01T00:00:00+08:00".parse().unwrap();
    let public = address("203.0.113.1");
    let insides = |from: i64, to: i64| -> Vec<String> {
        history.mappings(public, Some(2_000), change.plus(from), change.plus(to)).iter().map(|c| c.inside.to_string()).collect()
    };
    assert_eq!(insides(-5_000, -1), ["100.64.0.16"]);
    assert_eq!(insides(0, 5_000), ["100.65.0.16"]);
    // Around the change both may be meant.
    assert_eq!(insides(-2_000, 2_000), ["100.64.0.16", "100.65.0.16"]);
    let before: Millis = "2026-11-30T23:59:59+08:00".parse().unwrap();
    assert!(history.mappings(public, Some(2_000), before, before).is_empty());
    let source = history.devices(public, change)[0];
    assert_eq!((source.1, history.since(source.0)), (false, Some("2026-12-01T00:00:00+08:00".parse().unwrap())));
    // What is corrected counts, and is recorded anew.
    assert_eq!(record(vec![PlanConfig { to: "2027-06-01T00:00:00+08:00".into(), ..new }], 4), 1);
    let history = History::of(&sink.state("detnat"));
    let after: Millis = "2027-06-01T00:00:00+08:00".parse().unwrap();
    assert_eq!(
        (
            history.mappings(public, Some(2_000), after.plus(-1), after.plus(-1)).len(),
            history.mappings(public, Some(2_000), after, after).len()
        ),
        (1, 0)
    );
}

#[test]
fn every_problem_is_told_with_its_key() {
    let bad = PlanConfig {
        device: "a/b".into(),
        from: "yesterday".into(),
        realm: String::new(),
        algorithm: "random".into(),
        inside: vec![],
        public: vec!["x".into()],
        ..PlanConfig::default()
    };
    let twice = entry("2026-12-01T00:00:00+08:00", "100.64.0.0/26");
    let late = PlanConfig { to: "2026-12-01T00:00:00+08:00".into(), ..twice.clone() };
    let other = PlanConfig { realm: "south".into(), from: "2027-12-01T00:00:00+08:00".into(), ..twice.clone() };
    let problems = Config { plans: vec![bad, twice.clone(), twice, late, other], ..Config::default() }.check().unwrap_err();
    for key in [
        "plans[0].device",
        "plans[0].from",
        "plans[0].realm",
        "plans[0].algorithm",
        "plans[0].inside",
        "plans[0].public",
        "plans[2].from",
        "plans[3].to",
        "plans[4].realm",
    ] {
        assert!(problems.iter().any(|p| p.starts_with(key)), "{key}: {problems:#?}");
    }
}
