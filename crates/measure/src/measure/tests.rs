use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use weir_base::clock::SystemClock;
use weir_base::task::{Stop, lock};
use weir_base::time::Millis;
use weir_record::Id;
use weir_record::Kind;
use weir_record::kinds::IdType;
use weir_record::sink::{Done, Group, Receipt, Resolved, SinkError, SourceDesc, SourceHandle};

use super::*;
use crate::describe::Title;
use crate::drill::DrillOutcome;
use crate::health::State;

/// A small measure: its thread takes numbers in and keeps them; `u64::MAX` makes it panic.
#[derive(Default)]
struct Counter {
    running: Mutex<Option<(Context, Sender<u64>)>>,
    kept: Arc<Mutex<Vec<u64>>>,
}

impl Measure for Counter {
    fn describe(&self) -> Description {
        let title = Title { en: "Counter", zh: "计数" };
        Description { name: "counter", title, obligations: &["8.3"], kinds: &[Kind::OperatorAction], holds: Vec::new() }
    }

    fn start(&self, context: &Context) -> Result<(), StartError> {
        let (tx, rx): (_, Receiver<u64>) = channel();
        let kept = Arc::clone(&self.kept);
        let body = move |_: &Stop| {
            for n in rx {
                assert_ne!(n, u64::MAX, "told to");
                lock(&kept).push(n);
            }
        };
        context.tasks.spawn("counter", body).map_err(|e| StartError(e.to_string()))?;
        context.health.set(State::Running, "", context.clock.now());
        *lock(&self.running) = Some((context.clone(), tx));
        Ok(())
    }

    fn health(&self) -> Health {
        let stopped = || Health { state: State::Stopped, since: Millis(0), why: "not started yet".into() };
        lock(&self.running).as_ref().map_or_else(stopped, |(context, _)| context.health.get())
    }

    fn drill(&self, context: &DrillContext) -> DrillResult {
        let mut drill = DrillResult::begin(context.clock.now());
        let sent = lock(&self.running).as_ref().is_some_and(|(_, tx)| tx.send(context.nonce.iter().map(|b| u64::from(*b)).sum()).is_ok());
        let outcome = if sent { DrillOutcome::Passed } else { DrillOutcome::NotDone };
        drill.step("a number is handed in", outcome, context.clock.now());
        drill
    }

    fn stop(&self) {
        let Some((context, tx)) = lock(&self.running).take() else { return };
        drop(tx);
        context.tasks.stop().raise();
        context.tasks.join();
        context.health.set(State::Stopped, "the program is stopping", context.clock.now());
    }
}

struct Nothing;

impl RecordSink for Nothing {
    fn register(&self, _: &SourceDesc) -> Result<SourceHandle, SinkError> {
        Err(SinkError::Stopped)
    }
    fn realm(&self, _: &str) -> Result<u32, SinkError> {
        Err(SinkError::Stopped)
    }
    fn state(&self, _: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }
    fn submit(&self, _: Group, done: Done) {
        done(Ok(Receipt { group: 0 }));
    }
    fn try_submit(&self, group: Group, done: Done) {
        self.submit(group, done);
    }
}

impl SubjectIds for Nothing {
    fn resolve(&self, _: u32, _: IdType, _: &str, _: Millis) -> Resolved {
        Resolved { id: Id::default(), binding: None }
    }
    fn digest(&self, _: u32, _: &[u8]) -> Id {
        Id::default()
    }
}

#[test]
fn a_measure_behind_the_trait_lives_drills_panics_and_stops() {
    let measure: Box<dyn Measure> = Box::new(Counter::default());
    assert_eq!(crate::check(&[measure.describe()]), []);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let drill = || measure.drill(&DrillContext::new(Arc::clone(&clock), Stop::new()));
    assert_eq!(drill().outcome(), DrillOutcome::NotDone);

    let (states, changed) = channel();
    let health = Arc::new(HealthCell::new("counter", clock.now(), Box::new(move |c| states.send(c.now.state).unwrap())));
    let (cell, time) = (Arc::clone(&health), Arc::clone(&clock));
    let tasks = Arc::new(Tasks::new(Stop::new(), move |ended| {
        cell.ended(ended, time.now());
    }));
    let (sink, ids) = (Arc::new(Nothing), Arc::new(Nothing));
    let context = Context { sink, ids, clock: Arc::clone(&clock), tasks, health, folder: PathBuf::new() };
    measure.start(&context).unwrap();
    let next = || changed.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(next(), State::Running);
    assert_eq!(drill().outcome(), DrillOutcome::Passed);
    measure.stop();
    measure.stop();
    assert_eq!(next(), State::Stopped);
    assert_eq!(drill().outcome(), DrillOutcome::NotDone);
}

#[test]
fn a_panic_in_a_measures_thread_is_its_health() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (states, changed) = channel();
    let health = Arc::new(HealthCell::new("counter", clock.now(), Box::new(move |c| states.send(c.now.state).unwrap())));
    let (cell, time) = (Arc::clone(&health), Arc::clone(&clock));
    let tasks = Arc::new(Tasks::new(Stop::new(), move |ended| {
        cell.ended(ended, time.now());
    }));
    let counter = Counter::default();
    let context = Context { sink: Arc::new(Nothing), ids: Arc::new(Nothing), clock, tasks, health, folder: PathBuf::new() };
    counter.start(&context).unwrap();
    lock(&counter.running).as_ref().unwrap().1.send(u64::MAX).unwrap();
    let next = || changed.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!((next(), next()), (State::Running, State::Stopped));
    assert!(counter.health().why.contains("counter"));
}
