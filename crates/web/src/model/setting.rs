//! The configuration, with its origin.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// `GET /api/v1/settings`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Every setting.
    pub values: Vec<Setting>,
    /// Changes made here that the next start takes in.
    pub pending: Vec<Difference>,
}

/// A setting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Setting {
    /// Path, e.g. `store.seal_every`.
    pub path: String,
    /// Value as TOML writes it; a secret is a file's name, never the secret.
    pub value: String,
    /// Default as TOML writes it.
    pub default: String,
    /// `default`, `file`, `desk` (changed here) or `set` (`--set`).
    pub origin: String,
    /// What a value looks like, in words.
    pub shape: Words,
    /// May be changed here.
    pub editable: bool,
    /// A change needs a second person.
    pub two_persons: bool,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Difference {
    /// Path.
    pub path: String,
    /// Before.
    pub old: Option<String>,
    /// After; none takes the change made here back.
    pub new: Option<String>,
    /// Needs a second person.
    pub two_persons: bool,
}

/// `POST /api/v1/settings/check` and `POST /api/v1/settings`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingChange {
    /// Path → value as TOML writes it; null takes the change made here back.
    pub changes: std::collections::BTreeMap<String, Option<String>>,
    /// Why.
    pub reason: String,
    /// A confirmed approval of exactly these changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<String>,
}

/// What a change would do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// What differs.
    pub differences: Vec<Difference>,
    /// Everything that is wrong with it; empty when it can be made.
    pub problems: Vec<SettingProblem>,
    /// It needs a second person.
    pub two_persons: bool,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SettingProblem {
    /// Path.
    pub path: String,
    /// What is wrong and what to do.
    pub text: Words,
}
