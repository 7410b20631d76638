//! Idempotency keys and what is kept of them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::StatePut;

use crate::events::answer::Answer;
use crate::events::keys::{Begin, Keys};
use crate::events::limits::{KEY_MS, KEYS};
use crate::events::line::Fault;

const NOW: Millis = Millis(1_795_312_800_000);
const BODY: Id = Id([9; 16]);

fn id(n: usize) -> Id {
    Id((n as u128 + 1).to_be_bytes())
}

fn answer(n: u32) -> Answer {
    Answer { accepted: n, refused: 1, without_port: 0, faults: vec![(n, Fault::Port)] }
}

fn apply(state: &mut BTreeMap<Vec<u8>, Vec<u8>>, puts: Vec<StatePut>) {
    for put in puts {
        match put.value {
            Some(value) => drop(state.insert(put.key, value)),
            None => drop(state.remove(&put.key)),
        }
    }
}

#[test]
fn a_key_goes_its_way() {
    let mut keys = Keys::default();
    assert_eq!(keys.begin(1, id(1), BODY, NOW), Begin::New);
    assert_eq!(keys.begin(1, id(1), BODY, NOW), Begin::UnderWay);
    assert_eq!(keys.begin(1, id(1), id(7), NOW), Begin::OtherBody);
    assert_eq!(keys.begin(2, id(1), id(7), NOW), Begin::New, "another application's key is another key");
    keys.failed(1, Some(id(1)), Vec::new());
    assert_eq!(keys.begin(1, id(1), id(7), NOW), Begin::New, "what was not kept may come again, changed too");
    keys.done(1, id(1), answer(3), NOW);
    assert_eq!(keys.begin(1, id(1), id(7), NOW), Begin::Known(answer(3)));
    assert_eq!(keys.begin(1, id(1), BODY, NOW), Begin::OtherBody);
    assert_eq!(keys.begin(1, id(1), id(7), NOW.plus(KEY_MS)), Begin::Known(answer(3)));
    assert_eq!(keys.begin(1, id(1), BODY, NOW.plus(KEY_MS + 1)), Begin::New, "its day is over");
}

#[test]
fn the_table_is_bounded_and_comes_back() {
    let (mut keys, mut state) = (Keys::default(), BTreeMap::new());
    let more = 10;
    for n in 0..KEYS + more {
        let now = NOW.plus(n as i64);
        assert_eq!(keys.begin(1, id(n), BODY, now), Begin::New);
        let mut puts = keys.removals();
        puts.push(Keys::put(1, id(n), BODY, &answer(n as u32), now));
        // Once in a while a group is not kept; what it would have removed goes with a later one.
        if n % 5 == 4 {
            keys.failed(1, Some(id(n)), puts);
            assert_eq!(keys.begin(1, id(n), BODY, now), Begin::New);
            puts = keys.removals();
            puts.push(Keys::put(1, id(n), BODY, &answer(n as u32), now));
        }
        apply(&mut state, puts);
        keys.done(1, id(n), answer(n as u32), now);
    }
    assert_eq!((keys.len(1), state.len()), (KEYS, KEYS));
    let now = NOW.plus((KEYS + more) as i64);
    let kept: Vec<_> = state.clone().into_iter().collect();
    let mut back = Keys::restore(&kept, now);
    // One has to go to make room for the next.
    assert_eq!(back.begin(1, id(more), BODY, now), Begin::New);
    assert_eq!(back.begin(1, id(more + 1), BODY, now), Begin::Known(answer(more as u32 + 1)));
    apply(&mut state, back.removals());
    assert_eq!(state.len(), KEYS - 1);
    let mut late = Keys::restore(&kept, now.plus(KEY_MS + 1));
    assert_eq!((late.len(1), late.removals().len()), (0, KEYS));
    let mut damaged = Keys::restore(&[(b"k12".to_vec(), vec![1]), (b"x".to_vec(), Vec::new())], now);
    assert_eq!(damaged.removals().len(), 2, "what is not understood is taken away");
}

proptest! {
    #[test]
    fn answers_come_back(
        accepted in any::<u32>(), refused in any::<u32>(), without_port in any::<u32>(),
        faults in proptest::collection::vec((any::<u32>(), 1u8..=15), 0..100),
        cut in 0usize..500,
    ) {
        let faults = faults.into_iter().map(|(line, code)| (line, Fault::of(code).unwrap())).collect();
        let answer = Answer { accepted, refused, without_port, faults };
        let mut bytes = Vec::new();
        answer.encode(&mut bytes);
        prop_assert_eq!(Answer::decode(&bytes), Some(answer));
        if cut < bytes.len() {
            prop_assert_eq!(Answer::decode(&bytes[..cut]), None);
        }
    }
}
