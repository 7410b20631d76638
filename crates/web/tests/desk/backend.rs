//! A program for the desk to stand before: it answers shortly and writes down what it was asked.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};

use weir_base::task::lock;
use weir_web::backend::{Backend, Caller, Outcome, Part};
use weir_web::model::ledger::{Ledger, LedgerQuery, Opened};
use weir_web::model::lookup::{Answers, Ask, Paste, Read};
use weir_web::model::overview::{Overview, Series, StoreState};
use weir_web::model::record::{Export, KindShape, OpenText, Records, RecordsQuery, Table, Text};
use weir_web::model::session::Unit;
use weir_web::model::setting::{Checked, Difference, Settings};
use weir_web::model::source::{Guide, Malformed, Source};

/// A name that must show up in no log and no metric.
pub const PERSON: &str = "zhang.wei";

/// The program.
#[derive(Default)]
pub struct Program {
    /// What was asked, by whom.
    pub asked: Mutex<Vec<(&'static str, String)>>,
    /// Rows of ended exports.
    pub exported: Mutex<Vec<u64>>,
    /// Held calls wait while this is true.
    pub hold: (Mutex<bool>, Condvar),
}

impl Program {
    fn note(&self, what: &'static str, caller: Option<&Caller>) {
        lock(&self.asked).push((what, caller.map(|c| c.actor.clone()).unwrap_or_default()));
    }

    /// Lets held calls go.
    pub fn release(&self) {
        *lock(&self.hold.0) = false;
        self.hold.1.notify_all();
    }
}

/// Bytes of a row of an export.
pub const ROW: usize = 16 * 1024;

impl Backend for Program {
    fn unit(&self) -> Unit {
        Unit { origin: "test.example".into(), kinds: vec!["access".into()], demo: true }
    }

    fn overview(&self) -> Outcome<Overview> {
        self.note("overview", None);
        let held = lock(&self.hold.0);
        let _held = self.hold.1.wait_while(held, |hold| *hold);
        let store = StoreState {
            full: false,
            waiting_rows: 0,
            last_sealed: None,
            log_size: 0,
            open_mappings: 0,
            open_sessions: 0,
            wal_bytes: 0,
            free_bytes: 0,
            trouble: None,
        };
        Ok(Overview { now: String::new(), since: String::new(), store, measures: vec![], gaps: vec![], notices: vec![] })
    }

    fn series(&self, minutes: u32) -> Outcome<Series> {
        self.note("series", None);
        Ok(Series { times: vec![minutes.to_string()], step_seconds: 60, lines: vec![], sealed: vec![] })
    }

    fn read(&self, _: &Paste) -> Outcome<Read> {
        self.note("read", None);
        Ok(Read { lines: vec![] })
    }

    fn ask(&self, caller: &Caller, _: &Ask) -> Outcome<Answers> {
        self.note("ask", Some(caller));
        Ok(Answers { answers: vec![] })
    }

    fn kinds(&self, _: &Caller) -> Vec<KindShape> {
        self.note("kinds", None);
        vec![]
    }

    fn records(&self, caller: &Caller, _: &RecordsQuery) -> Outcome<Records> {
        self.note("records", Some(caller));
        Ok(Records { columns: vec![], rows: vec![], more: false })
    }

    fn text_open(&self, caller: &Caller, _: &str, _: &OpenText) -> Outcome<Text> {
        self.note("text_open", Some(caller));
        Ok(Text { text: PERSON.into() })
    }

    fn export_begin(&self, caller: &Caller, _: &Export) -> Outcome<()> {
        self.note("export_begin", Some(caller));
        Ok(())
    }

    fn export(&self, caller: &Caller, export: &Export, part: &mut Part<'_>) -> Outcome<u64> {
        self.note("export", Some(caller));
        // Rows without an end for who asks for `nat_event`, ten of them otherwise.
        let most = if export.kind == "nat_event" { u64::MAX } else { 10 };
        let (row, mut rows) = (vec![b'x'; ROW], 0);
        while rows < most && part(&row) {
            rows += 1;
        }
        lock(&self.exported).push(rows);
        Ok(rows)
    }

    fn sql(&self, caller: &Caller, _: &str, _: &dyn Fn() -> bool) -> Outcome<Table> {
        self.note("sql", Some(caller));
        Ok(Table { columns: vec![], rows: vec![], cut: false })
    }

    fn sources(&self) -> Outcome<Vec<Source>> {
        self.note("sources", None);
        Ok(vec![])
    }

    fn malformed(&self, caller: &Caller, _: u32) -> Outcome<Vec<Malformed>> {
        self.note("malformed", Some(caller));
        Ok(vec![])
    }

    fn guides(&self) -> Vec<Guide> {
        self.note("guides", None);
        vec![]
    }

    fn ledger(&self, caller: &Caller, _: &LedgerQuery) -> Outcome<Ledger> {
        self.note("ledger", Some(caller));
        Ok(Ledger { entries: vec![], more: false })
    }

    fn ledger_open(&self, caller: &Caller, _: &str, _: &str) -> Outcome<Opened> {
        self.note("ledger_open", Some(caller));
        Ok(Opened { target: PERSON.into() })
    }

    fn settings(&self) -> Outcome<Settings> {
        self.note("settings", None);
        Ok(Settings { values: vec![], pending: vec![] })
    }

    fn settings_check(&self, changes: &BTreeMap<String, Option<String>>) -> Outcome<Checked> {
        self.note("settings_check", None);
        Ok(Checked { differences: vec![], problems: vec![], two_persons: changes.contains_key("two") })
    }

    fn settings_change(&self, caller: &Caller, _: &BTreeMap<String, Option<String>>, _: &str) -> Outcome<Vec<Difference>> {
        self.note("settings_change", Some(caller));
        Ok(vec![])
    }

    fn seal(&self, caller: &Caller) -> Outcome<()> {
        self.note("seal", Some(caller));
        Ok(())
    }

    fn metrics(&self) -> String {
        "# TYPE weir_records_total counter\nweir_records_total 7".into()
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
