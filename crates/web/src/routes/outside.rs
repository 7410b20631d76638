//! What programs beside the desk ask: is it alive, is it ready, its metrics, and the page of its API.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::gate::guard::Visit;
use crate::gate::rate::Who;
use crate::problem::Answer;

const TEXT: &str = "text/plain; charset=utf-8";

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "outside", responses((status = 200, description = "Alive", body = String, content_type = "text/plain")))]
pub async fn healthz() -> Response {
    ([(CONTENT_TYPE, TEXT)], "ok\n").into_response()
}

/// Takes records in and can answer. Why not, where not, is on the overview.
#[utoipa::path(get, path = "/readyz", tag = "outside", responses(
    (status = 200, description = "Ready", body = String, content_type = "text/plain"),
    (status = 503, description = "Not ready", body = String, content_type = "text/plain")))]
pub async fn readyz(State(app): State<App>, visit: Visit) -> Answer<Response> {
    // Whoever asks too often, or while all threads are busy, is told what was true a moment ago.
    let told = app.ready.load(Ordering::Relaxed);
    let often = app.rates.take(Who::probe(visit.peer.address), app.clock.monotonic()).is_err();
    let ready = match told {
        NOT_ASKED => ask(&app).await?,
        told if often => told == READY,
        told => ask(&app).await.unwrap_or(told == READY),
    };
    let (status, text) = if ready { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready: see the overview\n") };
    Ok((status, [(CONTENT_TYPE, TEXT)], text).into_response())
}

const NOT_ASKED: u8 = 0;
const READY: u8 = 1;
const NOT_READY: u8 = 2;

async fn ask(app: &App) -> Answer<bool> {
    let ready = app.run(|app| Ok::<_, Box<_>>(app.backend.ready().is_ok())).await?;
    app.ready.store(if ready { READY } else { NOT_READY }, Ordering::Relaxed);
    Ok(ready)
}

/// Metrics in Prometheus' text form. Asked from this machine itself, no token is needed.
#[utoipa::path(get, path = "/metrics", tag = "outside", responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")))]
pub async fn metrics(State(app): State<App>) -> Answer<Response> {
    let mut text = app.run(|app| Ok::<_, Box<_>>(app.backend.metrics())).await?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    app.metrics.write(&mut text);
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "outside", responses((status = 200, description = "OpenAPI", body = Object)))]
pub async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], crate::openapi()).into_response()
}
