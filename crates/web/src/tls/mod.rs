//! TLS: where the certificate comes from, and how it is exchanged while connections are served.

pub mod acme;
pub mod files;
pub mod own;
pub mod validity;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use weir_base::crypto::sha256;
use weir_base::task::lock;

/// The protocol of ACME's challenge (RFC 8737).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// The certificates that are shown now.
#[derive(Default)]
pub struct Certificates {
    shown: Mutex<Option<Arc<CertifiedKey>>>,
    challenges: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates(…)")
    }
}

impl Certificates {
    /// From the next handshake on this one is shown.
    pub fn show(&self, certified: Arc<CertifiedKey>) {
        *lock(&self.shown) = Some(certified);
    }

    /// Answers an authority's challenge for a name.
    pub fn challenge(&self, name: &str, certified: Arc<CertifiedKey>) {
        lock(&self.challenges).insert(name.to_ascii_lowercase(), certified);
    }

    /// The challenges are over.
    pub fn challenges_over(&self) {
        lock(&self.challenges).clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 section 4: the challenge's certificate is shown only to who offers its protocol alone.
        if hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS) && offered.next().is_none()) {
            let name = hello.server_name()?.to_ascii_lowercase();
            return lock(&self.challenges).get(&name).cloned();
        }
        lock(&self.shown).clone()
    }
}

/// The one provider.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The server's side of TLS 1.2 and 1.3, showing what `certificates` holds at each handshake.
///
/// # Errors
/// rustls does not take its own defaults.
pub fn acceptor(certificates: &Arc<Certificates>) -> Result<TlsAcceptor, String> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| format!("TLS cannot be set up: {e}"))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::clone(certificates) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"http/1.1".to_vec(), ACME_TLS.to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A certificate with its key, ready for use.
///
/// # Errors
/// They do not fit together, or the key is of a kind that is not known.
pub fn certified(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<CertifiedKey>, String> {
    CertifiedKey::from_der(chain, key, &provider())
        .map(Arc::new)
        .map_err(|e| format!("certificate and key do not fit together ({e}): name the key that the certificate was made for"))
}

/// SHA-256 of a certificate, as browsers show it: `AB:CD:…`.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hex: Vec<String> = sha256(certificate).iter().map(|b| format!("{b:02X}")).collect();
    hex.join(":")
}
