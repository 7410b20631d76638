//! Numbers of so many bits each, side by side: eight of them take as many bytes as one has bits.

/// Most bits of a number.
pub(super) const WIDEST: u32 = 64;

/// Bytes that eight of the widest take, and one number more, so that each can be read as eight bytes.
const HELD: usize = 72;

/// Takes eight numbers from the beginning of some bytes; absent bytes are zero.
type Eight = fn(&[u8]) -> [u64; 8];

/// By width: with it known, where a number stands and how far it is shifted is part of the program.
static EIGHTS: [Eight; WIDEST as usize + 1] = {
    macro_rules! eights {
        ($($width:literal)*) => { [$(eight::<$width>),*] };
    }
    eights!(
        0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
        33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
    )
};

fn eight<const WIDTH: usize>(bytes: &[u8]) -> [u64; 8] {
    if let Some(held) = bytes.first_chunk() {
        return of::<WIDTH>(held);
    }
    let mut held = [0; HELD];
    held.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    of::<WIDTH>(&held)
}

#[inline(always)]
fn of<const WIDTH: usize>(held: &[u8; HELD]) -> [u64; 8] {
    let mask = if WIDTH == 64 { u64::MAX } else { (1 << WIDTH) - 1 };
    std::array::from_fn(|i| {
        let (at, shift) = (i * WIDTH / 8, i * WIDTH % 8);
        let word: [u8; 8] = std::array::from_fn(|k| held[at + k]);
        let low = u64::from_le_bytes(word) >> shift;
        // Beyond eight bytes there is at most one more.
        let high = if shift + WIDTH > 64 { u64::from(held[at + 8]) << (64 - shift) } else { 0 };
        (low | high) & mask
    })
}

/// Appends what `each` makes of `count` numbers of `width` bits (at most [`WIDEST`]), least significant bit first. Absent bytes count as zero: callers
/// check the length. What stands behind the numbers may be read and counts for nothing.
pub(super) fn unpack<T>(bytes: &[u8], width: u32, count: usize, mut each: impl FnMut(u64) -> T, out: &mut Vec<T>) {
    let Some(take) = EIGHTS.get(width as usize) else { return };
    let mut rest = bytes;
    for left in (0..count).rev().step_by(8).map(|last| last + 1) {
        let numbers = take(rest);
        if left >= 8 {
            out.extend(numbers.map(&mut each));
        } else {
            out.extend(numbers.into_iter().take(left).map(&mut each));
        }
        rest = rest.get(width as usize..).unwrap_or_default();
    }
}
