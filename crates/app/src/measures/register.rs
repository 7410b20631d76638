//! The measures that run: each with its own threads, so that one that fails stops alone.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use serde_json::{Value, json};
use weir_base::clock::Clock;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_measure::{Context, Health, HealthCell, Measure, State, check, clause};
use weir_record::kinds::OperatorAction;
use weir_record::sink::{RecordSink, SubjectIds};
use weir_store::engine::{Health as StoreHealth, SourceInfo};

use crate::fail::Failure;
use crate::ports::Ports;

/// A measure that listens somewhere.
pub trait Listens {
    /// Adds where it listens, with the ports the kernel chose.
    fn ports(&self, ports: &mut Ports);
}

/// A measure of this program.
pub trait Registered: Measure + Listens {}

impl<T: Measure + Listens> Registered for T {}

/// How a measure is when it knows its own context.
pub fn health_of(context: Option<&Context>) -> Health {
    let never = || Health { state: State::Stopped, since: Millis(0), why: "not started".to_owned() };
    context.map_or_else(never, |c| c.health.get())
}

struct Entry {
    measure: Box<dyn Registered>,
    context: Context,
}

/// All measures.
#[derive(Default)]
pub struct Register {
    entries: Vec<Entry>,
}

impl Register {
    /// Starts the measures one after the other. `told` hears of every change of their state.
    pub fn start(
        measures: Vec<Box<dyn Registered>>,
        sink: &Arc<dyn RecordSink>,
        ids: &Arc<dyn SubjectIds>,
        clock: &Arc<dyn Clock>,
        data: &Path,
        told: &Sender<OperatorAction>,
    ) -> Result<Register, Failure> {
        let described: Vec<_> = measures.iter().map(|m| m.describe()).collect();
        if let Some(problem) = check(&described).first() {
            return Err(Failure::sentence(problem));
        }
        let mut register = Register::default();
        for measure in measures {
            let context = context(measure.describe().name, sink, ids, clock, data, told);
            if let Err(e) = measure.start(&context) {
                register.stop();
                context.tasks.stop().raise();
                context.tasks.join();
                return Err(Failure::sentence(e));
            }
            register.entries.push(Entry { measure, context });
        }
        Ok(register)
    }

    /// Where everything listens.
    pub fn ports(&self) -> Ports {
        let mut ports = Ports { pid: std::process::id(), ..Ports::default() };
        self.entries.iter().for_each(|e| e.measure.ports(&mut ports));
        ports
    }

    /// Looks at what each measure's sources say, and at the store: what is not well makes a measure degraded.
    pub fn watch(&self, store: &StoreHealth, sources: &[SourceInfo], now: Millis) {
        for entry in &self.entries {
            if entry.context.health.get().state == State::Stopped {
                continue;
            }
            let name = entry.measure.describe().name;
            let own = |s: &&SourceInfo| s.kind == name || (name == "ipfix" && s.kind == "netflow9");
            let troubled = sources.iter().filter(own).find_map(|s| Some(format!("{}: {}", s.name, s.counters.trouble.as_ref()?)));
            let (state, why) = if store.full {
                (State::Degraded, "the disk is full: nothing is taken in until there is room".to_owned())
            } else {
                troubled.map_or((State::Running, "takes records in".to_owned()), |t| (State::Degraded, t))
            };
            entry.context.health.set(state, &why, now);
        }
    }

    /// Every measure, with how it is now.
    pub fn each(&self) -> impl Iterator<Item = (weir_measure::Description, Health)> + '_ {
        self.entries.iter().map(|e| (e.measure.describe(), e.context.health.get()))
    }

    /// Every measure for a person or a program.
    pub fn shown(&self) -> Vec<Value> {
        let clause_of = |id: &&str| json!({ "id": id, "zh": clause(id).map(|c| c.zh), "en": clause(id).map(|c| c.en) });
        let one = |e: &Entry| {
            let (d, h) = (e.measure.describe(), e.context.health.get());
            json!({
                "name": d.name, "title": d.title.en, "title_zh": d.title.zh,
                "state": h.state.name(), "since": h.since.to_rfc3339(), "why": h.why,
                "obligations": d.obligations.iter().map(clause_of).collect::<Vec<_>>(),
                "kinds": d.kinds.iter().map(|k| k.name()).collect::<Vec<_>>(),
                "holds": d.holds.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "last_drill": Value::Null,
            })
        };
        self.entries.iter().map(one).collect()
    }

    /// Stops all of them, the last one first.
    pub fn stop(&self) {
        self.entries.iter().rev().for_each(|e| e.measure.stop());
    }
}

fn context(
    name: &'static str,
    sink: &Arc<dyn RecordSink>,
    ids: &Arc<dyn SubjectIds>,
    clock: &Arc<dyn Clock>,
    data: &Path,
    told: &Sender<OperatorAction>,
) -> Context {
    let told = told.clone();
    // The record is written by another thread: the one that ends must not wait for the store.
    let on_change = Box::new(move |change: &weir_measure::Change| drop(told.send(change.action())));
    let health = Arc::new(HealthCell::new(name, clock.now(), on_change));
    let (stop, own, at) = (Stop::new(), Arc::clone(&health), Arc::clone(clock));
    let rest = stop.clone();
    let tasks = Tasks::new(stop, move |ended| {
        if own.ended(ended, at.now()) {
            // The rest of this measure stops too; the store and the other measures go on.
            rest.raise();
        }
    });
    let folder = data.join("measures").join(name);
    Context { sink: Arc::clone(sink), ids: Arc::clone(ids), clock: Arc::clone(clock), tasks: Arc::new(tasks), health, folder }
}
