//! Sign-in with an OpenID provider: the browser goes there and comes back. What fails ends on the console's page, with a code and no more.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use weir_identity::desk::{Caller, OidcDone, Refused};

use super::session::{failed, with_cookie};
use crate::app::App;
use crate::body::{Asked, Part};
use crate::gate::cookie::Cookie;
use crate::gate::guard::{Signed, Visit};
use crate::model::problem::Problem;
use crate::problem::Answer;

/// Goes to the provider.
#[utoipa::path(get, path = "/api/v1/session/oidc/{name}/begin", tag = "session", params(("name" = String, Path, description = "Name of the provider")),
    responses((status = 303, description = "To the provider")))]
pub async fn oidc_begin(State(app): State<App>, visit: Visit, Part(name): Part<String>) -> Response {
    begun(&app, visit, name, None).await
}

/// Goes to the provider to link its subject to this account.
#[utoipa::path(get, path = "/api/v1/me/oidc/{name}/link", tag = "me", params(("name" = String, Path, description = "Name of the provider")),
    responses((status = 303, description = "To the provider")))]
pub async fn oidc_link(State(app): State<App>, visit: Visit, who: Signed, Part(name): Part<String>) -> Response {
    begun(&app, visit, name, Some(who.0)).await
}

async fn begun(app: &App, visit: Visit, name: String, link: Option<Caller>) -> Response {
    let begin = async {
        let metadata = app.providers.metadata(app, &name).await?;
        let redirect = format!("{}/api/v1/session/oidc/{name}/callback", visit.here.origin);
        app.run(move |app| app.desk.oidc_begin(&name, &metadata, &redirect, link.as_ref(), &visit.peer, visit.now)).await
    };
    match begin.await {
        Ok(begun) => with_cookie(app, Cookie::Oidc, &begun.cookie, to(&begun.url)),
        Err(problem) => wrong(app, &problem),
    }
}

/// Takes the link with a provider's subject away.
#[utoipa::path(delete, path = "/api/v1/me/oidc/{name}", tag = "me", params(("name" = String, Path, description = "Name of the provider")),
    responses((status = 204, description = "Gone")))]
pub async fn oidc_unlink(State(app): State<App>, visit: Visit, who: Signed, Part(name): Part<String>) -> Answer<StatusCode> {
    app.run(move |app| app.desk.oidc_unlink(&who.0, &name, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}

/// What a provider gives back.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Back {
    /// The code.
    code: Option<String>,
    /// What was sent along.
    state: Option<String>,
    /// The issuer (RFC 9207).
    iss: Option<String>,
    /// Why not.
    error: Option<String>,
}

/// Comes back from the provider.
#[utoipa::path(get, path = "/api/v1/session/oidc/{name}/callback", tag = "session",
    params(("name" = String, Path, description = "Name of the provider"), Back), responses((status = 303, description = "To the console")))]
pub async fn oidc_callback(
    State(app): State<App>,
    visit: Visit,
    parts: OidcCookie,
    Part(name): Part<String>,
    Asked(back): Asked<Back>,
) -> Response {
    match came_back(&app, &visit, parts.0, &name, back).await {
        Ok(OidcDone::SignedIn(done)) => with_cookie(&app, Cookie::Session, &done.cookie, with_cookie(&app, Cookie::Oidc, "", to("/"))),
        Ok(OidcDone::Linked) => with_cookie(&app, Cookie::Oidc, "", to("/#/me")),
        Err(problem) => {
            failed(&app, &problem);
            with_cookie(&app, Cookie::Oidc, "", wrong(&app, &problem))
        }
    }
}

async fn came_back(app: &App, visit: &Visit, cookie: Option<String>, name: &str, back: Back) -> Answer<OidcDone> {
    let refused = || {
        let (peer, now) = (visit.peer.clone(), visit.now);
        app.run(move |app| Err::<OidcDone, Refused>(app.desk.oidc_failed(&peer, now)))
    };
    let (Some(cookie), Some(state)) = (cookie, back.state) else { return refused().await };
    // Taken before anything else is looked at: whatever comes back, this flow is used up.
    let (now, provider) = (visit.now, name.to_owned());
    let Ok(flow) = app.run(move |app| app.desk.oidc_take(&cookie, &provider, &state, now)).await else { return refused().await };
    let Some(code) = back.code.filter(|_| back.error.is_none()) else { return refused().await };
    match app.providers.redeem(app, &flow, &code, back.iss.as_deref()).await {
        Ok(identity) => {
            let (peer, now) = (visit.peer.clone(), visit.now);
            app.run(move |app| app.desk.oidc_finish(flow, &identity, &peer, now)).await
        }
        Err(crate::oidc::Failure::Forged) => refused().await,
        Err(crate::oidc::Failure::Down(problem)) => Err(problem),
    }
}

fn wrong(_: &App, problem: &Problem) -> Response {
    to(&format!("/#/problem/{}", problem.kind.rsplit(':').next().unwrap_or("failed")))
}

fn to(place: &str) -> Response {
    match HeaderValue::from_str(place) {
        Ok(place) => (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The cookie of the flow.
pub struct OidcCookie(Option<String>);

impl axum::extract::FromRequestParts<App> for OidcCookie {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<OidcCookie, std::convert::Infallible> {
        Ok(OidcCookie(Cookie::Oidc.read(&parts.headers, app.names.secure())))
    }
}
