//! A look-up from its words to its answer: read, judge whether it may be asked, answer, and what the ledger says of it.

use weir_attribution::{Answer, Question};
use weir_base::net::{Addr16, Prefix};
use weir_base::time::Millis;
use weir_store::engine::Store;
use weir_store::shelf::Shelf;

use crate::facts::{StoreFacts, View};
use crate::fail::Failure;
use crate::ledger::Asked;
use crate::words::Words;

/// The origin of a demonstration's log.
pub const DEMO_ORIGIN: &str = "demo.invalid";
/// The pool reserved for tests of networks (RFC 2544, RFC 6890): a drill asks about nobody else.
const DRILL_POOL: (Addr16, u8) = (Addr16::v4([198, 18, 0, 0]), 96 + 15);

/// Who asks, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// `uid:N`.
    pub actor: String,
    /// operate, security-event or drill.
    pub purpose: String,
}

/// A drill may only ask about reserved addresses, or within a demonstration.
pub fn may_drill(public: Addr16, origin: &str) -> bool {
    origin == DEMO_ORIGIN || Prefix::new(DRILL_POOL.0, DRILL_POOL.1).contains(public)
}

/// What came of one question.
pub struct Outcome {
    /// The answer, or why there is none.
    pub answer: Result<Answer, Failure>,
    /// What the ledger must say before the answer is shown.
    pub asked: Asked,
    /// Pages and bytes read.
    pub read: (u64, u64),
}

/// Answers one question. Nothing of it may be shown before `asked` is durable.
pub fn answer(store: &Store, view: &View, origin: &str, asker: &Asker, words: &Words, now: Millis) -> Outcome {
    let (answer, read) = match words.read() {
        Err(failure) => (Err(failure), (0, 0)),
        Ok(question) => read(store, view, origin, asker, (&question, &Shelf::default()), now),
    };
    let (said, rows) = match &answer {
        Ok(answer) => (answer.outcome.name(), (answer.candidates.len() + answer.candidates_left) as u64),
        Err(failure) if failure.code == crate::fail::USAGE => ("refused", 0),
        Err(_) => ("failed", 0),
    };
    let target = serde_json::to_string(words).unwrap_or_default();
    let asked = Asked {
        time: now,
        actor: asker.actor.clone(),
        purpose: asker.purpose.clone(),
        act: "lookup",
        target,
        answer: said.to_owned(),
        rows,
    };
    Outcome { answer, asked, read }
}

/// The answer to a question alone, with what is at hand from questions before, and the pages and bytes that were read. Its record, or that of the file
/// it stands in, must be durable before it is shown.
pub fn read(
    store: &Store,
    view: &View,
    origin: &str,
    asker: &Asker,
    (question, shelf): (&Question, &Shelf),
    now: Millis,
) -> (Result<Answer, Failure>, (u64, u64)) {
    if asker.purpose == "drill" && !may_drill(question.public, origin) {
        let todo = "give operate or security-event as --purpose";
        return (Err(Failure::usage("a drill may only ask about 198.18.0.0/15, or in a demonstration", todo)), (0, 0));
    }
    let facts = StoreFacts::new(store, view, question, shelf);
    let answer = weir_attribution::answer(question, &facts, now).map_err(Failure::sentence);
    (answer, facts.read.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drills_ask_about_nobody() {
        for (address, origin, may) in [
            ("198.18.0.0", "a", true),
            ("198.19.255.255", "a", true),
            ("198.20.0.0", "a", false),
            ("198.17.255.255", "a", false),
            ("203.0.113.7", "demo.invalid", true),
            ("2001:db8::1", "a", false),
        ] {
            assert_eq!(may_drill(address.parse().unwrap(), origin), may, "{address} {origin}");
        }
    }
}
