//! Threads that are watched. Every long-lived thread is started through a [`Tasks`]; a panic in one is caught, kept, and told to
//! the owner, and the others go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::limits::THREAD_NAME_BYTES;

/// Locks a mutex; a panic elsewhere while it was held does not make the data unreachable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far a thread gives way, in steps of `nice`: beside one that does not, a processor that both want is its for a quarter of the time.
const GIVES_WAY: i32 = 5;

/// From now on the calling thread, and those it starts, leave the processor to others of the program that have work: for work that may wait, beside threads that
/// take in what nobody sends twice.
pub fn give_way() {
    // Where the system does not allow it, all go on alike.
    let _ = rustix::process::nice(GIVES_WAY);
}

/// A flag that says "stop now", shared by everybody who must hear it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(AtomicBool, Mutex<()>, Condvar)>);

impl Stop {
    /// A flag not yet raised.
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Raises the flag and wakes every waiter.
    pub fn raise(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        let _held = lock(&self.0.1);
        self.0.2.notify_all();
    }

    /// True once raised.
    pub fn is_raised(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until raised or until `timeout` has passed; true if raised.
    pub fn wait(&self, timeout: Duration) -> bool {
        let held = lock(&self.0.1);
        let _ = self.0.2.wait_timeout_while(held, timeout, |()| !self.is_raised());
        self.is_raised()
    }
}

/// How a thread ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The thread's name.
    pub name: String,
    /// The panic's message, `None` when it returned.
    pub panic: Option<String>,
}

type OnEnd = Arc<dyn Fn(&Ended) + Send + Sync>;

/// A group of named threads that stop together.
pub struct Tasks {
    stop: Stop,
    on_end: OnEnd,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Tasks {
    /// A group; `on_end` hears of every thread that ends, on that thread.
    pub fn new(stop: Stop, on_end: impl Fn(&Ended) + Send + Sync + 'static) -> Tasks {
        Tasks { stop, on_end: Arc::new(on_end), handles: Mutex::new(Vec::new()) }
    }

    /// The group's stop flag.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Starts a thread. A panic in `body` is caught and told to `on_end`.
    pub fn spawn(&self, name: &str, body: impl FnOnce(&Stop) + Send + 'static) -> std::io::Result<()> {
        let (stop, on_end, full) = (self.stop.clone(), Arc::clone(&self.on_end), name.to_owned());
        let short: String = name.chars().take(THREAD_NAME_BYTES).collect();
        let handle = Builder::new().name(short).spawn(move || {
            let panic = catch_unwind(AssertUnwindSafe(|| body(&stop))).err().map(|p| panic_text(p.as_ref()));
            on_end(&Ended { name: full, panic });
        })?;
        lock(&self.handles).push(handle);
        Ok(())
    }

    /// Waits for every thread to end; does not raise the stop flag.
    pub fn join(&self) {
        loop {
            let Some(handle) = lock(&self.handles).pop() else { return };
            let _ = handle.join();
        }
    }
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_way_and_whom_it_starts_gives_way_alone() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let (mine, its) = std::thread::spawn(move || {
            give_way();
            (nice(), std::thread::spawn(nice).join().unwrap())
        })
        .join()
        .unwrap();
        let want = (before + GIVES_WAY).min(19);
        assert_eq!((mine, its, nice()), (want, want, before));
    }

    #[test]
    fn a_panic_is_told_and_the_others_go_on() {
        let ended = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ended);
        let tasks = Tasks::new(Stop::new(), move |e| lock(&seen).push(e.clone()));
        tasks.spawn("bad", |_| panic!("boom")).unwrap();
        tasks.spawn("good", |stop| assert!(stop.wait(Duration::from_secs(60)))).unwrap();
        tasks.stop().raise();
        tasks.join();
        let mut ended = lock(&ended).clone();
        ended.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(ended[0], Ended { name: "bad".into(), panic: Some("boom".into()) });
        assert_eq!(ended[1], Ended { name: "good".into(), panic: None });
    }
}
