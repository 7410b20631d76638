//! Numbers, each once, in the order they came.

use weir_base::crypto::random;

/// Places at first.
const PLACES: usize = 1 << 14;

/// A set of numbers.
pub(super) struct Distinct {
    /// Numbers at places that follow from them and a secret, so that nobody can choose numbers that lie at one place; 0 is none. More than twice
    /// as many as there are numbers.
    places: Vec<u64>,
    odd: u64,
    shift: u32,
    found: Vec<u64>,
    /// 0 is among them.
    zero: bool,
}

impl Distinct {
    pub(super) fn new() -> Distinct {
        let odd = u64::from_le_bytes(random()) | 1;
        Distinct { places: vec![0; PLACES], odd, shift: u64::BITS - PLACES.trailing_zeros(), found: Vec::new(), zero: false }
    }

    /// Adds one.
    pub(super) fn insert(&mut self, number: u64) {
        if number == 0 {
            if !std::mem::replace(&mut self.zero, true) {
                self.found.push(0);
            }
            return;
        }
        if !put(&mut self.places, self.odd, self.shift, number) {
            return;
        }
        self.found.push(number);
        if self.found.len() * 2 >= self.places.len() {
            self.resize(self.places.len() * 2);
            for number in self.found.iter().filter(|number| **number != 0) {
                put(&mut self.places, self.odd, self.shift, *number);
            }
        }
    }

    fn resize(&mut self, places: usize) {
        self.places.clear();
        self.places.resize(places, 0);
        self.shift = u64::BITS - places.trailing_zeros();
    }

    /// All of them.
    pub(super) fn numbers(&self) -> &[u64] {
        &self.found
    }

    /// Lets them go, and keeps room for as many.
    pub(super) fn clear(&mut self) {
        self.resize((self.found.len() * 4).next_power_of_two().clamp(PLACES, self.places.len()));
        self.found.clear();
        self.zero = false;
    }
}

/// Puts a number where it belongs; false if it is there.
fn put(places: &mut [u64], odd: u64, shift: u32, number: u64) -> bool {
    let mut place = (number.wrapping_mul(odd) >> shift) as usize;
    while let Some(held) = places.get_mut(place) {
        if *held == number {
            return false;
        }
        if *held == 0 {
            *held = number;
            return true;
        }
        place = (place + 1) & (places.len() - 1);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn each_is_there_once_in_the_order_they_came(numbers in proptest::collection::vec(0u64..40, 0..100), many in 0u64..20_000) {
            let mut set = Distinct::new();
            for _ in 0..2 {
                let mut want: Vec<u64> = Vec::new();
                numbers.iter().for_each(|n| if !want.contains(n) { want.push(*n) });
                want.extend((0..many).map(|n| 1_000 + n * 0x1_0000_0001));
                for number in numbers.iter().chain(&want).chain(&want) {
                    set.insert(*number);
                }
                proptest::prop_assert_eq!(set.numbers(), want.as_slice());
                set.clear();
                proptest::prop_assert!(set.numbers().is_empty());
            }
        }
    }
}
