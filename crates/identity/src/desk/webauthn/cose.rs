//! Public keys of credentials: COSE_Key (RFC 9052 section 7) of the three algorithms, in the form WebAuthn Level 3 section 5.8.5 demands.

use minicbor::Decoder;
use minicbor::data::Type;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};

use super::PasskeyError;

/// COSE algorithms that are taken, in the order they are asked for.
pub const ALGORITHMS: [i64; 3] = [-7, -8, -257];

/// A public key.
#[derive(Debug, PartialEq, Eq)]
pub enum Key<'b> {
    /// P-256 point.
    Es256 { x: &'b [u8], y: &'b [u8] },
    /// Ed25519 key.
    EdDsa { x: &'b [u8] },
    /// RSA modulus and exponent.
    Rs256 { n: &'b [u8], e: &'b [u8] },
}

const BAD: PasskeyError = PasskeyError::Key("it is not a COSE key");

impl<'b> Key<'b> {
    /// Reads a key at the decoder's place.
    pub fn read(d: &mut Decoder<'b>) -> Result<Key<'b>, PasskeyError> {
        let (mut kind, mut alg, mut curve) = (None, None, None);
        let (mut x, mut y, mut n) = (None, None, None);
        let mut seen = Vec::new();
        for _ in 0..d.map().map_err(|_| BAD)?.ok_or(BAD)? {
            let label = d.i64().map_err(|_| BAD)?;
            if seen.contains(&label) || seen.len() >= 16 {
                return Err(BAD);
            }
            seen.push(label);
            let bytes = matches!(d.datatype().map_err(|_| BAD)?, Type::Bytes);
            match (label, bytes) {
                (1, false) => kind = Some(d.i64().map_err(|_| BAD)?),
                (3, false) => alg = Some(d.i64().map_err(|_| BAD)?),
                (-1, false) => curve = Some(d.i64().map_err(|_| BAD)?),
                (-1, true) => n = Some(d.bytes().map_err(|_| BAD)?),
                (-2, true) => x = Some(d.bytes().map_err(|_| BAD)?),
                (-3, true) => y = Some(d.bytes().map_err(|_| BAD)?),
                _ => d.skip().map_err(|_| BAD)?,
            }
        }
        match (kind, alg, curve, x, y, n) {
            (Some(2), Some(-7), Some(1), Some(x), Some(y), None) if x.len() == 32 && y.len() == 32 => Ok(Key::Es256 { x, y }),
            (Some(1), Some(-8), Some(6), Some(x), None, None) if x.len() == 32 => Ok(Key::EdDsa { x }),
            // 2,048 to 8,192 bits, as ring takes them.
            (Some(3), Some(-257), None, Some(e), None, Some(n)) if (256..=1_024).contains(&n.len()) && (1..=8).contains(&e.len()) => {
                Ok(Key::Rs256 { n, e })
            }
            (_, Some(alg), ..) if !ALGORITHMS.contains(&alg) => Err(PasskeyError::Key("its algorithm is not ES256, EdDSA or RS256")),
            _ => Err(BAD),
        }
    }

    /// Reads a key that fills `bytes`.
    pub fn parse(bytes: &'b [u8]) -> Result<Key<'b>, PasskeyError> {
        let mut d = Decoder::new(bytes);
        let key = Key::read(&mut d)?;
        if d.position() == bytes.len() { Ok(key) } else { Err(BAD) }
    }

    /// Its COSE algorithm.
    pub fn algorithm(&self) -> i64 {
        match self {
            Key::Es256 { .. } => -7,
            Key::EdDsa { .. } => -8,
            Key::Rs256 { .. } => -257,
        }
    }

    /// Verifies a signature in WebAuthn's form (section 6.5.5): ECDSA as ASN.1.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), PasskeyError> {
        match self {
            Key::Es256 { x, y } => {
                let point = [&[4], *x, *y].concat();
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Key::EdDsa { x } => UnparsedPublicKey::new(&signature::ED25519, x).verify(message, signature),
            Key::Rs256 { n, e } => RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature),
        }
        .map_err(|_| PasskeyError::Signature)
    }
}
