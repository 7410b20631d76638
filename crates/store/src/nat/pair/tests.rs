//! Tables of event sequences and the mappings they make.

use super::*;
use crate::nat::mapping::{Remote, RowRef};
use crate::nat::open::Open;
use weir_base::net::Addr16;
use weir_record::kinds::Form;

fn event(create: bool, host: u8, time: i64) -> Event {
    Event {
        time: Millis(time),
        inferred: false,
        create,
        form: Form::Session,
        protocol: 6,
        source: 1,
        public: Addr16::v4([203, 0, 113, 7]),
        first: 4000,
        last: 4000,
        inside: Addr16::v4([100, 64, 0, host]),
        inside_port: 5000,
        remote: Remote::default(),
    }
}

/// `c1@5` is "host 1 created at 5", `d1@9` its deletion, `t1@5` what its end tells of its beginning; results are `host start-end type`, `?` for an end not
/// seen, `!` where only the end told.
fn check_with(
    input: &str,
    open: &OpenTable,
    orphans: &Orphans,
    lost: &dyn Fn(u32, Millis, Millis) -> bool,
    overloads: bool,
    want: &[&str],
) {
    let mut events: Vec<Event> = input
        .split_whitespace()
        .map(|word| {
            let (host, time) = word[1..].split_once('@').unwrap();
            let e = event(!word.starts_with('d'), host.parse().unwrap(), time.parse().unwrap());
            Event { inferred: word.starts_with('t'), ..e }
        })
        .collect();
    let cx = Context { open, orphans, lost_between: lost, overloads: &|_| overloads };
    let time = |t: Option<Millis>| t.map_or("?".to_owned(), |t| t.0.to_string());
    let mut got: Vec<String> = pair(&mut events, &cx)
        .iter()
        .map(|p| {
            let m = &p.mapping;
            let inferred = if m.flags & flags::END_INFERRED != 0 { "~" } else { "" };
            let told = if m.flags & flags::START_TOLD != 0 { "!" } else { "" };
            format!("{} {told}{}-{}{inferred} {:?}", m.inside.0[15], time(m.start), time(m.end), p.row_type)
        })
        .collect();
    got.sort();
    assert_eq!(got, want, "{input}");
}

fn check(input: &str, want: &[&str]) {
    check_with(input, &OpenTable::default(), &Orphans::default(), &|_, _, _| false, false, want);
}

#[test]
fn sequences() {
    check("", &[]);
    check("c1@5 d1@9", &["1 5-9 Whole"]);
    check("d1@9 c1@5", &["1 5-9 Whole"]);
    check("c1@5", &["1 5-? Open"]);
    check("d1@9", &["1 ?-9 Close"]);
    check("c1@5 c1@5 d1@9 d1@9", &["1 5-9 Whole"]);
    check("c1@5 d1@5", &["1 5-5 Whole"]);
    check("d1@5 c1@5", &["1 5-5 Whole"]);
    check("c1@5 d1@9 c2@9 d2@12", &["1 5-9 Whole", "2 9-12 Whole"]);
    check("c2@9 c1@5 d2@12 d1@9", &["1 5-9 Whole", "2 9-12 Whole"]);
    check("c1@5 c2@6 d2@7 d1@8", &["1 5-8 Whole", "2 6-7 Whole"]);
    check("c1@5 d2@7", &["1 5-? Open", "2 ?-7 Close"]);
    check("c1@5 c1@6 d1@8 d1@9", &["1 5-8 Whole", "1 6-9 Whole"]);
}

#[test]
fn an_end_is_inferred_only_after_a_loss_and_never_for_overloading_sources() {
    let (open, orphans) = (OpenTable::default(), Orphans::default());
    let lost = |_: u32, from: Millis, to: Millis| from.0 <= 6 && to.0 >= 6;
    check_with("c1@5 c2@8 d2@9", &open, &orphans, &lost, false, &["1 5-8~ Whole", "2 8-9 Whole"]);
    check_with("c1@5 c2@8 d2@9", &open, &orphans, &lost, true, &["1 5-? Open", "2 8-9 Whole"]);
    check("c1@5 c2@8 d2@9", &["1 5-? Open", "2 8-9 Whole"]);
}

#[test]
fn sealed_open_rows_are_closed() {
    let mut open = OpenTable::default();
    open.insert(Open { mapping: Mapping::opened(&event(true, 1, 5)), row: RowRef { entry: 3, row: 4 } });
    let orphans = Orphans::default();
    check_with("d1@9", &open, &orphans, &|_, _, _| false, false, &["1 5-9 Close"]);
    check_with("c1@5 d1@9", &open, &orphans, &|_, _, _| false, false, &["1 5-9 Close"]);
    check_with("c2@8", &open, &orphans, &|_, _, _| true, false, &["1 5-8~ Close", "2 8-? Open"]);
}

#[test]
fn an_overtaken_beginning_finds_its_end() {
    let mut orphans = Orphans::default();
    orphans.insert(Mapping::closed(&event(false, 1, 9)), Millis(20));
    let open = OpenTable::default();
    check_with("c1@5", &open, &orphans, &|_, _, _| false, false, &["1 5-9 Whole"]);
    check_with("c2@5", &open, &orphans, &|_, _, _| false, false, &["2 5-? Open"]);
    check_with("c1@10", &open, &orphans, &|_, _, _| false, false, &["1 10-? Open"]);
    assert_eq!(orphans.len(), 1);
    orphans.expire(Millis(20 + crate::limits::ORPHAN_MS));
    assert!(orphans.is_empty());
    check_with("c1@5", &open, &orphans, &|_, _, _| false, false, &["1 5-? Open"]);
}

#[test]
fn a_beginning_that_an_end_tells_counts_where_none_was_seen() {
    check("t1@5 d1@9000", &["1 !5-9000 Whole"]);
    check("c1@5 t1@5 d1@9000", &["1 5-9000 Whole"]);
    // In whole seconds beside milliseconds, on either side.
    check("t1@5000 c1@5900 d1@9000", &["1 5900-9000 Whole"]);
    check("c1@5000 t1@5900 d1@9000", &["1 5000-9000 Whole"]);
    // Clocks that differ by more make no second mapping.
    check("c1@5000 t1@8000 d1@9000", &["1 5000-9000 Whole"]);
    check("t1@1000 c1@5000 d1@9000", &["1 5000-9000 Whole"]);
    // A datagram that came twice.
    check("t1@5 t1@5 d1@9000 d1@9000", &["1 !5-9000 Whole"]);
    // The next one of the same host, and one of another, both without a creation.
    check("t1@5 d1@9000 t1@20000 d1@30000", &["1 !20000-30000 Whole", "1 !5-9000 Whole"]);
    check("c1@5 t1@5 d1@9000 t2@20000 d2@30000", &["1 5-9000 Whole", "2 !20000-30000 Whole"]);
    // An end that nobody saw is not the one that told.
    let mut events = [event(true, 1, 5), event(false, 1, 6), event(false, 1, 9)];
    (events[0].inferred, events[1].inferred) = (true, true);
    let (open, orphans) = (OpenTable::default(), Orphans::default());
    let cx = Context { open: &open, orphans: &orphans, lost_between: &|_, _, _| false, overloads: &|_| false };
    let got = pair(&mut events, &cx);
    assert_eq!(got.iter().map(|p| (p.mapping.start, p.mapping.end)).collect::<Vec<_>>(), [(Some(Millis(5)), Some(Millis(9)))]);
}

#[test]
fn a_told_beginning_adds_nothing_to_what_is_sealed() {
    let (no_loss, none) = (|_: u32, _: Millis, _: Millis| false, (OpenTable::default(), Orphans::default()));
    let mut open = OpenTable::default();
    open.insert(Open { mapping: Mapping::opened(&event(true, 1, 5_000)), row: RowRef { entry: 3, row: 0 } });
    check_with("t1@5500 d1@90000", &open, &none.1, &no_loss, false, &["1 5000-90000 Close"]);
    // The creation, or the end once more, after what the end told was sealed.
    let mut orphans = Orphans::default();
    let told = Mapping { end: Some(Millis(900_000)), ..Mapping::told(&event(true, 1, 5_000)) };
    orphans.insert(told, Millis(900_000));
    check_with("c1@5700", &none.0, &orphans, &no_loss, false, &[]);
    check_with("t1@5000 d1@900000", &none.0, &orphans, &no_loss, false, &[]);
    check_with("c1@900001", &none.0, &orphans, &no_loss, false, &["1 900001-? Open"]);
}

proptest::proptest! {
    /// Sessions of one port after each other, each telling in its end when it began; creations are lost, late or there, lines come twice: every span is
    /// the true one, to a second, and nothing stays open.
    #[test]
    fn whatever_is_lost_spans_are_the_true_ones(
        sessions in proptest::collection::vec((1u8..4, 1_500i64..9_000, 1_500i64..9_000, 0u8..4, proptest::bool::ANY), 1..12),
        shift in 0i64..1_000,
    ) {
        let (mut events, mut truth, mut now) = (Vec::new(), Vec::new(), 10_000);
        for (host, wait, life, seen, twice) in sessions {
            let (start, end) = (now + wait, now + wait + life);
            now = end;
            if seen > 0 {
                events.push(event(true, host, start));
            }
            for _ in 0..=u8::from(twice) {
                let mut told = event(true, host, start - (start + shift) % 1_000);
                told.inferred = true;
                events.extend([told, event(false, host, end)]);
            }
            truth.push((host, start, end));
        }
        let (open, orphans) = (OpenTable::default(), Orphans::default());
        let cx = Context { open: &open, orphans: &orphans, lost_between: &|_, _, _| false, overloads: &|_| false };
        let mut got: Vec<_> = pair(&mut events, &cx)
            .iter()
            .map(|p| (p.mapping.inside.0[15], p.mapping.start.unwrap().0, p.mapping.end.unwrap().0, p.row_type))
            .collect();
        got.sort_by_key(|g| g.1);
        proptest::prop_assert_eq!(got.len(), truth.len());
        for (g, t) in got.iter().zip(&truth) {
            proptest::prop_assert_eq!((g.0, g.2, g.3), (t.0, t.2, RowType::Whole));
            proptest::prop_assert!(g.1 <= t.1 && t.1 - g.1 < 1_000, "{:?} {:?}", g, t);
        }
    }
}

#[test]
fn with_more_ends_than_there_is_room_for_the_oldest_go() {
    let of = |port: u16, create: bool, time: i64| Event { first: port, last: port, ..event(create, 1, time) };
    let mut orphans = Orphans::default();
    orphans.limit(100);
    // One a second, of other ports.
    for n in 0..110 {
        orphans.insert(Mapping::closed(&of(1_000 + n, false, 9)), Millis(i64::from(n) * 1_000));
    }
    let waits = |orphans: &Orphans, port: u16| orphans.has(&Mapping::closed(&of(port, false, 9)).first_key().unwrap());
    orphans.expire(Millis(110_000));
    assert_eq!(orphans.len(), 59, "those of the last minute");
    assert!(waits(&orphans, 1_109) && waits(&orphans, 1_051) && !waits(&orphans, 1_050));
    let open = Mapping::opened(&of(1_109, true, 5));
    orphans.leave(&open);
    assert!(orphans.matching(&open).is_some() && waits(&orphans, 1_109), "it is there for whoever pairs the same events");
    orphans.leave(&open);
    orphans.let_go();
    assert_eq!((orphans.len(), waits(&orphans, 1_109)), (58, false));
    // So many at once that none of them is old: they wait a second.
    for n in 0..200 {
        orphans.insert(Mapping::closed(&of(2_000 + n, false, 9)), Millis(110_500));
    }
    orphans.expire(Millis(111_000));
    assert_eq!(orphans.len(), 200);
    orphans.expire(Millis(112_000));
    assert!(orphans.is_empty());
}
