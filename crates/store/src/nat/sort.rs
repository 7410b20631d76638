//! Sorting the events of one list: by port in one pass, as few ports stand together; what speaks of one port is nearly always in order.

use crate::nat::pack::{PARTS, Packed};

/// Ports that one list may speak of.
const PORTS: usize = (1 << 16) / PARTS;

/// With fewer events than this, counting the ports costs more than it saves.
const FEW: usize = PORTS / 64;

/// The events of a list and what sorting them needs, used again for the next list.
#[derive(Debug, Default)]
pub struct Sorting {
    /// The events as they came.
    came: Vec<Packed>,
    /// For each port, where its next event goes.
    places: Vec<u32>,
    sorted: Vec<Packed>,
}

impl Sorting {
    /// Begins with another list.
    pub(super) fn clear(&mut self) {
        self.came.clear();
    }

    /// The next event that came.
    pub(super) fn push(&mut self, event: &Packed) {
        self.came.push(*event);
    }

    /// The events by port, those of one port by `key`, and those of one key as they came.
    pub(super) fn sort<K: Ord>(&mut self, key: impl Fn(&Packed) -> K) -> &[Packed] {
        if self.came.len() < FEW {
            self.sorted.clear();
            self.sorted.extend_from_slice(&self.came);
            self.sorted.sort_by_key(|event| event.port);
        } else {
            self.by_counting();
        }
        for same in self.sorted.chunk_by_mut(|a, b| a.port == b.port) {
            if !same.is_sorted_by_key(&key) {
                same.sort_by_key(&key);
            }
        }
        &self.sorted
    }

    fn by_counting(&mut self) {
        self.places.clear();
        self.places.resize(PORTS, 0);
        for event in &self.came {
            self.places[usize::from(event.port) % PORTS] += 1;
        }
        let mut next = 0;
        for place in &mut self.places {
            next += std::mem::replace(place, next);
        }
        // Every place is written once: what stood there does not matter.
        self.sorted.resize(self.came.len(), Packed::default());
        for event in &self.came {
            let place = &mut self.places[usize::from(event.port) % PORTS];
            self.sorted[*place as usize] = *event;
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Few and many, in any order: as a stable sort by port and key would have it.
        #[test]
        fn as_a_stable_sort(part in 0..PARTS, many in 0usize..3_000, ports in 1usize..PORTS, keys in 1u16..9, step in 1usize..100_000) {
            let mut work = Sorting::default();
            for many in [many, many / 20] {
                let event = |n: usize| Packed::marked(n as u32, (part * PORTS + n * step % ports) as u16, (n * step / 7) as u16 % keys);
                let mut want: Vec<Packed> = (0..many).map(event).collect();
                work.clear();
                want.iter().for_each(|event| work.push(event));
                want.sort_by_key(|event| (event.port, event.inside_port));
                let marks = |events: &[Packed]| events.iter().map(|e| (e.port, e.inside_port, e.mark())).collect::<Vec<_>>();
                prop_assert_eq!(marks(work.sort(|event| event.inside_port)), marks(&want));
            }
        }
    }
}
