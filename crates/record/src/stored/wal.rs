//! Files of the write-ahead log: a header, then frames.
//!
//! Header, 112 bytes:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `WEIRWAL1` |
//! | 2 | version, 1 |
//! | 2 | length of the header, 112 |
//! | 4 | zero |
//! | 8 | file number |
//! | 8 | number of the first group this file may hold; groups of older files from here on are void |
//! | 16 | file id, random |
//! | 60 | file key, wrapped (nonce, ciphertext, tag) under the keyring's `wal/<file number>`, the 48 bytes before as associated data |
//! | 4 | CRC-32 of the 108 bytes before |
//!
//! Frame, at a multiple of 8 bytes, padded with zeros to the next:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `WFRM` |
//! | 4 | length of the body: ciphertext and tag |
//! | 8 | frame number: goes up within the file, with holes where a frame could not be written |
//! | 4 | CRC-32 of the 16 bytes before and the body |
//! | 4 | zero |
//! | … | AES-256-GCM of the groups; nonce = frame number in 12 bytes; associated data = file id, then the first 16 bytes |
//!
//! The plain text of a frame: number of groups u32, number of the first group u64, then for each group its length u32 and its bytes. Groups
//! of a frame follow each other without holes.

use weir_base::crypto::{Aead, NONCE_BYTES, Secret, TAG_BYTES};

use super::FormatError;
use super::bytes::{Cursor, put_block};
use super::limits::FRAME_BODY_BYTES;

const VERSION: u16 = 1;
const WRAPPED_BYTES: usize = NONCE_BYTES + 32 + TAG_BYTES;
const WRAP_AAD: usize = 48;

/// Bytes of a file's header.
pub const HEADER_BYTES: usize = 112;
/// First bytes of a frame.
pub const FRAME_MAGIC: [u8; 4] = *b"WFRM";
/// Bytes of a frame before its body.
pub const FRAME_HEADER_BYTES: usize = 24;
/// Frames begin at multiples of this many bytes.
pub const ALIGN: usize = 8;
const FRAME_AAD: usize = 16;

/// What a file of this form holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Groups of the write-ahead log.
    Wal,
    /// A snapshot of the state map.
    State,
}

impl Container {
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Container::Wal => b"WEIRWAL1",
            Container::State => b"WEIRSTA1",
        }
    }
}

/// A file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the file holds.
    pub container: Container,
    /// Number of the file.
    pub file: u64,
    /// Number of the first group the file may hold; of a snapshot: the first that is not in it.
    pub first_group: u64,
    /// Random, so that no frame fits another file.
    pub file_id: [u8; 16],
    wrapped: [u8; WRAPPED_BYTES],
}

/// The key of one file, with its file id: what seals and opens frames.
pub struct FileKey {
    aead: Aead,
    file_id: [u8; 16],
}

impl FileKey {
    /// A key that is the same in every run, for what is fuzzed.
    pub(super) fn fixed() -> FileKey {
        FileKey { aead: Secret([0x33; 32]).aead(), file_id: [0x44; 16] }
    }
}

impl Header {
    /// A header with a new random file id and file key, the key wrapped under `wrapping`.
    pub fn new(container: Container, file: u64, first_group: u64, wrapping: &Secret) -> (Header, FileKey) {
        let (file_id, wrapped) = (weir_base::crypto::random(), [0; WRAPPED_BYTES]);
        Header { container, file, first_group, file_id, wrapped }.wrap(wrapping, &Secret::random())
    }

    fn wrap(mut self, wrapping: &Secret, key: &Secret) -> (Header, FileKey) {
        let (file_id, header) = (self.file_id, &mut self);
        let wrapped = wrapping.aead().wrap(&header.aad(), &key.0);
        header.wrapped.copy_from_slice(&wrapped);
        (self, FileKey { aead: key.aead(), file_id })
    }

    fn aad(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(self.container.magic());
        out.extend(VERSION.to_le_bytes());
        out.extend((HEADER_BYTES as u16).to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.file.to_le_bytes());
        out.extend(self.first_group.to_le_bytes());
        out.extend(self.file_id);
        out
    }

    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.aad();
        out.extend(self.wrapped);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out
    }

    /// The header at the start of `bytes`.
    pub fn decode(container: Container, bytes: &[u8]) -> Result<Header, FormatError> {
        let bytes = bytes.get(..HEADER_BYTES).ok_or(FormatError::Short)?;
        let mut at = Cursor(bytes);
        at.magic(container.magic())?;
        let body = bytes.get(..HEADER_BYTES - 4).ok_or(FormatError::Short)?;
        let crc = Cursor(bytes.get(HEADER_BYTES - 4..).ok_or(FormatError::Short)?).u32()?;
        if crc32fast::hash(body) != crc {
            return Err(FormatError::Checksum);
        }
        at.version(VERSION)?;
        if usize::from(at.u16()?) != HEADER_BYTES || at.u32()? != 0 {
            return Err(FormatError::Field("the header's length"));
        }
        Ok(Header { container, file: at.u64()?, first_group: at.u64()?, file_id: at.array()?, wrapped: at.array()? })
    }

    /// The same header with the file key wrapped under another key: for a part of the file that is kept under a key of its own.
    pub fn rewrap(&self, wrapping: &Secret, other: &Secret) -> Result<Header, FormatError> {
        let plain = wrapping.aead().unwrap(&self.aad(), &self.wrapped).map_err(|_| FormatError::Sealed)?;
        let key = Secret(plain.try_into().map_err(|_| FormatError::Sealed)?);
        Ok(self.clone().wrap(other, &key).0)
    }

    /// The file's key, unwrapped.
    pub fn key(&self, wrapping: &Secret) -> Result<FileKey, FormatError> {
        let aad = self.aad();
        debug_assert_eq!(aad.len(), WRAP_AAD);
        let plain = wrapping.aead().unwrap(&aad, &self.wrapped).map_err(|_| FormatError::Sealed)?;
        let key = Secret(plain.try_into().map_err(|_| FormatError::Sealed)?);
        Ok(FileKey { aead: key.aead(), file_id: self.file_id })
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of the body.
    pub body_bytes: usize,
    /// The frame's number.
    pub number: u64,
    crc: u32,
}

impl FrameHeader {
    /// The frame header at the start of `bytes`; lengths are checked, the checksum is not.
    pub fn decode(bytes: &[u8]) -> Result<FrameHeader, FormatError> {
        let mut at = Cursor(bytes);
        if at.array::<4>()? != FRAME_MAGIC {
            return Err(FormatError::Magic);
        }
        let len = at.u32()?;
        let (number, crc, zero) = (at.u64()?, at.u32()?, at.u32()?);
        let body_bytes = usize::try_from(len).unwrap_or(usize::MAX);
        if body_bytes > FRAME_BODY_BYTES {
            return Err(FormatError::Limit { what: "a frame's body in bytes", is: u64::from(len), most: FRAME_BODY_BYTES as u64 });
        }
        if body_bytes < TAG_BYTES || zero != 0 {
            return Err(FormatError::Field("a frame's header"));
        }
        Ok(FrameHeader { body_bytes, number, crc })
    }

    fn aad_bytes(&self) -> [u8; FRAME_AAD] {
        let mut out = [0; FRAME_AAD];
        let (magic, rest) = out.split_at_mut(4);
        let (len, number) = rest.split_at_mut(4);
        magic.copy_from_slice(&FRAME_MAGIC);
        len.copy_from_slice(&(self.body_bytes as u32).to_le_bytes());
        number.copy_from_slice(&self.number.to_le_bytes());
        out
    }

    /// Bytes from this frame's start to the next one's.
    pub fn frame_bytes(&self) -> usize {
        (FRAME_HEADER_BYTES + self.body_bytes).next_multiple_of(ALIGN)
    }

    /// True if the checksum fits the body.
    pub fn matches(&self, body: &[u8]) -> bool {
        body.len() == self.body_bytes && frame_crc(&self.aad_bytes(), body) == self.crc
    }
}

fn frame_crc(head: &[u8], body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(head);
    crc.update(body);
    crc.finalize()
}

fn frame_nonce(number: u64) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    nonce
}

/// Bytes of the body of a frame that carries groups of these lengths.
pub fn body_bytes(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.fold(12 + TAG_BYTES, |sum, len| sum.saturating_add(4).saturating_add(len))
}

/// A frame, padded. The caller answers for never using a number twice under one key.
pub fn encode_frame(key: &FileKey, number: u64, first_group: u64, groups: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, FormatError> {
    let body_bytes = body_bytes(groups.iter().map(|group| group.as_ref().len()));
    if body_bytes > FRAME_BODY_BYTES {
        return Err(FormatError::Limit { what: "a frame's body in bytes", is: body_bytes as u64, most: FRAME_BODY_BYTES as u64 });
    }
    // The frame is made where it is written from: the groups are copied once, and encrypted in place.
    let mut frame = Vec::with_capacity((FRAME_HEADER_BYTES + body_bytes).next_multiple_of(ALIGN));
    frame.resize(FRAME_HEADER_BYTES, 0);
    frame.extend((groups.len() as u32).to_le_bytes());
    frame.extend(first_group.to_le_bytes());
    for group in groups {
        put_block(&mut frame, group.as_ref());
    }
    Ok(seal(key, number, frame))
}

/// The frame whose plain text is `body`.
pub(super) fn seal_frame(key: &FileKey, number: u64, body: &[u8]) -> Vec<u8> {
    seal(key, number, [&[0; FRAME_HEADER_BYTES], body].concat())
}

/// Makes a frame of its plain text, which stands behind room for the frame's header.
fn seal(key: &FileKey, number: u64, mut frame: Vec<u8>) -> Vec<u8> {
    let mut head = FrameHeader { body_bytes: frame.len() - FRAME_HEADER_BYTES + TAG_BYTES, number, crc: 0 };
    let aad = head.aad_bytes();
    key.aead.seal_from(frame_nonce(number), &[&key.file_id[..], &aad].concat(), &mut frame, FRAME_HEADER_BYTES);
    head.crc = frame_crc(&aad, &frame[FRAME_HEADER_BYTES..]);
    frame[..FRAME_AAD].copy_from_slice(&aad);
    frame[FRAME_AAD..FRAME_AAD + 4].copy_from_slice(&head.crc.to_le_bytes());
    frame.resize(head.frame_bytes(), 0);
    frame
}

/// The groups of a frame: number of the first, and each one's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups<'a> {
    /// Number of the first group.
    pub first: u64,
    /// How many there are.
    pub count: u32,
    rest: &'a [u8],
}

impl<'a> Groups<'a> {
    /// Each group's number and bytes.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &'a [u8])> + use<'a> {
        let mut at = Cursor(self.rest);
        // Lengths were checked when the frame was opened; a failure here would end the list early.
        (self.first..).take(self.count as usize).map_while(move |number| Some((number, at.block("a group", FRAME_BODY_BYTES).ok()?)))
    }

    /// Number after the last group.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }
}

/// Decrypts a frame's body in place.
pub fn open_frame<'a>(key: &FileKey, header: &FrameHeader, body: &'a mut [u8]) -> Result<Groups<'a>, FormatError> {
    if !header.matches(body) {
        return Err(FormatError::Checksum);
    }
    let aad = [&key.file_id[..], &header.aad_bytes()].concat();
    let plain: &'a [u8] = key.aead.open(frame_nonce(header.number), &aad, body).map_err(|_| FormatError::Sealed)?;
    let mut at = Cursor(plain);
    let (count, first) = (at.u32()?, at.u64()?);
    let groups = Groups { first, count, rest: at.0 };
    for _ in 0..count {
        at.block("a group", FRAME_BODY_BYTES)?;
    }
    at.end()?;
    if first.checked_add(u64::from(count)).is_none() {
        return Err(FormatError::Field("a group's number"));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> FileKey {
        FileKey::fixed()
    }

    fn open(key: &FileKey, bytes: &[u8]) -> Result<(u64, Vec<Vec<u8>>), FormatError> {
        let header = FrameHeader::decode(bytes)?;
        let mut body = bytes.get(FRAME_HEADER_BYTES..).unwrap_or_default().to_vec();
        body.truncate(header.body_bytes);
        let groups = open_frame(key, &header, &mut body)?;
        Ok((groups.first, groups.iter().map(|(_, bytes)| bytes.to_vec()).collect()))
    }

    #[test]
    fn golden() {
        let lines: Vec<String> =
            include_str!("testdata/wal.hex").lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(str::to_owned).collect();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let groups: [&[u8]; 2] = [b"abc", b""];
        assert_eq!(hex(&encode_frame(&key(), 5, 258, &groups).unwrap()), lines[0]);
        // The wrapped key is random in a new header, so the header's golden is read, not written.
        let bytes: Vec<u8> = (0..lines[1].len() / 2).map(|i| u8::from_str_radix(&lines[1][2 * i..2 * i + 2], 16).unwrap()).collect();
        let header = Header::decode(Container::Wal, &bytes).unwrap();
        assert_eq!((header.file, header.first_group, header.file_id), (3, 258, [0x44; 16]));
        assert_eq!(header.encode(), bytes);
        let frame = encode_frame(&header.key(&Secret([0x55; 32])).unwrap(), 5, 258, &groups).unwrap();
        assert_eq!(hex(&frame), lines[0], "the wrapped key is the key");
    }

    #[test]
    fn a_header_keeps_its_key_to_itself() {
        let (wrapping, other) = (Secret([1; 32]), Secret([2; 32]));
        let (header, file_key) = Header::new(Container::Wal, 9, 100, &wrapping);
        let bytes = header.encode();
        assert_eq!((bytes.len(), Header::decode(Container::Wal, &bytes).unwrap()), (HEADER_BYTES, header.clone()));
        assert_eq!(header.key(&other).err(), Some(FormatError::Sealed));
        let frame = encode_frame(&file_key, 0, 100, &[b"x"]).unwrap();
        assert_eq!(open(&header.key(&wrapping).unwrap(), &frame).unwrap(), (100, vec![b"x".to_vec()]));
        let moved = header.rewrap(&wrapping, &other).unwrap();
        assert_eq!(open(&moved.key(&other).unwrap(), &frame).unwrap().0, 100);
        assert!(moved.key(&wrapping).is_err() && header.rewrap(&other, &wrapping).is_err());
        let (stranger, _) = Header::new(Container::Wal, 9, 100, &wrapping);
        assert_ne!(stranger.file_id, header.file_id);
        assert_eq!(open(&stranger.key(&wrapping).unwrap(), &frame), Err(FormatError::Sealed));
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(Header::decode(Container::Wal, &bad).is_err(), "byte {i}");
            assert!(Header::decode(Container::Wal, &bytes[..i]).is_err(), "cut {i}");
        }
        assert_eq!(Header::decode(Container::State, &bytes), Err(FormatError::Magic));
    }

    #[test]
    fn every_changed_byte_of_a_frame_is_seen() {
        let bytes = encode_frame(&key(), 7, 1, &[vec![9; 20], vec![]]).unwrap();
        assert_eq!((bytes.len() % ALIGN, open(&key(), &bytes).unwrap()), (0, (1, vec![vec![9; 20], vec![]])));
        let header = FrameHeader::decode(&bytes).unwrap();
        for i in 0..FRAME_HEADER_BYTES + header.body_bytes {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(open(&key(), &bad).is_err(), "byte {i}");
            assert!(open(&key(), &bytes[..i]).is_err(), "cut {i}");
        }
    }

    #[test]
    fn a_frame_that_lies_inside_is_refused() {
        let cases: [(&str, Vec<u8>); 5] = [
            ("empty", vec![]),
            ("too many groups", [&[2, 0, 0, 0][..], &[0; 8], &[1, 0, 0, 0, 7]].concat()),
            ("bytes left", [&[1, 0, 0, 0][..], &[0; 8], &[1, 0, 0, 0, 7, 7]].concat()),
            ("group too long", [&[1, 0, 0, 0][..], &[0; 8], &[255, 255, 255, 255]].concat()),
            ("numbers overflow", [&[1, 0, 0, 0][..], &[255; 8], &[0, 0, 0, 0]].concat()),
        ];
        for (name, mut body) in cases {
            let mut header = FrameHeader { body_bytes: body.len() + TAG_BYTES, number: 1, crc: 0 };
            let aad = header.aad_bytes();
            key().aead.seal(frame_nonce(1), &[&[0x44; 16][..], &aad].concat(), &mut body);
            header.crc = frame_crc(&aad, &body);
            assert!(open_frame(&key(), &header, &mut body).is_err(), "{name}");
        }
        let huge = [&FRAME_MAGIC[..], &u32::MAX.to_le_bytes(), &[0; 16]].concat();
        assert!(matches!(FrameHeader::decode(&huge), Err(FormatError::Limit { .. })));
    }

    proptest! {
        #[test]
        fn round_trip(groups in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 0..8), number: u64, first in 0..u64::MAX / 2) {
            let bytes = encode_frame(&key(), number, first, &groups).unwrap();
            prop_assert_eq!(open(&key(), &bytes).unwrap(), (first, groups));
        }

        #[test]
        fn junk_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Header::decode(Container::Wal, &bytes);
            let _ = open(&key(), &bytes);
            let _ = open(&key(), &[&FRAME_MAGIC[..], &bytes].concat());
        }
    }
}
