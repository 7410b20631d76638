//! `weir verify`: does everything in a data folder agree with its log?
//!
//! It reads with the codecs of `weir-record` and `weir-seal` alone and shares no code with what wrote the folder, so that a fault of the writer is
//! not repeated by its judge. It writes nothing, and may run beside the program: it judges as of one `log/current`, and looks again at what
//! the program changed meanwhile. What it proves and what it cannot: `docs/verify.md`.

mod facts;
mod folder;
mod frames;
mod keys;
mod limits;
mod log;
pub mod report;
mod rows;
mod segments;
mod state;
mod wal;

use std::io;
use std::path::Path;

use self::folder::Folder;
use self::keys::Keys;
use self::limits::TRIES;
use self::log::Log;
use self::report::{Checked, Findings, Report};
use self::wal::Sealed;

/// How far a check has come; for people who wait.
pub trait Progress {
    /// What is read now: `log`, `files`, `write-ahead log`.
    fn stage(&self, what: &'static str);
    /// Bytes of files there are to read.
    fn bytes_in_all(&self, bytes: u64);
    /// So many bytes more were read.
    fn read(&self, bytes: u64);
}

/// Nobody waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _: &'static str) {}
    fn bytes_in_all(&self, _: u64) {}
    fn read(&self, _: u64) {}
}

/// Checks the data folder; none when this is no data folder of weir.
pub fn check(data: &Path, progress: &dyn Progress) -> Option<Report> {
    Folder::open(data).map(|folder| check_folder(&folder, progress))
}

fn check_folder(folder: &Folder, bar: &dyn Progress) -> Report {
    let mut report = Report::default();
    let Report { checked, findings } = &mut report;
    bar.stage("log");
    let keys = keys::load(folder, findings);
    checked.keys = keys.len() as u64;
    // Files come into their place after the checkpoint that names them: those listed before it is read must all be named by it.
    let listed = folder.tree("segments").unwrap_or_else(|e| {
        findings.problem("segments", format!("it cannot be listed ({e})"), "look after its mode and the disk");
        Vec::new()
    });
    let log = log::load(folder, &keys, findings);
    if let Some(mut log) = log {
        bar.stage("files");
        bar.bytes_in_all(log.facts.files.iter().filter(|f| !f.dropped).map(|f| f.size).sum());
        segments::check(folder, &keys, &mut log, &|bytes| bar.read(bytes), checked, findings);
        segments::strays(folder, &keys, &mut log, &listed, findings);
        bar.stage("write-ahead log");
        moving(folder, log, checked, findings);
    }
    if let Err(e) = state::side_ledger(folder, &keys, checked, findings) {
        findings.problem("side/ledger", format!("it cannot be read ({e})"), "look after its mode and the disk");
    }
    report
}

/// State and write-ahead log move on while the program runs: when something is wrong and they moved, they are judged again with the log as of then.
fn moving(folder: &Folder, mut log: Log, checked: &mut Checked, findings: &mut Findings) {
    for left in (0..TRIES).rev() {
        let before = names(folder);
        // Keys of these files come and go with them.
        let keys = keys::load(folder, &mut Findings::default());
        let (mut here, mut counts) = (Findings::default(), *checked);
        let sealed = Sealed { through: log.facts.sequenced, sure: log.complete && log.facts.is_surely_sequenced() };
        if let Err(e) = once(folder, &keys, sealed, &mut counts, &mut here) {
            here.problem("wal and state", format!("they cannot be read ({e})"), "look after their modes and the disk");
        }
        let moved = log::has_moved_on(folder, &log)
            || names(folder) != before
            || keys::load(folder, &mut Findings::default()).generation != keys.generation;
        if here.is_good() || left == 0 || !moved {
            *checked = counts;
            findings.take(here);
            break;
        }
        if let Some(newer) = log::load(folder, &keys, &mut Findings::default()) {
            log = newer;
        }
    }
    checked.log_entries = log.facts.entries;
    log::leftovers(folder, &log, findings);
}

fn once(folder: &Folder, keys: &Keys, sealed: Sealed, checked: &mut Checked, found: &mut Findings) -> io::Result<()> {
    state::check(folder, keys, checked, found)?;
    wal::check(folder, keys, sealed, checked, found)
}

fn names(folder: &Folder) -> (Vec<u64>, Vec<u64>) {
    (folder.numbers("wal", "wal").unwrap_or_default(), folder.numbers("state", "state").unwrap_or_default())
}
