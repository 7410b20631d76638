//! TLS for syslog (RFC 5425): certificates from files, ring as the only provider.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use weir_listen::pem;

use super::config::TlsFiles;

/// The server's side of TLS 1.2 and 1.3.
///
/// # Errors
/// What is wrong with a file and what to do.
pub fn server(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (chain, key) = (pem::certificates(&files.certificate)?, pem::key(&files.key)?);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS cannot be set up: {e}"))?;
    let builder = match &files.clients {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(pem::authorities(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .build()
                .map_err(|e| format!("{} cannot be used: {e}", path.display()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mismatch = |e| {
        format!(
            "certificate {} and key {} do not fit together ({e}): name the key that the certificate was made for",
            files.certificate.display(),
            files.key.display()
        )
    };
    builder.with_single_cert(chain, key).map(Arc::new).map_err(mismatch)
}

/// What is wrong with each of the files of a section, with the path of its setting before it: all of them, and whether they fit together where
/// each is well. Files that are not named are none.
pub fn check_files(section: &str, certificate: &Path, key: &Path, clients: &Path) -> Vec<String> {
    let named = |path: &Path| !path.as_os_str().is_empty();
    let mut problems = Vec::new();
    let mut look = |name: &str, path: &Path, wrong: Option<String>| {
        problems.extend(wrong.filter(|_| named(path)).map(|what| format!("{section}.{name} {what}")));
    };
    look("tls_certificate", certificate, pem::certificates(certificate).err());
    look("tls_key", key, pem::key(key).err());
    look("tls_clients", clients, pem::authorities(clients).err());
    if problems.is_empty() && named(certificate) && named(key) {
        let clients = Some(clients.to_owned()).filter(|c| named(c));
        let files = TlsFiles { certificate: certificate.to_owned(), key: key.to_owned(), clients };
        problems.extend(server(&files).err().map(|what| format!("{section}.tls_certificate {what}")));
    }
    problems
}
