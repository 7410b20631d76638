//! What is measured: the store and the sources for IPFIX, RADIUS and syslog in a process of their own. Requests are lines of JSON on standard input, each is answered
//! by one line on standard output.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use weir_base::clock::{Clock, SystemClock};
use weir_base::disk::{RealDisk, SharedDisk};
use weir_base::net::Addr16;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kind::Record;
use weir_record::kinds::Question;
use weir_record::sink::{Group, RecordSink};
use weir_store::catalog::SqliteCatalog;
use weir_store::engine::{Store, StoreConfig};
use weir_store::keyring::master;

use crate::shared::Outcome;
use crate::sources;

/// A store in a folder, as the program opens it.
pub fn open(data: &Path, clock: &Arc<dyn Clock>, config: StoreConfig) -> Outcome<Arc<Store>> {
    let disk: SharedDisk = Arc::new(RealDisk::new(data)?);
    let key = master::master_key(disk.as_ref())?;
    let catalog = SqliteCatalog::open(&data.join("catalog.sqlite"))?;
    Ok(Store::open(disk, Some(data), Box::new(catalog), Arc::clone(clock), &key, config)?.0)
}

/// Bytes of memory the program may hold, where this is set.
pub const MEMORY: &str = "WEIR_BENCH_MEMORY";

/// The remote ends of sessions are kept, where this is set.
pub const REMOTES: &str = "WEIR_BENCH_REMOTES";

/// What it takes otherwise on a machine with twice as much.
const MEMORY_BYTES: u64 = 4 << 30;

/// Of them what is not the store's.
const PROGRAM_BYTES: u64 = 128 << 20;

struct Served {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
}

/// Serves until standard input ends or a request says `stop`.
pub fn run(data: &Path) -> Outcome<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let limit = std::env::var(MEMORY).ok().and_then(|text| text.parse().ok()).unwrap_or(MEMORY_BYTES);
    // As the program shares it out (`store.memory_bytes`), which has statements of SQL besides.
    let memory_bytes = limit.saturating_sub(PROGRAM_BYTES) / 3 * 2;
    let store = open(data, &clock, StoreConfig { origin: "bench.invalid".to_owned(), memory_bytes, ..StoreConfig::default() })?;
    let tasks = Tasks::new(Stop::new(), |ended| eprintln!("{} ended: {:?}", ended.name, ended.panic));
    store.start(&tasks)?;
    let measured = Tasks::new(Stop::new(), |ended| eprintln!("{} ended: {:?}", ended.name, ended.panic));
    let at = sources::start(&store, data, &clock, &measured)?;
    let ready = json!({ "ipfix": at.ipfix.to_string(), "radius": at.radius.to_string(), "syslog": at.syslog.to_string() });
    println!("{ready}");
    let served = Served { store, clock };
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        if request["op"] == "stop" {
            break;
        }
        let answer = match served.answer(&request) {
            Ok(ok) => json!({ "ok": ok }),
            Err(e) => json!({ "error": e.to_string() }),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    measured.stop().raise();
    measured.join();
    tasks.stop().raise();
    served.store.stop()?;
    tasks.join();
    Ok(())
}

impl Served {
    fn answer(&self, request: &Value) -> Outcome<Value> {
        match request["op"].as_str() {
            Some("taken") => {
                let sources = self.store.sources();
                let records: u64 = sources.iter().map(|s| s.counters.records).sum();
                // An exporter and its domain are `name/domain`; the listener counts the datagrams that the kernel dropped before it.
                let lost: u64 = sources.iter().filter(|s| s.name.contains('/')).map(|s| s.lost).sum();
                let dropped: u64 = sources.iter().filter(|s| !s.name.contains('/')).map(|s| s.lost).sum();
                let messages: u64 = sources.iter().map(|s| s.counters.messages).sum();
                Ok(
                    json!({ "records": records, "messages": messages, "lost": lost, "dropped": dropped, "waiting": self.store.health().waiting_rows }),
                )
            }
            Some("seal") => Ok(json!(self.store.seal_now()?.rows)),
            Some("flush") => Ok(json!(self.store.flush_index().map(|()| 0)?)),
            Some("repack") => Ok(json!(self.store.repack(Millis(i64::MAX))?.units)),
            Some("lookup") => self.lookup(request),
            Some("many") => self.many(request),
            _ => Err("no such request".into()),
        }
    }

    /// One question: what the engine found, how long it took, and how long the ledger's durable record took after it.
    fn lookup(&self, request: &Value) -> Outcome<Value> {
        let mut answer = self.engine(request)?;
        answer["ledger_ms"] = json!(self.ledger(std::slice::from_ref(request))?);
        Ok(answer)
    }

    /// Some questions that were due together: their records are durable together.
    fn many(&self, request: &Value) -> Outcome<Value> {
        let questions = request["questions"].as_array().ok_or("no questions")?;
        let answers = questions.iter().map(|question| self.engine(question)).collect::<Outcome<Vec<Value>>>()?;
        Ok(json!({ "answers": answers, "ledger_ms": self.ledger(questions)? }))
    }

    fn engine(&self, request: &Value) -> Outcome<Value> {
        let text = |name: &str| request[name].as_str().ok_or("a question lacks a word");
        let public: Addr16 = text("public")?.parse()?;
        let port = u16::try_from(request["port"].as_u64().ok_or("no port")?)?;
        let protocol = u8::try_from(request["protocol"].as_u64().ok_or("no protocol")?)?;
        let (at, skew) = (Millis(request["at"].as_i64().ok_or("no moment")?), request["skew"].as_i64().unwrap_or(0));
        let begun = self.clock.monotonic();
        let (found, stats) = self.store.mappings(public, Some(port), Some(protocol), at.plus(-skew), at.plus(skew))?;
        let engine = self.clock.monotonic() - begun;
        let holds = |m: &&weir_store::nat::mapping::Mapping| m.start.is_none_or(|s| s <= at) && m.end.is_none_or(|e| e >= at);
        let inside: Vec<String> = found.iter().filter(holds).map(|m| m.inside.to_string()).collect();
        Ok(json!({ "inside": inside, "engine_ms": engine.as_secs_f64() * 1e3, "pages": stats.pages, "bytes": stats.bytes }))
    }

    /// Makes the records of these questions durable; the milliseconds it took.
    fn ledger(&self, questions: &[Value]) -> Outcome<f64> {
        let begun = self.clock.monotonic();
        let record = |question: &Value| -> Outcome<Question> {
            let target = self.store.ledger_seal(question.to_string().as_bytes())?;
            Ok(Question { time: self.clock.now(), target, ..Question::default() })
        };
        let asked = questions.iter().map(record).collect::<Outcome<Vec<_>>>()?;
        self.store.commit(Group { batches: vec![(Kind::Question, Question::batch(&asked))], ..Group::new("ledger") })?;
        Ok((self.clock.monotonic() - begun).as_secs_f64() * 1e3)
    }
}
