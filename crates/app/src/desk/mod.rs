//! The program's side of the desk: what `weir-web` asks for, answered from the store, the register of measures and the configuration. How people sign
//! in is not known here; who asks comes with every call and goes into the ledger.

mod asking;
mod guides;
mod metrics;
mod overview;
pub mod paste;
#[cfg(test)]
mod paste_fuzz;
mod problem;
mod questions;
pub mod samples;
pub mod settings;
mod sources;
pub mod start;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLockReadGuard};

use weir_base::task::lock;
use weir_base::time::Millis;
use weir_web::backend::{Backend, Caller, Outcome, Part};
use weir_web::model::ledger::{Ledger, LedgerQuery, Opened};
use weir_web::model::lookup::{Answers, Ask, Paste, Read};
use weir_web::model::overview::{GapState, Overview, Series};
use weir_web::model::record::{Export, KindShape, OpenText, Records, RecordsQuery, Table, Text};
use weir_web::model::session::Unit;
use weir_web::model::setting::{Checked, Difference, Settings};
use weir_web::model::source::{Guide, Malformed, Source};

use crate::ask::DEMO_ORIGIN;
use crate::fail::{Failure, USAGE};
use crate::ledger;
use crate::limits::DESK_GAPS_MS;
use crate::measures::Register;
use crate::ports::Ports;
use crate::socket::ops::Service;
use crate::views;

use samples::Samples;
use settings::Changes;

/// What the desk sees of the program.
pub struct Office {
    service: Arc<Service>,
    /// Its folder.
    data: PathBuf,
    /// What the unit is under the law.
    kinds: Vec<&'static str>,
    /// Where it listens.
    ports: Ports,
    /// Since when it runs.
    started: Millis,
    samples: Mutex<Samples>,
    gaps: Mutex<Option<(Millis, Vec<GapState>)>>,
}

impl Office {
    /// Of a running program.
    pub fn new(service: &Arc<Service>, data: &std::path::Path, kinds: Vec<&'static str>, ports: &Ports) -> Office {
        Office {
            service: Arc::clone(service),
            data: data.to_owned(),
            kinds,
            ports: ports.clone(),
            started: service.clock.now(),
            samples: Mutex::default(),
            gaps: Mutex::default(),
        }
    }

    /// Looks at the counters when it is time to: called again and again.
    pub fn sample(&self, now: Millis) {
        let store = &self.service.store;
        lock(&self.samples).take(now, || store.sources(), store.health().sealed_rows);
    }

    fn register(&self) -> RwLockReadGuard<'_, Register> {
        self.service.measures.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest gaps; read anew when the last list is old.
    fn gaps(&self, sources: &[weir_store::engine::SourceInfo], now: Millis) -> Vec<GapState> {
        let mut kept = lock(&self.gaps);
        match kept.as_ref().filter(|(at, _)| (0..DESK_GAPS_MS).contains(&now.since(*at))) {
            Some((_, list)) => list.clone(),
            None => {
                let list = overview::gaps(&self.service.store, sources);
                *kept = Some((now, list.clone()));
                list
            }
        }
    }
}

impl Backend for Office {
    fn unit(&self) -> Unit {
        let origin = self.service.origin.clone();
        Unit { demo: origin == DEMO_ORIGIN, origin, kinds: self.kinds.iter().map(|k| (*k).to_owned()).collect() }
    }

    fn overview(&self) -> Outcome<Overview> {
        let (store, now) = (&self.service.store, self.service.clock.now());
        let (health, sources) = (store.health(), store.sources());
        let register = self.register();
        // What waits is told where it can be read; the page stands without it.
        let pending = self.service.layers.pending().map_or(0, |p| p.len());
        Ok(Overview {
            now: now.to_rfc3339(),
            since: self.started.to_rfc3339(),
            store: overview::store(&health, &self.data),
            measures: overview::measures(&register),
            gaps: self.gaps(&sources, now),
            notices: overview::notices(&health, &register, &sources, pending, self.started, now),
        })
    }

    fn series(&self, minutes: u32) -> Outcome<Series> {
        if !(5..=1_440).contains(&minutes) {
            return Err(problem::field("minutes", "the minutes are out of range", "write 5 to 1440"));
        }
        Ok(lock(&self.samples).series(minutes))
    }

    fn read(&self, paste: &Paste) -> Outcome<Read> {
        paste::read(&paste.text, &paste.zone, self.service.clock.now()).map_err(|what| {
            let (what, todo) = what.split_once(": ").map_or((what.as_str(), "paste other lines"), |both| both);
            problem::field(if what.contains("zone") { "zone" } else { "text" }, what, todo)
        })
    }

    fn ask(&self, caller: &Caller, ask: &Ask) -> Outcome<Answers> {
        asking::ask(&self.service, caller, ask)
    }

    fn kinds(&self, caller: &Caller) -> Vec<KindShape> {
        asking::kinds(caller.ledger)
    }

    fn records(&self, caller: &Caller, query: &RecordsQuery) -> Outcome<Records> {
        asking::records(&self.service, caller, query)
    }

    fn text_open(&self, caller: &Caller, id: &str, open: &OpenText) -> Outcome<Text> {
        text::open(&self.service, caller, id, open)
    }

    fn export_begin(&self, caller: &Caller, export: &Export) -> Outcome<()> {
        asking::export_begin(&self.service, caller, export)
    }

    fn export(&self, caller: &Caller, export: &Export, part: &mut Part<'_>) -> Outcome<u64> {
        asking::export(&self.service, caller, export, part)
    }

    fn sql(&self, caller: &Caller, statement: &str, gone: &dyn Fn() -> bool) -> Outcome<Table> {
        asking::sql(&self.service, caller, statement, gone)
    }

    fn sources(&self) -> Outcome<Vec<Source>> {
        let (all, reach, now) = (self.service.store.sources(), self.service.front.reach(), self.service.clock.now());
        Ok(sources::list(&all, &reach, &lock(&self.samples), self.started, now))
    }

    fn malformed(&self, caller: &Caller, source: u32) -> Outcome<Vec<Malformed>> {
        if !self.service.store.sources().iter().any(|s| s.number == source) {
            return Err(problem::not_found("there is no such source", "look at the list of sources again"));
        }
        let found = sources::malformed(&self.service.store, source);
        let count = found.as_ref().ok().map(|list| list.len() as u64);
        let target = format!("malformed of source {source}");
        asking::commit(&self.service, &[views::asked(self.service.clock.now(), &caller.actor, "records", &target, count)])?;
        found.map_err(|f| problem::of(&f))
    }

    fn guides(&self) -> Vec<Guide> {
        guides::list(&self.ports)
    }

    fn ledger(&self, caller: &Caller, query: &LedgerQuery) -> Outcome<Ledger> {
        questions::list(&self.service, caller, query)
    }

    fn ledger_open(&self, caller: &Caller, id: &str, reason: &str) -> Outcome<Opened> {
        questions::open(&self.service, caller, id, reason)
    }

    fn settings(&self) -> Outcome<Settings> {
        self.service.layers.settings().map_err(|f| problem::of(&f))
    }

    fn settings_check(&self, changes: &Changes) -> Outcome<Checked> {
        self.service.layers.check(changes).map_err(|f| problem::of(&f))
    }

    fn settings_change(&self, caller: &Caller, changes: &BTreeMap<String, Option<String>>, reason: &str) -> Outcome<Vec<Difference>> {
        self.service.layers.change(&self.service, &caller.actor, changes, reason).map_err(|f| match f.code {
            USAGE => problem::conflict(&f),
            _ => problem::unavailable(&f),
        })
    }

    fn seal(&self, caller: &Caller) -> Outcome<()> {
        self.service.seal(&caller.actor, self.service.clock.now()).map(drop).map_err(|f| problem::unavailable(&f))
    }

    fn metrics(&self) -> String {
        let (health, sources) = (self.service.store.health(), self.service.store.sources());
        let register = self.register();
        let free_bytes = overview::free_bytes(&self.data);
        metrics::text(&metrics::Facts { health: &health, sources: &sources, register: &register, free_bytes, started: self.started })
    }

    fn ready(&self) -> Result<(), String> {
        let health = self.service.store.health();
        match health.trouble {
            _ if health.full => Err("the disk is full: make room".to_owned()),
            Some(trouble) => Err(trouble),
            None => Ok(()),
        }
    }
}

/// What the recorder is told when the desk ends by a fault: records go on without it.
fn ended(now: Millis, what: &Failure) -> weir_record::kinds::OperatorAction {
    ledger::action(now, "weir", "desk-stopped", what.what.clone(), "failed")
}
