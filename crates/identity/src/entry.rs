//! One entry of the blind index, and its bytes.
//!
//! Key: the blind index, 16 bytes. Value: version u8 (1), id 16 bytes, since i64, last bound day i32; integers little-endian.

use weir_base::time::{Day, Millis};
use weir_record::Id;

use crate::limits::INDEX_BYTES;

const VERSION: u8 = 1;
const VALUE_BYTES: usize = 1 + 16 + 8 + 4;

/// A blind index.
pub type Index = [u8; INDEX_BYTES];

/// What is remembered of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Id,
    /// Since when the id stands for it.
    pub since: Millis,
    /// The last day with a durable binding; none before the first.
    pub bound: Option<Day>,
}

/// A stored entry is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another length or version.
    #[error("an entry of the identity index is of another version: use the version of weir that wrote it, or a newer one")]
    Value,
    /// Not a blind index.
    #[error("a key of the identity index is not 16 bytes long: the state is damaged; run weir verify")]
    Key,
    /// More than fit.
    #[error("the identity index holds more than {max} entries: let retention run, or raise the limit", max = crate::limits::ENTRIES_MAX)]
    Full,
}

/// The bytes of an entry whose binding of day `bound` is in the same group.
pub fn encode(id: Id, since: Millis, bound: Day) -> Vec<u8> {
    let mut out = Vec::with_capacity(VALUE_BYTES);
    out.push(VERSION);
    out.extend(id.0);
    out.extend(since.0.to_le_bytes());
    out.extend(bound.0.to_le_bytes());
    out
}

/// Reads a key.
pub fn decode_key(key: &[u8]) -> Result<Index, StateError> {
    key.try_into().map_err(|_| StateError::Key)
}

/// Reads a value.
pub fn decode(value: &[u8]) -> Result<Entry, StateError> {
    let (version, rest) = value.split_first().ok_or(StateError::Value)?;
    let (id, rest) = rest.split_first_chunk::<16>().ok_or(StateError::Value)?;
    let (since, rest) = rest.split_first_chunk::<8>().ok_or(StateError::Value)?;
    let (day, rest) = rest.split_first_chunk::<4>().ok_or(StateError::Value)?;
    if *version != VERSION || !rest.is_empty() {
        return Err(StateError::Value);
    }
    Ok(Entry { id: Id(*id), since: Millis(i64::from_le_bytes(*since)), bound: Some(Day(i32::from_le_bytes(*day))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden vectors: name, bytes, or an error.
    const VECTORS: &str = include_str!("testdata/entries.hex");

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn stored_entries_keep_their_bytes() {
        let mut seen = 0;
        for line in VECTORS.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()) {
            let (name, hex) = line.split_once(':').unwrap();
            let (raw, good) = (bytes(hex), name.starts_with("good"));
            match decode(&raw) {
                Ok(entry) => {
                    assert!(good, "{name}");
                    assert_eq!(encode(entry.id, entry.since, entry.bound.unwrap()), raw, "{name}");
                }
                Err(error) => assert!(!good && error == StateError::Value, "{name}"),
            }
            seen += 1;
        }
        assert_eq!(seen, 7);
        let first = decode(&encode(Id([0xab; 16]), Millis(1_795_312_800_123), Day(20_779))).unwrap();
        assert_eq!(first, Entry { id: Id([0xab; 16]), since: Millis(1_795_312_800_123), bound: Some(Day(20_779)) });
        assert_eq!(decode_key(&[0; 15]), Err(StateError::Key));
    }
}
