//! From the engine to the sink: when a group is handed over, what happens when it was not kept, and who hears that it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arrow::array::RecordBatch;
use weir_base::clock::Clock;
use weir_base::task::{Stop, lock};
use weir_base::time::Millis;
use weir_record::Kind;
use weir_record::kinds::Binding;
use weir_record::sink::{Group, RecordSink, SinkError};

use super::engine::{Engine, Origin};
use super::limits::{BATCH_BYTES, BATCH_ROWS, BATCH_WAIT_MS, GROUPS_AHEAD, RETRY_MS, STAND_MS, TICK_MS};
use super::out::{Acks, OWNER};
use super::stand::Stand;

/// A group that was not kept, without its state.
struct Failed {
    batches: Vec<(Kind, RecordBatch)>,
    bindings: Vec<Binding>,
    acks: Vec<(u64, u64)>,
    error: SinkError,
    number: u64,
}

/// What the store's thread writes. It is never locked while a group is handed over.
#[derive(Default)]
struct Word {
    failed: Vec<Failed>,
    ahead: usize,
    kept: bool,
    /// Groups that are not durable yet, and when their first lines may have come.
    unkept: BTreeMap<u64, Millis>,
    /// Something was given up.
    lost: bool,
}

/// Tells a thread that waits for its sockets that acknowledgements lie ready.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

struct Inside {
    engine: Engine,
    submitted: Millis,
    ticked: Millis,
    troubled: bool,
    /// Groups so far, when the last one was taken, and when it was last noted that everything is kept.
    groups: u64,
    taken: Millis,
    stood: Option<Millis>,
}

/// The engine with its way to the sink; one, shared by all threads of the source.
pub struct Hub {
    inside: Mutex<Inside>,
    word: Arc<Mutex<Word>>,
    sink: Arc<dyn RecordSink>,
    clock: Arc<dyn Clock>,
    acks: Acks,
    wake: Wake,
    threads: AtomicUsize,
}

impl Hub {
    /// A hub whose engine has taken back its state. `wake` is called when acknowledgements lie in `acks`.
    pub fn new(mut engine: Engine, sink: &Arc<dyn RecordSink>, clock: &Arc<dyn Clock>, acks: Acks, wake: Wake) -> Hub {
        let now = clock.now();
        engine.restore(&sink.state(OWNER));
        engine.began(now);
        let inside = Mutex::new(Inside { engine, submitted: now, ticked: now, troubled: false, groups: 0, taken: now, stood: None });
        let (sink, clock) = (Arc::clone(sink), Arc::clone(clock));
        Hub { inside, word: Arc::default(), sink, clock, acks, wake, threads: AtomicUsize::new(0) }
    }

    /// One more thread will give lines; it ends with [`Hub::leave`].
    pub fn enter(&self) {
        self.threads.fetch_add(1, Ordering::SeqCst);
    }

    /// Our clock.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Does something with the engine.
    pub fn with<T>(&self, what: impl FnOnce(&mut Engine) -> T) -> T {
        what(&mut lock(&self.inside).engine)
    }

    /// Gives lines to the engine; waits while a sender cannot be registered, or while the store is far behind. False: the program stops.
    pub fn lines<'a>(&self, lines: impl IntoIterator<Item = (Origin, &'a [u8], bool)>, stop: &Stop) -> bool {
        let mut inside = lock(&self.inside);
        let mut lines = lines.into_iter();
        while let Some((origin, bytes, cut)) = lines.next() {
            while let Err(error) = inside.engine.line(&origin, bytes, cut) {
                inside.engine.trouble(Some(&error.to_string()));
                inside.troubled = true;
                drop(inside);
                let stopped = stop.wait(Duration::from_millis(RETRY_MS));
                inside = lock(&self.inside);
                if stopped {
                    // They were read, and whoever does not wait for word sends them no more.
                    let unanswered = |o: &Origin| u64::from(o.ack.is_none());
                    let left = unanswered(&origin) + lines.map(|(o, ..)| unanswered(&o)).sum::<u64>();
                    if left > 0 {
                        inside.engine.lost(left, "lines", "stopped", origin.received);
                    }
                    return false;
                }
            }
            if inside.engine.out.rows() >= BATCH_ROWS || inside.engine.out.bytes >= BATCH_BYTES {
                self.submit(&mut inside);
            }
        }
        // Somebody waits for word: at once, not when a batch is full.
        if !inside.engine.out.acks.is_empty() {
            self.submit(&mut inside);
        }
        true
    }

    /// True when rows wait for a batch to fill.
    pub fn waits(&self) -> bool {
        lock(&self.inside).engine.out.rows() > 0
    }

    /// What is due: the group whose time is up, what the engine does now and then. True once every [`TICK_MS`]. Waits while something was
    /// not kept or too much is on its way: nothing more is read then.
    pub fn turn(&self, stop: &Stop) -> bool {
        while !self.settle() {
            if stop.wait(Duration::from_millis(RETRY_MS)) {
                return false;
            }
        }
        while lock(&self.word).ahead >= GROUPS_AHEAD {
            if stop.wait(Duration::from_millis(1)) {
                return false;
            }
        }
        let now = self.now();
        let mut inside = lock(&self.inside);
        let ticks = !(0..TICK_MS).contains(&now.since(inside.ticked));
        if ticks {
            inside.engine.tick(now);
            inside.ticked = now;
        }
        if !(0..BATCH_WAIT_MS).contains(&now.since(inside.submitted)) {
            self.submit(&mut inside);
        }
        ticks
    }

    fn submit(&self, inside: &mut MutexGuard<'_, Inside>) {
        let now = self.now();
        inside.submitted = now;
        let due = inside.stood.is_none_or(|t| !(0..STAND_MS).contains(&now.since(t)));
        if inside.engine.out.rows() > 0 || due {
            let through = self.through(if inside.engine.out.rows() > 0 { inside.taken } else { now });
            inside.engine.stand(Stand { through, clean: false });
            inside.stood = Some(now);
        }
        let Some((group, acks)) = inside.engine.take() else { return };
        let begun = std::mem::replace(&mut inside.taken, now);
        inside.groups += 1;
        let number = inside.groups;
        if std::mem::take(&mut lock(&self.word).kept) && inside.troubled {
            inside.engine.trouble(None);
            inside.troubled = false;
        }
        // The columns are shared, not copied; they are let go when the group is durable.
        let (batches, bindings) = (group.batches.clone(), group.bindings.clone());
        let (word, to, wake) = (Arc::clone(&self.word), self.acks.clone(), Arc::clone(&self.wake));
        {
            let mut word = lock(&self.word);
            word.ahead += 1;
            word.unkept.insert(number, begun);
        }
        let done = move |result: Result<_, SinkError>| {
            let mut word = lock(&word);
            word.ahead -= 1;
            match result {
                Ok(_) => {
                    word.kept = true;
                    word.unkept.remove(&number);
                    drop(word);
                    if !acks.is_empty() {
                        to.put(&acks);
                        wake();
                    }
                }
                Err(error) => word.failed.push(Failed { batches, bindings, acks, error, number }),
            }
        };
        self.sink.submit(group, Box::new(done));
    }

    /// The moment up to which everything that came is durable, when everything is that came before `taken`.
    fn through(&self, taken: Millis) -> Millis {
        let first = lock(&self.word).unkept.values().min().copied();
        first.map_or(taken, |t| t.min(taken))
    }

    /// Tries again what was not kept; true when nothing is left.
    fn settle(&self) -> bool {
        let failed = std::mem::take(&mut lock(&self.word).failed);
        if failed.is_empty() {
            return true;
        }
        let mut left = Vec::new();
        for group in failed {
            let rows: usize = group.batches.iter().map(|(_, b)| b.num_rows()).sum();
            let again = Group { batches: group.batches.clone(), bindings: group.bindings.clone(), ..Group::new(OWNER) };
            match self.sink.commit(again) {
                Ok(_) => {
                    self.acks.put(&group.acks);
                    (self.wake)();
                    let mut word = lock(&self.word);
                    word.kept = true;
                    word.unkept.remove(&group.number);
                }
                Err(SinkError::Refused(_)) => {
                    self.with(|e| e.discarded(rows as u64, self.clock.now()));
                    lock(&self.word).unkept.remove(&group.number);
                }
                Err(error) => left.push(Failed { error, ..group }),
            }
        }
        let why = left.first().map(|f| f.error.to_string());
        let mut inside = lock(&self.inside);
        inside.troubled |= why.is_some();
        if why.is_some() {
            inside.engine.trouble(why.as_deref());
        }
        // State of the failed groups was lost with them, and later groups may have been kept: all of it is written again.
        inside.engine.rewrite_state();
        drop(inside);
        let clear = left.is_empty();
        lock(&self.word).failed.extend(left);
        clear
    }

    /// A thread stops: hands over what there is and waits for it. What cannot be kept now is sent again by who waits for word, or lost.
    pub fn finish(&self) {
        self.settle();
        let taken = lock(&self.inside).engine.take();
        if let Some((group, acks)) = taken {
            match self.sink.commit(group) {
                Ok(_) => self.acks.put(&acks),
                Err(_) => lock(&self.word).lost = true,
            }
        }
    }

    /// The end of a thread that has entered. The last one notes that everything is kept, if it is: where that note is missing, the next
    /// start records that lines may be.
    pub fn leave(&self) {
        self.finish();
        if self.threads.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        let note = |stand: Stand| Group { state: vec![stand.put()], ..Group::new(OWNER) };
        // Groups are kept in their order: when this one is answered, all before it are.
        let through = self.through(lock(&self.inside).taken);
        let room = self.sink.commit(note(Stand { through, clean: false })).is_ok();
        let settled = self.settle();
        // What settling had to give up is told of in a record.
        self.finish();
        let all = {
            let word = lock(&self.word);
            settled && !word.lost && word.failed.is_empty() && word.unkept.is_empty()
        };
        if room && all {
            // Without it the next start says that lines may be missing, which is more than is true, and never less.
            let _ = self.sink.commit(note(Stand { through: self.now(), clean: true }));
        }
    }
}
