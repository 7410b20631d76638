//! The values of a column, found once for all its rows.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};

use crate::field::{Field, Type};
use crate::gather::fixed16;

/// Distinct values up to which a column of single bytes has a dictionary.
const FEW: usize = 16;

/// The same of ports: as many as an index of one byte tells apart.
const FEW_PORTS: usize = 256;

/// Rows between two looks whether there are too many.
const LOOK: usize = 8_192;

/// Values of one piece of a column; where a row has none, anything.
pub(super) enum Values<'a> {
    Bytes(&'a [u8]),
    Shorts(&'a [u16]),
    Words(&'a [u32]),
    Longs(&'a [u64]),
    Times(&'a [i64]),
    Fixed(&'a [[u8; 16]]),
    Texts(&'a [i32], &'a [u8]),
}

/// One piece of a column.
pub(super) struct Part<'a> {
    pub(super) values: Values<'a>,
    /// Which rows have a value; none if all have.
    pub(super) nulls: Option<&'a NullBuffer>,
    pub(super) rows: usize,
}

impl<'a> Part<'a> {
    pub(super) fn of(field: &Field, column: &'a ArrayRef) -> Part<'a> {
        let values = match field.ty {
            Type::U8 => Values::Bytes(column.as_primitive::<UInt8Type>().values()),
            Type::U16 => Values::Shorts(column.as_primitive::<UInt16Type>().values()),
            Type::U32 => Values::Words(column.as_primitive::<UInt32Type>().values()),
            Type::U64 => Values::Longs(column.as_primitive::<UInt64Type>().values()),
            Type::Time => Values::Times(column.as_primitive::<TimestampMillisecondType>().values()),
            Type::Id | Type::Addr => Values::Fixed(fixed16(column)),
            Type::Text => {
                let column = column.as_string::<i32>();
                Values::Texts(column.value_offsets(), column.value_data())
            }
            Type::Bytes => {
                let column = column.as_binary::<i32>();
                Values::Texts(column.value_offsets(), column.value_data())
            }
        };
        Part { values, nulls: column.nulls().filter(|n| n.null_count() > 0), rows: column.len() }
    }

    /// The rows of `from..to` that have a value.
    pub(super) fn valid(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        (from..to).filter(move |row| self.nulls.is_none_or(|nulls| nulls.is_valid(*row)))
    }

    /// How many of the rows `from..to` have a value.
    pub(super) fn count(&self, from: usize, to: usize) -> usize {
        (to - from) - self.nulls.map_or(0, |nulls| nulls.slice(from, to - from).null_count())
    }

    /// Marks the values of `from..to`, of one byte or two, as seen.
    fn note(&self, from: usize, to: usize, seen: &mut [bool]) {
        match (&self.values, self.nulls) {
            (Values::Bytes(v), None) => v[from..to].iter().for_each(|v| seen[usize::from(*v)] = true),
            (Values::Bytes(v), _) => self.valid(from, to).for_each(|i| seen[usize::from(v[i])] = true),
            (Values::Shorts(v), None) => v[from..to].iter().for_each(|v| seen[usize::from(*v)] = true),
            (Values::Shorts(v), _) => self.valid(from, to).for_each(|i| seen[usize::from(v[i])] = true),
            _ => {}
        }
    }

    /// True if no row has a value.
    pub(super) fn is_absent(&self) -> bool {
        self.nulls.is_some_and(|nulls| nulls.null_count() == self.rows)
    }

    /// The value of all rows as a plain value; none if they differ, or a row has none.
    fn constant(&self) -> Option<Vec<u8>> {
        fn one<T: Copy + PartialEq>(values: &[T]) -> Option<T> {
            let (first, rest) = values.split_first()?;
            (rest.last().is_none_or(|v| v == first) && rest.iter().all(|v| v == first)).then_some(*first)
        }
        if self.nulls.is_some() {
            return None;
        }
        match self.values {
            Values::Bytes(v) => one(v).map(|v| u32::from(v).to_le_bytes().to_vec()),
            Values::Shorts(v) => one(v).map(|v| u32::from(v).to_le_bytes().to_vec()),
            Values::Words(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Longs(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Times(v) => one(v).map(|v| v.to_le_bytes().to_vec()),
            Values::Fixed(v) => one(v).map(|v| v.to_vec()),
            // Texts that are few have a dictionary.
            Values::Texts(..) => None,
        }
    }

    /// Those values of `from..to` that there are, as numbers; none are for values that are no numbers.
    pub(super) fn numbers(&self, from: usize, to: usize, out: &mut Vec<u64>) {
        out.clear();
        if self.nulls.is_some() {
            match self.values {
                Values::Bytes(v) => out.extend(self.valid(from, to).map(|i| u64::from(v[i]))),
                Values::Shorts(v) => out.extend(self.valid(from, to).map(|i| u64::from(v[i]))),
                Values::Words(v) => out.extend(self.valid(from, to).map(|i| u64::from(v[i]))),
                Values::Longs(v) => out.extend(self.valid(from, to).map(|i| v[i])),
                Values::Times(v) => out.extend(self.valid(from, to).map(|i| v[i].cast_unsigned())),
                Values::Fixed(_) | Values::Texts(..) => {}
            }
            return;
        }
        match self.values {
            Values::Bytes(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Shorts(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Words(v) => out.extend(v[from..to].iter().map(|v| u64::from(*v))),
            Values::Longs(v) => out.extend_from_slice(&v[from..to]),
            Values::Times(v) => out.extend(v[from..to].iter().map(|v| v.cast_unsigned())),
            Values::Fixed(_) | Values::Texts(..) => {}
        }
    }
}

/// The value of all rows of all parts as a plain value; none if they differ.
pub(super) fn constant(parts: &[Part<'_>]) -> Option<Vec<u8>> {
    let mut values = parts.iter().map(Part::constant);
    let first = values.next()??;
    values.all(|v| v.as_ref() == Some(&first)).then_some(first)
}

/// Values of one or two bytes that are few.
pub(super) struct Few {
    /// What they are, from the least one.
    pub(super) known: Vec<u32>,
    /// By value the number of each.
    pub(super) number: Vec<u8>,
}

/// The few values there are; none if there are many, or they are neither bytes nor, where those are `ports`, two bytes.
pub(super) fn few(parts: &[Part<'_>], ports: bool) -> Option<Few> {
    let mut seen = Vec::new();
    for part in parts {
        let (all, most) = match part.values {
            Values::Bytes(_) => (1 << u8::BITS, FEW),
            Values::Shorts(_) if ports => (1 << u16::BITS, FEW_PORTS),
            _ => return None,
        };
        seen.resize(all, false);
        for from in (0..part.rows).step_by(LOOK) {
            part.note(from, part.rows.min(from + LOOK), &mut seen);
            if seen.iter().filter(|seen| **seen).count() > most {
                return None;
            }
        }
    }
    let mut number = vec![0; seen.len()];
    let known: Vec<u32> = seen.iter().zip(0..).filter_map(|(seen, value)| seen.then_some(value)).collect();
    known.iter().zip(0u8..=u8::MAX).for_each(|(value, n)| number[*value as usize] = n);
    (!known.is_empty()).then_some(Few { known, number })
}
