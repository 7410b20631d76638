//! `log.key`: the seed of the log's signing key, wrapped under the keyring's `log/1`.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `WEIRLOGK` |
//! | 2 | version, 1 |
//! | 6 | zero |
//! | 60 | Ed25519 seed, wrapped (nonce, ciphertext, tag), the 16 bytes before as associated data |

use weir_base::crypto::Secret;

use super::FormatError;
use super::bytes::Cursor;

const HEAD: &[u8; 16] = b"WEIRLOGK\x01\0\0\0\0\0\0\0";

/// The file that holds `seed`.
pub fn encode(wrapping: &Secret, seed: &Secret) -> Vec<u8> {
    [&HEAD[..], &wrapping.aead().wrap(HEAD, &seed.0)].concat()
}

/// The seed in the file.
pub fn decode(bytes: &[u8], wrapping: &Secret) -> Result<Secret, FormatError> {
    let mut at = Cursor(bytes);
    at.magic(b"WEIRLOGK")?;
    at.version(1)?;
    if at.array::<6>()? != [0; 6] {
        return Err(FormatError::Field("a reserved field is not zero"));
    }
    let seed = wrapping.aead().unwrap(HEAD, at.0).map_err(|_| FormatError::Sealed)?;
    Ok(Secret(seed.try_into().map_err(|_| FormatError::Field("the seed's length"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_opens_it() {
        let (wrapping, seed) = (Secret([1; 32]), Secret([2; 32]));
        let bytes = encode(&wrapping, &seed);
        assert_eq!((bytes.len(), decode(&bytes, &wrapping)), (76, Ok(seed)));
        assert_eq!(decode(&bytes, &Secret([3; 32])), Err(FormatError::Sealed));
        for i in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[i] ^= 1;
            assert!(decode(&bad, &wrapping).is_err(), "byte {i}");
            assert!(decode(&bytes[..i], &wrapping).is_err(), "cut {i}");
        }
        let short = [&HEAD[..], &wrapping.aead().wrap(HEAD, &[1; 31])].concat();
        assert!(decode(&short, &wrapping).is_err());
    }
}
