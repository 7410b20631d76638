//! The Rust types a field may have, and how each becomes an Arrow column and comes back.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use arrow::array::builder::NullBufferBuilder;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, TimestampMillisecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;

use crate::field::Type;

/// Bytes of the zeros that columns without any value share.
const ZEROS: usize = 1 << 20;

static SHARED_ZEROS: LazyLock<Buffer> = LazyLock::new(|| Buffer::from_vec(vec![0u64; ZEROS / 8]));

/// A random 128-bit id. Written as 32 hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// A new random id.
    pub fn random() -> Id {
        Id(weir_base::crypto::random())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
        // Answers have several: digit by digit through a formatter they cost more than finding what they name.
        let digits: [u8; 32] = std::array::from_fn(|i| digit(if i % 2 == 0 { self.0[i / 2] >> 4 } else { self.0[i / 2] }));
        std::str::from_utf8(&digits).map_err(|_| fmt::Error).and_then(|digits| f.write_str(digits))
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Id, String> {
        let bad = || format!("{text:?} is not an id of 32 hex digits");
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad());
        }
        u128::from_str_radix(text, 16).map(|v| Id(v.to_be_bytes())).map_err(|_| bad())
    }
}

/// The time zone name stored with instants.
pub const UTC: &str = "UTC";

/// The Arrow type of a field type.
pub fn arrow_type(ty: Type) -> DataType {
    match ty {
        Type::U8 => DataType::UInt8,
        Type::U16 => DataType::UInt16,
        Type::U32 => DataType::UInt32,
        Type::U64 => DataType::UInt64,
        Type::Time => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        Type::Id | Type::Addr => DataType::FixedSizeBinary(16),
        Type::Text => DataType::Utf8,
        Type::Bytes => DataType::Binary,
    }
}

/// A Rust type that a column may hold.
pub trait Cell: Sized {
    /// Its field type.
    const TYPE: Type;
    /// True for `Option`.
    const NULLABLE: bool;
    /// A column of these values.
    fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
    /// The value in row `row`. The column has the type of [`Cell::TYPE`]: schemas are checked when a batch is made.
    fn cell(column: &ArrayRef, row: usize) -> Self;
}

macro_rules! number_cell {
    ($rust:ty, $ty:expr, $array:ty, $prim:ty) => {
        impl Cell for $rust {
            const TYPE: Type = $ty;
            const NULLABLE: bool = false;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(<$array>::from_iter_values(values.copied()))
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                column.as_primitive::<$prim>().value(row)
            }
        }
        impl Cell for Option<$rust> {
            const TYPE: Type = $ty;
            const NULLABLE: bool = true;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(values.copied().collect::<$array>())
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                column.is_valid(row).then(|| <$rust>::cell(column, row))
            }
        }
    };
}

number_cell!(u8, Type::U8, UInt8Array, UInt8Type);
number_cell!(u16, Type::U16, UInt16Array, UInt16Type);
number_cell!(u32, Type::U32, UInt32Array, UInt32Type);
number_cell!(u64, Type::U64, UInt64Array, UInt64Type);

impl Cell for Millis {
    const TYPE: Type = Type::Time;
    const NULLABLE: bool = false;
    fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from_iter_values(values.map(|t| t.0)).with_timezone(UTC))
    }
    fn cell(column: &ArrayRef, row: usize) -> Self {
        Millis(column.as_primitive::<TimestampMillisecondType>().value(row))
    }
}

impl Cell for Option<Millis> {
    const TYPE: Type = Type::Time;
    const NULLABLE: bool = true;
    fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(values.map(|t| t.map(|t| t.0)).collect::<TimestampMillisecondArray>().with_timezone(UTC))
    }
    fn cell(column: &ArrayRef, row: usize) -> Self {
        column.is_valid(row).then(|| Millis::cell(column, row))
    }
}

fn fixed16(values: impl ExactSizeIterator<Item = Option<[u8; 16]>>) -> ArrayRef {
    let mut bytes = Vec::with_capacity(values.len());
    let mut nulls = NullBufferBuilder::new(values.len());
    for value in values {
        bytes.push(value.unwrap_or_default());
        nulls.append(value.is_some());
    }
    Arc::new(FixedSizeBinaryArray::new(16, Buffer::from_vec(bytes.into_flattened()), nulls.finish()))
}

/// So many bytes of zeros. Those of short columns are all in one place; those of long ones are no memory as long as nobody writes.
pub(crate) fn zeros(bytes: usize) -> Buffer {
    if bytes <= ZEROS {
        return SHARED_ZEROS.slice_with_length(0, bytes);
    }
    Buffer::from_vec(vec![0u64; bytes.div_ceil(8)]).slice_with_length(0, bytes)
}

/// True if the column says nothing but 0, which is known without reading it. Others may say nothing else either.
pub fn is_zeros(column: &ArrayRef) -> bool {
    column.to_data().buffers().first().is_some_and(|buffer| buffer.as_ptr() == SHARED_ZEROS.as_ptr())
}

/// Bytes of memory that a batch holds, but for zeros that all share.
pub fn memory(batch: &RecordBatch) -> usize {
    batch.columns().iter().filter(|column| !is_zeros(column)).map(|column| column.get_array_memory_size()).sum()
}

/// Values of 16 bytes as a column, without a copy. A column that has no value in any row takes no memory of its own.
pub fn addresses(values: Vec<[u8; 16]>) -> ArrayRef {
    let none = values.len() * 16 <= ZEROS && values.iter().all(|v| *v == [0; 16]);
    addresses_of(if none { zeros(values.len() * 16) } else { Buffer::from_vec(values.into_flattened()) })
}

/// Values of 16 bytes back to back as a column.
pub(crate) fn addresses_of(bytes: Buffer) -> ArrayRef {
    Arc::new(FixedSizeBinaryArray::new(16, bytes, None))
}

/// The 16 bytes in row `row` of a fixed-size column.
pub fn bytes16(column: &FixedSizeBinaryArray, row: usize) -> [u8; 16] {
    column.value(row).try_into().unwrap_or_default()
}

macro_rules! fixed_cell {
    ($rust:ident, $ty:expr) => {
        impl Cell for $rust {
            const TYPE: Type = $ty;
            const NULLABLE: bool = false;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                fixed16(values.map(|v| Some(v.0)))
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                $rust(bytes16(column.as_fixed_size_binary(), row))
            }
        }
        impl Cell for Option<$rust> {
            const TYPE: Type = $ty;
            const NULLABLE: bool = true;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                fixed16(values.map(|v| v.map(|v| v.0)))
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                column.is_valid(row).then(|| $rust::cell(column, row))
            }
        }
    };
}

fixed_cell!(Id, Type::Id);
fixed_cell!(Addr16, Type::Addr);

macro_rules! var_cell {
    ($rust:ty, $ty:expr, $array:ty, $get:expr) => {
        impl Cell for $rust {
            const TYPE: Type = $ty;
            const NULLABLE: bool = false;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(<$array>::from_iter_values(values))
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                $get(column, row)
            }
        }
        impl Cell for Option<$rust> {
            const TYPE: Type = $ty;
            const NULLABLE: bool = true;
            fn column<'a>(values: impl ExactSizeIterator<Item = &'a Self>) -> ArrayRef {
                Arc::new(values.map(Option::as_deref).collect::<$array>())
            }
            fn cell(column: &ArrayRef, row: usize) -> Self {
                column.is_valid(row).then(|| <$rust>::cell(column, row))
            }
        }
    };
}

var_cell!(String, Type::Text, StringArray, |c: &ArrayRef, row| c.as_string::<i32>().value(row).to_owned());
var_cell!(Vec<u8>, Type::Bytes, BinaryArray, |c: &ArrayRef, row| c.as_binary::<i32>().value(row).to_vec());
