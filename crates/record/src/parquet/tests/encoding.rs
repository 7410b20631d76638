//! Decoders against plain ones, which take a value bit by bit and byte by byte.

use proptest::prelude::*;

use super::super::encoding::{delta, hybrid, split, split_i32, split_i64};

/// Values of `width` bits, least significant bit first, as bytes.
fn packed(values: &[u64], width: u32) -> Vec<u8> {
    let bits = values.iter().flat_map(|value| (0..width).map(move |bit| value >> bit & 1 == 1));
    let mut out = vec![0; (values.len() * width as usize).div_ceil(8)];
    bits.enumerate().filter(|(_, bit)| *bit).for_each(|(at, _)| out[at / 8] |= 1 << (at % 8));
    out
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

proptest! {
    #[test]
    fn numbers_of_any_width_are_unpacked(values in prop::collection::vec(any::<u64>(), 1..70), width in 1u32..=32, behind in prop::collection::vec(any::<u8>(), 0..9)) {
        let width_mask = (1u64 << width) - 1;
        let want: Vec<u64> = values.iter().map(|value| value & width_mask).collect();
        // Whole groups of eight, and a run of equal ones behind them.
        let groups = want.len().div_ceil(8);
        let mut bytes = Vec::new();
        varint((groups as u64) << 1 | 1, &mut bytes);
        let mut whole = want.clone();
        whole.resize(groups * 8, 0);
        bytes.extend(packed(&whole, width));
        let got: Vec<u64> = hybrid(&bytes, width, want.len()).unwrap().into_iter().map(u64::from).collect();
        prop_assert_eq!(&got, &want);
        bytes.extend(behind);
        let got: Vec<u64> = hybrid(&bytes, width, want.len()).unwrap().into_iter().map(u64::from).collect();
        prop_assert_eq!(&got, &want);
    }

    #[test]
    fn differences_of_any_width_are_added_up(first in any::<i64>(), deltas in prop::collection::vec(any::<u64>(), 0..32), min in any::<i64>(), width in 0u32..=64) {
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        let mut block: Vec<u64> = deltas.iter().map(|delta| delta & mask).collect();
        let zigzag = |value: i64| (value << 1 ^ value >> 63).cast_unsigned();
        let mut bytes = Vec::new();
        [32, 1, deltas.len() as u64 + 1, zigzag(first)].into_iter().for_each(|n| varint(n, &mut bytes));
        let mut want = vec![first];
        for delta in &block {
            want.push(want[want.len() - 1].wrapping_add(min).wrapping_add(delta.cast_signed()));
        }
        if !block.is_empty() {
            varint(zigzag(min), &mut bytes);
            bytes.push(width as u8);
            block.resize(32, 0);
            bytes.extend(packed(&block, width));
        }
        prop_assert_eq!(delta::<i64>(&bytes, want.len()).unwrap(), want.clone());
        let short: Vec<i32> = want.iter().map(|value| *value as i32).collect();
        prop_assert_eq!(delta::<i32>(&bytes, want.len()).unwrap(), short);
        if !block.is_empty() && width > 0 {
            prop_assert!(delta::<i64>(&bytes[..bytes.len() - 1], want.len()).is_err());
        }
    }

    #[test]
    fn split_values_come_together(values in prop::collection::vec(any::<[u8; 16]>(), 0..40), same in any::<[bool; 16]>()) {
        // Some bytes are the same in all values.
        let first = values.first().copied().unwrap_or_default();
        let values: Vec<[u8; 16]> = values.iter().map(|value| std::array::from_fn(|i| if same[i] { first[i] } else { value[i] })).collect();
        let streams = |width: usize| -> Vec<u8> { (0..width).flat_map(|i| values.iter().map(move |value| value[i])).collect() };
        prop_assert_eq!(split::<16>(&streams(16), values.len()).unwrap(), values.clone());
        let longs: Vec<i64> = values.iter().map(|value| i64::from_le_bytes(*value.first_chunk().unwrap())).collect();
        prop_assert_eq!(split_i64(&streams(8), values.len()).unwrap(), longs);
        let numbers: Vec<i32> = values.iter().map(|value| i32::from_le_bytes(*value.first_chunk().unwrap())).collect();
        prop_assert_eq!(split_i32(&streams(4), values.len()).unwrap(), numbers);
        prop_assert!(split::<16>(&streams(8), values.len()).is_err() || values.is_empty());
    }
}
