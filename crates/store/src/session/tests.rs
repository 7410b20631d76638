//! What sessions say after their events, in every order of arrival.

use std::borrow::Cow;

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::kinds::RadiusSession;

use crate::limits::SAME_EVENT_MS;
use crate::session::codec;
use crate::session::known::{Known, step};
use crate::session::merge::merge;
use crate::session::span::SessionSpan;
use crate::session::table::SessionTable;

const START: u8 = 1;
const STOP: u8 = 2;
const INTERIM: u8 = 3;

/// Times in tests are seconds, so that they stand apart from each other.
fn row(status: u8, second: i64, addr: &str) -> RadiusSession {
    RadiusSession {
        status,
        time: Millis(second * 1_000),
        session: Id([1; 16]),
        subscriber: Some(Id([9; 16])),
        start: (status == START).then_some(Millis(second * 1_000)),
        start_certain: u8::from(status == START),
        framed_ipv4: addr.parse().ok(),
        ..RadiusSession::default()
    }
}

fn inferred(second: i64, addr: &str) -> RadiusSession {
    RadiusSession { inferred: 1, ..row(STOP, second, addr) }
}

/// Address, since and until in seconds, inferred.
type Brief = (String, i64, Option<i64>, bool);

/// A store of sessions in small: what was written, and the table.
struct Bench {
    table: SessionTable,
    written: Vec<SessionSpan>,
    now: i64,
}

impl Bench {
    fn new() -> Bench {
        Bench { table: SessionTable::default(), written: Vec::new(), now: 0 }
    }

    fn of(rows: &[RadiusSession]) -> Bench {
        let mut bench = Bench::new();
        rows.iter().for_each(|r| bench.take(r));
        bench
    }

    fn take(&mut self, row: &RadiusSession) {
        self.now += 1;
        self.table.apply(row, Millis(self.now), &mut self.written);
    }

    /// What a question for this stretch finds: written spans that overlap it, and what the table knows.
    fn ask(&self, from: i64, to: i64) -> Vec<Brief> {
        let (from, to) = (Millis(from * 1_000), Millis(to * 1_000));
        let overlaps = |s: &&SessionSpan| s.since <= to && s.until.is_none_or(|u| u >= from);
        let mut found: Vec<SessionSpan> = self.written.iter().filter(overlaps).cloned().collect();
        found.extend(self.table.iter().flat_map(|(known, _)| known.spans()));
        let mut found = merge(found);
        found.retain(|s| overlaps(&s));
        found.iter().map(brief).collect()
    }

    fn all(&self) -> Vec<Brief> {
        self.ask(-1_000_000, 1_000_000)
    }

    fn is_open(&self) -> bool {
        self.table.open() > 0
    }
}

fn brief(s: &SessionSpan) -> Brief {
    (s.prefix.addr.to_string(), s.since.0 / 1_000, s.until.map(|t| t.0 / 1_000), s.session.inferred)
}

fn one(addr: &str, since: i64, until: i64) -> Vec<Brief> {
    vec![(addr.to_owned(), since, Some(until), false)]
}

const A: &str = "100.64.0.1";
const B: &str = "100.64.0.2";

#[test]
fn a_session_holds_its_address_from_start_to_stop() {
    let bench = Bench::of(&[row(START, 10, A), row(INTERIM, 20, A), row(STOP, 30, A)]);
    assert_eq!((bench.all(), bench.is_open()), (one(A, 10, 30), false));
    assert_eq!(bench.written.len(), 1, "nothing is written twice");
    assert_eq!(bench.table.ids_at(bench.written[0].prefix).count(), 1, "it is remembered");
}

#[test]
fn an_address_may_change_in_a_session() {
    let mut bench = Bench::of(&[row(START, 10, A), row(INTERIM, 20, B)]);
    let open = (B.to_owned(), 20, None, false);
    assert_eq!(bench.all(), [one(A, 10, 20)[0].clone(), open]);
    bench.take(&row(STOP, 30, B));
    assert_eq!(bench.all(), [one(A, 10, 20)[0].clone(), one(B, 20, 30)[0].clone()]);
}

#[test]
fn a_stop_alone_uses_the_start_it_names() {
    let bench = Bench::of(&[RadiusSession { start: Some(Millis(10_000)), ..row(STOP, 30, A) }]);
    assert_eq!((bench.all(), bench.is_open()), (one(A, 10, 30), false));
    let bench = Bench::of(&[row(7, 30, "")]);
    assert_eq!((bench.all(), bench.table.open(), bench.table.ended()), (vec![], 0, 0));
}

#[test]
fn what_comes_after_the_stop_opens_nothing() {
    let life = [row(START, 10, A), row(STOP, 30, A)];
    for (what, late) in [
        ("an update of an earlier second", row(INTERIM, 20, A)),
        ("an update of the same second", row(INTERIM, 30, A)),
        ("an update of a later second", row(INTERIM, 32, A)),
        ("the Start again", row(START, 10, A)),
        ("a Start a moment later", row(START, 32, A)),
        ("the Stop again", row(STOP, 30, A)),
        ("the Stop a moment earlier", row(STOP, 29, A)),
        ("an inferred end", inferred(40, A)),
    ] {
        let mut bench = Bench::of(&life);
        bench.take(&late);
        assert_eq!((bench.all(), bench.is_open()), (one(A, 10, 30), false), "{what}");
    }
}

#[test]
fn a_later_login_opens() {
    let later = 30 + SAME_EVENT_MS / 1_000 + 1;
    let life = [row(START, 10, A), row(STOP, 30, A)];
    let open = (A.to_owned(), later, None, false);
    for again in [row(START, later, A), RadiusSession { session: Id([2; 16]), ..row(START, later, A) }] {
        let mut bench = Bench::of(&life);
        bench.take(&again);
        assert_eq!(bench.all(), [one(A, 10, 30)[0].clone(), open.clone()]);
        // Late events of the first life belong to it.
        bench.take(&row(STOP, 30, A));
        bench.take(&row(INTERIM, 20, A));
        bench.take(&row(START, 10, A));
        assert_eq!(bench.all(), [one(A, 10, 30)[0].clone(), open.clone()]);
        bench.take(&RadiusSession { session: again.session, ..row(STOP, 50, A) });
        assert_eq!(bench.all(), [one(A, 10, 30)[0].clone(), one(A, later, 50)[0].clone()]);
    }
}

#[test]
fn an_inferred_end_gives_way_to_signs_of_life_and_to_the_true_stop() {
    let life = [row(START, 10, A), inferred(30, A)];
    let mut bench = Bench::of(&life);
    assert_eq!(bench.all(), [(A.to_owned(), 10, Some(30), true)]);
    let evidence = bench.written[0].session.last_evidence;
    assert_eq!(evidence, Millis(10_000), "nobody spoke of it where its end was inferred");
    let lasted = Bench::of(&[row(START, 10, A), RadiusSession { lasted: Some(Millis(28_000)), ..inferred(30, A) }]);
    assert_eq!(lasted.written[0].session.last_evidence, Millis(28_000), "its NAS spoke of others, and told no end of it");
    // An update from before it changes nothing but the evidence.
    bench.take(&row(INTERIM, 25, A));
    assert_eq!((bench.all(), bench.is_open()), (vec![(A.to_owned(), 10, Some(30), true)], false));
    // The true Stop was earlier: what was said of the time after it is taken back.
    let mut stopped = Bench::of(&life);
    stopped.take(&row(STOP, 25, A));
    assert_eq!((stopped.all(), stopped.ask(27, 29)), (one(A, 10, 25), vec![]));
    assert_eq!(stopped.ask(11, 12), one(A, 10, 25));
    // A later update opens it again, since when it began.
    bench.take(&row(INTERIM, 40, A));
    assert_eq!((bench.all(), bench.is_open()), (vec![(A.to_owned(), 10, None, false)], true));
    bench.take(&row(STOP, 50, A));
    assert_eq!((bench.all(), bench.ask(20, 21)), (one(A, 10, 50), one(A, 10, 50)));
    // Opened again, and then a Stop from before the inferred end.
    let mut back = Bench::of(&life);
    back.take(&row(INTERIM, 40, A));
    back.take(&row(STOP, 25, A));
    assert_eq!((back.all(), back.ask(26, 45)), (one(A, 10, 25), vec![]));
}

#[test]
fn a_start_that_comes_last_makes_the_beginning_certain() {
    let mut bench = Bench::of(&[row(STOP, 30, A)]);
    assert_eq!(bench.all(), one(A, 30, 30));
    bench.take(&row(START, 10, A));
    assert_eq!((bench.all(), bench.ask(15, 16)), (one(A, 10, 30), one(A, 10, 30)));
    // A computed beginning that was too early is taken back.
    let mut bench = Bench::of(&[RadiusSession { start: Some(Millis(5_000)), ..row(STOP, 30, A) }]);
    bench.take(&row(START, 10, A));
    assert_eq!((bench.ask(6, 8), bench.ask(12, 13)), (vec![], one(A, 10, 30)));
}

#[test]
fn several_prefixes_of_different_sorts_stand_together() {
    let mut start = row(START, 10, A);
    (start.framed_prefix, start.framed_prefix_bits) = ("2001:db8:0:1::".parse().ok(), Some(64));
    (start.delegated_prefix, start.delegated_prefix_bits) = ("2001:db8:1::".parse().ok(), Some(60));
    let bench = Bench::of(&[start, row(STOP, 30, A)]);
    let found = bench.all();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|(_, since, until, _)| (*since, *until) == (10, Some(30))), "{found:?}");
}

#[test]
fn what_is_remembered_has_limits() {
    let mut table = SessionTable::with_limits(3, 1_000);
    let mut out = Vec::new();
    let of = |n: u8, r: RadiusSession| RadiusSession { session: Id([n; 16]), ..r };
    for n in 0..10 {
        table.apply(&of(n, row(STOP, 30, A)), Millis(i64::from(n)), &mut out);
    }
    table.apply(&of(10, row(START, 10, A)), Millis(10), &mut out);
    assert_eq!((table.ended(), table.open()), (3, 1));
    assert!(table.get(Id([6; 16])).is_none() && table.get(Id([7; 16])).is_some());
    // A late event of a remembered one keeps its place.
    table.apply(&of(7, row(INTERIM, 20, A)), Millis(11), &mut out);
    table.apply(&of(11, row(STOP, 30, A)), Millis(12), &mut out);
    assert!(table.get(Id([7; 16])).is_none() && table.get(Id([8; 16])).is_some());
    table.apply(&of(12, row(STOP, 30, A)), Millis(1_011), &mut out);
    assert_eq!((table.ended(), table.open()), (2, 1), "the older ones are forgotten by time");
}

#[test]
fn changes_of_address_in_one_session_are_bounded() {
    let addr = |n: i64| format!("100.64.1.{}", n % 200);
    let mut bench = Bench::of(&[row(START, 0, &addr(0))]);
    for n in 1..100 {
        bench.take(&row(INTERIM, n * 10, &addr(n)));
    }
    bench.take(&row(STOP, 1_000, &addr(99)));
    let (known, _) = bench.table.iter().next().unwrap();
    assert!(
        known.stretches.len() <= crate::limits::STRETCHES_A_SESSION && known.said.len() < 32,
        "{} {}",
        known.stretches.len(),
        known.said.len()
    );
    for n in 0..100 {
        assert_eq!(bench.ask(n * 10 + 4, n * 10 + 5), one(&addr(n), n * 10, n * 10 + 10), "{n}");
    }
    assert_eq!(bench.written.len(), 100, "each once");
}

/// A session with its events in true order: Start, updates (with one change of address), Stop, some of them twice.
fn life() -> impl Strategy<Value = Vec<RadiusSession>> {
    let updates = proptest::collection::vec(1i64..400, 0..6);
    (1i64..50, updates, 1i64..60, any::<bool>(), any::<u64>(), any::<bool>()).prop_map(|(start, gaps, last, moves, twice, v6)| {
        let mut rows = vec![row(START, start, A)];
        let mut at = start;
        for (i, gap) in gaps.iter().enumerate() {
            at += gap;
            rows.push(row(INTERIM, at, if moves && i >= 2 { B } else { A }));
        }
        let addr = if moves && gaps.len() > 2 { B } else { A };
        rows.push(row(STOP, at + last, addr));
        if v6 {
            for r in &mut rows {
                (r.delegated_prefix, r.delegated_prefix_bits) = ("2001:db8:1::".parse().ok(), Some(56));
            }
        }
        let again: Vec<_> = rows.iter().enumerate().filter(|(i, _)| twice >> i & 1 == 1).map(|(_, r)| r.clone()).collect();
        rows.extend(again);
        rows
    })
}

fn shuffled(rows: &[RadiusSession], keys: &[u64]) -> Vec<RadiusSession> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|i| keys.get(*i).copied().unwrap_or(0));
    order.into_iter().map(|i| rows[i].clone()).collect()
}

/// What a question finds while some of the events have gone over into the index and all of them are there still as not sealed.
fn asked_meanwhile(some: &[RadiusSession], all: &[RadiusSession]) -> Vec<Brief> {
    let index = Bench::of(some);
    let mut found = index.written.clone();
    let mut known: Option<Known> = index.table.get(Id([1; 16])).map(Cow::into_owned);
    let mut all = all.to_vec();
    all.sort_by_key(|r| r.time);
    for r in &all {
        known = step(known, r, &mut found);
    }
    found.extend(known.iter().flat_map(Known::spans));
    merge(found).iter().map(brief).collect()
}

#[test]
fn events_that_are_told_twice_while_they_go_over_say_nothing_new() {
    let rows = [
        row(START, 0, A),
        row(INTERIM, 20, B),
        row(STOP, 50, B),
        row(START, 100, A),
        inferred(150, A),
        row(INTERIM, 170, A),
        row(STOP, 190, A),
        row(START, 300, B),
    ];
    for cut in 0..=rows.len() {
        assert_eq!(asked_meanwhile(&rows[..cut], &rows), Bench::of(&rows).all(), "{cut}");
    }
}

proptest! {
    /// Whatever the order of arrival, the same spans are found, for the whole time and for every moment of it; and a look-up in the midst
    /// of it, where some events are sealed and some not, finds them too.
    #[test]
    fn every_order_of_arrival_tells_the_same(rows in life(), keys in proptest::collection::vec(any::<u64>(), 16), cut in 0usize..16) {
        let straight = Bench::of(&rows);
        let other = shuffled(&rows, &keys);
        let mixed = Bench::of(&other);
        prop_assert!(!mixed.is_open());
        prop_assert_eq!(mixed.all(), straight.all());
        let last = rows.iter().map(|r| r.time.0 / 1_000).max().unwrap_or(0);
        for at in (0..=last + 3).step_by(7) {
            prop_assert_eq!(mixed.ask(at, at), straight.ask(at, at), "at {}", at);
        }
        let (sealed, live) = other.split_at(cut.min(other.len()));
        let before = Bench::of(sealed);
        let mut found = before.written.clone();
        let mut known: Option<Known> = before.table.get(Id([1; 16])).map(Cow::into_owned);
        for r in live {
            known = step(known, r, &mut found);
        }
        found.extend(known.iter().flat_map(Known::spans));
        let briefs: Vec<Brief> = merge(found).iter().map(brief).collect();
        prop_assert_eq!(briefs, straight.all());
        prop_assert_eq!(asked_meanwhile(sealed, &other), straight.all());
    }

    /// What a snapshot keeps is what was known, cut bytes are refused, and a table that comes back goes on as before.
    #[test]
    fn sessions_come_back_from_a_snapshot(rows in life(), keys in proptest::collection::vec(any::<u64>(), 16), cut in 0usize..16) {
        let rows = shuffled(&rows, &keys);
        let (first, rest) = rows.split_at(cut.min(rows.len()));
        let mut straight = Bench::of(first);
        let mut back = Bench { table: SessionTable::default(), written: straight.written.clone(), now: straight.now };
        for (known, ended) in straight.table.iter() {
            let bytes = codec::encode(&known, ended);
            let read = codec::decode(&bytes);
            prop_assert_eq!(read.as_ref().map(|(k, e)| (k, *e)), Some((&*known, ended)));
            for cut in 0..bytes.len() {
                prop_assert_eq!(codec::decode(&bytes[..cut]), None, "cut at {}", cut);
            }
            if let Some((known, ended)) = read {
                back.table.insert(known, ended);
            }
        }
        for r in rest {
            straight.take(r);
            back.take(r);
        }
        prop_assert_eq!(back.all(), straight.all());
        prop_assert_eq!(back.written, straight.written);
    }
}
