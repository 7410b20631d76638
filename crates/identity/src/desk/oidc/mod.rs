//! OpenID Connect, pure: the documents of a provider, the URL a browser is sent to, and the checks of an ID token.
//! Fetching is somebody else's work.

mod authorize;
mod discovery;
pub mod fuzz;
mod keys;
mod token;

pub use authorize::{Flow, token_answer, token_form};
pub use discovery::{Metadata, discovery, discovery_url};
pub use keys::{Keys, keys};
pub use token::{Expected, Identity, check};

/// Algorithms of ID tokens that are taken (RFC 7518, RFC 8037). Never `none`, never one with a shared secret.
pub const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// Why something of a provider is not taken. Holds no value of a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {todo}")]
pub struct OidcError {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub todo: &'static str,
}

impl OidcError {
    fn document(what: impl Into<String>) -> OidcError {
        OidcError { what: what.into(), todo: "check the issuer in the configuration, and what the provider publishes" }
    }

    fn token(what: impl Into<String>) -> OidcError {
        OidcError { what: what.into(), todo: "sign in again; if it stays, compare client id, issuer and clocks with the provider" }
    }
}

#[cfg(test)]
mod tests;
