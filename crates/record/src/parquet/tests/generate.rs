//! Random batches of every kind, made from the field table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, FixedSizeBinaryBuilder, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use proptest::prelude::*;

use crate::column::UTC;
use crate::field::{Field, Type};
use crate::kind::Kind;

/// A generator that needs nothing but a seed (splitmix64).
pub(super) struct Rng(pub(super) u64);

impl Rng {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// How the values of a column are drawn: all the same, few different, any, or the extremes of the type.
fn number(rng: &mut Rng, style: u64) -> u64 {
    match style {
        0 => 7,
        1 => rng.below(4),
        2 => rng.next(),
        _ => [0, 1, u64::MAX, u64::MAX >> 1, 1 << 63][rng.below(5) as usize],
    }
}

fn text(rng: &mut Rng, style: u64) -> String {
    match style {
        0 => "堰".to_owned(),
        1 => format!("name-{}", rng.below(5)),
        2 => format!("{:x}", rng.next()),
        _ => "x".repeat(rng.below(300) as usize),
    }
}

fn optional<T>(field: &Field, rng: &mut Rng, sparse: u64, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    let value = value(rng);
    let absent = match sparse {
        0 => false,
        1 => true,
        _ => rng.below(sparse) == 0,
    };
    if field.nullable && absent { None } else { Some(value) }
}

fn column(field: &Field, rows: usize, rng: &mut Rng) -> ArrayRef {
    let (style, sparse) = (rng.below(4), rng.below(5));
    let mut numbers = || (0..rows).map(|_| optional(field, rng, sparse, |r| number(r, style))).collect::<Vec<_>>();
    match field.ty {
        Type::U8 => Arc::new(numbers().into_iter().map(|v| v.map(|v| v as u8)).collect::<UInt8Array>()),
        Type::U16 => Arc::new(numbers().into_iter().map(|v| v.map(|v| v as u16)).collect::<UInt16Array>()),
        Type::U32 => Arc::new(numbers().into_iter().map(|v| v.map(|v| v as u32)).collect::<UInt32Array>()),
        Type::U64 => Arc::new(numbers().into_iter().collect::<UInt64Array>()),
        Type::Time => {
            let values = numbers().into_iter().map(|v| v.map(u64::cast_signed));
            Arc::new(values.collect::<TimestampMillisecondArray>().with_timezone(UTC))
        }
        Type::Id | Type::Addr => {
            let mut builder = FixedSizeBinaryBuilder::new(16);
            for value in numbers() {
                match value {
                    Some(v) => builder.append_value((u128::from(v) << 64 | u128::from(v ^ 5)).to_be_bytes()).unwrap(),
                    None => builder.append_null(),
                }
            }
            Arc::new(builder.finish())
        }
        Type::Text => Arc::new((0..rows).map(|_| optional(field, rng, sparse, |r| text(r, style))).collect::<StringArray>()),
        Type::Bytes => Arc::new((0..rows).map(|_| optional(field, rng, sparse, |r| text(r, style).into_bytes())).collect::<BinaryArray>()),
    }
}

/// A batch of `rows` rows.
pub(super) fn batch(kind: Kind, rows: usize, seed: u64) -> RecordBatch {
    let mut rng = Rng(seed);
    let columns = kind.spec().fields.iter().map(|f| column(f, rows, &mut rng)).collect();
    RecordBatch::try_new(kind.schema(), columns).unwrap()
}

/// A kind, a seed, and the sizes of some batches.
pub(super) fn batches() -> impl Strategy<Value = (Kind, Vec<RecordBatch>)> {
    let size = prop_oneof![0usize..5, 1usize..400, 2_000usize..2_100, 4_000usize..9_000];
    (0..Kind::ALL.len(), any::<u64>(), prop::collection::vec(size, 1..5)).prop_map(|(kind, seed, sizes)| {
        let kind = Kind::ALL[kind];
        (kind, sizes.iter().enumerate().map(|(i, rows)| batch(kind, *rows, seed.wrapping_add(i as u64))).collect())
    })
}
