use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::limits::INDEX_BYTES;

const NOON: Millis = Millis(1_795_320_000_000);

fn secret() -> Secret {
    Secret([7; 32])
}

fn empty() -> Identity {
    Identity::open(&secret(), []).unwrap()
}

/// What a restart finds: the entries of the groups that became durable.
#[derive(Default)]
struct Disk(BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn apply(&mut self, puts: Vec<StatePut>) {
        for put in puts {
            match put.value {
                Some(value) => drop(self.0.insert(put.key, value)),
                None => drop(self.0.remove(&put.key)),
            }
        }
    }

    fn commit(&mut self, identity: &Identity, bindings: &[Binding]) {
        self.apply(identity.puts_for(bindings));
        identity.confirm(bindings);
    }

    fn restart(&self) -> Identity {
        Identity::open(&secret(), self.0.clone()).unwrap()
    }
}

#[test]
fn one_value_has_one_id_and_others_have_others() {
    let identity = empty();
    let id = |realm, id_type, value: &str| identity.resolve(realm, id_type, value, NOON).id;
    let first = id(1, IdType::Account, "a@b");
    assert_eq!(id(1, IdType::Account, "a@b"), first);
    let others = [
        id(2, IdType::Account, "a@b"),
        id(1, IdType::Caller, "a@b"),
        id(1, IdType::Hardware, "a@b"),
        id(1, IdType::Account, "A@b"),
        id(1, IdType::Account, "a@b "),
        id(1, IdType::Account, ""),
    ];
    assert_eq!(others.iter().chain([&first]).collect::<BTreeSet<_>>().len(), others.len() + 1);
    assert_eq!(identity.len(), others.len() + 1);
}

#[test]
fn ids_are_random_and_the_index_depends_on_the_secret() {
    let (a, b) = (empty(), empty());
    let (in_a, in_b) = (a.resolve(1, IdType::Account, "x", NOON), b.resolve(1, IdType::Account, "x", NOON));
    assert_ne!(in_a.id, in_b.id);
    let key = |identity: &Identity, r: &Resolved| identity.puts_for(&[r.binding.clone().unwrap()])[0].key.clone();
    assert_eq!(key(&a, &in_a), key(&b, &in_b));
    let other = Identity::open(&Secret([8; 32]), []).unwrap();
    let in_other = other.resolve(1, IdType::Account, "x", NOON);
    assert_ne!(key(&other, &in_other), key(&a, &in_a));
    assert_eq!(key(&a, &in_a).len(), INDEX_BYTES);
    // HMAC-SHA-256 under the derived key, computed here from its parts.
    let mac = Mac::new(&secret().derive(b"weir identity blind index v1"));
    assert_eq!(key(&a, &in_a), mac.of(&[&[0, 0, 0, 1, 1], b"x"])[..16]);
}

#[test]
fn a_binding_is_repeated_until_one_is_durable_and_again_each_day() {
    let identity = empty();
    let ask = |now: Millis| identity.resolve(3, IdType::Caller, "13900000000", now);
    let first = ask(NOON).binding.unwrap();
    let want = Binding { time: NOON, id: first.id, realm: 3, id_type: 2, value: "13900000000".into(), since: NOON };
    assert_eq!(first, want);
    let second = ask(NOON.plus(1)).binding.expect("the first is not durable yet");
    assert_eq!((second.id, second.since), (first.id, NOON));
    identity.confirm(std::slice::from_ref(&first));
    assert_eq!(ask(NOON.plus(2)).binding, None);
    let midnight = NOON.day().end();
    assert_eq!(ask(midnight.plus(-1)).binding, None);
    let next = ask(midnight).binding.expect("a new UTC+8 day");
    assert_eq!((next.id, next.since, next.time), (first.id, NOON, midnight));
    // Confirming yesterday's again does not count for today.
    identity.confirm(&[first]);
    assert!(ask(midnight).binding.is_some());
    identity.confirm(&[next]);
    assert_eq!(ask(midnight).binding, None);
    assert_eq!(ask(NOON).binding, None, "the clock stepped back");
}

#[test]
fn a_crash_without_confirmation_repeats_the_binding() {
    let mut disk = Disk::default();
    let before = disk.restart();
    let lost = before.resolve(1, IdType::Account, "x", NOON);
    // The process ends before the group is durable.
    let after = disk.restart();
    assert!(after.is_empty());
    let again = after.resolve(1, IdType::Account, "x", NOON);
    assert!(again.binding.is_some());
    assert_ne!(again.id, lost.id, "nothing durable ever carried the lost id");
    disk.commit(&after, &[again.binding.unwrap()]);
    // Now it is durable: the id stays, and today needs no further binding.
    let third = disk.restart();
    assert_eq!(third.resolve(1, IdType::Account, "x", NOON.plus(5)), Resolved { id: again.id, binding: None });
    let tomorrow = third.resolve(1, IdType::Account, "x", NOON.day().end());
    assert_eq!(tomorrow.binding.map(|b| (b.id, b.since)), Some((again.id, NOON)));
}

#[test]
fn durable_but_not_confirmed_is_only_a_repeated_binding() {
    let identity = empty();
    let binding = identity.resolve(1, IdType::Account, "x", NOON).binding.unwrap();
    let puts = identity.puts_for(&[binding.clone(), binding.clone()]);
    assert_eq!(puts.len(), 1, "one entry though the binding is there twice");
    let restarted = Identity::open(&secret(), puts.into_iter().map(|p| (p.key, p.value.unwrap()))).unwrap();
    assert_eq!(restarted.resolve(1, IdType::Account, "x", NOON), Resolved { id: binding.id, binding: None });
    assert!(identity.resolve(1, IdType::Account, "x", NOON).binding.is_some());
}

#[test]
fn a_late_binding_of_yesterday_does_not_turn_the_day_back() {
    let identity = empty();
    let yesterday = identity.resolve(1, IdType::Account, "x", NOON).binding.unwrap();
    let today = identity.resolve(1, IdType::Account, "x", NOON.day().end()).binding.unwrap();
    identity.confirm(std::slice::from_ref(&today));
    for group in [vec![yesterday.clone()], vec![today.clone(), yesterday.clone()], vec![yesterday, today.clone()]] {
        let put = identity.puts_for(&group).remove(0);
        assert_eq!(entry::decode(&put.value.unwrap()).unwrap().bound, Some(today.time.day()));
    }
}

#[test]
fn a_full_index_says_so_and_records_stay_attributable() {
    let identity = Identity::open_limited(&secret(), [], 2).unwrap();
    let ask = |value: &str| identity.resolve(1, IdType::Account, value, NOON);
    let (a, _b) = (ask("a"), ask("b"));
    let (c, again) = (ask("c"), ask("c"));
    assert_eq!((identity.len(), identity.unremembered()), (2, 2));
    assert_ne!(c.id, again.id);
    assert_eq!(ask("a").id, a.id);
    let binding = c.binding.expect("each id has its binding");
    assert_eq!((binding.id, binding.value.as_str()), (c.id, "c"));
    assert!(identity.puts_for(std::slice::from_ref(&binding)).is_empty());
    identity.confirm(&[binding]);
    assert!(ask("c").binding.is_some());
    // Room again: the value is remembered from now on.
    identity.forget(&[a.id]);
    assert_eq!(ask("c").id, ask("c").id);

    let mut disk = Disk::default();
    let full = empty();
    let bindings: Vec<Binding> = ["a", "b", "c"].iter().filter_map(|v| full.resolve(1, IdType::Account, v, NOON).binding).collect();
    disk.commit(&full, &bindings);
    assert_eq!(Identity::open_limited(&secret(), disk.0.clone(), 2).unwrap_err(), StateError::Full);
    assert_eq!(Identity::open_limited(&secret(), disk.0, 3).unwrap().len(), 3);
}

#[test]
fn a_forgotten_value_comes_back_as_somebody_new() {
    let mut disk = Disk::default();
    let identity = empty();
    let [a, b] = ["a", "b"].map(|v| identity.resolve(1, IdType::Account, v, NOON));
    let bindings = [a.binding.unwrap(), b.binding.unwrap()];
    disk.commit(&identity, &bindings);
    assert!(identity.forget(&[Id::random()]).is_empty());
    let removals = identity.forget(&[a.id]);
    assert_eq!(removals.len(), 1);
    assert_eq!(removals[0].value, None);
    disk.apply(removals);
    let restarted = disk.restart();
    assert_eq!(restarted.len(), 1);
    for index in [&identity, &restarted] {
        assert_eq!(index.resolve(1, IdType::Account, "b", NOON).id, b.id);
        let back = index.resolve(1, IdType::Account, "a", NOON);
        assert_ne!(back.id, a.id);
        // A binding of the forgotten id that was still under way neither confirms nor stores the new one.
        index.confirm(&bindings[..1]);
        assert!(index.puts_for(&bindings[..1]).is_empty());
        assert!(index.resolve(1, IdType::Account, "a", NOON).binding.is_some());
    }
}

#[test]
fn damaged_state_is_refused() {
    let good = entry::encode(Id([1; 16]), NOON, NOON.day());
    for (key, value, want) in [
        (vec![0; 15], good.clone(), StateError::Key),
        (vec![0; 17], good.clone(), StateError::Key),
        (vec![0; 16], good[1..].to_vec(), StateError::Value),
        (vec![0; 16], vec![], StateError::Value),
    ] {
        let error = Identity::open(&secret(), [(key, value)]).unwrap_err();
        assert_eq!(error, want);
        assert!(error.to_string().len() > 30, "{error}");
    }
}

#[test]
fn many_threads_agree_on_one_id() {
    let identity = empty();
    let ids: Vec<Vec<Id>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..8)
            .map(|_| {
                let identity = &identity;
                scope.spawn(move || {
                    (0..200)
                        .map(|i| {
                            let resolved = identity.resolve(1, IdType::Account, &format!("user-{i}"), NOON);
                            identity.confirm(&resolved.binding.into_iter().collect::<Vec<_>>());
                            resolved.id
                        })
                        .collect()
                })
            })
            .collect();
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|one| *one == ids[0]));
    assert_eq!(identity.len(), 200);
}

/// True when `needle` is in `hay` as it is, reversed, as hex of either case, or with its bytes as UTF-16.
fn holds(hay: &[u8], needle: &[u8]) -> bool {
    let find = |n: &[u8]| n.len() <= hay.len() && hay.windows(n.len()).any(|w| w == n);
    let reversed: Vec<u8> = needle.iter().rev().copied().collect();
    let hex: String = needle.iter().map(|b| format!("{b:02x}")).collect();
    let wide: Vec<u8> = needle.iter().flat_map(|b| [*b, 0]).collect();
    find(needle) || find(&reversed) || find(hex.as_bytes()) || find(hex.to_uppercase().as_bytes()) || find(&wide)
}

/// Who is asked for, half days that pass, and whether the group commits, is confirmed, and is followed by a crash.
fn step() -> impl Strategy<Value = (usize, i64, bool, bool, bool)> {
    let (mostly, rarely) = (|| prop::bool::weighted(0.7), prop::bool::weighted(0.1));
    (0usize..4, 0i64..3, mostly(), mostly(), rarely)
}

proptest! {
    #[test]
    fn ids_follow_realm_type_and_value(
        a in (0u32..3, 0usize..3, "[a-c]{0,2}"),
        b in (0u32..3, 0usize..3, "[a-c]{0,2}"),
        days in 0i64..400,
    ) {
        let types = [IdType::Account, IdType::Caller, IdType::Hardware];
        let identity = empty();
        let later = NOON.plus(days * 86_400_000);
        let first = identity.resolve(a.0, types[a.1], &a.2, NOON);
        let second = identity.resolve(b.0, types[b.1], &b.2, later);
        prop_assert_eq!(first.id == second.id, a == b);
        prop_assert!(first.binding.is_some() && second.binding.is_some());
    }

    /// Whatever fails, restarts or is confirmed late: an id in a durable record always has a durable binding of that day or a later one.
    #[test]
    fn every_durable_use_has_a_durable_binding(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut disk = Disk::default();
        let mut identity = disk.restart();
        let (mut durable, mut used): (Vec<Binding>, Vec<(Id, Day)>) = (Vec::new(), Vec::new());
        let mut now = NOON;
        for (who, days, commits, confirms, crashes) in steps {
            now = now.plus(days * 43_200_000);
            let resolved = identity.resolve(1, IdType::Account, ["a", "b", "c", "d"][who], now);
            let bindings: Vec<Binding> = resolved.binding.into_iter().collect();
            if commits {
                disk.apply(identity.puts_for(&bindings));
                durable.extend(bindings.iter().cloned());
                used.push((resolved.id, now.day()));
                if confirms {
                    identity.confirm(&bindings);
                }
            }
            if crashes {
                identity = disk.restart();
            }
        }
        for (id, day) in used {
            prop_assert!(durable.iter().any(|b| b.id == id && b.time.day() == day), "{id} on {day}");
        }
        // And one value never got two durable ids.
        for (n, b) in durable.iter().enumerate() {
            prop_assert!(durable[n..].iter().all(|c| (b.value == c.value) == (b.id == c.id)));
        }
    }

    #[test]
    fn nothing_of_a_value_is_in_state_or_debug_output(value in "[a-z0-9@._-]{6,40}") {
        let identity = empty();
        let resolved = identity.resolve(1, IdType::Account, &value, NOON);
        let binding = resolved.binding.unwrap();
        let puts = identity.puts_for(std::slice::from_ref(&binding));
        let state: Vec<u8> = puts.iter().flat_map(|p| p.key.iter().chain(p.value.iter().flatten()).copied()).collect();
        let debug = format!("{identity:?} {puts:?} {binding:?} {:?}", identity.forget(&[binding.id]));
        for hay in [&state[..], debug.as_bytes()] {
            prop_assert!(!holds(hay, value.as_bytes()));
            prop_assert!(!holds(hay, &value.as_bytes()[..6]));
        }
        // The search itself finds what is there.
        let shown = format!("{:?}", binding.value);
        prop_assert!(holds(shown.as_bytes(), value.as_bytes()));
    }
}
