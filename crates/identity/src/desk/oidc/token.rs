//! Checks of an ID token (OpenID Connect Core 1.0 section 3.1.3.7; RFC 7515, RFC 7519).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use weir_base::time::Millis;

use super::keys::Keys;
use super::{ALGORITHMS, OidcError};
use crate::desk::limits::{ID_TOKEN_AGE_MS, ID_TOKEN_BYTES, PROVIDER_SKEW_MS, SUBJECT_BYTES};
use crate::desk::secret::same;

/// What an ID token must fit.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Our client id.
    pub client: &'a str,
    /// The nonce of this sign-in.
    pub nonce: &'a str,
    /// Now.
    pub now: Millis,
}

/// Who a checked ID token is about.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Issuer.
    pub issuer: String,
    /// Subject.
    pub subject: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The claims that are looked at. A claim that comes twice is refused by the reader.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
}

/// Checks an ID token.
///
/// # Errors
/// [`OidcError`] that names the first check that fails. Nothing of the token is in it.
pub fn check(token: &str, keys: &Keys, expected: &Expected<'_>) -> Result<Identity, OidcError> {
    let bad = || OidcError::token("the ID token is not a signed JWT");
    if token.len() > ID_TOKEN_BYTES {
        return Err(OidcError::token("the ID token is too long"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(bad)?;
    let (header, claims) = signed.split_once('.').ok_or_else(bad)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| bad());
    let signature = decode(signature)?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| bad())?;
    if !ALGORITHMS.contains(&header.alg.as_str()) {
        return Err(OidcError::token("the ID token is not signed with RS256, ES256 or EdDSA"));
    }
    if header.crit.is_some() {
        return Err(OidcError::token("the ID token demands an extension that is not known"));
    }
    keys.verify(header.kid.as_deref(), &header.alg, signed.as_bytes(), &signature)?;
    let claims: Claims =
        serde_json::from_slice(&decode(claims)?).map_err(|_| OidcError::token("the ID token lacks a claim, or has one of another type"))?;
    claims.check(expected)?;
    Ok(Identity { issuer: claims.iss, subject: claims.sub })
}

impl Claims {
    fn check(&self, expected: &Expected<'_>) -> Result<(), OidcError> {
        if self.iss != expected.issuer {
            return Err(OidcError::token("the ID token is of another issuer"));
        }
        let audience = match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Many(many) => many.as_slice(),
        };
        if !audience.iter().any(|a| a == expected.client) {
            return Err(OidcError::token("the ID token is for another client"));
        }
        match &self.azp {
            Some(azp) if azp != expected.client => return Err(OidcError::token("the ID token was given to another client")),
            None if audience.len() > 1 => return Err(OidcError::token("the ID token is for several clients and does not say for which")),
            _ => (),
        }
        self.check_times(expected.now)?;
        let nonce = self.nonce.as_deref().unwrap_or_default();
        if expected.nonce.is_empty() || !same(nonce.as_bytes(), expected.nonce.as_bytes()) {
            return Err(OidcError::token("the ID token is of another sign-in (nonce)"));
        }
        if self.sub.is_empty() || self.sub.len() > SUBJECT_BYTES || !self.sub.is_ascii() {
            return Err(OidcError::token("the subject of the ID token is empty, too long, or not ASCII"));
        }
        Ok(())
    }

    fn check_times(&self, now: Millis) -> Result<(), OidcError> {
        let (now, skew) = (now.0 as f64 / 1_000.0, PROVIDER_SKEW_MS as f64 / 1_000.0);
        if self.exp <= now - skew {
            return Err(OidcError::token("the ID token has ended"));
        }
        if self.iat > now + skew || self.nbf.is_some_and(|nbf| nbf > now + skew) {
            return Err(OidcError::token("the ID token is from the future"));
        }
        if self.iat < now - ID_TOKEN_AGE_MS as f64 / 1_000.0 {
            return Err(OidcError::token("the ID token is old"));
        }
        Ok(())
    }
}
