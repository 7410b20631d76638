//! Messages that come after a reboot or after somebody else got the address: nothing of before the reboot stays open, and an address never
//! has two holders.

use std::collections::BTreeSet;

use proptest::prelude::*;
use weir_base::time::Millis;

use super::machine::{Bench, INTERIM, Msg, NAS, OFF, ON, START, STOP, msg};
use crate::radius::limits::LATE_UPDATE_MS;
use crate::radius::normalise::session_key;

const A: &str = "100.64.0.1";

fn open(b: &Bench) -> usize {
    b.sessions.table().open()
}

#[test]
fn a_message_from_before_the_reboot_leaves_nothing_open() {
    for (what, late, rows) in [
        ("a Start", msg(START, "a", 90).arrived(203), vec![(START, 0, 90, 2), (STOP, 1, 100, 2)]),
        ("an update", msg(INTERIM, "a", 90).arrived(203), vec![(INTERIM, 0, 90, 2), (STOP, 1, 100, 2)]),
        ("a Stop", msg(STOP, "a", 90).arrived(203), vec![(STOP, 0, 90, 2)]),
        ("a Start after it", msg(START, "a", 201).arrived(203), vec![(START, 0, 201, 2)]),
    ] {
        for restart in [false, true] {
            let mut b = Bench::new();
            b.take(msg(OFF, "", 100));
            b.next = 0;
            b.take(msg(ON, "", 130));
            if restart {
                b.restart(&[]);
            }
            assert_eq!(b.take(late.clone()), rows, "{what}");
            assert_eq!(open(&b), usize::from(rows.len() == 1 && rows[0].0 == START), "{what}");
        }
    }
}

#[test]
fn a_late_start_from_before_the_reboot_does_not_take_the_address_from_its_new_holder() {
    let mut b = Bench::new();
    b.take(msg(ON, "", 100));
    assert_eq!(b.take(msg(START, "new", 110).ip(A)), [(START, 0, 110, 2)]);
    assert_eq!(b.take(msg(START, "old", 90).ip(A).arrived(112)), [(START, 0, 90, 3), (STOP, 1, 100, 3)]);
    assert_eq!((b.reason(), open(&b)), (Some("accounting-on"), 1));
}

#[test]
fn messages_of_the_second_of_the_reboot_are_told_apart_by_their_arrival() {
    let mut b = Bench::new();
    b.take(msg(START, "before", 100));
    assert_eq!(b.take(msg(ON, "", 100).arrived(101)), [(ON, 0, 100, 0), (STOP, 1, 100, 1)]);
    assert_eq!(b.take(msg(START, "after", 100).arrived(102)), [(START, 0, 100, 3)]);
    assert_eq!(open(&b), 1);
}

#[test]
fn times_by_different_clocks_are_not_compared() {
    // The NAS's clock is slow; its Accounting-On has no stamp.
    let mut b = Bench::new();
    b.take(msg(ON, "", 200).unstamped());
    assert_eq!(b.take(msg(START, "a", 150).arrived(201)), [(START, 0, 150, 2)]);
    // It is fast: the session began before, as its arrival shows.
    let mut b = Bench::new();
    b.take(msg(START, "a", 260).arrived(190));
    assert_eq!(b.take(msg(ON, "", 200).unstamped()).len(), 2);
    assert_eq!((open(&b), b.rows.sessions[1].time), (0, Millis(260_000)), "no earlier than its newest event");
}

#[test]
fn an_update_without_a_stamp_right_after_the_end_was_sent_before_it() {
    let lives = |end: Msg| {
        let mut b = Bench::new();
        b.take(msg(START, "a", 100).ip(A).unstamped());
        b.take(end.unstamped());
        b
    };
    for (what, end) in [("a reboot", msg(ON, "", 200)), ("another holder", msg(START, "b", 200).ip(A))] {
        let mut b = lives(end);
        let others = open(&b);
        assert_eq!(b.take(msg(INTERIM, "a", 203).unstamped()), [(INTERIM, 0, 200, 1)], "{what}: placed at its end");
        assert_eq!(open(&b), others, "{what}");
        // Much later it is a sign of life all the same.
        let later = 200 + LATE_UPDATE_MS / 1_000 + 1;
        assert_eq!(b.take(msg(INTERIM, "a", later).unstamped().unlike(1))[0], (INTERIM, 0, later, 1), "{what}");
        assert!(b.sessions.table().get(&session_key(NAS, "a")).unwrap().open, "{what}");
    }
    // An end that only time told gives way at once.
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).unstamped().rhythm(60));
    assert_eq!(b.tick(280).len(), 1);
    assert_eq!(b.take(msg(INTERIM, "a", 290).unstamped()), [(INTERIM, 0, 290, 1)]);
    assert_eq!(open(&b), 1);
}

#[test]
fn how_an_end_was_inferred_survives_a_restart() {
    let mut b = Bench::new();
    b.take(msg(START, "a", 100).unstamped());
    b.take(msg(ON, "", 200).unstamped());
    b.restart(&["a"]);
    assert_eq!(b.take(msg(INTERIM, "a", 203).unstamped()), [(INTERIM, 0, 200, 1)]);
    assert_eq!(open(&b), 0);
}

#[test]
fn two_delegated_prefixes_are_both_had_alone() {
    let with = |mut m: Msg, prefixes: &[&str]| {
        let name = |p: &&str| weir_record::kinds::Name { sort: weir_record::kinds::Sort::Delegated, prefix: p.parse().unwrap() };
        m.0.row.set_ipv6(&prefixes.iter().map(name).collect::<Vec<_>>());
        m
    };
    let mut b = Bench::new();
    b.take(with(msg(START, "a", 100), &["2001:db8:1::/56", "2001:db8:2::/56"]));
    assert_eq!(b.take(with(msg(START, "b", 200), &["2001:db8:2::/56"]).of([8; 16])), [(START, 0, 200, 2), (STOP, 1, 200, 1)]);
    assert!(b.rows.sessions[1].other_addresses.as_deref().is_some_and(|o| o.contains("2001:db8:2::")), "an inferred end names all");
}

#[test]
fn a_session_is_known_to_have_lasted_until_its_nas_last_spoke() {
    let lasted = |b: &Bench| b.rows.sessions.iter().find(|r| r.inferred == 1).and_then(|r| r.lasted).map(|t| t.0 / 1_000);
    for (what, restart, end, want) in [
        ("it came up", false, msg(ON, "", 300), Some(250)),
        ("it went down in order", false, msg(OFF, "", 300), Some(300)),
        ("it came up, and Weir had started again", true, msg(ON, "", 300), Some(210)),
        ("somebody else has the address", false, msg(START, "c", 300).ip(A), None),
    ] {
        let mut b = Bench::new();
        b.take(msg(START, "a", 100).ip(A));
        b.take(msg(START, "b", 200));
        b.take(msg(INTERIM, "b", 210));
        b.take(msg(START, "gone", 220));
        b.take(msg(STOP, "gone", 250));
        if restart {
            b.restart(&["a", "b"]);
        }
        b.take(end);
        assert_eq!(lasted(&b), want, "{what}");
    }
    // What overtook the message that tells of the reboot is no word from before it.
    let mut b = Bench::new();
    b.take(msg(START, "a", 100));
    b.take(msg(START, "after", 305));
    b.take(msg(ON, "", 300).arrived(306));
    assert_eq!(lasted(&b), None);
}

/// Messages of one NAS that reboots, with a subscriber for each of three addresses before and after.
fn history() -> impl Strategy<Value = Vec<Msg>> {
    let session = |reboot: i64| {
        (0u8..3, 0i64..80, 1i64..60, any::<bool>(), any::<bool>()).prop_map(move |(ip, start, length, stops, update)| {
            let at = reboot + start;
            let name = format!("{reboot}-{ip}-{start}");
            let with = |m: Msg| m.ip(&format!("100.64.0.{ip}"));
            // Before the reboot nothing lasts beyond it.
            let end = (at + length).min(reboot + 99);
            let mut all = vec![with(msg(START, &name, at))];
            all.extend(update.then(|| with(msg(INTERIM, &name, (at + 1).min(end)))));
            all.extend(stops.then(|| with(msg(STOP, &name, end))));
            all
        })
    };
    let before = prop::collection::vec(session(0), 0..4);
    let after = prop::collection::vec(session(101), 0..4);
    (before, after).prop_map(|(before, after)| {
        let mut all: Vec<Msg> = before.into_iter().chain(after).flatten().collect();
        all.push(msg(ON, "", 100));
        all
    })
}

proptest! {
    /// In whatever order they arrive: nothing of before the reboot is open at the end, and no address has two holders at any time.
    #[test]
    fn a_reboot_in_any_order(messages in history(), keys in prop::collection::vec(any::<u64>(), 32)) {
        let mut order: Vec<usize> = (0..messages.len()).collect();
        order.sort_by_key(|i| keys.get(*i).copied().unwrap_or(0));
        let mut b = Bench::new();
        for (n, i) in order.iter().enumerate() {
            b.take(messages[*i].clone().arrived(1_000 + n as i64));
            let open: Vec<_> = b.sessions.table().of_nas(NAS).filter_map(|k| b.sessions.table().get(&k)).collect();
            let addresses: BTreeSet<_> = open.iter().map(|s| s.facts.framed_ipv4).collect();
            prop_assert_eq!(addresses.len(), open.len(), "one holder an address");
        }
        for key in b.sessions.table().of_nas(NAS) {
            let s = b.sessions.table().get(&key).unwrap();
            prop_assert!(s.heard > Millis(100_000), "open since before the reboot: {:?}", s.facts.acct_session_id);
        }
    }
}
