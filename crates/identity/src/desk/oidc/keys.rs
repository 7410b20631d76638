//! Keys of a provider (RFC 7517, RFC 7518 section 6, RFC 8037).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::OidcError;
use crate::desk::limits::{PROVIDER_DOC_BYTES, PROVIDER_KEYS};

/// The keys of a provider that can sign an ID token with an algorithm that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    kid: Option<String>,
    public: Public,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Public {
    Rs256 { n: Vec<u8>, e: Vec<u8> },
    Es256 { point: Vec<u8> },
    EdDsa { x: Vec<u8> },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads a key set. Keys of other uses and algorithms are passed over, as RFC 7517 section 5 says.
///
/// # Errors
/// [`OidcError`] when it is not a key set, is too large, or has no key that is taken.
pub fn keys(json: &[u8]) -> Result<Keys, OidcError> {
    let bad = || OidcError::document("the provider's key set is not understood");
    if json.len() > PROVIDER_DOC_BYTES {
        return Err(OidcError::document("the provider's key set is too large"));
    }
    let set: Set = serde_json::from_slice(json).map_err(|_| bad())?;
    if set.keys.len() > PROVIDER_KEYS {
        return Err(OidcError::document("the provider has too many keys"));
    }
    let found: Vec<Key> = set.keys.into_iter().filter_map(|value| key(serde_json::from_value(value).ok()?)).collect();
    if found.is_empty() {
        return Err(OidcError::document("the provider has no key for RS256, ES256 or EdDSA"));
    }
    Ok(Keys(found))
}

fn key(jwk: Jwk) -> Option<Key> {
    if jwk.purpose.is_some_and(|purpose| purpose != "sig") || jwk.kid.as_ref().is_some_and(|kid| kid.len() > 256) {
        return None;
    }
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let public = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let (n, e) = (bytes(&jwk.n)?, bytes(&jwk.e)?);
            ((256..=1_024).contains(&n.len()) && (1..=8).contains(&e.len())).then_some(Public::Rs256 { n, e })?
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
            (x.len() == 32 && y.len() == 32).then(|| Public::Es256 { point: [&[4], &x[..], &y[..]].concat() })?
        }
        ("OKP", Some("Ed25519")) => {
            let x = bytes(&jwk.x)?;
            (x.len() == 32).then_some(Public::EdDsa { x })?
        }
        _ => return None,
    };
    let key = Key { kid: jwk.kid, public };
    jwk.alg.is_none_or(|alg| alg == key.algorithm()).then_some(key)
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self.public {
            Public::Rs256 { .. } => "RS256",
            Public::Es256 { .. } => "ES256",
            Public::EdDsa { .. } => "EdDSA",
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Public::Es256 { point } => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Public::EdDsa { x } => UnparsedPublicKey::new(&signature::ED25519, x).verify(message, signature).is_ok(),
        }
    }
}

impl Keys {
    /// True when a token with this `kid` could be checked: fetch the set again when not.
    pub fn has(&self, kid: Option<&str>) -> bool {
        kid.is_none_or(|kid| self.0.iter().any(|k| k.kid.as_deref() == Some(kid)))
    }

    /// Verifies with the one key of this `kid` and algorithm. Without a `kid` there must be one key of the algorithm alone
    /// (OpenID Connect Core section 10.1).
    pub(super) fn verify(&self, kid: Option<&str>, algorithm: &str, message: &[u8], signature: &[u8]) -> Result<(), OidcError> {
        let fits = |k: &&Key| k.algorithm() == algorithm && kid.is_none_or(|kid| k.kid.as_deref() == Some(kid));
        let mut found = self.0.iter().filter(fits);
        let key = found.next().ok_or_else(|| OidcError::token("the ID token names no key of the provider"))?;
        if found.next().is_some() {
            return Err(OidcError::token("the ID token does not say which of several keys signed it"));
        }
        if key.verify(message, signature) { Ok(()) } else { Err(OidcError::token("the signature of the ID token does not fit")) }
    }
}
