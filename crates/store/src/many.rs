//! Many questions at once. Those about one time and one public end lie in the same pages, so they are answered one after the other, whatever their order
//! was; each stretch of them has a shelf of its own, and the answers go back into the order of the questions.

use std::ops::Range;

use weir_base::net::Addr16;
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

/// Calls `answer` with the number of each question and a shelf, on so many threads, [`MANY_THREADS`] at most; the answers are in the order of the questions.
///
/// # Panics
/// When `answer` does.
pub fn in_turn<T: Send>(places: &[Place], threads: usize, answer: &(dyn Fn(usize, &Shelf) -> T + Sync)) -> Vec<T> {
    let mut order: Vec<(usize, &Place)> = places.iter().enumerate().collect();
    order.sort_unstable_by_key(|(number, place)| (place.order(), *number));
    let stretch = order.len().div_ceil(threads.clamp(1, MANY_THREADS)).max(MANY_LEAST);
    let one = |mine: &[(usize, &Place)]| -> Vec<(usize, T)> {
        let shelf = Shelf::staying();
        mine.iter().map(|(number, _)| (*number, answer(*number, &shelf))).collect()
    };
    let stretches = order.chunks(stretch).collect();
    let mut answers: Vec<(usize, T)> =
        side_by_side(stretches, threads.min(MANY_THREADS), "answers", &|stretch| stretch.len(), &one).into_iter().flatten().collect();
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
