//! What must hold for any bytes in place of the store's own files.

use weir_base::crypto::{Secret, sha256};

use super::limits::SLOT_BYTES_MIN;
use super::wal::{Container, FRAME_HEADER_BYTES, FileKey, FrameHeader, Header, encode_frame, open_frame, seal_frame};
use super::{keyring, stage, state};

pub use super::table::fuzz::record_table;
pub use super::words::fuzz::record_words;

/// A file's header that decodes is encoded to the same bytes; a frame with any plain text opens to groups that make the same frame, or
/// does not open.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_frame(data: &[u8]) {
    for container in [Container::Wal, Container::State] {
        if let Ok(header) = Header::decode(container, data) {
            assert_eq!(data.get(..header.encode().len()), Some(&header.encode()[..]), "a header has one form");
            assert!(header.key(&Secret([1; 32])).is_err(), "nobody has this key");
        }
    }
    if let Ok(header) = FrameHeader::decode(data) {
        let rest = data.get(FRAME_HEADER_BYTES..).unwrap_or_default();
        let _ = rest.get(..header.body_bytes).is_some_and(|body| header.matches(body));
        assert!(header.frame_bytes() >= FRAME_HEADER_BYTES + header.body_bytes, "a frame holds its body");
    }
    let key = FileKey::fixed();
    let frame = seal_frame(&key, 7, data);
    let header = FrameHeader::decode(&frame).expect("it was made here");
    let mut body = frame[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + header.body_bytes].to_vec();
    let Ok(groups) = open_frame(&key, &header, &mut body) else { return };
    let list: Vec<(u64, &[u8])> = groups.iter().collect();
    assert_eq!(list.len(), groups.count as usize, "every group that was counted is there");
    let bytes: Vec<&[u8]> = list.iter().map(|(_, bytes)| *bytes).collect();
    assert_eq!(encode_frame(&key, 7, groups.first, &bytes), Ok(frame), "a frame has one form");
}

/// A slot of such bytes is refused; a map of keys that decodes is written and read back as the same map.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_keyring(data: &[u8]) {
    assert!(keyring::decode(data, &Secret([1; 32])).is_err(), "nobody has this key");
    let Ok(keys) = keyring::decode_map(data) else { return };
    assert_eq!(keyring::encode_map(&keys, data.len()), data, "a map of keys has one form");
    let slot = keyring::Slot { generation: 3, keys };
    if keyring::map_bytes(&slot.keys) <= keyring::room(SLOT_BYTES_MIN) {
        let key = Secret([2; 32]);
        let bytes = keyring::encode(&slot, SLOT_BYTES_MIN, &key).expect("it fits");
        assert_eq!(keyring::decode(&bytes, &key), Ok(slot), "a slot comes back");
    }
}

/// An entry of the state that decodes is encoded to the same bytes.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_state(data: &[u8]) {
    if let Ok(entry) = state::decode(data) {
        assert_eq!(state::encode(&entry).as_deref(), Ok(data), "an entry has one form");
    }
}

/// A stage whose digest is right and that decodes is encoded to the same bytes, and names no path outside the data folder.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_stage(data: &[u8]) {
    assert!(stage::decode(data).is_err(), "nobody guesses a digest");
    let bytes = [data, &sha256(data)].concat();
    let Ok(read) = stage::decode(&bytes) else { return };
    assert_eq!(stage::encode(&read).as_deref(), Ok(&bytes[..]), "a stage has one form");
    let moves = read.moves.iter().flat_map(|(from, to)| [from, to]);
    for path in moves.chain(read.tiles.iter().map(|(path, _)| path)).chain(&read.removes) {
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."), "a path stays in its folder");
    }
}
