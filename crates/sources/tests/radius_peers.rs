//! The RADIUS source against real programs: FreeRADIUS's `radclient` as a NAS, FreeRADIUS as a relay and as a writer of detail files.
//!
//! The FreeRADIUS configuration used here is cut out of `docs/sources/radius.md`, so what a reader copies is what was tested. Where a program
//! is absent the test says what was not shown; with `WEIR_CI=1` that is a failure.

#[path = "../src/radius/tests/sink.rs"]
mod sink;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use sink::{CountingIds, MemorySink, Mode};
use weir_base::clock::SystemClock;
use weir_base::task::{Stop, Tasks};
use weir_base::time::Millis;
use weir_record::kinds::{IdType, Malformed, NatEvent, RadiusSession};
use weir_sources::radius::config::{ClientConfig, Config, DetailConfig};
use weir_sources::radius::follow::{Follower, Pass};
use weir_sources::radius::server::Server;

const SECRET: &str = "a-secret-of-the-test";
const T: u32 = 1_795_312_800;

/// False, with a word about what was not shown, when a program is not installed.
fn have(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("WEIR_CI").as_deref(), Ok("1"), "{program} is not installed: {what}");
        eprintln!("not shown, because {program} is not installed: {what}");
    }
    found
}

struct Weir {
    sink: Arc<MemorySink>,
    ids: Arc<CountingIds>,
    tasks: Tasks,
    port: u16,
    dir: tempfile::TempDir,
}

impl Weir {
    fn start() -> Weir {
        let dir = tempfile::tempdir().unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, format!("{SECRET}\n")).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let client = ClientConfig { addresses: vec!["127.0.0.0/8".into()], secret_file: Some(secret), ..ClientConfig::default() };
        let config = Config { listen: vec!["127.0.0.1:0".into()], clients: vec![client], ..Config::default() };
        let settings = config.check().unwrap();
        let (clients, _) = settings.load_clients(dir.path()).unwrap();
        let (sink, ids) = (MemorySink::new(), CountingIds::new());
        let tasks = Tasks::new(Stop::new(), |ended| assert_eq!(ended.panic, None));
        let server = Server::start(&settings, clients, sink.clone(), ids.clone(), Arc::new(SystemClock::new()), &tasks).unwrap();
        Weir { sink, ids, tasks, port: server.addresses()[0].port(), dir }
    }

    fn sessions(&self) -> Vec<RadiusSession> {
        self.sink.rows()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

/// Runs radclient; true when every packet was answered.
fn radclient(port: u16, command: &str, packets: &str, options: &[&str]) -> bool {
    let mut child = Command::new("radclient")
        .args(options)
        .args([&format!("127.0.0.1:{port}"), command, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(packets.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

fn packet(status: &str, session: &str, more: &str) -> String {
    format!(
        "Acct-Status-Type = {status}, Acct-Session-Id = \"{session}\", User-Name = \"user-{session}\", NAS-IP-Address = 192.0.2.1, \
         NAS-Identifier = \"bras-1\", Event-Timestamp = {T}{more}\n\n"
    )
}

#[test]
fn radclient_is_a_nas() {
    if !have("radclient", "accounting from a real client") {
        return;
    }
    let weir = Weir::start();
    let more = ", Framed-IP-Address = 100.64.0.12, Calling-Station-Id = \"13800138000\", Delegated-IPv6-Prefix = 2001:db8:aa::/56, \
        Acct-Input-Octets = 5, Acct-Input-Gigawords = 2, IP-Port-Range-Alloc = Allocation, IP-Port-Range-Ext-IPv4-Addr = 203.0.113.7, \
        IP-Port-Range-Range-Start = 1024, IP-Port-Range-Range-End = 2047";
    assert!(radclient(weir.port, "acct", &packet("Start", "a", more), &[]));
    assert!(radclient(weir.port, "acct", &packet("Interim-Update", "a", ", Acct-Session-Time = 60"), &[]));
    let signed = ", Acct-Terminate-Cause = User-Request, Message-Authenticator = 0x00";
    assert!(radclient(weir.port, "acct", &packet("Stop", "a", signed), &[]));
    assert!(radclient(weir.port, "acct", &packet("Accounting-On", "on", ""), &[]));
    // Again, as another packet: answered, not recorded.
    assert!(radclient(weir.port, "acct", &packet("Stop", "a", ", Acct-Delay-Time = 3, Acct-Terminate-Cause = User-Request"), &[]));
    let rows = weir.sessions();
    assert_eq!(rows.iter().map(|r| r.status).collect::<Vec<_>>(), [1, 3, 2, 7]);
    assert_eq!((rows[0].input_octets, rows[0].framed_ipv4), (Some((2 << 32) + 5), "100.64.0.12".parse().ok()));
    assert_eq!((rows[0].delegated_prefix, rows[0].delegated_prefix_bits), ("2001:db8:aa::".parse().ok(), Some(56)));
    assert_eq!((rows[2].session, rows[2].terminate_cause), (rows[0].session, Some(1)));
    assert_eq!(rows[0].caller, Some(weir.ids.id(IdType::Caller, "13800138000")));
    let events: Vec<NatEvent> = weir.sink.rows();
    let brief: Vec<_> = events.iter().map(|e| (e.action, e.public_port, e.public_port_last, e.inside_address.to_string())).collect();
    assert_eq!(brief, [(1, 1024, 2047, "100.64.0.12".to_owned()), (2, 1024, 2047, "100.64.0.12".to_owned())]);
    assert_eq!(weir.sink.rows::<Malformed>(), []);
}

#[test]
fn radclient_gets_its_status_server_and_only_true_answers() {
    if !have("radclient", "Status-Server, a wrong secret, silence when the disk is full") {
        return;
    }
    let weir = Weir::start();
    assert!(radclient(weir.port, "status", "Message-Authenticator = 0x00\n", &[]));
    // The line the manual shows, with this test's secret file and port.
    let secret = weir.dir.path().join("secret").display().to_string();
    let line =
        manual("radclient").replace("/etc/weir/bras.secret", &secret).replace("192.0.2.53:1813", &format!("127.0.0.1:{}", weir.port));
    assert!(Command::new("sh").args(["-c", &line]).stdout(Stdio::null()).status().unwrap().success());
    assert_eq!(weir.sessions()[0].acct_session_id.as_deref(), Some("try-1"));
    weir.sink.mode(Mode::Full);
    assert!(!radclient(weir.port, "acct", &packet("Start", "a", ""), &["-r", "1", "-t", "0.3"]));
    assert!(!radclient(weir.port, "status", "Message-Authenticator = 0x00\n", &["-r", "1", "-t", "0.3"]));
    weir.sink.mode(Mode::Keep);
    assert!(radclient(weir.port, "acct", &packet("Start", "a", ""), &[]));
    assert_eq!(weir.sessions().len(), 2);
    let wrong = Command::new("radclient")
        .args(["-r", "1", "-t", "0.3", &format!("127.0.0.1:{}", weir.port), "acct", "not-the-secret"])
        .stdin(fs::File::open(write(weir.dir.path(), "p", &packet("Start", "b", ""))).unwrap())
        .output()
        .unwrap();
    assert!(!wrong.status.success());
    assert_eq!(weir.sink.wait_rows::<Malformed>(1)[0].reason, "radius.authenticator");
    assert_eq!(weir.sessions().len(), 2);
}

#[test]
fn radclient_sends_many_at_once() {
    if !have("radclient", "a thousand sessions, fifty at once") {
        return;
    }
    let weir = Weir::start();
    let all: String = (0..1000).map(|i| packet("Start", &i.to_string(), "")).collect();
    assert!(radclient(weir.port, "acct", &all, &["-q", "-p", "50"]));
    let rows = weir.sessions();
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|r| r.session).collect();
    assert_eq!((rows.len(), ids.len()), (1000, 1000));
}

fn write(dir: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The fenced block of the manual after `<!-- tested: NAME -->`.
fn manual(name: &str) -> String {
    let text = include_str!("../../../docs/sources/radius.md");
    let (_, rest) = text.split_once(&format!("<!-- tested: {name} -->\n")).unwrap_or_else(|| panic!("{name} is not in the manual"));
    let (_, rest) = rest.split_once('\n').unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// A FreeRADIUS in the foreground with a configuration of its own; ends with the test.
struct FreeRadius {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
}

impl FreeRadius {
    /// `top` goes to the top level, `modules` into the modules section, `sections` into the virtual server.
    fn start(top: &str, modules: &str, sections: &str) -> FreeRadius {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display().to_string();
        // The kernel chooses a free port; FreeRADIUS takes it a moment later.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "prefix = /usr\nlibdir = /usr/lib/freeradius\nlogdir = {at}\nrun_dir = {at}\nradacctdir = {at}\nname = radiusd\n\
             security {{\n max_attributes = 200\n status_server = yes\n}}\nproxy_requests = yes\n\
             client test {{\n ipaddr = 127.0.0.1\n secret = {SECRET}\n}}\n\
             thread pool {{\n start_servers = 1\n max_servers = 2\n min_spare_servers = 1\n max_spare_servers = 1\n}}\n{top}\n\
             modules {{\n{modules}\n}}\nserver default {{\n listen {{\n  type = acct\n  ipaddr = 127.0.0.1\n  port = {port}\n }}\n{sections}\n}}\n"
        );
        write(dir.path(), "radiusd.conf", &config);
        let mut child = Command::new("freeradius")
            .args(["-X", "-d", &at])
            .env("TZ", "Asia/Shanghai")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| {
            said.push(line);
            said.last().is_some_and(|l| l.starts_with("Ready to process requests"))
        });
        assert!(ready, "FreeRADIUS did not start:\n{}\n{config}", said.split_off(said.len().saturating_sub(10)).join("\n"));
        // It stops when nobody reads what it says.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        FreeRadius { child, port, dir }
    }
}

impl Drop for FreeRadius {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The manual's relay configuration with this test's address, port and secret in the places a reader changes.
fn relay(weir: &Weir) -> String {
    let text = manual("freeradius-home-server");
    for part in ["ipaddr = 192.0.2.53", "port = 1813", "secret = CHANGE-ME"] {
        assert_eq!(text.matches(part).count(), 1, "{part}");
    }
    let text = text.replace("ipaddr = 192.0.2.53", "ipaddr = 127.0.0.1").replace("port = 1813", &format!("port = {}", weir.port));
    text.replace("CHANGE-ME", SECRET)
}

#[test]
fn a_freeradius_proxies_to_us() {
    if !have("freeradius", "a relay with home_server") || !have("radclient", "a relay with home_server") {
        return;
    }
    let weir = Weir::start();
    let free = FreeRadius::start(&relay(&weir), &manual("freeradius-always"), &manual("freeradius-proxy"));
    assert!(radclient(free.port, "acct", &packet("Start", "a", ", Framed-IP-Address = 100.64.0.12"), &[]));
    assert!(radclient(free.port, "acct", &packet("Stop", "a", ", Framed-IP-Address = 100.64.0.12"), &[]));
    let rows = weir.sessions();
    assert_eq!(
        rows.iter().map(|r| (r.status, r.time)).collect::<Vec<_>>(),
        [(1, Millis(i64::from(T) * 1000)), (2, Millis(i64::from(T) * 1000))]
    );
    assert_eq!((rows[0].nas_identifier.as_deref(), rows[0].nas_address), (Some("bras-1"), "192.0.2.1".parse().ok()));
    assert_eq!(rows[0].subscriber, Some(weir.ids.id(IdType::Account, "user-a")));
    // While nothing can be kept, the NAS behind the relay hears nothing, and its next attempt is taken.
    weir.sink.mode(Mode::Full);
    assert!(!radclient(free.port, "acct", &packet("Start", "b", ""), &["-r", "1", "-t", "0.5"]));
    weir.sink.mode(Mode::Keep);
    assert!(radclient(free.port, "acct", &packet("Start", "b", ""), &[]));
    assert_eq!(weir.sessions().len(), 3);
    assert_eq!(weir.sink.rows::<Malformed>(), []);
}

#[test]
fn a_freeradius_replicates_to_us() {
    if !have("freeradius", "a relay with replicate") || !have("radclient", "a relay with replicate") {
        return;
    }
    let weir = Weir::start();
    let modules = manual("freeradius-replicate-module");
    let free = FreeRadius::start(&relay(&weir), &modules, &manual("freeradius-replicate"));
    assert!(radclient(free.port, "acct", &packet("Start", "a", ""), &[]));
    let rows = weir.sink.wait_rows::<RadiusSession>(1);
    assert_eq!((rows[0].acct_session_id.as_deref(), rows[0].nas_identifier.as_deref()), (Some("a"), Some("bras-1")));
}

#[test]
fn detail_files_of_a_freeradius_are_taken() {
    if !have("freeradius", "detail files") || !have("radclient", "detail files") {
        return;
    }
    let free = FreeRadius::start("", &manual("freeradius-detail-module"), &manual("freeradius-detail"));
    let detail = free.dir.path().join("weir").join("detail");
    let (sink, ids) = (MemorySink::new(), CountingIds::new());
    let input = DetailConfig { path: detail.clone(), delete: true, ..DetailConfig::default() };
    let settings = Config { listen: vec![], detail: vec![input], ..Config::default() }.check().unwrap();
    let clock = sink::HandClock::at(i64::from(T) * 1000 + 86_400_000 * 365);
    let mut follower = Follower::new(&settings, 0, &settings.detail[0], sink.clone(), ids.clone(), clock.clone()).unwrap();
    let mut drain = || while follower.pass().unwrap() == Pass::Progress {};
    let more = ", Framed-IP-Address = 100.64.0.12, Framed-IPv6-Prefix = 2001:db8:1:2::/64, Called-Station-Id = \"ap \\\"x\\\" 例\", \
        IP-Port-Range-Alloc = Allocation, IP-Port-Range-Ext-IPv4-Addr = 203.0.113.7, IP-Port-Range-Range-Start = 1024, \
        IP-Port-Range-Range-End = 2047";
    assert!(radclient(free.port, "acct", &packet("Start", "a", more), &[]));
    drain();
    assert!(radclient(free.port, "acct", &packet("Interim-Update", "a", ""), &[]));
    assert!(radclient(free.port, "acct", &packet("Stop", "a", ", Acct-Terminate-Cause = Lost-Carrier"), &[]));
    drain();
    clock.set(i64::from(T) * 1000 + 86_400_000 * 366);
    drain();
    drain();
    // What came after the rename lies in a new file, which is taken in its turn.
    clock.set(i64::from(T) * 1000 + 86_400_000 * 367);
    drain();
    clock.set(i64::from(T) * 1000 + 86_400_000 * 368);
    drain();
    let rows: Vec<RadiusSession> = sink.rows();
    assert_eq!(rows.iter().map(|r| r.status).collect::<Vec<_>>(), [1, 3, 2]);
    // FreeRADIUS wrote Event-Timestamp in the local time of its zone, under a name that fits several zones.
    assert!(rows.iter().all(|r| r.time == Millis(i64::from(T) * 1000) && r.session == rows[0].session));
    assert_eq!(rows[0].called.as_deref(), Some("ap \"x\" 例"));
    assert_eq!((rows[0].framed_prefix_bits, rows[2].terminate_cause), (Some(64), Some(2)));
    assert_eq!(rows[0].subscriber, Some(ids.id(IdType::Account, "user-a")));
    assert_eq!(sink.rows::<NatEvent>().len(), 2);
    assert_eq!(sink.rows::<Malformed>(), []);
    assert!(!detail.exists() && !detail.with_extension("work").exists(), "taken files go");
    // It goes on writing.
    assert!(radclient(free.port, "acct", &packet("Start", "b", ""), &[]));
    drain();
    assert_eq!(sink.rows::<RadiusSession>().len(), 4);
}
