//! A failure as a problem document.

use weir_web::model::problem::{Code, Problem};

use crate::fail::{Failure, USAGE};

/// The failure, with the code of its kind.
pub fn of(failure: &Failure) -> Box<Problem> {
    let code = if failure.code == USAGE { Code::BadRequest } else { Code::Failed };
    Problem::boxed(code, failure.what.clone(), failure.todo.clone())
}

/// The store takes nothing now, so nothing was done.
pub fn unavailable(failure: &Failure) -> Box<Problem> {
    Box::new(Problem::new(Code::Unavailable, failure.what.clone(), failure.todo.clone()).retry(5))
}

/// The account may not.
pub fn not_allowed(failure: &Failure) -> Box<Problem> {
    Problem::boxed(Code::NotAllowed, failure.what.clone(), failure.todo.clone())
}

/// There is no such thing.
pub fn not_found(what: &str, todo: &str) -> Box<Problem> {
    Problem::boxed(Code::NotFound, what, todo)
}

/// It does not fit what is there.
pub fn conflict(failure: &Failure) -> Box<Problem> {
    Problem::boxed(Code::Conflict, failure.what.clone(), failure.todo.clone())
}

/// A field of the request is wrong.
pub fn field(name: &str, what: impl Into<String>, todo: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(Code::BadRequest, what, todo).field(name))
}
