//! A failure as a problem document.

use weir_web::model::problem::{Code, Problem};

use crate::fail::{Failure, USAGE};

/// A sentence that the command line has too names what it takes as options, `--from`; a request has fields of the same names, so here it is the
/// field, `"from"`. The console puts the words of its form in their place.
pub fn with_fields(text: &str) -> String {
    let mut parts = text.split("--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match name(part) {
            Some(name) => out.push_str(&format!("\"{name}\"{}", part.get(name.len()..).unwrap_or_default())),
            None => out.push_str(&format!("--{part}")),
        }
    }
    out
}

/// The name of the option that was before this text.
fn name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    text.get(..end).filter(|name| !name.is_empty())
}

/// What a failure says, with the fields of a request; the first that it names is the one that is wrong.
fn said(code: Code, failure: &Failure) -> Problem {
    let problem = Problem::new(code, with_fields(&failure.what), with_fields(&failure.todo));
    match failure.what.split_once("--").and_then(|(_, rest)| name(rest)) {
        Some(name) => problem.field(name),
        None => problem,
    }
}

/// The failure, with the code of its kind.
pub fn of(failure: &Failure) -> Box<Problem> {
    Box::new(said(if failure.code == USAGE { Code::BadRequest } else { Code::Failed }, failure))
}

/// The store takes nothing now, so nothing was done.
pub fn unavailable(failure: &Failure) -> Box<Problem> {
    Box::new(said(Code::Unavailable, failure).retry(5))
}

/// The account may not.
pub fn not_allowed(failure: &Failure) -> Box<Problem> {
    Box::new(said(Code::NotAllowed, failure))
}

/// There is no such thing.
pub fn not_found(what: &str, todo: &str) -> Box<Problem> {
    Problem::boxed(Code::NotFound, what, todo)
}

/// It does not fit what is there.
pub fn conflict(failure: &Failure) -> Box<Problem> {
    Box::new(said(Code::Conflict, failure))
}

/// A field of the request is wrong.
pub fn field(name: &str, what: impl Into<String>, todo: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(Code::BadRequest, what, todo).field(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_option_for_the_command_line_is_a_field_here() {
        for (text, want) in [
            ("--from is after --to", "\"from\" is after \"to\""),
            ("give maintenance as --kind", "give maintenance as \"kind\""),
            ("the port of --public is none", "the port of \"public\" is none"),
            ("nothing -- of this -", "nothing -- of this -"),
            ("", ""),
        ] {
            assert_eq!(with_fields(text), want);
        }
        let problem = of(&Failure::usage("--from is after --to", "give --from first"));
        assert_eq!((problem.status, problem.field.as_deref(), problem.todo.as_str()), (400, Some("from"), "give \"from\" first"));
        assert_eq!(of(&Failure::new("no field", "--limit is only in what to do")).field, None);
    }
}
