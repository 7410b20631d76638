//! A certificate from an ACME authority (RFC 8555). The challenge is TLS-ALPN-01 (RFC 8737): the authority connects to the desk's own port, so
//! that no second port must be open. The old certificate stays until a new one is there.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error, HttpClient, Identifier, NewAccount,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use tokio::time::timeout;
use weir_base::disk::{RealDisk, read, replace};
use weir_base::time::Millis;
use weir_listen::pem;

use super::validity::{self, Validity};
use super::{Certificates, certified};
use crate::client::Client;
use crate::limits::{ACME_ORDER_MS, ACME_WAIT_MAX_MS, ACME_WAIT_MS, ANSWER_BYTES};
use crate::notices::Notices;

const ACCOUNT: &str = "acme-account.json";
const CERTIFICATE: &str = "acme.pem";
const KEY: &str = "acme.key";
const CODE: &str = "certificate-acme";

/// What is asked of which authority.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// URL of the directory.
    pub directory: String,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// Names of the certificate.
    pub names: Vec<String>,
    /// Folder for account, certificate and key.
    pub folder: PathBuf,
}

/// The certificate's keeper.
#[derive(Debug)]
pub struct Acme {
    wanted: Wanted,
    client: Client,
    holds: Option<Validity>,
    next: Millis,
    failures: u32,
}

impl Acme {
    /// Takes up what was kept: a certificate for these names is shown at once.
    ///
    /// # Errors
    /// A kept file is damaged: says which, and what to do.
    pub fn open(wanted: Wanted, client: Client, certificates: &Certificates) -> Result<Acme, String> {
        let (at, key) = (wanted.folder.join(CERTIFICATE), wanted.folder.join(KEY));
        let mut holds = None;
        if at.exists() && key.exists() && String::from_utf8_lossy(&pem::read(&at, false)?).starts_with(&head(&wanted)) {
            let chain = pem::certificates(&at)?;
            holds = chain.first().and_then(|c| validity::read(c));
            certificates.show(certified(chain, pem::key(&key)?)?);
        }
        let next = holds.map_or(Millis(0), Validity::renew_at);
        Ok(Acme { wanted, client, holds, next, failures: 0 })
    }

    /// When something is to be done.
    pub fn due(&self) -> Millis {
        self.next
    }

    /// Asks for a certificate; what goes wrong is a notice, and it is tried again later: after a minute, then after twice as long each time.
    pub async fn renew(&mut self, certificates: &Certificates, notices: &Notices, now: Millis) {
        let order = timeout(Duration::from_millis(ACME_ORDER_MS), self.order(certificates)).await;
        certificates.challenges_over();
        match order.unwrap_or_else(|_| Err("the authority did not finish the order in time".to_owned())) {
            Ok(holds) => {
                (self.holds, self.failures, self.next) = (Some(holds), 0, holds.renew_at());
                notices.clear(CODE);
            }
            Err(what) => {
                let wait = ACME_WAIT_MS.saturating_mul(1 << self.failures.min(16)).min(ACME_WAIT_MAX_MS);
                self.failures += 1;
                self.next = now.plus(i64::try_from(wait).unwrap_or(i64::MAX));
                let (level, state) = match self.holds {
                    Some(holds) if holds.to > now => ("warning", format!("the certificate in use ends at {}", holds.to)),
                    Some(_) => ("error", "the certificate in use has ended".to_owned()),
                    None => ("error", "a temporary one of the desk's own is shown".to_owned()),
                };
                let text = format!("The ACME authority gave no certificate: {what}; {state}; tried again at {}.", self.next);
                notices.raise(CODE, level, text, now);
            }
        }
    }

    async fn order(&self, certificates: &Certificates) -> Result<Validity, String> {
        let account = self.account().await?;
        let identifiers: Vec<Identifier> = self.wanted.names.iter().map(|n| Identifier::Dns(n.clone())).collect();
        let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(said)?;
        self.answer(&mut order, certificates).await?;
        let patience = RetryPolicy::new().timeout(Duration::from_millis(ACME_ORDER_MS));
        match order.poll_ready(&patience).await.map_err(said)? {
            OrderStatus::Ready | OrderStatus::Valid => {}
            _ => return Err(format!("it could not connect to every name: {}", refused(&mut order).await)),
        }
        let key = KeyPair::generate().map_err(|e| e.to_string())?;
        let mut params = CertificateParams::new(self.wanted.names.clone()).map_err(|e| e.to_string())?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key).map_err(|e| e.to_string())?;
        order.finalize_csr(request.der()).await.map_err(said)?;
        let chain = order.poll_certificate(&patience).await.map_err(said)?;
        self.keep(&chain, &key.serialize_pem(), certificates)
    }

    async fn account(&self) -> Result<Account, String> {
        let disk = RealDisk::new(&self.wanted.folder).map_err(|e| format!("{} cannot be used: {e}", self.wanted.folder.display()))?;
        let builder = || Account::builder_with_http(Box::new(Http(self.client.clone())));
        let kept = read(&disk, Path::new(ACCOUNT), ANSWER_BYTES as u64).ok().and_then(|b| serde_json::from_slice::<Kept>(&b).ok());
        if let Some(kept) = kept.filter(|k| k.directory == self.wanted.directory) {
            return builder().from_credentials(kept.account).await.map_err(said);
        }
        let contact: Vec<&str> = self.wanted.contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = builder().create(&new, self.wanted.directory.clone(), None).await.map_err(said)?;
        let kept = Kept { directory: self.wanted.directory.clone(), account: credentials };
        let text = serde_json::to_vec(&kept).map_err(|e| e.to_string())?;
        replace(&disk, Path::new(ACCOUNT), &text).map_err(|e| format!("the account cannot be kept: {e}"))?;
        Ok(account)
    }

    async fn answer(&self, order: &mut Order, certificates: &Certificates) -> Result<(), String> {
        let mut all = order.authorizations();
        while let Some(authorization) = all.next().await {
            let mut authorization = authorization.map_err(said)?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                other => return Err(format!("an authorization is {other:?}")),
            }
            let name = authorization.identifier().to_string();
            let challenge = authorization.challenge(ChallengeType::TlsAlpn01);
            let mut challenge = challenge.ok_or("it does not offer TLS-ALPN-01: use certificate files instead")?;
            let mut params = CertificateParams::new(vec![name.clone()]).map_err(|e| e.to_string())?;
            params.custom_extensions = vec![CustomExtension::new_acme_identifier(challenge.key_authorization().digest().as_ref())];
            let key = KeyPair::generate().map_err(|e| e.to_string())?;
            let certificate = params.self_signed(&key).map_err(|e| e.to_string())?;
            let private = PrivatePkcs8KeyDer::from(key.serialize_der());
            // Not checked against each other: its one critical extension is for the authority alone, and rustls knows it not.
            let key = super::provider().key_provider.load_private_key(private.into()).map_err(|e| e.to_string())?;
            certificates.challenge(&name, Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)));
            challenge.set_ready().await.map_err(said)?;
        }
        Ok(())
    }

    /// Shows and keeps what came. Key first: a stop in between leaves an old certificate that does not fit, and that is only asked for again.
    fn keep(&self, chain: &str, key: &str, certificates: &Certificates) -> Result<Validity, String> {
        let parsed = chain_of(chain)?;
        let holds = parsed.first().and_then(|c| validity::read(c)).ok_or("what it gave is no certificate")?;
        let private =
            rustls::pki_types::pem::PemObject::from_pem_slice(key.as_bytes()).map_err(|_| "the new key cannot be read".to_owned())?;
        let both = certified(parsed, private)?;
        let cannot = |e| format!("the certificate cannot be kept in {}: {e}", self.wanted.folder.display());
        let disk = RealDisk::new(&self.wanted.folder).map_err(cannot)?;
        replace(&disk, Path::new(KEY), key.as_bytes()).map_err(cannot)?;
        replace(&disk, Path::new(CERTIFICATE), format!("{}{chain}", head(&self.wanted)).as_bytes()).map_err(cannot)?;
        certificates.show(both);
        Ok(holds)
    }
}

/// First lines of the kept certificate: another authority or other names, and it is not taken up.
fn head(wanted: &Wanted) -> String {
    format!("From {} for {}\n", wanted.directory, wanted.names.join(" "))
}

fn chain_of(text: &str) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, String> {
    use rustls::pki_types::pem::PemObject;
    let all: Result<Vec<_>, _> = rustls::pki_types::CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    all.map_err(|_| "what it gave is no certificate".to_owned())
}

/// Why an order became invalid, in the authority's own words.
async fn refused(order: &mut Order) -> String {
    let mut why = Vec::new();
    let mut all = order.authorizations();
    while let Some(Ok(mut authorization)) = all.next().await {
        if authorization.refresh().await.is_err() {
            continue;
        }
        let errors = authorization.challenges.iter().filter_map(|c| c.error.as_ref());
        why.extend(errors.map(|e| e.detail.clone().unwrap_or_else(|| "no reason given".to_owned())));
    }
    if why.is_empty() { "no reason given".to_owned() } else { why.join("; ") }
}

fn said(error: Error) -> String {
    error.to_string()
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    directory: String,
    account: AccountCredentials,
}

/// Our client, as `instant-acme` wants one.
struct Http(Client);

impl HttpClient for Http {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
            let answer = client.send(Request::from_parts(parts, Full::new(body))).await.map_err(|e| Error::Other(e.into()))?;
            Ok(BytesResponse::from(answer.map(Full::new)))
        })
    }
}

#[cfg(test)]
#[path = "acme_tests.rs"]
mod tests;
