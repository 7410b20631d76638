//! What of the HTTP side itself needs a person: a certificate that could not be renewed, a provider that cannot be reached.

use std::collections::BTreeMap;
use std::sync::Mutex;

use weir_base::task::lock;
use weir_base::time::Millis;

use crate::model::overview::Notice;

/// Notices by their code; each code stands once.
#[derive(Debug, Default)]
pub struct Notices(Mutex<BTreeMap<String, (Millis, &'static str, String)>>);

impl Notices {
    /// Something needs a person. The same code again keeps its beginning.
    pub fn raise(&self, code: &str, level: &'static str, text: impl Into<String>, now: Millis) {
        let mut all = lock(&self.0);
        let since = all.get(code).map_or(now, |(since, ..)| *since);
        all.insert(code.to_owned(), (since, level, text.into()));
    }

    /// It does not any more.
    pub fn clear(&self, code: &str) {
        lock(&self.0).remove(code);
    }

    /// All of them, as the overview shows them.
    pub fn all(&self) -> Vec<Notice> {
        let all = lock(&self.0);
        let shown = |(code, (since, level, text)): (&String, &(Millis, &'static str, String))| Notice {
            level: (*level).to_owned(),
            code: code.clone(),
            text: text.clone(),
            since: Some(since.to_rfc3339()),
        };
        all.iter().map(shown).collect()
    }
}
