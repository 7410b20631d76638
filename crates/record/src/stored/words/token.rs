//! What of a text goes into the word index, and what a word of a search asks of it. Both sides cut in the same way: runs of ASCII letters,
//! digits and `_` are words; every other character above ASCII stands alone and with the one after it, so that what has no spaces is found
//! wherever it stands; punctuation is nothing.

use std::str::Chars;

/// Beginnings of a word that are kept, in bytes: what `word*` asks for.
const BEGINNINGS: [usize; 2] = [3, 6];

const WORD: u64 = 0x51;
const ALONE: u64 = 0xa2;
const PAIR: u64 = 0xb3;
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// True for the bytes that words are made of.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Spreads the bits of a number: the last step of SplitMix64.
pub(super) fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// FNV-1a over a word, whatever its case.
#[derive(Clone, Copy)]
struct Running {
    hash: u64,
    len: usize,
}

impl Running {
    const NEW: Running = Running { hash: BASIS, len: 0 };

    fn of(text: &str) -> Running {
        let mut running = Running::NEW;
        text.bytes().for_each(|b| running.push(b));
        running
    }

    fn push(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(PRIME);
        self.len += 1;
    }

    fn whole(self) -> u64 {
        mix(self.hash ^ WORD)
    }

    fn beginning(self) -> u64 {
        mix(self.hash ^ (self.len as u64) << 56)
    }
}

fn alone(c: char) -> u64 {
    mix(u64::from(u32::from(c)) << 8 | ALONE)
}

fn pair(a: char, b: char) -> u64 {
    mix(u64::from(u32::from(a)) << 40 | u64::from(u32::from(b)) << 8 | PAIR)
}

/// Calls `each` with the features of one word.
pub(super) fn word_features(bytes: &[u8], each: &mut impl FnMut(u64)) {
    let mut word = Running::NEW;
    for byte in bytes {
        word.push(*byte);
        if BEGINNINGS.contains(&word.len) {
            each(word.beginning());
        }
    }
    each(word.whole());
}

/// Calls `each` with the features of what of a text is above ASCII.
pub(super) fn alone_features(text: &str, mut each: impl FnMut(u64)) {
    let mut before: Option<char> = None;
    for c in text.chars() {
        if c.is_ascii() {
            before = None;
            continue;
        }
        each(alone(c));
        if let Some(before) = before.replace(c) {
            each(pair(before, c));
        }
    }
}

/// Calls `each` with the features of a text, some of them more than once.
pub fn features(text: &str, mut each: impl FnMut(u64)) {
    let mut word = Running::NEW;
    let mut before: Option<char> = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii() {
            before = None;
            if is_word(*byte) {
                word.push(*byte);
                if BEGINNINGS.contains(&word.len) {
                    each(word.beginning());
                }
            } else if word.len > 0 {
                each(std::mem::replace(&mut word, Running::NEW).whole());
            }
            at += 1;
            continue;
        }
        if word.len > 0 {
            each(std::mem::replace(&mut word, Running::NEW).whole());
        }
        // Characters of a text begin where the one before ended.
        let Some(c) = text.get(at..).map(str::chars).as_mut().and_then(Chars::next) else { return };
        each(alone(c));
        if let Some(before) = before.replace(c) {
            each(pair(before, c));
        }
        at += c.len_utf8();
    }
    if word.len > 0 {
        each(word.whole());
    }
}

/// One word of a search, letters of ASCII in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    text: String,
    /// `word*`: anything may follow.
    prefix: bool,
}

impl Word {
    /// Reads `word` or `word*`; none if nothing is left of it.
    pub fn parse(text: &str) -> Option<Word> {
        let word = Word { prefix: text.ends_with('*'), text: text.trim_end_matches('*').to_ascii_lowercase() };
        (!word.text.is_empty()).then_some(word)
    }

    /// What is looked for, without the star.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True if the word stands in the text, whole (or as a beginning), whatever the case of ASCII letters.
    pub fn is_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let Some(first) = self.text.bytes().next() else { return true };
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|t| memchr::memchr2(first, first.to_ascii_uppercase(), t)) {
            let at = from + at;
            if self.fits_at(text, at) {
                return true;
            }
            from = at + 1;
        }
        false
    }

    fn fits_at(&self, text: &[u8], at: usize) -> bool {
        let word = self.text.as_bytes();
        let Some(found) = text.get(at..at + word.len()) else { return false };
        if !found.eq_ignore_ascii_case(word) {
            return false;
        }
        let edge =
            |inside: Option<&u8>, outside: Option<&u8>| !(inside.is_some_and(|b| is_word(*b)) && outside.is_some_and(|b| is_word(*b)));
        let begins = edge(word.first(), at.checked_sub(1).and_then(|i| text.get(i)));
        begins && (self.prefix || edge(word.last(), text.get(at + word.len())))
    }

    /// The features that every text has in which the word stands. None at all if the index can say nothing about it.
    pub fn wanted(&self) -> Vec<u64> {
        let class = |c: char| (c.is_ascii(), c.is_ascii() && is_word(c as u8));
        let mut out = Vec::new();
        let mut rest = self.text.as_str();
        while let Some(first) = rest.chars().next() {
            let (run, after) = rest.split_at(rest.find(|c| class(c) != class(first)).unwrap_or(rest.len()));
            rest = after;
            match class(first) {
                (false, _) => {
                    let chars: Vec<char> = run.chars().collect();
                    match chars.as_slice() {
                        [one] => out.push(alone(*one)),
                        many => out.extend(many.windows(2).filter_map(|w| Some(pair(*w.first()?, *w.last()?)))),
                    }
                }
                (true, true) if self.prefix && rest.is_empty() => {
                    let kept = BEGINNINGS.into_iter().rev().find(|n| *n <= run.len());
                    out.extend(kept.and_then(|n| run.get(..n)).map(|beginning| Running::of(beginning).beginning()));
                }
                (true, true) => out.push(Running::of(run).whole()),
                (true, false) => {}
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}
