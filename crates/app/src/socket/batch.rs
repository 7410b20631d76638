//! Many questions from a file, under two ledger records: the file's digest and its lines, durable before the first answer, and what came of them,
//! durable before the last one.
//!
//! The command hands the file over as it is, part by part; what was promised is checked on the way. A file that turns out to be another one
//! than was announced is told of in the operators' records.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use csv::{ReaderBuilder, StringRecord};
use ring::digest;
use serde_json::json;
use weir_base::task::lock;
use weir_base::time::Millis;
use weir_record::Id;

use super::protocol::Announced;
use super::told::Tally;
use crate::ask::Asker;
use crate::fail::Failure;
use crate::ledger::Asked;
use crate::limits::{BATCH_IDLE_MS, BATCH_QUESTIONS, BATCHES};
use crate::words::Words;

/// Columns of the file, and whether each must be there.
pub const COLUMNS: [(&str, bool); 5] = [("public", true), ("protocol", false), ("at", true), ("remote", false), ("skew", false)];

/// A batch under way.
struct Batch {
    asker: Asker,
    announced: Announced,
    columns: [Option<usize>; 5],
    left: u64,
    line: u64,
    hash: digest::Context,
    touched: Millis,
    tally: Tally,
}

/// A batch that has ended, for the ledger.
#[derive(Clone, Debug)]
pub struct Ended {
    asker: Asker,
    digest: String,
    tally: Tally,
    whole: bool,
}

impl Ended {
    /// More was answered.
    #[must_use]
    pub fn with(mut self, answers: Tally) -> Ended {
        self.tally = self.tally.and(answers);
        self
    }

    /// What the ledger says: the answers that were given, by outcome.
    pub fn asked(&self, now: Millis) -> Asked {
        let Tally { one, none, several, unknown, refused } = self.tally;
        let answers = json!({ "one": one, "none": none, "several": several, "unknown": unknown, "refused": refused });
        Asked {
            time: now,
            actor: self.asker.actor.clone(),
            purpose: self.asker.purpose.clone(),
            act: "lookup-batch",
            target: json!({ "file_sha256": self.digest, "answers": answers }).to_string(),
            answer: if self.whole { "ended" } else { "failed" }.to_owned(),
            rows: self.tally.rows(),
        }
    }
}

/// A question of a part: its line in the file, and its cells.
pub type Line = (u64, StringRecord);

/// How the lines of a file are to be read.
#[derive(Clone, Debug, Default)]
pub struct Form {
    columns: [Option<usize>; 5],
    /// The tolerance where a line says none.
    skew: String,
}

impl Form {
    /// The words of a line, or what is wrong with it.
    pub fn words(&self, cells: &StringRecord) -> Result<Words, Failure> {
        let cell =
            |i: usize| self.columns[i].and_then(|at| cells.get(at)).map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned);
        let missing = |name: &str| Failure::usage(format!("{name} is missing"), "fill the column in");
        Ok(Words {
            public: cell(0).ok_or_else(|| missing("public"))?,
            protocol: cell(1),
            at: cell(2).ok_or_else(|| missing("at"))?,
            remote: cell(3),
            skew: Some(cell(4).unwrap_or_else(|| self.skew.clone())),
        })
    }
}

/// What a part brings.
pub struct Part {
    /// Who asks.
    pub asker: Asker,
    /// The questions.
    pub lines: Vec<Line>,
    /// How they are read.
    pub form: Form,
    /// Set after the last part, if the file was not the one announced.
    pub other: Option<String>,
    /// Set with the last part: what the ledger is told once it is answered.
    pub ended: Option<Ended>,
}

/// A part that was not taken: why, and the end of the batch, where it was under way.
pub type Broken = (Failure, Option<Box<Ended>>);

/// The batches under way.
#[derive(Default)]
pub struct Batches {
    all: Mutex<HashMap<Id, Batch>>,
    /// Held while parts are answered: they take all processors and some memory, so those of one connection at a time.
    turn: Mutex<()>,
}

fn broken(why: &str) -> Failure {
    Failure::usage(format!("the batch cannot go on: {why}"), "begin it anew")
}

impl Announced {
    /// What the ledger says of it.
    pub fn target(&self) -> String {
        json!({ "file_sha256": self.digest, "rows": self.rows, "skew": self.skew }).to_string()
    }

    /// Complains about what cannot be.
    pub fn check(&self) -> Result<(), Failure> {
        let hex = self.digest.len() == 64 && self.digest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex && self.rows > 0 {
            Ok(())
        } else {
            Err(Failure::usage("the batch is empty or its digest is none", "name a file with questions"))
        }
    }
}

impl Batches {
    /// Waits until no parts of another connection are being answered.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    /// Begins a batch whose announcement is durable in the ledger.
    pub fn begin(&self, asker: Asker, announced: Announced, now: Millis) -> Result<Id, Failure> {
        let mut batches = lock(&self.all);
        if batches.len() >= BATCHES {
            return Err(Failure::new(format!("{BATCHES} batches are under way"), "wait until one of them has ended"));
        }
        let (id, left, hash) = (Id::random(), announced.rows, digest::Context::new(&digest::SHA256));
        batches.insert(id, Batch { asker, announced, columns: [None; 5], left, line: 0, hash, touched: now, tally: Tally::default() });
        Ok(id)
    }

    /// Takes a part: whole lines of the file, the heading in the first one.
    pub fn part(&self, id: &str, actor: &str, text: &str, last: bool, now: Millis) -> Result<Part, Broken> {
        let id: Id = id.parse().map_err(|_| (broken("nobody began it"), None))?;
        let mut batches = lock(&self.all);
        let batch = batches.get_mut(&id).filter(|b| b.asker.actor == actor);
        let batch = batch.ok_or_else(|| (broken("nobody began it, or long ago"), None))?;
        batch.touched = now;
        let taken = batch.take(text);
        let (asker, form) = (batch.asker.clone(), Form { columns: batch.columns, skew: batch.announced.skew.clone() });
        let ended = |whole: bool, b: &Batch| Ended { asker: b.asker.clone(), digest: b.announced.digest.clone(), tally: b.tally, whole };
        match taken {
            Err(why) => Err((why, batches.remove(&id).map(|b| Box::new(ended(false, &b))))),
            Ok(lines) if last => {
                let gone = batches.remove(&id);
                let ended = gone.as_ref().map(|b| ended(true, b));
                Ok(Part { asker, lines, form, other: gone.and_then(Batch::differs), ended })
            }
            Ok(lines) => Ok(Part { asker, lines, form, other: None, ended: None }),
        }
    }

    /// A part of a batch that goes on was answered.
    pub fn answered(&self, id: &str, answers: Tally) {
        let Ok(id) = id.parse::<Id>() else { return };
        if let Some(batch) = lock(&self.all).get_mut(&id) {
            batch.tally = batch.tally.and(answers);
        }
    }

    /// Batches that nobody went on with are over; with `all` every one is: the program ends.
    pub fn sweep(&self, all: bool, now: Millis) -> Vec<Ended> {
        let over = |b: &Batch| all || now.since(b.touched) >= BATCH_IDLE_MS;
        let mut batches = lock(&self.all);
        let gone: Vec<Id> = batches.iter().filter(|(_, b)| over(b)).map(|(id, _)| *id).collect();
        let ended = |b: Batch| Ended { asker: b.asker, digest: b.announced.digest, tally: b.tally, whole: false };
        gone.iter().filter_map(|id| batches.remove(id)).map(ended).collect()
    }
}

impl Batch {
    fn take(&mut self, text: &str) -> Result<Vec<Line>, Failure> {
        self.hash.update(text.as_bytes());
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let mut lines = Vec::new();
        let before = self.line;
        for record in reader.records() {
            let record = record.map_err(|_| broken("it is not CSV"))?;
            self.line = before + record.position().map_or(0, csv::Position::line);
            if self.columns[0].is_none() {
                self.columns = heading(&record)?;
                continue;
            }
            self.left = self.left.checked_sub(1).ok_or_else(|| broken("it has more lines than were announced"))?;
            lines.push((self.line, record));
        }
        self.line = before + text.bytes().filter(|b| *b == b'\n').count() as u64;
        if lines.len() > BATCH_QUESTIONS {
            return Err(broken("a part has too many lines"));
        }
        Ok(lines)
    }

    /// Why the file is not the one announced, if it is not.
    fn differs(self) -> Option<String> {
        let digest: String = self.hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect();
        (self.left > 0 || digest != self.announced.digest).then(|| {
            format!("announced {} with {} questions, got {digest}, {} fewer", self.announced.digest, self.announced.rows, self.left)
        })
    }
}

/// Where the columns are.
pub fn heading(record: &StringRecord) -> Result<[Option<usize>; 5], Failure> {
    let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let todo = format!("name the columns in the first line: {} (public and at are needed)", known.join(","));
    let mut columns = [None; 5];
    for (at, cell) in record.iter().enumerate() {
        let cell = cell.trim().to_ascii_lowercase();
        let column = known.iter().position(|name| *name == cell);
        // Not repeated: without a heading it is an address.
        let column = column.ok_or_else(|| Failure::usage(format!("column {} of the heading is not known", at + 1), todo.clone()))?;
        if columns[column].replace(at).is_some() {
            return Err(Failure::usage(format!("column {} stands twice in the heading", known[column]), todo));
        }
    }
    match COLUMNS.iter().zip(columns).find(|((_, needed), column)| *needed && column.is_none()) {
        Some(((name, _), _)) => Err(Failure::usage(format!("the heading has no column {name}"), todo)),
        None => Ok(columns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_312_800_000);

    fn asker() -> Asker {
        Asker { actor: "uid:0".into(), purpose: "operate".into() }
    }

    fn announced(text: &str, rows: u64) -> Announced {
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let digest = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        Announced { digest, rows, purpose: "operate".into(), skew: "2s".into() }
    }

    const FILE: &str = "at,Public,protocol\n2026-11-22T10:00:00.123+08:00,203.0.113.7:40123,tcp\n\
                        \"2026-11-22T10:00:01+08:00\",[2001:db8::1]:443,\nyesterday,203.0.113.7:1,tcp\n,203.0.113.7:1,\n";

    #[test]
    fn a_file_in_parts_is_the_file_as_a_whole() {
        for cut in FILE.match_indices('\n').map(|(at, _)| at + 1) {
            let batches = Batches::default();
            let id = batches.begin(asker(), announced(FILE, 4), NOW).unwrap();
            let (head, tail) = FILE.split_at(cut);
            let first = batches.part(&id.to_string(), "uid:0", head, false, NOW).unwrap();
            let second = batches.part(&id.to_string(), "uid:0", tail, true, NOW).unwrap();
            assert_eq!((&first.other, &second.other), (&None, &None));
            let parts = [first, second];
            let lines = parts.iter().flat_map(|part| part.lines.iter().map(|line| (line.0, part.form.words(&line.1))));
            let questions: Vec<_> = lines.map(|(line, words)| (line, words.and_then(|words| words.read()))).collect();
            let numbers: Vec<_> = questions.iter().map(|(line, question)| (*line, question.is_ok())).collect();
            assert_eq!(numbers, [(2, true), (3, true), (4, false), (5, false)], "{cut}");
            assert_eq!(questions[0].1.as_ref().unwrap().skew_ms, 2_000);
            assert!(batches.part(&id.to_string(), "uid:0", "", true, NOW).is_err(), "it has ended");
        }
    }

    #[test]
    fn what_was_announced_is_held_against_what_came() {
        for (text, rows, told) in [(FILE, 4, false), (FILE, 5, true), ("public,at\n", 1, true)] {
            let batches = Batches::default();
            let id = batches.begin(asker(), announced(FILE, rows), NOW).unwrap();
            assert_eq!(batches.part(&id.to_string(), "uid:0", text, true, NOW).unwrap().other.is_some(), told, "{rows}");
        }
        let batches = Batches::default();
        let id = batches.begin(asker(), announced(FILE, 3), NOW).unwrap();
        assert!(batches.part(&id.to_string(), "uid:0", FILE, true, NOW).is_err(), "more lines than announced");
        let id = batches.begin(asker(), announced(FILE, 4), NOW).unwrap();
        assert!(batches.part(&id.to_string(), "uid:1", FILE, true, NOW).is_err(), "somebody else's");
    }

    #[test]
    fn the_end_says_what_was_answered() {
        let batches = Batches::default();
        let id = batches.begin(asker(), announced(FILE, 4), NOW).unwrap().to_string();
        let (head, tail) = FILE.split_at(FILE.find("yesterday").unwrap());
        let first = batches.part(&id, "uid:0", head, false, NOW).unwrap();
        assert!(first.ended.is_none());
        batches.answered(&id, Tally { one: 1, none: 1, ..Tally::default() });
        let second = batches.part(&id, "uid:0", tail, true, NOW).unwrap();
        let asked = second.ended.unwrap().with(Tally { one: 1, refused: 1, ..Tally::default() }).asked(NOW);
        assert_eq!((asked.answer.as_str(), asked.rows, asked.act), ("ended", 4, "lookup-batch"));
        assert!(asked.target.contains(r#""one":2"#) && asked.target.contains(r#""refused":1"#), "{}", asked.target);
        let id = batches.begin(asker(), announced(FILE, 3), NOW).unwrap().to_string();
        let (_, ended) = batches.part(&id, "uid:0", FILE, true, NOW).err().unwrap();
        assert_eq!((ended.as_ref().unwrap().asked(NOW).answer.as_str(), ended.unwrap().asked(NOW).rows), ("failed", 0));
    }

    #[test]
    fn batches_are_few_and_forgotten_when_nobody_goes_on() {
        let batches = Batches::default();
        for _ in 0..BATCHES {
            batches.begin(asker(), announced(FILE, 4), NOW).unwrap();
        }
        assert!(batches.begin(asker(), announced(FILE, 4), NOW).is_err());
        assert!(batches.sweep(false, NOW.plus(BATCH_IDLE_MS - 1)).is_empty());
        let gone = batches.sweep(false, NOW.plus(BATCH_IDLE_MS));
        assert!(gone.len() == BATCHES && gone.iter().all(|e| e.asked(NOW).answer == "failed"));
        assert!(batches.begin(asker(), announced(FILE, 4), NOW.plus(BATCH_IDLE_MS)).is_ok());
        assert_eq!(batches.sweep(true, NOW.plus(BATCH_IDLE_MS)).len(), 1);
    }

    #[test]
    fn headings_are_told_apart_from_addresses() {
        for (line, good) in [
            ("public,at", true),
            ("AT , Public,skew,remote,protocol", true),
            ("public", false),
            ("public,at,at", false),
            ("203.0.113.7:40123,2026-11-22T10:00:00+08:00", false),
        ] {
            let got = heading(&StringRecord::from(line.split(',').collect::<Vec<_>>()));
            assert_eq!(got.is_ok(), good, "{line}");
            assert!(got.err().is_none_or(|f| !f.to_string().contains("203.0.113.7")));
        }
    }
}
