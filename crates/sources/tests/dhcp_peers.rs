//! The DHCP source against real servers and a real client, between two network namespaces: Kea, whose lease file is cleaned up every second,
//! and dnsmasq. Where a program is absent the test says what was not shown; with `WEIR_CI=1` that is a failure.

#[path = "../src/radius/tests/sink.rs"]
mod sink;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sink::{CountingIds, MemorySink};
use weir_base::clock::SystemClock;
use weir_record::kinds::{IdType, RadiusSession};
use weir_sources::dhcp::config::{Config, FileConfig};
use weir_sources::dhcp::follow::Follower;

const INSIDE: &str = "WEIR_TEST_IN_NAMESPACES";

/// A server and a client with one wire between them.
const NET: &str = "set -e
mount -t tmpfs none /run
mkdir -p /run/netns /run/kea
ip link set lo up
ip netns add client
ip link add name s0 type veth peer name c0 netns client
ip link set s0 up
ip addr add 192.0.2.1/24 dev s0
ip -n client link set lo up
ip -n client link set c0 up
";

/// Runs `test` once more inside namespaces of its own; true in there.
fn in_namespaces(test: &str, programs: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let missing = programs.iter().find(|p| Command::new(p).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err());
    let able = Command::new("unshare").args(["-Urnm", "sh", "-c", NET]).stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    if missing.is_some() || !able {
        let why = missing.map_or("no namespaces can be made here".to_owned(), |p| format!("{p} is not installed"));
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{why}");
        eprintln!("not shown, because {why}: leases of real servers");
        return false;
    }
    let exe = std::env::current_exe().unwrap();
    let line = format!("{NET}exec '{}' --exact '{test}' --nocapture", exe.display());
    let status = Command::new("unshare").args(["-Urnm", "sh", "-c", &line]).env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "inside: {status}");
    false
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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

/// Gets a lease with this hardware address; gives the address.
fn lease(dir: &Path, mac: &str) -> String {
    let script = dir.join("leased.sh");
    fs::write(&script, "#!/bin/sh\n[ \"$1\" = bound ] && echo \"$ip\" > \"$LEASED\"\nexit 0\n").unwrap();
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let answer = dir.join("leased");
    let _ = fs::remove_file(&answer);
    let set = Command::new("ip").args(["-n", "client", "link", "set", "c0", "address", mac]).status().unwrap();
    assert!(set.success());
    let mut client = Command::new("ip");
    client.args(["netns", "exec", "client", "udhcpc", "-B", "-i", "c0", "-f", "-q", "-n", "-t", "20", "-T", "1", "-s"]).arg(&script);
    client.env("LEASED", &answer).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(client.status().unwrap().success(), "no lease for {mac}");
    fs::read_to_string(answer).unwrap().trim().to_owned()
}

const MACS: [&str; 2] = ["02:00:00:00:00:0a", "02:00:00:00:00:0b"];

#[test]
fn keas_leases_through_its_cleanups() {
    if !in_namespaces("keas_leases_through_its_cleanups", &["kea-dhcp4", "udhcpc"]) {
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
    let first = lease(dir.path(), MACS[0]);
    let row = rig.until(1, 1).remove(0);
    rig.check(&row, MACS[0], &first);
    // Kea moves its file away again and again.
    let mut files = std::collections::BTreeSet::new();
    while files.len() < 4 {
        let _ = rig.follower.look();
        files.extend(fs::metadata(&leases).and_then(|m| m.created()));
    }
    let second = lease(dir.path(), MACS[1]);
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
    if !in_namespaces("dnsmasqs_leases", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let leases = dir.path().join("dnsmasq.leases");
    let mut dnsmasq = Command::new("dnsmasq");
    // In the foreground as who it is: a user namespace has no other users.
    dnsmasq.args(["-d", "-C", "/dev/null", "-p", "0", "-i", "s0", "--dhcp-range=192.0.2.10,192.0.2.20,1h", "-x"]);
    dnsmasq.arg(dir.path().join("pid")).arg(format!("--dhcp-leasefile={}", leases.display()));
    let _dnsmasq = Server(dnsmasq.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut rig = Rig::new(&leases, "dnsmasq");
    let first = lease(dir.path(), MACS[0]);
    let row = rig.until(1, 1).remove(0);
    rig.check(&row, MACS[0], &first);
    let second = lease(dir.path(), MACS[1]);
    let row = rig.until(1, 2).remove(1);
    rig.check(&row, MACS[1], &second);
    assert_eq!((row.start_certain, row.nas_identifier.as_deref()), (1, Some("dnsmasq")));
}
