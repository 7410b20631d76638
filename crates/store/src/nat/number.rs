//! Numbers for values that come again and again.

use std::hash::{BuildHasher, Hash};

use weir_base::hash::MixState;

/// Gives values numbers in the order they come first.
#[derive(Debug)]
pub struct Numbers<T> {
    values: Vec<T>,
    /// Number plus one, by hash; 0 where nothing is.
    slots: Vec<u32>,
    state: MixState,
    last: u32,
}

impl<T> Default for Numbers<T> {
    fn default() -> Numbers<T> {
        Numbers { values: Vec::new(), slots: Vec::new(), state: MixState::default(), last: 0 }
    }
}

impl<T: Copy + Eq + Hash> Numbers<T> {
    /// The number of a value. The one asked for last is found without a table.
    pub fn of(&mut self, value: T) -> u32 {
        if self.values.get(self.last as usize) != Some(&value) {
            self.last = match self.place(&value) {
                Ok(number) => number,
                Err(slot) => self.add(slot, value),
            };
        }
        self.last
    }

    /// The number of a value that came already.
    pub fn find(&self, value: &T) -> Option<u32> {
        self.place(value).ok()
    }

    /// All values, by number.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<T>() + self.slots.len() * size_of::<u32>()
    }

    /// The number, or the slot where it would be.
    fn place(&self, value: &T) -> Result<u32, usize> {
        let Some(mask) = self.slots.len().checked_sub(1) else { return Err(0) };
        let mut at = self.state.hash_one(value) as usize & mask;
        loop {
            match self.slots[at] {
                0 => return Err(at),
                n if self.values[n as usize - 1] == *value => return Ok(n - 1),
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn add(&mut self, slot: usize, value: T) -> u32 {
        self.values.push(value);
        let number = self.values.len() as u32 - 1;
        if self.values.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.slots[slot] = number + 1;
        }
        number
    }

    fn grow(&mut self) {
        let mask = (self.slots.len() * 2).max(1 << 6) - 1;
        self.slots = vec![0; mask + 1];
        for (i, value) in self.values.iter().enumerate() {
            let mut at = self.state.hash_one(value) as usize & mask;
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = i as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_keeps_its_number() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.find(&7u128), None);
        for round in 0..2 {
            for n in 0..5_000u128 {
                assert_eq!(numbers.of(n * n), n as u32, "round {round}");
            }
        }
        assert_eq!((numbers.find(&4), numbers.find(&5), numbers.values().len()), (Some(2), None, 5_000));
        assert!(numbers.bytes() >= 5_000 * 16);
    }
}
