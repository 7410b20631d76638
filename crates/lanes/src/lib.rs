//! What needs the wider registers of a processor: SHA-256 (FIPS 180-4) of many messages, several at a time, those of one length or of as many blocks;
//! and [`Scan`], which says what stands where among 64 bytes.
//!
//! A processor's SHA instructions take four cycles each and wait for the one before; interleaved messages fill the time. Sixteen messages of as many
//! blocks side by side in the registers of AVX-512 are faster still. Sealing and verifying hash a message for each row, so this is what they do most. Where the
//! processor has no such instructions, or is another one, `ring` hashes one message after the other, with the same result.
//!
//! This is the one crate of the workspace with `unsafe` code: two blocks that call functions that may only run on processors with certain
//! instructions, right after the processor was asked whether it has them (decision 0017).

use ring::digest;

mod bytes;
#[cfg(target_arch = "x86_64")]
mod wide;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use bytes::{BEGINNING, Classes, Found, Scan, TOGETHER, WINDOW};

/// Bytes of a digest.
pub type Hash = [u8; 32];

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;

/// Appends the digests of messages of `len` bytes each that lie back to back. Bytes after the last whole message are left alone.
pub fn each(messages: &[u8], len: usize, out: &mut Vec<Hash>) {
    if len == 0 {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if x86::run(x86::Work::Alike(messages, len, out)) {
        return;
    }
    out.extend(messages.chunks_exact(len).map(one));
}

/// Appends the digests of messages of any length that lie back to back: message `i` ends at `ends[i]` and begins where the one before ended. Ends that go
/// back, or beyond the messages, end the list.
pub fn each_of(messages: &[u8], ends: &[usize], out: &mut Vec<Hash>) {
    let from = out.len();
    let mut start = 0;
    let message = |end: &usize| messages.get(std::mem::replace(&mut start, *end)..*end);
    let messages: Vec<&[u8]> = ends.iter().map_while(message).collect();
    out.resize(from + messages.len(), [0; 32]);
    let hashes = &mut out[from..];
    #[cfg(target_arch = "x86_64")]
    if x86::run(x86::Work::Any(&messages, hashes)) {
        return;
    }
    hashes.iter_mut().zip(messages).for_each(|(hash, message)| *hash = one(message));
}

/// Children of a node of [`broad_nodes`].
pub const BROAD: usize = 8;

/// Appends, for each eight hashes that stand side by side, the digest of the byte 1 and all of them. Those after the last whole eight are left alone.
pub fn broad_nodes(children: &[Hash], out: &mut Vec<Hash>) {
    const LEN: usize = 1 + BROAD * 32;
    const MANY: usize = 16;
    let mut messages = [[1; LEN]; MANY];
    for children in children.chunks(BROAD * MANY) {
        let groups = children.chunks_exact(BROAD);
        let many = groups.len();
        for (message, group) in messages.iter_mut().zip(groups) {
            message[1..].copy_from_slice(group.as_flattened());
        }
        each(messages[..many].as_flattened(), LEN, out);
    }
}

fn one(message: &[u8]) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agree(messages: &[u8], len: usize) -> Result<(), TestCaseError> {
        let mut got = vec![[9; 32]];
        each(messages, len, &mut got);
        let want: Vec<Hash> = std::iter::once([9; 32]).chain(messages.chunks_exact(len).map(one)).collect();
        prop_assert_eq!(got, want, "{} bytes of {}", messages.len(), len);
        Ok(())
    }

    proptest! {
        #[test]
        fn as_one_after_the_other(messages in proptest::collection::vec(any::<u8>(), 0..2_000), len in 1usize..300) {
            agree(&messages, len)?;
        }
    }

    #[test]
    fn every_length_around_the_blocks_and_every_number_of_lanes() {
        let bytes: Vec<u8> = (0..13_000u32).map(|n| (n * 7 + n / 256) as u8).collect();
        for len in 1..=260 {
            for count in (0..=9).chain([15, 16, 17, 31, 32, 33, 47]) {
                agree(&bytes[..(len * count).min(bytes.len())], len).unwrap();
            }
        }
        each(&bytes, 0, &mut Vec::new());
        #[cfg(target_arch = "x86_64")]
        if !(is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("sha")) {
            eprintln!(
                "not shown, because this processor lacks AVX-512 or SHA instructions: sixteen messages at a time are hashed as one after the other"
            );
        }
    }

    proptest! {
        #[test]
        fn of_any_length_as_one_after_the_other(lengths in proptest::collection::vec(0usize..300, 0..150), more in any::<u8>()) {
            let bytes: Vec<u8> = (0..lengths.iter().sum::<usize>()).map(|n| (n * 7 + n / 256) as u8 ^ more).collect();
            let ends: Vec<usize> = lengths.iter().scan(0, |end, len| { *end += len; Some(*end) }).collect();
            let mut got = vec![[9; 32]];
            each_of(&bytes, &ends, &mut got);
            let of = |(end, len): (&usize, &usize)| one(&bytes[end - len..*end]);
            let want: Vec<Hash> = std::iter::once([9; 32]).chain(ends.iter().zip(&lengths).map(of)).collect();
            prop_assert_eq!(got, want);
        }
    }

    #[test]
    fn two_of_as_many_blocks_whose_lengths_differ_and_long_ones() {
        let bytes: Vec<u8> = (0..20_000u32).map(|n| (n * 7 + n / 256) as u8).collect();
        for first in 0..=200 {
            for second in [0, 54, 55, 56, 63, 64, 65, 118, 119, 120, 128, 183, 184, 9_000, 9_001] {
                let mut got = Vec::new();
                each_of(&bytes, &[first, first + second, 2 * first + second], &mut got);
                let want = [&bytes[..first], &bytes[first..first + second], &bytes[first + second..2 * first + second]].map(one);
                assert_eq!(got, want, "{first} {second}");
            }
        }
        let mut got = Vec::new();
        each_of(&bytes[..10], &[4, 3, 8], &mut got);
        each_of(&bytes[..10], &[4, 11], &mut got);
        assert_eq!(got, [one(&bytes[..4]), one(&bytes[..4])], "ends that do not rise, or lie beyond");
    }

    #[test]
    fn sixteen_of_as_many_blocks_around_the_number_that_is_long() {
        let lengths: Vec<usize> = [1_911, 1_912, 1_975, 1_976, 2_039, 2_040, 2_047].into_iter().cycle().step_by(3).take(7 * 33).collect();
        let bytes: Vec<u8> = (0..lengths.iter().sum::<usize>()).map(|n| (n * 7 + n / 256) as u8).collect();
        for count in [16, 17, 33, 112, lengths.len()] {
            let ends: Vec<usize> = lengths
                .iter()
                .take(count)
                .scan(0, |end, len| {
                    *end += len;
                    Some(*end)
                })
                .collect();
            let mut got = Vec::new();
            each_of(&bytes, &ends, &mut got);
            let want: Vec<Hash> = ends.iter().zip(&lengths).map(|(end, len)| one(&bytes[end - len..*end])).collect();
            assert_eq!(got, want, "{count}");
        }
    }

    #[test]
    fn known_answers() {
        // FIPS 180-2, appendix B: "abc", twice.
        let mut out = Vec::new();
        each(b"abcabc", 3, &mut out);
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hex = |hash: &Hash| hash.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(out.iter().map(hex).collect::<Vec<_>>(), [want, want]);
    }

    #[test]
    fn nodes_of_eight() {
        for count in [0, 1, 7, 8, 9, 16, 128, 129, 300] {
            let children: Vec<Hash> = (0..count).map(|n: u32| one(&n.to_be_bytes())).collect();
            let mut out = Vec::new();
            broad_nodes(&children, &mut out);
            let want: Vec<Hash> = children.chunks_exact(8).map(|eight| one(&[&[1], eight.as_flattened()].concat())).collect();
            assert_eq!(out, want, "{count}");
        }
    }
}
