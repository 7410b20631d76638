use std::collections::HashMap;
use std::net::Ipv4Addr;

use weir_base::net::Addr16;

use super::event::{Held, Login, Mapping, NatEvent, Status, What};
use super::*;
use crate::plan::{Faults, Mode, Plan, Profile};

#[derive(Clone, Debug)]
struct Life {
    realm: usize,
    mapping: Mapping,
    account: String,
    start: i64,
    end: Option<i64>,
}

#[derive(Default)]
struct Book {
    events: Vec<(usize, NatEvent)>,
    requests: Vec<(usize, Accounting)>,
    lives: Vec<Life>,
    logins: Vec<(usize, Login, Option<i64>)>,
}

impl Outlet for Book {
    fn nat(&mut self, realm: usize, event: &NatEvent) -> Result<(), SimError> {
        self.events.push((realm, *event));
        Ok(())
    }
    fn accounting(&mut self, realm: usize, request: Accounting) -> Result<(), SimError> {
        self.requests.push((realm, request));
        Ok(())
    }
    fn mapping_truth(&mut self, realm: usize, held: &Held<'_>) -> Result<(), SimError> {
        let account = held.login.account.clone();
        self.lives.push(Life { realm, mapping: *held.mapping, account, start: held.start, end: held.end });
        Ok(())
    }
    fn login_truth(&mut self, realm: usize, login: &Login, end: Option<i64>) -> Result<(), SimError> {
        self.logins.push((realm, login.clone(), end));
        Ok(())
    }
}

fn run(plan: &Plan) -> (Book, Tally) {
    let (mut world, mut book) = (World::new(plan).unwrap(), Book::default());
    world.advance(plan.length_ms().unwrap_or(0), &mut book).unwrap();
    world.finish(&mut book).unwrap();
    (book, world.tally())
}

fn history(profile: Profile, seed: u64, rate: u32, ms: i64) -> Plan {
    let mut plan = Plan::new(profile, seed);
    plan.rate = rate;
    if let Mode::Fast { history_ms, .. } = &mut plan.mode {
        *history_ms = ms;
    }
    plan
}

fn plans() -> Vec<Plan> {
    let mut full = history(Profile::Isp, 3, 3_000, 20_000);
    (full.bib, full.bindings) = (true, true);
    full.faults.nas_reboots.push(("bras-north".into(), 9_000));
    let mut reuse = history(Profile::Isp, 5, 3_000, 20_000);
    (reuse.reuse, reuse.bindings) = (true, true);
    let mut hotel = history(Profile::Hotel, 6, 2_000, 20_000);
    hotel.reuse = true;
    vec![
        history(Profile::Small, 1, 2_000, 20_000),
        history(Profile::Hotel, 2, 1_000, 20_000),
        history(Profile::School, 4, 2_000, 20_000),
        full,
        reuse,
        hotel,
    ]
}

/// A public address, its first and last port, the protocol, and the remote end where that tells holders apart.
type Port = (u32, u16, u16, u8, Option<(Ipv4Addr, u16)>);

#[test]
fn no_public_port_has_two_holders_at_once_and_freed_ones_rest() {
    for plan in plans() {
        let (book, _) = run(&plan);
        assert!(book.lives.len() > 3_000, "{}", book.lives.len());
        let hotel = plan.profile == Profile::Hotel;
        let mut by_port: HashMap<Port, Vec<&Life>> = HashMap::new();
        for life in &book.lives {
            let m = &life.mapping;
            // An overloaded port is told apart by its remote end.
            let remote = hotel.then_some((m.destination, m.destination_port));
            by_port.entry((u32::from(m.public), m.port, m.port_end, m.protocol, remote)).or_default().push(life);
        }
        let (mut quick, mut strangers) = (0, 0);
        for lives in by_port.values_mut() {
            lives.sort_by_key(|l| l.start);
            for pair in lives.windows(2) {
                let gap = pair[1].start - pair[0].end.expect("an open mapping is the last of its port");
                assert!(gap >= if plan.reuse { 1 } else { plan.hold_ms }, "{pair:?}");
                quick += usize::from(gap <= 20);
                strangers += usize::from(gap <= 20 && pair[0].account != pair[1].account);
            }
        }
        if plan.reuse && !hotel {
            assert!(quick > 100 && strangers > 10, "ports pass on within milliseconds: {quick}, to others: {strangers}");
        } else if !plan.reuse {
            assert_eq!(quick, 0);
        }
    }
}

#[test]
fn a_linux_box_gives_one_port_to_several_guests_towards_different_remotes() {
    let (book, _) = run(&history(Profile::Hotel, 2, 1_000, 20_000));
    let mut by_port: HashMap<(u16, u8), Vec<&Life>> = HashMap::new();
    book.lives.iter().for_each(|l| by_port.entry((l.mapping.port, l.mapping.protocol)).or_default().push(l));
    let both = |a: &Life, b: &Life| a.account != b.account && a.start < b.end.unwrap_or(i64::MAX) && b.start < a.end.unwrap_or(i64::MAX);
    let shared = by_port.values().filter(|lives| lives.iter().any(|a| lives.iter().any(|b| both(a, b)))).count();
    assert!(shared > 200, "{shared}");
}

#[test]
fn a_mapping_lives_within_its_holders_session() {
    for plan in plans() {
        let (book, tally) = run(&plan);
        assert_eq!(book.logins.len() as u64, tally.sessions);
        for life in &book.lives {
            let found = book.logins.iter().any(|(realm, l, end)| {
                let ends = end.is_none_or(|end| life.end.is_some_and(|e| e <= end));
                *realm == life.realm && l.account == life.account && l.start <= life.start && ends && has(l, life.mapping.inside)
            });
            assert!(found, "{life:?}");
        }
    }
}

fn has(login: &Login, address: Addr16) -> bool {
    login.framed.map(Addr16::from) == Some(address) || login.prefix.is_some_and(|p| p.contains(address))
}

#[test]
fn an_address_has_one_subscriber_at_a_time_in_a_realm_and_passes_on_within_milliseconds() {
    for plan in plans() {
        let (book, _) = run(&plan);
        type Span<'s> = (i64, Option<i64>, &'s str);
        let mut by_address: HashMap<(usize, String), Vec<Span<'_>>> = HashMap::new();
        for (realm, l, end) in &book.logins {
            let held = [l.framed.map(|a| a.to_string()), l.prefix.map(|p| p.to_string()), l.delegated.map(|p| p.to_string())];
            for address in held.into_iter().flatten() {
                by_address.entry((*realm, address)).or_default().push((l.start, *end, &l.account));
            }
        }
        let mut quick = 0;
        for spans in by_address.values_mut() {
            spans.sort_unstable();
            for pair in spans.windows(2) {
                let gap = pair[1].0 - pair[0].1.expect("an open session is the last of its address");
                assert!(gap >= 0, "{pair:?}");
                quick += usize::from(gap <= 20 && pair[0].2 != pair[1].2);
            }
        }
        assert!(quick > 5, "addresses pass to others within milliseconds: {quick}");
    }
}

#[test]
fn every_event_and_request_agrees_with_the_truth() {
    for plan in plans() {
        let (book, tally) = run(&plan);
        let mut expected: Vec<(i64, u8, u32, u16)> = Vec::new();
        for life in &book.lives {
            let m = &life.mapping;
            expected.push((life.start, m.what.nat_event(true), m.public.into(), m.port));
            expected.extend(life.end.map(|end| (end, m.what.nat_event(false), m.public.into(), m.port)));
        }
        let said = |(_, e): &(usize, NatEvent)| (e.at, e.mapping.what.nat_event(e.create), e.mapping.public.into(), e.mapping.port);
        assert!(book.events.windows(2).all(|w| w[0].1.at <= w[1].1.at), "events come in the order of time");
        let mut got: Vec<(i64, u8, u32, u16)> = book.events.iter().map(said).collect();
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected);
        assert_eq!(tally.events, got.len() as u64);
        let count = |status| book.requests.iter().filter(|(_, r)| r.status == status).count();
        assert_eq!(count(Status::Start), book.logins.len());
        let reboots = plan.faults.nas_reboots.len();
        assert_eq!(count(Status::On), reboots);
        let ended = book.logins.iter().filter(|l| l.2.is_some()).count();
        if reboots == 0 {
            assert_eq!(count(Status::Stop), ended);
        } else {
            assert!(ended - count(Status::Stop) > 300, "sessions without a Stop");
        }
        // A log line of a lease is never late.
        assert_eq!(book.requests.iter().any(|(_, r)| r.delay_s > 0), plan.profile != Profile::Hotel);
        assert!(count(Status::Interim) > 0);
    }
}

#[test]
fn the_three_nats_of_an_isp_log_what_they_should() {
    let mut plan = history(Profile::Isp, 9, 4_000, 20_000);
    (plan.bib, plan.bindings) = (true, true);
    let (book, _) = run(&plan);
    let kinds = |realm: usize| {
        let mut kinds: Vec<u8> = book.events.iter().filter(|e| e.0 == realm).map(|(_, e)| e.mapping.what.nat_event(e.create)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(0), [4, 5, 6, 7, 8, 9, 10, 11, 14, 15]);
    assert_eq!(kinds(1), [16, 17]);
    assert_eq!(kinds(2), [4, 5, 8, 9, 14, 15]);
    let insides =
        |realm: usize| book.lives.iter().filter(|l| l.realm == realm).map(|l| l.mapping.inside).collect::<std::collections::HashSet<_>>();
    let shared = insides(0).intersection(&insides(1)).filter(|a| insides(2).contains(a)).count();
    assert!(shared > 100, "the realms share inside addresses: {shared}");
    let protocols: std::collections::HashSet<u8> = book.lives.iter().map(|l| l.mapping.protocol).collect();
    assert!([1, 6, 17].iter().all(|p| protocols.contains(p)));
    assert!(book.lives.iter().all(|l| l.mapping.what != What::Session64 || !l.mapping.inside.is_v4()));
    let volumes = book.requests.iter().filter(|(_, r)| r.octets_out > u64::from(u32::MAX)).count();
    assert!(volumes > 10, "Gigawords: {volumes}");
}

#[test]
fn the_rate_and_the_number_of_events_are_kept() {
    for (profile, rate) in [(Profile::Small, 100), (Profile::Small, 1_000), (Profile::Isp, 5_000)] {
        let plan = history(profile, 4, rate, 30_000);
        let (book, tally) = run(&plan);
        let late = book.events.iter().filter(|(_, e)| e.at >= 10_000).count() as f64 / 20.0;
        assert!((late / f64::from(rate) - 1.0).abs() < 0.06, "{profile:?} {rate}: {late} events a second");
        assert!(tally.exhausted < tally.events / 20, "{tally:?}");
    }
    let mut plan = history(Profile::Small, 4, 1_000, 30_000);
    plan.events = Some(2_000);
    assert_eq!(run(&plan).1.events, 2_000);
}

#[test]
fn a_seed_gives_one_history_and_faults_do_not_change_it() {
    let plan = history(Profile::Isp, 11, 2_000, 8_000);
    let mut faulty = plan.clone();
    faulty.faults = Faults { loss: 0.3, duplicates: 0.1, reorder: 9, clock_offsets: vec![("cgn-a".into(), 900)], ..Faults::default() };
    let (a, b, c) = (run(&plan).0, run(&faulty).0, run(&history(Profile::Isp, 12, 2_000, 8_000)).0);
    assert_eq!(a.events, b.events);
    assert_eq!(a.requests, b.requests);
    assert_ne!(a.events, c.events);
}
