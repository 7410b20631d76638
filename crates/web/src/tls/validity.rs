//! From when to when a certificate holds (RFC 5280 section 4.1.2.5), read from its DER. Nothing else of it is looked at.

use weir_base::time::Millis;

/// Begin and end of a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Millis,
    /// Not after.
    pub to: Millis,
}

impl Validity {
    /// When two thirds of the time are over: a new certificate is asked for then.
    pub fn renew_at(self) -> Millis {
        self.from.plus(self.to.since(self.from) / 3 * 2)
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Reads it; `None` when the bytes are no certificate.
pub fn read(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest, VERSION)?.1;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        rest = next(rest)?.2;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (tag, from, rest) = next(validity)?;
    let from = time(tag, from)?;
    let (tag, to, _) = next(rest)?;
    Some(Validity { from, to: time(tag, to)? })
}

/// The content of an element of this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = next(bytes)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content, and what follows.
fn next(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn time(tag: u8, text: &[u8]) -> Option<Millis> {
    let text = std::str::from_utf8(text).ok()?;
    let digits = text.strip_suffix('Z').filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
    let (century, rest) = match (tag, digits.len()) {
        // RFC 5280: 50 to 99 are of the last century.
        (UTC_TIME, 12) => (if digits.get(..2)? < "50" { "20" } else { "19" }, digits),
        (GENERALIZED_TIME, 14) => ("", digits),
        _ => return None,
    };
    let all = format!("{century}{rest}");
    let part = |at: usize, len: usize| all.get(at..at + len);
    let shown = format!("{}-{}-{}T{}:{}:{}Z", part(0, 4)?, part(4, 2)?, part(6, 2)?, part(8, 2)?, part(10, 2)?, part(12, 2)?);
    shown.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn made(from: (i32, u8, u8), to: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["desk.example.cn".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let validity = read(&made((2026, 11, 1), (2026, 11, 4))).unwrap();
        assert_eq!(validity.from, "2026-11-01T00:00:00Z".parse().unwrap());
        assert_eq!(validity.to, "2026-11-04T00:00:00Z".parse().unwrap());
        assert_eq!(validity.renew_at(), "2026-11-03T00:00:00Z".parse().unwrap());
        let far = read(&made((1999, 12, 31), (2051, 1, 1))).unwrap();
        assert_eq!((far.from, far.to), ("1999-12-31T00:00:00Z".parse().unwrap(), "2051-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_cut_certificate_has_no_validity() {
        let der = made((2026, 11, 1), (2026, 11, 4));
        for end in 0..der.len() {
            assert_eq!(read(&der[..end]), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..200, to in any::<u8>()) {
            let _ = read(&bytes);
            let mut der = made((2026, 11, 1), (2026, 11, 4));
            der[at] = to;
            let _ = read(&der);
        }
    }
}
