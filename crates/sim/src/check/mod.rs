//! The checker: asks a collector about what a truth file knows, and judges every answer.

mod index;
mod judge;
mod report;
mod sample;

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_base::net::Addr16;
use weir_base::time::Millis;

pub use index::{Holder, TruthIndex};
pub use judge::{Judge, Verdict};
pub use report::{Report, WrongAnswer};
pub use sample::{QuestionKind, Sampler};

use crate::error::SimError;
use crate::limits::{BATCH, LATER};

/// Who held this public address and port at this moment?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The public address.
    pub public: Addr16,
    /// The public port, or the ICMP query identifier; `None` for an address that is not shared.
    pub port: Option<u16>,
    /// IANA protocol number.
    pub protocol: u8,
    /// The remote end, where it is known.
    pub remote: Option<(Addr16, u16)>,
    /// The moment.
    pub at: Millis,
    /// The asker's own clock uncertainty, milliseconds either way.
    pub skew_ms: i64,
}

/// The `answer` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Exactly one holder.
    One,
    /// Nobody.
    None,
    /// More than one.
    Several,
    /// It cannot be said.
    Unknown,
}

/// An inside address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The address.
    pub address: String,
    /// The port.
    #[serde(default)]
    pub port: Option<u16>,
}

/// The subscriber's session in a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRef {
    /// Acct-Session-Id.
    pub id: String,
    /// The NAS.
    #[serde(default)]
    pub nas: Option<String>,
}

/// One candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The realm.
    pub realm: String,
    /// The opaque subscriber id.
    #[serde(default)]
    pub subscriber: Option<String>,
    /// The inside address.
    #[serde(default)]
    pub inside: Option<Inside>,
    /// The session.
    #[serde(default)]
    pub session: Option<SessionRef>,
}

/// What is known of a source's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockNote {
    /// The source.
    #[serde(default)]
    pub source: String,
    /// Its offset, milliseconds.
    #[serde(default)]
    pub offset_ms: i64,
    /// How the offset is known.
    #[serde(default)]
    pub basis: String,
}

/// An answer, as `weir lookup --json` gives it. Fields that are not judged are not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// One, none, several or unknown.
    pub answer: Outcome,
    /// Who it may have been.
    #[serde(default)]
    pub candidates: Vec<Candidate>,
    /// The sources' clocks.
    #[serde(default)]
    pub clocks: Vec<ClockNote>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// The skew that was used, e.g. `2s`.
    #[serde(default)]
    pub skew: Option<String>,
}

/// Something that answers questions: the running program behind its socket.
pub trait Asker {
    /// Answers in the order of the questions, one each.
    ///
    /// # Errors
    /// When the program cannot be reached or does not answer.
    fn ask(&mut self, batch: &[Question]) -> io::Result<Vec<Answer>>;
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    /// How many questions.
    pub questions: u64,
    /// The seed of the sample.
    pub seed: u64,
    /// The skew of every question, milliseconds.
    pub skew_ms: i64,
    /// Milliseconds at either end of the run about which nothing is asked: what was before the first record is not known, and exporters state
    /// their time in whole seconds, so nothing later than the last second's beginning can be certain.
    pub guard_ms: i64,
}

impl Default for CheckOptions {
    fn default() -> CheckOptions {
        CheckOptions { questions: 10_000, seed: 1, skew_ms: 2_000, guard_ms: 2_000 }
    }
}

/// Asks and judges. `progress` is called after every batch.
pub fn check(path: &Path, options: &CheckOptions, asker: &mut dyn Asker, mut progress: impl FnMut(&Report)) -> Result<Report, SimError> {
    let index = TruthIndex::load(path)?;
    let mut sampler = Sampler::new(&index, options)?;
    let mut judge = Judge::new(&index);
    let mut report = Report::new(options);
    let (mut asked, mut later) = (0, Vec::new());
    while asked < options.questions {
        let left = usize::try_from(options.questions - asked).unwrap_or(BATCH).min(BATCH);
        let batch: Vec<(QuestionKind, Question)> = (0..left).map(|_| sampler.next_question()).collect();
        let questions: Vec<Question> = batch.iter().map(|(_, q)| *q).collect();
        let failed = |source| SimError::Ask { asked, source };
        let answers = asker.ask(&questions).map_err(failed)?;
        if answers.len() != questions.len() {
            let text = format!("{} answers to {} questions", answers.len(), questions.len());
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        asked += left as u64;
        for ((kind, question), answer) in batch.into_iter().zip(answers) {
            if judge.should_wait(&answer) && later.len() < LATER {
                later.push((kind, question, answer));
                continue;
            }
            let verdict = judge.judge(&question, &answer);
            report.add(kind, &question, &answer, verdict, &index);
        }
        progress(&report);
    }
    // Most ids have been learned from answers with one holder by now.
    for (kind, question, answer) in later {
        let verdict = judge.judge(&question, &answer);
        report.add(kind, &question, &answer, verdict, &index);
    }
    progress(&report);
    Ok(report)
}

#[cfg(test)]
mod tests;
