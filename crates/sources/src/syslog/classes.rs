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
/// `_`.
const UNDER: u8 = 32;

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
        if byte == b'_' {
            class |= UNDER;
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
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| class(*b) & WORD == 0).unwrap_or(rest.len())
}

/// Where the word ends that begins at `at`, if neither a value that betrays itself begins with it nor anything leads to what stands behind it: most
/// words of most lines. None where that is not certain. `told`: a dialect found something, which may stand behind letters.
pub(super) fn plain_word(bytes: &[u8], at: usize, told: bool) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let (mut length, mut held) = (0, 0);
    let next = loop {
        let Some(byte) = rest.get(length) else { break b' ' };
        let class = class(*byte);
        if class & WORD == 0 {
            break *byte;
        }
        held |= class;
        length += 1;
    };
    let (word, behind) = rest.split_at_checked(length)?;
    let first = *word.first()?;
    let is_number = first.is_ascii_digit() && length >= NUMBER_DIGITS;
    let may_be_address = told || (length <= ADDRESS_DIGITS && first.is_ascii_hexdigit());
    let is_address = matches!(next, b'.' | b':' | b'-') && (may_be_address || behind.starts_with(b"://"));
    // `-pX` of a command, and `-u name:X`.
    let is_option = matches!(first, b'p' | b'P' | b'u' | b'U') && at > 0 && bytes.get(at - 1) == Some(&b'-');
    let is_odd = is_number || is_address || is_option || held & UNDER != 0 || WORDS.may_hold(word);
    (!is_odd).then_some(at + length)
}
