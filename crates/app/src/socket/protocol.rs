//! Requests and answers: one JSON object a line.
//!
//! A request: `{"id": …, "op": "lookup", …}`; the id, a text or a whole number, comes back as it was. An answer: `{"id": …, "ok": …}` or
//! `{"id": …, "error": {"what": …, "todo": …, "code": n}}`. Requests that lie ready on a connection are answered together, in their order, and
//! their ledger records share one commit.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use weir_identity::desk::Capability;
use weir_record::Kind;
use weir_sources::import::sessions::Past;

use crate::fail::Failure;
use crate::limits::WORD_BYTES;
use crate::words::Words;

/// What a batch is announced as.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announced {
    /// SHA-256 of the file, in hexadecimal digits.
    pub digest: String,
    /// Questions in it: lines after the heading.
    pub rows: u64,
    /// operate, security-event or drill.
    pub purpose: String,
    /// Tolerance of questions that state none.
    pub skew: String,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Op {
    /// Who held a public end; one question, or several.
    Lookup {
        /// One question.
        #[serde(default)]
        question: Option<Words>,
        /// Several.
        #[serde(default)]
        questions: Vec<Words>,
        /// operate, security-event or drill.
        #[serde(default = "operate")]
        purpose: String,
        /// Say how the answer came about, too.
        #[serde(default)]
        explain: bool,
    },
    /// Announces many questions from a file: the one ledger record of all of them.
    BatchBegin(Announced),
    /// Lines of that file.
    Batch {
        /// The batch, as its announcement was answered.
        batch: String,
        /// Whole lines.
        text: String,
        /// The last part.
        #[serde(default)]
        last: bool,
        /// The next part follows at once: both may be answered together.
        #[serde(default)]
        more: bool,
    },
    /// Seal what waits.
    Seal {},
    /// The sources.
    Sources {},
    /// The measures.
    Measures {},
    /// How the program is.
    Health {},
    /// Rows of one kind through the masking view.
    Records {
        /// The kind.
        kind: String,
        /// Earliest time.
        #[serde(default)]
        from: Option<String>,
        /// Latest time.
        #[serde(default)]
        to: Option<String>,
        /// Rows at most: the newest.
        #[serde(default = "limit")]
        limit: usize,
        /// Words that must all be in a line.
        #[serde(default, rename = "match")]
        words: Option<String>,
        /// Of this source alone: its name or number.
        #[serde(default)]
        source: Option<String>,
        /// Lines that no dialect understands alone.
        #[serde(default)]
        unrecognised: bool,
    },
    /// Lines that no dialect understands, counted by sender and program.
    Unrecognised {
        /// Earliest time.
        #[serde(default)]
        from: Option<String>,
        /// Latest time.
        #[serde(default)]
        to: Option<String>,
        /// Senders and programs at most: those of most lines.
        #[serde(default = "limit")]
        limit: usize,
    },
    /// A statement over the masking views.
    Sql {
        /// The statement.
        statement: String,
    },
    /// Writes plain Parquet of a masking view to a file on the program's machine.
    Export {
        /// The kind.
        kind: String,
        /// Earliest time.
        #[serde(default)]
        from: Option<String>,
        /// Latest time.
        #[serde(default)]
        to: Option<String>,
        /// The new file, its whole path.
        out: String,
    },
    /// A link for the first account, while the unit is being set up; for whoever has the machine.
    DeskLink {},
    /// Past sessions of another system.
    Import(Box<Import>),
    /// The key of a kind and a day.
    Key {
        /// The kind.
        kind: String,
        /// The UTC+8 day.
        day: String,
    },
    /// The configuration with its origins.
    Settings {},
    /// What changes of it would do.
    SettingsCheck {
        /// Path → value; null takes a change made here back.
        changes: BTreeMap<String, Option<String>>,
    },
    /// Changes it: the next start takes them in.
    SettingsChange {
        /// As above.
        changes: BTreeMap<String, Option<String>>,
        /// Why.
        reason: String,
        /// A confirmed approval of exactly these changes.
        #[serde(default)]
        approval: Option<String>,
    },
}

/// A part of an import.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Name of the import.
    pub name: String,
    /// Realm of its addresses.
    pub realm: String,
    /// Name of the file, for people.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal: one that was taken before is refused.
    pub digest: String,
    /// The sessions.
    pub sessions: Vec<Past>,
    /// The first part.
    pub first: bool,
    /// The last part.
    pub last: bool,
    /// Take the file though it was taken before.
    pub again: bool,
    /// Lines of the whole file that were taken; told with the last part.
    #[serde(default)]
    pub taken: u64,
    /// Lines of it that were left out; told with the last part.
    #[serde(default)]
    pub skipped: u64,
}

fn operate() -> String {
    "operate".to_owned()
}

fn limit() -> usize {
    crate::limits::RECORDS_DEFAULT
}

/// A request: its id, and what is asked or why that is not understood.
pub struct Request {
    /// Comes back with the answer.
    pub id: Value,
    /// What is asked.
    pub op: Result<Op, Failure>,
}

impl Request {
    /// Reads a line.
    pub fn read(line: &[u8]) -> Request {
        let bad = |why: &str| Failure::usage(format!("the request is not understood: {why}"), "use the command of the same version");
        let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(line) else {
            return Request { id: Value::Null, op: Err(bad("it is not a JSON object")) };
        };
        let id = fields.remove("id").filter(|id| id.to_string().len() <= WORD_BYTES).unwrap_or(Value::Null);
        // A fraction may not come back digit by digit, and whoever waits for its answer would not know it again.
        if !(id.is_null() || id.is_string() || id.is_i64() || id.is_u64()) {
            return Request { id: Value::Null, op: Err(bad("its id is neither a text nor a whole number")) };
        }
        // The reader's own words may repeat a value, and a value may be an address: only its kind of complaint is passed on.
        let op = serde_json::from_value::<Op>(Value::Object(fields)).map_err(|e| {
            let text = e.to_string();
            let known = ["unknown variant", "unknown field", "missing field"].iter().find(|k| text.starts_with(**k));
            bad(if known.is_some() { &text } else { "a field has the wrong shape" })
        });
        Request { id, op: op.and_then(Op::check) }
    }
}

impl Op {
    /// The one capability each operation needs: the table of the socket. `desk-link` is for whoever has the machine instead: see [`Op::by_machine`].
    pub fn needs(&self) -> Capability {
        match self {
            Op::Lookup { .. } | Op::BatchBegin(_) | Op::Batch { .. } => Capability::LookupAsk,
            Op::Seal {} => Capability::SealNow,
            Op::Sources {} => Capability::SourcesRead,
            Op::Measures {} | Op::Health {} => Capability::OverviewRead,
            // Who asked what is no record like the others.
            Op::Records { kind, .. } if kind.parse() == Ok(Kind::Question) => Capability::LedgerRead,
            Op::Records { .. } | Op::Unrecognised { .. } => Capability::RecordsRead,
            Op::DeskLink {} => Capability::AccountsChange,
            Op::Sql { .. } => Capability::SqlRun,
            Op::Export { .. } => Capability::RecordsExport,
            Op::Import(_) => Capability::ImportRun,
            Op::Key { .. } => Capability::KeyShow,
            Op::Settings {} => Capability::SettingsRead,
            Op::SettingsCheck { .. } | Op::SettingsChange { .. } => Capability::SettingsChange,
        }
    }

    /// Is for whoever has the machine, whatever their roles.
    pub fn by_machine(&self) -> bool {
        matches!(self, Op::DeskLink {})
    }

    fn check(self) -> Result<Op, Failure> {
        if let Op::Lookup { purpose, .. } | Op::BatchBegin(Announced { purpose, .. }) = &self
            && !["operate", "security-event", "drill"].contains(&purpose.as_str())
        {
            return Err(Failure::usage("the purpose is not known", "write operate, security-event or drill"));
        }
        Ok(self)
    }
}

/// Writes an answer that is a list, as a line; its members are JSON already, and gone one by one as they are written.
///
/// # Errors
/// What writing gives.
pub fn write_list(out: &mut dyn Write, id: &Value, members: Vec<String>) -> io::Result<()> {
    write!(out, "{{\"id\":{id},\"ok\":[")?;
    for (i, member) in members.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        out.write_all(member.as_bytes())?;
    }
    out.write_all(b"]}\n")
}

/// An answer as a line.
pub fn reply(id: &Value, answer: &Result<Value, Failure>) -> String {
    let value = match answer {
        Ok(ok) => json!({ "id": id, "ok": ok }),
        Err(f) => json!({ "id": id, "error": { "what": f.what, "todo": f.todo, "code": f.code } }),
    };
    format!("{value}\n")
}

#[cfg(test)]
mod tests {
    use weir_identity::desk::roles::{TABLE, socket_capabilities};

    use super::*;

    /// A request of every operation, and what it needs.
    const OPERATIONS: &[(&str, &str)] = &[
        (r#"{"op":"lookup","question":{"public":"198.18.0.1:9","at":"x"}}"#, "lookup.ask"),
        (r#"{"op":"batch-begin","digest":"","rows":1,"purpose":"operate","skew":"2s"}"#, "lookup.ask"),
        (r#"{"op":"batch","batch":"","text":""}"#, "lookup.ask"),
        (r#"{"op":"seal"}"#, "seal.now"),
        (r#"{"op":"sources"}"#, "sources.read"),
        (r#"{"op":"measures"}"#, "overview.read"),
        (r#"{"op":"health"}"#, "overview.read"),
        (r#"{"op":"records","kind":"gap"}"#, "records.read"),
        (r#"{"op":"records","kind":"question"}"#, "ledger.read"),
        (r#"{"op":"unrecognised"}"#, "records.read"),
        (r#"{"op":"desk-link"}"#, "accounts.change"),
        (r#"{"op":"sql","statement":"SELECT 1"}"#, "sql.run"),
        (r#"{"op":"export","kind":"gap","out":"/x"}"#, "records.export"),
        (
            r#"{"op":"import","name":"a","realm":"b","file":"c","digest":"","sessions":[],"first":true,"last":true,"again":false}"#,
            "import.run",
        ),
        (r#"{"op":"key","kind":"gap","day":"2026-11-22"}"#, "key.show"),
        (r#"{"op":"settings"}"#, "settings.read"),
        (r#"{"op":"settings-check","changes":{}}"#, "settings.change"),
        (r#"{"op":"settings-change","changes":{},"reason":"x"}"#, "settings.change"),
    ];

    #[test]
    fn every_operation_names_its_capability() {
        // The reader's own list of operations: one that is not in the table above fails here.
        let told = serde_json::from_str::<Op>(r#"{"op":"?"}"#).unwrap_err().to_string();
        let mut known: Vec<&str> = told.split('`').skip(3).step_by(2).collect();
        let mut listed = Vec::new();
        for (request, capability) in OPERATIONS {
            let op = Request::read(request.as_bytes()).op.unwrap_or_else(|f| panic!("{request}: {f}"));
            assert_eq!(op.needs().name(), *capability, "{request}");
            listed.push(request.split('"').nth(3).unwrap());
        }
        known.sort_unstable();
        listed.sort_unstable();
        listed.dedup();
        assert_eq!(listed, known);
    }

    #[test]
    fn every_role_may_do_over_the_socket_what_the_table_says_and_no_more() {
        use crate::socket::access::Who;
        for line in TABLE {
            let who = Who { uid: 7, may: Some(socket_capabilities(&[line.role])), machine: false };
            for (request, _) in OPERATIONS {
                let op = Request::read(request.as_bytes()).op.unwrap();
                assert_eq!(who.needs(op.needs()).is_ok(), line.may.contains(&op.needs()), "{} {request}", line.name);
                assert!(Who { uid: 7, may: None, machine: false }.needs(op.needs()).is_err());
            }
        }
    }

    #[test]
    fn requests_are_read_and_bad_ones_keep_their_id() {
        let good = Request::read(br#"{"id":7,"op":"lookup","question":{"public":"198.18.0.1:9","at":"x"},"purpose":"drill"}"#);
        assert!(matches!(good.op, Ok(Op::Lookup { question: Some(_), explain: false, .. })));
        assert_eq!(good.id, json!(7));
        assert!(matches!(Request::read(br#"{"op":"health"}"#).op, Ok(Op::Health {})));
        for (line, id) in [
            (&br#"{"id":1,"op":"dance"}"#[..], json!(1)),
            (br#"{"id":"a","op":"lookup","purpose":"curiosity"}"#, json!("a")),
            (br#"{"id":2,"op":"records"}"#, json!(2)),
            (br#"{"id":77700000000000000639008828.34,"op":"health"}"#, Value::Null),
            (br#"{"id":[7],"op":"health"}"#, Value::Null),
            (br#"{"id":3,"op":"seal","now":true}"#, json!(3)),
            (br#"{"id":4,"op":"records","kind":["203.0.113.7"]}"#, json!(4)),
            (br#"[1]"#, Value::Null),
            (b"\xff", Value::Null),
            (b"", Value::Null),
        ] {
            let request = Request::read(line);
            let failure = request.op.unwrap_err();
            assert_eq!((request.id, failure.code), (id, crate::fail::USAGE));
            assert!(!failure.what.contains("203.0.113.7"), "{failure}");
        }
        let line = reply(&json!(3), &Err(Failure::new("a", "b")));
        assert_eq!(line, "{\"error\":{\"code\":1,\"todo\":\"b\",\"what\":\"a\"},\"id\":3}\n");
    }
}
