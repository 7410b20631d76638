//! An answer of a file of questions on its way: the program writes it, the command reads it. Nobody is named in it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use weir_attribution::{Answer, Candidate};
use weir_base::time::Millis;

use crate::fail::Failure;
use crate::limits::BATCH_CANDIDATES;

/// Bytes that most answers fit into.
const TOLD_BYTES: usize = 384;

/// The word for a line that is no question.
pub const REFUSED: &str = "refused";

/// An answer. Its fields stand in the order of their names, as those of all answers on the socket do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told<'a> {
    /// one, none, several, unknown or refused.
    #[serde(borrow)]
    pub answer: Cow<'a, str>,
    /// Who it may have been.
    #[serde(borrow)]
    pub candidates: Vec<Held<'a>>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates_left: Option<usize>,
    /// Why, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
    /// The line of the file, whose heading is line 1.
    pub line: u64,
    /// Why, as a sentence.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
}

/// What was held, and by which opaque id.
#[derive(Debug, Serialize, Deserialize)]
pub struct Held<'a> {
    /// When it ended.
    pub end: Option<Cow<'a, str>>,
    /// Inside address.
    #[serde(borrow)]
    pub inside: Cow<'a, str>,
    /// Inside port.
    pub inside_port: Option<u16>,
    /// Name of the realm.
    #[serde(borrow)]
    pub realm: Cow<'a, str>,
    /// When it began.
    pub start: Option<Cow<'a, str>>,
    /// The subscriber's opaque id.
    pub subscriber: Option<Cow<'a, str>>,
}

impl<'a> Told<'a> {
    /// The answer to the question of a line.
    pub fn of(line: u64, answer: &'a Result<Answer, Failure>) -> Told<'a> {
        match answer {
            Ok(answer) => Told {
                answer: answer.outcome.name().into(),
                candidates: answer.candidates.iter().take(BATCH_CANDIDATES).map(Held::of).collect(),
                candidates_left: Some(answer.candidates_left + answer.candidates.len().saturating_sub(BATCH_CANDIDATES)),
                code: Some(answer.code.name().into()),
                line,
                reason: answer.reason.as_str().into(),
            },
            Err(f) => Told {
                answer: REFUSED.into(),
                candidates: Vec::new(),
                candidates_left: None,
                code: None,
                line,
                reason: format!("{}: {}", f.what, f.todo).into(),
            },
        }
    }

    /// As JSON.
    pub fn json(&self) -> String {
        // Texts and numbers alone: it cannot fail.
        let mut out = Vec::with_capacity(TOLD_BYTES);
        let told = serde_json::to_writer(&mut out, self).ok().and_then(|()| String::from_utf8(out).ok());
        told.unwrap_or_else(|| "null".to_owned())
    }
}

impl<'a> Held<'a> {
    fn of(c: &'a Candidate) -> Held<'a> {
        let time = |t: Option<Millis>| t.map(|t| Cow::from(t.to_rfc3339()));
        Held {
            end: time(c.mapping.as_ref().map_or_else(|| c.session.as_ref().and_then(|s| s.end), |m| m.end)),
            inside: c.inside.to_string().into(),
            inside_port: c.inside_port,
            realm: c.realm.as_str().into(),
            start: time(c.mapping.as_ref().map_or_else(|| c.session.as_ref().map(|s| s.start), |m| m.start)),
            subscriber: c.subscriber.map(|s| s.to_string().into()),
        }
    }
}

/// Answers by what they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Somebody alone.
    pub one: u64,
    /// Nobody.
    pub none: u64,
    /// One of several.
    pub several: u64,
    /// It cannot be said.
    pub unknown: u64,
    /// No question.
    pub refused: u64,
}

impl Tally {
    /// Counts an answer by its word.
    pub fn count(&mut self, answer: &str) {
        *match answer {
            "one" => &mut self.one,
            "none" => &mut self.none,
            "several" => &mut self.several,
            "unknown" => &mut self.unknown,
            _ => &mut self.refused,
        } += 1;
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            one: self.one + other.one,
            none: self.none + other.none,
            several: self.several + other.several,
            unknown: self.unknown + other.unknown,
            refused: self.refused + other.refused,
        }
    }

    /// Answers in all.
    pub fn rows(self) -> u64 {
        self.one + self.none + self.several + self.unknown + self.refused
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = r#"{"answer":"one","candidates":[{"end":null,"inside":"100.64.0.1","inside_port":7,"realm":"n\"orth","start":"2026-11-22T10:00:00.123+08:00","subscriber":"0c"}],"candidates_left":0,"code":"holder","line":2,"reason":"it \\ held it"}"#;
        let told: Told<'_> = serde_json::from_str(text).unwrap();
        assert_eq!((told.json().as_str(), told.candidates[0].realm.as_ref(), told.line), (text, "n\"orth", 2));
        let refused = Err(Failure::usage("at is missing", "fill the column in"));
        let told = Told::of(9, &refused);
        let want = json!({ "answer": "refused", "candidates": [], "line": 9, "reason": "at is missing: fill the column in" });
        assert_eq!(serde_json::from_str::<Value>(&told.json()).unwrap(), want);
        assert_eq!(told.json(), want.to_string(), "the order of all answers");
    }

    #[test]
    fn each_word_is_counted_once() {
        let mut tally = Tally::default();
        ["one", "one", "none", "several", "unknown", REFUSED, "another"].into_iter().for_each(|word| tally.count(word));
        assert_eq!(tally, Tally { one: 2, none: 1, several: 1, unknown: 1, refused: 2 });
        assert_eq!((tally.rows(), tally.and(tally).rows()), (7, 14));
    }
}
