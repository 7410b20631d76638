//! Fingerprints of some last lines, each with the connection it came over: a ring, and a table of where in it each was last.

use std::hash::BuildHasher;

use weir_base::hash::MixState;

/// Lines the ring has room for at first.
const FIRST: usize = 16;
/// Places of the table for each line of the ring: it stays at most half full.
const PLACES: usize = 2;
/// Nothing stands in this place.
const NOTHING: u32 = u32::MAX;

/// The last lines of one sender.
#[derive(Debug, Default)]
pub struct Recent {
    hashes: MixState,
    /// Fingerprints, and the connection each came over; as many as a power of two.
    ring: Vec<(u64, u64)>,
    /// Where in the ring the newest line with a fingerprint is, at or behind the place that the fingerprint's hash gives.
    places: Vec<u32>,
    /// Number of the oldest line; its place in the ring is the rest.
    oldest: usize,
    len: usize,
}

impl Recent {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a line; true if the newest one with this fingerprint came over another connection. What one connection says twice is said on purpose.
    pub fn note(&mut self, connection: u64, mark: u64) -> bool {
        if self.len == self.ring.len() {
            self.grow();
        }
        let at = self.oldest.wrapping_add(self.len) & (self.ring.len() - 1);
        let place = self.find(mark);
        let before = std::mem::replace(&mut self.places[place], at as u32);
        let perhaps = before != NOTHING && self.ring[before as usize].1 != connection;
        self.ring[at] = (mark, connection);
        self.len += 1;
        perhaps
    }

    /// Forgets the oldest line.
    pub fn forget_oldest(&mut self) {
        if self.len == 0 {
            return;
        }
        let at = self.oldest & (self.ring.len() - 1);
        let place = self.find(self.ring[at].0);
        // A newer line with the same fingerprint stands there otherwise.
        if self.places[place] == at as u32 {
            self.clear(place);
        }
        self.oldest = self.oldest.wrapping_add(1);
        self.len -= 1;
    }

    /// The place of a fingerprint, or the empty one where it belongs.
    fn find(&self, mark: u64) -> usize {
        let mut place = self.home(mark);
        loop {
            match self.places[place] {
                NOTHING => return place,
                at if self.ring[at as usize].0 == mark => return place,
                _ => place = (place + 1) & (self.places.len() - 1),
            }
        }
    }

    fn home(&self, mark: u64) -> usize {
        self.hashes.hash_one(mark) as usize & (self.places.len() - 1)
    }

    /// Empties a place, and moves up what stands behind it and belongs no further back: so nothing is ever looked for across a hole.
    fn clear(&mut self, mut hole: usize) {
        let last = self.places.len() - 1;
        let mut next = hole;
        loop {
            next = (next + 1) & last;
            let at = self.places[next];
            if at == NOTHING {
                break;
            }
            let home = self.home(self.ring[at as usize].0);
            if next.wrapping_sub(home) & last >= next.wrapping_sub(hole) & last {
                self.places[hole] = at;
                hole = next;
            }
        }
        self.places[hole] = NOTHING;
    }

    fn grow(&mut self) {
        let room = (self.ring.len() * 2).max(FIRST);
        let mut ring = vec![(0, 0); room];
        for (n, to) in ring.iter_mut().take(self.len).enumerate() {
            *to = self.ring[self.oldest.wrapping_add(n) & (self.ring.len() - 1)];
        }
        (self.ring, self.oldest) = (ring, 0);
        self.places = vec![NOTHING; room * PLACES];
        for at in 0..self.len {
            let place = self.find(self.ring[at].0);
            self.places[place] = at as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Beside a list that is walked: each line is held against the newest one like it.
        #[test]
        fn it_says_what_a_list_says(steps in proptest::collection::vec((0u8..6, 0u64..40, 0u64..4), 0..600), most in 1usize..70) {
            let (mut recent, mut list) = (Recent::default(), VecDeque::new());
            for (what, mark, connection) in steps {
                if what == 0 {
                    recent.forget_oldest();
                    list.pop_front();
                } else {
                    let newest = list.iter().rev().find(|(m, _)| *m == mark);
                    let want = newest.is_some_and(|(_, c)| *c != connection);
                    prop_assert_eq!(recent.note(connection, mark), want);
                    list.push_back((mark, connection));
                }
                while recent.len() > most {
                    recent.forget_oldest();
                    list.pop_front();
                }
                prop_assert_eq!(recent.len(), list.len());
            }
        }
    }
}
