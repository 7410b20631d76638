//! One-time codes by time: TOTP (RFC 6238) over HOTP (RFC 4226), HMAC-SHA-1, six digits, steps of 30 seconds: what every
//! authenticator app takes.

use ring::hmac;
use weir_base::crypto::random;
use weir_base::time::Millis;

use super::secret::same;

/// Milliseconds of a step.
const STEP_MS: i64 = 30_000;
/// Steps a clock may be off, in both directions.
const SLACK: i64 = 1;
/// Bytes of a secret (RFC 4226 section 4, R6).
pub const SECRET_BYTES: usize = 20;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret.
pub fn secret() -> Vec<u8> {
    random::<SECRET_BYTES>().to_vec()
}

/// The step a moment lies in.
fn step(now: Millis) -> i64 {
    now.0.div_euclid(STEP_MS)
}

/// The value of a step (RFC 4226 section 5.3), before it is cut to digits.
fn value(secret: &[u8], step: i64) -> u32 {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes.last().copied().unwrap_or(0) & 0x0f);
    let four = bytes.get(at..at + 4).and_then(|b| b.first_chunk::<4>()).copied().unwrap_or_default();
    u32::from_be_bytes(four) & 0x7fff_ffff
}

/// Checks a code against the steps around `now` that come after `used`, the last step that was used, and gives the step it is of. Every
/// step is computed, whichever fits.
pub fn check(secret: &[u8], code: &str, used: Option<i64>, now: Millis) -> Option<i64> {
    let mut found = None;
    for at in (-SLACK..=SLACK).map(|slack| step(now) + slack) {
        let right = format!("{:06}", value(secret, at) % 1_000_000);
        if same(right.as_bytes(), code.as_bytes()) && used.is_none_or(|used| at > used) {
            found = Some(at);
        }
    }
    found
}

/// A secret for typing: base32 (RFC 4648 section 6) without padding.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            out.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        out.push(letter(bits << (5 - count)));
    }
    out
}

fn letter(bits: u32) -> char {
    BASE32.get((bits & 31) as usize).map_or('A', |b| char::from(*b))
}

/// The `otpauth://` URI that apps read from a QR code.
pub fn uri(secret: &[u8], title: &str, login: &str) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() || b"-._~".contains(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let (title, login) = (escape(title), escape(login));
    format!("otpauth://totp/{title}:{login}?secret={}&issuer={title}&algorithm=SHA1&digits=6&period=30", base32(secret))
}

/// The code of a moment, for tests.
#[cfg(test)]
pub fn code(secret: &[u8], now: Millis) -> String {
    format!("{:06}", value(secret, step(now)) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn values_are_those_of_the_standards() {
        // RFC 4226 appendix D: counter, value before truncation to digits.
        for (at, want) in [(0, 1_284_755_224), (1, 1_094_287_082), (2, 137_359_152), (8, 673_399_871)] {
            assert_eq!(value(SECRET, at), want, "counter {at}");
        }
        // RFC 6238 appendix B, SHA-1: seconds, eight digits.
        for (s, want) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(value(SECRET, step(Millis(s * 1_000))) % 100_000_000, want, "{s}");
        }
    }

    #[test]
    fn a_code_holds_for_its_step_and_one_beside_and_once() {
        let now = Millis(1_800_000_015_000);
        let right = code(SECRET, now);
        let used = check(SECRET, &right, None, now).unwrap();
        for (off, fits) in [(-30_000, true), (0, true), (30_000, true), (-60_000, false), (60_000, false)] {
            assert_eq!(check(SECRET, &right, None, now.plus(off)).is_some(), fits, "{off}");
        }
        assert_eq!(check(SECRET, &right, Some(used), now), None, "a used step is refused");
        assert_eq!(check(SECRET, &right, Some(used), now.plus(30_000)), None);
        let before = code(SECRET, now.plus(-30_000));
        assert_eq!(check(SECRET, &before, Some(used), now), None, "and so is every step before it");
        for bad in ["", "0", "12345", "1234567", " 23456", "abcdef", "００００００"] {
            assert_eq!(check(SECRET, bad, None, now), None, "{bad}");
        }
    }

    #[test]
    fn base32_and_the_uri_are_as_apps_read_them() {
        // RFC 4648 section 10.
        for (plain, want) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(plain.as_bytes()), want);
        }
        let uri = uri(SECRET, "Weir: a", "mary");
        assert_eq!(
            uri,
            "otpauth://totp/Weir%3A%20a:mary?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Weir%3A%20a&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(secret().len(), SECRET_BYTES);
    }
}
