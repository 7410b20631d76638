//! Certificates and keys from PEM files.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::limits::PEM_BYTES;

/// A file of at most [`PEM_BYTES`]; a secret one must be readable by its owner alone.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn read(path: &Path, secret: bool) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| format!("{shown} cannot be read ({e}): name an existing PEM file"))?;
    let meta = file.metadata().map_err(|e| format!("{shown} cannot be looked at: {e}"))?;
    if !meta.is_file() {
        return Err(format!("{shown} is not a file: name a PEM file"));
    }
    let mode = meta.permissions().mode() & 0o7777;
    if secret && !matches!(mode, 0o600 | 0o400) {
        return Err(format!("key file {shown} has mode {mode:04o}, so others could read it: run `chmod 600 {shown}`"));
    }
    let mut bytes = Vec::new();
    file.take(PEM_BYTES + 1).read_to_end(&mut bytes).map_err(|e| format!("{shown} cannot be read: {e}"))?;
    if bytes.len() as u64 > PEM_BYTES {
        return Err(format!("{shown} is longer than {PEM_BYTES} bytes: is this the right file?"));
    }
    Ok(bytes)
}

/// The certificates of a file, at least one.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(path, false)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(format!("{} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----", path.display())),
    }
}

/// The private key of a file that only its owner can read.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(path, true)?)
        .map_err(|_| format!("{} holds no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----", path.display()))
}

/// The authorities of a file. What is not an authority is an error.
///
/// # Errors
/// What is wrong with it and what to do.
pub fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|e| {
            format!("{} holds a certificate that is no authority ({e}): name the authority's own certificate", path.display())
        })?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pem");
        assert!(read(&path, false).unwrap_err().contains("name an existing PEM file"));
        assert!(read(folder.path(), false).unwrap_err().contains("is not a file"));
        fs::write(&path, "nothing of the kind").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(certificates(&path).unwrap_err().contains("BEGIN CERTIFICATE"));
        assert!(key(&path).unwrap_err().contains("chmod 600"));
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert!(key(&path).unwrap_err().contains("BEGIN PRIVATE KEY"));
        fs::write(&path, vec![b'-'; usize::try_from(PEM_BYTES).unwrap() + 1]).unwrap();
        assert!(read(&path, false).unwrap_err().contains("is longer than"));
    }
}
