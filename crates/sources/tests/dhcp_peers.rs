//! The DHCP source against real servers and a real client, between two network namespaces: Kea, whose lease file is cleaned up every second,
//! and dnsmasq. Where a program is absent the test says what was not shown; with `WEIR_CI=1` that is a failure.

#[path = "../src/radius/tests/sink.rs"]
mod sink;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use sink::{CountingIds, MemorySink};
use weir_base::clock::SystemClock;
use weir_record::kinds::{IdType, RadiusSession};
use weir_sources::dhcp::config::{Config, FileConfig};
use weir_sources::dhcp::follow::Follower;
use weir_testkit::dhcp::{Client, NET, Server, dnsmasq};
use weir_testkit::netns::in_namespaces;
use weir_testkit::peers::have;

const SHOWN: &str = "leases of real servers";

/// True inside namespaces, where these programs are.
fn ready(test: &str, programs: &[&str]) -> bool {
    programs.iter().all(|p| have(p, "--version", SHOWN)) && in_namespaces(test, NET, SHOWN)
}

struct Rig {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    follower: Follower,
}

impl Rig {
    fn new(path: &Path, server: &str) -> Rig {
        let (sink, ids) = (MemorySink::new(), CountingIds::new());
        let file = FileConfig { path: path.to_owned(), server: server.into(), realm: None };
        let settings = Config { files: vec![file], ..Config::default() }.check().unwrap();
        let follower = Follower::new(&settings, 0, &settings.files[0], sink.clone(), ids.clone(), Arc::new(SystemClock::new())).unwrap();
        Rig { sink, ids, follower }
    }

    /// Looks until there are so many rows of a status.
    fn until(&mut self, status: u8, count: usize) -> Vec<RadiusSession> {
        loop {
            let _ = self.follower.look();
            let rows: Vec<RadiusSession> = self.sink.rows().into_iter().filter(|r: &RadiusSession| r.status == status).collect();
            if rows.len() >= count {
                return rows;
            }
        }
    }

    fn check(&self, row: &RadiusSession, mac: &str, address: &str) {
        assert_eq!(row.framed_ipv4.unwrap().to_string(), address);
        assert_eq!(row.subscriber, Some(self.ids.id(IdType::Hardware, mac)));
    }
}

const MACS: [&str; 2] = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"];

#[test]
fn keas_leases_through_its_cleanups() {
    if !ready("keas_leases_through_its_cleanups", &["kea-dhcp4", "udhcpc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (leases, config) = (dir.path().join("kea-leases4.csv"), dir.path().join("kea.conf"));
    let text = format!(
        r#"{{ "Dhcp4": {{ "interfaces-config": {{ "interfaces": ["s0"], "dhcp-socket-type": "raw" }},
        "lease-database": {{ "type": "memfile", "persist": true, "name": "{}", "lfc-interval": 1 }},
        "valid-lifetime": 6, "subnet4": [ {{ "subnet": "192.0.2.0/24", "pools": [ {{ "pool": "192.0.2.10 - 192.0.2.20" }} ] }} ] }} }}"#,
        leases.display()
    );
    fs::write(&config, text).unwrap();
    let mut kea = Command::new("kea-dhcp4");
    kea.arg("-c").arg(&config).env("KEA_PIDFILE_DIR", dir.path()).env("KEA_LOCKFILE_DIR", dir.path());
    let _kea = Server(kea.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut rig = Rig::new(&leases, "kea");
    let first = Client::lease(dir.path(), MACS[0]).address;
    let row = rig.until(1, 1).remove(0);
    rig.check(&row, MACS[0], &first);
    // Kea moves its file away again and again.
    let mut files = std::collections::BTreeSet::new();
    while files.len() < 4 {
        let _ = rig.follower.look();
        files.extend(fs::metadata(&leases).and_then(|m| m.created()));
    }
    let second = Client::lease(dir.path(), MACS[1]).address;
    let row = rig.until(1, 2).remove(1);
    rig.check(&row, MACS[1], &second);
    assert_eq!(row.start_certain, 1);
    // Nobody renews them: each is over when its time is.
    let ended = rig.until(2, 2);
    rig.check(&ended[0], MACS[0], &first);
    rig.check(&ended[1], MACS[1], &second);
    assert!(ended.iter().all(|r| r.reason.as_deref() == Some("lease-expired") && r.time.since(r.start.unwrap()) == 6_000));
    let rows: Vec<RadiusSession> = rig.sink.rows();
    assert_eq!(rows.len(), 4, "nothing is told twice: {rows:?}");
}

#[test]
fn dnsmasqs_leases() {
    if !ready("dnsmasqs_leases", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let leases = dir.path().join("dnsmasq.leases");
    let _dnsmasq = dnsmasq(dir.path(), &leases);
    let mut rig = Rig::new(&leases, "dnsmasq");
    let first = Client::lease(dir.path(), MACS[0]).address;
    let row = rig.until(1, 1).remove(0);
    rig.check(&row, MACS[0], &first);
    let second = Client::lease(dir.path(), MACS[1]).address;
    let row = rig.until(1, 2).remove(1);
    rig.check(&row, MACS[1], &second);
    assert_eq!((row.start_certain, row.nas_identifier.as_deref()), (1, Some("dnsmasq")));
}
