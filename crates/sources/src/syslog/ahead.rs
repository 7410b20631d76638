//! Where in a text the next value, label or secret may begin: most words of most lines are none of them, and go by without being looked at one by one.
//!
//! Of 64 bytes at a time it is known what stands where, a bit for each; the rest is arithmetic on those bits. It says yes where the answer may be no; it
//! never says no where the answer is yes.

use weir_lanes::{Classes, Found, Scan, TOGETHER, WINDOW};

use super::known::Known;
use super::labels::{self, Lengths};
use super::secrets;

/// Most digits of an address before its first separator.
const ADDRESS_DIGITS: u32 = 4;

const DIGIT: u8 = 1;
/// Letters up to O, and those behind it.
const EARLY: u8 = 2;
const LATE: u8 = 4;
/// `_`.
const LINE: u8 = 8;
/// Letters of hexadecimal digits.
const HEX: u8 = 16;
const DOT: u8 = 32;
const COLON: u8 = 64;
/// `+` and `-`.
const SIGN: u8 = 128;

const CLASSES: Classes = Classes::NONE
    .with(DIGIT, 1 << 3, (0, 9))
    .with(EARLY, 1 << 4 | 1 << 6, (1, 15))
    .with(LATE, 1 << 5 | 1 << 7, (0, 10))
    .with(LINE, 1 << 5, (15, 15))
    .with(HEX, 1 << 4 | 1 << 6, (1, 6))
    .with(DOT, 1 << 2, (14, 14))
    .with(COLON, 1 << 3, (10, 10))
    .with(SIGN, 1 << 2, (11, 11))
    .with(SIGN, 1 << 2, (13, 13));

static SCAN: Scan<7> = Scan {
    classes: CLASSES,
    sets: [DIGIT | EARLY | LATE | LINE, DIGIT, LINE, DIGIT | HEX, DOT, COLON, SIGN],
    begin: beginnings(beginnings([Classes::NONE; 3], labels::LISTS), secrets::LISTS),
};

/// Lengths of the words behind which an account or a secret stands.
static WORDS: Lengths = labels::LENGTHS.and(&secrets::LENGTHS);

/// `begin` with the beginnings of words besides: those with certain first letters have a bit together, and those of two letters.
const fn beginnings(mut begin: [Classes; 3], lists: &[&[&str]]) -> [Classes; 3] {
    let mut list = 0;
    while list < lists.len() {
        let mut word = 0;
        while word < lists[list].len() {
            begin = with_beginning(begin, lists[list][word].as_bytes());
            word += 1;
        }
        list += 1;
    }
    begin
}

const fn with_beginning(mut begin: [Classes; 3], word: &[u8]) -> [Classes; 3] {
    let bit = 1
        << match (word.len(), word[0]) {
            (..=2, _) => 0,
            (_, b'a') => 1,
            (_, b'c' | b'f' | b'h' | b'k') => 2,
            (_, b'l' | b'n') => 3,
            (_, b'd' | b'o' | b'r') => 4,
            (_, b'p') => 5,
            (_, b's') => 6,
            _ => 7,
        };
    let mut at = 0;
    while at < begin.len() {
        begin[at] = if at < word.len() {
            let (small, large) = (word[at].to_ascii_lowercase(), word[at].to_ascii_uppercase());
            begin[at].with(bit, 1 << (small >> 4) | 1 << (large >> 4), (small & 15, small & 15))
        } else {
            begin[at].with(bit, u16::MAX, (0, 15))
        };
        at += 1;
    }
    begin
}

/// What is known of a text beyond the place where it is read.
pub(super) struct Ahead<'t> {
    bytes: &'t [u8],
    /// The text, if it is shorter than what is looked at together; zeros behind it.
    short: [u8; WINDOW],
    /// Where the bits stand for, and how far they reach: to the beginning of a word, or to where none begins.
    from: usize,
    until: usize,
    /// Where something may begin.
    bits: u64,
}

impl<'t> Ahead<'t> {
    pub(super) fn of(text: &'t str) -> Ahead<'t> {
        let bytes = text.as_bytes();
        let mut short = [0; WINDOW];
        if let Some(place) = short.get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        Ahead { bytes, short, from: 0, until: 0, bits: 0 }
    }

    /// Forgets what is known: other values are replaced now, or it is read on from where a word may be cut in two.
    pub(super) fn forget(&mut self) {
        self.until = 0;
    }

    /// The next place from `at` on where something may begin, which is no part of a word that began before; the end of the text where there is none.
    /// `told`: a dialect found something, which may stand behind letters.
    pub(super) fn next(&mut self, mut at: usize, known: &Known<'_>, told: bool) -> usize {
        while at < self.bytes.len() {
            if at < self.from || at >= self.until {
                self.look(at, known, told);
            }
            let bits = self.bits >> (at - self.from);
            if bits != 0 {
                return at + bits.trailing_zeros() as usize;
            }
            at = self.until;
        }
        self.bytes.len()
    }

    /// Looks at the bytes from `from` on.
    fn look(&mut self, from: usize, known: &Known<'_>, told: bool) {
        let last = self.bytes.len().saturating_sub(WINDOW);
        let base = from.min(last);
        if from - base >= TOGETHER {
            // The last two bytes of all are not told of.
            (self.from, self.until, self.bits) = (from, self.bytes.len(), u64::MAX);
            return;
        }
        let window = self.bytes.get(base..).and_then(|rest| rest.first_chunk()).unwrap_or(&self.short);
        let found = SCAN.look(window, known.beginnings());
        let span = Span::of(self.bytes, from, base, found, told);
        // Of a word that is cut nobody knows how long it is; one that fills everything is looked at by itself.
        let mut reach = TOGETHER - (from - base);
        let mut bits = span.bits();
        if span.is_cut() {
            let at = 63 - span.begins.leading_zeros();
            (bits, reach) = if at == 0 { (1, reach) } else { (bits & !(u64::MAX << at), at as usize) };
        }
        (self.from, self.until, self.bits) = (from, (from + reach).min(self.bytes.len()), bits);
    }
}

/// Some bytes of a text, as bits.
struct Span<'t> {
    text: &'t [u8],
    /// Where the lowest bit stands for.
    from: usize,
    /// How many bits tell something.
    length: u32,
    found: Found<7>,
    /// Where words begin.
    begins: u64,
    told: bool,
}

impl<'t> Span<'t> {
    /// Of the bytes from `from` on, where `found` tells of those from `base` on.
    fn of(text: &'t [u8], from: usize, base: usize, found: Found<7>, told: bool) -> Span<'t> {
        let before = (from - base) as u32;
        let Found { sets, above, begin, words } = found;
        let found = Found { sets: sets.map(|set| set >> before), above: above >> before, begin: begin >> before, words: words >> before };
        let [word, ..] = found.sets;
        Span { text, from, length: u64::BITS - before, found, begins: word & !(word << 1), told }
    }

    /// True if the last word may go on behind the bits.
    fn is_cut(&self) -> bool {
        let [word, ..] = self.found.sets;
        word >> (self.length - 1) & 1 == 1 && self.text.len() > self.from + self.length as usize
    }

    /// Where something may begin.
    fn bits(&self) -> u64 {
        let [word, digit, line, _, dot, colon, sign] = self.found.sets;
        let begins = self.begins;
        // Numbers of eleven digits and more.
        let two = digit & digit >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        let numbers = eight & two >> 8 & digit >> 10;
        let mut bits = begins & (numbers | self.found.words);
        bits |= self.words(begins & self.found.begin);
        // Words with `_`, and those of which a separator and what may belong to an address or to a scheme stand behind.
        bits |= self.of_words(line, |_, _| true);
        bits |= self.of_words((dot | colon | sign) & word << 1, |at, end| self.leads_on(at, end));
        // `-pX` of a command, and `-u name:X`.
        let before = self.from.checked_sub(1).and_then(|before| self.text.get(before)).is_some_and(|byte| *byte == b'-');
        bits |= each(begins & (sign << 1 | u64::from(before)), |at| matches!(self.byte(at), b'p' | b'P' | b'u' | b'U'));
        // Amid text above ASCII something may begin anywhere; with a sign only behind what is no word.
        let last = 1 << (self.length - 1);
        let double = colon & (colon >> 1 | u64::from(self.told).wrapping_neg() | last);
        let plus = each(sign & !(word << 1), |at| self.byte(at) == b'+');
        bits | self.found.above | plus | (double & !(word << 1))
    }

    fn byte(&self, at: u32) -> u8 {
        self.text.get(self.from + at as usize).copied().unwrap_or(0)
    }

    /// How many bits in a row are set from one on.
    fn run(set: u64, at: u32) -> u32 {
        (!set.checked_shr(at).unwrap_or(0)).trailing_zeros()
    }

    /// Of the words that begin at some bits those that may lead to what stands behind them.
    fn words(&self, begins: u64) -> u64 {
        let [word, ..] = self.found.sets;
        each(begins, |at| {
            let from = self.from + at as usize;
            self.text.get(from..from + Self::run(word, at) as usize).is_some_and(|word| WORDS.may_hold(word))
        })
    }

    /// Where the words begin that some bits belong to, or stand behind: those for which it `is` so, of where it begins and where the bit is.
    fn of_words(&self, bits: u64, is: impl Fn(u32, u32) -> bool) -> u64 {
        let mut out = 0;
        each(bits, |end| {
            let before = self.begins & !(u64::MAX << 1 << end);
            let at = 63u32.saturating_sub(before.leading_zeros());
            out |= u64::from(before != 0 && is(at, end)) << at;
            false
        });
        out
    }

    /// Whether the word that begins at a bit and ends at another, with a separator behind it, may be the beginning of an address, or of a scheme.
    fn leads_on(&self, at: u32, end: u32) -> bool {
        let [_, _, _, hex, _, colon, _] = self.found.sets;
        let colon = colon >> end & 1 == 1;
        let behind = self.text.get(self.from + end as usize + 1..).unwrap_or_default();
        if self.told || (colon && behind.starts_with(b"//")) {
            return true;
        }
        let length = end - at;
        // So many of what follows are not seen.
        let unseen = end + 1 + ADDRESS_DIGITS + 1 > self.length;
        let next = Self::run(hex, end + 1);
        let goes_on = match (colon, length) {
            // Groups of IPv6 and of hardware addresses; a place left out.
            (true, _) => (1..=ADDRESS_DIGITS).contains(&next) || behind.first() == Some(&b':'),
            // Hardware addresses in groups of four, or two; else IPv4.
            (false, 4) => next == 4,
            (false, _) => (1..=3).contains(&next),
        };
        length <= ADDRESS_DIGITS && Self::run(hex, at) >= length && (goes_on || unseen)
    }
}

/// Those of some bits for which it is so.
fn each(mut bits: u64, mut is: impl FnMut(u32) -> bool) -> u64 {
    let mut out = 0;
    while bits != 0 {
        let at = bits.trailing_zeros();
        bits &= bits - 1;
        out |= u64::from(is(at)) << at;
    }
    out
}
