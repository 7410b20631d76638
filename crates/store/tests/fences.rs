//! A question is answered whatever happens to the fence tables of units, which can be thrown away at any time, and while units move into other files.

mod rig;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::Action;
use weir_store::engine::{Store, StoreError};
use weir_store::shelf::Shelf;
use weir_testkit::Fault;

use rig::{Rig, event, inside, public};

const MINUTE: i64 = 60_000;
/// Mappings of a minute that end in it, and those that end in the next.
const SHORT: u16 = 60;
const LONG: u16 = 20;

/// Who held a port, and when.
#[derive(Clone, Copy, Debug)]
struct Held {
    port: u16,
    host: u8,
    from: i64,
}

/// A minute of the network, then its unit is sealed. Ports are those of the minute before.
fn minute(rig: &Rig, number: i64, held: &mut Vec<Held>) {
    let begin = rig.clock.now().0;
    let (mut events, mut later) = (Vec::new(), Vec::new());
    for n in 0..SHORT + LONG {
        let (port, host, from) = (2_000 + n, (number * 7 + i64::from(n)) as u8, begin + 1_000 + i64::from(n) * 10);
        let to = from + if n < SHORT { 20_000 } else { MINUTE };
        events.push(event(rig.source, Action::Create, port, host, from));
        let end = event(rig.source, Action::Delete, port, host, to);
        if n < SHORT {
            events.push(end)
        } else {
            later.push(end)
        }
        held.push(Held { port, host, from });
    }
    rig.clock.advance(30_000);
    rig.send(&events).unwrap();
    rig.store().seal_now().unwrap();
    rig.clock.advance(31_900);
    rig.send(&later).unwrap();
    rig.clock.advance(100);
}

/// Units of some minutes, all of whose mappings have ended.
fn network(minutes: i64) -> (Rig, Vec<Held>) {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    let mut held = Vec::new();
    (0..minutes).for_each(|number| minute(&rig, number, &mut held));
    rig.store().seal_now().unwrap();
    rig.store().flush_index().unwrap();
    (rig, held)
}

fn ask(store: &Store, shelf: &Shelf, one: &Held, after: i64) -> Result<Vec<Addr16>, StoreError> {
    let at = Millis(one.from + after);
    let (found, _) = store.mappings_with(shelf, public(), Some(one.port), Some(6), (at, at))?;
    Ok(found.iter().map(|m| m.inside).collect())
}

fn all_right(rig: &Rig, shelf: &Shelf, held: &[Held], when: &str) {
    for one in held {
        assert_eq!(ask(rig.store(), shelf, one, 5).unwrap(), [inside(one.host)], "{when}: {one:?}");
        assert_eq!(ask(rig.store(), shelf, one, -500).unwrap(), [], "{when}: before {one:?}");
    }
}

fn tables(rig: &Rig) -> Vec<PathBuf> {
    let files = rig.disk.files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.starts_with("index/units")).collect()
}

#[test]
fn a_table_that_is_gone_or_damaged_is_made_again() {
    let (rig, held) = network(4);
    let paths = tables(&rig);
    assert!(paths.len() >= 4, "{paths:?}");
    type Harm = (&'static str, fn(&mut Vec<u8>));
    let harms: [Harm; 6] = [
        ("gone", Vec::clear),
        ("empty", Vec::clear),
        ("half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("a bit of the first block", |bytes| bytes[9] ^= 1),
        ("a bit of the root", |bytes| {
            let at = bytes.len() - 100;
            bytes[at] ^= 1;
        }),
        ("a bit of the trailer", |bytes| {
            let at = bytes.len() - 10;
            bytes[at] ^= 1;
        }),
    ];
    let used = Shelf::staying();
    for (what, harm) in harms {
        for (kind, shelf) in [("alone", &Shelf::default()), ("many", &Shelf::staying()), ("many before", &used)] {
            all_right(&rig, &used, &held, "untouched");
            for path in &paths {
                match what {
                    "gone" => rig.disk.shared().remove(path).unwrap(),
                    _ => rig.disk.damage(path, harm),
                }
            }
            all_right(&rig, shelf, &held, &format!("{what}, {kind}"));
            all_right(&rig, &Shelf::default(), &held, &format!("{what}, {kind}, then alone"));
            assert_eq!(tables(&rig), paths, "{what}, {kind}");
            let before = rig.disk.operations();
            all_right(&rig, &Shelf::default(), &held, "again");
            assert_eq!(rig.disk.operations(), before, "{what}, {kind}: nothing is made twice");
        }
    }
}

#[test]
fn a_table_under_the_name_of_another_and_one_of_another_file_are_made_again() {
    let (rig, held) = network(4);
    let paths = tables(&rig);
    let bytes = |path: &PathBuf| rig.disk.files().into_iter().find(|(at, _)| at == path).map(|(_, bytes)| bytes).unwrap();
    let was: Vec<Vec<u8>> = paths.iter().map(bytes).collect();
    for (path, other) in paths.iter().zip(was.iter().cycle().skip(1)) {
        rig.disk.damage(path, |bytes| other.clone_into(bytes));
    }
    all_right(&rig, &Shelf::default(), &held, "names changed");
    // They name pages of files that are gone.
    let before = rig.store().repack(Millis(i64::MAX)).unwrap();
    assert!(before.units >= 4, "{before:?}");
    for (path, old) in paths.iter().zip(&was) {
        rig.disk.damage(path, |bytes| old.clone_into(bytes));
    }
    all_right(&rig, &Shelf::default(), &held, "of before the repack");
    let operations = rig.disk.operations();
    all_right(&rig, &Shelf::default(), &held, "again");
    assert_eq!(rig.disk.operations(), operations, "nothing is made twice");
}

#[test]
fn ends_without_a_beginning_cost_a_question_no_more_questions() {
    let (rig, held) = network(3);
    let reads = |one: &Held| {
        let before = rig.disk.reads();
        let found = ask(rig.store(), &Shelf::default(), one, -500).unwrap().len();
        (found, rig.disk.reads() - before)
    };
    let (none, plain) = reads(&held[0]);
    assert_eq!(none, 0);
    let now = rig.clock.now().0;
    let ends: Vec<_> = (0..14).map(|n| event(rig.source, Action::Delete, held[0].port, 100 + n, now + i64::from(n))).collect();
    rig.send(&ends).unwrap();
    // Whose port it was until then is not known: each may have been.
    let (all, then) = reads(&held[0]);
    assert_eq!(all, ends.len());
    assert!(then <= 2 * plain, "{then} reads, {plain} without them");
}

#[test]
fn a_table_that_the_disk_does_not_read_stays() {
    let (rig, held) = network(2);
    let (one, before) = (held[0], rig.disk.operations());
    let mut failed = 0;
    loop {
        rig.disk.fail_read_at(rig.disk.reads() + failed);
        match ask(rig.store(), &Shelf::default(), &one, 5) {
            Ok(found) => {
                assert_eq!(found, [inside(one.host)]);
                break;
            }
            Err(_) => failed += 1,
        }
        rig.disk.heal();
        assert_eq!(ask(rig.store(), &Shelf::default(), &one, 5).unwrap(), [inside(one.host)]);
    }
    assert!(failed > 3, "{failed} reads failed");
    assert_eq!(rig.disk.operations(), before, "nothing was removed and nothing made");
}

#[test]
fn a_repack_that_the_power_ends_leaves_answers_as_they_were() {
    let mut op = 0;
    loop {
        let (mut rig, held) = network(3);
        rig.disk.fail_at(rig.disk.operations() + op, Fault::PowerOffAfter);
        let done = rig.store().repack(Millis(i64::MAX)).is_ok() && !rig.disk.is_off();
        rig.crash(op);
        rig.open().unwrap();
        all_right(&rig, &Shelf::default(), &held, &format!("operation {op}"));
        if done {
            break;
        }
        op += 1;
    }
    assert!(op > 10, "{op} operations");
}

/// Tells the others to end, also where a test fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn whoever_asks_while_units_move_is_answered() {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    let (store, latest, done) = (Arc::clone(rig.store()), Mutex::new(Vec::<Held>::new()), AtomicBool::new(false));
    let (store, latest, done) = (&store, &latest, &done);
    let asking = |staying: bool| {
        move || {
            let (mut asked, kept) = (0, Shelf::staying());
            while !done.load(Ordering::Relaxed) {
                let now = latest.lock().unwrap().clone();
                for one in &now {
                    let new = Shelf::default();
                    let found = ask(store, if staying { &kept } else { &new }, one, 5);
                    assert_eq!(found.unwrap(), [inside(one.host)], "{one:?}");
                    asked += 1;
                }
            }
            asked
        }
    };
    let reading = || {
        let mut read = 0;
        while !done.load(Ordering::Relaxed) {
            for unit in store.units().into_iter().filter(|u| u.kind == Kind::NatMapping) {
                let rows: usize = store.read_unit(&unit).unwrap().iter().map(|batch| batch.num_rows()).sum();
                assert_eq!(rows as u64, unit.rows);
                read += 1;
            }
        }
        read
    };
    std::thread::scope(|scope| {
        let _done = Done(done);
        let others = [scope.spawn(asking(false)), scope.spawn(asking(true)), scope.spawn(reading)];
        for round in 0..30 {
            let mut held = Vec::new();
            minute(&rig, round * 2, &mut held);
            minute(&rig, round * 2 + 1, &mut held);
            *latest.lock().unwrap() = held;
            let report = store.repack(Millis(i64::MAX)).unwrap();
            assert!(report.units >= 2, "{round}: {report:?}");
        }
        done.store(true, Ordering::Relaxed);
        others.into_iter().for_each(|other| assert!(other.join().unwrap() > 0));
    });
}
