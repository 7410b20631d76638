//! The outermost step of every request, also of those that go nowhere: host, headers, counts. Whose rate a route is charged to the guard decides; what is
//! no route is charged to the address here, but for the console's files, which are bytes in memory.

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::headers::secure;
use super::peer;
use super::rate::Who;
use crate::app::{App, Connection};
use crate::console;
use crate::model::problem::{Code, Problem};
use crate::problem::{in_chinese, reads_chinese};

/// Runs it.
pub async fn outer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = app.clock.monotonic();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "console".to_owned(), |m| m.as_str().to_owned());
    let chinese = reads_chinese(request.headers());
    let since = request.extensions().get::<Connection>().map(|c| c.since);
    let mut response = match enter(&app, &mut request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    if chinese {
        in_chinese(&mut response);
    }
    let now = app.clock.monotonic();
    let headers = response.headers_mut();
    secure(headers, app.names.secure());
    if since.is_some_and(|since| now.saturating_sub(since) >= app.times.connection) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    app.metrics.answered(&route, &method, response.status().as_u16(), now.saturating_sub(began));
    response
}

fn enter(app: &App, request: &mut Request) -> Result<(), Box<Problem>> {
    let connection = request.extensions().get::<Connection>().copied();
    let connection = connection.ok_or_else(|| Problem::boxed(Code::Failed, "The request came over no connection.", "Report this."))?;
    let peer = peer::of(connection.peer, request.headers(), app.names.proxied);
    let routed = request.extensions().get::<MatchedPath>().is_some();
    if !routed && !console::is_file(request) {
        app.rates.take(Who::address(peer.address), app.clock.monotonic())?;
    }
    let here = app.names.check(request.headers(), request.uri())?;
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(here);
    Ok(())
}
