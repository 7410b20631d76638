//! Rows of several batches of one kind in another order, as one batch: each value is copied once.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, FixedSizeBinaryArray, PrimitiveArray, RecordBatch, StringBuilder,
};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow::error::ArrowError;

use crate::column::UTC;
use crate::field::Type;
use crate::kind::Kind;

/// Where a row is: its batch, and its place there.
pub type At = (u32, u32);

/// The rows at these places, in this order. Places outside the batches are left out.
///
/// # Errors
/// If a batch has not the columns of the kind.
pub fn gather(kind: Kind, batches: &[RecordBatch], rows: &[At]) -> Result<RecordBatch, ArrowError> {
    let columns = kind.spec().fields.iter().enumerate().map(|(i, field)| {
        let parts: Vec<&ArrayRef> = batches.iter().filter_map(|b| b.columns().get(i)).collect();
        column(field.ty, &parts, rows)
    });
    RecordBatch::try_new(kind.schema(), columns.collect())
}

fn column(ty: Type, parts: &[&ArrayRef], rows: &[At]) -> ArrayRef {
    match ty {
        Type::U8 => Arc::new(numbers::<UInt8Type>(parts, rows)),
        Type::U16 => Arc::new(numbers::<UInt16Type>(parts, rows)),
        Type::U32 => Arc::new(numbers::<UInt32Type>(parts, rows)),
        Type::U64 => Arc::new(numbers::<UInt64Type>(parts, rows)),
        Type::Time => Arc::new(numbers::<TimestampMillisecondType>(parts, rows).with_timezone(UTC)),
        Type::Id | Type::Addr => {
            let values: Vec<&[[u8; 16]]> = parts.iter().map(|p| fixed16(p)).collect();
            let buffer = Buffer::from_vec(each(&values, rows).copied().collect::<Vec<[u8; 16]>>().into_flattened());
            Arc::new(FixedSizeBinaryArray::new(16, buffer, nulls(parts, rows)))
        }
        Type::Text => {
            let parts: Vec<_> = parts.iter().filter_map(|p| p.as_string_opt::<i32>()).collect();
            let bytes = parts.iter().map(|p| p.value_data().len()).sum();
            let mut out = StringBuilder::with_capacity(rows.len(), bytes);
            for (part, row) in rows.iter().filter_map(|(part, row)| Some((parts.get(*part as usize)?, *row as usize))) {
                out.append_option(part.is_valid(row).then(|| part.value(row)));
            }
            Arc::new(out.finish())
        }
        Type::Bytes => {
            let parts: Vec<_> = parts.iter().filter_map(|p| p.as_binary_opt::<i32>()).collect();
            let bytes = parts.iter().map(|p| p.value_data().len()).sum();
            let mut out = BinaryBuilder::with_capacity(rows.len(), bytes);
            for (part, row) in rows.iter().filter_map(|(part, row)| Some((parts.get(*part as usize)?, *row as usize))) {
                out.append_option(part.is_valid(row).then(|| part.value(row)));
            }
            Arc::new(out.finish())
        }
    }
}

fn each<'a, T>(parts: &'a [&'a [T]], rows: &'a [At]) -> impl Iterator<Item = &'a T> {
    rows.iter().filter_map(|(part, row)| parts.get(*part as usize)?.get(*row as usize))
}

fn numbers<T: ArrowPrimitiveType>(parts: &[&ArrayRef], rows: &[At]) -> PrimitiveArray<T> {
    let values: Vec<&[T::Native]> = parts.iter().filter_map(|p| p.as_primitive_opt::<T>()).map(|p| &p.values()[..]).collect();
    let gathered: Vec<T::Native> = each(&values, rows).copied().collect();
    PrimitiveArray::new(ScalarBuffer::from(gathered), nulls(parts, rows))
}

/// The values of a column of 16 bytes each, its own rows alone.
pub(crate) fn fixed16(column: &ArrayRef) -> &[[u8; 16]] {
    let Some(column) = column.as_fixed_size_binary_opt() else { return &[] };
    let bytes = column.value_data().get(column.offset() * 16..(column.offset() + column.len()) * 16);
    bytes.unwrap_or_default().as_chunks().0
}

fn nulls(parts: &[&ArrayRef], rows: &[At]) -> Option<NullBuffer> {
    if parts.iter().all(|p| p.null_count() == 0) {
        return None;
    }
    let valid = rows.iter().filter_map(|(part, row)| {
        let part = parts.get(*part as usize)?;
        ((*row as usize) < part.len()).then(|| part.is_valid(*row as usize))
    });
    Some(valid.collect::<Vec<bool>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Id;
    use crate::kind::Record;
    use crate::kinds::{Maintenance, MaintenanceText, RadiusSession};
    use weir_base::net::Addr16;
    use weir_base::time::Millis;

    #[test]
    fn rows_come_in_the_order_asked_for_whatever_their_columns() {
        let session = |n: u8| RadiusSession {
            time: Millis(i64::from(n)),
            status: n,
            session: Id([n; 16]),
            framed_ipv6: n.is_multiple_of(2).then_some(Addr16([n; 16])),
            input_octets: n.is_multiple_of(3).then_some(u64::from(n)),
            acct_session_id: n.is_multiple_of(4).then(|| "x".repeat(usize::from(n))),
            ..RadiusSession::default()
        };
        let rows: Vec<RadiusSession> = (0..40).map(session).collect();
        // The second one begins in the middle of its buffers.
        let batches = [RadiusSession::batch(&rows[..15]), RadiusSession::batch(&rows).slice(15, 25)];
        let at = |n: u32| if n < 15 { (0, n) } else { (1, n - 15) };
        let order: Vec<u32> = (0..40).map(|n| n * 7 % 40).collect();
        let got = gather(Kind::RadiusSession, &batches, &order.iter().map(|n| at(*n)).collect::<Vec<_>>()).unwrap();
        let want: Vec<RadiusSession> = order.iter().map(|n| rows[*n as usize].clone()).collect();
        assert_eq!(got, RadiusSession::batch(&want));
        let texts: Vec<MaintenanceText> =
            (0..9u8).map(|n| MaintenanceText { bytes: vec![n; usize::from(n)], ..Default::default() }).collect();
        let got = gather(Kind::MaintenanceText, &[MaintenanceText::batch(&texts)], &[(0, 8), (0, 0), (0, 8)]).unwrap();
        assert_eq!(MaintenanceText::rows(&got), [texts[8].clone(), texts[0].clone(), texts[8].clone()]);
        assert_eq!(gather(Kind::Maintenance, &[], &[(0, 0)]).unwrap(), Maintenance::batch(&[]));
    }
}
