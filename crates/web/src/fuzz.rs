//! What must hold for any bytes where the HTTP side reads a certificate itself.

use crate::tls::validity;

/// Any bytes have a validity or none; what follows a certificate changes nothing, and the moment to renew lies between its ends.
pub fn fuzz_validity(data: &[u8]) {
    let Some(found) = validity::read(data) else { return };
    assert_eq!(validity::read(&[data, b"more"].concat()), Some(found));
    if found.from <= found.to {
        assert!((found.from..=found.to).contains(&found.renew_at()));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_kept_still_holds() {
        weir_testkit::corpus::replay("web_validity", super::fuzz_validity);
    }
}
