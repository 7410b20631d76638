//! A catalog that does not take what it is told falls behind, and never says that it did not: while the program runs and after the next start everything is
//! found, and units go on moving.

mod rig;

use std::path::PathBuf;

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, Maintenance};
use weir_record::sink::{Group, RecordSink};
use weir_record::{Kind, kind::Record};
use weir_store::catalog::Catalog;
use weir_store::table::Stats;
use weir_testkit::Fault;

use rig::{Harm, Rig, event, inside, public};

/// Who held a port, and when.
type Held = (u16, u8, i64);

/// A minute in which some ports are opened and closed, and one that stays open; then it is sealed, or not.
fn minute(rig: &Rig, number: u8, held: &mut Vec<Held>) {
    let begin = rig.clock.now().0;
    let mut events = Vec::new();
    for n in 0..8u16 {
        let (port, host, from) = (2_000 + n, number * 9 + n as u8, begin + 100);
        events.push(event(rig.source, Action::Create, port, host, from));
        events.push(event(rig.source, Action::Delete, port, host, from + 20_000));
        held.push((port, host, from));
    }
    events.push(event(rig.source, Action::Create, 3_000 + u16::from(number), number, begin + 100));
    held.push((3_000 + u16::from(number), number, begin + 100));
    rig.clock.advance(60_000);
    rig.send(&events).unwrap();
}

/// Some minutes, each a unit of mappings and one of log lines.
fn network(minutes: u8) -> (Rig, Vec<Held>) {
    let (mut rig, mut held) = (Rig::new(), Vec::new());
    rig.open().unwrap();
    rig.register().unwrap();
    for number in 0..minutes {
        minute(&rig, number, &mut held);
        line(&rig);
        rig.store().seal_now().unwrap();
    }
    (rig, held)
}

fn line(rig: &Rig) {
    let row = Maintenance { time: rig.clock.now(), source: rig.source, ..Maintenance::default() };
    rig.store().commit(Group { batches: vec![(Kind::Maintenance, Maintenance::batch(&[row]))], ..Group::new("syslog") }).unwrap();
}

/// Everything is found, each unit reads, and what the catalog says is what there is.
fn all_right(rig: &Rig, held: &[Held], when: &str) {
    for (port, host, from) in held {
        assert_eq!(rig.holders(*port, from + 5), [inside(*host)], "{when}: {port}");
        assert_eq!(rig.holders(*port, from - 90), [] as [Addr16; 0], "{when}: before {port}");
    }
    assert_eq!(strays(rig), [] as [PathBuf; 0], "{when}");
    for unit in rig.store().units() {
        let rows: usize = rig.store().read_unit(&unit).unwrap_or_else(|e| panic!("{when}: {e}")).iter().map(|b| b.num_rows()).sum();
        assert_eq!(rows as u64, unit.rows, "{when}");
        if unit.kind == Kind::Maintenance {
            rig.store().word_rows(&unit, unit.first_row + unit.rows, &[7], &mut Stats::default()).unwrap_or_else(|e| panic!("{when}: {e}"));
        }
    }
    assert_eq!(rig.store().sources_for(public()), [(rig.source, false)], "{when}");
}

/// Files of sealed rows that no unit lies in: whoever judges the folder calls them strays.
fn strays(rig: &Rig) -> Vec<PathBuf> {
    let named: Vec<_> = rig.store().units().into_iter().map(|unit| unit.file).collect();
    let files = rig.disk.files().into_iter().map(|(path, _)| path).filter(|path| path.starts_with("segments"));
    files
        .filter(|path| !named.iter().any(|file| path.to_str().is_some_and(|path| path.strip_suffix(".digests").unwrap_or(path) == &**file)))
        .collect()
}

/// The same once the program was started anew, which reads nothing but what was sealed since the last checkpoint, and units still move.
fn all_right_after_a_start(rig: &mut Rig, held: &[Held], when: &str) {
    let units = rig.store().units();
    rig.drop_store();
    rig.open().unwrap_or_else(|e| panic!("{when}: {e}"));
    assert_eq!(rig.store().units(), units, "{when}");
    assert_eq!(rig.catalog.load().unwrap().units.since(0, Kind::ALL), units, "{when}");
    all_right(rig, held, &format!("{when}, started anew"));
    rig.store().repack(Millis(i64::MAX)).unwrap_or_else(|e| panic!("{when}: {e}"));
    all_right(rig, held, &format!("{when}, moved again"));
}

#[test]
fn what_a_catalog_did_not_take_is_told_with_the_next_cycle() {
    for harm in [Harm::NoEffect, Harm::WithEffect] {
        for cycles in 1..4 {
            let (mut rig, mut held) = (Rig::new(), Vec::new());
            rig.open().unwrap();
            rig.register().unwrap();
            rig.store().seal_now().unwrap();
            // The source's address is told by these alone.
            rig.catalog.harm(harm);
            for number in 0..cycles {
                minute(&rig, number, &mut held);
                assert!(rig.store().seal_now().unwrap_err().to_string().contains("catalog"));
            }
            all_right(&rig, &held, "while it fails");
            rig.catalog.harm(Harm::None);
            minute(&rig, cycles, &mut held);
            rig.store().seal_now().unwrap();
            rig.store().flush_index().unwrap();
            all_right_after_a_start(&mut rig, &held, &format!("{harm:?}, {cycles} cycles"));
        }
    }
}

#[test]
fn a_checkpoint_that_the_catalog_does_not_take_counts_from_the_next_change_on() {
    for harm in [Harm::NoEffect, Harm::WithEffect] {
        for after in ["start", "cycle", "checkpoint"] {
            let (mut rig, mut held) = network(3);
            rig.store().flush_index().unwrap();
            rig.clock.advance(3_600_000);
            let now = rig.clock.now().0;
            rig.send(&[event(rig.source, Action::Delete, 3_000, 0, now)]).unwrap();
            minute(&rig, 4, &mut held);
            rig.store().seal_now().unwrap();
            rig.catalog.harm(harm);
            assert!(rig.store().flush_index().is_err());
            all_right(&rig, &held, "while it fails");
            rig.catalog.harm(Harm::None);
            minute(&rig, 5, &mut held);
            match after {
                "cycle" => drop(rig.store().seal_now().unwrap()),
                "checkpoint" => {
                    rig.store().seal_now().unwrap();
                    rig.store().flush_index().unwrap();
                }
                _ => {}
            }
            all_right_after_a_start(&mut rig, &held, &format!("{harm:?}, {after}"));
        }
    }
}

#[test]
fn units_that_moved_while_the_catalog_failed_are_where_they_moved_to() {
    for harm in [Harm::NoEffect, Harm::WithEffect] {
        for sealed in [false, true] {
            let (mut rig, mut held) = network(3);
            rig.store().flush_index().unwrap();
            rig.catalog.harm(harm);
            assert!(rig.store().repack(Millis(i64::MAX)).is_err());
            all_right(&rig, &held, "while it fails");
            assert!(rig.store().repack(Millis(i64::MAX)).is_err(), "no more moves until it knows of the last");
            rig.catalog.harm(Harm::None);
            minute(&rig, 4, &mut held);
            if sealed {
                rig.store().seal_now().unwrap();
            }
            let when = format!("{harm:?}, sealed {sealed}");
            let report = rig.store().repack(Millis(i64::MAX)).unwrap();
            assert!(report.files >= 1, "{when}: {report:?}");
            all_right_after_a_start(&mut rig, &held, &when);
        }
    }
}

#[test]
fn a_repack_during_which_the_disk_fails_is_finished_or_never_was() {
    for (fault, many) in [(Fault::NoEffect, false), (Fault::WithEffect, false), (Fault::NoEffect, true), (Fault::WithEffect, true)] {
        let mut op = 0;
        loop {
            let (mut rig, mut held) = network(3);
            let first = rig.disk.operations() + op;
            (first..first + if many { 400 } else { 1 }).for_each(|op| rig.disk.fail_at(op, fault));
            let done = rig.store().repack(Millis(i64::MAX)).is_ok() && rig.disk.operations() <= first;
            rig.disk.heal();
            let when = format!("{fault:?} at {op}, many {many}");
            minute(&rig, 4, &mut held);
            // The next cycle finishes it, or the next repack.
            if op % 2 == 0 {
                rig.store().seal_now().unwrap_or_else(|e| panic!("{when}: {e}"));
                all_right(&rig, &held, &when);
            }
            rig.store().repack(Millis(i64::MAX)).unwrap_or_else(|e| panic!("{when}: {e}"));
            all_right(&rig, &held, &format!("{when}, moved"));
            let waits = rig.disk.files().iter().any(|(path, _)| path.starts_with("stage"));
            assert!(many || !waits, "{when}: nothing stays of what did not happen");
            all_right_after_a_start(&mut rig, &held, &when);
            if done {
                break;
            }
            op += 1;
        }
        assert!(op > 30, "{op} operations");
    }
}

#[test]
fn two_who_repack_at_once_move_each_unit_once() {
    for round in 0..8 {
        let (mut rig, held) = network(6);
        let store = rig.store();
        let moved: usize = std::thread::scope(|scope| {
            let both = [0, 1].map(|_| scope.spawn(|| store.repack(Millis(i64::MAX)).unwrap().units));
            both.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(moved, rig.store().units().len() - 1, "round {round}: all but the one of the register");
        all_right(&rig, &held, "after both");
        all_right_after_a_start(&mut rig, &held, "after both");
    }
}
