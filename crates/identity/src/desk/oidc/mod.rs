//! OpenID Connect, pure: the documents of a provider, the URL to send a browser to, and the checks of an ID token.
//! Fetching is somebody else's work.

use weir_base::time::Millis;

/// What a provider's discovery document says (OpenID Connect Discovery 1.0 section 3).
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

/// Its keys that sign ID tokens with an algorithm we take.
#[derive(Clone, Debug)]
pub struct Keys {}

/// Why something of a provider is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {todo}")]
pub struct OidcError {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: &'static str,
}

/// What an ID token must fit.
#[derive(Clone, Debug)]
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

/// What a checked ID token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Issuer.
    pub issuer: String,
    /// Subject.
    pub subject: String,
}

/// Reads a discovery document.
pub fn discovery(_json: &[u8], _issuer: &str) -> Result<Metadata, OidcError> {
    todo!()
}

/// The URL of the discovery document of an issuer.
pub fn discovery_url(_issuer: &str) -> String {
    todo!()
}

/// Reads a key set (RFC 7517).
pub fn keys(_json: &[u8]) -> Result<Keys, OidcError> {
    todo!()
}

/// Reads the answer of the token endpoint and gives the ID token.
pub fn token_answer(_json: &[u8]) -> Result<String, OidcError> {
    todo!()
}

/// The form that redeems a code: name and value, not yet encoded. The client's secret is added by who sends it.
pub fn token_form(_flow_verifier: &str, _code: &str, _redirect: &str, _client: &str) -> Vec<(&'static str, String)> {
    todo!()
}

/// Checks an ID token (OpenID Connect Core section 3.1.3.7).
pub fn check(_token: &str, _keys: &Keys, _expected: &Expected<'_>) -> Result<Identity, OidcError> {
    todo!()
}
