//! The few cryptographic helpers every layer needs, all on ring: random bytes, AES-256-GCM, HKDF-SHA-256, HMAC-SHA-256, SHA-256.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hkdf, hmac};

/// Bytes that AES-256-GCM adds: the authentication tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of an AES-256-GCM nonce.
pub const NONCE_BYTES: usize = 12;

/// A ciphertext did not authenticate: wrong key, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decryption failed: the key is wrong or the bytes were changed")]
pub struct OpenError;

/// A 256-bit secret. Its `Debug` never shows the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // Best effort: `black_box` keeps the store from being removed as dead.
        self.0 = [0; 32];
        std::hint::black_box(&self.0);
    }
}

impl Secret {
    /// A new random secret.
    pub fn random() -> Secret {
        Secret(random())
    }

    /// HKDF-SHA-256 (RFC 5869) with this secret as input key, an empty salt and `info` as context.
    pub fn derive(&self, info: &[u8]) -> Secret {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&self.0);
        let mut out = [0; 32];
        let info = [info];
        if let Ok(okm) = prk.expand(&info, hkdf::HKDF_SHA256) {
            // Cannot fail: 32 bytes is exactly the length asked for.
            let _ = okm.fill(&mut out);
        }
        Secret(out)
    }

    /// This secret as an AES-256-GCM key.
    pub fn aead(&self) -> Aead {
        let key = UnboundKey::new(&AES_256_GCM, &self.0).unwrap_or_else(|_| unreachable!("the key is 32 bytes long"));
        Aead(LessSafeKey::new(key))
    }
}

/// `N` bytes from the operating system's random source.
///
/// # Panics
/// If the operating system has no randomness to give; nothing can go on safely then.
pub fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    SystemRandom::new().fill(&mut out).expect("the operating system gives random bytes");
    out
}

/// An AES-256-GCM key, ready for use. The caller answers for never using a nonce twice under one key.
pub struct Aead(LessSafeKey);

impl Aead {
    /// Encrypts `data` in place and appends the 16-byte tag.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], data: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), data)
            .unwrap_or_else(|_| unreachable!("AES-GCM takes up to 64 GiB"));
    }

    /// Encrypts what stands in `data` behind the first `from` bytes in place and appends the 16-byte tag.
    pub fn seal_from(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], data: &mut Vec<u8>, from: usize) {
        let plain = data.get_mut(from..).unwrap_or_default();
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), plain)
            .unwrap_or_else(|_| unreachable!("AES-GCM takes up to 64 GiB"));
        data.extend_from_slice(tag.as_ref());
    }

    /// Encrypts `plain` and appends ciphertext and tag to `out`.
    pub fn seal_onto(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(plain);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut out[from..])
            .unwrap_or_else(|_| unreachable!("AES-GCM takes up to 64 GiB"));
        out.extend_from_slice(tag.as_ref());
    }

    /// Decrypts `data` (ciphertext and tag) in place and returns the plain part.
    pub fn open<'a>(&self, nonce: [u8; NONCE_BYTES], aad: &[u8], data: &'a mut [u8]) -> Result<&'a mut [u8], OpenError> {
        self.0.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), data).map_err(|_| OpenError)
    }

    /// Encrypts under a fresh random nonce: nonce ‖ ciphertext ‖ tag. For small, rare things (wrapped keys), not for streams.
    pub fn wrap(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = random::<NONCE_BYTES>();
        let mut body = plain.to_vec();
        self.seal(nonce, aad, &mut body);
        let mut out = nonce.to_vec();
        out.append(&mut body);
        out
    }

    /// Undoes [`Aead::wrap`].
    pub fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (nonce, body) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError)?;
        let mut body = body.to_vec();
        let len = self.open(*nonce, aad, &mut body)?.len();
        body.truncate(len);
        Ok(body)
    }
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// A keyed HMAC-SHA-256 (RFC 2104).
pub struct Mac(hmac::Key);

impl Mac {
    /// A MAC under `secret`.
    pub fn new(secret: &Secret) -> Mac {
        Mac(hmac::Key::new(hmac::HMAC_SHA256, &secret.0))
    }

    /// The MAC of the concatenation of `parts`. The caller answers for an unambiguous concatenation.
    pub fn of(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut ctx = hmac::Context::with_key(&self.0);
        for part in parts {
            ctx.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(ctx.sign().as_ref());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrap_and_unwrap() {
        let key = Secret::random();
        let wrapped = key.aead().wrap(b"aad", b"plain");
        assert_eq!(key.aead().unwrap(b"aad", &wrapped).unwrap(), b"plain");
        assert_eq!(key.aead().unwrap(b"other", &wrapped), Err(OpenError));
        for i in 0..wrapped.len() {
            let mut bad = wrapped.clone();
            bad[i] ^= 1;
            assert_eq!(key.aead().unwrap(b"aad", &bad), Err(OpenError), "byte {i}");
        }
        assert_eq!(key.aead().unwrap(b"aad", &wrapped[..5]), Err(OpenError));
    }

    #[test]
    fn derivation_is_hkdf() {
        let got = Secret([0; 32]).derive(b"weir").0;
        let prk = Mac::new(&Secret([0; 32])).of(&[&[0; 32]]);
        let want = Mac::new(&Secret(prk)).of(&[b"weir", &[1]]);
        assert_eq!(got, want);
    }
}
