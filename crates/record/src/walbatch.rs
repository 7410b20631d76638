//! Columns of one batch as bytes in the write-ahead log: no compression, columns one after the other, so that a batch goes from memory to
//! the log with one copy a column. What a column has in common is written once. Byte by byte: `docs/formats/wal.md`.

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

const UNKNOWN: BatchError = BatchError("an unknown column encoding");

/// Version of this form of a batch.
const FORM: u8 = 1;

const PLAIN: u8 = 0;
/// Addresses that are all IPv4, in 4 bytes each.
const V4: u8 = 1;
const V4_HEAD: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/// All rows are equal: one value.
const CONSTANT: u8 = 2;
/// Numbers that are not far apart: the least one, and what each is above it, in so many bytes.
const NEAR: u8 = 3;
/// Values of 16 bytes, each one more than the one before: the first.
const STEPS: u8 = 4;

/// A number of `N` bytes.
trait Number<const N: usize>: Copy + Ord {
    fn bytes(self) -> [u8; N];
    fn of(bytes: [u8; N]) -> Self;
    /// How far it is above another, which is no greater.
    fn above(self, least: Self) -> u64;
    /// The number so far above this one.
    fn plus(self, more: u64) -> Self;
}

macro_rules! number {
    ($rust:ty, $unsigned:ty, $bytes:literal) => {
        impl Number<$bytes> for $rust {
            fn bytes(self) -> [u8; $bytes] {
                self.to_le_bytes()
            }
            fn of(bytes: [u8; $bytes]) -> Self {
                <$rust>::from_le_bytes(bytes)
            }
            #[allow(clippy::unnecessary_cast)] // Some are of the type already.
            fn above(self, least: Self) -> u64 {
                self.wrapping_sub(least) as $unsigned as u64
            }
            #[allow(clippy::unnecessary_cast)]
            fn plus(self, more: u64) -> Self {
                self.wrapping_add(more as $rust)
            }
        }
    };
}

number!(u8, u8, 1);
number!(u16, u16, 2);
number!(u32, u32, 4);
number!(u64, u64, 8);
number!(i64, u64, 8);

/// Bytes that a number up to `most` takes: 1, 2, 4 or 8.
fn width(most: u64) -> usize {
    match most {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Appends a batch of `kind` to `out`.
pub fn encode(kind: Kind, batch: &RecordBatch, out: &mut Vec<u8>) {
    let spec = kind.spec();
    out.extend(spec.code.to_le_bytes());
    out.extend([spec.version, FORM]);
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
        Type::U8 => numbers(out, at, column.as_primitive::<UInt8Type>().values()),
        Type::U16 => numbers(out, at, column.as_primitive::<UInt16Type>().values()),
        Type::U32 => numbers(out, at, column.as_primitive::<UInt32Type>().values()),
        Type::U64 => numbers(out, at, column.as_primitive::<UInt64Type>().values()),
        Type::Time => numbers(out, at, column.as_primitive::<TimestampMillisecondType>().values()),
        Type::Id | Type::Addr => fixed(out, at, column.as_fixed_size_binary()),
        Type::Text => {
            let column = column.as_string::<i32>();
            variable(out, at, column.offsets(), column.value_data());
        }
        Type::Bytes => {
            let column = column.as_binary::<i32>();
            variable(out, at, column.offsets(), column.value_data());
        }
    }
}

fn numbers<T: Number<N>, const N: usize>(out: &mut Vec<u8>, at: usize, values: &[T]) {
    let Some(first) = values.first() else { return };
    let (least, most) = values.iter().fold((*first, *first), |(least, most), v| (least.min(*v), most.max(*v)));
    let width = width(most.above(least));
    if least == most {
        out[at] = CONSTANT;
        out.extend(least.bytes());
    } else if width < N {
        out[at] = NEAR;
        out.push(width as u8);
        out.extend(least.bytes());
        match width {
            1 => put(out, values, |v| [v.above(least) as u8]),
            2 => put(out, values, |v| (v.above(least) as u16).to_le_bytes()),
            _ => put(out, values, |v| (v.above(least) as u32).to_le_bytes()),
        }
    } else {
        put(out, values, |v| v.bytes());
    }
}

/// Written in place, without a look at the capacity a value.
fn put<T: Copy, const N: usize>(out: &mut Vec<u8>, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    let from = out.len();
    out.resize(from + values.len() * N, 0);
    out[from..].as_chunks_mut::<N>().0.iter_mut().zip(values).for_each(|(cell, v)| *cell = bytes(*v));
}

fn fixed(out: &mut Vec<u8>, at: usize, column: &FixedSizeBinaryArray) {
    let data = &column.value_data()[column.offset() * 16..(column.offset() + column.len()) * 16];
    let (values, _) = data.as_chunks::<16>();
    let Some(first) = values.first() else { return };
    let number = u128::from_be_bytes(*first);
    if values.iter().all(|v| v == first) {
        out[at] = CONSTANT;
        out.extend_from_slice(first);
    } else if (0..).zip(values).all(|(i, v)| u128::from_be_bytes(*v) == number.wrapping_add(i)) {
        out[at] = STEPS;
        out.extend_from_slice(first);
    } else if values.iter().all(|v| v[..12] == V4_HEAD) {
        out[at] = V4;
        put(out, values, |v| [v[12], v[13], v[14], v[15]]);
    } else {
        out.extend_from_slice(data);
    }
}

/// Lengths as numbers of 4 bytes, then the texts.
fn variable(out: &mut Vec<u8>, at: usize, offsets: &OffsetBuffer<i32>, data: &[u8]) {
    let lengths: Vec<u32> = offsets.lengths().map(|len| u32::try_from(len).unwrap_or(u32::MAX)).collect();
    numbers(out, at, &lengths);
    let first = offsets.first().copied().unwrap_or(0);
    let last = offsets.last().copied().unwrap_or(0);
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

    fn numbers<T: Number<N>, const N: usize>(&mut self, n: usize, encoding: u8) -> Result<Vec<T>, BatchError> {
        match encoding {
            CONSTANT => Ok(vec![T::of(self.array()?); n]),
            NEAR => {
                let [width] = self.array()?;
                if usize::from(width) >= N {
                    return Err(BatchError("a number has an unknown width"));
                }
                let least = T::of(self.array()?);
                match width {
                    1 => self.each(n, |[above]| least.plus(u64::from(above))),
                    2 => self.each(n, |above| least.plus(u64::from(u16::from_le_bytes(above)))),
                    4 => self.each(n, |above| least.plus(u64::from(u32::from_le_bytes(above)))),
                    _ => Err(BatchError("a number has an unknown width")),
                }
            }
            PLAIN => self.each(n, T::of),
            _ => Err(UNKNOWN),
        }
    }

    fn each<T, const N: usize>(&mut self, n: usize, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>, BatchError> {
        let (chunks, _) = self.take(n * N)?.as_chunks::<N>();
        Ok(chunks.iter().map(|c| read(*c)).collect())
    }

    fn fixed(&mut self, n: usize, encoding: u8) -> Result<Vec<u8>, BatchError> {
        match encoding {
            CONSTANT => Ok(self.array::<16>()?.repeat(n)),
            STEPS => {
                let first = u128::from_be_bytes(self.array()?);
                let values: Vec<[u8; 16]> = (0..).take(n).map(|i| first.wrapping_add(i).to_be_bytes()).collect();
                Ok(values.into_flattened())
            }
            V4 => {
                let mut out = Vec::with_capacity(n * 16);
                for v in self.take(n * 4)?.as_chunks::<4>().0 {
                    out.extend_from_slice(&V4_HEAD);
                    out.extend_from_slice(v);
                }
                Ok(out)
            }
            PLAIN => Ok(self.take(n * 16)?.to_vec()),
            _ => Err(UNKNOWN),
        }
    }

    fn variable(&mut self, n: usize, encoding: u8) -> Result<(OffsetBuffer<i32>, Buffer), BatchError> {
        let long = BatchError("the texts of a column are too long");
        let mut offsets = Vec::with_capacity(n + 1);
        let mut end = 0i32;
        offsets.push(end);
        for len in self.numbers::<u32, 4>(n, encoding)? {
            end = i32::try_from(len).ok().and_then(|len| end.checked_add(len)).ok_or_else(|| long.clone())?;
            offsets.push(end);
        }
        let len = usize::try_from(end).map_err(|_| long)?;
        Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from(self.take(len)?)))
    }

    fn column(&mut self, ty: Type, n: usize) -> Result<ArrayRef, BatchError> {
        let [encoding, has_nulls] = self.array()?;
        if has_nulls > 1 {
            return Err(UNKNOWN);
        }
        let nulls = match has_nulls {
            0 => None,
            _ => Some(NullBuffer::new(BooleanBuffer::new(Buffer::from(self.take(n.div_ceil(8))?), 0, n))),
        };
        Ok(match ty {
            Type::U8 => Arc::new(UInt8Array::new(self.numbers::<u8, _>(n, encoding)?.into(), nulls)),
            Type::U16 => Arc::new(UInt16Array::new(self.numbers::<u16, _>(n, encoding)?.into(), nulls)),
            Type::U32 => Arc::new(UInt32Array::new(self.numbers::<u32, _>(n, encoding)?.into(), nulls)),
            Type::U64 => Arc::new(UInt64Array::new(self.numbers::<u64, _>(n, encoding)?.into(), nulls)),
            Type::Time => {
                let values = self.numbers::<i64, _>(n, encoding)?;
                Arc::new(TimestampMillisecondArray::new(values.into(), nulls).with_timezone(UTC))
            }
            Type::Id | Type::Addr => Arc::new(
                FixedSizeBinaryArray::try_new(16, Buffer::from_vec(self.fixed(n, encoding)?), nulls)
                    .map_err(|_| BatchError("a fixed column does not fit"))?,
            ),
            Type::Text => {
                let (offsets, data) = self.variable(n, encoding)?;
                Arc::new(StringArray::try_new(offsets, data, nulls).map_err(|_| BatchError("text is not UTF-8"))?)
            }
            Type::Bytes => {
                let (offsets, data) = self.variable(n, encoding)?;
                Arc::new(BinaryArray::try_new(offsets, data, nulls).map_err(|_| BatchError("bytes do not fit"))?)
            }
        })
    }
}

/// Reads one batch from the front of `bytes`; returns it and what follows it.
pub fn decode(bytes: &[u8]) -> Result<(Kind, RecordBatch, &[u8]), BatchError> {
    let mut reader = Reader(bytes);
    let code = u16::from_le_bytes(reader.array()?);
    let [version, form] = reader.array()?;
    let n = u32::from_le_bytes(reader.array()?) as usize;
    let kind = Kind::from_code(code).ok_or(BatchError("an unknown kind"))?;
    if version != kind.spec().version {
        return Err(BatchError("another version of the kind"));
    }
    if form != FORM {
        return Err(BatchError("another version of the form of batches"));
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
    use crate::kinds::{MaintenanceText, NatEvent, RadiusSession};
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
                bytes[..8].copy_from_slice(&[code as u8, 0, 1, FORM, rows, 0, 0, 0]);
            }
            let _ = decode(&bytes);
        }
    }

    /// One batch whose columns take each encoding, byte by byte; and what is refused of it.
    #[test]
    fn a_batch_has_these_bytes() {
        let hex: String =
            include_str!("testdata/batch.hex").lines().filter_map(|line| line.split('#').next()).flat_map(str::split_whitespace).collect();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        let id = |n: u8| Id([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, n]);
        let rows = [(1_000, 0xff, "a"), (1_300, 0, ""), (1_001, 1, "xyz")];
        let rows: Vec<MaintenanceText> = rows
            .into_iter()
            .zip(0u8..)
            .map(|((time, source, text), n)| MaintenanceText { time: Millis(time), id: id(n), source, bytes: text.into() })
            .collect();
        let mut written = Vec::new();
        encode(Kind::MaintenanceText, &MaintenanceText::batch(&rows), &mut written);
        assert_eq!(written, bytes);
        let (kind, batch, rest) = decode(&bytes).unwrap();
        assert_eq!((kind, MaintenanceText::rows(&batch), rest), (Kind::MaintenanceText, rows, &[][..]));
        let refused = |at: usize, byte: u8| {
            let mut bad = bytes.clone();
            bad[at] = byte;
            decode(&bad).unwrap_err().0
        };
        assert_eq!(refused(3, 0), "another version of the form of batches");
        assert_eq!(refused(3, 2), "another version of the form of batches");
        for (column, encodings) in [(8, [V4, STEPS, 5]), (25, [NEAR, 5, 255]), (43, [V4, STEPS, 5]), (53, [V4, STEPS, 5])] {
            encodings.iter().for_each(|encoding| assert_eq!(refused(column, *encoding), UNKNOWN.0, "{column} {encoding}"));
        }
        assert_eq!(refused(9, 2), UNKNOWN.0);
        for width in [0, 3, 5, 8, 255] {
            assert_eq!(refused(10, width), "a number has an unknown width");
        }
        // The least length: 2,147,483,647, and three more.
        let mut bad = bytes.clone();
        bad[56..60].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
        assert_eq!(decode(&bad).unwrap_err().0, "the texts of a column are too long");
    }

    /// Ids that count up, and numbers at the edges of each width.
    #[test]
    fn what_is_near_takes_little() {
        let row = |n: u64, id: u128, octets: u64| RadiusSession {
            session: Id(id.to_be_bytes()),
            time: Millis(i64::MIN.wrapping_add_unsigned(octets)),
            input_octets: Some(octets),
            nas_port: Some(n as u32),
            ..RadiusSession::default()
        };
        let mut before = 0;
        for most in [0, 1, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
            let rows: Vec<_> = (0..5).map(|n| row(n, u128::MAX.wrapping_add(n.into()), if n == 3 { most } else { 0 })).collect();
            let mut bytes = Vec::new();
            encode(Kind::RadiusSession, &RadiusSession::batch(&rows), &mut bytes);
            assert_eq!(RadiusSession::rows(&decode(&bytes).unwrap().1), rows);
            assert!(bytes.len() >= before, "{most}");
            before = bytes.len();
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
