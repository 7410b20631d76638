//! The body of a fuzz target: what must hold for any line that comes on the socket. A panic is a finding.

use serde_json::Value;

use super::protocol::{Op, Request, reply};
use crate::fail::USAGE;

/// A line is a request, or wrong usage with something to do about it; the answer to it is one line of JSON that gives its id back.
pub fn app_request(data: &[u8]) {
    let Request { id, op } = Request::read(data);
    let answer = match op {
        Ok(Op::Lookup { question, questions, .. }) => {
            for words in question.iter().chain(&questions) {
                if let Err(failure) = words.read() {
                    assert!(failure.code == USAGE && !failure.todo.is_empty(), "bad words are wrong usage");
                    // No failure has an example of this range, so it could only be repeated.
                    assert!(!failure.to_string().contains("198.18."), "a failure repeats an address");
                }
            }
            Ok(Value::Null)
        }
        Ok(_) => Ok(Value::Null),
        Err(failure) => {
            assert!(failure.code == USAGE && !failure.todo.is_empty(), "a bad request is wrong usage");
            Err(failure)
        }
    };
    let line = reply(&id, &answer);
    assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1, "an answer is one line");
    let back: Value = serde_json::from_str(&line).expect("an answer is JSON");
    assert_eq!(back["id"], id, "the id comes back");
}

#[test]
fn kept_inputs_never_panic() {
    weir_testkit::corpus::replay("app_request", app_request);
}
