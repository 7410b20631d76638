//! Units are what a sorted map of them is, whatever was taken in and in which order.

use proptest::prelude::*;

use super::*;

const DAY_MS: i64 = 86_400_000;
const BEGIN: i64 = 1_795_312_800_000;

/// A unit of one of some minutes, as it is sealed or as nobody would think.
fn unit(entry: u64, minute: i64, kind: u8, file: u8, strange: u8) -> UnitMeta {
    let sealed = Millis(BEGIN + minute * 60_000);
    let kinds = [Kind::NatMapping, Kind::RadiusSession, Kind::Maintenance];
    let mut unit = UnitMeta {
        entry,
        kind: kinds[usize::from(kind) % kinds.len()],
        day: sealed.day(),
        unit: Id([kind; 16]),
        file: format!("segments/{}", file % 8).into(),
        first_row: u64::from(file) * 1_000,
        rows: u64::from(kind),
        first: sealed.plus(-60_000),
        last: sealed.plus(-1),
        window: (sealed.plus(-90_000), sealed.plus(5)),
        sealed,
    };
    match strange {
        0 => unit.first = sealed.plus(-400 * DAY_MS),
        1 => unit.rows = 1 << 40,
        2 => unit.day = Day(unit.day.0 - 100_000),
        3 => unit.window.0 = Millis(i64::MIN),
        4 => unit.sealed = unit.sealed.plus(7),
        _ => {}
    }
    unit
}

fn some() -> impl Strategy<Value = UnitMeta> {
    (0u64..40, any::<u8>(), any::<u8>(), 0u8..24, any::<bool>()).prop_map(|(entry, kind, file, strange, far)| {
        let entry = if far { entry + (1 << 17) } else { entry };
        // Four units a minute, as a rule.
        unit(entry, entry as i64 / 4, kind, file, strange)
    })
}

proptest! {
    #[test]
    fn they_are_what_a_sorted_map_of_them_is(all in prop::collection::vec(some(), 0..120), in_order: bool, from in 0i64..20, long in 0i64..20) {
        let mut all = all;
        if in_order {
            all.sort_by_key(|unit| unit.entry);
        }
        let (mut units, mut map, mut stands) = (Units::default(), BTreeMap::new(), Vec::new());
        for unit in all {
            // What was at a place is found there for ever, wherever it lies by now.
            stands.push((unit.entry, units.insert(unit.clone())));
            map.insert(unit.entry, unit);
        }
        let of = |fit: &dyn Fn(&&UnitMeta) -> bool| map.values().filter(fit).cloned().collect::<Vec<_>>();
        prop_assert_eq!(units.since(0, Kind::ALL), of(&|_| true));
        prop_assert_eq!((units.len(), units.is_empty()), (map.len(), map.is_empty()));
        for (entry, unit) in &map {
            prop_assert_eq!(units.get(*entry), Some(unit.clone()));
            let at = stands.iter().rev().find(|(of, _)| of == entry).map(|(_, at)| *at).unwrap();
            prop_assert_eq!(units.at(unit.kind, at), Some(unit.clone()));
        }
        prop_assert_eq!(units.get(1 << 30), None);
        let (from, to) = (Millis(BEGIN + from * 60_000), Millis(BEGIN + (from + long) * 60_000));
        for kind in [Kind::NatMapping, Kind::RadiusSession, Kind::Gap] {
            prop_assert_eq!(units.of(kind, from, to), of(&|unit| unit.kind == kind && unit.first <= to && unit.last >= from));
            prop_assert!(units.each(kind).all(|(at, unit)| units.at(kind, at).as_ref() == Some(&unit) && map.get(&unit.entry) == Some(&unit)));
            prop_assert_eq!(units.each(kind).count(), of(&|unit| unit.kind == kind).len());
            prop_assert_eq!(units.since(9, &[kind]), of(&|unit| unit.kind == kind && unit.entry >= 9));
        }
        let lie = |file: &str| map.values().filter(|unit| &*unit.file == file).count();
        let mut alone = of(&|unit| lie(&unit.file) == 1 && unit.sealed < to);
        alone.sort_by_key(|unit| (unit.kind, unit.entry));
        prop_assert_eq!(units.alone(to), alone);
        let last = map.last_key_value().map(|(_, unit)| unit.sealed);
        prop_assert!(!in_order || units.last_sealed() == last);
    }
}

#[test]
fn a_unit_is_few_bytes() {
    // A day of six kinds as it is packed: a file of each kind an hour. Half a year of it is 1.6 million units.
    let name = |hour: u64, kind: Kind| -> Arc<str> { format!("segments/2026-12-01/{}/{hour:032x}.parquet", kind.name()).into() };
    let mut units = Units::default();
    for minute in 0..1_440 {
        for (n, kind) in Kind::ALL.iter().take(6).enumerate() {
            let like = unit(minute * 7 + n as u64, minute as i64, 0, 0, 9);
            units.insert(UnitMeta { kind: *kind, file: name(minute / 60, *kind), ..like });
        }
    }
    units.shrink();
    let rows: usize = units.kinds.values().map(|rows| rows.capacity() * size_of::<Row>()).sum();
    let bytes = rows + units.commits.capacity() * size_of::<Commit>();
    assert_eq!((units.len(), units.odd.len()), (8_640, 0));
    assert!(bytes <= 50 * units.len(), "{bytes}");
}
