//! What the program gives to the desk: the desk knows no store. Every call that shows records takes the [`Caller`] and is durable in the
//! ledger before it returns.

use std::collections::BTreeMap;

use crate::model::ledger::{Ledger, LedgerQuery, Opened};
use crate::model::lookup::{Answers, Ask, Paste, Read};
use crate::model::overview::{Overview, Series};
use crate::model::problem::Problem;
use crate::model::record::{Export, KindShape, OpenText, Records, RecordsQuery, Table, Text};
use crate::model::session::Unit;
use crate::model::setting::{Checked, Difference, Settings};
use crate::model::source::{Guide, Malformed, Source};

/// Who asks, as the ledger names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `account:ID`, or `token:ID` for one of its tokens.
    pub actor: String,
    /// May read the ledger: other views of it are closed to whoever may not.
    pub ledger: bool,
}

/// What a call gives, or why not.
pub type Outcome<T> = Result<T, Box<Problem>>;

/// Takes the parts of a streaming export; `false` when nobody reads any more.
pub type Part<'a> = dyn FnMut(&[u8]) -> bool + Send + 'a;

/// The program, as the desk sees it. Calls may block: they are made from threads, never from the sockets' one.
pub trait Backend: Send + Sync {
    /// The unit.
    fn unit(&self) -> Unit;
    /// Is everything all right?
    fn overview(&self) -> Outcome<Overview>;
    /// Rates and losses of the last minutes, 5 to 1,440.
    fn series(&self, minutes: u32) -> Outcome<Series>;
    /// Reads what people paste. Nothing of it is asked.
    fn read(&self, paste: &Paste) -> Outcome<Read>;
    /// Answers questions.
    fn ask(&self, caller: &Caller, ask: &Ask) -> Outcome<Answers>;
    /// Kinds that have a view.
    fn kinds(&self, caller: &Caller) -> Vec<KindShape>;
    /// Rows through the masking view, newest first.
    fn records(&self, caller: &Caller, query: &RecordsQuery) -> Outcome<Records>;
    /// A log line as it came.
    fn text_open(&self, caller: &Caller, id: &str, open: &OpenText) -> Outcome<Text>;
    /// Checks an export and writes its begin into the ledger; what follows is [`Backend::export`].
    fn export_begin(&self, caller: &Caller, export: &Export) -> Outcome<()>;
    /// Streams an export; writes its end into the ledger, with the rows that went out.
    fn export(&self, caller: &Caller, export: &Export, part: &mut Part<'_>) -> Outcome<u64>;
    /// A statement over the masking views; its begin is in the ledger before anything is read, and its end too. `gone` says that nobody waits for it
    /// any more.
    fn sql(&self, caller: &Caller, statement: &str, gone: &dyn Fn() -> bool) -> Outcome<Table>;
    /// The sources.
    fn sources(&self) -> Outcome<Vec<Source>>;
    /// The newest inputs of a source that were not understood, at most 100.
    fn malformed(&self, caller: &Caller, source: u32) -> Outcome<Vec<Malformed>>;
    /// How to point devices here.
    fn guides(&self) -> Vec<Guide>;
    /// Entries of the ledger. Reading it is an entry too.
    fn ledger(&self, caller: &Caller, query: &LedgerQuery) -> Outcome<Ledger>;
    /// What one entry asked.
    fn ledger_open(&self, caller: &Caller, id: &str, reason: &str) -> Outcome<Opened>;
    /// The configuration.
    fn settings(&self) -> Outcome<Settings>;
    /// What changes would do.
    fn settings_check(&self, changes: &BTreeMap<String, Option<String>>) -> Outcome<Checked>;
    /// Makes changes: the next start takes them in.
    fn settings_change(&self, caller: &Caller, changes: &BTreeMap<String, Option<String>>, reason: &str) -> Outcome<Vec<Difference>>;
    /// Seals what waits.
    fn seal(&self, caller: &Caller) -> Outcome<()>;
    /// Text of Prometheus metrics. No account, address or name of a person is in it.
    fn metrics(&self) -> String;
    /// Takes records in and can answer: `Ok`, or why not.
    fn ready(&self) -> Result<(), String>;
}
