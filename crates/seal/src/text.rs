//! The few value forms that notes, checkpoints and entries share. Each value has exactly one text, so that re-encoding what was read
//! gives the same bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::merkle::Hash;

/// Standard base64 with padding (RFC 4648 section 4).
pub(crate) fn base64(data: &[u8]) -> String {
    STANDARD.encode(data)
}

/// Reads [`base64`]; refuses missing padding and stray bits, so that no two texts mean the same bytes.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A 32-byte hash in base64 (44 characters).
pub(crate) fn hash_from_base64(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}

/// A decimal without sign and without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}

/// A decimal that may carry a minus sign; there is no minus zero.
pub(crate) fn signed_decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    decimal(digits)?;
    let value: i64 = text.parse().ok()?;
    if value == 0 && text != "0" { None } else { Some(value) }
}

/// True for a key name or origin: not empty, not too long, without white space, control characters and plus signs.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= crate::limits::NAME_BYTES && text.chars().all(|c| !c.is_whitespace() && c >= ' ' && c != '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_one_form() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "1_0", "٣"] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
        assert_eq!(signed_decimal("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed_decimal("9223372036854775807"), Some(i64::MAX));
        for bad in ["-0", "--1", "-", "+1", "-01", "9223372036854775808", "-9223372036854775809"] {
            assert_eq!(signed_decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn base64_has_one_form() {
        assert_eq!(from_base64("AQ=="), Some(vec![1]));
        for bad in ["AQ", "AQ=", "AR==", "A", "AQ==\n", "-_=="] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }
}
