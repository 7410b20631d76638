//! Which of sixty-four bytes are of some kind: bit `n` for byte `n`. Texts are taken apart with it without a branch for each byte.

/// Bytes looked at together.
pub const CHUNK: usize = 64;

/// Letters and digits of ASCII and `_`: what words are made of.
#[inline]
#[must_use]
pub fn of_words(bytes: &[u8; CHUNK]) -> u64 {
    // Without a choice between them, so that many bytes are compared at once.
    those(bytes, |byte| ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'0') < 10) | (byte == b'_'))
}

/// Parts of characters above ASCII.
#[inline]
#[must_use]
pub fn beyond_ascii(bytes: &[u8; CHUNK]) -> u64 {
    those(bytes, |byte| byte >= 0x80)
}

/// Those of which `is` is true, which should be comparisons alone.
#[inline]
pub fn those(bytes: &[u8; CHUNK], is: impl Fn(u8) -> bool) -> u64 {
    let is = bytes.map(|byte| u8::from(is(byte)));
    let mut out = 0;
    for (eight, at) in is.as_chunks::<8>().0.iter().zip((0u32..).step_by(8)) {
        // The lowest bit of each byte goes to the highest byte, side by side.
        out |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte.
    fn plain(bytes: &[u8; CHUNK], is: impl Fn(&u8) -> bool) -> u64 {
        bytes.iter().rev().fold(0, |out, byte| out << 1 | u64::from(is(byte)))
    }

    #[test]
    fn every_byte_at_every_place_is_what_it_is() {
        for byte in 0..=u8::MAX {
            for fill in [0, b'a', b'_', 0x80, 0xff] {
                for at in 0..CHUNK {
                    let mut bytes = [fill; CHUNK];
                    bytes[at] = byte;
                    assert_eq!(of_words(&bytes), plain(&bytes, |b| b.is_ascii_alphanumeric() || *b == b'_'), "{byte} {fill} {at}");
                    assert_eq!(beyond_ascii(&bytes), plain(&bytes, |b| !b.is_ascii()), "{byte} {fill} {at}");
                    assert_eq!(those(&bytes, |b| b == 0xff), plain(&bytes, |b| *b == 0xff), "{byte} {fill} {at}");
                }
            }
        }
        let mut bytes = [b' '; CHUNK];
        (bytes[0], bytes[9], bytes[63]) = (b'Z', b'0', 0xe7);
        assert_eq!((of_words(&bytes), beyond_ascii(&bytes), those(&bytes, |b| b == b' ')), (1 | 1 << 9, 1 << 63, !(1 | 1 << 9 | 1 << 63)));
    }
}
