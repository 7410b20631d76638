//! Sixteen messages of as many blocks at a time with the registers of AVX-512: each word of the state is a register that holds it for all sixteen. Ahead of
//! the SHA instructions, which work on two messages at best, wherever both are there.

use std::arch::x86_64::{
    __m512i, _mm256_extract_epi64, _mm512_add_epi32, _mm512_castsi512_si256, _mm512_ror_epi32, _mm512_set_epi64, _mm512_set1_epi32,
    _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_shuffle_i32x4, _mm512_srli_epi32, _mm512_ternarylogic_epi32,
    _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use crate::x86::{BEGIN, K, Tail, blocks};
use crate::{BLOCK, Hash};

/// Messages that are hashed together.
pub(crate) const LANES: usize = 16;

/// A word of each message, or sixteen words of one.
type Words = __m512i;

/// Appends the digests of the messages of `len` bytes, sixteen at a time; gives those that are left over.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
pub(crate) fn sixteens<'m>(messages: &'m [u8], len: usize, out: &mut Vec<Hash>) -> &'m [u8] {
    let mut tails = [Tail::of(len); LANES];
    let mut groups = messages.chunks_exact(len * LANES);
    for group in &mut groups {
        let mut parts = [(&[][..], &[][..]); LANES];
        for (part, message) in parts.iter_mut().zip(group.chunks_exact(len)) {
            *part = message.as_chunks::<BLOCK>();
        }
        for (tail, (_, rest)) in tails.iter_mut().zip(parts) {
            tail.bytes[..rest.len()].copy_from_slice(rest);
        }
        out.extend_from_slice(&together(parts.map(|(whole, _)| whole), &tails, blocks(len)));
    }
    groups.remainder()
}

/// Messages of so many blocks and more do not wait for fifteen others.
const MANY: usize = 32;

/// Puts the digests of messages of any length where they belong, sixteen of as many blocks at a time; gives the places of those that are left over.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
pub(crate) fn sixteens_of(messages: &[&[u8]], out: &mut [Hash]) -> Vec<usize> {
    // Who waits for others, by number of blocks.
    let mut waiting = [([0; LANES], 0); MANY];
    let mut left = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let blocks = blocks(message.len());
        let Some((places, count)) = waiting.get_mut(blocks) else {
            left.push(at);
            continue;
        };
        places[*count] = at;
        *count += 1;
        if *count == LANES {
            *count = 0;
            for (place, hash) in places.iter().zip(of_as_many_blocks(places.map(|place| messages[place]), blocks)) {
                out[*place] = hash;
            }
        }
    }
    left.extend(waiting.iter().flat_map(|(places, count)| &places[..*count]));
    left
}

/// The digests of messages of as many blocks, whatever their lengths.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn of_as_many_blocks(messages: [&[u8]; LANES], blocks: usize) -> [Hash; LANES] {
    let parts = messages.map(|message| message.as_chunks::<BLOCK>());
    let mut tails = messages.map(|message| Tail::of(message.len()));
    for (tail, (_, rest)) in tails.iter_mut().zip(parts) {
        tail.bytes[..rest.len()].copy_from_slice(rest);
    }
    together(parts.map(|(whole, _)| whole), &tails, blocks)
}

/// The digests of messages of so many blocks: of some the last whole block is followed by one block, of others by two.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn together(whole: [&[[u8; BLOCK]]; LANES], tails: &[Tail; LANES], blocks: usize) -> [Hash; LANES] {
    let mut state = BEGIN.map(|word| _mm512_set1_epi32(word.cast_signed()));
    for block in 0..blocks {
        let mut lanes = [&[0; BLOCK]; LANES];
        for ((lane, whole), tail) in lanes.iter_mut().zip(whole).zip(tails) {
            let tail = tail.bytes.as_chunks::<BLOCK>().0;
            *lane = whole.get(block).unwrap_or_else(|| &tail[block - whole.len()]);
        }
        compress(&mut state, lanes);
    }
    end(&state)
}

/// Bytes of each word the other way round.
#[target_feature(enable = "avx512f,avx512bw")]
fn swap(words: Words) -> Words {
    _mm512_shuffle_epi8(words, _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203))
}

/// The sixteen words of a block, most significant byte first.
#[target_feature(enable = "avx512f,avx512bw")]
fn load(block: &[u8; BLOCK]) -> Words {
    let w = block.as_chunks::<8>().0;
    let w = |i: usize| i64::from_le_bytes(w[i]);
    swap(_mm512_set_epi64(w(7), w(6), w(5), w(4), w(3), w(2), w(1), w(0)))
}

/// Rows to columns: word `i` of each of sixteen, in their order.
#[target_feature(enable = "avx512f")]
fn turn(rows: [Words; LANES]) -> [Words; LANES] {
    let (mut twos, mut fours, mut out) = (rows, rows, rows);
    for i in (0..LANES).step_by(2) {
        twos[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
        twos[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
    }
    for i in (0..LANES).step_by(4) {
        fours[i] = _mm512_unpacklo_epi64(twos[i], twos[i + 2]);
        fours[i + 1] = _mm512_unpackhi_epi64(twos[i], twos[i + 2]);
        fours[i + 2] = _mm512_unpacklo_epi64(twos[i + 1], twos[i + 3]);
        fours[i + 3] = _mm512_unpackhi_epi64(twos[i + 1], twos[i + 3]);
    }
    // Now a quarter of a register holds one word of four rows; quarter `q` of `fours[i + k]` has word `4q + k`.
    for k in 0..4 {
        let (a, b, c, d) = (fours[k], fours[k + 4], fours[k + 8], fours[k + 12]);
        let (even, odd) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (more_even, more_odd) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        out[k] = _mm512_shuffle_i32x4::<0x88>(even, more_even);
        out[k + 4] = _mm512_shuffle_i32x4::<0x88>(odd, more_odd);
        out[k + 8] = _mm512_shuffle_i32x4::<0xdd>(even, more_even);
        out[k + 12] = _mm512_shuffle_i32x4::<0xdd>(odd, more_odd);
    }
    out
}

#[target_feature(enable = "avx512f")]
fn add(a: Words, b: Words) -> Words {
    _mm512_add_epi32(a, b)
}

#[target_feature(enable = "avx512f")]
fn xor(a: Words, b: Words, c: Words) -> Words {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

/// The functions of FIPS 180-4 section 4.1.2: Σ (three rotations) and σ (two rotations and a shift).
#[target_feature(enable = "avx512f")]
fn big<const A: i32, const B: i32, const C: i32>(x: Words) -> Words {
    xor(_mm512_ror_epi32::<A>(x), _mm512_ror_epi32::<B>(x), _mm512_ror_epi32::<C>(x))
}

#[target_feature(enable = "avx512f")]
fn small<const A: i32, const B: i32, const C: u32>(x: Words) -> Words {
    xor(_mm512_ror_epi32::<A>(x), _mm512_ror_epi32::<B>(x), _mm512_srli_epi32::<C>(x))
}

/// One round: FIPS 180-4 section 6.2.2, step 3. Instead of moving every word of the state on by one, the next round calls them by other names.
#[target_feature(enable = "avx512f")]
fn round(s: &mut [Words; 8], i: usize, k: u32, w: Words) {
    let at = |word: usize| (word + 8 - i % 8) % 8;
    let [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(at);
    // Ch and Maj as tables of their three bits.
    let choice = _mm512_ternarylogic_epi32::<0xca>(s[e], s[f], s[g]);
    let most = _mm512_ternarylogic_epi32::<0xe8>(s[a], s[b], s[c]);
    let constant = add(_mm512_set1_epi32(k.cast_signed()), w);
    let first = add(add(s[h], constant), add(big::<6, 11, 25>(s[e]), choice));
    s[d] = add(s[d], first);
    s[h] = add(first, add(big::<2, 13, 22>(s[a]), most));
}

/// Sixteen rounds without a loop, so that every word stays in its register.
macro_rules! sixteen {
    ($each:ident) => {
        $each!(0);
        $each!(1);
        $each!(2);
        $each!(3);
        $each!(4);
        $each!(5);
        $each!(6);
        $each!(7);
        $each!(8);
        $each!(9);
        $each!(10);
        $each!(11);
        $each!(12);
        $each!(13);
        $each!(14);
        $each!(15);
    };
}

/// One block of each message into their state.
#[target_feature(enable = "avx512f,avx512bw")]
fn compress(state: &mut [Words; 8], blocks: [&[u8; BLOCK]; LANES]) {
    let before = *state;
    let mut rows = [_mm512_setzero_si512(); LANES];
    for (row, block) in rows.iter_mut().zip(blocks) {
        *row = load(block);
    }
    let mut w = turn(rows);
    macro_rules! given {
        ($i:literal) => {
            round(state, $i, K[$i], w[$i]);
        };
    }
    sixteen!(given);
    for sixteen in K[16..].as_chunks::<16>().0 {
        macro_rules! made {
            ($i:literal) => {
                let older = add(w[$i], small::<7, 18, 3>(w[($i + 1) % 16]));
                w[$i] = add(older, add(w[($i + 9) % 16], small::<17, 19, 10>(w[($i + 14) % 16])));
                round(state, $i, sixteen[$i], w[$i]);
            };
        }
        sixteen!(made);
    }
    for (word, before) in state.iter_mut().zip(before) {
        *word = add(*word, before);
    }
}

/// The digests of all messages.
#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn end(state: &[Words; 8]) -> [Hash; LANES] {
    let mut rows = [_mm512_setzero_si512(); LANES];
    rows[..8].copy_from_slice(state);
    let mut out = [[0; 32]; LANES];
    for (hash, row) in out.iter_mut().zip(turn(rows)) {
        let row = _mm512_castsi512_si256(swap(row));
        let words = [
            _mm256_extract_epi64::<0>(row),
            _mm256_extract_epi64::<1>(row),
            _mm256_extract_epi64::<2>(row),
            _mm256_extract_epi64::<3>(row),
        ];
        for (to, word) in hash.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
    }
    out
}
