//! What each byte may be part of, and words with which nothing begins: most bytes of most lines are passed by these tables alone.

use weir_base::bits::{CHUNK, of_words, those};

use super::forms::is_word;
use super::labels::{self, Lengths};
use super::secrets;

/// Letters, digits and `_`.
pub(super) const WORD: u8 = 1;
/// What an address, a hardware address or a number may begin with.
pub(super) const VALUE: u8 = 2;
/// What may stand before the `@` of a mail address.
pub(super) const MAIL: u8 = 4;
/// What may stand between a label and its account.
pub(super) const BETWEEN: u8 = 8;
/// Part of a character above ASCII.
pub(super) const BEYOND: u8 = 16;
/// No value that betrays itself begins with it, and it is part of no word: a space, a comma and the like.
pub(super) const IDLE: u8 = 32;

/// Digits of the shortest number that is replaced without a sign before it.
const NUMBER_DIGITS: usize = 11;
/// Most digits of an address before its first separator.
const ADDRESS_DIGITS: usize = 4;

/// What each byte may be part of.
static CLASSES: [u8; 256] = classes();

/// Lengths of the words behind which an account or a secret stands.
static WORDS: Lengths = labels::LENGTHS.and(&secrets::LENGTHS);

/// What a byte may be part of.
pub(super) fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

const fn classes() -> [u8; 256] {
    let mut out = [0; 256];
    let mut byte = 0u8;
    loop {
        let mut class = 0;
        if is_word(byte) {
            class |= WORD | MAIL;
        }
        if byte.is_ascii_hexdigit() || matches!(byte, b':' | b'+') {
            class |= VALUE;
        }
        if matches!(byte, b'.' | b'-' | b'+' | b'%') {
            class |= MAIL;
        }
        if matches!(byte, b'=' | b':' | b' ' | b'"' | b'\'' | b'[' | b'(' | b'<' | b'`' | b'\\') {
            class |= BETWEEN;
        }
        if !byte.is_ascii() {
            class |= BEYOND;
        }
        if byte.is_ascii() && class & (WORD | VALUE) == 0 {
            class |= IDLE;
        }
        out[byte as usize] = class;
        if byte == u8::MAX {
            return out;
        }
        byte += 1;
    }
}

/// Where words and what stands between them end, sixty-four bytes at a time.
pub(super) struct Edges<'t> {
    bytes: &'t [u8],
    /// Where the sixty-four begin that the bits speak of.
    from: usize,
    /// Parts of words ([`WORD`]).
    word: u64,
    /// What is neither a letter nor a digit nor [`IDLE`]: `_`, signs with which values begin, parts of characters above ASCII.
    odd: u64,
}

impl<'t> Edges<'t> {
    pub(super) fn of(bytes: &'t [u8]) -> Edges<'t> {
        let mut edges = Edges { bytes, from: 0, word: 0, odd: 0 };
        edges.load(0);
        edges
    }

    /// Looks at the bytes from `from` on, which are none if it lies behind the end.
    fn load(&mut self, from: usize) {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let mut last = [0; CHUNK];
        let chunk = rest.first_chunk().unwrap_or_else(|| {
            // Behind it zeros stand, which are idle.
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        (self.from, self.word) = (from, of_words(chunk));
        self.odd = those(chunk, |byte| (byte >= 0x80) | (byte == b'_') | (byte == b':') | (byte == b'+'));
    }

    /// Bits of the bytes from `at` on, the first one's the lowest, of so many bytes.
    fn at(&mut self, at: usize) -> (u64, u64, usize) {
        if at.wrapping_sub(self.from) >= CHUNK {
            self.load(at - at % CHUNK);
        }
        let before = at - self.from;
        (self.word >> before, self.odd >> before, CHUNK - before)
    }

    /// Where the word ends that begins at `at`, and whether it holds `_`.
    pub(super) fn word(&mut self, mut at: usize) -> (usize, bool) {
        let mut marked = false;
        loop {
            let (word, odd, count) = self.at(at);
            let length = word.trailing_ones() as usize;
            marked |= odd & !(u64::MAX.checked_shl(length as u32).unwrap_or(0)) != 0;
            if length < count {
                return (at + length, marked);
            }
            at += count;
        }
    }

    /// Where the bytes end with which no value begins that betrays itself. Labels lead over some of them: it is for behind words that lead to nothing, in
    /// texts without `@`.
    pub(super) fn idle(&mut self, mut at: usize) -> usize {
        while at < self.bytes.len() {
            let (word, odd, count) = self.at(at);
            let length = (word | odd).trailing_zeros() as usize;
            if length < count {
                return at + length;
            }
            at += count;
        }
        self.bytes.len()
    }
}

/// Where the word ends that begins at `at`, if neither a value that betrays itself begins with it nor anything leads to what stands behind it: most
/// words of most lines. None where that is not certain. `told`: a dialect found something, which may stand behind letters.
pub(super) fn plain_word(edges: &mut Edges<'_>, at: usize, told: bool) -> Option<usize> {
    let bytes = edges.bytes;
    let (end, marked) = edges.word(at);
    let (word, behind) = (bytes.get(at..end)?, bytes.get(end..)?);
    let (first, length) = (*word.first()?, word.len());
    let is_number = first.is_ascii_digit() && length >= NUMBER_DIGITS;
    let may_be_address = told || (length <= ADDRESS_DIGITS && first.is_ascii_hexdigit());
    let is_address = matches!(behind.first(), Some(b'.' | b':' | b'-')) && (may_be_address || behind.starts_with(b"://"));
    // `-pX` of a command, and `-u name:X`.
    let is_option = matches!(first, b'p' | b'P' | b'u' | b'U') && at > 0 && bytes.get(at - 1) == Some(&b'-');
    let is_odd = is_number || is_address || is_option || marked || WORDS.may_hold(word);
    (!is_odd).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same byte by byte.
    fn plain(bytes: &[u8], at: usize) -> (usize, bool, usize) {
        let rest = &bytes[at..];
        let length = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
        let idle = rest.iter().position(|b| class(*b) & IDLE == 0).unwrap_or(rest.len());
        (at + length, rest[..length].contains(&b'_'), at + idle)
    }

    #[test]
    fn words_and_what_is_between_end_where_they_do_byte_by_byte() {
        for length in (0..=5).chain([63, 64, 65, 128, 129]) {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    for fill in [b'a', b'_', b' '] {
                        let mut bytes = vec![fill; length];
                        bytes[at] = byte;
                        let mut edges = Edges::of(&bytes);
                        for from in [0, at, at / 2, length - 1] {
                            let (end, marked) = edges.word(from);
                            assert_eq!((end, marked, edges.idle(from)), plain(&bytes, from), "{from} {bytes:?}");
                        }
                    }
                }
            }
        }
        let mut nothing = Edges::of(&[]);
        assert_eq!((nothing.word(0), nothing.idle(0)), ((0, false), 0));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken_apart_as_byte_by_byte(text in "[a-c_ :+,.=户]{0,300}", places in proptest::collection::vec(0usize..300, 0..20)) {
            let bytes = text.as_bytes();
            let mut edges = Edges::of(bytes);
            // Forth and back.
            for at in places.into_iter().filter(|at| *at < bytes.len()) {
                let (end, marked) = edges.word(at);
                proptest::prop_assert_eq!((end, marked, edges.idle(at)), plain(bytes, at));
            }
        }
    }
}
