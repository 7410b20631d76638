//! Who asks, and whether they may. Every route has exactly one [`Access`]; a handler runs after it was passed and in no other way.

use std::sync::atomic::Ordering;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use weir_base::time::Millis;
use weir_identity::desk::{Caller, Capability, Peer, Refused, SessionView};

use super::cookie::Cookie;
use super::host::{Here, Names};
use super::rate::Who;
use crate::app::App;
use crate::backend;
use crate::limits::SECRET_BYTES;
use crate::model::problem::{Code, Problem};

/// The header that carries the CSRF text.
pub const CSRF: &str = "x-weir-csrf";

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody.
    Open,
    /// Nothing, and never too often: whether the program is there.
    Probe,
    /// Nothing: who is here. Who is nobody yet is told so from memory, never too often and with nothing else behind it.
    Here,
    /// Nothing, but its address may not try often: a step of a sign-in.
    SignIn,
    /// The same of a one-use link, with a share of its own.
    Link,
    /// This.
    May(Capability),
    /// [`Capability::MetricsRead`], or to ask from this very machine.
    Metrics,
}

impl Access {
    /// Its word in the OpenAPI document: a capability's name, `none`, `sign-in`.
    pub fn name(self) -> &'static str {
        match self {
            Access::Open | Access::Probe | Access::Here => "none",
            Access::SignIn | Access::Link => "sign-in",
            Access::May(capability) => capability.name(),
            Access::Metrics => Capability::MetricsRead.name(),
        }
    }
}

/// A request that passed.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Where the browser is.
    pub here: Here,
    /// Where it comes from.
    pub peer: Peer,
    /// When.
    pub now: Millis,
    /// Its cookie: of a session, of a visitor, or of nothing any more.
    pub cookie: Option<String>,
    /// The session of the cookie.
    pub session: Option<SessionView>,
}

/// Who is signed in and may. Only the guard makes one.
#[derive(Clone, Debug)]
pub struct Signed(pub Caller);

impl Signed {
    /// As the ledger names them.
    pub fn ledger(&self) -> backend::Caller {
        backend::Caller { actor: self.0.actor(), ledger: self.0.may.has(Capability::LedgerRead) }
    }
}

/// Runs it.
pub async fn guard(State((app, access)): State<(App, Access)>, mut request: Request, next: Next) -> Response {
    match pass(&app, access, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn pass(app: &App, access: Access, request: &mut Request) -> Result<(), Box<Problem>> {
    let (Some(here), Some(peer)) = (request.extensions().get::<Here>().cloned(), request.extensions().get::<Peer>().cloned()) else {
        return Err(Problem::boxed(Code::Failed, "The request was not looked at.", "Report this."));
    };
    let (method, headers) = (request.method().clone(), request.headers());
    let unsafe_method = !matches!(method, Method::GET | Method::HEAD);
    if method == Method::POST {
        json_only(headers)?;
    }
    let mut visit = Visit { here, peer, now: app.now(), cookie: Cookie::Session.read(headers, app.names.secure()), session: None };
    let fits = !unsafe_method || fits(app, &visit, headers);
    let bearer = bearer(headers);
    charge(app, access, &visit, fits, bearer.as_ref().ok().and_then(Option::as_deref))?;
    let caller = match bearer? {
        // A token is sent by a program on purpose, never by a browser on its own: no cookie counts beside it, and no CSRF text is needed.
        Some(token) => {
            visit.cookie = None;
            let (peer, now) = (visit.peer.clone(), visit.now);
            Some(app.run(move |app| app.desk.bearer(&token, &peer, now)).await?)
        }
        None => {
            visit.session = session(app, &visit).await?;
            if !fits {
                return Err(foreign(app, &visit).await);
            }
            visit.session.as_ref().map(|s| s.caller.clone())
        }
    };
    let needed = match access {
        Access::Open | Access::Probe | Access::Here | Access::SignIn | Access::Link => None,
        // Behind a proxy everybody comes from this machine.
        Access::Metrics if visit.peer.address.ip().is_loopback() && !app.names.proxied => None,
        Access::Metrics => Some(Capability::MetricsRead),
        Access::May(capability) => Some(capability),
    };
    if let Some(needed) = needed {
        let caller = caller.ok_or(Refused::NotSignedIn)?;
        if let Err(refused) = caller.needs(needed) {
            return Err(not_allowed(app, needed, caller, request.uri().path(), visit.now, refused).await);
        }
        request.extensions_mut().insert(Signed(caller));
    }
    request.extensions_mut().insert(visit);
    Ok(())
}

/// Charges a request to one share, before anything of it is looked at that costs. Whoever shows a session or a token that is known is charged for it
/// and never for the address: others behind the same address cannot use that up.
fn charge(app: &App, access: Access, visit: &Visit, fits: bool, bearer: Option<&str>) -> Result<(), Box<Problem>> {
    let address = visit.peer.address;
    let known = match bearer {
        Some(token) => app.desk.known_token(token, visit.now),
        None => visit.cookie.as_deref().and_then(|cookie| app.desk.known_session(cookie, visit.now)),
    };
    let who = match access {
        Access::Probe => return Ok(()),
        // What a foreign page sends is no try.
        Access::SignIn if fits || bearer.is_some() => Who::sign_in(address),
        Access::Link if fits || bearer.is_some() => Who::link(address),
        _ => match known {
            Some(id) => Who::Session(id),
            // As cheap as the page that asks it; refused, nobody behind the address could begin to sign in.
            None if access == Access::Here && bearer.is_none() => return Ok(()),
            None if access == Access::Metrics => Who::probe(address),
            None => Who::address(address),
        },
    };
    app.rates.take(who, app.clock.monotonic())
}

/// Who confirms or refuses an approval and may not is recorded, as every refused step of one is.
async fn not_allowed(app: &App, needed: Capability, caller: Caller, path: &str, now: Millis, refused: Refused) -> Box<Problem> {
    let mut last = path.rsplit('/');
    let action = match last.next() {
        Some("confirm") => "desk-approval-confirm",
        Some("refuse") => "desk-approval-refuse",
        _ => return refused.into(),
    };
    let Some(id) = last.next().and_then(|id| id.parse().ok()).filter(|_| needed == Capability::ApprovalsConfirm) else {
        return refused.into();
    };
    let told = app.run(move |app| Ok::<_, Refused>(app.desk.approval_step_refused(&caller, action, id, refused, now))).await;
    told.map_or_else(|busy| busy, Into::into)
}

async fn session(app: &App, visit: &Visit) -> Result<Option<SessionView>, Box<Problem>> {
    // A cookie that is nobody's takes no thread.
    let Some(cookie) = visit.cookie.clone().filter(|cookie| app.desk.known_session(cookie, visit.now).is_some()) else { return Ok(None) };
    let (peer, now) = (visit.peer.clone(), visit.now);
    app.run(move |app| Ok::<_, Refused>(app.desk.session(&cookie, &peer, now))).await
}

/// Both halves: the text that only the desk's own page has read, and the browser's word for where it is.
fn fits(app: &App, visit: &Visit, headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CSRF).iter();
    let text = all.next().filter(|_| all.next().is_none()).and_then(|t| t.to_str().ok()).filter(|t| t.len() <= SECRET_BYTES);
    let text = text.zip(visit.cookie.as_deref()).is_some_and(|(text, cookie)| app.desk.csrf_fits(cookie, text));
    text && Names::same_origin(&visit.here, headers)
}

async fn foreign(app: &App, visit: &Visit) -> Box<Problem> {
    app.metrics.csrf_failures.fetch_add(1, Ordering::Relaxed);
    let (account, peer, now) = (visit.session.as_ref().map(|s| s.caller.account), visit.peer.clone(), visit.now);
    if let Err(problem) = app.run(move |app| app.desk.csrf_failed(account, &peer, now)).await {
        return problem;
    }
    Problem::boxed(
        Code::Csrf,
        "The request did not come from the desk's own page.",
        "Load the page again. Programs use an API token: Authorization: Bearer weir_…",
    )
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Box<Problem>> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|_| all.next().is_none()).and_then(|t| t.split_once(' '));
    let token = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match token.filter(|t| !t.is_empty() && t.len() <= SECRET_BYTES) {
        Some(token) => Ok(Some(token.to_owned())),
        None => Err(Refused::NotSignedIn.into()),
    }
}

fn json_only(headers: &HeaderMap) -> Result<(), Box<Problem>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|c| c.to_str().ok()).map(|c| c.split(';').next().unwrap_or("").trim());
    if kind.is_some_and(|k| k.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::boxed(Code::MediaType, "The body is not said to be JSON.", "Send it with Content-Type: application/json."))
}

impl<S: Send + Sync> FromRequestParts<S> for Signed {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Signed, Box<Problem>> {
        parts.extensions.get().cloned().ok_or_else(|| Refused::NotSignedIn.into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visit, Box<Problem>> {
        parts.extensions.get().cloned().ok_or_else(|| Refused::NotSignedIn.into())
    }
}
