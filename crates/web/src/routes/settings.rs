//! The configuration, with its origin. What needs two persons becomes an approval of exactly these changes.

use axum::Json;
use axum::extract::State;
use serde_json::json;
use weir_record::Id;

use crate::app::App;
use crate::body::Body;
use crate::gate::guard::{Signed, Visit};
use crate::model::account::Changed;
use crate::model::problem::{Code, Problem};
use crate::model::setting::{Checked, SettingChange, Settings};
use crate::model::words::Words;
use crate::problem::Answer;

/// The kind of approval.
const KIND: &str = "setting-change";

/// The configuration.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", responses((status = 200, body = Settings)))]
pub async fn settings(State(app): State<App>) -> Answer<Json<Settings>> {
    app.run(|app| app.backend.settings()).await.map(Json)
}

/// What changes would do. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/settings/check", tag = "settings", request_body = SettingChange, responses((status = 200, body = Checked)))]
pub async fn settings_check(State(app): State<App>, Body(body): Body<SettingChange>) -> Answer<Json<Checked>> {
    app.run(move |app| app.backend.settings_check(&body.changes)).await.map(Json)
}

/// Makes changes; the next start takes them in. What needs two persons waits, and is sent again with the confirmed approval.
#[utoipa::path(post, path = "/api/v1/settings", tag = "settings", request_body = SettingChange, responses((status = 200, body = Changed)))]
pub async fn settings_change(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<SettingChange>) -> Answer<Json<Changed>> {
    app.run(move |app| change(app, &visit, &who, &body)).await.map(Json)
}

fn change(app: &App, visit: &Visit, who: &Signed, body: &SettingChange) -> Answer<Changed> {
    let checked = app.backend.settings_check(&body.changes)?;
    if let Some(wrong) = checked.problems.first() {
        let problem = Problem::new(
            Code::BadRequest,
            format!("{}: {}", wrong.path, wrong.text.en),
            "Correct it and check again; nothing was changed.",
        );
        return Err(Box::new(problem.field(&wrong.path)));
    }
    let content = json!({ "changes": body.changes });
    if checked.two_persons {
        let Some(approval) = &body.approval else {
            return Ok(app.desk.ask(&who.0, KIND, &content, &body.reason, visit.now)?.into());
        };
        let id: Id = approval.parse().map_err(|_| {
            Box::new(
                Problem::new(Code::BadRequest, "This is no id of an approval.", "Send the id that the list of approvals shows.")
                    .field("approval"),
            )
        })?;
        // What two persons decided on is kept with the reason they decided on.
        let reason = app.desk.take(&who.0, id, KIND, &content, visit.now)?;
        app.backend.settings_change(&who.ledger(), &body.changes, &reason)?;
        let other = reason.trim() != body.reason.trim();
        let remark = other.then(|| Words::of(format!("Kept is the reason that was confirmed: {reason}")));
        return Ok(Changed { state: "done".into(), approval: None, link: None, remark });
    }
    app.backend.settings_change(&who.ledger(), &body.changes, &body.reason)?;
    Ok(Changed { state: "done".into(), approval: None, link: None, remark: None })
}
