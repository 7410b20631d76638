//! Lines of real programs: rsyslog, syslog-ng and logger over UDP, TCP, TLS and RELP; a connection that is cut again and again.

#[path = "../src/radius/tests/sink.rs"]
mod sink;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sink::{CountingIds, MemorySink};
use weir_base::clock::{Clock, SystemClock};
use weir_base::task::{Stop, Tasks};
use weir_record::kinds::{Authentication, Maintenance, Malformed, line_flags};
use weir_record::sink::{RecordSink, SubjectIds};
use weir_sources::syslog::config::Config;
use weir_sources::syslog::server::{Needs, Server};
use weir_testkit::peers::{self, Rsyslog, SyslogNg, certificates, log};

struct Rig {
    sink: Arc<MemorySink>,
    server: Server,
    tasks: Tasks,
}

impl Rig {
    fn start(more: &str) -> Result<Rig, String> {
        let any = "[\"127.0.0.1:0\"]";
        let text = format!("listen = {any}\nlisten_tcp = {any}\nlisten_relp = {any}\n{more}");
        let settings = toml::from_str::<Config>(&text).unwrap().check().unwrap();
        let (sink, tasks) = (MemorySink::new(), Tasks::new(Stop::new(), |ended| assert!(ended.panic.is_none(), "{ended:?}")));
        let (to, ids): (Arc<dyn RecordSink>, Arc<dyn SubjectIds>) = (sink.clone(), CountingIds::new());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let server = Server::start(settings, &Needs { sink: &to, ids: &ids, clock: &clock, key: None, tasks: &tasks })?;
        Ok(Rig { sink, server, tasks })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.stop().raise();
        self.tasks.join();
    }
}

const SHOWN: &str = "that its lines are taken in";

fn have(program: &str) -> bool {
    peers::have(program, "-v", SHOWN)
}

#[test]
fn syslog_ng_over_udp_and_tcp() {
    if !peers::have("syslog-ng", "--version", SHOWN) || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let (udp, tcp) = (rig.server.udp[0].port(), rig.server.tcp[0].port());
    // RFC 3164 over UDP and with newlines over TCP, RFC 5424 over UDP and with octet counting over TCP.
    let destinations = format!(
        "network(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"a\")); \
         network(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"b\")); \
         syslog(\"127.0.0.1\" port({udp}) transport(\"udp\") persist-name(\"c\")); \
         syslog(\"127.0.0.1\" port({tcp}) transport(\"tcp\") persist-name(\"d\"));"
    );
    let ng = SyslogNg::start(dir.path(), &destinations);
    log(&ng.socket, "sshd", "Accepted password for alice from 192.0.2.7 port 50112 ssh2\n");
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!(row.line, "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
        assert_eq!((row.app.as_deref(), row.event.as_deref(), row.facility, row.severity), (Some("sshd"), Some("sign-in"), 4, 6));
        assert_eq!(row.flags & line_flags::ARRIVAL, 0);
    }
    assert_eq!(rig.sink.rows::<Authentication>().len(), 4);
}

#[test]
fn syslog_ng_over_tls_with_a_client_certificate() {
    if !peers::have("syslog-ng", "--version", SHOWN) || !have("logger") || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    fs::set_permissions(file("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
    let rig = Rig::start(&format!(
        "listen_tls = [\"127.0.0.1:0\"]\ntls_certificate = {:?}\ntls_key = {:?}\ntls_clients = {:?}\n",
        file("server.pem"),
        file("server.key"),
        file("ca.pem")
    ))
    .unwrap();
    let destination = format!(
        "syslog(\"localhost\" port({}) ip-protocol(4) transport(\"tls\") tls(ca-file(\"{}\") cert-file(\"{}\") key-file(\"{}\") \
         peer-verify(required-trusted)));",
        rig.server.tls[0].port(),
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let ng = SyslogNg::start(dir.path(), &destination);
    let many: String = (0..500).map(|i| format!("over tls {i}\n")).collect();
    log(&ng.socket, "app", &many);
    let mut seen: Vec<String> = rig.sink.wait_rows::<Maintenance>(500).into_iter().map(|l| l.line).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 500);
}

#[test]
fn rsyslog_over_udp_tcp_and_relp() {
    if !have("rsyslogd") || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let modern = "TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"";
    let actions = format!(
        "module(load=\"omrelp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{udp}\" protocol=\"udp\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" {modern})\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{tcp}\" protocol=\"tcp\" TCP_Framing=\"traditional\")\n\
         action(type=\"omrelp\" target=\"127.0.0.1\" port=\"{relp}\")",
        udp = rig.server.udp[0].port(),
        tcp = rig.server.tcp[0].port(),
        relp = rig.server.relp[0].port()
    );
    let rsyslog = Rsyslog::start(dir.path(), "", &actions);
    rsyslog.log("sshd", "Accepted password for alice from 192.0.2.7 port 50112 ssh2\n");
    // Once over each way.
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!(row.line, "Accepted password for <USER1> from <ADDR1> port 50112 ssh2");
        assert_eq!((row.app.as_deref(), row.event.as_deref(), row.facility, row.severity), (Some("sshd"), Some("sign-in"), 4, 6));
        assert_eq!(row.flags & line_flags::ARRIVAL, 0);
    }
    assert_eq!(rig.sink.rows::<Authentication>().len(), 4);
}

#[test]
fn logger_speaks_every_form() {
    if !have("logger") {
        return;
    }
    let rig = Rig::start("").unwrap();
    let (udp, tcp) = (rig.server.udp[0].port().to_string(), rig.server.tcp[0].port().to_string());
    let ways: [&[&str]; 4] = [
        &["-d", "-P", &udp, "--rfc3164"],
        &["-d", "-P", &udp, "--rfc5424"],
        &["-T", "-P", &tcp, "--rfc5424", "--octet-count"],
        &["-T", "-P", &tcp, "--rfc3164"],
    ];
    for way in ways {
        let done = Command::new("logger")
            .args(["-n", "127.0.0.1", "-t", "app", "-p", "user.notice"])
            .args(way)
            .arg("用户=李四 logged 甲")
            .status();
        assert!(done.unwrap().success(), "{way:?}");
    }
    for row in rig.sink.wait_rows::<Maintenance>(4) {
        assert_eq!((row.line.as_str(), row.app.as_deref()), ("用户=<USER1> logged 甲", Some("app")));
        assert_eq!((row.facility, row.severity), (1, 5));
    }
}

#[test]
fn rsyslog_over_tls_with_and_without_a_client_certificate() {
    if !have("rsyslogd") || !have("logger") || !have("openssl") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let file = |name: &str| dir.path().join(name).display().to_string();
    let tls = format!("listen_tls = [\"127.0.0.1:0\"]\ntls_certificate = {:?}\ntls_key = {:?}\n", file("server.pem"), file("server.key"));
    let mode = |m: u32| fs::set_permissions(file("server.key"), PermissionsExt::from_mode(m)).unwrap();
    // A key that others could read is refused, with the command that mends it.
    mode(0o644);
    assert!(Rig::start(&tls).err().unwrap().contains("chmod 600"));
    mode(0o600);
    for wants_certificate in [false, true] {
        let clients = if wants_certificate { format!("tls_clients = {:?}\n", file("ca.pem")) } else { String::new() };
        let rig = Rig::start(&format!("{tls}{clients}")).unwrap();
        let own = dir.path().join(format!("rsyslog-{wants_certificate}"));
        fs::create_dir(&own).unwrap();
        let certificate =
            format!("DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\"", file("client.pem"), file("client.key"));
        let global = format!(
            "DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\" {}",
            file("ca.pem"),
            if wants_certificate { certificate.as_str() } else { "" }
        );
        let action = format!(
            "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{}\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" StreamDriver=\"gtls\" \
             StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\" StreamDriverPermittedPeers=\"weir.example.org\" \
             template=\"RSYSLOG_SyslogProtocol23Format\" queue.type=\"LinkedList\" action.resumeRetryCount=\"-1\")",
            rig.server.tls[0].port()
        );
        let rsyslog = Rsyslog::start(&own, &global, &action);
        let many: String = (0..500).map(|i| format!("over tls {i}\n")).collect();
        rsyslog.log("app", &many);
        let mut seen: Vec<String> = rig.sink.wait_rows::<Maintenance>(500).into_iter().map(|l| l.line).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 500);
        if wants_certificate {
            // Without one nobody gets in, and it is told.
            let client = Command::new("openssl")
                .args(["s_client", "-quiet", "-connect", &rig.server.tls[0].to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            assert!(client.is_ok());
            assert_eq!(rig.sink.wait_rows::<Malformed>(1)[0].reason, "syslog.tls");
        }
    }
}

/// Stands between a sender and the program, and cuts the connection after so many bytes, again and again.
struct Cutter {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
    calm: Arc<AtomicBool>,
}

impl Cutter {
    fn start(to: SocketAddr, after: usize) -> Cutter {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cutter = Cutter { address: listener.local_addr().unwrap(), cuts: Arc::default(), calm: Arc::default() };
        let (cuts, calm) = (cutter.cuts.clone(), cutter.calm.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(to) else { continue };
                let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let back = std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from_server, &mut to_client);
                    let _ = to_client.shutdown(Shutdown::Both);
                });
                let (mut client, mut server) = (client, server);
                let (mut passed, mut chunk) = (0, [0; 997]);
                while let Ok(n @ 1..) = client.read(&mut chunk) {
                    passed += n;
                    if server.write_all(&chunk[..n]).is_err() {
                        break;
                    }
                    if passed > after && !calm.load(Ordering::SeqCst) {
                        cuts.fetch_add(1, Ordering::SeqCst);
                        break;
                    }
                }
                // Answers on their way to the client are lost, as when a cable is pulled.
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
                let _ = back.join();
            }
        });
        cutter
    }
}

fn relp_through(dir: &Path, cutter: &Cutter) -> Rsyslog {
    let action = format!(
        "module(load=\"omrelp\")\naction(type=\"omrelp\" target=\"127.0.0.1\" port=\"{}\" queue.type=\"LinkedList\" queue.size=\"100000\" \
         action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\")",
        cutter.address.port()
    );
    Rsyslog::start(dir, "", &action)
}

#[test]
fn a_cut_connection_loses_no_line_and_marks_what_came_again() {
    if !have("rsyslogd") || !have("logger") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let rig = Rig::start("").unwrap();
    let cutter = Cutter::start(rig.server.relp[0], 40_000);
    let rsyslog = relp_through(dir.path(), &cutter);
    let n = 3_000;
    let many: String = (0..n).map(|i| format!("number {i}\n")).collect();
    rsyslog.log("app", &many);
    while cutter.cuts.load(Ordering::SeqCst) < 2 {}
    cutter.calm.store(true, Ordering::SeqCst);
    let numbers = || {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        rig.sink.rows::<Maintenance>().into_iter().for_each(|l| *seen.entry(l.line).or_default() += 1);
        seen
    };
    while numbers().len() < n {}
    let extra: usize = numbers().values().map(|times| times - 1).sum();
    let marked = rig.sink.rows::<Maintenance>().iter().filter(|l| l.flags & line_flags::PERHAPS_DOUBLE != 0).count();
    assert_eq!(extra, marked, "what came again is marked, and nothing else is");
}
