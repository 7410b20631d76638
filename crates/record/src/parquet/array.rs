//! Decoded values as an Arrow column of a field.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, FixedSizeBinaryArray, StringArray, TimestampMillisecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::ParquetFailure;
use super::encoding::{self, Texts};
use crate::column::UTC;
use crate::field::{Field, Type};

/// Encodings by their number in the specification.
pub(super) const PLAIN: i64 = 0;
pub(super) const PLAIN_DICTIONARY: i64 = 2;
const DELTA_BINARY_PACKED: i64 = 5;
pub(super) const RLE_DICTIONARY: i64 = 8;
const BYTE_STREAM_SPLIT: i64 = 9;

const OTHER: ParquetFailure = ParquetFailure::Format("the encoding of a page");

/// The values of a dictionary.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Numbers(Vec<i32>),
    Longs(Vec<i64>),
    Fixed(Vec<[u8; 16]>),
    Texts(Texts),
}

impl Values {
    pub(super) fn decode(field: &Field, bytes: &[u8], count: usize) -> Result<Values, ParquetFailure> {
        match field.ty {
            Type::U8 | Type::U16 | Type::U32 => Ok(Values::Numbers(encoding::plain(bytes, count)?)),
            Type::Text | Type::Bytes => Ok(Values::Texts(encoding::plain_texts(bytes, count)?)),
            Type::U64 | Type::Time => Ok(Values::Longs(encoding::plain(bytes, count)?)),
            Type::Id | Type::Addr => Ok(Values::Fixed(encoding::plain_fixed(bytes, count, 16)?.as_chunks().0.to_vec())),
        }
    }
}

/// What the pages of a dictionary hold: the width of an index, and the indices, which are packed.
fn indices(bytes: &[u8]) -> Result<(u32, &[u8]), ParquetFailure> {
    let (width, packed) = bytes.split_first().ok_or(ParquetFailure::Format("the indices of a page"))?;
    Ok((u32::from(*width), packed))
}

const NO_DICTIONARY: ParquetFailure = ParquetFailure::Absent("dictionary at hand for this page");
const BEYOND: ParquetFailure = ParquetFailure::Format("an index beyond the dictionary");

fn i32s(encoding: i64, bytes: &[u8], count: usize, dictionary: Option<&Values>) -> Result<Vec<i32>, ParquetFailure> {
    match encoding {
        PLAIN_DICTIONARY | RLE_DICTIONARY => {
            let Some(Values::Numbers(values)) = dictionary else { return Err(NO_DICTIONARY) };
            looked_up(values, bytes, count)
        }
        PLAIN => encoding::plain(bytes, count),
        DELTA_BINARY_PACKED => encoding::delta(bytes, count),
        BYTE_STREAM_SPLIT => encoding::split_i32(bytes, count),
        _ => Err(OTHER),
    }
}

/// Values by their indices.
fn looked_up<T: Copy + Default>(values: &[T], bytes: &[u8], count: usize) -> Result<Vec<T>, ParquetFailure> {
    let (width, packed) = indices(bytes)?;
    let mut beyond = false;
    let value = |index: u32| {
        let value = values.get(index as usize).copied();
        beyond |= value.is_none();
        value.unwrap_or_default()
    };
    let out = encoding::hybrid_as(packed, width, count, value)?;
    if beyond && count > 0 { Err(BEYOND) } else { Ok(out) }
}

/// Numbers of a type of `bits`, by `to`, which cuts off what is above.
fn numbers<T: Copy + Default>(
    encoding: i64,
    bytes: &[u8],
    count: usize,
    dictionary: Option<&Values>,
    (bits, to): (u32, fn(i32) -> T),
) -> Result<Vec<T>, ParquetFailure> {
    match (encoding, dictionary) {
        // All of them, whether they are pointed at or not: there are few.
        (PLAIN_DICTIONARY | RLE_DICTIONARY, Some(Values::Numbers(values))) => looked_up(&narrow(values, bits, to)?, bytes, count),
        _ => narrow(&i32s(encoding, bytes, count, dictionary)?, bits, to),
    }
}

fn i64s(encoding: i64, bytes: &[u8], count: usize, dictionary: Option<&Values>) -> Result<Vec<i64>, ParquetFailure> {
    match encoding {
        PLAIN_DICTIONARY | RLE_DICTIONARY => {
            let Some(Values::Longs(values)) = dictionary else { return Err(NO_DICTIONARY) };
            looked_up(values, bytes, count)
        }
        PLAIN => encoding::plain(bytes, count),
        DELTA_BINARY_PACKED => encoding::delta(bytes, count),
        BYTE_STREAM_SPLIT => encoding::split_i64(bytes, count),
        _ => Err(OTHER),
    }
}

fn fixed16(encoding: i64, bytes: &[u8], count: usize, dictionary: Option<&Values>) -> Result<Vec<[u8; 16]>, ParquetFailure> {
    match encoding {
        PLAIN_DICTIONARY | RLE_DICTIONARY => {
            let Some(Values::Fixed(values)) = dictionary else { return Err(NO_DICTIONARY) };
            looked_up(values, bytes, count)
        }
        PLAIN => Ok(encoding::plain_fixed(bytes, count, 16)?.as_chunks().0.to_vec()),
        BYTE_STREAM_SPLIT => encoding::split(bytes, count),
        _ => Err(OTHER),
    }
}

fn texts(encoding: i64, bytes: &[u8], count: usize, dictionary: Option<&Values>) -> Result<Texts, ParquetFailure> {
    match encoding {
        PLAIN => encoding::plain_texts(bytes, count),
        PLAIN_DICTIONARY | RLE_DICTIONARY => {
            let Some(Values::Texts(values)) = dictionary else { return Err(NO_DICTIONARY) };
            let mut out = Texts { ends: Vec::with_capacity(count), bytes: Vec::new() };
            let (width, packed) = indices(bytes)?;
            for i in encoding::hybrid(packed, width, count)? {
                out.push(values.get(i as usize).ok_or(BEYOND)?)?;
            }
            Ok(out)
        }
        _ => Err(OTHER),
    }
}

/// Puts values where the column has them; the rest is zero.
fn spread<T: Copy + Default>(dense: Vec<T>, nulls: Option<&NullBuffer>) -> Vec<T> {
    let Some(nulls) = nulls else { return dense };
    let mut out = vec![T::default(); nulls.len()];
    nulls.valid_indices().zip(dense).for_each(|(i, v)| {
        if let Some(slot) = out.get_mut(i) {
            *slot = v;
        }
    });
    out
}

/// Numbers of a type of `bits`, by `to`, which cuts off what is above.
fn narrow<T>(values: &[i32], bits: u32, to: impl Fn(i32) -> T) -> Result<Vec<T>, ParquetFailure> {
    let all = values.iter().fold(0, |all, value| all | value.cast_unsigned());
    if all >> bits > 0 {
        return Err(ParquetFailure::Format("a number beyond its type"));
    }
    Ok(values.iter().map(|value| to(*value)).collect())
}

fn offsets(ends: Vec<i32>, nulls: Option<&NullBuffer>) -> OffsetBuffer<i32> {
    let mut out = Vec::with_capacity(nulls.map_or(ends.len(), NullBuffer::len) + 1);
    out.push(0);
    match nulls {
        None => out.extend(ends),
        Some(nulls) => {
            let (mut ends, mut at) = (ends.into_iter(), 0);
            for valid in nulls {
                if valid {
                    at = ends.next().unwrap_or(at);
                }
                out.push(at);
            }
        }
    }
    OffsetBuffer::new(ScalarBuffer::from(out))
}

/// A column of `field` from the values of a page: `count` values for the rows that have one.
pub(super) fn column(
    field: &Field,
    encoding: i64,
    bytes: &[u8],
    count: usize,
    nulls: Option<NullBuffer>,
    dictionary: Option<&Values>,
) -> Result<ArrayRef, ParquetFailure> {
    let wrong = |_| ParquetFailure::Format("the values of a page");
    let at = nulls.as_ref();
    Ok(match field.ty {
        Type::U8 => {
            let values = spread(numbers(encoding, bytes, count, dictionary, (u8::BITS, |v| v as u8))?, at);
            Arc::new(UInt8Array::try_new(values.into(), nulls).map_err(wrong)?)
        }
        Type::U16 => {
            let values = spread(numbers(encoding, bytes, count, dictionary, (u16::BITS, |v| v as u16))?, at);
            Arc::new(UInt16Array::try_new(values.into(), nulls).map_err(wrong)?)
        }
        Type::U32 => {
            let values = i32s(encoding, bytes, count, dictionary)?.into_iter().map(i32::cast_unsigned).collect();
            Arc::new(UInt32Array::try_new(spread(values, at).into(), nulls).map_err(wrong)?)
        }
        Type::U64 => {
            let values = i64s(encoding, bytes, count, dictionary)?.into_iter().map(i64::cast_unsigned).collect();
            Arc::new(UInt64Array::try_new(spread(values, at).into(), nulls).map_err(wrong)?)
        }
        Type::Time => {
            let values = spread(i64s(encoding, bytes, count, dictionary)?, at);
            Arc::new(TimestampMillisecondArray::try_new(values.into(), nulls).map_err(wrong)?.with_timezone(UTC))
        }
        Type::Id | Type::Addr => {
            let values = spread(fixed16(encoding, bytes, count, dictionary)?, at);
            let buffer = Buffer::from_vec(values.into_flattened());
            Arc::new(FixedSizeBinaryArray::try_new(16, buffer, nulls).map_err(wrong)?)
        }
        Type::Text => {
            let texts = texts(encoding, bytes, count, dictionary)?;
            let offsets = offsets(texts.ends, at);
            Arc::new(StringArray::try_new(offsets, Buffer::from_vec(texts.bytes), nulls).map_err(wrong)?)
        }
        Type::Bytes => {
            let texts = texts(encoding, bytes, count, dictionary)?;
            let offsets = offsets(texts.ends, at);
            Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(texts.bytes), nulls).map_err(wrong)?)
        }
    })
}
