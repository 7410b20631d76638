//! Parts of files of questions that lie ready together, answered together: what is read, decrypted and decoded for a question is at hand for those about
//! the same pages, whichever part they stand in.

use std::collections::HashMap;

use serde_json::Value;
use weir_attribution::Question;
use weir_base::net::Addr16;
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::sink::RecordSink;
use weir_store::many::{self, Place};
use weir_store::shelf::Shelf;

use super::access::Who;
use super::batch::{Ended, Form, Line};
use super::ops::{Pending, Said, Service};
use super::told::{Tally, Told};
use crate::ask::{self, Asker};
use crate::facts::View;
use crate::fail::Failure;
use crate::ledger;

/// A part that was taken, or the end of a batch that broke off.
pub struct Filed {
    /// Which of the requests at hand it is.
    at: usize,
    /// The batch.
    id: String,
    asker: Asker,
    lines: Vec<Line>,
    form: Form,
    /// The last of its batch: what the ledger is told once all is answered.
    ended: Option<Ended>,
    /// There is an answer to give.
    taken: bool,
}

/// A question of a part, as read: which part, which line of the file.
type Read<'a> = (&'a Filed, u64, Result<Question, Failure>);

impl Service {
    /// Takes a part of a file. Its answers come with those of the others at hand.
    pub fn filed(
        &self,
        at: usize,
        who: &Who,
        (id, text, last): (String, &str, bool),
        now: Millis,
    ) -> (Result<Said, Failure>, Option<Filed>) {
        let actor = who.actor();
        // As all others write it: an id may come in capitals.
        let id = id.parse::<Id>().map_or(id, |id| id.to_string());
        match self.batches.part(&id, &actor, text, last, now) {
            Err((why, ended)) => {
                let filed = ended.map(|ended| Filed {
                    at,
                    id,
                    asker: Asker { actor, purpose: String::new() },
                    lines: Vec::new(),
                    form: Form::default(),
                    ended: Some(*ended),
                    taken: false,
                });
                (Err(why), filed)
            }
            Ok(part) => {
                if let Some(other) = part.other {
                    let action = ledger::action(now, &part.asker.actor, "lookup-batch", other, "not the file announced");
                    // The answers were due already; the record is written as soon as there is room.
                    self.front.submit(ledger::actions(&[action]), Box::new(|_| ()));
                }
                let filed = Filed { at, id, asker: part.asker, lines: part.lines, form: part.form, ended: part.ended, taken: true };
                (Ok(Said::Value(Value::Null)), Some(filed))
            }
        }
    }

    /// Answers the questions of all parts, whose turn it is, and puts the answers where the requests wait for them.
    pub fn answer_files(&self, view: &View, files: &[Filed], pending: &mut [Pending], now: Millis) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let lines: Vec<(&Filed, &Line)> = files.iter().flat_map(|filed| filed.lines.iter().map(move |line| (filed, line))).collect();
        let read = |number: usize| -> Option<Read<'_>> {
            let (filed, (line, cells)) = lines.get(number)?;
            Some((filed, *line, filed.form.words(cells).and_then(|words| words.read())))
        };
        let questions: Vec<Read<'_>> = many::all(lines.len(), threads, &read).into_iter().flatten().collect();
        let places: Vec<Place> = questions.iter().map(place).collect();
        let answer = |number: usize, shelf: &Shelf| {
            let Some((filed, line, question)) = questions.get(number) else { return (String::new(), Tally::default()) };
            let ask = |question| ask::read(&self.store, view, &self.origin, &filed.asker, (question, shelf), now).0;
            let answer = question.as_ref().map_err(Failure::clone).and_then(ask);
            let (told, mut tally) = (Told::of(*line, &answer), Tally::default());
            tally.count(&told.answer);
            (told.json(), tally)
        };
        let mut answers = many::in_turn(&places, threads, &answer).into_iter();
        let mut before: HashMap<&str, Tally> = HashMap::new();
        for (number, filed) in files.iter().enumerate() {
            let (texts, tallies): (Vec<String>, Vec<Tally>) = answers.by_ref().take(filed.lines.len()).unzip();
            let tally = tallies.into_iter().fold(Tally::default(), Tally::and);
            let Some(waits) = pending.get_mut(filed.at) else { continue };
            if filed.taken {
                waits.answer = Ok(Said::List(texts));
            }
            // What the batch counts itself is no longer there once it has ended, though parts of it wait here.
            let ends = files.iter().skip(number + 1).any(|later| later.id == filed.id && later.ended.is_some());
            match &filed.ended {
                Some(ended) => {
                    let earlier = before.remove(filed.id.as_str()).unwrap_or_default();
                    waits.asked.push(ended.clone().with(earlier.and(tally)).asked(now));
                }
                None if ends => {
                    let sum = before.entry(&filed.id).or_default();
                    *sum = sum.and(tally);
                }
                None => self.batches.answered(&filed.id, tally),
            }
        }
    }
}

fn place((_, _, question): &Read<'_>) -> Place {
    match question {
        Ok(q) => Place { at: q.at, public: q.public, port: q.port.unwrap_or(0) },
        Err(_) => Place { at: Millis(0), public: Addr16::default(), port: 0 },
    }
}
