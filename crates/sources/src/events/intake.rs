//! From a body to the sink: records with opaque ids, a group, and word when it is durable.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::sync::oneshot;
use weir_base::clock::Clock;
use weir_base::net::Addr16;
use weir_base::task::lock;
use weir_record::Id;
use weir_record::kind::{Kind, Record};
use weir_record::kinds::{Authentication, Binding, IdType, Malformed, Raw};
use weir_record::sink::{Group, RecordSink, SinkError, SourceDesc, SourceHandle, StatePut, SubjectIds};

use super::answer::Answer;
use super::body::{self, Decoded};
use super::config::ApplicationSettings;
use super::keys::{Begin, Keys};
use super::limits::REQUESTS_OF_ONE;
use super::stray::{Rows, Stray};

/// The owner name of this source's state.
pub const OWNER: &str = "events";

/// What stands in `authentication.dialect` for events of an application.
pub const DIALECT: &str = "events";

/// What is compared of a body and of a key is a digest; the two are digests of different things.
const KEY: &[u8] = b"events key ";
const BODY: &[u8] = b"events body ";

/// An application.
pub struct Application {
    /// Its settings.
    pub settings: ApplicationSettings,
    handle: OnceLock<SourceHandle>,
    under_way: AtomicU32,
}

/// A request of an application that is under way, until dropped.
pub struct UnderWay<'a>(&'a Application);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Application {
    /// One more request; `None` when there are enough.
    pub fn enter(&self) -> Option<UnderWay<'_>> {
        let before = self.under_way.fetch_add(1, Ordering::SeqCst);
        let entered = UnderWay(self);
        (before < REQUESTS_OF_ONE as u32).then_some(entered)
    }
}

/// Word about a request.
#[derive(Debug)]
pub enum Taken {
    /// Durable, or there was nothing to keep; the second is true when it was answered before.
    Answered(Answer, bool),
    /// Word comes.
    Waits(oneshot::Receiver<Result<Answer, SinkError>>),
    /// A request with this key is under way.
    UnderWay,
    /// The key came with another body before.
    OtherBody,
    /// More lines than a request may have.
    TooMany,
    /// Nothing was kept.
    Not(SinkError),
}

/// A request with a key: source, key, body.
#[derive(Clone, Copy)]
struct Marked {
    key: Id,
    body: Id,
}

/// The way in, shared by all requests.
pub struct Intake {
    sink: Arc<dyn RecordSink>,
    ids: Arc<dyn SubjectIds>,
    clock: Arc<dyn Clock>,
    applications: Vec<Application>,
    keys: Arc<Mutex<Keys>>,
    stray: Arc<Mutex<Stray>>,
    /// Callers that are nobody here.
    strangers: OnceLock<SourceHandle>,
}

impl Intake {
    /// Takes back the state. Applications that cannot be registered now are at their first request.
    pub fn new(
        settings: Vec<ApplicationSettings>,
        sink: &Arc<dyn RecordSink>,
        ids: &Arc<dyn SubjectIds>,
        clock: &Arc<dyn Clock>,
    ) -> Intake {
        let made = |settings| Application { settings, handle: OnceLock::new(), under_way: AtomicU32::new(0) };
        let keys = Keys::restore(&sink.state(OWNER), clock.now());
        let intake = Intake {
            sink: Arc::clone(sink),
            ids: Arc::clone(ids),
            clock: Arc::clone(clock),
            applications: settings.into_iter().map(made).collect(),
            keys: Arc::new(Mutex::new(keys)),
            stray: Arc::default(),
            strangers: OnceLock::new(),
        };
        for application in &intake.applications {
            // Said again, with what to do, at the first request.
            let _ = intake.handle(application);
        }
        intake
    }

    /// The applications, in the order of the configuration.
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    fn handle<'a>(&self, application: &'a Application) -> Result<&'a SourceHandle, SinkError> {
        if let Some(handle) = application.handle.get() {
            return Ok(handle);
        }
        let settings = &application.settings;
        let handle = self.sink.register(&SourceDesc {
            name: format!("events/{}", settings.name),
            kind: OWNER.to_owned(),
            realm: settings.realm.clone(),
            peer: settings.service.clone().unwrap_or_default(),
            clock: "trust".to_owned(),
            ..SourceDesc::default()
        })?;
        Ok(application.handle.get_or_init(|| handle))
    }

    /// Time that never goes back, for how long a connection is open.
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// A caller that is nobody here.
    pub fn stranger(&self, peer: Addr16, reason: &'static str) {
        let now = self.clock.now();
        lock(&self.stray).stranger(peer, now, reason);
        let first = self.applications.first().map(|a| a.settings.realm.clone()).unwrap_or_default();
        let register = || {
            let desc = SourceDesc {
                name: "events/unknown".to_owned(),
                kind: OWNER.to_owned(),
                realm: first,
                clock: "trust".to_owned(),
                ..SourceDesc::default()
            };
            self.sink.register(&desc)
        };
        let handle = self.strangers.get().cloned().map_or_else(register, Ok);
        // Without a place in the register it is recorded as malformed all the same.
        let Ok(handle) = handle else { return };
        handle.count(|c| {
            c.messages += 1;
            c.malformed += 1;
            c.last_seen = Some(now);
            c.trouble = Some("callers without a token that is known here: give the application the token of its entry".to_owned());
        });
        let _ = self.strangers.set(handle);
    }

    /// Takes a body in. `key` is its idempotency key.
    pub fn take(&self, application: &Application, peer: Addr16, key: Option<&[u8]>, bytes: &[u8]) -> Taken {
        let handle = match self.handle(application) {
            Ok(handle) => handle,
            Err(error) => return Taken::Not(error),
        };
        let (source, now) = (handle.number, self.clock.now());
        handle.count(|c| {
            c.messages += 1;
            c.last_seen = Some(now);
        });
        let mark = key.map(|key| Marked {
            key: self.ids.digest(handle.realm, &[KEY, &source.to_be_bytes(), key].concat()),
            body: self.ids.digest(handle.realm, &[BODY, bytes].concat()),
        });
        if let Some(mark) = mark {
            // The lock is let go before anything else is done.
            let begin = lock(&self.keys).begin(source, mark.key, mark.body, now);
            match begin {
                Begin::New => {}
                Begin::Known(answer) => {
                    handle.count(|c| c.duplicates += u64::from(answer.accepted));
                    return Taken::Answered(answer, true);
                }
                Begin::UnderWay => return Taken::UnderWay,
                Begin::OtherBody => return Taken::OtherBody,
            }
        }
        let Ok(decoded) = body::decode(bytes, now, application.settings.service.as_deref()) else {
            self.free(source, mark, Vec::new());
            return Taken::TooMany;
        };
        self.keep(handle, peer, mark, decoded)
    }

    fn free(&self, source: u32, mark: Option<Marked>, removals: Vec<StatePut>) {
        lock(&self.keys).failed(source, mark.map(|m| m.key), removals);
    }

    fn keep(&self, handle: &SourceHandle, peer: Addr16, mark: Option<Marked>, decoded: Decoded<'_>) -> Taken {
        let (source, now) = (handle.number, self.clock.now());
        let Decoded { events, refused, answer } = decoded;
        let mut rows = Rows::default();
        {
            let mut stray = lock(&self.stray);
            refused.iter().for_each(|(line, fault)| stray.note(source, peer, now, fault.reason(), line, &mut rows));
        }
        let last = events.iter().map(|e| e.time).max();
        let mut group = Group::new(OWNER);
        let mut bound = HashSet::new();
        let mut account = |value: Option<String>, bindings: &mut Vec<Binding>| {
            let resolved = self.ids.resolve(handle.realm, IdType::Account, &value?, now);
            bindings.extend(resolved.binding.filter(|_| bound.insert(resolved.id)));
            Some(resolved.id)
        };
        let made: Vec<Authentication> = events
            .into_iter()
            .map(|event| Authentication {
                time: event.time,
                received: now,
                source,
                realm: handle.realm,
                action: event.action as u8,
                account: account(event.account, &mut group.bindings),
                address: Some(event.address),
                port: event.port,
                host: event.host,
                service: event.service,
                method: event.method,
                dialect: DIALECT.to_owned(),
                ..Authentication::default()
            })
            .collect();
        add(&mut group, Kind::Authentication, &made);
        add::<Malformed>(&mut group, Kind::Malformed, &rows.malformed);
        add::<Raw>(&mut group, Kind::Raw, &rows.raw);
        if group.is_empty() {
            // An empty request, or faults of which this minute has had enough: the same request gives the same answer again.
            self.free(source, mark, Vec::new());
            return Taken::Answered(answer, false);
        }
        let mut removals = lock(&self.keys).removals();
        group.state.clone_from(&removals);
        group.state.extend(mark.map(|m| Keys::put(source, m.key, m.body, &answer, now)));
        let (keys, handle, (to, word)) = (Arc::clone(&self.keys), handle.clone(), oneshot::channel());
        let done = move |result: Result<_, SinkError>| {
            let told = match result {
                Ok(_) => {
                    if let Some(mark) = mark {
                        lock(&keys).done(source, mark.key, answer.clone(), now);
                    }
                    handle.count(|c| {
                        c.records += u64::from(answer.accepted);
                        c.malformed += u64::from(answer.refused);
                        c.last_header = c.last_header.max(last);
                        c.trouble = None;
                    });
                    Ok(answer)
                }
                Err(error) => {
                    lock(&keys).failed(source, mark.map(|m| m.key), std::mem::take(&mut removals));
                    if error != SinkError::Busy {
                        handle.count(|c| c.trouble = Some(error.to_string()));
                    }
                    Err(error)
                }
            };
            // Nobody listens where the client went away; what it sent is kept all the same.
            let _ = to.send(told);
        };
        self.sink.try_submit(group, Box::new(done));
        Taken::Waits(word)
    }

    /// What is due: rows about strangers, counts of a minute that is over, keys that are forgotten.
    pub fn tick(&self) {
        let rows = lock(&self.stray).take(self.clock.now());
        if rows.is_empty() {
            return;
        }
        let mut group = Group::new(OWNER);
        add(&mut group, Kind::Malformed, &rows.malformed);
        add(&mut group, Kind::Raw, &rows.raw);
        let stray = Arc::clone(&self.stray);
        let done = move |result: Result<_, SinkError>| {
            if result.is_err() {
                lock(&stray).back(rows);
            }
        };
        self.sink.try_submit(group, Box::new(done));
    }
}

fn add<R: Record>(group: &mut Group, kind: Kind, rows: &[R]) {
    if !rows.is_empty() {
        group.batches.push((kind, R::batch(rows)));
    }
}
