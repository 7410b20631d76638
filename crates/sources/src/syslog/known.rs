//! Values of one line that were replaced already.

use super::redact::Word;

/// Values that stand for accounts, addresses and so on. A line has hardly ever more than a few: those need no memory of their own.
#[derive(Default)]
pub(super) struct Known<'a> {
    few: [Option<(Word, &'a str)>; FEW],
    count: usize,
    more: Vec<(Word, &'a str)>,
}

/// Values of a line that lie in place.
const FEW: usize = 4;

impl<'a> Known<'a> {
    pub(super) fn len(&self) -> usize {
        self.count + self.more.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Word, &'a str)> {
        self.few.iter().take(self.count).flatten().chain(&self.more)
    }

    pub(super) fn push(&mut self, word: Word, value: &'a str) {
        match self.few.get_mut(self.count) {
            Some(slot) => {
                *slot = Some((word, value));
                self.count += 1;
            }
            None => self.more.push((word, value)),
        }
    }
}
