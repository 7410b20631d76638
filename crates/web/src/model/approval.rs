//! What needs two persons.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// A request that a second person confirms.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Id (32 hex digits).
    pub id: String,
    /// `account-create`, `role-change`, `account-recover`, `setting-change`, `break-glass`, …
    pub kind: String,
    /// `waiting`, `confirmed`, `used`, `refused`, `withdrawn`, `expired`, `void` (the content changed).
    pub state: String,
    /// What exactly is asked for, as a person reads it.
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
    /// SHA-256 of the canonical content: what is confirmed.
    pub digest: String,
    /// Why.
    pub reason: String,
    /// Asked by: account id.
    pub asked_by: String,
    /// Name of who asked.
    pub asked_by_display: String,
    /// Asked at (RFC 3339).
    pub asked_at: String,
    /// Ends at.
    pub expires: String,
    /// How many persons must confirm beside the one who asks.
    pub needed: u32,
    /// Each step: who, when, what.
    pub steps: Vec<Step>,
    /// May the one who reads this confirm it?
    pub may_confirm: bool,
    /// Why not, where not.
    pub why_not: Option<Words>,
    /// A one-use link waits under `/result`, for the one who asked.
    #[serde(default)]
    pub has_result: bool,
}

/// A step of an approval.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Who: account id; empty for the program itself.
    pub actor: String,
    /// Name.
    pub display: String,
    /// When (RFC 3339).
    pub time: String,
    /// `asked`, `confirmed`, `refused`, `withdrawn`, `used`, `expired`, `void`.
    pub what: String,
    /// Words, where some were given; those of people are the same in both languages.
    pub reason: Option<Words>,
}

/// `POST /api/v1/approvals/{id}/confirm`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Confirm {
    /// The digest that was looked at: another one is refused.
    pub digest: String,
}

/// What a confirmation gives.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Confirmed {
    /// The approval as it stands now.
    #[serde(flatten)]
    pub approval: Approval,
    /// Of the last confirmation of an approval that leads to a one-use link: the code that whoever uses the link must give too, `XXXX-XXXX`,
    /// once. Give it to that person yourself, by another way than the link.
    pub code: Option<String>,
}
