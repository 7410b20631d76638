//! What each byte of a text may be part of, and where words end.

use super::forms::is_word;

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

/// What each byte may be part of.
static CLASSES: [u8; 256] = classes();

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
        out[byte as usize] = class;
        if byte == u8::MAX {
            return out;
        }
        byte += 1;
    }
}

/// Where the word that begins at `at` ends. Eight bytes are looked at together, as most words end among the first eight.
pub(super) fn word_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(eight) = bytes.get(end..).and_then(|rest| rest.first_chunk()) {
        let others = others(u64::from_le_bytes(*eight));
        if others != 0 {
            return end + (others.trailing_zeros() / 8) as usize;
        }
        end += 8;
    }
    let rest = bytes.get(end..).unwrap_or_default();
    end + rest.iter().position(|byte| class(*byte) & WORD == 0).unwrap_or(rest.len())
}

/// The highest bit of each of eight bytes that is no part of a word ([`WORD`]).
fn others(eight: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    // Of bytes below 0x80 no sum goes beyond its byte: the highest bit says whether the byte is at least so much.
    let low = eight & !HIGH;
    let at_least = |bytes: u64, least: u8| bytes + ONES * u64::from(0x80 - least);
    let between = |bytes: u64, first: u8, last: u8| at_least(bytes, first) & !at_least(bytes, last + 1);
    // With this bit set only letters are small letters.
    let letters = between(low | (ONES * 0x20), b'a', b'z');
    !((letters | between(low, b'0', b'9') | between(low, b'_', b'_')) & !eight) & HIGH
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
                        assert_eq!(word_end(&bytes, 0), plain(&bytes), "{bytes:?}");
                    }
                }
            }
        }
        assert_eq!(word_end(&[], 0), 0);
    }
}
