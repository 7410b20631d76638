//! The table against sequences of events and dumps, and against a model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::kinds::{Action, NatEvent};

use crate::conntrack::message::{Connection, Ends, Tuple, What};
use crate::conntrack::table::{Out, Shown, Table, Told};

/// A connection of host `host` (its last octet) from `port` to remote `remote`, public port the same.
fn conn(what: What, host: u8, port: u16, remote: u8, id: u32) -> Connection {
    let (inside, far, public) = (Addr16::v4([100, 64, 0, host]), Addr16::v4([198, 51, 100, remote]), Addr16::v4([203, 0, 113, 1]));
    let original = Tuple { source: inside, destination: far, protocol: 17, source_port: port, destination_port: 53 };
    let reply = Tuple { source: far, destination: public, protocol: 17, source_port: 53, destination_port: port };
    Connection { what, id, zone: 0, dying: false, original, reply, start: None, stop: None, event: None }
}

fn without_remote(e: &Ends) -> Told {
    Told {
        protocol: e.protocol,
        public: e.public,
        public_port: e.public_port,
        inside: e.inside,
        inside_port: e.inside_port,
        ..Told::default()
    }
}

fn with_remote(e: &Ends) -> Told {
    Told { remote: e.remote, remote_port: e.remote_port, ..without_remote(e) }
}

fn rows(out: &mut Out) -> Vec<(u8, i64)> {
    std::mem::take(&mut out.rows).iter().map(|r| (r.action, r.time.0)).collect()
}

const CREATE: u8 = Action::Create as u8;
const DELETE: u8 = Action::Delete as u8;
const GONE: u8 = Action::Gone as u8;

#[test]
fn a_mapping_lasts_from_its_first_connection_to_its_last() {
    let (mut t, mut out) = (Table::new(1, 10), Out::default());
    t.take(&conn(What::New, 11, 4_000, 1, 1), without_remote, Millis(10), &mut out);
    t.take(&conn(What::New, 11, 4_000, 2, 2), without_remote, Millis(10), &mut out);
    t.take(&conn(What::Destroy, 11, 4_000, 1, 1), without_remote, Millis(20), &mut out);
    assert_eq!(rows(&mut out), [(CREATE, 10)]);
    t.take(&conn(What::Destroy, 11, 4_000, 2, 2), without_remote, Millis(30), &mut out);
    assert_eq!(rows(&mut out), [(DELETE, 30)]);
    // With the remote end kept they are two.
    t.take(&conn(What::New, 11, 4_000, 1, 1), with_remote, Millis(40), &mut out);
    t.take(&conn(What::New, 11, 4_000, 2, 2), with_remote, Millis(40), &mut out);
    assert_eq!(rows(&mut out), [(CREATE, 40), (CREATE, 40)]);
}

#[test]
fn the_kernels_times_count_more_than_ours_and_an_end_is_never_before_its_begin() {
    let (mut t, mut out) = (Table::new(1, 10), Out::default());
    let new = Connection { event: Some(Millis(7)), ..conn(What::New, 11, 4_000, 1, 1) };
    t.take(&new, without_remote, Millis(10), &mut out);
    let end = Connection { stop: Some(Millis(9)), event: Some(Millis(15)), ..conn(What::Destroy, 11, 4_000, 1, 1) };
    t.take(&end, without_remote, Millis(20), &mut out);
    t.take(&conn(What::New, 11, 4_000, 1, 2), without_remote, Millis(30), &mut out);
    t.take(&Connection { id: 2, stop: Some(Millis(29)), ..end }, without_remote, Millis(40), &mut out);
    assert_eq!(rows(&mut out), [(CREATE, 7), (DELETE, 9), (CREATE, 30), (DELETE, 30)]);
}

#[test]
fn a_pass_finds_what_was_not_told_and_ends_what_is_gone() {
    let (mut t, mut out) = (Table::new(1, 10), Out::default());
    for host in [11, 12] {
        t.take(&conn(What::New, host, 4_000, host, u32::from(host)), with_remote, Millis(10), &mut out);
    }
    rows(&mut out);
    t.begin_pass();
    let entry =
        |host: u8, start: Option<i64>| Connection { start: start.map(Millis), ..conn(What::Entry, host, 4_000, host, u32::from(host)) };
    t.take(&entry(11, None), with_remote, Millis(50), &mut out);
    t.take(&entry(13, Some(5)), with_remote, Millis(50), &mut out);
    t.take(&entry(14, None), with_remote, Millis(50), &mut out);
    t.take(&Connection { dying: true, ..entry(15, None) }, with_remote, Millis(50), &mut out);
    // Its event was only on its way.
    t.take(&entry(16, None), with_remote, Millis(50), &mut out);
    t.take(&conn(What::New, 16, 4_000, 16, 16), with_remote, Millis(51), &mut out);
    assert_eq!(rows(&mut out), [(CREATE, 51)]);
    let shown = t.end_pass(Millis(60), &mut out);
    assert_eq!(shown, Shown { found: 2, earliest: Some(Millis(5)), gone: 1 });
    let mut all = rows(&mut out);
    all.sort_unstable();
    // Of one the kernel knows the begin; of the other an end without a begin says that it is not known.
    assert_eq!(all, [(CREATE, 5), (CREATE, 60), (DELETE, 59), (GONE, 60)]);
    assert_eq!(t.len(), 4);
}

#[test]
fn the_same_ends_under_another_number_end_the_one_before() {
    let (mut t, mut out) = (Table::new(1, 10), Out::default());
    t.take(&conn(What::New, 11, 4_000, 1, 1), with_remote, Millis(10), &mut out);
    t.take(&conn(What::New, 11, 4_000, 1, 2), with_remote, Millis(20), &mut out);
    t.take(&conn(What::New, 11, 4_000, 1, 2), with_remote, Millis(21), &mut out);
    t.take(&conn(What::Destroy, 11, 4_000, 1, 1), with_remote, Millis(22), &mut out);
    assert_eq!(rows(&mut out), [(CREATE, 10), (GONE, 20), (CREATE, 20)]);
    t.begin_pass();
    t.take(&conn(What::Entry, 11, 4_000, 1, 3), with_remote, Millis(30), &mut out);
    assert_eq!(t.end_pass(Millis(40), &mut out).found, 1);
    assert_eq!(rows(&mut out), [(GONE, 30), (DELETE, 39), (CREATE, 40)]);
}

#[test]
fn an_end_nobody_saw_begin_says_what_the_kernel_knows() {
    let (mut t, mut out) = (Table::new(1, 10), Out::default());
    t.take(&conn(What::Destroy, 11, 4_000, 1, 1), with_remote, Millis(30), &mut out);
    let known = Connection { start: Some(Millis(5)), ..conn(What::Destroy, 12, 4_000, 1, 1) };
    t.take(&known, with_remote, Millis(30), &mut out);
    assert_eq!(rows(&mut out), [(DELETE, 30), (CREATE, 5), (DELETE, 30)]);
    assert!(t.is_empty() && out.state.is_empty());
}

#[test]
fn what_does_not_fit_is_counted_and_what_is_not_translated_too() {
    let (mut t, mut out) = (Table::new(1, 2), Out::default());
    for host in 11..15 {
        t.take(&conn(What::New, host, 4_000, 1, u32::from(host)), with_remote, Millis(10), &mut out);
    }
    assert_eq!((t.len(), out.overflow, t.is_full()), (2, 2, true));
    let mut plain = conn(What::New, 20, 4_000, 1, 20);
    plain.reply.destination = plain.original.source;
    t.take(&plain, with_remote, Millis(10), &mut out);
    assert_eq!((out.untranslated, t.len()), (1, 2));
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![3 => Just(What::New), 3 => Just(What::Destroy), 1 => Just(What::Update), 2 => Just(What::Entry)]
}

proptest! {
    /// Whatever comes in whatever order: begins and ends of every mapping alternate in what is told, the state is the table, and a restart
    /// from the state goes on where it was.
    #[test]
    fn begins_and_ends_alternate(steps in proptest::collection::vec((what(), 11u8..14, 0u16..3, 1u8..3, 1u32..4, 0u8..8), 0..120), keep in any::<bool>()) {
        let told = if keep { with_remote } else { without_remote };
        let (mut t, mut out, mut now) = (Table::new(1, 1_000), Out::default(), 1_000);
        for (w, host, port, remote, id, pass) in steps {
            now += 1;
            match pass {
                0 => t.begin_pass(),
                1 => drop(t.end_pass(Millis(now), &mut out)),
                _ => {}
            }
            t.take(&conn(w, host, 4_000 + port, remote, id), told, Millis(now), &mut out);
        }
        let mut open: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        for r in &out.rows {
            let e = open.entry(end_of(r)).or_default();
            if r.action == CREATE {
                prop_assert_eq!(*e, 0, "it began twice");
                *e = 1;
            } else {
                // An end without a begin says that the begin is not known.
                *e = 0;
            }
        }
        let mut state: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for put in out.state {
            match put.value {
                Some(value) => drop(state.insert(put.key, value)),
                None => drop(state.remove(&put.key)),
            }
        }
        let mut back = Table::new(1, 1_000);
        prop_assert!(state.iter().all(|(k, v)| back.load(k, v)));
        prop_assert_eq!(back.len(), t.len());
        // An empty dump ends everything that was told of, once.
        let mut rest = Out::default();
        back.begin_pass();
        back.end_pass(Millis(now + 1), &mut rest);
        prop_assert_eq!(rest.rows.len(), open.values().filter(|n| **n == 1).count());
        prop_assert!(rest.rows.iter().all(|r| r.action == GONE));
    }

    #[test]
    fn broken_state_is_dropped(value in proptest::collection::vec(any::<u8>(), 0..100), cut in any::<bool>()) {
        let mut t = Table::new(1, 10);
        let key = [&b"c"[..], &[7; 16]].concat();
        let loaded = t.load(&key, &value);
        prop_assert_eq!(loaded, value.len() == 76 && value[0] == 1);
        let short = if cut { 5 } else { 0 };
        prop_assert!(!t.load(&key[..short], &value));
    }
}

fn end_of(r: &NatEvent) -> Vec<u8> {
    let ports = [r.public_port.to_be_bytes(), r.inside_port.to_be_bytes(), r.remote_port.to_be_bytes()].concat();
    [&r.inside_address.0[..], &r.remote_address.0, &ports].concat()
}
