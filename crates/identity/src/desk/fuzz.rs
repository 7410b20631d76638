//! What must hold for any bytes in the desk's state.

use super::store::{Entry, encode_key};

/// Any key and value is refused, or is an entry whose bytes read back as the same entry under the same key. First byte: the key's kind.
pub fn fuzz_entry(data: &[u8]) {
    let Some((key, value)) = data.split_first_chunk::<17>() else { return };
    let Ok(entry) = Entry::decode(key, value) else { return };
    assert_eq!(encode_key(entry.key()), key);
    let again = Entry::decode(key, &entry.encode());
    assert!(again.is_ok_and(|again| again == entry), "an entry that reads writes and reads again");
}
