//! What the check found, as text and as JSON.

use std::fmt;

use serde::Serialize;
use weir_base::time::format_duration_ms;

use super::index::TruthIndex;
use super::judge::Verdict;
use super::sample::{KINDS, QuestionKind};
use super::{Answer, CheckOptions, Outcome, Question};
use crate::limits::SHOWN_WRONG;

/// A wrong answer, both sides. It names accounts: a simulated network has nobody's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrongAnswer {
    /// Why it is wrong.
    pub why: String,
    /// Why the question was asked.
    pub kind: QuestionKind,
    /// The public address.
    pub public: String,
    /// The port.
    pub port: Option<u16>,
    /// The protocol number.
    pub protocol: u8,
    /// The remote end, if it was named.
    pub remote: Option<String>,
    /// The moment, RFC 3339.
    pub at: String,
    /// The answer.
    pub answer: Answer,
    /// Who held it within the skew: realm, account, inside, start and end.
    pub truth: Vec<String>,
}

/// Counts of one kind of question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Questions.
    pub asked: u64,
    /// Right.
    pub right: u64,
    /// Wrong.
    pub wrong: u64,
}

/// What the check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Questions asked.
    pub asked: u64,
    /// Right.
    pub right: u64,
    /// Wrong: must be zero.
    pub wrong: u64,
    /// `unknown`.
    pub unknown: u64,
    /// `several`, neither right nor wrong.
    pub several: u64,
    /// `none`, neither right nor wrong.
    pub none: u64,
    /// `one` with the right inside address and no subscriber.
    pub nameless: u64,
    /// `one`, the holder at the moment, while another held it within the tolerance.
    pub narrow: u64,
    /// Right answers that say `one`, `none` and `several`.
    pub right_one_none_several: [u64; 3],
    /// Right in percent.
    pub right_percent: f64,
    /// Wrong in percent.
    pub wrong_percent: f64,
    /// The questions' skew in milliseconds.
    pub skew_ms: i64,
    /// The sample's seed.
    pub seed: u64,
    /// By kind of question.
    pub kinds: Vec<(QuestionKind, Counts)>,
    /// The first wrong answers.
    pub wrong_answers: Vec<WrongAnswer>,
}

impl Report {
    /// An empty report.
    pub fn new(options: &CheckOptions) -> Report {
        Report {
            asked: 0,
            right: 0,
            wrong: 0,
            unknown: 0,
            several: 0,
            none: 0,
            nameless: 0,
            narrow: 0,
            right_one_none_several: [0; 3],
            right_percent: 0.0,
            wrong_percent: 0.0,
            skew_ms: options.skew_ms,
            seed: options.seed,
            kinds: KINDS.into_iter().map(|k| (k, Counts::default())).collect(),
            wrong_answers: Vec::new(),
        }
    }

    /// Counts one answer.
    pub fn add(&mut self, kind: QuestionKind, question: &Question, answer: &Answer, verdict: Verdict, index: &TruthIndex) {
        self.asked += 1;
        match verdict {
            Verdict::Right => self.count_right(answer.answer),
            Verdict::Unknown => self.unknown += 1,
            Verdict::Several => self.several += 1,
            Verdict::None => self.none += 1,
            Verdict::Nameless => self.nameless += 1,
            Verdict::Narrow => self.narrow += 1,
            Verdict::Wrong(why) => {
                self.wrong += 1;
                if self.wrong_answers.len() < SHOWN_WRONG {
                    self.wrong_answers.push(wrong_answer(why, kind, question, answer, index));
                }
            }
        }
        if let Some((_, counts)) = self.kinds.iter_mut().find(|(k, _)| *k == kind) {
            counts.asked += 1;
            counts.right += u64::from(verdict == Verdict::Right);
            counts.wrong += u64::from(matches!(verdict, Verdict::Wrong(_)));
        }
        self.right_percent = percent(self.right, self.asked);
        self.wrong_percent = percent(self.wrong, self.asked);
    }

    fn count_right(&mut self, outcome: Outcome) {
        self.right += 1;
        let place = match outcome {
            Outcome::One => 0,
            Outcome::None => 1,
            _ => 2,
        };
        if let Some(count) = self.right_one_none_several.get_mut(place) {
            *count += 1;
        }
    }

    /// The report as JSON.
    pub fn to_json(&self) -> String {
        // Only numbers and texts are inside: this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn wrong_answer(why: &str, kind: QuestionKind, q: &Question, answer: &Answer, index: &TruthIndex) -> WrongAnswer {
    let reach = q.skew_ms + 2_000;
    let truth = index.holders(q, q.at.0 - reach, q.at.0 + reach);
    let shown = truth.iter().take(8).map(|h| {
        let (realm, account) = index.person(h.person);
        let inside = h.inside.map_or_else(|| "own address".to_owned(), |a| a.to_string());
        let end = if h.end == i64::MAX { "open".to_owned() } else { weir_base::time::Millis(h.end).to_string() };
        format!("{realm} {account} {inside} from {} to {end}", weir_base::time::Millis(h.start))
    });
    WrongAnswer {
        why: why.to_owned(),
        kind,
        public: q.public.to_string(),
        port: q.port,
        protocol: q.protocol,
        remote: q.remote.map(|(address, port)| format!("{address}:{port}")),
        at: q.at.to_string(),
        answer: answer.clone(),
        truth: shown.collect(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, none, several] = self.right_one_none_several;
        writeln!(f, "{} questions, skew {}, seed {}", self.asked, format_duration_ms(self.skew_ms), self.seed)?;
        writeln!(f, "  right    {:>10}  {:>9.4} %  (one {one}, none {none}, several {several})", self.right, self.right_percent)?;
        let rest = [
            ("wrong", self.wrong),
            ("unknown", self.unknown),
            ("several", self.several),
            ("none", self.none),
            ("nameless", self.nameless),
            ("narrow", self.narrow),
        ];
        for (name, count) in rest {
            writeln!(f, "  {name:<8} {count:>10}  {:>9.4} %", percent(count, self.asked))?;
        }
        for (kind, c) in self.kinds.iter().filter(|(_, c)| c.asked > 0) {
            writeln!(f, "  {:<14} asked {:>8}  right {:>8}  wrong {:>4}", format!("{kind:?}"), c.asked, c.right, c.wrong)?;
        }
        for w in &self.wrong_answers {
            let port = w.port.map_or_else(String::new, |p| format!(":{p}"));
            writeln!(f, "\n  WRONG ({:?}): {}\n    asked  {}{port} protocol {} at {}", w.kind, w.why, w.public, w.protocol, w.at)?;
            writeln!(f, "    answer {}", serde_json::to_string(&w.answer).unwrap_or_default())?;
            for line in &w.truth {
                writeln!(f, "    truth  {line}")?;
            }
            if w.truth.is_empty() {
                writeln!(f, "    truth  nobody")?;
            }
        }
        Ok(())
    }
}
