//! Ends that come alone, twice, or of protocols that are seldom: what is known of them is told, and no more.

mod rig;

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, NatEvent};

use rig::{Rig, event, inside, public};

fn begun() -> Rig {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    rig
}

fn seal(rig: &Rig, minutes: usize) {
    for _ in 0..minutes {
        rig.clock.advance(60_000);
        rig.store().seal_now().unwrap();
    }
    rig.store().flush_index().unwrap();
}

#[test]
fn an_end_that_comes_twice_says_nothing_new() {
    let rig = begun();
    let from = rig.clock.now().0 + 1_000;
    let end = event(rig.source, Action::Delete, 2_000, 7, from + 20_000);
    rig.send(&[event(rig.source, Action::Create, 2_000, 7, from), end.clone()]).unwrap();
    seal(&rig, 1);
    let right = |when: &str| {
        for (after, holders) in [(-500, vec![]), (5, vec![inside(7)]), (19_999, vec![inside(7)]), (20_001, vec![])] {
            assert_eq!(rig.holders(2_000, from + after), holders, "{when}: {after}");
        }
    };
    right("once");
    rig.send(&[end]).unwrap();
    right("again, not sealed");
    seal(&rig, 1);
    right("again, sealed");
}

#[test]
fn mappings_of_every_protocol_are_found_however_old() {
    let rig = begun();
    let from = rig.clock.now().0;
    let protocols = [6, 17, 1, 58, 132, 33, 136];
    let of = |protocol: u8, action: Action, at: i64| NatEvent { protocol, ..event(rig.source, action, 2_000, protocol, at) };
    rig.send(&protocols.map(|protocol| of(protocol, Action::Create, from))).unwrap();
    seal(&rig, 20);
    let to = rig.clock.now().0;
    let found = |protocol: Option<u8>, at: i64| {
        let (found, _) = rig.store().mappings(public(), Some(2_000), protocol, Millis(at), Millis(at)).unwrap();
        found.iter().map(|m| m.inside).collect::<Vec<Addr16>>()
    };
    let right = |when: &str| {
        for protocol in protocols {
            assert_eq!(found(Some(protocol), from + 60_000), [inside(protocol)], "{when}: {protocol}");
        }
        assert_eq!(found(None, from + 60_000).len(), protocols.len(), "{when}");
    };
    right("open");
    rig.send(&protocols.map(|protocol| of(protocol, Action::Delete, to))).unwrap();
    right("ended");
    seal(&rig, 1);
    right("in runs");
    assert_eq!(found(None, to + 5), [] as [Addr16; 0]);
}
