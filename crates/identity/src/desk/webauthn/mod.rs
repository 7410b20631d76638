//! Passkeys (WebAuthn Level 3), pure: the options for a browser, and what a relying party checks of its answers (sections 7.1 and 7.2).
//!
//! Attestation is not asked for (`none`): a statement that comes anyway is taken only where the credential signs for itself. ES256, EdDSA
//! (Ed25519) and RS256 are verified on ring. User verification is required, so that a passkey stands for two factors.

mod assertion;
mod client;
mod cose;
mod data;
pub mod fuzz;
mod options;
mod registration;

pub use assertion::{Assertion, Known};
pub use options::{creation, request};
pub use registration::{Registered, register};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::limits::CREDENTIAL_BYTES;
use super::settings::Origin;

/// What an answer must fit.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The challenge that was given out for this ceremony.
    pub challenge: &'a [u8],
    /// Origins the answer may come from.
    pub origins: &'a [Origin],
    /// The relying party's id.
    pub rp: &'a str,
    /// The authenticator must have verified its user. The desk always asks for it.
    pub verified: bool,
}

/// Why an answer is not taken. The words name the step of the standard, never a value of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// Not the JSON of a credential.
    #[error("the credential is not a PublicKeyCredential in its JSON form: {0}")]
    Json(&'static str),
    /// Client data.
    #[error("the client data is refused: {0}")]
    Client(&'static str),
    /// Not the origin.
    #[error("the answer comes from another origin")]
    Origin,
    /// Another challenge.
    #[error("the answer is to another challenge")]
    Challenge,
    /// CBOR or authenticator data.
    #[error("the authenticator's data is not understood: {0}")]
    Data(&'static str),
    /// Another relying party.
    #[error("the answer is for another relying party")]
    RelyingParty,
    /// Nobody was there, or nobody was verified.
    #[error("the authenticator did not verify its user: {0}")]
    User(&'static str),
    /// A key that is not taken.
    #[error("the credential's key is not taken: {0}")]
    Key(&'static str),
    /// An attestation that is not taken.
    #[error("the attestation is not taken: {0}")]
    Attestation(&'static str),
    /// A credential of somebody else.
    #[error("the credential is not one of this account")]
    Credential,
    /// A wrong signature.
    #[error("the signature does not fit")]
    Signature,
    /// The counter went back: a copy of the authenticator is about.
    #[error("the authenticator's counter went back: there may be a copy of it")]
    Cloned,
}

impl PasskeyError {
    /// The word in records.
    pub fn word(self) -> &'static str {
        if self == PasskeyError::Cloned { "passkey-cloned" } else { "passkey" }
    }
}

/// A member of `value` that is an object's.
fn member<'a>(value: &'a Value, name: &'static str) -> Result<&'a Value, PasskeyError> {
    value.get(name).ok_or(PasskeyError::Json(name))
}

/// A binary member: base64url without padding (RFC 4648 section 5).
fn binary(value: &Value, name: &'static str) -> Result<Vec<u8>, PasskeyError> {
    let text = member(value, name)?.as_str().ok_or(PasskeyError::Json(name))?;
    if text.len() > CREDENTIAL_BYTES * 4 / 3 {
        return Err(PasskeyError::Json(name));
    }
    URL_SAFE_NO_PAD.decode(text).map_err(|_| PasskeyError::Json(name))
}

/// The credential id of an answer, after checking the outer shape: `type`, and `id` the same as `rawId`.
fn credential_id(credential: &Value) -> Result<Vec<u8>, PasskeyError> {
    if member(credential, "type")?.as_str() != Some("public-key") {
        return Err(PasskeyError::Json("type"));
    }
    let id = binary(credential, "rawId")?;
    if binary(credential, "id")? != id || id.is_empty() || id.len() > super::limits::CREDENTIAL_ID_BYTES {
        return Err(PasskeyError::Json("id"));
    }
    Ok(id)
}

#[cfg(test)]
pub mod soft;
#[cfg(test)]
mod tests;
