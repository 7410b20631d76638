//! TLS for syslog (RFC 5425): certificates from files, ring as the only provider.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::config::TlsFiles;
use super::limits::PEM_BYTES;

fn read(path: &Path, secret: bool) -> Result<Vec<u8>, String> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| format!("{shown} cannot be read ({e}): name an existing PEM file"))?;
    let meta = file.metadata().map_err(|e| format!("{shown} cannot be looked at: {e}"))?;
    if !meta.is_file() {
        return Err(format!("{shown} is not a file"));
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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(path, false)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(format!("{} holds no certificate: it must be PEM, with -----BEGIN CERTIFICATE-----", path.display())),
    }
}

/// The server's side of TLS 1.2 and 1.3.
///
/// # Errors
/// What is wrong with a file and what to do.
pub fn server(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key, true)?)
        .map_err(|_| format!("{} holds no private key: it must be PEM, with -----BEGIN PRIVATE KEY-----", files.key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{} holds a certificate that is no authority: {e}", path.display()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|e| format!("{} cannot be used: {e}", path.display()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mismatch = |e| format!("certificate {} and key {} do not fit together: {e}", files.certificate.display(), files.key.display());
    builder.with_single_cert(chain, key).map(Arc::new).map_err(mismatch)
}
