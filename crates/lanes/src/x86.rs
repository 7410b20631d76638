//! The instructions of x86-64 (Intel SHA extensions), with which one message takes four rounds at a time, interleaved over several messages. All
//! `unsafe` code is here: calls of what needs instructions, right after the processor was asked for them.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use crate::bytes::{BEGINNING, Found, Scan, WINDOW};
use crate::{BLOCK, Hash, one};

/// Messages that are hashed together. More need more registers than there are.
const LANES: usize = 2;

/// FIPS 180-4 section 5.3.3.
pub(crate) const BEGIN: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// FIPS 180-4 section 4.2.2.
#[rustfmt::skip]
pub(crate) const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// What is to be hashed, and where the digests go.
pub(crate) enum Work<'w> {
    /// Messages of one length back to back: their digests are appended.
    Alike(&'w [u8], usize, &'w mut Vec<Hash>),
    /// Messages of any length, each with a place for its digest.
    Any(&'w [&'w [u8]], &'w mut [Hash]),
}

/// Does the work; false, and nothing is done, where the processor lacks the instructions.
pub(crate) fn run(work: Work<'_>) -> bool {
    if !(is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("avx")) {
        return false;
    }
    let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx2");
    // SAFETY: these functions are safe but for the instructions they use, and the processor has just said that it has all of them.
    #[allow(unsafe_code)]
    unsafe {
        match work {
            Work::Alike(messages, len, out) if wide => each_with(crate::wide::sixteens(messages, len, out), len, out),
            Work::Alike(messages, len, out) => each_with(messages, len, out),
            Work::Any(messages, out) if wide => {
                let left = crate::wide::sixteens_of(messages, out);
                each_of_with(messages, left.into_iter(), out);
            }
            Work::Any(messages, out) => each_of_with(messages, 0..messages.len(), out),
        }
    }
    true
}

/// Finds what stands among bytes; false, and nothing is done, where the processor lacks the instructions.
pub(crate) fn look<const N: usize>(scan: &Scan<N>, bytes: &[u8; WINDOW], words: &[[u8; BEGINNING]], found: &mut Found<N>) -> bool {
    if !is_x86_feature_detected!("avx2") {
        return false;
    }
    // SAFETY: this function is safe but for the instructions it uses, and the processor has just said that it has them.
    #[allow(unsafe_code)]
    unsafe {
        scan.look_avx2(bytes, words, found);
    }
    true
}

/// Messages of so many blocks and more are hashed alone.
const LONG: usize = 128;

/// Two of as many blocks together, as they come: those of the messages that stand at the places.
#[target_feature(enable = "sha,sse4.1,avx")]
fn each_of_with(messages: &[&[u8]], places: impl Iterator<Item = usize>, out: &mut [Hash]) {
    // Who has no partner yet, by number of blocks.
    let mut alone: [Option<usize>; LONG] = [None; LONG];
    for at in places {
        let message = messages[at];
        let blocks = blocks(message.len());
        match alone.get_mut(blocks) {
            None => out[at] = one(message),
            Some(waiting) => match waiting.take() {
                None => *waiting = Some(at),
                Some(other) => [out[other], out[at]] = two(&[messages[other], message], blocks),
            },
        }
    }
    alone.into_iter().flatten().for_each(|at| out[at] = one(messages[at]));
}

/// Blocks of a message of so many bytes with its padding.
pub(crate) fn blocks(len: usize) -> usize {
    (len + 9).div_ceil(BLOCK)
}

/// Two messages of as many blocks, whatever their lengths.
#[target_feature(enable = "sha,sse4.1,avx")]
fn two(messages: &[&[u8]; LANES], blocks: usize) -> [Hash; LANES] {
    let mut states = [State::begin(); LANES];
    let mut tails = messages.map(|m| Tail::of(m.len()));
    let parts = messages.map(|m| m.as_chunks::<BLOCK>());
    for (tail, (_, rest)) in tails.iter_mut().zip(parts) {
        tail.bytes[..rest.len()].copy_from_slice(rest);
    }
    let [a, b] = tails.each_ref().map(|tail| tail.bytes.as_chunks::<BLOCK>().0);
    let [(whole_a, _), (whole_b, _)] = parts;
    for (a, b) in whole_a.iter().chain(a).zip(whole_b.iter().chain(b)).take(blocks) {
        compress(&mut states, [a, b]);
    }
    [states[0].end(), states[1].end()]
}

#[target_feature(enable = "sha,sse4.1,avx")]
fn each_with(messages: &[u8], len: usize, out: &mut Vec<Hash>) {
    let whole = len / BLOCK;
    let mut ends = [Tail::of(len); LANES];
    let mut groups = messages.chunks_exact(len * LANES);
    for group in &mut groups {
        let (first, second) = group.split_at(len);
        let hashes = together([first, second], whole, &mut ends);
        out.extend_from_slice(&hashes);
    }
    for message in groups.remainder().chunks_exact(len) {
        let [hash, _] = together([message, message], whole, &mut ends);
        out.push(hash);
    }
}

/// What follows the whole blocks of a message: its last bytes and the padding of FIPS 180-4 section 5.1.1.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    pub(crate) bytes: [u8; 2 * BLOCK],
    pub(crate) blocks: usize,
}

impl Tail {
    pub(crate) fn of(len: usize) -> Tail {
        let rest = len % BLOCK;
        let blocks = if rest < BLOCK - 8 { 1 } else { 2 };
        let mut bytes = [0; 2 * BLOCK];
        bytes[rest] = 0x80;
        bytes[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&(len as u64 * 8).to_be_bytes());
        Tail { bytes, blocks }
    }
}

#[target_feature(enable = "sha,sse4.1,avx")]
fn together(messages: [&[u8]; LANES], whole: usize, tails: &mut [Tail; LANES]) -> [Hash; LANES] {
    let mut states = [State::begin(); LANES];
    let mut bodies = messages.map(|m| m.as_chunks::<BLOCK>().0.iter());
    for _ in 0..whole {
        if let [Some(a), Some(b)] = bodies.each_mut().map(Iterator::next) {
            compress(&mut states, [a, b]);
        }
    }
    for (tail, message) in tails.iter_mut().zip(messages) {
        let rest = message.as_chunks::<BLOCK>().1;
        tail.bytes[..rest.len()].copy_from_slice(rest);
    }
    let [a, b] = tails;
    for (a, b) in a.bytes.as_chunks::<BLOCK>().0.iter().zip(b.bytes.as_chunks::<BLOCK>().0).take(a.blocks) {
        compress(&mut states, [a, b]);
    }
    [states[0].end(), states[1].end()]
}

/// The eight words of a state as the instructions want them.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

impl State {
    #[target_feature(enable = "sha,sse4.1,avx")]
    fn begin() -> State {
        let [a, b, c, d, e, f, g, h] = BEGIN.map(u32::cast_signed);
        State { abef: _mm_set_epi32(a, b, e, f), cdgh: _mm_set_epi32(c, d, g, h) }
    }

    #[target_feature(enable = "sha,sse4.1,avx")]
    fn end(&self) -> Hash {
        let (abef, cdgh) = (self.abef, self.cdgh);
        let words = [
            _mm_extract_epi32::<3>(abef),
            _mm_extract_epi32::<2>(abef),
            _mm_extract_epi32::<3>(cdgh),
            _mm_extract_epi32::<2>(cdgh),
            _mm_extract_epi32::<1>(abef),
            _mm_extract_epi32::<0>(abef),
            _mm_extract_epi32::<1>(cdgh),
            _mm_extract_epi32::<0>(cdgh),
        ];
        let mut out = [0; 32];
        for (to, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_be_bytes();
        }
        out
    }
}

/// Four words of a block, most significant byte first.
#[target_feature(enable = "sha,sse4.1,avx")]
fn words(block: &[u8; BLOCK], four: usize) -> __m128i {
    let (eights, _) = block.as_chunks::<8>();
    let (low, high) = (i64::from_le_bytes(eights[2 * four]), i64::from_le_bytes(eights[2 * four + 1]));
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(_mm_set_epi64x(high, low), swap)
}

/// One block of each message into its state.
#[target_feature(enable = "sha,sse4.1,avx")]
fn compress(states: &mut [State; LANES], blocks: [&[u8; BLOCK]; LANES]) {
    let before = *states;
    let mut schedule = blocks.map(|b| [words(b, 0), words(b, 1), words(b, 2), words(b, 3)]);
    for round in 0..16 {
        let k = K.as_chunks::<4>().0[round].map(u32::cast_signed);
        let k = _mm_set_epi32(k[3], k[2], k[1], k[0]);
        for (state, w) in states.iter_mut().zip(&mut schedule) {
            let now = w[round % 4];
            let some = _mm_add_epi32(now, k);
            state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, some);
            state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, _mm_shuffle_epi32::<0x0e>(some));
            if round < 12 {
                // The words sixteen rounds later take the place of these.
                let (next, third, last) = (w[(round + 1) % 4], w[(round + 2) % 4], w[(round + 3) % 4]);
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8::<4>(last, third));
                w[round % 4] = _mm_sha256msg2_epu32(sum, last);
            }
        }
    }
    for (state, before) in states.iter_mut().zip(before) {
        state.abef = _mm_add_epi32(state.abef, before.abef);
        state.cdgh = _mm_add_epi32(state.cdgh, before.cdgh);
    }
}
