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
