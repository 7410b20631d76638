//! What must hold for any text, word and set.

use std::collections::BTreeSet;

use super::{Builder, Set, Word, features};

/// A word that stands in a text asks for features that the text has, and the index of a file with that text says so; a set of any bytes is
/// refused or read.
///
/// The input: length of the word, the word, the text.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn record_words(data: &[u8]) {
    if let Ok(set) = Set::decode(data) {
        let _ = (set.may_hold(1, 0), set.may_hold(u64::MAX, u32::MAX));
    }
    let Some((len, rest)) = data.split_first() else { return };
    let (word, text) = rest.split_at(usize::from(*len).min(rest.len()));
    let (word, text) = (String::from_utf8_lossy(word), String::from_utf8_lossy(text));
    let Some(word) = Word::parse(&word) else { return };
    let mut has = BTreeSet::new();
    features(&text, |feature| {
        has.insert(feature);
    });
    let found = word.is_in(&text);
    let mut builder = Builder::new("file");
    let mut entries = builder.row(std::iter::once(text.as_ref()));
    entries.extend(builder.finish());
    for feature in word.wanted() {
        assert!(!found || has.contains(&feature), "the index knows what a search asks for");
        let (_, value) =
            entries.iter().rev().find(|(key, _)| key.as_slice() <= &super::key(0, feature)[..]).expect("every feature has its set");
        let set = Set::decode(value).expect("what was written is read");
        assert!(!has.contains(&feature) || set.may_hold(feature, 0), "the index never denies what is there");
    }
}
