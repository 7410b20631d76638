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
use weir_sources::syslog::dialect::{Event, Table};
use weir_sources::syslog::line;
use weir_testkit::dhcp::{Client, MAC6, NET, NET6, Server, dhclient6, dnsmasq, dnsmasq6};
use weir_testkit::netns::in_namespaces;
use weir_testkit::peers::have;

const SHOWN: &str = "leases of real servers";

/// True inside namespaces that `net` prepares, where these programs are.
fn ready(test: &str, net: &str, programs: &[&str]) -> bool {
    programs.iter().all(|p| have(p, "--version", SHOWN)) && in_namespaces(test, net, SHOWN)
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
    if !ready("keas_leases_through_its_cleanups", NET, &["kea-dhcp4", "udhcpc"]) {
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
    if !ready("dnsmasqs_leases", NET, &["dnsmasq", "udhcpc"]) {
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

/// What dnsmasq wrote of answers over IPv6: address and DUID, without time and transaction.
fn replies(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|l| l.split_once("DHCPREPLY(s0) ")).map(|(_, rest)| rest.trim().to_owned()).collect()
}

#[test]
fn dnsmasqs_leases_over_ipv6_and_why_its_lines_make_none() {
    if !ready("dnsmasqs_leases_over_ipv6_and_why_its_lines_make_none", NET6, &["dnsmasq", "dhclient"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (leases, log) = (dir.path().join("dnsmasq.leases"), dir.path().join("dnsmasq.log"));
    let _dnsmasq = dnsmasq6(dir.path(), &leases, &log);
    let mut rig = Rig::new(&leases, "dnsmasq");
    let client = dhclient6(dir.path(), &["-1"]);
    let row = rig.until(1, 1).remove(0);
    let address = row.framed_ipv6.unwrap().to_string();
    assert!(address.starts_with("2001:db8:64::"), "{address}");
    assert_eq!(row.subscriber, Some(rig.ids.id(IdType::Hardware, MAC6)));
    while replies(&log).is_empty() {}
    // What it has not written down yet it would not remember.
    while !fs::read_to_string(dir.path().join("dhclient.leases")).unwrap_or_default().contains(&address) {}
    // One that comes back asks whether what it remembers still holds. That it does is told in the words of a grant.
    drop(client);
    let client = dhclient6(dir.path(), &["-1"]);
    while replies(&log).len() < 2 {}
    let told = replies(&log);
    assert_eq!(told[0], told[1], "granted and confirmed");
    assert!(fs::read_to_string(&log).unwrap().contains("DHCPCONFIRM(s0)"));
    drop(client);
    let _released = dhclient6(dir.path(), &["-r"]);
    let ended = rig.until(2, 1).remove(0);
    assert_eq!((ended.framed_ipv6, ended.subscriber), (row.framed_ipv6, row.subscriber));
    // Every line of its DHCP side is understood, and none makes a lease.
    let (table, text) = (Table::new(Table::built_in()), fs::read_to_string(&log).unwrap());
    for told in text.lines().filter(|l| l.contains(" dnsmasq-dhcp[")) {
        let understood = table.understand(&line::parse(told), &[]);
        assert!(understood.as_ref().is_some_and(|u| u.dialect == "dhcp" && u.event() == Event::Nothing), "{told}: {understood:?}");
    }
}
