//! What each byte may be part of, and words with which nothing begins: most bytes of most lines are passed by these tables alone.

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
const IDLE: u8 = 32;

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

/// Where the word that begins at `at` ends.
pub(super) fn word_end(bytes: &[u8], at: usize) -> usize {
    at + word_length(bytes.get(at..).unwrap_or_default()).0
}

/// Bytes of the word at the beginning, and whether it holds `_`. Eight bytes are looked at together, as most words end among the first eight.
fn word_length(bytes: &[u8]) -> (usize, bool) {
    let (mut length, mut marked) = (0, false);
    while let Some(eight) = bytes.get(length..).and_then(|rest| rest.first_chunk()) {
        let (others, marks) = others(u64::from_le_bytes(*eight));
        // Up to the first that is no part of it.
        let before = others.wrapping_sub(1) & !others;
        marked |= marks & before != 0;
        if others != 0 {
            return (length + (others.trailing_zeros() / 8) as usize, marked);
        }
        length += 8;
    }
    for byte in bytes.get(length..).unwrap_or_default() {
        if class(*byte) & WORD == 0 {
            break;
        }
        marked |= *byte == b'_';
        length += 1;
    }
    (length, marked)
}

/// The highest bit of each of eight bytes that is no part of a word ([`WORD`]), and of each that is `_`.
fn others(eight: u64) -> (u64, u64) {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    // Of bytes below 0x80 no sum goes beyond its byte: the highest bit says whether the byte is at least so much.
    let low = eight & !HIGH;
    let at_least = |bytes: u64, least: u8| bytes + ONES * u64::from(0x80 - least);
    let between = |bytes: u64, first: u8, last: u8| at_least(bytes, first) & !at_least(bytes, last + 1);
    // With this bit set only letters are small letters.
    let letters = between(low | (ONES * 0x20), b'a', b'z');
    let marks = between(low, b'_', b'_') & !eight;
    let word = (letters | between(low, b'0', b'9')) & !eight | marks;
    (!word & HIGH, marks & HIGH)
}

/// Where the word ends that begins at `at`, if neither a value that betrays itself begins with it nor anything leads to what stands behind it: most
/// words of most lines. None where that is not certain. `told`: a dialect found something, which may stand behind letters.
pub(super) fn plain_word(bytes: &[u8], at: usize, told: bool) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (length, marked) = word_length(rest);
    let (word, behind) = rest.split_at_checked(length)?;
    let first = *word.first()?;
    let is_number = first.is_ascii_digit() && length >= NUMBER_DIGITS;
    let may_be_address = told || (length <= ADDRESS_DIGITS && first.is_ascii_hexdigit());
    let is_address = matches!(behind.first(), Some(b'.' | b':' | b'-')) && (may_be_address || behind.starts_with(b"://"));
    // `-pX` of a command, and `-u name:X`.
    let is_option = matches!(first, b'p' | b'P' | b'u' | b'U') && at > 0 && bytes.get(at - 1) == Some(&b'-');
    let is_odd = is_number || is_address || is_option || marked || WORDS.may_hold(word);
    (!is_odd).then_some(at + length)
}

/// Where the bytes end with which no value begins that betrays itself, but for those that `but` names. Labels lead over some of them: it is for
/// behind words that lead to nothing, in texts without `@`.
pub(super) fn idle_end(bytes: &[u8], at: usize, but: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| class(*b) & IDLE == 0 || but(*b)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_the_first_byte_that_is_none_of_theirs() {
        let plain = |bytes: &[u8]| bytes.iter().position(|b| !is_word(*b)).unwrap_or(bytes.len());
        for length in 0..=24 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    for fill in [b'a', b'Z', b'0', b'_'] {
                        let mut bytes = vec![fill; length];
                        bytes[at] = byte;
                        let end = plain(&bytes);
                        let want = (end, bytes[..end].contains(&b'_'));
                        assert_eq!(word_length(&bytes), want, "{bytes:?}");
                    }
                }
            }
        }
        assert_eq!(word_length(&[]), (0, false));
    }
}
