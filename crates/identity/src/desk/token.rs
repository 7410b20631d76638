//! API tokens. A token may do what it was made for, as far as its account may do it *now*.

use serde::{Deserialize, Serialize};
use weir_base::time::Millis;
use weir_record::Id;

use super::codec::{as_base64, as_ms, as_ms_maybe, as_text, as_texts};
use super::limits::TOKEN_DAYS;
use super::refused::Refused;
use super::roles::{Capabilities, Capability, NEVER_A_TOKEN};

/// What a token's text begins with.
pub const PREFIX: &str = "weir_";

/// A token, as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Id: the first part of its text.
    #[serde(with = "as_text")]
    pub id: Id,
    /// Its account.
    #[serde(with = "as_text")]
    pub account: Id,
    /// Name given.
    pub name: String,
    /// What it was made for.
    #[serde(with = "as_texts")]
    pub scope: Vec<Capability>,
    /// Hash of the second part of its text.
    #[serde(with = "as_base64")]
    pub hash: [u8; 32],
    /// Ends at.
    #[serde(with = "as_ms")]
    pub expires: Millis,
    /// Last use that was recorded.
    #[serde(with = "as_ms_maybe")]
    pub used: Option<Millis>,
}

impl Token {
    /// What it may do while its account may do `account`.
    pub fn may(&self, account: Capabilities) -> Capabilities {
        let never = Capabilities::of(NEVER_A_TOKEN);
        let scope: Vec<Capability> = self.scope.iter().copied().filter(|c| !never.has(*c)).collect();
        Capabilities::of(&scope).and(account)
    }
}

/// Checks what a new token shall do against what its account may.
pub fn scope(names: &[String], account: Capabilities) -> Result<Vec<Capability>, Refused> {
    let mut scope = Vec::new();
    for name in names {
        let c: Capability = name.parse().map_err(|e: String| Refused::bad("scope", e))?;
        if NEVER_A_TOKEN.contains(&c) {
            return Err(Refused::bad("scope", format!("No token may have {}: it needs a person who is signed in.", c.name())));
        }
        if !account.has(c) {
            return Err(Refused::bad("scope", format!("The account itself may not do {}.", c.name())));
        }
        scope.push(c);
    }
    scope.sort_unstable();
    scope.dedup();
    if scope.is_empty() {
        return Err(Refused::bad("scope", "A token needs something it may do."));
    }
    Ok(scope)
}

/// Checks how long a token holds, in days, and gives its end.
pub fn end(days: u32, now: Millis) -> Result<Millis, Refused> {
    match (1..=TOKEN_DAYS).contains(&days) {
        true => Ok(now.plus(i64::from(days) * weir_base::time::DAY_MS)),
        false => Err(Refused::bad("days", format!("A token holds 1 to {TOKEN_DAYS} days."))),
    }
}
