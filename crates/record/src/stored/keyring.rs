//! The keyring's slot: a map of key ids to 256-bit keys, encrypted as a whole.
//!
//! A slot always fills its place to the last byte: the map is padded before it is encrypted, so that writing a slot leaves nothing of
//! what it held before, and its length does not tell how many keys there are.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `WEIRKEYS` |
//! | 2 | version, 1 |
//! | 2 | zero |
//! | 4 | length of the ciphertext with its tag |
//! | 8 | generation |
//! | 12 | nonce, random |
//! | 4 | CRC-32 of the 36 bytes before and the ciphertext |
//! | … | AES-256-GCM of the padded map, under HKDF(master key, `weir/keyring/v1`), the first 36 bytes as associated data |

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use weir_base::crypto::{NONCE_BYTES, Secret, TAG_BYTES, random};
use weir_base::time::Day;

use super::FormatError;
use super::bytes::Cursor;
use super::limits::{KEY_ID_BYTES, SLOT_BYTES_MAX, SLOT_BYTES_MIN};

const MAGIC: &[u8; 8] = b"WEIRKEYS";
const VERSION: u16 = 1;
const AAD: usize = 36;
/// Bytes of a slot before its ciphertext.
pub const SLOT_HEADER_BYTES: usize = AAD + 4;

/// Why a text is not a key id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key id: use 1 to 64 of a-z, 0-9, '_', '-' and '/'")]
pub struct KeyIdError(String);

/// The name of a key, e.g. `kind/nat_mapping/2026-11-22`: 1 to 64 of `a-z 0-9 _ - /`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// The id that `text` writes.
    pub fn new(text: &str) -> Result<KeyId, KeyIdError> {
        let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-' | b'/');
        if text.is_empty() || text.len() > KEY_ID_BYTES || !text.bytes().all(good) {
            return Err(KeyIdError(text.chars().take(KEY_ID_BYTES).collect()));
        }
        Ok(KeyId(text.to_owned()))
    }

    /// The key of one record kind and day, `kind/<kind>/<day>`.
    pub fn kind(kind: &str, day: Day) -> Result<KeyId, KeyIdError> {
        KeyId::new(&format!("kind/{kind}/{day}"))
    }

    /// The key that wraps the file key of a file of the write-ahead log, `wal/<number>`.
    pub fn wal(file: u64) -> KeyId {
        KeyId(format!("wal/{file}"))
    }

    /// The key of the index pages of a day, `index/<day>`.
    pub fn index(day: Day) -> Result<KeyId, KeyIdError> {
        KeyId::new(&format!("index/{day}"))
    }

    /// The key that wraps the file key of a state snapshot, `state/<number>`.
    pub fn state(number: u64) -> KeyId {
        KeyId(format!("state/{number}"))
    }

    /// A key of the identity tables, `identity/<number>`.
    pub fn identity(number: u64) -> KeyId {
        KeyId(format!("identity/{number}"))
    }

    /// A key of the ledger, `ledger/<number>`.
    pub fn ledger(number: u64) -> KeyId {
        KeyId(format!("ledger/{number}"))
    }

    /// The key that wraps the log's signing seed, `log/<number>`.
    pub fn log(number: u64) -> KeyId {
        KeyId(format!("log/{number}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number after `prefix/`, if the id is of that form.
    pub fn number(&self, prefix: &str) -> Option<u64> {
        self.0.strip_prefix(prefix)?.strip_prefix('/')?.parse().ok()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<KeyId, KeyIdError> {
        KeyId::new(text)
    }
}

/// The keys by id.
pub type Keys = BTreeMap<KeyId, Secret>;

/// What a slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Goes up by at least one with every change; the higher one counts.
    pub generation: u64,
    /// The keys.
    pub keys: Keys,
}

/// The key that encrypts slots.
pub fn slot_key(master: &Secret) -> Secret {
    master.derive(b"weir/keyring/v1")
}

/// Bytes a map takes before padding.
pub fn map_bytes(keys: &Keys) -> usize {
    4 + keys.keys().map(|id| 1 + id.0.len() + 32).sum::<usize>()
}

/// Bytes a map may take in a slot of `slot_bytes`.
pub fn room(slot_bytes: usize) -> usize {
    slot_bytes.saturating_sub(SLOT_HEADER_BYTES + TAG_BYTES)
}

/// A slot of exactly `slot_bytes`, under a fresh random nonce.
pub fn encode(slot: &Slot, slot_bytes: usize, slot_key: &Secret) -> Result<Vec<u8>, FormatError> {
    encode_with(slot, slot_bytes, slot_key, random())
}

fn encode_with(slot: &Slot, slot_bytes: usize, slot_key: &Secret, nonce: [u8; NONCE_BYTES]) -> Result<Vec<u8>, FormatError> {
    if !(SLOT_BYTES_MIN..=SLOT_BYTES_MAX).contains(&slot_bytes) {
        return Err(FormatError::Field("the slot size"));
    }
    let (need, most) = (map_bytes(&slot.keys), room(slot_bytes));
    if need > most {
        return Err(FormatError::Limit { what: "the keyring's content in bytes", is: need as u64, most: most as u64 });
    }
    let mut body = encode_map(&slot.keys, most);
    let mut out = Vec::with_capacity(slot_bytes);
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend([0; 2]);
    out.extend(((most + TAG_BYTES) as u32).to_le_bytes());
    out.extend(slot.generation.to_le_bytes());
    out.extend(nonce);
    slot_key.aead().seal(nonce, &out, &mut body);
    out.extend(crc(&out, &body).to_le_bytes());
    out.append(&mut body);
    Ok(out)
}

/// The keys, with zeros up to `len` bytes.
pub(super) fn encode_map(keys: &Keys, len: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(len + TAG_BYTES);
    body.extend((keys.len() as u32).to_le_bytes());
    for (id, key) in keys {
        body.push(id.0.len() as u8);
        body.extend(id.0.as_bytes());
        body.extend(key.0);
    }
    body.resize(len, 0);
    body
}

fn crc(head: &[u8], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head);
    crc.update(body);
    crc.finalize()
}

/// The slot that `bytes` hold. [`FormatError::Sealed`] means that the bytes are whole but the key is another.
pub fn decode(bytes: &[u8], slot_key: &Secret) -> Result<Slot, FormatError> {
    let mut at = Cursor(bytes);
    at.magic(MAGIC)?;
    at.version(VERSION)?;
    if at.u16()? != 0 {
        return Err(FormatError::Field("a reserved field is not zero"));
    }
    let len = usize::try_from(at.u32()?).unwrap_or(usize::MAX);
    let generation = at.u64()?;
    let nonce = at.array::<NONCE_BYTES>()?;
    let want = at.u32()?;
    let body = at.take(len)?;
    at.end()?;
    let aad = bytes.get(..AAD).ok_or(FormatError::Short)?;
    if crc(aad, body) != want {
        return Err(FormatError::Checksum);
    }
    let mut plain = body.to_vec();
    let plain = slot_key.aead().open(nonce, aad, &mut plain).map_err(|_| FormatError::Sealed)?;
    let keys = decode_map(plain);
    plain.fill(0);
    Ok(Slot { generation, keys: keys? })
}

pub(super) fn decode_map(plain: &[u8]) -> Result<Keys, FormatError> {
    let mut at = Cursor(plain);
    let count = at.u32()?;
    let mut keys = Keys::new();
    for _ in 0..count {
        let len = usize::from(at.u8()?);
        let id = std::str::from_utf8(at.take(len)?).ok().and_then(|text| KeyId::new(text).ok()).ok_or(FormatError::Field("a key id"))?;
        if keys.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(FormatError::Field("the key ids are not in order"));
        }
        keys.insert(id, Secret(at.array()?));
    }
    if at.0.iter().any(|byte| *byte != 0) {
        return Err(FormatError::Field("the padding is not zero"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slot(ids: &[&str]) -> Slot {
        let keys = ids.iter().zip(1u8..).map(|(id, n)| (KeyId::new(id).unwrap(), Secret([n; 32]))).collect();
        Slot { generation: 0x0102_0304_0506_0708, keys }
    }

    #[test]
    fn ids_are_checked() {
        let day: Day = "2026-11-22".parse().unwrap();
        assert_eq!(KeyId::kind("nat_mapping", day).unwrap().as_str(), "kind/nat_mapping/2026-11-22");
        assert_eq!(KeyId::index(day).unwrap().as_str(), "index/2026-11-22");
        let numbered = [KeyId::wal(7), KeyId::state(7), KeyId::identity(7), KeyId::ledger(7), KeyId::log(7)];
        for (id, prefix) in numbered.iter().zip(["wal", "state", "identity", "ledger", "log"]) {
            assert_eq!((id.to_string().parse().as_ref(), id.number(prefix)), (Ok(id), Some(7)));
        }
        assert_eq!((KeyId::wal(7).number("state"), KeyId::new("wal/x").unwrap().number("wal")), (None, None));
        for bad in ["", "A", "a b", "a.b", "密", &"a".repeat(65)] {
            assert!(KeyId::new(bad).unwrap_err().to_string().contains("1 to 64"), "{bad}");
        }
    }

    #[test]
    fn golden() {
        let key = slot_key(&Secret([0x11; 32]));
        let bytes = encode_with(&slot(&["log/1", "wal/1"]), SLOT_BYTES_MIN, &key, [0x22; 12]).unwrap();
        let hex: String = bytes.iter().take(96).map(|byte| format!("{byte:02x}")).collect();
        let want: String = include_str!("testdata/keyring.hex").lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(hex, want);
        assert_eq!(bytes.len(), SLOT_BYTES_MIN);
        assert_eq!(decode(&bytes, &key).unwrap(), slot(&["log/1", "wal/1"]));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_seen() {
        let key = slot_key(&Secret([1; 32]));
        let bytes = encode(&slot(&["a"]), SLOT_BYTES_MIN, &key).unwrap();
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 0x40;
            assert!(decode(&bad, &key).is_err(), "byte {i}");
            assert!(decode(&bytes[..i], &key).is_err(), "cut {i}");
        }
        assert_eq!(decode(&bytes, &slot_key(&Secret([2; 32]))), Err(FormatError::Sealed));
        assert!(decode(&[bytes, vec![0]].concat(), &key).is_err());
    }

    #[test]
    fn a_full_slot_says_what_is_full() {
        let many = Slot { generation: 1, keys: (0..110).map(|n| (KeyId::wal(n), Secret([1; 32]))).collect() };
        let key = Secret([1; 32]);
        assert!(encode(&many, SLOT_BYTES_MIN, &key).unwrap_err().to_string().contains("at most 4040"));
        assert!(encode(&many, 8_192, &key).is_ok());
        assert!(encode(&many, 100, &key).is_err());
    }

    #[test]
    fn a_map_that_lies_is_refused() {
        let entry = |id: &[u8]| [&[id.len() as u8], id, &[7; 32]].concat();
        let cases: [(&str, Vec<u8>); 6] = [
            ("count beyond the end", [&9u32.to_le_bytes()[..], &entry(b"a")].concat()),
            ("out of order", [&2u32.to_le_bytes()[..], &entry(b"b"), &entry(b"a")].concat()),
            ("twice", [&2u32.to_le_bytes()[..], &entry(b"a"), &entry(b"a")].concat()),
            ("bad id", [&1u32.to_le_bytes()[..], &entry(b"A")].concat()),
            ("empty id", [&1u32.to_le_bytes()[..], &entry(b"")].concat()),
            ("padding", [&1u32.to_le_bytes()[..], &entry(b"a"), &[0, 1]].concat()),
        ];
        for (name, plain) in cases {
            assert!(decode_map(&plain).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(ids in proptest::collection::btree_set("[a-z0-9_/-]{1,64}", 0..40), generation: u64, seed: [u8; 32]) {
            let keys = ids.iter().map(|id| (KeyId::new(id).unwrap(), Secret::random())).collect();
            let (slot, key) = (Slot { generation, keys }, Secret(seed));
            let bytes = encode(&slot, 8_192, &key).unwrap();
            prop_assert_eq!(decode(&bytes, &key).unwrap(), slot);
        }

        #[test]
        fn junk_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, &Secret([0; 32]));
            let _ = decode_map(&bytes);
        }
    }
}
