//! Columns of one batch as bytes in the write-ahead log: no compression, columns one after the other, so that a batch goes from memory to
//! the log with one copy a column.
//!
//! Layout: kind code u16, kind version u8, zero u8, rows u32, then each column: encoding u8 (0 plain, 1 addresses that are all IPv4 in
//! 4 bytes each, 2 all rows equal: one value), nulls u8 (1: a bitmap of valid rows follows, least significant bit first), then the values:
//! numbers little-endian, 16-byte values as they are, text and bytes as `rows` ends (u32 little-endian) and then the bytes. All integers little-endian.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};

use crate::column::UTC;
use crate::field::Type;
use crate::kind::Kind;
use crate::limits::BATCH_ROWS;

/// Why bytes are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch cannot be read: {0}")]
pub struct BatchError(pub &'static str);

const PLAIN: u8 = 0;
const V4: u8 = 1;
const V4_HEAD: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const CONSTANT: u8 = 2;

/// Appends a batch of `kind` to `out`.
pub fn encode(kind: Kind, batch: &RecordBatch, out: &mut Vec<u8>) {
    let spec = kind.spec();
    out.extend(spec.code.to_le_bytes());
    out.extend([spec.version, 0]);
    out.extend(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX).to_le_bytes());
    for (field, column) in spec.fields.iter().zip(batch.columns()) {
        encode_column(field.ty, column, out);
    }
}

fn encode_column(ty: Type, column: &ArrayRef, out: &mut Vec<u8>) {
    let at = out.len();
    out.push(PLAIN);
    let nulls = column.nulls().filter(|n| n.null_count() > 0);
    out.push(u8::from(nulls.is_some()));
    if let Some(nulls) = nulls {
        let mut bits = vec![0u8; column.len().div_ceil(8)];
        nulls.valid_indices().for_each(|i| bits[i / 8] |= 1 << (i % 8));
        out.extend(bits);
    }
    match ty {
        Type::U8 => numbers(out, at, column.as_primitive::<UInt8Type>().values(), |v| v.to_le_bytes()),
        Type::U16 => numbers(out, at, column.as_primitive::<UInt16Type>().values(), |v| v.to_le_bytes()),
        Type::U32 => numbers(out, at, column.as_primitive::<UInt32Type>().values(), |v| v.to_le_bytes()),
        Type::U64 => numbers(out, at, column.as_primitive::<UInt64Type>().values(), |v| v.to_le_bytes()),
        Type::Time => numbers(out, at, column.as_primitive::<TimestampMillisecondType>().values(), |v| v.to_le_bytes()),
        Type::Id | Type::Addr => fixed(out, at, column.as_fixed_size_binary()),
        Type::Text => {
            let column = column.as_string::<i32>();
            variable(out, column.offsets(), column.value_data());
        }
        Type::Bytes => {
            let column = column.as_binary::<i32>();
            variable(out, column.offsets(), column.value_data());
        }
    }
}

fn numbers<T: Copy + PartialEq, const N: usize>(out: &mut Vec<u8>, at: usize, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    if let Some(first) = values.first().filter(|f| values.iter().all(|v| v == *f)) {
        out[at] = CONSTANT;
        out.extend(bytes(*first));
        return;
    }
    let from = out.len();
    out.resize(from + values.len() * N, 0);
    // Written in place, without a look at the capacity a value.
    out[from..].as_chunks_mut::<N>().0.iter_mut().zip(values).for_each(|(cell, v)| *cell = bytes(*v));
}

fn fixed(out: &mut Vec<u8>, at: usize, column: &FixedSizeBinaryArray) {
    let data = &column.value_data()[column.offset() * 16..(column.offset() + column.len()) * 16];
    let (values, _) = data.as_chunks::<16>();
    if let Some(first) = values.first().filter(|f| values.iter().all(|v| v == *f)) {
        out[at] = CONSTANT;
        out.extend_from_slice(first);
    } else if values.iter().all(|v| v[..12] == V4_HEAD) {
        out[at] = V4;
        let from = out.len();
        out.resize(from + values.len() * 4, 0);
        out[from..].as_chunks_mut::<4>().0.iter_mut().zip(values).for_each(|(cell, v)| cell.copy_from_slice(&v[12..]));
    } else {
        out.extend_from_slice(data);
    }
}

fn variable(out: &mut Vec<u8>, offsets: &OffsetBuffer<i32>, data: &[u8]) {
    let first = offsets.first().copied().unwrap_or(0);
    let last = offsets.last().copied().unwrap_or(0);
    offsets.iter().skip(1).for_each(|end| out.extend_from_slice(&(*end - first).to_le_bytes()));
    out.extend_from_slice(&data[usize::try_from(first).unwrap_or(0)..usize::try_from(last).unwrap_or(0)]);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BatchError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(BatchError("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        self.take(N)?.try_into().map_err(|_| BatchError("it ends too early"))
    }

    fn numbers<T: Copy, const N: usize>(&mut self, n: usize, encoding: u8, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>, BatchError> {
        if encoding == CONSTANT {
            return Ok(vec![read(self.array()?); n]);
        }
        let (chunks, _) = self.take(n * N)?.as_chunks::<N>();
        Ok(chunks.iter().map(|c| read(*c)).collect())
    }

    fn fixed(&mut self, n: usize, encoding: u8) -> Result<Vec<u8>, BatchError> {
        match encoding {
            CONSTANT => Ok(self.array::<16>()?.repeat(n)),
            V4 => {
                let mut out = Vec::with_capacity(n * 16);
                for v in self.take(n * 4)?.as_chunks::<4>().0 {
                    out.extend_from_slice(&V4_HEAD);
                    out.extend_from_slice(v);
                }
                Ok(out)
            }
            _ => Ok(self.take(n * 16)?.to_vec()),
        }
    }

    fn variable(&mut self, n: usize) -> Result<(OffsetBuffer<i32>, Buffer), BatchError> {
        let mut offsets = vec![0i32];
        for end in self.take(n * 4)?.as_chunks::<4>().0 {
            let end = i32::from_le_bytes(*end);
            if end < offsets.last().copied().unwrap_or(0) {
                return Err(BatchError("ends of values go back"));
            }
            offsets.push(end);
        }
        let len = usize::try_from(offsets.last().copied().unwrap_or(0)).map_err(|_| BatchError("a length is negative"))?;
        Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from(self.take(len)?)))
    }

    fn column(&mut self, ty: Type, n: usize) -> Result<ArrayRef, BatchError> {
        let [encoding, has_nulls] = self.array()?;
        if encoding > CONSTANT || has_nulls > 1 || (encoding == V4 && !matches!(ty, Type::Id | Type::Addr)) {
            return Err(BatchError("an unknown column encoding"));
        }
        let nulls = match has_nulls {
            0 => None,
            _ => Some(NullBuffer::new(BooleanBuffer::new(Buffer::from(self.take(n.div_ceil(8))?), 0, n))),
        };
        Ok(match ty {
            Type::U8 => Arc::new(UInt8Array::new(self.numbers(n, encoding, u8::from_le_bytes)?.into(), nulls)),
            Type::U16 => Arc::new(UInt16Array::new(self.numbers(n, encoding, u16::from_le_bytes)?.into(), nulls)),
            Type::U32 => Arc::new(UInt32Array::new(self.numbers(n, encoding, u32::from_le_bytes)?.into(), nulls)),
            Type::U64 => Arc::new(UInt64Array::new(self.numbers(n, encoding, u64::from_le_bytes)?.into(), nulls)),
            Type::Time => {
                let values = self.numbers(n, encoding, i64::from_le_bytes)?;
                Arc::new(TimestampMillisecondArray::new(values.into(), nulls).with_timezone(UTC))
            }
            Type::Id | Type::Addr => Arc::new(
                FixedSizeBinaryArray::try_new(16, Buffer::from_vec(self.fixed(n, encoding)?), nulls)
                    .map_err(|_| BatchError("a fixed column does not fit"))?,
            ),
            Type::Text => {
                let (offsets, data) = self.variable(n)?;
                Arc::new(StringArray::try_new(offsets, data, nulls).map_err(|_| BatchError("text is not UTF-8"))?)
            }
            Type::Bytes => {
                let (offsets, data) = self.variable(n)?;
                Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(|_| BatchError("bytes do not fit"))?)
            }
        })
    }
}

/// Reads one batch from the front of `bytes`; returns it and what follows it.
pub fn decode(bytes: &[u8]) -> Result<(Kind, RecordBatch, &[u8]), BatchError> {
    let mut reader = Reader(bytes);
    let code = u16::from_le_bytes(reader.array()?);
    let [version, _] = reader.array()?;
    let n = u32::from_le_bytes(reader.array()?) as usize;
    let kind = Kind::from_code(code).ok_or(BatchError("an unknown kind"))?;
    if version != kind.spec().version {
        return Err(BatchError("another version of the kind"));
    }
    if n > BATCH_ROWS {
        return Err(BatchError("more rows than a batch may carry"));
    }
    let mut columns = Vec::with_capacity(kind.spec().fields.len());
    for field in kind.spec().fields {
        columns.push(reader.column(field.ty, n)?);
    }
    let batch = RecordBatch::try_new(kind.schema(), columns).map_err(|_| BatchError("a column does not fit its field"))?;
    Ok((kind, batch, reader.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Id;
    use crate::kind::Record;
    use crate::kinds::{NatEvent, RadiusSession};
    use proptest::prelude::*;
    use weir_base::net::Addr16;
    use weir_base::time::Millis;

    fn session() -> impl Strategy<Value = RadiusSession> {
        let text = || proptest::option::of("\\PC{0,12}");
        (any::<i64>(), any::<u8>(), text(), any::<[u8; 16]>(), proptest::option::of(any::<[u8; 16]>()), proptest::option::of(any::<u64>()))
            .prop_map(|(time, status, text, id, addr, octets)| RadiusSession {
                time: Millis(time),
                status,
                reason: text.clone(),
                acct_session_id: text,
                session: Id(id),
                framed_ipv6: addr.map(Addr16),
                input_octets: octets,
                start: octets.map(|o| Millis(o as i64)),
                ..RadiusSession::default()
            })
    }

    proptest! {
        #[test]
        fn sessions_come_back(rows in proptest::collection::vec(session(), 0..40)) {
            let mut bytes = Vec::new();
            encode(Kind::RadiusSession, &RadiusSession::batch(&rows), &mut bytes);
            bytes.push(9);
            let (kind, batch, rest) = decode(&bytes).unwrap();
            prop_assert_eq!(kind, Kind::RadiusSession);
            prop_assert_eq!(RadiusSession::rows(&batch), rows);
            prop_assert_eq!(rest, [9]);
            for cut in 0..bytes.len() - 1 {
                prop_assert!(decode(&bytes[..cut]).is_err());
            }
        }

        #[test]
        fn events_come_back(v in proptest::collection::vec((any::<[u8; 4]>(), any::<u16>(), any::<bool>()), 0..40)) {
            let rows: Vec<_> = v.into_iter().map(|(a, p, v6)| NatEvent {
                public_address: if v6 { Addr16([a[0]; 16]) } else { Addr16::v4(a) },
                inside_address: Addr16::v4(a),
                public_port: p,
                protocol: 6,
                ..NatEvent::default()
            }).collect();
            let mut bytes = Vec::new();
            encode(Kind::NatEvent, &NatEvent::batch(&rows), &mut bytes);
            prop_assert_eq!(NatEvent::rows(&decode(&bytes).unwrap().1), rows);
        }

        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), code in 1u16..11) {
            let mut bytes = bytes;
            if bytes.len() > 8 {
                let rows = bytes[4] % 16;
                bytes[..8].copy_from_slice(&[code as u8, 0, 1, 0, rows, 0, 0, 0]);
            }
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn slices_are_encoded_from_their_own_start() {
        let rows: Vec<_> = (0..10u16)
            .map(|i| NatEvent { public_port: i, public_address: Addr16::v4([1, 2, 3, i as u8]), ..NatEvent::default() })
            .collect();
        let sliced = NatEvent::batch(&rows).slice(3, 4);
        let mut bytes = Vec::new();
        encode(Kind::NatEvent, &sliced, &mut bytes);
        assert_eq!(NatEvent::rows(&decode(&bytes).unwrap().1), rows[3..7]);
    }
}
