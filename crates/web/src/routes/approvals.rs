//! What needs two persons.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use weir_identity::desk::Role;
use weir_record::Id;

use super::accounts::role;
use crate::app::App;
use crate::body::{Body, Part};
use crate::gate::guard::{Signed, Visit};
use crate::model::account::{BreakGlass, Changed, Reason};
use crate::model::approval::{Approval, Confirm, Confirmed};
use crate::problem::Answer;

/// What waits, and what came of it: all of it for who may read approvals, one's own for everybody.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "approvals", responses((status = 200, body = Vec<Approval>)))]
pub async fn approvals(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Vec<Approval>>> {
    app.run(move |app| app.desk.approvals(&who.0, visit.now)).await.map(|all| Json(all.into_iter().map(Into::into).collect()))
}

/// One of them.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path, description = "Id of the approval")),
    responses((status = 200, body = Approval)))]
pub async fn approval(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<Json<Approval>> {
    app.run(move |app| app.desk.approval(&who.0, id, visit.now)).await.map(|a| Json(a.into()))
}

/// The one-use link that a confirmed approval led to: for the one who asked, once.
#[utoipa::path(get, path = "/api/v1/approvals/{id}/result", tag = "approvals", params(("id" = String, Path, description = "Id of the approval")),
    responses((status = 200, body = Changed)))]
pub async fn approval_result(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<Json<Changed>> {
    let link = app.run(move |app| app.desk.approval_result(&who.0, id, visit.now)).await?;
    Ok(Json(Changed { state: "done".into(), approval: None, link: Some(link), remark: None }))
}

/// Confirms exactly what was looked at. The last confirmation of what leads to a one-use link gives its code, once.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/confirm", tag = "approvals", params(("id" = String, Path, description = "Id of the approval")),
    request_body = Confirm, responses((status = 200, body = Confirmed)))]
pub async fn approval_confirm(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Confirm>,
) -> Answer<Json<Confirmed>> {
    let (approval, code) = app.run(move |app| app.desk.confirm(&who.0, id, &body.digest, visit.now)).await?;
    Ok(Json(Confirmed { approval: approval.into(), code }))
}

/// Refuses it.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/refuse", tag = "approvals", params(("id" = String, Path, description = "Id of the approval")),
    request_body = Reason, responses((status = 200, body = Approval)))]
pub async fn approval_refuse(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Reason>,
) -> Answer<Json<Approval>> {
    app.run(move |app| app.desk.refuse(&who.0, id, &body.reason, visit.now)).await.map(|a| Json(a.into()))
}

/// Takes one's own request back.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/withdraw", tag = "approvals", params(("id" = String, Path, description = "Id of the approval")),
    responses((status = 200, body = Approval)))]
pub async fn approval_withdraw(State(app): State<App>, visit: Visit, who: Signed, Part(id): Part<Id>) -> Answer<Json<Approval>> {
    app.run(move |app| app.desk.withdraw(&who.0, id, visit.now)).await.map(|a| Json(a.into()))
}

/// Asks for a role in an emergency: two others confirm, every page shows it, and it ends by itself.
#[utoipa::path(post, path = "/api/v1/break-glass", tag = "approvals", request_body = BreakGlass, responses((status = 200, body = Changed)))]
pub async fn break_glass(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<BreakGlass>) -> Answer<Json<Changed>> {
    let role: Role = role(&body.role, "role")?;
    let changed = app.run(move |app| app.desk.break_glass(&who.0, role, body.minutes, &body.reason, visit.now)).await?;
    Ok(Json(changed.into()))
}

/// Ends one's own emergency before its time.
#[utoipa::path(post, path = "/api/v1/break-glass/end", tag = "approvals", responses((status = 204, description = "Ended")))]
pub async fn break_glass_end(State(app): State<App>, visit: Visit, who: Signed) -> Answer<StatusCode> {
    app.run(move |app| app.desk.break_glass_end(&who.0, visit.now)).await.map(|()| StatusCode::NO_CONTENT)
}
