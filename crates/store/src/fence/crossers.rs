//! Which public ends a unit closes that began before the unit itself: sorted sets of short hashes behind the fences of its table. A question about a moment
//! before a unit was opened concerns these alone, and nearly always finds that there is none, in one block. Where subscribers open many connections, something younger has
//! crossed on nearly every port of theirs; so there is a set of all that crossed, one of those that began a unit's length before it was opened, and one of three lengths: a
//! question asks the last set that must have what it is about.
//!
//! Entries: key: 25 bytes 255, the number of the set, then the lowest hash of the entry (u32, big-endian; 0 in the first). Value: version u8, shift u8, cut (i64 milliseconds, little-endian): rows
//! that began at it or later are not in the set; then the hashes less their lowest `shift` bits, ascending, each as the difference from the one before in groups of seven bits,
//! lowest first, the highest bit set in all but the last; the first is the difference from the key's. A table without entries or of another version says nothing.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{TimestampMillisecondType, UInt16Type};
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::column::bytes16;

use crate::table::{Stats, TableError, TableReader, TableWriter};

const VERSION: u8 = 2;
/// Before the set's number and the hash in a key: above every public end.
const MARK: [u8; 25] = [0xff; 25];
/// How long before the unit was opened a row of each set began at least, in lengths of the unit.
const AGES: [i64; 3] = [0, 1, 3];
/// Bits of a hash beyond those that number the set: one question in 64 to 128 finds a hash that is another one's and looks into the pages for nothing. More bits would take
/// more than a byte each.
const SPARE_BITS: u32 = 6;
/// Hashes of one entry.
const AN_ENTRY: usize = 1_024;

/// When a unit was opened, and how long it was open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) begin: Millis,
    pub(super) length: i64,
}

impl Own {
    /// Before these moments began what is in each set.
    fn cuts(self) -> [Millis; AGES.len()] {
        AGES.map(|age| self.begin.plus(-age * self.length))
    }
}

fn key(set: usize, hash: u32) -> [u8; 30] {
    let mut key = [0xff; 30];
    key[MARK.len()] = set as u8;
    key[MARK.len() + 1..].copy_from_slice(&hash.to_be_bytes());
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

/// Writes the sets of the rows that began before the unit was opened, after all fences.
pub(super) fn write(writer: &mut TableWriter, own: Own, rows: &RecordBatch) -> Result<(), TableError> {
    own.cuts().into_iter().enumerate().try_for_each(|(set, cut)| write_set(writer, set, cut, rows))
}

fn write_set(writer: &mut TableWriter, set: usize, cut: Millis, rows: &RecordBatch) -> Result<(), TableError> {
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
        writer.push(&key(set, begin << shift), &value)?;
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
pub(super) fn may_hold(
    table: &TableReader,
    (address, port): (Addr16, u16),
    to: Millis,
    own: Own,
    stats: &mut Stats,
) -> Result<bool, TableError> {
    let hash = hash(&address.0, port);
    // What began before `to` or at it began before each cut that is later.
    let Some(set) = own.cuts().iter().rposition(|cut| to < *cut) else { return Ok(true) };
    let entry = table.seek_le(&key(set, hash), stats)?;
    Ok(entry.is_none_or(|(key, value)| said(&key, &value, (set, hash), to).unwrap_or(true)))
}

/// What an entry says of a hash; none if it says nothing.
fn said(key: &[u8], value: &[u8], (set, hash): (usize, u32), to: Millis) -> Option<bool> {
    let (number, begin) = key.strip_prefix(&MARK)?.split_first()?;
    if usize::from(*number) != set {
        return None;
    }
    let begin = u32::from_be_bytes(begin.try_into().ok()?);
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

    fn table(rows: &[NatMapping], own: Own) -> TableReader {
        let (disk, key): (SharedDisk, Secret) = (SimDisk::new().shared(), Secret([7; 32]));
        let mut writer = TableWriter::create(&disk, "t".as_ref(), &key).unwrap();
        writer.push(&[5; 30], b"a fence").unwrap();
        write(&mut writer, own, &NatMapping::batch(rows)).unwrap();
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
            let own = Own { begin: Millis(50), length: 1_000 };
            let (table, mut rng) = (table(&rows, own), Rng::new(1));
            let asked = |n: u32, to: i64| {
                let row = row(n, 0);
                may_hold(&table, (row.public_address, row.public_port), Millis(to), own, &mut Stats::default()).unwrap()
            };
            assert!((0..many).step_by(2).all(|n| asked(n, 20)), "{many}");
            let mistaken = (0..10_000).filter(|_| asked(1_000_000 + rng.below(1 << 20) as u32 * 2 + 1, 20)).count();
            assert!(mistaken < 300, "{mistaken} of 10,000 with {many}");
            assert!(asked(77_777_777, 50), "the set says nothing of moments after it");
        }
    }

    #[test]
    fn what_crossed_is_found_as_far_back_as_it_began_and_hardly_any_further() {
        // A unit of 60 open from 1,000 on; each row began so long before.
        let own = Own { begin: Millis(1_000), length: 60 };
        let age = |n: u32| i64::from(n % 420);
        let rows: Vec<NatMapping> = (0..8_400).map(|n| row(n, 1_000 - age(n))).collect();
        let table = table(&rows, own);
        let asked = |n: u32, to: i64| {
            let row = row(n, 0);
            may_hold(&table, (row.public_address, row.public_port), Millis(to), own, &mut Stats::default()).unwrap()
        };
        for before in [1, 30, 59, 60, 61, 120, 179, 180, 181, 400] {
            let to = 1_000 - before;
            let (there, others): (Vec<u32>, Vec<u32>) = (0..8_400).partition(|n| 1_000 - age(*n) <= to);
            assert!(there.iter().all(|n| asked(*n, to)), "{before}");
            // Of those that are too young the set has some; whoever began after its cut is hardly ever taken for one of them.
            let cut = [180, 60, 0].into_iter().find(|age| before > *age).unwrap();
            let outside: Vec<u32> = others.into_iter().filter(|n| age(*n) <= cut).collect();
            let in_vain = outside.iter().filter(|n| asked(**n, to)).count();
            assert!(in_vain * 20 <= outside.len(), "{before}: {in_vain} of {}", outside.len());
        }
        assert!(asked(77_777_777, 1_000), "the sets say nothing of moments after the unit was opened");
    }

    #[test]
    fn an_old_table_or_a_damaged_entry_says_nothing() {
        let good = {
            let mut v = vec![VERSION, 20];
            v.extend(50i64.to_le_bytes());
            v.push(3);
            v
        };
        assert_eq!(said(&key(1, 0), &good, (1, 3 << 20), Millis(0)), Some(true));
        assert_eq!(said(&key(1, 0), &good, (1, 4 << 20), Millis(0)), Some(false));
        for (key, value) in [
            (vec![5; 30], good.clone()),
            ([&[0xff; 26][..], &[0; 4]].concat(), good.clone()),
            (key(0, 0).to_vec(), good.clone()),
            (key(1, 0).to_vec(), vec![]),
            (key(1, 0).to_vec(), [&[VERSION + 1], &good[1..]].concat()),
            (key(1, 0).to_vec(), [&[VERSION, 32], &good[2..]].concat()),
            (key(1, 0).to_vec(), [&good[..10], &[0x80]].concat()),
            (key(1, u32::MAX).to_vec(), [&good[..10], &[0xff, 0xff, 0xff, 0xff, 0x7f]].concat()),
        ] {
            assert_eq!(said(&key, &value, (1, u32::MAX), Millis(0)), None, "{value:?}");
        }
    }
}
