//! Client data: what the browser says about the ceremony (WebAuthn Level 3 section 5.8.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Expected, PasskeyError};
use crate::desk::secret::same;
use crate::desk::settings::Origin;

/// Client data as JSON. Members to come are passed over; a member that comes twice is refused.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin")]
    cross_origin: Option<bool>,
    #[serde(rename = "topOrigin")]
    top_origin: Option<String>,
}

/// Checks client data for a ceremony, `webauthn.create` or `webauthn.get`.
pub fn check(bytes: &[u8], kind: &str, expected: &Expected<'_>) -> Result<(), PasskeyError> {
    let data: ClientData = serde_json::from_slice(bytes).map_err(|_| PasskeyError::Client("it is not the JSON of client data"))?;
    if data.kind != kind {
        return Err(PasskeyError::Client("it is of another ceremony"));
    }
    let challenge = URL_SAFE_NO_PAD.decode(&data.challenge).map_err(|_| PasskeyError::Challenge)?;
    if !same(&challenge, expected.challenge) {
        return Err(PasskeyError::Challenge);
    }
    let origin = Origin::parse(&data.origin).ok_or(PasskeyError::Origin)?;
    if !expected.origins.contains(&origin) {
        return Err(PasskeyError::Origin);
    }
    // The desk is never shown inside another page.
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(PasskeyError::Client("it was made inside a page of another origin"));
    }
    Ok(())
}
