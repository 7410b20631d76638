//! The random 128-bit name of a sealed unit.

use std::fmt;
use std::str::FromStr;

/// A sealed unit's id: 16 random bytes, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(pub [u8; 16]);

/// A text is not 32 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a unit id is 32 lower-case hex digits")]
pub struct UnitIdError;

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnitId({self})")
    }
}

impl FromStr for UnitId {
    type Err = UnitIdError;

    fn from_str(text: &str) -> Result<UnitId, UnitIdError> {
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 32 || !text.bytes().all(lower_hex) {
            return Err(UnitIdError);
        }
        u128::from_str_radix(text, 16).map(|n| UnitId(n.to_be_bytes())).map_err(|_| UnitIdError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_one_form_only() {
        let text = "000102030405060708090a0b0c0d0eff";
        assert_eq!(text.parse::<UnitId>().unwrap().to_string(), text);
        for bad in ["", "00", "000102030405060708090A0B0C0D0EFF", "+00102030405060708090a0b0c0d0eff", "000102030405060708090a0b0c0d0eff0"] {
            assert_eq!(bad.parse::<UnitId>(), Err(UnitIdError), "{bad}");
        }
    }
}
