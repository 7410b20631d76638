//! Tables of event sequences and the mappings they make.

use super::*;
use crate::nat::mapping::Remote;
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

/// `c1@5` is "host 1 created at 5", `d1@9` its deletion; results are `host start-end type`, `?` for an end not seen.
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
            event(word.starts_with('c'), host.parse().unwrap(), time.parse().unwrap())
        })
        .collect();
    let cx = Context { open, orphans, lost_between: lost, overloads: &|_| overloads };
    let time = |t: Option<Millis>| t.map_or("?".to_owned(), |t| t.0.to_string());
    let mut got: Vec<String> = pair(&mut events, &cx)
        .iter()
        .map(|p| {
            let m = &p.mapping;
            let inferred = if m.flags & flags::END_INFERRED != 0 { "~" } else { "" };
            format!("{} {}-{}{inferred} {:?}", m.inside.0[15], time(m.start), time(m.end), p.row_type)
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
    orphans.expire(Millis(20 + crate::limits::ORPHAN_MS));
    check_with("c1@5", &open, &orphans, &|_, _, _| false, false, &["1 5-? Open"]);
}
