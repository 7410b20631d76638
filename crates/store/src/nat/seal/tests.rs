//! The straight way and the general one give the same rows.

use proptest::prelude::*;
use weir_record::kind::Record;
use weir_record::kinds::{NatEvent, NatMapping};

use super::*;
use crate::nat::mapping::RowRef;
use crate::nat::open::{OpenTable, Orphans};

const T0: i64 = 1_795_312_800_000;

/// Few ends, hosts and instants, so that every kind of collision comes up.
fn event() -> impl Strategy<Value = NatEvent> {
    let forms = prop_oneof![6 => Just(1u8), 1 => Just(2u8), 1 => Just(3u8), 1 => Just(4u8)];
    (
        0u8..3,
        0u16..3,
        forms,
        prop_oneof![4 => Just(6u8), 1 => Just(17u8)],
        0i64..12,
        prop_oneof![4 => Just(1u8), 4 => Just(2u8), 1 => Just(3u8), 1 => Just(4u8)],
        0u8..2,
        0u8..8,
    )
        .prop_map(|(address, port, form, protocol, time, action, host, rare)| NatEvent {
            time: Millis(T0 + time * 7_200_000 / if rare == 7 { 1 } else { 7_200_000 }),
            action,
            form,
            protocol,
            source: 1 + u32::from(rare == 6),
            public_address: if address == 2 { Addr16([0x20; 16]) } else { Addr16::v4([203, 0, 113, address]) },
            public_port: 4_000 + port,
            public_port_last: 4_000 + port + if form == 3 { 63 } else { 0 },
            inside_address: Addr16::v4([100, 64, 0, host]),
            inside_port: 5_000,
            remote_port: u16::from(rare == 5),
            ..NatEvent::default()
        })
}

/// Events whose tale is plain: pairs of create and delete that follow each other.
fn tale() -> impl Strategy<Value = Vec<NatEvent>> {
    proptest::collection::vec((event(), 1i64..400, 1i64..400, any::<bool>()), 0..20).prop_map(|tales| {
        let mut now = T0;
        tales
            .into_iter()
            .flat_map(|(event, wait, life, ends)| {
                let (start, end) = (now + wait, now + wait + life);
                now = end;
                let create = NatEvent { time: Millis(start), action: 1, ..event.clone() };
                let delete = NatEvent { time: Millis(end), action: 2, ..event.clone() };
                // Some ends tell when it began; of some that is all there is.
                let told = NatEvent { time: Millis(start), action: 4, ..event };
                let (seen, tells) = (wait % 5 > 0 || !ends, ends && life % 3 == 0);
                seen.then_some(create).into_iter().chain(tells.then_some(told)).chain(ends.then_some(delete))
            })
            .collect()
    })
}

fn rows(days: BTreeMap<Day, RecordBatch>) -> Vec<(Day, Vec<NatMapping>)> {
    days.into_iter().map(|(day, batch)| (day, NatMapping::rows(&batch))).collect()
}

/// The same without packing, all ends by the general way.
fn plain(batches: &[RecordBatch], cx: &Context<'_>, sealed: Millis) -> BTreeMap<Day, RecordBatch> {
    let mut events: Vec<Event> = batches.iter().flat_map(crate::nat::event::events).collect();
    let mut rows: Vec<(Addr16, u16, Row)> = crate::nat::pair::pair(&mut events, cx)
        .iter()
        .map(|p| (p.mapping.public, p.mapping.first, row_of(&p.mapping, p.row_type)))
        .collect();
    rows.sort_by_key(|(public, port, row)| (*public, *port, row.key()));
    let mut days = Days::new(sealed, NatMappingColumns::default());
    rows.iter().for_each(|(public, port, row)| days.push(*public, *port, row));
    days.batches()
}

fn packed(batches: &[RecordBatch]) -> NatEvents {
    let mut events = NatEvents::default();
    batches.iter().for_each(|batch| events.push(batch));
    events
}

fn agree(earlier: &[NatEvent], later: &[NatEvent], cuts: usize, lossy: bool) -> Result<(), TestCaseError> {
    let (mut open, mut orphans) = (OpenTable::default(), Orphans::default());
    // What an earlier unit left open, and the ends for which it found no beginning.
    let mut before: Vec<Event> = crate::nat::event::events(&NatEvent::batch(earlier)).collect();
    let none = (OpenTable::default(), Orphans::default());
    let cx = Context { open: &none.0, orphans: &none.1, lost_between: &|_, _, _| lossy, overloads: &|_| false };
    for (i, p) in super::super::pair::pair(&mut before, &cx).iter().enumerate() {
        match p.row_type {
            RowType::Open => open.insert(Open { mapping: p.mapping, row: RowRef { entry: 3, row: i as u32 } }),
            RowType::Close if lossy => orphans.insert(p.mapping, Millis(T0)),
            _ => {}
        }
    }
    let cx = Context { open: &open, orphans: &orphans, lost_between: &|_, _, _| lossy, overloads: &|_| false };
    let batches: Vec<RecordBatch> = later.chunks(later.len().max(1).div_ceil(cuts)).map(NatEvent::batch).collect();
    let sealed = Millis(T0 + 100_000_000);
    let want = rows(plain(&batches, &cx, sealed));
    let first = mappings(&packed(&batches), &cx, sealed, NatMappingColumns::default());
    prop_assert_eq!(rows(first.clone()), want.clone());
    // In the memory of rows of another unit, which may have had remote ends.
    for (_, batch) in first {
        let room = NatMappingColumns::reuse(RecordBatch::new_empty(batch.schema()));
        prop_assert_eq!(room.room(), 0);
        let room = NatMappingColumns::reuse(batch);
        prop_assert_eq!(rows(mappings(&packed(&batches), &cx, sealed, room)), want.clone());
    }
    Ok(())
}

proptest! {
    #[test]
    fn both_ways_agree_on_anything(
        earlier in proptest::collection::vec(event(), 0..20),
        later in proptest::collection::vec(event(), 0..60),
        cuts in 1usize..4,
        lossy in any::<bool>(),
    ) {
        agree(&earlier, &later, cuts, lossy)?;
    }

    #[test]
    fn both_ways_agree_on_plain_tales(earlier in tale(), later in tale(), cuts in 1usize..4) {
        let later: Vec<NatEvent> = later.into_iter().map(|e| NatEvent { time: e.time.plus(20_000), ..e }).collect();
        agree(&earlier, &later, cuts, false)?;
    }
}

#[test]
fn instants_far_apart_are_told_apart() {
    let at = |port: u16, time: i64, action: u8| NatEvent {
        time: Millis(time),
        action,
        form: 1,
        protocol: 6,
        source: 1,
        public_address: Addr16::v4([203, 0, 113, 1]),
        public_port: port,
        public_port_last: port,
        inside_address: Addr16::v4([100, 64, 0, 1]),
        ..NatEvent::default()
    };
    // 50 days are more milliseconds than 32 bits count.
    let events = [at(9, T0 + 50 * 86_400_000, 2), at(9, T0, 1), at(10, i64::MIN, 1), at(10, i64::MAX, 2)];
    let (open, orphans) = (OpenTable::default(), Orphans::default());
    let cx = Context { open: &open, orphans: &orphans, lost_between: &|_, _, _| false, overloads: &|_| false };
    let batches = [NatEvent::batch(&events)];
    let sealed = Millis(T0 + 60 * 86_400_000);
    let got = rows(mappings(&packed(&batches), &cx, sealed, NatMappingColumns::default()));
    assert_eq!(got, rows(plain(&batches, &cx, sealed)));
    assert!(got.iter().flat_map(|(_, rows)| rows).any(|r| (r.start, r.end()) == (Millis(T0), Millis(T0 + 50 * 86_400_000))), "{got:?}");
}
