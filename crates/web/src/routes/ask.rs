//! Questions: look-ups, records through the masking view, statements. The desk counts them before they are answered, so that unusually many are
//! noticed.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use weir_record::Id;

use crate::app::{App, Gone};
use crate::body::{Body, Part};
use crate::gate::guard::{Signed, Visit};
use crate::limits::PASTE_BYTES;
use crate::model::lookup::{Answers, Ask, Paste, Read};
use crate::model::record::{KindShape, OpenText, Records, RecordsQuery, Statement, Table, Text};
use crate::problem::Answer;

/// Reads what people paste. Nothing of it is asked.
#[utoipa::path(post, path = "/api/v1/lookup/read", tag = "lookup", request_body = Paste, responses((status = 200, body = Read)))]
pub async fn lookup_read(State(app): State<App>, Body(paste): Body<Paste, PASTE_BYTES>) -> Answer<Json<Read>> {
    app.run(move |app| app.backend.read(&paste)).await.map(Json)
}

/// Who held these public addresses and ports at these moments? One ledger record each.
#[utoipa::path(post, path = "/api/v1/lookup", tag = "lookup", request_body = Ask, responses((status = 200, body = Answers)))]
pub async fn lookup(State(app): State<App>, visit: Visit, who: Signed, Body(ask): Body<Ask, PASTE_BYTES>) -> Answer<Json<Answers>> {
    let answer = app.run(move |app| {
        app.desk.asked(&who.0, ask.questions.len() as u64, visit.now)?;
        app.backend.ask(&who.ledger(), &ask)
    });
    answer.await.map(Json)
}

/// Kinds that have a view for the one who asks.
#[utoipa::path(get, path = "/api/v1/records/kinds", tag = "records", responses((status = 200, body = Vec<KindShape>)))]
pub async fn record_kinds(State(app): State<App>, who: Signed) -> Answer<Json<Vec<KindShape>>> {
    app.run(move |app| Ok::<_, Box<_>>(app.backend.kinds(&who.ledger()))).await.map(Json)
}

/// Rows through the masking view, newest first.
#[utoipa::path(post, path = "/api/v1/records/search", tag = "records", request_body = RecordsQuery, responses((status = 200, body = Records)))]
pub async fn records_search(State(app): State<App>, visit: Visit, who: Signed, Body(query): Body<RecordsQuery>) -> Answer<Json<Records>> {
    let answer = app.run(move |app| {
        app.desk.asked(&who.0, 1, visit.now)?;
        app.backend.records(&who.ledger(), &query)
    });
    answer.await.map(Json)
}

/// Opens a log line as it came. That it was opened, and why, is in the ledger before it is shown.
#[utoipa::path(post, path = "/api/v1/records/{id}/text", tag = "records",
    params(("id" = String, Path, description = "The column `text` of a maintenance record")),
    request_body = OpenText, responses((status = 200, body = Text)))]
pub async fn record_text(
    State(app): State<App>,
    visit: Visit,
    who: Signed,
    Part(id): Part<Id>,
    Body(body): Body<OpenText>,
) -> Answer<Json<Text>> {
    let answer = app.run(move |app| {
        app.desk.asked(&who.0, 1, visit.now)?;
        app.backend.text_open(&who.ledger(), &id.to_string(), &body)
    });
    answer.await.map(Json)
}

/// A statement over the masking views. It ends with its connection.
#[utoipa::path(post, path = "/api/v1/sql", tag = "records", request_body = Statement, responses((status = 200, body = Table)))]
pub async fn sql(State(app): State<App>, visit: Visit, who: Signed, Body(body): Body<Statement>) -> Answer<Json<Table>> {
    let (gone, asking) = (Gone::default(), app.clone());
    let flag = gone.flag();
    let answer = app.statements.run(move || {
        asking.desk.asked(&who.0, 1, visit.now)?;
        asking.backend.sql(&who.ledger(), &body.statement, &|| flag.load(Ordering::SeqCst))
    });
    let answer = answer.await;
    // Until here: when nobody waits any more, this is dropped where it waits.
    drop(gone);
    answer?.map(Json)
}
