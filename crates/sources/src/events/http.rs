//! One request: who sends it, whether there is room for it, its body, its answer.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{
    ALLOW, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use weir_base::net::Addr16;
use weir_record::sink::SinkError;

use super::answer::Answer;
use super::intake::{Application, Intake, Taken};
use super::limits::{BODY_BYTES, KEY_BYTES, LINES, REQUESTS, RETRY_FULL_SECONDS, RETRY_SECONDS};
use super::server::Times;
use super::token::{Tokens, bearer};

/// The one path.
pub const PATH: &str = "/v1/events";

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotency-replayed";

/// An answer on its way.
pub type Reply = Response<Full<Bytes>>;

/// What all requests share.
pub struct Shared {
    /// The way to the sink.
    pub intake: Intake,
    /// Who may send.
    pub tokens: Tokens,
    /// Room for requests.
    pub room: Semaphore,
    /// How long things may take.
    pub times: Times,
}

impl Shared {
    /// With room for [`REQUESTS`].
    pub fn new(intake: Intake, tokens: Tokens, times: Times) -> Shared {
        Shared { intake, tokens, room: Semaphore::new(REQUESTS), times }
    }
}

/// Answers a request of `peer` on a connection that is open since `since`, by [`Intake::monotonic`].
pub async fn answer(request: Request<Incoming>, shared: Arc<Shared>, peer: Addr16, since: Duration) -> Result<Reply, Infallible> {
    let mut reply = match take(request, &shared, peer).await {
        Ok(reply) | Err(reply) => reply,
    };
    if shared.intake.monotonic().saturating_sub(since) >= shared.times.connection {
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(reply)
}

async fn take(request: Request<Incoming>, shared: &Shared, peer: Addr16) -> Result<Reply, Reply> {
    if request.uri().path() != PATH {
        return Err(closing(error(StatusCode::NOT_FOUND, "there is nothing here: events go to POST /v1/events")));
    }
    if request.method() != Method::POST {
        let reply = closing(error(StatusCode::METHOD_NOT_ALLOWED, "events are sent with POST"));
        return Err(with(reply, ALLOW.as_str(), HeaderValue::from_static("POST")));
    }
    let application = who(request.headers(), shared, peer).map_err(|no| *no)?;
    let key = key(request.headers()).map_err(|no| *no)?;
    if request.headers().get(CONTENT_ENCODING).is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(closing(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")));
    }
    if request.body().size_hint().lower() > BODY_BYTES as u64 {
        return Err(closing(too_large()));
    }
    let busy = |status, what| closing(retry(error(status, what), RETRY_SECONDS));
    let Ok(_room) = shared.room.try_acquire() else {
        return Err(busy(StatusCode::SERVICE_UNAVAILABLE, "too many requests are under way: nothing was kept, send it again"));
    };
    let Some(_entered) = application.enter() else {
        return Err(busy(StatusCode::TOO_MANY_REQUESTS, "this application has 32 requests under way: nothing was kept, send it again"));
    };
    let body = body(request, shared.times.body).await?;
    match shared.intake.take(application, peer, key.as_ref().map(HeaderValue::as_bytes), &body) {
        Taken::Answered(answer, replayed) => Ok(told(&answer, replayed)),
        Taken::UnderWay => {
            Err(retry(error(StatusCode::CONFLICT, "a request with this Idempotency-Key is under way: ask again"), RETRY_SECONDS))
        }
        Taken::OtherBody => Err(error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "this Idempotency-Key came with another body before: nothing was kept, give each body a key of its own",
        )),
        Taken::TooMany => {
            Err(error(StatusCode::PAYLOAD_TOO_LARGE, &format!("there are more than {LINES} lines: nothing was kept, send them in parts")))
        }
        Taken::Not(error) => Err(not_kept(&error)),
        Taken::Waits(word) => match timeout(shared.times.durable, word).await {
            Ok(Ok(Ok(answer))) => Ok(told(&answer, false)),
            Ok(Ok(Err(error))) => Err(not_kept(&error)),
            // The store is gone without a word.
            Ok(Err(_)) => Err(not_kept(&SinkError::Stopped)),
            Err(_) => Err(retry(
                error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the store does not say yet whether it was kept: send it again, with the same Idempotency-Key",
                ),
                RETRY_FULL_SECONDS,
            )),
        },
    }
}

fn who<'a>(headers: &HeaderMap, shared: &'a Shared, peer: Addr16) -> Result<&'a Application, Box<Reply>> {
    let found = headers.get(AUTHORIZATION).and_then(|h| bearer(h.as_bytes())).and_then(|t| shared.tokens.whose(t));
    let Some(application) = found.and_then(|i| shared.intake.applications().get(i)) else {
        shared.intake.stranger(peer, "events.unknown-token");
        let reply = closing(error(StatusCode::UNAUTHORIZED, "the token is missing or not known: send \"Authorization: Bearer TOKEN\""));
        return Err(Box::new(with(reply, WWW_AUTHENTICATE.as_str(), HeaderValue::from_static("Bearer"))));
    };
    if !application.settings.may_come_from(peer) {
        shared.intake.stranger(peer, "events.wrong-address");
        return Err(Box::new(closing(error(StatusCode::FORBIDDEN, "this application may not send from this address"))));
    }
    Ok(application)
}

fn key(headers: &HeaderMap) -> Result<Option<HeaderValue>, Box<Reply>> {
    let mut all = headers.get_all(KEY).iter();
    let Some(key) = all.next() else { return Ok(None) };
    let bytes = key.as_bytes();
    if all.next().is_some() || bytes.is_empty() || bytes.len() > KEY_BYTES || !bytes.iter().all(u8::is_ascii_graphic) {
        let what = "the Idempotency-Key must stand once, 1 to 128 bytes of ASCII without spaces";
        return Err(Box::new(closing(error(StatusCode::BAD_REQUEST, what))));
    }
    Ok(Some(key.clone()))
}

async fn body(request: Request<Incoming>, time: Duration) -> Result<Bytes, Reply> {
    match timeout(time, Limited::new(request.into_body(), BODY_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(closing(too_large())),
        Ok(Err(_)) => Err(closing(error(StatusCode::BAD_REQUEST, "the body ended before its end: nothing was kept"))),
        Err(_) => Err(closing(error(StatusCode::REQUEST_TIMEOUT, "the body did not come in time: nothing was kept, send it again"))),
    }
}

fn too_large() -> Reply {
    error(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 1048576 bytes: nothing was kept, send it in parts")
}

fn told(answer: &Answer, replayed: bool) -> Reply {
    let status = StatusCode::from_u16(answer.status()).unwrap_or_default();
    let reply = if answer.is_empty() {
        // A sender that means to send nothing sends no request.
        error(
            status,
            "the body holds no event, so nothing was kept: write each event as a line of JSON, and send nothing while there is none",
        )
    } else {
        json_reply(status, &answer.json())
    };
    if replayed { with(reply, REPLAYED, HeaderValue::from_static("true")) } else { reply }
}

fn not_kept(why: &SinkError) -> Reply {
    let reply = |status, seconds| retry(error(status, &format!("nothing was kept: {why}")), seconds);
    match why {
        SinkError::Busy | SinkError::Stopped => reply(StatusCode::SERVICE_UNAVAILABLE, RETRY_SECONDS),
        SinkError::Full | SinkError::Failed(_) => reply(StatusCode::SERVICE_UNAVAILABLE, RETRY_FULL_SECONDS),
        // A fault of this program: sending it again does not help.
        SinkError::Refused(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "nothing was kept: the store refuses these records; report this"),
    }
}

fn error(status: StatusCode, what: &str) -> Reply {
    json_reply(status, &json!({ "error": what }))
}

fn json_reply(status: StatusCode, value: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(format!("{value}\n"))));
    *reply.status_mut() = status;
    with(reply, CONTENT_TYPE.as_str(), HeaderValue::from_static("application/json"))
}

fn retry(reply: Reply, seconds: u32) -> Reply {
    with(reply, RETRY_AFTER.as_str(), HeaderValue::from(seconds))
}

/// The rest of the request is not read.
fn closing(reply: Reply) -> Reply {
    with(reply, CONNECTION.as_str(), HeaderValue::from_static("close"))
}

fn with(mut reply: Reply, name: &'static str, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}
