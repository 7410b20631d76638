//! How far the clocks of sources were off, and when: a question about last month is asked by the clock of last month.
//!
//! What was measured is kept with the records it belongs to, so that it is known after a restart and off line. A new entry is made when a
//! clock is seen to differ from what was last kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::sink::{SourceCounters, SourceNo, StatePut};

use crate::limits::{CLOCK_AFTER_MS, CLOCK_BEFORE_MS, CLOCK_ENTRIES, CLOCK_SAME_MS, CLOCK_SECOND_MS};

/// Owner of this state.
pub const OWNER: &str = "clocks";

/// How far a source's clock was ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Since when, by our clock.
    pub from: Millis,
    /// As measured, ms.
    pub offset_ms: i64,
    /// At least and at most, ms.
    pub ahead_ms: (i64, i64),
}

/// The history of every source's clock.
#[derive(Clone, Default)]
pub struct Clocks {
    live: Arc<Mutex<HashMap<SourceNo, Arc<Mutex<SourceCounters>>>>>,
    known: Arc<Mutex<HashMap<SourceNo, Vec<Ahead>>>>,
}

impl Ahead {
    /// What the counters say now.
    fn measured(counters: &SourceCounters, now: Millis) -> Option<Ahead> {
        let offset_ms = counters.offset_ms?;
        Some(Ahead { from: now, offset_ms, ahead_ms: counters.ahead_ms.unwrap_or((offset_ms, offset_ms)) })
    }

    fn differs(&self, other: &Ahead) -> bool {
        let far = |a: i64, b: i64| a.saturating_sub(b).unsigned_abs() > CLOCK_SAME_MS;
        far(self.offset_ms, other.offset_ms) || far(self.ahead_ms.0, other.ahead_ms.0) || far(self.ahead_ms.1, other.ahead_ms.1)
    }

    /// Everything from one to the other.
    fn or(&self, later: &Ahead) -> Ahead {
        Ahead { ahead_ms: (self.ahead_ms.0.min(later.ahead_ms.0), self.ahead_ms.1.max(later.ahead_ms.1)), ..*self }
    }

    /// The better one of two single measures that can be of one clock: the one that less delay blurred.
    fn better(&self, later: &Ahead) -> Option<Ahead> {
        let single = |a: &Ahead| a.ahead_ms.1.saturating_sub(a.ahead_ms.0) < CLOCK_SECOND_MS;
        let agree = self.ahead_ms.0 <= later.ahead_ms.1 && later.ahead_ms.0 <= self.ahead_ms.1;
        let better = if later.ahead_ms.0 >= self.ahead_ms.0 { *later } else { *self };
        (agree && single(self) && single(later)).then_some(better)
    }
}

impl Clocks {
    /// What an earlier run kept.
    pub fn restored(state: Vec<(Vec<u8>, Vec<u8>)>) -> Clocks {
        let mut known: HashMap<SourceNo, Vec<Ahead>> = HashMap::new();
        for (source, entry) in state.iter().filter_map(|(key, value)| decode(key, value)) {
            known.entry(source).or_default().push(entry);
        }
        known.values_mut().for_each(|entries| entries.sort_by_key(|e| e.from));
        Clocks { live: Arc::default(), known: Arc::new(Mutex::new(known)) }
    }

    /// A source whose counters tell of its clock from now on.
    pub fn hear(&self, source: SourceNo, counters: &Arc<Mutex<SourceCounters>>) {
        lock(&self.live).insert(source, Arc::clone(counters));
    }

    /// What must be kept with a group of these sources. Known at once: a look-up that is careful too early is no harm.
    pub fn told(&self, sources: impl Iterator<Item = SourceNo>, now: Millis) -> Vec<StatePut> {
        let (live, mut known) = (lock(&self.live), lock(&self.known));
        let mut puts = Vec::new();
        for source in sources {
            let Some(entry) = live.get(&source).and_then(|c| Ahead::measured(&lock(c), now)) else { continue };
            let entries = known.entry(source).or_default();
            if entries.last().is_some_and(|last| !entry.differs(last) || entry.from <= last.from) {
                continue;
            }
            entries.push(entry);
            puts.push(StatePut { key: key(source, entry.from), value: Some(encode(&entry)) });
            if entries.len() > CLOCK_ENTRIES {
                // The two oldest become one that says what both said.
                let oldest = entries.remove(0);
                if let Some(next) = entries.first_mut() {
                    puts.push(StatePut { key: key(source, next.from), value: None });
                    *next = Ahead { from: oldest.from, ..oldest.or(next) };
                    puts.push(StatePut { key: key(source, next.from), value: Some(encode(next)) });
                }
            }
        }
        puts
    }

    /// A group with these could not be made durable: what it told is told again by the next one.
    pub fn untold(&self, puts: &[Vec<u8>]) {
        let mut known = lock(&self.known);
        known.iter_mut().for_each(|(source, entries)| entries.retain(|e| !puts.contains(&key(*source, e.from))));
    }

    /// A source's clock at a moment by ours. A clock that was set back shows only when the best datagrams before are forgotten, and one
    /// header blurs the first measure: what was measured in the minutes after counts too.
    pub fn at(&self, source: SourceNo, at: Millis) -> Option<Ahead> {
        let known = lock(&self.known);
        let entries = known.get(&source)?;
        let at = at.max(entries.first()?.from);
        let first = entries.partition_point(|e| e.from <= at.plus(-CLOCK_BEFORE_MS)).saturating_sub(1);
        let after = entries.partition_point(|e| e.from <= at.plus(CLOCK_AFTER_MS)).max(first + 1);
        let mut set: Vec<Ahead> = Vec::new();
        for entry in entries.get(first..after)? {
            match set.last_mut().and_then(|last| Some((last.better(entry)?, last))) {
                Some((better, last)) => *last = better,
                None => set.push(*entry),
            }
        }
        set.into_iter().reduce(|all, next| all.or(&next))
    }
}

fn key(source: SourceNo, from: Millis) -> Vec<u8> {
    [&source.to_be_bytes()[..], &from.0.to_be_bytes()].concat()
}

/// Version 1: version u8, offset i64, least i64, most i64; little-endian. The key is source u32 and since i64, big-endian.
fn encode(entry: &Ahead) -> Vec<u8> {
    let mut out = vec![1];
    [entry.offset_ms, entry.ahead_ms.0, entry.ahead_ms.1].iter().for_each(|n| out.extend(n.to_le_bytes()));
    out
}

fn decode(key: &[u8], value: &[u8]) -> Option<(SourceNo, Ahead)> {
    let (source, from) = key.split_first_chunk::<4>()?;
    let (numbers, over) = value.strip_prefix(&[1])?.as_chunks::<8>();
    let [offset_ms, least, most] = numbers.iter().map(|n| i64::from_le_bytes(*n)).collect::<Vec<_>>().try_into().ok()?;
    let from = Millis(i64::from_be_bytes(from.try_into().ok()?));
    over.is_empty().then_some((SourceNo::from_be_bytes(*source), Ahead { from, offset_ms, ahead_ms: (least, most) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: i64 = 1_795_312_800_000;
    const MINUTE: i64 = 60_000;

    struct Clock {
        clocks: Clocks,
        counters: Arc<Mutex<SourceCounters>>,
        kept: Vec<(Vec<u8>, Vec<u8>)>,
    }

    impl Clock {
        fn new() -> Clock {
            let (clocks, counters) = (Clocks::default(), Arc::default());
            clocks.hear(7, &counters);
            Clock { clocks, counters, kept: Vec::new() }
        }

        fn measure(&mut self, at: i64, least: i64) -> usize {
            *lock(&self.counters) =
                SourceCounters { offset_ms: Some(least + 100), ahead_ms: Some((least, least + 999)), ..SourceCounters::default() };
            let puts = self.clocks.told([7, 8].into_iter(), Millis(T + at));
            for put in &puts {
                self.kept.retain(|(key, _)| *key != put.key);
                self.kept.extend(put.value.clone().map(|value| (put.key.clone(), value)));
            }
            puts.len()
        }

        fn at(&self, at: i64) -> Option<(i64, i64)> {
            let found = self.clocks.at(7, Millis(T + at)).map(|a| a.ahead_ms);
            let again = Clocks::restored(self.kept.clone()).at(7, Millis(T + at)).map(|a| a.ahead_ms);
            assert_eq!(found, again, "known after a restart, too");
            found
        }
    }

    #[test]
    fn a_question_is_asked_by_the_clock_of_its_time() {
        let mut c = Clock::new();
        assert_eq!(c.at(0), None);
        // The first header is blurred; then the clock is known, and does not change for an hour.
        assert_eq!((c.measure(0, 1_200), c.measure(2_000, 1_890), c.measure(3_000, 1_895), c.measure(60 * MINUTE, 1_890)), (1, 1, 0, 0));
        for at in [-86_400_000, 0, 2_000, 59 * MINUTE] {
            assert_eq!(c.at(at), Some((1_890, 2_889)), "{at}");
        }
        // Somebody sets it right: seen when the better datagrams of before are forgotten, five minutes later.
        assert_eq!(c.measure(66 * MINUTE, -5), 1);
        for (at, expected) in [
            (0, (1_890, 2_889)),
            (60 * MINUTE, (1_890, 2_889)),
            (61 * MINUTE, (-5, 2_889)),
            (66 * MINUTE, (-5, 2_889)),
            (67 * MINUTE, (-5, 994)),
        ] {
            assert_eq!(c.at(at), Some(expected), "{at}");
        }
        assert_eq!(c.clocks.at(8, Millis(T)), None, "nothing is known of another");
    }

    #[test]
    fn what_could_not_be_kept_is_told_again() {
        let mut c = Clock::new();
        assert_eq!((c.measure(0, 1_890), c.measure(1_000, 1_890)), (1, 0));
        let keys: Vec<Vec<u8>> = std::mem::take(&mut c.kept).into_iter().map(|(key, _)| key).collect();
        c.clocks.untold(&keys);
        assert_eq!(c.at(0), None);
        assert_eq!(c.measure(2_000, 1_890), 1);
        assert_eq!(c.at(0), Some((1_890, 2_889)));
    }

    #[test]
    fn a_clock_that_never_stands_still_is_kept_in_bounds() {
        let mut c = Clock::new();
        for i in 0..CLOCK_ENTRIES as i64 + 100 {
            c.measure(i * 1_000, if i % 2 == 0 { 0 } else { 5_000 });
        }
        assert_eq!(c.kept.len(), CLOCK_ENTRIES);
        assert_eq!(c.at(0), Some((0, 5_999)), "the oldest say what both said");
        for broken in [&[][..], &[2; 25], &[1; 24], &[1; 26]] {
            assert_eq!(decode(&key(1, Millis(T)), broken), None);
        }
        assert_eq!(decode(&[0; 11], &[1; 25]), None);
    }
}
