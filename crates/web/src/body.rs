//! Parts of a request, read with limits; what is wrong is told without repeating what was sent.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use crate::app::App;
use crate::limits::BODY_BYTES;
use crate::model::problem::{Code, Problem};
use crate::problem::nothing_here;

/// A JSON body of at most `LIMIT` bytes.
#[derive(Debug)]
pub struct Body<T, const LIMIT: usize = BODY_BYTES>(pub T);

impl<T: DeserializeOwned, const LIMIT: usize> FromRequest<App> for Body<T, LIMIT> {
    type Rejection = Box<Problem>;

    async fn from_request(request: Request, app: &App) -> Result<Self, Box<Problem>> {
        let too_large = || Problem::boxed(Code::TooLarge, format!("The body is longer than {LIMIT} bytes."), "Send it in parts.");
        // What says that it is too large is not waited for.
        if hyper::body::Body::size_hint(request.body()).lower() > LIMIT as u64 {
            return Err(too_large());
        }
        let body = Limited::new(request.into_body(), LIMIT).collect();
        let bytes = match timeout(app.times.body, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(e)) if e.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(_)) => return Err(Problem::boxed(Code::BadRequest, "The body ended before its end.", "Send it again.")),
            Err(_) => return Err(Problem::boxed(Code::Slow, "The body did not come in time.", "Send it again.")),
        };
        serde_json::from_slice(&bytes).map(Body).map_err(|e| wrong(&e))
    }
}

/// serde's own words may hold what was sent; only those about a missing field are passed on.
fn wrong(error: &serde_json::Error) -> Box<Problem> {
    let at = format!("line {}, column {}", error.line(), error.column());
    let what = match error.classify() {
        Category::Data => {
            let text = error.to_string();
            let missing = text.strip_prefix("missing field `").and_then(|t| t.split_once('`')).map(|(field, _)| field.to_owned());
            if let Some(field) = missing {
                let problem = Problem::new(Code::BadRequest, format!("The field {field} is missing."), "Add it.");
                return Box::new(problem.field(&field));
            }
            format!("The body is JSON, but what stands at {at} is not of the kind that belongs there.")
        }
        _ => format!("The body is not JSON: see {at}."),
    };
    Problem::boxed(Code::BadRequest, what, "See /api/v1/openapi.json for what this route takes.")
}

/// The one variable part of a path.
#[derive(Debug)]
pub struct Part<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Part<T> {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Box<Problem>> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| nothing_here())?;
        let first = params.iter().next().and_then(|(_, text)| text.parse().ok());
        first.map(Part).ok_or_else(nothing_here)
    }
}

/// The query of a URL.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Box<Problem>> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Asked(asked)),
            Err(_) => Err(Problem::boxed(
                Code::BadRequest,
                "A parameter of the URL is missing, or is not of the kind that belongs there.",
                "See /api/v1/openapi.json for what this route takes.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::session::NewToken;

    #[test]
    fn what_was_sent_is_never_repeated() {
        let wrong = |text: &str| *super::wrong(&serde_json::from_str::<NewToken>(text).map(drop).unwrap_err());
        for bad in [
            r#"{"name": 1, "scope": "secret-word", "days": 1}"#,
            r#"{"name": "n", "scope": "secret-word"}"#,
            r#""secret-word""#,
            "secret-word",
            "{",
        ] {
            let problem = wrong(bad);
            assert!(!format!("{problem:?}").contains("secret-word"), "{problem:?}");
            assert_eq!(problem.status, 400);
        }
        assert_eq!(wrong(r#"{"name": "n", "scope": []}"#).field.as_deref(), Some("days"));
    }
}
