//! When events were, and when what ended had begun.

use weir_record::kinds::{Action, NatEventColumns};

use super::compile::{Kind, Nat, Read, TimeRead, TimeUnit};
use super::decode::{Context, Rows, Tally, columns, uint};
use super::limits::TOLD_BACK_MS;
use super::natevent::{Code, action_of};

/// Milliseconds from 1900 (NTP) to 1970.
const NTP_MS: i64 = 2_208_988_800_000;

/// A time in milliseconds, 0 for none.
fn time(bytes: &[u8], read: TimeRead, context: &Context) -> i64 {
    let value = uint(bytes, read.read.kind);
    if value == 0 {
        return 0;
    }
    match read.unit {
        TimeUnit::Milliseconds => i64::try_from(value).unwrap_or(0),
        TimeUnit::Seconds => i64::try_from(value).ok().and_then(|v| v.checked_mul(1000)).unwrap_or(0),
        TimeUnit::Ntp => {
            let (seconds, fraction) = ((value >> 32) as i64, value & 0xffff_ffff);
            seconds * 1000 + ((fraction * 1000) >> 32) as i64 - NTP_MS
        }
        TimeUnit::Uptime => {
            let Some(uptime) = context.uptime_ms else { return 0 };
            // The distance back from the header, right also when the 32-bit counter went round in between.
            let back = uptime.wrapping_sub(value as u32) as i32;
            context.export_ms - i64::from(back)
        }
    }
}

/// The times of the events, in a column.
pub(super) fn fill_time(out: &mut Vec<i64>, rows: Rows<'_>, nat: &Nat, codes: &[Code], context: &Context) {
    let start = out.len();
    match nat.time.split_first() {
        Some((first, others)) => {
            match first {
                TimeRead { read: Read { offset, kind: Kind::Uint(8) }, unit: TimeUnit::Milliseconds } => {
                    out.extend(rows.at(*offset).map(|c| c.first_chunk::<8>().map_or(0, |b| i64::from_be_bytes(*b).max(0))))
                }
                read => out.extend(rows.at(read.read.offset).map(|c| time(c, *read, context))),
            }
            for other in others {
                fill_missing(out.get_mut(start..).unwrap_or_default(), rows, *other, None, codes, context);
            }
        }
        None => out.resize(start + rows.count, 0),
    }
    let column = out.get_mut(start..).unwrap_or_default();
    if column.iter().all(|t| *t != 0) {
        return;
    }
    for (reads, action) in [(&nat.start, 1), (&nat.end, 2)] {
        for read in reads {
            fill_missing(column, rows, *read, Some(action), codes, context);
        }
    }
    // An event without a time happened before its message was exported: that is the best there is.
    column.iter_mut().filter(|t| **t == 0).for_each(|t| *t = context.export_ms);
}

fn fill_missing(column: &mut [i64], rows: Rows<'_>, read: TimeRead, action: Option<u8>, codes: &[Code], context: &Context) {
    for ((cell, bytes), code) in column.iter_mut().zip(rows.at(read.read.offset)).zip(codes) {
        if *cell == 0 && action.is_none_or(|a| a == action_of(*code)) {
            *cell = time(bytes, read, context);
        }
    }
}

/// What records of ends say of their beginnings (flowStart… beside natEvent): rows that stand before those of the ends. What was counted of the records
/// is counted with the ends.
pub(super) fn begins(nat: &Nat, rows: Rows<'_>, context: &Context, codes: &[Code], out: &mut NatEventColumns) {
    const DELETE: u8 = Action::Delete as u8;
    if nat.start.is_empty() || !codes.iter().any(|c| action_of(*c) == DELETE) {
        return;
    }
    let (mut starts, mut ends) = (vec![0; codes.len()], Vec::with_capacity(codes.len()));
    fill_time(&mut ends, rows, nat, codes, context);
    for read in &nat.start {
        fill_missing(&mut starts, rows, *read, None, codes, context);
    }
    let told = codes.iter().zip(&starts).zip(&ends).map(|((code, start), end)| {
        let tells = action_of(*code) == DELETE && *start > 0 && start <= end && end.saturating_sub(*start) <= TOLD_BACK_MS;
        if tells { *code - DELETE + Action::Told as u8 } else { 0 }
    });
    let told: Vec<Code> = told.collect();
    if told.iter().any(|c| *c != 0) {
        columns(nat, rows, context, (&told, Some(&starts)), out, &mut Tally::default());
    }
}
