//! Many questions at once. Those about one time and one public end lie in the same pages, so they are answered one after the other, whatever their order
//! was; each thread has a shelf of its own, and the answers go back into the order of the questions.

use std::ops::Range;
use std::sync::Mutex;

use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_base::time::Millis;

use crate::limits::{MANY_LEAST, MANY_SPAN_MS, MANY_THREADS};
use crate::shelf::Shelf;
use crate::side::side_by_side;

/// What a question is about, as far as it says where its answer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The moment.
    pub at: Millis,
    /// Public address.
    pub public: Addr16,
    /// Public port; 0 where none is asked about.
    pub port: u16,
}

impl Place {
    fn order(&self) -> (i64, Addr16, u16, Millis) {
        (self.at.0.div_euclid(MANY_SPAN_MS), self.public, self.port, self.at)
    }
}

/// Questions that nobody has taken yet, in stretches. Two share a stretch and come towards each other from its ends, some questions at a time: each stays with what it
/// has at hand, and neither waits for the other.
struct Left(Mutex<Vec<Range<usize>>>);

impl Left {
    /// All below `count`, for so many.
    fn of(count: usize, workers: usize) -> Left {
        let stretch = count.div_ceil(workers.div_ceil(2).max(1)).max(1);
        Left(Mutex::new((0..count).step_by(stretch).map(|from| from..count.min(from + stretch)).collect()))
    }

    /// What this one is to answer next: of its own stretch, else of the one of which most is left.
    fn next(&self, worker: usize) -> Option<Range<usize>> {
        let mut stretches = lock(&self.0);
        let own = Some(worker / 2).filter(|own| stretches.get(*own).is_some_and(|stretch| !stretch.is_empty()));
        let fullest = || stretches.iter().enumerate().max_by_key(|(_, stretch)| stretch.len()).map(|(at, _)| at);
        let at = own.or_else(fullest)?;
        let stretch = stretches.get_mut(at).filter(|stretch| stretch.start < stretch.end)?;
        let some = stretch.len().min(MANY_LEAST);
        if worker.is_multiple_of(2) {
            stretch.start += some;
            Some(stretch.start - some..stretch.start)
        } else {
            stretch.end -= some;
            Some(stretch.end..stretch.end + some)
        }
    }
}

/// Calls `answer` with the number of each question and a shelf, on so many threads, [`MANY_THREADS`] at most; the answers are in the order of the questions.
///
/// # Panics
/// When `answer` does.
pub fn in_turn<T: Send>(places: &[Place], threads: usize, answer: &(dyn Fn(usize, &Shelf) -> T + Sync)) -> Vec<T> {
    let mut order: Vec<_> = places.iter().enumerate().map(|(number, place)| (place.order(), number)).collect();
    order.sort_unstable();
    let threads = threads.clamp(1, MANY_THREADS).min(order.len().div_ceil(MANY_LEAST));
    let left = Left::of(order.len(), threads);
    let one = |worker: usize| -> Vec<(usize, T)> {
        let shelf = Shelf::staying();
        let mine = std::iter::from_fn(|| left.next(worker)).filter_map(|range| order.get(range)).flatten();
        mine.map(|(_, number)| (*number, answer(*number, &shelf))).collect()
    };
    let mut answers: Vec<(usize, T)> =
        side_by_side((0..threads).collect(), threads, "answers", &|_| 0, &one).into_iter().flatten().collect();
    answers.sort_unstable_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Calls `each` with all numbers below `count`, on so many threads, [`MANY_THREADS`] at most; what comes of it is in their order.
///
/// # Panics
/// When `each` does.
pub fn all<T: Send>(count: usize, threads: usize, each: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    let stretch = count.div_ceil(threads.clamp(1, MANY_THREADS)).max(MANY_LEAST);
    let stretches: Vec<Range<usize>> = (0..count).step_by(stretch).map(|from| from..count.min(from + stretch)).collect();
    let one = |some: Range<usize>| some.map(each).collect::<Vec<T>>();
    side_by_side(stretches, threads.min(MANY_THREADS), "answers", &|some| some.len(), &one).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_come_towards_each_other_and_who_is_done_helps() {
        for workers in 1..=5 {
            for count in [0, 1, MANY_LEAST - 1, MANY_LEAST, MANY_LEAST + 1, 7 * MANY_LEAST + 3] {
                let left = Left::of(count, workers);
                // Only the last worker is there: it takes what is meant for the others, too.
                let taken: Vec<Range<usize>> = std::iter::from_fn(|| left.next(workers - 1)).collect();
                assert!(taken.iter().all(|some| (1..=MANY_LEAST).contains(&some.len())), "{workers} {count}");
                let mut alone: Vec<usize> = taken.into_iter().flatten().collect();
                alone.sort_unstable();
                assert_eq!(alone, (0..count).collect::<Vec<_>>(), "{workers} {count}");
                assert_eq!(left.next(0), None);
            }
        }
        let left = Left::of(1_000, 4);
        let taken = [0, 1, 2, 3].map(|worker| left.next(worker).unwrap());
        assert_eq!(taken, [0..64, 436..500, 500..564, 936..1_000]);
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        for (questions, threads) in [(0, 1), (1, 8), (MANY_LEAST, 2), (1_000, 0), (1_000, 1), (1_000, 3), (1_001, 64)] {
            let place = |n: usize| Place {
                at: Millis(n as i64 * 7_919 % 1_009 * 10_000),
                public: Addr16::v4([203, 0, 113, (n % 7) as u8]),
                port: 9,
            };
            let places: Vec<Place> = (0..questions).map(place).collect();
            let answers = in_turn(&places, threads, &|number, _| number);
            assert_eq!(answers, (0..questions).collect::<Vec<_>>(), "{threads}");
            assert_eq!(all(questions, threads, &|number| number), answers, "{threads}");
        }
    }
}
