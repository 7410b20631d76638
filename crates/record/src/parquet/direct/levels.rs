//! Definition levels of a page: which of its rows have a value.

use arrow::buffer::NullBuffer;

use super::encode::varint;

/// The levels of rows `from..to`, after their length: one run where all are alike, else the bits as they lie in the column.
pub(super) fn levels(nulls: Option<&NullBuffer>, from: usize, to: usize, out: &mut Vec<u8>) {
    let rows = to - from;
    let nulls = nulls.map(|n| n.slice(from, rows));
    let absent = nulls.as_ref().map_or(0, NullBuffer::null_count);
    let start = out.len();
    out.extend([0; 4]);
    match nulls {
        Some(nulls) if absent > 0 && absent < rows => {
            varint(out, (rows.div_ceil(8) as u64) << 1 | 1);
            let bits = nulls.inner().sliced();
            let bytes = bits.get(..rows.div_ceil(8)).unwrap_or_default();
            out.extend_from_slice(bytes);
            // What is behind the last row in its byte may be anything.
            if let Some(last) = out.last_mut().filter(|_| !rows.is_multiple_of(8)) {
                *last &= (1 << (rows % 8)) - 1;
            }
        }
        _ => {
            varint(out, (rows as u64) << 1);
            out.push(u8::from(absent == 0));
        }
    }
    let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}
