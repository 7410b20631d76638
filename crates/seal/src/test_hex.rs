//! Plain hex with comments, for the vectors of the tests.

use crate::merkle::Hash;

/// The bytes of a text of hex digits; white space and everything from `#` to the line's end is left out.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.lines().flat_map(|l| l.split('#').next().unwrap_or("").split_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "odd number of hex digits");
    (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

pub(crate) fn hash(text: &str) -> Hash {
    hex(text).try_into().expect("32 bytes")
}
