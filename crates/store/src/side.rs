//! The same work with each of some things, on several threads.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

use weir_base::task::lock;

/// Calls `work` with each of them, on so many threads at most, this one among them; what comes of it is in their order. Whoever is done takes the
/// next one, so the largest ones belong first.
///
/// # Panics
/// When `work` does.
pub(crate) fn side_by_side<T: Send, R: Send>(items: Vec<T>, threads: usize, name: &str, work: &(dyn Fn(T) -> R + Sync)) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    let left = Mutex::new(items.into_iter().enumerate());
    let next = || lock(&left).next();
    let one = || -> Vec<(usize, R)> { std::iter::from_fn(next).map(|(number, item)| (number, work(item))).collect() };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        // Where no thread can be had, those that are there do its work.
        let helper = |_| thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, one).ok();
        let helpers: Vec<_> = (1..threads).filter_map(helper).collect();
        let mine = one();
        let others = helpers.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        mine.into_iter().chain(others).collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Barrier, Condvar};

    use super::*;

    #[test]
    fn each_is_done_once_and_in_order() {
        for (items, threads) in [(0, 0), (0, 3), (1, 3), (2, 1), (100, 0), (100, 1), (100, 2), (100, 200)] {
            let done = side_by_side((0..items).collect(), threads, "test", &|n: u32| n * 2);
            assert_eq!(done, (0..items).map(|n| n * 2).collect::<Vec<_>>(), "{threads}");
        }
    }

    #[test]
    fn so_many_are_under_way_together_and_the_rest_waits_for_nobody() {
        // The first three go on only when all three are there; the first one ends only when all others are done.
        let (three, others) = (Barrier::new(3), (Mutex::new(0), Condvar::new()));
        let seen = side_by_side((0..20).collect(), 3, "test", &|n: u32| {
            if n < 3 {
                three.wait();
            }
            let mut count = lock(&others.0);
            if n == 0 {
                drop(others.1.wait_while(count, |count| *count < 19));
            } else {
                *count += 1;
                others.1.notify_all();
            }
            thread::current().id()
        });
        let first = seen.first().copied();
        assert_eq!(seen.iter().filter(|id| Some(**id) == first).count(), 1);
        assert_eq!(seen.iter().map(|id| format!("{id:?}")).collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_panic_is_the_callers() {
        let panics = || side_by_side(vec![1, 2, 3], 2, "test", &|n: u32| assert_ne!(n, 3));
        assert!(std::panic::catch_unwind(panics).is_err());
    }
}
