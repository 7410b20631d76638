//! Rows of one kind as they came, as sealed: one batch a key day, sorted by time.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use weir_base::sort::{DIGIT_BITS, by_digits};
use weir_base::time::{Day, Millis};
use weir_record::Kind;
use weir_record::gather::{At, gather};
use weir_record::spare::Spare;

use crate::engine::StoreError;
use crate::unit;

/// One batch a key day, in the order of days, each sorted by time, in memory of earlier ones; what has one time stays in the order it came.
pub fn by_day(kind: Kind, batches: &[RecordBatch], sealed_at: Millis, spare: &Spare) -> Result<Vec<(Day, RecordBatch)>, StoreError> {
    let internal = |e: arrow::error::ArrowError| StoreError::Internal(e.to_string());
    let time = kind.spec().index(kind.spec().time).unwrap_or(0);
    let mut order: Vec<(i64, At)> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (number, batch) in (0..).zip(batches) {
        let times = batch.column(time).as_primitive::<TimestampMillisecondType>().values();
        order.extend((0..).zip(times.iter()).map(|(row, time)| (*time, (number, row))));
    }
    sort(&mut order);
    // A later time never has an earlier key day.
    let day = |time: i64| unit::key_day(Millis(time), sealed_at);
    let mut out = Vec::new();
    let mut rows: Vec<At> = Vec::new();
    for of_day in order.chunk_by(|(a, _), (b, _)| day(*a) == day(*b)) {
        let Some((first, _)) = of_day.first() else { continue };
        rows.clear();
        rows.extend(of_day.iter().map(|(_, at)| *at));
        out.push((day(*first), gather(kind, batches, &rows, spare).map_err(internal)?));
    }
    Ok(out)
}

/// Digits of a time by which rows are sorted at most: beyond them lie 99 days.
const DIGITS: u32 = 3;

/// Sorts by time; what has one time stays in the order it came.
fn sort(rows: &mut Vec<(i64, At)>) {
    if rows.is_sorted_by_key(|(time, _)| *time) {
        return;
    }
    let first = rows.iter().map(|(time, _)| *time).min().unwrap_or(0);
    let last = rows.iter().map(|(time, _)| *time).max().unwrap_or(0);
    let range = last.abs_diff(first);
    if range >> (DIGIT_BITS * DIGITS) > 0 || rows.len() < 1 << DIGIT_BITS {
        rows.sort_by_key(|(time, _)| *time);
        return;
    }
    by_digits(rows, &mut Vec::new(), range, |(time, _)| time.abs_diff(first));
}

#[cfg(test)]
mod tests {
    use weir_record::kind::Record;
    use weir_record::kinds::Gap;

    use super::*;

    #[test]
    fn days_are_apart_and_rows_of_one_time_stay_as_they_came() {
        let hour = 3_600_000;
        let sealed: Millis = "2026-11-22T10:00:00+08:00".parse().unwrap();
        // Of now, of yesterday, of the future, of long ago; twice each.
        let times = [0, -24 * hour, 48 * hour, -24 * hour, -9_000 * hour, 0, 48 * hour, -9_000 * hour];
        let gaps: Vec<Gap> = (0..).zip(times).map(|(n, after)| Gap { time: sealed.plus(after), source: n, ..Gap::default() }).collect();
        let batches = [Gap::batch(&gaps[..3]), Gap::batch(&gaps[3..])];
        let days = by_day(Kind::Gap, &batches, sealed, &Spare::default()).unwrap();
        let shown: Vec<(Day, Vec<u32>)> = days.iter().map(|(day, b)| (*day, Gap::rows(b).iter().map(|g| g.source).collect())).collect();
        let today = sealed.day();
        let oldest = unit::key_day(Millis(0), sealed);
        assert_eq!(shown, [(oldest, vec![4, 7]), (today.plus(-1), vec![1, 3]), (today, vec![0, 5, 2, 6])]);
        assert!(by_day(Kind::Gap, &[], sealed, &Spare::default()).unwrap().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_times_are_sorted_and_equal_ones_stay(
            times in proptest::collection::vec(0i64..9, 0..40), count in 0u32..6_000, bits in 0u32..64, seed in 0i64..
        ) {
            let many = (0..i64::from(count)).map(|n| (n ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> bits);
            let mut rows: Vec<(i64, At)> = times.into_iter().chain(many).zip((0..).map(|n| (7, n))).collect();
            let mut want = rows.clone();
            want.sort_by_key(|(time, _)| *time);
            sort(&mut rows);
            proptest::prop_assert_eq!(rows, want);
        }
    }
}
