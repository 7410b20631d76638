//! Files followed: appended to, cleaned up, written anew, across restarts.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_record::kinds::{Gap, IdType, Malformed, RadiusSession};
use weir_record::sink::RecordSink;

use crate::dhcp::config::{Config, FileConfig};
use crate::dhcp::follow::Follower;
use crate::testing::{CountingIds, HandClock, MemorySink, Mode};

const T: i64 = 1_795_312_800;
const HEAD: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

struct Rig {
    path: PathBuf,
    server: &'static str,
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    clock: Arc<HandClock>,
    _dir: tempfile::TempDir,
}

impl Rig {
    fn new(server: &'static str) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("leases");
        Rig { path, server, sink: MemorySink::new(), ids: CountingIds::new(), clock: HandClock::at((T + 10) * 1_000), _dir: dir }
    }

    fn follower(&self) -> Follower {
        let file = FileConfig { path: self.path.clone(), server: self.server.into(), realm: None };
        let settings = Config { files: vec![file], ..Config::default() }.check().unwrap();
        Follower::new(&settings, 0, &settings.files[0], self.sink.clone(), self.ids.clone(), self.clock.clone()).unwrap()
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    /// (status, address, seconds from T, certain)
    fn told(&self) -> Vec<(u8, String, i64, u8)> {
        let of = |r: &RadiusSession| (r.status, r.framed_ipv4.unwrap().to_string(), r.time.0 / 1_000 - T, r.start_certain);
        self.sink.rows::<RadiusSession>().iter().map(of).collect()
    }
}

fn append(path: &Path, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn lease(host: u8, at: i64, state: u8) -> String {
    format!("100.64.0.{host},02:00:00:00:00:{host:02x},,3600,{},1,0,0,,{state},\n", T + at + 3_600)
}

fn all(follower: &mut Follower) {
    while follower.look().unwrap() {}
}

#[test]
fn a_file_is_followed_through_its_cleanups() {
    let rig = Rig::new("kea");
    append(&rig.path, &format!("{HEAD}{}", lease(10, 0, 0)));
    let mut f = rig.follower();
    all(&mut f);
    assert_eq!(rig.told(), [(1, "100.64.0.10".into(), 0, 0)], "it was there before us");
    append(&rig.path, &lease(11, 5, 0));
    append(&rig.path, "100.64.0.12,02:00:00:00:00:0c,,36");
    all(&mut f);
    assert_eq!(rig.told().len(), 2, "half a line waits");
    append(&rig.path, &format!("00,{},1,0,0,,0,\n", T + 3_606));
    // Cleanup: the file moves away, and a new one begins.
    fs::rename(&rig.path, rig.beside(".1")).unwrap();
    append(&rig.path, &format!("{HEAD}{}", lease(13, 8, 0)));
    all(&mut f);
    let told = rig.told();
    let starts: Vec<&str> = told.iter().map(|t| t.1.as_str()).collect();
    assert_eq!(starts, ["100.64.0.10", "100.64.0.11", "100.64.0.12", "100.64.0.13"]);
    assert!(told[1..].iter().all(|t| t.3 == 1), "{told:?}");
    assert!(rig.sink.evidence().last().unwrap().1.0 >= T * 1_000);
    let session = &rig.sink.rows::<RadiusSession>()[0];
    assert_eq!(session.subscriber, Some(rig.ids.id(IdType::Hardware, "02:00:00:00:00:0a")));
    assert_eq!((session.subscriber, session.nas_identifier.as_deref()), (session.caller, Some("kea")));
    assert_eq!(rig.sink.bindings().len(), 4);
}

#[test]
fn a_restart_takes_nothing_twice_and_names_what_it_may_have_missed() {
    let rig = Rig::new("kea");
    append(&rig.path, &format!("{HEAD}{}", lease(10, 0, 0)));
    all(&mut rig.follower());
    // The same file: nothing is missing.
    append(&rig.path, &lease(11, 5, 0));
    all(&mut rig.follower());
    assert_eq!((rig.told().len(), rig.sink.rows::<Gap>().len()), (2, 0));
    assert_eq!(rig.told()[1].3, 1);
    // One cleanup: the old file is still there.
    fs::rename(&rig.path, rig.beside(".1")).unwrap();
    append(&rig.path, &format!("{HEAD}{}", lease(12, 6, 0)));
    all(&mut rig.follower());
    assert_eq!((rig.told().len(), rig.sink.rows::<Gap>().len()), (3, 0));
    // More cleanups: what was leased and given back in between is nowhere.
    fs::remove_file(rig.beside(".1")).unwrap();
    let compact = format!("{HEAD}{}{}{}", lease(10, 0, 0), lease(12, 6, 0), lease(14, 7, 0));
    fs::write(rig.beside(".2"), compact).unwrap();
    fs::write(rig.beside(".next"), HEAD).unwrap();
    fs::rename(rig.beside(".next"), &rig.path).unwrap();
    all(&mut rig.follower());
    let gaps = rig.sink.rows::<Gap>();
    assert_eq!((rig.told().len(), gaps.len(), gaps[0].reason.as_str(), gaps[0].lost), (4, 1, "stopped", None));
    assert_eq!(rig.told()[3], (1, "100.64.0.14".into(), 7, 0));
}

#[test]
fn what_cannot_be_kept_is_tried_again_and_bad_lines_are_recorded() {
    let rig = Rig::new("kea");
    append(&rig.path, &format!("{HEAD}{}nonsense\n", lease(10, 0, 0)));
    let mut f = rig.follower();
    rig.sink.mode(Mode::Full);
    assert!(f.look().unwrap_err().contains("disk is full"));
    append(&rig.path, &lease(11, 1, 0));
    assert!(f.look().is_err());
    rig.sink.mode(Mode::Keep);
    all(&mut f);
    assert_eq!(rig.told().len(), 2);
    let bad = rig.sink.rows::<Malformed>();
    assert_eq!((bad.len(), bad[0].reason.as_str(), bad[0].shape.as_str()), (1, "dhcp.address", "aaaaaaaa"));
    let (_, source) = &rig.sink.sources()[0];
    assert_eq!(weir_base::task::lock(&source.counters).malformed, 1);
}

#[test]
fn a_file_that_is_not_there_yet_is_trouble_and_then_none() {
    let rig = Rig::new("kea");
    let mut f = rig.follower();
    assert!(f.look().unwrap_err().contains("cannot be read"));
    append(&rig.path, &format!("{HEAD}{}", lease(10, 0, 0)));
    all(&mut f);
    assert_eq!(rig.told().len(), 1);
}

#[test]
fn dnsmasqs_file_is_read_as_a_whole_and_a_lease_is_gone_when_it_is_missing_twice() {
    let rig = Rig::new("dnsmasq");
    let line = |host: u8, expiry: i64| format!("{} 02:00:00:00:00:{host:02x} 100.64.0.{host} * *\n", T + expiry);
    fs::write(&rig.path, line(10, 3_600)).unwrap();
    let mut f = rig.follower();
    all(&mut f);
    fs::write(&rig.path, format!("{}{}", line(10, 3_600), line(11, 3_700))).unwrap();
    all(&mut f);
    assert_eq!(rig.told(), [(1, "100.64.0.10".into(), 10, 0), (1, "100.64.0.11".into(), 10, 1)]);
    rig.clock.set((T + 60) * 1_000);
    fs::write(&rig.path, line(11, 3_700)).unwrap();
    all(&mut f);
    assert_eq!(rig.told().len(), 2);
    rig.clock.set((T + 61) * 1_000);
    all(&mut f);
    assert_eq!(rig.told()[2..], [(2, "100.64.0.10".into(), 61, 0)]);
    all(&mut f);
    assert_eq!(rig.told().len(), 3);
}

#[test]
fn bad_lines_are_told_once_over_restarts_and_cleanups() {
    let rig = Rig::new("kea");
    let bad = "nonsense\n100.64.0.9,02:00:00:00:00:09,,soon,7,1,0,0,,0,\n";
    append(&rig.path, &format!("{HEAD}{}{bad}", lease(10, 0, 0)));
    for _ in 0..5 {
        all(&mut rig.follower());
    }
    let told = || rig.sink.rows::<Malformed>().iter().map(|m| m.reason.clone()).collect::<Vec<_>>();
    assert_eq!(told(), ["dhcp.address", "dhcp.valid-lifetime"]);
    // Those of the file are counted in each run, once.
    let counted = || rig.sink.sources().iter().map(|(_, s)| weir_base::task::lock(&s.counters).malformed).sum::<u64>();
    let before = counted();
    let mut f = rig.follower();
    all(&mut f);
    let after = counted();
    assert_eq!(after - before, 2);
    // Kea cleans up: the old file moves away, and the same lines stand in the new one.
    fs::rename(&rig.path, rig.beside(".1")).unwrap();
    append(&rig.path, &format!("{HEAD}{bad}{}other nonsense\n", lease(11, 5, 0)));
    all(&mut f);
    assert_eq!(told(), ["dhcp.address", "dhcp.valid-lifetime", "dhcp.address"]);
    assert_eq!(counted() - after, 1);
    // What was not kept is told when it can be.
    rig.sink.mode(Mode::Full);
    append(&rig.path, "more nonsense\n");
    assert!(f.look().is_err());
    rig.sink.mode(Mode::Keep);
    all(&mut f);
    all(&mut rig.follower());
    assert_eq!(told().len(), 4);
    // Nothing of a line stands in the state.
    for (key, value) in rig.sink.state(&rig.sink.sources()[0].0.name) {
        let text = [key, value].concat();
        assert!(!text.windows(8).any(|w| w == b"nonsense"), "{text:?}");
    }
}

#[test]
fn bad_lines_of_dnsmasqs_file_are_told_once_however_often_it_is_read() {
    let rig = Rig::new("dnsmasq");
    let line = |host: u8| format!("{} 02:00:00:00:00:{host:02x} 100.64.0.{host} * *\n", T + 3_600);
    fs::write(&rig.path, format!("nonsense here\n{}", line(10))).unwrap();
    let mut f = rig.follower();
    all(&mut f);
    fs::write(&rig.path, format!("nonsense here\n{}{}", line(10), line(11))).unwrap();
    all(&mut f);
    all(&mut rig.follower());
    assert_eq!((rig.told().len(), rig.sink.rows::<Malformed>().len()), (2, 1));
}
