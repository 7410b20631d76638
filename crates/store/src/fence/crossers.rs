//! Which public ends a unit closes that began before the unit itself: a sorted set of short hashes behind the fences of its table. A question about a moment
//! before a unit was opened concerns these alone, and nearly always finds that there is none, in one block.
//!
//! Entries: key: 26 bytes 255, then the lowest hash of the entry (u32, big-endian; 0 in the first). Value: version u8, shift u8, cut (i64 milliseconds, little-endian): rows
//! that began at it or later are not in the set; then the hashes less their lowest `shift` bits, ascending, each as the difference from the one before in groups of seven bits,
//! lowest first, the highest bit set in all but the last; the first is the difference from the key's. A table without entries or of another version says nothing.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt16Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::column::bytes16;

use crate::table::{Stats, TableError, TableReader, TableWriter};

const VERSION: u8 = 1;
/// Before the hash in a key: above every public end.
const MARK: [u8; 26] = [0xff; 26];
/// Bits of a hash beyond those that number the set: one question in 64 to 128 finds a hash that is another one's and looks into the pages for nothing. More bits would take
/// more than a byte each.
const SPARE_BITS: u32 = 6;
/// Hashes of one entry.
const AN_ENTRY: usize = 1_024;

fn key(hash: u32) -> [u8; 30] {
    let mut key = [0xff; 30];
    key[26..].copy_from_slice(&hash.to_be_bytes());
    key
}

/// The hash of a public end, the same on every machine.
fn hash(address: &[u8; 16], port: u16) -> u32 {
    let (high, low) = (u64::from_le_bytes(*first(address)), u64::from_le_bytes(*last(address)));
    let mut h = high.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ low.rotate_left(17) ^ u64::from(port).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    // The finish of SplitMix64.
    h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((h ^ (h >> 31)) >> 32) as u32
}

fn first(address: &[u8; 16]) -> &[u8; 8] {
    address.first_chunk().unwrap_or(&[0; 8])
}

fn last(address: &[u8; 16]) -> &[u8; 8] {
    address.last_chunk().unwrap_or(&[0; 8])
}

/// Writes the set of the rows that began before `cut`, after all fences.
pub(super) fn write(writer: &mut TableWriter, cut: Millis, rows: &RecordBatch) -> Result<(), TableError> {
    let (addresses, ports) = (rows.column(0).as_fixed_size_binary(), rows.column(1).as_primitive::<UInt16Type>().values());
    let starts = rows.column(2).as_primitive::<TimestampMillisecondType>().values();
    let early = starts.iter().enumerate().filter(|(_, start)| **start < cut.0);
    let mut hashes: Vec<u32> = early.map(|(row, _)| hash(&bytes16(addresses, row), ports[row])).collect();
    let bits = (usize::BITS - hashes.len().leading_zeros() + SPARE_BITS).min(32);
    let shift = 32 - bits;
    hashes.iter_mut().for_each(|hash| *hash >>= shift);
    hashes.sort_unstable();
    hashes.dedup();
    // There is an entry even where the set is empty: then the table says that it is.
    let entries = hashes.chunks(AN_ENTRY).chain(hashes.is_empty().then_some(&[][..]));
    for (number, entry) in entries.enumerate() {
        let begin = if number == 0 { 0 } else { entry.first().copied().unwrap_or(0) };
        let mut value = vec![VERSION, shift as u8];
        value.extend(cut.0.to_le_bytes());
        let mut before = begin;
        for hash in entry {
            put(&mut value, hash - before);
            before = *hash;
        }
        writer.push(&key(begin << shift), &value)?;
    }
    Ok(())
}

fn put(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..32).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// False when the unit closes no mapping of this public end that began before `to` or at it.
pub(super) fn may_hold(table: &TableReader, (address, port): (Addr16, u16), to: Millis, stats: &mut Stats) -> Result<bool, TableError> {
    let hash = hash(&address.0, port);
    let entry = table.seek_le(&key(hash), stats)?;
    Ok(entry.is_none_or(|(key, value)| said(&key, &value, hash, to).unwrap_or(true)))
}

/// What an entry says of a hash; none if it says nothing.
fn said(key: &[u8], value: &[u8], hash: u32, to: Millis) -> Option<bool> {
    let begin = u32::from_be_bytes(key.strip_prefix(&MARK)?.try_into().ok()?);
    let ([version, shift], value) = value.split_first_chunk::<2>()?;
    let (cut, mut left) = value.split_first_chunk::<8>()?;
    if *version != VERSION || *shift > 31 || to.0 >= i64::from_le_bytes(*cut) {
        return None;
    }
    let (wanted, mut at) = (hash >> shift, begin >> shift);
    while !left.is_empty() {
        at = at.checked_add(take(&mut left)?)?;
        if at >= wanted {
            return Some(at == wanted);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use weir_base::crypto::Secret;
    use weir_base::disk::SharedDisk;
    use weir_record::kind::Record;
    use weir_record::kinds::NatMapping;
    use weir_testkit::{Rng, SimDisk};

    use super::*;

    fn table(rows: &[NatMapping], cut: i64) -> TableReader {
        let (disk, key): (SharedDisk, Secret) = (SimDisk::new().shared(), Secret([7; 32]));
        let mut writer = TableWriter::create(&disk, "t".as_ref(), &key).unwrap();
        writer.push(&[5; 30], b"a fence").unwrap();
        write(&mut writer, Millis(cut), &NatMapping::batch(rows)).unwrap();
        writer.finish().unwrap();
        TableReader::open(&disk, "t".as_ref(), &key).unwrap()
    }

    fn row(n: u32, start: i64) -> NatMapping {
        let [.., c, d] = n.to_be_bytes();
        NatMapping {
            public_address: Addr16::v4([198, 18, c, d]),
            public_port: (n % 60_000) as u16,
            start: Millis(start),
            ..NatMapping::default()
        }
    }

    #[test]
    fn who_began_before_is_always_found_and_others_hardly_ever() {
        for many in [0, 1, 700, 20_000] {
            let rows: Vec<NatMapping> = (0..many).map(|n| row(n, if n % 2 == 0 { 10 } else { 100 })).collect();
            let (table, mut rng) = (table(&rows, 50), Rng::new(1));
            let asked = |n: u32, to: i64| {
                let row = row(n, 0);
                may_hold(&table, (row.public_address, row.public_port), Millis(to), &mut Stats::default()).unwrap()
            };
            assert!((0..many).step_by(2).all(|n| asked(n, 20)), "{many}");
            let mistaken = (0..10_000).filter(|_| asked(1_000_000 + rng.below(1 << 20) as u32 * 2 + 1, 20)).count();
            assert!(mistaken < 300, "{mistaken} of 10,000 with {many}");
            assert!(asked(77_777_777, 50), "the set says nothing of moments after it");
        }
    }

    #[test]
    fn an_old_table_or_a_damaged_entry_says_nothing() {
        let good = {
            let mut v = vec![VERSION, 20];
            v.extend(50i64.to_le_bytes());
            v.push(3);
            v
        };
        assert_eq!(said(&key(0), &good, 3 << 20, Millis(0)), Some(true));
        assert_eq!(said(&key(0), &good, 4 << 20, Millis(0)), Some(false));
        for (key, value) in [
            (vec![5; 30], good.clone()),
            (key(0).to_vec(), vec![]),
            (key(0).to_vec(), [&[VERSION + 1], &good[1..]].concat()),
            (key(0).to_vec(), [&[VERSION, 32], &good[2..]].concat()),
            (key(0).to_vec(), [&good[..10], &[0x80]].concat()),
            (key(u32::MAX).to_vec(), [&good[..10], &[0xff, 0xff, 0xff, 0xff, 0x7f]].concat()),
        ] {
            assert_eq!(said(&key, &value, u32::MAX, Millis(0)), None, "{value:?}");
        }
    }
}
