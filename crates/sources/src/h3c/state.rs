//! What is remembered of a device through a restart, as bytes.

use super::reading::Kept;
use crate::ipfix::sequence::{Counting, Saved};

/// A device's state: format 2, what its numbers count (0 not found out, 1 packets, 2 flows, 3 nothing), presence bits (1 next, 2 export time, 4
/// gap, 8 next by flows), lost, lateness, then what is present; big-endian. Format 1 had no second byte, and none of the last.
pub fn encode(kept: &Kept, late: i64) -> Vec<u8> {
    let s = &kept.saved;
    let bits = [s.next.is_some(), s.export_ms.is_some(), s.gap.is_some(), kept.flows_next.is_some()];
    let chosen = match kept.chosen {
        None => 0,
        Some(Counting::Messages) => 1,
        Some(Counting::Records) => 2,
        Some(Counting::None) => 3,
    };
    let mut out = vec![2, chosen, bits.iter().enumerate().fold(0u8, |sum, (i, on)| sum | (u8::from(*on) << i))];
    out.extend(s.lost.to_be_bytes());
    out.extend(late.to_be_bytes());
    out.extend(s.next.into_iter().flat_map(u32::to_be_bytes));
    out.extend(s.export_ms.into_iter().flat_map(i64::to_be_bytes));
    out.extend(s.gap.into_iter().flat_map(|(a, b)| [a, b]).flat_map(i64::to_be_bytes));
    out.extend(kept.flows_next.into_iter().flat_map(u32::to_be_bytes));
    out
}

/// The same, read back; none where it is no such state.
pub fn decode(value: &[u8]) -> Option<(Kept, i64)> {
    let (chosen, value) = match value {
        [1, rest @ ..] => (None, rest),
        [2, 0, rest @ ..] => (None, rest),
        [2, 1, rest @ ..] => (Some(Counting::Messages), rest),
        [2, 2, rest @ ..] => (Some(Counting::Records), rest),
        [2, 3, rest @ ..] => (Some(Counting::None), rest),
        _ => return None,
    };
    let (present, mut rest) = value.split_first()?;
    let mut fixed = || {
        let (bytes, tail) = rest.split_first_chunk::<8>()?;
        rest = tail;
        Some(*bytes)
    };
    let (lost, late) = (u64::from_be_bytes(fixed()?), i64::from_be_bytes(fixed()?));
    let mut take = |bit: u8, n: usize| {
        let (bytes, tail) = if present & bit == 0 { (&[][..], rest) } else { rest.split_at_checked(n)? };
        rest = tail;
        Some(bytes)
    };
    let (next, export, gap, flows) = (take(1, 4)?, take(2, 8)?, take(4, 16)?, take(8, 4)?);
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_be_bytes);
    let long = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_be_bytes);
    let saved = Saved {
        next: number(next),
        export_ms: long(export),
        uptime_ms: None,
        lost,
        gap: gap.split_at_checked(8).and_then(|(a, b)| Some((long(a)?, long(b)?))),
    };
    Some((Kept { chosen, saved, flows_next: number(flows) }, late))
}
