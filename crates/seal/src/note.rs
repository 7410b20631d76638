//! C2SP signed notes: a text, a blank line, and one signature line a key.
//!
//! Only Ed25519 (type 0x01) is verified here. Signatures of other types and of unknown keys are kept as they are, so that witnesses'
//! cosignatures and an SM2 signature can ride beside.

use std::fmt;
use std::str::FromStr;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::limits::{NOTE_BYTES, NOTE_SIGNATURES};
use crate::text;

/// Type byte of an Ed25519 signature.
const ED25519_TYPE: u8 = 1;
const SIGNATURE_START: &str = "\u{2014} ";

/// Why bytes are not a note, or not one that can be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES`].
    #[error("the note is longer than {NOTE_BYTES} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    NotUtf8,
    /// A control character other than newline.
    #[error("the note has a control character that is not a newline")]
    ControlCharacter,
    /// No blank line before the signatures, or the text does not end in a newline.
    #[error("the note has no blank line between text and signatures")]
    NoBlankLine,
    /// No signature lines.
    #[error("the note has no signature")]
    NoSignatures,
    /// More than [`NOTE_SIGNATURES`].
    #[error("the note has more than {NOTE_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line that is not a signature line.
    #[error("signature line {line} of the note is not of the form: dash, key name, base64")]
    BadSignatureLine {
        /// Place among the signature lines, from 1.
        line: usize,
    },
    /// A known key's signature does not verify.
    #[error("the signature by {name} does not verify: the text or the signature was changed")]
    BadSignature {
        /// The known key's name.
        name: String,
    },
    /// No signature by a known key.
    #[error("no known key has signed the note: check that the right verifier key is given")]
    NoKnownKey,
    /// A text that cannot be signed.
    #[error("only a text of whole lines without control characters can be signed")]
    BadText,
}

/// Why a text is not a verifier key or a name not a key name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `name+id+base64`.
    #[error("a verifier key is written name+8 hex digits+base64")]
    Form,
    /// The name is empty, too long, or has white space, control characters or a plus sign.
    #[error("a key name is not empty and has no white space, control characters or plus sign")]
    Name,
    /// Not an Ed25519 key.
    #[error("the verifier key is not an Ed25519 key (type 1, 32 bytes)")]
    Algorithm,
    /// The id is not that of name and key.
    #[error("the verifier key's id does not fit its name and key: it was mistyped")]
    Id,
}

/// The id of a key: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). `type_and_key` starts with the type byte.
pub fn key_id(name: &str, type_and_key: &[u8]) -> [u8; 4] {
    let hash = weir_base::crypto::sha256(&[name.as_bytes(), b"\n", type_and_key].concat());
    let mut id = [0; 4];
    id.copy_from_slice(&hash[..4]);
    id
}

/// A public Ed25519 key with its name. `Display` and `FromStr` use the vkey form `name+id+base64(0x01 ‖ key)`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifyingKey {
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl VerifyingKey {
    /// A key from its parts; the id is computed.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, key: [u8; 32]) -> Result<VerifyingKey, KeyError> {
        if !text::is_name(name) {
            return Err(KeyError::Name);
        }
        Ok(VerifyingKey { name: name.to_owned(), id: key_id(name, &typed(&key)), key })
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's id, as it stands at the front of each of its signatures.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The 32 bytes of the public key (RFC 8032).
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// True if `signature` (64 bytes) is this key's Ed25519 signature over `message`.
    pub fn is_valid(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
    }
}

fn typed(key: &[u8; 32]) -> [u8; 33] {
    let mut out = [ED25519_TYPE; 33];
    out[1..].copy_from_slice(key);
    out
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id), text::base64(&typed(&self.key)))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyError;

    fn from_str(vkey: &str) -> Result<VerifyingKey, KeyError> {
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(KeyError::Form) };
        let bytes = text::from_base64(key).ok_or(KeyError::Form)?;
        let Some((&ED25519_TYPE, key)) = bytes.split_first() else { return Err(KeyError::Algorithm) };
        let found = VerifyingKey::new(name, key.try_into().map_err(|_| KeyError::Algorithm)?)?;
        // There is one text for each key, so a difference can only lie in the id.
        if found.to_string() == vkey { Ok(found) } else { Err(KeyError::Id) }
    }
}

/// A private Ed25519 key with its name. Its `Debug` shows the public part only.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// [`KeyError::Name`] if `name` is not a key name.
    pub fn from_seed(seed: [u8; 32], name: &str) -> Result<SigningKey, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Algorithm)?;
        let key = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Algorithm)?;
        Ok(SigningKey { public: VerifyingKey::new(name, key)?, pair })
    }

    /// The public part.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs `message`: the 64 bytes of an Ed25519 signature.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        out.copy_from_slice(self.pair.sign(message).as_ref());
        out
    }
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: [u8; 4],
    /// The signature itself, in the form its type has.
    pub bytes: Vec<u8>,
}

/// A text and its signatures. Having one says nothing about trust: see [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// Signs `text` with each of `keys`.
    ///
    /// # Errors
    /// [`NoteError::BadText`], [`NoteError::NoSignatures`], [`NoteError::TooManySignatures`] or [`NoteError::TooLong`].
    pub fn sign(text: &str, keys: &[&SigningKey]) -> Result<Note, NoteError> {
        if !text.ends_with('\n') || has_control(text) {
            return Err(NoteError::BadText);
        }
        let sign =
            |key: &&SigningKey| Signature { name: key.public.name.clone(), id: key.public.id, bytes: key.sign(text.as_bytes()).to_vec() };
        let note = Note { text: text.to_owned(), signatures: keys.iter().map(sign).collect() };
        note.check_limits()?;
        Ok(note)
    }

    /// Adds a signature made elsewhere (a witness, an SM2 key), unverified.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`], [`NoteError::TooLong`], or [`NoteError::BadSignatureLine`] for a bad name or empty signature;
    /// the note is then unchanged.
    pub fn add(&mut self, signature: Signature) -> Result<(), NoteError> {
        if !text::is_name(&signature.name) || signature.bytes.is_empty() {
            return Err(NoteError::BadSignatureLine { line: self.signatures.len() + 1 });
        }
        self.signatures.push(signature);
        self.check_limits().inspect_err(|_| {
            self.signatures.pop();
        })
    }

    fn check_limits(&self) -> Result<(), NoteError> {
        match self.signatures.len() {
            0 => Err(NoteError::NoSignatures),
            n if n > NOTE_SIGNATURES => Err(NoteError::TooManySignatures),
            _ if self.encode().len() > NOTE_BYTES => Err(NoteError::TooLong),
            _ => Ok(()),
        }
    }

    /// Reads a note without trusting it.
    ///
    /// # Errors
    /// A [`NoteError`] that names what is malformed.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        if bytes.len() > NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::NotUtf8)?;
        if has_control(note) {
            return Err(NoteError::ControlCharacter);
        }
        // The text may itself have blank lines: the last one counts.
        let split = note.rfind("\n\n").ok_or(NoteError::NoBlankLine)?;
        let (text, rest) = note.split_at_checked(split + 1).ok_or(NoteError::NoBlankLine)?;
        let lines = rest.strip_prefix('\n').filter(|lines| !lines.is_empty()).ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (line, text) in (1..).zip(lines.split_inclusive('\n')) {
            if line > NOTE_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(parse_signature(text).ok_or(NoteError::BadSignatureLine { line })?);
        }
        Ok(Note { text: text.to_owned(), signatures })
    }

    /// The signed text, with its last newline. Only to be believed after [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, in the order of their lines.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The note as bytes; [`Note::parse`] reads them back.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = format!("{}\n", self.text);
        for s in &self.signatures {
            let blob = [s.id.as_slice(), &s.bytes].concat();
            out.push_str(&format!("{SIGNATURE_START}{} {}\n", s.name, text::base64(&blob)));
        }
        out.into_bytes()
    }

    /// Verifies every signature by one of `keys` and returns the keys that have signed. Signatures by other keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] if a known key's signature does not verify, [`NoteError::NoKnownKey`] if none is there.
    pub fn verify<'k>(&self, keys: &'k [VerifyingKey]) -> Result<Vec<&'k VerifyingKey>, NoteError> {
        let mut signers: Vec<&VerifyingKey> = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|k| k.name == signature.name && k.id == signature.id) else { continue };
            if !key.is_valid(self.text.as_bytes(), &signature.bytes) {
                return Err(NoteError::BadSignature { name: key.name.clone() });
            }
            if !signers.contains(&key) {
                signers.push(key);
            }
        }
        if signers.is_empty() { Err(NoteError::NoKnownKey) } else { Ok(signers) }
    }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|b| b < 0x20 && b != b'\n')
}

fn parse_signature(line: &str) -> Option<Signature> {
    let (name, blob) = line.strip_suffix('\n')?.strip_prefix(SIGNATURE_START)?.split_once(' ')?;
    let blob = text::from_base64(blob)?;
    let (id, bytes) = blob.split_first_chunk::<4>()?;
    let good = text::is_name(name) && !bytes.is_empty();
    good.then(|| Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests;
