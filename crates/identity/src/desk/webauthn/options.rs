//! Options for `navigator.credentials`, in their JSON form (WebAuthn Level 3 sections 5.4 and 5.5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::cose::ALGORITHMS;
use crate::desk::limits::CEREMONY_MS;

fn list(credentials: &[&[u8]]) -> Vec<Value> {
    credentials.iter().map(|id| json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(id)})).collect()
}

/// Options for enrolling a passkey. `user` is the account's random id; `exclude` are the passkeys it has.
pub fn creation(challenge: &[u8], rp: &str, title: &str, user: &[u8], login: &str, display: &str, exclude: &[&[u8]]) -> Value {
    let parameters: Vec<Value> = ALGORITHMS.iter().map(|alg| json!({"type": "public-key", "alg": alg})).collect();
    json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "rp": {"id": rp, "name": title},
        "user": {"id": URL_SAFE_NO_PAD.encode(user), "name": login, "displayName": display},
        "pubKeyCredParams": parameters,
        "timeout": CEREMONY_MS,
        "excludeCredentials": list(exclude),
        "authenticatorSelection": {"residentKey": "preferred", "requireResidentKey": false, "userVerification": "required"},
        "attestation": "none",
    })
}

/// Options for signing in; with no `allow` the browser offers every passkey it has for the relying party.
pub fn request(challenge: &[u8], rp: &str, allow: &[&[u8]]) -> Value {
    json!({
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "rpId": rp,
        "timeout": CEREMONY_MS,
        "allowCredentials": list(allow),
        "userVerification": "required",
    })
}
