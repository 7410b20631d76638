//! A dialect file as it is written; what it means is in `dialect`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pairs::Place;

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    pub(super) fn list(self) -> Vec<String> {
        match self {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) title: String,
    #[serde(default)]
    pub(super) rule: Vec<RuleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    pub(super) event: String,
    #[serde(default)]
    pub(super) form: Option<String>,
    #[serde(default)]
    pub(super) keys: Vec<String>,
    #[serde(default)]
    pub(super) programs: Vec<String>,
    #[serde(default)]
    pub(super) named: bool,
    #[serde(default, rename = "match")]
    pub(super) patterns: Option<OneOrMore>,
    #[serde(default)]
    pub(super) split: Option<String>,
    #[serde(default)]
    pub(super) from: Option<Place>,
    #[serde(default)]
    pub(super) separator: Option<char>,
    #[serde(default)]
    pub(super) when: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    pub(super) pairs: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, String>,
}
