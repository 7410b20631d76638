//! Numbers of a column, in their own bytes or above the least of them.

/// A number of `N` bytes.
pub(super) trait Number<const N: usize>: Copy + Ord {
    fn bytes(self) -> [u8; N];
    fn of(bytes: [u8; N]) -> Self;
    /// How far it is above another, which is no greater.
    fn above(self, least: Self) -> u64;
    /// The number so far above this one.
    fn plus(self, more: u64) -> Self;
}

macro_rules! number {
    ($rust:ty, $unsigned:ty, $bytes:literal) => {
        impl Number<$bytes> for $rust {
            fn bytes(self) -> [u8; $bytes] {
                self.to_le_bytes()
            }
            fn of(bytes: [u8; $bytes]) -> Self {
                <$rust>::from_le_bytes(bytes)
            }
            #[allow(clippy::unnecessary_cast)] // Some are of the type already.
            fn above(self, least: Self) -> u64 {
                self.wrapping_sub(least) as $unsigned as u64
            }
            #[allow(clippy::unnecessary_cast)]
            fn plus(self, more: u64) -> Self {
                self.wrapping_add(more as $rust)
            }
        }
    };
}

number!(u8, u8, 1);
number!(u16, u16, 2);
number!(u32, u32, 4);
number!(u64, u64, 8);
number!(i64, u64, 8);

/// Bytes that a number up to `most` takes: 1, 2, 4 or 8.
pub(super) fn width(most: u64) -> usize {
    match most {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// The least and the greatest.
pub(super) fn ends<T: Number<N>, const N: usize>(values: &[T]) -> Option<(T, T)> {
    let first = values.first()?;
    Some(values.iter().fold((*first, *first), |(least, most), v| (least.min(*v), most.max(*v))))
}
