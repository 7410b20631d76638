//! Bodies of the fuzz targets: what must hold for any bytes a stranger may hand in. A panic is a finding.

use crate::checkpoint::Checkpoint;
use crate::entry::Entry;
use crate::filedigest::{FileDamage, Sidecar};
use crate::note::{Note, VerifyingKey};
use crate::tile::{TilePath, decode_bundle, push_entry};

/// A note that parses is written back as the same bytes; verifier keys and their text likewise.
pub fn fuzz_note(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.encode(), data, "a note has one form");
        let key = VerifyingKey::new("fuzz", [7; 32]).expect("the name is good");
        assert!(note.verify(&[key]).is_err(), "nobody has this key");
    }
    if let Some(key) = str::from_utf8(data).ok().and_then(|text| text.parse::<VerifyingKey>().ok()) {
        assert_eq!(key.to_string().as_bytes(), data, "a verifier key has one form");
    }
}

/// A checkpoint text that parses is written back as the same text.
pub fn fuzz_checkpoint(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(checkpoint) = Checkpoint::parse_text(text) {
        assert_eq!(checkpoint.text(), text, "a checkpoint has one form");
    }
}

/// An entry that decodes is encoded to the same bytes.
pub fn fuzz_entry(data: &[u8]) {
    if let Ok(entry) = Entry::decode(data) {
        assert_eq!(entry.encode().as_deref(), Ok(data), "an entry has one form");
    }
}

/// A sidecar that decodes is encoded to the same bytes, and its check names a block only within the file.
pub fn fuzz_sidecar(data: &[u8]) {
    let Ok(sidecar) = Sidecar::decode(data) else { return };
    assert_eq!(sidecar.encode(), data, "a sidecar has one form");
    let _ = (sidecar.root(), sidecar.root_sm3());
    if let Err(FileDamage::Block { start, end, .. }) = sidecar.check(sidecar.file_len(), &mut |_, _| Ok::<(), ()>(())) {
        assert!(start < end && end <= sidecar.file_len(), "the bad block lies in the file");
    }
}

/// A bundle that decodes is encoded to the same bytes; tile paths and their text likewise.
pub fn fuzz_bundle(data: &[u8]) {
    if let Ok(entries) = decode_bundle(data) {
        let mut back = Vec::new();
        for entry in entries {
            push_entry(&mut back, entry).expect("it came from a 16-bit length");
        }
        assert_eq!(back, data, "a bundle has one form");
    }
    if let Some(path) = str::from_utf8(data).ok().and_then(|text| text.parse::<TilePath>().ok()) {
        assert_eq!(path.to_string().as_bytes(), data, "a tile path has one form");
    }
}
