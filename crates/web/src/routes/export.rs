//! Streaming export: the ledger has it before the first byte, and the rows that went out after the last. A slow reader slows the store's side; one
//! that stops is cut.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body as Out, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

use crate::app::App;
use crate::body::Body;
use crate::gate::guard::{Signed, Visit};
use crate::limits::EXPORT_PARTS;
use crate::model::problem::{Code, Problem};
use crate::model::record::Export;
use crate::problem::Answer;

/// Exports rows through the masking view, as CSV or JSON lines. An answer that ends without its last chunk is not whole.
#[utoipa::path(post, path = "/api/v1/records/export", tag = "records", request_body = Export,
    responses((status = 200, description = "The rows", body = String, content_type = "text/csv")))]
pub async fn records_export(State(app): State<App>, visit: Visit, who: Signed, Body(export): Body<Export>) -> Answer<Response> {
    let (kind, name) = match export.format.as_str() {
        "csv" => ("text/csv; charset=utf-8", "export.csv"),
        "jsonl" => ("application/jsonl", "export.jsonl"),
        _ => return Err(Box::new(Problem::new(Code::BadRequest, "There is no such format.", "Use csv or jsonl.").field("format"))),
    };
    let place = app.exports.enter().await?;
    let (begin, asks) = (export.clone(), who.clone());
    let begun = app.run(move |app| {
        app.desk.asked(&asks.0, 1, visit.now)?;
        app.backend.export_begin(&asks.ledger(), &begin)
    });
    begun.await?;
    let (send, receive) = channel::<Option<Bytes>>(EXPORT_PARTS);
    let (runtime, caller) = (Handle::current(), who.ledger());
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let stall = app.times.stall;
        let put = |part: Option<Bytes>| runtime.block_on(async { timeout(stall, send.send(part)).await }).is_ok_and(|sent| sent.is_ok());
        // Once something did not go out nothing follows: a failure, or a reader that was cut, is an answer without its last chunk.
        let mut going = true;
        let mut part = |part: &[u8]| {
            going = going && put(Some(Bytes::copy_from_slice(part)));
            going
        };
        let done = app.backend.export(&caller, &export, &mut part).is_ok();
        if done && going {
            put(None);
        }
    });
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    Ok((headers, Out::new(Parts { receive, whole: false }.boxed_unsync())).into_response())
}

/// The parts as a body.
struct Parts {
    receive: Receiver<Option<Bytes>>,
    whole: bool,
}

impl hyper::body::Body for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if self.whole {
            return Poll::Ready(None);
        }
        self.receive.poll_recv(cx).map(|part| match part {
            Some(Some(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(None) => {
                self.whole = true;
                None
            }
            None => Some(Err(std::io::Error::other("the export was cut"))),
        })
    }
}
