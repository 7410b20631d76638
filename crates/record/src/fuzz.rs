//! Bodies of the fuzz targets: what must hold for any bytes in place of a stored structure. A panic is a finding.
//!
//! What lies behind a cipher is given in the clear and sealed here with a key of the target's own: so the code behind the cipher is reached,
//! which no change of the ciphertext would do.

use crate::{group, walbatch};

pub use crate::parquet::fuzz::{record_map, record_page};
pub use crate::stored::fuzz::{record_frame, record_keyring, record_stage, record_state, record_table, record_words};

/// Rows that a batch in a fuzzed group may claim: a column of equal values takes no bytes a row, and filling memory finds nothing.
const ROWS: u32 = 4_096;

/// A batch, or a group of them, that decodes is written in the form that this program writes, and that form is stable.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_group(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    if how & 1 == 0 {
        if bytes.get(4..8).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes).is_some_and(|rows| rows > ROWS) {
            return;
        }
        let Ok((kind, batch, rest)) = walbatch::decode(bytes) else { return };
        assert!(rest.len() < bytes.len(), "a batch takes something");
        let mut again = Vec::new();
        walbatch::encode(kind, &batch, &mut again);
        let (kind_again, batch_again, rest) = walbatch::decode(&again).expect("what was written is read");
        assert_eq!((kind_again, batch_again, rest), (kind, batch, &[][..]));
        return;
    }
    // A section of a batch: tag, length, kind, version, zero, rows.
    let many = |w: &[u8]| matches!(w, [1, _, _, _, _, _, _, _, _, _, _, high @ ..] if high.iter().any(|b| *b != 0));
    if bytes.windows(13).any(many) {
        return;
    }
    let Ok(read) = group::decode(bytes) else { return };
    let Ok(written) = group::encode(&read) else { return };
    let again = group::decode(&written).expect("what was written is read");
    assert_eq!(group::encode(&again).as_deref(), Ok(&written[..]), "a group has one form once it is written");
}
