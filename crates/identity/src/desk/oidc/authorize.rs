//! The way to a provider and back: the URL with PKCE (RFC 7636), state and nonce, and the form that redeems the code.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use weir_base::crypto::{random, sha256};

use super::{Metadata, OidcError};
use crate::desk::limits::{ID_TOKEN_BYTES, PROVIDER_DOC_BYTES};

/// The random texts of one sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Flow {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// PKCE verifier: shown to the provider when the code is redeemed.
    pub verifier: String,
}

impl Flow {
    /// New texts of 256 bits each.
    pub fn random() -> Flow {
        let text = || URL_SAFE_NO_PAD.encode(random::<32>());
        Flow { state: text(), nonce: text(), verifier: text() }
    }

    /// The URL a browser is sent to (OpenID Connect Core section 3.1.2.1).
    pub fn url(&self, metadata: &Metadata, client: &str, redirect: &str) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(self.verifier.as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", client),
            ("redirect_uri", redirect),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let join = if metadata.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{join}{query}", metadata.authorization_endpoint)
    }
}

/// The form that redeems a code (OpenID Connect Core section 3.1.3.1), encoded. `secret` only where it goes into the body.
pub fn token_form(verifier: &str, code: &str, redirect: &str, client: &str, secret: Option<&str>) -> String {
    let mut pairs = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect), ("client_id", client)];
    pairs.push(("code_verifier", verifier));
    pairs.extend(secret.map(|secret| ("client_secret", secret)));
    form(&pairs)
}

/// Reads the answer of the token endpoint and gives the ID token (section 3.1.3.3).
///
/// # Errors
/// [`OidcError`] when there is none.
pub fn token_answer(json: &[u8]) -> Result<String, OidcError> {
    #[derive(Deserialize)]
    struct Answer {
        token_type: String,
        id_token: String,
    }
    let bad = || OidcError::token("the provider's answer has no ID token");
    if json.len() > PROVIDER_DOC_BYTES {
        return Err(bad());
    }
    let answer: Answer = serde_json::from_slice(json).map_err(|_| bad())?;
    if !answer.token_type.eq_ignore_ascii_case("bearer") || answer.id_token.len() > ID_TOKEN_BYTES {
        return Err(bad());
    }
    Ok(answer.id_token)
}

/// `application/x-www-form-urlencoded`; what is not unreserved is escaped.
fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                other => drop(write!(out, "%{other:02X}")),
            }
        }
    }
    out
}
