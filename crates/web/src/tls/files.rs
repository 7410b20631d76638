//! A certificate from files that somebody else renews. They are looked at now and then; when both changed and fit together, connections get the
//! new one, without a restart. While they do not fit, the old one stays and a notice says why.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use weir_base::crypto::sha256;
use weir_base::time::{DAY_MS, Millis};
use weir_listen::pem;

use super::{Certificates, certified, validity};
use crate::notices::Notices;

/// A notice comes when a certificate holds for fewer days than this.
const DAYS_LEFT: i64 = 14;
const CODE: &str = "certificate-files";
const ENDS: &str = "certificate-ends";

/// The files, and what they held when they were last looked at.
#[derive(Debug)]
pub struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: Option<[u8; 32]>,
    ends: Option<Millis>,
}

impl Files {
    /// Reads them for the first time.
    ///
    /// # Errors
    /// What is wrong with a file and what to do.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<(Files, Arc<CertifiedKey>), String> {
        let mut files = Files { certificate, key, seen: None, ends: None };
        let now = files.digest()?;
        let certified = files.load()?;
        files.seen = Some(now);
        Ok((files, certified))
    }

    /// Looks again.
    pub fn look(&mut self, certificates: &Certificates, notices: &Notices, now: Millis) {
        let changed = self.digest().and_then(|digest| {
            if self.seen == Some(digest) {
                return Ok(());
            }
            certificates.show(self.load()?);
            self.seen = Some(digest);
            Ok(())
        });
        match changed {
            Ok(()) => notices.clear(CODE),
            Err(what) => notices.raise(CODE, "warning", format!("The certificate in use is still the old one: {what}."), now),
        }
        match self.ends.filter(|ends| ends.since(now) < DAYS_LEFT * DAY_MS) {
            None => notices.clear(ENDS),
            Some(ends) => {
                let text = format!("The desk's certificate ends at {ends}: put a new one into its files.");
                notices.raise(ENDS, if ends > now { "warning" } else { "error" }, text, now);
            }
        }
    }

    fn digest(&self) -> Result<[u8; 32], String> {
        let mut both = sha256(&pem::read(&self.certificate, false)?).to_vec();
        both.extend(sha256(&pem::read(&self.key, true)?));
        Ok(sha256(&both))
    }

    fn load(&mut self) -> Result<Arc<CertifiedKey>, String> {
        let chain = pem::certificates(&self.certificate)?;
        let ends = chain.first().and_then(|c| validity::read(c)).map(|v| v.to);
        let both = certified(chain, pem::key(&self.key)?)
            .map_err(|e| format!("{} and {}: {e}", self.certificate.display(), self.key.display()))?;
        self.ends = ends;
        Ok(both)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn write(folder: &Path, until: (i32, u8, u8)) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(vec!["desk.example.cn".to_owned()]).unwrap();
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        let (at, key_at) = (folder.join("c.pem"), folder.join("k.pem"));
        fs::write(&at, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&key_at, key.serialize_pem()).unwrap();
        fs::set_permissions(&key_at, Permissions::from_mode(0o600)).unwrap();
        (at, key_at)
    }

    #[test]
    fn what_is_wrong_with_new_files_and_that_one_ends_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (at, key) = write(folder.path(), (2026, 12, 1));
        let (certificates, notices) = (Certificates::default(), Notices::default());
        let (mut files, _) = Files::open(at.clone(), key).unwrap();
        let mut codes = |now: &str| {
            files.look(&certificates, &notices, now.parse().unwrap());
            notices.all().into_iter().map(|n| (n.code, n.level)).collect::<Vec<_>>()
        };
        assert_eq!(codes("2026-11-01T00:00:00Z"), []);
        assert_eq!(codes("2026-11-20T00:00:00Z"), [(ENDS.to_owned(), "warning".to_owned())]);
        assert_eq!(codes("2026-12-02T00:00:00Z"), [(ENDS.to_owned(), "error".to_owned())]);
        let whole = fs::read(&at).unwrap();
        fs::write(&at, "broken").unwrap();
        assert_eq!(codes("2026-11-01T00:00:00Z"), [(CODE.to_owned(), "warning".to_owned())]);
        fs::write(&at, whole).unwrap();
        assert_eq!(codes("2026-11-01T00:00:00Z"), []);
        // A new key, and the certificate not yet: they do not fit together.
        let kept = fs::read(&at).unwrap();
        write(folder.path(), (2027, 12, 1));
        let new = fs::read(&at).unwrap();
        fs::write(&at, kept).unwrap();
        assert_eq!(codes("2026-11-01T00:00:00Z"), [(CODE.to_owned(), "warning".to_owned())]);
        fs::write(&at, new).unwrap();
        assert_eq!(codes("2026-11-20T00:00:00Z"), []);
    }
}
