//! Accounts, persons and roles.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::Words;

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Account id (32 hex digits).
    pub id: String,
    /// The person behind it: two accounts of one person count as one where two persons are needed.
    pub person: String,
    /// Sign-in name; empty while the invitation is open.
    pub login: String,
    /// Name shown to people.
    pub display: String,
    /// Roles.
    pub roles: Vec<String>,
    /// `invited`, `link-ended` (its link ran out or is void: `recover` asks for a new one), `active`, `locked` (too many failures), `disabled`.
    pub state: String,
    /// Has a second factor.
    pub second_factor: bool,
    /// Since (RFC 3339).
    pub since: String,
    /// Last sign-in.
    pub last_sign_in: Option<String>,
    /// Locked until, when failures locked it.
    pub locked_until: Option<String>,
}

/// `POST /api/v1/accounts`: asks for a new account. While the unit is being set up the invitation comes at once; afterwards a second person confirms first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    /// Name shown to people.
    pub display: String,
    /// Roles.
    pub roles: Vec<String>,
    /// The person, when this person has an account already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/accounts/{id}/roles`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RoleChange {
    /// The roles it shall have.
    pub roles: Vec<String>,
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/accounts/{id}/{recover,disable,enable,unlock}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Reason {
    /// Why.
    pub reason: String,
}

/// `POST /api/v1/break-glass`: asks for a role in an emergency. Two others confirm.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct BreakGlass {
    /// Role.
    pub role: String,
    /// Minutes it is held: 1 to 60.
    pub minutes: u32,
    /// Why.
    pub reason: String,
}

/// What came of a change that may need two persons.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Changed {
    /// `done`, or `waits` for a second person.
    pub state: String,
    /// The approval it waits for.
    pub approval: Option<String>,
    /// A one-use link, once: hand it to the person yourself.
    pub link: Option<String>,
    /// What else there is to know: why it waits and who can confirm it, or that another reason than the one given is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<Words>,
}

/// A role, and what it may do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// Name, e.g. `audit-admin`.
    pub name: String,
    /// Title in Chinese.
    pub zh: String,
    /// Title in English.
    pub en: String,
    /// What it may do.
    pub may: Vec<String>,
    /// Roles the same person may not hold.
    pub never_with: Vec<String>,
}
