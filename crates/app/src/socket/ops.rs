//! What the running program answers.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, OnceLock, RwLock};

use serde_json::{Value, json};
use weir_base::clock::Clock;
use weir_base::time::Millis;
use weir_identity::desk::Desk;
use weir_query::only::Only;
use weir_record::sink::{RecordSink, SinkError, SubjectIds};
use weir_sources::import::intake::{Intake, Whole};
use weir_store::engine::{SourceInfo, Store};

use super::access::{Access, Who};
use super::batch::Batches;
use super::protocol::Announced;
use super::protocol::{Import, Op, Request, reply, write_list};
use crate::ask::{self, Asker};
use crate::desk::settings::{self, Layers};
use crate::fail::{FAILED, Failure};
use crate::front::Front;
use crate::ledger::{self, Asked};
use crate::limits::REQUEST_QUESTIONS;
use crate::measures::Register;
use crate::statements::{self, Statements};
use crate::view::{self, Known};
use crate::views::{self, Narrowed};
use crate::words::Words;

/// What answering needs.
pub struct Service {
    /// The store.
    pub store: Arc<Store>,
    /// The front of the store.
    pub front: Arc<Front>,
    /// Opaque ids, for imports.
    pub ids: Arc<dyn SubjectIds>,
    /// What look-ups know from the configuration.
    pub known: Known,
    /// Name of the log.
    pub origin: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Statements of SQL under way.
    pub statements: Statements,
    /// Batches of questions under way.
    pub batches: Batches,
    /// The measures, once they run.
    pub measures: RwLock<Register>,
    /// Who may use the socket.
    pub access: Access,
    /// The configuration as it may be changed.
    pub layers: Layers,
    /// Persons, accounts and approvals; there also when the console is off.
    pub desk: Option<Arc<Desk>>,
    /// Where the console is, once it runs.
    pub desk_url: OnceLock<String>,
}

/// What is answered.
pub enum Said {
    /// A value.
    Value(Value),
    /// The members of a list, JSON already: there may be much of it.
    List(Vec<String>),
}

/// An answer that waits until its questions are durable.
pub struct Pending {
    id: Value,
    /// The answer.
    pub answer: Result<Said, Failure>,
    /// What the ledger is told before it is given.
    pub asked: Vec<Asked>,
}

impl Service {
    /// Answers a batch of requests. The ledger records of all of them are durable before a byte is written; where they cannot be, the answers
    /// are refused. `gone` says that whoever asked has closed the connection.
    ///
    /// # Errors
    /// What writing gives.
    pub fn answer(&self, who: &Who, batch: Vec<Request>, gone: &dyn Fn() -> bool, out: &mut dyn Write) -> io::Result<()> {
        let mut pending = Vec::with_capacity(batch.len());
        let (mut view, mut files, now) = (None, Vec::new(), self.clock.now());
        for request in batch {
            let mut asked = Vec::new();
            let answer = match request.op.and_then(|op| allowed(who, &op).map(|()| op)) {
                Ok(Op::Batch { batch, text, last, .. }) => {
                    let (answer, filed) = self.filed(pending.len(), who, (batch, &text, last), now);
                    files.extend(filed);
                    answer
                }
                other => other.and_then(|op| self.one(who, op, &mut view, &mut asked, gone)).map(Said::Value),
            };
            pending.push(Pending { id: request.id, answer, asked });
        }
        if !files.is_empty() {
            // What is known is looked at when it is their turn, not when they came.
            let _turn = self.batches.turn();
            let view = view::now(&self.store, &self.front, &self.known);
            self.answer_files(&view, &files, &mut pending, self.clock.now());
        }
        let all: Vec<Asked> = pending.iter().flat_map(|p| p.asked.iter().cloned()).collect();
        let durable = ledger::commit(&self.store, self.front.as_ref(), &all);
        for p in pending {
            let answer = match &durable {
                Err(failure) if !p.asked.is_empty() => Err(failure.clone()),
                _ => p.answer,
            };
            match answer {
                Ok(Said::List(members)) => write_list(out, &p.id, members)?,
                Ok(Said::Value(value)) => out.write_all(reply(&p.id, &Ok(value)).as_bytes())?,
                Err(failure) => out.write_all(reply(&p.id, &Err(failure)).as_bytes())?,
            }
        }
        out.flush()
    }

    fn one(
        &self,
        who: &Who,
        op: Op,
        view: &mut Option<crate::facts::View>,
        asked: &mut Vec<Asked>,
        gone: &dyn Fn() -> bool,
    ) -> Result<Value, Failure> {
        let (now, actor) = (self.clock.now(), &who.actor());
        match op {
            Op::Lookup { question, questions, purpose, explain } => {
                // One view for the whole batch, taken before the first record is read.
                let view = view.get_or_insert_with(|| view::now(&self.store, &self.front, &self.known));
                let asker = Asker { actor: actor.to_owned(), purpose };
                self.lookup(view, &asker, question, questions, explain, asked)
            }
            Op::BatchBegin(announced) => self.begin(actor, announced, now),
            Op::Batch { .. } => Err(Failure::new("a part of a file came on its own", "please report this")),
            Op::Seal {} => self.seal(actor, now),
            Op::Sources {} => {
                let reach = self.front.reach();
                let evidence = |s: &SourceInfo| reach.get(&s.number).and_then(|r| r.evidence);
                Ok(Value::Array(self.store.sources().iter().map(|s| source(s, evidence(s))).collect()))
            }
            Op::Measures {} => {
                let measures = self.measures.read().unwrap_or_else(std::sync::PoisonError::into_inner);
                Ok(Value::Array(measures.shown()))
            }
            Op::Health {} => Ok(self.health()),
            Op::Records { kind, from, to, limit, words, source, unrecognised } => {
                let wanted = views::wanted(&kind, from.as_deref(), to.as_deref())?;
                let source = source.map(|name| views::source(&self.store, &name)).transpose()?;
                let narrowed = Narrowed { words: words.as_deref(), only: Only { source, unrecognised } };
                let target = views::target(&kind, &from, &to) + &narrowed.target();
                let result = views::list(&self.store, wanted, &narrowed, limit);
                asked.push(views::asked(now, actor, "records", &target, rows_of(&result)));
                result
            }
            Op::Unrecognised { from, to, limit } => statements::unrecognised(self, actor, (from, to), limit, gone),
            Op::Sql { statement } => statements::run(self, actor, who.ledger(), &statement, gone).map_err(|r| r.failure),
            Op::Import(part) => self.import(actor, &part, now),
            Op::Export { kind, from, to, out } => {
                // The program writes the file, with its own rights: nobody else may choose where.
                who.has_machine(
                    "an export to a file",
                    "export at the desk, or POST /api/v1/records/export with a token: those rows come to you",
                )?;
                self.export(who, &kind, (from, to), &out, now)
            }
            Op::DeskLink {} => self.first_link(actor, now),
            Op::Key { kind, day } => {
                let open = kind.parse().map_or(Ok(()), |kind| views::open_to(kind, who.ledger()));
                let result = open.and_then(|()| views::key(&self.store, &kind, &day));
                asked.push(Asked {
                    purpose: "key".into(),
                    ..views::asked(now, actor, "key-show", &format!("{kind} {day}"), result.as_ref().ok().map(|_| 1))
                });
                result.map(Value::String)
            }
            Op::Settings {} => told(self.layers.settings()),
            Op::SettingsCheck { changes } => told(self.layers.check(&changes)),
            Op::SettingsChange { changes, reason, approval } => settings::over_socket(self, actor, &changes, &reason, approval.as_deref()),
        }
    }

    fn lookup(
        &self,
        view: &crate::facts::View,
        asker: &Asker,
        question: Option<Words>,
        questions: Vec<Words>,
        explain: bool,
        asked: &mut Vec<Asked>,
    ) -> Result<Value, Failure> {
        if questions.len() > REQUEST_QUESTIONS {
            return Err(Failure::usage(format!("more than {REQUEST_QUESTIONS} questions in one request"), "ask them in several"));
        }
        let now = self.clock.now();
        let mut ask = |words: &Words| {
            let outcome = ask::answer(&self.store, view, &self.origin, asker, words, now);
            asked.push(outcome.asked);
            outcome.answer.map(|answer| shown(&answer, explain, outcome.read))
        };
        match (question, questions.as_slice()) {
            (Some(words), []) => ask(&words),
            (None, many) if !many.is_empty() => {
                // One that fails does not take the others along.
                let each = many.iter().map(|words| match ask(words) {
                    Ok(answer) => answer,
                    Err(f) => json!({ "error": { "what": f.what, "todo": f.todo, "code": f.code } }),
                });
                Ok(Value::Array(each.collect()))
            }
            _ => Err(Failure::usage("a look-up has either one question or a list of questions", "give one of them")),
        }
    }

    /// Announces a batch. Its record is durable on return: what is asked under it later needs none of its own.
    fn begin(&self, actor: &str, announced: Announced, now: Millis) -> Result<Value, Failure> {
        announced.check()?;
        let (purpose, target) = (announced.purpose.clone(), announced.target());
        let asked = Asked { time: now, actor: actor.to_owned(), purpose, act: "lookup-batch", target, answer: String::new(), rows: 0 };
        ledger::commit(&self.store, self.front.as_ref(), &[asked.begun(announced.rows)])?;
        let asker = Asker { actor: actor.to_owned(), purpose: announced.purpose.clone() };
        Ok(json!({ "batch": self.batches.begin(asker, announced, now)?.to_string() }))
    }

    /// Seals what waits; who asked for it is recorded first.
    ///
    /// # Errors
    /// It cannot be recorded, or the store says why not.
    pub fn seal(&self, actor: &str, now: Millis) -> Result<Value, Failure> {
        let action = ledger::actions(&[ledger::action(now, actor, "seal", "asked for by an operator", "ok")]);
        self.front.commit(action).map_err(|e| match e {
            SinkError::Full => Failure::new("nothing can be sealed: the disk is full", "make room, then try again"),
            other => Failure::sentence(other),
        })?;
        let report = self.store.seal_now().map_err(Failure::sentence)?;
        Ok(json!({ "units": report.units, "rows": report.rows, "log_size": report.size }))
    }

    /// Takes a part of an import in: durable on return. The first and the last part are operator's actions.
    fn import(&self, actor: &str, part: &Import, now: Millis) -> Result<Value, Failure> {
        let named = |t: &str| !t.is_empty() && t.len() <= 48 && !t.chars().any(|c| c.is_control() || c == '/');
        if !named(&part.name) || !named(&part.realm) || !is_digest(&part.digest) || part.file.len() > 255 {
            return Err(Failure::usage(
                "the import's name or realm cannot be used",
                "write 1 to 48 bytes without \"/\" or control characters",
            ));
        }
        let (sink, ids) = (self.front.as_ref(), self.ids.as_ref());
        if let Some(at) = Intake::taken(sink, part.digest.as_bytes()).filter(|_| part.first && !part.again) {
            return Err(Failure::new(format!("this file was imported at {at}"), "use --again to take it once more"));
        }
        let note = |what: &str| {
            let detail = format!("{what} of {} as import/{} in realm {}; SHA-256 {}", part.file, part.name, part.realm, part.digest);
            self.front.commit(ledger::actions(&[ledger::action(now, actor, "import", detail, "ok")]))
        };
        let failed = |e: SinkError| match e {
            SinkError::Full => {
                Failure::new("the disk is full: what was imported so far is kept", "make room, then import again with --again")
            }
            other => Failure::sentence(other),
        };
        if part.first {
            note("begin").map_err(failed)?;
        }
        let intake = Intake::new(sink, ids, &part.name, &part.realm, &part.file).map_err(failed)?;
        let rows = intake
            .take(&part.sessions, part.last.then_some(Whole { file: part.digest.as_bytes(), skipped: part.skipped }), now)
            .map_err(failed)?;
        if part.last {
            note(&format!("end ({} lines taken, {} lines skipped)", part.taken, part.skipped)).map_err(failed)?;
        }
        Ok(json!({ "rows": rows }))
    }

    /// An export is ledgered before it is written: the file itself is the answer.
    fn export(&self, who: &Who, kind: &str, span: (Option<String>, Option<String>), out: &str, now: Millis) -> Result<Value, Failure> {
        let ((from, to), actor) = (span, &who.actor());
        let wanted = views::wanted(kind, from.as_deref(), to.as_deref())?;
        views::open_to(wanted.kind, who.ledger())?;
        let target = format!("{} to {out}", views::target(kind, &from, &to));
        let act = Asked { purpose: "export".into(), ..views::asked(now, actor, "export", &target, None) };
        ledger::commit(&self.store, self.front.as_ref(), &[act.begun(0)])?;
        let result = views::export(&self.store, wanted, Path::new(out));
        let (answer, rows) = result.as_ref().map_or(("failed", 0), |rows| ("rows", *rows));
        ledger::commit(&self.store, self.front.as_ref(), &[act.ended(self.clock.now(), answer, rows)])?;
        result.map(|rows| json!({ "rows": rows, "file": out }))
    }

    /// A link for the first account, or for one that lost its factors before set-up ended. Who asked for it is recorded.
    fn first_link(&self, actor: &str, now: Millis) -> Result<Value, Failure> {
        let (Some(desk), Some(url)) = (&self.desk, self.desk_url.get()) else {
            return Err(Failure::new("the desk does not run", "set desk.enabled = true, mend what the start said of it, then start again"));
        };
        let link = desk.first_link(actor, now).map_err(|r| Failure::new(r.what(), r.todo()))?;
        Ok(json!({ "link": format!("{url}/#/welcome/{}", link.token), "login": link.login }))
    }

    /// Writes the ends of batches that nobody went on with into the ledger; with `all` those of every batch. Where they cannot be written, their
    /// begins stand there.
    pub fn sweep(&self, all: bool, now: Millis) {
        let ended: Vec<Asked> = self.batches.sweep(all, now).iter().map(|e| e.asked(now)).collect();
        let _ = ledger::commit(&self.store, self.front.as_ref(), &ended);
    }

    fn health(&self) -> Value {
        let h = self.store.health();
        json!({
            "origin": self.origin, "full": h.full, "full_since": h.full_since.map(Millis::to_rfc3339), "waiting_rows": h.waiting_rows,
            "last_sealed": h.last_sealed.map(Millis::to_rfc3339), "log_size": h.log_size, "sequenced": h.sequenced,
            "open_mappings": h.open_mappings, "open_sessions": h.open_sessions, "wal_bytes": h.wal_bytes,
            "refused_groups": h.refused_groups, "trouble": h.trouble,
            "statements": self.statements.under_way(),
        })
    }
}

fn allowed(who: &Who, op: &Op) -> Result<(), Failure> {
    match op.by_machine() {
        true => who.has_machine("a link for the first account", "ask the one who has the machine"),
        false => who.needs(op.needs()),
    }
}

fn told<T: serde::Serialize>(value: Result<T, Failure>) -> Result<Value, Failure> {
    value.map(|v| serde_json::to_value(v).unwrap_or(Value::Null))
}

/// Rows an answer has, for the ledger; none when it failed.
fn rows_of(result: &Result<Value, Failure>) -> Option<u64> {
    result.as_ref().ok().map(ledger::rows)
}

/// An answer as it goes out.
pub fn shown(answer: &weir_attribution::Answer, explain: bool, read: (u64, u64)) -> Value {
    let mut value = serde_json::to_value(answer).unwrap_or(Value::Null);
    if let Value::Object(fields) = &mut value {
        fields.insert("summary".to_owned(), json!(weir_attribution::summary(answer)));
        if explain {
            let (pages, bytes) = read;
            let steps = format!("{}read {pages} pages, {bytes} bytes\n", weir_attribution::explain(answer));
            fields.insert("explain".to_owned(), json!(steps));
        }
    }
    value
}

/// A source as `weir sources --json` shows it; `evidence` is the moment, by its own clock, up to which all it sent is here.
fn source(s: &SourceInfo, evidence: Option<Millis>) -> Value {
    let c = &s.counters;
    json!({
        "name": s.name, "kind": s.kind, "realm": s.realm, "peer": s.peer, "messages": c.messages, "records": c.records,
        "malformed": c.malformed, "lost": s.lost.max(c.lost), "last_seen": c.last_seen.map(Millis::to_rfc3339), "offset_ms": c.offset_ms,
        "number": s.number, "profile": s.profile, "clock": s.clock, "ignored": c.ignored, "unrecognised": c.unrecognised, "duplicates": c.duplicates,
        "destinations_dropped": c.destinations_dropped, "trouble": c.trouble, "since": s.since.to_rfc3339(),
        "complete_to": evidence.map(Millis::to_rfc3339),
    })
}

/// The exit code of an answer.
pub fn exit_code(answer: &Value) -> u8 {
    match answer.get("answer").and_then(Value::as_str) {
        Some("one") => 0,
        Some("none") => 3,
        Some("several") => 4,
        Some("unknown") => 5,
        _ => FAILED,
    }
}

/// True for a SHA-256 in hexadecimal.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
