//! NAT mappings as columns on their way into a unit, and their memory, which the next unit uses again.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::ArrowNativeType;

use crate::column::{UTC, addresses_of, zeros};
use crate::kind::Kind;

/// Columns under construction: plain vectors that become Arrow columns without a copy. None of the rows names an older one. Addresses are 16 bytes each, back
/// to back. The columns of remote ends are empty as long as no row has one.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // The fields are those of `NatMapping`.
pub struct NatMappingColumns {
    pub public_address: Vec<u8>,
    pub public_port: Vec<u16>,
    pub start: Vec<i64>,
    pub duration: Vec<u64>,
    pub public_port_more: Vec<u16>,
    pub protocol: Vec<u8>,
    pub form: Vec<u8>,
    pub row_type: Vec<u8>,
    pub flags: Vec<u8>,
    pub inside_address: Vec<u8>,
    pub inside_port: Vec<u16>,
    pub source: Vec<u32>,
    remote_address: Vec<u8>,
    remote_port: Vec<u16>,
    remote_tag: Vec<u64>,
}

impl NatMappingColumns {
    /// Rows so far.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Rows there is memory for.
    pub fn room(&self) -> usize {
        self.start.capacity()
    }

    /// Makes room for so many rows in all.
    pub fn reserve(&mut self, rows: usize) {
        // Exactly: a vector that is used again and a little too short would take twice what it has.
        let more = rows.saturating_sub(self.len());
        self.public_address.reserve_exact(16 * more);
        self.public_port.reserve_exact(more);
        self.start.reserve_exact(more);
        self.duration.reserve_exact(more);
        self.public_port_more.reserve_exact(more);
        self.protocol.reserve_exact(more);
        self.form.reserve_exact(more);
        self.row_type.reserve_exact(more);
        self.flags.reserve_exact(more);
        self.inside_address.reserve_exact(16 * more);
        self.inside_port.reserve_exact(more);
        self.source.reserve_exact(more);
    }

    /// The remote end of the row that was pushed last; zeros where it has none.
    pub fn push_remote(&mut self, address: &[u8; 16], port: u16, tag: u64) {
        if self.remote_port.is_empty() && *address == [0; 16] && port == 0 && tag == 0 {
            return;
        }
        let before = self.len().saturating_sub(1);
        self.remote_address.resize(16 * before, 0);
        self.remote_port.resize(before, 0);
        self.remote_tag.resize(before, 0);
        self.remote_address.extend_from_slice(address);
        self.remote_port.push(port);
        self.remote_tag.push(tag);
    }

    /// The batch, without copying a column.
    ///
    /// # Panics
    /// If the columns differ in length: a bug of the caller.
    pub fn into_batch(self) -> RecordBatch {
        let rows = self.len();
        // The largest of the columns that say nothing; the others use its beginning.
        let nothing = zeros(16 * rows);
        let none = |width: usize| nothing.slice_with_length(0, width * rows);
        let kept = !self.remote_port.is_empty();
        let (address, port, tag) = if kept {
            (Buffer::from_vec(self.remote_address), self.remote_port.into(), self.remote_tag.into())
        } else {
            (none(16), ScalarBuffer::new(none(2), 0, rows), ScalarBuffer::new(none(8), 0, rows))
        };
        let columns: Vec<ArrayRef> = vec![
            addresses_of(Buffer::from_vec(self.public_address)),
            Arc::new(UInt16Array::from(self.public_port)),
            Arc::new(TimestampMillisecondArray::from(self.start).with_timezone(UTC)),
            Arc::new(UInt64Array::from(self.duration)),
            Arc::new(UInt16Array::from(self.public_port_more)),
            Arc::new(UInt8Array::from(self.protocol)),
            Arc::new(UInt8Array::from(self.form)),
            Arc::new(UInt8Array::from(self.row_type)),
            Arc::new(UInt8Array::from(self.flags)),
            addresses_of(Buffer::from_vec(self.inside_address)),
            Arc::new(UInt16Array::from(self.inside_port)),
            Arc::new(UInt32Array::from(self.source)),
            addresses_of(address),
            Arc::new(UInt16Array::new(port, None)),
            Arc::new(UInt64Array::new(tag, None)),
            Arc::new(UInt64Array::new(ScalarBuffer::new(none(8), 0, rows), None)),
            Arc::new(UInt32Array::new(ScalarBuffer::new(none(4), 0, rows), None)),
        ];
        RecordBatch::try_new(Kind::NatMapping.schema(), columns).expect("columns of one length in the order of the field table")
    }

    /// The memory of a batch that [`NatMappingColumns::into_batch`] made, as far as nobody else holds it: what a kernel gives anew it clears first, page by page.
    pub fn reuse(batch: RecordBatch) -> NatMappingColumns {
        let (_, columns, _) = batch.into_parts();
        let mut columns = columns.into_iter();
        NatMappingColumns {
            public_address: take(columns.next()),
            public_port: take(columns.next()),
            start: take(columns.next()),
            duration: take(columns.next()),
            public_port_more: take(columns.next()),
            protocol: take(columns.next()),
            form: take(columns.next()),
            row_type: take(columns.next()),
            flags: take(columns.next()),
            inside_address: take(columns.next()),
            inside_port: take(columns.next()),
            source: take(columns.next()),
            ..NatMappingColumns::default()
        }
    }
}

/// An empty vector with the memory of a column.
fn take<T: ArrowNativeType>(column: Option<ArrayRef>) -> Vec<T> {
    let buffer = column.and_then(|column| column.to_data().buffers().first().cloned());
    let mut values = buffer.and_then(|buffer| buffer.into_vec().ok()).unwrap_or_default();
    values.clear();
    values
}

#[cfg(test)]
mod tests {
    use weir_base::net::Addr16;
    use weir_base::time::Millis;

    use super::*;
    use crate::kind::Record;
    use crate::kinds::NatMapping;

    fn push(to: &mut NatMappingColumns, m: &NatMapping) {
        to.public_address.extend_from_slice(&m.public_address.0);
        to.public_port.push(m.public_port);
        to.start.push(m.start.0);
        to.duration.push(m.duration);
        to.public_port_more.push(m.public_port_more);
        to.protocol.push(m.protocol);
        to.form.push(m.form);
        to.row_type.push(m.row_type);
        to.flags.push(m.flags);
        to.inside_address.extend_from_slice(&m.inside_address.0);
        to.inside_port.push(m.inside_port);
        to.source.push(m.source);
        to.push_remote(&m.remote_address.0, m.remote_port, m.remote_tag);
    }

    fn mapping(n: u16, remote: bool) -> NatMapping {
        NatMapping {
            public_address: Addr16::v4([203, 0, 113, n as u8]),
            public_port: n,
            start: Millis(i64::from(n)),
            duration: 3,
            protocol: 6,
            form: 1,
            row_type: 1,
            inside_address: Addr16::v4([100, 64, 0, n as u8]),
            inside_port: 9,
            source: 4,
            remote_address: if remote { Addr16::v4([198, 51, 100, 9]) } else { Addr16::NONE },
            remote_port: if remote { 443 } else { 0 },
            ..NatMapping::default()
        }
    }

    #[test]
    fn rows_come_back_and_the_memory_is_used_again() {
        let mut columns = NatMappingColumns::default();
        for which in [0b0000_0000u16, 0b1000_0001, 0b0011_0000, 0] {
            columns.reserve(8);
            let (room, at) = (columns.room(), columns.public_address.as_ptr());
            let rows: Vec<NatMapping> = (0..8).map(|n| mapping(n, which >> n & 1 == 1)).collect();
            rows.iter().for_each(|m| push(&mut columns, m));
            let batch = columns.into_batch();
            assert_eq!(batch, NatMapping::batch(&rows));
            columns = NatMappingColumns::reuse(batch);
            assert_eq!((columns.len(), columns.room(), columns.public_address.as_ptr()), (0, room, at));
        }
        rows_of(20).iter().for_each(|m| push(&mut columns, m));
        let batch = columns.into_batch();
        let held = batch.clone();
        let again = NatMappingColumns::reuse(batch);
        assert_eq!((again.room(), held), (0, NatMapping::batch(&rows_of(20))), "what somebody holds stays as it is");
    }

    fn rows_of(n: u16) -> Vec<NatMapping> {
        (0..n).map(|n| mapping(n, true)).collect()
    }
}
