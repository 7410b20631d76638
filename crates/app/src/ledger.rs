//! The ledger: every question asked of records, durable before its answer reaches a person.

use weir_base::time::Millis;
use weir_record::kind::Record;
use weir_record::kinds::{OperatorAction, Question};
use weir_record::sink::{Group, RecordSink, SinkError};
use weir_record::{Id, Kind};
use weir_store::engine::{Store, StoreError};

use crate::fail::Failure;

/// Owner of the groups that carry ledger records.
const OWNER: &str = "ledger";

/// What is written down of one question, before it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub time: Millis,
    /// Who: `uid:N`.
    pub actor: String,
    /// Why.
    pub purpose: String,
    /// What was done: lookup, records, sql, export, key-show.
    pub act: &'static str,
    /// The question itself; it is encrypted.
    pub target: String,
    /// What came of it.
    pub answer: String,
    /// Candidates or rows.
    pub rows: u64,
}

impl Asked {
    /// The act as it begins, durable before anything is read; `rows` where how many there will be is known.
    #[must_use]
    pub fn begun(&self, rows: u64) -> Asked {
        Asked { answer: "begun".to_owned(), rows, ..self.clone() }
    }

    /// The act when it has ended, and how.
    #[must_use]
    pub fn ended(&self, time: Millis, answer: &str, rows: u64) -> Asked {
        Asked { time, answer: answer.to_owned(), rows, ..self.clone() }
    }

    /// The record, its target encrypted under the ledger's key.
    pub fn record(&self, store: &Store, offline: bool) -> Result<Question, StoreError> {
        Ok(Question {
            time: self.time,
            id: Id::random(),
            actor: self.actor.clone(),
            purpose: self.purpose.clone(),
            act: self.act.to_owned(),
            target: store.ledger_seal(self.target.as_bytes())?,
            answer: self.answer.clone(),
            rows: self.rows,
            offline: u8::from(offline),
        })
    }
}

/// Makes the records of these questions durable with one commit. Until this returns `Ok`, no answer may be shown.
pub fn commit(store: &Store, sink: &dyn RecordSink, asked: &[Asked]) -> Result<(), Failure> {
    if asked.is_empty() {
        return Ok(());
    }
    let rows = asked.iter().map(|a| a.record(store, false)).collect::<Result<Vec<_>, _>>();
    let rows = rows.map_err(|e| Failure::new(format!("the ledger cannot be written ({e})"), "run `weir verify`"))?;
    let group = Group { batches: vec![(Kind::Question, Question::batch(&rows))], ..Group::new(OWNER) };
    sink.commit(group).map(drop).map_err(|e| refused(&e))
}

/// Rows in an answer.
pub fn rows(answer: &serde_json::Value) -> u64 {
    answer.get("rows").and_then(serde_json::Value::as_array).map_or(0, |rows| rows.len() as u64)
}

/// Why an answer is not given when its question cannot be written down.
pub fn refused(error: &SinkError) -> Failure {
    let todo = match error {
        SinkError::Full => "make room on the disk of the data folder, then ask again",
        SinkError::Stopped => "start the program, then ask again",
        _ => "look at the program's error output",
    };
    Failure::new(format!("the question cannot be written to the ledger, so there is no answer ({error})"), todo)
}

/// A record of what an operator or the program did.
pub fn action(time: Millis, actor: &str, action: &str, detail: impl Into<String>, result: &str) -> OperatorAction {
    OperatorAction { time, actor: actor.to_owned(), action: action.to_owned(), detail: detail.into(), result: result.to_owned() }
}

/// These records as a group.
pub fn actions(rows: &[OperatorAction]) -> Group {
    Group { batches: vec![(Kind::OperatorAction, OperatorAction::batch(rows))], ..Group::new("program") }
}
