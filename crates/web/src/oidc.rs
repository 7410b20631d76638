//! Talking to OpenID providers: discovery and keys are fetched, kept for an hour, and checked by `weir_identity::desk::oidc`; a code is redeemed.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::Full;
use tokio::sync::Mutex;
use weir_base::time::Millis;
use weir_identity::desk::oidc::{self, Expected, Identity, Keys, Metadata};
use weir_identity::desk::{OidcFlow, Provider};

use crate::app::App;
use crate::client::Client;
use crate::limits::{PROVIDER_AGAIN_MS, PROVIDER_KEPT_MS, SECRET_BYTES};
use crate::model::problem::{Code, Problem};

/// Longest code that a provider may give back, in bytes.
const CODE_BYTES: usize = SECRET_BYTES * 8;

/// What is known of one provider.
#[derive(Default)]
struct Known {
    metadata: Option<(Millis, Metadata)>,
    keys: Option<(Millis, Keys)>,
}

/// All providers.
pub struct Providers {
    client: Option<Client>,
    known: HashMap<String, Mutex<Known>>,
}

/// Why a sign-in did not come about.
pub enum Failure {
    /// What came back is not what a provider signed for this sign-in.
    Forged,
    /// The provider could not be asked.
    Down(Box<Problem>),
}

impl Providers {
    /// These, asked through a client; none is needed where there are none.
    pub fn new(providers: &[Provider], client: Option<Client>) -> Providers {
        Providers { client, known: providers.iter().map(|p| (p.name.clone(), Mutex::default())).collect() }
    }

    /// Its discovery document, at most an hour old.
    ///
    /// # Errors
    /// There is no such provider, or it cannot be asked.
    pub async fn metadata(&self, app: &App, name: &str) -> Result<Metadata, Box<Problem>> {
        let (provider, known) = self.find(app, name)?;
        let mut known = known.lock().await;
        let now = app.now();
        if let Some((at, metadata)) = known.metadata.as_ref().filter(|(at, _)| (0..PROVIDER_KEPT_MS).contains(&now.since(*at))) {
            let _ = at;
            return Ok(metadata.clone());
        }
        let text = self.get(app, name, &oidc::discovery_url(&provider.issuer)).await?;
        let metadata = oidc::discovery(&text, &provider.issuer).map_err(|e| down(app, name, &e.to_string()))?;
        known.metadata = Some((now, metadata.clone()));
        app.notices.clear(&notice(name));
        Ok(metadata)
    }

    /// Redeems a code and checks what it gives.
    ///
    /// # Errors
    /// Forged, or the provider cannot be asked.
    pub async fn redeem(&self, app: &App, flow: &OidcFlow, code: &str, issuer: Option<&str>) -> Result<Identity, Failure> {
        let (provider, _) = self.find(app, &flow.provider).map_err(Failure::Down)?;
        let metadata = self.metadata(app, &flow.provider).await.map_err(Failure::Down)?;
        // RFC 9207: an answer of another provider is not taken for this one's.
        let told = issuer.is_none_or(|iss| iss == metadata.issuer) && (issuer.is_some() || !metadata.tells_issuer);
        if code.len() > CODE_BYTES || !told {
            return Err(Failure::Forged);
        }
        let token = self.token(app, provider, &metadata, flow, code).await?;
        let expected = Expected { issuer: &provider.issuer, client: &provider.client, nonce: &flow.nonce, now: app.now() };
        let keys = self.keys(app, &flow.provider, &metadata, false).await.map_err(Failure::Down)?;
        if let Ok(identity) = oidc::check(&token, &keys, &expected) {
            return Ok(identity);
        }
        // Perhaps its keys were changed since they were fetched: asked again, at most once a minute.
        let keys = self.keys(app, &flow.provider, &metadata, true).await.map_err(Failure::Down)?;
        oidc::check(&token, &keys, &expected).map_err(|_| Failure::Forged)
    }

    async fn token(&self, app: &App, provider: &Provider, metadata: &Metadata, flow: &OidcFlow, code: &str) -> Result<String, Failure> {
        let (secret, in_body) = (Some(provider.secret.as_str()).filter(|s| !s.is_empty()), metadata.secret_in_body);
        let mut request = Request::builder().method(Method::POST).uri(&metadata.token_endpoint).header(ACCEPT, "application/json");
        if let Some(secret) = secret.filter(|_| !in_body) {
            // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
            let both = format!("{}:{}", encoded(&provider.client), encoded(secret));
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(both)));
        }
        let form = oidc::token_form(&flow.verifier, code, &flow.redirect, &provider.client, secret.filter(|_| in_body));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Full::new(Bytes::from(form)));
        let request = request.map_err(|_| Failure::Down(down(app, &provider.name, "its token endpoint is no URL")))?;
        let answer = self.send(app, &provider.name, request).await.map_err(Failure::Down)?;
        match answer.status().as_u16() {
            200 => oidc::token_answer(answer.body()).map_err(|_| Failure::Forged),
            // The code is wrong, used, or too old. A refused client is ours to mend.
            400 if !answer.body().windows(14).any(|w| w == b"invalid_client") => Err(Failure::Forged),
            status => {
                Err(Failure::Down(down(app, &provider.name, &format!("its token endpoint answered {status}: check client id and secret"))))
            }
        }
    }

    async fn keys(&self, app: &App, name: &str, metadata: &Metadata, again: bool) -> Result<Keys, Box<Problem>> {
        let (_, known) = self.find(app, name)?;
        let mut known = known.lock().await;
        let (now, fresh) = (app.now(), if again { PROVIDER_AGAIN_MS } else { PROVIDER_KEPT_MS });
        if let Some((_, keys)) = known.keys.as_ref().filter(|(at, _)| (0..fresh).contains(&now.since(*at))) {
            return Ok(keys.clone());
        }
        let keys = oidc::keys(&self.get(app, name, &metadata.jwks_uri).await?).map_err(|e| down(app, name, &e.to_string()))?;
        known.keys = Some((now, keys.clone()));
        Ok(keys)
    }

    fn find<'a>(&'a self, app: &'a App, name: &str) -> Result<(&'a Provider, &'a Mutex<Known>), Box<Problem>> {
        let both = app.desk.settings().provider(name).zip(self.known.get(name));
        both.ok_or_else(|| Problem::boxed(Code::NotFound, "There is no such provider.", "GET /api/v1/session lists those there are."))
    }

    async fn get(&self, app: &App, name: &str, url: &str) -> Result<Bytes, Box<Problem>> {
        let request = Request::builder().uri(url).header(ACCEPT, "application/json").body(Full::default());
        let answer = self.send(app, name, request.map_err(|_| down(app, name, "it names something that is no URL"))?).await?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body()),
            status => Err(down(app, name, &format!("it answered {status} where a document was expected"))),
        }
    }

    async fn send(&self, app: &App, name: &str, request: Request<Full<Bytes>>) -> Result<axum::http::Response<Bytes>, Box<Problem>> {
        let client = self.client.as_ref().ok_or_else(|| down(app, name, "there is no client to ask it with"))?;
        client.send(request).await.map_err(|what| down(app, name, &what))
    }
}

fn notice(name: &str) -> String {
    format!("provider-down:{name}")
}

/// A provider that cannot be asked is told to who signs in, in a word, and on the overview, with the reason.
fn down(app: &App, name: &str, what: &str) -> Box<Problem> {
    app.notices.raise(&notice(name), "warning", format!("OpenID provider {name}: {what}."), app.now());
    let problem = Problem::new(Code::Unavailable, "The provider cannot be asked now.", "Try again, or sign in in another way.");
    Box::new(problem.retry(Duration::from_secs(10).as_secs()))
}

/// `application/x-www-form-urlencoded`, of what is not unreserved (RFC 3986 section 2.3).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
