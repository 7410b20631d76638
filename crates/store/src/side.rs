//! The same work with each of some things, on several threads.

use std::cmp::Reverse;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::thread;

use weir_base::task::lock;

/// Calls `work` with each of them, on so many threads at most, this one among them; what comes of it is in their order. Whoever is done takes the
/// next one, the largest by `size` first, so that nobody is left with much at the end.
///
/// # Panics
/// When `work` does.
pub(crate) fn side_by_side<T: Send, R: Send>(
    items: Vec<T>,
    threads: usize,
    name: &str,
    size: &dyn Fn(&T) -> usize,
    work: &(dyn Fn(T) -> R + Sync),
) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    let mut items: Vec<(usize, T)> = items.into_iter().enumerate().collect();
    items.sort_by_cached_key(|(_, item)| Reverse(size(item)));
    let left = Mutex::new(items.into_iter());
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
    use std::panic::catch_unwind;
    use std::sync::Condvar;
    use std::time::Duration;

    use super::*;

    /// Waits until so many have come, or fails.
    struct Gate((Mutex<usize>, Condvar));

    impl Gate {
        fn new() -> Gate {
            Gate((Mutex::new(0), Condvar::new()))
        }

        fn come(&self) {
            *lock(&self.0.0) += 1;
            self.0.1.notify_all();
        }

        fn wait_for(&self, count: usize) {
            let came = self.0.1.wait_timeout_while(lock(&self.0.0), Duration::from_secs(60), |came| *came < count).unwrap();
            assert!(!came.1.timed_out(), "{count} did not come");
        }
    }

    #[test]
    fn each_is_done_once_and_in_order_the_largest_first() {
        for (items, threads) in [(0, 0), (0, 3), (1, 3), (2, 1), (100, 0), (100, 1), (100, 2), (100, 200)] {
            let began = Mutex::new(Vec::new());
            let size = |n: &usize| *n * 7 % 100;
            let done = side_by_side((0..items).collect(), threads, "test", &size, &|n| {
                lock(&began).push(n);
                n * 2
            });
            assert_eq!(done, (0..items).map(|n| n * 2).collect::<Vec<_>>(), "{threads}");
            let began = began.into_inner().unwrap();
            assert!(threads > 1 || began.is_sorted_by_key(|n| Reverse(size(n))), "{began:?}");
        }
    }

    #[test]
    fn so_many_are_under_way_together_and_the_rest_waits_for_nobody() {
        // The first three go on only when all three are there; the first one ends only when all others are done.
        let (three, others) = (Gate::new(), Gate::new());
        let seen = side_by_side((0..20).collect(), 3, "test", &|n| 20 - n, &|n| {
            if n < 3 {
                three.come();
                three.wait_for(3);
            }
            if n == 0 {
                others.wait_for(19);
            } else {
                others.come();
            }
            format!("{:?}", thread::current().id())
        });
        assert_eq!(seen.iter().filter(|id| **id == seen[0]).count(), 1);
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_panic_of_another_thread_is_the_callers() {
        let caller = thread::current().id();
        let both = Gate::new();
        let panics = || {
            side_by_side(vec![1, 2], 2, "test", &|n| *n, &|_| {
                both.come();
                both.wait_for(2);
                assert_eq!(thread::current().id(), caller, "a helper's own words");
            })
        };
        let told = catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
        assert!(told.downcast_ref::<String>().is_some_and(|words| words.contains("a helper's own words")));
    }
}
