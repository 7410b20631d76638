//! A role in an emergency: confirmed by two other persons, for an hour at most, shown on every page while it is open.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_base::time::Millis;
use weir_record::Id;

use super::codec::{as_ms, as_text};
use super::limits::BREAK_GLASS_MINUTES;
use super::refused::Refused;
use super::roles::Role;

/// Persons who must confirm an emergency.
pub const NEEDED: u32 = 2;

/// An emergency role that was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Id: that of its approval.
    #[serde(with = "as_text")]
    pub id: Id,
    /// Who has it.
    #[serde(with = "as_text")]
    pub account: Id,
    /// The role.
    #[serde(with = "as_text")]
    pub role: Role,
    /// From.
    #[serde(with = "as_ms")]
    pub from: Millis,
    /// Until.
    #[serde(with = "as_ms")]
    pub until: Millis,
}

impl Emergency {
    /// Open now. A clock that went back does not make it longer.
    pub fn is_open(&self, now: Millis) -> bool {
        self.from <= now && now < self.until
    }
}

/// The content of its approval.
///
/// # Errors
/// [`Refused::Bad`] for a time that is too long.
pub fn content(account: Id, role: Role, minutes: u32) -> Result<Value, Refused> {
    match (1..=BREAK_GLASS_MINUTES).contains(&minutes) {
        true => Ok(json!({"account": account.to_string(), "role": role.name(), "minutes": minutes})),
        false => Err(Refused::bad("minutes", format!("An emergency lasts 1 to {BREAK_GLASS_MINUTES} minutes."))),
    }
}

/// Account, role and minutes of a content; none when it is none.
pub fn read(content: &Value) -> Option<(Id, Role, u32)> {
    let text = |name| content.get(name).and_then(Value::as_str);
    let minutes = content.get("minutes")?.as_u64().and_then(|m| u32::try_from(m).ok()).filter(|m| (1..=BREAK_GLASS_MINUTES).contains(m))?;
    Some((text("account")?.parse().ok()?, text("role")?.parse().ok()?, minutes))
}
