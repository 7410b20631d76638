//! Errors as problem documents (RFC 9457), each with what to do next.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not done. Media type `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, e.g. `urn:weir:problem:not-signed-in`; the last part is one of the codes of docs/api.md.
    #[serde(rename = "type")]
    pub kind: String,
    /// In a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here. Free of personal data.
    pub detail: String,
    /// What to do next.
    pub todo: String,
    /// Field of the request that is wrong, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds until it is worth trying again, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}
