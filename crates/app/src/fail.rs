//! What a command says when it does not succeed: one line what, one line what to do, and the exit code.

use std::fmt;

/// Exit code of a failure.
pub const FAILED: u8 = 1;
/// Exit code of wrong usage.
pub const USAGE: u8 = 2;

/// Why a command did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong. Free of personal data.
    pub what: String,
    /// What to do about it.
    pub todo: String,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// A failure of the work itself.
    pub fn new(what: impl Into<String>, todo: impl Into<String>) -> Failure {
        Failure { what: what.into(), todo: todo.into(), code: FAILED }
    }

    /// Wrong usage.
    pub fn usage(what: impl Into<String>, todo: impl Into<String>) -> Failure {
        Failure { code: USAGE, ..Failure::new(what, todo) }
    }

    /// A sentence of another layer that says both, `what: what to do`, parted at its last colon or semicolon.
    pub fn sentence(text: impl fmt::Display) -> Failure {
        let text = text.to_string();
        match text.rfind(": ").into_iter().chain(text.rfind("; ")).max().and_then(|at| text.split_at_checked(at)) {
            Some((what, todo)) => Failure::new(what, todo.get(2..).unwrap_or_default()),
            None => Failure::new(text, "see docs/operating.md"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.what, self.todo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_parted_into_what_and_what_to_do() {
        for (text, what, todo) in [
            ("the disk is full: make room", "the disk is full", "make room"),
            ("/x: cannot be read: set its mode", "/x: cannot be read", "set its mode"),
            ("a: b; do c", "a: b", "do c"),
            ("nothing to part", "nothing to part", "see docs/operating.md"),
        ] {
            let failure = Failure::sentence(text);
            assert_eq!((failure.what.as_str(), failure.todo.as_str(), failure.code), (what, todo, FAILED));
        }
    }
}
