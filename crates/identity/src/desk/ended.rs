//! Links that lead nowhere any more: that they were real once, and how they ended, so that whoever opens one is told what to do. A link that never was
//! is told nothing.

use serde::{Deserialize, Serialize};
use weir_base::time::Millis;
use weir_record::Id;

use super::codec::{as_base64, as_ms, as_text};
use super::secret::{self, Hash};

/// How a one-use link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkEnd {
    /// It was used.
    Used,
    /// Its time was over.
    Over,
    /// Another link of the same account took its place.
    Replaced,
    /// Wrong codes were given with it, or its account was disabled.
    Void,
}

/// A link that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndedLink {
    /// The link's id; of the first account's link, which has none, the first half of its hash.
    #[serde(with = "as_text")]
    pub id: Id,
    /// The account it was for.
    #[serde(with = "as_text")]
    pub account: Id,
    /// What was kept of its secret.
    #[serde(with = "as_base64")]
    pub hash: Hash,
    /// When it ended.
    #[serde(with = "as_ms")]
    pub at: Millis,
    /// How.
    pub how: LinkEnd,
}

/// Id and hash of the first account's link, whose token has no id in it.
pub fn setup_key(token: &str) -> (Id, Hash) {
    let hash = secret::hash(token);
    (secret::half(&hash), hash)
}
