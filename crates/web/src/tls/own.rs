//! The desk's own certificate: made at the first start, kept in the desk's folder, its fingerprint told so that a person can compare it.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::sign::CertifiedKey;
use weir_base::disk::{RealDisk, replace};
use weir_base::time::{DAY_MS, Day, Millis};
use weir_listen::pem;

use super::{certified, fingerprint, validity};
use crate::limits::{OWN_DAYS, OWN_DAYS_LEFT};

const CERTIFICATE: &str = "own.pem";
const KEY: &str = "own.key";
const NAMES: &str = "names: ";

/// The certificate with its key, and its fingerprint.
pub type Own = (Arc<CertifiedKey>, String);

/// The names that the certificate is for: those people use, the addresses listened on, and this machine's own.
pub fn names(configured: &[String], listen: &[SocketAddr]) -> Vec<String> {
    let addresses = listen.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified()).map(|ip: IpAddr| ip.to_string());
    let mut all: Vec<String> =
        configured.iter().cloned().chain(addresses).chain(["localhost", "127.0.0.1", "::1"].map(str::to_owned)).collect();
    all.sort();
    all.dedup();
    all
}

/// The kept certificate while it is for these names and holds for another month, a new one otherwise.
///
/// # Errors
/// The folder cannot be written, or a kept file is damaged: says which, and what to do.
pub fn ensure(folder: &Path, names: &[String], now: Millis) -> Result<Own, String> {
    let (at, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    if at.exists() && key.exists() {
        let text = pem::read(&at, false)?;
        let same =
            String::from_utf8_lossy(&text).lines().find_map(|l| l.strip_prefix(NAMES).map(|n| n == names.join(" "))).unwrap_or(false);
        let chain = pem::certificates(&at)?;
        let left = chain.first().and_then(|c| validity::read(c)).map_or(0, |v| v.to.since(now) / DAY_MS);
        if same && left > OWN_DAYS_LEFT {
            let print = chain.first().map(fingerprint).unwrap_or_default();
            return Ok((certified(chain, pem::key(&key)?)?, print));
        }
    }
    make(folder, names, now)
}

fn make(folder: &Path, names: &[String], now: Millis) -> Result<Own, String> {
    let (certificate, key) = signed(names, now)?;
    let cannot = |e| format!("the desk's certificate cannot be kept in {}: {e}", folder.display());
    let disk = RealDisk::new(folder).map_err(cannot)?;
    let text = format!(
        "The desk's own certificate. It is made anew when it runs out or when its names change.\n{NAMES}{}\n{}",
        names.join(" "),
        certificate.pem()
    );
    replace(&disk, Path::new(KEY), key.serialize_pem().as_bytes()).map_err(cannot)?;
    replace(&disk, Path::new(CERTIFICATE), text.as_bytes()).map_err(cannot)?;
    ready(&certificate, &key)
}

/// A certificate that is kept nowhere: shown until an authority has given one.
///
/// # Errors
/// A name that cannot stand in a certificate.
pub fn temporary(names: &[String], now: Millis) -> Result<Arc<CertifiedKey>, String> {
    let (certificate, key) = signed(names, now)?;
    Ok(ready(&certificate, &key)?.0)
}

fn ready(certificate: &rcgen::Certificate, key: &KeyPair) -> Result<Own, String> {
    let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((certified(vec![certificate.der().clone()], private.into())?, fingerprint(certificate.der())))
}

fn signed(names: &[String], now: Millis) -> Result<(rcgen::Certificate, KeyPair), String> {
    let bad = |e| format!("no certificate can be made for {}: {e}; correct desk.names", names.join(", "));
    let mut params = CertificateParams::new(names.to_vec()).map_err(bad)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Weir desk");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // From yesterday: a client's clock may be behind.
    let (year, month, day) = date(now.day().plus(-1));
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = date(now.day().plus(OWN_DAYS - 1));
    params.not_after = date_time_ymd(year, month, day);
    let key = KeyPair::generate().map_err(bad)?;
    let certificate = params.self_signed(&key).map_err(bad)?;
    Ok((certificate, key))
}

/// Year, month, day.
fn date(day: Day) -> (i32, u8, u8) {
    let text = day.to_string();
    let part = |at: usize, len: usize| text.get(at..at + len).and_then(|p| p.parse::<u16>().ok()).unwrap_or(1);
    let small = |n: u16| u8::try_from(n).unwrap_or(1);
    (i32::from(part(0, 4)), small(part(5, 2)), small(part(8, 2)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    #[test]
    fn it_is_kept_until_it_runs_out_or_its_names_change() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("desk");
        let listen: Vec<SocketAddr> = ["127.0.0.1:0", "192.0.2.9:443", "[::]:443"].iter().map(|a| a.parse().unwrap()).collect();
        let all = names(&["desk.example.cn".to_owned()], &listen);
        assert_eq!(all, ["127.0.0.1", "192.0.2.9", "::1", "desk.example.cn", "localhost"]);
        let first = ensure(&here, &all, NOW).unwrap().1;
        assert_eq!(first.len(), 32 * 3 - 1, "{first}");
        for (path, mode) in [("", 0o700), (KEY, 0o600), (CERTIFICATE, 0o600)] {
            assert_eq!(fs::metadata(here.join(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
        }
        assert_eq!(ensure(&here, &all, NOW).unwrap().1, first);
        let day = |days: i64| NOW.plus(days * DAY_MS);
        assert_eq!(ensure(&here, &all, day(i64::from(OWN_DAYS) - OWN_DAYS_LEFT - 3)).unwrap().1, first);
        let later = ensure(&here, &all, day(i64::from(OWN_DAYS) - OWN_DAYS_LEFT)).unwrap().1;
        assert_ne!(later, first);
        assert_ne!(ensure(&here, &all[1..], day(0)).unwrap().1, later);
    }

    #[test]
    fn a_damaged_key_is_named_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let all = names(&[], &[]);
        ensure(folder.path(), &all, NOW).unwrap();
        fs::set_permissions(folder.path().join(KEY), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(ensure(folder.path(), &all, NOW).unwrap_err().contains("chmod 600"));
    }
}
