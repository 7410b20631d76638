//! What stands where among 64 bytes, a bit for each: the first step of whatever goes through text. Classes of bytes, and beginnings of words.

/// Bytes that are told of together.
pub const TOGETHER: usize = 64;
/// The most bytes of a beginning.
pub const BEGINNING: usize = 3;
/// Bytes that are looked at to tell of [`TOGETHER`].
pub const WINDOW: usize = TOGETHER + BEGINNING - 1;

/// Classes of bytes, a bit of eight for each, by the two halves of a byte: it is of the classes that both its halves have.
#[derive(Clone, Copy)]
pub struct Classes {
    low: [u8; 16],
    high: [u8; 16],
}

impl Classes {
    /// No byte is of any class.
    pub const NONE: Classes = Classes { low: [0; 16], high: [0; 16] };

    /// With all bytes of a class, or of several, whose upper halves are among the bits of `high`, and whose lower ones are from `low.0` to `low.1`. A class
    /// that is given more than once holds besides what has its halves from different ones.
    pub const fn with(mut self, class: u8, high: u16, low: (u8, u8)) -> Classes {
        assert!(low.0 <= low.1 && low.1 < 16);
        let mut at = 0;
        while at < 16 {
            if high >> at & 1 == 1 {
                self.high[at] |= class;
            }
            if low.0 <= at as u8 && at as u8 <= low.1 {
                self.low[at] |= class;
            }
            at += 1;
        }
        self
    }

    /// The classes of one byte.
    pub const fn of(&self, byte: u8) -> u8 {
        self.low[(byte & 15) as usize] & self.high[(byte >> 4) as usize]
    }
}

/// What to look for.
pub struct Scan<const N: usize> {
    /// Classes of bytes,
    pub classes: Classes,
    /// and the sets of them that are told.
    pub sets: [u8; N],
    /// Beginnings: a bit of eight stands for some of them, by each of their bytes.
    pub begin: [Classes; BEGINNING],
}

/// What stands where: the lowest bit is that of the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<const N: usize> {
    /// Bytes that are of a class of each set.
    pub sets: [u64; N],
    /// Bytes above ASCII.
    pub above: u64,
    /// Where one of the beginnings may stand.
    pub begin: u64,
    /// Where one of the words stands, or begins, that were looked for besides.
    pub words: u64,
}

impl<const N: usize> Scan<N> {
    /// Looks at the bytes, and for some words besides, of which three bytes are given.
    pub fn look(&self, bytes: &[u8; WINDOW], words: &[[u8; BEGINNING]]) -> Found<N> {
        let mut found = Found { sets: [0; N], above: 0, begin: 0, words: 0 };
        #[cfg(target_arch = "x86_64")]
        if crate::x86::look(self, bytes, words, &mut found) {
            return found;
        }
        self.one_by_one(bytes, words, &mut found);
        found
    }

    fn one_by_one(&self, bytes: &[u8; WINDOW], words: &[[u8; BEGINNING]], found: &mut Found<N>) {
        for (at, three) in bytes.windows(BEGINNING).enumerate() {
            let bit = |is: bool| u64::from(is) << at;
            let classes = self.classes.of(three[0]);
            found.sets.iter_mut().zip(self.sets).for_each(|(mask, set)| *mask |= bit(classes & set != 0));
            found.above |= bit(!three[0].is_ascii());
            found.begin |= bit(three.iter().zip(&self.begin).fold(u8::MAX, |all, (byte, begin)| all & begin.of(*byte)) != 0);
            found.words |= bit(words.iter().any(|word| three == word));
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    pub(crate) fn look_avx2(&self, bytes: &[u8; WINDOW], words: &[[u8; BEGINNING]], found: &mut Found<N>) {
        use avx2::{Bytes, Tables};
        let [first, second, third] = [Bytes::load(bytes, 0), Bytes::load(bytes, 1), Bytes::load(bytes, 2)];
        let [one, two, three] = &self.begin;
        let begin = Tables::of(one).of_each(first).and(Tables::of(two).of_each(second)).and(Tables::of(three).of_each(third));
        let classes = Tables::of(&self.classes).of_each(first);
        let words = words.iter().map(|[one, two, three]| first.equal(*one).and(second.equal(*two)).and(third.equal(*three)).highest());
        found.sets = self.sets.map(|set| classes.has_any(set));
        (found.above, found.begin) = (first.highest(), begin.has_any(u8::MAX));
        found.words = words.fold(0, |any, found| any | found);
    }
}

/// 64 bytes in two registers.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16,
    };

    use super::{Classes, WINDOW};

    #[derive(Clone, Copy)]
    pub(super) struct Bytes([__m256i; 2]);

    impl Bytes {
        /// Those from `at` on.
        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn load(bytes: &[u8; WINDOW], at: usize) -> Bytes {
            let (eights, _) = bytes[at..].as_chunks::<8>();
            let [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(|n| i64::from_le_bytes(eights[n]));
            Bytes([_mm256_set_epi64x(d, c, b, a), _mm256_set_epi64x(h, g, f, e)])
        }

        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn and(self, other: Bytes) -> Bytes {
            let (Bytes([a, b]), Bytes([c, d])) = (self, other);
            Bytes([_mm256_and_si256(a, c), _mm256_and_si256(b, d)])
        }

        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn equal(self, byte: u8) -> Bytes {
            let (Bytes([a, b]), byte) = (self, _mm256_set1_epi8(byte as i8));
            Bytes([_mm256_cmpeq_epi8(a, byte), _mm256_cmpeq_epi8(b, byte)])
        }

        /// The highest bit of each.
        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn highest(self) -> u64 {
            let Bytes([a, b]) = self;
            u64::from(_mm256_movemask_epi8(a) as u32) | u64::from(_mm256_movemask_epi8(b) as u32) << 32
        }

        /// Which have one of these bits.
        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn has_any(self, set: u8) -> u64 {
            let (Bytes([a, b]), set, zero) = (self, _mm256_set1_epi8(set as i8), _mm256_setzero_si256());
            !Bytes([_mm256_cmpeq_epi8(_mm256_and_si256(a, set), zero), _mm256_cmpeq_epi8(_mm256_and_si256(b, set), zero)]).highest()
        }
    }

    /// Classes by the halves of bytes.
    pub(super) struct Tables {
        low: __m256i,
        high: __m256i,
    }

    impl Tables {
        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn of(classes: &Classes) -> Tables {
            Tables { low: twice(&classes.low), high: twice(&classes.high) }
        }

        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn of_each(&self, Bytes([a, b]): Bytes) -> Bytes {
            let half = _mm256_set1_epi8(15);
            let low = |bytes| _mm256_shuffle_epi8(self.low, _mm256_and_si256(bytes, half));
            let high = |bytes| _mm256_shuffle_epi8(self.high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
            Bytes([_mm256_and_si256(low(a), high(a)), _mm256_and_si256(low(b), high(b))])
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn twice(table: &[u8; 16]) -> __m256i {
        let (eights, _) = table.as_chunks::<8>();
        let [a, b] = [eights[0], eights[1]].map(i64::from_le_bytes);
        _mm256_set_epi64x(b, a, b, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOME: Scan<3> = Scan {
        classes: Classes::NONE.with(1, 1 << 3, (0, 9)).with(2, 1 << 4 | 1 << 6, (1, 15)).with(64, 0xff, (0, 0)).with(128, 1 << 7, (15, 15)),
        sets: [1, 2 | 64, 0x83],
        begin: [
            Classes::NONE.with(1, 1 << 4 | 1 << 6, (1, 1)).with(2, 1 << 6, (2, 4)),
            Classes::NONE.with(1, 1 << 6, (2, 3)).with(2, 0xffff, (5, 9)),
            Classes::NONE.with(1 | 2, 0xffff, (0, 11)),
        ],
    };

    #[test]
    fn a_class_holds_what_fits_both_halves() {
        for byte in 0..=u8::MAX {
            let want = u8::from(byte.is_ascii_digit())
                | u8::from(matches!(byte, b'A'..=b'O' | b'a'..=b'o')) << 1
                | u8::from(byte < 128 && byte % 16 == 0) << 6
                | u8::from(byte == 127) << 7;
            assert_eq!(SOME.classes.of(byte), want, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn many_together_are_as_they_are_alone(
            any in any::<[[u8; 22]; 3]>(), text in "[a-hA0-9\u{7f}用]{70}", words in proptest::collection::vec(any::<[u8; 3]>(), 0..6), take in any::<bool>()
        ) {
            let mut bytes = [0; WINDOW];
            bytes.copy_from_slice(if take { any.as_flattened() } else { &text.as_bytes()[..WINDOW] });
            // Some of them are there.
            let there = |at: u8| *bytes[usize::from(at) % TOGETHER..].first_chunk().unwrap();
            let words: Vec<_> = words.into_iter().map(|word| if word[0] < 128 { word } else { there(word[1]) }).collect();
            let mut want = Found { sets: [0; 3], above: 0, begin: 0, words: 0 };
            SOME.one_by_one(&bytes, &words, &mut want);
            prop_assert_eq!(SOME.look(&bytes, &words), want);
        }
    }

    #[test]
    fn what_is_said_of_each_byte() {
        let mut bytes = [b' '; WINDOW];
        bytes[60..].copy_from_slice("7Abx\u{e9}".as_bytes());
        let found = SOME.look(&bytes, &["bx\u{e9}".as_bytes()[..3].try_into().unwrap(), *b"zzz"]);
        assert_eq!(found.sets[0], 1 << 60);
        assert_eq!(found.sets[2], 1 << 60 | 1 << 61 | 1 << 62);
        assert_eq!((found.above, found.words), (0, 1 << 62));
        bytes[62..].copy_from_slice("Ab+-".as_bytes());
        assert_eq!(SOME.look(&bytes, &[]).begin, 1 << 62, "the last of them with what stands behind it");
    }
}
