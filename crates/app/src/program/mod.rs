//! `weir run`: the running program, from its start to its stop.

mod banner;
pub mod changes;
mod recorder;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::sink::{RecordSink, SubjectIds};
use weir_store::engine::Store;

use crate::check_config::{conntrack_advice, kernel_advice, listed};
use crate::cli::RunArgs;
use crate::config::{self, Loaded};
use crate::fail::Failure;
use crate::limits::{HEALTH_LINE_MS, WATCH_MS};
use crate::measures::{self, Register};
use crate::open::{self, Opened};
use crate::ports::Ports;
use crate::socket::batch::Batches;
use crate::socket::ops::Service;
use crate::socket::server::Server;
use crate::view::Known;
use crate::{demo, ledger, side, signals};

use recorder::Recorder;

/// Runs the program until it is told to stop.
pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let stop = Stop::new();
    let loaded = load(args)?;
    let data = match (&args.data, args.demo) {
        (Some(data), _) => data.clone(),
        (None, true) => demo::folder()?,
        (None, false) => PathBuf::from("weir-data"),
    };
    if args.demo {
        demo::prepare(&data, args.fresh)?;
    }
    signals::raise_on_signal(&stop)?;
    let program = Program::start(&data, &loaded, &stop)?;
    let shown = if args.demo { demo::play(&program, &stop) } else { program.ready() };
    // What fails from here on still stops the program in order.
    let watched = shown.map(|show| program.watch(&stop, show));
    let stopped = program.stop();
    watched.and(stopped)
}

fn load(args: &RunArgs) -> Result<Loaded, Failure> {
    let loaded = if args.demo { config::parse(demo::CONFIG, &args.set) } else { config::load(args.config.as_deref(), &args.set) };
    loaded.map_err(|problems| {
        Failure::new(
            format!("the configuration has problems:\n{}", listed(&problems).trim_end()),
            "mend them; `weir check-config` looks again",
        )
    })
}

/// The running program.
pub struct Program {
    /// Its folder.
    pub data: PathBuf,
    /// What answers questions.
    pub service: Arc<Service>,
    /// Where it listens.
    pub ports: Ports,
    secrets: Vec<PathBuf>,
    notes: Vec<String>,
    recorder: Recorder,
    store_tasks: Tasks,
    socket_tasks: Tasks,
    broken: Arc<AtomicBool>,
    actor: String,
}

/// A thing to show each second while the program runs.
pub type Show = Box<dyn FnMut(&Store, Millis)>;

impl Program {
    /// Opens the folder and starts everything.
    pub fn start(data: &Path, loaded: &Loaded, stop: &Stop) -> Result<Program, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = &loaded.settings;
        let opened = open::open(data, &settings.origin, &settings.store, &clock, true)?;
        let data = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        let broken = Arc::new(AtomicBool::new(false));
        let (raise, flag) = (stop.clone(), Arc::clone(&broken));
        let store_tasks = Tasks::new(Stop::new(), move |ended| {
            if ended.panic.is_some() {
                // Without the store there is nothing to run for: end in order, and say so.
                flag.store(true, Ordering::SeqCst);
                raise.raise();
            }
        });
        opened
            .store
            .start(&store_tasks)
            .map_err(|e| Failure::new(format!("no thread for the store ({e})"), "raise the limit of threads"))?;
        let started = Program::go_on(&data, loaded, &opened, &clock, stop);
        match started {
            Ok(Parts { service, ports, secrets, notes, recorder, socket_tasks, actor }) => {
                Ok(Program { data, service, ports, secrets, notes, recorder, store_tasks, socket_tasks, broken, actor })
            }
            Err(failure) => {
                // What was taken in meanwhile is sealed, as at any other stop.
                let _ = opened.store.stop();
                store_tasks.stop().raise();
                store_tasks.join();
                Err(failure)
            }
        }
    }

    fn go_on(data: &Path, loaded: &Loaded, opened: &Opened, clock: &Arc<dyn Clock>, stop: &Stop) -> Result<Parts, Failure> {
        let (settings, now) = (&loaded.settings, clock.now());
        let actor = format!("uid:{}", rustix::process::getuid().as_raw());
        let sink: Arc<dyn RecordSink> = Arc::clone(&opened.front) as Arc<dyn RecordSink>;
        let ids: Arc<dyn SubjectIds> = Arc::clone(&opened.identity) as Arc<dyn SubjectIds>;
        let mut recorder = Recorder::new(Arc::clone(&sink));
        let mut notes = opened.report.notes.clone();
        opened.report.notes.iter().for_each(|note| recorder.add(ledger::action(now, "weir", "recover", note, "ok")));
        let taken = side::take_over(&opened.store, sink.as_ref(), opened.disk.as_ref())?;
        if taken != side::Taken::default() {
            let note =
                format!("{} questions asked off line are in the ledger now, {} entries could not be read", taken.questions, taken.damaged);
            recorder.add(ledger::action(now, "weir", "side-ledger", &note, if taken.damaged == 0 { "ok" } else { "damaged" }));
            notes.push(note);
        }
        let changed = changes::record(sink.as_ref(), &loaded.values, &actor, now)?;
        recorder.add(ledger::action(
            now,
            &actor,
            "start",
            format!("version {}, {changed} settings changed", env!("CARGO_PKG_VERSION")),
            "ok",
        ));
        let remote_key = opened.store.remote_key().map_err(Failure::sentence)?;
        let made = measures::list(settings, data, &remote_key)?;
        let measures = Register::start(made.measures, &sink, &ids, clock, data, recorder.sender())?;
        let ports = measures.ports();
        let service = Arc::new(Service {
            store: Arc::clone(&opened.store),
            front: Arc::clone(&opened.front),
            ids: Arc::clone(&ids),
            known: Known::of(settings),
            origin: settings.origin.clone(),
            clock: Arc::clone(clock),
            batches: Batches::default(),
            measures: RwLock::new(measures),
        });
        let raise = stop.clone();
        let socket_tasks = Tasks::new(Stop::new(), move |ended| {
            if ended.panic.is_some() {
                raise.raise();
            }
        });
        let listening = Server::bind(data, Arc::clone(&service)).and_then(|server| {
            let failed = |e: std::io::Error| Failure::new(format!("no thread for the socket ({e})"), "raise the limit of threads");
            socket_tasks.spawn("weir.sock", move |stop| server.serve(stop)).map_err(failed)?;
            ports.write(data).map_err(|e| Failure::new(format!("ports.json cannot be written ({e})"), "make room in the data folder"))
        });
        if let Err(failure) = listening {
            service.measures.read().unwrap_or_else(PoisonError::into_inner).stop();
            socket_tasks.stop().raise();
            socket_tasks.join();
            return Err(failure);
        }
        notes.extend(kernel_advice(loaded, crate::check_config::rmem_max()));
        notes.extend(conntrack_advice(loaded));
        recorder.flush();
        Ok(Parts { service, ports, secrets: made.secrets, notes, recorder, socket_tasks, actor })
    }

    /// Says where everything is.
    pub fn ready(&self) -> Result<Show, Failure> {
        banner::show(&self.data, &self.service.origin, &self.ports, &self.secrets, &self.notes)?;
        Ok(Box::new(|_, _| ()))
    }

    /// Looks after the program until it is told to stop.
    pub fn watch(&self, stop: &Stop, mut show: Show) -> ExitCode {
        let (store, clock) = (&self.service.store, &self.service.clock);
        let (mut said, mut full_since) = (clock.now(), None);
        loop {
            let stopping = stop.wait(Duration::from_millis(WATCH_MS));
            let (now, health) = (clock.now(), store.health());
            if health.full && full_since.is_none() {
                full_since = health.full_since.or(Some(now));
                eprintln!(
                    "{now} the disk is full: RADIUS gets no answer, TCP waits, UDP is counted as lost; make room in {}",
                    self.data.display()
                );
                // It can only be written down once there is room; trying is what finds that out.
                let since = full_since.unwrap_or(now);
                self.recorder.tell(ledger::action(since, "weir", "disk-full", "nothing was taken in from here on", "full"));
            } else if !health.full && full_since.take().is_some() {
                eprintln!("{now} there is room again: records go on");
            }
            self.service.measures.read().unwrap_or_else(PoisonError::into_inner).watch(&health, &store.sources(), now);
            self.recorder.flush();
            if now.since(said) >= HEALTH_LINE_MS {
                said = now;
                eprintln!("{}", banner::health_line(&health, &store.sources(), now));
            }
            show(store, now);
            if stopping {
                let broken = self.broken.load(Ordering::SeqCst);
                return if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            }
        }
    }

    /// Stops everything, the entrances first.
    pub fn stop(self) -> Result<ExitCode, Failure> {
        Ports::remove(&self.data);
        self.socket_tasks.stop().raise();
        self.socket_tasks.join();
        let _ = std::fs::remove_file(self.data.join(crate::socket::FILE));
        self.service.measures.read().unwrap_or_else(PoisonError::into_inner).stop();
        let now = self.service.clock.now();
        self.recorder.tell(ledger::action(now, &self.actor, "stop", "told to stop", "ok"));
        self.recorder.flush();
        let stopped = self.service.store.stop();
        self.store_tasks.stop().raise();
        self.store_tasks.join();
        if self.broken.load(Ordering::SeqCst) {
            return Err(Failure::new(
                "a thread of the store failed; what was acknowledged is safe",
                "start again, and report what stands above",
            ));
        }
        stopped.map_err(Failure::sentence)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// What starting gives beside the store.
struct Parts {
    service: Arc<Service>,
    ports: Ports,
    secrets: Vec<PathBuf>,
    notes: Vec<String>,
    recorder: Recorder,
    socket_tasks: Tasks,
    actor: String,
}
