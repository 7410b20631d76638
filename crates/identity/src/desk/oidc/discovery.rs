//! What a provider says about itself (OpenID Connect Discovery 1.0 section 3).

use std::net::IpAddr;

use serde::Deserialize;

use super::{ALGORITHMS, OidcError};
use crate::desk::limits::PROVIDER_DOC_BYTES;

/// What a provider's discovery document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Its issuer.
    pub issuer: String,
    /// Where the browser is sent.
    pub authorization_endpoint: String,
    /// Where the code is redeemed.
    pub token_endpoint: String,
    /// Where its keys are.
    pub jwks_uri: String,
    /// The client secret goes into the body (`client_secret_post`), not into a header (`client_secret_basic`).
    pub secret_in_body: bool,
    /// Answers carry `iss` (RFC 9207).
    pub tells_issuer: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    response_types_supported: Vec<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// The URL of an issuer's discovery document (section 4).
pub fn discovery_url(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

/// Reads a discovery document of `issuer`.
///
/// # Errors
/// [`OidcError`] when it is not one, is another issuer's, leads to an insecure place, or signs with no algorithm that is taken.
pub fn discovery(json: &[u8], issuer: &str) -> Result<Metadata, OidcError> {
    if json.len() > PROVIDER_DOC_BYTES {
        return Err(OidcError::document("the discovery document is too large"));
    }
    let doc: Document =
        serde_json::from_slice(json).map_err(|_| OidcError::document("the discovery document is not understood, or lacks something"))?;
    if doc.issuer != issuer {
        return Err(OidcError::document("the discovery document names another issuer"));
    }
    for (name, url) in [("authorization", &doc.authorization_endpoint), ("token", &doc.token_endpoint), ("keys", &doc.jwks_uri)] {
        if !secure(url, issuer) {
            return Err(OidcError::document(format!("the place for {name} is not an https URL")));
        }
    }
    let algorithms = &doc.id_token_signing_alg_values_supported;
    if !algorithms.iter().any(|a| ALGORITHMS.contains(&a.as_str())) {
        return Err(OidcError::document("the provider signs with none of RS256, ES256 and EdDSA"));
    }
    if !doc.response_types_supported.is_empty() && !doc.response_types_supported.iter().any(|t| t == "code") {
        return Err(OidcError::document("the provider does not give codes (response type `code`)"));
    }
    if doc.code_challenge_methods_supported.is_some_and(|methods| !methods.iter().any(|m| m == "S256")) {
        return Err(OidcError::document("the provider does not take PKCE with S256"));
    }
    // Without the member it is `client_secret_basic` (section 3).
    let methods = doc.token_endpoint_auth_methods_supported;
    let has = |name: &str| methods.as_ref().is_some_and(|m| m.iter().any(|m| m == name));
    Ok(Metadata {
        issuer: doc.issuer,
        authorization_endpoint: doc.authorization_endpoint,
        token_endpoint: doc.token_endpoint,
        jwks_uri: doc.jwks_uri,
        secret_in_body: has("client_secret_post") && !has("client_secret_basic"),
        tells_issuer: doc.authorization_response_iss_parameter_supported,
    })
}

/// An https URL, or one that stays on the loopback where the issuer itself does.
fn secure(url: &str, issuer: &str) -> bool {
    let plain = url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains(['#', '"', '<', '>', '\\']);
    plain && (url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()) || (on_loopback(url) && on_loopback(issuer)))
}

fn on_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
