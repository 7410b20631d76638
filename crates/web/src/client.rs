//! The HTTPS client for OpenID providers and ACME authorities: their certificates are checked against one file of authorities, answers have a
//! limit and a time, redirects are not followed.

use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use weir_listen::pem;

use crate::limits::{ANSWER_BYTES, ANSWER_MS};
use crate::tls::provider;

/// The client.
#[derive(Clone, Debug)]
pub struct Client(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Client {
    /// A client that trusts the authorities in a PEM file.
    ///
    /// # Errors
    /// What is wrong with the file and what to do.
    pub fn new(ca_file: &Path) -> Result<Client, String> {
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(pem::certificates(ca_file)?);
        if taken == 0 {
            return Err(format!("{} holds no authority that can be used: name a PEM file of authorities", ca_file.display()));
        }
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = builder.map_err(|e| format!("TLS cannot be set up: {e}"))?.with_root_certificates(roots).with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
        Ok(Client(Pool::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request and takes the whole answer.
    ///
    /// # Errors
    /// Why there is none, free of what was sent.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
        let host = request.uri().host().unwrap_or("").to_owned();
        let exchange = async {
            let answer = self.0.request(request).await.map_err(|e| format!("{host} cannot be reached: {}", innermost(&e)))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES).collect().await;
            let body = body.map_err(|_| format!("the answer of {host} was cut, or is longer than {ANSWER_BYTES} bytes"))?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let time = Duration::from_millis(ANSWER_MS);
        timeout(time, exchange).await.unwrap_or_else(|_| Err(format!("{host} did not answer within {} s", time.as_secs())))
    }
}

/// The error that began it: the outer ones only say that connecting failed.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}
