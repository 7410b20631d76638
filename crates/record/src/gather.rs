//! Rows of several batches of one kind in another order, as one batch: each value is copied once.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, FixedSizeBinaryArray, GenericByteArray, PrimitiveArray, RecordBatch,
};
use arrow::buffer::{MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{BinaryType, ByteArrayType, TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type, Utf8Type};
use arrow::error::ArrowError;

use crate::column::UTC;
use crate::field::Type;
use crate::kind::Kind;
use crate::spare::Spare;

/// Where a row is: its batch, and its place there.
pub type At = (u32, u32);

/// Rows of one batch that stand together there and here.
struct Run {
    part: u32,
    from: u32,
    to: u32,
}

impl Run {
    fn rows(&self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

/// The rows at these places, in this order, in memory of earlier ones where there is any. Places outside the batches are left out.
///
/// # Errors
/// If a batch has not the columns of the kind, or a column would have more than 2 GiB of texts.
pub fn gather(kind: Kind, batches: &[RecordBatch], rows: &[At], spare: &Spare) -> Result<RecordBatch, ArrowError> {
    let runs = runs(batches, rows);
    let columns = kind.spec().fields.iter().enumerate().map(|(i, field)| {
        let parts: Vec<&ArrayRef> = batches.iter().filter_map(|b| b.columns().get(i)).collect();
        column(field.ty, &parts, &runs, spare)
    });
    RecordBatch::try_new(kind.schema(), columns.collect::<Result<_, _>>()?)
}

fn runs(batches: &[RecordBatch], rows: &[At]) -> Vec<Run> {
    let lens: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    let mut runs: Vec<Run> = Vec::new();
    for (part, row) in rows.iter().filter(|(part, row)| lens.get(*part as usize).is_some_and(|len| (*row as usize) < *len)) {
        match runs.last_mut() {
            Some(run) if run.part == *part && run.to == *row => run.to += 1,
            _ => runs.push(Run { part: *part, from: *row, to: row + 1 }),
        }
    }
    runs
}

fn column(ty: Type, parts: &[&ArrayRef], runs: &[Run], spare: &Spare) -> Result<ArrayRef, ArrowError> {
    Ok(match ty {
        Type::U8 => Arc::new(numbers::<UInt8Type>(parts, runs, spare)),
        Type::U16 => Arc::new(numbers::<UInt16Type>(parts, runs, spare)),
        Type::U32 => Arc::new(numbers::<UInt32Type>(parts, runs, spare)),
        Type::U64 => Arc::new(numbers::<UInt64Type>(parts, runs, spare)),
        Type::Time => Arc::new(numbers::<TimestampMillisecondType>(parts, runs, spare).with_timezone(UTC)),
        Type::Id | Type::Addr => {
            let values: Vec<&[[u8; 16]]> = parts.iter().map(|p| fixed16(p)).collect();
            let mut out = spare.take(16 * count(runs));
            each(&values, runs).for_each(|some| out.extend_from_slice(some.as_flattened()));
            Arc::new(FixedSizeBinaryArray::new(16, out.into(), nulls(parts, runs)))
        }
        Type::Text => Arc::new(texts::<Utf8Type>(parts, runs, spare)?),
        Type::Bytes => Arc::new(texts::<BinaryType>(parts, runs, spare)?),
    })
}

fn count(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.rows().len()).sum()
}

/// The values of each run.
fn each<'v, T>(parts: &[&'v [T]], runs: &[Run]) -> impl Iterator<Item = &'v [T]> {
    runs.iter().filter_map(|run| parts.get(run.part as usize).and_then(|part| part.get(run.rows())))
}

fn numbers<T: ArrowPrimitiveType>(parts: &[&ArrayRef], runs: &[Run], spare: &Spare) -> PrimitiveArray<T> {
    let values: Vec<&[T::Native]> = parts.iter().filter_map(|p| p.as_primitive_opt::<T>()).map(|p| &p.values()[..]).collect();
    let mut out = spare.take(size_of::<T::Native>() * count(runs));
    for some in each(&values, runs) {
        match some {
            [one] => out.push(*one),
            many => out.extend_from_slice(many),
        }
    }
    PrimitiveArray::new(ScalarBuffer::from(out), nulls(parts, runs))
}

/// Texts or bytes: those of a run lie side by side, so they are copied as one.
fn texts<T: ByteArrayType<Offset = i32>>(parts: &[&ArrayRef], runs: &[Run], spare: &Spare) -> Result<GenericByteArray<T>, ArrowError> {
    let values: Vec<(&[i32], &[u8])> =
        parts.iter().filter_map(|p| p.as_bytes_opt::<T>()).map(|p| (p.value_offsets(), p.value_data())).collect();
    // Where the texts of a run end, after where they begin; and the texts.
    let of = |run: &Run| {
        let (ends, data) = values.get(run.part as usize)?;
        let ends = ends.get(run.from as usize..=run.to as usize)?;
        let (first, last) = (*ends.first()?, *ends.last()?);
        Some((ends, data.get(usize::try_from(first).ok()?..usize::try_from(last).ok()?)?))
    };
    let bytes: usize = runs.iter().filter_map(of).map(|(_, data)| data.len()).sum();
    if i32::try_from(bytes).is_err() {
        return Err(ArrowError::OffsetOverflowError(bytes));
    }
    let mut data = spare.take(bytes);
    let mut ends = spare.take(size_of::<i32>() * (count(runs) + 1));
    ends.push(0i32);
    let mut at = 0;
    for (run, some) in runs.iter().filter_map(of) {
        let before = at - run.first().copied().unwrap_or(0);
        extend(&mut ends, run.get(1..).unwrap_or_default(), before);
        data.extend_from_slice(some);
        at = run.last().map_or(at, |end| end + before);
    }
    GenericByteArray::try_new(OffsetBuffer::new(ScalarBuffer::from(ends)), data.into(), nulls(parts, runs))
}

/// Adds the offsets, each with so much more.
fn extend(ends: &mut MutableBuffer, more: &[i32], plus: i32) {
    let from = ends.len() / size_of::<i32>();
    ends.extend_zeros(size_of_val(more));
    let to = ends.typed_data_mut::<i32>().get_mut(from..).unwrap_or_default();
    to.iter_mut().zip(more).for_each(|(to, end)| *to = end + plus);
}

/// The values of a column of 16 bytes each, its own rows alone.
pub(crate) fn fixed16(column: &ArrayRef) -> &[[u8; 16]] {
    let Some(column) = column.as_fixed_size_binary_opt() else { return &[] };
    let bytes = column.value_data().get(column.offset() * 16..(column.offset() + column.len()) * 16);
    bytes.unwrap_or_default().as_chunks().0
}

fn nulls(parts: &[&ArrayRef], runs: &[Run]) -> Option<NullBuffer> {
    if parts.iter().all(|p| p.null_count() == 0) {
        return None;
    }
    let mut valid = BooleanBufferBuilder::new(count(runs));
    for run in runs {
        let rows = run.rows();
        match parts.get(run.part as usize).and_then(|part| part.nulls()) {
            Some(nulls) => valid.append_packed_range(nulls.offset() + rows.start..nulls.offset() + rows.end, nulls.validity()),
            None => valid.append_n(rows.len(), true),
        }
    }
    Some(valid.finish().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Id;
    use crate::kind::Record;
    use crate::kinds::{Maintenance, MaintenanceText, RadiusSession};
    use weir_base::net::Addr16;
    use weir_base::time::Millis;

    proptest::proptest! {
        #[test]
        fn runs_of_rows_come_as_rows_alone_do(
            texts in proptest::collection::vec(("[a-z户]{0,9}", 0u8..8), 1..60), cut in 0usize..60, asked in proptest::collection::vec((0u32..70, 0u32..9), 0..20)
        ) {
            let lines: Vec<Maintenance> = texts.iter().map(|(text, has)| Maintenance {
                source: u32::from(*has),
                host: (has & 1 > 0).then(|| text.clone()),
                app: (has & 2 > 0).then(String::new),
                line: text.repeat(usize::from(*has)),
                ..Maintenance::default()
            }).collect();
            let cut = cut.min(lines.len());
            let whole = Maintenance::batch(&lines);
            // The second one begins in the middle of its buffers; the third has a value for no text that may be without one.
            let batches = [whole.slice(0, cut), whole.slice(cut, lines.len() - cut), Maintenance::batch(&[Maintenance::default()])];
            let places: Vec<u32> = asked.iter().flat_map(|(from, len)| *from..from + len).collect();
            let at = |n: u32| if (n as usize) < cut { (0, n) } else if n == 69 { (2, 0) } else { (1, n - cut as u32) };
            let got = gather(Kind::Maintenance, &batches, &places.iter().map(|n| at(*n)).collect::<Vec<_>>(), &Spare::default()).unwrap();
            let line = |n: u32| if n == 69 { Some(Maintenance::default()) } else { lines.get(n as usize).cloned() };
            let want: Vec<Maintenance> = places.iter().filter_map(|n| line(*n)).collect();
            proptest::prop_assert_eq!(Maintenance::rows(&got), want);
        }
    }

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
        let got = gather(Kind::RadiusSession, &batches, &order.iter().map(|n| at(*n)).collect::<Vec<_>>(), &Spare::default()).unwrap();
        let want: Vec<RadiusSession> = order.iter().map(|n| rows[*n as usize].clone()).collect();
        assert_eq!(got, RadiusSession::batch(&want));
        let texts: Vec<MaintenanceText> =
            (0..9u8).map(|n| MaintenanceText { bytes: vec![n; usize::from(n)], ..Default::default() }).collect();
        let got = gather(Kind::MaintenanceText, &[MaintenanceText::batch(&texts)], &[(0, 8), (0, 0), (0, 8)], &Spare::default()).unwrap();
        assert_eq!(MaintenanceText::rows(&got), [texts[8].clone(), texts[0].clone(), texts[8].clone()]);
        assert_eq!(gather(Kind::Maintenance, &[], &[(0, 0)], &Spare::default()).unwrap(), Maintenance::batch(&[]));
    }

    #[test]
    fn rows_in_memory_of_earlier_ones_are_what_they_are_in_their_own() {
        let line = |n: u32| Maintenance {
            time: Millis(i64::from(n)),
            host: n.is_multiple_of(3).then(|| "h".repeat(n as usize % 7)),
            line: format!("line {n}").repeat(n as usize % 4),
            text: Id(u128::from(n).to_be_bytes()),
            ..Maintenance::default()
        };
        let lines: Vec<Maintenance> = (0..40_000).map(line).collect();
        let whole = Maintenance::batch(&lines);
        let spare = Spare::default();
        for step in [1, 7, 3] {
            let order: Vec<u32> = (0..39_000u32).map(|n| n * step % 40_000).collect();
            let got = gather(Kind::Maintenance, std::slice::from_ref(&whole), &order.iter().map(|n| (0, *n)).collect::<Vec<_>>(), &spare)
                .unwrap();
            let want: Vec<Maintenance> = order.iter().map(|n| lines[*n as usize].clone()).collect();
            assert!(got == Maintenance::batch(&want), "every {step}th");
            // All that came back was taken out again: the same columns need the same memory.
            assert_eq!(spare.bytes(), 0);
            spare.keep(got);
            assert!(spare.bytes() > 40_000 * 16);
        }
    }
}
