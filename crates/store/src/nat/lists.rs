//! Packed events in lists, so that neither a question nor sealing has to look through all of them, and nothing is ever copied to grow.
//!
//! Events come in any order of their lists. Each put into its list at once would wait for memory; so those of a few lists wait together, and go to their lists when
//! there are many: then the processor has all that it writes to at hand.

use crate::nat::pack::Packed;

/// Events of one block.
const BLOCK: usize = 16;

/// Blocks that are taken from memory at once.
const SLAB: usize = 1 << 12;

/// Lists whose events wait together.
const TOGETHER: usize = 64;

/// Events that wait together until they go to their lists.
const FULL: usize = 1 << 12;

/// Events that wait in all, wherever.
const WAITING: usize = 1 << 18;

/// Where events wait in no more places than these, the places keep their memory.
const KEPT: usize = WAITING / FULL;

type Block = [Packed; BLOCK];

/// Memory for blocks.
#[derive(Debug, Default)]
pub struct Room(Vec<Vec<Block>>);

#[derive(Clone, Debug, Default)]
struct List {
    /// Numbers of its blocks.
    blocks: Vec<u32>,
    events: u32,
}

/// The lists of one generation.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<List>,
    /// For each [`TOGETHER`] lists, the events that came last, with the numbers of their lists.
    waiting: Vec<Vec<(u32, Packed)>>,
    waits: usize,
    /// Blocks, [`SLAB`] together.
    slabs: Vec<Vec<Block>>,
    blocks: u32,
    /// Empty slabs of an earlier generation.
    spare: Vec<Vec<Block>>,
}

impl Lists {
    /// Makes lists of all numbers below `lists`.
    pub fn grow(&mut self, lists: usize) {
        if lists > self.lists.len() {
            self.lists.resize(lists, List::default());
            self.waiting.resize(lists.div_ceil(TOGETHER), Vec::new());
        }
    }

    /// An event for a list that [`Lists::grow`] has made.
    pub fn push(&mut self, list: usize, event: Packed) {
        let waiting = &mut self.waiting[list / TOGETHER];
        waiting.push((list as u32, event));
        self.waits += 1;
        if waiting.len() >= FULL {
            self.settle(list / TOGETHER);
        } else if self.waits >= WAITING {
            self.settle_all();
        }
    }

    /// All events that wait go to their lists. Nothing depends on it but how fast they are found and sealed.
    fn settle_all(&mut self) {
        (0..self.waiting.len()).for_each(|together| self.settle(together));
    }

    fn settle(&mut self, together: usize) {
        let mut waiting = std::mem::take(&mut self.waiting[together]);
        self.waits -= waiting.len();
        waiting.iter().for_each(|(list, event)| self.append(*list, *event));
        // Room to wait in is kept where that is not much in all.
        if self.waiting.len() <= KEPT {
            waiting.clear();
            self.waiting[together] = waiting;
        }
    }

    fn append(&mut self, list: u32, event: Packed) {
        let list = &mut self.lists[list as usize];
        let at = list.events as usize % BLOCK;
        if at == 0 {
            list.blocks.push(self.blocks);
            if self.blocks as usize == self.slabs.len() * SLAB {
                self.slabs.push(self.spare.pop().unwrap_or_else(|| Vec::with_capacity(SLAB)));
            }
            if let Some(slab) = self.slabs.last_mut() {
                slab.push([Packed::default(); BLOCK]);
            }
            self.blocks += 1;
        }
        list.events += 1;
        if let Some(block) = list.blocks.last() {
            self.slabs[*block as usize / SLAB][*block as usize % SLAB][at] = event;
        }
    }

    /// Calls `each` with the events of a list as they came.
    pub fn each(&self, list: usize, mut each: impl FnMut(&Packed)) {
        let Some(List { blocks, events }) = self.lists.get(list) else { return };
        let mut left = *events as usize;
        for block in blocks {
            let block = &self.slabs[*block as usize / SLAB][*block as usize % SLAB];
            block[..left.min(BLOCK)].iter().for_each(&mut each);
            left = left.saturating_sub(BLOCK);
        }
        let waiting = self.waiting.get(list / TOGETHER).into_iter().flatten();
        waiting.filter(|(of, _)| *of as usize == list).for_each(|(_, event)| each(event));
    }

    /// No more events come: those that wait go to their lists. Gives what memory is left over.
    pub fn close(&mut self) -> Room {
        self.settle_all();
        self.waiting = vec![Vec::new(); self.waiting.len()];
        Room(std::mem::take(&mut self.spare))
    }

    /// The memory of events that are sealed, for others: what a kernel gives anew it clears first, page by page.
    pub fn into_room(self) -> Room {
        Room(self.slabs)
    }

    /// Takes the memory of an earlier generation.
    pub fn reuse(&mut self, room: Room) {
        self.spare = room.0;
        self.spare.iter_mut().for_each(Vec::clear);
    }

    /// Bytes in memory, about.
    pub fn bytes(&self) -> usize {
        let numbers = self.blocks as usize * 2 * size_of::<u32>();
        let kept = if self.waiting.len() <= KEPT { self.waiting.len() * FULL } else { 0 };
        let waiting = self.waiting.len() * size_of::<Vec<Packed>>() + (2 * self.waits).max(kept) * size_of::<(u32, Packed)>();
        self.lists.capacity() * size_of::<List>() + numbers + waiting + self.slabs.len() * SLAB * size_of::<Block>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(n: usize) -> Packed {
        Packed::marked(n as u32, 0, 0)
    }

    fn of(lists: &Lists, list: usize) -> Vec<usize> {
        let mut found = Vec::new();
        lists.each(list, |event| found.push(event.mark() as usize));
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// In every list what came, as it came: while events wait, after, and in memory of an earlier generation.
        #[test]
        fn lists_hold_what_came(count in 1usize..300, many in 0usize..60_000, step in 1usize..10_000, again in any::<bool>()) {
            let mut lists = Lists::default();
            let mut want = vec![Vec::new(); count];
            for n in 0..many {
                let list = n * step % count;
                lists.grow(list + 1);
                lists.push(list, event(n));
                want[list].push(n);
            }
            (0..count).for_each(|list| assert_eq!(of(&lists, list), want[list]));
            drop(lists.close());
            (0..count).for_each(|list| assert_eq!(of(&lists, list), want[list]));
            prop_assert!(lists.bytes() >= many * size_of::<Packed>());
            if again {
                let slabs = lists.slabs.len();
                let mut next = Lists::default();
                next.reuse(lists.into_room());
                prop_assert_eq!(next.spare.len(), slabs);
                next.grow(count);
                (0..many).for_each(|n| next.push(n * step % count, event(n)));
                drop(next.close());
                (0..count).for_each(|list| assert_eq!(of(&next, list), want[list]));
            }
        }
    }

    #[test]
    fn what_waits_in_many_lists_is_bounded() {
        let mut lists = Lists::default();
        lists.grow(WAITING);
        for n in 0..2 * WAITING {
            lists.push(n % WAITING, event(n));
            assert!(lists.waits < WAITING);
        }
        let room: usize = lists.waiting.iter().map(Vec::capacity).sum();
        assert!(room <= 4 * WAITING && lists.bytes() > room * size_of::<Packed>(), "{room}");
        assert_eq!(of(&lists, 77), [77, 77 + WAITING]);
    }
}
