//! Accounts and roles.

use axum::Json;
use axum::extract::State;
use weir_base::time::Millis;
use weir_identity::desk::roles::TABLE;
use weir_identity::desk::{self, Caller, Desk, Refused, Role};
use weir_record::Id;

use crate::app::App;
use crate::body::{Body, Part};
use crate::gate::guard::{Signed, Visit};
use crate::model::account::{self, Account, Changed, Invite, Reason, RoleChange};
use crate::model::problem::{Code, Problem};
use crate::problem::Answer;

/// A role by its name.
pub fn role(name: &str, field: &str) -> Answer<Role> {
    name.parse()
        .map_err(|known: String| Box::new(Problem::new(Code::BadRequest, format!("There is {known}."), "Choose one of them.").field(field)))
}

fn roles_of(names: &[String]) -> Answer<Vec<Role>> {
    names.iter().map(|n| role(n, "roles")).collect()
}

/// The accounts.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses((status = 200, body = Vec<Account>)))]
pub async fn accounts(State(app): State<App>, visit: Visit, who: Signed) -> Answer<Json<Vec<Account>>> {
    app.run(move |app| app.desk.accounts(&who.0, visit.now)).await.map(|all| Json(all.into_iter().map(Into::into).collect()))
}

/// Asks for a new account. While the unit is being set up the link comes at once; afterwards a second person confirms first.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = Invite, responses((status = 200, body = Changed)))]
pub async fn account_invite(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<Invite>) -> Answer<Json<Changed>> {
    let roles = roles_of(&body.roles)?;
    let person = body.person.as_deref().map(str::parse::<Id>).transpose().map_err(|_| {
        Box::new(
            Problem::new(Code::BadRequest, "This is no id of a person.", "Leave it out, or send the id that the list shows.")
                .field("person"),
        )
    })?;
    let changed = app.run(move |app| app.desk.invite(&who.0, &body.display, &roles, person, &body.reason, visit.now)).await?;
    Ok(Json(changed.into()))
}

/// Asks for other roles.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/roles", tag = "accounts", params(("id" = String, Path, description = "Id of the account")),
    request_body = RoleChange, responses((status = 200, body = Changed)))]
pub async fn account_roles(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<RoleChange>,
) -> Answer<Json<Changed>> {
    let roles = roles_of(&body.roles)?;
    let changed = app.run(move |app| app.desk.roles_change(&who.0, id, &roles, &body.reason, visit.now)).await?;
    Ok(Json(changed.into()))
}

type Change = fn(&Desk, &Caller, Id, &str, Millis) -> Result<desk::Changed, Refused>;

async fn change(app: App, asked: (Visit, Signed, Id, Reason), how: Change) -> Answer<Json<Changed>> {
    let (visit, who, id, body) = asked;
    app.run(move |app| how(&app.desk, &who.0, id, &body.reason, visit.now)).await.map(|c| Json(c.into()))
}

/// Asks for a new link for an account whose factors are lost.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/recover", tag = "accounts", params(("id" = String, Path, description = "Id of the account")),
    request_body = Reason, responses((status = 200, body = Changed)))]
pub async fn account_recover(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Reason>,
) -> Answer<Json<Changed>> {
    change(app, (visit, who, id, body), Desk::recover).await
}

/// Disables an account; its sessions and tokens end.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/disable", tag = "accounts", params(("id" = String, Path, description = "Id of the account")),
    request_body = Reason, responses((status = 200, body = Changed)))]
pub async fn account_disable(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Reason>,
) -> Answer<Json<Changed>> {
    change(app, (visit, who, id, body), Desk::disable).await
}

/// Asks to enable an account again.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/enable", tag = "accounts", params(("id" = String, Path, description = "Id of the account")),
    request_body = Reason, responses((status = 200, body = Changed)))]
pub async fn account_enable(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Reason>,
) -> Answer<Json<Changed>> {
    change(app, (visit, who, id, body), Desk::enable).await
}

/// Ends the lock that failures put on an account.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unlock", tag = "accounts", params(("id" = String, Path, description = "Id of the account")),
    request_body = Reason, responses((status = 200, body = Changed)))]
pub async fn account_unlock(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<Reason>,
) -> Answer<Json<Changed>> {
    change(app, (visit, who, id, body), Desk::unlock).await
}

/// The roles, and what each may do.
#[utoipa::path(get, path = "/api/v1/roles", tag = "accounts", responses((status = 200, body = Vec<account::Role>)))]
pub async fn roles() -> Json<Vec<account::Role>> {
    let shown = TABLE.iter().map(|line| account::Role {
        name: line.name.to_owned(),
        zh: line.zh.to_owned(),
        en: line.en.to_owned(),
        may: desk::roles::capabilities(&[line.role]).names(),
        never_with: line.role.never_with().iter().map(|r| r.name().to_owned()).collect(),
    });
    Json(shown.collect())
}
