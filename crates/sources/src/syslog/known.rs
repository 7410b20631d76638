//! Values of one line that were replaced already.

use weir_lanes::BEGINNING;

use super::forms::is_word;
use super::redact::Word;

/// Values that stand for accounts, addresses and so on. A line has hardly ever more than a few: those need no memory of their own.
pub(super) struct Known<'a> {
    /// As many of them as [`Known::count`] says.
    few: [(Word, &'a str); FEW],
    count: usize,
    more: Vec<(Word, &'a str)>,
    /// With which bytes they begin: a bit for each.
    firsts: [u64; 4],
    /// How they begin, as many of them as `begins` says.
    begin: [[u8; BEGINNING]; BEGINNINGS],
    begins: usize,
    /// That is not all of them.
    odd: bool,
}

/// Values of a line that lie in place.
const FEW: usize = 4;
/// Beginnings of values of a line.
const BEGINNINGS: usize = 8;

impl Default for Known<'_> {
    fn default() -> Self {
        Known {
            few: [(Word::User, ""); FEW],
            count: 0,
            more: Vec::new(),
            firsts: [0; 4],
            begin: [[0; BEGINNING]; BEGINNINGS],
            begins: 0,
            odd: false,
        }
    }
}

impl<'a> Known<'a> {
    pub(super) fn len(&self) -> usize {
        self.count + self.more.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Word, &'a str)> {
        self.few.get(..self.count).unwrap_or_default().iter().chain(&self.more)
    }

    /// True where one of them begins with this byte.
    pub(super) fn begins(&self, byte: u8) -> bool {
        self.firsts[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    /// The first bytes of those that begin with part of a word.
    pub(super) fn beginnings(&self) -> &[[u8; BEGINNING]] {
        self.begin.get(..self.begins).unwrap_or_default()
    }

    /// True where those are not all that begin with a byte of ASCII: one begins with a sign, or is shorter than that, or they are too many.
    pub(super) fn has_more(&self) -> bool {
        self.odd
    }

    fn begin(&mut self, value: &str) {
        let Some(first) = value.as_bytes().first() else { return };
        self.firsts[usize::from(first >> 6)] |= 1 << (first & 63);
        // Above ASCII one may begin anywhere.
        if !first.is_ascii() {
            return;
        }
        match (value.as_bytes().first_chunk(), self.begin.get_mut(self.begins)) {
            (Some(begin), Some(slot)) if is_word(*first) => {
                *slot = *begin;
                self.begins += 1;
            }
            _ => self.odd = true,
        }
    }

    pub(super) fn push(&mut self, word: Word, value: &'a str) {
        self.begin(value);
        match self.few.get_mut(self.count) {
            Some(slot) => {
                *slot = (word, value);
                self.count += 1;
            }
            None => self.more.push((word, value)),
        }
    }
}
