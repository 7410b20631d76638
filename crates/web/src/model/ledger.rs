//! The ledger: every question asked of personal data, every statement, every export.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// `GET /api/v1/ledger`.
#[derive(Clone, Debug, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct LedgerQuery {
    /// From (RFC 3339).
    pub from: Option<String>,
    /// To.
    pub to: Option<String>,
    /// Who: `account:ID` or `uid:N`.
    pub actor: Option<String>,
    /// What was done: lookup, lookup-batch, records, sql, export, key-show, text, ledger-open.
    pub act: Option<String>,
    /// Rows at most, 1 to 1,000.
    pub limit: Option<u32>,
}

/// Entries, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// Entries.
    pub entries: Vec<LedgerEntry>,
    /// There are older ones.
    pub more: bool,
}

/// An entry.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LedgerEntry {
    /// Id of the question.
    pub id: String,
    /// When.
    pub time: String,
    /// Who: `account:ID`, `token:ID`, or `uid:N`.
    pub actor: String,
    /// Their name, while the account exists.
    pub display: Option<String>,
    /// Why.
    pub purpose: String,
    /// What was done.
    pub act: String,
    /// What came back: one, none, several, unknown, rows, refused, failed.
    pub answer: String,
    /// Candidates or rows.
    pub rows: u64,
    /// Asked off line.
    pub offline: bool,
}

/// `POST /api/v1/ledger/{id}/open`: shows what was asked; itself a record of the ledger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Open {
    /// Why, in words: 4 to 200 characters.
    pub reason: String,
}

/// What was asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Opened {
    /// The question or the statement.
    pub target: String,
}
