//! The logs of the machine Weir runs on: journald's journal and auditd's file.
//!
//! ```text
//! journalctl -o export -f ─► export ─┐
//!                                    ├─► line ─► syslog engine ─► group (with the place reached) ─► sink
//! audit.log, across rotation ► audit ┘
//! ```
//!
//! Entries become lines in the form of RFC 5424 and go through the engine of [`crate::syslog`]: kept, redacted, understood by dialects as
//! any other line. The place that was reached is state of the same group, so a restart goes on behind the last durable entry; a place
//! that is gone is a gap.
//!
//! [`export`] and [`audit`] are pure; [`journal`] owns the program, [`probe`] asks it what is wrong, [`follow`] the file, [`keeper`] the way to the sink.

pub mod audit;
pub mod config;
pub mod export;
pub mod follow;
pub mod fuzz;
pub mod journal;
pub mod keeper;
pub mod limits;
pub mod probe;

use std::sync::Arc;

use weir_base::clock::Clock;
use weir_base::task::Tasks;
use weir_record::sink::{RecordSink, SubjectIds};

use self::config::Settings;
use self::keeper::Keeper;

/// Starts a thread for the journal and one for the audit log, as `settings` say. What cannot be read shows as trouble of its source and is
/// tried again.
///
/// # Errors
/// A sentence that says what could not be had.
pub fn start(
    settings: &Settings,
    sink: &Arc<dyn RecordSink>,
    ids: &Arc<dyn SubjectIds>,
    clock: &Arc<dyn Clock>,
    tasks: &Tasks,
) -> Result<(), String> {
    let keeper = |what: &str| {
        let mut keeper = Keeper::new(&format!("{}-{what}", settings.name), &settings.realm, sink, ids, clock);
        // It stands in the list from the start, also where nothing ever comes.
        keeper.trouble(None);
        keeper
    };
    let no_thread = |e| format!("no thread for the logs of this machine: {e}");
    if let Some(source) = settings.journal.clone() {
        let mut keeper = keeper("journal");
        tasks.spawn("host-journal", move |stop| journal::run(&source, &mut keeper, stop)).map_err(no_thread)?;
    }
    if let Some(path) = settings.audit.clone() {
        let mut follower = follow::Follower::new(path, keeper("audit"));
        tasks.spawn("host-audit", move |stop| follower.run(stop)).map_err(no_thread)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
