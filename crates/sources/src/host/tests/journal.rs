//! The real journalctl over a journal that the real systemd-journal-remote writes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_record::kinds::{Authentication, Gap, Maintenance};
use weir_record::sink::{RecordSink, SubjectIds};

use super::super::config::{Journal, Settings};
use crate::testing::{CountingIds, MemorySink};

const REMOTE: &str = "/lib/systemd/systemd-journal-remote";

/// False, with a word about what was not shown, when a program is not installed.
fn have() -> bool {
    let journalctl = Command::new("journalctl").arg("--version").stdout(Stdio::null()).status().is_ok();
    let found = journalctl && Path::new(REMOTE).exists();
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "journalctl or systemd-journal-remote is not installed");
        eprintln!("not shown, because journalctl or systemd-journal-remote is not installed");
    }
    found
}

/// Writes entries `from` to `to` into a journal file.
fn write(file: &Path, from: u64, to: u64) {
    let mut child = Command::new(REMOTE)
        .args(["--split-mode=none", "--compress=no"])
        .arg(format!("--output={}", file.display()))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let now = u64::try_from(SystemClock::new().now().0).unwrap() * 1_000;
    let mut text = String::new();
    for n in from..=to {
        text.push_str(&format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={n}\n_BOOT_ID=9cf0a1f8b7d04a5f9c0a3b0c6a1d2e3f\nPRIORITY=6\nSYSLOG_FACILITY=4\n\
             SYSLOG_IDENTIFIER=sshd\n_PID={n}\n_HOSTNAME=gate\nMESSAGE=Accepted password for alice from 192.0.2.7 port {} ssh2\n\n",
            now + n,
            1_024 + n
        ));
    }
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A run of the source over a folder, until dropped.
struct Run(Tasks);

impl Run {
    fn start(folder: &Path, sink: &Arc<MemorySink>, ids: &Arc<CountingIds>) -> Run {
        let tasks = Tasks::new(Stop::new(), |ended| assert!(ended.panic.is_none(), "{ended:?}"));
        let (to, who): (Arc<dyn RecordSink>, Arc<dyn SubjectIds>) = (sink.clone(), ids.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let journal = Some(Journal { directory: Some(folder.to_owned()) });
        let settings = Settings { name: "host".to_owned(), realm: "default".to_owned(), journal, audit: None };
        super::super::start(&settings, &to, &who, &clock, &tasks).unwrap();
        Run(tasks)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.stop().raise();
        self.0.join();
    }
}

fn numbers(sink: &MemorySink) -> Vec<u64> {
    sink.rows::<Maintenance>().iter().map(|m| m.procid.as_deref().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_restart_loses_and_doubles_nothing_and_a_deleted_journal_is_a_gap() {
    if !have() {
        return;
    }
    let (folder, sink, ids) = (tempfile::tempdir().unwrap(), MemorySink::new(), CountingIds::new());
    let file = folder.path().join("remote.journal");
    write(&file, 1, 5);
    let run = Run::start(folder.path(), &sink, &ids);
    // The first start takes the newest entry, to have a place to go on from.
    assert_eq!(sink.wait_rows::<Maintenance>(1).len(), 1);
    write(&file, 6, 30);
    sink.wait_rows::<Maintenance>(26);
    drop(run);
    write(&file, 31, 40);
    let run = Run::start(folder.path(), &sink, &ids);
    sink.wait_rows::<Maintenance>(36);
    drop(run);
    assert_eq!(numbers(&sink), (5..=40).collect::<Vec<_>>());
    assert_eq!(sink.rows::<Authentication>().len(), 36);
    assert!(sink.rows::<Gap>().is_empty());
    // The journal was deleted and begun anew while nobody looked.
    std::fs::remove_file(&file).unwrap();
    write(&file, 50, 52);
    let run = Run::start(folder.path(), &sink, &ids);
    sink.wait_rows::<Gap>(1);
    sink.wait_rows::<Maintenance>(39);
    drop(run);
    assert_eq!(numbers(&sink).split_off(36), [50, 51, 52]);
    let gaps = sink.rows::<Gap>();
    assert_eq!((gaps.len(), gaps[0].reason.as_str(), gaps[0].lost), (1, "journal-cursor-gone", None));
}
