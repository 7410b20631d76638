//! auditd's log with real files: rotation, restarts, a file that is gone.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_base::clock::{Clock, SystemClock};
use weir_base::task::Stop;
use weir_record::kinds::{Authentication, Gap, Maintenance};
use weir_record::sink::{RecordSink, SubjectIds};

use super::super::follow::Follower;
use super::super::keeper::Keeper;
use crate::testing::{CountingIds, MemorySink};

struct Rig {
    dir: tempfile::TempDir,
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    stop: Stop,
    written: u32,
}

impl Rig {
    fn new() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("audit.log"), "").unwrap();
        Rig { dir, sink: MemorySink::new(), ids: CountingIds::new(), stop: Stop::new(), written: 0 }
    }

    fn path(&self, n: u32) -> PathBuf {
        self.dir.path().join(if n == 0 { "audit.log".to_owned() } else { format!("audit.log.{n}") })
    }

    /// A follower as after a start of the program.
    fn start(&self) -> Follower {
        let (sink, ids): (Arc<dyn RecordSink>, Arc<dyn SubjectIds>) = (self.sink.clone(), self.ids.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Follower::new(self.path(0), Keeper::new("host-audit", "default", &sink, &ids, &clock))
    }

    fn append(&mut self, to: &Path, lines: u32) {
        let mut file = OpenOptions::new().append(true).create(true).open(to).unwrap();
        for _ in 0..lines {
            self.written += 1;
            let n = self.written;
            writeln!(
                file,
                "type=USER_LOGIN msg=audit({}.000:{n}): pid={n} uid=0 auid=1000 ses=2 msg='op=login acct=\"alice\" exe=\"/usr/sbin/sshd\" \
                 hostname=192.0.2.7 addr=192.0.2.7 terminal=ssh res=success'",
                SystemClock::new().now().0 / 1_000
            )
            .unwrap();
        }
    }

    fn write(&mut self, lines: u32) {
        let path = self.path(0);
        self.append(&path, lines);
    }

    /// What auditd does when the file is full.
    fn rotate(&self) {
        for n in (0..9).rev() {
            if self.path(n).exists() {
                fs::rename(self.path(n), self.path(n + 1)).unwrap();
            }
        }
        fs::write(self.path(0), "").unwrap();
    }

    fn all(&self, follower: &mut Follower) {
        while follower.look(&self.stop).unwrap() {}
    }

    /// The numbers of the lines that are kept, in order.
    fn kept(&self) -> Vec<u32> {
        let pid = |line: &str| line.strip_prefix("pid=").and_then(|l| l.split(' ').next()).unwrap().parse().unwrap();
        self.sink.rows::<Maintenance>().iter().map(|m| pid(&m.line)).collect()
    }
}

#[test]
fn every_line_is_kept_once_across_rotations_and_restarts() {
    let mut rig = Rig::new();
    rig.write(3);
    // What stands there before the first start is not ours.
    let mut follower = rig.start();
    rig.all(&mut follower);
    assert!(rig.kept().is_empty());
    rig.write(4);
    rig.all(&mut follower);
    rig.write(2);
    rig.rotate();
    rig.write(2);
    rig.all(&mut follower);
    assert_eq!(rig.kept(), (4..=11).collect::<Vec<_>>());
    // Away while it is rotated twice, once more while only half a line is there.
    drop(follower);
    rig.write(1);
    rig.rotate();
    rig.write(3);
    rig.rotate();
    rig.write(1);
    let mut follower = rig.start();
    rig.all(&mut follower);
    let half = "type=USER_LOGIN msg=audit(1.000:1)";
    OpenOptions::new().append(true).open(rig.path(0)).unwrap().write_all(half.as_bytes()).unwrap();
    rig.all(&mut follower);
    drop(follower);
    let mut follower = rig.start();
    rig.all(&mut follower);
    assert_eq!(rig.kept(), (4..=16).collect::<Vec<_>>());
    assert!(rig.sink.rows::<Gap>().is_empty(), "{:?}", rig.sink.rows::<Gap>());
    let signed_in = rig.sink.rows::<Authentication>();
    assert_eq!(signed_in.len(), 13, "the dialect understands them");
    let (desc, _) = rig.sink.sources().into_iter().next().unwrap();
    assert_eq!((desc.name.as_str(), desc.kind.as_str()), ("host-audit", "host"));
}

#[test]
fn a_file_that_is_gone_is_a_gap() {
    let mut rig = Rig::new();
    let mut follower = rig.start();
    rig.all(&mut follower);
    rig.write(2);
    rig.all(&mut follower);
    drop(follower);
    rig.write(5);
    fs::remove_file(rig.path(0)).unwrap();
    rig.write(1);
    let mut follower = rig.start();
    rig.all(&mut follower);
    assert_eq!(rig.kept(), [1, 2, 8]);
    let gaps = rig.sink.rows::<Gap>();
    assert_eq!((gaps.len(), gaps[0].reason.as_str(), gaps[0].lost), (1, "audit-log-gone", None));
    assert!(gaps[0].source > 0 && gaps[0].start <= gaps[0].end);
}

#[test]
fn a_file_that_is_emptied_in_place_is_a_gap() {
    let mut rig = Rig::new();
    let mut follower = rig.start();
    rig.all(&mut follower);
    rig.write(2);
    rig.all(&mut follower);
    fs::write(rig.path(0), "").unwrap();
    rig.all(&mut follower);
    rig.write(1);
    rig.all(&mut follower);
    assert_eq!(rig.kept(), [1, 2, 3]);
    assert_eq!(rig.sink.rows::<Gap>().iter().map(|g| g.reason.clone()).collect::<Vec<_>>(), ["audit-log-cut"]);
}

#[test]
fn a_log_that_was_not_there_at_first_is_read_from_its_beginning() {
    let mut rig = Rig::new();
    fs::remove_file(rig.path(0)).unwrap();
    let mut follower = rig.start();
    assert!(follower.look(&rig.stop).is_err());
    // A restart before it appears forgets nothing.
    drop(follower);
    let mut follower = rig.start();
    assert!(follower.look(&rig.stop).is_err());
    rig.write(3);
    rig.all(&mut follower);
    assert_eq!(rig.kept(), [1, 2, 3]);
    drop(follower);
    rig.write(1);
    let mut follower = rig.start();
    rig.all(&mut follower);
    assert_eq!(rig.kept(), [1, 2, 3, 4]);
    assert!(rig.sink.rows::<Gap>().is_empty());
}
