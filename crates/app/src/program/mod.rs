//! `weir run`: the running program, from its start to its stop.

mod banner;
pub mod changes;
mod recorder;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use toml::Table;
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_identity::desk::Desk;
use weir_record::sink::{RecordSink, SubjectIds};
use weir_store::engine::Store;

use crate::check_config::{advice, listed};
use crate::cli::RunArgs;
use crate::config::{self, Loaded};
use crate::desk::Office;
use crate::desk::settings::{self, Layers};
use crate::desk::start::{self, LINK, Prepared, Started};
use crate::fail::Failure;
use crate::limits::{HEALTH_LINE_MS, WATCH_MS};
use crate::measures::{self, Register};
use crate::open::{self, Opened};
use crate::ports::Ports;
use crate::socket::access::Access;
use crate::socket::batch::Batches;
use crate::socket::ops::Service;
use crate::socket::server::Server;
use crate::statements::Statements;
use crate::view::Known;
use crate::{demo, ledger, side, signals};

use recorder::Recorder;

/// Runs the program until it is told to stop.
pub fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let stop = Stop::new();
    let data = match (&args.data, args.demo) {
        (Some(data), _) => data.clone(),
        (None, true) => demo::folder()?,
        (None, false) => PathBuf::from("weir-data"),
    };
    if args.demo {
        demo::prepare(&data, args.fresh)?;
    }
    let configured = configured(args, &data)?;
    signals::raise_on_signal(&stop)?;
    let program = Program::start(&data, &configured, &stop)?;
    let shown = if args.demo { demo::play(&program, &stop) } else { program.ready() };
    // What fails from here on still stops the program in order.
    let watched = shown.map(|show| program.watch(&stop, show));
    let stopped = program.stop();
    watched.and(stopped)
}

/// The configuration, and where it comes from.
pub struct Configured {
    loaded: Loaded,
    file: settings::File,
    set: Vec<String>,
    /// What was changed at the desk.
    desk: Table,
}

fn configured(args: &RunArgs, data: &Path) -> Result<Configured, Failure> {
    let file = match (&args.config, args.demo) {
        (_, true) => settings::File::Text(demo::CONFIG),
        (Some(path), false) => settings::File::Path(path.clone()),
        (None, false) => settings::File::None,
    };
    let desk = settings::stored(data).map_err(|p| vec![p]);
    let loaded = desk.and_then(|desk| {
        let text = file.text().map_err(|p| vec![p])?;
        Ok((config::parse_with(&text, &desk, &args.set)?, desk))
    });
    let (loaded, desk) = loaded.map_err(|problems| {
        let changed = if data.join(config::layer::FILE).exists() {
            format!("; changes made at the desk lie in {}", data.join(config::layer::FILE).display())
        } else {
            String::new()
        };
        Failure::new(
            format!("the configuration has problems:\n{}", listed(&problems).trim_end()),
            format!("mend them; `weir check-config` looks again{changed}"),
        )
    })?;
    Ok(Configured { loaded, file, set: args.set.clone(), desk })
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
    office: Arc<Office>,
    desk: Option<Started>,
    broken: Arc<AtomicBool>,
    actor: String,
}

/// A thing to show each second while the program runs.
pub type Show = Box<dyn FnMut(&Store, Millis)>;

impl Program {
    /// Opens the folder and starts everything.
    pub fn start(data: &Path, configured: &Configured, stop: &Stop) -> Result<Program, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let settings = &configured.loaded.settings;
        let opened = open::open(data, &settings.origin, &settings.store, &clock, true)
            .map_err(|failure| if settings.origin == crate::ask::DEMO_ORIGIN { demo::or_fresh(failure, data) } else { failure })?;
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
        let started = Program::go_on(&data, configured, &opened, &clock, stop);
        match started {
            Ok(Parts { service, ports, secrets, notes, recorder, socket_tasks, office, desk, actor }) => {
                Ok(Program { data, service, ports, secrets, notes, recorder, store_tasks, socket_tasks, office, desk, broken, actor })
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

    fn go_on(data: &Path, configured: &Configured, opened: &Opened, clock: &Arc<dyn Clock>, stop: &Stop) -> Result<Parts, Failure> {
        let (loaded, now) = (&configured.loaded, clock.now());
        let (settings, owner) = (&loaded.settings, rustix::process::getuid().as_raw());
        let actor = format!("uid:{owner}");
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
        // A desk that cannot be had is told of, and records are taken in without it.
        let prepared = Prepared::new(settings, data, &sink, clock).unwrap_or_else(|f| without_desk(&f, &mut recorder, &mut notes, now));
        let people = people(prepared.as_ref(), settings, &sink, clock, &mut notes);
        let measures = Register::start(made.measures, &sink, &ids, clock, data, recorder.sender())?;
        let mut ports = measures.ports();
        let service = Arc::new(Service {
            store: Arc::clone(&opened.store),
            front: Arc::clone(&opened.front),
            ids: Arc::clone(&ids),
            known: Known::of(settings),
            origin: settings.origin.clone(),
            clock: Arc::clone(clock),
            statements: Statements::new(Duration::from_millis(settings.desk.sql_ms.unsigned_abs())),
            batches: Batches::default(),
            measures: RwLock::new(measures),
            access: Access::of(&settings.desk.uids, owner),
            layers: Layers::new(Arc::clone(&opened.disk), configured.file.clone(), &configured.set, loaded, &configured.desk),
            desk: people,
            desk_url: OnceLock::new(),
        });
        let kinds = settings.kinds.iter().map(|k| k.code).collect();
        let office = Arc::new(Office::new(&service, data, kinds, &ports));
        let desk = prepared.and_then(|p| start_desk(p, &office, data, clock, &mut ports, &mut recorder, &mut notes));
        ports.desk_url.iter().for_each(|url| drop(service.desk_url.set(url.clone())));
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
            desk.iter().for_each(Started::stop);
            service.measures.read().unwrap_or_else(PoisonError::into_inner).stop();
            socket_tasks.stop().raise();
            socket_tasks.join();
            return Err(failure);
        }
        notes.extend(advice(loaded, crate::check_config::rmem_max()));
        recorder.flush();
        Ok(Parts { service, ports, secrets: made.secrets, notes, recorder, socket_tasks, office, desk, actor })
    }

    /// The link that makes the desk's first account, while there is none.
    pub fn desk_link(&self) -> Option<String> {
        self.desk.as_ref()?.link(self.service.clock.as_ref())
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
            self.office.sample(now);
            self.service.sweep(false, now);
            if self.desk.is_none() {
                // Nobody else ends what has ended: the console is off.
                let _ = self.service.desk.as_ref().map(|d| d.tick(now));
            }
            self.desk.iter().for_each(|desk| desk.forget_link(&self.data));
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
        // The entrances wait for what is under way.
        self.service.statements.stop();
        self.desk.iter().for_each(Started::stop);
        self.socket_tasks.stop().raise();
        self.socket_tasks.join();
        let _ = std::fs::remove_file(self.data.join(crate::socket::FILE));
        self.service.measures.read().unwrap_or_else(PoisonError::into_inner).stop();
        let now = self.service.clock.now();
        self.service.sweep(true, now);
        // What was counted and not told yet; where it cannot be, the first of each was.
        let _ = self.service.desk.as_ref().map(|d| d.end(now));
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
    office: Arc<Office>,
    desk: Option<Started>,
    actor: String,
}

/// Persons, accounts and approvals: those of the desk that starts, or read from the state alone when the console is off or cannot be had.
fn people(
    prepared: Option<&Prepared>,
    settings: &config::Settings,
    sink: &Arc<dyn RecordSink>,
    clock: &Arc<dyn Clock>,
    notes: &mut Vec<String>,
) -> Option<Arc<Desk>> {
    if let Some(prepared) = prepared {
        return Some(Arc::clone(&prepared.desk));
    }
    let read = start::people(settings, Vec::new(), Vec::new(), sink, clock);
    read.inspect_err(|f| notes.push(format!("accounts and approvals cannot be read: {}: {}", f.what, f.todo))).ok()
}

/// Starts the desk, where it can be had, and says where it is.
fn start_desk(
    prepared: Prepared,
    office: &Arc<Office>,
    data: &Path,
    clock: &Arc<dyn Clock>,
    ports: &mut Ports,
    recorder: &mut Recorder,
    notes: &mut Vec<String>,
) -> Option<Started> {
    let desk = match prepared.start(office, clock, recorder.sender()) {
        Ok(desk) => desk,
        Err(failure) => return without_desk(&failure, recorder, notes, clock.now()),
    };
    ports.desk.clone_from(&desk.running.addresses);
    ports.desk_url = Some(desk.running.url.clone());
    notes.extend(desk.running.fingerprint.as_ref().map(|f| format!("the desk's own certificate, SHA-256 {f}")));
    match desk.write_link(data, clock.as_ref()) {
        Ok(true) => notes.push(format!("the desk has no account yet: the link in {} makes the first one, once", data.join(LINK).display())),
        Ok(false) => {}
        Err(f) => notes.push(f.to_string()),
    }
    Some(desk)
}

/// Says why there is no desk.
fn without_desk<T>(failure: &Failure, recorder: &mut Recorder, notes: &mut Vec<String>, now: Millis) -> Option<T> {
    notes.push(format!("the desk does not run: {}: {}", failure.what, failure.todo));
    recorder.add(ledger::action(now, "weir", "desk-stopped", failure.what.clone(), "failed"));
    None
}
