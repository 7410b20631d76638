//! A snapshot of the state map: a file in the form of the write-ahead log's (see `wal`, with `WEIRSTA1` as its first bytes), whose header
//! gives the first group that is *not* in it. Each frame carries entries, and its first number counts them; an empty frame ends the file and
//! gives the count of all.
//!
//! An entry: length of the owner u8, owner, length of the key u16, key, then the value to the end.

use super::FormatError;
use super::bytes::Cursor;
use super::limits::{STATE_KEY_BYTES, STATE_OWNER_BYTES, STATE_VALUE_BYTES};

/// One entry of the state map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateEntry<'a> {
    /// Whose it is.
    pub owner: &'a str,
    /// Its key.
    pub key: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
}

/// Checks lengths: what is over a limit is refused before anything is durable.
pub fn check(entry: &StateEntry<'_>) -> Result<(), FormatError> {
    let over =
        |what, is: usize, most: usize| if is > most { Err(FormatError::Limit { what, is: is as u64, most: most as u64 }) } else { Ok(()) };
    over("an owner's name in bytes", entry.owner.len(), STATE_OWNER_BYTES)?;
    over("a state key in bytes", entry.key.len(), STATE_KEY_BYTES)?;
    over("a state value in bytes", entry.value.len(), STATE_VALUE_BYTES)
}

/// The entry's bytes.
pub fn encode(entry: &StateEntry<'_>) -> Result<Vec<u8>, FormatError> {
    check(entry)?;
    let mut out = Vec::with_capacity(3 + entry.owner.len() + entry.key.len() + entry.value.len());
    out.push(entry.owner.len() as u8);
    out.extend(entry.owner.as_bytes());
    out.extend((entry.key.len() as u16).to_le_bytes());
    out.extend(entry.key);
    out.extend(entry.value);
    Ok(out)
}

/// The entry that `bytes` hold.
pub fn decode(bytes: &[u8]) -> Result<StateEntry<'_>, FormatError> {
    let mut at = Cursor(bytes);
    let len = usize::from(at.u8()?);
    let owner = std::str::from_utf8(at.take(len)?).map_err(|_| FormatError::Field("an owner's name"))?;
    let len = usize::from(at.u16()?);
    let key = at.take(len)?;
    let entry = StateEntry { owner, key, value: at.0 };
    check(&entry)?;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn golden_and_malformed() {
        let entry = StateEntry { owner: "ipfix", key: &[1, 2], value: b"v" };
        let bytes = encode(&entry).unwrap();
        assert_eq!(bytes, b"\x05ipfix\x02\x00\x01\x02v");
        assert_eq!(decode(&bytes).unwrap(), entry);
        for cut in 0..10 {
            assert!(decode(&bytes[..cut]).is_err(), "cut {cut}");
        }
        assert!(decode(&[1, 0xff, 0, 0]).is_err());
        let long = "o".repeat(65);
        assert!(encode(&StateEntry { owner: &long, ..entry }).is_err());
        assert!(decode(&[&[65][..], long.as_bytes(), &[0, 0]].concat()).is_err());
        assert!(encode(&StateEntry { key: &[0; 65_536], ..entry }).is_err());
        assert!(encode(&StateEntry { value: &vec![0; STATE_VALUE_BYTES + 1], ..entry }).is_err());
    }

    proptest! {
        #[test]
        fn round_trip(owner in "[a-z]{0,64}", key in proptest::collection::vec(any::<u8>(), 0..40), value in proptest::collection::vec(any::<u8>(), 0..90)) {
            let entry = StateEntry { owner: &owner, key: &key, value: &value };
            let bytes = encode(&entry).unwrap();
            prop_assert_eq!(decode(&bytes).unwrap(), entry);
        }

        #[test]
        fn junk_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
            let _ = decode(&bytes);
        }
    }
}
