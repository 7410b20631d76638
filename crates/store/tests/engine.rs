//! The whole store on a simulated disk, against a model: what was acknowledged is found, before and after sealing, through crashes, lost
//! catalogs, lost indexes, repacking and full disks.

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{Action, NatEvent, RadiusSession};
use weir_record::sink::{Group, RecordSink, SinkError};
use weir_record::{Id, Kind};
use weir_store::catalog::Catalog;
use weir_testkit::{Rates, Rng, each_seed, runs};

use rig::{Harm, Rig, T0, event, inside, public};

#[test]
fn a_mapping_is_found_at_every_stage_of_its_life() {
    let mut rig = Rig::new();
    assert!(rig.open().unwrap().first_start);
    rig.register().unwrap();
    rig.send(&[event(rig.source, Action::Create, 4000, 1, T0)]).unwrap();
    assert_eq!(rig.holders(4000, T0 + 5), [inside(1)], "not sealed");
    rig.store().seal_now().unwrap();
    assert_eq!(rig.holders(4000, T0 + 5), [inside(1)], "sealed as open");
    rig.clock.advance(90_000);
    rig.send(&[event(rig.source, Action::Delete, 4000, 1, T0 + 80_000), event(rig.source, Action::Create, 4000, 2, T0 + 80_000)]).unwrap();
    assert_eq!(rig.holders(4000, T0 + 5), [inside(1)], "its end is not sealed");
    assert_eq!(rig.holders(4000, T0 + 80_001), [inside(2)]);
    rig.store().seal_now().unwrap();
    rig.send(&[event(rig.source, Action::Delete, 4000, 2, T0 + 85_000)]).unwrap();
    rig.store().flush_index().unwrap();
    for stage in ["flushed", "stopped and started", "crashed"] {
        assert_eq!(rig.holders(4000, T0 + 5), [inside(1)], "{stage}");
        assert_eq!(rig.holders(4000, T0 + 81_000), [inside(2)], "{stage}");
        assert_eq!(rig.holders(4000, T0 + 90_000), [], "{stage}");
        assert_eq!(rig.holders(4001, T0 + 5), [], "{stage}");
        if stage == "flushed" {
            rig.store().stop().unwrap();
            rig.drop_store();
        } else {
            rig.crash(3);
        }
        rig.open().unwrap();
    }
    assert_eq!(rig.store().sources_for(public()), [(rig.source, false)]);
}

#[test]
fn units_of_one_address_and_of_one_port_are_read_across_their_pages() {
    // Columns of one value have longer pages than others: an address in the first case, the port as well in the second, nearly all in the third.
    let cases: [fn(u16) -> (u16, u8); 3] = [|n| (2_000 + n, (n % 251) as u8), |n| (80, (n % 251) as u8), |_| (80, 1)];
    for (case, of) in cases.into_iter().enumerate() {
        let mut rig = Rig::new();
        rig.open().unwrap();
        rig.register().unwrap();
        let (mut open, many) = (Vec::new(), 20_000u16);
        for n in 0..many {
            let ((port, host), at) = (of(n), T0 + i64::from(n) * 20);
            open.extend([event(rig.source, Action::Create, port, host, at), event(rig.source, Action::Delete, port, host, at + 10)]);
        }
        rig.clock.advance(u64::from(many) * 20);
        open.chunks(5_000).for_each(|events| rig.send(events).unwrap());
        rig.store().seal_now().unwrap();
        for stage in ["sealed", "repacked"] {
            for n in (0..many).step_by(97).chain([2_047, 2_048, 8_191, 8_192, many - 1]) {
                let ((port, host), at) = (of(n), T0 + i64::from(n) * 20);
                assert_eq!(rig.holders(port, at + 5), [inside(host)], "{case} {n} {stage}");
                assert_eq!(rig.holders(port, at + 15), [], "{case} {n} {stage}");
            }
            rig.clock.advance(4 * 3_600_000);
            rig.store().repack(rig.clock.now()).unwrap();
        }
    }
}

#[derive(Default)]
struct Model {
    /// By port: host, start, end.
    mappings: BTreeMap<u16, Vec<(u8, i64, Option<i64>)>>,
}

impl Model {
    fn holders(&self, port: u16, at: i64) -> Vec<Addr16> {
        let list = self.mappings.get(&port).map_or(&[][..], Vec::as_slice);
        let mut out: Vec<_> = list.iter().filter(|(_, s, e)| *s <= at && e.is_none_or(|e| e >= at)).map(|(h, ..)| inside(*h)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// One step of the network: time goes on, some ports open, some close. The events are in the model only once they are acknowledged.
fn step(rig: &Rig, rng: &mut Rng, model: &mut Model) -> Result<(), SinkError> {
    rig.clock.advance(rng.below(40_000));
    let now = rig.clock.now().0;
    let mut events = Vec::new();
    let mut changes: Vec<(u16, u8, i64, Option<i64>)> = Vec::new();
    for _ in 0..=rng.below(6) {
        let port = 1000 + rng.below(8) as u16;
        if changes.iter().any(|(p, ..)| *p == port) {
            continue;
        }
        let open = model.mappings.get(&port).and_then(|l| l.last()).filter(|(.., e)| e.is_none()).copied();
        match open {
            Some((host, start, _)) => {
                let end = start.max(now - rng.below(1_000) as i64);
                events.push(event(rig.source, Action::Delete, port, host, end));
                changes.push((port, host, start, Some(end)));
            }
            None => {
                let last_end = model.mappings.get(&port).and_then(|l| l.last()).and_then(|(.., e)| *e).unwrap_or(0);
                let start = (now - rng.below(1_000) as i64).max(last_end + 1);
                let host = rng.below(200) as u8;
                events.push(event(rig.source, Action::Create, port, host, start));
                changes.push((port, host, start, None));
            }
        }
    }
    rng.shuffle(&mut events);
    rig.send(&events)?;
    for (port, host, start, end) in changes {
        let list = model.mappings.entry(port).or_default();
        match end {
            Some(_) => *list.last_mut().unwrap() = (host, start, end),
            None => list.push((host, start, None)),
        }
    }
    Ok(())
}

fn compare(rig: &Rig, rng: &mut Rng, model: &Model, questions: usize) {
    let now = rig.clock.now().0;
    for _ in 0..questions {
        let port = 1000 + rng.below(9) as u16;
        let at = T0 + rng.below((now - T0).max(1) as u64) as i64;
        let mut got = rig.holders(port, at);
        got.sort_unstable();
        got.dedup();
        assert_eq!(got, model.holders(port, at), "port {port} at T0+{}", at - T0);
    }
}

#[test]
fn soak_faults_engine_answers_like_a_model_through_crashes_and_rebuilding() {
    each_seed("engine", runs(8), |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::new();
        let mut model = Model::default();
        rig.open().unwrap();
        rig.register().unwrap();
        for _ in 0..=rng.below(12) + 4 {
            for _ in 0..rng.below(5) {
                step(&rig, &mut rng, &mut model).unwrap();
            }
            match rng.below(9) {
                0..=2 => drop(rig.store().seal_now().unwrap()),
                3 => rig.store().flush_index().unwrap(),
                4 => drop(rig.store().repack(Millis(i64::MAX)).unwrap()),
                5 => {
                    rig.store().stop().unwrap();
                    rig.drop_store();
                    rig.open().unwrap();
                }
                6 => {
                    let before = rig.store().units();
                    rig.crash(rng.next_u64());
                    rig.catalog.clear().unwrap();
                    rig.open().unwrap();
                    // The log tells all of it, to the window in which each unit answers for itself.
                    assert_eq!(rig.store().units(), before);
                }
                _ => {
                    rig.crash(rng.next_u64());
                    rig.open().unwrap();
                }
            }
            compare(&rig, &mut rng, &model, 12);
        }
    });
}

/// A session, its address, its begin and its end.
type Held = (Id, Addr16, i64, i64);

/// The events of sessions on four addresses, one after another on each: Start, updates, Stop, some of them twice.
fn accounting(rng: &mut Rng, source: u32) -> (Vec<RadiusSession>, Vec<Held>) {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    for host in 0..4 {
        let mut at = T0;
        for _ in 0..3 {
            let (id, addr) = (Id::random(), inside(host));
            let start = at + 1_000 + rng.below(60_000) as i64;
            let end = start + 5_000 + rng.below(200_000) as i64;
            let of = |status: u8, time: i64| RadiusSession {
                status,
                source,
                session: id,
                time: Millis(time),
                start: (status == 1).then_some(Millis(time)),
                start_certain: u8::from(status == 1),
                framed_ipv4: Some(addr),
                ..RadiusSession::default()
            };
            events.push(of(1, start));
            events.extend((0..rng.below(3)).map(|_| of(3, start + rng.below((end - start) as u64) as i64)));
            events.push(of(2, end));
            truth.push((id, addr, start, end));
            at = end + 1_000;
        }
    }
    let again: Vec<_> = (0..6).map(|_| events[rng.below(events.len() as u64) as usize].clone()).collect();
    events.extend(again);
    rng.shuffle(&mut events);
    (events, truth)
}

#[test]
fn soak_faults_sessions_in_any_order_end_where_they_ended_through_crashes_and_rebuilding() {
    each_seed("sessions", runs(8), |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::new();
        rig.open().unwrap();
        rig.register().unwrap();
        let (events, truth) = accounting(&mut rng, rig.source);
        rig.clock.advance(1_000_000);
        let mut named = BTreeSet::new();
        for chunk in events.chunks(4) {
            rig.clock.advance(rng.below(40_000));
            let batches = vec![(Kind::RadiusSession, RadiusSession::batch(chunk))];
            rig.store().commit(Group { batches, ..Group::new("radius") }).unwrap();
            match rng.below(8) {
                0..=2 => drop(rig.store().seal_now().unwrap()),
                3 => rig.store().flush_index().unwrap(),
                4 => drop(rig.store().repack(Millis(i64::MAX)).unwrap()),
                5 => {
                    rig.crash(rng.next_u64());
                    rig.catalog.clear().unwrap();
                    rig.open().unwrap();
                }
                6 => {
                    rig.crash(rng.next_u64());
                    rig.open().unwrap();
                }
                _ => {}
            }
            named.extend(chunk.iter().filter_map(|row| row.framed_ipv4));
            let lenders: Vec<_> = (0..5).map(|host| rig.store().lenders(inside(host)).unwrap().contains(&rig.source)).collect();
            assert_eq!(lenders, (0..5).map(|host| named.contains(&inside(host))).collect::<Vec<_>>());
        }
        let rounds = [false, true].into_iter().flat_map(|sealed| truth.iter().map(move |t| (sealed, t)));
        for (sealed, (id, addr, start, end)) in rounds {
            if sealed {
                rig.store().seal_now().unwrap();
            }
            for at in [start - 1, *start, start + 1, (start + end) / 2, end - 1, *end, end + 1] {
                let (found, _) = rig.store().sessions(None, *addr, Millis(at), Millis(at)).unwrap();
                let holds = (*start..=*end).contains(&at);
                let got: Vec<_> = found.iter().map(|s| (s.session.id, s.since.0, s.until.map(|t| t.0))).collect();
                let want: Vec<_> = holds.then_some((*id, *start, Some(*end))).into_iter().collect();
                assert_eq!(got, want, "{addr} at T0+{}", at - T0);
            }
        }
        assert_eq!(rig.store().health().open_sessions, 0);
    });
}

#[test]
fn soak_faults_nothing_acknowledged_is_lost_when_disk_and_catalog_fail() {
    each_seed("engine-faults", runs(8), |seed| {
        let mut rng = Rng::new(seed);
        let mut rig = Rig::new();
        rig.open().unwrap();
        rig.register().unwrap();
        // Each port is opened once, so that a create whose fate is unknown disturbs nobody else.
        let acked: Mutex<Vec<(u16, u8, i64)>> = Mutex::default();
        let mut port = 0u16;
        for _ in 0..3 {
            rig.disk.fail_by_chance(rng.next_u64(), Rates { error: 40, power_off: 0 });
            for _ in 0..12 {
                rig.clock.advance(rng.below(20_000));
                port += 1;
                let (host, now) = (rng.below(200) as u8, rig.clock.now().0);
                if rig.send(&[event(rig.source, Action::Create, port, host, now)]).is_ok() {
                    acked.lock().unwrap().push((port, host, now));
                }
                rig.catalog.harm([Harm::None, Harm::NoEffect, Harm::WithEffect][rng.below(3) as usize]);
                // May fail: what it did not do is tried again, and nothing is lost by it.
                match rng.below(8) {
                    0 | 1 => drop(rig.store().seal_now()),
                    2 => drop(rig.store().repack(Millis(i64::MAX))),
                    3 => drop(rig.store().flush_index()),
                    _ => {}
                }
            }
            rig.disk.heal();
            rig.catalog.harm(Harm::None);
            if rng.coin() {
                rig.store().seal_now().unwrap();
                for (port, host, at) in acked.lock().unwrap().iter() {
                    assert_eq!(rig.holders(*port, at + 1), [inside(*host)], "port {port}, before the power went");
                }
            }
            rig.crash(rng.next_u64());
            rig.open().unwrap();
            for (port, host, at) in acked.lock().unwrap().iter() {
                assert_eq!(rig.holders(*port, at + 1), [inside(*host)], "port {port}");
            }
        }
    });
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let mut rig = Rig::new();
    rig.open().unwrap();
    rig.register().unwrap();
    rig.disk.set_capacity(Some(rig.disk.used() + 4_096));
    let mut refused = None;
    let mut kept = 0u16;
    for port in 1..500 {
        match rig.send(&[event(rig.source, Action::Create, port, 1, T0)]) {
            Ok(()) => kept = port,
            Err(e) => {
                refused = Some(e);
                break;
            }
        }
    }
    assert_eq!(refused, Some(SinkError::Full));
    assert!(rig.store().health().full);
    assert!(rig.store().seal_now().is_err(), "there is no room for a unit either");
    rig.disk.set_capacity(None);
    rig.send(&[event(rig.source, Action::Create, 600, 2, T0)]).unwrap();
    assert!(!rig.store().health().full);
    rig.store().seal_now().unwrap();
    for port in [1, kept, 600] {
        assert_eq!(rig.holders(port, T0 + 1).len(), 1, "port {port}");
    }
    assert!(rig.disk.files().iter().any(|(p, _)| p.starts_with(Path::new("segments"))));
}

#[test]
fn what_an_end_tells_counts_whatever_became_of_the_creation() {
    each_seed("told", runs(20), |seed| {
        let (rng, mut rig) = (&mut Rng::new(seed), Rig::new());
        rig.open().unwrap();
        rig.register().unwrap();
        let (mut truth, mut late) = (Vec::<(u16, u8, i64, i64)>::new(), Vec::<NatEvent>::new());
        for _ in 0..30 {
            let begin = rig.clock.now().0;
            let (port, host, seen) = (1_000 + rng.below(4) as u16, rng.below(200) as u8, rng.below(3));
            let create = event(rig.source, Action::Create, port, host, begin);
            if seen == 0 {
                rig.send(std::slice::from_ref(&create)).unwrap();
            }
            rig.clock.advance(1_500 + rng.below(20_000));
            let end = rig.clock.now().0;
            if rng.below(4) == 0 {
                rig.store().seal_now().unwrap();
            }
            // In whole seconds, as most devices tell it.
            let told = event(rig.source, Action::Told, port, host, begin.div_euclid(1_000) * 1_000);
            let ends = [told, event(rig.source, Action::Delete, port, host, end)];
            rig.send(&ends).unwrap();
            truth.push((port, host, begin, end));
            if rng.below(3) == 0 {
                rig.store().seal_now().unwrap();
            }
            if rng.below(4) == 0 {
                rig.send(&ends).unwrap();
            }
            late.extend((seen == 1).then_some(create));
            // A creation is overtaken by what came seconds later, not more.
            if rng.below(2) == 0 {
                rig.send(&std::mem::take(&mut late)).unwrap();
            }
            rig.clock.advance(2_500);
            rig.send(&std::mem::take(&mut late)).unwrap();
        }
        for sealed in [false, true] {
            if sealed {
                rig.store().seal_now().unwrap();
            }
            for (port, host, begin, end) in &truth {
                for (at, want) in [(begin + 1, vec![inside(*host)]), (end - 1, vec![inside(*host)]), (end + 1_200, vec![])] {
                    let mut got = rig.holders(*port, at);
                    got.dedup();
                    assert_eq!(got, want, "port {port} at T0+{} (sealed {sealed})", at - T0);
                }
            }
        }
    });
}
