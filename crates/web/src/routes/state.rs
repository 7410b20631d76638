//! What there is: overview, sources; and sealing what waits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::body::{Asked, Part};
use crate::gate::guard::{Signed, Visit};
use crate::model::overview::{Overview, Series};
use crate::model::source::{Guide, Malformed, Source};
use crate::problem::Answer;

/// Is everything all right?
#[utoipa::path(get, path = "/api/v1/overview", tag = "state", responses((status = 200, body = Overview)))]
pub async fn overview(State(app): State<App>, visit: Visit) -> Answer<Json<Overview>> {
    let shown = app.run(move |app| {
        let mut shown = app.backend.overview()?;
        let desk = app.desk.notices(visit.now).into_iter().map(Into::into);
        shown.notices.extend(desk.chain(app.notices.all()));
        let rank = |level: &str| ["error", "warning"].iter().position(|l| *l == level).unwrap_or(2);
        shown.notices.sort_by_key(|n| rank(&n.level));
        Ok::<_, Box<_>>(shown)
    });
    shown.await.map(Json)
}

/// How far back.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Minutes {
    /// Minutes, 5 to 1,440; 60 by default.
    minutes: Option<u32>,
}

/// Rates and losses of the last minutes.
#[utoipa::path(get, path = "/api/v1/overview/series", tag = "state", params(Minutes), responses((status = 200, body = Series)))]
pub async fn series(State(app): State<App>, Asked(asked): Asked<Minutes>) -> Answer<Json<Series>> {
    let minutes = asked.minutes.unwrap_or(60).clamp(5, 1_440);
    app.run(move |app| app.backend.series(minutes)).await.map(Json)
}

/// The sources.
#[utoipa::path(get, path = "/api/v1/sources", tag = "sources", responses((status = 200, body = Vec<Source>)))]
pub async fn sources(State(app): State<App>) -> Answer<Json<Vec<Source>>> {
    app.run(|app| app.backend.sources()).await.map(Json)
}

/// The newest inputs of a source that were not understood, at most 100: their shape, never their bytes.
#[utoipa::path(get, path = "/api/v1/sources/{number}/malformed", tag = "sources", params(("number" = u32, Path, description = "Number of the source")),
    responses((status = 200, body = Vec<Malformed>)))]
pub async fn source_malformed(State(app): State<App>, who: Signed, Part(number): Part<u32>) -> Answer<Json<Vec<Malformed>>> {
    app.run(move |app| app.backend.malformed(&who.ledger(), number)).await.map(Json)
}

/// How to point devices here.
#[utoipa::path(get, path = "/api/v1/sources/guides", tag = "sources", responses((status = 200, body = Vec<Guide>)))]
pub async fn source_guides(State(app): State<App>) -> Answer<Json<Vec<Guide>>> {
    app.run(|app| Ok::<_, Box<_>>(app.backend.guides())).await.map(Json)
}

/// Seals what waits.
#[utoipa::path(post, path = "/api/v1/seal", tag = "state", responses((status = 204, description = "Sealed")))]
pub async fn seal(State(app): State<App>, who: Signed) -> Answer<StatusCode> {
    app.run(move |app| app.backend.seal(&who.ledger())).await.map(|()| StatusCode::NO_CONTENT)
}
