//! Encoders of values of fixed size, each from a slice into bytes.

/// Values of a block of DELTA_BINARY_PACKED, and miniblocks in it.
const BLOCK: usize = 128;
const MINIS: usize = 4;
const MINI: usize = BLOCK / MINIS;

/// A variable-length integer: 7 bits a byte, least significant first.
pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Small numbers of either sign as small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// DELTA_BINARY_PACKED. Differences wrap at 32 bits for stored integers of four bytes (`short`), else at 64.
pub(super) fn delta(values: &[u64], short: bool, out: &mut Vec<u8>) {
    let signed = |v: u64| if short { i64::from(v as u32 as i32) } else { v.cast_signed() };
    varint(out, BLOCK as u64);
    varint(out, MINIS as u64);
    varint(out, values.len() as u64);
    varint(out, zigzag(values.first().map_or(0, |v| signed(*v))));
    let mut rest = [0u64; BLOCK];
    let mut at = 1;
    while at < values.len() {
        let n = BLOCK.min(values.len() - at);
        let pairs = values[at - 1..at + n].windows(2);
        let mut least = i64::MAX;
        for (slot, pair) in rest.iter_mut().zip(pairs) {
            let step = signed(pair[1].wrapping_sub(pair[0]));
            least = least.min(step);
            *slot = step.cast_unsigned();
        }
        let mask = if short { u64::from(u32::MAX) } else { u64::MAX };
        rest[..n].iter_mut().for_each(|v| *v = v.wrapping_sub(least.cast_unsigned()) & mask);
        rest[n..].fill(0);
        varint(out, zigzag(least));
        let widths = out.len();
        out.extend([0; MINIS]);
        for (mini, values) in rest.chunks_exact(MINI).enumerate() {
            if mini * MINI >= n {
                break;
            }
            let width = 64 - values.iter().fold(0, |all, v| all | v).leading_zeros();
            out[widths + mini] = width as u8;
            pack(values, width, out);
        }
        at += n;
    }
}

/// Values of `width` bits each, least significant bit first; their number is a multiple of 8.
pub(super) fn pack(values: &[u64], width: u32, out: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut held, mut bits) = (0u128, 0u32);
    for value in values {
        held |= u128::from(*value) << bits;
        bits += width;
        if bits >= 64 {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= 64;
            bits -= 64;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

/// BYTE_STREAM_SPLIT of integers of `width` bytes.
pub(super) fn split(values: &[u64], width: usize, out: &mut Vec<u8>) {
    // Upper bytes that are the same in all values are the usual case.
    let varies = values.first().map_or(0, |first| values.iter().fold(0, |all, v| all | (v ^ first)));
    for byte in 0..width {
        let shift = 8 * byte as u32;
        if (varies >> shift) as u8 == 0 {
            let same = values.first().map_or(0, |v| (v >> shift) as u8);
            out.resize(out.len() + values.len(), same);
        } else {
            out.extend(values.iter().map(|v| (v >> shift) as u8));
        }
    }
}

/// BYTE_STREAM_SPLIT of values of 16 bytes.
pub(super) fn split16(values: &[[u8; 16]], out: &mut Vec<u8>) {
    let Some(first) = values.first() else { return };
    let first = u128::from_le_bytes(*first);
    let varies = values.iter().fold(0, |all, v| all | (u128::from_le_bytes(*v) ^ first)).to_le_bytes();
    for (byte, varies) in varies.iter().enumerate() {
        if *varies == 0 {
            out.resize(out.len() + values.len(), first.to_le_bytes()[byte]);
        } else {
            out.extend(values.iter().map(|v| v[byte]));
        }
    }
}

/// The data of a page of a dictionary with one value: the width of an index, and one run.
pub(super) fn run(rows: usize, out: &mut Vec<u8>) {
    out.push(1);
    varint(out, (rows as u64) << 1);
    out.push(0);
}

/// The data of a page of a dictionary: the width of an index, and the indices: one run where all are alike, else in bit-packed groups of eight.
pub(super) fn indices(indices: &[u32], width: u32, out: &mut Vec<u8>) {
    out.push(width as u8);
    if let Some((first, rest)) = indices.split_first()
        && rest.iter().all(|i| i == first)
    {
        varint(out, (indices.len() as u64) << 1);
        out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        return;
    }
    varint(out, (indices.len().div_ceil(8) as u64) << 1 | 1);
    let mut group = [0u64; BLOCK];
    for some in indices.chunks(BLOCK) {
        let len = some.len().next_multiple_of(8);
        group[..len].fill(0);
        group.iter_mut().zip(some).for_each(|(slot, i)| *slot = u64::from(*i));
        pack(&group[..len], width, out);
    }
}
