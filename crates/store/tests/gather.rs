//! Many small runs of the span index become few, and nothing that they hold is lost by it: not when the disk fails, not when the power goes.

mod rig;

use std::collections::BTreeMap;

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, Form, NatEvent};
use weir_store::catalog::{Catalog, RunMeta};
use weir_testkit::Fault;

use rig::{Rig, event, inside};

/// What a wide bucket is as wide as, and the levels within it are.
const WIDE_MS: i64 = 3_840_000;
const NARROW_MS: [i64; 2] = [60_000, 480_000];
/// Set in the level of a run of a wide bucket.
const WIDE: u8 = 128;

/// Who held the first port of a block, from when until when.
struct Held {
    port: u16,
    host: u8,
    from: i64,
    to: i64,
}

fn block(rig: &Rig, action: Action, held: &Held, time: i64) -> NatEvent {
    let (first, last) = (held.port, held.port + 63);
    let of = event(rig.source, action, first, held.host, time);
    NatEvent { form: Form::Block as u8, protocol: 0, public_port: first, public_port_last: last, inside_port: 0, ..of }
}

/// Some minutes; in each one block is held for seconds, in some one for minutes. All are spans of the index.
fn minutes(rig: &Rig, numbers: std::ops::Range<u16>, all: &mut Vec<Held>) {
    for number in numbers {
        let begin = rig.clock.now().0;
        let mut events = Vec::new();
        let host = (number % 250) as u8 + 1;
        let mut held = |port: u16, from: i64, to: i64| {
            let held = Held { port, host, from, to };
            events.extend([block(rig, Action::Create, &held, from), block(rig, Action::Delete, &held, to)]);
            all.push(held);
        };
        held(1_024 + number % 8 * 64, begin + 100, begin + 40_000);
        if number.is_multiple_of(3) {
            held(8_192 + number / 3 % 8 * 64, begin - 200_000, begin + 50_000);
        }
        if number.is_multiple_of(30) {
            held(16_384 + number / 30 % 4 * 64, begin - 1_000_000, begin + 55_000);
        }
        rig.clock.advance(60_000);
        events.sort_by_key(|event| event.time);
        rig.send(&events).unwrap();
        rig.store().seal_now().unwrap();
    }
}

fn begun() -> (Rig, Vec<Held>) {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    // To where a wide bucket begins.
    rig.clock.advance((WIDE_MS - rig.clock.now().0.rem_euclid(WIDE_MS)) as u64);
    (rig, Vec::new())
}

/// More than three wide buckets, each ten minutes a checkpoint.
fn hours(rig: &Rig, all: &mut Vec<Held>) {
    for ten in 0..20 {
        minutes(rig, ten * 10..ten * 10 + 10, all);
        rig.store().flush_index().unwrap();
    }
}

/// Everybody is found as long as he held his port, and nobody before and after.
fn all_right(rig: &Rig, all: &[Held], when: &str) {
    for (number, Held { port, host, from, to }) in all.iter().enumerate() {
        let others = |at: i64| -> Vec<Addr16> {
            let held = all.iter().filter(|other| other.port == *port && (other.from..=other.to).contains(&at));
            held.map(|other| inside(other.host)).collect()
        };
        for at in [*from, (from + to) / 2, *to] {
            let found = rig.holders(port + 7, at);
            assert_eq!(found, [inside(*host)], "{when}: {number} at {at}");
        }
        for at in [from - 1, to + 1] {
            assert_eq!(rig.holders(port + 7, at), others(at), "{when}: {number} beside it, at {at}");
        }
    }
}

fn runs(rig: &Rig) -> Vec<RunMeta> {
    rig.catalog.load().unwrap().runs
}

/// Narrow runs, and how many wide buckets of a level that are over have more than one; and wide ones.
fn narrow_and_wide(rig: &Rig) -> (usize, usize, usize) {
    let now = rig.clock.now().0.div_euclid(WIDE_MS);
    let (mut narrow, mut of) = (0, BTreeMap::new());
    let all = runs(rig);
    for run in all.iter().filter(|run| usize::from(run.level) < NARROW_MS.len()) {
        let wide = (run.bucket * NARROW_MS[usize::from(run.level)]).div_euclid(WIDE_MS);
        narrow += 1;
        *of.entry((run.level, wide)).or_insert(0) += 1;
    }
    let over = of.iter().filter(|((_, wide), runs)| *wide < now && **runs > 1).count();
    (narrow, over, all.iter().filter(|run| run.level & WIDE != 0).count())
}

#[test]
fn runs_of_an_hour_that_is_over_are_few() {
    let (mut rig, mut all) = begun();
    hours(&rig, &mut all);
    let (narrow, over, wide) = narrow_and_wide(&rig);
    // 200 minutes are three wide buckets and eight minutes, which have a run a minute, and one or two of eight minutes.
    assert_eq!((over, wide), (0, 6), "{:?}", runs(&rig));
    assert!(narrow <= 11, "{narrow}");
    let files = rig.disk.files().iter().filter(|(path, _)| path.starts_with("index/runs")).count();
    assert_eq!(files, runs(&rig).len(), "what was gathered is gone");
    all_right(&rig, &all, "gathered");
    rig.drop_store();
    assert_eq!(rig.open().unwrap().reindexed, 0);
    all_right(&rig, &all, "started again");
    rig.drop_store();
    rig.catalog.clear().unwrap();
    assert_eq!(rig.open().unwrap().reindexed, 0);
    assert_eq!(narrow_and_wide(&rig), (narrow, over, wide), "the index tells it as the catalog did");
    all_right(&rig, &all, "a lost catalog");
    // An index that is made again is gathered, too.
    rig.drop_store();
    rig.catalog.clear().unwrap();
    let state = rig.disk.files().into_iter().map(|(path, _)| path).find(|path| path.starts_with("index/state")).unwrap();
    rig.disk.shared().remove(&state).unwrap();
    assert!(rig.open().unwrap().reindexed >= 200);
    let (_, over, wide) = narrow_and_wide(&rig);
    assert_eq!((over, wide), (0, 6), "{:?}", runs(&rig));
    all_right(&rig, &all, "made again");
}

#[test]
fn a_clock_that_goes_back_hides_nothing() {
    let (mut rig, mut all) = begun();
    hours(&rig, &mut all);
    let before = narrow_and_wide(&rig).2;
    // What comes now is of an hour that was gathered.
    rig.drop_store();
    rig.clock.jump(Millis(rig.clock.now().0 - 2 * WIDE_MS));
    rig.open().unwrap();
    let now = rig.clock.now().0;
    for n in 0..3 {
        let held = Held { port: 32_768 + n * 64, host: 99, from: now + 100, to: now + 20_000 };
        rig.send(&[block(&rig, Action::Create, &held, held.from), block(&rig, Action::Delete, &held, held.to)]).unwrap();
        all.push(held);
        rig.clock.advance(60_000);
        rig.store().seal_now().unwrap();
    }
    rig.store().flush_index().unwrap();
    rig.clock.advance(4 * WIDE_MS as u64);
    minutes(&rig, 0..1, &mut all);
    rig.store().flush_index().unwrap();
    let (_, over, wide) = narrow_and_wide(&rig);
    assert_eq!(over, 0);
    assert!(wide > before, "{wide}");
    all_right(&rig, &all, "late ones");
}

/// Two runs of a minute and two of eight, in an hour that is over.
fn four_runs() -> (Rig, Vec<Held>) {
    let (rig, mut all) = begun();
    minutes(&rig, 0..1, &mut all);
    rig.clock.advance(NARROW_MS[1] as u64);
    minutes(&rig, 3..4, &mut all);
    rig.store().flush_index().unwrap();
    rig.clock.advance(WIDE_MS as u64);
    assert_eq!(narrow_and_wide(&rig).2, 0);
    (rig, all)
}

#[test]
fn a_disk_that_fails_while_runs_are_gathered_loses_nothing() {
    for fault in [Fault::NoEffect, Fault::PowerOffAfter] {
        let mut op = 0;
        loop {
            let (mut rig, all) = four_runs();
            let first = rig.disk.operations() + op;
            rig.disk.fail_at(first, fault);
            let done = rig.store().flush_index().is_ok() && rig.disk.operations() <= first;
            let when = format!("operation {op}, {fault:?}");
            if matches!(fault, Fault::NoEffect) {
                rig.disk.heal();
                all_right(&rig, &all, &when);
                rig.drop_store();
            } else {
                rig.crash(op);
            }
            rig.open().unwrap();
            all_right(&rig, &all, &when);
            rig.store().flush_index().unwrap();
            assert_eq!(narrow_and_wide(&rig).2, 2, "{when}");
            all_right(&rig, &all, &when);
            if done {
                break;
            }
            op += 1;
        }
        assert!(op > 10, "{op} operations");
    }
}

#[test]
fn a_run_that_does_not_read_keeps_no_other_from_being_gathered() {
    for harm in ["its first block", "its trailer", "gone"] {
        let (mut rig, mut all) = begun();
        minutes(&rig, 0..20, &mut all);
        rig.store().flush_index().unwrap();
        let reads_of_one = |rig: &Rig| {
            let before = rig.disk.reads();
            rig.store().flush_index().unwrap();
            rig.disk.reads() - before
        };
        let reads = reads_of_one(&rig);
        let bad = runs(&rig).into_iter().find(|run| run.level == 0).unwrap();
        match harm {
            "gone" => rig.disk.shared().remove(bad.file.as_ref()).unwrap(),
            _ => rig.disk.damage(bad.file.as_ref(), |bytes| {
                let at = if harm == "its trailer" { bytes.len() - 9 } else { 9 };
                bytes[at] ^= 1;
            }),
        }
        rig.clock.advance(WIDE_MS as u64);
        rig.store().flush_index().unwrap_or_else(|e| panic!("{harm}: {e}"));
        let trouble = rig.store().health().trouble.unwrap();
        assert!(trouble.contains(&bad.file) && trouble.contains("move the file away"), "{harm}: {trouble}");
        let (narrow, _, wide) = narrow_and_wide(&rig);
        assert_eq!((narrow, wide), (1, 2), "{harm}");
        assert!(runs(&rig).contains(&bad), "{harm}: it is asked as before");
        // It is not read again with each checkpoint.
        assert_eq!(reads_of_one(&rig), reads, "{harm}");
        // What to do is said; it is done.
        rig.drop_store();
        if harm != "gone" {
            rig.disk.shared().remove(bad.file.as_ref()).unwrap();
        }
        assert!(rig.open().unwrap().reindexed > 0, "{harm}");
        all_right(&rig, &all, harm);
        assert_eq!(rig.store().health().trouble, None);
    }
}

#[test]
fn a_read_that_fails_once_is_met_again() {
    let mut read = 0;
    loop {
        let (rig, all) = four_runs();
        let first = rig.disk.reads() + read;
        rig.disk.fail_read_at(first);
        let done = rig.store().flush_index().is_ok();
        if done && rig.disk.reads() <= first {
            break;
        }
        assert_eq!((done, rig.store().health().trouble), (false, None), "read {read}");
        rig.store().flush_index().unwrap();
        assert_eq!(narrow_and_wide(&rig).2, 2, "read {read}");
        all_right(&rig, &all, "met again");
        read += 1;
    }
    assert!(read > 8, "{read} reads");
}
