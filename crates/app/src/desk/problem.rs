//! A failure as a problem document.

use weir_web::model::problem::Problem;

use crate::fail::{Failure, USAGE};

/// The failure, with the code of its kind.
pub fn of(failure: &Failure) -> Box<Problem> {
    if failure.code == USAGE { new("bad-request", 400, failure) } else { new("failed", 500, failure) }
}

/// The store takes nothing now, so nothing was done.
pub fn unavailable(failure: &Failure) -> Box<Problem> {
    new("unavailable", 503, failure)
}

/// There is no such thing.
pub fn not_found(what: &str, todo: &str) -> Box<Problem> {
    new("not-found", 404, &Failure::new(what, todo))
}

/// It does not fit what is there.
pub fn conflict(failure: &Failure) -> Box<Problem> {
    new("conflict", 409, failure)
}

/// A field of the request is wrong.
pub fn field(name: &str, what: impl Into<String>, todo: impl Into<String>) -> Box<Problem> {
    let mut problem = new("bad-request", 400, &Failure::usage(what, todo));
    problem.field = Some(name.to_owned());
    problem
}

fn new(code: &str, status: u16, failure: &Failure) -> Box<Problem> {
    let title = match code {
        "bad-request" => "The request is not right",
        "not-found" => "There is no such thing",
        "conflict" => "It does not fit what is there",
        "unavailable" => "Not now",
        _ => "It did not work",
    };
    Box::new(Problem {
        kind: format!("urn:weir:problem:{code}"),
        title: title.to_owned(),
        status,
        detail: failure.what.clone(),
        todo: failure.todo.clone(),
        field: None,
        retry_after: (code == "unavailable").then_some(5),
    })
}
