//! What of the HTTP side itself needs a person: a certificate that could not be renewed, a provider that cannot be reached.

use std::collections::BTreeMap;
use std::sync::Mutex;

use weir_base::task::lock;
use weir_base::time::Millis;

use crate::model::overview::Notice;
use crate::model::words::Words;

/// Notices by their key; each key stands once. A key is a code of the message catalogue, with `:` and a word where there may be several.
#[derive(Debug, Default)]
pub struct Notices(Mutex<BTreeMap<String, (Millis, &'static str, String)>>);

impl Notices {
    /// Something needs a person. The same key again keeps its beginning.
    pub fn raise(&self, key: &str, level: &'static str, text: impl Into<String>, now: Millis) {
        let mut all = lock(&self.0);
        let since = all.get(key).map_or(now, |(since, ..)| *since);
        all.insert(key.to_owned(), (since, level, text.into()));
    }

    /// It does not any more.
    pub fn clear(&self, key: &str) {
        lock(&self.0).remove(key);
    }

    /// All of them, as the overview shows them.
    pub fn all(&self) -> Vec<Notice> {
        let all = lock(&self.0);
        let shown = |(key, (since, level, text)): (&String, &(Millis, &'static str, String))| Notice {
            level: (*level).to_owned(),
            code: key.split(':').next().unwrap_or(key).to_owned(),
            text: Words::of(text.clone()),
            since: Some(since.to_rfc3339()),
        };
        all.iter().map(shown).collect()
    }
}
