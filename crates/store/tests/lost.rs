//! A catalog that is lost comes back from the log, and the index need not be made again: it says itself how far it goes.

mod rig;

use std::path::{Path, PathBuf};

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::{Action, NatEvent};
use weir_store::catalog::{Catalog, Change, RunMeta, UnitMeta};
use weir_store::engine::OpenReport;
use weir_testkit::Fault;

use rig::{Rig, T0, event, inside, public};

const PORTS: u16 = 40;

/// A minute: each port is opened, and half of those that are open from the minute before are closed; then it is sealed.
fn minute(rig: &Rig, number: u16) {
    let now = rig.clock.now().0;
    let mut events = Vec::new();
    for port in (0..PORTS).filter(|port| port % 2 == number % 2) {
        if number > 1 {
            events.push(event(rig.source, Action::Delete, port + 2_000, (number - 2) as u8, now + 100));
        }
        events.push(event(rig.source, Action::Create, port + 2_000, number as u8, now + 200));
    }
    // One that is open for hours.
    if number == 1 {
        events.push(event(rig.source, Action::Create, 9_000, 77, now));
    }
    rig.clock.advance(60_000);
    rig.send(&events).unwrap();
    rig.store().seal_now().unwrap();
}

/// Loses the catalog while the program does not run.
fn lose(rig: &mut Rig) -> OpenReport {
    rig.drop_store();
    rig.catalog.clear().unwrap();
    rig.open().unwrap()
}

fn begun() -> Rig {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    rig
}

/// Forty minutes with checkpoints, a repack and a restart, then three more minutes.
fn history() -> Rig {
    let mut rig = begun();
    for number in 0..40 {
        minute(&rig, number);
        match number {
            10 | 20 | 25 | 30 => rig.store().flush_index().unwrap(),
            15 => drop(rig.store().repack(Millis(i64::MAX)).unwrap()),
            18 => {
                rig.drop_store();
                rig.clock.advance(3_600_000);
                rig.open().unwrap();
            }
            22 => rig.clock.advance(1_800_000),
            _ => {}
        }
    }
    rig.store().flush_index().unwrap();
    (40..43).for_each(|number| minute(&rig, number));
    rig
}

type Told = Vec<(u16, i64, Vec<Addr16>)>;

fn told(rig: &Rig) -> Told {
    let last = rig.clock.now().0;
    let ports = (2_000..2_000 + PORTS).step_by(7).chain([9_000]);
    ports
        .flat_map(|port| (T0..last).step_by(97_000).map(move |at| (port, at)))
        .map(|(port, at)| (port, at, rig.holders(port, at)))
        .collect()
}

#[test]
fn a_lost_catalog_leaves_the_index() {
    let mut rig = history();
    let (units, before) = (rig.store().units(), told(&rig));
    assert!(before.iter().filter(|(.., holders)| !holders.is_empty()).count() > before.len() / 2, "something is asked for");
    let mappings = units.iter().filter(|unit| unit.kind == Kind::NatMapping).count();
    for round in 0..2 {
        let report = lose(&mut rig);
        assert_eq!(report.reindexed, 3, "of {mappings} units those since the checkpoint, round {round}");
        assert_eq!(rig.store().units(), units);
        assert_eq!(told(&rig), before);
        assert_eq!(rig.store().sources_for(public()), [(rig.source, false)]);
    }
    // What is sealed after it is found like everything else.
    minute(&rig, 43);
    assert_eq!(rig.holders(2_001, rig.clock.now().0), [inside(43)]);
}

#[test]
fn an_index_that_is_not_whole_is_made_again() {
    for missing in ["index/state", "index/runs", "index/open"] {
        let mut rig = history();
        let (units, before) = (rig.store().units(), told(&rig));
        let file = rig.disk.files().into_iter().map(|(path, _)| path).find(|path| path.starts_with(missing));
        let mappings = units.iter().filter(|unit| unit.kind == Kind::NatMapping).count();
        rig.drop_store();
        rig.disk.shared().remove(&file.unwrap_or_else(|| panic!("there is a file in {missing}"))).unwrap();
        let report = lose(&mut rig);
        assert_eq!(report.reindexed, mappings, "{missing}");
        assert_eq!((rig.store().units(), told(&rig)), (units, before), "{missing}");
        // It is whole again: the next loss costs nothing.
        rig.store().flush_index().unwrap();
        assert_eq!(lose(&mut rig).reindexed, 0, "{missing}");
        assert!(rig.disk.shared().exists(Path::new("index/state")).unwrap());
    }
}

fn mappings(rig: &Rig) -> usize {
    rig.store().units().iter().filter(|unit| unit.kind == Kind::NatMapping).count()
}

fn file_in(rig: &Rig, folder: &str) -> PathBuf {
    let mut files = rig.disk.files().into_iter().map(|(path, _)| path).filter(|path| path.starts_with(folder));
    files.next().unwrap_or_else(|| panic!("there is a file in {folder}"))
}

#[test]
fn an_index_whose_making_is_cut_short_is_made_again() {
    for lost in [false, true] {
        let mut rig = history();
        let (before, mappings) = (told(&rig), mappings(&rig));
        let unit = rig.store().units().into_iter().rev().find(|unit| unit.kind == Kind::NatMapping).unwrap();
        rig.drop_store();
        rig.disk.damage(&file_in(&rig, "index/runs"), |bytes| bytes.truncate(bytes.len() / 2));
        let mut whole = Vec::new();
        rig.disk.damage(unit.file.as_ref().as_ref(), |bytes| whole = std::mem::take(bytes));
        for _ in 0..2 {
            assert!(rig.open().is_err(), "a unit does not read");
        }
        rig.disk.damage(unit.file.as_ref().as_ref(), |bytes| *bytes = whole);
        let report = if lost { lose(&mut rig) } else { rig.open().unwrap() };
        assert_eq!((report.reindexed, told(&rig)), (mappings, before), "lost {lost}");
        rig.store().flush_index().unwrap();
        rig.drop_store();
        assert_eq!(rig.open().unwrap().reindexed, 0);
    }
}

#[test]
fn the_power_may_end_the_making_of_an_index_anywhere() {
    let mut op = 0;
    loop {
        let mut rig = history();
        let before = told(&rig);
        rig.drop_store();
        rig.disk.damage(&file_in(&rig, "index/runs"), |bytes| bytes.truncate(bytes.len() / 2));
        rig.disk.fail_at(rig.disk.operations() + op, Fault::PowerOffAfter);
        let done = rig.open().is_ok() && !rig.disk.is_off();
        rig.crash(op);
        rig.open().unwrap();
        assert_eq!(told(&rig), before, "operation {op}");
        if done {
            break;
        }
        op += 1;
    }
    assert!(op > 10, "{op} operations");
}

#[test]
fn a_catalog_of_which_a_part_was_written_is_made_again() {
    let mut rig = history();
    let (units, before) = (rig.store().units(), told(&rig));
    rig.drop_store();
    // Its writing was cut short, and the log is that of a copy which does not have the last unit, nor the move of the first one.
    let first = UnitMeta { file: "segments/nat_mapping/elsewhere.parquet".into(), ..units[0].clone() };
    let last = UnitMeta { entry: 1 << 40, ..units[1].clone() };
    rig.catalog.apply(&Change { units: vec![first, last], log_size: Some(0), ..Change::default() }).unwrap();
    let report = rig.open().unwrap();
    assert!(report.notes.iter().any(|note| note.contains("cut short")), "{:?}", report.notes);
    assert_eq!((rig.store().units(), told(&rig)), (units, before));
    rig.drop_store();
    assert_eq!(rig.open().unwrap().notes, Vec::<String>::new());
}

#[test]
fn a_catalog_that_went_back_finds_the_checkpoint_after_it() {
    let mut rig = history();
    let old = rig.catalog.load().unwrap();
    rig.store().repack(Millis(i64::MAX)).unwrap();
    (43..46).for_each(|number| minute(&rig, number));
    // The first mapping of an address that the old catalog does not know.
    let other = Addr16::v4([203, 0, 113, 8]);
    let new = NatEvent { public_address: other, ..event(rig.source, Action::Create, 5_000, 5, rig.clock.now().0) };
    rig.send(&[new]).unwrap();
    rig.store().seal_now().unwrap();
    rig.store().flush_index().unwrap();
    minute(&rig, 46);
    let (units, before) = (rig.store().units(), told(&rig));
    for round in 0..2 {
        rig.drop_store();
        rig.catalog.back_to(old.clone());
        let report = rig.open().unwrap();
        assert_eq!((report.reindexed, report.notes), (1, vec![]), "round {round}");
        assert_eq!((rig.store().units(), told(&rig)), (units.clone(), before.clone()), "round {round}");
        assert_eq!(rig.store().sources_for(other), [(rig.source, false)], "round {round}");
    }
    // Its own word counts from then on.
    rig.drop_store();
    rig.disk.shared().remove(&file_in(&rig, "index/state")).unwrap();
    assert_eq!(rig.open().unwrap().reindexed, 1);
    assert_eq!((told(&rig), rig.store().sources_for(other)), (before, vec![(rig.source, false)]));
}

#[test]
fn a_checkpoint_during_which_the_disk_fails_leaves_the_one_before() {
    let runs = |rig: &Rig| rig.disk.files().iter().filter(|(path, _)| path.starts_with("index/runs")).count();
    for after in ["nothing", "start", "lost"] {
        let mut op = 0;
        loop {
            let mut rig = begun();
            (0..3).for_each(|number| minute(&rig, number));
            // What ends now began before its unit's reach. The fifth run of a bucket, which is of 64 minutes, is merged with the others.
            rig.clock.advance(3_840_000 - rig.clock.now().0.rem_euclid(3_840_000) as u64);
            for number in 3..7 {
                rig.clock.advance(500_000);
                minute(&rig, number);
                rig.store().flush_index().unwrap();
            }
            rig.clock.advance(500_000);
            minute(&rig, 7);
            let (before, many) = (told(&rig), runs(&rig));
            let first = rig.disk.operations() + op;
            rig.disk.fail_at(first, Fault::NoEffect);
            let done = rig.store().flush_index().is_ok() && rig.disk.operations() <= first;
            rig.disk.heal();
            let when = format!("operation {op}, {after}");
            match after {
                "start" => {
                    rig.drop_store();
                    assert!(rig.open().unwrap().reindexed <= 1, "{when}");
                }
                "lost" => assert!(lose(&mut rig).reindexed <= 1, "{when}"),
                _ => {}
            }
            assert_eq!(told(&rig), before, "{when}");
            rig.store().flush_index().unwrap();
            assert_eq!(told(&rig), before, "{when}");
            assert_eq!(lose(&mut rig).reindexed, 0, "{when}");
            assert_eq!(told(&rig), before, "{when}");
            if done {
                assert!(runs(&rig) < many, "runs are merged");
                break;
            }
            op += 1;
        }
        assert!(op > 10, "{op} operations");
    }
}

#[test]
fn an_index_is_made_again_in_the_memory_there_is_and_only_once() {
    let mut rig = history();
    let (units, before) = (rig.store().units(), told(&rig));
    let mappings = units.iter().filter(|unit| unit.kind == Kind::NatMapping).count();
    rig.drop_store();
    for (path, _) in rig.disk.files() {
        if path.starts_with("index") {
            rig.disk.shared().remove(&path).unwrap();
        }
    }
    // Room for some seven spans.
    rig.memory_bytes = 1 << 14;
    let report = lose(&mut rig);
    assert_eq!((report.reindexed, &report.notes), (mappings, &Vec::new()));
    let several = |runs: &[RunMeta]| runs.iter().any(|a| runs.iter().any(|b| a != b && (a.level, a.bucket) == (b.level, b.bucket)));
    assert!(several(&rig.catalog.load().unwrap().runs), "they were written more than once");
    assert_eq!(told(&rig), before);
    // A crash at once costs none of it.
    rig.drop_store();
    rig.disk.crash(3);
    assert_eq!(rig.open().unwrap().reindexed, 0);
    assert_eq!(told(&rig), before);
    assert_eq!(lose(&mut rig).reindexed, 0);
    assert_eq!(told(&rig), before);
}
