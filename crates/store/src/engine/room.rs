//! How much may be in memory: what waits in the queue, and what is durable and waits to be sealed. One figure of the configuration bounds both.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use weir_base::task::lock;
use weir_record::column;
use weir_record::sink::{Group, SinkError};

use super::Store;
use crate::index::Index;
use crate::limits::{
    CYCLE_BESIDE_BYTES, CYCLE_BYTES, CYCLE_BYTES_MIN, CYCLE_PART, ENDED_SESSION_BYTES, INDEX_SPAN_BYTES, OPEN_MAPPING_BYTES, ORPHAN_BYTES,
    QUEUE_BYTES, QUEUE_BYTES_MIN, SESSION_BYTES, SPANS_IN_MEMORY,
};
use crate::live::Generation;

/// Bytes of the queue, and how many are taken.
#[derive(Debug)]
pub(super) struct Queue {
    most: usize,
    taken: Mutex<usize>,
    changed: Condvar,
}

impl Queue {
    /// A queue of a store that may hold so many bytes in all.
    pub(super) fn of(memory_bytes: u64) -> Queue {
        let most = usize::try_from(memory_bytes / 16).unwrap_or(usize::MAX).clamp(QUEUE_BYTES_MIN, QUEUE_BYTES);
        Queue { most, taken: Mutex::new(0), changed: Condvar::new() }
    }

    /// Takes room. A group that is larger than all of it goes when it is alone.
    fn try_take(&self, taken: &mut usize, bytes: usize) -> bool {
        let fits = *taken == 0 || taken.saturating_add(bytes) <= self.most;
        if fits {
            *taken += bytes;
        }
        fits
    }

    /// Gives room back.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut taken = lock(&self.taken);
        *taken = taken.saturating_sub(bytes);
        drop(taken);
        self.changed.notify_all();
    }
}

/// Bytes a group and what is written of it take in memory.
pub(super) fn weight(group: &Group, encoded: &[u8]) -> usize {
    encoded.len() + group.batches.iter().map(|(_, batch)| column::memory(batch)).sum::<usize>()
}

impl Store {
    /// Room in the queue for so many bytes; waits for it when `wait`.
    pub(super) fn take_room(&self, bytes: usize, wait: bool) -> Result<(), SinkError> {
        let mut taken = lock(&self.queued.taken);
        while !self.queued.try_take(&mut taken, bytes) {
            if self.flags.stopping.load(Ordering::SeqCst) {
                return Err(SinkError::Stopped);
            }
            if !wait {
                return Err(SinkError::Busy);
            }
            let most = Duration::from_millis(200);
            taken = self.queued.changed.wait_timeout(taken, most).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Bytes of one seal cycle: what is left of the memory beside the open tables and the index, and sealing takes a multiple of it.
    pub(super) fn cycle_bytes(&self) -> usize {
        let memory = usize::try_from(self.config.memory_bytes).unwrap_or(usize::MAX);
        let held = self.flags.held_bytes.load(Ordering::Relaxed) as usize;
        let beside = held.saturating_add(self.queued.most).saturating_add(CYCLE_BESIDE_BYTES);
        (memory.saturating_sub(beside) / CYCLE_PART).max(CYCLE_BYTES_MIN)
    }

    /// An index that has nothing yet.
    pub(super) fn empty_index(memory_bytes: u64) -> Index {
        let mut index = Index::default();
        let part = usize::try_from(memory_bytes / 8).unwrap_or(usize::MAX);
        index.sessions.limit_ended(part / ENDED_SESSION_BYTES);
        index.orphans.limit(part / ORPHAN_BYTES);
        index
    }

    /// Spans that the index keeps in memory before they are written as runs.
    pub(super) fn spans_in_memory(&self) -> usize {
        let most = usize::try_from(self.config.memory_bytes / 8).unwrap_or(usize::MAX) / INDEX_SPAN_BYTES;
        SPANS_IN_MEMORY.min(most)
    }

    /// True when this generation should be sealed now.
    pub(super) fn is_due(&self, generation: &Generation) -> bool {
        // Before it is full, so that nobody waits for the sealer to begin.
        let most = self.cycle_bytes() / 8 * 7;
        generation.rows >= self.config.unit_rows || generation.bytes >= CYCLE_BYTES / 8 * 7 || generation.weight() >= most
    }

    /// True while nothing more is taken in: this generation is as large as it may be, and the one before is being sealed still.
    pub(super) fn too_much_waits(&self) -> bool {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let current = &live.current;
        current.weight() >= self.cycle_bytes() || current.bytes >= CYCLE_BYTES || current.nat.len() >= crate::nat::pack::MOST / 2
    }

    /// Counts what the open tables and the index hold, roughly.
    pub(super) fn count_held(&self) {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let sessions = index.sessions.open() * SESSION_BYTES + index.sessions.ended() * ENDED_SESSION_BYTES;
        let held = index.open.len() * OPEN_MAPPING_BYTES
            + index.orphans.len() * ORPHAN_BYTES
            + sessions
            + index.spans.in_memory() * INDEX_SPAN_BYTES;
        drop(index);
        // What a source keeps here for its next start it has in memory too, in about twice as many bytes.
        let held = held as u64 + self.state.bytes() * 3;
        self.flags.held_bytes.store(held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_takes_what_fits_and_a_larger_one_alone() {
        let queue = Queue::of(0);
        let mut taken = lock(&queue.taken);
        assert!(queue.try_take(&mut taken, 3 * QUEUE_BYTES_MIN) && !queue.try_take(&mut taken, 1));
        drop(taken);
        queue.give_back(3 * QUEUE_BYTES_MIN);
        let mut taken = lock(&queue.taken);
        assert!(queue.try_take(&mut taken, QUEUE_BYTES_MIN - 1) && queue.try_take(&mut taken, 1) && !queue.try_take(&mut taken, 1));
        assert_eq!(Queue::of(u64::MAX).most, QUEUE_BYTES);
    }
}
