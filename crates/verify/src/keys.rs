//! The master key, the keyring and the log's signing key.

use std::time::Duration;

use weir_base::crypto::Secret;
use weir_base::task::Stop;
use weir_record::stored::FormatError;
use weir_record::stored::keyring::{self, KeyId, Slot};
use weir_record::stored::limits::{SLOT_BYTES_MAX, SLOT_BYTES_MIN};
use weir_record::stored::logkey;
use weir_seal::note::{SigningKey, VerifyingKey};

use super::folder::Folder;
use super::limits::{SMALL_FILE_BYTES, TRIES};
use super::report::Findings;

const MASTER: &str = "master.key";
const RING: &str = "keyring";
const LOG_KEY: &str = "log.key";

/// The keys of the folder; none where the keyring cannot be opened.
#[derive(Default)]
pub struct Keys {
    ring: keyring::Keys,
    /// True if the keyring was opened.
    pub open: bool,
    /// Its generation.
    pub generation: u64,
}

impl Keys {
    /// These keys.
    #[cfg(test)]
    pub fn of(ring: keyring::Keys) -> Keys {
        Keys { ring, open: true, generation: 1 }
    }

    /// One key.
    pub fn get(&self, id: &KeyId) -> Option<&Secret> {
        self.ring.get(id)
    }

    /// Numbers of the keys `prefix/<number>`, sorted.
    pub fn numbers(&self, prefix: &str) -> Vec<u64> {
        let mut out: Vec<u64> = self.ring.keys().filter_map(|id| id.number(prefix)).collect();
        out.sort_unstable();
        out
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ring.len()
    }
}

/// Reads master key and keyring.
pub fn load(folder: &Folder, found: &mut Findings) -> Keys {
    match master(folder, found) {
        Some(master) => ring(folder, &keyring::slot_key(&master), found),
        None => Keys::default(),
    }
}

fn master(folder: &Folder, found: &mut Findings) -> Option<Secret> {
    const BACK: &str =
        "put the master.key of this data folder back; without it no record can be read and only the log and the digests were checked";
    if let Ok(mode) = folder.mode(MASTER)
        && mode & 0o077 != 0
    {
        let hint = "run `chmod 600` on it, and treat the key as known to whoever could read it";
        found.problem(MASTER, format!("others may use it (mode {mode:04o})"), hint);
    }
    let bytes = folder.read(MASTER, SMALL_FILE_BYTES).map_err(|e| found.problem(MASTER, format!("it cannot be read ({e})"), BACK)).ok()?;
    let key = parse(&bytes);
    if key.is_none() {
        found.problem(MASTER, "it is not 64 hex digits and a newline", BACK);
    }
    key
}

fn parse(bytes: &[u8]) -> Option<Secret> {
    let digits = bytes.strip_suffix(b"\n").filter(|d| d.len() == 64)?;
    let mut key = Secret([0; 32]);
    for (byte, pair) in key.0.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().try_fold(0u8, |sum, c| Some(sum << 4 | u8::try_from(char::from(*c).to_digit(16)?).ok()?))?;
    }
    Some(key)
}

/// Both slots. A program that is writing one is seen as a slot that is damaged for a moment, so a bad one is looked at again.
fn ring(folder: &Folder, key: &Secret, found: &mut Findings) -> Keys {
    let mut last = None;
    for _ in 0..TRIES {
        let bytes = match folder.read(RING, 2 * SLOT_BYTES_MAX as u64) {
            Ok(bytes) => bytes,
            Err(e) => {
                found.problem(RING, format!("it cannot be read ({e})"), "put the keyring of this data folder back; there is no other copy");
                return Keys::default();
            }
        };
        let whole = slots(&bytes, key);
        let same = matches!(&whole, Some((Ok(a), Ok(b))) if a == b);
        let seen_before = last.as_ref() == Some(&bytes);
        if same || seen_before {
            return judge(whole, found);
        }
        last = Some(bytes);
        Stop::new().wait(Duration::from_millis(20));
    }
    judge(last.and_then(|bytes| slots(&bytes, key)), found)
}

type Read = Result<Slot, FormatError>;

fn slots(bytes: &[u8], key: &Secret) -> Option<(Read, Read)> {
    let half = bytes.len() / 2;
    let fits = bytes.len().is_multiple_of(2) && (SLOT_BYTES_MIN..=SLOT_BYTES_MAX).contains(&half);
    let (a, b) = bytes.split_at_checked(half).filter(|_| fits)?;
    Some((keyring::decode(a, key), keyring::decode(b, key)))
}

fn judge(whole: Option<(Read, Read)>, found: &mut Findings) -> Keys {
    const RESTORE: &str = "put the keyring of this data folder back; without it its records stay unreadable";
    const MEND: &str = "the next start writes it anew from the other slot; if nothing was killed while it wrote, look after the disk";
    let open = |slot: Slot| Keys { ring: slot.keys, open: true, generation: slot.generation };
    match whole {
        None => found.problem(RING, "its length is not that of two slots: it was cut or something was added", RESTORE),
        Some((Ok(a), Ok(b))) => {
            if a.generation == b.generation && a != b {
                found.problem(RING, format!("both slots say generation {} and hold different keys", a.generation), RESTORE);
            } else if a != b {
                let (old, new) = (a.generation.min(b.generation), a.generation.max(b.generation));
                found.warning(
                    RING,
                    format!("one slot is behind (generation {old}, the other {new}): the last change was not confirmed"),
                    MEND,
                );
            }
            return open(if a.generation >= b.generation { a } else { b });
        }
        Some((Ok(good), Err(e))) => {
            found.warning(format!("{RING} slot 2"), format!("{e}; the first slot is whole"), MEND);
            return open(good);
        }
        Some((Err(e), Ok(good))) => {
            found.warning(format!("{RING} slot 1"), format!("{e}; the second slot is whole"), MEND);
            return open(good);
        }
        Some((Err(FormatError::Sealed), Err(FormatError::Sealed))) => {
            found.problem(RING, "master.key does not fit it", "put the master.key and the keyring of this folder back, both");
        }
        Some((Err(a), Err(b))) => found.problem(RING, format!("neither slot can be used (first: {a}; second: {b})"), RESTORE),
    }
    Keys::default()
}

/// The public half of the key in `log.key`, under the log's name.
pub fn log_key(folder: &Folder, keys: &Keys, origin: &str, found: &mut Findings) -> Option<VerifyingKey> {
    const BACK: &str = "put the log.key of this folder back: without it the log cannot go on";
    if !keys.open {
        return None;
    }
    let opened = folder.read(LOG_KEY, SMALL_FILE_BYTES).map_err(|e| e.to_string()).and_then(|bytes| {
        let wrapping = keys.get(&KeyId::log(1)).ok_or_else(|| "the keyring has no key log/1".to_owned())?;
        let seed = logkey::decode(&bytes, wrapping).map_err(|e| e.to_string())?;
        SigningKey::from_seed(seed.0, origin).map(|key| key.verifying_key().clone()).map_err(|e| e.to_string())
    });
    opened.map_err(|why| found.problem(LOG_KEY, format!("the log's signing key cannot be used: {why}"), BACK)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(generation: u64, ids: &[&str]) -> Slot {
        Slot { generation, keys: ids.iter().map(|id| (KeyId::new(id).unwrap(), Secret([3; 32]))).collect() }
    }

    #[test]
    fn what_two_slots_mean() {
        let (key, other) = (Secret([1; 32]), Secret([2; 32]));
        let bytes = |a: &Slot, b: &Slot, key: &Secret| {
            [keyring::encode(a, SLOT_BYTES_MIN, key).unwrap(), keyring::encode(b, SLOT_BYTES_MIN, key).unwrap()].concat()
        };
        let (one, two, odd) = (slot(1, &["a"]), slot(2, &["a", "b"]), slot(2, &["a", "c"]));
        let flip = |mut bytes: Vec<u8>, at: &[usize]| {
            at.iter().for_each(|i| bytes[*i] ^= 1);
            bytes
        };
        let good = bytes(&two, &two, &key);
        // Bytes, problems, warnings, keys.
        let cases = [
            (good.clone(), 0, 0, 2),
            (bytes(&one, &two, &key), 0, 1, 2),
            (bytes(&two, &one, &key), 0, 1, 2),
            (bytes(&two, &odd, &key), 1, 0, 2),
            (flip(good.clone(), &[100]), 0, 1, 2),
            (flip(good.clone(), &[SLOT_BYTES_MIN + 100]), 0, 1, 2),
            (flip(good.clone(), &[100, SLOT_BYTES_MIN + 100]), 1, 0, 0),
            (bytes(&two, &two, &other), 1, 0, 0),
            (good[..good.len() - 1].to_vec(), 1, 0, 0),
            (Vec::new(), 1, 0, 0),
        ];
        for (i, (bytes, problems, warnings, count)) in cases.into_iter().enumerate() {
            let mut found = Findings::default();
            let keys = judge(slots(&bytes, &key), &mut found);
            assert_eq!((found.problems.listed.len(), found.warnings.listed.len(), keys.len()), (problems, warnings, count), "case {i}");
        }
    }

    #[test]
    fn a_master_key_is_64_digits_and_a_newline() {
        let good = [&[b'a'; 64][..], b"\n"].concat();
        assert_eq!(parse(&good).unwrap().0, [0xaa; 32]);
        for bad in [&good[..64], &good[1..], b"", &[b'g'; 65], &[&good[..], b"\n"].concat()] {
            assert!(parse(bad).is_none());
        }
    }
}
