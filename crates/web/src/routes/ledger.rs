//! The ledger: who asked what, when and why.

use axum::Json;
use axum::extract::State;
use weir_record::Id;

use crate::app::App;
use crate::body::{Asked, Body, Part};
use crate::gate::guard::Signed;
use crate::model::ledger::{Ledger, LedgerQuery, Open, Opened};
use crate::problem::Answer;

/// Entries, newest first. Reading them is an entry too.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "ledger", params(LedgerQuery), responses((status = 200, body = Ledger)))]
pub async fn ledger(State(app): State<App>, who: Signed, Asked(query): Asked<LedgerQuery>) -> Answer<Json<Ledger>> {
    app.run(move |app| app.backend.ledger(&who.ledger(), &query)).await.map(Json)
}

/// What one entry asked. Opening it is an entry too.
#[utoipa::path(post, path = "/api/v1/ledger/{id}/open", tag = "ledger", params(("id" = String, Path, description = "Id of the entry")), request_body = Open,
    responses((status = 200, body = Opened)))]
pub async fn ledger_open(State(app): State<App>, who: Signed, Part(id): Part<Id>, Body(body): Body<Open>) -> Answer<Json<Opened>> {
    app.run(move |app| app.backend.ledger_open(&who.ledger(), &id.to_string(), &body.reason)).await.map(Json)
}
