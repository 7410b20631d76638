//! One's own account: factors, sessions, tokens. A factor that is added, and a new password, bring a new cookie.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_record::Id;

use super::session::{step, stepped};
use crate::app::App;
use crate::body::{Body, Part};
use crate::gate::guard::{Signed, Visit};
use crate::model::session::{
    Again, Ceremony, Credential, Factors, NewToken, OpenSession, PasswordChange, Session, Token, TotpBegin, TotpSignIn,
};
use crate::problem::Answer;

/// How this account signs in.
#[utoipa::path(get, path = "/api/v1/me/factors", tag = "me", responses((status = 200, body = Factors)))]
pub async fn factors(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Factors>> {
    app.run(move |app| app.desk.factors(&who.0, visit.now)).await.map(|f| Json(f.into()))
}

/// Signs in again within the session, with the password: what changes factors, password or tokens needs a sign-in that is not older than ten
/// minutes.
#[utoipa::path(post, path = "/api/v1/me/again", tag = "me", request_body = Again, responses((status = 200, body = Session)))]
pub async fn again(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<Again>) -> Answer<Response> {
    let now = visit.now;
    step(&app, &visit, move |app| app.desk.again(&who.0, &body.password, body.code.as_deref(), now)).await
}

/// Begins to sign in again with a passkey.
#[utoipa::path(post, path = "/api/v1/me/again/passkey/begin", tag = "me", responses((status = 200, body = Ceremony)))]
pub async fn again_passkey_begin(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Ceremony>> {
    let options = app.run(move |app| app.desk.again_passkey_begin(&who.0, &visit.here.host, visit.now)).await?;
    Ok(Json(Ceremony { public_key: options }))
}

/// Signs in again with a passkey.
#[utoipa::path(post, path = "/api/v1/me/again/passkey/finish", tag = "me", request_body = Credential, responses((status = 200, body = Session)))]
pub async fn again_passkey_finish(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<Credential>) -> Answer<Response> {
    let now = visit.now;
    step(&app, &visit, move |app| app.desk.again_passkey_finish(&who.0, &body.credential, now)).await
}

/// Changes the password; the account's other sessions end.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "me", request_body = PasswordChange, responses((status = 200, body = Session)))]
pub async fn password_change(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<PasswordChange>) -> Answer<Response> {
    let now = visit.now;
    let done = app.run_sign_in(move |app| app.desk.password_change(&who.0, &body.old, &body.new, now)).await?;
    stepped(&app, &visit, done).await
}

/// Begins to set up TOTP.
#[utoipa::path(post, path = "/api/v1/me/totp/begin", tag = "me", responses((status = 200, body = TotpBegin)))]
pub async fn totp_begin(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<TotpBegin>> {
    app.run(move |app| app.desk.totp_begin(&who.0, visit.now)).await.map(|t| Json(t.into()))
}

/// Sets TOTP up with its first code.
#[utoipa::path(post, path = "/api/v1/me/totp/finish", tag = "me", request_body = TotpSignIn, responses((status = 200, body = Session)))]
pub async fn totp_finish(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<TotpSignIn>) -> Answer<Response> {
    let now = visit.now;
    let done = app.run(move |app| app.desk.totp_finish(&who.0, &body.code, now)).await?;
    stepped(&app, &visit, done).await
}

/// Takes TOTP away.
#[utoipa::path(delete, path = "/api/v1/me/totp", tag = "me", responses((status = 204, description = "Gone")))]
pub async fn totp_remove(State(app): State<App>, visit: Visit, who: Signed) -> Answer<StatusCode> {
    app.run(move |app| app.desk.totp_remove(&who.0, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}

/// Begins to enrol a passkey.
#[utoipa::path(post, path = "/api/v1/me/passkeys/begin", tag = "me", responses((status = 200, body = Ceremony)))]
pub async fn passkey_begin(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Ceremony>> {
    let options = app.run(move |app| app.desk.passkey_enrol_begin(&who.0, &visit.here.host, visit.now)).await?;
    Ok(Json(Ceremony { public_key: options }))
}

/// Enrols a passkey.
#[utoipa::path(post, path = "/api/v1/me/passkeys/finish", tag = "me", request_body = Credential, responses((status = 200, body = Session)))]
pub async fn passkey_finish(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<Credential>) -> Answer<Response> {
    let now = visit.now;
    let enrol = move |app: &App| {
        let name = body.name.as_deref().unwrap_or_default();
        app.desk.passkey_enrol_finish(&who.0, &body.credential, name, now)
    };
    let done = app.run(enrol).await?;
    stepped(&app, &visit, done).await
}

/// Takes a passkey away.
#[utoipa::path(delete, path = "/api/v1/me/passkeys/{id}", tag = "me", params(("id" = String, Path, description = "Id of the passkey")),
    responses((status = 204, description = "Gone")))]
pub async fn passkey_remove(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<StatusCode> {
    app.run(move |app| app.desk.passkey_remove(&who.0, id, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}

/// The sessions of this account.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses((status = 200, body = Vec<OpenSession>)))]
pub async fn sessions(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Vec<OpenSession>>> {
    app.run(move |app| app.desk.sessions(&who.0, visit.now)).await.map(|all| Json(all.into_iter().map(Into::into).collect()))
}

/// Ends one of them.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "me", params(("id" = String, Path, description = "Id of the session")),
    responses((status = 204, description = "Ended")))]
pub async fn session_remove(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<StatusCode> {
    app.run(move |app| app.desk.end_session(&who.0, id, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}

/// The API tokens of this account.
#[utoipa::path(get, path = "/api/v1/me/tokens", tag = "me", responses((status = 200, body = Vec<Token>)))]
pub async fn tokens(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Vec<Token>>> {
    app.run(move |app| app.desk.tokens(&who.0, visit.now)).await.map(|all| Json(all.into_iter().map(Into::into).collect()))
}

/// Makes an API token. The token itself is in this answer and never again.
#[utoipa::path(post, path = "/api/v1/me/tokens", tag = "me", request_body = NewToken, responses((status = 200, body = Token)))]
pub async fn token_make(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<NewToken>) -> Answer<Json<Token>> {
    app.run(move |app| app.desk.token_make(&who.0, &body.name, &body.scope, body.days, visit.now)).await.map(|t| Json(t.into()))
}

/// Takes an API token away.
#[utoipa::path(delete, path = "/api/v1/me/tokens/{id}", tag = "me", params(("id" = String, Path, description = "Id of the token")),
    responses((status = 204, description = "Gone")))]
pub async fn token_remove(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<StatusCode> {
    app.run(move |app| app.desk.token_remove(&who.0, id, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}
