//! Who is signed in, and how one signs in. Each step that raises what a cookie may do comes with a new cookie.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use weir_identity::desk::{self, Next, Refused, SessionView, SignedIn};

use crate::app::App;
use crate::body::Body;
use crate::gate::cookie::Cookie;
use crate::gate::guard::{CSRF, Visit};
use crate::model::problem::{Code, Problem};
use crate::model::session::{Accept, Ceremony, Credential, Invitation, Link, Me, PasswordSignIn, Provider, Session, TotpSignIn};
use crate::problem::Answer;

/// Who is signed in; answered without being signed in too.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Session)))]
pub async fn session_read(State(app): State<App>, visit: Visit) -> Answer<Response> {
    let (cookie, new) = match visit.cookie {
        Some(cookie) => (cookie, false),
        None => (app.desk.visitor(), true),
    };
    let shown = with_csrf(shown(&app, &cookie, visit.session.as_ref()));
    Ok(if new { with_cookie(&app, Cookie::Session, &cookie, shown) } else { shown })
}

/// The session as JSON: all of it is in memory, so it takes no thread.
fn shown(app: &App, cookie: &str, session: Option<&SessionView>) -> Session {
    // Before the second factor is there, not even the name is told.
    let known = session.filter(|s| s.caller.complete || s.next == Some(Next::Enrol));
    let providers = app.desk.settings().providers.iter();
    Session {
        account: known.map(Me::from),
        next: session.and_then(|s| s.next).map(|n| n.name().to_owned()),
        csrf: app.desk.csrf(cookie),
        idle_seconds: session.map(|s| s.idle_seconds),
        setup: app.desk.is_empty(),
        providers: providers.map(|p| Provider { name: p.name.clone(), title: p.title.clone() }).collect(),
        unit: app.backend.unit(),
        version: app.version.clone(),
    }
}

/// The step is done: the new cookie, and the session that it opens.
pub async fn stepped(app: &App, visit: &Visit, done: SignedIn) -> Answer<Response> {
    let (cookie, peer, now) = (done.cookie.clone(), visit.peer.clone(), visit.now);
    let session = app.run(move |app| Ok::<_, Refused>(app.desk.session(&cookie, &peer, now))).await?;
    let shown = with_csrf(shown(app, &done.cookie, session.as_ref()));
    Ok(with_cookie(app, Cookie::Session, &done.cookie, shown))
}

/// The session, and in a header what the next change must bring along: whatever renewed it, the page has one place to take it from.
fn with_csrf(session: Session) -> Response {
    let text = HeaderValue::from_str(&session.csrf).ok();
    let mut answer = Json(session).into_response();
    if let Some(text) = text {
        answer.headers_mut().insert(CSRF, text);
    }
    answer
}

/// An answer that sets a cookie.
pub fn with_cookie(app: &App, which: Cookie, value: &str, answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    if let Some(header) = which.set(value, app.names.secure()) {
        answer.headers_mut().append(SET_COOKIE, header);
    }
    answer
}

/// A step of a sign-in, on threads of its own; failures are counted.
pub async fn step(app: &App, visit: &Visit, job: impl FnOnce(&App) -> Result<SignedIn, Refused> + Send + 'static) -> Answer<Response> {
    match app.run_sign_in(job).await {
        Ok(done) => stepped(app, visit, done).await,
        Err(problem) => {
            failed(app, &problem);
            Err(problem)
        }
    }
}

/// Counts a failure.
pub fn failed(app: &App, problem: &Problem) {
    if matches!(problem.status, 401 | 429) || problem.is(Code::CodeWrong) {
        app.metrics.sign_in_failures.fetch_add(1, Ordering::Relaxed);
    }
}

fn cookie_of(visit: &Visit) -> Answer<String> {
    visit.cookie.clone().ok_or_else(|| Refused::NotSignedIn.into())
}

/// Signs in with a password.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = PasswordSignIn, responses((status = 200, body = Session)))]
pub async fn session_password(State(app): State<App>, visit: Visit, Body(body): Body<PasswordSignIn>) -> Answer<Response> {
    let (peer, now) = (visit.peer.clone(), visit.now);
    step(&app, &visit, move |app| app.desk.password(&body.login, &body.password, &peer, now)).await
}

/// Gives the second factor.
#[utoipa::path(post, path = "/api/v1/session/totp", tag = "session", request_body = TotpSignIn, responses((status = 200, body = Session)))]
pub async fn session_totp(State(app): State<App>, visit: Visit, Body(body): Body<TotpSignIn>) -> Answer<Response> {
    let (cookie, peer, now) = (cookie_of(&visit)?, visit.peer.clone(), visit.now);
    step(&app, &visit, move |app| app.desk.totp(&cookie, &body.code, &peer, now)).await
}

/// Begins to sign in with a passkey, alone or after a password.
#[utoipa::path(post, path = "/api/v1/session/passkey/begin", tag = "session", responses((status = 200, body = Ceremony)))]
pub async fn session_passkey_begin(State(app): State<App>, visit: Visit) -> Answer<Json<Ceremony>> {
    let cookie = cookie_of(&visit)?;
    let options = app.run(move |app| app.desk.passkey_begin(&cookie, &visit.here.host, &visit.peer, visit.now)).await?;
    Ok(Json(Ceremony { public_key: options }))
}

/// Signs in with a passkey.
#[utoipa::path(post, path = "/api/v1/session/passkey/finish", tag = "session", request_body = Credential, responses((status = 200, body = Session)))]
pub async fn session_passkey_finish(State(app): State<App>, visit: Visit, Body(body): Body<Credential>) -> Answer<Response> {
    let (cookie, peer, now) = (cookie_of(&visit)?, visit.peer.clone(), visit.now);
    step(&app, &visit, move |app| app.desk.passkey_finish(&cookie, &body.credential, &peer, now)).await
}

/// What a one-use link leads to. It is not used by that.
#[utoipa::path(post, path = "/api/v1/invitations/open", tag = "session", request_body = Link, responses((status = 200, body = Invitation)))]
pub async fn invitation_open(State(app): State<App>, visit: Visit, Body(body): Body<Link>) -> Answer<Json<Invitation>> {
    let seen = app.run_sign_in(move |app| app.desk.link_view(&body.token, &visit.peer, visit.now)).await;
    seen.map(|link| Json(link.into())).inspect_err(|problem| failed(&app, problem))
}

/// Becomes an account by a one-use link, and signs in.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "session", request_body = Accept, responses((status = 200, body = Session)))]
pub async fn invitation_accept(State(app): State<App>, visit: Visit, Body(body): Body<Accept>) -> Answer<Response> {
    let (peer, now) = (visit.peer.clone(), visit.now);
    let accept = move |app: &App| {
        let Accept { token, login, display, password, code } = &body;
        app.desk.accept(&desk::Accept { token, login, display, password, code: code.as_deref() }, &peer, now)
    };
    step(&app, &visit, accept).await
}

/// Signs out, or gives up half a sign-in.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204, description = "Signed out")))]
pub async fn session_end(State(app): State<App>, visit: Visit) -> Answer<Response> {
    let cookie = cookie_of(&visit)?;
    app.run(move |app| app.desk.sign_out(&cookie, &visit.peer, visit.now)).await?;
    Ok(with_cookie(&app, Cookie::Session, "", StatusCode::NO_CONTENT))
}
