//! The encodings of values that [`layout`](super::layout) chooses, decoded by hand.

use super::ParquetFailure;
use super::packed::unpack;

const SHORT: ParquetFailure = ParquetFailure::Format("the values of a page end too early");

/// Most values of one block of DELTA_BINARY_PACKED.
const DELTA_BLOCK: u64 = 1 << 16;

/// An integer as stored: 4 or 8 bytes.
pub(super) trait Int: Copy + Default {
    const WIDTH: usize;
    fn from_le(bytes: &[u8]) -> Self;
    fn truncate(value: u64) -> Self;
}

impl Int for i32 {
    const WIDTH: usize = 4;
    fn from_le(bytes: &[u8]) -> i32 {
        bytes.first_chunk().map_or(0, |b| i32::from_le_bytes(*b))
    }
    fn truncate(value: u64) -> i32 {
        value as u32 as i32
    }
}

impl Int for i64 {
    const WIDTH: usize = 8;
    fn from_le(bytes: &[u8]) -> i64 {
        bytes.first_chunk().map_or(0, |b| i64::from_le_bytes(*b))
    }
    fn truncate(value: u64) -> i64 {
        value.cast_signed()
    }
}

fn exact(bytes: &[u8], count: usize, width: usize) -> Result<&[u8], ParquetFailure> {
    let len = count.checked_mul(width).ok_or(SHORT)?;
    if bytes.len() == len { Ok(bytes) } else { Err(ParquetFailure::Format("the number of values of a page")) }
}

/// PLAIN integers.
pub(super) fn plain<T: Int>(bytes: &[u8], count: usize) -> Result<Vec<T>, ParquetFailure> {
    Ok(exact(bytes, count, T::WIDTH)?.chunks_exact(T::WIDTH).map(T::from_le).collect())
}

/// PLAIN values of fixed length: as they are.
pub(super) fn plain_fixed(bytes: &[u8], count: usize, width: usize) -> Result<Vec<u8>, ParquetFailure> {
    exact(bytes, count, width).map(<[u8]>::to_vec)
}

/// BYTE_STREAM_SPLIT: all first bytes, then all second bytes, and so on.
pub(super) fn split<const W: usize>(bytes: &[u8], count: usize) -> Result<Vec<[u8; W]>, ParquetFailure> {
    let streams = Streams::<W>::of(bytes, count)?;
    let mut out = vec![streams.same; count];
    for (i, stream) in streams.others() {
        out.iter_mut().zip(stream).for_each(|(value, byte)| value[i] = *byte);
    }
    Ok(out)
}

/// The streams of split values. Most have one byte in all values: the upper bytes of addresses, of short times.
struct Streams<'a, const W: usize> {
    bytes: &'a [u8],
    count: usize,
    /// The bytes that all values have; 0 where they differ.
    same: [u8; W],
    differ: [bool; W],
}

impl<'a, const W: usize> Streams<'a, W> {
    fn of(bytes: &'a [u8], count: usize) -> Result<Streams<'a, W>, ParquetFailure> {
        let mut streams = Streams { bytes: exact(bytes, count, W)?, count, same: [0; W], differ: [false; W] };
        for (i, stream) in bytes.chunks_exact(count.max(1)).enumerate() {
            match stream {
                [first, rest @ ..] if *rest == stream[..rest.len()] => streams.same[i] = *first,
                _ => streams.differ[i] = true,
            }
        }
        Ok(streams)
    }

    /// The streams whose bytes differ, with their places.
    fn others(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        self.bytes.chunks_exact(self.count.max(1)).enumerate().filter(|(i, _)| self.differ[*i])
    }
}

/// BYTE_STREAM_SPLIT integers.
pub(super) fn split_i32(bytes: &[u8], count: usize) -> Result<Vec<i32>, ParquetFailure> {
    let streams = Streams::of(bytes, count)?;
    let mut out = vec![i32::from_le_bytes(streams.same); count];
    for (i, stream) in streams.others() {
        out.iter_mut().zip(stream).for_each(|(value, byte)| *value |= i32::from(*byte) << (8 * i));
    }
    Ok(out)
}

/// BYTE_STREAM_SPLIT integers.
pub(super) fn split_i64(bytes: &[u8], count: usize) -> Result<Vec<i64>, ParquetFailure> {
    let streams = Streams::of(bytes, count)?;
    let mut out = vec![i64::from_le_bytes(streams.same); count];
    for (i, stream) in streams.others() {
        out.iter_mut().zip(stream).for_each(|(value, byte)| *value |= i64::from(*byte) << (8 * i));
    }
    Ok(out)
}

/// Values of variable length, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    /// End of each value in `bytes`.
    pub(super) ends: Vec<i32>,
    /// The values.
    pub(super) bytes: Vec<u8>,
}

impl Texts {
    pub(super) fn get(&self, i: usize) -> Option<&[u8]> {
        let end = usize::try_from(*self.ends.get(i)?).ok()?;
        let start = i.checked_sub(1).map_or(Some(0), |before| usize::try_from(*self.ends.get(before)?).ok())?;
        self.bytes.get(start..end)
    }

    pub(super) fn push(&mut self, value: &[u8]) -> Result<(), ParquetFailure> {
        self.bytes.extend_from_slice(value);
        self.ends.push(i32::try_from(self.bytes.len()).map_err(|_| ParquetFailure::Format("the size of a page's values"))?);
        Ok(())
    }
}

/// PLAIN values of variable length, each after its length.
pub(super) fn plain_texts(mut bytes: &[u8], count: usize) -> Result<Texts, ParquetFailure> {
    let mut out = Texts { ends: Vec::with_capacity(count), bytes: Vec::with_capacity(bytes.len()) };
    for _ in 0..count {
        let (len, rest) = bytes.split_first_chunk::<4>().ok_or(SHORT)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| SHORT)?;
        let (value, rest) = rest.split_at_checked(len).ok_or(SHORT)?;
        out.push(value)?;
        bytes = rest;
    }
    if bytes.is_empty() { Ok(out) } else { Err(ParquetFailure::Format("the number of values of a page")) }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, ParquetFailure> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(SHORT)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(ParquetFailure::Format("a number in a page is too long"))
}

fn zigzag(raw: u64) -> u64 {
    (raw >> 1) ^ (raw & 1).wrapping_neg()
}

/// DELTA_BINARY_PACKED integers.
pub(super) fn delta<T: Int>(mut bytes: &[u8], count: usize) -> Result<Vec<T>, ParquetFailure> {
    let bad = || ParquetFailure::Format("the head of delta-coded values");
    let block = varint(&mut bytes)?;
    let minis = varint(&mut bytes)?;
    let total = varint(&mut bytes)?;
    let mut value = zigzag(varint(&mut bytes)?);
    if total != count as u64 || block == 0 || block > DELTA_BLOCK || minis == 0 || !block.is_multiple_of(minis) {
        return Err(bad());
    }
    let per_mini = usize::try_from(block / minis).ok().filter(|n| n.is_multiple_of(8)).ok_or_else(bad)?;
    let minis = usize::try_from(minis).map_err(|_| bad())?;
    let mut out = Vec::with_capacity(count);
    if count > 0 {
        out.push(T::truncate(value));
    }
    while out.len() < count {
        let min = zigzag(varint(&mut bytes)?);
        let (widths, rest) = bytes.split_at_checked(minis).ok_or(SHORT)?;
        bytes = rest;
        for width in widths {
            let need = (count - out.len()).min(per_mini);
            if need == 0 {
                break;
            }
            let width = u32::from(*width);
            if width > 64 {
                return Err(bad());
            }
            let rest = bytes.get(per_mini / 8 * width as usize..).ok_or(SHORT)?;
            unpack(
                bytes,
                width,
                need,
                |delta| {
                    value = value.wrapping_add(min).wrapping_add(delta);
                    T::truncate(value)
                },
                &mut out,
            );
            bytes = rest;
        }
    }
    Ok(out)
}

/// The hybrid of runs and bit-packed groups, as used for levels and dictionary indices.
pub(super) fn hybrid(bytes: &[u8], width: u32, count: usize) -> Result<Vec<u32>, ParquetFailure> {
    hybrid_as(bytes, width, count, |number| number)
}

/// The same, of each number what `each` makes of it.
pub(super) fn hybrid_as<T: Clone>(
    mut bytes: &[u8],
    width: u32,
    count: usize,
    mut each: impl FnMut(u32) -> T,
) -> Result<Vec<T>, ParquetFailure> {
    if width == 0 {
        return Ok(vec![each(0); count]);
    }
    if width > 32 {
        return Err(ParquetFailure::Format("the width of levels or indices"));
    }
    let mut out = Vec::with_capacity(count);
    while out.len() < count {
        let head = varint(&mut bytes)?;
        let length = usize::try_from(head >> 1).ok().filter(|l| *l > 0).ok_or(ParquetFailure::Format("a run of levels or indices"))?;
        let left = count - out.len();
        if head & 1 == 1 {
            let need = length.saturating_mul(8).min(left);
            // The last group may lack the bytes of values that do not exist.
            let len = length.saturating_mul(width as usize).min(bytes.len());
            if len * 8 < need * width as usize {
                return Err(SHORT);
            }
            unpack(bytes, width, need, |v| each(v as u32), &mut out);
            bytes = bytes.get(len..).ok_or(SHORT)?;
        } else {
            let (value, rest) = bytes.split_at_checked(width.div_ceil(8) as usize).ok_or(SHORT)?;
            bytes = rest;
            let value = value.iter().rev().fold(0u32, |v, b| v << 8 | u32::from(*b));
            out.resize(out.len() + length.min(left), each(value));
        }
    }
    Ok(out)
}
