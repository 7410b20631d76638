//! Values of one line that were replaced already.

use super::redact::Word;

/// Values that stand for accounts, addresses and so on. A line has hardly ever more than a few: those need no memory of their own.
pub(super) struct Known<'a> {
    /// As many of them as [`Known::count`] says.
    few: [(Word, &'a str); FEW],
    count: usize,
    more: Vec<(Word, &'a str)>,
    /// With which bytes they begin: a bit for each.
    firsts: [u64; 4],
}

/// Values of a line that lie in place.
const FEW: usize = 4;

impl Default for Known<'_> {
    fn default() -> Self {
        Known { few: [(Word::User, ""); FEW], count: 0, more: Vec::new(), firsts: [0; 4] }
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

    pub(super) fn push(&mut self, word: Word, value: &'a str) {
        if let Some(first) = value.as_bytes().first() {
            self.firsts[usize::from(first >> 6)] |= 1 << (first & 63);
        }
        match self.few.get_mut(self.count) {
            Some(slot) => {
                *slot = (word, value);
                self.count += 1;
            }
            None => self.more.push((word, value)),
        }
    }
}
