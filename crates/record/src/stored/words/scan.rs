//! The features of one text after the other, less those of words that came a moment ago: most words of a log come again and again.

use super::token::{alone_features, is_word, word_features};

/// Words that are remembered.
const RECENT: usize = 4_096;
/// Bytes of the longest word, and of the longest text, that is remembered.
const SHORT: usize = 16;
/// Texts that are remembered as they are: names of hosts and programs, which hardly change.
const RECENT_TEXTS: usize = 256;
/// Bytes looked at together.
const CHUNK: usize = 64;
/// The bit that makes a letter of ASCII a small one. Of what words are made of, it changes `_` besides, into what no word has.
const SMALL: u128 = u128::from_le_bytes([0x20; SHORT]);

/// Cuts texts into words and remembers those of late.
pub(super) struct Scanner {
    /// Words in small letters, each at a place that follows from it; 0 is none.
    recent: Vec<u128>,
    /// Short texts and their lengths, likewise; a length of 0 is none.
    texts: Vec<(u128, u8)>,
}

impl Scanner {
    pub(super) fn new() -> Scanner {
        Scanner { recent: vec![0; RECENT], texts: vec![(0, 0); RECENT_TEXTS] }
    }

    /// Forgets all words and texts.
    pub(super) fn clear(&mut self) {
        self.recent.fill(0);
        self.texts.fill((0, 0));
    }

    /// Calls `each` with the features of a text, some of them more than once, but for those of words and texts it was called for since the last
    /// [`Scanner::clear`], as far as they are remembered.
    pub(super) fn features(&mut self, text: &str, mut each: impl FnMut(u64)) {
        let words = Words::of(text.as_bytes());
        if words.lasts == text.len() && self.is_recent(words.last, text.len()) {
            return;
        }
        let mut edges = Edges { open: None, inside: 0 };
        let mut more = 0;
        let mut from = 0;
        let (chunks, rest) = text.as_bytes().as_chunks::<CHUNK>();
        // Behind it zeros stand, so that every word ends.
        let mut last = [0; CHUNK];
        last[..rest.len()].copy_from_slice(rest);
        for chunk in chunks.iter().chain(std::iter::once(&last)) {
            let (word, high) = classes(chunk);
            more |= high;
            edges.each(word, from, |from, to| self.word(&words, from, to, &mut each));
            from += CHUNK;
        }
        if more != 0 {
            alone_features(text, each);
        }
    }

    /// True if this short text is remembered. From now on it is.
    fn is_recent(&mut self, text: u128, length: usize) -> bool {
        let known = (text, length as u8);
        let slot = self.texts.get_mut(place(text) % RECENT_TEXTS);
        length > 0 && slot.is_some_and(|slot| std::mem::replace(slot, known) == known)
    }

    fn word(&mut self, words: &Words<'_>, from: usize, to: usize, each: &mut impl FnMut(u64)) {
        if let Some(key) = words.key(from, to) {
            let slot = self.recent.get_mut(place(key));
            if slot.is_some_and(|slot| std::mem::replace(slot, key) == key) {
                return;
            }
        }
        word_features(words.text.get(from..to).unwrap_or_default(), each);
    }
}

/// Where a word is remembered.
fn place(key: u128) -> usize {
    let folded = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % RECENT
}

/// The words of a text as numbers.
struct Words<'a> {
    text: &'a [u8],
    /// The last bytes of the text, and how many they are.
    last: u128,
    lasts: usize,
}

impl<'a> Words<'a> {
    fn of(text: &'a [u8]) -> Words<'a> {
        let lasts = text.len().min(SHORT);
        let last = match text.last_chunk::<SHORT>() {
            Some(last) => u128::from_le_bytes(*last),
            None => text.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
        };
        Words { text, last, lasts }
    }

    /// A word in small letters; none if it is long.
    fn key(&self, from: usize, to: usize) -> Option<u128> {
        let len = to - from;
        if len == 0 || len > SHORT {
            return None;
        }
        let bytes = match self.text.get(from..).and_then(|text| text.first_chunk::<SHORT>()) {
            Some(bytes) => u128::from_le_bytes(*bytes),
            None => self.last >> (8 * (self.lasts - (self.text.len() - from))),
        };
        Some((bytes | SMALL) & (u128::MAX >> (8 * (SHORT - len))))
    }
}

/// Where words begin and end.
struct Edges {
    /// Where the word began that is not over.
    open: Option<usize>,
    /// 1 if it goes on into the next bytes.
    inside: u64,
}

impl Edges {
    /// Calls `each` with the words that end among the next bytes; of those a bit says which are a word's, and the first of them is at `at`.
    fn each(&mut self, word: u64, at: usize, mut each: impl FnMut(usize, usize)) {
        let mut edges = word ^ (word << 1 | self.inside);
        self.inside = word >> 63;
        while edges != 0 {
            let edge = at + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            match self.open.take() {
                Some(from) => each(from, edge),
                None => self.open = Some(edge),
            }
        }
    }
}

/// Which bytes words are made of, one bit each, and whether any is above ASCII.
fn classes(bytes: &[u8; CHUNK]) -> (u64, u8) {
    let is = bytes.map(|byte| u8::from(is_word(byte)));
    let high = bytes.iter().fold(0, |all, byte| all | byte) & 0x80;
    let mut word = 0;
    for (eight, at) in is.as_chunks::<8>().0.iter().zip((0u32..).step_by(8)) {
        // The lowest bit of each byte goes to the highest byte, side by side.
        word |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
    }
    (word, high)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::token::features;
    use super::*;

    proptest::proptest! {
        #[test]
        fn texts_one_after_the_other_have_the_features_they_have_alone(
            texts in proptest::collection::vec("[a-cA-C1_ .@\\[`{^~/:;\u{7f}é用户]{0,12}[a-zA-Z0-9]{0,40}[ -~户]{0,150}", 0..12)
        ) {
            let (mut scanner, mut got, mut want) = (Scanner::new(), BTreeSet::new(), BTreeSet::new());
            // Short ones besides, some of them more than once.
            let short = texts.iter().flat_map(|text| [text.get(..8), text.get(..8), text.get(..7)]).flatten();
            for text in texts.iter().map(String::as_str).chain(short) {
                scanner.features(text, |f| { got.insert(f); });
                features(text, |f| { want.insert(f); });
            }
            proptest::prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn a_word_is_told_once_and_again_after_the_others_were_forgotten() {
        let mut scanner = Scanner::new();
        let count = |scanner: &mut Scanner, text: &str| {
            let mut count = 0;
            scanner.features(text, |_| count += 1);
            count
        };
        assert_eq!(count(&mut scanner, "abc ABC Abc"), 2);
        assert_eq!(count(&mut scanner, "a_c"), 2);
        assert_eq!(count(&mut scanner, "abc A_C"), 0);
        scanner.clear();
        assert_eq!(count(&mut scanner, "abc"), 2);
    }
}
