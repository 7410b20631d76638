//! Memory of rows that are gone, for the next ones: what is new from the kernel is cleared page by page at first use, which takes as long as filling it.

use std::sync::{Mutex, PoisonError};

use arrow::array::{Array, RecordBatch};
use arrow::buffer::MutableBuffer;

/// Buffers below this many bytes come from the allocator: it has room for them that was used before.
const LEAST: usize = 128 << 10;
/// More than is asked for is made by this part: the next rows are some more or some less.
const SLACK: usize = 8;
/// A buffer may be larger by this part: a larger one is left for who needs it, and given back if nobody does.
const LARGER: usize = 4;

/// Empty buffers. Whatever is left in it when rows were made with it was not needed for them, and goes with it.
#[derive(Debug, Default)]
pub struct Spare(Mutex<Vec<MutableBuffer>>);

impl Spare {
    /// An empty buffer with room for so many bytes: one that is there, or a new one.
    pub fn take(&self, bytes: usize) -> MutableBuffer {
        if bytes < LEAST {
            return MutableBuffer::with_capacity(bytes);
        }
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |buffer: &MutableBuffer| (bytes..=bytes + bytes / LARGER).contains(&buffer.capacity());
        let best = (0..).zip(buffers.iter()).filter(|(_, buffer)| fits(buffer)).min_by_key(|(_, buffer)| buffer.capacity());
        match best {
            Some((at, _)) => buffers.swap_remove(at),
            None => MutableBuffer::with_capacity(bytes + bytes / SLACK),
        }
    }

    /// Keeps the memory of rows. Columns, or values, that somebody else holds stay as they are.
    pub fn keep(&self, rows: RecordBatch) {
        let (_, columns, _) = rows.into_parts();
        let mut kept = Vec::new();
        for column in columns {
            let data = column.to_data();
            drop(column);
            let buffers = data.buffers().to_vec();
            drop(data);
            kept.extend(buffers.into_iter().filter_map(|buffer| buffer.into_mutable().ok()).filter(serves));
        }
        kept.iter_mut().for_each(MutableBuffer::clear);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).append(&mut kept);
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(MutableBuffer::capacity).sum()
    }
}

/// Worth keeping, and fit for values of any type.
fn serves(buffer: &MutableBuffer) -> bool {
    buffer.capacity() >= LEAST && buffer.as_slice().as_ptr().cast::<u128>().is_aligned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Record;
    use crate::kinds::MaintenanceText;

    fn texts(bytes: usize) -> RecordBatch {
        MaintenanceText::batch(&[MaintenanceText { bytes: vec![7; bytes], ..MaintenanceText::default() }])
    }

    #[test]
    fn memory_of_rows_is_used_again_where_it_fits_and_nobody_holds_it() {
        let spare = Spare::default();
        spare.keep(texts(1 << 20));
        let kept = spare.bytes();
        assert!(kept >= 1 << 20, "{kept}");
        assert!(
            spare.take(LEAST - 1).is_empty()
                && spare.take(4 << 20).capacity() >= 4 << 20
                && spare.take(kept / 5 * 4 - 64).capacity() < kept
        );
        assert_eq!(spare.bytes(), kept, "too small for any, it is too small, it is too large");
        let used = spare.take(kept / 5 * 4 + 64);
        assert!(used.is_empty() && used.capacity() == kept && spare.bytes() == 0);
        let rows = texts(1 << 20);
        let other = rows.clone();
        spare.keep(rows);
        assert_eq!(spare.bytes(), 0, "somebody reads it still");
        spare.keep(other);
        assert_eq!(spare.bytes(), kept);
        spare.keep(texts(LEAST / 2));
        assert_eq!(spare.bytes(), kept, "small ones are not worth it");
    }
}
