//! Texts that end as the bytes of the same row of another batch do: how many bytes of each are the same, how many stand before them, and those.

use arrow::array::{Array, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use super::number::{ends, width};
use super::{BatchError, PLAIN, Reader, TAILS, numbers};

/// Bytes at the ends of both that are the same.
fn common(text: &[u8], other: &[u8]) -> usize {
    let most = text.len().min(other.len());
    let (text, other) = (&text[text.len() - most..], &other[other.len() - most..]);
    let ((text, texts), (other, others)) = (text.as_rchunks::<8>(), other.as_rchunks::<8>());
    let mut same = 0;
    for (a, b) in texts.iter().zip(others).rev() {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return same + differ.leading_zeros() as usize / 8;
        }
        same += 8;
    }
    same + text.iter().zip(other).rev().take_while(|(a, b)| a == b).count()
}

/// The bytes of each row, whether or not it counts as one without a value.
fn rows_of<'v>(offsets: &'v OffsetBuffer<i32>, data: &'v [u8]) -> impl Iterator<Item = &'v [u8]> {
    offsets.windows(2).map(|ends| &data[ends[0] as usize..ends[1] as usize])
}

/// Bytes that lengths take.
fn taken(lengths: &[u32]) -> usize {
    match ends(lengths).map(|(least, most)| width(u64::from(most - least)) * usize::from(least != most)) {
        None => 0,
        Some(0) => 4,
        Some(4) => 4 * lengths.len(),
        Some(width) => 5 + width * lengths.len(),
    }
}

/// Writes a column beside other texts, of as many rows. False, and nothing is written, where that takes no fewer bytes.
pub(super) fn encode(out: &mut Vec<u8>, at: usize, column: &StringArray, texts: &BinaryArray) -> bool {
    let rows = column.len();
    let [mut tails, mut befores, mut lengths] = [(); 3].map(|()| Vec::with_capacity(rows));
    let (mut shared, mut rest) = (0, 0);
    let values = || rows_of(column.offsets(), column.value_data());
    for (text, other) in values().zip(rows_of(texts.offsets(), texts.value_data())) {
        let tail = common(text, other);
        shared += tail;
        rest += text.len() - tail;
        // All of a column is shorter than 2 GiB.
        tails.push(tail as u32);
        befores.push((text.len() - tail) as u32);
        lengths.push(text.len() as u32);
    }
    // With the encoding of each.
    if 2 + taken(&tails) + taken(&befores) >= taken(&lengths) + shared {
        return false;
    }
    out[at] = TAILS;
    for lengths in [&tails, &befores] {
        let at = out.len();
        out.push(PLAIN);
        numbers(out, at, lengths);
    }
    out.reserve(rest);
    for (text, before) in values().zip(befores).filter(|(_, before)| *before > 0) {
        out.extend_from_slice(&text[..before as usize]);
    }
    true
}

/// Reads a column beside the other texts.
pub(super) fn decode(reader: &mut Reader<'_>, texts: &BinaryArray) -> Result<(OffsetBuffer<i32>, Buffer), BatchError> {
    let mut lengths = || {
        let [encoding] = reader.array()?;
        reader.numbers::<u32, 4>(texts.len(), encoding)
    };
    let (tails, befores) = (lengths()?, lengths()?);
    let (mut offsets, mut data) = (Vec::with_capacity(texts.len() + 1), Vec::new());
    offsets.push(0);
    for ((tail, before), other) in tails.into_iter().zip(befores).zip(rows_of(texts.offsets(), texts.value_data())) {
        let from = other.len().checked_sub(tail as usize).ok_or(BatchError("a text ends with more bytes than its line has"))?;
        data.extend_from_slice(reader.take(before as usize)?);
        data.extend_from_slice(&other[from..]);
        offsets.push(i32::try_from(data.len()).map_err(|_| BatchError("the texts of a column are too long"))?);
    }
    Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(data)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ends_are_compared_to_the_byte(
            end in proptest::collection::vec(any::<u8>(), 0..40),
            one in proptest::collection::vec(any::<u8>(), 0..20),
            two in proptest::collection::vec(any::<u8>(), 0..20)
        ) {
            let (text, other) = ([one, end.clone()].concat(), [two, end].concat());
            let same = text.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(common(&text, &other), same);
            prop_assert_eq!(common(&text, &text), text.len());
        }
    }
}
