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

mod number;
mod tails;

use number::{Number, ends, width};

/// Why bytes are not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch cannot be read: {0}")]
pub struct BatchError(pub &'static str);

const UNKNOWN: BatchError = BatchError("an unknown column encoding");

/// Version of this form of a batch,
const FORM: u8 = 1;
/// and of one that is read beside another batch, of which some of its texts are told.
const BESIDE: u8 = 2;

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
/// Texts that end as the bytes of the same row of another batch do. Only in [`BESIDE`].
const TAILS: u8 = 5;

/// The column that is told by [`TAILS`]: a line as it is shown ends, most of the time, as it came.
const TAILED: (Kind, &str) = (Kind::Maintenance, "line");

/// Appends a batch of `kind` to `out`.
pub fn encode(kind: Kind, batch: &RecordBatch, out: &mut Vec<u8>) {
    encode_beside(kind, batch, None, out);
}

/// Appends a batch of `kind` to `out` that will be read where `texts` was read before: the bytes of lines, as they came.
pub fn encode_beside(kind: Kind, batch: &RecordBatch, texts: Option<&RecordBatch>, out: &mut Vec<u8>) {
    let spec = kind.spec();
    out.extend(spec.code.to_le_bytes());
    let form = out.len() + 1;
    out.extend([spec.version, FORM]);
    out.extend(u32::try_from(batch.num_rows()).unwrap_or(u32::MAX).to_le_bytes());
    let texts = texts.and_then(|texts| texts_beside(texts, batch.num_rows()));
    for (field, column) in spec.fields.iter().zip(batch.columns()) {
        let texts = texts.filter(|_| (kind, field.name) == TAILED);
        if encode_column(field.ty, column, texts, out) {
            out[form] = BESIDE;
        }
    }
}

/// The bytes of lines, if there are as many.
fn texts_beside(texts: &RecordBatch, rows: usize) -> Option<&BinaryArray> {
    texts.column_by_name("bytes")?.as_binary_opt::<i32>().filter(|texts| texts.len() == rows)
}

/// True if it can only be read beside the other texts.
fn encode_column(ty: Type, column: &ArrayRef, beside: Option<&BinaryArray>, out: &mut Vec<u8>) -> bool {
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
            if beside.is_some_and(|texts| tails::encode(out, at, column, texts)) {
                return true;
            }
            variable(out, at, column.offsets(), column.value_data());
        }
        Type::Bytes => {
            let column = column.as_binary::<i32>();
            variable(out, at, column.offsets(), column.value_data());
        }
    }
    false
}

fn numbers<T: Number<N>, const N: usize>(out: &mut Vec<u8>, at: usize, values: &[T]) {
    let Some((least, most)) = ends(values) else { return };
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

    fn column(&mut self, ty: Type, n: usize, beside: Option<&BinaryArray>) -> Result<ArrayRef, BatchError> {
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
                let (offsets, data) = match (encoding, beside) {
                    (TAILS, Some(texts)) => tails::decode(self, texts)?,
                    _ => self.variable(n, encoding)?,
                };
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
///
/// # Errors
/// If the bytes are no batch of a known form.
pub fn decode(bytes: &[u8]) -> Result<(Kind, RecordBatch, &[u8]), BatchError> {
    decode_beside(bytes, None)
}

/// Reads one batch from the front of `bytes`, where `texts` was read before; returns it and what follows it.
///
/// # Errors
/// If the bytes are no batch of a known form, or one that other texts are missing for.
pub fn decode_beside<'b>(bytes: &'b [u8], texts: Option<&RecordBatch>) -> Result<(Kind, RecordBatch, &'b [u8]), BatchError> {
    let mut reader = Reader(bytes);
    let code = u16::from_le_bytes(reader.array()?);
    let [version, form] = reader.array()?;
    let n = u32::from_le_bytes(reader.array()?) as usize;
    let kind = Kind::from_code(code).ok_or(BatchError("an unknown kind"))?;
    if version != kind.spec().version {
        return Err(BatchError("another version of the kind"));
    }
    if n > BATCH_ROWS {
        return Err(BatchError("more rows than a batch may carry"));
    }
    let beside = match form {
        FORM => None,
        BESIDE => Some(texts.and_then(|texts| texts_beside(texts, n)).ok_or(BatchError("the texts it is told by are not there"))?),
        _ => return Err(BatchError("another version of the form of batches")),
    };
    let mut columns = Vec::with_capacity(kind.spec().fields.len());
    for field in kind.spec().fields {
        columns.push(reader.column(field.ty, n, beside.filter(|_| (kind, field.name) == TAILED))?);
    }
    let batch = RecordBatch::try_new(kind.schema(), columns).map_err(|_| BatchError("a column does not fit its field"))?;
    Ok((kind, batch, reader.0))
}

#[cfg(test)]
mod tests;
