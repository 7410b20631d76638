//! How long a statement may go on. Whoever waits for it looks again and again: at the time, whether somebody still waits, whether the program stops, and
//! how much memory the program has taken since. The statement itself sees one flag, at every step of its plan.

use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use weir_base::clock::Clock;

use super::Answer;
use crate::QueryError;
use crate::limits::{SQL_BATCH_BYTES, SQL_GRACE_MS, SQL_GROWTH_BYTES, SQL_HELD_ROWS, SQL_LOOK_MS};

/// Why a statement was ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its time was over.
    TooLong,
    /// It would have kept too many rows of a join.
    TooMany,
    /// It needs too much memory.
    TooLarge,
    /// Nobody waits for it any more.
    Gone,
    /// The program stops.
    Stopping,
}

const ALL: [Why; 5] = [Why::TooLong, Why::TooMany, Why::TooLarge, Why::Gone, Why::Stopping];

impl Why {
    /// What was wrong.
    pub fn what(self) -> &'static str {
        self.both().0
    }

    /// What to do.
    pub fn todo(self) -> &'static str {
        self.both().1
    }

    fn both(self) -> (&'static str, &'static str) {
        const LESS: &str = "ask for less: a narrower time in WHERE, fewer columns, a JOIN with a condition";
        match self {
            Why::TooLong => ("the statement ran as long as one may and was ended", LESS),
            Why::TooMany => (
                "the statement joins tables to too many rows and was ended",
                "tie the tables together with a condition, as in JOIN … ON …, or join fewer of them",
            ),
            Why::TooLarge => ("the statement needs too much memory and was ended", LESS),
            Why::Gone => ("nobody waits for the statement any more, so it was ended", "send it again"),
            Why::Stopping => ("the program stops, so the statement was ended", "send it again when the program runs"),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what(), self.todo())
    }
}

/// What a statement and whoever waits for it share.
#[derive(Debug, Default)]
pub struct Control {
    /// 0: it may go on; else the place of the reason in [`ALL`], from 1.
    ended: AtomicU8,
    rows: AtomicU64,
    bytes: AtomicU64,
    /// Bytes it may hold.
    most: u64,
}

impl Control {
    /// Of a statement that may hold so many bytes.
    pub fn of(bytes: usize) -> Control {
        Control { most: bytes as u64, ..Control::default() }
    }

    /// Ends it; the first reason stands.
    pub fn end(&self, why: Why) {
        let number = ALL.iter().position(|w| *w == why).and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(1);
        let _ = self.ended.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Why it has to end, where it has.
    pub fn why(&self) -> Option<Why> {
        ALL.get(usize::from(self.ended.load(Ordering::SeqCst)).checked_sub(1)?).copied()
    }

    /// A step gives rows on; `kept` where they stay until the next step is done.
    pub(super) fn passes(&self, rows: u64, bytes: u64, kept: bool) {
        if bytes > SQL_BATCH_BYTES {
            self.end(Why::TooLarge);
        }
        if kept {
            if self.rows.fetch_add(rows, Ordering::SeqCst) + rows > SQL_HELD_ROWS {
                self.end(Why::TooMany);
            }
            if self.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes > self.most {
                self.end(Why::TooLarge);
            }
        }
    }
}

/// What is looked at while a statement runs.
pub struct During<'a> {
    /// The clock.
    pub clock: &'a dyn Clock,
    /// How long it may run.
    pub within: Duration,
    /// Somebody else's reason to end it: who asked has gone, or the program stops.
    pub over: &'a dyn Fn() -> Option<Why>,
}

impl During<'_> {
    /// Waits for the answer. A statement that does not end though it should is left alone after a while: it keeps its place until it does.
    pub(super) fn wait(&self, answer: &Receiver<Result<Answer, QueryError>>, control: &Control) -> Result<Answer, QueryError> {
        let (began, before) = (self.clock.monotonic(), resident());
        let mut over = None;
        loop {
            match answer.recv_timeout(Duration::from_millis(SQL_LOOK_MS)) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Disconnected) => return Err(QueryError::Internal("a statement of SQL has no end".to_owned())),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let spent = self.clock.monotonic().saturating_sub(began);
            match control.why() {
                None => {
                    let grown = resident().saturating_sub(before) > SQL_GROWTH_BYTES;
                    let late = (spent >= self.within).then_some(Why::TooLong);
                    if let Some(why) = (self.over)().or(grown.then_some(Why::TooLarge)).or(late) {
                        control.end(why);
                    }
                }
                Some(why) => {
                    let since = *over.get_or_insert(spent);
                    if spent.saturating_sub(since) >= Duration::from_millis(SQL_GRACE_MS) {
                        return Err(QueryError::Ended(why));
                    }
                }
            }
        }
    }
}

/// Memory of this process that is in use, in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1_024)
}
