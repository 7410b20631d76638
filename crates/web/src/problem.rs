//! Problem documents as answers, and what the desk refuses as problem documents.

use axum::body::Body;
use axum::http::header::{ACCEPT_LANGUAGE, CONNECTION, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use weir_identity::desk::Refused;

use crate::model::problem::{Code, Problem};

/// What a handler gives.
pub type Answer<T> = Result<T, Box<Problem>>;

impl IntoResponse for Box<Problem> {
    fn into_response(self) -> Response<Body> {
        let text = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, status) = (self.retry_after, self.status);
        // Kept for whoever reads Chinese: see [`in_chinese`].
        response.extensions_mut().insert(*self);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        match status {
            401 => drop(headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            // The rest of the request is not read.
            408 | 413 => drop(headers.insert(CONNECTION, HeaderValue::from_static("close"))),
            _ => {}
        }
        response
    }
}

impl From<Refused> for Box<Problem> {
    fn from(refused: Refused) -> Box<Problem> {
        let code = Code::ALL.iter().copied().find(|c| c.name() == refused.code()).unwrap_or(Code::Failed);
        let mut problem = Problem::new(code, refused.what(), refused.todo());
        problem.status = refused.status();
        problem.field = refused.field().map(str::to_owned);
        problem.retry_after = refused.retry_after();
        Box::new(problem)
    }
}

/// Does the caller read Chinese before anything else?
pub fn reads_chinese(headers: &HeaderMap) -> bool {
    let first = headers.get(ACCEPT_LANGUAGE).and_then(|h| h.as_bytes().trim_ascii_start().get(..2));
    first.is_some_and(|two| two.eq_ignore_ascii_case(b"zh"))
}

/// The same answer with its problem, where it is one, in Chinese.
pub fn in_chinese(response: &mut Response<Body>) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return };
    if let Ok(text) = serde_json::to_vec(&problem.chinese()) {
        *response.body_mut() = Body::from(text);
        response.headers_mut().insert(CONTENT_LANGUAGE, HeaderValue::from_static("zh"));
    }
}

/// There is no such path.
pub fn nothing_here() -> Box<Problem> {
    Problem::boxed(Code::NotFound, "There is nothing at this path.", "See /api/v1/openapi.json for the paths there are.")
}
